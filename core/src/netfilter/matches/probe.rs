//! How criteria are asked: the same code decides about a packet ([`Tester`]) and says why afterwards ([`Explainer`]).

use super::Unsupported;
use crate::netfilter::state::{Criterion, State};
use crate::netfilter::walk::{CannotTell, Remembered};
use crate::say;
use crate::text::{Arg, Outcome, Reason, Say, Span};

/// Is asked one criterion after the other; `false` ends a rule.
pub(in crate::netfilter) trait Probe {
    /// A criterion that packet and host answer.
    fn ask(&mut self, held: bool, asked: impl FnOnce() -> Asked) -> bool;

    /// A criterion whose answer moves the rule's memory on or takes a chance: asked once, remembered afterwards.
    fn ask_once(
        &mut self,
        held: impl FnOnce(&mut State, Criterion) -> bool,
        asked: impl FnOnce(bool) -> Asked,
    ) -> bool;

    /// The same of a criterion that may turn out not to be told.
    fn ask_once_if_told(
        &mut self,
        answer: impl FnOnce(&mut State) -> Answer,
        asked: impl FnOnce(bool) -> Asked,
        unsupported: impl FnOnce() -> Unsupported,
    ) -> bool;

    /// A criterion that can't be told.
    fn cannot_tell(&mut self, unsupported: &Unsupported) -> bool;

    /// The match that is asked next, by its position in the rule.
    fn at_match(&mut self, index: u16);

    /// The match gave the packet this mark.
    fn set_mark(&mut self, mark: u32);
}

/// What is remembered of a criterion that is asked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::netfilter) enum Answer {
    Failed,
    Held,
    CannotTell,
}

impl From<bool> for Answer {
    fn from(held: bool) -> Self {
        match held {
            true => Answer::Held,
            false => Answer::Failed,
        }
    }
}

/// A criterion in words.
pub(in crate::netfilter) struct Asked {
    /// As iptables-save prints it, `!` included.
    pub text: String,
    pub field: Say,
    pub has: Arg,
    pub wanted: String,
    pub inverted: bool,
}

/// Decides.
pub(in crate::netfilter) struct Tester<'a> {
    pub state: &'a mut State,
    pub remembered: &'a mut Vec<Remembered>,
    pub step: u32,
    pub at: Criterion,
    pub mark: Option<u32>,
    pub unknown: Option<CannotTell>,
}

impl Probe for Tester<'_> {
    fn ask(&mut self, held: bool, _: impl FnOnce() -> Asked) -> bool {
        held
    }

    fn ask_once(
        &mut self,
        held: impl FnOnce(&mut State, Criterion) -> bool,
        _: impl FnOnce(bool) -> Asked,
    ) -> bool {
        let held = held(self.state, self.at);
        self.remember(held.into());
        held
    }

    fn ask_once_if_told(
        &mut self,
        answer: impl FnOnce(&mut State) -> Answer,
        _: impl FnOnce(bool) -> Asked,
        unsupported: impl FnOnce() -> Unsupported,
    ) -> bool {
        let answer = answer(self.state);
        self.remember(answer);
        match answer {
            Answer::CannotTell => self.cannot_tell(&unsupported()),
            told => told == Answer::Held,
        }
    }

    fn cannot_tell(&mut self, unsupported: &Unsupported) -> bool {
        self.unknown = Some(CannotTell {
            text: unsupported.text.clone(),
            span: unsupported.span,
        });
        false
    }

    fn at_match(&mut self, index: u16) {
        self.at.index = index;
    }

    fn set_mark(&mut self, mark: u32) {
        self.mark = Some(mark);
    }
}

impl Tester<'_> {
    fn remember(&mut self, answer: Answer) {
        self.remembered.push(Remembered {
            step: self.step,
            rule: self.at.rule.index,
            index: self.at.index,
            value: answer as u32,
        });
    }
}

/// Says why: every criterion of a rule, those after the first that failed as not tried.
pub(in crate::netfilter) struct Explainer<'a> {
    remembered: &'a [Remembered],
    step: u32,
    rule: u32,
    index: u16,
    span: Span,
    decided: bool,
    pub reasons: Vec<Reason>,
}

