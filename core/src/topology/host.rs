use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use serde::Serialize;

use super::{Interface, Sysctls};
use crate::envoy;
use crate::load_balancer::LoadBalancer;
use crate::net::{IfaceName, IpFamily, Mac, Masked, Protocol};
use crate::netfilter::walk::CannotTell;
use crate::netfilter::{Match, Rule, Ruleset, Table, TableName, Target, ipset, nft};
use crate::route::{Fib, NextHop, PolicyRule, Route, RouteKind, Scope, TableId};
use crate::text::{Later, Span};

/// A network namespace: a node and a pod alike, and every other machine that has an address.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: Arc<str>,
    pub kind: HostKind,
    /// The node that a pod runs on, for drawing.
    pub node: Option<Arc<str>>,
    /// `lo` among them.
    pub interfaces: Vec<Interface>,
    /// All tables' lines, without those of table local that the host makes of its addresses.
    pub routes: Later<Vec<Route>>,
    /// By preference. `None`: those that every host has.
    pub rules: Option<Vec<PolicyRule>>,
    /// The same of IPv6.
    pub rules6: Option<Vec<PolicyRule>>,
    pub sysctls: Sysctls,
    /// Shared by the worlds that an edit elsewhere makes: there may be a hundred thousand rules.
    pub iptables: Later<Ruleset>,
    pub nft: Later<nft::Ruleset>,
    pub sets: Arc<ipset::Sets>,
    /// Connection tracking is on, as it is on every host where some rule wants it (kernel `nf_ct_netns_get`).
    pub conntrack: Later<bool>,
    pub sockets: Later<Vec<Socket>>,
    /// A load balancer that stands in this router's way.
    pub balancer: Option<LoadBalancer>,
    /// What the Envoy of this host runs with; the sockets that it listens on stand among the others.
    pub envoy: Option<Arc<envoy::Config>>,
    /// The neighbours that it knows when a run begins.
    pub neighbours: Vec<Neighbour>,
    /// What its bridges and vxlan devices know of hardware addresses from the start.
    pub fdb: Vec<FdbEntry>,
    /// The device with the addresses of what its IPVS serves, where it may serve something: what, no file tells. A device of
    /// that name alone serves nothing.
    pub ipvs: Option<IfaceName>,
    pub guard: Guard,
}

/// What its node may refuse to let into a pod, or out of it, and is not modelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    pub ingress: Option<CannotTell>,
    pub egress: Option<CannotTell>,
}

/// What a machine is to a reader. Decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum HostKind {
    Client,
    LoadBalancer,
    Router,
    Node,
    Pod,
}

/// A socket that waits for packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Socket {
    pub protocol: Protocol,
    /// 0.0.0.0 or ::: any.
    pub addr: IpAddr,
    pub port: u16,
    /// IP_TRANSPARENT: may take packets for addresses that are not the host's.
    pub transparent: bool,
    /// Who owns it.
    pub process: Arc<str>,
    pub service: Service,
    pub span: Option<Span>,
}

/// What a process does with what its socket gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Service {
    /// Takes and never answers beyond what the kernel does for it.
    Silent,
    /// Answers each request or datagram.
    Answers,
}

/// A line of `ip neigh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    pub addr: IpAddr,
    pub dev: IfaceName,
    pub mac: Mac,
    /// Never asked for again.
    pub permanent: bool,
    pub span: Option<Span>,
}

/// A line of `bridge fdb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FdbEntry {
    pub mac: Mac,
    /// A bridge's port, or a vxlan device.
    pub dev: IfaceName,
    /// Of a vxlan device: the node to which the frame goes.
    pub to: Option<IpAddr>,
    pub span: Option<Span>,
}

impl Host {
    /// A machine with `lo` and nothing else.
    pub fn new(name: &str, kind: HostKind) -> Self {
        let mut lo = Interface::new("lo", super::IfaceKind::Loopback);
        for (family, length) in [(IpFamily::V4, 8), (IpFamily::V6, 128)] {
            lo.addrs
                .push(super::IfaceAddr::new(family.loopback(), length));
        }
        Self {
            name: name.into(),
            kind,
            node: None,
            interfaces: vec![lo],
            routes: Later::default(),
            rules: None,
            rules6: None,
            sysctls: Sysctls::default(),
            iptables: Later::default(),
            nft: Later::default(),
            sets: Arc::default(),
            conntrack: true.into(),
            sockets: Later::default(),
            balancer: None,
            envoy: None,
            neighbours: Vec::new(),
            fdb: Vec::new(),
            ipvs: None,
            guard: Guard::default(),
        }
    }

    /// Has the kernel track connections where its rules make it: those of a nat table do, and those that ask for a
    /// connection or write to it.
    pub fn track_as_rules_want(&mut self) {
        let asks = |rule: &Rule| {
            let of_connections = |m: &Match| matches!(m, Match::Conntrack(_) | Match::Connmark(_));
            rule.matches.iter().any(of_connections)
                || matches!(rule.target, Target::Connmark(_) | Target::Ct(_))
        };
        let in_table = move |table: &Table| {
            table.name == TableName::Nat || table.chains.iter().flat_map(|c| &c.rules).any(asks)
        };
        let (iptables, nft) = (self.iptables.clone(), self.nft.clone());
        self.conntrack =
            Later::new(move || !nft.tables.is_empty() || iptables.tables.iter().any(in_table));
    }

