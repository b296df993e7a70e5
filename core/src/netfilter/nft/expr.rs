use serde::Serialize;

use super::set::{SetId, SetRef};
use super::value::{Datatype, Value};
use crate::conntrack::Direction;
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
    Unsupported(Box<Unsupported>, Datatype),
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
    IpId,
    Ip6Saddr,
    Ip6Daddr,
    Ip6Nexthdr,
    Ip6Hoplimit,
    Ip6Dscp,
    Ip6Ecn,
    Ip6Length,
    TcpSport,
    TcpDport,
    TcpFlags,
    UdpSport,
    UdpDport,
    UdpLength,
    SctpSport,
    SctpDport,
    /// `th sport`, `th dport`: of whatever transport, without asking which.
    ThSport,
    ThDport,
    IcmpType,
    IcmpCode,
    IcmpId,
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
    Priority,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum CtKey {
    State,
    Status,
    Direction,
    Mark,
    Saddr,
    Daddr,
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
    Queue(Box<Unsupported>),
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
    /// Address, or address and port together where `concat`; ranges as [`Expr::Range`].
    pub addr: Option<Expr>,
    pub port: Option<Expr>,
    pub random: bool,
    pub fully_random: bool,
    pub persistent: bool,
    /// `snat prefix to`, `dnat ip prefix to`: the network part is exchanged.
    pub prefix: bool,
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
