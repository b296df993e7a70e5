//! What is known when a rule's last word is read.

use super::own::bit;
use super::rule::{Action, Arg, Command, Jump, Run};
use crate::net::{IpFamily, Masked};
use crate::netfilter::syntax::{Fault, fault, values};
use crate::netfilter::{Match, Not, TableName, Target};
use crate::say;
use crate::text::{Diagnostic, Span};

impl<'w> Run<'_, 'w> {
    pub(super) fn finish(mut self) -> Result<Command<'w>, Fault> {
        if self.table == TableName::Nat {
            let drop = self.jump.filter(|j| j.text == "DROP");
            if let Some(word) = drop.or(self.second.filter(|p| p.text == "DROP")) {
                return Err(fault(word.span, say!("iptables/no-drop-in-nat")));
            }
        }
        let matches = self.finish_matches()?;
        let jump = self.finish_target()?;
        let Some(action) = self.action else {
            return Err(fault(self.whole, say!("iptables/no-command")));
        };
        if let Some(not) = self.not {
            return Err(fault(not, say!("iptables/not-of-nothing")));
        }
        let (sources, destinations) = self.addresses()?;
        if matches!(action, Action::Replace(_)) && sources.len().max(destinations.len()) > 1 {
            return Err(fault(self.whole, say!("iptables/replace-with-several")));
        }
        self.options_fit(action)?;
        if let Some(chain) = self.chain
            && chain.text.len() > 28
        {
            return Err(fault(
                chain.span,
                say!("iptables/long-chain-name", name = chain.text),
            ));
        }
        self.interfaces_fit(action)?;
        Ok(Command {
            action,
            chain: self.chain,
            second: self.second,
            header: self.header,
            matches,
            jump,
            counters: self.counters,
            sources,
            destinations,
        })
    }

    fn finish_matches(&mut self) -> Result<Vec<Match>, Fault> {
        let mut matches = Vec::with_capacity(self.parser.matches.len());
        for (mut loaded, syntax) in self.parser.matches.drain(..).zip(&self.parser.syntaxes) {
            (syntax.finish)(&mut loaded.value, loaded.given, loaded.span)?;
            syntax.check(loaded.given, loaded.span)?;
            if let Match::Unsupported(kept) = &mut loaded.value {
                kept.span = loaded.span;
                let what = say!("iptables/match-not-modelled", name = kept.name);
                self.notes.push(Diagnostic::warning(loaded.span, what));
            }
            matches.push(loaded.value);
        }
        Ok(matches)
    }

    fn finish_target(&mut self) -> Result<Jump<'w>, Fault> {
        if let Some(mut target) = self.target.take() {
            (target.syntax.finish)(&mut target.value, target.given, target.span)?;
            target.syntax.check(target.given, target.span)?;
            if let Target::Unsupported(kept) = &mut target.value {
                kept.span = target.span;
                let what = say!("iptables/target-not-modelled", name = kept.name);
                self.notes.push(Diagnostic::warning(target.span, what));
            }
            return Ok(Jump::Target(target.value));
        }
        Ok(match self.jump {
            None => Jump::Target(Target::None),
            Some(name) if self.goto => Jump::Goto(name, self.jump_chain),
            Some(name) => match name.text {
                "ACCEPT" => Jump::Target(Target::Accept),
                "DROP" => Jump::Target(Target::Drop),
                "RETURN" => Jump::Target(Target::Return),
                _ => Jump::Chain(name, self.jump_chain),
            },
        })
    }

    /// Reads `-s` and `-d`: one address each goes to the header, more are given back.
    fn addresses(&mut self) -> Result<(Vec<Masked>, Vec<Masked>), Fault> {
        fn side(
            family: IpFamily,
            arg: Option<Arg>,
            header: &mut Option<Not<Masked>>,
        ) -> Result<Vec<Masked>, Fault> {
            let inverted = header.is_some_and(|h| h.inverted);
            let Some(arg) = arg else {
                return Ok(Vec::new());
            };
            let mut all = Vec::new();
            let mut one = None;
            let span = |text: &str| part_of(arg, text).span;
            values::addresses(family, arg.text, span, |masked| {
                match (&one, all.is_empty()) {
                    (None, _) => one = Some(masked),
                    (Some(first), true) => all.extend([*first, masked]),
                    (Some(_), false) => all.push(masked),
                }
            })?;
            *header = one.and_then(|value| asked(value, inverted));
            Ok(all)
        }
        let family = self.parser.family;
        let inverted = [&self.header.src, &self.header.dst]
            .iter()
            .any(|h| h.is_some_and(|h| h.inverted));
        let sources = side(family, self.source, &mut self.header.src)?;
        let destinations = side(family, self.destination, &mut self.header.dst)?;
        if inverted && (!sources.is_empty() || !destinations.is_empty()) {
            return Err(fault(self.whole, say!("iptables/not-with-several")));
        }
        Ok((sources, destinations))
    }

    /// Options that are illegal with a command (`generic_opt_check`).
    fn options_fit(&self, action: Action) -> Result<(), Fault> {
        let rule = b"sdpjiocf";
        let illegal: &[u8] = match action {
            Action::Append | Action::Insert(_) | Action::Replace(_) => b"nx0",
            Action::Delete | Action::Check => b"nx0c",
            Action::List => rule,
            Action::Policy => b"sdpjiofnx0",
            _ => b"sdpjiocfnx0",
        };
        match illegal.iter().find(|l| self.seen & bit(**l) != 0) {
            Some(letter) => {
                let option = match letter {
                    b'0' => "--line-numbers".to_string(),
                    letter => format!("-{}", *letter as char),
                };
                Err(fault(
                    self.whole,
                    say!("iptables/option-not-here", option = option),
                ))
            }
            None => Ok(()),
        }
    }

    /// A built-in chain that packets enter by has no way out yet, and the other way round.
    fn interfaces_fit(&self, action: Action) -> Result<(), Fault> {
        let Some(chain) = self.chain.filter(|_| {
            matches!(
                action,
                Action::Append
                    | Action::Insert(_)
                    | Action::Replace(_)
                    | Action::Delete
                    | Action::DeleteNumber(_)
                    | Action::Check
            )
        }) else {
            return Ok(());
        };
        let letter = match chain.text {
            "PREROUTING" | "INPUT" => b'o',
            "POSTROUTING" | "OUTPUT" => b'i',
            _ => return Ok(()),
        };
        if self.seen & bit(letter) == 0 {
            return Ok(());
        }
        Err(fault(
            self.whole,
            say!(
                "iptables/interface-in-chain",
                option = format!("-{}", letter as char),
                chain = chain.text
            ),
        ))
    }
}

/// A slice of a value; the whole where quotes stand in the way.
fn part_of<'w>(arg: Arg<'w>, text: &'w str) -> Arg<'w> {
    let at = (text.as_ptr() as usize).wrapping_sub(arg.text.as_ptr() as usize);
    let plain = arg.text.len() == (arg.span.end - arg.span.start) as usize;
    if !plain || at > arg.text.len() {
        return Arg { text, ..arg };
    }
    let start = arg.span.start as usize + at;
    Arg {
        text,
        span: Span::new(arg.span.file, start, start + text.len()),
    }
}

/// Any address at all is no question, unless it is turned around.
pub(super) fn asked(value: Masked, inverted: bool) -> Option<Not<Masked>> {
    (inverted || value.length() != Some(0)).then_some(Not { inverted, value })
}
