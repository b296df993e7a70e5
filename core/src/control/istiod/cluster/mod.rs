//! Clusters and their endpoints. Source: `pilot/pkg/networking/core/cluster*.go`, `pilot/pkg/xds/endpoints/`.

mod assignment;
mod tls;

use std::collections::BTreeMap;

use super::message::{Ask, Message, duration, nanoseconds};
use super::route::cluster_name;
use super::service::{Port, Resolution, Service};
use super::sidecar;
use super::world::{Proxy, ProxyKind, World};
use crate::text::Span;
use crate::yaml::Node;
use tls::UPSTREAM_TLS;

/// All clusters of a proxy and the load assignments of those that are told their endpoints.
pub(super) fn clusters(world: &World, proxy: &Proxy) -> (Vec<Node>, Vec<Node>) {
    let (mut clusters, mut assignments) = (
        vec![fixed("BlackHoleCluster", "STATIC", Span::default())],
        Vec::new(),
    );
    if proxy.kind == ProxyKind::Sidecar {
        let inbound = inbound_bind(Span::default());
        let cluster =
            || fixed_message("InboundPassthroughCluster", "ORIGINAL_DST", Span::default());
        clusters.push(cluster().message("upstreamBindConfig", inbound).end());
        clusters.push(fixed("PassthroughCluster", "ORIGINAL_DST", Span::default()));
    }
    for service in sidecar::services(world, proxy) {
        let rule = world.rule(service, proxy);
        for port in service.ports.iter().filter(|p| World::has_cluster(p)) {
            let policy = rule.and_then(|r| r.spec.get("trafficPolicy"));
            let own = Policy::of(policy, None, port);
            let mut add =
                |name: String, labels: &BTreeMap<String, String>, policy: &Policy, span: Span| {
                    let made = Made {
                        world,
                        proxy,
                        service,
                        port,
                        name,
                        span,
                    };
                    let (cluster, assignment) = made.build(policy, labels);
                    clusters.push(cluster);
                    assignments.extend(assignment);
                };
            let name = |subset: &str| cluster_name(subset, &service.hostname, port.number.into());
            let at = policy.map_or(port.span, |p| p.span);
            add(name(""), &BTreeMap::new(), &own, at);
            for subset in rule.map_or(&[][..], |r| r.spec.each("subsets")) {
                let labels = subset
                    .sorted("labels")
                    .iter()
                    .map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
                    .collect();
                let own = subset.get("trafficPolicy");
                let policy = Policy {
                    level: own,
                    ..Policy::of(policy, own, port)
                };
                add(name(subset.text("name")), &labels, &policy, subset.span);
            }
        }
    }
    (clusters, assignments)
}

/// What goes in from the sidecar comes from this address, which its capture rules let through.
pub(super) fn inbound_bind(span: Span) -> Message {
    let address = Message::new(span)
        .str("address", "127.0.0.6")
        .int("portValue", 0);
    Message::new(span).message("sourceAddress", address)
}

/// The address of a Unix socket.
pub(super) fn pipe(path: &str, span: Span) -> Message {
    Message::new(span).message("pipe", Message::new(span).str("path", path))
}

fn fixed(name: &str, kind: &str, span: Span) -> Node {
    fixed_message(name, kind, span).end()
}

fn fixed_message(name: &str, kind: &str, span: Span) -> Message {
    let out = Message::new(span)
        .str("name", name)
        .str("type", kind)
        .str("connectTimeout", "10s");
    if kind == "ORIGINAL_DST" {
        out.str("lbPolicy", "CLUSTER_PROVIDED")
    } else {
        out
    }
}

/// The parts of a traffic policy that hold for one port of one subset: the subset's port's, the subset's, the port's, the
/// host's; a port's settings replace the others as a whole, a subset's part by part (`MergeTrafficPolicy`).
#[derive(Clone, Copy, Debug, Default)]
struct Policy<'w> {
    load_balancer: Option<&'w Node>,
    connection_pool: Option<&'w Node>,
    outlier: Option<&'w Node>,
    tls: Option<&'w Node>,
    /// What the rule says of the subset alone, or of the host where it is for no subset, with all ports: auto mTLS asks it.
    level: Option<&'w Node>,
}

impl<'w> Policy<'w> {
    fn of(host: Option<&'w Node>, subset: Option<&'w Node>, port: &Port) -> Self {
        let mut policy = Policy {
            level: host,
            ..Policy::default()
        };
        for level in [host, subset].into_iter().flatten() {
            policy.take(level, false);
            let number = i64::from(port.number);
            let of_port = |s: &&Node| s.get("port").is_some_and(|p| p.number("number") == number);
            if let Some(settings) = level.each("portLevelSettings").iter().find(of_port) {
                policy.take(settings, true);
            }
        }
        policy
    }

