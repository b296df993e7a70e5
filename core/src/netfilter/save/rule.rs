//! One command of `iptables-restore` input, from its words to what it asks for (`iptables/xshared.c`, `do_parse`).

use super::options::{self, Found, Loaded, Takes};
use super::own::takes_whole_word;
use crate::net::{IpFamily, Masked, Protocol};
use crate::netfilter::matches::Unsupported;
use crate::netfilter::syntax::{
    self, Around, Fault, Given, Syntax, Word, fault, known, names, values,
};
use crate::netfilter::{Counters, Header, Match, TableName, Target};
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
    /// A name, and the chain of that name if there is one.
    Chain(Arg<'w>, Option<u32>),
    Goto(Arg<'w>, Option<u32>),
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

pub(super) struct LoadedMatch {
    pub value: Match,
    pub given: u32,
    pub span: Span,
    /// Another of the same name stands behind it, which takes all options from there on.
    pub done: bool,
}

pub(super) struct LoadedTarget {
    pub syntax: &'static Syntax<Target>,
    pub value: Target,
    pub given: u32,
    pub span: Span,
    /// How many matches were there before it.
    pub at: usize,
}

/// Reads commands one after another; keeps its room between them.
pub(super) struct Parser {
    pub family: IpFamily,
    pub matches: Vec<LoadedMatch>,
    pub syntaxes: Vec<&'static Syntax<Match>>,
}

impl Parser {
    pub(super) fn of(family: IpFamily) -> Self {
        Self {
            family,
            matches: Vec::new(),
            syntaxes: Vec::new(),
        }
    }

    /// `None` for a line that is for the other family's tool alone (`-4`, `-6`).
    pub(super) fn parse<'w>(
        &mut self,
        words: &'w [Word<'w>],
        table: TableName,
        chain_named: &dyn Fn(&str) -> Option<u32>,
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
            chain_named,
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
            jump_chain: None,
            goto: false,
            counters: None,
        };
        if !run.read()? {
            return Ok(None);
        }
        run.finish().map(Some)
    }
}

pub(super) struct Run<'p, 'w> {
    pub parser: &'p mut Parser,
    pub words: &'w [Word<'w>],
    pub chain_named: &'p dyn Fn(&str) -> Option<u32>,
    pub notes: &'p mut Vec<Diagnostic>,
    pub table: TableName,
    pub whole: Span,
    pub next: usize,
    /// An exclamation mark that waits for its option.
    pub not: Option<Span>,
    /// Letters of options that may stand once.
    pub seen: u32,
    pub action: Option<Action>,
    pub chain: Option<Arg<'w>>,
    pub second: Option<Arg<'w>>,
    pub header: Header,
    pub source: Option<Arg<'w>>,
    pub destination: Option<Arg<'w>>,
    pub protocol: Option<Arg<'w>>,
    pub protocol_loaded: bool,
    pub target: Option<LoadedTarget>,
    pub jump: Option<Arg<'w>>,
    pub jump_chain: Option<u32>,
    pub goto: bool,
    pub counters: Option<Counters>,
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
                [b'-', letter] if options::letter(*letter) == Some(Takes::Value) => {
                    let arg = self.value(word, text)?;
                    self.own(*letter, Some(arg), word.span)?
                }
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
        // No name has an equals sign, so most often the word is the name.
        let (found, attached) = match self.loaded().exact(text) {
            Some(found) => (found, None),
            None => {
                let (name, attached) = match text.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (text, None),
                };
                match self.lookup(name, attached.is_some()) {
                    Some(found) => (found, attached),
                    None => return Err(self.unknown_option(word, name)),
                }
            }
        };
        let arg = match (attached, found.takes()) {
            (Some(_), _) if matches!(found, Found::Own(l, _) if takes_whole_word(l)) => {
                Some(whole(word))
            }
            (Some(value), _) => Some(part(word, value)),
            (None, Takes::Value) => Some(self.value(word, &word.text)?),
            (None, _) => None,
        };
        let opt = match found {
            Found::Own(letter, _) => return self.own(letter, arg, word.span),
            Found::Match(_, opt) | Found::Target(opt) => opt,
        };
        let given = Given {
            family: self.parser.family,
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
        let syntax = syntax::match_named(self.parser.family, &protocol_name)?;
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

    pub(super) fn load(&mut self, syntax: &'static Syntax<Match>, span: Span) {
        let Parser {
            family,
            matches,
            syntaxes,
        } = &mut *self.parser;
        for (loaded, other) in matches.iter_mut().zip(syntaxes.iter()) {
            loaded.done |= std::ptr::eq(*other, syntax);
        }
        syntaxes.push(syntax);
        matches.push(LoadedMatch {
            value: (syntax.start)(*family, syntax),
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

    fn unknown_option(&self, word: &Word, name: &str) -> Fault {
        let option = word.text.split('=').next().unwrap_or("");
        let mut bad = fault(word.span, say!("iptables/unknown-option", option = option));
        let family = self.parser.family;
        let owners: Vec<_> = syntax::modelled_matches(family)
            .filter(|s| s.find(name).is_some())
            .map(|s| format!("-m {}", s.name))
            .chain(
                syntax::modelled_targets(family)
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
}

pub(super) fn whole<'w>(word: &'w Word<'w>) -> Arg<'w> {
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

fn bad_argument(word: &Word) -> Fault {
    let mut bad = fault(word.span, say!("iptables/bad-argument", word = word.text));
    if word.text.contains('\'') {
        bad.help = Some(say!("iptables/single-quotes"));
    }
    bad
}
