use super::engine::Sim;
use super::host::HostState;
use crate::topology::HostId;
use crate::trace::Trace;

/// What a run left behind: connections, counters, learnt addresses.
#[derive(Clone, Debug, Default)]
pub struct After {
    pub(super) hosts: Vec<Option<Box<HostState>>>,
    /// Milliseconds from the run's begin to its end.
    pub now: u64,
}

impl After {
    /// `None` for a host that no packet came to.
    pub fn host(&self, id: HostId) -> Option<&HostState> {
        self.hosts.get(usize::from(id.0))?.as_deref()
    }
}

impl Sim<'_> {
    /// What was recorded, and what the hosts hold now.
    pub fn finish(mut self) -> (Trace, After) {
        let after = After {
            hosts: self.take_hosts(),
            now: self.now,
        };
        (self.into_trace(), after)
    }
}
