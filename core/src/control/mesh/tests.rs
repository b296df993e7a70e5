use super::*;
use crate::manifest;
use crate::text::at_once;

const WEB: &str = "apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-1, labels: {app: web}}
spec: {containers: [{name: a, image: a}]}
status: {podIP: 10.244.1.2, conditions: [{type: Ready, status: 'True'}]}
---
";

/// What is said of a mesh with these objects beside a Service and a Pod that has a proxy.
fn said(more: &str) -> (Vec<PodProxy>, Vec<&'static str>) {
    let text = format!("{WEB}{more}\n");
    let mut objects = Manifests::default();
    manifest::read(&text, FileId(0), &mut objects);
    let (proxies, said) = at_once(build(&objects, &Pace::AT_ONCE));
    (proxies, said.iter().map(Diagnostic::code).collect())
}

#[test]
fn a_match_that_nothing_reaches_is_told_once() {
    let routes = |later: &str| {
        let to = "route: [{destination: {host: web}}]";
        let text = format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{hosts: [web], http: [{{match: [{{uri: {{prefix: /a}}}}], {to}}}, {{match: [{later}], {to}}}]}}"
        );
        said(&text).1
    };
    // The webhook compares prefixes that ask for the same headers; Envoy's routes tell of the others.
    assert_eq!(routes("{uri: {prefix: /ab}}"), ["istio/warned"]);
    let headers = "{uri: {prefix: /ab}, headers: {x: {exact: y}}}";
    assert_eq!(routes(headers), ["envoy/route-shadowed"]);
    assert!(routes("{uri: {prefix: /b}}").is_empty());
}

#[test]
fn policies_for_waypoints_are_said_to_be_not_modelled() {
    let policy = |kind: &str, target: &str| {
        let text = format!(
            "apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: p}}\nspec: {{targetRefs: [{target}]}}"
        );
        said(&text).1
    };
    for kind in ["AuthorizationPolicy", "RequestAuthentication"] {
        let service = "{group: '', kind: Service, name: web}";
        assert_eq!(policy(kind, service), ["istio/not-modelled"], "{kind}");
        let gateway = "{group: gateway.networking.k8s.io, kind: Gateway, name: g}";
        assert!(policy(kind, gateway).is_empty(), "{kind}");
    }
}

#[test]
fn a_proxy_header_is_said_to_be_not_modelled_wherever_it_is_asked_for() {
    let mesh = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'defaultConfig: {gatewayTopology: {proxyProtocol: {}}}'}";
    assert_eq!(said(mesh).1, ["istio/not-modelled"]);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: gateway, annotations: {proxy.istio.io/config: '{gatewayTopology: {proxyProtocol: {}}}'}}\nspec: {containers: [{name: a, image: a}]}";
    assert_eq!(said(pod).1, ["istio/not-modelled"]);
    assert!(
        said(&pod.replace("proxyProtocol: {}", "numTrustedProxies: 1"))
            .1
            .is_empty()
    );
}

#[test]
fn peer_authentication_speaks_of_ports_that_no_service_has() {
    let policy = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p}\nspec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {80: {mode: DISABLE}, 9000: {mode: DISABLE}}}";
    let (proxies, _) = said(policy);
    let listeners = &proxies[0].config.listeners;
    let inbound = listeners.iter().find(|l| l.name == "virtualInbound");
    let chains = inbound.unwrap().chains.iter();
    let of_9000: Vec<_> = chains
        .filter(|c| c.condition.destination_port == Some(9000))
        .map(|c| (c.name.as_str(), c.condition.transport.as_str()))
        .collect();
    let plain = [
        ("virtualInbound-catchall-http", "raw_buffer"),
        ("virtualInbound", "raw_buffer"),
    ];
    assert_eq!(of_9000, plain);
}

/// Of a listener the conditions of its chains with the clusters behind them; the default chain last.
fn chains(proxies: &[PodProxy], name: &str) -> Vec<String> {
    let listeners = proxies[0].config.listeners.iter();
    let found = listeners.filter(|l| l.name == name);
    let all = found.flat_map(|l| l.chains.iter().chain(&l.default_chain));
    let told = all.map(|chain| {
        let networks = chain.condition.destinations.iter().map(ToString::to_string);
        let wanted: Vec<String> = networks
            .chain(chain.condition.server_names.clone())
            .collect();
        let end = match &chain.end {
            crate::envoy::Terminal::Tcp(tcp) => tcp.clusters[0].0.clone(),
            crate::envoy::Terminal::Http(_) => "http".to_string(),
            crate::envoy::Terminal::Other(name) => name.clone(),
        };
        format!("{} > {end}", wanted.join(" "))
    });
    told.collect()
}

