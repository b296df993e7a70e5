use std::net::IpAddr;

use serde::Serialize;

use crate::net::{IfaceName, IpFamily, Masked, Protocol};
use crate::text::Span;

/// A routing table by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TableId(pub u32);

impl TableId {
    pub const DEFAULT: TableId = TableId(253);
    pub const MAIN: TableId = TableId(254);
    pub const LOCAL: TableId = TableId(255);
}

/// As `ip` prints a table: by its name where it has one of the three.
impl std::fmt::Display for TableId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            TableId::DEFAULT => f.write_str("default"),
            TableId::MAIN => f.write_str("main"),
            TableId::LOCAL => f.write_str("local"),
            TableId(n) => write!(f, "{n}"),
        }
    }
}

/// What a route says of its destinations; also the type of an address (kernel `enum` of `RTN_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RouteKind {
    #[default]
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

impl RouteKind {
    pub const ALL: [RouteKind; 9] = [
        RouteKind::Unicast,
        RouteKind::Local,
        RouteKind::Broadcast,
        RouteKind::Anycast,
        RouteKind::Multicast,
        RouteKind::Blackhole,
        RouteKind::Unreachable,
        RouteKind::Prohibit,
        RouteKind::Throw,
    ];

    /// As `ip route` writes it.
    pub fn name(self) -> &'static str {
        match self {
            RouteKind::Unicast => "unicast",
            RouteKind::Local => "local",
            RouteKind::Broadcast => "broadcast",
            RouteKind::Anycast => "anycast",
            RouteKind::Multicast => "multicast",
            RouteKind::Blackhole => "blackhole",
            RouteKind::Unreachable => "unreachable",
            RouteKind::Prohibit => "prohibit",
            RouteKind::Throw => "throw",
        }
    }

    /// The kernel's number, `RTN_*`, which `-m addrtype` uses as a bit.
    pub fn number(self) -> u8 {
        match self {
            RouteKind::Unicast => 1,
            RouteKind::Local => 2,
            RouteKind::Broadcast => 3,
            RouteKind::Anycast => 4,
            RouteKind::Multicast => 5,
            RouteKind::Blackhole => 6,
            RouteKind::Unreachable => 7,
            RouteKind::Prohibit => 8,
            RouteKind::Throw => 9,
        }
    }
}

/// How far its destinations are (kernel `enum rt_scope_t`); nearer is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Scope {
    #[default]
    Global,
    Site,
    Link,
    Host,
    Nowhere,
}

/// A line of a routing table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    pub table: TableId,
    pub kind: RouteKind,
    pub dst: Masked,
    /// 0: for any.
    pub tos: u8,
    /// Smaller is better, among routes of one prefix.
    pub metric: u32,
    pub scope: Scope,
    /// `proto`, as written; it decides nothing.
    pub protocol: Option<Box<str>>,
    /// `src`: the address that the host's own packets take.
    pub source: Option<IpAddr>,
    /// One, or several of a multipath route; none for blackhole and its like.
    pub hops: Vec<NextHop>,
    /// `mtu`, bytes.
    pub mtu: Option<u32>,
    /// The line it was read from; `None` for those that the host makes of its addresses.
    pub span: Option<Span>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NextHop {
    pub gateway: Option<IpAddr>,
    pub dev: Option<IfaceName>,
    pub weight: u16,
    pub onlink: bool,
    /// `linkdown` or `dead`: printed for a link that is down; not used.
    pub dead: bool,
}

/// A line of `ip rule`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyRule {
    /// The preference: smaller is asked first.
    pub pref: u32,
    pub not: bool,
    pub from: Option<Masked>,
    pub to: Option<Masked>,
    pub iif: Option<IfaceName>,
    pub oif: Option<IfaceName>,
    /// value and mask
    pub fwmark: Option<(u32, u32)>,
    pub tos: Option<u8>,
    pub protocol: Option<Protocol>,
    pub sport: Option<(u16, u16)>,
    pub dport: Option<(u16, u16)>,
    pub uids: Option<(u32, u32)>,
    pub action: RuleAction,
    /// `suppress_prefixlength N`: an answer of a prefix this short or shorter does not count.
    pub suppress_prefix: Option<u8>,
    /// `None` for those that every host has.
    pub span: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RuleAction {
    Lookup(TableId),
    /// On to the rule of this preference.
    Goto(u32),
    Nop,
    Blackhole,
    Unreachable,
    Prohibit,
}

impl PolicyRule {
    /// A rule for every packet.
    pub fn all(pref: u32, action: RuleAction) -> Self {
        Self {
            pref,
            not: false,
            from: None,
            to: None,
            iif: None,
            oif: None,
            fwmark: None,
            tos: None,
            protocol: None,
            sport: None,
            dport: None,
            uids: None,
            action,
            suppress_prefix: None,
            span: None,
        }
    }

    /// The rules that a host starts with (kernel `fib_default_rules_init`, and `fib6_rules_net_init`, whose table `default`
    /// no rule names).
    pub fn defaults(family: IpFamily) -> Vec<Self> {
        let mut rules = vec![
            Self::all(0, RuleAction::Lookup(TableId::LOCAL)),
            Self::all(32766, RuleAction::Lookup(TableId::MAIN)),
        ];
        if family == IpFamily::V4 {
            rules.push(Self::all(32767, RuleAction::Lookup(TableId::DEFAULT)));
        }
        rules
    }
}
