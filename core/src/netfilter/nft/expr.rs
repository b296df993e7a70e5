use serde::Serialize;

use super::field::{CtKey, Fib, FibResult, Field, Meta, Raw, RouteKey, SocketKey};
use super::set::{DataType, SetRef};
use super::tcp_option::TcpOption;
use super::value::{Datatype, Value};
use crate::conntrack::Direction;
use crate::net::Protocol;
use crate::netfilter::matches::Range;

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
    Route(RouteKey),
    Raw(Raw),
    TcpOption(TcpOption),
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
                FibResult::Check => Datatype::Boolean,
                FibResult::Oif => Datatype::IfIndex,
                FibResult::Oifname => Datatype::IfName,
            },
            Expr::Socket(SocketKey::Mark) => Datatype::Mark,
            Expr::Socket(_) => Datatype::Integer(1),
            Expr::Route(RouteKey::Mtu) => Datatype::Integer(16),
            Expr::Route(RouteKey::Classid) => Datatype::Integer(32),
            Expr::Route(RouteKey::Nexthop) => Datatype::Ipv4Addr,
            Expr::Route(RouteKey::Nexthop6) => Datatype::Ipv6Addr,
            Expr::Route(RouteKey::Ipsec) => Datatype::Boolean,
            Expr::Raw(raw) => Datatype::Raw(raw.bits),
            Expr::TcpOption(option) => option.datatype(),
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

    /// Whether only packets of some transport protocol have a value for it, or it is that protocol.
    pub(super) fn asks_transport(&self) -> bool {
        match self {
            Expr::Field(Field::IpProtocol | Field::Ip6Nexthdr) | Expr::Meta(Meta::L4proto) => true,
            Expr::Field(field) => field.transport().is_some(),
            Expr::TcpOption(_) => true,
            Expr::Concat(parts) => parts.iter().any(Expr::asks_transport),
            Expr::Bitwise { left: inner, .. } | Expr::Shift { left: inner, .. } => {
                inner.asks_transport()
            }
            Expr::Jhash { of: inner, .. } | Expr::Map(inner, _) => inner.asks_transport(),
            _ => false,
        }
    }

    pub(super) fn settle(&mut self, transport: Protocol) {
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
