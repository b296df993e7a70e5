use std::net::IpAddr;

use crate::conntrack::{ConnectionId, CtState, Direction, ZoneId};
use crate::net::{IfaceName, Mac, Packet};
use crate::netfilter::SocketOwner;
use crate::netfilter::matches::PacketType;
use crate::route::RouteError;
use crate::trace::Snapshot;

/// A packet in a host, and what the host knows of it (kernel `struct sk_buff`).
#[derive(Clone, Debug)]
pub(super) struct Skb {
    pub journey: u32,
    pub packet: Packet,
    pub mark: u32,
    /// The interface that brought it; none for the host's own.
    pub in_iface: Option<IfaceName>,
    pub out_iface: Option<IfaceName>,
    pub ct: Ct,
    pub src_mac: Mac,
    pub dst_mac: Mac,
    pub packet_type: PacketType,
    pub owner: Option<SocketOwner>,
    /// A socket of the kernel's own sent it.
    pub kernel_socket: bool,
    /// Its socket is bound to this interface.
    pub bound: Option<IfaceName>,
    /// The kernel's ICMP is sending it, and sends nothing else meanwhile (`icmp_xmit_lock`).
    pub by_icmp: bool,
    /// TPROXY gave it to the socket for this address and port.
    pub socket: Option<(IpAddr, u16)>,
    pub dst: Option<Dst>,
    pub bridge: Option<BridgeInfo>,
    /// What the packet carries wrapped (VXLAN).
    pub inner: Option<Box<Inner>>,
}

#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub vni: u32,
    pub packet: Packet,
    pub src_mac: Mac,
    pub dst_mac: Mac,
}

/// What conntrack attached (kernel `skb->_nfct`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ct {
    pub state: Option<CtState>,
    pub direction: Direction,
    pub connection: Option<ConnectionId>,
    pub zone: Option<ZoneId>,
}

/// What br_netfilter remembers while a bridged packet passes netfilter (kernel `struct nf_bridge_info`).
#[derive(Clone, Debug)]
pub(super) struct BridgeInfo {
    pub physin: IfaceName,
    pub physout: Option<IfaceName>,
}

/// Where a packet goes: the routing decision that is attached to it (kernel `struct rtable`).
#[derive(Clone, Debug)]
pub(super) struct Dst {
    pub input: Input,
    pub dev: IfaceName,
    pub gateway: Option<IpAddr>,
    /// RTCF_LOCAL, RTCF_BROADCAST, RTCF_MULTICAST
    pub local: bool,
    pub broadcast: bool,
    pub multicast: bool,
    /// There is a shorter way for the sender (RTCF_DOREDIRECT).
    pub redirect: bool,
}

/// What is done with a packet that came in (kernel `dst->input`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Deliver,
    Forward,
    /// Refused, with an ICMP error where the kernel sends one.
    Error(RouteError, Refusal),
    /// Of the host's own packets, which are only sent.
    None,
}

/// Why a packet that came in is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoRoute,
    /// The interface does not forward.
    NotForwarding,
}

impl Dst {
    /// To the host itself.
    pub(super) fn to_host() -> Self {
        Self {
            input: Input::Deliver,
            dev: "lo".into(),
            gateway: None,
            local: true,
            broadcast: false,
            multicast: false,
            redirect: false,
        }
    }

    pub fn of_bridge(bridge: &IfaceName) -> Self {
        Self {
            input: Input::None,
            dev: bridge.clone(),
            gateway: None,
            local: false,
            broadcast: false,
            multicast: false,
            redirect: false,
        }
    }
}

impl Skb {
    pub fn new(journey: u32, packet: Packet) -> Self {
        Self {
            journey,
            packet,
            mark: 0,
            in_iface: None,
            out_iface: None,
            ct: Ct::default(),
            src_mac: Mac::default(),
            dst_mac: Mac::default(),
            packet_type: PacketType::Unicast,
            owner: None,
            kernel_socket: false,
            bound: None,
            by_icmp: false,
            socket: None,
            dst: None,
            bridge: None,
            inner: None,
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            packet: self.packet.clone(),
            mark: self.mark,
            in_iface: self.in_iface.clone(),
            out_iface: self.out_iface.clone(),
            ct_state: self.ct.state.map(|s| s.label(self.ct.direction)),
        }
    }
}
