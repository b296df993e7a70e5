//! iptables' own options: `-s`, `-j`, `-A` and the like.

use super::rule::{Action, Arg, LoadedTarget, Run, whole};
use crate::net::{IpFamily, Masked};
use crate::netfilter::syntax::{self, Fault, fault, names, values};
use crate::netfilter::{Counters, Not};
use crate::say;
use crate::text::{Diagnostic, Span};

impl<'w> Run<'_, 'w> {
    /// One of iptables' own options; false where the line is not for this family.
    pub(super) fn own(
        &mut self,
        letter: u8,
        arg: Option<Arg<'w>>,
        span: Span,
    ) -> Result<bool, Fault> {
        let not = self.not.take();
        let Some(arg) = arg else {
            return self.own_flag(letter, not, span);
        };
        match letter {
            b's' | b'd' | b'p' | b'i' | b'o' => self.once(letter, span)?,
            b'j' | b'g' => self.once(b'j', span)?,
            b'c' => self.once(letter, span)?,
            _ => {}
        }
        if let Some(not) = not
            && !matches!(letter, b's' | b'd' | b'p' | b'i' | b'o')
        {
            return Err(no_not(not, letter));
        }
        let inverted = not.is_some();
        match letter {
            b's' => {
                self.source = Some(arg);
                self.header.src = not_zero(self.parser.family, inverted);
            }
            b'd' => {
                self.destination = Some(arg);
                self.header.dst = not_zero(self.parser.family, inverted);
            }
            b'p' => {
                let protocol = values::protocol(arg.text, arg.span)?;
                if protocol.0 == 0 && inverted {
                    return Err(fault(arg.span, say!("iptables/never-protocol")));
                }
                self.protocol = Some(arg);
                self.header.protocol = (protocol.0 != 0).then_some(Not {
                    inverted,
                    value: protocol,
                });
            }
            b'i' | b'o' => {
                if arg.text.is_empty() {
                    return Err(fault(arg.span, say!("iptables/empty-interface")));
                }
                let value = values::interface(arg.text, arg.span)?;
                // No interface has such a name, and still the rule is taken (`xtables_parse_interface`).
                if arg.text.contains(['/', ' ']) {
                    let odd = say!("iptables/odd-interface", name = arg.text);
                    self.notes.push(Diagnostic::warning(arg.span, odd));
                }
                let all = value.name.is_empty() && !inverted;
                let side = match letter {
                    b'i' => &mut self.header.in_iface,
                    _ => &mut self.header.out_iface,
                };
                *side = (!all).then_some(Not { inverted, value });
            }
            b'm' => {
                let Some(syntax) = syntax::match_named(self.parser.family, arg.text) else {
                    return Err(unknown_match(self.parser.family, arg));
                };
                self.load(syntax, arg.span);
            }
            b'j' => self.jump(arg)?,
            b'g' => {
                target_name(arg)?;
                self.jump = Some(arg);
                self.jump_chain = (self.chain_named)(arg.text);
                self.goto = true;
            }
            b'c' => self.counters(arg)?,
            b'M' => {}
            b't' => return Err(fault(span, say!("iptables/table-option"))),
            _ => self.command(letter, Some(arg), span)?,
        }
        Ok(true)
    }

    fn own_flag(&mut self, letter: u8, not: Option<Span>, span: Span) -> Result<bool, Fault> {
        let family = self.parser.family;
        match letter {
            b'6' if family == IpFamily::V4 => return Ok(false),
            b'4' if family == IpFamily::V6 => return Ok(false),
            b'4' | b'6' | b'v' => {}
            b'f' if family == IpFamily::V6 => {
                return Err(fault(span, say!("iptables/no-fragments-of-ipv6")));
            }
            b'f' => {
                self.once(letter, span)?;
                self.header.fragment = Some(Not {
                    inverted: not.is_some(),
                    value: (),
                });
                return Ok(true);
            }
            b'n' | b'x' | b'0' => self.once(letter, span)?,
            b'w' | b'W' | b'h' | b'V' => {
                return Err(fault(span, say!("iptables/not-in-a-file")));
            }
            _ => {
                if let Some(not) = not {
                    return Err(no_not(not, letter));
                }
                self.command(letter, None, span)?;
            }
        }
        match not {
            Some(not) => Err(no_not(not, letter)),
            None => Ok(true),
        }
    }

    fn once(&mut self, letter: u8, span: Span) -> Result<(), Fault> {
        let bit = bit(letter);
        if self.seen & bit != 0 {
            return Err(fault(
                span,
                say!("iptables/once", option = format!("-{}", letter as char)),
            ));
        }
        self.seen |= bit;
        Ok(())
    }

    /// A command: `-A chain` and the like.
    fn command(&mut self, letter: u8, arg: Option<Arg<'w>>, span: Span) -> Result<(), Fault> {
        if self.action.is_some() {
            return Err(fault(span, say!("iptables/two-commands")));
        }
        let chain = arg.or_else(|| match letter {
            // These may have their chain in the next word.
            b'L' | b'S' | b'F' | b'Z' | b'X' => self.next_plain(),
            _ => None,
        });
        self.chain = chain;
        self.action = Some(match letter {
            b'A' => Action::Append,
            b'C' => Action::Check,
            b'D' => match self.next_plain() {
                Some(number) => Action::DeleteNumber(rule_number(number)?),
                None => Action::Delete,
            },
            b'R' => match self.next_plain() {
                Some(number) => Action::Replace(rule_number(number)?),
                None => return Err(fault(span, say!("iptables/needs-rule-number"))),
            },
            b'I' => Action::Insert(match self.next_plain() {
                Some(number) => rule_number(number)?,
                None => 1,
            }),
            b'L' | b'S' | b'Z' => match self.next_plain() {
                Some(number) if letter == b'Z' => Action::ZeroNumber(rule_number(number)?),
                Some(number) => rule_number(number).map(|_| Action::List)?,
                None if letter == b'Z' => Action::Zero,
                None => Action::List,
            },
            b'F' => Action::Flush,
            b'N' => {
                if let Some(name) = chain {
                    new_chain_name(self.parser.family, name)?;
                }
                Action::NewChain
            }
            b'X' => Action::DeleteChain,
            b'E' | b'P' => {
                self.second = self.next_plain();
                if self.second.is_none() {
                    return Err(fault(
                        span,
                        say!(
                            "iptables/needs-two-values",
                            option = format!("-{}", letter as char)
                        ),
                    ));
                }
                if letter == b'E' {
                    Action::RenameChain
                } else {
                    Action::Policy
                }
            }
            _ => {
                return Err(fault(
                    span,
                    say!(
                        "iptables/unknown-option",
                        option = format!("-{}", letter as char)
                    ),
                ));
            }
        });
        Ok(())
    }

    /// The next word, unless it is an option or an exclamation mark (`xs_has_arg`).
    fn next_plain(&mut self) -> Option<Arg<'w>> {
        let word = self.words.get(self.next)?;
        if word.text.starts_with(['-', '!']) {
            return None;
        }
        self.next += 1;
        Some(whole(word))
    }

    fn jump(&mut self, arg: Arg<'w>) -> Result<(), Fault> {
        target_name(arg)?;
        self.jump = Some(arg);
        self.jump_chain = (self.chain_named)(arg.text);
        if self.jump_chain.is_some() {
            return Ok(());
        }
        if let Some(syntax) = syntax::target_named(self.parser.family, arg.text) {
            self.target = Some(LoadedTarget {
                syntax,
                value: (syntax.start)(self.parser.family, syntax),
                given: 0,
                span: arg.span,
                at: self.parser.matches.len(),
            });
        }
        Ok(())
    }

    /// `-c PACKETS BYTES` or `-c PACKETS,BYTES`.
    fn counters(&mut self, arg: Arg<'w>) -> Result<(), Fault> {
        let (packets, bytes) = match arg.text.split_once(',') {
            Some((packets, bytes)) => (packets, Some(bytes)),
            None => (arg.text, self.next_plain().map(|a| a.text)),
        };
        // As `sscanf("%llu")`: what follows the digits is not looked at.
        let read = |text: &str| {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            text.get(..digits)?.parse::<u64>().ok()
        };
        match (read(packets), bytes.and_then(read)) {
            (Some(packets), Some(bytes)) => {
                self.counters = Some(Counters { packets, bytes });
                Ok(())
            }
            _ => Err(fault(arg.span, say!("iptables/bad-counters"))),
        }
    }
}

