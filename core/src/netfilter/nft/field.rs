use serde::Serialize;

use super::value::Datatype;
use crate::net::Protocol;

/// A header's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Field {
    EtherSaddr,
    EtherDaddr,
    EtherType,
    IpSaddr,
    IpDaddr,
    IpProtocol,
    IpTtl,
    IpDscp,
    IpEcn,
    IpLength,
    IpVersion,
    IpHdrlength,
    IpFragOff,
    Ip6Saddr,
    Ip6Daddr,
    Ip6Nexthdr,
    Ip6Hoplimit,
    Ip6Dscp,
    Ip6Ecn,
    Ip6Length,
    Ip6Version,
    TcpSport,
    TcpDport,
    TcpFlags,
    UdpSport,
    UdpDport,
    UdpLength,
    SctpSport,
    SctpDport,
    UdpliteSport,
    UdpliteDport,
    DccpSport,
    DccpDport,
    /// `th sport`, `th dport`: of whatever transport, without asking which.
    ThSport,
    ThDport,
    IcmpType,
    IcmpCode,
    IcmpId,
    IcmpChecksum,
    Icmpv6Type,
    Icmpv6Code,
    Icmpv6Id,
}

/// What is known of a packet beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Meta {
    Mark,
    Length,
    L4proto,
    Nfproto,
    Protocol,
    Iifname,
    Oifname,
    Iif,
    Oif,
    Pkttype,
    Skuid,
    Skgid,
    Random,
    /// Set only: changes nothing that the model has.
    Nftrace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum CtKey {
    State,
    Status,
    Direction,
    Mark,
    /// IPv4; the others of IPv6.
    Saddr,
    Daddr,
    Saddr6,
    Daddr6,
    ProtoSrc,
    ProtoDst,
    L3proto,
    Protocol,
    Expiration,
    Zone,
    /// Of one direction, or of both together; likewise the average length.
    Bytes,
    Packets,
    Avgpkt,
}

/// `fib`: a question to the routing tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fib {
    /// Of the source rather than of the destination.
    pub saddr: bool,
    pub with_mark: bool,
    pub with_iif: bool,
    pub with_oif: bool,
    pub result: FibResult,
    /// `missing` and `exists` are asked, not the interface itself.
    pub presence: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum FibResult {
    Type,
    Oif,
    Oifname,
    /// Whether there is a route.
    Check,
}

/// `rt`: of the route that the packet was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum RouteKey {
    Mtu,
    Classid,
    Nexthop,
    Nexthop6,
    /// Whether IPsec will wrap the packet.
    Ipsec,
}

/// `@nh,64,8`: bits of a header by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Raw {
    pub base: Base,
    pub offset: u16,
    pub bits: u8,
}

/// Where the bits of [`Raw`] are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Base {
    Link,
    Network,
    Transport,
    /// What the transport carries.
    Inner,
}

