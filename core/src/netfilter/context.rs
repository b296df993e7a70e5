use std::net::IpAddr;

use serde::Serialize;

use super::Hook;
use super::ipset::Sets;
use super::matches::PacketType;
use crate::conntrack::{Connection, CtState, Direction, StatusBits, Tuple, ZoneId};
use crate::net::{Icmp, Mac, Packet, Protocol, Transport};

/// A packet at a hook, and all that a rule can ask about it. Targets change it; who calls reads the changes back from it.
#[derive(Clone)]
pub struct Context<'a> {
    pub hook: Hook,
    pub packet: Packet,
    /// The packet's mark (`skb->mark`).
    pub mark: u32,
    pub tracked: Tracked,
    pub in_iface: Option<&'a str>,
    pub out_iface: Option<&'a str>,
    /// The bridge ports, where a bridge handed the packet to netfilter (`br_netfilter`).
    pub physin: Option<&'a str>,
    pub physout: Option<&'a str>,
    /// Of the frame that brought the packet.
    pub src_mac: Option<Mac>,
    /// Source and destination of that frame, as long as the packet has it, on its way out too.
    pub frame: Option<(Mac, Mac)>,
    pub packet_type: PacketType,
    /// Who owns the local socket that sent the packet; nobody owns those of the kernel's own packets (RST, ICMP errors).
    pub owner: Option<SocketOwner>,
    /// It was sent by a socket of the kernel's own.
    pub kernel_socket: bool,
    pub env: &'a dyn Env,
    /// Milliseconds on the host's clock.
    pub now: u64,
}

/// Who owns a local socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SocketOwner {
    pub uid: u32,
    pub gid: u32,
}

/// What conntrack knows of the packet (`skb->_nfct`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tracked {
    /// `None` before conntrack has looked (raw).
    pub state: Option<CtState>,
    pub direction: Direction,
    /// `None` before conntrack, and for INVALID and UNTRACKED packets. Targets may change its mark.
    pub connection: Option<Connection>,
    /// What `-j CT --zone` asked of conntrack.
    pub zone: Option<ZoneId>,
}

/// An address's kind as the table `local` has it (kernel `inet_dev_addr_type`, `RTN_*` of `linux/rtnetlink.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum AddressType {
    Unspec,
    Unicast,
    Local,
    Broadcast,
    Anycast,
    Multicast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
}

/// What a rule asks of the routes.
#[derive(Clone, Copy, Debug)]
pub struct FibQuery<'a> {
    pub src: Option<IpAddr>,
    pub dst: IpAddr,
    pub mark: u32,
    /// Whence, for policy rules; `lo` is the host itself.
    pub iif: &'a str,
    pub tos: u8,
    pub protocol: Option<Protocol>,
    /// The interface of which [`Way::by_device`] tells; of IPv6 addresses of the link, the link.
    pub device: Option<&'a str>,
}

/// What the routes say to a [`FibQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub kind: AddressType,
    /// By which the host would send.
    pub dev: String,
    /// Whether the way may lead out of the interface that was asked for: a hop of the route does (`fib_info_nh_uses_dev`),
    /// or of IPv6 another route of the same prefix (`rt6_device_match`).
    pub by_device: bool,
}

/// What a rule can ask of the host around it.
pub trait Env {
    /// The address's kind; with a device, `Local` and `Broadcast` only where that device has it, else `Unicast`.
    fn address_type(&self, addr: IpAddr, device: Option<&str>) -> AddressType;

    /// The way by which the host would send; `None` without a route, and where one refuses.
    fn way(&self, query: &FibQuery<'_>) -> Option<Way>;

    /// An interface's first IPv4 address, or first global IPv6 address.
    fn first_address(&self, iface: &str, ipv6: bool) -> Option<IpAddr>;

    /// The host's ipsets as they were configured.
    fn sets(&self) -> &Sets;

    /// The socket that a packet with these ends would find, established before listening (`nf_socket_get_sock_v4`).
    fn socket(&self, ends: &Tuple) -> Option<Socket>;

    /// The socket that TPROXY would give the packet: of the packet's connection, or listening on `addr:port`
    /// (`nf_tproxy_get_sock_v4`).
    fn tproxy_socket(
        &self,
        packet: &Packet,
        addr: IpAddr,
        port: u16,
        in_iface: Option<&str>,
    ) -> bool;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// IP_TRANSPARENT is set.
    pub transparent: bool,
    /// Bound to no address.
    pub wildcard: bool,
    pub mark: u32,
}

impl Context<'_> {
    pub fn ipv6(&self) -> bool {
        self.packet.dst.is_ipv6()
    }

    /// Bytes from the IP header on.
    pub fn length(&self) -> u32 {
        self.packet.length()
    }

    /// The socket that the packet is for, or that sent what it is an error about (kernel `nf_sk_lookup_slow_v4` and
    /// `nf_sk_lookup_slow_v6`): of IPv4 also where the answer still bears the address that SNAT gave its connection.
    pub(super) fn socket(&self) -> Option<Socket> {
        let mut ends = match &self.packet.transport {
            Transport::Icmp(icmp) => about_whom(icmp, self.ipv6())?,
            _ => Tuple::of(&self.packet),
        };
        if !matches!(ends.protocol, Protocol::TCP | Protocol::UDP) {
            return None;
        }
        let answers = match self.packet.transport {
            Transport::Icmp(_) => CtState::Related,
            _ => CtState::Established,
        };
        if let Some(connection) = &self.tracked.connection
            && !self.ipv6()
            && (self.tracked.state, self.tracked.direction) == (Some(answers), Direction::Reply)
            && connection.status.has(StatusBits::SRC_NAT_DONE)
        {
            (ends.dst, ends.dport) = (connection.orig.src, connection.orig.sport);
        }
        self.env.socket(&ends)
    }
}

/// Of an error: the ends of an answer to what it is about (kernel `extract_icmp4_fields` and `extract_icmp6_fields`).
fn about_whom(icmp: &Icmp, ipv6: bool) -> Option<Tuple> {
    let about = icmp.about.as_deref().filter(|_| icmp.is_error(ipv6))?;
    Tuple::of(about).answer()
}
