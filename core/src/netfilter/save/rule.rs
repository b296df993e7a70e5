//! One command of `iptables-restore` input, from its words to what it asks for (`iptables/xshared.c`, `do_parse`).

use super::options::{self, Found, Loaded, Takes};
use crate::net::{Masked, Protocol};
use crate::netfilter::matches::Unsupported;
use crate::netfilter::syntax::{
    self, Around, Fault, Given, Syntax, Word, fault, known, names, values,
};
use crate::netfilter::{Counters, Header, Match, Not, TableName, Target};
use crate::say;
use crate::text::{Diagnostic, Span};

/// What a command does to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Append,
    /// Before the rule of that number, from 1.
    Insert(u32),
    Replace(u32),
    Delete,
    DeleteNumber(u32),
    Check,
    NewChain,
    DeleteChain,
    RenameChain,
    Flush,
    Zero,
    ZeroNumber(u32),
    Policy,
    List,
}

/// A value as it was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arg<'w> {
    pub text: &'w str,
    pub span: Span,
}

/// What follows `-j` or `-g`.
pub(super) enum Jump<'w> {
    Target(Target),
    /// A chain, if there is one of that name.
    Chain(Arg<'w>),
    Goto(Arg<'w>),
}

pub(super) struct Command<'w> {
    pub action: Action,
    pub chain: Option<Arg<'w>>,
    /// The policy, or the chain's new name.
    pub second: Option<Arg<'w>>,
    pub header: Header,
    pub matches: Vec<Match>,
    pub jump: Jump<'w>,
    pub counters: Option<Counters>,
    /// The rule is made for each source with each destination; empty for those of the header alone.
    pub sources: Vec<Masked>,
    pub destinations: Vec<Masked>,
}

struct LoadedMatch {
    value: Match,
    given: u32,
    span: Span,
    /// Another of the same name stands behind it, which takes all options from there on.
    done: bool,
}

struct LoadedTarget {
    syntax: &'static Syntax<Target>,
    value: Target,
    given: u32,
    span: Span,
    /// How many matches were there before it.
    at: usize,
}

/// Reads commands one after another; keeps its room between them.
#[derive(Default)]
pub(super) struct Parser {
    matches: Vec<LoadedMatch>,
    syntaxes: Vec<&'static Syntax<Match>>,
}

impl Parser {
    /// `None` for a line that is for `ip6tables-restore` alone.
    pub(super) fn parse<'w>(
        &mut self,
        words: &'w [Word<'w>],
        table: TableName,
        is_chain: &dyn Fn(&str) -> bool,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<Option<Command<'w>>, Fault> {
        self.matches.clear();
        self.syntaxes.clear();
        let whole = match (words.first(), words.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        };
        let mut run = Run {
            parser: self,
            words,
            is_chain,
            notes,
            table,
            whole,
            next: 0,
            not: None,
            seen: 0,
            action: None,
            chain: None,
            second: None,
            header: Header::default(),
            source: None,
            destination: None,
            protocol: None,
            protocol_loaded: false,
            target: None,
            jump: None,
            goto: false,
            counters: None,
        };
        if !run.read()? {
            return Ok(None);
        }
        run.finish().map(Some)
    }
}

struct Run<'p, 'w> {
    parser: &'p mut Parser,
    words: &'w [Word<'w>],
    is_chain: &'p dyn Fn(&str) -> bool,
    notes: &'p mut Vec<Diagnostic>,
    table: TableName,
    whole: Span,
    next: usize,
    /// An exclamation mark that waits for its option.
    not: Option<Span>,
    /// Letters of options that may stand once.
    seen: u32,
    action: Option<Action>,
    chain: Option<Arg<'w>>,
    second: Option<Arg<'w>>,
    header: Header,
    source: Option<Arg<'w>>,
    destination: Option<Arg<'w>>,
    protocol: Option<Arg<'w>>,
    protocol_loaded: bool,
    target: Option<LoadedTarget>,
    jump: Option<Arg<'w>>,
    goto: bool,
    counters: Option<Counters>,
}

