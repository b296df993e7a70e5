//! Questions, whose right answer the model computes wherever it can.

use crate::topology::World;
use crate::trace::{Detail, Query, StepAt, Trace};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Unlike the others of its page.
    pub name: String,
    /// In the page's language.
    pub ask: String,
    pub answer: Answer,
    /// To choose from; empty: the answer is written.
    pub choices: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the model finds at a step.
    Found { at: Box<Query>, detail: Detail },
    /// Any of these: of what only a reader of a text can tell.
    Given(Vec<String>),
}

impl Question {
    /// The right answers; none where the step is not there or has no such thing.
    pub fn right(&self, world: &World, trace: &Trace) -> Vec<String> {
        match &self.answer {
            Answer::Given(all) => all.clone(),
            Answer::Found { at, detail } => {
                let found = at
                    .find(world, trace)
                    .and_then(|at| detail.of(world, trace, at));
                found.into_iter().collect()
            }
        }
    }

    /// The step that shows the answer.
    pub fn shown(&self, world: &World, trace: &Trace) -> Option<StepAt> {
        match &self.answer {
            Answer::Given(_) => None,
            Answer::Found { at, .. } => at.find(world, trace),
        }
    }
}

/// Whether an answer is as good as the right one: blanks, case, quotes and the spelling of numbers do not matter.
pub fn same_answer(given: &str, right: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_matches(|c: char| c.is_whitespace() || "`'\"。.".contains(c));
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_ascii_lowercase()
    };
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let (given, right) = (plain(given), plain(right));
    !given.is_empty()
        && (given == right || number(&given).is_some() && number(&given) == number(&right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        assert!(same_answer(" kube-sep-X ", "KUBE-SEP-X"));
        assert!(same_answer("0x00004000", "0x4000") && same_answer("16384", "0x4000"));
        assert!(!same_answer("", "") && !same_answer("172.20.1.15", "172.20.1.157"));
    }
}
