//! Rules of routes as those of a VirtualService. Source: `convertHTTPRoute` and what it calls in `conversion.go`.

use std::collections::BTreeMap;

use super::super::message::{Ask, Message, nanoseconds, string};
use super::super::object::Object;
use super::{Known, or};
use crate::yaml::Node;

/// Makes the rules of one route.
pub(super) struct Rules<'a> {
    pub(super) api: &'a Known<'a>,
    pub(super) route: &'a Object,
    /// Whether other namespaces must grant what is referred to; the mesh does not ask.
    pub(super) granted_only: bool,
    /// What is wrong with destinations; the rules stand all the same.
    pub(super) complaints: Vec<String>,
}

impl Rules<'_> {
    /// A rule for each condition; an error refuses the whole route.
    pub(super) fn http(&mut self) -> Result<Vec<Node>, String> {
        let mut out = Vec::new();
        for (number, rule) in self.route.spec.each("rules").iter().enumerate() {
            let matches = rule.each("matches");
            let grpc = self.route.kind == "GRPCRoute";
            if matches.is_empty() {
                // The API server fills in the path `/` for an HTTPRoute.
                let any = Message::new(rule.span).str("prefix", "/");
                let any = Message::new(rule.span).message("uri", any);
                let condition = (!grpc).then(|| any.end());
                out.push(self.rule(rule, number, condition)?);
            }
            for one in matches {
                let condition = if grpc {
                    grpc_match(one)?
                } else {
                    http_match(one)?
                };
                out.push(self.rule(rule, number, Some(condition))?);
            }
        }
        Ok(out)
    }

    fn rule(
        &mut self,
        rule: &Node,
        number: usize,
        condition: Option<Node>,
    ) -> Result<Node, String> {
        let (namespace, route) = (&self.route.namespace, &self.route.name);
        let usual = format!("{namespace}.{route}.{number}");
        let mut out = Message::new(rule.span).str("name", or(rule, "name", &usual));
        if let Some(condition) = condition {
            out = out.list("match", vec![condition]);
        }
        let (mut headers, mut mirrors) = (Message::new(rule.span), Vec::new());
        let mut redirected = false;
        for filter in rule.each("filters") {
            match filter.text("type") {
                "RequestHeaderModifier" => {
                    headers.set(
                        "request",
                        header_operations(filter, "requestHeaderModifier")?,
                    );
                }
                "ResponseHeaderModifier" => {
                    headers.set(
                        "response",
                        header_operations(filter, "responseHeaderModifier")?,
                    );
                }
                "RequestRedirect" => {
                    if let Some(redirect) = filter.get("requestRedirect") {
                        out = out.node("redirect", redirect_of(redirect));
                        redirected = true;
                    }
                }
                "RequestMirror" => {
                    let mirror = filter.get("requestMirror");
                    mirrors.extend(mirror.and_then(|m| self.mirror(m)));
                }
                "URLRewrite" => {
                    out = out.maybe("rewrite", filter.get("urlRewrite").and_then(rewrite))
                }
                "CORS" => out = out.maybe("corsPolicy", filter.get("cors").map(cors)),
                other => return Err(format!("unsupported filter type {other:?}")),
            }
        }
        out = out.message("headers", headers).some("mirrors", mirrors);
        let mut retries = rule.get("retry").map(retries);
        let limit = |key: &str| {
            let text = rule.get("timeouts")?.get(key)?.str()?;
            (nanoseconds(text)? != 0).then_some(text)
        };
        let mut timeout = limit("request");
        if let Some(each) = limit("backendRequest") {
            match &mut retries {
                Some(retries) => retries.set("perTryTimeout", string(each, rule.span)),
                None => timeout = Some(each),
            }
        }
        if let Some(timeout) = timeout {
            out = out.str("timeout", timeout);
        }
        out = out.maybe("retries", retries.map(Message::end));
        let backends = rule.each("backendRefs");
        let total: i64 = backends.iter().map(weight).sum();
        if total == 0 && !redirected {
            let none = backends.is_empty() && self.route.kind == "HTTPRoute";
            let status = if none { 404 } else { 500 };
            let answer = Message::new(rule.span).int("status", status);
            return Ok(out.message("directResponse", answer).end());
        }
        Ok(out.some("route", self.destinations(backends)?).end())
    }

    /// What TCP and TLS rules lead to; connections without a destination go nowhere.
    pub(super) fn connections(&mut self) -> Result<Vec<Node>, String> {
        let tls = self.route.kind == "TLSRoute";
        let mut out = Vec::new();
        for rule in self.route.spec.each("rules") {
            let backends = rule.each("backendRefs");
            let total: i64 = backends.iter().map(weight).sum();
            let mut message = Message::new(rule.span);
            if total == 0 {
                let nowhere = Message::new(rule.span)
                    .str("host", "internal.cluster.local")
                    .str("subset", "zero-weight")
                    .message("port", Message::new(rule.span).int("number", 65535));
                let target = Message::new(rule.span).message("destination", nowhere);
                out.push(message.list("route", vec![target.end()]).end());
                continue;
            }
            if tls {
                let mut hosts = self.route.spec.texts("hostnames");
                if hosts.is_empty() {
                    hosts.push("*");
                }
                let hosts: Vec<String> = hosts.into_iter().map(str::to_string).collect();
                let condition = Message::new(rule.span).strings("sniHosts", &hosts);
                message = message.list("match", vec![condition.end()]);
            }
            out.push(message.list("route", self.destinations(backends)?).end());
        }
        Ok(out)
    }

    fn destinations(&mut self, backends: &[Node]) -> Result<Vec<Node>, String> {
        let chosen: Vec<&Node> = backends.iter().filter(|b| weight(b) != 0).collect();
        let mut out = Vec::new();
        for backend in &chosen {
            let mut target =
                Message::new(backend.span).node("destination", self.destination(backend)?);
            if chosen.len() > 1 {
                target = target.int("weight", weight(backend));
            }
            let mut headers = Message::new(backend.span);
            for filter in backend.each("filters") {
                match filter.text("type") {
                    "RequestHeaderModifier" => {
                        headers.set(
                            "request",
                            header_operations(filter, "requestHeaderModifier")?,
                        );
                    }
                    "ResponseHeaderModifier" => {
                        headers.set(
                            "response",
                            header_operations(filter, "responseHeaderModifier")?,
                        );
                    }
                    other => return Err(format!("unsupported filter type {other:?}")),
                }
            }
            out.push(target.message("headers", headers).end());
        }
        Ok(out)
    }

    /// A `backendRef`. What must not be used stays as an empty destination, which answers 500.
    fn destination(&mut self, backend: &Node) -> Result<Node, String> {
        let namespace = &self.route.namespace;
        let (group, kind, name) = (
            backend.text("group"),
            or(backend, "kind", "Service"),
            backend.text("name"),
        );
        let of = or(backend, "namespace", namespace);
        let empty = Message::new(backend.span).end();
        if self.granted_only
            && of != namespace
            && !self.api.granted(self.route.kind, namespace, kind, of, name)
        {
            self.complaints.push(format!(
                "backendRef {name}/{of} not accessible to a {} in namespace {namespace:?} (missing a ReferenceGrant?)",
                self.route.kind
            ));
            return Ok(empty);
        }
        let host = match (group, kind) {
            ("", "Service") if name.contains('.') => {
                return Err(
                    "service name invalid; the name of the Service must be used, not the hostname."
                        .into(),
                );
            }
            ("", "Service") | ("multicluster.x-k8s.io", "ServiceImport") => {
                format!("{name}.{of}.svc.{}", self.api.mesh.domain)
            }
            ("networking.istio.io", "Hostname") => {
                if backend.get("namespace").is_some() {
                    return Err("namespace may not be set with Hostname type".into());
                }
                name.to_string()
            }
            _ => {
                self.complaints.push(format!(
                    "referencing unsupported backendRef: group {group:?} kind {kind:?}"
                ));
                return Ok(empty);
            }
        };
        if !self.api.has_host(&host) {
            self.complaints.push(format!("backend({host}) not found"));
        }
        if backend.get("port").is_none() {
            return Err("port is required in backendRef".into());
        }
        let port = Message::new(backend.span).int("number", backend.number("port"));
        Ok(Message::new(backend.span)
            .str("host", host)
            .message("port", port)
            .end())
    }

    fn mirror(&mut self, mirror: &Node) -> Option<Node> {
        let before = self.complaints.len();
        let destination = match self.destination(mirror.get("backendRef")?) {
            Ok(destination) => destination,
            Err(reason) => {
                self.complaints.push(reason);
                return None;
            }
        };
        if self.complaints.len() > before {
            return None;
        }
        let mut out = Message::new(mirror.span).node("destination", destination);
        let share = match (mirror.get("fraction"), mirror.get("percent")) {
            (Some(fraction), _) => {
                let of = match fraction.number("denominator") {
                    0 => 100,
                    n => n,
                };
                Some(100.0 * fraction.number("numerator") as f64 / of as f64)
            }
            (None, Some(_)) => Some(mirror.number("percent") as f64),
            (None, None) => None,
        };
        if let Some(share) = share {
            let value =
                super::super::message::scalar(crate::yaml::Value::Float(share), mirror.span);
            out = out.message("percentage", Message::new(mirror.span).node("value", value));
        }
        Some(out.end())
    }
}