fn entry(name: &str, host: &str, addresses: &str, port: &str, more: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: {name}}}\nspec: {{hosts: [{host}], addresses: [{addresses}], ports: [{port}], {more}}}\n"
    )
}

#[test]
fn services_of_one_port_are_told_apart_by_where_they_are_and_by_name() {
    let tcp = "{number: 9000, name: tcp, protocol: TCP}";
    let tls = "{number: 8443, name: tls, protocol: TLS}";
    let all = [
        entry(
            "a",
            "a.example.com",
            "10.9.0.0/16, 10.10.0.7/32",
            tcp,
            "resolution: NONE",
        ),
        entry("b", "b.example.com", "10.8.0.0/16", tcp, "resolution: NONE"),
        entry("c", "c.example.com", "", tls, "resolution: DNS"),
        entry("d", "d.example.com", "", tls, "resolution: DNS"),
    ];
    let (proxies, _) = said(&all.concat());
    let of = |name: &str| chains(&proxies, name);
    let (a, b) = (
        "outbound|9000||a.example.com",
        "outbound|9000||b.example.com",
    );
    let by_network = [
        format!("10.9.0.0/16 > {a}"),
        format!("10.8.0.0/16 > {b}"),
        " > PassthroughCluster".to_string(),
    ];
    assert_eq!(of("0.0.0.0_9000"), by_network);
    assert_eq!(of("10.10.0.7_9000"), [format!(" > {a}")]);
    let by_name = [
        "c.example.com > outbound|8443||c.example.com",
        "d.example.com > outbound|8443||d.example.com",
        " > PassthroughCluster",
    ];
    assert_eq!(of("0.0.0.0_8443"), by_name);
    // What is no HTTP goes on past the routes of the port.
    assert_eq!(of("0.0.0.0_80"), [" > http", " > PassthroughCluster"]);
}

#[test]
fn tcp_and_http_on_one_port_are_told_apart_by_the_bytes() {
    let tcp = "{number: 80, name: tcp, protocol: TCP}";
    let (proxies, _) = said(&entry("t", "t.example.com", "", tcp, "resolution: DNS"));
    let mixed = [" > http", " > outbound|80||t.example.com"];
    assert_eq!(chains(&proxies, "0.0.0.0_80"), mixed);
}

#[test]
fn a_sidecar_says_where_its_app_is_and_what_it_calls() {
    let text = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\nspec: {workloadSelector: {labels: {app: web}}, ingress: [{port: {number: 9080, protocol: HTTP, name: http}, defaultEndpoint: '127.0.0.1:8080'}, {port: {number: 9090, protocol: TCP, name: tcp}, captureMode: NONE}], egress: [{port: {number: 80, protocol: TCP, name: tcp}, bind: 127.0.0.1, captureMode: NONE, hosts: ['*/*']}]}";
    let (proxies, _) = said(text);
    let config = &proxies[0].config;
    let to = |name: &str| {
        let endpoints = config.clusters[name].assignment.endpoints.iter();
        endpoints.map(|e| e.address.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(to("inbound|9080||"), ["127.0.0.1:8080"]);
    assert!(to("inbound|9090||").is_empty());
    // Of the Service's own port the Sidecar says nothing.
    assert!(!config.clusters.contains_key("inbound|80||"));
    let straight = [" > outbound|80||web.default.svc.cluster.local"];
    assert_eq!(chains(&proxies, "127.0.0.1_80"), straight);
    assert!(chains(&proxies, "0.0.0.0_80").is_empty());
    let own = proxies[0].sockets();
    let at = |address: &str, port: u16| {
        let address: IpAddr = address.parse().unwrap();
        own.iter().any(|s| s.addr == address && s.port == port)
    };
    assert!(at("127.0.0.1", 80) && at("10.244.1.2", 9090));
}

#[test]
fn workloads_outside_of_the_cluster_are_endpoints_of_who_selects_them() {
    let workload = |name: &str, more: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: {name}, labels: {{app: web}}}}\nspec: {{{more}}}\n"
        )
    };
    let tcp = "{number: 90, name: tcp, protocol: TCP}";
    let more = "resolution: STATIC, workloadSelector: {labels: {app: web}}";
    let all = [
        workload("vm-1", "address: 10.1.0.1, ports: {tcp: 9090}"),
        workload("vm-2", "address: 10.1.0.2, labels: {app: other}"),
        entry("e", "e.example.com", "10.7.0.1", tcp, more),
    ];
    let (proxies, said) = said(&all.concat());
    assert!(said.is_empty(), "{said:?}");
    let to = |name: &str| {
        let endpoints = proxies[0].config.clusters[name].assignment.endpoints.iter();
        endpoints.map(|e| e.address.clone()).collect::<Vec<_>>()
    };
    let of_entry = ["10.244.1.2:90", "10.1.0.1:9090", "10.1.0.2:90"];
    assert_eq!(to("outbound|90||e.example.com"), of_entry);
    let of_service = to("outbound|80||web.default.svc.cluster.local");
    assert!(of_service.ends_with(&["10.1.0.1:80".into(), "10.1.0.2:80".into()]));
}

