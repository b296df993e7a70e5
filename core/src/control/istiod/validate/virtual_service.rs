use super::names;
use super::policies::{bounds, cors, fault, redirect, retries, rewrite, status};
use super::{Findings, unreachable};
use crate::control::istiod::host;
use crate::control::istiod::message::Ask;
use crate::control::istiod::route::claim;
use crate::yaml::Node;

pub(super) fn check(spec: &Node, namespace: &str, out: &mut Findings) {
    let hosts = spec.each("hosts");
    let delegate = hosts.is_empty();
    if delegate {
        for (key, what) in [
            ("gateways", "gateways"),
            ("tls", "tls route"),
            ("tcp", "tcp route"),
        ] {
            if let Some(first) = spec.each(key).first() {
                let reason = format!("delegate virtual service must have no {what} specified");
                out.error(first.span, reason);
            }
        }
    }
    let gateways = spec.texts("gateways");
    gateway_names(spec, out);
    let mesh = gateways.is_empty() || gateways.contains(&"mesh");
    let mut valid = true;
    for node in hosts {
        let name = node.str().unwrap_or("");
        match names::wildcard_domain(name) {
            Err(_) if names::is_ip(name) => {}
            // What another cluster's gateway is asked for.
            Err(_) if !mesh && name.starts_with("outbound_") => {}
            Err(reason) => {
                out.error(node.span, reason);
                valid = false;
            }
            Ok(()) if mesh && name == "*" => {
                let reason =
                    "wildcard host * is not allowed for virtual services bound to the mesh gateway";
                out.error(node.span, reason);
                valid = false;
            }
            Ok(()) => {}
        }
    }
    for (at, a) in hosts.iter().enumerate().filter(|_| valid) {
        for b in hosts.iter().skip(at + 1) {
            let (x, y) = (a.str().unwrap_or(""), b.str().unwrap_or(""));
            if host::matches(x, y) {
                out.error(
                    b.span,
                    format!("duplicate hosts in virtual service: {x} & {y}"),
                );
            }
        }
    }
    let kinds = ["http", "tcp", "tls"].map(|k| spec.each(k));
    if kinds.iter().all(|k| k.is_empty()) {
        out.error(
            spec.span,
            "http, tcp or tls must be provided in virtual service",
        );
    }
    let [http, tcp, tls] = kinds;
    for condition in http.iter().flat_map(|r| r.each("match")).filter(|_| mesh) {
        for key in ["headers", "withoutHeaders"] {
            for entry in condition.sorted(key).iter().filter(|e| is_claim(&e.key)) {
                let reason = format!(
                    "JWT claim based routing (key: {}) is only supported for gateway, found no gateways: [{}]",
                    entry.key,
                    gateways.join(" ")
                );
                out.error(entry.key_span, reason);
            }
        }
    }
    for rule in http {
        http_rule(rule, delegate, out);
    }
    for rule in tls {
        tls_rule(rule, spec, mesh, out);
    }
    for rule in tcp {
        for condition in rule.each("match") {
            l4_match(condition, out);
        }
        if rule.each("route").is_empty() {
            out.error(rule.span, "TCP route is required");
        }
        destinations(rule, out);
    }
    out.export_to(spec, namespace, false, false);
    unreachable::http(http, out);
    unreachable::other(tcp, out);
    unreachable::other(tls, out);
}

fn gateway_names(object: &Node, out: &mut Findings) {
    for node in object.each("gateways") {
        let name = node.str().unwrap_or("");
        let Some((namespace, gateway)) = name.split_once('/') else {
            let mut parts = name.split('.');
            if let (Some(gateway), Some(namespace)) = (parts.next(), parts.next()) {
                let reason = format!(
                    "using legacy gatewayName format {name:?}; prefer the <namespace>/<name> format: \"{namespace}/{gateway}\""
                );
                out.warning(node.span, reason);
            }
            out.check(node.span, names::fqdn(name));
            // The webhook looks no further.
            return;
        };
        if namespace.is_empty() || gateway.is_empty() {
            out.error(
                node.span,
                "config namespace and gateway name cannot be empty",
            );
        }
        if !names::is_label(namespace) {
            out.error(
                node.span,
                format!("invalid value for namespace: {namespace:?}"),
            );
        }
        if !names::is_label(gateway) {
            out.error(
                node.span,
                format!("invalid value for gateway name: {gateway:?}"),
            );
        }
    }
}

