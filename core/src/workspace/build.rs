//! From what the texts say to a world: machines, and how they are joined.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::kind::Place;
use super::machine::{by_gateway, connected, everywhere, machine};
use super::own::{BalancerFile, ClientFile, VpcFile};
use super::pods::{self, Pods};
use super::texts::Texts;
use crate::load_balancer::Forwarding;
use crate::net::Mac;
use crate::route::Scope;
use crate::say;
use crate::text::{Diagnostic, Later, Pace};
use crate::topology::{
    Beyond, End, Host, HostId, HostKind, IfaceAddr, IfaceKind, IfaceName, Interface, Link, Service,
    World,
};

/// The client's interface, and the balancer's two.
const CLIENT_PORT: &str = "eth0";
const OUTSIDE: &str = "front";
const INSIDE: &str = "back";
/// The VPC's switch.
const SWITCH: &str = "br0";

/// How much a machine takes beside its texts, in bytes that could be read meanwhile.
pub(super) const MACHINE: usize = 128;

/// Hosts stand in this order: client, load balancer, VPC, nodes by name, pods as kubectl lists them.
pub async fn world(mut texts: Texts, pace: &Pace) -> (World, Vec<Diagnostic>) {
    let mut builder = Builder::default();
    let client = texts.client.take().map(|c| builder.client(c));
    let balancer = texts.balancer.take().map(|b| builder.balancer(b));
    let vpc = texts.vpc.take().map(|v| builder.vpc(v));
    let indices = pods::indices(&texts);
    let (nodes, pods): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut texts.hosts)
        .into_iter()
        .partition(|(place, _)| matches!(place, Place::Node(_)));
    let mut node_ids = Vec::new();
    for (place, own) in nodes {
        pace.went(MACHINE).await;
        let host = Host::new(place.name(), HostKind::Node);
        let host = machine(host, own, &mut builder.diagnostics);
        let id = builder.add(host);
        node_ids.push(id);
        for (a, b) in pods::twins(indices.get(&place).map_or(&[], Vec::as_slice)) {
            builder.join((id, a.as_str()), (id, b.as_str()));
        }
    }
    if let (Some(client), Some(balancer)) = (client, balancer) {
        builder.join((client, CLIENT_PORT), (balancer, OUTSIDE));
    }
    builder.network(vpc, balancer, &node_ids);
    builder.held_ports(&texts, &node_ids);
    Pods {
        builder: &mut builder,
        texts: &texts,
        nodes: &node_ids,
        indices,
    }
    .place(pods, pace)
    .await;
    builder.check_balancer(balancer, &texts, &node_ids);
    builder.number_macs();
    builder.link_locals();
    for host in &mut builder.world.hosts {
        host.track_as_rules_want();
    }
    (builder.world, builder.diagnostics)
}

#[derive(Default)]
pub(super) struct Builder {
    pub world: World,
    pub diagnostics: Vec<Diagnostic>,
    /// Interfaces that are on a segment already.
    joined: BTreeSet<End>,
}

impl Builder {
    pub fn add(&mut self, host: Host) -> HostId {
        let id = HostId::at(self.world.hosts.len());
        self.world.hosts.push(host);
        id
    }

    pub fn join(&mut self, a: (HostId, &str), b: (HostId, &str)) {
        self.world.join(a, b);
        for (host, iface) in [a, b] {
            let iface = iface.into();
            self.joined.insert(End { host, iface });
        }
    }

    pub fn is_joined(&self, host: HostId, iface: &IfaceName) -> bool {
        let iface = iface.clone();
        self.joined.contains(&End { host, iface })
    }

    pub fn host(&self, id: HostId) -> Option<&Host> {
        self.world.host(id)
    }

    fn host_mut(&mut self, id: HostId) -> Option<&mut Host> {
        self.world.hosts.get_mut(id.index())
    }

    fn client(&mut self, file: ClientFile) -> HostId {
        let mut host = Host::new(&file.name, HostKind::Client);
        host.interfaces.push(device(CLIENT_PORT, file.addrs));
        host.sysctls.set("net.ipv4.ip_forward", "0");
        host.sysctls.set("net.ipv6.conf.all.forwarding", "0");
        let mut routes = connected(&host);
        for gateway in file.gateways {
            let route = by_gateway(everywhere(gateway), gateway, CLIENT_PORT, Some(file.span));
            routes.push(route);
        }
        host.routes = routes.into();
        self.add(host)
    }

