use super::Findings;
use super::names;
use crate::control::istiod::message::Ask;
use crate::control::istiod::service::Protocol;
use crate::yaml::Node;

pub(super) fn check(spec: &Node, namespace: &str, out: &mut Findings) {
    let resolutions = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"];
    out.one_of(spec, "resolution", &resolutions);
    out.one_of(spec, "location", &["MESH_EXTERNAL", "MESH_INTERNAL"]);
    let endpoints = spec.each("endpoints");
    let selector = spec.get("workloadSelector");
    if let Some(selector) = selector {
        super::sidecar::selector(selector, "service entry", out);
        if spec.get("endpoints").is_some() {
            let reason = "only one of WorkloadSelector or Endpoints is allowed in Service Entry";
            out.error(selector.span, reason);
        }
    }
    let hosts = spec.each("hosts");
    if hosts.is_empty() {
        out.error(spec.span, "service entry must have at least one host");
    }
    for node in hosts {
        match node.str().unwrap_or("") {
            "*" => out.error(node.span, "invalid host *"),
            name => out.check(node.span, names::wildcard_domain(name)),
        }
    }
    let resolution = spec.text("resolution");
    let mut ranges = false;
    for node in spec.each("addresses") {
        let address = node.str().unwrap_or("");
        ranges |= address.contains('/');
        out.check(node.span, names::subnet(address));
    }
    if ranges && !matches!(resolution, "" | "NONE" | "STATIC") {
        out.error(
            spec.span,
            "CIDR addresses are allowed only for NONE/STATIC resolution types",
        );
    }
    let (mut port_names, mut numbers) = (Vec::new(), Vec::new());
    for port in spec.each("ports") {
        let (name, number) = (port.text("name"), port.number("number"));
        if port_names.contains(&name) {
            out.error(
                port.span,
                format!("service entry port name {name:?} already defined"),
            );
        }
        if numbers.contains(&number) {
            out.error(
                port.span,
                format!("service entry port {number} already defined"),
            );
        }
        port_names.push(name);
        numbers.push(number);
        if port.number("targetPort") != 0 {
            out.port(port.span, port.number("targetPort"));
        }
        port_fields(port, true, out);
    }
    match resolution {
        "" | "NONE" => {
            if !endpoints.is_empty() {
                let reason = "no endpoints should be provided for resolution type none";
                out.error(spec.span, reason);
            }
            if let Some(selector) = selector {
                let reason = "workloadSelector should not be set when resolution mode is NONE";
                out.warning(selector.span, reason);
            }
        }
        "STATIC" => {
            for endpoint in endpoints {
                self::endpoint(endpoint, Some(&port_names), Address::Number, out);
            }
        }
        "DYNAMIC_DNS" => dynamic(spec, out),
        "DNS" | "DNS_ROUND_ROBIN" => {
            for node in hosts.iter().filter(|_| endpoints.is_empty()) {
                if let Err(why) = names::fqdn(node.str().unwrap_or("")) {
                    let reason = format!(
                        "hosts must be FQDN or contain only prefix wildcards if no endpoints are provided for resolution mode {resolution}, {why}"
                    );
                    out.error(node.span, reason);
                    break;
                }
            }
            if resolution == "DNS_ROUND_ROBIN" && endpoints.len() > 1 {
                let reason =
                    format!("there must only be 0 or 1 endpoint for resolution mode {resolution}");
                out.error(spec.span, reason);
            }
            for endpoint in endpoints {
                self::endpoint(endpoint, Some(&port_names), Address::Name, out);
            }
        }
        _ => {}
    }
    if !matches!(resolution, "" | "NONE") && hosts.len() > 1 {
        let other = |p: &&Node| {
            let protocol = Protocol::parse(p.text("protocol"));
            !protocol.is_http() && !matches!(protocol, Protocol::Https | Protocol::Tls)
        };
        if let Some(port) = spec.each("ports").iter().find(other) {
            out.error(
                port.span,
                "multiple hosts provided with non-HTTP, non-TLS ports",
            );
        }
    }
    out.export_to(spec, namespace, true, false);
}