#[test]
fn what_is_not_modelled_of_the_gateway_api_is_said() {
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: p}\nspec: {}";
    assert_eq!(said(text).1, ["istio/not-modelled"]);
}

#[test]
fn an_app_may_be_behind_a_unix_socket() {
    let sidecar = |endpoint: &str| {
        let text = format!(
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{ingress: [{{port: {{number: 9080, protocol: HTTP, name: http}}, defaultEndpoint: '{endpoint}'}}]}}"
        );
        let (proxies, said) = said(&text);
        assert!(said.is_empty(), "{said:?}");
        let cluster = &proxies[0].config.clusters["inbound|9080||"];
        let endpoints = cluster.assignment.endpoints.iter();
        let to: Vec<String> = endpoints.map(|e| e.address.clone()).collect();
        (to.join(" "), cluster.bind.is_some())
    };
    let to = |endpoint: &str, bound: bool| (endpoint.to_string(), bound);
    assert_eq!(sidecar("unix:///run/app.sock"), to("/run/app.sock", true));
    assert_eq!(sidecar("0.0.0.0:80"), to("10.244.1.2:80", true));
    // This host is meant in a family that it has.
    assert_eq!(sidecar("[::1]:80"), to("127.0.0.1:80", false));
    assert_eq!(sidecar("[::]:80"), to("[::1]:80", false));
}

#[test]
fn listeners_that_no_packet_comes_to_are_left_out_and_said() {
    let sidecar = |egress: &str| {
        let text = format!(
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: s}}\nspec: {{egress: [{{{egress}, hosts: ['*/*']}}, {{hosts: ['*/*']}}]}}"
        );
        said(&text)
    };
    for egress in [
        "bind: 'unix:///run/out.sock', port: {number: 0, protocol: HTTP, name: http}",
        "bind: 127.0.0.1, port: {number: 3128, protocol: HTTP_PROXY, name: proxy}",
    ] {
        let (proxies, said) = sidecar(egress);
        assert_eq!(said, ["istio/not-modelled"], "{egress}");
        let listeners = proxies[0].config.listeners.iter();
        let names: Vec<_> = listeners.map(|l| l.name.as_str()).collect();
        assert_eq!(names, ["0.0.0.0_80", "virtualOutbound", "virtualInbound"]);
        let routes = &proxies[0].config.routes["80"];
        assert!(routes.virtual_hosts.len() > 1, "{egress}");
    }
}

#[test]
fn an_endpoint_may_be_a_unix_socket() {
    let port = "{number: 90, name: tcp, protocol: TCP}";
    let more = "resolution: STATIC, endpoints: [{address: 'unix:///run/e.sock'}]";
    let (proxies, said) = said(&entry("e", "e.example.com", "10.7.0.1", port, more));
    assert!(said.is_empty(), "{said:?}");
    let endpoints = &proxies[0].config.clusters["outbound|90||e.example.com"]
        .assignment
        .endpoints;
    assert_eq!(endpoints[0].address, "/run/e.sock");
}

