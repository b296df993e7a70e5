use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use super::{Connection, ConnectionId, Conntrack, Direction, StatusBits, Tuple};
use crate::net::{Icmp, Packet, Protocol, Random, Transport};

/// Which end of a connection is translated (kernel `enum nf_nat_manip_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Manip {
    Source,
    Destination,
}

impl Manip {
    pub fn other(self) -> Self {
        match self {
            Manip::Source => Manip::Destination,
            Manip::Destination => Manip::Source,
        }
    }

    fn done(self) -> u16 {
        match self {
            Manip::Source => StatusBits::SRC_NAT_DONE,
            Manip::Destination => StatusBits::DST_NAT_DONE,
        }
    }

    fn bit(self) -> u16 {
        match self {
            Manip::Source => StatusBits::SRC_NAT,
            Manip::Destination => StatusBits::DST_NAT,
        }
    }
}

/// What a translation may choose from (kernel `struct nf_nat_range2`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NatChoice {
    pub addrs: Option<(IpAddr, IpAddr)>,
    pub ports: Option<(u16, u16)>,
    /// Of a shifted range: the port that maps to the first.
    pub base: Option<u16>,
    /// Any port, even where the packet's own would do.
    pub random: bool,
    /// The address depends on the source alone.
    pub persistent: bool,
}

/// A port could not be kept, or an address had to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NatMade {
    pub manip: Manip,
    pub before: Tuple,
    pub after: Tuple,
    /// The port was chosen by chance.
    pub by_chance: bool,
}

/// How often a free port is tried before a new start (kernel `NF_NAT_MAX_ATTEMPTS`).
const MOST_ATTEMPTS: u32 = 128;

impl Conntrack {
    /// Whether the tables were asked for this end of the connection, or can't be any more.
    pub fn nat_is_decided(&self, id: ConnectionId, manip: Manip) -> bool {
        self.get(id).is_none_or(|c| c.status.has(manip.done()))
    }

    /// Decides how one end of a connection is translated (kernel `nf_nat_setup_info`). `None` where the entry was confirmed
    /// before: nothing changes then.
    pub fn set_up_nat(
        &mut self,
        id: ConnectionId,
        manip: Manip,
        choice: &NatChoice,
        random: &mut Random,
        now: u64,
    ) -> Option<NatMade> {
        let c = self.get(id)?;
        if c.status.has(StatusBits::CONFIRMED) || c.status.has(manip.done()) {
            return None;
        }
        let before = c.reply.answer()?;
        let mut chance = Chance {
            random,
            drawn: false,
        };
        let after = self.unique(id, c, before, manip, choice, &mut chance, now);
        let by_chance = chance.drawn;
        let reply = after.answer()?;
        let source = (c.orig.protocol, c.orig.src, c.orig.sport);
        let c = self.get_mut(id)?;
        if after != before {
            c.reply = reply;
            c.status.set(manip.bit());
        }
        c.status.set(manip.done());
        if manip == Manip::Source {
            self.by_source.entry(source).or_default().push(id);
        }
        Some(NatMade {
            manip,
            before,
            after,
            by_chance,
        })
    }

    /// Leaves one end as it is, but for a port that another connection's answers would claim (kernel
    /// `nf_nat_alloc_null_binding`).
    pub fn set_up_no_nat(
        &mut self,
        id: ConnectionId,
        manip: Manip,
        random: &mut Random,
        now: u64,
    ) -> Option<NatMade> {
        let c = self.get(id)?;
        let addr = match manip {
            Manip::Source => c.reply.dst,
            Manip::Destination => c.reply.src,
        };
        let choice = NatChoice {
            addrs: Some((addr, addr)),
            ..NatChoice::default()
        };
        self.set_up_nat(id, manip, &choice, random, now)
    }

    /// Kernel `get_unique_tuple`.
    #[allow(clippy::too_many_arguments)]
    fn unique(
        &self,
        id: ConnectionId,
        c: &Connection,
        orig: Tuple,
        manip: Manip,
        choice: &NatChoice,
        chance: &mut Chance,
        now: u64,
    ) -> Tuple {
        let used = |t: &Tuple| {
            t.answer()
                .is_none_or(|reply| self.is_taken(&reply, c.zone, id, now))
        };
        if manip == Manip::Source && !choice.random {
            if in_range(&orig, choice) {
                if !used(&orig) {
                    return orig;
                }
            } else if let Some(same) = self.current_mapping(c, &orig, choice, now)
                && !used(&same)
            {
                return same;
            }
        }
        let mut tuple = orig;
        choose_address(&mut tuple, manip, choice, c.zone.id);
        if !choice.random {
            let keep = match choice.ports {
                Some((low, high)) => {
                    choice.base.is_none()
                        && port_in_range(&tuple, manip, low, high)
                        && (low == high || !used(&tuple))
                }
                None => !used(&tuple),
            };
            if keep {
                return tuple;
            }
        }
        choose_port(&mut tuple, manip, choice, chance, used);
        tuple
    }

