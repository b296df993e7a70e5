//! Reads what `iptables -L` prints, with and without `-v`, `-n`, `-x` and `--line-numbers`, of any iptables from 1.4 on.

mod matches;
mod memory;
mod rest;
mod targets;

use self::rest::Rest;
use super::matches::Unsupported;
use super::syntax::{Fault, fault, names, values};
use super::{
    Chain, ChainId, Counters, Header, Match, Not, Policy, Rule, Ruleset, Table, TableName, Target,
};
use crate::net::{IpFamily, Masked};
use crate::say;
use crate::text::{Diagnostic, FileId, Span, prompt};

/// Reads a listing of `table`. What it does not tell is said: interfaces without `-v`, and chains that it does not show,
/// where a packet ends in "cannot tell".
pub fn read(text: &str, file: FileId, table: TableName) -> (Ruleset, Vec<Diagnostic>) {
    let mut reader = Reader {
        text,
        file,
        chains: Vec::new(),
        diagnostics: Vec::new(),
        columns: None,
    };
    reader.declare(table);
    reader.lines();
    let table = Table {
        family: IpFamily::V4,
        name: table,
        chains: reader.chains,
        span: Span::new(file, 0, text.len()),
    };
    let ruleset = Ruleset {
        tables: vec![table],
    };
    (ruleset, reader.diagnostics)
}

struct Reader<'t> {
    text: &'t str,
    file: FileId,
    chains: Vec<Chain>,
    diagnostics: Vec<Diagnostic>,
    columns: Option<Columns>,
}

/// Which columns the head of a chain names, beside those that are always there.
#[derive(Clone, Copy)]
struct Columns {
    number: bool,
    counters: bool,
    interfaces: bool,
}

