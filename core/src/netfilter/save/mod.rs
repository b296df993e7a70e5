//! Reads what `iptables-save` prints and `iptables-restore` takes, `iptables -S`, and the same of ip6tables.
//!
//! What iptables-restore (1.8.9, legacy) takes is taken and what it refuses is refused, each at its own [`Stage`]; but a
//! refusal here costs its line alone, not the table.

mod again;
mod building;
mod commit;
mod finish;
mod names;
mod options;
mod own;
mod rule;
mod tables;
mod words;

pub use again::{Before, read_again};

use std::sync::Arc;

use self::tables::{Reader, SoFar};
use super::Match;
use super::ruleset::{Ruleset, TableName};
use crate::net::IpFamily;
use crate::say;
use crate::text::{Diagnostic, FileId, Severity};

/// Where iptables-restore finds a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It cannot read the line: it ends with status 2, `--test` too.
    Parse,
    /// The line is clear but the table does not allow it, such as a rule in a chain that is not there: `line N failed`,
    /// status 1, `--test` too.
    Line,
    /// The kernel refuses the table at `COMMIT`; `--test` does not find it.
    Commit,
}

impl Stage {
    /// The stage of an error of [`read`] or [`missing_sets`]; `None` for what is no refusal.
    pub fn of(diagnostic: &Diagnostic) -> Option<Stage> {
        if diagnostic.severity != Severity::Error {
            return None;
        }
        let what = diagnostic.code().strip_prefix("iptables/")?;
        Some(match what.split('-').next() {
            Some("commit") => Stage::Commit,
            Some("line") => Stage::Line,
            _ => Stage::Parse,
        })
    }
}

/// Reads `iptables-save` text. Text without any `*table` line is taken for `iptables -S`, of the table that has such
/// built-in chains.
pub fn read(text: &str, file: FileId) -> (Ruleset, Vec<Diagnostic>) {
    read_of(IpFamily::V4, text, file)
}

/// The same of `iptables-save` or `ip6tables-save`.
pub fn read_of(family: IpFamily, text: &str, file: FileId) -> (Ruleset, Vec<Diagnostic>) {
    whole(family, text, file, None)
}

/// Reads `iptables -t TABLE -S` text.
pub fn read_commands(text: &str, file: FileId, table: TableName) -> (Ruleset, Vec<Diagnostic>) {
    whole(IpFamily::V4, text, file, Some(table))
}

fn whole(
    family: IpFamily,
    text: &str,
    file: FileId,
    table: Option<TableName>,
) -> (Ruleset, Vec<Diagnostic>) {
    let mut reader = Reader::new(family, text, file, table);
    reader.read_to(text.len());
    reader.done()
}

/// The same as [`read_of`], a stretch at a time, for who has other things to do as well.
pub struct Reading {
    text: Arc<str>,
    so_far: SoFar,
}

impl Reading {
    pub fn new(family: IpFamily, text: Arc<str>, file: FileId) -> Self {
        let so_far = Reader::new(family, &text, file, None).leave();
        Self { text, so_far }
    }

    /// Reads the lines that begin in the next so many bytes.
    pub fn go_on(self, bytes: usize) -> Self {
        let end = self.so_far.at.saturating_add(bytes);
        let mut reader = Reader::resume(&self.text, self.so_far);
        reader.read_to(end);
        let so_far = reader.leave();
        Self {
            text: self.text,
            so_far,
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.so_far.at >= self.text.len()
    }

    /// Bytes read, and bytes in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.so_far.at.min(self.text.len()), self.text.len())
    }

    pub fn done(self) -> (Ruleset, Vec<Diagnostic>) {
        let Self { text, so_far } = self;
        let mut reader = Reader::resume(&text, so_far);
        reader.read_to(text.len());
        reader.done()
    }
}

/// The sets that rules name and `has_set` does not know: iptables-restore refuses such rules when it parses them.
pub fn missing_sets(ruleset: &Ruleset, has_set: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
    let rules = (ruleset.tables.iter())
        .flat_map(|t| &t.chains)
        .flat_map(|c| &c.rules);
    let mut missing = Vec::new();
    for rule in rules {
        for m in &rule.matches {
            if let Match::Set(set) = m
                && !has_set(&set.set)
            {
                let what = say!("iptables/no-such-set", name = set.set);
                missing.push(Diagnostic::error(rule.span, what));
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_a_stretch_at_a_time_comes_to_the_same() {
        let texts = [
            "*nat\n:PREROUTING ACCEPT [1:2]\n:A - [0:0]\n[3:4] -A PREROUTING -p tcp --dport 80 -j A\n-A A -j B\nCOMMIT\n*filter\n-A INPUT -j DROP\nCOMMIT\n",
            "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -j DROP",
            "*nat\r\n-A OUTPUT -j RETURN\r\n",
            "",
        ];
        for text in texts {
            for bytes in [1, 7, 40] {
                let mut reading = Reading::new(IpFamily::V4, text.into(), FileId(2));
                while !reading.is_at_end() {
                    let before = reading.progress().0;
                    reading = reading.go_on(bytes);
                    assert!(reading.progress().0 > before);
                }
                assert_eq!(reading.done(), read(text, FileId(2)), "{text}");
            }
            let ahead = Reading::new(IpFamily::V4, text.into(), FileId(2)).go_on(20);
            assert_eq!(ahead.done(), read(text, FileId(2)), "the rest at once");
        }
    }
}