    fn take(&mut self, from: &'w Node, whole: bool) {
        let pick = |key: &str, old: Option<&'w Node>| match from.get(key) {
            Some(new) => Some(new),
            None if whole => None,
            None => old,
        };
        self.load_balancer = pick("loadBalancer", self.load_balancer);
        self.connection_pool = pick("connectionPool", self.connection_pool);
        self.outlier = pick("outlierDetection", self.outlier);
        self.tls = pick("tls", self.tls);
    }

    /// Whether it says that endpoints are called with mTLS (`trafficPolicyTLSModeForPort`). What is said for all ports counts
    /// here even for one whose own settings say nothing.
    fn says_mutual(&self, port: &Port) -> Option<bool> {
        let level = self.level?;
        let number = i64::from(port.number);
        let of_port = |s: &&Node| s.get("port").is_some_and(|p| p.number("number") == number);
        let mut ports = level.each("portLevelSettings").iter().filter(of_port);
        let tls = ports.find_map(|s| s.get("tls")).or(level.get("tls"));
        tls.map(|t| t.text("mode") == "ISTIO_MUTUAL")
    }
}

struct Made<'w> {
    world: &'w World,
    proxy: &'w Proxy,
    service: &'w Service,
    port: &'w Port,
    name: String,
    span: Span,
}

impl Made<'_> {
    fn build(&self, policy: &Policy, labels: &BTreeMap<String, String>) -> (Node, Option<Node>) {
        let gateway = self.proxy.kind == ProxyKind::Router;
        let simple = policy.load_balancer.map_or("", |l| l.text("simple"));
        let kind = match self.service.resolution {
            _ if simple == "PASSTHROUGH" => "ORIGINAL_DST",
            Resolution::Endpoints => "EDS",
            Resolution::Dns => "STRICT_DNS",
            Resolution::DnsRoundRobin => "LOGICAL_DNS",
            // A gateway is not where the client meant to go: it is told the endpoints, of a ServiceEntry mostly none.
            Resolution::Passthrough if gateway => "EDS",
            Resolution::Passthrough => "ORIGINAL_DST",
        };
        let mut out = Message::new(self.span)
            .str("name", &self.name)
            .str("type", kind);
        let timeout = policy
            .connection_pool
            .and_then(|p| nanoseconds(p.get("tcp")?.get("connectTimeout")?.str()?));
        out = out.str(
            "connectTimeout",
            duration(timeout.unwrap_or(10_000_000_000)),
        );
        out = self.load_balancer(out, kind, policy);
        if let Some(outlier) = policy.outlier {
            out = out.message("outlierDetection", outlier_detection(outlier));
        }
        out = out.message("commonLbConfig", self.common_lb_config(policy));
        out = out.message(
            "circuitBreakers",
            circuit_breakers(policy.connection_pool, self.span),
        );
        if let Some(tls) = policy
            .tls
            .filter(|t| matches!(t.text("mode"), "SIMPLE" | "MUTUAL"))
        {
            let config = Message::new(tls.span)
                .str("@type", UPSTREAM_TLS)
                .str("sni", tls.text("sni"));
            let socket = Message::new(tls.span)
                .str("name", "envoy.transport_sockets.tls")
                .message("typedConfig", config);
            out = out.message("transportSocket", socket);
        }
        match policy.tls.map(|t| t.text("mode")) {
            Some("ISTIO_MUTUAL") => out = out.message("transportSocket", self.mutual()),
            // Without a word of it, whoever has a sidecar is called so (auto mTLS). Who is called where the client meant to go
            // has no labels to tell it by.
            None if self.is_mutual(policy) && kind == "ORIGINAL_DST" => {
                out = out.message("transportSocket", self.mutual());
            }
            None if self.is_mutual(policy) && self.knows_sidecars() => {
                out = out.list("transportSocketMatches", self.auto_mutual());
            }
            _ => {}
        }
        let assignment = matches!(kind, "EDS" | "STRICT_DNS" | "LOGICAL_DNS")
            .then(|| self.assignment(labels, policy));
        if kind == "EDS" {
            let eds = Message::new(self.span).str("serviceName", &self.name);
            return (out.message("edsClusterConfig", eds).end(), assignment);
        }
        (out.maybe("loadAssignment", assignment).end(), None)
    }

    fn load_balancer(&self, out: Message, kind: &str, policy: &Policy) -> Message {
        if kind == "ORIGINAL_DST" {
            return out.str("lbPolicy", "CLUSTER_PROVIDED");
        }
        let balancer = policy.load_balancer;
        if let Some(hash) = balancer.and_then(|l| l.get("consistentHash")) {
            let size = |key: &str, of: &Node, absent: i64| match of.number(key) {
                0 => absent,
                n => n,
            };
            if let Some(maglev) = hash.get("maglev") {
                let config =
                    Message::new(hash.span).int("tableSize", size("tableSize", maglev, 65_537));
                return out
                    .str("lbPolicy", "MAGLEV")
                    .message("maglevLbConfig", config);
            }
            let ring = hash.get("ringHash").unwrap_or(hash);
            let minimum = match ring.number("minimumRingSize") {
                0 => size("minimumRingSize", hash, 1024),
                n => n,
            };
            let config = Message::new(hash.span).int("minimumRingSize", minimum);
            return out
                .str("lbPolicy", "RING_HASH")
                .message("ringHashLbConfig", config);
        }
        match balancer.map_or("", |l| l.text("simple")) {
            // Envoy's own default is left out, as protobuf does.
            "ROUND_ROBIN" => out,
            "RANDOM" => out.str("lbPolicy", "RANDOM"),
            _ => out.str("lbPolicy", "LEAST_REQUEST"),
        }
    }

    fn locality_setting<'p>(&self, policy: &Policy<'p>) -> Option<&'p Node> {
        policy.load_balancer?.get("localityLbSetting")
    }

    fn common_lb_config(&self, policy: &Policy) -> Message {
        let mut out = Message::new(self.span);
        if let Some(outlier) = policy.outlier {
            let percent = outlier.number("minHealthPercent");
            let threshold = Message::new(outlier.span);
            let threshold = if percent > 0 {
                threshold.int("value", percent)
            } else {
                threshold
            };
            out = out.message("healthyPanicThreshold", threshold);
        }
        let setting = self.locality_setting(policy).filter(|s| enabled(s));
        let failover = |s: &Node| {
            policy.outlier.is_some()
                && (s.get("failover").is_some() || s.get("failoverPriority").is_some())
        };
        if setting.is_some_and(|s| s.get("distribute").is_some() || failover(s)) {
            out = out.message("localityWeightedLbConfig", Message::new(self.span));
        }
        out
    }
}

