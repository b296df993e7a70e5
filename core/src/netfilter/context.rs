use std::net::IpAddr;

use serde::Serialize;

use super::Hook;
use super::ipset::Sets;
use super::matches::PacketType;
use crate::conntrack::{Connection, CtState, Direction, ZoneId};
use crate::net::{Mac, Packet};

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
}

/// What a rule can ask of the host around it.
pub trait Env {
    /// The address's kind; with a device, `Local` and `Broadcast` only where that device has it, else `Unicast`.
    fn address_type(&self, addr: IpAddr, device: Option<&str>) -> AddressType;

    /// The interface by which the host would send (`fib … oif`); `None` without a route.
    fn route_out(&self, query: &FibQuery<'_>) -> Option<String>;

    /// An interface's first IPv4 address, or first global IPv6 address.
    fn first_address(&self, iface: &str, ipv6: bool) -> Option<IpAddr>;

    /// The host's ipsets as they were configured.
    fn sets(&self) -> &Sets;

    /// The socket that an arriving packet would find, established before listening (`nf_sk_lookup_slow_v4`).
    fn socket(&self, packet: &Packet, in_iface: Option<&str>) -> Option<Socket>;

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
}
