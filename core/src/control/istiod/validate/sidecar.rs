use super::Findings;
use super::gateway::tls_settings;
use super::names;
use super::service_entry::port_fields;
use crate::control::istiod::message::Ask;
use crate::control::istiod::service::Protocol;
use crate::yaml::{Entry, Node};

pub(super) fn check(spec: &Node, namespace: &str, out: &mut Findings) {
    if let Some(selector) = spec.get("workloadSelector") {
        self::selector(selector, "sidecar", out);
    }
    let (egress, ingress) = (spec.each("egress"), spec.each("ingress"));
    let policy = spec.get("outboundTrafficPolicy");
    let nothing = egress.is_empty() && ingress.is_empty() && policy.is_none();
    if nothing && spec.get("inboundConnectionPool").is_none() {
        return out.error(spec.span, "sidecar: empty configuration provided");
    }
    let mut ports = Vec::new();
    for listener in ingress {
        let Some(port) = listener.get("port") else {
            out.error(
                listener.span,
                "sidecar: port is required for ingress listeners",
            );
            continue;
        };
        port_fields(port, false, out);
        unique(port, &mut ports, out);
        endpoint(listener, out);
        if let Some(tls) = listener.get("tls") {
            if !matches!(
                Protocol::parse(port.text("protocol")),
                Protocol::Https | Protocol::Tls
            ) {
                out.error(
                    tls.span,
                    "server cannot have TLS settings for non HTTPS/TLS ports",
                );
            }
            ingress_tls(tls, out);
            tls_settings(tls, out);
        }
        if let Some(pool) = listener.get("connectionPool") {
            super::destination_rule::connection_pool(pool, out);
        }
    }
    if let Some(pool) = spec.get("inboundConnectionPool") {
        super::destination_rule::connection_pool(pool, out);
    }
    let mut sockets: Vec<&str> = Vec::new();
    let mut ports = Vec::new();
    for (at, listener) in egress.iter().enumerate() {
        match listener.get("port") {
            None if at + 1 < egress.len() => {
                let reason = "sidecar: the egress listener with empty port should be the last listener in the list";
                out.error(listener.span, reason);
            }
            None => {}
            Some(port) if port.number("number") != 0 => {
                port_fields(port, false, out);
                let bind = listener.text("bind");
                if !bind.is_empty() && !names::is_ip(bind) {
                    out.error(listener.span, format!("{bind} is not a valid IP"));
                }
                unique(port, &mut ports, out);
            }
            Some(port) => {
                let bind = listener.text("bind");
                match bind.strip_prefix("unix://") {
                    Some(path) => out.check(port.span, names::unix_address(path)),
                    None => out.error(
                        port.span,
                        "sidecar: ports with 0 value must have a unix domain socket bind address",
                    ),
                }
                if !matches!(listener.text("captureMode"), "" | "DEFAULT" | "NONE") {
                    let reason = "sidecar: captureMode must be DEFAULT/NONE for unix domain socket listeners";
                    out.error(listener.span, reason);
                }
                if sockets.contains(&bind) {
                    let reason = "sidecar: unix domain socket values for listeners must be unique";
                    out.error(listener.span, reason);
                }
                sockets.push(bind);
            }
        }
        hosts(listener, namespace, out);
    }
    if let Some(proxy) = policy.and_then(|p| p.get("egressProxy")) {
        if policy.is_some_and(|p| p.text("mode") != "ALLOW_ANY") {
            let reason = "sidecar: egress_proxy must be set only with ALLOW_ANY outbound_traffic_policy mode";
            return out.error(proxy.span, reason);
        }
        out.check(proxy.span, names::fqdn(proxy.text("host")));
        if proxy.get("port").is_none() {
            return out.error(proxy.span, "sidecar: egress_proxy port must be non-nil");
        }
        super::virtual_service::destination(Some(proxy), out);
    }
}