#[test]
fn a_pod_that_a_service_entry_selects_is_called_at_its_port() {
    let port = "{number: 90, name: tcp, protocol: TCP, targetPort: 9000}";
    let more = "resolution: STATIC, workloadSelector: {labels: {app: web}}";
    let (proxies, _) = said(&entry("e", "e.example.com", "10.7.0.1", port, more));
    let clusters = &proxies[0].config.clusters;
    assert!(clusters.contains_key("inbound|9000||") && clusters.contains_key("inbound|80||"));
}

/// How the endpoints of a cluster are called: each with its address, and `mtls` where it is called so.
fn called(proxies: &[PodProxy], name: &str) -> Vec<String> {
    let cluster = &proxies[0].config.clusters[name];
    let endpoints = cluster.assignment.endpoints.iter();
    let told = endpoints.map(|e| {
        let fits = |t: &&crate::envoy::Transport| {
            let has = |(k, v): (&String, &_)| e.transport.get(k) == Some(v);
            t.labels.iter().all(has)
        };
        let found = cluster.transports.iter().find(fits);
        let tls = found.map_or(&cluster.tls, |t| &t.tls);
        format!("{}{}", e.address, if tls.is_some() { " mtls" } else { "" })
    });
    told.collect()
}

#[test]
fn workloads_that_are_of_the_mesh_are_called_with_mtls() {
    let port = "{number: 90, name: tcp, protocol: TCP}";
    let endpoints = "endpoints: [{address: 10.1.0.1, serviceAccount: a}, {address: 10.1.0.2}, {address: 10.1.0.3, serviceAccount: a, labels: {security.istio.io/tlsMode: disabled}}, {address: 10.1.0.4, labels: {security.istio.io/tlsMode: istio}}]";
    let to = |more: &str, others: &str| {
        let text = entry("e", "e.example.com", "10.7.0.1", port, more) + others;
        called(&said(&text).0, "outbound|90||e.example.com")
    };
    let plain = ["10.1.0.1:90", "10.1.0.2:90", "10.1.0.3:90", "10.1.0.4:90"];
    let mutual = [
        "10.1.0.1:90 mtls",
        "10.1.0.2:90",
        "10.1.0.3:90",
        "10.1.0.4:90 mtls",
    ];
    for resolution in ["STATIC", "DNS"] {
        let more = format!("resolution: {resolution}, {endpoints}");
        assert_eq!(to(&more, ""), plain, "{resolution}");
        let internal = format!("{more}, location: MESH_INTERNAL");
        assert_eq!(to(&internal, ""), mutual, "{resolution}");
        let disabled = "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p}\nspec: {mtls: {mode: DISABLE}}\n";
        assert_eq!(to(&internal, disabled), plain, "{resolution}");
        let off = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'enableAutoMtls: false'}\n";
        assert_eq!(to(&internal, off), plain, "{resolution}");
    }
}

#[test]
fn a_namespace_that_takes_clear_text_alone_is_called_so_whatever_one_workload_takes() {
    let policies = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p}\nspec: {mtls: {mode: DISABLE}}\n---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: q}\nspec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}}\n---\n";
    let slice = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.244.1.2], conditions: {ready: true}}]\n";
    let web = "outbound|80||web.default.svc.cluster.local";
    let to = |text: &str| {
        let mut objects = Manifests::default();
        manifest::read(&(WEB.to_string() + text), FileId(0), &mut objects);
        inject(&mut objects);
        called(&at_once(build(&objects, &Pace::AT_ONCE)).0, web)
    };
    assert_eq!(to(slice), ["10.244.1.2:80 mtls"]);
    assert_eq!(to(&(policies.to_string() + slice)), ["10.244.1.2:80"]);
    // What is said for all ports counts for one whose own settings leave it out.
    let rule = |mode: &str| {
        let rule = format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: r}}\nspec: {{host: web, trafficPolicy: {{tls: {{mode: {mode}}}, portLevelSettings: [{{port: {{number: 80}}, loadBalancer: {{simple: RANDOM}}}}]}}}}\n---\n"
        );
        to(&(rule + slice))
    };
    assert_eq!(rule("DISABLE"), ["10.244.1.2:80"]);
    assert_eq!(rule("ISTIO_MUTUAL"), ["10.244.1.2:80 mtls"]);
}

