//! The run, told: titles and reasons of steps, what stands in a place, the steps as text.

mod breakpoints;
pub mod chains;
mod contents;
mod explanation;
mod list;
mod listings;
mod step;
mod tables;

use northsouth::text::Span;
use northsouth::topology::{HostId, World};
use northsouth::trace::Part;
use northsouth::workspace::Run;

pub use breakpoints::{breakpoint, breakpoints, met};
pub use contents::drawer;
pub use explanation::{Listing, Origin, ReasonRow, explanation, reason_text};
pub use list::{HopText, hops};
pub use step::{depth, is_minor, why};

use super::drawer::Tag;
use super::header;
use super::walk::{Moment, Walk, before, step as step_at};
use crate::i18n::Words;
use crate::state::{Place, State};

/// What a step did, in a few words.
pub fn title(state: &State, at: usize) -> String {
    let lang = state.settings.lang;
    let title = || {
        let moment = state.walk.moments.get(at)?;
        // A chain's name stays as it is written.
        let of_rule = chains::title(state, moment);
        of_rule.or_else(|| Some(capitalized(step::title(&state.run, moment, lang)?)))
    };
    title().unwrap_or_default()
}

/// A sentence within others begins small, a heading does not; what a machine prints stays as it is.
fn capitalized(title: String) -> String {
    let first = title.split(' ').next().unwrap_or("");
    if !first.bytes().all(|b| b.is_ascii_lowercase()) || first.is_empty() {
        return title;
    }
    let (first, rest) = title.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// What the step at hand means, in plain words.
pub fn meaning(state: &State) -> String {
    let moment = state.walk.moments.get(state.cursor);
    let meaning = moment.and_then(|m| step::meaning(&state.run, m, state.settings.lang));
    meaning.unwrap_or_default()
}

/// What is read aloud when the step at hand changes. While time runs by itself only what is worth it is: where the packet
/// comes to another machine or is changed.
pub fn announcement(state: &State, words: &Words) -> String {
    let moments = &state.walk.moments;
    let worth = |at: &usize| {
        let machine = |at: usize| moments.get(at).map(|m| m.place.host);
        let changed = moments.get(*at).is_some_and(|m| !m.changed.is_empty());
        changed || *at == 0 || machine(*at) != machine(*at - 1)
    };
    let at = match state.playing {
        true => (0..=state.cursor).rev().find(worth).unwrap_or(0),
        false => state.cursor,
    };
    let Some(moment) = moments.get(at) else {
        return words.no_steps.to_string();
    };
    let name = host_name(&state.run.world, moment.place.host);
    let title = title(state, at);
    let step = words.step_of(at + 1, state.walk.len());
    format!("{step}. {name}. {title}")
}

/// The step of the rule that decided what the step at hand carries out.
pub fn carries_out(state: &State) -> Option<usize> {
    let moment = state.walk.moments.get(state.cursor)?;
    state
        .walk
        .find(state.run.trace.decided(moment.position.at())?)
}

/// The step whose reasons are those of the step at hand: its own, or of the packet's rule that it carries out.
fn reasoned(state: &State) -> Option<&Moment> {
    let moment = state.walk.moments.get(state.cursor)?;
    let decided = carries_out(state).and_then(|at| state.walk.moments.get(at));
    let visit = |m: &Moment| (m.position.journey, m.position.hop);
    decided
        .filter(|decided| visit(decided) == visit(moment))
        .or(Some(moment))
}

/// The text that decided the step at hand.
pub fn lit(state: &State) -> Option<Span> {
    step::span(&state.run, reasoned(state)?)
}

/// The place whose drawer is open: the viewer's, else the packet's.
pub fn open_place(state: &State) -> Place {
    let here = || state.walk.moments.get(state.cursor).map(|m| &m.place);
    let place = state.opened.as_ref().or_else(here).cloned();
    place.unwrap_or(Place {
        host: HostId(0),
        part: Part::Process,
    })
}

/// The packet's tag at the step at hand.
pub fn tag(state: &State) -> Option<Tag> {
    let moment = state.walk.moments.get(state.cursor)?;
    let trace = &state.run.trace;
    let after = &step_at(trace, moment.position)?.after;
    Some(header::tag(before(trace, moment.position)?, after))
}

/// What the line of time calls the place of each step.
pub fn group_names(run: &Run, walk: &Walk, words: &Words) -> Vec<String> {
    let names = walk.moments.iter().map(|m| group_name(run, m, words));
    names.collect()
}

fn group_name(run: &Run, moment: &Moment, words: &Words) -> String {
    use northsouth::topology::HostKind;
    let host = run.world.host(moment.place.host);
    match host.map(|h| h.kind) {
        Some(HostKind::Node) => part_name(&moment.place.part, words),
        _ => short_name(&host_name(&run.world, moment.place.host)),
    }
}

/// A part's name: what the map calls it.
pub fn part_name(part: &Part, words: &Words) -> String {
    match part {
        Part::Process => words.process.to_string(),
        Part::Interface(name) | Part::Bridge(name) => name.to_string(),
        Part::Hook(hook) => hook.name().to_string(),
        Part::Conntrack => words.conntrack.to_string(),
        Part::Routing => words.routing.to_string(),
        Part::Neighbour => words.neighbours.to_string(),
        Part::Balancer => words.load_balancer.to_string(),
        Part::Envoy(_) => "Envoy".to_string(),
    }
}

pub fn host_name(world: &World, id: HostId) -> String {
    world
        .host(id)
        .map(|h| h.name.to_string())
        .unwrap_or_default()
}

/// `istio-ingressgateway-84b4868f6b-9xnts` by what it is and its last letters: a ReplicaSet's hash between them tells nobody
/// anything.
pub fn short_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('-').collect();
    match parts.as_slice() {
        [first @ .., hash, last] if first.len() > 1 && last.len() == 5 && hash.len() >= 8 => {
            format!("{}-…{last}", first.join("-"))
        }
        _ => name.to_string(),
    }
}
