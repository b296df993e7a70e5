//! A VirtualService's HTTP rules as Envoy's routes. Source: `pilot/pkg/networking/core/route/route.go`.

use super::message::{Ask, Message, duration, nanoseconds, scalar, string};
use super::object::{Object, Semantics};
use super::service::Service;
use super::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::{Node, Value};

/// Where routes are made for.
pub(super) struct Context<'w> {
    pub(super) world: &'w World,
    pub(super) proxy: &'w Proxy,
    pub(super) vs: &'w Object,
    /// `mesh`, or the Gateway as `namespace/name`.
    pub(super) gateway: &'w str,
    pub(super) port: i64,
    pub(super) tls: bool,
    pub(super) services: &'w dyn Fn(&str) -> Option<&'w Service>,
}

/// The routes of all rules up to the first that takes everything.
pub(super) fn routes(context: &Context) -> Vec<Node> {
    let mut out = Vec::new();
    for rule in context.vs.spec.each("http") {
        let matches = rule.each("match");
        if matches.is_empty() {
            out.extend(context.translate(rule, None));
            break;
        }
        for condition in matches {
            if let Some(route) = context.translate(rule, Some(condition)) {
                let all = is_catch_all(&route);
                out.push(route);
                if all {
                    return out;
                }
            }
        }
    }
    out
}

/// Whether a route takes every request.
pub(super) fn is_catch_all(route: &Node) -> bool {
    let Some(condition) = route.get("match") else {
        return false;
    };
    let any = condition.text("prefix") == "/"
        || condition.text("pathSeparatedPrefix") == "/"
        || condition
            .get("safeRegex")
            .is_some_and(|r| r.text("regex") == ".*");
    any && condition.each("headers").is_empty() && condition.each("queryParameters").is_empty()
}

/// Routes that take everything go to the end (`SortVHostRoutes`).
pub(super) fn sorted(routes: Vec<Node>) -> Vec<Node> {
    let (last, mut first): (Vec<_>, Vec<_>) = routes.into_iter().partition(is_catch_all);
    first.extend(last);
    first
}

/// `outbound|80|subset|host`.
pub(super) fn cluster_name(subset: &str, hostname: &str, port: i64) -> String {
    format!("outbound|{port}|{subset}|{hostname}")
}

/// The cluster of a destination (`GetDestinationCluster`).
pub(super) fn destination_cluster(
    destination: &Node,
    service: Option<&Service>,
    listener_port: i64,
) -> String {
    let name = destination.text("host");
    if name.is_empty() {
        return "UnknownService".into();
    }
    let external = service.map_or("", |s| s.external_name.as_str());
    let name = if external.is_empty() { name } else { external };
    let port = match (destination.get("port"), service) {
        (Some(port), _) => port.number("number"),
        (None, Some(service)) if service.ports.len() == 1 => service
            .ports
            .first()
            .map_or(listener_port, |p| p.number.into()),
        _ => listener_port,
    };
    cluster_name(destination.text("subset"), name, port)
}

