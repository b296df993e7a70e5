use super::{Kind, Member, Options, Part, Ports, Question, Set, Sets};

impl Sets {
    /// Puts the packet's own values into a set (kernel `ip_set_add`). `timeout`: seconds, where the rule says them; `exist`: a
    /// member that is there already begins its time anew.
    pub fn add(&mut self, name: &str, asked: &Question, timeout: Option<u32>, exist: bool) {
        for set in self.targets(name) {
            if let Some(set) = self.sets.get_mut(set)
                && set.add(asked, timeout, exist)
            {
                return;
            }
        }
    }

    /// Takes the packet's own values out of a set (kernel `ip_set_del`).
    pub fn remove(&mut self, name: &str, asked: &Question) {
        for set in self.targets(name) {
            if let Some(set) = self.sets.get_mut(set)
                && set.remove(asked)
            {
                return;
            }
        }
    }

    /// The set itself, or those of a list in turn.
    fn targets(&self, name: &str) -> Vec<usize> {
        let at = |name: &str| self.sets.iter().position(|s| &*s.name == name);
        match self.get(name).map(|s| &s.kind) {
            Some(Kind::List(names)) => names.iter().filter_map(|n| at(n)).collect(),
            _ => at(name).into_iter().collect(),
        }
    }
}

impl Set {
    fn add(&mut self, asked: &Question, timeout: Option<u32>, exist: bool) -> bool {
        let (options, bitmap) = (self.options, self.is_bitmap());
        let expires = expiry(timeout.or(options.timeout), &options, asked.now);
        let Some(parts) = self.parts_of(asked) else {
            return false;
        };
        let Kind::Of { members, .. } = &mut self.kind else {
            return false;
        };
        members.retain(|m| m.is_there(asked.now));
        if let Some(known) = members.iter_mut().find(|m| m.covers(&parts)) {
            if exist {
                known.expires = expires;
            }
            return exist;
        }
        if !bitmap && members.len() as u64 >= u64::from(options.most) {
            return false;
        }
        members.push(Member {
            parts,
            nomatch: false,
            expires,
            options: "".into(),
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
        if let (Some((low, high)), Some(Part::Net(net))) = (options.range, parts.first())
            && !(low..=high).contains(&net.addr)
        {
            return None;
        }
        Some(parts)
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

/// When a member that is put in now is gone.
pub(super) fn expiry(timeout: Option<u32>, options: &Options, now: u64) -> Option<u64> {
    let seconds = timeout.filter(|s| *s > 0 && options.timeout.is_some())?;
    Some(now + u64::from(seconds) * 1000)
}

impl Member {
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
