//! The scenarios of gateways and meshes: each plays to the ending that it is about, and nothing is to be said of it.

use northsouth::text::Lang;
use northsouth::trace::{Action, Content, Stage, Style, print};
use northsouth::workspace::{Run, Scenario, run};

fn play(name: &str) -> Run {
    let run = run(&Scenario::find(name).unwrap().workspace().unwrap());
    let said = run.diagnostics.iter();
    let said: Vec<_> = said.map(|d| d.message.text(Lang::En)).collect();
    assert_eq!(said, [""; 0], "{name}");
    run
}

/// Who was asked by HTTP, in order and once each, then how it ended.
fn told(run: &Run) -> String {
    let mut asked: Vec<String> = Vec::new();
    for journey in &run.trace.journeys {
        let request = journey.payload.as_ref().map(|p| &p.content);
        let Some(hop) = journey.hops.last() else {
            continue;
        };
        let host = run.world.host(hop.host).unwrap();
        if let Some(Content::Request { request, .. }) = request {
            let name = format!("{} {}", host.name, request.path);
            if !asked.contains(&name) {
                asked.push(name);
            }
        }
    }
    let end = run.trace.ending(&run.world).text(Lang::En);
    format!("{}: {end}", asked.join(", "))
}

#[test]
fn each_ends_as_it_says() {
    for (name, wanted) in [
        (
            "canary-weight",
            "ingressgateway /, web-v1 /: it is delivered",
        ),
        (
            "canary-header",
            "ingressgateway /, web-v2 /: it is delivered",
        ),
        (
            "uri-rewrite",
            "ingressgateway /api/cart, web-v1 /cart: it is delivered",
        ),
        (
            "https-redirect",
            "ingressgateway /: ingressgateway answers 301 by itself",
        ),
        ("tls-by-sni", "ingressgateway /, blog-v1 /: it is delivered"),
        (
            "tls-passthrough",
            "ingressgateway /, web-v1 /: it is delivered",
        ),
        (
            "two-gateways",
            "ingressgateway /cart, cart-v1 /cart: it is delivered",
        ),
        (
            "delegate",
            "ingressgateway /cart/checkout, cart/cart-v1 /cart/checkout: it is delivered",
        ),
        (
            "fault",
            "ingressgateway /pay: ingressgateway answers 503 by itself",
        ),
        (
            "access-by-path",
            "ingressgateway /admin/users: ingressgateway answers 403 by itself",
        ),
        (
            "access-lost-address",
            "ingressgateway /: ingressgateway answers 403 by itself",
        ),
        ("retry", "ingressgateway /, web-v1 /: it is delivered"),
        (
            "mirror",
            "ingressgateway /, web-v2 /, web-v1 /: it is delivered",
        ),
        (
            "nobody-listens",
            "ingressgateway /: ingressgateway answers 503 by itself",
        ),
        (
            "subset-without-pods",
            "ingressgateway /: ingressgateway answers 503 by itself",
        ),
        (
            "gateway-api",
            "shop-istio-6d9c /, web-v2 /: it is delivered",
        ),
        ("sidecar-to-sidecar", "front /, web-v1 /: it is delivered"),
        ("tproxy", "ingressgateway /, web-v1 /: it is delivered"),
    ] {
        assert_eq!(told(&play(name)), wanted, "{name}");
    }
}

#[test]
fn a_gateway_that_nobody_deployed_is_deployed_by_istiod() {
    let mut workspace = Scenario::find("gateway-api").unwrap().workspace().unwrap();
    let mut files = workspace.files.iter_mut();
    let file = files.find(|f| &*f.name == "cluster.yaml").unwrap();
    let documents = file.text.split("---\n");
    let kept: Vec<_> = documents
        .filter(|d| !d.contains("name: shop-istio"))
        .collect();
    assert_eq!(kept.len() + 2, file.text.split("---\n").count());
    file.text = kept.join("---\n").into();
    let first = run(&workspace);
    let service = first.cluster.as_ref().unwrap().objects.services.iter();
    let service = service
        .clone()
        .find(|s| &*s.meta.name == "shop-istio")
        .unwrap();
    let ports: Vec<_> = service
        .ports
        .iter()
        .map(|p| (&*p.name, p.port.value))
        .collect();
    assert_eq!(ports, [("status-port", 15021), ("http", 80)]);
    let to = service.ingress[0].ip.as_ref().unwrap().value;
    workspace.probe.to = to;
    let run = run(&workspace);
    // Nothing but what the API server and the cloud chose.
    let mut said = run.diagnostics.iter().map(|d| d.code());
    assert!(said.all(|code| code == "control/chose"));
    let told = told(&run);
    assert!(told.starts_with("shop-istio-"), "{told}");
    assert!(told.ends_with(" /, web-v2 /: it is delivered"), "{told}");
}