    /// The mapping that another connection of this source has, if it may serve here too (kernel `find_appropriate_src`).
    fn current_mapping(
        &self,
        c: &Connection,
        orig: &Tuple,
        choice: &NatChoice,
        now: u64,
    ) -> Option<Tuple> {
        let ids = self.by_source.get(&(orig.protocol, orig.src, orig.sport))?;
        ids.iter().rev().find_map(|id| {
            let other = self.get(*id)?;
            let mapped = other.reply.answer()?;
            let zone = Direction::Original;
            let tuple = Tuple {
                dst: orig.dst,
                dport: orig.dport,
                ..mapped
            };
            let alive = other.lives(now) && other.zone.of(zone) == c.zone.of(zone);
            (alive && in_range(&tuple, choice)).then_some(tuple)
        })
    }
}

struct Chance<'r> {
    random: &'r mut Random,
    drawn: bool,
}

impl Chance<'_> {
    fn port(&mut self) -> u16 {
        self.drawn = true;
        (self.random.next_u32() >> 16) as u16
    }
}

fn in_range(tuple: &Tuple, choice: &NatChoice) -> bool {
    let addr = choice
        .addrs
        .is_none_or(|(low, high)| low <= tuple.src && tuple.src <= high);
    let port = choice
        .ports
        .is_none_or(|(low, high)| port_in_range(tuple, Manip::Source, low, high));
    addr && port
}

fn port_in_range(tuple: &Tuple, manip: Manip, low: u16, high: u16) -> bool {
    let port = match (tuple.is_icmp(), manip) {
        (true, _) | (false, Manip::Source) => tuple.sport,
        (false, Manip::Destination) => tuple.dport,
    };
    match tuple.protocol {
        Protocol::TCP | Protocol::UDP | Protocol::SCTP | Protocol::ICMP | Protocol::ICMPV6 => {
            low <= port && port <= high
        }
        _ => true,
    }
}

/// Kernel `find_best_ips_proto`: one address of several by a hash of the source, so that a client keeps its own.
fn choose_address(tuple: &mut Tuple, manip: Manip, choice: &NatChoice, zone: u16) {
    let Some((low, high)) = choice.addrs else {
        return;
    };
    let addr = if low == high {
        low
    } else {
        // The kernel hashes the 16 bytes that may hold either family, as they lie in memory.
        let words = memory_words(tuple.src);
        let dst = memory_words(tuple.dst);
        let last = if tuple.dst.is_ipv4() { 0 } else { 3 };
        let seed = if choice.persistent {
            0
        } else {
            dst[last] ^ u32::from(zone)
        };
        let mut hash = jhash2(&words, seed);
        let (low, high) = (memory_words(low), memory_words(high));
        let mut chosen = low;
        let mut whole = false;
        for i in 0..=last {
            let (first, distance) = if whole {
                (0, u32::MAX)
            } else {
                let (a, b) = (u32::from_be(low[i]), u32::from_be(high[i]));
                (a, b.wrapping_sub(a).wrapping_add(1))
            };
            let scaled = ((u64::from(hash) * u64::from(distance)) >> 32) as u32;
            chosen[i] = first.wrapping_add(scaled).to_be();
            if chosen[i] != high[i] {
                whole = true;
            }
            if !choice.persistent {
                hash ^= dst[i];
            }
        }
        from_memory_words(chosen, tuple.dst.is_ipv4())
    };
    match manip {
        Manip::Source => tuple.src = addr,
        Manip::Destination => tuple.dst = addr,
    }
}

/// An address as four words of a little-endian machine's memory.
fn memory_words(addr: IpAddr) -> [u32; 4] {
    match addr {
        IpAddr::V4(a) => [u32::from_le_bytes(a.octets()), 0, 0, 0],
        IpAddr::V6(a) => {
            let o = a.octets();
            [0, 4, 8, 12].map(|i| u32::from_le_bytes([o[i], o[i + 1], o[i + 2], o[i + 3]]))
        }
    }
}

fn from_memory_words(words: [u32; 4], v4: bool) -> IpAddr {
    let bytes = words.map(u32::to_le_bytes);
    if v4 {
        return Ipv4Addr::from(bytes[0]).into();
    }
    let mut all = [0; 16];
    for (to, from) in all.chunks_exact_mut(4).zip(bytes) {
        to.copy_from_slice(&from);
    }
    IpAddr::from(all)
}

