//! `iptables -L`, `iptables -S` and `iptables-save`, and the same of ip6tables, with the counters as the run left them.

use super::Answer;
use super::args::{Arg, Args};
use super::machine::Machine;
use crate::net::IpFamily;
use crate::netfilter::print::{self, Listing};
use crate::netfilter::{Chain, ChainId, Counters, Hook, Policy, Ruleset, Table, TableName};
use crate::say;
use crate::text::{Diagnostic, Span};

pub(super) const USAGE: &str = "\
iptables [-t TABLE] -L [CHAIN [NUMBER]] [-n] [-v] [-x] [--line-numbers]
iptables [-t TABLE] -S [CHAIN [NUMBER]]";

pub(super) const USAGE6: &str = "\
ip6tables [-t TABLE] -L [CHAIN [NUMBER]] [-n] [-v] [-x] [--line-numbers]
ip6tables [-t TABLE] -S [CHAIN [NUMBER]]";

pub(super) const SAVE_USAGE: &str = "iptables-save [-c] [-t TABLE]";

pub(super) const SAVE_USAGE6: &str = "ip6tables-save [-c] [-t TABLE]";

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    List,
    Commands,
}

#[derive(Default)]
struct Request<'a> {
    table: Option<&'a Arg>,
    form: Option<(Form, &'a Arg)>,
    chain: Option<&'a Arg>,
    number: Option<&'a Arg>,
    style: Listing,
}

pub(super) fn iptables(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    look(IpFamily::V4, machine, args)
}

pub(super) fn ip6tables(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    look(IpFamily::V6, machine, args)
}

fn look(family: IpFamily, machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let mut asked = Request::default();
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "--table" => asked.table = Some(args.value(word)?),
            "--list" => form(args, &mut asked, Form::List, word),
            "--list-rules" => form(args, &mut asked, Form::Commands, word),
            "--numeric" => asked.style.numeric = true,
            "--verbose" => asked.style.verbose = true,
            "--exact" => asked.style.exact = true,
            "--line-numbers" | "--line-number" => asked.style.line_numbers = true,
            "--wait" => {}
            text => letters(family, args, &mut asked, word, text)?,
        }
    }
    let Some((form, option)) = asked.form else {
        return Err(args.not_taken(args.tool));
    };
    let table = match asked.table {
        None => TableName::Filter,
        Some(word) => table_name(word)?,
    };
    let rules = machine.rules();
    let empty;
    let table = match rules.table(family, table) {
        Some(table) => table,
        // Listing loads a table that nobody used so far.
        None => {
            empty = unused(family, table);
            &empty
        }
    };
    let number = match asked.number {
        None => None,
        Some(word) => Some(word.text.parse::<usize>().map_err(|_| args.bad(word))?),
    };
    match (form, asked.chain) {
        (Form::List, None) => Ok(print::list_all(table, asked.style).into()),
        (Form::List, Some(name)) => {
            let chain = find(table, name, option)?;
            Ok(match number {
                None => print::list(table, chain, asked.style),
                Some(number) => print::list_rule(table, chain, number, asked.style),
            }
            .into())
        }
        (Form::Commands, _) if asked.style.verbose => Err(args.not_taken(option)),
        (Form::Commands, None) => Ok(print::commands(table).into()),
        (Form::Commands, Some(name)) => {
            let id = find(table, name, option)?;
            Ok(commands(table, id, number).into())
        }
    }
}

/// Options of one letter, several in one word: `-nvL`.
fn letters<'a>(
    family: IpFamily,
    args: &mut Args<'a>,
    asked: &mut Request<'a>,
    word: &'a Arg,
    text: &str,
) -> Result<(), Diagnostic> {
    let letters = text.strip_prefix('-').unwrap_or_default();
    if letters.is_empty() || letters.starts_with('-') {
        return Err(args.not_taken(word));
    }
    for (at, letter) in letters.char_indices() {
        match letter {
            'n' => asked.style.numeric = true,
            'v' => asked.style.verbose = true,
            'x' => asked.style.exact = true,
            'w' => {}
            '4' if family == IpFamily::V4 => {}
            '6' if family == IpFamily::V6 => {}
            'L' => form(args, asked, Form::List, word),
            'S' => form(args, asked, Form::Commands, word),
            't' if at + 1 == letters.len() => asked.table = Some(args.value(word)?),
            'A' | 'I' | 'D' | 'R' | 'F' | 'Z' | 'N' | 'X' | 'P' | 'E' => {
                return Err(args.only_looks(word));
            }
            _ => return Err(args.not_taken(word)),
        }
    }
    Ok(())
}