#[test]
fn addresses_that_may_pass_are_those_that_the_gateway_sees() {
    let mut workspace = Scenario::find("access-lost-address")
        .unwrap()
        .workspace()
        .unwrap();
    let mut files = workspace.files.iter_mut();
    let file = files.find(|f| &*f.name == "cluster.yaml").unwrap();
    let (cluster, local) = (
        "externalTrafficPolicy: Cluster",
        "externalTrafficPolicy: Local",
    );
    file.text = file.text.replace(cluster, local).into();
    let wanted = "ingressgateway /, shop-v1 /: it is delivered";
    assert_eq!(told(&run(&workspace)), wanted);
}

#[test]
fn a_tcp_proxy_connects_at_once_unless_it_has_to_see_first_bytes() {
    let mut workspace = Scenario::find("uri-rewrite").unwrap().workspace().unwrap();
    let mut files = workspace.files.iter_mut();
    let file = files.find(|f| f.name.starts_with("manifests/")).unwrap();
    file.text = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: tcp, protocol: TCP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ['*']
  gateways: [shop]
  tcp: [{route: [{destination: {host: web}}]}]
"
    .into();
    let silent = "client tcp 198.51.100.10:80";
    workspace.probe = northsouth::workspace::parse_probe(silent).unwrap();
    let walk = run(&workspace);
    assert_eq!(seen_by(&walk, "web"), ["10.244.1.10"]);

    let mut workspace = Scenario::find("tls-passthrough")
        .unwrap()
        .workspace()
        .unwrap();
    workspace.probe = northsouth::workspace::parse_probe("client tcp 198.51.100.10:443").unwrap();
    let walk = run(&workspace);
    assert!(seen_by(&walk, "web").is_empty());
    let text = print(&walk.world, &walk.trace, Style::default());
    assert!(text.contains("wants to see the first bytes"), "{text}");
}

/// Whom an app takes its packets to come from, first and last.
fn seen_by(run: &Run, app: &str) -> Vec<String> {
    let steps = run.trace.journeys.iter().flat_map(|j| &j.hops);
    let mut seen: Vec<String> = Vec::new();
    for step in steps.flat_map(|h| &h.steps) {
        if let Action::Delivered(to) = &step.action
            && to.process.name() == app
        {
            seen.push(step.after.packet.src.to_string());
        }
    }
    seen.dedup();
    seen
}

#[test]
fn with_tproxy_the_app_sees_who_calls() {
    let run = play("tproxy");
    assert_eq!(seen_by(&run, "web"), ["10.244.1.10"]);
    // The app's answer goes to an address that is another's, and the mark brings it to Envoy.
    let restored = print(&run.world, &run.trace, Style::default());
    assert!(restored.contains("-j CONNMARK --save-mark"), "{restored}");
    let sent = run.trace.journeys.iter();
    let answers = sent.filter(|j| j.hops.len() == 2 && j.packet.packet.sport() == Some(8080));
    let over_lo: Vec<_> = answers
        .filter(|j| j.hops.iter().all(|h| h.host == j.hops[0].host))
        .map(|j| j.hops[1].steps[0].after.mark)
        .collect();
    assert!(
        over_lo.len() >= 2 && over_lo.iter().all(|m| *m == 1337),
        "{over_lo:?}"
    );

    let mut workspace = Scenario::find("tproxy").unwrap().workspace().unwrap();
    let mut files = workspace.files.iter_mut();
    let file = files.find(|f| &*f.name == "cluster.yaml").unwrap();
    file.text = file.text.replace("TPROXY", "REDIRECT").into();
    let redirected = northsouth::workspace::run(&workspace);
    assert_eq!(seen_by(&redirected, "web"), ["127.0.0.6"]);
}

#[test]
fn what_was_passed_over_says_why_and_where() {
    let scenario = Scenario::find("canary-header").unwrap();
    let mut workspace = scenario.workspace().unwrap();
    if let northsouth::sim::ProbeKind::Http(request) = &mut workspace.probe.kind {
        request.headers.clear();
    }
    let run = run(&workspace);
    let style = Style {
        why: true,
        ..Style::default()
    };
    let text = print(&run.world, &run.trace, style);
    assert!(
        text.contains("- testers: header end-user is absent"),
        "{text}"
    );
    assert!(
        text.contains("+ everybody: all of its conditions hold"),
        "{text}"
    );
    for journey in &run.trace.journeys {
        for hop in &journey.hops {
            for step in &hop.steps {
                let Action::Proxied(said) = &step.action else {
                    continue;
                };
                let span = northsouth::trace::span(&run.world, hop.host, step);
                assert!(span.is_some(), "{:?}", said.stage);
                let considered = northsouth::trace::considered(&run.world, hop.host, said);
                assert!(!considered.is_empty(), "{:?}", said.stage);
                if said.stage == Stage::Route {
                    let file = &run.files[span.unwrap().file.index()];
                    assert_eq!(&*file.name, "manifests/mesh.yaml");
                }
            }
        }
    }
}