fn http_rule(rule: &Node, delegate: bool, out: &mut Findings) {
    conflicts(rule, delegate, out);
    for condition in rule.each("match") {
        http_match(condition, out);
    }
    headers(rule.get("headers"), out);
    if let Some(policy) = rule.get("corsPolicy") {
        cors(policy, out);
    }
    if let Some(fault) = rule.get("fault") {
        self::fault(fault, out);
    }
    if let Some(percent) = rule.get("mirrorPercent") {
        if percent.int().is_some_and(|n| n > 100) {
            out.error(percent.span, "mirror_percent must have a max value of 100");
        }
        let reason = "using deprecated setting \"mirrorPercent\", use \"mirrorPercentage\" instead";
        out.warning(percent.span, reason);
    }
    if let Some(percent) = rule.get("mirrorPercentage") {
        bounds(percent, "mirror_percentage", out);
    }
    destination(rule.get("mirror"), out);
    for mirror in rule.each("mirrors") {
        if mirror.get("destination").is_none() {
            out.error(mirror.span, "destination is required for mirrors");
        }
        destination(mirror.get("destination"), out);
        if let Some(percent) = mirror.get("percentage") {
            bounds(percent, "mirror percentage", out);
        }
    }
    if let Some(redirect) = rule.get("redirect") {
        self::redirect(redirect, out);
    }
    if let Some(response) = rule.get("directResponse") {
        status(response.number("status"), response.span, out);
        let body = response
            .get("body")
            .map_or(0, |b| b.text("string").len().max(b.text("bytes").len()));
        if body > 1_048_576 {
            let reason = "large direct_responses may impact control plane performance, must be less than 1MB";
            out.error(response.span, reason);
        } else if body > 102_400 {
            out.warning(
                response.span,
                "large direct_responses may impact control plane performance",
            );
        }
    }
    if let Some(retries) = rule.get("retries") {
        self::retries(retries, out);
    }
    if let Some(rewrite) = rule.get("rewrite") {
        self::rewrite(rewrite, out);
    }
    authority(rule, out);
    for target in rule.each("route") {
        headers(target.get("headers"), out);
    }
    destinations(rule, out);
    out.duration(rule, "timeout");
}

fn conflicts(rule: &Node, delegate: bool, out: &mut Findings) {
    let has = |key: &str| rule.get(key).is_some();
    let routes = !rule.each("route").is_empty();
    let name = rule.text("name");
    if has("delegate") && !delegate {
        for (key, what) in [("redirect", "redirect"), ("route", "route")] {
            if has(key) {
                out.error(
                    rule.span,
                    format!("root HTTP route {name} must not specify {what}"),
                );
            }
        }
        return;
    }
    if has("delegate") {
        out.error(rule.span, "delegate HTTP route cannot contain delegate");
    }
    let kind = if has("redirect") {
        "redirect"
    } else if has("directResponse") {
        "direct_response"
    } else {
        if !routes {
            out.error(
                rule.span,
                "HTTP route, redirect or direct_response is required",
            );
        }
        return both_mirrors(rule, out);
    };
    for (there, what) in [(routes, "route"), (has("fault"), "fault")] {
        if there {
            out.error(
                rule.span,
                format!("HTTP route cannot contain both {what} and {kind}"),
            );
        }
    }
    if has("rewrite") {
        out.error(
            rule.span,
            format!("HTTP route rule cannot contain both rewrite and {kind}"),
        );
    }
    if kind == "redirect" && has("directResponse") {
        out.error(
            rule.span,
            "HTTP route rule cannot contain both direct_response and redirect",
        );
    }
    both_mirrors(rule, out);
}

fn both_mirrors(rule: &Node, out: &mut Findings) {
    if rule.get("mirror").is_some() && !rule.each("mirrors").is_empty() {
        out.error(
            rule.span,
            "HTTP route cannot contain both mirror and mirrors",
        );
    }
}

/// The name of a claim of a token, which stands for a header.
fn is_claim(name: &str) -> bool {
    claim(name).is_some()
}

fn http_match(condition: &Node, out: &mut Findings) {
    let pseudo = |name: &str| {
        matches!(
            name,
            ":method" | ":scheme" | ":authority" | ":path" | ":status"
        )
    };
    for key in ["headers", "withoutHeaders"] {
        for entry in condition.sorted(key) {
            if entry.value.is_null() && key == "headers" {
                out.error(
                    entry.key_span,
                    format!("header match {} cannot be null", entry.key),
                );
            }
            if !is_claim(&entry.key) && !pseudo(&entry.key) {
                out.check(entry.key_span, names::header(&entry.key));
            }
            let anything = key == "withoutHeaders" && entry.value.text("regex") == "*";
            if !anything {
                string_match(Some(&entry.value), key, out);
            }
        }
    }
    if let Some(uri) = condition.get("uri").filter(|u| u.field("regex").is_some()) {
        out.check(uri.span, names::regex(uri.text("regex"), "uri"));
    }
    for key in ["scheme", "method", "authority"] {
        string_match(condition.get(key), key, out);
    }
    for entry in condition.sorted("queryParams") {
        string_match(Some(&entry.value), "queryParams", out);
    }
    if let Some(port) = condition.get("port").filter(|p| p.int() != Some(0)) {
        out.port(port.span, condition.number("port"));
    }
    out.labels(condition, "sourceLabels");
    gateway_names(condition, out);
    let namespace = condition.text("sourceNamespace");
    if !namespace.is_empty() && !names::is_label(namespace) {
        out.error(
            condition.span,
            format!("sourceNamespace match {namespace} is invalid"),
        );
    }
}

