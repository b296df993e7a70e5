//! Gateways: which servers of which Gateways share a port, and the listeners they become.
//! Source: `pilot/pkg/model/gateway.go` `mergeGateways`, `pilot/pkg/networking/core/gateway.go`.

use std::collections::BTreeMap;

use super::authz::Filters;
use super::connection_manager::{Manager, end_tls, listener, listener_filters, rds, tcp_proxy};
use super::host;
use super::message::{Ask, Message};
use super::object::{Object, Semantics};
use super::route::destination_cluster;
use super::service::{Protocol, Service};
use super::world::{Proxy, World};
use crate::say;
use crate::text::{Diagnostic, Span};
use crate::yaml::{Node, Value};

/// A server of a Gateway that chooses this proxy.
#[derive(Clone, Debug)]
pub(super) struct Server<'w> {
    /// `namespace/name`.
    pub(super) gateway: String,
    object: &'w Object,
    pub(super) spec: &'w Node,
    /// With `./` and `*/` resolved.
    pub(super) hosts: Vec<String>,
    pub(super) number: i64,
    protocol: Protocol,
    pub(super) tls: Option<&'w Node>,
    pub(super) span: Span,
}

impl Server<'_> {
    fn mode(&self) -> &str {
        match self.tls.map(|t| t.text("mode")) {
            None => "",
            // The first of the enumeration.
            Some("") => "PASSTHROUGH",
            Some(mode) => mode,
        }
    }

    fn passes_through(&self) -> bool {
        matches!(self.mode(), "PASSTHROUGH" | "AUTO_PASSTHROUGH")
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some() && !self.protocol.is_http()
    }

    fn is_http(&self) -> bool {
        self.protocol.is_http() || self.ends_https()
    }

    fn ends_https(&self) -> bool {
        self.protocol == Protocol::Https && self.tls.is_some() && !self.passes_through()
    }

    fn bind(&self) -> &str {
        self.spec.text("bind")
    }

    pub(super) fn redirects_to_https(&self) -> bool {
        self.tls.is_some_and(|t| t.flag("httpsRedirect"))
    }

    /// The name of its route configuration; empty where it has none.
    fn route_name(&self, port: u16) -> String {
        let bind = match self.bind() {
            "" => String::new(),
            bind => format!(".{bind}"),
        };
        if self.protocol.is_http() {
            format!("http.{port}{bind}")
        } else if self.protocol == Protocol::Https && !self.passes_through() {
            let name = self.spec.get("port").map_or("", |p| p.text("name"));
            let (gateway, namespace) = (&self.object.name, &self.object.namespace);
            format!("https.{}.{name}.{gateway}.{namespace}{bind}", self.number)
        } else {
            String::new()
        }
    }
}

/// A port of the gateway's pod, as one protocol at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerPort {
    number: u16,
    protocol: String,
    bind: String,
}

/// The Gateways that choose a proxy, as one.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged<'w> {
    pub(super) servers: Vec<Server<'w>>,
    ports: Vec<(ServerPort, Vec<usize>)>,
    pub(super) by_route: BTreeMap<String, Vec<usize>>,
}

