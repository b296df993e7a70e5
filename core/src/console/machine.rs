use std::borrow::Cow;

use super::AfterRun;
use crate::net::IfaceName;
use crate::netfilter::ipset::Sets;
use crate::netfilter::{Counters, Ruleset};
use crate::sim::HostState;
use crate::topology::{Host, HostId, HostKind, Interface};
use crate::trace::Step;

/// A host, and what the run left on it.
pub(super) struct Machine<'a> {
    pub run: AfterRun<'a>,
    pub id: HostId,
    pub host: &'a Host,
    pub state: Cow<'a, HostState>,
}

impl<'a> Machine<'a> {
    pub fn find(run: AfterRun<'a>, name: &str) -> Option<Self> {
        let id = run.world.find(name)?;
        Some(Self {
            run,
            id,
            host: run.world.host(id)?,
            state: run.after.state(run.world, id)?,
        })
    }

    /// The rules with what was counted in the run added to the counters that they began with.
    pub fn rules(&self) -> Ruleset {
        let mut rules = Ruleset::clone(&self.host.iptables);
        let counted = &self.state.netfilter;
        let add = |to: &mut Counters, more: &Counters| {
            to.packets = to.packets.saturating_add(more.packets);
            to.bytes = to.bytes.saturating_add(more.bytes);
        };
        for (id, more) in &counted.rules {
            let rule = rules
                .tables
                .iter_mut()
                .find(|t| (t.family, t.name) == (id.family, id.table));
            let rule = rule
                .and_then(|t| t.chains.get_mut(id.chain.0 as usize))
                .and_then(|c| c.rules.get_mut(id.index as usize));
            if let Some(rule) = rule {
                add(&mut rule.counters, more);
            }
        }
        for ((family, table, chain), more) in &counted.policies {
            let chain = rules
                .tables
                .iter_mut()
                .find(|t| (t.family, t.name) == (*family, *table))
                .and_then(|t| t.chains.get_mut(chain.0 as usize));
            if let Some(chain) = chain {
                add(&mut chain.counters, more);
            }
        }
        rules
    }

    /// The host's ipsets as the run left them.
    pub fn sets(&self) -> &Sets {
        let changed = self.state.netfilter.sets.as_deref();
        changed.unwrap_or(&self.host.sets)
    }

    /// All that happened on this host, in the order of the packets.
    pub fn steps(&self) -> impl Iterator<Item = &'a Step> {
        let id = self.id;
        let journeys = &self.run.trace.journeys;
        journeys
            .iter()
            .flat_map(|j| &j.hops)
            .filter(move |h| h.host == id)
            .flat_map(|h| &h.steps)
    }

    /// As `ip` numbers interfaces, from 1.
    pub fn index(&self, iface: &IfaceName) -> usize {
        let at = self.host.interfaces.iter().position(|i| i.name == *iface);
        at.map_or(0, |at| at + 1)
    }

    /// The interface's name with its other end, as `ip link` prints a veth: `eth0@if7`.
    pub fn link_name(&self, iface: &Interface) -> String {
        match self.peer_index(iface) {
            Some(index) => format!("{}@if{index}", iface.name),
            None => iface.name.to_string(),
        }
    }

    /// Where one end is a pod's, the two are a veth pair.
    pub fn peer_index(&self, iface: &Interface) -> Option<usize> {
        let world = self.run.world;
        let (_, link) = world.link_of(self.id, &iface.name)?;
        let far = link
            .ends
            .iter()
            .find(|e| !(e.host == self.id && e.iface == iface.name))?;
        let other = world.host(far.host)?;
        let pod = [self.host.kind, other.kind].contains(&HostKind::Pod);
        let at = other.interfaces.iter().position(|i| i.name == far.iface)?;
        (pod && link.ends.len() == 2).then_some(at + 1)
    }
}
