//! The targets: what a rule does with a packet that it matches.

mod apply;

pub(super) use apply::redirect;

use std::net::IpAddr;

use serde::Serialize;

use super::ChainId;
use super::matches::{Bits, Range, Unsupported};
use crate::net::Masked;
use crate::text::Span;

/// What follows `-j` or `-g`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Target {
    /// No `-j`: the rule only counts.
    None,
    Accept,
    Drop,
    Return,
    Jump(ChainId),
    Goto(ChainId),
    Reject(RejectWith),
    Dnat(Box<NatRange>),
    Snat(Box<NatRange>),
    Masquerade {
        ports: Option<Range<u16>>,
        random: bool,
        random_fully: bool,
    },
    Redirect {
        ports: Option<Range<u16>>,
        random: bool,
    },
    Netmap(Box<Masked>),
    /// mark = (mark & ~mask) ^ value: all spellings become `--set-xmark` (kernel `net/netfilter/xt_mark.c`).
    Mark(Bits),
    Connmark(ConnmarkOp),
    Ct(Box<Ct>),
    /// `-j NOTRACK`; `-j CT --notrack` is [`Target::Ct`].
    Notrack,
    Log(Box<Log>),
    Nflog(Box<Nflog>),
    Tproxy(Box<Tproxy>),
    Ttl(TtlOp),
    /// ip6tables' name for [`Target::Ttl`].
    Hl(TtlOp),
    /// `None`: `--clamp-mss-to-pmtu`.
    Tcpmss(Option<u16>),
    Trace,
    Set(Box<SetTarget>),
    /// tos = (tos & ~mask) ^ value (kernel `net/netfilter/xt_DSCP.c`, `tos_tg`).
    Tos {
        value: u8,
        mask: u8,
    },
    Dscp(u8),
    /// `--checksum-fill`: for devices that would else do it themselves.
    Checksum,
    /// The class of the queueing discipline, `major << 16 | minor`.
    Classify(u32),
    /// Known to iptables, not to this model: a packet that reaches it ends in "cannot tell".
    Unsupported(Box<Unsupported>),
}

/// `--reject-with` (kernel `enum ipt_reject_with`, and `enum ip6t_reject_with` for those marked 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum RejectWith {
    NetUnreachable,
    HostUnreachable,
    ProtoUnreachable,
    #[default]
    PortUnreachable,
    NetProhibited,
    HostProhibited,
    AdminProhibited,
    TcpReset,
    NoRoute6,
    AdmProhibited6,
    AddrUnreachable6,
    PortUnreachable6,
    PolicyFail6,
    RejectRoute6,
}

/// `--to-destination` and `--to-source`: addresses and ports, each a range or not given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NatRange {
    pub addrs: Option<Range<IpAddr>>,
    pub ports: Option<Range<u16>>,
    /// The base port of a shifted range, `low-high/base` (DNAT only).
    pub shift: Option<u16>,
    pub random: bool,
    pub random_fully: bool,
    pub persistent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ConnmarkOp {
    /// ctmark = (ctmark & ~mask) ^ value
    Set(Bits),
    /// ctmark = (ctmark & ~ctmask) ^ (mark & nfmask)
    Save { nfmask: u32, ctmask: u32 },
    /// mark = (mark & ~nfmask) ^ (ctmark & ctmask)
    Restore { nfmask: u32, ctmask: u32 },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ct {
    pub notrack: bool,
    pub zone: Option<Zone>,
    /// Names of a helper and a timeout policy; empty where not given.
    pub helper: Box<str>,
    pub timeout: Box<str>,
    /// Events that are reported (`IPCT_*` as bits), and whether new expectations are; change no verdict.
    pub events: u16,
    pub expected_events: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Zone {
    pub scope: ZoneScope,
    /// `None`: taken from the mark (`--zone mark`).
    pub id: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ZoneScope {
    Both,
    Original,
    Reply,
}

/// `-j SET`: what the packet puts into a set, takes out of one, and is given by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SetTarget {
    pub add: Option<SetChange>,
    pub remove: Option<SetChange>,
    /// A member that is there already begins its time anew.
    pub exist: bool,
    /// Seconds; `None`: as the set has it.
    pub timeout: Option<u32>,
    /// The set whose member gives the packet what it has for it: a mark; a priority and a queue, which are not followed.
    pub map: Option<SetChange>,
    pub map_mark: bool,
    pub map_prio: bool,
    pub map_queue: bool,
    /// Of the target's name, for what cannot be told.
    pub span: Span,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SetChange {
    pub name: Box<str>,
    /// One for each dimension, true for `src`.
    pub directions: Vec<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Log {
    pub level: u8,
    pub prefix: Box<str>,
    /// tcp-sequence 1, tcp-options 2, ip-options 4, uid 8, macdecode 32 (kernel `NF_LOG_*`).
    pub flags: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nflog {
    pub group: u16,
    pub prefix: Box<str>,
    pub size: Option<u32>,
    /// `--nflog-range`, which has never worked; 0 where not given.
    pub range: u32,
    pub threshold: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tproxy {
    pub port: u16,
    /// Unspecified: that of the interface.
    pub addr: IpAddr,
    pub mark: Bits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TtlOp {
    Set(u8),
    Increase(u8),
    Decrease(u8),
}
