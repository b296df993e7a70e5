use std::collections::BTreeMap;
use std::sync::Arc;

use crate::net::{TcpFlags, Transport};
use crate::say;
use crate::sim;
use crate::text::{Say, Text};
use crate::topology::{HostId, World};
use crate::trace::{Journey, Role, Trace};
use crate::workspace::Run;

/// The packets that connections begin with, one after the other: the probe's, and those of proxies on the way. Of what is no
/// new connection the first packet alone.
fn beginnings(trace: &Trace) -> impl Iterator<Item = &Journey> {
    let begins = |(at, journey): &(usize, &Journey)| {
        let packet = &journey.packet.packet;
        let syn =
            matches!(packet.transport, Transport::Tcp { flags, .. } if flags == TcpFlags::SYN);
        *at == 0 || syn && journey.role == Role::Request
    };
    let all = trace.journeys.iter().enumerate().filter(begins);
    all.map(|(_, journey)| journey)
}

/// Where a walk ends, and how: at the proxy that ended it, else where its last connection went.
pub fn ending(world: &World, trace: &Trace) -> Option<Say> {
    let last = beginnings(trace).last()?;
    let (host, end) = match trace.ended_by {
        Some((by, _)) => (by, trace.ending(world)),
        None => (last.hops.last()?.host, last.disposition.say()),
    };
    Some(say!("insight/ends", host = world.host(host)?.name, end => end))
}

/// The machines of a walk, from who asks to where it ends.
pub fn way<'w>(world: &'w World, trace: &Trace) -> Vec<&'w str> {
    let hops = beginnings(trace).flat_map(|journey| &journey.hops);
    let mut names: Vec<&str> = hops
        .filter_map(|hop| world.host(hop.host))
        .map(|host| &*host.name)
        .collect();
    names.dedup();
    names
}

/// What differs between two runs.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Each file with its text before and after; empty where there was or is none.
    pub files: Vec<(Arc<str>, Text, Text)>,
    /// What becomes of the connection that was there: its next packet, played, after kube-proxies have taken out the
    /// connections of UDP that lead nowhere any more. `None` where there was none.
    pub existing: Option<Trace>,
}

pub fn changes(before: &Run, after: &Run) -> Changes {
    let mut texts: BTreeMap<&Arc<str>, (Text, Text)> = BTreeMap::new();
    for file in &before.files {
        texts.entry(&file.name).or_default().0 = file.text.clone();
    }
    for file in &after.files {
        texts.entry(&file.name).or_default().1 = file.text.clone();
    }
    let differs = texts.into_iter().filter(|(_, (old, new))| old != new);
    let files = differs.map(|(name, (old, new))| (name.clone(), old, new));
    let answered = before.trace.journeys.len() > 1;
    let follow = || {
        let mut memory = before.after().clone();
        let now = memory.now;
        for (id, host) in (0..).map(HostId).zip(&before.world.hosts) {
            if let (Some(cluster), Some(state)) = (&after.cluster, memory.host_mut(id)) {
                cluster.clean(&host.name, &mut state.conntrack, now);
            }
        }
        sim::follow(&before.world, &before.trace, &memory, &after.world)
    };
    Changes {
        files: files.collect(),
        existing: answered.then(follow).flatten(),
    }
}