impl<'a> Explainer<'a> {
    pub fn new(rule: u32, span: Span, remembered: &'a [Remembered], step: u32) -> Self {
        Self {
            remembered,
            step,
            rule,
            index: 0,
            span,
            decided: false,
            reasons: Vec::new(),
        }
    }

    /// What was remembered of the criterion at hand.
    fn remembered(&self) -> Option<u32> {
        let same =
            |r: &&Remembered| r.step == self.step && r.rule == self.rule && r.index == self.index;
        self.remembered.iter().find(same).map(|r| r.value)
    }

    fn add(&mut self, outcome: Outcome, text: String, say: Say) {
        let outcome = if self.decided {
            Outcome::NotTried
        } else {
            outcome
        };
        self.decided |= outcome != Outcome::Held;
        self.reasons.push(Reason {
            outcome,
            text,
            say,
            span: Some(self.span),
            children: Vec::new(),
        });
    }

    fn answer(&mut self, held: bool, asked: Asked) {
        let Asked {
            text,
            field,
            has,
            wanted,
            inverted,
        } = asked;
        if self.decided {
            return self.add(Outcome::NotTried, text, say!("why/not-tried"));
        }
        let outcome = if held { Outcome::Held } else { Outcome::Failed };
        let say = match (has, held, inverted) {
            (Arg::Say(has), true, _) => say!("why/held-said", field => field, has => *has),
            (Arg::Say(has), false, false) => {
                say!("why/failed-said", field => field, has => *has, wanted = wanted)
            }
            (Arg::Say(has), false, true) => {
                say!("why/failed-said-not", field => field, has => *has, wanted = wanted)
            }
            (has, true, _) => say!("why/held", field => field, has => has),
            (has, false, false) => say!("why/failed", field => field, has => has, wanted = wanted),
            (has, false, true) => {
                say!("why/failed-not", field => field, has => has, wanted = wanted)
            }
        };
        self.add(outcome, text, say);
    }
}

impl Probe for Explainer<'_> {
    fn ask(&mut self, held: bool, asked: impl FnOnce() -> Asked) -> bool {
        self.answer(held, asked());
        true
    }

    fn ask_once(
        &mut self,
        _: impl FnOnce(&mut State, Criterion) -> bool,
        asked: impl FnOnce(bool) -> Asked,
    ) -> bool {
        let held = self.remembered() == Some(Answer::Held as u32);
        self.answer(held, asked(held));
        true
    }

    fn ask_once_if_told(
        &mut self,
        _: impl FnOnce(&mut State) -> Answer,
        asked: impl FnOnce(bool) -> Asked,
        unsupported: impl FnOnce() -> Unsupported,
    ) -> bool {
        let value = self.remembered();
        if value == Some(Answer::CannotTell as u32) {
            return self.cannot_tell(&unsupported());
        }
        let held = value == Some(Answer::Held as u32);
        self.answer(held, asked(held));
        true
    }

    fn cannot_tell(&mut self, unsupported: &Unsupported) -> bool {
        let say = say!("why/not-modelled", name = unsupported.name);
        self.add(Outcome::CannotTell, unsupported.text.to_string(), say);
        true
    }

    fn at_match(&mut self, index: u16) {
        self.index = index;
    }

    fn set_mark(&mut self, _: u32) {}
}

impl Asked {
    pub fn new(
        text: String,
        field: Say,
        has: impl ToString,
        wanted: impl ToString,
        inverted: bool,
    ) -> Self {
        Self {
            text,
            field,
            has: Arg::Text(has.to_string()),
            wanted: wanted.to_string(),
            inverted,
        }
    }

    /// With a value that is a sentence of its own.
    pub fn said(text: String, field: Say, has: Say, wanted: impl ToString, inverted: bool) -> Self {
        Self {
            text,
            field,
            has: has.into(),
            wanted: wanted.to_string(),
            inverted,
        }
    }
}
