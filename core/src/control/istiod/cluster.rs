//! Clusters and their endpoints. Source: `pilot/pkg/networking/core/cluster*.go`, `pilot/pkg/xds/endpoints/`.

use std::collections::BTreeMap;

use super::authn::Mode;
use super::message::{Ask, Message, duration, nanoseconds};
use super::route::cluster_name;
use super::service::{Endpoint, Locality, Port, Resolution, Service};
use super::sidecar;
use super::world::{Proxy, ProxyKind, World};
use crate::text::Span;
use crate::yaml::Node;

const UPSTREAM_TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const RAW_BUFFER: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

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

    /// Whether auto mTLS is for the service (`BestEffortInferServiceMTLSMode`): not where the mesh ends, nor where its
    /// namespace takes none; and where its endpoints are not told to proxies, only if all of them have a sidecar.
    fn is_mutual(&self, policy: &Policy) -> bool {
        let (service, mesh) = (self.service, &self.world.mesh);
        let peers = &self.world.peers;
        if service.external
            || !mesh.auto_mtls
            || peers.disabled_in(&mesh.root_namespace, &service.namespace)
        {
            return false;
        }
        let balancer = policy.level.and_then(|l| l.get("loadBalancer"));
        let untold = balancer.is_some_and(|l| l.text("simple") == "PASSTHROUGH");
        if !untold && service.resolution != Resolution::Passthrough {
            return true;
        }
        let all = service.called().iter();
        let mut all = all.filter(|e| e.ports.contains_key(&self.port.name));
        all.next().is_some_and(|e| !e.has_none()) && !all.any(Endpoint::has_none)
    }

    fn knows_sidecars(&self) -> bool {
        self.service.called().iter().any(Endpoint::has_sidecar)
    }

    /// mTLS with the mesh's own certificates (`buildUpstreamClusterTLSContext`).
    fn mutual(&self) -> Message {
        let secrets = vec![Message::new(self.span).str("name", "default").end()];
        let common = Message::new(self.span)
            .list("tlsCertificateSdsSecretConfigs", secrets)
            .strings(
                "alpnProtocols",
                &["istio-peer-exchange".into(), "istio".into()],
            );
        let config = Message::new(self.span)
            .str("@type", UPSTREAM_TLS)
            .message("commonTlsContext", common)
            // The cluster's name as SNI spells it (`BuildDNSSrvSubsetKey`).
            .str("sni", self.name.replace('|', "_."));
        Message::new(self.span)
            .str("name", "envoy.transport_sockets.tls")
            .message("typedConfig", config)
    }

    fn auto_mutual(&self) -> Vec<Node> {
        let labels = Message::new(self.span).str("tlsMode", "istio");
        let plain = Message::new(self.span)
            .str("name", "envoy.transport_sockets.raw_buffer")
            .message(
                "typedConfig",
                Message::new(self.span).str("@type", RAW_BUFFER),
            );
        [
            ("tlsMode-istio", labels, self.mutual()),
            ("tlsMode-disabled", Message::new(self.span), plain),
        ]
        .map(|(name, labels, socket)| {
            Message::new(self.span)
                .str("name", name)
                .message("match", labels)
                .message("transportSocket", socket)
                .end()
        })
        .to_vec()
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

    fn assignment(&self, labels: &BTreeMap<String, String>, policy: &Policy) -> Node {
        let mut groups: BTreeMap<Locality, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in self.service.called() {
            let subset = labels
                .iter()
                .all(|(k, v)| endpoint.labels.get(k) == Some(v));
            if subset && endpoint.ports.contains_key(&self.port.name) {
                groups
                    .entry(endpoint.locality.clone())
                    .or_default()
                    .push(endpoint);
            }
        }
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(locality, endpoints)| Group {
                weight: endpoints.iter().map(|e| e.weight).sum(),
                locality,
                endpoints,
                priority: 0,
            })
            .collect();
        let setting = self.locality_setting(policy);
        let on = setting.map_or(self.world.mesh.locality_load_balancing, enabled);
        if on {
            let here = Locality::parse(&self.proxy.locality);
            let distribute = setting.filter(|s| s.get("distribute").is_some());
            match distribute {
                Some(setting) => by_weights(&mut groups, &here, setting.each("distribute")),
                None if policy.outlier.is_some() => {
                    let wanted: Vec<&str> = setting
                        .map(|s| s.texts("failoverPriority"))
                        .unwrap_or_default();
                    let failover = setting.map_or(&[][..], |s| s.each("failover"));
                    if wanted.is_empty() {
                        by_distance(&mut groups, &here, failover);
                    } else {
                        groups = by_labels(groups, &self.proxy.labels, &wanted);
                    }
                }
                None => {}
            }
        }
        let endpoints = groups.iter().map(|g| self.group(g, policy)).collect();
        Message::new(self.span)
            .str("clusterName", &self.name)
            .list("endpoints", endpoints)
            .end()
    }

    fn group(&self, group: &Group, policy: &Policy) -> Node {
        let dns =
            self.service.resolution != Resolution::Endpoints && !World::is_headless(self.service);
        let endpoints = group.endpoints.iter().map(|e| {
            let port = e
                .ports
                .get(&self.port.name)
                .copied()
                .unwrap_or(self.port.number);
            let address = match e.address.strip_prefix("unix://") {
                Some(path) => pipe(path, e.span),
                None => {
                    let socket = Message::new(e.span)
                        .str("address", &e.address)
                        .int("portValue", port);
                    Message::new(e.span).message("socketAddress", socket)
                }
            };
            let mut out = Message::new(e.span)
                .message("endpoint", Message::new(e.span).message("address", address));
            if !dns {
                out = out.str("healthStatus", "HEALTHY");
            }
            let encrypted = || {
                let (root, namespace) = (&self.world.mesh.root_namespace, &self.service.namespace);
                let (mode, _) = self.world.peers.mode(root, namespace, &e.labels, port);
                mode != Mode::Disable
            };
            let mutual = || policy.says_mutual(self.port).unwrap_or_else(encrypted);
            if e.has_sidecar() && mutual() {
                let labels = Message::new(e.span).str("tlsMode", "istio");
                let filters = Message::new(e.span).message("envoy.transport_socket_match", labels);
                let metadata = Message::new(e.span).message("filterMetadata", filters);
                out = out.message("metadata", metadata);
            }
            out.int("loadBalancingWeight", e.weight).end()
        });
        let mut locality = Message::new(self.span);
        for (key, value) in [
            ("region", &group.locality.region),
            ("zone", &group.locality.zone),
            ("subZone", &group.locality.subzone),
        ] {
            if !value.is_empty() {
                locality = locality.str(key, value);
            }
        }
        let mut out = Message::new(self.span)
            .message("locality", locality)
            .list("lbEndpoints", endpoints.collect());
        if group.weight > 0 {
            out = out.int("loadBalancingWeight", group.weight);
        }
        if group.priority > 0 {
            out = out.int("priority", group.priority);
        }
        out.end()
    }
}