impl Base {
    pub(super) const NAMES: [(&str, Base); 4] = [
        ("ll", Base::Link),
        ("nh", Base::Network),
        ("th", Base::Transport),
        ("ih", Base::Inner),
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum SocketKey {
    Transparent,
    Mark,
    Wildcard,
}

impl Field {
    pub fn datatype(self) -> Datatype {
        match self {
            Field::EtherSaddr | Field::EtherDaddr => Datatype::EtherAddr,
            Field::EtherType => Datatype::EtherType,
            Field::IpSaddr | Field::IpDaddr => Datatype::Ipv4Addr,
            Field::Ip6Saddr | Field::Ip6Daddr => Datatype::Ipv6Addr,
            Field::IpProtocol | Field::Ip6Nexthdr => Datatype::InetProto,
            Field::IpDscp | Field::Ip6Dscp => Datatype::Dscp,
            Field::IpEcn | Field::Ip6Ecn => Datatype::Ecn,
            Field::IpTtl | Field::Ip6Hoplimit => Datatype::Integer(8),
            Field::IpVersion | Field::IpHdrlength | Field::Ip6Version => Datatype::Integer(4),
            Field::IpLength | Field::Ip6Length | Field::UdpLength | Field::IpFragOff => {
                Datatype::Integer(16)
            }
            Field::IcmpId | Field::Icmpv6Id | Field::IcmpChecksum => Datatype::Integer(16),
            Field::TcpFlags => Datatype::TcpFlag,
            Field::IcmpType => Datatype::IcmpType,
            Field::IcmpCode => Datatype::IcmpCode,
            Field::Icmpv6Type => Datatype::Icmpv6Type,
            Field::Icmpv6Code => Datatype::Icmpv6Code,
            Field::TcpSport
            | Field::TcpDport
            | Field::UdpSport
            | Field::UdpDport
            | Field::SctpSport => Datatype::InetService,
            Field::SctpDport | Field::UdpliteSport | Field::UdpliteDport => Datatype::InetService,
            Field::DccpSport | Field::DccpDport | Field::ThSport | Field::ThDport => {
                Datatype::InetService
            }
        }
    }

    /// The transport protocol that a packet must be of to have the field.
    pub fn transport(self) -> Option<Protocol> {
        match self {
            Field::TcpSport | Field::TcpDport | Field::TcpFlags => Some(Protocol::TCP),
            Field::UdpSport | Field::UdpDport | Field::UdpLength => Some(Protocol::UDP),
            Field::SctpSport | Field::SctpDport => Some(Protocol::SCTP),
            Field::UdpliteSport | Field::UdpliteDport => Some(Protocol(136)),
            Field::DccpSport | Field::DccpDport => Some(Protocol(33)),
            Field::IcmpType | Field::IcmpCode | Field::IcmpId | Field::IcmpChecksum => {
                Some(Protocol::ICMP)
            }
            Field::Icmpv6Type | Field::Icmpv6Code | Field::Icmpv6Id => Some(Protocol::ICMPV6),
            _ => None,
        }
    }

    /// Network (0) or transport (1) header, first byte and bytes of the fields that are compared whole.
    pub(super) fn bytes(self) -> Option<(u8, u8, u8)> {
        Some(match self {
            Field::IpLength => (0, 2, 2),
            Field::IpTtl => (0, 8, 1),
            Field::IpProtocol => (0, 9, 1),
            Field::IpSaddr => (0, 12, 4),
            Field::IpDaddr => (0, 16, 4),
            Field::Ip6Length => (0, 4, 2),
            Field::Ip6Nexthdr => (0, 6, 1),
            Field::Ip6Hoplimit => (0, 7, 1),
            Field::TcpSport | Field::UdpSport | Field::SctpSport => (1, 0, 2),
            Field::TcpDport | Field::UdpDport | Field::SctpDport => (1, 2, 2),
            Field::UdpLength => (1, 4, 2),
            Field::IcmpChecksum => (1, 2, 2),
            Field::IcmpType | Field::Icmpv6Type => (1, 0, 1),
            Field::IcmpCode | Field::Icmpv6Code => (1, 1, 1),
            _ => return None,
        })
    }

    /// `th sport` and `th dport` of a transport protocol that is known are its own fields.
    pub(super) fn of(self, transport: Protocol) -> Self {
        match (self, transport) {
            (Field::ThSport, Protocol::TCP) => Field::TcpSport,
            (Field::ThDport, Protocol::TCP) => Field::TcpDport,
            (Field::ThSport, Protocol::UDP) => Field::UdpSport,
            (Field::ThDport, Protocol::UDP) => Field::UdpDport,
            (Field::ThSport, Protocol::SCTP) => Field::SctpSport,
            (Field::ThDport, Protocol::SCTP) => Field::SctpDport,
            (Field::ThDport, Protocol::ICMP) => Field::IcmpChecksum,
            (field, _) => field,
        }
    }
}

impl Meta {
    pub fn datatype(self) -> Datatype {
        match self {
            Meta::Mark => Datatype::Mark,
            Meta::L4proto => Datatype::InetProto,
            Meta::Nfproto => Datatype::NfProto,
            Meta::Protocol => Datatype::EtherType,
            Meta::Iifname | Meta::Oifname => Datatype::IfName,
            Meta::Iif | Meta::Oif => Datatype::IfIndex,
            Meta::Pkttype => Datatype::PacketType,
            Meta::Skuid => Datatype::Uid,
            Meta::Skgid => Datatype::Gid,
            Meta::Nftrace => Datatype::Integer(1),
            Meta::Length | Meta::Random => Datatype::Integer(32),
        }
    }
}

impl CtKey {
    pub fn datatype(self) -> Datatype {
        match self {
            CtKey::State => Datatype::CtState,
            CtKey::Status => Datatype::CtStatus,
            CtKey::Direction => Datatype::CtDirection,
            CtKey::Mark => Datatype::Mark,
            CtKey::Saddr | CtKey::Daddr => Datatype::Ipv4Addr,
            CtKey::Saddr6 | CtKey::Daddr6 => Datatype::Ipv6Addr,
            CtKey::ProtoSrc | CtKey::ProtoDst => Datatype::InetService,
            CtKey::L3proto => Datatype::NfProto,
            CtKey::Protocol => Datatype::InetProto,
            CtKey::Expiration => Datatype::Time,
            CtKey::Zone => Datatype::Integer(16),
            CtKey::Bytes | CtKey::Packets | CtKey::Avgpkt => Datatype::Integer(64),
        }
    }
}