impl Context<'_> {
    fn translate(&self, rule: &Node, condition: Option<&Node>) -> Option<Node> {
        if let Some(c) = condition {
            let port = c.number("port");
            if port != 0 && port != self.port || !self.source_matches(c) {
                return None;
            }
        }
        let span = condition.map_or(rule.span, |c| c.span);
        let mut name = rule.text("name").to_string();
        let own = condition.map_or("", |c| c.text("name"));
        if !own.is_empty() {
            name = format!("{name}.{own}");
        }
        let mut out = Message::new(rule.span);
        if !name.is_empty() {
            out = out.str("name", name);
        }
        out = out.node("match", self.route_match(condition, span));
        let operations = Operations::read(rule.get("headers"));
        let mut extra = Operations::default();
        if let Some(redirect) = rule.get("redirect") {
            out = out.node("redirect", self.redirect(redirect)?);
        } else if let Some(response) = rule.get("directResponse") {
            out = out.node("directResponse", direct_response(response));
        } else {
            let (action, own) = self.action(rule, &operations.authority);
            extra = own;
            out = out.node("route", action);
        }
        if self.vs.semantics != Semantics::GatewayApi {
            out = out.message("metadata", self.metadata());
        }
        let decorator = self.decorator(rule, &out);
        out = out.message("decorator", decorator);
        out = out
            .some(
                "requestHeadersToAdd",
                [operations.request_add, extra.request_add].concat(),
            )
            .some(
                "requestHeadersToRemove",
                [operations.request_remove, extra.request_remove].concat(),
            )
            .some(
                "responseHeadersToAdd",
                [operations.response_add, extra.response_add].concat(),
            )
            .some(
                "responseHeadersToRemove",
                [operations.response_remove, extra.response_remove].concat(),
            );
        let mut filters = Message::new(rule.span);
        let mut any = false;
        if let Some(fault) = rule.get("fault").and_then(fault) {
            filters = filters.node("envoy.filters.http.fault", fault);
            any = true;
        }
        if let Some(policy) = rule.get("corsPolicy") {
            filters = filters.node("envoy.filters.http.cors", cors(policy));
            any = true;
        }
        if any {
            out = out.message("typedPerFilterConfig", filters);
        }
        Some(out.end())
    }

    fn metadata(&self) -> Message {
        let span = self.vs.span;
        let config = format!(
            "/apis/networking.istio.io/v1/namespaces/{}/virtual-service/{}",
            self.vs.namespace, self.vs.name
        );
        let istio = Message::new(span).str("config", config);
        Message::new(span).message("filterMetadata", Message::new(span).message("istio", istio))
    }

    /// What traces call the route (`GetRouteOperation`).
    fn decorator(&self, rule: &Node, route: &Message) -> Message {
        let route = route.clone().end();
        let condition = route.get("match");
        let text = |key: &str| condition.map_or("", |m| m.text(key));
        let path = if condition.is_some_and(|m| m.get("prefix").is_some()) {
            format!("{}*", text("prefix"))
        } else if !text("path").is_empty() {
            text("path").to_string()
        } else if let Some(regex) = condition.and_then(|m| m.get("safeRegex")) {
            regex.text("regex").to_string()
        } else {
            "/*".into()
        };
        let cluster = route.get("route").map_or("", |r| r.text("cluster"));
        let mut parts = cluster.splitn(4, '|').skip(1);
        let operation = match (parts.next(), parts.next(), parts.next()) {
            (Some(port), Some(_), Some(name)) => format!("{name}:{port}{path}"),
            _ => format!("{}:{}{path}", self.vs.name, self.port),
        };
        Message::new(rule.span).str("operation", operation)
    }

    /// Whether the rule is meant for this proxy (`sourceMatchHTTP`).
    fn source_matches(&self, condition: &Node) -> bool {
        let gateways = condition.texts("gateways");
        if !gateways.is_empty() {
            return gateways.contains(&self.gateway);
        }
        let labels = condition.sorted("sourceLabels");
        let ours = |k: &str| self.proxy.labels.get(k).map(String::as_str);
        let namespace = condition.text("sourceNamespace");
        labels.iter().all(|e| ours(&e.key) == e.value.str())
            && (namespace.is_empty() || namespace == self.proxy.namespace)
    }

    fn route_match(&self, condition: Option<&Node>, span: Span) -> Node {
        let Some(c) = condition else {
            return Message::new(span).str("prefix", "/").end();
        };
        let uri = c.get("uri");
        let at = uri.map_or(span, |u| u.span);
        let mut out = Message::new(span);
        let segments = self.vs.semantics != Semantics::VirtualService;
        out = match uri {
            Some(u) if u.field("exact").is_some() => out.node("path", string(u.text("exact"), at)),
            Some(u) if u.field("prefix").is_some() => match u.text("prefix") {
                prefix if segments && prefix != "/" => {
                    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
                    out.node("pathSeparatedPrefix", string(prefix, at))
                }
                prefix => out.node("prefix", string(prefix, at)),
            },
            Some(u) if u.field("regex").is_some() => {
                out.message("safeRegex", Message::new(at).str("regex", u.text("regex")))
            }
            _ => out.str("prefix", "/"),
        };
        out = out.bool("caseSensitive", !c.flag("ignoreUriCase"));
        let mut headers = Vec::new();
        for entry in c.sorted("headers") {
            headers.push((
                entry.key.to_string(),
                header_match(&entry.key, &entry.value).end(),
            ));
        }
        for entry in c.sorted("withoutHeaders") {
            let mut matcher = header_match(&entry.key, &entry.value).bool("invertMatch", true);
            if !is_present_match(&entry.value) {
                matcher = matcher.bool("treatMissingHeaderAsEmpty", true);
            }
            headers.push((entry.key.to_string(), matcher.end()));
        }
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        let mut headers: Vec<Node> = headers.into_iter().map(|(_, node)| node).collect();
        for (key, name) in [
            ("method", ":method"),
            ("authority", ":authority"),
            ("scheme", ":scheme"),
        ] {
            headers.extend(c.get(key).map(|m| header_match(name, m).end()));
        }
        let query = c.sorted("queryParams").into_iter().map(|entry| {
            let matcher = Message::new(entry.value.span).str("name", &entry.key);
            value_match(matcher, &entry.value).end()
        });
        out.some("headers", headers)
            .some("queryParameters", query.collect())
            .end()
    }

    fn redirect(&self, redirect: &Node) -> Option<Node> {
        let span = redirect.span;
        let mut out = Message::new(span);
        let scheme = redirect.text("scheme");
        if !scheme.is_empty() {
            out = out.str("schemeRedirect", scheme);
        }
        if !redirect.text("authority").is_empty() {
            out = out.str("hostRedirect", redirect.text("authority"));
        }
        let mut port = redirect.number("port");
        if redirect.text("derivePort") == "FROM_REQUEST_PORT" {
            port = self.port;
        }
        let effective = match scheme {
            "" if self.tls => "https",
            "" => "http",
            other => other,
        };
        if port != 0 && !matches!((port, effective), (80, "http") | (443, "https")) {
            out = out.int("portRedirect", port);
        }
        let uri = redirect.text("uri");
        let prefix = uri.strip_prefix("%PREFIX()%");
        out = match prefix.filter(|_| self.vs.semantics == Semantics::GatewayApi) {
            Some(prefix) => out.str("prefixRewrite", prefix),
            None => out.str("pathRedirect", uri),
        };
        let code = match redirect.number("redirectCode") {
            0 | 301 => return Some(out.end()),
            302 => "FOUND",
            303 => "SEE_OTHER",
            307 => "TEMPORARY_REDIRECT",
            308 => "PERMANENT_REDIRECT",
            _ => return None,
        };
        Some(out.str("responseCode", code).end())
    }

    /// `applyHTTPRouteDestination`. What a single destination does to headers is the route's.
    fn action(&self, rule: &Node, authority: &str) -> (Node, Operations) {
        let span = rule.get("route").map_or(rule.span, |r| r.span);
        let mut out = Message::new(span);
        let timeout = rule
            .get("timeout")
            .and_then(|t| nanoseconds(t.str()?))
            .unwrap_or(0);
        let mut extra = Operations::default();
        let mut host_rewrite = authority.to_string();
        let mut path = None;
        if let Some(rewrite) = rule.get("rewrite") {
            let uri = rewrite.text("uri");
            let to_root = uri == "/" && self.vs.semantics == Semantics::GatewayApi;
            if let Some(regex) = rewrite.get("uriRegexRewrite") {
                path = Some((
                    "regexRewrite",
                    regex_rewrite(regex.text("match"), regex.text("rewrite"), regex.span),
                ));
            } else if to_root {
                let matched = rule.each("match").first().and_then(|m| m.get("uri"));
                let prefix = matched.map_or("", |u| u.text("prefix"));
                let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
                let pattern = format!("^{}(/?)(.*)", quote(prefix));
                path = Some((
                    "regexRewrite",
                    regex_rewrite(&pattern, "/\\2", rewrite.span),
                ));
            } else if !uri.is_empty() {
                path = Some(("prefixRewrite", string(uri, rewrite.span)));
            }
            if !rewrite.text("authority").is_empty() {
                host_rewrite = rewrite.text("authority").to_string();
            }
        }
        let targets = rule.each("route");
        let mut consistent = false;
        let mut hashes = Vec::new();
        if let [only] = targets {
            out = out.str("cluster", self.cluster_of(only));
            let operations = Operations::read(only.get("headers"));
            if host_rewrite.is_empty() {
                host_rewrite.clone_from(&operations.authority);
            }
            extra = operations;
            let hash = self.hash_of(only);
            consistent = hash.is_some();
            hashes.extend(hash.and_then(hash_policy));
        } else {
            let mut clusters = Vec::new();
            for target in targets.iter().filter(|t| t.number("weight") != 0) {
                let operations = Operations::read(target.get("headers"));
                let mut cluster = Message::new(target.span)
                    .str("name", self.cluster_of(target))
                    .int("weight", target.number("weight"));
                if !operations.authority.is_empty() {
                    cluster = cluster.str("hostRewriteLiteral", &operations.authority);
                }
                clusters.push(
                    cluster
                        .some("requestHeadersToAdd", operations.request_add)
                        .some("requestHeadersToRemove", operations.request_remove)
                        .some("responseHeadersToAdd", operations.response_add)
                        .some("responseHeadersToRemove", operations.response_remove)
                        .end(),
                );
                hashes.extend(self.hash_of(target).and_then(hash_policy));
            }
            out = out.message(
                "weightedClusters",
                Message::new(span).list("clusters", clusters),
            );
        }
        if self.vs.semantics == Semantics::GatewayApi {
            out = out.str("clusterNotFoundResponseCode", "INTERNAL_SERVER_ERROR");
        }
        if let Some((key, value)) = path {
            out = out.node(key, value);
        }
        if !host_rewrite.is_empty() {
            out = out.str("hostRewriteLiteral", host_rewrite);
        }
        out = out.str("timeout", duration(timeout));
        let policy = rule
            .get("retries")
            .or(self.world.mesh.default_retry.as_ref());
        if let Some(policy) = retry_policy(policy, consistent, span) {
            out = out.node("retryPolicy", policy);
        }
        out = out
            .some("requestMirrorPolicies", self.mirrors(rule))
            .some("hashPolicy", hashes)
            .str("maxGrpcTimeout", duration(timeout));
        (out.end(), extra)
    }

    fn cluster_of(&self, target: &Node) -> String {
        let Some(destination) = target.get("destination") else {
            return "UnknownService".into();
        };
        destination_cluster(
            destination,
            (self.services)(destination.text("host")),
            self.port,
        )
    }

    /// The consistent hash that the destination's DestinationRule asks for.
    fn hash_of(&self, target: &Node) -> Option<&Node> {
        let destination = target.get("destination")?;
        let service = self.world.service(destination.text("host"), self.proxy)?;
        let rule = self.world.rule(service, self.proxy)?;
        let port = destination.get("port").map(|p| p.number("number"));
        rule.hash(port, destination.text("subset"))
    }

    fn mirrors(&self, rule: &Node) -> Vec<Node> {
        let mut out = Vec::new();
        let policy = |destination: &Node, fraction: Message| {
            let cluster = destination_cluster(
                destination,
                (self.services)(destination.text("host")),
                self.port,
            );
            Message::new(destination.span)
                .str("cluster", cluster)
                .message(
                    "runtimeFraction",
                    Message::new(destination.span).message("defaultValue", fraction),
                )
                .bool("traceSampled", false)
                .bool("disableShadowHostSuffixAppend", true)
                .end()
        };
        if let Some(mirror) = rule.get("mirror") {
            let fraction = match (rule.get("mirrorPercentage"), rule.get("mirrorPercent")) {
                (Some(p), _) => percent(p),
                (None, Some(n)) => {
                    Some(hundredths(n.int().unwrap_or(0), n.span)).filter(|_| n.int() > Some(0))
                }
                (None, None) => Some(hundredths(100, mirror.span)),
            };
            out.extend(fraction.map(|f| policy(mirror, f)));
        }
        for mirror in rule.each("mirrors") {
            let Some(destination) = mirror.get("destination") else {
                continue;
            };
            let fraction = match mirror.get("percentage") {
                Some(p) => percent(p),
                None => Some(hundredths(100, mirror.span)),
            };
            out.extend(fraction.map(|f| policy(destination, f)));
        }
        out
    }
}