fn weight(backend: &Node) -> i64 {
    match backend.get("weight") {
        Some(_) => backend.number("weight"),
        None => 1,
    }
}

fn http_match(one: &Node) -> Result<Node, String> {
    let mut out = Message::new(one.span);
    let path = one.get("path").unwrap_or(one);
    let text = match one.get("path") {
        Some(path) => or(path, "value", "/"),
        None => "/",
    };
    let kind = one
        .get("path")
        .map_or("PathPrefix", |p| or(p, "type", "PathPrefix"));
    let (key, text) = match kind {
        "PathPrefix" if text != "/" => ("prefix", text.strip_suffix('/').unwrap_or(text)),
        "PathPrefix" => ("prefix", text),
        "Exact" => ("exact", text),
        "RegularExpression" => ("regex", text),
        other => {
            return Err(format!(
                "unknown type: {other:?} is not supported Path match type"
            ));
        }
    };
    out = out.message("uri", Message::new(path.span).str(key, text));
    out = conditions(out, one, "headers", "headers", "HeaderMatch")?;
    out = conditions(out, one, "queryParams", "queryParams", "QueryParams")?;
    if let Some(method) = one.get("method") {
        let exact = Message::new(method.span).node("exact", method.clone());
        out = out.message("method", exact);
    }
    Ok(out.end())
}

