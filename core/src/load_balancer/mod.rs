//! A cloud's L4 load balancer: listeners, backends, which of them takes a new connection, and what becomes of its packets.
//!
//! It stands in a router's way: what is for one of its addresses, or belongs to a connection that it passed on, is its
//! business ([`LoadBalancer::handle`]); the router forwards all else. The schedulers are those of Linux Virtual Server
//! (kernel `net/netfilter/ipvs/ip_vs_{rr,wrr,sh}.c`), on which Alibaba's SLB and others are built.

mod account;
mod flow;
mod schedule;

pub use account::{Account, Considered, Occasion, Verdict};
pub use flow::{Handling, State};
pub use schedule::Scheduler;

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::net::Protocol;
use crate::text::Span;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadBalancer {
    pub forwarding: Forwarding,
    pub listeners: Vec<Listener>,
}

/// What the balancer writes into the packets that it passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Forwarding {
    /// Nothing: the packet goes to the node as its next hop, still addressed to the balancer (direct server return, GCP's
    /// passthrough, MetalLB).
    KeepDestination,
    /// The node's address and port as the destination; the client stays the source.
    RewriteDestination,
    /// That, and the balancer's own address as the source.
    FullNat { source: IpAddr },
}

impl Forwarding {
    /// As the load balancer's file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Forwarding::KeepDestination => "keep-destination",
            Forwarding::RewriteDestination => "rewrite-destination",
            Forwarding::FullNat { .. } => "full-nat",
        }
    }
}

/// An address and port that takes connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    pub addr: IpAddr,
    pub port: u16,
    pub protocol: Protocol,
    /// Where it is another than the balancer's.
    pub forwarding: Option<Forwarding>,
    pub scheduler: Scheduler,
    /// With no backend that is healthy, it takes its chance with all.
    pub fail_open: bool,
    /// The port of the health check, where one is made.
    pub check: Option<HealthCheck>,
    pub backends: Vec<Backend>,
    pub span: Span,
}

/// How the balancer finds out whether a backend takes connections: it opens one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// `None`: the backend's own port.
    pub port: Option<u16>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backend {
    /// The node's name.
    pub name: Arc<str>,
    pub addr: IpAddr,
    pub port: u16,
    /// 0 takes no new connections.
    pub weight: u16,
    pub health: Health,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Health {
    /// Nobody looks.
    Unchecked,
    Healthy,
    /// The check failed.
    Unhealthy,
    /// Its file says `healthy: false`, whatever a check would find.
    SaidUnhealthy,
}

impl Backend {
    /// May take new connections.
    pub fn eligible(&self) -> bool {
        self.weight > 0 && matches!(self.health, Health::Unchecked | Health::Healthy)
    }
}

impl Listener {
    /// May take new connections, as all backends are now.
    pub(super) fn eligible(&self, backend: &Backend) -> bool {
        let opens = || self.fail_open && !self.backends.iter().any(Backend::eligible);
        backend.eligible() || backend.weight > 0 && opens()
    }
}

impl LoadBalancer {
    /// What a listener writes into packets, by its place.
    pub fn forwarding(&self, listener: u16) -> Forwarding {
        let listener = self.listeners.get(usize::from(listener));
        listener
            .and_then(|l| l.forwarding)
            .unwrap_or(self.forwarding)
    }

    /// One of the addresses that it listens on.
    pub fn owns(&self, addr: IpAddr) -> bool {
        self.listeners.iter().any(|l| l.addr == addr)
    }
}