impl<'t> Reader<'t> {
    /// All chains first, as rules may jump to those below them. Built-in chains that are not shown are empty.
    fn declare(&mut self, table: TableName) {
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            let span = Span::new(self.file, at, at + line.trim_end().len());
            at += line.len();
            let Some((name, about)) = chain_head(line) else {
                continue;
            };
            if let Some(first) = self.chains.iter().find(|c| *c.name == *name) {
                let first = first.span;
                let twice = Diagnostic::error(span, say!("iptables/chain-exists", name = name));
                let first_here = say!("iptables/first-here");
                self.diagnostics.push(twice.label(first, first_here));
                continue;
            }
            let (policy, counters) = about_chain(about);
            self.chains.push(Chain {
                name: name.into(),
                policy,
                counters,
                rules: Vec::new(),
                span,
            });
        }
        for hook in table.hooks() {
            if !self.chains.iter().any(|c| *c.name == *hook.name()) {
                self.chains.push(Chain {
                    name: hook.name().into(),
                    policy: Some(Policy::Accept),
                    counters: Counters::default(),
                    rules: Vec::new(),
                    span: Span::new(self.file, 0, 0),
                });
            }
        }
    }

    fn lines(&mut self) {
        let mut chain: Option<usize> = None;
        let mut at = 0;
        let mut hidden = false;
        let mut seen = Vec::new();
        for line in self.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let line = line.trim_end();
            let span = Span::new(self.file, start, start + line.len());
            if line.is_empty() || line.starts_with('#') || prompt(line).is_some() {
                continue;
            }
            if let Some((name, _)) = chain_head(line) {
                let place = self.chains.iter().position(|c| *c.name == *name);
                // The second of two chains of one name is passed over.
                chain = place.filter(|p| !seen.contains(p));
                seen.extend(chain);
                self.columns = None;
                continue;
            }
            if let Some(columns) = columns(line) {
                self.columns = Some(columns);
                if !columns.interfaces && !hidden {
                    hidden = true;
                    let what = say!("iptables/no-interfaces");
                    self.diagnostics.push(
                        Diagnostic::warning(span, what).help(say!("iptables/no-interfaces-help")),
                    );
                }
                continue;
            }
            let (Some(place), Some(columns)) = (chain, self.columns) else {
                let what = say!("iptables/outside-chain");
                self.diagnostics.push(Diagnostic::error(span, what));
                continue;
            };
            match self.rule(line, start, span, columns) {
                Ok(rule) => {
                    if let Some(chain) = self.chains.get_mut(place) {
                        chain.rules.push(rule);
                    }
                }
                Err(bad) => self.diagnostics.push(*bad),
            }
        }
    }

    fn rule(
        &mut self,
        line: &'t str,
        start: usize,
        span: Span,
        columns: Columns,
    ) -> Result<Rule, Fault> {
        let mut rest = Rest::new(line, start, self.file);
        let short = || fault(span, say!("iptables/short-line"));
        if columns.number {
            rest.word().ok_or_else(short)?;
        }
        let mut counters = Counters::default();
        if columns.counters {
            for count in [&mut counters.packets, &mut counters.bytes] {
                let (word, span) = rest.word().ok_or_else(short)?;
                *count = amount(word)
                    .ok_or_else(|| fault(span, say!("iptables/bad-amount", value = word)))?;
            }
        }
        let target = self.target_and_protocol(&mut rest, short)?;
        let (name, mut header) = (target.0, target.1);
        if columns.interfaces {
            header.in_iface = interface(rest.word().ok_or_else(short)?)?;
            header.out_iface = interface(rest.word().ok_or_else(short)?)?;
        }
        let mut hidden = Vec::new();
        header.src = self.address(&mut rest, &mut hidden).ok_or_else(short)?;
        header.dst = self.address(&mut rest, &mut hidden).ok_or_else(short)?;
        let goto = rest.eat("[goto]");
        let mut matches = hidden;
        while let Some(found) = matches::read(&mut rest) {
            let found = match found {
                Ok(found) => found,
                Err(bad) => {
                    // Where its words end is not known, so it takes all that are left.
                    let (left, span) = rest.all().unwrap_or(("", bad.span));
                    self.diagnostics.push(*bad);
                    matches.push(unknown(left, span));
                    break;
                }
            };
            let untold = match found {
                Match::Hashlimit(_) => Some(say!("iptables/no-hashlimit-name")),
                Match::Quota(_) => Some(say!("iptables/no-quota-sign")),
                _ => None,
            };
            self.diagnostics
                .extend(untold.map(|what| Diagnostic::warning(span, what)));
            matches.push(found);
        }
        let target = self.target(name, goto, &mut rest);
        if let Some((left, span)) = rest.all() {
            let what = say!("iptables/not-understood", text = left);
            self.diagnostics.push(Diagnostic::warning(span, what));
            matches.push(unknown(left, span));
        }
        Ok(Rule {
            header,
            matches,
            target,
            counters,
            span,
        })
    }

    /// `ACCEPT     tcp  --` or, for a rule without a target, `tcp  --`; the name is empty then.
    fn target_and_protocol(
        &mut self,
        rest: &mut Rest<'t>,
        short: impl Fn() -> Fault,
    ) -> Result<((&'t str, Span), Header), Fault> {
        let first = rest.word().ok_or_else(&short)?;
        let second = rest.word().ok_or_else(&short)?;
        let is_opt = |word: &str| matches!(word, "--" | "-f" | "!f");
        let none = ("", Span::new(self.file, 0, 0));
        let (name, protocol, opt) = match is_opt(second.0) {
            true => (none, first, second),
            false => (first, second, rest.word().ok_or_else(&short)?),
        };
        if !is_opt(opt.0) {
            return Err(fault(opt.1, say!("iptables/no-opt-column", value = opt.0)));
        }
        let (inverted, text) = not(protocol.0);
        let value = values::protocol(text, protocol.1)?;
        let header = Header {
            protocol: (value.0 != 0).then_some(Not { inverted, value }),
            fragment: match opt.0 {
                "-f" => Some(Not::plain(())),
                "!f" => Some(Not {
                    inverted: true,
                    value: (),
                }),
                _ => None,
            },
            ..Header::default()
        };
        Ok((name, header))
    }

    /// An address column. A name that only the host could look up becomes a match that cannot be told.
    fn address(
        &mut self,
        rest: &mut Rest<'t>,
        hidden: &mut Vec<Match>,
    ) -> Option<Option<Not<Masked>>> {
        let (word, span) = rest.word()?;
        let (word, span, apart) = match word {
            "!" => rest.word().map(|(w, s)| (w, s, true))?,
            _ => (word, span, false),
        };
        let (inverted, text) = match apart {
            true => (true, word),
            false => not(word),
        };
        let mut found = None;
        let read = match text {
            "anywhere" => {
                values::addresses(IpFamily::V4, "0.0.0.0/0", |_| span, |m| found = Some(m))
            }
            _ => values::addresses(IpFamily::V4, text, |_| span, |m| found = Some(m)),
        };
        if read.is_err() {
            let what = say!("iptables/listed-name", name = text);
            self.diagnostics
                .push(Diagnostic::warning(span, what).help(say!("iptables/listed-name-help")));
            hidden.push(unknown(text, span));
        }
        let all = found.is_some_and(|m| m.length() == Some(0)) && !inverted;
        Some(found.filter(|_| !all).map(|value| Not { inverted, value }))
    }

    /// What the column `target` names. A target whose words are not understood is kept as one that cannot be told.
    fn target(&mut self, (name, span): (&'t str, Span), goto: bool, rest: &mut Rest<'t>) -> Target {
        let chain = self.chains.iter().position(|c| *c.name == *name);
        if let Some(at) = chain.filter(|_| !name.is_empty()) {
            let id = ChainId(at as u32);
            return if goto {
                Target::Goto(id)
            } else {
                Target::Jump(id)
            };
        }
        let said = match targets::read(name, rest) {
            Some(Ok(target)) => return target,
            Some(Err(bad)) => *bad,
            None => {
                let mut said =
                    Diagnostic::warning(span, say!("iptables/unknown-chain", name = name));
                let all = super::syntax::modelled_targets(IpFamily::V4).map(|s| s.name);
                said.help = names::nearest(name, all.chain(self.chains.iter().map(|c| &*c.name)));
                said
            }
        };
        self.diagnostics.push(said);
        Target::Unsupported(Box::new(Unsupported {
            name: name.into(),
            text: format!("-j {name}").into(),
            span,
        }))
    }
}

/// A criterion that the listing does not tell.
fn unknown(text: &str, span: Span) -> Match {
    Match::Unsupported(Box::new(Unsupported {
        name: text.split(' ').next().unwrap_or("").into(),
        text: text.into(),
        span,
    }))
}

/// `Chain NAME (…)`: the name, and what stands in the brackets.
fn chain_head(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end().strip_prefix("Chain ")?;
    let (name, about) = line.split_once(" (")?;
    Some((name, about.strip_suffix(')')?))
}

/// `policy ACCEPT 244 packets, 14640 bytes`, or `2 references` for users' chains.
fn about_chain(about: &str) -> (Option<Policy>, Counters) {
    let mut words = about.split([' ', ',']).filter(|w| !w.is_empty());
    if words.next() != Some("policy") {
        return (None, Counters::default());
    }
    let policy = match words.next() {
        Some("DROP") => Policy::Drop,
        _ => Policy::Accept,
    };
    let packets = words.next().and_then(amount).unwrap_or(0);
    let bytes = words.nth(1).and_then(amount).unwrap_or(0);
    (Some(policy), Counters { packets, bytes })
}

/// `32M`: a number in K, M, G or T, which are thousands (`xtables_print_num`).
fn amount(text: &str) -> Option<u64> {
    let (digits, times) = match text.as_bytes().last()? {
        b'K' => (text.strip_suffix('K')?, 1_000),
        b'M' => (text.strip_suffix('M')?, 1_000_000),
        b'G' => (text.strip_suffix('G')?, 1_000_000_000),
        b'T' => (text.strip_suffix('T')?, 1_000_000_000_000),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(times)
}

fn columns(line: &str) -> Option<Columns> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let has = |word| words.contains(&word);
    (has("target") && has("prot") && has("source") && has("destination")).then(|| Columns {
        number: has("num"),
        counters: has("pkts"),
        interfaces: has("in") && has("out"),
    })
}

fn not(word: &str) -> (bool, &str) {
    match word.strip_prefix('!') {
        Some(word) => (true, word),
        None => (false, word),
    }
}

fn interface((word, span): (&str, Span)) -> Result<Option<Not<super::Interface>>, Fault> {
    let (inverted, text) = not(word);
    if matches!(text, "*" | "any") {
        return Ok(None);
    }
    let value = values::interface(text, span)?;
    Ok(Some(Not { inverted, value }))
}
