//! `ipset save` and `ipset list` (ipset `lib/session.c`).

use std::fmt::Write;

use super::args::{Arg, Args};
use super::machine::Machine;
use super::{Answer, Output};
use crate::netfilter::ipset::{Kind, Set};
use crate::netfilter::{Match, Rule, Target};
use crate::say;
use crate::text::Diagnostic;

pub(super) const USAGE: &str = "\
ipset save [SET]
ipset list [-n] [SET]";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let Some(command) = args.next() else {
        return Err(args.not_taken(args.tool));
    };
    let list = match command.text.as_str() {
        "save" | "-S" => false,
        "list" | "-L" => true,
        "add" | "create" | "del" | "destroy" | "flush" | "swap" | "rename" | "restore" | "-A"
        | "-N" | "-D" | "-X" | "-F" | "-R" => return Err(args.only_looks(command)),
        _ => return Err(args.not_taken(command)),
    };
    let (mut names, mut only) = (false, None);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-n" | "-name" | "--name" if list => names = true,
            text if text.starts_with('-') || only.is_some() => return Err(args.not_taken(word)),
            _ => only = Some(find(machine, word)?),
        }
    }
    let sets: Vec<&Set> = match only {
        Some(set) => vec![set],
        None => machine.sets().in_order().collect(),
    };
    let mut out = String::new();
    let now = machine.run.after.now;
    for set in &sets {
        let _ = match (list, names) {
            (false, _) => {
                out.push_str(&set.save(now));
                Ok(())
            }
            (true, true) => writeln!(out, "{}", set.name),
            (true, false) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                whole(machine, set, &mut out);
                Ok(())
            }
        };
    }
    let out = Output::from(out);
    if list && !names && !sets.is_empty() {
        let span = args.tool.span;
        return Ok(out.note(Diagnostic::note(span, say!("console/ipset-left-out"))));
    }
    Ok(out)
}

fn find<'m>(machine: &'m Machine<'_>, word: &Arg) -> Result<&'m Set, Diagnostic> {
    machine.sets().get(&word.text).ok_or_else(|| {
        let all = machine.sets().sets.iter();
        let names: Vec<_> = all.map(|s| &*s.name).collect();
        let said = say!(
            "console/no-set",
            host = machine.host.name,
            name = word.text,
            sets = names.join(", ")
        );
        Diagnostic::error(word.span, said)
    })
}

fn whole(machine: &Machine<'_>, set: &Set, out: &mut String) {
    let (kind, header) = set.create.split_once(' ').unwrap_or((&set.create, ""));
    let entries = set.entries(machine.run.after.now);
    let _ = writeln!(
        out,
        "Name: {}\nType: {kind}\nHeader: {header}\nReferences: {}\nNumber of entries: {}\nMembers:",
        set.name,
        references(machine, &set.name),
        entries.len()
    );
    for entry in entries {
        let _ = writeln!(out, "{entry}");
    }
}

/// How often rules ask about a set or change it, and lists that have it.
fn references(machine: &Machine<'_>, name: &str) -> usize {
    let tables = machine.host.iptables.tables.iter();
    let rules = tables.flat_map(|t| &t.chains).flat_map(|c| &c.rules);
    let asks = |m: &&Match| matches!(m, Match::Set(set) if *set.set == *name);
    let changes = |target: &Target| match target {
        Target::Set(set) => {
            let named = [&set.add, &set.remove, &set.map].into_iter().flatten();
            named.filter(|change| *change.name == *name).count()
        }
        _ => 0,
    };
    let lists = machine.sets().sets.iter().filter(
        |s| matches!(&s.kind, Kind::List(entries) if entries.iter().any(|e| *e.set == *name)),
    );
    let of = |rule: &Rule| rule.matches.iter().filter(asks).count() + changes(&rule.target);
    rules.map(of).sum::<usize>() + lists.count()
}