#[test]
fn pods_of_a_headless_service_are_called_with_mtls_if_all_have_a_sidecar() {
    let slice = |addresses: &str| {
        let endpoints: String = addresses
            .split(' ')
            .map(|a| format!("{{addresses: [{a}], conditions: {{ready: true}}}},"))
            .collect();
        let text = WEB.replace("10.96.0.1", "None")
            + &format!(
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: web-1, labels: {{kubernetes.io/service-name: web}}}}\naddressType: IPv4\nports: [{{name: http, port: 80}}]\nendpoints: [{endpoints}]\n"
            );
        let mut objects = Manifests::default();
        manifest::read(&text, FileId(0), &mut objects);
        inject(&mut objects);
        let (proxies, _) = at_once(build(&objects, &Pace::AT_ONCE));
        let clusters = &proxies[0].config.clusters;
        clusters["outbound|80||web.default.svc.cluster.local"]
            .tls
            .is_some()
    };
    assert!(slice("10.244.1.2"));
    assert!(!slice("10.244.1.2 10.244.1.9"));
}

/// A ServiceEntry for `e.example.com`, made in a certain minute.
fn shared(name: &str, minute: u32, port: &str, more: &str) -> String {
    let made = format!("{{name: {name}, creationTimestamp: '2026-01-01T00:0{minute}:00Z'}}");
    let written = entry(name, "e.example.com", "10.7.0.1", port, more);
    written.replace(&format!("{{name: {name}}}"), &made)
}

#[test]
fn service_entries_of_one_host_share_their_endpoints() {
    let port = |number: u32, name: &str| {
        format!("{{number: {number}, name: {name}, protocol: TCP, targetPort: {number}0}}")
    };
    let to = |entries: &[String]| {
        let (proxies, _) = said(&entries.concat());
        called(&proxies, "outbound|90||e.example.com")
    };
    let at = |address: &str, resolution: &str| {
        format!("resolution: {resolution}, endpoints: [{{address: {address}}}]")
    };
    let (a, b) = (at("10.1.0.1", "STATIC"), at("10.1.0.2", "STATIC"));
    // The older one's first; each has the port of its own entry.
    let old = shared("b", 1, &port(90, "tcp"), &a);
    let own = port(90, "tcp").replace("900", "9001");
    let both = to(&[shared("a", 2, &own, &b), old.clone()]);
    assert_eq!(both, ["10.1.0.1:900", "10.1.0.2:9001"]);
    // Endpoints that are told to proxies are of a port by its name.
    let other = shared("a", 2, &port(90, "other"), &b);
    assert_eq!(to(&[old.clone(), other.clone()]), ["10.1.0.1:900"]);
    let renumbered = shared("a", 2, &port(91, "tcp"), &b);
    let both = to(&[old.clone(), renumbered.clone()]);
    assert_eq!(both, ["10.1.0.1:900", "10.1.0.2:910"]);
    // A name is not told where addresses are.
    let named = shared("a", 2, &port(90, "tcp"), &at("vm.example.com", "DNS"));
    assert_eq!(to(&[old.clone(), named]), ["10.1.0.1:900"]);
    // Endpoints that are in the cluster itself are of a port by its number.
    let dns = shared("b", 1, &port(90, "tcp"), &at("vm.example.com", "DNS"));
    let both = ["vm.example.com:900", "10.1.0.2:900"];
    assert_eq!(to(&[dns.clone(), other]), both);
    assert_eq!(to(&[dns, renumbered]), ["vm.example.com:900"]);
    // Of those resolved in turn one a port counts.
    let turn = |name: &str, minute, address: &str| {
        shared(
            name,
            minute,
            &port(90, "tcp"),
            &at(address, "DNS_ROUND_ROBIN"),
        )
    };
    let first = turn("b", 1, "vm.example.com");
    assert_eq!(
        to(&[first, turn("a", 2, "vm2.example.com")]),
        ["vm.example.com:900"]
    );
    // In another namespace it is another service.
    let elsewhere = shared("a", 2, &own, &b).replace("{name: a,", "{name: a, namespace: other,");
    assert_eq!(to(&[old, elsewhere]), ["10.1.0.1:900"]);
}

