//! All roads that a new connection may take, each with its chance, and a tally of connections that were really made.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use super::engine::Sim;
use super::{Probe, ProbeKind};
use crate::net::{Chance, Coins};
use crate::text::{Say, Span};
use crate::topology::{HostId, World};
use crate::trace::{Action, Content, Disposition, Journey, Role, Trace, answered};

/// Every way that chance leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roads {
    pub roads: Vec<Road>,
    /// The chance of all ways that were not walked, as there are too many, or as a coin has too many sides.
    pub rest: Chance,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Road {
    pub chance: Chance,
    /// Where the way forked, and how the coin fell there.
    pub forks: Vec<Fork>,
    pub end: End,
    /// The hosts whose programs took a connection on the way: proxies, and who is at the end.
    pub taken: Vec<HostId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// How likely the side was on which the coin fell.
    pub chance: Chance,
    /// What that side stands for.
    pub side: Say,
    /// The text that asked.
    pub span: Span,
}

/// What became of a connection: who answered the request; where none did, or nothing was asked, how its first packet ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub disposition: Disposition,
    pub host: HostId,
    /// The program that took it.
    pub process: Option<Arc<str>>,
    /// Whom it believes to speak to.
    pub peer: IpAddr,
    /// Whether who sent it got an answer.
    pub answered: bool,
    /// Of a proxy's own answer.
    pub status: Option<u16>,
}

/// Roads beyond these are counted with their chance and not walked.
const MOST_ROADS: usize = 600;

/// Walks every road of a new connection: each coin on the way (the balancer's turn, `statistic`, `numgen`, a proxy's weights,
/// faults, mirrors and endpoints) falls on each of its sides once. `None` where the world has no machine of the sender's name.
pub fn roads(world: &World, probe: &Probe, seed: u64) -> Option<Roads> {
    let see = |sim: Sim| Some((end(&sim, probe)?, taken(sim.journeys())));
    let (walked, rest) = every(world, probe, seed, see)?;
    let road = |(chance, forks, (end, taken))| Road {
        chance,
        forks,
        end,
        taken,
    };
    Some(Roads {
        roads: walked.into_iter().map(road).collect(),
        rest,
    })
}

/// What `look` sees at the end of every road, with the chances; the other is the chance of roads that were not walked. `None`
/// as for [`roads`].
pub fn requests<T: PartialEq>(
    world: &World,
    probe: &Probe,
    seed: u64,
    look: impl Fn(&Trace) -> T,
) -> Option<(Vec<(T, Chance)>, Chance)> {
    let see = |sim: Sim| Some(look(&sim.into_trace()));
    let (walked, rest) = every(world, probe, seed, see)?;
    let mut all: Vec<(T, Chance)> = Vec::new();
    for (chance, _, seen) in walked {
        match all.iter_mut().find(|(known, _)| *known == seen) {
            Some((_, sum)) => *sum = sum.or(chance),
            None => all.push((seen, chance)),
        }
    }
    Some((all, rest))
}

type Walked<T> = (Vec<(Chance, Vec<Fork>, T)>, Chance);

fn every<'w, T>(
    world: &'w World,
    probe: &Probe,
    seed: u64,
    see: impl Fn(Sim<'w>) -> Option<T>,
) -> Option<Walked<T>> {
    let (mut walked, mut rest) = (Vec::new(), Chance::NEVER);
    // What is next comes first. No more wait than may still be walked.
    let mut todo = VecDeque::from([(Vec::new(), Chance::ALWAYS)]);
    let mut room = MOST_ROADS;
    while let Some((script, mut chance)) = todo.pop_front() {
        room -= 1;
        let told = script.len();
        let mut sim = Sim::new(world, seed);
        sim.coins = Some(Coins::new(script));
        sim.probe(probe)?;
        let tossed = sim.coins.take().unwrap_or_default().tossed;
        let mut reached = Vec::new();
        for (at, toss) in tossed.iter().enumerate().skip(told) {
            reached.push((at, toss, chance));
            chance = chance.and(toss.chance());
        }
        let mut others = Vec::new();
        for (at, toss, chance) in reached.into_iter().rev() {
            let (sides, beyond) = toss.others(room - others.len());
            let before = tossed.iter().take(at).map(|t| t.fell);
            others.extend(sides.into_iter().map(|(side, part)| {
                let script: Vec<u32> = before.clone().chain([side]).collect();
                (script, chance.and(part))
            }));
            rest = rest.or(chance.and(beyond));
        }
        others.into_iter().rev().for_each(|o| todo.push_front(o));
        for (_, chance) in todo.drain(room.min(todo.len())..) {
            rest = rest.or(chance);
        }
        let forks = tossed.into_iter().map(|toss| Fork {
            chance: toss.chance(),
            side: toss.side,
            span: toss.span,
        });
        walked.push((chance, forks.collect(), see(sim)?));
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
        let end = end(&sim, probe)?;
        match ends.iter_mut().find(|(e, _)| *e == end) {
            Some((_, count)) => *count += 1,
            None => ends.push((end, 1)),
        }
        sim.forget();
    }
    Some(ends)
}

fn end(sim: &Sim, probe: &Probe) -> Option<End> {
    let journeys = sim.journeys();
    let first = journeys.first()?;
    let (asked, disposition) = match sim.ending {
        Some(ending) => {
            let heard = |j: &&Journey| {
                let payload = j.payload.as_ref().map(|p| &p.content);
                matches!(payload, Some(Content::Request { .. }))
                    && j.hops.last().is_some_and(|h| h.host == ending.by.host)
            };
            let last = journeys.iter().rev().find(heard).unwrap_or(first);
            (last, ending.disposition())
        }
        None => (first, first.disposition),
    };
    let last = asked.hops.last()?;
    let step = last.steps.last()?;
    let process = match &step.action {
        Action::Delivered(delivery) => Some(delivery.process.name().into()),
        _ => None,
    };
    Some(End {
        disposition,
        host: sim.ending.map_or(last.host, |e| e.by.host),
        process,
        peer: step.after.packet.src,
        answered: match (&probe.kind, sim.ending) {
            (_, Some(_)) => disposition != Disposition::Closed,
            (ProbeKind::Http(_), None) => false,
            _ => answered(journeys),
        },
        status: sim
            .ending
            .filter(|e| e.by.proxy && e.status > 0)
            .map(|e| e.status),
    })
}

fn taken(journeys: &[Journey]) -> Vec<HostId> {
    let mut hosts = Vec::new();
    for journey in journeys.iter().filter(|j| j.role == Role::Request) {
        let Some(last) = journey.hops.last() else {
            continue;
        };
        let took = journey.disposition == Disposition::Delivered;
        if took && !hosts.contains(&last.host) {
            hosts.push(last.host);
        }
    }
    hosts
}