fn conditions(
    out: Message,
    one: &Node,
    from: &str,
    to: &str,
    kind: &str,
) -> Result<Message, String> {
    let mut all: BTreeMap<&str, Node> = BTreeMap::new();
    for condition in one.each(from) {
        let key = match or(condition, "type", "Exact") {
            "Exact" => "exact",
            "RegularExpression" => "regex",
            other => {
                return Err(format!(
                    "unknown type: {other:?} is not supported {kind} type"
                ));
            }
        };
        let value = Message::new(condition.span).str(key, condition.text("value"));
        all.insert(condition.text("name"), value.end());
    }
    if all.is_empty() {
        return Ok(out);
    }
    let map = all
        .into_iter()
        .fold(Message::new(one.span), |map, (name, value)| {
            map.node(name, value)
        });
    Ok(out.message(to, map))
}

/// A gRPC method as a path: `/service/method`.
fn grpc_match(one: &Node) -> Result<Node, String> {
    let mut out = Message::new(one.span);
    if let Some(asked) = one.get("method") {
        let (service, method) = (asked.text("service"), asked.text("method"));
        if service.is_empty() && method.is_empty() {
            return Err("gRPC match must have method or service defined".into());
        }
        let kind = or(asked, "type", "Exact");
        let (key, path) = match (kind, service, method) {
            ("Exact", service, "") => ("prefix", format!("/{service}/")),
            ("Exact" | "RegularExpression", "", method) => ("regex", format!("/[^/]+/{method}")),
            ("Exact", service, method) => ("exact", format!("/{service}/{method}")),
            ("RegularExpression", service, "") => ("regex", format!("/{service}/.+")),
            ("RegularExpression", service, method) => ("regex", format!("/{service}/{method}")),
            (other, ..) => {
                return Err(format!(
                    "unknown type: {other:?} is not supported Path match type"
                ));
            }
        };
        out = out.message("uri", Message::new(asked.span).str(key, path));
    }
    Ok(conditions(out, one, "headers", "headers", "HeaderMatch")?.end())
}

fn header_operations(filter: &Node, key: &str) -> Result<Node, String> {
    let Some(operations) = filter.get(key) else {
        return Ok(Message::new(filter.span).end());
    };
    let mut out = Message::new(operations.span);
    for what in ["add", "set"] {
        let mut all: BTreeMap<String, Node> = BTreeMap::new();
        for header in operations.each(what) {
            let value = header.text("value");
            let printable = |b: u8| b == b'\t' || b >= b' ' && b != 0x7f;
            if !value.bytes().all(printable) {
                let name = header.text("name");
                return Err(format!("header {name:?} value contains invalid characters"));
            }
            // Of the same name the first counts.
            let name = header.text("name").to_ascii_lowercase();
            all.entry(name)
                .or_insert_with(|| string(value, header.span));
        }
        if !all.is_empty() {
            let map = all
                .into_iter()
                .fold(Message::new(operations.span), |m, (k, v)| m.node(&k, v));
            out = out.message(what, map);
        }
    }
    let remove: Vec<String> = operations
        .texts("remove")
        .into_iter()
        .map(str::to_string)
        .collect();
    if !remove.is_empty() {
        out = out.strings("remove", &remove);
    }
    Ok(out.end())
}