impl<'w> Run<'_, 'w> {
    /// All words; false for a line that is not ours.
    fn read(&mut self) -> Result<bool, Fault> {
        while let Some(word) = self.words.get(self.next) {
            self.next += 1;
            let text = &*word.text;
            let bytes = text.as_bytes();
            let goes_on = match bytes {
                b"--" => {
                    return match self.words.get(self.next) {
                        Some(extra) => Err(bad_argument(extra)),
                        None => Ok(true),
                    };
                }
                [b'-', b'-', ..] => self.long(word)?,
                [b'-', _, ..] => self.short(word)?,
                b"!" if self.not.is_some() => {
                    return Err(fault(word.span, say!("iptables/two-nots")));
                }
                b"!" => {
                    self.not = Some(word.span);
                    continue;
                }
                _ => return Err(bad_argument(word)),
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `-x`, `-xVALUE`, `-xyz`.
    fn short(&mut self, word: &'w Word<'w>) -> Result<bool, Fault> {
        let text = &*word.text;
        for (at, letter) in text.bytes().enumerate().skip(1) {
            let Some(takes) = options::letter(letter) else {
                let shown = text.get(..2).unwrap_or(text);
                return Err(fault(
                    word.span,
                    say!("iptables/unknown-option", option = shown),
                ));
            };
            let rest = text.get(at + 1..).filter(|r| !r.is_empty());
            let arg = match takes {
                Takes::None => None,
                Takes::MayTake => rest.map(|text| part(word, text)),
                Takes::Value => Some(match rest {
                    Some(_) if takes_whole_word(letter) => whole(word),
                    Some(text) => part(word, text),
                    None => self.value(word, text)?,
                }),
            };
            if !self.own(letter, arg, word.span)? {
                return Ok(false);
            }
            if takes != Takes::None {
                break;
            }
        }
        Ok(true)
    }

    /// The next word, whatever it is.
    fn value(&mut self, word: &Word, option: &str) -> Result<Arg<'w>, Fault> {
        let Some(next) = self.words.get(self.next) else {
            return Err(fault(
                word.span,
                say!("iptables/needs-value", option = option),
            ));
        };
        self.next += 1;
        Ok(whole(next))
    }

    /// `--name`, `--name=value`.
    fn long(&mut self, word: &'w Word<'w>) -> Result<bool, Fault> {
        let text = word.text.get(2..).unwrap_or("");
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some(found) = self.lookup(name, attached.is_some()) else {
            return Err(self.unknown_option(word, name));
        };
        let arg = match (attached, found.takes()) {
            (Some(_), _) if matches!(found, Found::Own(l, _) if takes_whole_word(l)) => Some(whole(word)),
            (Some(value), _) => Some(part(word, value)),
            (None, Takes::Value) => Some(self.value(word, &word.text)?),
            (None, _) => None,
        };
        let opt = match found {
            Found::Own(letter, _) => return self.own(letter, arg, word.span),
            Found::Match(_, opt) | Found::Target(opt) => opt,
        };
        let given = Given {
            id: opt.id,
            name: opt.name,
            value: arg.map_or("", |a| a.text),
            span: arg.map_or(word.span, |a| a.span),
            inverted: self.not.take().is_some(),
            plain: arg.is_some_and(|a| a.text.len() == (a.span.end - a.span.start) as usize),
        };
        match found {
            Found::Match(syntax, _) => self.match_option(syntax, opt, &given)?,
            _ => self.target_option(opt, &given)?,
        }
        Ok(true)
    }

    /// The option of that name, loading the protocol's match for it if need be (`command_default`, `load_proto`).
    fn lookup(&mut self, name: &str, attached: bool) -> Option<Found> {
        let known = |run: &Self| {
            run.loaded()
                .find(name)
                .filter(|found| !attached || found.takes() != Takes::None)
        };
        if let Some(found) = known(self) {
            return Some(found);
        }
        let protocol = self.protocol.filter(|_| !self.protocol_loaded)?;
        let number = values::number(protocol.text, 0, 255).map(|n| Protocol(n as u8));
        let protocol_name = match number {
            Some(number) => names::protocol_name(number)?.to_string(),
            None => protocol.text.to_ascii_lowercase(),
        };
        let syntax = syntax::match_named(&protocol_name)?;
        self.protocol_loaded = true;
        self.load(syntax, protocol.span);
        known(self)
    }

    fn loaded(&self) -> Loaded<'_> {
        Loaded {
            matches: &self.parser.syntaxes,
            target: self.target.as_ref().map(|t| t.syntax),
            target_at: self.target.as_ref().map_or(0, |t| t.at),
        }
    }

    fn load(&mut self, syntax: &'static Syntax<Match>, span: Span) {
        let Parser { matches, syntaxes } = &mut *self.parser;
        for (loaded, other) in matches.iter_mut().zip(syntaxes.iter()) {
            loaded.done |= std::ptr::eq(*other, syntax);
        }
        syntaxes.push(syntax);
        matches.push(LoadedMatch {
            value: (syntax.start)(syntax),
            given: 0,
            span,
            done: false,
        });
    }

    fn match_option(
        &mut self,
        syntax: &'static Syntax<Match>,
        opt: &syntax::Opt,
        given: &Given,
    ) -> Result<(), Fault> {
        let at = (self.parser.syntaxes.iter())
            .zip(&self.parser.matches)
            .position(|(s, m)| std::ptr::eq(*s, syntax) && !m.done);
        let Some(loaded) = at.and_then(|at| self.parser.matches.get_mut(at)) else {
            return Ok(());
        };
        may_stand(opt, given, &mut loaded.given)?;
        if let Match::Unsupported(kept) = &mut loaded.value {
            return keep(kept, given, self.words, &mut self.next);
        }
        let mut around = Around {
            header: &self.header,
            words: self.words,
            next: &mut self.next,
            seen: &mut loaded.given,
            span: loaded.span,
        };
        (syntax.option)(&mut loaded.value, given, &mut around)
    }

    fn target_option(&mut self, opt: &syntax::Opt, given: &Given) -> Result<(), Fault> {
        let Some(target) = &mut self.target else {
            return Ok(());
        };
        may_stand(opt, given, &mut target.given)?;
        if let Target::Unsupported(kept) = &mut target.value {
            return keep(kept, given, self.words, &mut self.next);
        }
        let mut around = Around {
            header: &self.header,
            words: self.words,
            next: &mut self.next,
            seen: &mut target.given,
            span: target.span,
        };
        (target.syntax.option)(&mut target.value, given, &mut around)
    }

    /// One of iptables' own options; false where the line is not for IPv4.
    fn own(&mut self, letter: u8, arg: Option<Arg<'w>>, span: Span) -> Result<bool, Fault> {
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
                self.header.src = not_zero(inverted);
            }
            b'd' => {
                self.destination = Some(arg);
                self.header.dst = not_zero(inverted);
            }
            b'p' => {
                let protocol = values::protocol(&arg.text.to_ascii_lowercase(), arg.span)?;
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
                let all = value.name.is_empty() && !inverted;
                let side = match letter {
                    b'i' => &mut self.header.in_iface,
                    _ => &mut self.header.out_iface,
                };
                *side = (!all).then_some(Not { inverted, value });
            }
            b'm' => {
                let Some(syntax) = syntax::match_named(arg.text) else {
                    return Err(unknown_match(arg));
                };
                self.load(syntax, arg.span);
            }
            b'j' => self.jump(arg)?,
            b'g' => {
                target_name(arg)?;
                self.jump = Some(arg);
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
        match letter {
            b'6' => return Ok(false),
            b'4' | b'v' => {}
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
                    new_chain_name(name)?;
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
        if (self.is_chain)(arg.text) {
            return Ok(());
        }
        if let Some(syntax) = syntax::target_named(arg.text) {
            self.target = Some(LoadedTarget {
                syntax,
                value: (syntax.start)(syntax),
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
        let read = |text: &str| text.parse::<u64>().ok();
        match (read(packets), bytes.and_then(read)) {
            (Some(packets), Some(bytes)) => {
                self.counters = Some(Counters { packets, bytes });
                Ok(())
            }
            _ => Err(fault(arg.span, say!("iptables/bad-counters"))),
        }
    }

    fn unknown_option(&self, word: &Word, name: &str) -> Fault {
        let option = word.text.split('=').next().unwrap_or("");
        let mut bad = fault(word.span, say!("iptables/unknown-option", option = option));
        let owners: Vec<_> = syntax::MATCHES
            .iter()
            .filter(|s| s.find(name).is_some())
            .map(|s| format!("-m {}", s.name))
            .chain(
                syntax::TARGETS
                    .iter()
                    .filter(|s| s.find(name).is_some())
                    .map(|s| format!("-j {}", s.name)),
            )
            .collect();
        bad.help = match owners.is_empty() {
            true => {
                let names = self.loaded().names();
                names::nearest(name, names.into_iter())
            }
            false if matches!(name, "dport" | "sport" | "destination-port" | "source-port") => {
                Some(say!("iptables/port-option", option = option))
            }
            false => Some(say!(
                "iptables/option-of-another",
                option = option,
                owners = owners.join(", ")
            )),
        };
        bad
    }

    fn finish(mut self) -> Result<Command<'w>, Fault> {
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
            Some(name) if self.goto => Jump::Goto(name),
            Some(name) => match name.text {
                "ACCEPT" => Jump::Target(Target::Accept),
                "DROP" => Jump::Target(Target::Drop),
                "RETURN" => Jump::Target(Target::Return),
                _ => Jump::Chain(name),
            },
        })
    }

    /// Reads `-s` and `-d`: one address each goes to the header, more are given back.
    fn addresses(&mut self) -> Result<(Vec<Masked>, Vec<Masked>), Fault> {
        fn side(arg: Option<Arg>, header: &mut Option<Not<Masked>>) -> Result<Vec<Masked>, Fault> {
            let inverted = header.is_some_and(|h| h.inverted);
            let Some(arg) = arg else {
                return Ok(Vec::new());
            };
            let mut all = Vec::new();
            let mut one = None;
            let span = |text: &str| part_of(arg, text).span;
            values::addresses(arg.text, span, |masked| match (&one, all.is_empty()) {
                (None, _) => one = Some(masked),
                (Some(first), true) => all.extend([*first, masked]),
                (Some(_), false) => all.push(masked),
            })?;
            *header = one.and_then(|value| asked(value, inverted));
            Ok(all)
        }
        let inverted = [&self.header.src, &self.header.dst]
            .iter()
            .any(|h| h.is_some_and(|h| h.inverted));
        let sources = side(self.source, &mut self.header.src)?;
        let destinations = side(self.destination, &mut self.header.dst)?;
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

/// These options look for their value in the word before the next (`argv[optind - 1]`), which is the option itself where
/// the value is attached to it: `-ptcp` asks for the protocol `-ptcp`.
fn takes_whole_word(letter: u8) -> bool {
    matches!(letter, b's' | b'd' | b'p' | b'j' | b'i' | b'o')
}

fn bit(letter: u8) -> u32 {
    const LETTERS: &[u8] = b"sdpjiocfnx0";
    LETTERS
        .iter()
        .position(|l| *l == letter)
        .map_or(0, |at| 1 << at)
}

fn whole<'w>(word: &'w Word<'w>) -> Arg<'w> {
    Arg {
        text: &word.text,
        span: word.span,
    }
}

/// The end of a word.
fn part<'w>(word: &'w Word<'w>, text: &'w str) -> Arg<'w> {
    let start = (word.span.end as usize).saturating_sub(text.len());
    Arg {
        text,
        span: Span::new(word.span.file, start, word.span.end as usize),
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

/// Keeps whether an address is turned around until it is read.
fn not_zero(inverted: bool) -> Option<Not<Masked>> {
    let any = Masked::host(std::net::Ipv4Addr::UNSPECIFIED.into());
    inverted.then_some(Not {
        inverted,
        value: any,
    })
}

/// Any address at all is no question, unless it is turned around.
pub(super) fn asked(value: Masked, inverted: bool) -> Option<Not<Masked>> {
    (inverted || value.length() != Some(0)).then_some(Not { inverted, value })
}

fn may_stand(opt: &syntax::Opt, given: &Given, seen: &mut u32) -> Result<(), Fault> {
    let own = 1u32 << opt.id;
    if !opt.repeatable && *seen & own != 0 {
        return Err(given.fault(say!("iptables/once", option = given.option())));
    }
    if given.inverted && !opt.invertible {
        return Err(given.fault(say!("iptables/no-not", option = given.option())));
    }
    *seen |= own;
    Ok(())
}

fn keep(
    kept: &mut Unsupported,
    given: &Given,
    words: &[Word],
    next: &mut usize,
) -> Result<(), Fault> {
    let mut second = "";
    if known::takes_two(given) {
        match words.get(*next) {
            Some(word) => second = &word.text,
            None => {
                return Err(given.fault(say!("iptables/needs-two-values", option = given.option())));
            }
        }
        *next += 1;
    }
    known::append(kept, given, second);
    Ok(())
}

fn no_not(not: Span, letter: u8) -> Fault {
    let option = format!("-{}", letter as char);
    fault(not, say!("iptables/no-not", option = option))
}

fn bad_argument(word: &Word) -> Fault {
    let mut bad = fault(word.span, say!("iptables/bad-argument", word = word.text));
    if word.text.contains('\'') {
        bad.help = Some(say!("iptables/single-quotes"));
    }
    bad
}

fn unknown_match(arg: Arg) -> Fault {
    let mut bad = fault(arg.span, say!("iptables/unknown-match", name = arg.text));
    let all = syntax::MATCHES.iter().chain(known::MATCHES).map(|s| s.name);
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
    if arg.text.contains(|c: char| c.is_ascii_whitespace()) {
        return Err(fault(
            arg.span,
            say!("iptables/blank-in-name", name = arg.text),
        ));
    }
    Ok(())
}

/// `-N` is stricter than `:` (`assert_valid_chain_name`).
fn new_chain_name(arg: Arg) -> Result<(), Fault> {
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
    if standard || syntax::target_named(arg.text).is_some() {
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
