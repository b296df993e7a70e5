//! The recordings' short form, made long again. `conformance/README.md` says what stands for what.

use northsouth::text::FileId;
use northsouth::yaml::{read, to_json};
use serde_json::{Map, Value, json};

/// A section: its title behind `== `, and its lines.
type Section<'t> = (&'t str, Vec<&'t str>);

pub fn unpack(suite: &str, text: &str) -> Value {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("== ") {
            Some(title) => sections.push((title, Vec::new())),
            None => {
                if let Some((_, lines)) = sections.last_mut() {
                    lines.push(line);
                }
            }
        }
    }
    let mut case = json!({ "input": {}, "generated": {} });
    for (title, lines) in sections {
        let words: Vec<&str> = title.split(' ').collect();
        let whole = || lines.join("\n");
        match words[..] {
            ["input"] => case["input"] = yaml(&whole()),
            ["refused"] => case["config_rejected"] = json!(lines),
            ["manifests"] => case["input"]["yaml"] = manifests(&lines).into(),
            ["mesh"] => case["input"]["mesh"] = whole().into(),
            ["proxies"] => case["input"]["proxies"] = lines.iter().map(|l| parse(l)).collect(),
            ["stubs"] => case["input"]["endpoint_behaviour"] = parse(&whole()),
            ["validation"] => case["validation"] = lines.iter().map(|l| verdict(l)).collect(),
            ["routes", proxy, ref name @ ..] => {
                routes(&mut case["generated"], proxy, name.first(), &lines)
            }
            ["requests"] => case["cases"] = requests(suite, &lines),
            _ => panic!("unknown section {title}"),
        }
    }
    case
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn yaml(text: &str) -> Value {
    parse(&to_json(&read(text, FileId(0)).0[0]))
}

/// The first words of a line, and the JSON behind them.
fn words(line: &str, count: usize) -> (Vec<String>, Value) {
    let (mut words, mut rest) = (Vec::new(), line.trim_start());
    for _ in 0..count {
        if rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            words.push(stream.next().unwrap().unwrap());
            rest = rest[stream.byte_offset()..].trim_start();
        } else {
            let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
            words.push(word.to_string());
            rest = tail;
        }
    }
    (
        words,
        if rest.is_empty() {
            json!({})
        } else {
            parse(rest)
        },
    )
}

fn requests(suite: &str, lines: &[&str]) -> Value {
    let mut out = Vec::new();
    for pair in lines.chunks(2) {
        let (head, mut request) = words(pair[0].strip_prefix("> ").unwrap(), 3);
        for (key, value) in ["method", "authority", "path"].iter().zip(&head) {
            request[*key] = value.as_str().into();
        }
        out.push(json!({ "observed": observed(suite, &request, pair[1].trim_start()), "request": request }));
    }
    out.into()
}

/// What is left out is as usual; what is usual and was not there is null.
fn observed(suite: &str, request: &Value, line: &str) -> Value {
    if line.starts_with('{') {
        return parse(line);
    }
    let (head, mut said) = words(line, 4);
    said["status"] = parse(&head[0]);
    for (key, value) in ["vhost", "route", "cluster"].iter().zip(&head[1..]) {
        if value != "-" {
            said[*key] = value.as_str().into();
        }
    }
    let fields = said.as_object_mut().unwrap();
    let mut usual = |key: &str, value: Value| {
        fields.entry(key).or_insert(value);
    };
    let envoy = suite == "envoy";
    usual("details", "via_upstream".into());
    if envoy {
        usual("filter_chain", "default".into());
    }
    let gateway = matches!(request["proxy_name"].as_str(), None | Some("gw"));
    let server = if !envoy && gateway {
        "istio-envoy"
    } else {
        "envoy"
    };
    usual("response_headers", json!([["server", server]]));
    let through = fields["details"] == "via_upstream";
    if through {
        if envoy {
            let endpoint = format!("{}#0", head[3]);
            fields.entry("timeout_ms").or_insert(15_000.into());
            fields.entry("endpoint").or_insert(endpoint.into());
        }
        fields.entry("upstream").or_insert(json!({}));
    }
    if let Some(upstream) = fields.get_mut("upstream").and_then(Value::as_object_mut) {
        for key in ["method", "path", "authority"] {
            upstream.entry(key).or_insert(request[key].clone());
        }
        let own = request["headers"].as_array().cloned().unwrap_or_default();
        let mut headers: Vec<Value> = own
            .iter()
            .map(|h| json!([h[0].as_str().unwrap().to_ascii_lowercase(), h[1]]))
            .collect();
        let tls = request["tls"] == true || request["sni"].as_str().is_some_and(|s| !s.is_empty());
        headers.push(json!([
            "x-forwarded-proto",
            if tls { "https" } else { "http" }
        ]));
        upstream.entry("headers").or_insert(headers.into());
    }
    said
}

