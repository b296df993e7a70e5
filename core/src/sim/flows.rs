use std::net::IpAddr;

use crate::conntrack::Tuple;
use crate::envoy::ClientHello;
use crate::net::{HttpVersion, Packet, Protocol, Request};
use crate::netfilter::SocketOwner;
use crate::topology::Host;
use crate::trace::Program;

/// The sockets of a host that talk to someone: those that its processes opened, and those that listeners accepted.
#[derive(Clone, Debug, Default)]
pub(super) struct Flows {
    pub open: Vec<Open>,
}

/// A socket with a far end (of UDP: bound to a port to hear answers).
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub protocol: Protocol,
    pub local: (IpAddr, u16),
    pub remote: (IpAddr, u16),
    pub stage: Stage,
    /// It, or the listening socket that took it, has IP_TRANSPARENT.
    pub transparent: bool,
    /// SO_MARK
    pub mark: u32,
    pub process: Program,
    /// Of a client: what it says once it is connected.
    pub ask: Option<Ask>,
    /// Who owns it.
    pub owner: Option<SocketOwner>,
    /// Of a server: the listening socket that took it.
    pub listener: Option<(IpAddr, u16)>,
    /// When its SYN-ACK was sent once more.
    pub repeated: Option<u64>,
}

/// What a client says: how TLS begins, and its request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub hello: Option<ClientHello>,
    /// None: it passes on what others say.
    pub request: Option<(Request, HttpVersion)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A raw socket, as a packet generator has: it takes what comes and answers nothing.
    Raw,
    SynSent,
    SynReceived,
    Established,
    /// UDP: hears anyone.
    Bound,
}

/// A socket that a packet finds.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// Position among the open ones; none for a listening socket.
    pub open: Option<usize>,
    pub listening: Option<usize>,
    pub transparent: bool,
    pub wildcard: bool,
}

impl Flows {
    /// The socket for a packet: one that talks to its sender before one that listens (kernel `__inet_lookup_skb`).
    pub fn find(&self, host: &Host, packet: &Packet) -> Option<Hit> {
        self.find_among(host, &Tuple::of(packet), true)
    }

    /// The same as netfilter looks for it, which knows nothing of raw sockets (kernel `nf_sk_lookup_slow_v4`).
    pub fn find_bound(&self, host: &Host, ends: &Tuple) -> Option<Hit> {
        self.find_among(host, ends, false)
    }

    fn find_among(&self, host: &Host, ends: &Tuple, raw: bool) -> Option<Hit> {
        let open = self.open.iter().position(|o| {
            o.protocol == ends.protocol
                && (raw || o.stage != Stage::Raw)
                && o.local == (ends.dst, ends.dport)
                && (o.stage == Stage::Bound || o.remote == (ends.src, ends.sport))
        });
        if let Some(at) = open {
            return Some(Hit {
                open: Some(at),
                listening: None,
                transparent: self.open[at].transparent,
                wildcard: false,
            });
        }
        host.listening(ends.protocol, ends.dst, ends.dport)
            .map(|at| Hit {
                open: None,
                listening: Some(at),
                transparent: host.sockets[at].transparent,
                wildcard: host.sockets[at].addr.is_unspecified(),
            })
    }

    /// Whether TPROXY finds a socket: of the packet's own connection, or a transparent one that listens at the address
    /// (kernel `nf_tproxy_get_sock_v4`).
    pub fn transparent(&self, host: &Host, packet: &Packet, addr: IpAddr, port: u16) -> bool {
        if let Some(Hit {
            open: Some(_),
            transparent,
            ..
        }) = self.find_bound(host, &Tuple::of(packet))
        {
            return transparent;
        }
        host.listening(packet.protocol(), addr, port)
            .is_some_and(|at| host.sockets[at].transparent)
    }
}
