//! A sidecar's listeners. Source: `pilot/pkg/networking/core/listener.go`, `listener_inbound.go`.

use std::collections::BTreeMap;

use super::authn::Mode;
use super::authz::Filters;
use super::cluster::inbound_bind;
use super::connection_manager::{Manager, end_tls, listener, listener_filters, rds, tcp_proxy};
use super::gateway::destinations;
use super::host;
use super::message::{Ask, Message};
use super::route::cluster_name;
use super::service::{Port, Protocol, Resolution, Service};
use super::sidecar::{Egress, allows_any, egress};
use super::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::Node;

const OUTBOUND: [&str; 3] = [
    "istio.metadata_exchange",
    "envoy.filters.http.grpc_stats",
    "istio.alpn",
];
const INBOUND: [&str; 2] = ["istio.metadata_exchange", "envoy.filters.http.grpc_stats"];

/// All listeners, and the names of the route configurations that they ask for.
pub(super) fn listeners(world: &World, proxy: &Proxy) -> (Vec<Node>, Vec<String>) {
    let mut out: BTreeMap<String, Outbound> = BTreeMap::new();
    for egress in egress(world, proxy) {
        for service in &egress.services {
            for port in service
                .ports
                .iter()
                .filter(|p| egress.port.is_none_or(|e| e == p.number))
            {
                outbound(world, proxy, &egress, service, port, &mut out);
            }
        }
    }
    let any = allows_any(world, proxy);
    let mut names: Vec<String> = Vec::new();
    let mut made: Vec<Node> = Vec::new();
    for (name, outbound) in out {
        names.extend(outbound.route.clone());
        made.push(outbound.end(&name, world, any));
    }
    made.push(virtual_outbound(proxy, any));
    made.push(virtual_inbound(world, proxy));
    names.sort();
    names.dedup();
    (made, names)
}

/// A listener while services are put on it.
struct Outbound {
    address: String,
    port: u16,
    route: Option<String>,
    /// The port's protocol is told from the bytes.
    sniffed: bool,
    tcp: Vec<Node>,
    span: Span,
}

fn outbound(
    world: &World,
    proxy: &Proxy,
    egress: &Egress,
    service: &Service,
    port: &Port,
    out: &mut BTreeMap<String, Outbound>,
) {
    if port.protocol == Protocol::Udp {
        return;
    }
    let own_address = service.addresses.first().filter(|a| *a != "0.0.0.0");
    let headless = service.kubernetes && service.resolution == Resolution::Passthrough;
    let (address, route) = if port.protocol.is_http() {
        ("0.0.0.0".to_string(), Some(port.number.to_string()))
    } else {
        let route = format!("{}:{}", service.hostname, port.number);
        let sniffed = port.protocol == Protocol::Unknown;
        match own_address {
            Some(address) => (address.clone(), sniffed.then_some(route)),
            None => (
                "0.0.0.0".to_string(),
                sniffed.then(|| port.number.to_string()),
            ),
        }
    };
    let addresses: Vec<String> =
        if headless && !port.protocol.is_http() && !service.endpoints.is_empty() {
            let own: Vec<String> = proxy.addresses.iter().map(ToString::to_string).collect();
            let pods = service.endpoints.iter().map(|e| e.address.clone());
            pods.filter(|a| !own.contains(a)).collect()
        } else {
            vec![address]
        };
    for address in addresses {
        let name = format!("{address}_{}", port.number);
        let entry = out.entry(name).or_insert_with(|| Outbound {
            address,
            port: port.number,
            route: None,
            sniffed: false,
            tcp: Vec::new(),
            span: port.span,
        });
        if entry.route.is_none() {
            entry.route.clone_from(&route);
        }
        entry.sniffed |= port.protocol == Protocol::Unknown;
        if !port.protocol.is_http() {
            let chains = tcp_chains(world, proxy, egress, service, port);
            if entry.tcp.is_empty() {
                entry.tcp = chains;
            }
        }
    }
}

