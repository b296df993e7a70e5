//! The door to what the core says of a step.

use northsouth::text::{Lang, Span, Why};
use northsouth::trace::{self, Step};
use northsouth::workspace::Run;

use crate::view_model::walk::{Moment, step as step_at};

pub fn title(run: &Run, moment: &Moment, lang: Lang) -> Option<String> {
    let step = step_at(&run.trace, moment.position)?;
    Some(trace::tell(&run.world, moment.place.host, step).text(lang))
}

/// What it means, in plain words.
pub fn meaning(run: &Run, moment: &Moment, lang: Lang) -> Option<String> {
    let step = step_at(&run.trace, moment.position)?;
    Some(trace::meaning(&run.world, moment.place.host, step).text(lang))
}

pub fn why(run: &Run, moment: &Moment) -> Why {
    step_at(&run.trace, moment.position)
        .map(|step| trace::why(&run.world, moment.place.host, step))
        .unwrap_or_default()
}

/// The text that decided.
pub fn span(run: &Run, moment: &Moment) -> Option<Span> {
    let step = step_at(&run.trace, moment.position)?;
    trace::span(&run.world, moment.place.host, step)
}

pub fn is_minor(step: &Step) -> bool {
    step.is_minor()
}

pub fn depth(step: &Step) -> usize {
    step.depth()
}
