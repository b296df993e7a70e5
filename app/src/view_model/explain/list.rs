//! The steps as text: journeys, hops and steps under their headings.

use northsouth::trace::Layer;

use super::{host_name, part_name, title};
use crate::i18n::Words;
use crate::state::State;

/// A packet's visit to one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopText {
    pub journey_at: usize,
    /// Where a journey begins with this hop, its name.
    pub journey: Option<String>,
    /// Where a journey ends with this hop, how.
    pub end: Option<String>,
    pub name: String,
    /// Name and journey: what tells this hop from all others.
    pub heading: String,
    /// Its first step, an index into the walk.
    pub first: usize,
    pub steps: Vec<StepText>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepText {
    pub at: usize,
    pub title: String,
    /// Where on the machine, at the first of the steps made there.
    pub part: String,
    pub layer: Layer,
    pub minor: bool,
}

pub fn hops(state: &State, words: &Words) -> Vec<HopText> {
    let trace = &state.run.trace;
    let mut hops: Vec<HopText> = Vec::new();
    let mut last = None;
    for (at, moment) in state.walk.moments.iter().enumerate() {
        let position = (moment.position.journey, moment.position.hop);
        if last != Some(position) {
            let begins = last.is_none_or(|(journey, _)| journey != position.0);
            let name = host_name(&state.run.world, moment.place.host);
            let count = trace
                .journeys
                .iter()
                .take(position.0 + 1)
                .filter(|j| j.role == moment.role)
                .count();
            let journey = words.journey(moment.role, count);
            hops.push(HopText {
                journey_at: position.0,
                journey: begins.then(|| journey.clone()),
                end: None,
                heading: format!("{journey}, {}: {name}", hops.len() + 1),
                name,
                first: at,
                steps: Vec::new(),
            });
            last = Some(position);
        }
        if let Some(hop) = hops.last_mut() {
            let part = part_name(&moment.place.part, words);
            let mut told = hop.steps.iter().rev().map(|step| &step.part);
            let is_told = told.find(|part| !part.is_empty()) == Some(&part);
            hop.steps.push(StepText {
                at,
                title: title(state, at),
                part: if is_told { String::new() } else { part },
                layer: moment.layer,
                minor: moment.minor,
            });
        }
    }
    for at in 0..hops.len() {
        let journey = hops[at].journey_at;
        if hops
            .get(at + 1)
            .is_none_or(|next| next.journey_at != journey)
        {
            let ended = trace.journeys.get(journey).map(|j| j.disposition);
            hops[at].end = ended.map(|d| words.disposition(d).to_string());
        }
    }
    hops
}