impl<'w> Merged<'w> {
    pub(super) fn new(world: &'w World, proxy: &Proxy, log: &mut Vec<Diagnostic>) -> Self {
        let mut merged = Merged::default();
        let mut tls_hosts: BTreeMap<u16, BTreeMap<String, String>> = BTreeMap::new();
        let mut plain: BTreeMap<u16, usize> = BTreeMap::new();
        let mut used: Vec<u16> = Vec::new();
        let mut tcp_binds: Vec<(u16, String)> = Vec::new();
        for object in &world.gateways {
            let Some(resolve) = chooses(object, proxy, world) else {
                continue;
            };
            for spec in object.spec.each("servers") {
                let Some(server) = read(object, spec) else {
                    continue;
                };
                for port in resolve.ports(world, proxy, server.number) {
                    let mut ignored = |why: crate::text::Say| {
                        log.push(Diagnostic::warning(server.span, why));
                    };
                    let route = server.route_name(port);
                    if server.tls.is_some() {
                        let known = tls_hosts.entry(port).or_default();
                        let bind = server.bind().to_string();
                        let twice = server.hosts.iter().find(|h| known.get(*h) == Some(&bind));
                        if let Some(host) = twice {
                            ignored(say!("istio/server-host-twice", host = host, port = port));
                            continue;
                        }
                        known.extend(server.hosts.iter().map(|h| (h.clone(), bind.clone())));
                    }
                    let at = merged.servers.len();
                    let place = ServerPort {
                        number: port,
                        protocol: spec
                            .get("port")
                            .map_or("", |p| p.text("protocol"))
                            .to_string(),
                        bind: server.bind().to_string(),
                    };
                    if !used.contains(&port) {
                        used.push(port);
                        merged.add(server.clone(), place, &route, &mut plain);
                        continue;
                    }
                    if let Some((current, _)) = plain.get(&port).and_then(|p| merged.ports.get(*p))
                    {
                        let same_bind = current.bind == place.bind;
                        let mergeable = server.protocol.is_http()
                            && Protocol::parse(&current.protocol).is_http();
                        if same_bind && (!mergeable || route.is_empty()) {
                            let message = say!(
                                "istio/server-protocol-conflict",
                                port = port,
                                first = current.protocol,
                                second = place.protocol
                            );
                            ignored(message);
                            continue;
                        }
                        if same_bind {
                            let current = plain.get(&port).copied().unwrap_or_default();
                            merged.join(current, at, &route);
                            merged.servers.push(server.clone());
                        } else if let Some(known) = merged.position(&place) {
                            merged.join(known, at, &route);
                            merged.servers.push(server.clone());
                        } else {
                            merged.add(server.clone(), place, &route, &mut plain);
                        }
                        continue;
                    }
                    // The port has TLS servers so far.
                    if !server.is_tls() {
                        plain.insert(port, merged.ports.len());
                        if server.is_http() {
                            merged.by_route.insert(route, vec![at]);
                        }
                        merged.ports.push((place, vec![at]));
                        merged.servers.push(server.clone());
                        continue;
                    }
                    if server.is_http() {
                        if merged.by_route.contains_key(&route) {
                            ignored(say!("istio/server-name-twice", name = route));
                            continue;
                        }
                        merged.by_route.insert(route, vec![at]);
                    }
                    let new_bind = !tcp_binds.contains(&(port, place.bind.clone()));
                    if new_bind {
                        tcp_binds.push((port, place.bind.clone()));
                    }
                    match merged.position(&place) {
                        Some(known) => {
                            if let Some((_, servers)) = merged.ports.get_mut(known) {
                                servers.push(at);
                            }
                        }
                        None => merged.ports.push((place, vec![at])),
                    }
                    merged.servers.push(server.clone());
                }
            }
        }
        merged
    }

    fn position(&self, place: &ServerPort) -> Option<usize> {
        self.ports.iter().position(|(p, _)| p == place)
    }

    /// The first server of a port.
    fn add(
        &mut self,
        server: Server<'w>,
        place: ServerPort,
        route: &str,
        plain: &mut BTreeMap<u16, usize>,
    ) {
        let at = self.servers.len();
        if !server.is_tls() {
            plain.insert(place.number, self.ports.len());
        }
        if server.is_http() {
            self.by_route.insert(route.to_string(), vec![at]);
        }
        self.ports.push((place, vec![at]));
        self.servers.push(server);
    }

    fn join(&mut self, port: usize, server: usize, route: &str) {
        if let Some((_, servers)) = self.ports.get_mut(port) {
            servers.push(server);
        }
        self.by_route
            .entry(route.to_string())
            .or_default()
            .push(server);
    }
}

