//! ipset: sets of addresses, ports and nets that rules ask about (kernel `net/netfilter/ipset/`).

mod ask;
mod change;
mod create;
mod icmp;
mod member;
mod print;
mod read;

pub use ask::{Found, Question, Wanted};
pub use read::{read, read_along};

use std::net::IpAddr;

use serde::Serialize;

use super::Counters;
use crate::net::{Mac, Masked, Protocol};
use crate::text::Span;

/// A host's sets: what one `ipset save` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sets {
    pub sets: Vec<Set>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Set {
    pub name: Box<str>,
    /// Its type and the options of its creation, as written.
    pub create: Box<str>,
    pub kind: Kind,
    pub options: Options,
    pub span: Span,
}

/// The options of a set's creation that change what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Options {
    pub ipv6: bool,
    /// Addresses are members by these bits (`netmask`, `bitmask`).
    pub mask: Option<IpAddr>,
    pub markmask: Option<u32>,
    /// Seconds that a member stays if it does not say itself; 0: for ever. `None`: members have no timeouts.
    pub timeout: Option<u32>,
    /// Of a bitmap.
    pub range: Option<Bounds>,
    pub most: Option<u32>,
    /// What members may carry.
    pub counters: bool,
    pub comment: bool,
    pub skbinfo: bool,
}

/// The first and the last that a bitmap has a bit for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Bounds {
    Addrs(IpAddr, IpAddr),
    Ports(u16, u16),
}

/// A set's type and its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// `hash:…` and `bitmap:…`: a member has a value for each dimension.
    Of {
        dimensions: Vec<Dimension>,
        members: Vec<Member>,
    },
    /// `list:set`: other sets, asked one after the other.
    List(Vec<Entry>),
    /// Of a type or with options that are not modelled, or changed in a way that is not.
    Unknown,
}

/// What one dimension of a set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Dimension {
    Addr,
    /// A prefix; the longest that holds the address decides.
    Net,
    /// A port with its protocol.
    Port,
    /// A port of TCP or UDP alike (`bitmap:port`).
    AnyPort,
    Iface,
    Mac,
    Mark,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// One for each dimension.
    pub parts: Vec<Part>,
    /// What it holds is not in the set.
    pub nomatch: bool,
    /// Its interface is the beginning of a name.
    pub wildcard: bool,
    pub extra: Extra,
}

/// A set in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub set: Box<str>,
    pub extra: Extra,
}

/// What members of every type may carry (kernel `struct ip_set_ext`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Extra {
    /// Milliseconds on the host's clock, which starts when the set is read; `None`: never.
    pub expires: Option<u64>,
    pub counters: Counters,
    /// `skbmark`, value and mask, which `SET --map-set` gives to packets.
    pub mark: Option<(u32, u32)>,
    /// `comment`, `skbmark` and the like, as written.
    pub words: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ports {
    /// `None`: of any protocol.
    pub protocol: Option<Protocol>,
    pub low: u16,
    pub high: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    Addrs(IpAddr, IpAddr),
    Net(Masked),
    Ports(Ports),
    Iface(Box<str>),
    /// `None`: whichever comes first (`bitmap:ip,mac`).
    Mac(Option<Mac>),
    Mark(u32),
}

impl Sets {
    pub fn get(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|s| &*s.name == name)
    }
}

impl Set {
    /// Whether members may say that they are not in it (kernel `IPSET_TYPE_NOMATCH`).
    pub fn has_nomatch(&self) -> bool {
        matches!(&self.kind, Kind::Of { dimensions, .. } if dimensions.contains(&Dimension::Net))
    }

    fn is_bitmap(&self) -> bool {
        self.create.starts_with("bitmap:")
    }
}

impl Member {
    /// The time of one whose hardware address is not known yet has not begun (kernel `bitmap_ipmac_add_timeout`).
    fn is_there(&self, now: u64) -> bool {
        self.is_unfilled() || self.extra.is_there(now)
    }

    fn is_unfilled(&self) -> bool {
        self.parts.contains(&Part::Mac(None))
    }
}

impl Extra {
    fn is_there(&self, now: u64) -> bool {
        self.expires.is_none_or(|at| now < at)
    }
}

impl Options {
    fn markmask(&self) -> u32 {
        self.markmask.unwrap_or(u32::MAX)
    }
}
