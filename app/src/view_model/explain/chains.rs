//! A packet's way through the chains of one table: as cards that grow as it walks, and as the listing of the chain it is in.

use std::collections::BTreeMap;

use northsouth::netfilter::walk::{StepAction, StepKind, Traversal};
use northsouth::netfilter::{ChainId, Policy};
use northsouth::text::{Outcome, Span};
use northsouth::topology::Host;
use northsouth::trace::{Action, RuleStep};
use northsouth::workspace::Run;

use super::explanation::{brief, written};
pub use super::tables::{ChainView, TableView};
use crate::i18n::Words;
use crate::state::State;
use crate::view_model::drawer::{Card, Line};
use crate::view_model::walk::{Moment, step as step_at};

/// A card shows at most so many rules.
const MOST_LINES: usize = 7;
/// One visit of a chain: from a jump to its return.
struct Visit {
    chain: ChainId,
    /// The steps made in it, indices into the traversal.
    steps: Vec<usize>,
}

/// The visits of a traversal in the order of their beginnings.
fn visits(traversal: &Traversal) -> Vec<Visit> {
    let mut visits: Vec<Visit> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (at, step) in traversal.steps.iter().enumerate() {
        let here = open.last().copied();
        let here = match here {
            Some(here) if visits[here].chain == step.chain => here,
            _ => {
                visits.push(Visit {
                    chain: step.chain,
                    steps: Vec::new(),
                });
                open.push(visits.len() - 1);
                visits.len() - 1
            }
        };
        visits[here].steps.push(at);
        match step.action {
            StepAction::Goto => {
                open.pop();
            }
            StepAction::Return if step.kind == StepKind::Return || open.len() > 1 => {
                open.pop();
            }
            _ => {}
        }
    }
    visits
}

/// What a packet met in a table, up to a step.
pub struct Met<'a> {
    pub run: &'a Run,
    pub table: TableView<'a>,
    pub traversal: &'a Traversal,
    /// The step at hand, by its position in the traversal.
    pub now: usize,
    /// The criterion that did not hold, of each rule that was passed over.
    pub failed: BTreeMap<Span, String>,
}

/// The cards of a table, with what the packet met, and pale what is still ahead of it.
pub fn cards(met: &Met, words: &Words) -> Vec<Card> {
    let Met {
        table,
        traversal,
        now,
        ..
    } = *met;
    let visits = visits(traversal);
    let cards = visits.iter().filter_map(|visit| {
        let chain = table.chain(visit.chain)?;
        let current = visit.steps.contains(&now);
        Some(Card {
            title: short_chain(chain.name),
            lines: lines(met, chain, visit, words),
            current,
            reached: visit.steps.first().is_some_and(|first| *first <= now),
            ..Card::default()
        })
    });
    cards.collect()
}

fn lines(met: &Met, chain: ChainView, visit: &Visit, words: &Words) -> Vec<Line> {
    let (traversal, now) = (met.traversal, met.now);
    let count = chain.count();
    let mut outcomes: Vec<Option<Outcome>> = vec![None; count];
    let mut end = None;
    let mut current = None;
    for &at in &visit.steps {
        let step = &traversal.steps[at];
        let reached = at <= now;
        let index = step.index as usize;
        if at == now {
            current = Some(index);
        }
        if step.kind != StepKind::Rule {
            end = Some((step, reached));
        }
        if !reached {
            continue;
        }
        let passed = outcomes
            .iter_mut()
            .take(index)
            .skip(step.passed_from as usize);
        passed.for_each(|outcome| *outcome = Some(Outcome::Failed));
        if step.kind == StepKind::Rule
            && let Some(outcome) = outcomes.get_mut(index)
        {
            *outcome = Some(match step.action {
                StepAction::CannotTell => Outcome::CannotTell,
                _ => Outcome::Held,
            });
        }
    }
    let mut lines = Vec::new();
    let shown = shown(traversal, visit, count);
    let mut last = None;
    for at in shown {
        let skipped = at - last.map_or(0, |last| last + 1);
        if skipped > 0 {
            lines.push(note(words.more_rules(skipped)));
        }
        last = Some(at);
        let span = chain.span(at);
        let text = span.map(|span| rule_text(met, chain, span, outcomes[at]));
        let text = text.unwrap_or_default();
        let (asks, target) = text.split_at(text.find('→').unwrap_or(text.len()));
        lines.push(Line {
            text: format!("{} {asks}", at + 1).trim_end().to_string(),
            target: target.to_string(),
            outcome: outcomes[at],
            current: current == Some(at),
            note: false,
            span,
        });
    }
    let rest = count - last.map_or(0, |last| last + 1).min(count);
    if rest > 0 {
        lines.push(note(words.more_rules(rest)));
    }
    if let Some((step, reached)) = end {
        lines.push(Line {
            text: match chain.policy {
                Some(policy) => words.policy(policy_name(policy)),
                None => words.end_of_chain.to_string(),
            },
            outcome: reached.then_some(Outcome::Held),
            current: current == Some(step.index as usize),
            ..Line::default()
        });
    }
    lines
}

/// A rule on a card: of one that was passed over, only what it wanted and did not get.
fn rule_text(met: &Met, chain: ChainView, rule: Span, outcome: Option<Outcome>) -> String {
    let failed = met.failed.get(&rule);
    match failed.filter(|_| outcome == Some(Outcome::Failed)) {
        Some(criterion) => shorten(criterion),
        None => short_rule(met.run, rule, chain.name),
    }
}

