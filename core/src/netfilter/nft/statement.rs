use serde::Serialize;

use super::expr::{Expr, Op, Relation, Right};
use super::field::{Field, Meta};
use super::ruleset::Shared;
use super::set::{SetId, SetRef};
use super::tcp_option::TcpOption;
use crate::conntrack::Direction;
use crate::net::Protocol;
use crate::netfilter::matches::Unsupported;
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
    /// `counter name …`, `ct helper set …`
    Shared(Shared, Box<str>),
    Limit(Box<Limit>),
    Quota(Quota),
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

/// `quota 25 mbytes`: holds until so many bytes have come to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// `over`: holds from then on.
    pub over: bool,
    pub bytes: u64,
    /// Of these, as the rule was listed.
    pub used: u64,
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
    TcpOption(TcpOption),
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
            (Expr::TcpOption(_), _, _) => Some(Protocol::TCP),
            _ => None,
        }
    }

    /// The family that a packet is of when it has come past this.
    pub(super) fn ipv6(&self) -> Option<bool> {
        let Statement::Match(relation) = self else {
            return None;
        };
        match (&relation.left, relation.op, &relation.right) {
            (Expr::Meta(Meta::Nfproto), Op::Eq, Right::Value(value)) => {
                value.first().map(|v| *v == 10)
            }
            (Expr::Field(field), _, _) => field.ipv6(),
            _ => None,
        }
    }

    pub(super) fn asks_transport(&self) -> bool {
        match self {
            // Whose field it is stands fixed however the field compares; what the protocol is not leaves it open.
            Statement::Match(relation) => match &relation.left {
                Expr::Field(field) if field.transport().is_some() => true,
                left => relation.op != Op::Ne && left.asks_transport(),
            },
            Statement::Set(_, value) => value.asks_transport(),
            Statement::Reject(Reject::TcpReset) => true,
            _ => false,
        }
    }
}
