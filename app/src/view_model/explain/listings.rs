//! The tables that a step was decided by, as the real tools print them.

use northsouth::conntrack::Tuple;
use northsouth::netfilter::RuleId;
use northsouth::text::Span;
use northsouth::topology::Host;
use northsouth::trace::{Action, SwitchOutcome, Tracking};

use super::chains::{TableView, at_hand};
use super::contents::ports;
use super::explanation::{Listing, ListingLine, written};
use super::part_name;
use crate::i18n::Words;
use crate::state::State;
use crate::view_model::walk::{Moment, step as step_at};

/// A listing shows so many rules on each side of the one at work.
const AROUND: usize = 40;

pub fn listings(state: &State, moment: &Moment, words: &Words) -> Vec<Listing> {
    let step = step_at(&state.run.trace, moment.position);
    let host = state.run.world.host(moment.place.host);
    let (Some(step), Some(host)) = (step, host) else {
        return Vec::new();
    };
    let listing = match &step.action {
        Action::Rule(_) => chain(state, moment, words),
        Action::Routed(routing) => {
            let chosen = routing.answer.as_ref().ok().and_then(|f| f.route.span);
            Some(routes(state, host, chosen, words))
        }
        Action::SourceChecked(check) => {
            let chosen = check.back.as_ref().ok().and_then(|f| f.route.span);
            Some(routes(state, host, chosen, words))
        }
        Action::Bridged(switching) => {
            let chosen = match &switching.outcome {
                SwitchOutcome::Port(port) => Some(port),
                _ => None,
            };
            let ports = ports(&state.run.world, moment.place.host, &switching.bridge);
            let lines = ports.into_iter().map(|(port, text)| ListingLine {
                text,
                lit: chosen == Some(&port),
                ..ListingLine::default()
            });
            Some(Listing {
                title: words.bridge_table(switching.bridge.as_str()),
                lines: lines.collect(),
            })
        }
        Action::Tracked(tracking) => tracked(tracking, words),
        _ => None,
    };
    listing
        .into_iter()
        .filter(|l| !l.lines.is_empty())
        .collect()
}

/// The chain of the step at hand, with its counters.
fn chain(state: &State, moment: &Moment, words: &Words) -> Option<Listing> {
    let (rule, table) = at_hand(state, moment)?;
    let step = rule.step()?;
    let chain = table.chain(step.chain)?;
    let now = step.index as usize;
    let count = chain.count();
    let (from, to) = (now.saturating_sub(AROUND), (now + AROUND).min(count));
    let mut lines = Vec::new();
    if from > 0 {
        lines.push(remark(words.more_rules(from)));
    }
    for (at, rule) in (from..to).filter_map(|at| Some((at, chain.span(at)?))) {
        let counted = match table {
            TableView::Iptables(table) => {
                let id = RuleId {
                    family: table.family,
                    table: table.name,
                    chain: step.chain,
                    index: u32::try_from(at).unwrap_or(u32::MAX),
                };
                state.run.counted(moment.place.host, id)
            }
            TableView::Nft(_) => 0,
        };
        lines.push(ListingLine {
            counted,
            text: written(&state.run, rule).to_string(),
            lit: at == now,
            note: false,
            span: Some(rule),
        });
    }
    if to < count {
        lines.push(remark(words.more_rules(count - to)));
    }
    Some(Listing {
        title: words.chain_with_counters(chain.name),
        lines,
    })
}

fn remark(text: String) -> ListingLine {
    ListingLine {
        text,
        note: true,
        ..ListingLine::default()
    }
}

fn routes(state: &State, host: &Host, chosen: Option<Span>, words: &Words) -> Listing {
    let lines = host
        .routes
        .iter()
        .filter_map(|r| r.span)
        .map(|span| ListingLine {
            text: written(&state.run, span).to_string(),
            counted: 0,
            lit: chosen == Some(span),
            note: false,
            span: Some(span),
        });
    Listing {
        title: words.route_table.to_string(),
        lines: lines.collect(),
    }
}

/// The connection's entry, both ways.
fn tracked(tracking: &Tracking, words: &Words) -> Option<Listing> {
    let line = |tuple: &Option<Tuple>| {
        tuple.as_ref().map(|tuple| ListingLine {
            text: tuple.to_string(),
            ..ListingLine::default()
        })
    };
    let lines = [line(&tracking.orig), line(&tracking.reply)];
    let name = part_name(&northsouth::trace::Part::Conntrack, words);
    Some(Listing {
        title: name,
        lines: lines.into_iter().flatten().collect(),
    })
}