/// The chains of a TCP or TLS port: by the SNI that VirtualServices name, or straight to the service.
fn tcp_chains(
    world: &World,
    proxy: &Proxy,
    egress: &Egress,
    service: &Service,
    port: &Port,
) -> Vec<Node> {
    let mut out = Vec::new();
    let number = i64::from(port.number);
    let meant = |m: &Node| {
        let p = m.number("port");
        let gateways = m.texts("gateways");
        (p == 0 || p == number) && (gateways.is_empty() || gateways.contains(&"mesh"))
    };
    let span = port.span;
    for vs in &egress.virtual_services {
        let ours = vs
            .spec
            .texts("hosts")
            .iter()
            .any(|h| host::matches(h, &service.hostname));
        if !ours {
            continue;
        }
        for rule in vs.spec.each("tls") {
            for condition in rule.each("match").iter().filter(|m| meant(m)) {
                let names: Vec<String> = condition
                    .texts("sniHosts")
                    .into_iter()
                    .map(str::to_string)
                    .collect();
                let clusters = destinations(world, proxy, rule, number);
                let matches = Message::new(condition.span).strings("serverNames", &names);
                out.push(
                    Message::new(condition.span)
                        .message("filterChainMatch", matches)
                        .list("filters", vec![tcp_proxy(&clusters, rule.span)])
                        .end(),
                );
            }
        }
        for rule in vs.spec.each("tcp") {
            let matches = rule.each("match");
            if matches.is_empty() || matches.iter().any(&meant) {
                let clusters = destinations(world, proxy, rule, number);
                out.push(
                    Message::new(rule.span)
                        .list("filters", vec![tcp_proxy(&clusters, rule.span)])
                        .end(),
                );
                return out;
            }
        }
    }
    if out.is_empty() {
        let cluster = cluster_name("", &service.hostname, number);
        out.push(
            Message::new(span)
                .list("filters", vec![tcp_proxy(&[(cluster, 1)], span)])
                .end(),
        );
    }
    out
}

fn passthrough_chain(any: bool, span: Span) -> Node {
    let (name, cluster) = match any {
        true => ("PassthroughFilterChain", "PassthroughCluster"),
        false => ("BlackHoleFilterChain", "BlackHoleCluster"),
    };
    Message::new(span)
        .str("name", name)
        .list(
            "filters",
            vec![tcp_proxy(&[(cluster.to_string(), 1)], span)],
        )
        .end()
}

impl Outbound {
    fn end(self, name: &str, world: &World, any: bool) -> Node {
        let span = self.span;
        let mut out = listener(name, &self.address, self.port.into(), span);
        let mut chains = Vec::new();
        let mut inspectors = Vec::new();
        let by_name = self.tcp.iter().any(|c| c.get("filterChainMatch").is_some());
        if by_name {
            inspectors.push("envoy.filters.listener.tls_inspector");
        }
        if let Some(route) = &self.route {
            let manager = Manager {
                mesh: &world.mesh,
                access: None,
                trusted_proxies: 0,
                silent: &OUTBOUND,
                server_name: None,
                use_remote_address: false,
                client_cert: None,
            };
            let condition = Message::new(span)
                .str("transportProtocol", "raw_buffer")
                .strings("applicationProtocols", &["http/1.1".into(), "h2c".into()]);
            chains.push(
                Message::new(span)
                    .message("filterChainMatch", condition)
                    .list("filters", vec![manager.filter(rds(route, span), span)])
                    .end(),
            );
            inspectors.push("envoy.filters.listener.http_inspector");
            if self.tcp.is_empty() {
                out = out.node("defaultFilterChain", passthrough_chain(any, span));
            }
        }
        chains.extend(self.tcp);
        out.list("filterChains", chains)
            .some("listenerFilters", listener_filters(&inspectors, span))
            .bool("bindToPort", false)
            .end()
    }
}

