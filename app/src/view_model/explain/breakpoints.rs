//! Which lines the packet meets at a step, and the list of those at which it stops.

use northsouth::netfilter::walk::TableRef;
use northsouth::text::{FileId, Span};
use northsouth::trace::Action;
use northsouth::workspace::Run;

use super::explanation::brief;
use super::step;
use crate::state::{Breakpoint, State};
use crate::view_model::stride::stops;
use crate::view_model::walk::{Moment, step as step_at};

/// The texts that a step asks: the one that decided, and the rules that were tried before it in vain.
pub fn met(run: &Run, moment: &Moment) -> Vec<Span> {
    let mut met = Vec::from_iter(step::span(run, moment));
    let found = step_at(&run.trace, moment.position).zip(run.world.host(moment.place.host));
    if let Some((done, host)) = found
        && let Action::Rule(rule) = &done.action
        && let Some(at) = rule.step()
    {
        let passed = at.passed_from as usize..at.index as usize;
        match rule.table() {
            TableRef::Iptables(family, name) => {
                let chain = host
                    .iptables
                    .table(family, name)
                    .and_then(|t| t.chain(at.chain));
                let rules = chain.and_then(|c| c.rules.get(passed));
                met.extend(rules.into_iter().flatten().map(|r| r.span));
            }
            TableRef::Nft(id) => {
                let chain = host.nft.table(id).and_then(|t| t.chain(at.chain));
                let rules = chain.and_then(|c| c.rules.get(passed));
                met.extend(rules.into_iter().flatten().map(|r| r.span));
            }
        }
    }
    met
}

/// The line that decided a step.
pub fn breakpoint(state: &State, at: usize) -> Option<Breakpoint> {
    let moment = state.walk.moments.get(at)?;
    let span = step::span(&state.run, moment)?;
    let file = state.run.files.get(span.file.index())?;
    Some(Breakpoint {
        file: file.name.clone(),
        line: file.line_column(span.start).line,
    })
}

/// A breakpoint as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakpointRow {
    pub breakpoint: Breakpoint,
    pub place: String,
    /// What its line says.
    pub text: String,
    /// Where the line begins.
    pub span: Span,
    /// How many steps meet it.
    pub steps: usize,
}

pub fn breakpoints(state: &State) -> Vec<BreakpointRow> {
    let rows = state.breakpoints.iter().filter_map(|b| {
        let at = state.run.files.iter().position(|f| *f.name == *b.file)?;
        let text = &*state.run.files.get(at)?.text;
        let before = text
            .split_inclusive('\n')
            .take(b.line.saturating_sub(1) as usize);
        let start = before.map(str::len).sum::<usize>();
        let line = text.get(start..).unwrap_or("").lines().next().unwrap_or("");
        let mut only = crate::state::Breakpoints::default();
        only.toggle(b.clone());
        Some(BreakpointRow {
            place: format!("{}:{}", b.file, b.line),
            text: brief(line.trim()),
            span: Span::new(FileId::at(at), start, start),
            steps: stops(&state.run, &state.walk, &only).len(),
            breakpoint: b.clone(),
        })
    });
    rows.collect()
}