/// How the ports of a Gateway's servers become ports of the pod (`resolvePorts`).
enum Resolve<'w> {
    /// By these Services alone, all of them.
    Strict(Vec<&'w Service>),
    /// By the first Service in front of the pod that has the port, or as it is.
    Loose(Vec<&'w Service>),
}

impl Resolve<'_> {
    fn ports(&self, world: &World, proxy: &Proxy, number: i64) -> Vec<u16> {
        let Ok(number) = u16::try_from(number) else {
            return Vec::new();
        };
        let (Resolve::Strict(services) | Resolve::Loose(services)) = self;
        let targets = services.iter().flat_map(|s| world.targets(s, proxy));
        let mut targets = targets.filter(|(p, _)| p.number == number).map(|(_, t)| t);
        match self {
            Resolve::Loose(_) => vec![targets.next().unwrap_or(number)],
            Resolve::Strict(_) => {
                let mut out = Vec::new();
                for target in targets {
                    if !out.contains(&target) {
                        out.push(target);
                    }
                }
                out
            }
        }
    }
}

/// Whether a Gateway is meant for a proxy, and how the ports of its servers become ports of the pod.
fn chooses<'w>(object: &Object, proxy: &Proxy, world: &'w World) -> Option<Resolve<'w>> {
    let mut ours = world.services_in_front(proxy);
    if let Some(services) = object.annotation("internal.istio.io/gateway-service") {
        let parent = object.annotation("internal.istio.io/parent-namespace");
        let namespace = parent.unwrap_or(&object.namespace);
        ours.retain(|s| {
            s.namespace == namespace && services.split(',').any(|name| name == s.hostname)
        });
        return (!ours.is_empty()).then_some(Resolve::Strict(ours));
    }
    let selector = object.spec.sorted("selector");
    let fits = selector
        .iter()
        .all(|e| proxy.labels.get(&*e.key).map(String::as_str) == e.value.str());
    fits.then_some(Resolve::Loose(ours))
}

fn read<'w>(object: &'w Object, spec: &'w Node) -> Option<Server<'w>> {
    let port = spec.get("port")?;
    let mut hosts: Vec<String> = Vec::new();
    for host in spec.texts("hosts") {
        match host.split_once('/') {
            Some((".", name)) => hosts.push(format!("{}/{name}", object.namespace)),
            Some(("*", "*")) => hosts = vec!["*".into()],
            Some(("*", name)) => hosts.push(name.into()),
            _ => hosts.push(host.into()),
        }
    }
    Some(Server {
        gateway: format!("{}/{}", object.namespace, object.name),
        object,
        spec,
        hosts,
        number: port.number("number"),
        protocol: Protocol::parse(port.text("protocol")),
        tls: spec.get("tls"),
        span: spec.span,
    })
}

