//! The lines of `iptables-restore` input (`iptables/iptables-restore.c`).

use std::borrow::Cow;
use std::ops::Range;

use super::building::Building;
use super::commit;
use super::rule::Parser;
use super::words;
use crate::net::IpFamily;
use crate::netfilter::syntax::{Fault, Word, fault, names};
use crate::netfilter::{Counters, Hook, Ruleset, Table, TableName};
use crate::say;
use crate::text::{Diagnostic, FileId, Span, prompt};

/// So many diagnostics are kept; a file with more has one cause for most of them.
const MOST_DIAGNOSTICS: usize = 1000;
/// Names are compared for "did you mean" as long as there are few faults.
const MOST_OFFERS: usize = 40;
/// The most rules that one line makes by lists of addresses, and that all make together.
const MOST_EXPANDED: usize = 10_000;
const MOST_EXPANDED_TOGETHER: usize = 1_000_000;
/// Bytes between two pauses.
const SOME: usize = 4096;

pub(super) struct Reader<'t> {
    text: &'t str,
    family: IpFamily,
    file: FileId,
    /// Where the next line begins.
    at: usize,
    /// The text is commands of one table, without a line `*table`.
    commands: bool,
    tables: Vec<Table>,
    diagnostics: Vec<Diagnostic>,
    unsaid: usize,
    table: State,
    parser: Parser,
    expanded: usize,
    carriage_returns: bool,
}

enum State {
    Outside,
    Inside(Box<Building>),
    /// In a table that iptables has not; what stands in it is not read.
    Unknown,
}

impl<'t> Reader<'t> {
    /// At the text's beginning. It is commands of one table where that is given or there is no line `*table`.
    pub(super) fn new(
        family: IpFamily,
        text: &'t str,
        file: FileId,
        table: Option<TableName>,
    ) -> Self {
        let mut reader = Self::outside(family, text, file);
        if let Some(name) = table.or_else(|| table_of_commands(text)) {
            reader.commands = true;
            reader.begin(name, Span::new(file, 0, 0));
        }
        reader
    }

    fn outside(family: IpFamily, text: &'t str, file: FileId) -> Self {
        Self {
            text,
            family,
            file,
            at: 0,
            commands: false,
            tables: Vec::new(),
            diagnostics: Vec::new(),
            unsaid: 0,
            table: State::Outside,
            parser: Parser::of(family),
            expanded: 0,
            carriage_returns: false,
        }
    }

    /// Reads commands of a table. `None` where something is to be said of them.
    pub(super) fn commands(
        text: &'t str,
        file: FileId,
        building: Building,
        range: Range<usize>,
    ) -> Option<Building> {
        let mut reader = Self::outside(building.family, text, file);
        reader.table = State::Inside(Box::new(building));
        let mut words = Vec::new();
        let mut at = range.start;
        while at < range.end {
            at = reader.command_line(at, &mut words) + 1;
        }
        match reader.table {
            State::Inside(mut building) if reader.diagnostics.is_empty() => {
                building.settle();
                Some(*building)
            }
            _ => None,
        }
    }

    pub(super) fn done(mut self) -> (Ruleset, Vec<Diagnostic>) {
        let end = self.end();
        if let State::Inside(building) = &self.table
            && !self.commands
        {
            let table = building.name;
            self.say(*fault(end, say!("iptables/line-no-commit", table = table)));
        }
        self.commit(end);
        if self.unsaid > 0 {
            let count = self.unsaid;
            let more = say!("iptables/and-more", count = count);
            self.diagnostics.push(Diagnostic::note(end, more));
        }
        self.diagnostics.sort_by_key(|d| d.span.start);
        let ruleset = Ruleset {
            tables: self.tables,
        };
        (ruleset, self.diagnostics)
    }

    fn end(&self) -> Span {
        Span::new(self.file, self.text.len(), self.text.len())
    }