/// These options look for their value in the word before the next (`argv[optind - 1]`), which is the option itself where
/// the value is attached to it: `-ptcp` asks for the protocol `-ptcp`.
pub(super) fn takes_whole_word(letter: u8) -> bool {
    matches!(letter, b's' | b'd' | b'p' | b'j' | b'i' | b'o')
}

/// The bit of an option that may stand once.
pub(super) fn bit(letter: u8) -> u32 {
    match letter {
        b's' => 1,
        b'd' => 1 << 1,
        b'p' => 1 << 2,
        b'j' => 1 << 3,
        b'i' => 1 << 4,
        b'o' => 1 << 5,
        b'c' => 1 << 6,
        b'f' => 1 << 7,
        b'n' => 1 << 8,
        b'x' => 1 << 9,
        b'0' => 1 << 10,
        _ => 0,
    }
}

/// Keeps whether an address is turned around until it is read.
fn not_zero(family: IpFamily, inverted: bool) -> Option<Not<Masked>> {
    let any = Masked::host(family.unspecified());
    inverted.then_some(Not {
        inverted,
        value: any,
    })
}

fn no_not(not: Span, letter: u8) -> Fault {
    let option = format!("-{}", letter as char);
    fault(not, say!("iptables/no-not", option = option))
}

fn unknown_match(family: IpFamily, arg: Arg) -> Fault {
    let mut bad = fault(arg.span, say!("iptables/unknown-match", name = arg.text));
    let all = syntax::matches(family).map(|s| s.name);
    bad.help = names::nearest(arg.text, all);
    bad
}

