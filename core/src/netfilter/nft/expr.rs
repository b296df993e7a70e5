use serde::Serialize;

use super::set::{DataType, SetId, SetRef};
use super::value::{Datatype, Value};
use crate::conntrack::Direction;
use crate::net::Protocol;
use crate::netfilter::matches::{Range, Unsupported};
use crate::netfilter::targets::RejectWith;
use crate::netfilter::{ChainId, Counters};

/// One part of a rule: a question to the packet, or something done with it. A question that fails ends the rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Statement {
    Match(Box<Relation>),
    /// `KEY vmap …`: the verdict that the map has for the key, if any.
    Vmap(Box<Expr>, SetRef),
    Verdict(Verdict),
    Counter(Counters),
    /// `counter name …`
    NamedCounter(Box<str>),
    Limit(Box<Limit>),
    Log(Box<Log>),
    /// `meta mark set …` and the like.
    Set(Target, Box<Expr>),
    Nat(Box<Nat>),
    Reject(Reject),
    Notrack,
    Update(Box<Update>),
    Tproxy(Box<Tproxy>),
    /// Known to nft, not to this model.
    Unsupported(Box<Unsupported>),
}

/// `left op right`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    pub left: Expr,
    pub op: Op,
    pub right: Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    /// Any of these bits is set: a list of flags without an operator.
    Any,
    /// None of these bits is set: `! flags`.
    NoneOf,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Right {
    /// A part for each part of the left side.
    Value(Vec<Value>),
    Range(Range<Value>),
    /// The upper bits: a network, or a name that ends in `*`.
    Prefix {
        value: Value,
        length: u8,
    },
    Set(SetRef),
}

/// Something with a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Expr {
    Field(Field),
    Meta(Meta),
    Ct(CtKey, Option<Direction>),
    Fib(Fib),
    Numgen {
        random: bool,
        modulus: u32,
        offset: u32,
    },
    Jhash {
        of: Box<Expr>,
        modulus: u32,
        seed: Option<u32>,
        offset: u32,
    },
    Symhash {
        modulus: u32,
        offset: u32,
    },
    Socket(SocketKey),
    /// `(left & mask) ^ xor`, which all constant bit operations come to.
    Bitwise {
        left: Box<Expr>,
        mask: Value,
        xor: Value,
    },
    Shift {
        left: Box<Expr>,
        right: bool,
        bits: u8,
    },
    Concat(Vec<Expr>),
    Map(Box<Expr>, SetRef),
    Value(Value, Datatype),
    /// A range of constants, in `dnat to` and the like.
    Range(Range<Value>, Datatype),
}

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum SocketKey {
    Transparent,
    Mark,
    Wildcard,
}

/// What a rule or a map says about a packet's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    Accept,
    Drop,
    Continue,
    Return,
    Jump(ChainId),
    Goto(ChainId),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// `over`: holds once the limit is used up.
    pub over: bool,
    pub rate: u64,
    pub unit: TimeUnit,
    /// Bytes rather than packets.
    pub bytes: bool,
    pub burst: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum TimeUnit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Log {
    pub prefix: Option<Box<str>>,
    pub group: Option<u16>,
    pub snaplen: Option<u32>,
    pub queue_threshold: Option<u16>,
    pub level: Option<u8>,
    /// As the kernel's `NF_LOG_*`.
    pub flags: u8,
}

