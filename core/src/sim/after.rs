use std::borrow::Cow;

use super::engine::Sim;
use super::host::HostState;
use crate::netfilter::RuleId;
use crate::topology::{HostId, World};
use crate::trace::Trace;

/// What a run left behind: connections, counters, learnt addresses.
#[derive(Clone, Debug, Default)]
pub struct After {
    pub(super) hosts: Vec<Option<Box<HostState>>>,
    /// Milliseconds from the run's begin to its end.
    pub now: u64,
    seed: u64,
}

impl After {
    /// `None` for a host that no packet came to.
    pub fn host(&self, id: HostId) -> Option<&HostState> {
        self.hosts.get(id.index())?.as_deref()
    }

    pub fn host_mut(&mut self, id: HostId) -> Option<&mut HostState> {
        self.hosts.get_mut(id.index())?.as_deref_mut()
    }

    /// The same; a host that no packet came to is as it was. `None` where the world has no such host.
    pub fn state(&self, world: &World, id: HostId) -> Option<Cow<'_, HostState>> {
        match self.host(id) {
            Some(state) => Some(Cow::Borrowed(state)),
            None => self.again(world).state(id).cloned().map(Cow::Owned),
        }
    }

    /// How many packets each rule counted, where there were some.
    pub(crate) fn counted(&self) -> impl Iterator<Item = ((HostId, RuleId), u64)> + '_ {
        let hosts = (0..).map(HostId).zip(&self.hosts);
        hosts.flat_map(|(id, host)| {
            let rules = host.iter().flat_map(|host| &host.netfilter.rules);
            rules.map(move |(rule, counters)| ((id, *rule), counters.packets))
        })
    }

    /// A run that begins where no packet has come yet, with the chances of this one.
    pub(super) fn again<'w>(&self, world: &'w World) -> Sim<'w> {
        Sim::new(world, self.seed)
    }
}

impl Sim<'_> {
    /// What was recorded, and what the hosts hold now.
    pub fn finish(mut self) -> (Trace, After) {
        let after = After {
            hosts: self.take_hosts(),
            now: self.now,
            seed: self.seed(),
        };
        (self.into_trace(), after)
    }
}