    /// Reads some lines, and gives how many bytes they are: none at the end.
    pub(super) fn read_some(&mut self) -> usize {
        let mut words = Vec::new();
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start;
        while let Some(first) = bytes.get(at).filter(|_| at - start < SOME) {
            // Most lines are rules, whose words are split without looking for the line's end first.
            let rule = matches!(first, b'-' | b'[') && matches!(self.table, State::Inside(_));
            let end = match rule {
                true => self.command_line(at, &mut words),
                false => self.other_line(at, &mut words),
            };
            at = end + 1;
        }
        self.at = at;
        at - start
    }

    /// A line that is no rule; gives its end.
    fn other_line(&mut self, at: usize, words: &mut Vec<Word<'t>>) -> usize {
        let rest = self.text.get(at..).unwrap_or("");
        let (line, closed) = match rest.split_once('\n') {
            Some((line, _)) => (line, true),
            None => (rest, false),
        };
        let end = at + line.len();
        let line = self.no_carriage_return(line, end);
        let span = Span::new(self.file, at, at + line.len());
        let result = match (line.as_bytes().first(), &mut self.table) {
            (None | Some(b'#'), _) => Ok(()),
            (Some(b'*'), State::Outside) => self.table_line(line, span),
            (_, State::Outside) if prompt(line).is_some() => Ok(()),
            (_, State::Outside) => Err(fault(span, say!("iptables/line-outside"))),
            _ if line.trim_end() == "COMMIT" => {
                self.commit(span);
                match closed {
                    true if line == "COMMIT" => Ok(()),
                    true => Err(fault(span, say!("iptables/blanks-behind-commit"))),
                    false => Err(fault(span, say!("iptables/unfinished-commit"))),
                }
            }
            (_, State::Unknown) => Ok(()),
            (Some(b':'), State::Inside(building)) if !self.commands => {
                building.chain_line(line, at, span)
            }
            (_, State::Inside(_)) => {
                self.command_line(at, words);
                Ok(())
            }
        };
        if let Err(bad) = result {
            self.say(*bad);
        }
        end
    }

    /// The line without the carriage return at its end, which is said once.
    fn no_carriage_return<'l>(&mut self, line: &'l str, end: usize) -> &'l str {
        let Some(line) = line.strip_suffix('\r') else {
            return line;
        };
        if !self.carriage_returns {
            self.carriage_returns = true;
            let span = Span::new(self.file, end.saturating_sub(1), end);
            self.say(*fault(span, say!("iptables/carriage-return")));
        }
        line
    }

    fn say(&mut self, said: Diagnostic) {
        if self.diagnostics.len() < MOST_DIAGNOSTICS {
            self.diagnostics.push(said);
        } else {
            self.unsaid += 1;
        }
    }

    fn table_line(&mut self, line: &str, span: Span) -> Result<(), Fault> {
        let name = line
            .get(1..)
            .unwrap_or("")
            .split([' ', '\t'])
            .find(|w| !w.is_empty());
        self.table = State::Unknown;
        let Some(name) = name else {
            return Err(fault(span, say!("iptables/no-table-name")));
        };
        match TableName::from_name(name) {
            Some(name) => {
                self.begin(name, span);
                Ok(())
            }
            None => {
                let mut bad = fault(span, say!("iptables/unknown-table", name = name));
                bad.help = names::nearest(name, TableName::ALL.iter().map(|t| t.name()));
                Err(bad)
            }
        }
    }

    fn begin(&mut self, name: TableName, span: Span) {
        let before = self.tables.iter().find(|t| t.name == name);
        let building = Building::new(self.family, name, before, span);
        self.table = State::Inside(Box::new(building));
    }

    /// Ends the table, and says what the kernel would not take.
    fn commit(&mut self, span: Span) {
        if let State::Inside(building) = std::mem::replace(&mut self.table, State::Outside) {
            let table = (*building).done(span);
            for fault in commit::check(&table) {
                self.say(fault);
            }
            match self.tables.iter_mut().find(|t| t.name == table.name) {
                Some(before) => *before = table,
                None => self.tables.push(table),
            }
        }
    }

    /// A command, most often a rule; gives the line's end.
    fn command_line(&mut self, at: usize, words: &mut Vec<Word<'t>>) -> usize {
        let line_end = |from: usize| {
            let rest = self.text.get(from..).unwrap_or("");
            from + rest.find('\n').unwrap_or(rest.len())
        };
        let mut counters = Counters::default();
        let mut skip = 0;
        if self.text.as_bytes().get(at) == Some(&b'[') {
            let end = line_end(at);
            let line = self.text.get(at..end).unwrap_or("");
            match leading_counters(line, Span::new(self.file, at, end)) {
                Ok(read) => (counters, skip) = read,
                Err(bad) => {
                    self.say(*bad);
                    return end;
                }
            }
        }
        let end = match words::split(self.text, at + skip, self.file, words) {
            Ok(end) => end,
            Err(bad) => {
                let end = line_end(at);
                self.say(*bad);
                return end;
            }
        };
        if let Some(last) = words.last_mut()
            && let Cow::Borrowed(text) = last.text
            && text.ends_with('\r')
        {
            last.text = Cow::Borrowed(self.no_carriage_return(text, end));
            if last.text.is_empty() {
                words.pop();
            }
        }
        let last = words.last().map_or(end, |w| w.span.end as usize);
        let span = Span::new(self.file, at, last);
        if let Err(mut bad) = self.command(words, counters, span) {
            if bad.span == Span::default() {
                bad.span = span;
            }
            self.say(*bad);
        }
        end
    }

    fn command(&mut self, words: &[Word<'t>], counters: Counters, span: Span) -> Result<(), Fault> {
        let State::Inside(building) = &mut self.table else {
            return Ok(());
        };
        let chain_named = |name: &str| building.find(name);
        let mut notes = Vec::new();
        let table = building.name;
        let command = self.parser.parse(words, table, &chain_named, &mut notes)?;
        let Some(command) = command else {
            return Ok(());
        };
        let offers = self.diagnostics.len() < MOST_OFFERS;
        let count = command.sources.len().max(1) * command.destinations.len().max(1);
        if count > 1 {
            self.expanded = self.expanded.saturating_add(count);
            if count > MOST_EXPANDED || self.expanded > MOST_EXPANDED_TOGETHER {
                return Err(fault(span, say!("iptables/many-addresses", count = count)));
            }
        }
        building.apply(command, counters, span, offers)?;
        for note in notes {
            self.say(note);
        }
        Ok(())
    }
}