/// The listeners of a gateway, with the names of the route configurations that they ask for.
pub(super) fn listeners(
    world: &World,
    proxy: &Proxy,
    merged: &Merged,
    log: &mut Vec<Diagnostic>,
) -> Vec<Node> {
    let mut out: BTreeMap<String, (Message, Vec<Node>, bool)> = BTreeMap::new();
    let mut sni: BTreeMap<u16, BTreeMap<String, String>> = BTreeMap::new();
    let access = world.access.filters(world, proxy);
    let trusted_proxies = proxy.trusted_proxies.unwrap_or(world.mesh.trusted_proxies);
    for (place, servers) in &merged.ports {
        let bind = if place.bind.is_empty() {
            "0.0.0.0"
        } else {
            &place.bind
        };
        let name = format!("{bind}_{}", place.number);
        let mut chains = Vec::new();
        let mut inspects = false;
        let servers: Vec<&Server> = servers
            .iter()
            .filter_map(|s| merged.servers.get(*s))
            .collect();
        let span = servers.first().map(|s| s.span).unwrap_or_default();
        let manager = Manager {
            mesh: &world.mesh,
            access: Some(&access),
            trusted_proxies,
            silent: &[
                "istio.metadata_exchange",
                "envoy.filters.http.grpc_stats",
                "istio.alpn",
            ],
            server_name: Some("istio-envoy"),
            use_remote_address: true,
            client_cert: Some("SANITIZE_SET"),
        };
        if Protocol::parse(&place.protocol).is_http() {
            let route = servers
                .first()
                .map(|s| s.route_name(place.number))
                .unwrap_or_default();
            let filter = manager.filter(rds(&route, span), span);
            chains.push(Message::new(span).list("filters", vec![filter]).end());
        } else {
            for server in servers {
                inspects |= server.tls.is_some();
                if server.ends_https() {
                    let filter = manager.filter(
                        rds(&server.route_name(place.number), server.span),
                        server.span,
                    );
                    let mut chain = Message::new(server.span);
                    if let Some(condition) = by_name(&sni_hosts(server), server.span) {
                        chain = chain.message("filterChainMatch", condition);
                    }
                    let tls = tls_context(server);
                    chains.push(
                        chain
                            .list("filters", vec![filter])
                            .node("transportSocket", tls)
                            .end(),
                    );
                } else if server.passes_through() {
                    let made = passthrough(world, proxy, server, place.number, &mut sni, log);
                    chains.extend(made.into_iter().map(|c| let_in(c, &access)));
                } else {
                    let made = tcp(world, proxy, server);
                    chains.extend(made.map(|c| let_in(c, &access)));
                }
            }
        }
        let entry = out.entry(name.clone()).or_insert_with(|| {
            (
                listener(&name, bind, place.number.into(), span),
                Vec::new(),
                false,
            )
        });
        entry.1.extend(chains);
        entry.2 |= inspects;
    }
    let made = out
        .into_values()
        .filter(|(_, chains, _)| !chains.is_empty());
    made.map(|(message, chains, inspects)| {
        let span = chains.first().map(|c| c.span).unwrap_or_default();
        let inspectors: &[&str] = if inspects {
            &["envoy.filters.listener.tls_inspector"]
        } else {
            &[]
        };
        message
            .some("listenerFilters", listener_filters(inspectors, span))
            .list("filterChains", chains)
            .end()
    })
    .collect()
}

/// A chain that reads no HTTP, with the filters that let in before its own.
fn let_in(mut chain: Node, access: &Filters) -> Node {
    if let Value::Map(entries) = &mut chain.value
        && let Some(filters) = entries.iter_mut().find(|e| &*e.key == "filters")
        && let Value::Seq(filters) = &mut filters.value.value
    {
        filters.splice(0..0, access.tcp.iter().cloned());
    }
    chain
}

fn sni_hosts(server: &Server) -> Vec<String> {
    let mut hosts: Vec<String> = server
        .hosts
        .iter()
        .map(|h| {
            h.split_once('/')
                .map_or(h.as_str(), |(_, name)| name)
                .to_string()
        })
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// A match on server names; none where every name fits.
fn by_name(hosts: &[String], span: Span) -> Option<Message> {
    let every = hosts.is_empty() || hosts.iter().any(|h| h == "*");
    (!every).then(|| Message::new(span).strings("serverNames", hosts))
}

fn tls_context(server: &Server) -> Node {
    let credential = server.tls.map_or("", |t| t.text("credentialName"));
    let secret = match credential {
        "" => "default".to_string(),
        name => format!("kubernetes://{name}"),
    };
    let requires = matches!(server.mode(), "MUTUAL" | "ISTIO_MUTUAL");
    let alpn: &[&str] = if server.protocol == Protocol::Https {
        &["h2", "http/1.1"]
    } else {
        &[]
    };
    end_tls(requires, alpn, &secret, server.span)
}

/// The VirtualServices of a server's Gateway with a host that the server serves.
fn served<'w>(world: &'w World, proxy: &Proxy, server: &Server) -> Vec<&'w Object> {
    let all = world.virtual_services_for(&proxy.namespace, &server.gateway);
    let serves = |vs: &&Object| {
        vs.spec.texts("hosts").iter().any(|wanted| {
            server.hosts.iter().any(|own| match own.split_once('/') {
                Some((namespace, name)) => namespace == vs.namespace && host::matches(name, wanted),
                None => host::matches(own, wanted),
            })
        })
    };
    all.into_iter().filter(serves).collect()
}