fn virtual_outbound(proxy: &Proxy, any: bool) -> Node {
    let span = Span::default();
    let chain = |name: &str, cluster: &str, port: Option<i64>| {
        let out = Message::new(span).str("name", name);
        let out = match port {
            Some(port) => out.message(
                "filterChainMatch",
                Message::new(span).int("destinationPort", port),
            ),
            None => out,
        };
        out.list(
            "filters",
            vec![tcp_proxy(&[(cluster.to_string(), 1)], span)],
        )
        .end()
    };
    let rest = if any {
        "PassthroughCluster"
    } else {
        "BlackHoleCluster"
    };
    capturing("virtualOutbound", 15_001, proxy)
        .bool("useOriginalDst", true)
        .list(
            "filterChains",
            vec![
                chain(
                    "virtualOutbound-blackhole",
                    "BlackHoleCluster",
                    Some(15_001),
                ),
                chain("virtualOutbound-catchall-tcp", rest, None),
            ],
        )
        .end()
}

/// What comes in for the app: chains for each port that a Service knows, in mTLS and in the clear, and for the rest.
fn virtual_inbound(world: &World, proxy: &Proxy) -> Node {
    let span = Span::default();
    let mut chains = Vec::new();
    let blackhole = Message::new(span).int("destinationPort", 15_006);
    chains.push(
        Message::new(span)
            .str("name", "virtualInbound-blackhole")
            .message("filterChainMatch", blackhole)
            .list(
                "filters",
                vec![tcp_proxy(&[("BlackHoleCluster".into(), 1)], span)],
            )
            .end(),
    );
    let access = world.access.filters(world, proxy);
    let mut seen = Vec::new();
    for service in world.services_in_front(proxy) {
        for port in service.ports.iter().filter(|p| p.protocol != Protocol::Udp) {
            let own = service
                .endpoints
                .iter()
                .find(|e| proxy.addresses.iter().any(|a| a.to_string() == e.address));
            let target = own
                .and_then(|e| e.ports.get(&port.name).copied())
                .or(port.target);
            let Some(target) = target.filter(|t| !seen.contains(t)) else {
                continue;
            };
            seen.push(target);
            let (mode, said) = mode(world, proxy, target);
            let span = said.unwrap_or(port.span);
            let inbound = Inbound::to_service(world, &access, target, span);
            chains.extend(inbound.chains(takes(port.protocol, mode)));
        }
    }
    // PeerAuthentication may say of a port what no Service says (`Builder.ForPassthrough`).
    let root = &world.mesh.root_namespace;
    let ports = world
        .peers
        .ports(root, &proxy.namespace, &proxy.labels)
        .filter(|p| !seen.contains(p));
    for port in std::iter::once(0).chain(ports) {
        let (mode, said) = mode(world, proxy, port);
        let inbound = Inbound::passed_through(world, &access, port, said.unwrap_or_default());
        chains.extend(inbound.chains(takes(Protocol::Unknown, mode)));
    }
    let inspectors = [
        "envoy.filters.listener.tls_inspector",
        "envoy.filters.listener.http_inspector",
    ];
    let mut filters = listener_filters(&["envoy.filters.listener.original_dst"], span);
    filters.extend(proxy.transparent.then(original_src));
    filters.extend(listener_filters(&inspectors, span));
    capturing("virtualInbound", 15_006, proxy)
        .list("filterChains", chains)
        .list("listenerFilters", filters)
        .end()
}

/// A listener that caught connections come to.
fn capturing(name: &str, port: i64, proxy: &Proxy) -> Message {
    let out = listener(name, "0.0.0.0", port, Span::default());
    match proxy.transparent {
        true => out.bool("transparent", true),
        false => out,
    }
}

/// The app sees who asks (`xdsfilters.OriginalSrc`).
fn original_src() -> Node {
    let span = Span::default();
    let config = Message::new(span)
        .str(
            "@type",
            "type.googleapis.com/envoy.extensions.filters.listener.original_src.v3.OriginalSrc",
        )
        .int("mark", 1337);
    Message::new(span)
        .str("name", "envoy.filters.listener.original_src")
        .message("typedConfig", config)
        .end()
}