/// Bob Jenkins' lookup3 over words (kernel `include/linux/jhash.h`).
pub fn jhash2(words: &[u32], seed: u32) -> u32 {
    let start = 0xdead_beef_u32
        .wrapping_add((words.len() as u32) << 2)
        .wrapping_add(seed);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = words;
    while let [x, y, z, tail @ ..] = rest {
        if tail.is_empty() {
            break;
        }
        a = a.wrapping_add(*x);
        b = b.wrapping_add(*y);
        c = c.wrapping_add(*z);
        for (d, e, f) in [(4, 6, 8), (16, 19, 4)] {
            a = a.wrapping_sub(c) ^ c.rotate_left(d);
            c = c.wrapping_add(b);
            b = b.wrapping_sub(a) ^ a.rotate_left(e);
            a = a.wrapping_add(c);
            c = c.wrapping_sub(b) ^ b.rotate_left(f);
            b = b.wrapping_add(a);
        }
        rest = tail;
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(rest.first().copied().unwrap_or(0));
    b = b.wrapping_add(rest.get(1).copied().unwrap_or(0));
    c = c.wrapping_add(rest.get(2).copied().unwrap_or(0));
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// Kernel `nf_nat_l4proto_unique_tuple`: a free port, or the last one tried.
fn choose_port(
    tuple: &mut Tuple,
    manip: Manip,
    choice: &NatChoice,
    chance: &mut Chance,
    used: impl Fn(&Tuple) -> bool,
) {
    let source_side = tuple.is_icmp() || manip == Manip::Source;
    let port = if source_side {
        tuple.sport
    } else {
        tuple.dport
    };
    let (low, size) = match (choice.ports, tuple.protocol) {
        (_, Protocol::ICMP | Protocol::ICMPV6) => match choice.ports {
            Some((low, high)) => (low, u32::from(high.wrapping_sub(low)) + 1),
            None => (0, 65536),
        },
        (Some((low, high)), Protocol::TCP | Protocol::UDP | Protocol::SCTP) => {
            (low.min(high), u32::from(low.abs_diff(high)) + 1)
        }
        (None, Protocol::TCP | Protocol::UDP | Protocol::SCTP) => match port {
            _ if manip == Manip::Destination => return,
            0..512 => (1, 511),
            512..1024 => (600, 424),
            _ => (1024, 64512),
        },
        _ => return,
    };
    let mut offset = match choice.base {
        Some(base) => port.wrapping_sub(base),
        None if choice.random || manip == Manip::Source => chance.port(),
        None => 0,
    };
    let mut attempts = size.min(MOST_ATTEMPTS);
    loop {
        for _ in 0..attempts {
            let port = low.wrapping_add((u32::from(offset) % size) as u16);
            if source_side {
                tuple.sport = port;
            } else {
                tuple.dport = port;
            }
            if !used(tuple) {
                return;
            }
            offset = offset.wrapping_add(1);
        }
        if attempts >= size || attempts < 16 {
            return;
        }
        attempts /= 2;
        offset = chance.port();
    }
}

impl Connection {
    /// A redirect about a translated connection, or one not yet decided, would send its reader astray (kernel
    /// `nf_nat_icmp_reply_translation`): such are dropped.
    pub fn forbids_redirect(&self, packet: &Packet) -> bool {
        let done = StatusBits::SRC_NAT_DONE | StatusBits::DST_NAT_DONE;
        let translated = self.status.0 & (StatusBits::SRC_NAT | StatusBits::DST_NAT) != 0;
        matches!(&packet.transport, Transport::Icmp(icmp) if icmp.kind == 5)
            && (!self.status.has(done) || translated)
    }

    /// Translates a packet of this connection where this hook does so (kernel `nf_nat_packet`, and
    /// `nf_nat_icmp_reply_translation` for an error about one of its packets). False: nothing to do.
    pub fn translate(&self, packet: &mut Packet, direction: Direction, manip: Manip) -> bool {
        let bit = match direction {
            Direction::Original => manip.bit(),
            Direction::Reply => manip.other().bit(),
        };
        if !self.status.has(bit) {
            return false;
        }
        let answers = self.tuple(direction.other());
        let Some(target) = answers.answer() else {
            return false;
        };
        if let Transport::Icmp(Icmp {
            about: Some(about), ..
        }) = &mut packet.transport
        {
            rewrite(about, answers, manip.other());
            match manip {
                Manip::Source => packet.src = target.src,
                Manip::Destination => packet.dst = target.dst,
            }
        } else {
            rewrite(packet, &target, manip);
        }
        true
    }
}

/// Sets one end of a packet to what the tuple has.
fn rewrite(packet: &mut Packet, target: &Tuple, manip: Manip) {
    let (to_src, to_dst) = (manip == Manip::Source, manip == Manip::Destination);
    if to_src {
        packet.src = target.src;
    }
    if to_dst {
        packet.dst = target.dst;
    }
    match &mut packet.transport {
        Transport::Tcp { sport, dport, .. }
        | Transport::Udp { sport, dport }
        | Transport::Sctp { sport, dport } => {
            if to_src {
                *sport = target.sport;
            }
            if to_dst {
                *dport = target.dport;
            }
        }
        Transport::Icmp(icmp) if icmp.about.is_none() => icmp.id = target.sport,
        Transport::Icmp(_) | Transport::Other(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the kernel's own `jhash2`, as the recorded address choices show it.
    #[test]
    fn one_word_and_more_hash_as_in_the_kernel() {
        assert_eq!(jhash2(&[], 0), 0xdead_beef);
        assert_ne!(jhash2(&[1, 0, 0, 0], 0), jhash2(&[1, 0, 0, 0], 1));
    }
}
