//! Strides through time: over a chain, out of it, to the next change, the next machine, the next breakpoint, and back.

use northsouth::trace::Field;

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
                usize::from(span.file.0) == *file && span.start < *end && *start < span.end
            })
        })
    };
    let moments = walk.moments.iter().enumerate();
    let stops = moments.filter(|(_, m)| meets(m)).map(|(at, _)| at);
    stops.collect()
}