    fn balancer(&mut self, file: BalancerFile) -> HostId {
        let mut host = Host::new(&file.name, HostKind::LoadBalancer);
        host.interfaces.push(device(OUTSIDE, file.outside));
        host.interfaces.push(device(INSIDE, file.inside));
        let mut routes = connected(&host);
        for gateway in file.gateways {
            let route = by_gateway(everywhere(gateway), gateway, INSIDE, Some(file.span));
            routes.push(route);
        }
        host.routes = routes.into();
        // With full NAT it writes its own address as the source before it asks its routes.
        host.sysctls.set("net.ipv4.conf.all.accept_local", "1");
        host.balancer = Some(file.balancer);
        self.add(host)
    }

    /// A switch with a router on it.
    fn vpc(&mut self, file: VpcFile) -> HostId {
        let mut host = Host::new(&file.name, HostKind::Router);
        (host.sysctls.bridge_nf, host.sysctls.bridge_nf6) = (false, false);
        let mut switch = Interface::new(SWITCH, IfaceKind::Bridge);
        switch.span = file.router.first().and_then(|r| r.span);
        switch.addrs = file.router;
        host.interfaces.push(switch);
        let mut routes = connected(&host);
        for mut route in file.routes {
            for hop in &mut route.hops {
                hop.dev = Some(SWITCH.into());
            }
            routes.push(route);
        }
        host.routes = routes.into();
        self.add(host)
    }

    /// Joins the balancer and every node to the VPC's switch, or without one to each other.
    fn network(&mut self, vpc: Option<HostId>, balancer: Option<HostId>, nodes: &[HostId]) {
        let inside = balancer.map(|b| (b, INSIDE.into()));
        let router = vpc
            .and_then(|v| self.host(v)?.interface(SWITCH)?.addrs.first().cloned())
            .or_else(|| self.balancer_network(balancer));
        let mut ends: Vec<_> = inside.into_iter().collect();
        for &node in nodes {
            let Some(host) = self.host(node) else {
                continue;
            };
            let on = |i: &&Interface| {
                i.addrs.iter().any(|a| match &router {
                    Some(router) => router.subnet().is_some_and(|net| net.contains(a.addr)),
                    None => !i.is_loopback() && !i.is_bridge() && i.master.is_none(),
                })
            };
            match host.interfaces.iter().find(on) {
                Some(iface) => ends.push((node, iface.name.clone())),
                None => {
                    let span = host
                        .interfaces
                        .iter()
                        .find_map(|i| i.span)
                        .unwrap_or_default();
                    let network = router.as_ref().and_then(IfaceAddr::subnet);
                    let said = match network {
                        Some(net) => say!("texts/node-outside", node = host.name, network = net),
                        None => say!("texts/node-without-address", node = host.name),
                    };
                    self.diagnostics.push(Diagnostic::warning(span, said));
                }
            }
        }
        match vpc {
            Some(vpc) => {
                for (host, iface) in ends {
                    self.plug(vpc, host, iface.as_str());
                }
            }
            None => {
                let end = |(host, iface)| End { host, iface };
                let ends: Vec<_> = ends.into_iter().map(end).collect();
                self.joined.extend(ends.iter().cloned());
                self.world.links.push(Link {
                    ends,
                    beyond: Beyond::Nothing,
                });
            }
        }
    }

    fn balancer_network(&self, balancer: Option<HostId>) -> Option<IfaceAddr> {
        self.host(balancer?)?
            .interface(INSIDE)?
            .addrs
            .first()
            .cloned()
    }

    /// A port of the VPC's switch, named after who is behind it.
    fn plug(&mut self, vpc: HostId, host: HostId, iface: &str) {
        let name = self.host(host).map_or("", |h| &*h.name);
        // As long as the kernel lets a name be (IFNAMSIZ).
        let port: String = format!("v-{name}").chars().take(15).collect();
        if let Some(switch) = self.host_mut(vpc) {
            let mut end = Interface::new(&port, IfaceKind::Device);
            end.master = Some(SWITCH.into());
            switch.interfaces.push(end);
        }
        self.join((vpc, &port), (host, iface));
    }