/// The table whose `iptables -S` this is, if it is that: text that begins with a command and has no line `*table`. Tables
/// are told apart by their built-in chains.
fn table_of_commands(text: &str) -> Option<TableName> {
    let first = text
        .lines()
        .find(|l| !l.is_empty() && !l.starts_with('#'))?;
    if !first.starts_with('-') || text.lines().any(|l| l.starts_with('*')) {
        return None;
    }
    let mut seen: Vec<Hook> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        if let (Some("-P" | "-A" | "-I"), Some(chain)) = (words.next(), words.next())
            && let Some(hook) = Hook::ALL.iter().find(|h| h.name() == chain)
            && !seen.contains(hook)
        {
            seen.push(*hook);
        }
    }
    let likely = [
        TableName::Filter,
        TableName::Nat,
        TableName::Mangle,
        TableName::Raw,
    ];
    let has_all = |t: &TableName| seen.iter().all(|h| t.hooks().contains(h));
    let exact = likely
        .iter()
        .find(|t| has_all(t) && t.hooks().len() == seen.len());
    exact
        .or_else(|| likely.iter().find(|t| has_all(t)))
        .copied()
}

/// `[packets:bytes]` before a rule, and how many bytes it takes.
pub(super) fn leading_counters(line: &str, span: Span) -> Result<(Counters, usize), Fault> {
    if !line.starts_with('[') {
        return Ok((Counters::default(), 0));
    }
    let end = line.find(']');
    let inside = end.and_then(|end| line.get(1..end)?.split_once(':'));
    match (end, inside) {
        (Some(end), Some((packets, bytes))) => {
            let counters = Counters {
                packets: packets.parse().unwrap_or(0),
                bytes: bytes.parse().unwrap_or(0),
            };
            Ok((counters, end + 1))
        }
        _ => Err(fault(span, say!("iptables/bad-counters"))),
    }
}
