//! The match extensions: what a rule can ask of a packet beyond its [`Header`](super::Header), and the answers.

mod addrtype;
mod conntrack;
mod header;
mod ip;
mod limit;
mod link;
mod mark;
mod ports;
mod probe;
mod recent;
pub(super) mod rpfilter;
mod set;
mod socket;
mod statistic;

pub(super) use probe::Explainer;
pub(super) use probe::Tester;
pub use set::SetAnswer;

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use super::{Context, Interface, Not, Rule};
use crate::net::{IpFamily, Mac, Masked, Protocol, TcpFlags};
use crate::text::Span;
use probe::Probe;

/// An inclusive range of ports or other numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Range<T> {
    pub low: T,
    pub high: T,
}

impl<T: Copy> Range<T> {
    pub fn one(value: T) -> Self {
        Self {
            low: value,
            high: value,
        }
    }
}

impl<T: PartialOrd> Range<T> {
    pub fn contains(&self, value: T) -> bool {
        self.low <= value && value <= self.high
    }
}

/// One number, or `low:high` as iptables prints ranges.
impl<T: PartialEq + fmt::Display> fmt::Display for Range<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.low)?;
        if self.low == self.high {
            Ok(())
        } else {
            write!(f, ":{}", self.high)
        }
    }
}

/// A match as its module understands it. What would not fit in 24 bytes is boxed: dumps hold rules by the hundred thousand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Match {
    Comment(Box<str>),
    Tcp(Tcp),
    Udp {
        sport: Option<Not<Range<u16>>>,
        dport: Option<Not<Range<u16>>>,
    },
    Sctp {
        sport: Option<Not<Range<u16>>>,
        dport: Option<Not<Range<u16>>>,
    },
    Icmp(Not<IcmpType>),
    Icmp6(Not<IcmpType>),
    Multiport(Box<Multiport>),
    /// `-m conntrack`, and `-m state`, which asks only for states.
    Conntrack(Box<Conntrack>),
    Mark(Not<Bits>),
    Connmark(Not<Bits>),
    Addrtype(Addrtype),
    Statistic(Statistic),
    Limit(Limit),
    Hashlimit(Box<Hashlimit>),
    Recent(Box<Recent>),
    Set(Box<SetMatch>),
    Iprange(Box<Iprange>),
    Length(Not<Range<u16>>),
    Ttl(TtlTest),
    /// ip6tables' name for [`Match::Ttl`].
    Hl(TtlTest),
    Owner(Box<Owner>),
    Physdev(Box<Physdev>),
    Pkttype(Not<PacketType>),
    Mac(Not<Mac>),
    Tos {
        value: u8,
        mask: u8,
        inverted: bool,
    },
    Dscp(Not<u8>),
    Socket {
        transparent: bool,
        nowildcard: bool,
        restore_mark: bool,
    },
    Rpfilter(Rpfilter),
    /// Whether IPsec has brought the packet, or will take it.
    Policy {
        out: bool,
        ipsec: bool,
    },
    /// Bytes that pass in all; the packet that is more, and all after it, do not.
    Quota(Not<u64>),
    /// Known to iptables, not to this model: a packet that has to be tested by it ends in "cannot tell".
    Unsupported(Box<Unsupported>),
}