/// The name of an inbound cluster.
fn inbound_cluster(port: u16) -> String {
    format!("inbound|{port}||")
}

/// The inbound clusters of a sidecar.
pub(super) fn inbound_clusters(world: &World, proxy: &Proxy) -> Vec<Node> {
    let mut seen: BTreeMap<u16, Span> = BTreeMap::new();
    for service in world.services_in_front(proxy) {
        let own = service
            .endpoints
            .iter()
            .find(|e| proxy.addresses.iter().any(|a| a.to_string() == e.address));
        for port in service.ports.iter().filter(|p| p.protocol != Protocol::Udp) {
            if let Some(target) = own
                .and_then(|e| e.ports.get(&port.name).copied())
                .or(port.target)
            {
                seen.entry(target).or_insert(port.span);
            }
        }
    }
    let made = seen.into_iter().map(|(port, span)| {
        Message::new(span)
            .str("name", inbound_cluster(port))
            .str("type", "ORIGINAL_DST")
            .str("lbPolicy", "CLUSTER_PROVIDED")
            .str("connectTimeout", "10s")
            .message("upstreamBindConfig", inbound_bind(span))
            .end()
    });
    made.collect()
}

fn inbound_routes(cluster: &str, port: u16, span: Span) -> (&'static str, Node) {
    let action = Message::new(span)
        .str("cluster", cluster)
        .str("timeout", "0s")
        .message(
            "retryPolicy",
            Message::new(span)
                .str("retryOn", "reset-before-request")
                .int("numRetries", 2),
        );
    let route = Message::new(span)
        .str("name", "default")
        .message("match", Message::new(span).str("prefix", "/"))
        .message("route", action);
    let host = Message::new(span)
        .str("name", format!("inbound|http|{port}"))
        .strings("domains", &["*".into()])
        .list("routes", vec![route.end()]);
    let config = Message::new(span)
        .str("name", cluster)
        .list("virtualHosts", vec![host.end()])
        .bool("validateClusters", false);
    ("routeConfig", config.end())
}

fn inbound_manager<'a>(world: &'a World, access: &'a Filters) -> Manager<'a> {
    Manager {
        mesh: &world.mesh,
        access: Some(access),
        trusted_proxies: 0,
        silent: &INBOUND,
        server_name: Some("istio-envoy"),
        use_remote_address: false,
        client_cert: Some("APPEND_FORWARD"),
    }
}

fn mode(world: &World, proxy: &Proxy, port: u16) -> (Mode, Option<Span>) {
    let root = &world.mesh.root_namespace;
    world
        .peers
        .mode(root, &proxy.namespace, &proxy.labels, port)
}

/// Which connections a chain takes and how it reads them. Source: `filterchain_options.go`.
#[derive(Clone, Copy, Debug)]
struct Take {
    transport: &'static str,
    alpn: &'static [&'static str],
    http: bool,
    /// TLS ends here.
    ends: bool,
}

fn mutual(alpn: &'static [&'static str], http: bool) -> Take {
    Take {
        transport: "tls",
        alpn,
        http,
        ends: true,
    }
}

fn plain(alpn: &'static [&'static str], http: bool) -> Take {
    Take {
        transport: "raw_buffer",
        alpn,
        http,
        ends: false,
    }
}

/// TLS that is the app's own.
const APPS_TLS: Take = Take {
    transport: "tls",
    alpn: &[],
    http: false,
    ends: false,
};

