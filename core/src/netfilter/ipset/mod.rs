//! ipset: sets of addresses, ports and nets that rules ask about (kernel `net/netfilter/ipset/`).

mod print;
mod read;

pub use read::read;

use std::net::IpAddr;

use serde::Serialize;

use super::SetAnswer;
use crate::net::{Masked, Packet, Protocol, Transport};
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
    pub span: Span,
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
    List(Vec<Box<str>>),
    /// Of a type that is not modelled.
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
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// One for each dimension.
    pub parts: Vec<Part>,
    /// What it holds is not in the set.
    pub nomatch: bool,
    /// `timeout`, counters, `comment` and the like, as written.
    pub options: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    Addrs(IpAddr, IpAddr),
    Net(Masked),
    /// `None`: of any protocol.
    Ports(Option<Protocol>, u16, u16),
    Iface(Box<str>),
}

/// Lists within lists that are followed; the kernel has none at all.
const MOST_DEPTH: u8 = 4;

impl Sets {
    pub fn get(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|s| &*s.name == name)
    }

    /// Whether a set has a packet. `directions` are the rule's, one for each dimension, true for `src`.
    pub fn has(
        &self,
        name: &str,
        directions: &[bool],
        packet: &Packet,
        in_iface: Option<&str>,
        out_iface: Option<&str>,
    ) -> SetAnswer {
        let asked = Asked {
            directions,
            packet,
            in_iface,
            out_iface,
        };
        self.ask(name, &asked, MOST_DEPTH)
    }

    fn ask(&self, name: &str, asked: &Asked, depth: u8) -> SetAnswer {
        let Some(set) = self.get(name) else {
            return SetAnswer::CannotTell;
        };
        match &set.kind {
            Kind::Unknown => SetAnswer::CannotTell,
            Kind::List(_) if depth == 0 => SetAnswer::CannotTell,
            Kind::List(names) => {
                let answers = names.iter().map(|n| self.ask(n, asked, depth - 1));
                answers
                    .filter(|a| *a != SetAnswer::NotIn)
                    .max_by_key(|a| *a == SetAnswer::In)
                    .unwrap_or(SetAnswer::NotIn)
            }
            Kind::Of {
                dimensions,
                members,
            } => match asked.is_in(dimensions, members) {
                true => SetAnswer::In,
                false => SetAnswer::NotIn,
            },
        }
    }
}

struct Asked<'a> {
    directions: &'a [bool],
    packet: &'a Packet,
    in_iface: Option<&'a str>,
    out_iface: Option<&'a str>,
}

impl Asked<'_> {
    fn is_in(&self, dimensions: &[Dimension], members: &[Member]) -> bool {
        // A rule that gives fewer directions than the set has dimensions never holds (kernel `ip_set_test`).
        if self.directions.len() < dimensions.len() {
            return false;
        }
        let sides = dimensions.iter().zip(self.directions);
        let holding = members.iter().filter(|m| {
            let mut parts = sides.clone().zip(&m.parts);
            parts.all(|((dimension, src), part)| self.fits(*dimension, *src, part))
        });
        // Of nets within nets the smallest decides, and it may say that it is out.
        holding
            .max_by_key(|m| m.width())
            .is_some_and(|m| !m.nomatch)
    }

    fn fits(&self, dimension: Dimension, src: bool, part: &Part) -> bool {
        let addr = if src {
            self.packet.src
        } else {
            self.packet.dst
        };
        match part {
            Part::Addrs(low, high) => {
                addr.is_ipv4() == low.is_ipv4() && *low <= addr && addr <= *high
            }
            Part::Net(net) => net.contains(addr),
            Part::Ports(protocol, low, high) => {
                let of = self.packet.protocol();
                let right = match dimension {
                    Dimension::AnyPort => matches!(of, Protocol::TCP | Protocol::UDP),
                    _ => protocol.is_none_or(|p| p == of),
                };
                right && self.port(src).is_some_and(|p| *low <= p && p <= *high)
            }
            Part::Iface(name) => {
                let iface = if src { self.in_iface } else { self.out_iface };
                iface == Some(&**name)
            }
        }
    }

    /// Kernel `ip_set_get_ip4_port`: of ICMP the type and code stand for it.
    fn port(&self, src: bool) -> Option<u16> {
        match &self.packet.transport {
            Transport::Icmp(icmp) => Some(u16::from(icmp.kind) << 8 | u16::from(icmp.code)),
            _ if src => self.packet.sport(),
            _ => self.packet.dport(),
        }
    }
}

impl Member {
    /// How many bits its nets fix.
    fn width(&self) -> u32 {
        let of = |part: &Part| match part {
            Part::Net(net) => net.length().map_or(0, u32::from),
            _ => 0,
        };
        self.parts.iter().map(of).sum()
    }
}