fn direct_response(response: &Node) -> Node {
    let mut out = Message::new(response.span).int("status", response.number("status"));
    if let Some(body) = response.get("body") {
        out = match (body.field("string"), body.field("bytes")) {
            (Some(_), _) => out.message(
                "body",
                Message::new(body.span).str("inlineString", body.text("string")),
            ),
            (None, Some(_)) => out.message(
                "body",
                Message::new(body.span).str("inlineBytes", body.text("bytes")),
            ),
            (None, None) => out.message("body", Message::new(body.span)),
        };
    }
    out.end()
}

fn regex_rewrite(pattern: &str, substitution: &str, span: Span) -> Node {
    Message::new(span)
        .message("pattern", Message::new(span).str("regex", pattern))
        .str("substitution", substitution)
        .end()
}

/// A text in which no character has a meaning of its own.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Nothing asked of the value, or the regular expression `*`.
fn is_present_match(value: &Node) -> bool {
    let asks = ["exact", "prefix", "regex"]
        .iter()
        .any(|k| value.field(k).is_some());
    !asks || value.text("regex") == "*"
}

fn header_match(name: &str, value: &Node) -> Message {
    value_match(Message::new(value.span).str("name", name), value)
}

fn value_match(out: Message, value: &Node) -> Message {
    if is_present_match(value) {
        return out.bool("presentMatch", true);
    }
    match string_match(value) {
        Some(matcher) => out.node("stringMatch", matcher),
        None => out,
    }
}