/// What a rule can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Target {
    Meta(Meta),
    CtMark,
    /// Once conntrack looks at the packet; a direction or both.
    CtZone(Option<Direction>),
    Field(Field),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nat {
    pub kind: NatKind,
    /// `dnat ip to`, in `inet` tables.
    pub family: Option<super::Family>,
    /// Address, or a map's address and port together; ranges as [`Expr::Range`].
    pub addr: Option<Expr>,
    pub port: Option<Expr>,
    pub random: bool,
    pub fully_random: bool,
    pub persistent: bool,
    /// `snat prefix to`, `dnat ip prefix to`: the network part is exchanged.
    pub prefix: bool,
    /// Written as `addr . port to`.
    pub with_port: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum NatKind {
    Dnat,
    Snat,
    Masquerade,
    Redirect,
}

/// `reject`: as written, and what it comes to for either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Reject {
    /// Nothing was said: port unreachable.
    Default,
    TcpReset,
    Icmp(RejectWith),
    Icmpv6(RejectWith),
    /// Of either family.
    Icmpx(Icmpx),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Icmpx {
    NoRoute,
    PortUnreachable,
    HostUnreachable,
    AdminProhibited,
}

/// `add @set { … }`, `update @set { … }`, `delete @set { … }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    pub op: UpdateOp,
    pub set: SetId,
    pub key: Expr,
    /// For a map.
    pub data: Option<Expr>,
    /// Milliseconds.
    pub timeout: Option<u64>,
    /// Kept for each element: counters and limits.
    pub statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum UpdateOp {
    Add,
    Update,
    Delete,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tproxy {
    pub family: Option<super::Family>,
    pub addr: Option<Expr>,
    pub port: Option<Expr>,
}

impl Expr {
    /// The types of its parts.
    pub fn types(&self) -> Vec<Datatype> {
        match self {
            Expr::Concat(parts) => parts.iter().map(Expr::datatype).collect(),
            one => vec![one.datatype()],
        }
    }

    /// The type of an expression of one part.
    pub fn datatype(&self) -> Datatype {
        match self {
            Expr::Field(field) => field.datatype(),
            Expr::Meta(meta) => meta.datatype(),
            Expr::Ct(key, _) => key.datatype(),
            Expr::Fib(fib) if fib.presence => Datatype::Boolean,
            Expr::Fib(fib) => match fib.result {
                FibResult::Type => Datatype::FibAddrType,
                FibResult::Oif => Datatype::IfIndex,
                FibResult::Oifname => Datatype::IfName,
            },
            Expr::Socket(SocketKey::Mark) => Datatype::Mark,
            Expr::Socket(_) => Datatype::Boolean,
            Expr::Bitwise { left, .. } | Expr::Shift { left, .. } => left.datatype(),
            Expr::Value(_, datatype) | Expr::Range(_, datatype) => *datatype,
            Expr::Concat(parts) => parts.first().map_or(Datatype::Integer(32), Expr::datatype),
            Expr::Map(_, SetRef::Anonymous(set)) => match &set.data {
                Some(DataType::Values(types)) => {
                    types.first().copied().unwrap_or(Datatype::Integer(32))
                }
                _ => Datatype::Integer(32),
            },
            Expr::Numgen { .. } | Expr::Jhash { .. } | Expr::Symhash { .. } | Expr::Map(..) => {
                Datatype::Integer(32)
            }
        }
    }
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
        }
    }
}

impl Field {
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
}

impl Field {
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
}

impl Expr {
    /// Whether only packets of some transport protocol have a value for it, or it is that protocol.
    pub(super) fn asks_transport(&self) -> bool {
        match self {
            Expr::Field(Field::IpProtocol | Field::Ip6Nexthdr) | Expr::Meta(Meta::L4proto) => true,
            Expr::Field(field) => field.transport().is_some(),
            Expr::Concat(parts) => parts.iter().any(Expr::asks_transport),
            Expr::Bitwise { left: inner, .. } | Expr::Shift { left: inner, .. } => {
                inner.asks_transport()
            }
            Expr::Jhash { of: inner, .. } | Expr::Map(inner, _) => inner.asks_transport(),
            _ => false,
        }
    }
}

impl Field {
    /// `th sport` and `th dport` of a transport protocol that is known are its own fields.
    fn of(self, transport: Protocol) -> Self {
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

impl Expr {
    fn settle(&mut self, transport: Protocol) {
        match self {
            Expr::Field(field) => *field = field.of(transport),
            Expr::Concat(parts) => parts.iter_mut().for_each(|p| p.settle(transport)),
            Expr::Bitwise { left: inner, .. } | Expr::Shift { left: inner, .. } => {
                inner.settle(transport)
            }
            Expr::Jhash { of: inner, .. } | Expr::Map(inner, _) => inner.settle(transport),
            _ => {}
        }
    }
}

impl Statement {
    /// Makes general fields those of a transport protocol that earlier statements asked for.
    pub(super) fn settle(&mut self, transport: Protocol) {
        match self {
            Statement::Match(relation) => relation.left.settle(transport),
            Statement::Vmap(key, _) => key.settle(transport),
            Statement::Set(_, value) => value.settle(transport),
            _ => {}
        }
    }

    /// The transport protocol that a packet is of when it has come past this.
    pub(super) fn transport(&self) -> Option<Protocol> {
        let Statement::Match(relation) = self else {
            return None;
        };
        let Relation { left, op, right } = &**relation;
        match (left, op, right) {
            (
                Expr::Meta(Meta::L4proto) | Expr::Field(Field::IpProtocol | Field::Ip6Nexthdr),
                Op::Eq,
                Right::Value(value),
            ) => value.first().map(|v| Protocol(*v as u8)),
            (Expr::Field(field), _, _) => field.transport(),
            _ => None,
        }
    }

    pub(super) fn asks_transport(&self) -> bool {
        match self {
            Statement::Match(relation) => relation.op != Op::Ne && relation.left.asks_transport(),
            Statement::Set(_, value) => value.asks_transport(),
            Statement::Reject(Reject::TcpReset) => true,
            _ => false,
        }
    }
}
