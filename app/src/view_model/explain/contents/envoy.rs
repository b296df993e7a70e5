//! Envoy's drawer: its decisions about a request side by side, each with what it considered.

use std::sync::Arc;

use northsouth::net::Chance;
use northsouth::text::Outcome;
use northsouth::trace::{Action, Considered, Proxied, Stage, considered};

use super::MOST_LINES;
use crate::i18n::Words;
use crate::state::State;
use crate::view_model::drawer::{Card, Drawer, Line};
use crate::view_model::walk::{Moment, step as step_at};

/// The turn of Envoy's that the step at hand belongs to.
pub fn envoy(state: &State, moment: &Moment, words: &Words) -> Option<Drawer> {
    let now = proxied(state, moment)?;
    let moments = state.walk.moments.iter().enumerate();
    let turn = moments.filter_map(|(at, m)| {
        let said = proxied(state, m)?;
        Arc::ptr_eq(&said.account, &now.account).then_some((said.stage, at))
    });
    let turn: Vec<(Stage, usize)> = turn.collect();
    let cards = Stage::ALL.into_iter().filter_map(|stage| {
        let step = turn.iter().find(|(s, _)| *s == stage).map(|(_, at)| *at);
        // A request comes on a connection that was taken before.
        let before = stage <= Stage::FilterChain && now.account.listener.is_some();
        if step.is_none() && !before {
            return None;
        }
        let reached = step.is_none_or(|at| at <= state.cursor);
        if state.predict && !reached {
            return None;
        }
        let current = step == Some(state.cursor);
        let said = Proxied {
            stage,
            account: now.account.clone(),
        };
        let all = considered(&state.run.world, moment.place.host, &said);
        Some(Card {
            title: words.stage(stage).to_string(),
            lines: lines(&all, stage, reached, current, words),
            current,
            reached,
            ..Card::default()
        })
    });
    let cards: Vec<Card> = cards.filter(|c| !c.lines.is_empty()).collect();
    let of = now.account.request.as_ref();
    let asked = of.map(|r| format!("{} {}{}", r.method, r.authority, r.path));
    Some(Drawer {
        title: words.envoy_turn(&asked.unwrap_or_default()),
        cards,
        ..Drawer::default()
    })
}

fn proxied<'a>(state: &'a State, moment: &Moment) -> Option<&'a Proxied> {
    match &step_at(&state.run.trace, moment.position)?.action {
        Action::Proxied(said) => Some(said),
        _ => None,
    }
}

/// The candidates around the one that was chosen.
fn lines(all: &[Considered], stage: Stage, reached: bool, now: bool, words: &Words) -> Vec<Line> {
    let chosen = all.iter().position(|c| c.outcome == Outcome::Held);
    let from = chosen.unwrap_or(0).saturating_sub(MOST_LINES / 2);
    let from = from.min(all.len().saturating_sub(MOST_LINES));
    let mut lines = Vec::new();
    if from > 0 {
        lines.push(super::more(words, from));
    }
    for candidate in all.iter().skip(from).take(MOST_LINES) {
        let share = candidate.share.filter(|(share, of)| share < of);
        let share = share.map(|(share, of)| format!(" {}", Chance::new(share, of).told()));
        lines.push(Line {
            text: format!(
                "{}{}",
                short(&candidate.name, stage),
                share.unwrap_or_default()
            ),
            outcome: reached.then_some(candidate.outcome),
            current: now && candidate.outcome == Outcome::Held,
            span: candidate.span,
            ..Line::default()
        });
    }
    let rest = all.len().saturating_sub(from + MOST_LINES);
    if rest > 0 {
        lines.push(super::more(words, rest));
    }
    lines
}

/// A cluster of Istio's by what differs: `outbound|8080|v1|app.default.svc.cluster.local` without the domain of them all.
fn short(name: &str, stage: Stage) -> String {
    match stage {
        Stage::Cluster => name.replace(".svc.cluster.local", ""),
        _ => name.to_string(),
    }
}
