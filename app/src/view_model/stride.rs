//! Strides through time: over a chain, out of it, to the next change, the next machine, the next breakpoint, and back.

use std::ops::Range;

use northsouth::trace::{Field, Part, Role, Stage};

use super::explain;
use super::walk::{Moment, Walk};
use crate::state::Breakpoints;
use northsouth::workspace::Run;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// To the next step that is not inside the chain that the step at hand goes into.
    Over,
    /// Out of the chain at hand; outside of chains, out of the part.
    Out,
    /// To the next change of the packet.
    Change,
    /// To the next machine.
    Machine,
    /// To the next breakpoint, or the end.
    Breakpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Forward,
    Back,
}

impl Stride {
    /// Where it leads. A breakpoint on the way stops it.
    pub fn from(self, walk: &Walk, cursor: usize, way: Way, stops: &[usize]) -> usize {
        let Some(here) = walk.moments.get(cursor) else {
            return cursor;
        };
        let ends = |at: &usize| {
            let Some(moment) = walk.moments.get(*at) else {
                return false;
            };
            stops.contains(at)
                || match self {
                    Stride::Over => outside(here, moment, here.depth),
                    Stride::Out if here.depth > 1 => outside(here, moment, here.depth - 1),
                    Stride::Out => moment.place != here.place || hop(moment) != hop(here),
                    Stride::Change => changes(walk, *at),
                    Stride::Machine => begins_hop(walk, *at),
                    Stride::Breakpoint => false,
                }
        };
        let found = match way {
            Way::Forward => (cursor + 1..walk.len()).find(ends),
            Way::Back => (0..cursor).rev().find(ends),
        };
        found.unwrap_or(match way {
            Way::Forward => walk.len().saturating_sub(1),
            Way::Back => 0,
        })
    }
}

fn hop(moment: &Moment) -> (usize, usize) {
    (moment.position.journey, moment.position.hop)
}

/// Not so deep in the chains at hand, or elsewhere.
fn outside(here: &Moment, moment: &Moment, depth: usize) -> bool {
    moment.place != here.place || hop(moment) != hop(here) || moment.depth <= depth
}

/// Its header or its mark; what its maker wrote on it is no change.
fn changes(walk: &Walk, at: usize) -> bool {
    let Some(moment) = walk.moments.get(at) else {
        return false;
    };
    let before = at.checked_sub(1).and_then(|at| walk.moments.get(at));
    let first = before.is_none_or(|b| b.position.journey != moment.position.journey);
    let carried = |field: &Field| {
        !matches!(
            field,
            Field::InInterface | Field::OutInterface | Field::ConntrackState
        )
    };
    !first && moment.changed.iter().any(carried)
}

fn begins_hop(walk: &Walk, at: usize) -> bool {
    let of = |at: usize| walk.moments.get(at).map(hop);
    at.checked_sub(1).and_then(of) != of(at)
}

