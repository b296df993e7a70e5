//! The Gateway API's conformance suite: what Istio did with its objects and requests.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use northsouth::manifest::{self, Manifests, TargetPort};
use northsouth::text::FileId;
use serde_json::{Value, json};

#[test]
fn gateways_and_routes_do_what_the_suite_expects() {
    let Some(cases) = super::cases("gateway-api") else {
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway-api");
    let (from, to) = (folder.join("in"), folder.join("out"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&from).unwrap();
    let tests = cases["tests"].as_array().unwrap();
    for test in tests {
        let text = world(cases["base_manifest"].as_str().unwrap(), test).to_string();
        std::fs::write(from.join(format!("{}.json", name(test))), text).unwrap();
    }
    let done = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["conform", "istio"])
        .args([&from, &to])
        .status()
        .unwrap();
    assert!(done.success());
    let (mut right, mut wrong) = (0, Vec::new());
    for test in tests {
        let text = std::fs::read_to_string(to.join(format!("{}.json", name(test)))).unwrap();
        let answers: Value = serde_json::from_str(&text).unwrap();
        for (at, request) in recorded(test).enumerate() {
            match fits(request, &answers["cases"][at]["observed"]) {
                true => right += 1,
                false => wrong.push(format!("{}#{at}", name(test))),
            }
        }
    }
    println!("gateway-api/requests: {right} of {}", right + wrong.len());
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn name(test: &Value) -> &str {
    test["test"].as_str().unwrap()
}

/// Istio's behaviour counts. Requests that were not played (gRPC) are left out.
fn recorded(test: &Value) -> impl Iterator<Item = &Value> {
    let requests = test["requests"].as_array().unwrap().iter();
    requests.filter(|r| r["observed_istio_1.30.3_envoy_1.40"].is_object())
}

/// As Istio did. Where Istio was recorded without the ListenerSet kind, as the suite wants.
fn fits(request: &Value, mine: &Value) -> bool {
    let seen = &request["observed_istio_1.30.3_envoy_1.40"];
    let backend = |o: &Value| o["upstream"].is_object().then(|| o["endpoint"].to_string());
    let location = |o: &Value| {
        let headers = o["response_headers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        headers.into_iter().find(|h| h[0] == "location")
    };
    let up = |o: &Value, key: &str| o["upstream"][key].clone();
    let same = seen["status"] == mine["status"]
        && seen["vhost"] == mine["vhost"]
        && backend(seen).is_some() == backend(mine).is_some()
        && location(seen) == location(mine)
        && ["method", "path", "authority"]
            .iter()
            .all(|k| up(seen, k) == up(mine, k));
    let wanted = request["expect"]["status"].as_array().unwrap();
    let service = format!(
        "|{}.{}.svc.",
        request["expect"]["backend"].as_str().unwrap_or(""),
        request["expect"]["namespace"].as_str().unwrap_or("")
    );
    let reached = mine["cluster"].as_str().unwrap_or("").contains(&service);
    let as_wanted =
        wanted.contains(&mine["status"]) && (request["expect"]["backend"].is_null() || reached);
    let with_sets = request["gateway"]["name"]
        .as_str()
        .unwrap()
        .contains("listener-set")
        || mine["vhost"]
            .as_str()
            .unwrap_or("")
            .contains("listener-set");
    same || with_sets && as_wanted
}

/// The objects of a test, with the Pods, the gateways' Services and the requests in the form of Istio's cases.
fn world(base: &str, test: &Value) -> Value {
    let own = test["manifest_yaml"].as_object().unwrap().values();
    let own: Vec<&str> = own.map(|v| v.as_str().unwrap()).collect();
    let mut yaml =
        format!("{base}\n---\n{}", own.join("\n---\n")).replace("{GATEWAY_CLASS_NAME}", "istio");
    let mut objects = Manifests::default();
    manifest::read(&yaml, FileId(0), &mut objects);
    let mut next = 2;
    for workload in &objects.workloads {
        let count = usize::try_from(workload.replicas.value).unwrap();
        let addresses: Vec<String> = (next..next + count)
            .map(|n| format!("10.1.0.{n}"))
            .collect();
        next += count;
        let chosen = objects.services.iter().filter(|s| {
            s.meta.namespace == workload.meta.namespace
                && s.selector.select(&workload.template_meta.labels)
        });
        for service in chosen {
            let ports = service.ports.iter().map(|p| match &p.target.value {
                TargetPort::Number(target) => (p.name.to_string(), *target),
                TargetPort::Name(_) => (p.name.to_string(), p.port.value),
            });
            slice(
                &mut yaml,
                &service.meta.namespace,
                &service.meta.name,
                &ports.collect::<Vec<_>>(),
                &addresses,
            );
        }
    }
    let mut proxies = Vec::new();
    let gateways = objects
        .others
        .iter()
        .filter(|o| o.kind.as_ref() == "Gateway");
    for (at, gateway) in gateways.enumerate() {
        let address = format!("10.2.0.{}", at + 2);
        let service = format!("{}-istio", gateway.name);
        let ports: Vec<(String, u16)> = [80, 443, 8080, 8090, 8443]
            .map(|p| (format!("p{p}"), p))
            .into();
        let label = "gateway.networking.k8s.io/gateway-name";
        let (name, namespace) = (&gateway.name, &gateway.namespace);
        write!(
            yaml,
            "\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: {service}, namespace: {namespace}}}\nspec:\n  clusterIP: 10.96.1.{}\n  selector: {{{label}: {name}}}\n  ports:\n",
            at + 2
        )
        .unwrap();
        for (name, port) in &ports {
            writeln!(
                yaml,
                "  - {{name: {name}, port: {port}, targetPort: {port}}}"
            )
            .unwrap();
        }
        slice(
            &mut yaml,
            namespace,
            &service,
            &ports,
            std::slice::from_ref(&address),
        );
        proxies.push(json!({
            "name": format!("{namespace}/{name}"),
            "type": "router",
            "namespace": namespace,
            "labels": { label: name },
            "ips": [address],
        }));
    }
    let cases = recorded(test).map(|r| json!({ "request": asked(r) }));
    json!({
        "kind": "istio",
        "input": { "yaml": yaml, "mesh": "", "proxies": proxies },
        "cases": cases.collect::<Vec<_>>(),
    })
}

fn slice(
    yaml: &mut String,
    namespace: &str,
    service: &str,
    ports: &[(String, u16)],
    addresses: &[String],
) {
    write!(
        yaml,
        "\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: {service}-1\n  namespace: {namespace}\n  labels: {{kubernetes.io/service-name: {service}}}\naddressType: IPv4\nports:\n"
    )
    .unwrap();
    for (name, port) in ports {
        writeln!(yaml, "- {{name: '{name}', port: {port}, protocol: TCP}}").unwrap();
    }
    yaml.push_str("endpoints:\n");
    for address in addresses {
        writeln!(
            yaml,
            "- {{addresses: [{address}], conditions: {{ready: true}}}}"
        )
        .unwrap();
    }
}

fn asked(request: &Value) -> Value {
    let asked = &request["request"];
    let pairs = |value: &Value| -> Vec<(String, String)> {
        let all = value.as_object().into_iter().flatten();
        all.map(|(k, v)| (k.clone(), v.as_str().unwrap().to_string()))
            .collect()
    };
    let path = asked["path"].as_str().unwrap();
    let mut headers = pairs(&asked["headers"]);
    // The suite's server waits as long as the path says.
    if let Some((_, delay)) = path.split_once("delay=") {
        let milliseconds = match delay.strip_suffix("ms") {
            Some(number) => number.to_string(),
            None => format!("{}000", delay.trim_end_matches('s')),
        };
        headers.push(("x-ns-delay-ms".into(), milliseconds));
    }
    let set: Vec<String> = pairs(&asked["backend_sets_response_headers"])
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    if !set.is_empty() {
        headers.push(("x-ns-resp-headers".into(), set.join("|")));
    }
    let text = |value: &Value, otherwise: &str| match value.as_str() {
        None | Some("") => otherwise.to_string(),
        Some(text) => text.to_string(),
    };
    let gateway = &request["gateway"];
    let mut out = json!({
        "method": text(&asked["method"], "GET"),
        "authority": text(&asked["host"], "192.0.2.1"),
        "path": path,
        "headers": headers,
        "port": request["port"],
        "proxy_name": format!("{}/{}", gateway["namespace"].as_str().unwrap(), gateway["name"].as_str().unwrap()),
    });
    if asked["sni"].is_string() {
        out["tls"] = true.into();
        out["sni"] = asked["sni"].clone();
    }
    out
}