/// Which rules of a chain a card shows: those that the packet met, and those around them while there is room.
fn shown(traversal: &Traversal, visit: &Visit, count: usize) -> Vec<usize> {
    if count <= MOST_LINES {
        return (0..count).collect();
    }
    let mut shown: Vec<usize> = Vec::new();
    let steps = visit.steps.iter().map(|at| &traversal.steps[*at]);
    let met: Vec<usize> = steps.map(|s| s.index as usize).collect();
    for distance in 0..MOST_LINES {
        for &at in &met {
            for near in [at.checked_sub(distance), at.checked_add(distance)] {
                if let Some(near) = near.filter(|n| *n < count)
                    && shown.len() < MOST_LINES
                    && !shown.contains(&near)
                {
                    shown.push(near);
                }
            }
        }
    }
    shown.sort_unstable();
    shown
}

fn note(text: String) -> Line {
    Line {
        text,
        note: true,
        ..Line::default()
    }
}

/// A built-in chain of a hook as it stands, for a viewer who looks where the packet is not.
pub fn standing(run: &Run, table: TableView, chain: ChainView, words: &Words) -> Card {
    let count = chain.count();
    let rules = (0..count.min(MOST_LINES)).filter_map(|at| Some((at, chain.span(at)?)));
    let mut lines: Vec<Line> = rules
        .map(|(at, span)| Line {
            text: format!("{} {}", at + 1, short_rule(run, span, chain.name)),
            span: Some(span),
            ..Line::default()
        })
        .collect();
    if count > MOST_LINES {
        lines.push(note(words.more_rules(count - MOST_LINES)));
    }
    if let Some(policy) = chain.policy {
        lines.push(note(words.policy(policy_name(policy))));
    }
    Card {
        title: format!("{} · {}", table.name(), chain.name),
        lines,
        ..Card::default()
    }
}

pub fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::Accept => "ACCEPT",
        Policy::Drop => "DROP",
    }
}

/// A rule on a card: its chain is the card's title, its match modules name themselves.
pub fn short_rule(run: &Run, rule: Span, chain: &str) -> String {
    short(written(run, rule), chain)
}

fn short(line: &str, chain: &str) -> String {
    let line = brief(line);
    let line = line
        .strip_prefix("-A ")
        .and_then(|rest| rest.strip_prefix(chain))
        .unwrap_or(&line);
    shorten(line)
}

/// A rule or a part of one in few words, as far as its reader needs no more.
fn shorten(line: &str) -> String {
    // A port says that there is a protocol with ports.
    let ports = line.contains("port ");
    let mut out = String::new();
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        let word = match word {
            "-m" => {
                words.next();
                continue;
            }
            "-p" if ports => {
                words.next();
                continue;
            }
            // What nft counts on the way.
            "counter" => {
                let rest = words.clone();
                let mut next = || words.next();
                if next() == Some("packets") {
                    words.nth(2);
                } else {
                    words = rest;
                }
                continue;
            }
            "comment" => {
                // A quoted text, which may have blanks in it.
                let mut quoted = words.next().unwrap_or("");
                while !quoted.ends_with('"') {
                    let Some(more) = words.next() else { break };
                    quoted = more;
                }
                continue;
            }
            "-j" | "-g" | "jump" | "goto" => "→".to_string(),
            "dnat" | "snat" | "masquerade" | "redirect" | "vmap" | "accept" | "drop" | "reject" => {
                format!("→ {word}")
            }
            "--to-destination" | "--to-source" => continue,
            word => short_chain(word.trim_start_matches("--").trim_end_matches("/32")),
        };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word);
    }
    out
}

/// kube-proxy's chains end in a hash of 16 letters, of which the first few tell them apart.
fn short_chain(word: &str) -> String {
    match word.rsplit_once('-') {
        Some((kind, hash)) if kind.starts_with("KUBE-") && hash.len() == 16 && hash.is_ascii() => {
            format!("{kind}-{}…", &hash[..4])
        }
        _ => word.to_string(),
    }
}

/// The table that a rule step was made in.
pub fn table_of<'a>(host: &'a Host, rule: &RuleStep) -> Option<TableView<'a>> {
    TableView::of(host, rule.table())
}

/// The rule step at hand, with its table.
pub fn at_hand<'a>(state: &'a State, moment: &Moment) -> Option<(&'a RuleStep, TableView<'a>)> {
    let step = step_at(&state.run.trace, moment.position)?;
    let Action::Rule(rule) = &step.action else {
        return None;
    };
    let host = state.run.world.host(moment.place.host)?;
    Some((rule, table_of(host, rule)?))
}

/// A rule that acted, by its chain and what it does with the packet: `KUBE-SEP-EW7Y… 2 → DNAT 172.20.1.157:80`.
pub fn title(state: &State, moment: &Moment) -> Option<String> {
    let (rule, table) = at_hand(state, moment)?;
    let step = rule.step().filter(|s| s.kind == StepKind::Rule)?;
    let chain = table.chain(step.chain)?;
    let text = short_rule(&state.run, chain.span(step.index as usize)?, chain.name);
    let (_, action) = text.split_once("→ ")?;
    let chain = short_chain(chain.name);
    Some(format!("{chain} {} → {action}", step.index + 1))
}

/// Table, chain and rule of the step at hand.
pub fn place(state: &State, moment: &Moment, words: &Words) -> Vec<String> {
    let Some((rule, table)) = at_hand(state, moment) else {
        return Vec::new();
    };
    let Some((step, chain)) = rule.step().and_then(|s| Some((s, table.chain(s.chain)?))) else {
        return Vec::new();
    };
    let at = match step.kind {
        StepKind::Rule => words.rule_number(step.index as usize + 1),
        StepKind::Policy => chain
            .policy
            .map(|p| words.policy(policy_name(p)))
            .unwrap_or_default(),
        StepKind::Return => words.end_of_chain.to_string(),
    };
    vec![table.name(), chain.name.to_string(), at]
}
