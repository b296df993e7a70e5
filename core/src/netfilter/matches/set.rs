use serde::Serialize;

use super::probe::{Answer, Asked, Probe};
use super::{SetMatch, Unsupported};
use crate::netfilter::ipset::{Question, Wanted};
use crate::netfilter::state::State;
use crate::netfilter::{Context, syntax};
use crate::say;
use crate::text::Span;

/// What an ipset says about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum SetAnswer {
    In,
    NotIn,
    /// There is no such set, or its kind is not modelled.
    CannotTell,
}

impl SetMatch {
    /// Kernel `net/netfilter/xt_set.c`.
    pub(super) fn test(&self, ctx: &Context, span: Span, probe: &mut impl Probe) -> bool {
        // Other packets may change the set before someone asks why.
        probe.ask_once_if_told(
            |state| match self.answer(ctx, state) {
                SetAnswer::In => Answer::from(!self.inverted),
                SetAnswer::NotIn => Answer::from(self.inverted),
                SetAnswer::CannotTell => Answer::CannotTell,
            },
            |held| {
                let has = if held != self.inverted {
                    say!("value/in-set")
                } else {
                    say!("value/not-in-set")
                };
                let field = say!("field/set", set = self.set);
                Asked::said(self.to_string(), field, has, &self.set, self.inverted)
            },
            || Unsupported {
                name: "set".into(),
                text: self.to_string().into(),
                span,
            },
        )
    }

    fn answer(&self, ctx: &Context, state: &mut State) -> SetAnswer {
        let wanted = Wanted {
            nomatch: self.nomatch,
            no_update: self.no_update,
            no_subupdate: self.no_subupdate,
            packets: self.packets,
            bytes: self.bytes,
        };
        let asked = Question::of(&self.directions, ctx);
        state.ask_set(ctx, &self.set, &asked, &wanted).answer
    }
}

/// As iptables-save prints it.
impl std::fmt::Display for SetMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        syntax::set::write(self, "--", &mut text);
        f.write_str(text.trim_start())
    }
}
