//! `nft list`, with counters and elements as the run left them.

use super::Answer;
use super::args::{Arg, Args};
use super::machine::Machine;
use crate::netfilter::nft::{self, Family, Ruleset, Table};
use crate::say;
use crate::text::Diagnostic;

pub(super) const USAGE: &str = "\
nft list ruleset
nft list tables
nft list table FAMILY TABLE
nft list chain|set|map FAMILY TABLE NAME";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let command = loop {
        match args.next() {
            None => return Err(args.not_taken(args.tool)),
            Some(word) if matches!(word.text.as_str(), "-n" | "-nn" | "-y" | "--numeric") => {}
            Some(word) => break word,
        }
    };
    match command.text.as_str() {
        "list" => {}
        "add" | "create" | "insert" | "delete" | "destroy" | "flush" | "replace" | "rename"
        | "reset" | "-f" => return Err(args.only_looks(command)),
        _ => return Err(args.not_taken(command)),
    }
    let Some(what) = args.next() else {
        return Err(args.not_taken(command));
    };
    let rules = nft::after(&machine.host.nft, &machine.state.nft, machine.run.after.now);
    let text = match what.text.as_str() {
        "ruleset" => rules.to_string(),
        "tables" => {
            let line = |t: &Table| format!("table {} {}\n", t.family.name(), t.name);
            rules.tables.iter().map(line).collect()
        }
        "table" => table(&rules, args, what)?.to_string(),
        "chain" | "set" | "map" => {
            let found = table(&rules, args, what)?;
            let name = args.value(what)?;
            part(found, &what.text, name)?
        }
        _ => return Err(args.not_taken(what)),
    };
    args.end()?;
    Ok(text.into())
}

/// `[FAMILY] TABLE`; without a family, `ip`.
fn table<'r>(rules: &'r Ruleset, args: &mut Args<'_>, what: &Arg) -> Result<&'r Table, Diagnostic> {
    let mut word = args.value(what)?;
    let mut family = Family::Ip;
    if let Some(named) = Family::ALL.into_iter().find(|f| f.name() == word.text) {
        family = named;
        word = args.value(what)?;
    }
    let found = rules
        .tables
        .iter()
        .find(|t| t.family == family && *t.name == *word.text);
    found.ok_or_else(|| {
        let names = rules.tables.iter();
        let names: Vec<_> = names
            .map(|t| format!("{} {}", t.family.name(), t.name))
            .collect();
        let name = format!("{} {}", family.name(), word.text);
        let said = say!(
            "console/no-nft-table",
            name = name,
            tables = names.join(", ")
        );
        Diagnostic::error(word.span, said)
    })
}

/// One chain, set or map, in its table.
fn part(table: &Table, kind: &str, name: &Arg) -> Result<String, Diagnostic> {
    let found = match kind {
        "chain" => table.chains.iter().any(|c| *c.name == *name.text),
        _ => {
            let is = |s: &nft::Set| *s.name == *name.text && s.data.is_some() == (kind == "map");
            table.sets.iter().any(is)
        }
    };
    let in_table = format!("{} {}", table.family.name(), table.name);
    if !found {
        let said = say!(
            "console/no-nft-part",
            kind = kind,
            name = name.text,
            table = in_table
        );
        return Err(Diagnostic::error(name.span, said));
    }
    Ok(only(
        &table.to_string(),
        &format!("{kind} {} {{", name.text),
    ))
}

/// Chains and sets name each other by their places, so those that are not wanted are cut from the text.
fn only(text: &str, head: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut first) = (false, true);
    for line in text.lines() {
        if line.starts_with('\t') && !line.starts_with("\t\t") && line.ends_with('{') {
            inside = line.trim() == head;
        }
        if inside || first || line == "}" {
            out.push_str(line);
            out.push('\n');
        }
        first = false;
        if line == "\t}" {
            inside = false;
        }
    }
    out
}

pub(super) fn complete(machine: &Machine<'_>, words: &[&str]) -> Vec<String> {
    let tables = &machine.host.nft.tables;
    let of = |family: &str, name: &str| {
        let is = |t: &&Table| t.family.name() == family && *t.name == *name;
        tables.iter().find(is)
    };
    let texts = |words: &[&str]| words.iter().map(|w| (*w).to_string()).collect();
    match words {
        [] => texts(&["list"]),
        ["list"] => texts(&["chain", "map", "ruleset", "set", "table", "tables"]),
        ["list", "chain" | "map" | "set" | "table"] => {
            let mut names: Vec<_> = tables.iter().map(|t| t.family.name().to_string()).collect();
            names.dedup();
            names
        }
        ["list", "chain" | "map" | "set" | "table", family] => {
            let own = tables.iter().filter(|t| t.family.name() == *family);
            own.map(|t| t.name.to_string()).collect()
        }
        ["list", "chain", family, table] => match of(family, table) {
            Some(table) => table.chains.iter().map(|c| c.name.to_string()).collect(),
            None => Vec::new(),
        },
        ["list", kind @ ("map" | "set"), family, table] => match of(family, table) {
            Some(table) => {
                let sets = table.sets.iter();
                let sets = sets.filter(|s| s.data.is_some() == (*kind == "map"));
                sets.map(|s| s.name.to_string()).collect()
            }
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}