fn matches_server(condition: &Node, server: &Server) -> bool {
    let port = condition.number("port");
    let gateways = condition.texts("gateways");
    (port == 0 || port == server.number)
        && (gateways.is_empty() || gateways.contains(&server.gateway.as_str()))
}

/// Where the destinations of a TCP or TLS rule lead: clusters with their weights.
pub(super) fn destinations(
    world: &World,
    proxy: &Proxy,
    rule: &Node,
    port: i64,
) -> Vec<(String, i64)> {
    let targets = rule.each("route");
    let one = targets.len() == 1;
    targets
        .iter()
        .filter(|t| one || t.number("weight") > 0)
        .filter_map(|t| {
            let destination = t.get("destination")?;
            let service = world.service(destination.text("host"), proxy);
            Some((
                destination_cluster(destination, service, port),
                t.number("weight").max(1),
            ))
        })
        .collect()
}

fn tcp(world: &World, proxy: &Proxy, server: &Server) -> Option<Node> {
    for vs in served(world, proxy, server) {
        for rule in vs.spec.each("tcp") {
            let matches = rule.each("match");
            if matches.is_empty() || matches.iter().any(|m| matches_server(m, server)) {
                let clusters = destinations(world, proxy, rule, server.number);
                return Some(chain(&clusters, server, rule.span));
            }
        }
        let of_tls_route = vs.semantics == Semantics::GatewayApi
            && vs
                .annotation("internal.istio.io/parents")
                .is_some_and(|p| p.starts_with("TLSRoute/"));
        for rule in vs.spec.each("tls").iter().filter(|_| of_tls_route) {
            if rule.each("match").iter().any(|m| matches_server(m, server)) {
                let clusters = destinations(world, proxy, rule, server.number);
                return Some(chain(&clusters, server, rule.span));
            }
        }
    }
    None
}

fn chain(clusters: &[(String, i64)], server: &Server, span: Span) -> Node {
    let mut chain = Message::new(span);
    if server.tls.is_some() {
        if let Some(condition) = by_name(&sni_hosts(server), span) {
            chain = chain.message("filterChainMatch", condition);
        }
        chain = chain.node("transportSocket", tls_context(server));
    }
    chain.list("filters", vec![tcp_proxy(clusters, span)]).end()
}

fn passthrough(
    world: &World,
    proxy: &Proxy,
    server: &Server,
    port: u16,
    known: &mut BTreeMap<u16, BTreeMap<String, String>>,
    log: &mut Vec<Diagnostic>,
) -> Vec<Node> {
    let mut out = Vec::new();
    if server.mode() == "AUTO_PASSTHROUGH" {
        let message = say!("istio/not-modelled", what = "AUTO_PASSTHROUGH");
        log.push(Diagnostic::warning(server.span, message));
        return out;
    }
    for vs in served(world, proxy, server) {
        for rule in vs.spec.each("tls") {
            for condition in rule
                .each("match")
                .iter()
                .filter(|m| matches_server(m, server))
            {
                let hosts: Vec<String> = condition
                    .texts("sniHosts")
                    .into_iter()
                    .map(str::to_string)
                    .collect();
                let known = known.entry(port).or_default();
                let bind = server.bind().to_string();
                if let Some(twice) = hosts.iter().find(|h| known.get(*h) == Some(&bind)) {
                    let message = say!("istio/sni-host-twice", host = twice, port = port);
                    log.push(Diagnostic::warning(condition.span, message));
                    continue;
                }
                known.extend(hosts.iter().map(|h| (h.clone(), bind.clone())));
                let clusters = destinations(world, proxy, rule, server.number);
                let mut chain = Message::new(condition.span);
                if let Some(names) = by_name(&hosts, condition.span) {
                    chain = chain.message("filterChainMatch", names);
                }
                out.push(
                    chain
                        .list("filters", vec![tcp_proxy(&clusters, rule.span)])
                        .end(),
                );
            }
        }
    }
    out
}