/// Istio's StringMatch as Envoy's.
fn string_match(value: &Node) -> Option<Node> {
    let span = value.span;
    let out = Message::new(span);
    if value.field("exact").is_some() {
        Some(out.str("exact", value.text("exact")).end())
    } else if value.field("prefix").is_some() {
        Some(out.str("prefix", value.text("prefix")).end())
    } else if value.field("regex").is_some() {
        Some(
            out.message(
                "safeRegex",
                Message::new(span).str("regex", value.text("regex")),
            )
            .end(),
        )
    } else {
        None
    }
}

/// What a rule or destination does to headers, and the host it sets that way.
#[derive(Default)]
struct Operations {
    request_add: Vec<Node>,
    request_remove: Vec<Node>,
    response_add: Vec<Node>,
    response_remove: Vec<Node>,
    authority: String,
}

impl Operations {
    fn read(headers: Option<&Node>) -> Self {
        let Some(headers) = headers else {
            return Self::default();
        };
        let (request, response) = (headers.get("request"), headers.get("response"));
        let mut operations = Self::default();
        let (set_add, set_host) = additions(request, "set");
        let (add_add, add_host) = additions(request, "add");
        operations.request_add = [set_add, add_add].concat();
        operations.authority = if set_host.is_empty() {
            add_host
        } else {
            set_host
        };
        operations.response_add =
            [additions(response, "set").0, additions(response, "add").0].concat();
        operations.request_remove = removals(request);
        operations.response_remove = removals(response);
        operations
    }
}

