use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::{Interface, Sysctls};
use crate::load_balancer::LoadBalancer;
use crate::net::{IfaceName, Mac, Protocol};
use crate::netfilter::Ruleset;
use crate::route::{PolicyRule, Route};
use crate::text::Span;

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
    pub routes: Vec<Route>,
    /// By preference; the three that every host has among them.
    pub rules: Vec<PolicyRule>,
    pub sysctls: Sysctls,
    pub iptables: Ruleset,
    pub sockets: Vec<Socket>,
    /// A load balancer that stands in this router's way.
    pub balancer: Option<LoadBalancer>,
    /// Static neighbours.
    pub neighbours: Vec<Neighbour>,
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
    pub span: Option<Span>,
}

impl Host {
    /// A machine with `lo` and nothing else.
    pub fn new(name: &str, kind: HostKind) -> Self {
        let mut lo = Interface::new("lo", super::IfaceKind::Loopback);
        lo.addrs.push(super::IfaceAddr::new(
            IpAddr::from(std::net::Ipv4Addr::LOCALHOST),
            8,
        ));
        Self {
            name: name.into(),
            kind,
            node: None,
            interfaces: vec![lo],
            routes: Vec::new(),
            rules: PolicyRule::defaults(),
            sysctls: Sysctls::default(),
            iptables: Ruleset::default(),
            sockets: Vec::new(),
            balancer: None,
            neighbours: Vec::new(),
        }
    }

    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.name.as_str() == name)
    }

    /// The interface that has this address as its own.
    pub fn owner_of(&self, addr: IpAddr) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|i| i.addrs.iter().any(|a| a.addr == addr))
    }
}
