//! All roads that a new connection may take, each with its chance, and a tally of connections that were really made.

use std::net::IpAddr;
use std::sync::Arc;

use super::Probe;
use super::engine::Sim;
use crate::net::{Chance, Coins, Toss};
use crate::topology::{HostId, World};
use crate::trace::{Action, Disposition, Journey, Role, Trace};

/// Every way that chance leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roads {
    pub roads: Vec<Road>,
    /// The chance of all ways that were not walked, as there are too many.
    pub rest: Chance,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Road {
    pub chance: Chance,
    /// Where the way forked, and how the coin fell there.
    pub forks: Vec<Toss>,
    pub end: End,
}

/// What became of a connection's first packet, and whether who sent it got an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub disposition: Disposition,
    pub host: HostId,
    /// The program that took it.
    pub process: Option<Arc<str>>,
    /// Whom it believes to speak to.
    pub peer: IpAddr,
    pub answered: bool,
}

/// Roads beyond these are counted with their chance and not walked.
const MOST_ROADS: usize = 600;

/// Walks every road of a new connection: each coin on the way (the balancer's turn, `statistic`, `numgen`) falls on each of
/// its sides once. `None` where the world has no machine of the sender's name.
pub fn roads(world: &World, probe: &Probe, seed: u64) -> Option<Roads> {
    let (walked, rest) = every(world, probe, seed, false, |sim| end(sim.journeys()))?;
    let road = |(chance, forks, end)| Road { chance, forks, end };
    Some(Roads {
        roads: walked.into_iter().map(road).collect(),
        rest,
    })
}

/// What `look` sees at the end of every road of the whole probe, with the chances: proxies throw coins as well here (for
/// clusters by weight, endpoints, faults, mirrors). The other is the chance of roads that were not walked, or of which coins
/// cannot tell. `None` as for [`roads`].
pub fn requests<T: PartialEq>(
    world: &World,
    probe: &Probe,
    seed: u64,
    look: impl Fn(&Trace) -> T,
) -> Option<(Vec<(T, Chance)>, Chance)> {
    let see = |sim: Sim| Some(look(&sim.into_trace()));
    let (walked, rest) = every(world, probe, seed, true, see)?;
    let mut all: Vec<(T, Chance)> = Vec::new();
    for (chance, _, seen) in walked {
        match all.iter_mut().find(|(known, _)| *known == seen) {
            Some((_, sum)) => *sum = sum.or(chance),
            None => all.push((seen, chance)),
        }
    }
    Some((all, rest))
}

type Walked<T> = (Vec<(Chance, Vec<Toss>, T)>, Chance);

fn every<'w, T>(
    world: &'w World,
    probe: &Probe,
    seed: u64,
    proxies: bool,
    see: impl Fn(Sim<'w>) -> Option<T>,
) -> Option<Walked<T>> {
    let (mut walked, mut rest) = (Vec::new(), Chance::NEVER);
    let mut todo = vec![(Vec::new(), Chance::ALWAYS)];
    let mut count = 0;
    while let Some((script, chance)) = todo.pop() {
        count += 1;
        if count > MOST_ROADS {
            rest = rest.or(chance);
            continue;
        }
        let told = script.len();
        let mut sim = Sim::new(world, seed);
        sim.coins = Some(Coins::new(script));
        sim.proxies.toss = proxies;
        sim.probe(probe)?;
        let coins = sim.coins.take().unwrap_or_default();
        let mut chance = chance;
        let mut falls: Vec<u32> = coins.tossed.iter().take(told).map(|t| t.fell).collect();
        for toss in coins.tossed.iter().skip(told) {
            for side in (0..toss.sides.len() as u32).rev() {
                let other = toss.chance(side);
                if side != toss.fell && !other.is_never() {
                    let mut script = falls.clone();
                    script.push(side);
                    todo.push((script, chance.and(other)));
                }
            }
            falls.push(toss.fell);
            chance = chance.and(toss.chance(toss.fell));
        }
        match coins.untold {
            true => rest = rest.or(chance),
            false => walked.push((chance, coins.tossed, see(sim)?)),
        }
    }
    Some((walked, rest))
}

/// How so many connections, one after the other, really end with this seed: balancers take turns, rules remember. The ends in
/// the order in which they were first met, each with how often.
pub fn tally(world: &World, probe: &Probe, seed: u64, connections: u32) -> Option<Vec<(End, u32)>> {
    let mut sim = Sim::new(world, seed);
    let mut ends: Vec<(End, u32)> = Vec::new();
    for _ in 0..connections {
        sim.probe(probe)?;
        let end = end(sim.journeys())?;
        match ends.iter_mut().find(|(e, _)| *e == end) {
            Some((_, count)) => *count += 1,
            None => ends.push((end, 1)),
        }
        sim.forget();
    }
    Some(ends)
}

fn end(journeys: &[Journey]) -> Option<End> {
    let asked = journeys.first()?;
    let last = asked.hops.last()?;
    let step = last.steps.last()?;
    let process = match &step.action {
        Action::Delivered(delivery) => Some(delivery.process.clone()),
        _ => None,
    };
    let home = asked.hops.first()?.host;
    let answers = |j: &Journey| {
        let here = j.hops.last().is_some_and(|h| h.host == home);
        let delivered = j.disposition == Disposition::Delivered;
        j.role == Role::Reply && j.cause == Some(0) && here && delivered
    };
    Some(End {
        disposition: asked.disposition,
        host: last.host,
        process,
        peer: step.after.packet.src,
        answered: journeys.iter().skip(1).any(answers),
    })
}
