//! What a host tells a packet's sender by ICMP or ICMPv6 when something goes wrong.

use std::net::IpAddr;

use super::engine::Sim;
use super::host::select_address;
use super::skb::Skb;
use crate::net::{Icmp, IpFamily, Packet, Protocol, Transport};
use crate::netfilter::matches::PacketType;
use crate::netfilter::targets::RejectWith;
use crate::route::{Flow, RouteError, Scope};
use crate::topology::HostId;
use crate::trace::Maker;

/// IPTOS_PREC_INTERNETCONTROL
const ERROR_TOS: u8 = 0xc0;

/// What went wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoRoute(RouteError),
    /// The next machine does not answer.
    HostUnreachable,
    ProtocolUnreachable,
    PortUnreachable,
    TimeExceeded,
    /// It arrives, but there is a shorter way.
    ShorterWay,
    Rejected(RejectWith),
}

impl Problem {
    /// Type and code (RFC 792, RFC 1812, 5.2.7). `None` for what only IPv6 knows.
    fn icmp(self) -> Option<(u8, u8)> {
        Some(match self {
            Problem::NoRoute(RouteError::NetUnreachable | RouteError::Invalid) => (3, 0),
            Problem::NoRoute(RouteError::HostUnreachable) | Problem::HostUnreachable => (3, 1),
            Problem::NoRoute(RouteError::Prohibited) => (3, 13),
            Problem::ProtocolUnreachable => (3, 2),
            Problem::PortUnreachable => (3, 3),
            Problem::TimeExceeded => (11, 0),
            Problem::ShorterWay => (5, 1),
            Problem::Rejected(with) => match with {
                RejectWith::NetUnreachable => (3, 0),
                RejectWith::HostUnreachable => (3, 1),
                RejectWith::ProtoUnreachable => (3, 2),
                RejectWith::PortUnreachable => (3, 3),
                RejectWith::NetProhibited => (3, 9),
                RejectWith::HostProhibited => (3, 10),
                RejectWith::AdminProhibited => (3, 13),
                _ => return None,
            },
        })
    }

    /// The same of ICMPv6 (RFC 4443; kernel `ip6_pkt_discard`, `ip6_pkt_prohibit`, `ip6t_REJECT.c`). Redirects are neighbour discovery's.
    fn icmp6(self) -> Option<(u8, u8)> {
        Some(match self {
            Problem::NoRoute(RouteError::Prohibited) => (1, 1),
            Problem::NoRoute(_) => (1, 0),
            Problem::HostUnreachable => (1, 3),
            Problem::PortUnreachable => (1, 4),
            // "Unrecognized next header."
            Problem::ProtocolUnreachable => (4, 1),
            Problem::TimeExceeded => (3, 0),
            Problem::Rejected(with) => match with {
                RejectWith::NoRoute6 => (1, 0),
                RejectWith::AdmProhibited6 => (1, 1),
                RejectWith::AddrUnreachable6 => (1, 3),
                RejectWith::PortUnreachable6 => (1, 4),
                RejectWith::PolicyFail6 => (1, 5),
                RejectWith::RejectRoute6 => (1, 6),
                _ => return None,
            },
            Problem::ShorterWay => return None,
        })
    }
}

/// A frame that is on its way from port to port has come in by no interface that IP knows of (`br_validate_ipv4`).
fn is_bridged(skb: &Skb) -> bool {
    skb.bridge.as_ref().is_some_and(|b| b.physout.is_some())
}