/// What TLS at a sidecar cannot have.
fn ingress_tls(tls: &Node, out: &mut Findings) {
    for (there, what) in [
        (
            !tls.each("subjectAltNames").is_empty(),
            "subjectAltNames is not supported in ingress tls",
        ),
        (tls.flag("httpsRedirect"), "httpsRedirect is not supported"),
        (
            !tls.text("credentialName").is_empty(),
            "credentialName is not currently supported",
        ),
        (
            !tls.each("credentialNames").is_empty(),
            "credentialNames is not currently supported",
        ),
        (
            !tls.each("tlsCertificates").is_empty(),
            "tls_certificates is not currently supported",
        ),
    ] {
        if there {
            out.error(tls.span, format!("sidecar: {what}"));
        }
    }
    let mode = tls.text("mode");
    if matches!(mode, "ISTIO_MUTUAL" | "AUTO_PASSTHROUGH") {
        let reason =
            format!("configuration is invalid: cannot set mode to {mode} in sidecar ingress tls");
        out.error(tls.span, reason);
    }
}

fn unique(port: &Node, ports: &mut Vec<i64>, out: &mut Findings) {
    let number = port.number("number");
    if ports.contains(&number) {
        out.error(
            port.span,
            "sidecar: ports on IP bound listeners must be unique",
        );
    }
    ports.push(number);
}

fn endpoint(listener: &Node, out: &mut Findings) {
    let endpoint = listener.text("defaultEndpoint");
    if let Some(path) = endpoint.strip_prefix("unix://") {
        return out.check(listener.span, names::unix_address(path));
    }
    if endpoint.is_empty() {
        return;
    }
    let Some((host, port)) = endpoint.rsplit_once(':') else {
        return out.error(
            listener.span,
            format!("address {endpoint}: missing port in address"),
        );
    };
    if !matches!(host, "" | "127.0.0.1" | "0.0.0.0" | "[::1]" | "[::]") {
        let reason = "sidecar: defaultEndpoint must be of form 127.0.0.1:<port>,0.0.0.0:<port>,[::1]:port,[::]:port,unix://filepath or unset";
        out.error(listener.span, reason);
    }
    match port.parse::<i64>() {
        Ok(port) => out.port(listener.span, port),
        Err(_) => {
            let reason = format!("sidecar: defaultEndpoint port ({port}) is not a number");
            out.error(listener.span, reason);
        }
    }
}

fn hosts(listener: &Node, namespace: &str, out: &mut Findings) {
    let hosts = listener.each("hosts");
    if hosts.is_empty() {
        out.error(
            listener.span,
            "sidecar: egress listener must contain at least one host",
        );
    }
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for node in hosts {
        let name = node.str().unwrap_or("");
        if let Some((ns, host)) = name.split_once('/') {
            let ns = if ns == "." { namespace } else { ns };
            let twice = seen
                .iter()
                .any(|(n, h)| *n == ns && (host == "*" || *h == host || *h == "*"));
            if twice {
                out.warning(node.span, format!("duplicated egress host: {name}"));
            }
            seen.push((ns, host));
        }
        out.check(node.span, names::namespaced_host(name, false));
    }
    let others = seen.iter().any(|(n, _)| *n != "*");
    if others && seen.contains(&("*", "*")) {
        let reason = "`*/*` host select all resources, no other hosts can be added";
        out.warning(listener.span, reason);
    }
}

/// A selector of workloads by labels.
pub(super) fn selector(selector: &Node, what: &str, out: &mut Findings) {
    let labels = selector.sorted("labels");
    if labels.is_empty() {
        let reason = format!(
            "{what}: workload selector specified without labels, will be applied to all services in namespace"
        );
        out.warning(selector.span, reason);
    }
    for entry in labels {
        selector_entry(entry, out);
    }
}

pub(super) fn selector_entry(entry: &Entry, out: &mut Findings) {
    let value = entry.value.str().unwrap_or("");
    if entry.key.is_empty() {
        out.error(entry.key_span, "empty key is not supported in selector");
    }
    if entry.key.contains('*') || value.contains('*') {
        out.error(entry.key_span, "wildcard is not supported in selector");
    }
}
