//! Sends a probe where rules may first have to be made.

use crate::sim::{self, After, Probe};
use crate::text::Pace;
use crate::topology::{Host, World};
use crate::trace::Trace;

/// What [`sim::outcome`] gives. A walk does not pause, so it is begun again with each host whose rules it found to be made:
/// a few, and what takes long is to make them.
pub(super) async fn outcome(
    world: &World,
    probe: &Probe,
    seed: u64,
    pace: &Pace,
) -> Option<(Trace, After)> {
    if pace.is_at_once() {
        return sim::outcome(world, probe, seed);
    }
    loop {
        match sim::outcome_where_ready(world, probe, seed, is_ready) {
            Ok(outcome) => return outcome,
            Err(met) => make(world.host(met)?, pace).await,
        }
    }
}

fn is_ready(host: &Host) -> bool {
    host.iptables.is_made() && host.nft.is_made()
}

async fn make(host: &Host, pace: &Pace) {
    host.iptables.make_along(pace).await;
    host.nft.make_along(pace).await;
}
