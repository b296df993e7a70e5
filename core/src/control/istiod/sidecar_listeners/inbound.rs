//! What comes in at a sidecar. Source: `pilot/pkg/networking/core/listener_inbound.go`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::capturing;
use crate::control::istiod::authn::Mode;
use crate::control::istiod::authz::Filters;
use crate::control::istiod::cluster::{inbound_bind, pipe};
use crate::control::istiod::connection_manager::{
    Manager, end_tls, listener, listener_filters, tcp_proxy,
};
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::service::Protocol;
use crate::control::istiod::sidecar::sidecar;
use crate::control::istiod::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::Node;

const INBOUND: [&str; 2] = ["istio.metadata_exchange", "envoy.filters.http.grpc_stats"];

/// A port at which the app is called.
struct Target {
    port: u16,
    protocol: Protocol,
    /// Of a listener with a socket of its own: where.
    bind: Option<String>,
    /// Where the app is; none where the client meant to go.
    endpoint: Option<To>,
    span: Span,
}

/// A `defaultEndpoint`.
enum To {
    Socket(SocketAddr),
    /// A Unix socket, by its path.
    Pipe(String),
}

impl To {
    /// Of the addresses that mean any or this host, those of the pod's families are meant (`buildInboundClustersFromSidecar`).
    fn read(text: &str, proxy: &Proxy) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Some(To::Pipe(path.to_string()));
        }
        let said: SocketAddr = text.parse().ok()?;
        let own = proxy.addresses.iter();
        let own = own.copied().find(|ip| ip.is_ipv4() == said.is_ipv4());
        let local = |v4: bool| match v4 {
            true => IpAddr::from(Ipv4Addr::LOCALHOST),
            false => IpAddr::from(Ipv6Addr::LOCALHOST),
        };
        let ip = match said.ip() {
            ip if ip.is_unspecified() => own.unwrap_or(local(ip.is_ipv4())),
            ip => local(ip.is_ipv4() == (own.is_some() || proxy.addresses.is_empty())),
        };
        Some(To::Socket(SocketAddr::new(ip, said.port())))
    }

    fn is_loopback(&self) -> bool {
        matches!(self, To::Socket(to) if to.ip().is_loopback())
    }

    fn address(&self, span: Span) -> Message {
        match self {
            To::Socket(to) => {
                let socket = Message::new(span).str("address", to.ip().to_string());
                Message::new(span).message("socketAddress", socket.int("portValue", to.port()))
            }
            To::Pipe(path) => pipe(path, span),
        }
    }
}

/// What a Sidecar's `ingress` says, or else each port that a Service knows (`buildInboundChainConfigs`).
fn targets(world: &World, proxy: &Proxy) -> Vec<Target> {
    let mut all: BTreeMap<u16, Target> = BTreeMap::new();
    let ingress = sidecar(world, proxy).map_or(&[][..], |s| s.spec.each("ingress"));
    for listener in ingress {
        let port = listener.get("port");
        let number = port.map(|p| p.number("number"));
        let Some(number) = number.and_then(|n| u16::try_from(n).ok()) else {
            continue;
        };
        let own = || proxy.addresses.first().map(ToString::to_string);
        let bind = match listener.text("bind") {
            "" => own().unwrap_or_else(|| "0.0.0.0".into()),
            bind => bind.to_string(),
        };
        all.entry(number).or_insert(Target {
            port: number,
            protocol: Protocol::parse(port.map_or("", |p| p.text("protocol"))),
            bind: (listener.text("captureMode") == "NONE").then_some(bind),
            endpoint: To::read(listener.text("defaultEndpoint"), proxy),
            span: listener.span,
        });
    }
    if !ingress.is_empty() {
        return all.into_values().collect();
    }
    for service in world.services_in_front(proxy) {
        let targets = world.targets(service, proxy).into_iter();
        for (port, target) in targets.filter(|(p, _)| p.protocol != Protocol::Udp) {
            all.entry(target).or_insert(Target {
                port: target,
                protocol: port.protocol,
                bind: None,
                endpoint: None,
                span: port.span,
            });
        }
    }
    all.into_values().collect()
}

/// What comes in for the app: chains for each port, in mTLS and in the clear, and for the rest.
pub(super) fn inbound(world: &World, proxy: &Proxy) -> Vec<Node> {
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
    let inspectors = [
        "envoy.filters.listener.tls_inspector",
        "envoy.filters.listener.http_inspector",
    ];
    let (mut seen, mut made) = (Vec::new(), Vec::new());
    for target in targets(world, proxy) {
        let (mode, said) = mode(world, proxy, target.port);
        let span = said.unwrap_or(target.span);
        let own = Inbound::to_service(world, &access, target.port, span);
        let own = own.chains(takes(target.protocol, mode));
        seen.push(target.port);
        match target.bind {
            None => chains.extend(own),
            Some(bind) => {
                let name = format!("{bind}_{}", target.port);
                let bound = listener(&name, &bind, target.port.into(), span)
                    .list("filterChains", own)
                    .list("listenerFilters", listener_filters(&inspectors, span));
                made.push(bound.end());
            }
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
    let mut filters = listener_filters(&["envoy.filters.listener.original_dst"], span);
    filters.extend(proxy.transparent.then(original_src));
    filters.extend(listener_filters(&inspectors, span));
    let captured = capturing("virtualInbound", 15_006, proxy)
        .list("filterChains", chains)
        .list("listenerFilters", filters);
    made.insert(0, captured.end());
    made
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
pub(in crate::control::istiod) fn inbound_clusters(world: &World, proxy: &Proxy) -> Vec<Node> {
    let made = targets(world, proxy).into_iter().map(|target| {
        let span = target.span;
        let name = inbound_cluster(target.port);
        let out = Message::new(span)
            .str("name", &name)
            .str("connectTimeout", "10s");
        let Some(to) = target.endpoint else {
            return out
                .str("type", "ORIGINAL_DST")
                .str("lbPolicy", "CLUSTER_PROVIDED")
                .message("upstreamBindConfig", inbound_bind(span))
                .end();
        };
        let endpoint = Message::new(span).message("address", to.address(span));
        let endpoint = Message::new(span).message("endpoint", endpoint).end();
        let locality = Message::new(span).list("lbEndpoints", vec![endpoint]).end();
        let assignment = Message::new(span)
            .str("clusterName", &name)
            .list("endpoints", vec![locality]);
        let out = out
            .str("type", "STATIC")
            .message("loadAssignment", assignment);
        match to.is_loopback() {
            true => out.end(),
            false => out.message("upstreamBindConfig", inbound_bind(span)).end(),
        }
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