/// What the model does not know, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unsupported {
    pub name: Box<str>,
    /// All of it, as it would be printed again.
    pub text: Box<str>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tcp {
    pub sport: Option<Not<Range<u16>>>,
    pub dport: Option<Not<Range<u16>>>,
    /// `--tcp-flags mask set`; `--syn` is `FIN,SYN,RST,ACK SYN`.
    pub flags: Option<Not<FlagTest>>,
    pub option: Option<Not<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FlagTest {
    pub mask: TcpFlags,
    pub set: TcpFlags,
}

/// `any` is kind 255 with codes 0-255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IcmpType {
    pub kind: u8,
    pub codes: Range<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Multiport {
    pub side: PortSide,
    pub inverted: bool,
    /// A single port is a range of one.
    pub ports: Vec<Range<u16>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PortSide {
    Source,
    Destination,
    Either,
}

/// A value under a mask: `value/mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bits {
    pub value: u32,
    pub mask: u32,
}

/// A set of conntrack states, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct States(pub u8);

impl States {
    pub const INVALID: u8 = 1;
    pub const NEW: u8 = 2;
    pub const RELATED: u8 = 4;
    pub const ESTABLISHED: u8 = 8;
    pub const UNTRACKED: u8 = 16;
    pub const SNAT: u8 = 32;
    pub const DNAT: u8 = 64;
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Conntrack {
    /// Written as `-m state` rather than `-m conntrack`: the same test, printed otherwise.
    pub legacy: bool,
    pub states: Option<Not<States>>,
    pub status: Option<Not<Status>>,
    pub protocol: Option<Not<Protocol>>,
    pub orig_src: Option<Not<Masked>>,
    pub orig_dst: Option<Not<Masked>>,
    pub repl_src: Option<Not<Masked>>,
    pub repl_dst: Option<Not<Masked>>,
    pub orig_sport: Option<Not<Range<u16>>>,
    pub orig_dport: Option<Not<Range<u16>>>,
    pub repl_sport: Option<Not<Range<u16>>>,
    pub repl_dport: Option<Not<Range<u16>>>,
    /// Seconds.
    pub expire: Option<Not<Range<u32>>>,
    /// `--ctdir`: true for REPLY.
    pub reply: Option<bool>,
}

/// `--ctstatus`, as bits; no bit is `NONE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status(pub u8);

impl Status {
    pub const EXPECTED: u8 = 1;
    pub const SEEN_REPLY: u8 = 2;
    pub const ASSURED: u8 = 4;
    pub const CONFIRMED: u8 = 8;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Addrtype {
    pub src: Option<Not<AddressTypes>>,
    pub dst: Option<Not<AddressTypes>>,
    pub limit_iface_in: bool,
    pub limit_iface_out: bool,
}

/// Kinds of address, as bits `1 << RTN_*` (kernel `include/uapi/linux/rtnetlink.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AddressTypes(pub u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Statistic {
    /// A chance of `threshold` in 2^31 (kernel `net/netfilter/xt_statistic.c`).
    Random { threshold: u32, inverted: bool },
    /// Every `every`-th packet from the `packet`-th on, from 0.
    Nth {
        every: u32,
        packet: u32,
        inverted: bool,
    },
}

/// `average`: 10,000ths of a second a packet, as the kernel stores it (`XT_LIMIT_SCALE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    pub average: u32,
    pub burst: u32,
}

/// hashlimit by packets, as kube and docker rules use it; what goes further is [`Match::Unsupported`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hashlimit {
    /// Of the addresses that the masks are for.
    pub family: IpFamily,
    pub name: Box<str>,
    /// `--hashlimit-above` rather than `--hashlimit-upto`.
    pub above: bool,
    /// Millionths of a second a packet (`XT_HASHLIMIT_SCALE_v2`).
    pub average: u64,
    pub burst: u32,
    /// srcip 1, srcport 2, dstip 4, dstport 8.
    pub mode: u8,
    pub srcmask: u8,
    pub dstmask: u8,
    /// Buckets and entries of the hash table; 0: the kernel chooses.
    pub size: u32,
    pub max: u32,
    /// Milliseconds.
    pub gc_interval: u32,
    /// Milliseconds.
    pub expire: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recent {
    pub name: Box<str>,
    pub inverted: bool,
    pub action: RecentAction,
    pub seconds: Option<u32>,
    pub reap: bool,
    pub hitcount: Option<u32>,
    pub check_ttl: bool,
    /// `--rdest` rather than `--rsource`.
    pub dest: bool,
    pub mask: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RecentAction {
    Set,
    Check,
    Update,
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetMatch {
    pub set: Box<str>,
    pub inverted: bool,
    /// A direction for each dimension; true is `src`.
    pub directions: Vec<bool>,
    /// `--return-nomatch`: it is asked whether the set excepts the packet.
    pub nomatch: bool,
    /// `! --update-counters` and `! --update-subcounters`: the member that holds the packet does not count it.
    pub no_update: bool,
    pub no_subupdate: bool,
    /// What the member's counters must be.
    pub packets: Option<CounterTest>,
    pub bytes: Option<CounterTest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CounterTest {
    Equal(u64),
    NotEqual(u64),
    Less(u64),
    Greater(u64),
}

impl CounterTest {
    pub(in crate::netfilter) fn holds(self, counter: u64) -> bool {
        match self {
            CounterTest::Equal(n) => counter == n,
            CounterTest::NotEqual(n) => counter != n,
            CounterTest::Less(n) => counter < n,
            CounterTest::Greater(n) => counter > n,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Iprange {
    pub src: Option<Not<Range<IpAddr>>>,
    pub dst: Option<Not<Range<IpAddr>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TtlTest {
    Equal(u8),
    NotEqual(u8),
    Less(u8),
    Greater(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Owner {
    pub uid: Option<Not<Range<u32>>>,
    pub gid: Option<Not<Range<u32>>>,
    pub suppl_groups: bool,
    pub socket_exists: Option<Not<()>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Physdev {
    pub in_iface: Option<Not<Interface>>,
    pub out_iface: Option<Not<Interface>>,
    pub is_in: Option<Not<()>>,
    pub is_out: Option<Not<()>>,
    pub is_bridged: Option<Not<()>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rpfilter {
    /// Any way back will do.
    pub loose: bool,
    /// The way back is asked for with the packet's mark.
    pub valid_mark: bool,
    /// The source may be an address of the host's own.
    pub accept_local: bool,
    pub inverted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PacketType {
    Unicast,
    Broadcast,
    Multicast,
    /// For another host, seen in promiscuous mode.
    Otherhost,
}

/// Asks all criteria of a rule, in the kernel's order: the header's, then the matches' as written.
pub(super) fn rule_holds(rule: &Rule, ctx: &Context, probe: &mut impl Probe) -> bool {
    rule.header.test(ctx, probe)
        && rule.matches.iter().enumerate().all(|(index, m)| {
            probe.at_match(index as u16);
            m.test(ctx, rule.span, probe)
        })
}

impl Match {
    fn test(&self, ctx: &Context, span: Span, probe: &mut impl Probe) -> bool {
        match self {
            Match::Comment(_) => true,
            Match::Tcp(m) => m.test(ctx, span, probe),
            Match::Udp { sport, dport } => {
                ports::plain_ports(Protocol::UDP, *sport, *dport, ctx, probe)
            }
            Match::Sctp { sport, dport } => {
                ports::plain_ports(Protocol::SCTP, *sport, *dport, ctx, probe)
            }
            Match::Icmp(want) => ip::icmp(*want, Protocol::ICMP, ctx, probe),
            Match::Icmp6(want) => ip::icmp(*want, Protocol::ICMPV6, ctx, probe),
            Match::Multiport(m) => m.test(ctx, probe),
            Match::Conntrack(m) => m.test(ctx, probe),
            Match::Mark(want) => mark::mark(*want, ctx, probe),
            Match::Connmark(want) => mark::connmark(*want, ctx, probe),
            Match::Addrtype(m) => m.test(ctx, probe),
            Match::Statistic(m) => m.test(probe),
            Match::Limit(m) => m.test(ctx, probe),
            Match::Hashlimit(m) => m.test(ctx, probe),
            Match::Recent(m) => m.test(ctx, probe),
            Match::Set(m) => m.test(ctx, span, probe),
            Match::Iprange(m) => m.test(ctx, probe),
            Match::Length(want) => ip::length(*want, ctx, probe),
            Match::Ttl(m) => m.test("ttl", ctx, probe),
            Match::Hl(m) => m.test("hl", ctx, probe),
            Match::Owner(m) => m.test(ctx, probe),
            Match::Physdev(m) => m.test(ctx, probe),
            Match::Pkttype(want) => link::pkttype(*want, ctx, probe),
            Match::Mac(want) => link::mac(*want, ctx, probe),
            Match::Tos {
                value,
                mask,
                inverted,
            } => ip::tos(*value, *mask, *inverted, ctx, probe),
            Match::Dscp(want) => ip::dscp(*want, ctx, probe),
            Match::Socket {
                transparent,
                nowildcard,
                restore_mark,
            } => socket::socket(*transparent, *nowildcard, *restore_mark, ctx, probe),
            Match::Rpfilter(m) => m.test(ctx, probe),
            Match::Policy { out, ipsec } => ip::policy(*out, *ipsec, probe),
            Match::Quota(quota) => limit::quota(*quota, ctx, probe),
            Match::Unsupported(what) => probe.cannot_tell(what),
        }
    }
}
