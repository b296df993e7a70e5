use super::ask::{Change, Found};
use super::member::expiry;
use super::{Extra, Kind, Member, Part, Ports, Question, Set, Sets};
use crate::netfilter::Counters;

/// How many members a hash takes that does not say it (kernel `IPSET_DEFAULT_MAXELEM`).
const MOST_MEMBERS: u32 = 65536;

impl Sets {
    /// Does to the members what a question about a packet did to them.
    pub fn touch(&mut self, found: &Found, asked: &Question) {
        for touch in &found.touched {
            let set = self.sets.get_mut(touch.set);
            match set.map(|s| (&mut s.kind, &touch.what)) {
                Some((Kind::Of { members, .. }, change)) => {
                    if let Some(member) = members.get_mut(touch.member) {
                        member.change(change, asked);
                    }
                }
                Some((Kind::List(entries), Change::Counted)) => {
                    if let Some(entry) = entries.get_mut(touch.member) {
                        entry.extra.counters.count(asked.packet.length());
                    }
                }
                _ => {}
            }
        }
    }

    /// Puts the packet's own values into a set (kernel `ip_set_add`). `timeout`: seconds, where the rule says them; `exist`: a
    /// member that is there already begins its time anew.
    pub fn add(&mut self, name: &str, asked: &Question, timeout: Option<u32>, exist: bool) {
        for set in self.targets(name, asked.now) {
            if let Some(set) = self.sets.get_mut(set)
                && set.add(asked, timeout, exist)
            {
                return;
            }
        }
    }

    /// Takes the packet's own values out of a set (kernel `ip_set_del`).
    pub fn remove(&mut self, name: &str, asked: &Question) {
        for set in self.targets(name, asked.now) {
            if let Some(set) = self.sets.get_mut(set)
                && set.remove(asked)
            {
                return;
            }
        }
    }

    /// The set itself, or those of a list in turn.
    fn targets(&self, name: &str, now: u64) -> Vec<usize> {
        let at = |name: &str| self.sets.iter().position(|s| &*s.name == name);
        match self.get(name).map(|s| &s.kind) {
            Some(Kind::List(entries)) => {
                let there = entries.iter().filter(|e| e.extra.is_there(now));
                there.filter_map(|e| at(&e.set)).collect()
            }
            _ => at(name).into_iter().collect(),
        }
    }
}

impl Set {
    fn add(&mut self, asked: &Question, timeout: Option<u32>, exist: bool) -> bool {
        let (options, bitmap) = (self.options, self.is_bitmap());
        let extra = Extra {
            expires: expiry(timeout.or(options.timeout), &options, asked.now),
            counters: Counters {
                packets: u64::from(options.counters),
                bytes: match options.counters {
                    true => asked.packet.length().into(),
                    false => 0,
                },
            },
            ..Extra::default()
        };
        let Some(parts) = self.parts_of(asked) else {
            return false;
        };
        let Kind::Of { members, .. } = &mut self.kind else {
            return false;
        };
        members.retain(|m| m.is_there(asked.now));
        if let Some(known) = members.iter_mut().find(|m| m.covers(&parts)) {
            // Whatever it carried is begun anew with it.
            if exist {
                known.extra = extra;
            }
            return exist;
        }
        let most = u64::from(options.most.unwrap_or(MOST_MEMBERS));
        if !bitmap && members.len() as u64 >= most {
            return false;
        }
        members.push(Member {
            parts,
            nomatch: false,
            wildcard: false,
            extra,
        });
        true
    }

    fn remove(&mut self, asked: &Question) -> bool {
        let Some(parts) = self.parts_of(asked) else {
            return false;
        };
        let Kind::Of { members, .. } = &mut self.kind else {
            return false;
        };
        let Some(at) = members.iter().position(|m| m.covers(&parts)) else {
            return false;
        };
        // One of many that were written as one: what is left has no form here.
        if members.get(at).is_some_and(|m| m.parts != parts) {
            self.kind = Kind::Unknown;
        } else {
            members.remove(at);
        }
        true
    }

    /// What the packet is to this set; `None` where it has no such thing, or lies outside of the set's range.
    fn parts_of(&self, asked: &Question) -> Option<Vec<Part>> {
        let Kind::Of {
            dimensions,
            members,
        } = &self.kind
        else {
            return None;
        };
        if asked.directions.len() < dimensions.len() {
            return None;
        }
        let options = &self.options;
        let sides = dimensions.iter().zip(asked.directions).enumerate();
        let parts: Option<Vec<Part>> = sides
            .map(|(at, (dimension, src))| {
                asked.part(*dimension, *src, options, longest(members, at))
            })
            .collect();
        let parts = parts?;
        let held = parts.first().is_none_or(|first| options.holds(first));
        held.then_some(parts)
    }
}

/// The longest net that members have, which is how long one is that a packet adds (kernel `INIT_CIDR`).
fn longest(members: &[Member], dimension: usize) -> Option<u8> {
    let of = |m: &Member| match m.parts.get(dimension) {
        Some(Part::Net(net)) => net.length(),
        _ => None,
    };
    members.iter().filter_map(of).max()
}

impl Member {
    fn change(&mut self, change: &Change, asked: &Question) {
        match change {
            Change::Counted => self.extra.counters.count(asked.packet.length()),
            Change::Filled(mac) => {
                for part in &mut self.parts {
                    if *part == Part::Mac(None) {
                        *part = Part::Mac(Some(*mac));
                    }
                }
                // Its time begins now.
                let waits = self.extra.expires;
                self.extra.expires = waits.map(|time| asked.now.saturating_add(time));
            }
        }
    }

    /// Whether it is this member, or was written as one of which it is part.
    fn covers(&self, parts: &[Part]) -> bool {
        self.parts.len() == parts.len()
            && self
                .parts
                .iter()
                .zip(parts)
                .all(|(own, part)| own.covers(part))
    }
}

impl Part {
    fn covers(&self, one: &Part) -> bool {
        match (self, one) {
            (Part::Addrs(low, high), Part::Net(net)) => (low..=high).contains(&&net.addr),
            (Part::Ports(all), Part::Ports(one)) => all.cover(one),
            (Part::Mac(None), Part::Mac(_)) => true,
            (own, one) => own == one,
        }
    }
}

impl Ports {
    fn cover(&self, one: &Ports) -> bool {
        self.protocol == one.protocol && self.low <= one.low && one.high <= self.high
    }
}
