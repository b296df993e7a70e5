//! The door to what the core says of a step.

use northsouth::text::{Lang, Span, Why};
use northsouth::trace::{Action, Step, tell};
use northsouth::workspace::Run;

use crate::view_model::walk::{Moment, step as step_at};

pub fn title(run: &Run, moment: &Moment, lang: Lang) -> Option<String> {
    let step = step_at(&run.trace, moment.position)?;
    Some(tell(&run.world, moment.place.host, step).text(lang))
}

pub fn why(run: &Run, moment: &Moment) -> Why {
    let why = || {
        let step = step_at(&run.trace, moment.position)?;
        let host = run.world.host(moment.place.host)?;
        match &step.action {
            Action::Balanced(account) => Some(host.balancer.as_ref()?.why(account)),
            _ => None,
        }
    };
    why().unwrap_or_default()
}

/// The text that decided.
pub fn span(run: &Run, moment: &Moment) -> Option<Span> {
    let step = step_at(&run.trace, moment.position)?;
    let host = run.world.host(moment.place.host)?;
    match &step.action {
        Action::Rule(rule) => {
            let table = super::chains::table_of(host, rule)?;
            let at = rule.step()?;
            let chain = table.chain(at.chain)?;
            let rule = chain.rules.get(at.index as usize);
            Some(rule.map_or(chain.span, |r| r.span))
        }
        Action::Routed(routing) => routing.answer.as_ref().ok()?.route.span,
        _ => why(run, moment).decided.iter().find_map(|r| r.span),
    }
}

pub fn is_minor(step: &Step) -> bool {
    step.is_minor()
}

pub fn depth(step: &Step) -> usize {
    step.depth()
}