fn additions(headers: Option<&Node>, kind: &str) -> (Vec<Node>, String) {
    let (mut out, mut host) = (Vec::new(), String::new());
    for entry in headers.map(|h| h.sorted(kind)).unwrap_or_default() {
        let (key, value) = (&*entry.key, entry.value.str().unwrap_or(""));
        if key.eq_ignore_ascii_case(":authority") || key.eq_ignore_ascii_case("host") {
            host = value.to_string();
        }
        if is_internal(key) {
            continue;
        }
        let span = entry.value.span;
        let mut option = Message::new(span).message(
            "header",
            Message::new(span).str("key", key).str("value", value),
        );
        if kind == "set" {
            option = option.str("appendAction", "OVERWRITE_IF_EXISTS_OR_ADD");
        }
        out.push(option.end());
    }
    (out, host)
}

fn is_internal(key: &str) -> bool {
    key.starts_with(':') || key.eq_ignore_ascii_case("host")
}

fn removals(headers: Option<&Node>) -> Vec<Node> {
    let names = headers.map_or(&[][..], |h| h.each("remove")).iter();
    names
        .filter(|n| n.str().is_some_and(|s| !is_internal(s)))
        .cloned()
        .collect()
}

/// A percentage with decimals, in millionths; none where it is zero.
fn percent(value: &Node) -> Option<Message> {
    let millionths = millionths(value);
    let out = Message::new(value.span)
        .int("numerator", millionths)
        .str("denominator", "MILLION");
    (millionths > 0).then_some(out)
}

/// The `value` of a Percent, of a million.
fn millionths(percent: &Node) -> i64 {
    match percent.field("value").map(|n| &n.value) {
        Some(Value::Int(n)) => n.saturating_mul(10_000),
        // As Go multiplies and cuts off.
        Some(Value::Float(f)) => (f * 10_000.0) as i64,
        _ => 0,
    }
}

fn hundredths(value: i64, span: Span) -> Message {
    let out = Message::new(span);
    if value == 0 {
        out
    } else {
        out.int("numerator", value)
    }
}