fn verdict(line: &str) -> Value {
    let (head, reason) = line.split_once(": ").unwrap();
    let mut parts = head.splitn(3, ' ');
    let mut next = || parts.next().unwrap();
    let key = if next() == "refused" {
        "error"
    } else {
        "warning"
    };
    let (kind, name) = (next(), next());
    json!({ key: reason, "kind": kind, "name": name })
}

fn routes(generated: &mut Value, proxy: &str, name: Option<&&str>, lines: &[&str]) {
    let state = &mut generated[proxy];
    if state.is_null() {
        *state = json!({ "routes": [] });
    }
    let Some(name) = name else { return };
    let mut hosts: Vec<Value> = Vec::new();
    for line in lines {
        let Some(head) = line.strip_prefix("* ") else {
            let route = parse(line);
            hosts.last_mut().unwrap()["routes"]
                .as_array_mut()
                .unwrap()
                .push(route);
            continue;
        };
        let (names, extra) = match head.split_once(" {") {
            Some((names, extra)) => (names, parse(&format!("{{{extra}"))),
            None => (head, json!({})),
        };
        let mut names = names.split(' ');
        let mut host: Map<String, Value> = extra.as_object().unwrap().clone();
        host.insert("name".into(), names.next().into());
        host.insert("domains".into(), names.collect());
        match host.get("routes") {
            Some(Value::Null) => drop(host.remove("routes")),
            _ => drop(host.insert("routes".into(), json!([]))),
        }
        hosts.push(host.into());
    }
    let config = json!({ "name": name, "virtualHosts": hosts });
    state["routes"].as_array_mut().unwrap().push(config);
}

/// Whole objects for the lines that stand for them.
fn manifests(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut raw = false;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let object = match words[..] {
            ["---"] => {
                raw = false;
                continue;
            }
            _ if raw => {
                out.push_str(line);
                out.push('\n');
                continue;
            }
            ["namespace", name] => namespace(name),
            ["service", name, ip, app, ref ports @ ..] => service(name, ip, app, ports),
            ["pod", name, ip, app, version, node, ref ports @ ..] => {
                pod(name, ip, [app, version], node, ports)
            }
            ["slice", name, ref rest @ ..] => slice(name, rest),
            _ => {
                raw = true;
                format!("{line}\n")
            }
        };
        out.push_str("---\n");
        out.push_str(&object);
    }
    out
}

fn namespace(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    kubernetes.io/metadata.name: {name}\n"
    )
}

fn meta(version: &str, kind: &str, name: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
    )
}

fn service(name: &str, ip: &str, app: &str, ports: &[&str]) -> String {
    let mut out = meta("v1", "Service", name);
    out += &format!("spec:\n  clusterIP: {ip}\n  selector: {{app: {app}}}\n  ports:\n");
    for port in ports {
        let [name, port, target] = port.split(':').collect::<Vec<_>>()[..] else {
            panic!("{port}")
        };
        out +=
            &format!("  - {{name: {name}, port: {port}, targetPort: {target}, protocol: TCP}}\n");
    }
    out
}

fn pod(name: &str, ip: &str, [app, version]: [&str; 2], node: &str, ports: &[&str]) -> String {
    let mut out = meta("v1", "Pod", name);
    out += &format!("  labels: {{app: {app}, version: {version}}}\nspec:\n  nodeName: {node}\n");
    out += &format!(
        "  serviceAccountName: {app}\n  containers:\n  - name: c\n    image: x\n    ports:\n"
    );
    for port in ports {
        let (name, port) = port.split_once(':').unwrap();
        out += &format!("    - {{name: {name}, containerPort: {port}}}\n");
    }
    out += &format!("status:\n  podIP: {ip}\n  phase: Running\n");
    out + "  conditions:\n  - {type: Ready, status: 'True'}\n"
}

fn slice(name: &str, rest: &[&str]) -> String {
    let (namespace, service) = name.split_once('/').unwrap();
    let mut out = meta(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        &format!("{name}-abc"),
    );
    out += &format!(
        "  labels: {{kubernetes.io/service-name: {service}}}\naddressType: IPv4\nendpoints:\n"
    );
    let mut parts = rest.split(|w| *w == ":");
    for endpoint in parts.next().unwrap() {
        let (pod, place) = endpoint.split_once('=').unwrap();
        let (ip, node) = place.split_once('@').unwrap();
        out += &format!("- addresses: [{ip}]\n  conditions: {{ready: true}}\n  nodeName: {node}\n");
        out += &format!("  targetRef: {{kind: Pod, name: {pod}, namespace: {namespace}}}\n");
    }
    out += "ports:\n";
    for port in parts.next().unwrap() {
        let (name, port) = port.split_once(':').unwrap();
        out += &format!("- {{name: {name}, port: {port}, protocol: TCP}}\n");
    }
    out
}
