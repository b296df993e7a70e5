use serde::Serialize;

use super::probe::{Asked, Probe};
use super::{SetMatch, Unsupported};
use crate::netfilter::ipset::Question;
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
        let sets = probe.sets().unwrap_or(ctx.env.sets());
        let asked = Question::of(&self.directions, ctx);
        let answer = sets.has(&self.set, &asked, self.nomatch);
        if answer == SetAnswer::CannotTell {
            let text = self.to_string().into();
            return probe.cannot_tell(&Unsupported {
                name: "set".into(),
                text,
                span,
            });
        }
        let held = (answer == SetAnswer::In) != self.inverted;
        // Other packets may change the set before someone asks why.
        probe.ask_once(
            |_, _| held,
            |held| {
                let has = if held != self.inverted {
                    say!("value/in-set")
                } else {
                    say!("value/not-in-set")
                };
                let field = say!("field/set", set = self.set);
                Asked::said(self.to_string(), field, has, &self.set, self.inverted)
            },
        )
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