#[derive(Clone, Debug)]
struct Group<'w> {
    locality: Locality,
    endpoints: Vec<&'w Endpoint>,
    weight: u32,
    priority: u32,
}

fn enabled(setting: &Node) -> bool {
    setting
        .get("enabled")
        .is_none_or(|e| e.bool() != Some(false))
}

/// `applyLocalityWeights`: places that no rule names get nothing.
fn by_weights(groups: &mut [Group], here: &Locality, rules: &[Node]) {
    let Some(rule) = rules.iter().find(|r| here.is_in(r.text("from"))) else {
        return;
    };
    let mut left: Vec<usize> = (0..groups.len()).collect();
    for entry in rule.sorted("to") {
        let share = u64::try_from(entry.value.int().unwrap_or(0)).unwrap_or(0);
        let fits: Vec<usize> = left
            .iter()
            .copied()
            .filter(|at| {
                groups
                    .get(*at)
                    .is_some_and(|g| g.locality.is_in(&entry.key))
            })
            .collect();
        left.retain(|at| !fits.contains(at));
        let total: u64 = fits
            .iter()
            .filter_map(|at| groups.get(*at))
            .map(|g| u64::from(g.weight))
            .sum();
        for at in fits {
            if let Some(group) = groups.get_mut(at) {
                let weight = (u64::from(group.weight) * share).div_ceil(total.max(1));
                if weight > 0 {
                    group.weight = u32::try_from(weight).unwrap_or(u32::MAX);
                }
            }
        }
    }
    for at in left {
        if let Some(group) = groups.get_mut(at) {
            group.endpoints.clear();
        }
    }
}

/// `applyLocalityFailover`: the same zone first, then the same region, then where failover leads.
fn by_distance(groups: &mut [Group], here: &Locality, failover: &[Node]) {
    for group in groups.iter_mut() {
        let there = &group.locality;
        group.priority = if there.region != here.region {
            3
        } else if there.zone != here.zone {
            2
        } else if there.subzone != here.subzone {
            1
        } else {
            0
        };
        if group.priority == 3 {
            let rule = failover.iter().find(|f| f.text("from") == here.region);
            if rule.is_some_and(|r| r.text("to") != there.region) {
                group.priority = 4;
            }
        }
    }
    renumber(groups);
}

/// `applyFailoverPriorities`: the more of the first labels an endpoint shares with the proxy, the sooner.
fn by_labels<'w>(
    groups: Vec<Group<'w>>,
    own: &BTreeMap<String, String>,
    wanted: &[&str],
) -> Vec<Group<'w>> {
    let mut out: Vec<Group> = Vec::new();
    for group in groups {
        let mut split: BTreeMap<u32, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in group.endpoints {
            let differs = wanted.iter().position(|w| {
                let (label, value) = match w.split_once('=') {
                    Some((label, value)) => (label, Some(value)),
                    None => (*w, own.get(*w).map(String::as_str)),
                };
                value.unwrap_or("") != endpoint.labels.get(label).map_or("", String::as_str)
            });
            let priority = differs.map_or(0, |at| wanted.len() - at);
            split
                .entry(u32::try_from(priority).unwrap_or(0))
                .or_default()
                .push(endpoint);
        }
        for (priority, endpoints) in split {
            out.push(Group {
                locality: group.locality.clone(),
                weight: endpoints.iter().map(|e| e.weight).sum(),
                endpoints,
                priority,
            });
        }
    }
    renumber(&mut out);
    out
}

/// Priorities without gaps.
fn renumber(groups: &mut [Group]) {
    let mut used: Vec<u32> = groups.iter().map(|g| g.priority).collect();
    used.sort_unstable();
    used.dedup();
    for group in groups {
        let at = used.iter().position(|p| *p == group.priority).unwrap_or(0);
        group.priority = u32::try_from(at).unwrap_or(0);
    }
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
