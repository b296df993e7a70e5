use std::net::IpAddr;

use super::{Dimension, Entry, Kind, Member, Options, Part, Ports, Set, Sets};
use crate::net::{Mac, Masked, Packet, Protocol, Transport};
use crate::netfilter::matches::CounterTest;
use crate::netfilter::{Context, Counters, SetAnswer};

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

/// What else a rule wants of the member that holds a packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Rather whether a `nomatch` member keeps it out (`--return-nomatch`).
    pub nomatch: bool,
    /// Counters stay; those of a list's sets.
    pub no_update: bool,
    pub no_subupdate: bool,
    pub packets: Option<CounterTest>,
    pub bytes: Option<CounterTest>,
}

/// What a set says, and what the question does to its members.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub answer: SetAnswer,
    /// The mark that the member which holds the packet has for it, and its mask.
    pub mark: Option<(u32, u32)>,
    pub(super) touched: Vec<Touch>,
}

impl Found {
    /// Whether members change by the question.
    pub fn changes(&self) -> bool {
        !self.touched.is_empty()
    }
}

/// A member by its place, and what becomes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Touch {
    pub set: usize,
    pub member: usize,
    pub what: Change,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Counted,
    /// Its hardware address is known from here on.
    Filled(Mac),
}

impl Sets {
    /// Whether a set has a packet (kernel `ip_set_test`). What changes by the question is for [`Sets::touch`].
    pub fn ask(&self, name: &str, asked: &Question, wanted: &Wanted) -> Found {
        let mut found = Found {
            answer: SetAnswer::CannotTell,
            mark: None,
            touched: Vec::new(),
        };
        if let Some(at) = self.sets.iter().position(|s| &*s.name == name)
            && let Some(set) = self.sets.get(at)
        {
            found.answer = match &set.kind {
                Kind::List(entries) => self.list(at, entries, asked, wanted, &mut found),
                _ => set.test(at, asked, wanted, &mut found),
            };
        }
        found
    }

    /// Kernel `list_set_ktest`: the first of its sets that has the packet; their own counters are not asked for.
    fn list(
        &self,
        at: usize,
        entries: &[Entry],
        asked: &Question,
        wanted: &Wanted,
        found: &mut Found,
    ) -> SetAnswer {
        let below = Wanted {
            packets: None,
            bytes: None,
            no_update: wanted.no_update || wanted.no_subupdate,
            ..*wanted
        };
        let counts = self.sets.get(at).is_some_and(|s| s.options.counters);
        let entries = (0..).zip(entries);
        for (member, entry) in entries.filter(|(_, e)| e.extra.is_there(asked.now)) {
            let set = self.sets.iter().position(|s| s.name == entry.set);
            let answer = match set.and_then(|at| Some((at, self.sets.get(at)?))) {
                Some((at, set)) => set.test(at, asked, &below, found),
                None => SetAnswer::CannotTell,
            };
            match answer {
                SetAnswer::NotIn => continue,
                SetAnswer::CannotTell => return answer,
                SetAnswer::In => {}
            }
            let place = (at, member);
            if !counts || counted(place, &entry.extra.counters, asked, wanted, found) {
                found.mark = entry.extra.mark.or(found.mark);
                return SetAnswer::In;
            }
        }
        SetAnswer::NotIn
    }
}

/// Counts a packet for a member; whether its counters then are as wanted (kernel `ip_set_match_extensions`).
fn counted(
    (set, member): (usize, usize),
    counters: &Counters,
    asked: &Question,
    wanted: &Wanted,
    found: &mut Found,
) -> bool {
    let mut counters = *counters;
    if !wanted.no_update {
        counters.count(asked.packet.length());
        found.touched.push(Touch {
            set,
            member,
            what: Change::Counted,
        });
    }
    wanted.packets.is_none_or(|t| t.holds(counters.packets))
        && wanted.bytes.is_none_or(|t| t.holds(counters.bytes))
}