#[test]
fn a_service_entry_adds_to_the_service_whose_host_it_has() {
    let port = "{number: 8080, name: http, protocol: HTTP}";
    let more = "resolution: STATIC, endpoints: [{address: 10.1.0.1}]";
    let web = "web.default.svc.cluster.local";
    let slice = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.244.1.2], conditions: {ready: true}}]\n";
    let (proxies, _) = said(&(entry("e", web, "", port, more) + slice));
    let told = called(&proxies, "outbound|80||web.default.svc.cluster.local");
    assert_eq!(told, ["10.1.0.1:8080", "10.244.1.2:80"]);
}

/// The listeners of a gateway's Pod with two Services in front, `a` and `b`, and a Gateway.
fn of_gateway(annotations: &str, number: u32, status: &str) -> Vec<String> {
    let service = |name: &str, ports: &str| {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{clusterIP: 10.96.1.1, selector: {{app: gw}}, ports: [{ports}]}}\n"
        )
    };
    let text = [
        "apiVersion: v1\nkind: Pod\nmetadata: {name: gw, labels: {app: gw}}\nspec: {containers: [{name: istio-proxy, ports: [{name: web, containerPort: 8080}]}]}\n".to_string(),
        format!("status: {{podIP: 10.244.1.7, conditions: [{status}]}}\n"),
        service("a", "{name: http, port: 80, targetPort: web}, {name: http-again, port: 81, targetPort: 8080}, {name: http-other, port: 82, targetPort: other}"),
        service("b", "{name: http, port: 80, targetPort: 9090}"),
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, annotations: {{{annotations}}}}}\nspec: {{selector: {{app: gw}}, servers: [{{port: {{number: {number}, name: http, protocol: HTTP}}, hosts: ['*']}}]}}\n"
        ),
    ];
    let mut objects = Manifests::default();
    manifest::read(&text.concat(), FileId(0), &mut objects);
    let (proxies, _) = at_once(build(&objects, &Pace::AT_ONCE));
    let listeners = proxies[0].config.listeners.iter();
    listeners.map(|l| l.port.to_string()).collect()
}

#[test]
fn a_gateway_listens_at_the_target_ports_of_the_services_that_it_names() {
    let ready = "{type: Ready, status: 'True'}";
    for status in [ready, ""] {
        let named = |services: &str, number| {
            let annotations = format!("internal.istio.io/gateway-service: '{services}'");
            of_gateway(&annotations, number, status)
        };
        let (a, b) = ("a.default.svc.cluster.local", "b.default.svc.cluster.local");
        assert_eq!(named(a, 80), ["8080"], "{status}");
        assert_eq!(named(b, 80), ["9090"], "{status}");
        assert_eq!(named(&format!("{a},{b}"), 80), ["8080", "9090"], "{status}");
        // A port behind that another has already, or that the Pod has not, is none.
        assert!(named(a, 81).is_empty(), "{status}");
        assert!(named(a, 82).is_empty(), "{status}");
        // Chosen by labels, a Gateway takes the first, or its port as it is.
        assert_eq!(of_gateway("", 80, status), ["8080"], "{status}");
        assert_eq!(of_gateway("", 81, status), ["81"], "{status}");
        assert_eq!(of_gateway("", 82, status), ["82"], "{status}");
    }
    let elsewhere = "internal.istio.io/gateway-service: a.default.svc.cluster.local, internal.istio.io/parent-namespace: other";
    assert!(of_gateway(elsewhere, 80, ready).is_empty());
}

#[test]
fn ports_and_addresses_that_entries_of_one_host_do_not_share_are_said() {
    let other = |address: &str, number: u32, host: &str| {
        let port = |number: u32| format!("{{number: {number}, name: tcp, protocol: TCP}}");
        let first = entry(
            "a",
            "e.example.com",
            "10.7.0.1",
            &port(90),
            "resolution: NONE",
        );
        said(&(first + &entry("b", host, address, &port(number), "resolution: NONE"))).1
    };
    assert!(other("10.7.0.1", 90, "e.example.com").is_empty());
    let not = ["istio/not-modelled"];
    assert_eq!(other("10.7.0.1", 91, "e.example.com"), not);
    assert_eq!(other("10.7.0.2", 90, "e.example.com"), not);
    assert!(other("10.7.0.2", 91, "f.example.com").is_empty());
}
