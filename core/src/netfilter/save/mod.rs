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

use self::tables::Reader;
use super::Match;
use super::ruleset::{Ruleset, TableName};
use crate::net::IpFamily;
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Severity, at_once};

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
    at_once(read_along(family, text, file, &Pace::AT_ONCE))
}

/// The same, pausing on the way.
pub async fn read_along(
    family: IpFamily,
    text: &str,
    file: FileId,
    pace: &Pace,
) -> (Ruleset, Vec<Diagnostic>) {
    whole(family, text, file, None, pace).await
}

/// Reads `iptables -t TABLE -S` text.
pub fn read_commands(text: &str, file: FileId, table: TableName) -> (Ruleset, Vec<Diagnostic>) {
    at_once(whole(IpFamily::V4, text, file, Some(table), &Pace::AT_ONCE))
}

async fn whole(
    family: IpFamily,
    text: &str,
    file: FileId,
    table: Option<TableName>,
    pace: &Pace,
) -> (Ruleset, Vec<Diagnostic>) {
    let mut reader = Reader::new(family, text, file, table);
    loop {
        let read = reader.read_some();
        if read == 0 {
            return reader.done();
        }
        pace.read(read).await;
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