impl Set {
    fn test(&self, at: usize, asked: &Question, wanted: &Wanted, found: &mut Found) -> SetAnswer {
        let Kind::Of {
            dimensions,
            members,
        } = &self.kind
        else {
            return SetAnswer::CannotTell;
        };
        let turned = wanted.nomatch && self.has_nomatch();
        // Of nets within nets the smallest decides, unless its counters are others than wanted.
        for (member, held) in asked.holding(dimensions, members, &self.options) {
            let place = (at, member);
            if held.is_unfilled()
                && let Some(mac) = asked.hardware_address(dimensions)
            {
                let what = Change::Filled(mac);
                found.touched.push(Touch {
                    set: at,
                    member,
                    what,
                });
                return SetAnswer::In;
            }
            let counters = &held.extra.counters;
            if !self.options.counters || counted(place, counters, asked, wanted, found) {
                found.mark = held.extra.mark;
                return match held.nomatch == turned {
                    true => SetAnswer::In,
                    false => SetAnswer::NotIn,
                };
            }
        }
        SetAnswer::NotIn
    }
}

impl Question<'_> {
    /// The members that hold the packet, the smallest net first.
    fn holding<'m>(
        &self,
        dimensions: &[Dimension],
        members: &'m [Member],
        options: &Options,
    ) -> Vec<(usize, &'m Member)> {
        // A rule that gives fewer directions than the set has dimensions never holds (kernel `ip_set_test`).
        if self.directions.len() < dimensions.len() {
            return Vec::new();
        }
        let sides = dimensions.iter().zip(self.directions);
        let holds = |m: &Member| {
            let mut parts = sides.clone().zip(&m.parts);
            m.is_there(self.now)
                && parts
                    .all(|((dimension, src), part)| self.fits(*dimension, *src, part, m, options))
        };
        let all = members.iter().enumerate();
        let mut holding: Vec<_> = all.filter(|(_, m)| holds(m)).collect();
        holding.sort_by_key(|(_, m)| std::cmp::Reverse(m.widths()));
        holding
    }

    fn fits(
        &self,
        dimension: Dimension,
        src: bool,
        part: &Part,
        member: &Member,
        options: &Options,
    ) -> bool {
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
            Part::Iface(name) => self.iface(src).is_some_and(|has| match member.wildcard {
                true => has.starts_with(&**name),
                false => has == &**name,
            }),
            Part::Mac(mac) => self
                .mac(src)
                .is_some_and(|has| mac.is_none_or(|m| m == has)),
            Part::Mark(mark) => self.mark & options.markmask() == *mark,
        }
    }

    /// The hardware address that the set asks about.
    fn hardware_address(&self, dimensions: &[Dimension]) -> Option<Mac> {
        let at = dimensions.iter().position(|d| *d == Dimension::Mac)?;
        self.mac(*self.directions.get(at)?)
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
        let addr = self.addr(src);
        let port = self.port(src);
        let one = |protocol| {
            Some(Part::Ports(Ports {
                protocol,
                low: port,
                high: port,
            }))
        };
        match dimension {
            Dimension::Addr | Dimension::Net if addr.is_ipv6() != options.ipv6 => None,
            Dimension::Addr => options.masked(addr).map(Part::Net),
            Dimension::Net => match prefix {
                Some(length) => Masked::prefix(addr, length).map(Part::Net),
                None => Some(Part::Net(Masked::host(addr))),
            },
            Dimension::Port => one(Some(self.packet.protocol())),
            Dimension::AnyPort => match self.packet.protocol() {
                Protocol::TCP | Protocol::UDP => one(None),
                _ => None,
            },
            Dimension::Iface => self.iface(src).map(|name| Part::Iface(name.into())),
            Dimension::Mac => self.mac(src).map(|mac| Part::Mac(Some(mac))),
            Dimension::Mark => Some(Part::Mark(self.mark & options.markmask())),
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
