//! A VirtualService's HTTP rules as Envoy's routes. Source: `pilot/pkg/networking/core/route/route.go`.

mod condition;
mod filters;
mod headers;
mod policy;

use crate::control::istiod::message::{Ask, Message, duration, nanoseconds, string};
use crate::control::istiod::object::{Object, Semantics};
use crate::control::istiod::service::Service;
use crate::control::istiod::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::Node;

pub(super) use condition::{claim, quote};
pub(super) use filters::is_grpc_status;
pub(super) use policy::{is_status, retry_policy};

use condition::{claim_match, header_match, is_present_match, regex_rewrite, value_match};
use filters::{cors, fault, hundredths, percent};
use headers::Operations;
use policy::hash_policy;

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
    let more = ["headers", "queryParameters", "dynamicMetadata"];
    any && more.iter().all(|field| condition.each(field).is_empty())
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
        let mut claims = Vec::new();
        for entry in c.sorted("headers") {
            if let Some(claim) = claim_match(&entry.key, &entry.value) {
                claims.push(claim.end());
                continue;
            }
            headers.push((
                entry.key.to_string(),
                header_match(&entry.key, &entry.value).end(),
            ));
        }
        for entry in c.sorted("withoutHeaders") {
            if let Some(claim) = claim_match(&entry.key, &entry.value) {
                claims.push(claim.bool("invert", true).end());
                continue;
            }
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
            .some("dynamicMetadata", claims)
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