/// `TranslateFault`.
fn fault(fault: &Node) -> Option<Node> {
    let fraction = |percent: &Node| {
        let out = Message::new(percent.span);
        let n = millionths(percent);
        let out = if n == 0 { out } else { out.int("numerator", n) };
        out.str("denominator", "MILLION")
    };
    let delay = fault.get("delay").and_then(|delay| {
        let fixed = nanoseconds(delay.get("fixedDelay")?.str()?)?;
        let percentage = match delay.get("percentage") {
            Some(percent) => fraction(percent),
            None => hundredths(delay.number("percent"), delay.span),
        };
        let out = Message::new(delay.span).str("fixedDelay", duration(fixed));
        Some(out.message("percentage", percentage).end())
    });
    let abort = fault.get("abort").and_then(|abort| {
        let out = Message::new(abort.span);
        let out = if abort.field("httpStatus").is_some() {
            out.int("httpStatus", abort.number("httpStatus"))
        } else {
            let name = abort.get("grpcStatus")?.str()?;
            let code = GRPC.iter().position(|n| *n == name).unwrap_or(0);
            out.int("grpcStatus", i64::try_from(code).unwrap_or(0))
        };
        let percentage = abort.get("percentage").map(|p| fraction(p).end());
        Some(out.maybe("percentage", percentage).end())
    });
    if delay.is_none() && abort.is_none() {
        return None;
    }
    let kind = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
    let out = Message::new(fault.span).str("@type", kind);
    Some(out.maybe("delay", delay).maybe("abort", abort).end())
}

