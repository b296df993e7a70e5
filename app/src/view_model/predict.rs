//! Predict, then see: what comes next as a question, with answers from what the core computed.

use std::collections::BTreeSet;

use northsouth::netfilter::walk::StepKind;
use northsouth::text::{Outcome, Reason};
use northsouth::trace::{Action, Egress, Field};

use super::explain::chains::{self, TableView};
use super::explain::{self, host_name, part_name};
use super::header;
use super::walk::{Moment, before, step as step_at};
use crate::i18n::Words;
use crate::state::State;

/// At most so many answers to choose from.
const MOST: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub asks: String,
    /// One of them is right.
    pub choices: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub text: String,
    pub right: bool,
    /// Why it is, or why it is not.
    pub because: String,
}

/// What can be asked of a step before it is shown; `None` where there is nothing to choose.
pub fn question(state: &State, at: usize, words: &Words) -> Option<Question> {
    let moment = state.walk.moments.get(at)?;
    let question = machine(state, at, moment, words)
        .or_else(|| changed(state, moment, words))
        .or_else(|| rule(state, moment, words))
        .or_else(|| candidate(state, moment, words))?;
    (question.choices.len() > 1 && question.choices.iter().any(|c| c.right)).then_some(question)
}

fn choice(text: String, right: bool, because: String) -> Choice {
    Choice {
        text,
        right,
        because,
    }
}

/// Which machine takes the packet, of those that its frame could go to.
fn machine(state: &State, at: usize, moment: &Moment, words: &Words) -> Option<Question> {
    let last = state.walk.moments.get(at.checked_sub(1)?)?;
    let same = last.position.journey == moment.position.journey;
    if !same || last.position.hop == moment.position.hop {
        return None;
    }
    let Action::Left(Egress { iface, .. }) = &step_at(&state.run.trace, last.position)?.action
    else {
        return None;
    };
    let world = &state.run.world;
    let (_, link) = world.link_of(last.place.host, iface)?;
    let hosts = link
        .ends
        .iter()
        .map(|e| e.host)
        .filter(|h| *h != last.place.host);
    let hosts: BTreeSet<_> = hosts.collect();
    let right = moment.place.host;
    let others = hosts.iter().filter(|h| **h != right).take(MOST - 1);
    let mut all: BTreeSet<_> = others.copied().collect();
    all.insert(right);
    let because = explain::title(state, at - 1);
    let choices = all
        .into_iter()
        .map(|host| choice(host_name(world, host), host == right, because.clone()));
    Some(Question {
        asks: words.ask_machine(iface.as_str()),
        choices: choices.collect(),
    })
}

/// What an address or the mark is afterwards, among the addresses that the conversation knows.
fn changed(state: &State, moment: &Moment, words: &Words) -> Option<Question> {
    use Field::{Destination, DestinationPort, Mark, Source, SourcePort};
    let trace = &state.run.trace;
    let (was, is) = (
        before(trace, moment.position)?,
        &step_at(trace, moment.position)?.after,
    );
    if moment.position.hop == 0 && moment.position.step == 0 {
        return None;
    }
    let has = |fields: [Field; 2]| moment.changed.iter().any(|f| fields.contains(f));
    let (name, was, is) = if has([Destination, DestinationPort]) {
        (
            words.destination,
            header::destination(&was.packet),
            header::destination(&is.packet),
        )
    } else if has([Source, SourcePort]) {
        (
            words.source,
            header::source(&was.packet),
            header::source(&is.packet),
        )
    } else if moment.changed.contains(&Mark) {
        let mark = |mark: u32| format!("{mark:#x}");
        (words.mark, mark(was.mark), mark(is.mark))
    } else {
        return None;
    };
    let mut all: BTreeSet<String> = BTreeSet::from([was, is.clone()]);
    if name == words.mark {
        all.extend(["0x4000", "0x8000"].map(String::from));
    }
    for journey in &trace.journeys {
        if all.len() >= MOST - 1 || name == words.mark {
            break;
        }
        all.insert(header::source(&journey.packet.packet));
        all.insert(header::destination(&journey.packet.packet));
    }
    let because = explain::title(state, index(state, moment));
    let choices = all.into_iter().map(|text| {
        let right = text == is;
        choice(text, right, because.clone())
    });
    Some(Question {
        asks: words.ask_field(name),
        choices: choices.collect(),
    })
}