    /// kube-proxy holds every NodePort open and never takes a connection there (Kubernetes 1.22 and before,
    /// `pkg/proxy/iptables/proxier.go`, `openLocalPort`).
    fn held_ports(&mut self, texts: &Texts, nodes: &[HostId]) {
        let held: Vec<u16> = texts
            .services
            .iter()
            .flat_map(|s| &s.ports)
            .filter_map(|p| p.node_port)
            .collect();
        if held.is_empty() {
            return;
        }
        let held: Arc<[u16]> = held.into();
        for &node in nodes {
            let Some(host) = self.host_mut(node) else {
                continue;
            };
            let (listed, held) = (host.sockets.clone(), held.clone());
            host.sockets = Later::new(move || {
                let mut sockets = listed.to_vec();
                for socket in &mut sockets {
                    if &*socket.process == "kube-proxy" && held.contains(&socket.port) {
                        socket.service = Service::Silent;
                    }
                }
                sockets
            });
        }
    }

    /// Whether what the balancer sends to is there, and is what the Services say.
    fn check_balancer(&mut self, balancer: Option<HostId>, texts: &Texts, nodes: &[HostId]) {
        let Some(balancer) = balancer
            .and_then(|id| self.host(id))
            .and_then(|h| h.balancer.clone())
        else {
            return;
        };
        for listener in &balancer.listeners {
            let service = texts.services.iter().find(|s| {
                s.external_ips
                    .iter()
                    .any(|(addr, _)| *addr == listener.addr)
            });
            let wanted = service.and_then(|s| s.ports.iter().find(|p| p.port == listener.port));
            for backend in &listener.backends {
                let owner = nodes
                    .iter()
                    .filter_map(|id| self.host(*id))
                    .find(|h| h.owner_of(backend.addr).is_some());
                let pod = self
                    .world
                    .hosts
                    .iter()
                    .find(|h| h.kind == HostKind::Pod && h.owner_of(backend.addr).is_some());
                if pod.is_some() {
                    continue;
                }
                let said = match owner {
                    None => Some(say!("texts/backend-nobody", addr = backend.addr)),
                    Some(host)
                        if *host.name != *backend.name
                            && *backend.name != backend.addr.to_string() =>
                    {
                        Some(say!(
                            "texts/backend-other-node",
                            node = backend.name,
                            addr = backend.addr,
                            owner = host.name
                        ))
                    }
                    Some(_) => None,
                };
                if let Some(said) = said {
                    self.diagnostics
                        .push(Diagnostic::warning(backend.span, said));
                }
                if let Some(port) = wanted
                    && let Some(node_port) = port.node_port
                    && node_port != backend.port
                    && listener.forwarding.unwrap_or(balancer.forwarding)
                        != Forwarding::KeepDestination
                {
                    self.diagnostics.push(
                        Diagnostic::warning(
                            backend.span,
                            say!(
                                "texts/backend-other-port",
                                port = backend.port,
                                node_port = node_port
                            ),
                        )
                        .label(port.span, say!("texts/said-here")),
                    );
                }
            }
        }
    }

    /// Hardware addresses for those that no text gave one, in the range for local use.
    fn number_macs(&mut self) {
        for (h, host) in self.world.hosts.iter_mut().enumerate() {
            for (i, iface) in host.interfaces.iter_mut().enumerate() {
                if iface.mac == Mac::default() && !iface.is_loopback() {
                    let ([_, a, b, c], [d, e]) =
                        ((h as u32).to_be_bytes(), (i as u16).to_be_bytes());
                    iface.mac = Mac([0x02, 0x4e + a, b, c, d, e]);
                }
            }
        }
    }

    /// Of machines that have no text of `ip addr`: each interface that speaks IPv6 has an address on its link (RFC 4291, 2.1).
    fn link_locals(&mut self) {
        let ours = [HostKind::Client, HostKind::LoadBalancer, HostKind::Router];
        let hosts = self.world.hosts.iter_mut();
        for host in hosts.filter(|h| ours.contains(&h.kind)) {
            let own = host.interfaces.iter_mut().filter(|i| !i.is_loopback());
            for iface in own.filter(|i| i.addrs.iter().any(|a| a.addr.is_ipv6())) {
                let addr = iface.mac.link_local().into();
                iface.addrs.push(IfaceAddr {
                    scope: Scope::Link,
                    ..IfaceAddr::new(addr, 64)
                });
            }
        }
    }
}

fn device(name: &str, addrs: Vec<IfaceAddr>) -> Interface {
    let mut iface = Interface::new(name, IfaceKind::Device);
    iface.span = addrs.first().and_then(|a| a.span);
    iface.addrs = addrs;
    iface
}

/// As hosts are named: pods of namespace `default` by their name alone.
pub(super) fn pod_name(namespace: Option<&str>, name: &str) -> Arc<str> {
    match namespace {
        None | Some("default") => name.into(),
        Some(namespace) => format!("{namespace}/{name}").into(),
    }
}