/// Hosts that are looked up as they are asked for.
fn dynamic(spec: &Node, out: &mut Findings) {
    for node in spec.each("hosts") {
        if !node.str().unwrap_or("").starts_with('*') {
            let reason = "host must be wildcarded for resolution mode DYNAMIC_DNS";
            out.error(node.span, reason);
        }
    }
    for (key, what) in [("addresses", "addresses"), ("endpoints", "endpoints")] {
        if let Some(first) = spec.each(key).first() {
            let reason = format!("{what} cannot be set for resolution type DYNAMIC_DNS");
            out.error(first.span, reason);
        }
    }
    for port in spec.each("ports") {
        let fits = matches!(
            Protocol::parse(port.text("protocol")),
            Protocol::Http | Protocol::Tls | Protocol::Grpc | Protocol::Http2
        );
        if !fits {
            let reason = "only HTTP, TLS, GRPC, and HTTP2 protocols are supported for resolution type DYNAMIC_DNS";
            out.error(port.span, reason);
        }
    }
}

/// A WorkloadEntry: an endpoint by itself.
pub(super) fn workload_entry(spec: &Node, out: &mut Findings) {
    endpoint(spec, None, Address::Either, out);
}

/// What an endpoint's address may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Address {
    /// An IP address or the path of a socket.
    Number,
    /// An IP address or a name.
    Name,
    Either,
}

/// `ports`: the names that there are, where they are known.
fn endpoint(endpoint: &Node, ports: Option<&[&str]>, kind: Address, out: &mut Findings) {
    let address = endpoint.text("address");
    let path = address
        .strip_prefix("unix://")
        .filter(|_| kind != Address::Name);
    if address.is_empty() && kind != Address::Name {
        if endpoint.text("network").is_empty() {
            return out.error(endpoint.span, "address is required");
        }
    } else if let Some(path) = path {
        out.check(endpoint.span, names::unix_address(path));
        if endpoint.get("ports").is_some() {
            let reason = format!("unix endpoint {address} must not include ports");
            out.error(endpoint.span, reason);
        }
        if ports.is_some_and(|p| p.len() != 1) {
            let reason = "exactly 1 service port required for unix endpoints";
            out.error(endpoint.span, reason);
        }
    } else if !names::is_ip(address) {
        if kind == Address::Number {
            out.error(
                endpoint.span,
                format!("endpoint address {address:?} is not a valid IP address"),
            );
        } else if names::fqdn(address).is_err() {
            let reason =
                format!("endpoint address {address:?} is not a valid FQDN or an IP address");
            out.error(endpoint.span, reason);
        }
    }
    out.labels(endpoint, "labels");
    for entry in endpoint.sorted("ports") {
        let port = entry.value.int().unwrap_or(0);
        if ports.is_some_and(|p| !p.contains(&&*entry.key)) {
            let reason = format!("endpoint port {port} is not defined by the service entry");
            out.error(entry.key_span, reason);
        }
        if !names::is_label(&entry.key) {
            out.error(entry.key_span, format!("invalid port name: {}", entry.key));
        }
        out.port(entry.value.span, port);
    }
}

/// A port's name, protocol and number.
pub(super) fn port_fields(port: &Node, named: bool, out: &mut Findings) {
    let (name, protocol) = (port.text("name"), port.text("protocol"));
    if (named || !name.is_empty()) && !names::is_label(name) {
        out.error(port.span, format!("invalid port name: {name}"));
    }
    if !protocol.is_empty() && Protocol::parse(protocol) == Protocol::Unknown {
        out.error(port.span, format!("unsupported protocol: {protocol}"));
    }
    out.port(port.span, port.number("number"));
}