/// With a file's text changed, how it ends.
fn ends(name: &str, file: &str, from: &str, to: &str, probe: &str) -> String {
    let mut workspace = Scenario::find(name).unwrap().workspace().unwrap();
    let file = workspace
        .files
        .iter_mut()
        .find(|f| &*f.name == file)
        .unwrap();
    let text = file.text.replace(from, to);
    assert_ne!(text, &*file.text);
    file.text = text.into();
    workspace.probe = northsouth::workspace::parse_probe(probe).unwrap();
    let run = run(&workspace);
    let flags = run.trace.journeys.iter().flat_map(|j| &j.hops);
    let mut flags = flags
        .flat_map(|h| &h.steps)
        .filter_map(|s| match &s.action {
            Action::Proxied(p) => p.account.answer.as_ref().map(|a| a.flags.join(",")),
            _ => None,
        });
    let flags = flags.next_back().unwrap_or_default();
    let end = run.trace.ending(&run.world).text(Lang::En);
    format!("{end} {flags}").trim_end().to_string()
}

#[test]
fn what_is_wrong_ends_at_the_step_that_decides() {
    const SHOP: &str = "client http GET http://shop.example.com/ at 198.51.100.10:80";
    let mesh = |from, to, probe| ends("canary-weight", "manifests/mesh.yaml", from, to, probe);
    // A wrong host, and a route that asks for more.
    assert_eq!(
        mesh(
            "weight: 90",
            "weight: 91",
            "client http GET http://x.example.com/ at 198.51.100.10:80"
        ),
        "ingressgateway answers 404 by itself NR"
    );
    // A selector that chooses nobody: no listener, so the kernel answers.
    assert_eq!(
        mesh("istio: ingressgateway", "istio: nobody", SHOP),
        "it arrives, and nothing listens there"
    );
    // No gateway for the port.
    assert_eq!(
        mesh(
            "weight: 90",
            "weight: 91",
            "client http GET http://shop.example.com/ at 198.51.100.10:443"
        ),
        "it arrives, and nothing listens there"
    );
    // No such service.
    assert_eq!(
        mesh("host: web", "host: nowhere", SHOP),
        "ingressgateway answers 503 by itself NC"
    );
    // Plain text to a TLS port, and a name that no chain has.
    let sni = |probe| {
        ends(
            "tls-by-sni",
            "manifests/mesh.yaml",
            "https-blog",
            "https-log",
            probe,
        )
    };
    assert_eq!(
        sni("client http GET http://shop.example.com/ at 198.51.100.10:443"),
        "ingressgateway closes the connection without an answer"
    );
    assert_eq!(
        sni("client http GET https://x.example.com/ at 198.51.100.10:443"),
        "ingressgateway closes the connection without an answer"
    );
    // Nobody listens at the endpoint, and it is not tried again.
    assert_eq!(
        ends(
            "retry",
            "manifests/mesh.yaml",
            "attempts: 3, retryOn: connect-failure",
            "attempts: 0",
            SHOP
        ),
        "ingressgateway answers 503 by itself UF"
    );
}

#[test]
fn a_pasted_config_dump_stands_in_for_istiod() {
    let mut workspace = Scenario::find("canary-header")
        .unwrap()
        .workspace()
        .unwrap();
    let first = run(&workspace);
    let command = "pilot-agent request GET config_dump";
    let after = northsouth::console::AfterRun::from(&first);
    let dump = northsouth::console::run(after, "ingressgateway", command).text;
    workspace
        .files
        .retain(|f| &*f.name != "manifests/mesh.yaml");
    let name = "pods/ingressgateway/config-dump.json";
    workspace
        .files
        .push(northsouth::text::File::new(name, &dump));
    let again = run(&workspace);
    assert_eq!(told(&again), told(&first));
}

#[test]
fn strict_peer_authentication_closes_what_is_in_the_clear() {
    let with = |mode: &str, probe: &str| {
        let policy = format!(
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: all}}\nspec: {{mtls: {{mode: {mode}}}}}\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule"
        );
        let before = "apiVersion: networking.istio.io/v1\nkind: DestinationRule";
        ends(
            "sidecar-to-sidecar",
            "manifests/mesh.yaml",
            before,
            &policy,
            probe,
        )
    };
    // A node has no sidecar; a pod's sidecar speaks mTLS of its own accord.
    let node = "node-1 http GET http://web/ at 10.244.2.11:8080";
    let pod = "front http GET http://web/ at 10.96.0.20:80";
    assert_eq!(with("PERMISSIVE", node), "it is delivered");
    assert_eq!(
        with("STRICT", node),
        "web-v1 closes the connection without an answer"
    );
    assert_eq!(with("STRICT", pod), "it is delivered");
    assert_eq!(with("DISABLE", pod), "it is delivered");
}
