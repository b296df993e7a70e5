use std::net::IpAddr;

use super::{Dimension, Kind, Member, Options, Part, Ports, Set, Sets};
use crate::net::{Mac, Masked, Packet, Protocol, Transport};
use crate::netfilter::{Context, SetAnswer};

/// Lists within lists that are followed; the kernel has none at all.
const MOST_DEPTH: u8 = 4;

/// A packet as a rule asks a set about it.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// One for each dimension, true for `src`.
    pub directions: &'a [bool],
    pub packet: &'a Packet,
    pub mark: u32,
    pub in_iface: Option<&'a str>,
    pub out_iface: Option<&'a str>,
    /// Source and destination of the frame, where there still is one.
    pub frame: Option<(Mac, Mac)>,
    /// Milliseconds on the host's clock.
    pub now: u64,
}

impl<'a> Question<'a> {
    pub fn of(directions: &'a [bool], ctx: &'a Context) -> Self {
        Self {
            directions,
            packet: &ctx.packet,
            mark: ctx.mark,
            in_iface: ctx.in_iface,
            out_iface: ctx.out_iface,
            frame: ctx.frame,
            now: ctx.now,
        }
    }
}

/// What the members say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    In,
    /// By a `nomatch` member.
    Excepted,
    NotIn,
    CannotTell,
}

impl Sets {
    /// Whether a set has a packet. `nomatch`: rather whether a `nomatch` member keeps it out (`--return-nomatch`, kernel
    /// `ip_set_test`).
    pub fn has(&self, name: &str, asked: &Question, nomatch: bool) -> SetAnswer {
        let turned = nomatch && self.get(name).is_some_and(Set::has_nomatch);
        match self.ask(name, asked, MOST_DEPTH) {
            Found::CannotTell => SetAnswer::CannotTell,
            Found::In if !turned => SetAnswer::In,
            Found::Excepted if turned => SetAnswer::In,
            _ => SetAnswer::NotIn,
        }
    }

    fn ask(&self, name: &str, asked: &Question, depth: u8) -> Found {
        let Some(set) = self.get(name) else {
            return Found::CannotTell;
        };
        match &set.kind {
            Kind::Unknown => Found::CannotTell,
            Kind::List(_) if depth == 0 => Found::CannotTell,
            Kind::List(names) => {
                let answers = names.iter().map(|n| self.ask(n, asked, depth - 1));
                answers
                    .filter(|a| matches!(a, Found::In | Found::CannotTell))
                    .max_by_key(|a| *a == Found::In)
                    .unwrap_or(Found::NotIn)
            }
            Kind::Of {
                dimensions,
                members,
            } => asked.find(dimensions, members, &set.options),
        }
    }
}

impl Question<'_> {
    fn find(&self, dimensions: &[Dimension], members: &[Member], options: &Options) -> Found {
        // A rule that gives fewer directions than the set has dimensions never holds (kernel `ip_set_test`).
        if self.directions.len() < dimensions.len() {
            return Found::NotIn;
        }
        let sides = dimensions.iter().zip(self.directions);
        let holding = members.iter().filter(|m| {
            let mut parts = sides.clone().zip(&m.parts);
            m.is_there(self.now)
                && parts.all(|((dimension, src), part)| self.fits(*dimension, *src, part, options))
        });
        // Of nets within nets the smallest decides, and it may say that it is out.
        match holding.max_by_key(|m| m.widths()) {
            Some(m) if m.nomatch => Found::Excepted,
            Some(_) => Found::In,
            None => Found::NotIn,
        }
    }

    fn fits(&self, dimension: Dimension, src: bool, part: &Part, options: &Options) -> bool {
        let addr = self.addr(src);
        match part {
            Part::Addrs(low, high) => {
                addr.is_ipv4() == low.is_ipv4() && *low <= addr && addr <= *high
            }
            Part::Net(net) => net.contains(addr),
            Part::Ports(Ports {
                protocol,
                low,
                high,
            }) => {
                let of = self.packet.protocol();
                let right = match dimension {
                    Dimension::AnyPort => matches!(of, Protocol::TCP | Protocol::UDP),
                    _ => protocol.is_none_or(|p| p == of),
                };
                let port = self.port(src);
                right && *low <= port && port <= *high
            }
            Part::Iface(name) => self.iface(src) == Some(&**name),
            Part::Mac(mac) => self
                .mac(src)
                .is_some_and(|has| mac.is_none_or(|m| m == has)),
            Part::Mark(mark) => self.mark & options.markmask == *mark,
        }
    }

    fn addr(&self, src: bool) -> IpAddr {
        if src {
            self.packet.src
        } else {
            self.packet.dst
        }
    }

    /// Kernel `ip_set_get_ip4_port`: of ICMP the type and code stand for it.
    fn port(&self, src: bool) -> u16 {
        match &self.packet.transport {
            Transport::Icmp(icmp) => u16::from(icmp.kind) << 8 | u16::from(icmp.code),
            _ if src => self.packet.sport().unwrap_or(0),
            _ => self.packet.dport().unwrap_or(0),
        }
    }

    fn iface(&self, src: bool) -> Option<&str> {
        if src { self.in_iface } else { self.out_iface }
    }

    fn mac(&self, src: bool) -> Option<Mac> {
        let (from, to) = self.frame?;
        Some(if src { from } else { to }).filter(|mac| *mac != Mac::default())
    }

    /// The packet's own value in a dimension, as a member has it. `prefix`: how long nets are that it may add.
    pub(super) fn part(
        &self,
        dimension: Dimension,
        src: bool,
        options: &Options,
        prefix: Option<u8>,
    ) -> Option<Part> {
        let net = |length: Option<u8>| {
            let addr = self.addr(src);
            Some(match length {
                Some(length) => Masked::prefix(addr, length)?,
                None => Masked::host(addr),
            })
        };
        let port = self.port(src);
        let one = |protocol| {
            Some(Part::Ports(Ports {
                protocol,
                low: port,
                high: port,
            }))
        };
        match dimension {
            Dimension::Addr => net(options.netmask).map(Part::Net),
            Dimension::Net => net(prefix).map(Part::Net),
            Dimension::Port => one(Some(self.packet.protocol())),
            Dimension::AnyPort => match self.packet.protocol() {
                Protocol::TCP | Protocol::UDP => one(None),
                _ => None,
            },
            Dimension::Iface => self.iface(src).map(|name| Part::Iface(name.into())),
            Dimension::Mac => self.mac(src).map(|mac| Part::Mac(Some(mac))),
            Dimension::Mark => Some(Part::Mark(self.mark & options.markmask)),
        }
    }
}

impl Member {
    /// How many bits each of its nets fixes: the kernel tries the longest of the first dimension first.
    fn widths(&self) -> Vec<u8> {
        let of = |part: &Part| match part {
            Part::Net(net) => net.length().unwrap_or(0),
            _ => 0,
        };
        self.parts.iter().map(of).collect()
    }
}