fn form<'a>(args: &mut Args<'a>, asked: &mut Request<'a>, form: Form, option: &'a Arg) {
    asked.form = Some((form, option));
    if asked.chain.is_none() {
        asked.chain = args.next_plain();
        asked.number = asked.chain.and_then(|_| args.next_plain());
    }
}

pub(super) fn save(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    saved(IpFamily::V4, machine, args)
}

pub(super) fn save6(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    saved(IpFamily::V6, machine, args)
}

fn saved(family: IpFamily, machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let (mut counters, mut only) = (false, None);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-c" | "--counters" => counters = true,
            "-t" | "--table" => only = Some(table_name(args.value(word)?)?),
            _ => return Err(args.not_taken(word)),
        }
    }
    let mut rules = machine.rules();
    rules.tables.retain(|t| t.family == family);
    if let Some(only) = only {
        rules.tables.retain(|t| t.name == only);
        if rules.tables.is_empty() {
            rules.tables.push(unused(family, only));
        }
    }
    Ok(print::save(&rules, counters).into())
}

pub(super) fn table_name(word: &Arg) -> Result<TableName, Diagnostic> {
    TableName::from_name(&word.text).ok_or_else(|| {
        let names = TableName::ALL.map(TableName::name).join(", ");
        let said = say!("console/no-table", name = word.text, tables = names);
        Diagnostic::error(word.span, said)
    })
}

/// Built-in chains that accept, and nothing else.
fn unused(family: IpFamily, name: TableName) -> Table {
    let builtin = |hook: &Hook| Chain {
        name: hook.name().into(),
        policy: Some(Policy::Accept),
        counters: Counters::default(),
        rules: Vec::new(),
        span: Span::default(),
    };
    Table {
        family,
        name,
        chains: name.hooks().iter().map(builtin).collect(),
        span: Span::default(),
    }
}

fn tool(family: IpFamily) -> &'static str {
    match family {
        IpFamily::V4 => "iptables",
        IpFamily::V6 => "ip6tables",
    }
}

fn find(table: &Table, name: &Arg, option: &Arg) -> Result<ChainId, Diagnostic> {
    table.find(&name.text).ok_or_else(|| {
        let said = say!(
            "console/no-chain",
            table = table.name,
            name = name.text,
            command = format!("{} -t {} {}", tool(table.family), table.name, option.text)
        );
        Diagnostic::error(name.span, said)
    })
}

/// The lines of `-S` that are of one chain, or of one of its rules.
fn commands(table: &Table, id: ChainId, number: Option<usize>) -> String {
    let Some(chain) = table.chain(id) else {
        return String::new();
    };
    let mut out = String::new();
    if number.is_none() {
        let policy = chain.policy.map(|p| match p {
            Policy::Accept => "ACCEPT",
            Policy::Drop => "DROP",
        });
        out = match policy {
            Some(policy) => format!("-P {} {policy}\n", chain.name),
            None => format!("-N {}\n", chain.name),
        };
    }
    for (at, rule) in chain.rules.iter().enumerate() {
        if number.is_none_or(|n| n == at + 1) {
            out.push_str(&print::rule(table, chain, rule));
            out.push('\n');
        }
    }
    out
}

/// The names of a table's chains.
pub(super) fn chains(rules: &Ruleset, family: IpFamily, table: TableName) -> Vec<String> {
    match rules.table(family, table) {
        Some(table) => table.chains.iter().map(|c| c.name.to_string()).collect(),
        None => unused(family, table)
            .chains
            .iter()
            .map(|c| c.name.to_string())
            .collect(),
    }
}