fn index(state: &State, moment: &Moment) -> usize {
    let mut all = state.walk.moments.iter();
    all.position(|m| m.position == moment.position).unwrap_or(0)
}

/// Which rule of the chain acts, or none.
fn rule(state: &State, moment: &Moment, words: &Words) -> Option<Question> {
    let (rule, table): (_, TableView) = chains::at_hand(state, moment)?;
    let step = rule.step()?;
    let chain = table.chain(step.chain)?;
    let why = explain::why(&state.run, moment);
    let text = |at: usize| {
        let span = chain.span(at)?;
        Some(format!(
            "{} {}",
            at + 1,
            chains::short_rule(&state.run, span, chain.name)
        ))
    };
    let mut choices = Vec::new();
    let passed = why.passed_over.len();
    for (at, reason) in why
        .passed_over
        .iter()
        .enumerate()
        .skip(passed.saturating_sub(2))
    {
        let number = (step.passed_from as usize) + at;
        choices.push(choice(text(number)?, false, said(state, reason)));
    }
    let acts = step.kind == StepKind::Rule;
    let here = step.index as usize;
    if acts {
        let held: Vec<String> = why.decided.iter().map(|r| said(state, r)).collect();
        choices.push(choice(text(here)?, true, held.join("; ")));
        let rest = chain.count().min(here + MOST - choices.len()).max(here + 1);
        for later in here + 1..rest {
            choices.push(choice(text(later)?, false, words.comes_later.to_string()));
        }
    }
    if !acts || choices.len() < MOST {
        let because = if acts {
            words.comes_later
        } else {
            words.none_held
        };
        choices.push(choice(
            words.none_of_them.to_string(),
            !acts,
            because.to_string(),
        ));
    }
    // A chain of one rule without conditions leaves nothing to think about.
    (chain.count() > 1 || passed > 0).then(|| Question {
        asks: words.ask_rule(chain.name),
        choices,
    })
}

/// Which of the candidates is chosen: a route, a backend, a cluster.
fn candidate(state: &State, moment: &Moment, words: &Words) -> Option<Question> {
    if moment.minor || moment.depth > 0 {
        return None;
    }
    let why = explain::why(&state.run, moment);
    let row = |reason: &Reason, right: bool| {
        let text = explain::reason_text(&state.run, reason);
        let text = text.lines().next().unwrap_or("").trim().to_string();
        let said = said(state, reason);
        (!text.is_empty()).then(|| choice(text, right, said))
    };
    let right = why.decided.iter().find(|r| r.outcome == Outcome::Held)?;
    let mut choices: Vec<(Option<_>, Choice)> = Vec::new();
    choices.push((right.span, row(right, true)?));
    let others = why
        .passed_over
        .iter()
        .filter_map(|r| Some((r.span, row(r, false)?)));
    choices.extend(others.take(MOST - 1));
    choices.sort_by_key(|(span, c)| (span.map(|s| (s.file, s.start)), c.text.clone()));
    let mut choices: Vec<Choice> = choices.into_iter().map(|(_, c)| c).collect();
    // Of the same words only one could be told from the other.
    let right = choices.iter().find(|c| c.right).map(|c| c.text.clone());
    let mut seen = BTreeSet::new();
    choices.retain(|c| c.right || (right.as_ref() != Some(&c.text) && seen.insert(c.text.clone())));
    Some(Question {
        asks: words.ask_candidate(&part_name(&moment.place.part, words)),
        choices,
    })
}

fn said(state: &State, reason: &Reason) -> String {
    reason.say.text(state.settings.lang)
}