impl Sim<'_> {
    /// Tells a packet's sender what went wrong (kernel `__icmp_send`, `icmp6_send`).
    pub(super) fn icmp_error(&mut self, at: HostId, skb: &Skb, problem: Problem, maker: Maker) {
        if skb.packet_type != PacketType::Unicast || skb.by_icmp {
            return;
        }
        if skb.dst.as_ref().is_some_and(|d| d.broadcast || d.multicast) {
            return;
        }
        let about = &skb.packet;
        let packet = match IpFamily::of(about.dst) {
            IpFamily::V4 => self.error_of_ipv4(at, skb, problem),
            IpFamily::V6 => self.error_of_ipv6(at, skb, problem),
        };
        if let Some(packet) = packet {
            let mark = self.reflected(at, skb);
            self.send_attached(at, skb, packet, mark, maker);
        }
    }

    fn error_of_ipv4(&self, at: HostId, skb: &Skb, problem: Problem) -> Option<Packet> {
        let (host, about) = (self.host(at)?, &skb.packet);
        let (kind, code) = problem.icmp()?;
        // No error about an error.
        if let Transport::Icmp(icmp) = &about.transport
            && (matches!(icmp.kind, 1..=7 | 9..=12) || icmp.kind > 18)
        {
            return None;
        }
        let local = skb.dst.as_ref().is_some_and(|d| d.local);
        let source = if local {
            Some(about.dst)
        } else if host.sysctls.icmp_inbound_address && !is_bridged(skb) {
            skb.in_iface
                .as_ref()
                .and_then(|i| select_address(host, i.as_str(), Some(about.src), Scope::Link))
        } else {
            None
        };
        let gateway = skb
            .dst
            .as_ref()
            .filter(|_| problem == Problem::ShorterWay)
            .map(|d| d.gateway.unwrap_or(about.dst));
        Some(Packet {
            src: source.unwrap_or(IpFamily::V4.unspecified()),
            dst: about.src,
            ttl: host.sysctls.ttl,
            tos: (about.tos & 0x1e) | ERROR_TOS,
            transport: error(kind, code, gateway, about),
            payload: u16::try_from(about.length().min(548)).unwrap_or(548),
        })
    }

    /// As much of the packet as fits into the least MTU comes along.
    fn error_of_ipv6(&mut self, at: HostId, skb: &Skb, problem: Problem) -> Option<Packet> {
        const ROOM: u16 = 1280 - 40 - 8;
        let (host, about) = (self.host(at)?, &skb.packet);
        let (kind, code) = problem.icmp6()?;
        if let Transport::Icmp(icmp) = &about.transport
            && (icmp.kind < 128 || icmp.kind == 137)
        {
            return None;
        }
        let nobody = |addr: IpAddr| addr.is_unspecified() || addr.is_multicast();
        if nobody(about.src) || about.dst.is_multicast() {
            return None;
        }
        let own = host.owner_of(about.dst).map(|_| about.dst);
        let source = match (own, &skb.in_iface) {
            (None, Some(iface)) if !self.source_is_given(at, skb) => {
                select_address(host, iface.as_str(), Some(about.src), Scope::Link)
            }
            (own, _) => own,
        };
        Some(Packet {
            src: source.unwrap_or(IpFamily::V6.unspecified()),
            dst: about.src,
            ttl: host.sysctls.hop_limit,
            tos: 0,
            transport: error(kind, code, None, about),
            payload: u16::try_from(about.length()).unwrap_or(ROOM).min(ROOM),
        })
    }

    /// The route to the packet's sender says which source to take (`icmpv6_rt_has_prefsrc`); else it is one of the
    /// interface's that brought the packet.
    fn source_is_given(&mut self, at: HostId, skb: &Skb) -> bool {
        let flow = Flow {
            iif: Some("lo".into()),
            mark: self.reflected(at, skb),
            protocol: Some(Protocol::ICMPV6),
            uid: Some(0),
            ..Flow::to(skb.packet.src)
        };
        let found = self.state(at).map(|s| s.fib.lookup(&flow));
        found.is_some_and(|f| f.is_ok_and(|f| f.route.source.is_some()))
    }
}

fn error(kind: u8, code: u8, gateway: Option<IpAddr>, about: &Packet) -> Transport {
    Transport::Icmp(Icmp {
        kind,
        code,
        id: 0,
        gateway,
        target: None,
        about: Some(Box::new(about.clone())),
    })
}