/// The steps that tell the walk in short. Of the first packet of each connection, what decided in each part that it passed;
/// of answers, what changed them; of all others, what Envoy did with what they carry; and how it ended.
pub fn key_steps(run: &Run, walk: &Walk) -> Vec<usize> {
    let mut steps: Vec<usize> = Vec::new();
    let mut first_answer = true;
    let mut from = 0;
    while let Some(moment) = walk.moments.get(from) {
        let journey = moment.position.journey;
        let of_it = |m: &&Moment| m.position.journey == journey;
        let to = from + walk.moments.iter().skip(from).take_while(of_it).count();
        let answer = moment.role != Role::Request;
        let told = match answer {
            true => std::mem::take(&mut first_answer),
            false => run.trace.journeys.get(journey).is_some_and(|j| j.opens()),
        };
        let parts = parts(walk, from, to);
        let told_of = |part: &&Range<usize>| visits(walk, from, part.start) <= MOST_VISITS;
        for part in parts.iter().filter(told_of) {
            let changed = part.clone().find(|at| readdresses(walk, *at));
            let decided = match walk.moments.get(part.start).map(|m| &m.place.part) {
                Some(Part::Envoy(Stage::Route | Stage::Endpoint | Stage::Answer)) => true,
                Some(Part::Interface(_) | Part::Conntrack | Part::Neighbour | Part::Envoy(_)) => {
                    false
                }
                _ => told && !answer,
            };
            let chosen = match decided {
                true => changed.or_else(|| deciding(walk, part)),
                false => changed.filter(|_| told),
            };
            steps.extend(chosen);
        }
        if told {
            // Where it began, and where it ended.
            steps.extend(parts.first().map(|part| part.start));
            steps.push(to - 1);
        }
        from = to;
    }
    steps.extend(ending(walk));
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// A packet that comes to a machine more often goes in circles, and the third round tells nothing new.
const MOST_VISITS: usize = 2;

/// How often a packet has come to the machine where it is at a step, since the first of its steps.
fn visits(walk: &Walk, first: usize, at: usize) -> usize {
    let Some(here) = walk.moments.get(at) else {
        return 0;
    };
    let way = walk.moments.get(first..=at).unwrap_or_default();
    let same = way.iter().filter(|m| m.place.host == here.place.host);
    let mut hops: Vec<usize> = same.map(|m| m.position.hop).collect();
    hops.dedup();
    hops.len()
}

/// Where the sender of the probe got its last answer; without one, the last step of all.
fn ending(walk: &Walk) -> Option<usize> {
    let sender = walk.moments.first()?.place.host;
    let back = |m: &Moment| m.role != Role::Request && m.place.host == sender;
    let answered = walk.moments.iter().rposition(back);
    answered.or(walk.len().checked_sub(1))
}

/// The stretches of a journey that are in one place each.
fn parts(walk: &Walk, from: usize, to: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for at in from..to {
        let same = |last: &Range<usize>| {
            let of = |at: usize| walk.moments.get(at).map(|m| (hop(m), &m.place));
            of(last.start) == of(at)
        };
        match parts.last_mut().filter(|last| same(last)) {
            Some(last) => last.end = at + 1,
            None => parts.push(at..at + 1),
        }
    }
    parts
}

/// Of a part's steps the one that tells what was decided there: the last rule of a hook, else the first of interest.
fn deciding(walk: &Walk, part: &Range<usize>) -> Option<usize> {
    let of_interest = |at: &usize| walk.moments.get(*at).is_some_and(|m| !m.minor);
    let hook = |m: &Moment| matches!(m.place.part, Part::Hook(_));
    match walk.moments.get(part.start).is_some_and(hook) {
        true => part.clone().rev().find(of_interest),
        false => part.clone().find(of_interest),
    }
}

/// Who it is from, for or marked as changed.
fn readdresses(walk: &Walk, at: usize) -> bool {
    let moment = walk.moments.get(at);
    let kept = |field: &Field| {
        use Field::{Destination, DestinationPort, Mark, Source, SourcePort};
        matches!(
            field,
            Destination | DestinationPort | Mark | Source | SourcePort
        )
    };
    moment.is_some_and(|m| m.changed.iter().any(kept))
}

/// The steps at which the packet meets a line with a breakpoint.
pub fn stops(run: &Run, walk: &Walk, breakpoints: &Breakpoints) -> Vec<usize> {
    if breakpoints.is_empty() {
        return Vec::new();
    }
    // As stretches of their files.
    let stretches: Vec<(usize, u32, u32)> = breakpoints
        .iter()
        .filter_map(|b| {
            let at = run.files.iter().position(|f| *f.name == *b.file)?;
            let mut lines = run.files.get(at)?.text.split_inclusive('\n');
            let before = lines.by_ref().take(b.line.checked_sub(1)? as usize);
            let start = before.map(str::len).sum::<usize>();
            let end = start + lines.next()?.len();
            Some((at, u32::try_from(start).ok()?, u32::try_from(end).ok()?))
        })
        .collect();
    let meets = |moment: &Moment| {
        explain::met(run, moment).iter().any(|span| {
            stretches.iter().any(|(file, start, end)| {
                span.file.index() == *file && span.start < *end && *start < span.end
            })
        })
    };
    let moments = walk.moments.iter().enumerate();
    let stops = moments.filter(|(_, m)| meets(m)).map(|(at, _)| at);
    stops.collect()
}