fn target_name(arg: Arg) -> Result<(), Fault> {
    if arg.text.is_empty() {
        return Err(fault(arg.span, say!("iptables/empty-target")));
    }
    if arg.text.len() > 28 {
        return Err(fault(
            arg.span,
            say!("iptables/long-chain-name", name = arg.text),
        ));
    }
    if arg.text.bytes().any(|b| b.is_ascii_whitespace()) {
        return Err(fault(
            arg.span,
            say!("iptables/blank-in-name", name = arg.text),
        ));
    }
    Ok(())
}

/// `-N` is stricter than `:` (`assert_valid_chain_name`).
fn new_chain_name(family: IpFamily, arg: Arg) -> Result<(), Fault> {
    if arg.text.len() > 28 {
        return Err(fault(
            arg.span,
            say!("iptables/long-chain-name", name = arg.text),
        ));
    }
    if arg.text.starts_with(['-', '!']) {
        return Err(fault(
            arg.span,
            say!("iptables/chain-name-start", name = arg.text),
        ));
    }
    let standard = matches!(arg.text, "" | "ACCEPT" | "DROP" | "RETURN");
    if standard || syntax::target_named(family, arg.text).is_some() {
        return Err(fault(
            arg.span,
            say!("iptables/chain-named-as-target", name = arg.text),
        ));
    }
    if arg.text.contains(|c: char| c.is_ascii_whitespace()) {
        return Err(fault(
            arg.span,
            say!("iptables/blank-in-name", name = arg.text),
        ));
    }
    Ok(())
}

fn rule_number(arg: Arg) -> Result<u32, Fault> {
    values::number(arg.text, 1, i32::MAX as u64)
        .map(|n| n as u32)
        .ok_or_else(|| fault(arg.span, say!("iptables/bad-rule-number", value = arg.text)))
}