fn string_match(value: Option<&Node>, place: &str, out: &mut Findings) {
    let Some(value) = value else { return };
    if value.field("prefix").is_some() && value.text("prefix").is_empty() {
        out.error(
            value.span,
            format!("{place:?}: prefix string match should not be empty"),
        );
    } else if value.field("regex").is_some() {
        out.check(value.span, names::regex(value.text("regex"), place));
    }
}

fn headers(headers: Option<&Node>, out: &mut Findings) {
    let Some(headers) = headers else { return };
    for (side, request) in [("request", true), ("response", false)] {
        let Some(operations) = headers.get(side) else {
            continue;
        };
        for kind in ["add", "set"] {
            for entry in operations.sorted(kind) {
                out.check(entry.key_span, header_name(&entry.key, request));
                let value = entry.value.str().unwrap_or("");
                out.check(entry.value.span, names::header_value(value));
            }
        }
        for node in operations.each("remove") {
            out.check(node.span, header_name(node.str().unwrap_or(""), false));
        }
    }
}

fn header_name(name: &str, authority: bool) -> Result<(), String> {
    let host = name.eq_ignore_ascii_case("host");
    if name.is_empty() {
        return Err("header name cannot be empty".into());
    }
    if authority && (host || name.eq_ignore_ascii_case(":authority")) {
        return Ok(());
    }
    if host {
        return Err(format!("invalid header {name:?}: cannot set Host header"));
    }
    match name.starts_with(':') {
        true => Err(format!(
            "invalid header {name:?}: header cannot have \":\" prefix"
        )),
        false => Ok(()),
    }
}

fn authority(rule: &Node, out: &mut Findings) {
    let mut current = rule
        .get("rewrite")
        .map_or("", |r| r.text("authority"))
        .to_string();
    let request = rule.get("headers").and_then(|h| h.get("request"));
    for kind in ["set", "add"] {
        for entry in request.map(|r| r.sorted(kind)).unwrap_or_default() {
            let name = entry.key.to_ascii_lowercase();
            if name != ":authority" && name != "host" {
                continue;
            }
            let value = entry.value.str().unwrap_or("");
            if !current.is_empty() {
                let reason = format!(
                    "authority header cannot be set multiple times: have {current:?}, attempting to set {value:?}"
                );
                return out.error(entry.value.span, reason);
            }
            current = value.to_string();
        }
    }
}

fn destinations(rule: &Node, out: &mut Findings) {
    let targets = rule.each("route");
    let mut total = 0i64;
    for target in targets {
        if target.get("destination").is_none() {
            out.error(target.span, "destination is required");
        }
        destination(target.get("destination"), out);
        let weight = target.number("weight");
        if weight < 0 {
            out.error(target.span, format!("weight {weight} < 0"));
        }
        total = total.saturating_add(weight);
    }
    if targets.len() > 1 && total == 0 {
        let span = rule.field("route").map_or(rule.span, |n| n.span);
        out.error(span, "total destination weight = 0");
    }
}

pub(super) fn destination(destination: Option<&Node>, out: &mut Findings) {
    let Some(destination) = destination else {
        return;
    };
    let name = destination.text("host");
    match name {
        "*" => out.error(destination.span, "invalid destination host *"),
        name => out.check(destination.span, names::wildcard_domain(name)),
    }
    let subset = destination.text("subset");
    if !subset.is_empty() && !names::is_label(subset) {
        out.error(
            destination.span,
            format!("subset name is invalid: {subset}"),
        );
    }
    if let Some(port) = destination.get("port") {
        out.port(port.span, port.number("number"));
    }
}

fn l4_match(condition: &Node, out: &mut Findings) {
    for node in condition.each("destinationSubnets") {
        out.check(node.span, names::subnet(node.str().unwrap_or("")));
    }
    if condition.number("port") != 0 {
        out.port(condition.span, condition.number("port"));
    }
    out.labels(condition, "sourceLabels");
    gateway_names(condition, out);
}

fn tls_rule(rule: &Node, spec: &Node, mesh: bool, out: &mut Findings) {
    if rule.each("match").is_empty() {
        out.error(
            rule.span,
            "TLS route must have at least one match condition",
        );
    }
    let hosts = spec.texts("hosts");
    for condition in rule.each("match") {
        if condition.each("sniHosts").is_empty() {
            out.error(condition.span, "TLS match must have at least one SNI host");
        }
        for node in condition.each("sniHosts") {
            let sni = node.str().unwrap_or("");
            match names::wildcard_domain(sni) {
                Err(_) if !mesh && sni.starts_with("outbound_") => {}
                Err(_) if names::is_ip(sni) => out.warning(
                    node.span,
                    format!("using an IP address ({sni:?}) goes against SNI spec and most clients do not support this"),
                ),
                Err(reason) => out.error(node.span, reason),
                Ok(()) if hosts.iter().any(|h| host::subset_of(sni, h)) => {}
                Ok(()) => out.error(
                    node.span,
                    format!(
                        "SNI host {sni:?} is not a compatible subset of any of the virtual service hosts: [{}]",
                        hosts.join(", ")
                    ),
                ),
            }
        }
        l4_match(condition, out);
    }
    if rule.each("route").is_empty() {
        out.error(rule.span, "TLS route is required");
    }
    destinations(rule, out);
}