    /// What a packet of its own begins with: the TTL, or hop limit.
    pub fn ttl(&self, family: IpFamily) -> u8 {
        match family {
            IpFamily::V4 => self.sysctls.ttl,
            IpFamily::V6 => self.sysctls.hop_limit,
        }
    }

    /// Where a vxlan device sends frames for an address, by a line of `bridge fdb`.
    pub fn remote(&self, dev: &IfaceName, mac: Mac) -> Option<IpAddr> {
        let line = |e: &&FdbEntry| e.dev == *dev && e.mac == mac && e.to.is_some();
        self.fdb.iter().find(line)?.to
    }

    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.name.as_str() == name)
    }

    /// A device of Cilium's or Calico's eBPF, whose programs decide on a packet before netfilter and routes do
    /// (Cilium `pkg/defaults`, Calico `felix/dataplane/linux/dataplanedefs`).
    pub fn ebpf(&self) -> Option<&Interface> {
        let is = |i: &&Interface| matches!(i.name.as_str(), "cilium_host" | "bpfin.cali");
        self.interfaces.iter().find(is)
    }

    /// The interface that has this address as its own.
    pub fn owner_of(&self, addr: IpAddr) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|i| i.addrs.iter().any(|a| a.addr == addr))
    }

    /// The routing tables as the kernel has them: the lines written, and table local's, made of the addresses. `seed` spreads
    /// flows over multipath routes.
    pub fn fib(&self, seed: u32) -> Fib {
        let down = |dev: &IfaceName| self.interface(dev.as_str()).is_some_and(|i| !i.up);
        let written = self.routes.iter().map(|route| {
            let mut route = route.clone();
            for hop in &mut route.hops {
                hop.dead |= hop.dev.as_ref().is_some_and(down);
            }
            route
        });
        let forwards = self.sysctls.forwarding6;
        let made = self.interfaces.iter().flat_map(|iface| {
            let mut routes = local_routes(iface);
            routes.extend(local_routes6(iface, forwards));
            routes
        });
        let by_ports = self.sysctls.multipath_hash == 1;
        let routes = written.chain(made);
        let rules = |own: &Option<Vec<PolicyRule>>, family| {
            own.clone().unwrap_or_else(|| PolicyRule::defaults(family))
        };
        let v4 = rules(&self.rules, IpFamily::V4);
        let v6 = rules(&self.rules6, IpFamily::V6);
        Fib::new(routes, &v4, &v6, by_ports, seed)
    }
}

/// What an interface's addresses of IPv6 put into table local (kernel `addrconf_f6i_alloc`): themselves, the address of all
/// routers of their subnet where the host is one (RFC 4291, 2.6.1), and multicast.
fn local_routes6(iface: &Interface, forwards: bool) -> Vec<Route> {
    let make = |kind, dst, metric| Route {
        table: TableId::LOCAL,
        kind,
        dst,
        tos: 0,
        metric,
        scope: Scope::Global,
        protocol: Some("kernel".into()),
        source: None,
        hops: vec![NextHop {
            dev: Some(iface.name.clone()),
            ..NextHop::default()
        }],
        mtu: None,
        span: None,
    };
    let mut routes = Vec::new();
    let own = iface.addrs.iter().filter(|a| a.addr.is_ipv6() && iface.up);
    for a in own {
        routes.push(make(RouteKind::Local, Masked::host(a.addr), 0));
        let routers = a.subnet().map(|s| Masked::host(s.addr));
        if let Some(routers) = routers.filter(|_| forwards && a.length < 127) {
            let there = routes.iter().any(|r| r.dst == routers);
            routes.extend((!there).then(|| make(RouteKind::Anycast, routers, 0)));
        }
    }
    if !routes.is_empty() && !iface.is_loopback() {
        let all = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).into();
        let all = Masked::prefix(all, 8);
        routes.extend(all.map(|all| make(RouteKind::Multicast, all, 256)));
    }
    routes
}

/// What an interface's addresses of IPv4 put there (kernel `fib_add_ifaddr`).
fn local_routes(iface: &Interface) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut subnets: Vec<(Masked, IpAddr)> = Vec::new();
    for a in iface.addrs.iter().filter(|a| a.addr.is_ipv4()) {
        let Some(subnet) = a.subnet() else { continue };
        // The first address of a subnet is its primary: the others are answered for from it.
        let primary = subnets.iter().find(|(s, _)| *s == subnet).map(|(_, p)| *p);
        let source = primary.unwrap_or(a.addr);
        let make = |kind, dst, scope| Route {
            table: TableId::LOCAL,
            kind,
            dst,
            tos: 0,
            metric: 0,
            scope,
            protocol: Some("kernel".into()),
            source: Some(source),
            hops: vec![NextHop {
                dev: Some(iface.name.clone()),
                ..NextHop::default()
            }],
            mtu: None,
            span: None,
        };
        routes.push(make(RouteKind::Local, Masked::host(a.addr), Scope::Host));
        if primary.is_some() || !iface.up {
            continue;
        }
        subnets.push((subnet, a.addr));
        if iface.is_loopback() && subnet != Masked::host(a.addr) {
            routes.push(make(RouteKind::Local, subnet, Scope::Host));
        }
        if let Some(broadcast) = a.broadcast() {
            let dst = Masked::host(broadcast.into());
            routes.push(make(RouteKind::Broadcast, dst, Scope::Link));
        }
    }
    routes
}