fn redirect_of(redirect: &Node) -> Node {
    let code = match redirect.number("statusCode") {
        0 => 302,
        code => code,
    };
    let mut out = Message::new(redirect.span).int("redirectCode", code);
    if !redirect.text("hostname").is_empty() {
        out = out.str("authority", redirect.text("hostname"));
    }
    let scheme = redirect.text("scheme");
    if !scheme.is_empty() {
        out = out.str("scheme", scheme);
    }
    out = match (redirect.number("port"), scheme) {
        (0, "") => out.str("derivePort", "FROM_REQUEST_PORT"),
        (0, _) => out.str("derivePort", "FROM_PROTOCOL_DEFAULT"),
        (port, _) => out.int("port", port),
    };
    if let Some(path) = redirect.get("path") {
        out = match path.text("type") {
            "ReplacePrefixMatch" => out.str(
                "uri",
                format!("%PREFIX()%{}", path.text("replacePrefixMatch")),
            ),
            _ => out.str("uri", path.text("replaceFullPath")),
        };
    }
    out.end()
}

fn rewrite(filter: &Node) -> Option<Node> {
    let mut out = Message::new(filter.span);
    let mut any = false;
    if let Some(path) = filter.get("path") {
        any = true;
        out = match path.text("type") {
            "ReplacePrefixMatch" => {
                let new = path.text("replacePrefixMatch");
                match new.strip_suffix('/').unwrap_or(new) {
                    "" => out.str("uri", "/"),
                    new => out.str("uri", new),
                }
            }
            _ => {
                let regex = Message::new(path.span)
                    .str("match", "/.*")
                    .str("rewrite", path.text("replaceFullPath"));
                out.message("uriRegexRewrite", regex)
            }
        };
    }
    let host = filter.text("hostname");
    if !host.is_empty() {
        any = true;
        out = out.str("authority", host);
    }
    any.then(|| out.end())
}

fn cors(filter: &Node) -> Node {
    let origin = |node: &Node| {
        let text = node.str().filter(|t| !t.is_empty())?;
        let (key, value) = match text {
            "*" => (
                "regex",
                r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$".to_string(),
            ),
            _ if !text.contains('*') => ("exact", text.to_string()),
            _ => match text.strip_suffix('*').filter(|t| !t.contains('*')) {
                Some(prefix) => ("prefix", prefix.to_string()),
                None => (
                    "regex",
                    format!(
                        "^{}$",
                        super::super::route::quote(text).replace(r"\*", ".*")
                    ),
                ),
            },
        };
        Some(Message::new(node.span).str(key, value).end())
    };
    let origins = filter.each("allowOrigins").iter().filter_map(origin);
    let mut out = Message::new(filter.span).some("allowOrigins", origins.collect());
    if filter.flag("allowCredentials") {
        out = out.bool("allowCredentials", true);
    }
    for key in ["allowMethods", "allowHeaders", "exposeHeaders"] {
        out = out.some(key, filter.each(key).to_vec());
    }
    // The API server fills in 5 seconds.
    let age = filter.get("maxAge").map_or(5, |_| filter.number("maxAge"));
    if age > 0 {
        out = out.str("maxAge", format!("{age}s"));
    }
    out.str("unmatchedPreflights", "IGNORE").end()
}

fn retries(retry: &Node) -> Message {
    let mut on = "connect-failure,refused-stream,unavailable,cancelled".to_string();
    for code in retry.each("codes").iter().filter_map(Node::int) {
        on.push_str(&format!(",{code}"));
    }
    let attempts = retry
        .get("attempts")
        .map_or(2, |_| retry.number("attempts"));
    let mut out = Message::new(retry.span).int("attempts", attempts);
    if attempts != 0 {
        out = out.str("retryOn", on);
    }
    if let Some(back_off) = retry.get("backoff").and_then(Node::str) {
        out = out.str("backoff", back_off);
    }
    out
}

/// More exact conditions first (`sortHTTPRoutes`).
pub(super) fn sort(rules: &mut [Node]) {
    use std::cmp::Reverse;
    rules.sort_by_key(|rule| {
        let Some(first) = rule.each("match").first() else {
            return (true, Reverse((0, 0, false, 0, 0)));
        };
        let uri = first.get("uri");
        let by = |key: &str| {
            uri.and_then(|u| u.get(key))
                .map(|_| uri.map_or(0, |u| u.text(key).len()))
        };
        let (rank, length) = match (by("exact"), by("prefix"), by("regex")) {
            (Some(length), ..) => (3, length),
            (_, Some(length), _) => (2, length),
            (.., Some(length)) => (1, length),
            _ => (-1, 0),
        };
        let count = |key: &str| first.get(key).map_or(0, |m| m.entries().len());
        let method = first.get("method").is_some();
        (
            false,
            Reverse((rank, length, method, count("headers"), count("queryParams"))),
        )
    });
}