fn enabled(setting: &Node) -> bool {
    setting
        .get("enabled")
        .is_none_or(|e| e.bool() != Some(false))
}

fn outlier_detection(outlier: &Node) -> Message {
    let mut out = Message::new(outlier.span);
    for (from, key, enforce) in [
        (
            "consecutive5xxErrors",
            "consecutive5xx",
            "enforcingConsecutive5xx",
        ),
        (
            "consecutiveGatewayErrors",
            "consecutiveGatewayFailure",
            "enforcingConsecutiveGatewayFailure",
        ),
    ] {
        if outlier.get(from).is_some() {
            let n = outlier.number(from);
            out = out.int(key, n).int(enforce, if n > 0 { 100 } else { 0 });
        }
    }
    for (from, key) in [
        ("interval", "interval"),
        ("baseEjectionTime", "baseEjectionTime"),
    ] {
        if let Some(ns) = outlier.get(from).and_then(|d| nanoseconds(d.str()?)) {
            out = out.str(key, duration(ns));
        }
    }
    if outlier.number("maxEjectionPercent") > 0 {
        out = out.int("maxEjectionPercent", outlier.number("maxEjectionPercent"));
    }
    out.int("enforcingSuccessRate", 0)
}

fn circuit_breakers(pool: Option<&Node>, span: Span) -> Message {
    let (tcp, http) = (
        pool.and_then(|p| p.get("tcp")),
        pool.and_then(|p| p.get("http")),
    );
    let limit = |from: Option<&Node>, key: &str| match from.map_or(0, |f| f.number(key)) {
        0 => i64::from(u32::MAX),
        n => n,
    };
    let threshold = Message::new(pool.map_or(span, |p| p.span))
        .int("maxConnections", limit(tcp, "maxConnections"))
        .int("maxPendingRequests", limit(http, "http1MaxPendingRequests"))
        .int("maxRequests", limit(http, "http2MaxRequests"))
        .int("maxRetries", limit(http, "maxRetries"));
    Message::new(span).list("thresholds", vec![threshold.end()])
}