const MESH: &[&str] = &[
    "istio",
    "istio-peer-exchange",
    "istio-http/1.0",
    "istio-http/1.1",
    "istio-h2",
];
const MESH_HTTP: &[&str] = &["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const MESH_TCP: &[&str] = &["istio-peer-exchange", "istio"];
const PLAIN_HTTP: &[&str] = &["http/1.1", "h2c"];

/// What a port takes of connections, as PeerAuthentication lets them in: what the app speaks decides who reads them.
fn takes(protocol: Protocol, mode: Mode) -> Vec<Take> {
    match mode {
        Mode::Strict if protocol.is_http() => vec![mutual(&[], true)],
        Mode::Permissive if protocol.is_http() => vec![mutual(MESH, true), plain(&[], true)],
        Mode::Disable if protocol.is_http() => vec![plain(&[], true)],
        Mode::Strict if protocol == Protocol::Unknown => {
            vec![mutual(MESH_HTTP, true), mutual(&[], false)]
        }
        Mode::Permissive if protocol == Protocol::Unknown => vec![
            mutual(MESH_HTTP, true),
            plain(PLAIN_HTTP, true),
            mutual(MESH_TCP, false),
            plain(&[], false),
            APPS_TLS,
        ],
        Mode::Disable if protocol == Protocol::Unknown => {
            vec![plain(PLAIN_HTTP, true), plain(&[], false)]
        }
        Mode::Strict => vec![mutual(&[], false)],
        Mode::Permissive => vec![mutual(MESH, false), APPS_TLS, plain(&[], false)],
        Mode::Disable => vec![plain(&[], false)],
    }
}

/// Where connections come in that chains are made for.
struct Inbound<'w> {
    world: &'w World,
    access: &'w Filters,
    cluster: String,
    /// What the chains are called that read HTTP, and the others.
    names: [String; 2],
    /// Of the app; 0 for all.
    port: u16,
    /// The port that the name of the virtual host has.
    named: u16,
    span: Span,
}

impl<'w> Inbound<'w> {
    /// At a port that a Service has.
    fn to_service(world: &'w World, access: &'w Filters, port: u16, span: Span) -> Self {
        let name = format!("0.0.0.0_{port}");
        Self {
            world,
            access,
            cluster: inbound_cluster(port),
            names: [name.clone(), name],
            port,
            named: port,
            span,
        }
    }

    /// At one that no Service has, or at all of these.
    fn passed_through(world: &'w World, access: &'w Filters, port: u16, span: Span) -> Self {
        Self {
            world,
            access,
            cluster: "InboundPassthroughCluster".into(),
            names: [
                "virtualInbound-catchall-http".into(),
                "virtualInbound".into(),
            ],
            port,
            named: 0,
            span,
        }
    }

    fn chains(&self, takes: Vec<Take>) -> Vec<Node> {
        takes.into_iter().map(|take| self.chain(take)).collect()
    }

    fn chain(&self, take: Take) -> Node {
        let (cluster, span) = (&self.cluster, self.span);
        let [http_name, tcp_name] = &self.names;
        let mut filters = Vec::new();
        let (name, filter, offered): (_, _, &[&str]) = match take.http {
            true => {
                let routes = inbound_routes(cluster, self.named, span);
                let filter = inbound_manager(self.world, self.access).filter(routes, span);
                (http_name, filter, &["h2", "http/1.1"])
            }
            false => {
                filters.extend(self.access.tcp.iter().cloned());
                let filter = tcp_proxy(&[(cluster.clone(), 1)], span);
                let offered = &["istio-peer-exchange", "h2", "http/1.1"];
                (tcp_name, filter, offered)
            }
        };
        let mut condition = Message::new(span);
        if self.port != 0 {
            condition = condition.int("destinationPort", self.port);
        }
        condition = condition.str("transportProtocol", take.transport);
        if !take.alpn.is_empty() {
            let alpn: Vec<String> = take.alpn.iter().map(|a| a.to_string()).collect();
            condition = condition.strings("applicationProtocols", &alpn);
        }
        filters.push(filter);
        let end = take.ends.then(|| end_tls(true, offered, "default", span));
        Message::new(span)
            .str("name", name)
            .message("filterChainMatch", condition)
            .list("filters", filters)
            .maybe("transportSocket", end)
            .end()
    }
}