/// gRPC's status codes in order.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// `TranslateCORSPolicy`.
fn cors(policy: &Node) -> Node {
    let span = policy.span;
    let mut out = Message::new(span).str(
        "@type",
        "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    );
    let joined = |key: &str| policy.texts(key).join(",");
    for (key, from) in [
        ("allowMethods", "allowMethods"),
        ("allowHeaders", "allowHeaders"),
        ("exposeHeaders", "exposeHeaders"),
    ] {
        if !joined(from).is_empty() {
            out = out.str(key, joined(from));
        }
    }
    if let Some(age) = policy.get("maxAge").and_then(|a| nanoseconds(a.str()?)) {
        out = out.str("maxAge", (age / 1_000_000_000).to_string());
    }
    if let Some(credentials) = policy.get("allowCredentials").and_then(Node::bool) {
        out = out.bool("allowCredentials", credentials);
    }
    let always = Message::new(span).int("numerator", 100);
    out = out.message(
        "filterEnabled",
        Message::new(span).message("defaultValue", always),
    );
    let mut origins: Vec<Node> = policy
        .each("allowOrigins")
        .iter()
        .filter_map(string_match)
        .collect();
    if policy.get("allowOrigins").is_none() {
        let exact = |o: &Node| {
            Message::new(o.span)
                .str("exact", o.str().unwrap_or(""))
                .end()
        };
        origins = policy.each("allowOrigin").iter().map(exact).collect();
    }
    let forward = policy.text("unmatchedPreflights") != "IGNORE";
    out.some("allowOriginStringMatch", origins)
        .bool("forwardNotMatchingPreflights", forward)
        .end()
}

fn hash_policy(hash: &Node) -> Option<Node> {
    let span = hash.span;
    let out = Message::new(span);
    let header = hash.text("httpHeaderName");
    let query = hash.text("httpQueryParameterName");
    if !header.is_empty() {
        return Some(
            out.message("header", Message::new(span).str("headerName", header))
                .end(),
        );
    }
    if let Some(cookie) = hash.get("httpCookie") {
        let mut policy = Message::new(cookie.span).str("name", cookie.text("name"));
        if let Some(ttl) = cookie.get("ttl").and_then(|t| nanoseconds(t.str()?)) {
            policy = policy.str("ttl", duration(ttl));
        }
        if !cookie.text("path").is_empty() {
            policy = policy.str("path", cookie.text("path"));
        }
        let attributes = cookie.each("attributes").iter().map(|a| {
            let out = Message::new(a.span).str("name", a.text("name"));
            if a.text("value").is_empty() {
                out.end()
            } else {
                out.str("value", a.text("value")).end()
            }
        });
        return Some(
            out.message("cookie", policy.some("attributes", attributes.collect()))
                .end(),
        );
    }
    if hash.field("useSourceIp").is_some() {
        let source = Message::new(span);
        let source = if hash.flag("useSourceIp") {
            source.bool("sourceIp", true)
        } else {
            source
        };
        return Some(out.message("connectionProperties", source).end());
    }
    if !query.is_empty() {
        return Some(
            out.message("queryParameter", Message::new(span).str("name", query))
                .end(),
        );
    }
    None
}

const RETRY_ON: &str =
    "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/// `retry.ConvertPolicy`; none where retries are switched off.
pub(super) fn retry_policy(policy: Option<&Node>, hash: bool, span: Span) -> Option<Node> {
    let span = policy.map_or(span, |p| p.span);
    let (mut on, mut codes, mut attempts) = (RETRY_ON.to_string(), Vec::new(), 2);
    let mut previous_hosts = !hash;
    if let Some(policy) = policy {
        attempts = policy.number("attempts");
        if attempts <= 0 {
            return None;
        }
        let wanted = policy.text("retryOn");
        if !wanted.is_empty() {
            let (numbers, words): (Vec<&str>, Vec<&str>) = wanted
                .split(',')
                .map(str::trim)
                .filter(|w| !w.is_empty())
                .partition(|w| w.parse::<u16>().is_ok_and(is_status));
            on = words.join(",");
            codes = numbers
                .iter()
                .filter_map(|n| n.parse::<i64>().ok())
                .collect();
            if !codes.is_empty() && !on.contains("retriable-status-codes") {
                on.push_str(",retriable-status-codes");
            }
        }
        if let Some(ignore) = policy.get("retryIgnorePreviousHosts").and_then(Node::bool) {
            previous_hosts = ignore;
        }
    }
    let mut out = Message::new(span)
        .str("retryOn", on)
        .int("numRetries", attempts);
    let of = |key: &str| policy.and_then(|p| nanoseconds(p.get(key)?.str()?));
    if let Some(limit) = of("perTryTimeout") {
        out = out.str("perTryTimeout", duration(limit));
    }
    if policy.is_some_and(|p| p.flag("retryRemoteLocalities")) {
        let config = Message::new(span)
            .str("@type", "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig")
            .int("updateFrequency", 2);
        let priority = Message::new(span)
            .str("name", "envoy.retry_priorities.previous_priorities")
            .message("typedConfig", config);
        out = out.message("retryPriority", priority);
    }
    if previous_hosts {
        let config = Message::new(span).str(
            "@type",
            "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        );
        let predicate = Message::new(span)
            .str("name", "envoy.retry_host_predicates.previous_hosts")
            .message("typedConfig", config);
        out = out.list("retryHostPredicate", vec![predicate.end()]);
    }
    out = out.str("hostSelectionRetryMaxAttempts", "5");
    let codes = codes.into_iter().map(|c| scalar(Value::Int(c), span));
    out = out.some("retriableStatusCodes", codes.collect());
    if let Some(base) = of("backoff") {
        out = out.message(
            "retryBackOff",
            Message::new(span).str("baseInterval", duration(base)),
        );
    }
    Some(out.end())
}

/// Whether a word names a gRPC status.
pub(super) fn is_grpc_status(name: &str) -> bool {
    GRPC.contains(&name)
}

/// The status codes that have a name in Go's `net/http`.
pub(super) fn is_status(code: u16) -> bool {
    matches!(code, 100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511)
}

/// The route of a service without a VirtualService (`BuildDefaultHTTPOutboundRoute`).
pub(super) fn default_route(
    world: &World,
    service: &Service,
    port: u16,
    hash: Option<&Node>,
) -> Node {
    let span = service.span;
    let mut action = Message::new(span)
        .str("cluster", cluster_name("", &service.hostname, port.into()))
        .str("timeout", "0s");
    if let Some(policy) = retry_policy(world.mesh.default_retry.as_ref(), false, span) {
        action = action.node("retryPolicy", policy);
    }
    action = action
        .some(
            "hashPolicy",
            hash.and_then(hash_policy).into_iter().collect(),
        )
        .str("maxGrpcTimeout", "0s");
    Message::new(span)
        .str("name", "default")
        .message("match", Message::new(span).str("prefix", "/"))
        .message("route", action)
        .message(
            "decorator",
            Message::new(span).str("operation", format!("{}:{port}/*", service.hostname)),
        )
        .end()
}
