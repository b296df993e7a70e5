//! The walk: packets over hosts and links, and what they leave behind.
//!
//! [`run`] plays a probe in a [`World`] and gives its [`Trace`]. A [`Sim`] is a run under way, for who wants to put packets in
//! one by one and look at the hosts between. Within a host a packet goes as in the kernel: `receive` and `bridge` take frames
//! in, `hooks` asks netfilter, `routing` decides, `deliver` hands over to sockets, `output` sends, `reply` makes what the host
//! answers by itself, `ndisc`, `routing6` and `errors` are what differs of IPv6; `talk` is what clients and servers say to each other.

mod after;
mod ask;
mod bridge;
mod deliver;
mod engine;
mod errors;
mod flows;
mod follow;
mod hooks;
mod host;
mod ndisc;
mod neighbour;
mod output;
mod probe;
mod proxy;
mod receive;
mod record;
mod reply;
mod roads;
mod routing;
mod routing6;
mod skb;
mod talk;

pub use after::After;
pub use ask::{NoWayOut, WayOut, way_out};
pub use engine::Sim;
pub use follow::follow;
pub use host::HostState;
pub use neighbour::Entry as NeighbourEntry;
pub use output::SendOptions;
pub use probe::{HttpRequest, Probe, ProbeKind};
pub use roads::{End, Fork, Road, Roads, requests, roads, tally};

use crate::topology::{Host, HostId, World};
use crate::trace::Trace;

/// Plays a probe. The same world, probe and seed give the same trace. `None` where the world has no machine of the sender's
/// name.
pub fn run(world: &World, probe: &Probe, seed: u64) -> Option<Trace> {
    Some(outcome(world, probe, seed)?.0)
}

/// The same, with what the run left behind on the hosts.
pub fn outcome(world: &World, probe: &Probe, seed: u64) -> Option<(Trace, After)> {
    let mut sim = Sim::new(world, seed);
    sim.probe(probe)?;
    Some(sim.finish())
}

/// The same where all hosts that packets meet are ready to be asked; else the first that is not.
pub fn outcome_where_ready(
    world: &World,
    probe: &Probe,
    seed: u64,
    is_ready: fn(&Host) -> bool,
) -> Result<Option<(Trace, After)>, HostId> {
    let mut sim = Sim::new(world, seed).where_ready(is_ready);
    let sent = sim.probe(probe);
    match sim.unready {
        Some(host) => Err(host),
        None => Ok(sent.map(|()| sim.finish())),
    }
}
