//! Reads a text that was edited: the rules of lines that are as they were are copied.

use super::building::Building;
use super::commit;
use super::names::Names;
use super::tables::Reader;
use crate::netfilter::{Chain, Match, Rule, Ruleset, Table, TableName, Target};
use crate::text::{FileId, Pace, Span};

/// A text of `iptables-save` of which nothing was to be said, and what was read of it.
#[derive(Clone, Debug)]
pub struct Before<'b> {
    pub text: &'b str,
    pub tables: Vec<&'b Table>,
}

/// What [`read`](super::read) would read, where the edit is one of rules that are appended; `None` where it must be asked.
pub async fn read_again(
    text: &str,
    file: FileId,
    before: &Before<'_>,
    pace: &Pace,
) -> Option<Ruleset> {
    let edit = Edit::between(before.text, text);
    if text == before.text {
        let mut tables = Vec::with_capacity(before.tables.len());
        for table in &before.tables {
            tables.push(edit.copy(table, file, pace).await?);
        }
        return Some(Ruleset { tables });
    }
    let name = table_at(before.text, edit.start)?;
    let (old, new) = (
        before.text.get(edit.start..edit.old_end)?,
        text.get(edit.start..edit.new_end)?,
    );
    let rules = |text: &str| {
        let mut lines = text.lines();
        lines.all(|line| line.is_empty() || line.starts_with("-A "))
    };
    if !rules(old) || !rules(new) {
        return None;
    }
    let mut tables = Vec::with_capacity(before.tables.len());
    for table in &before.tables {
        let mut table = edit.copy(table, file, pace).await?;
        if table.name == name {
            add(text, file, &edit, &mut table)?;
        }
        tables.push(table);
    }
    Some(Ruleset { tables })
}

/// Puts the rules of the new lines where those of the old ones were.
fn add(text: &str, file: FileId, edit: &Edit, table: &mut Table) -> Option<()> {
    let heads = table.chains.iter().map(|chain| Chain {
        rules: Vec::new(),
        name: chain.name.clone(),
        ..*chain
    });
    let mut building = Building {
        family: table.family,
        name: table.name,
        span: table.span,
        chains: heads.collect(),
        names: Names::default(),
        gone: Vec::new(),
        run: (0, Vec::new()),
    };
    building.names.reset(&building.chains);
    let made = Reader::commands(text, file, building, edit.start..edit.new_end)?;
    for (chain, made) in table.chains.iter_mut().zip(made.chains) {
        if !made.rules.is_empty() {
            let place = chain
                .rules
                .partition_point(|rule| (rule.span.start as usize) < edit.start);
            chain.rules.splice(place..place, made.rules);
        }
    }
    commit::check(table).is_empty().then_some(())
}

/// The table that stands around a place; `None` as well where the text has more than tables with appended rules.
fn table_at(text: &str, place: usize) -> Option<TableName> {
    let mut seen = Vec::new();
    let (mut open, mut around) = (None, None);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at <= place {
            around = open;
        }
        match line.as_bytes() {
            [b'*', ..] => {
                let name = TableName::from_name(line.trim_end().get(1..)?)?;
                if seen.contains(&name) || open.is_some() {
                    return None;
                }
                seen.push(name);
                open = Some(name);
            }
            [b'-', b'A', b' ', ..] | [b':', ..] if open.is_some() => {}
            [b'#' | b'\n', ..] => {}
            b"COMMIT\n" => open = None,
            _ => return None,
        }
        at += line.len();
    }
    if at <= place { open } else { around }
}

/// Lines that others stand for, from `start` on.
#[derive(Debug, PartialEq, Eq)]
struct Edit {
    start: usize,
    old_end: usize,
    new_end: usize,
}

impl Edit {
    fn between(old: &str, new: &str) -> Self {
        let same = common(old.as_bytes(), new.as_bytes());
        let start = old
            .as_bytes()
            .get(..same)
            .and_then(|same| same.iter().rposition(|b| *b == b'\n'))
            .map_or(0, |end| end + 1);
        let rest = |text: &str| text.len() - start;
        let (a, b) = (
            old.as_bytes().get(start..).unwrap_or_default(),
            new.as_bytes().get(start..).unwrap_or_default(),
        );
        let mut tail = common_end(a, b);
        let starts = |text: &[u8]| {
            let before = text.len() - tail;
            before == 0 || text.get(before - 1) == Some(&b'\n')
        };
        if !(starts(a) && starts(b)) {
            let kept = a.get(a.len() - tail..).unwrap_or_default();
            let cut = kept.iter().position(|b| *b == b'\n');
            tail = cut.map_or(0, |end| tail - end - 1);
        }
        Self {
            start,
            old_end: start + rest(old) - tail,
            new_end: start + rest(new) - tail,
        }
    }

    /// A table without the rules of the old lines. `None` where something in it has a place of its own.
    async fn copy(&self, table: &Table, file: FileId, pace: &Pace) -> Option<Table> {
        let place = |at: u32| match at as usize {
            at if at >= self.old_end => at - self.old_end + self.new_end,
            at => at,
        };
        let moved = |span: Span| Span::new(file, place(span.start), place(span.end));
        let gone = |rule: &Rule| (self.start..self.old_end).contains(&(rule.span.start as usize));
        let placed = |rule: &Rule| {
            let unsupported = |m: &Match| matches!(m, Match::Unsupported(_));
            rule.matches.iter().any(unsupported) || matches!(rule.target, Target::Unsupported(_))
        };
        let mut chains = Vec::with_capacity(table.chains.len());
        for chain in &table.chains {
            // Copying a rule takes a fraction of what reading it does.
            pace.went(16 * (1 + chain.rules.len())).await;
            let mut rules = Vec::with_capacity(chain.rules.len());
            for rule in chain.rules.iter().filter(|rule| !gone(rule)) {
                if placed(rule) {
                    return None;
                }
                rules.push(Rule {
                    span: moved(rule.span),
                    ..rule.clone()
                });
            }
            chains.push(Chain {
                rules,
                name: chain.name.clone(),
                span: moved(chain.span),
                ..*chain
            });
        }
        Some(Table {
            family: table.family,
            name: table.name,
            chains,
            span: moved(table.span),
        })
    }
}

const BLOCK: usize = 1024;

/// How many bytes both begin with.
fn common(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    let start = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let start = start.min(a.len()).min(b.len());
    let rest = a.iter().zip(b).skip(start);
    start + rest.take_while(|(a, b)| a == b).count()
}

/// How many bytes both end with.
fn common_end(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks(BLOCK).zip(b.rchunks(BLOCK));
    let end = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let end = end.min(a.len()).min(b.len());
    let rest = a.iter().rev().zip(b.iter().rev()).skip(end);
    end + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::save::read;
    use crate::text::at_once;

    const TEXT: &str = "\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:A - [0:0]
-A INPUT -j A
-A A -p tcp -m comment --comment \"é\" -j ACCEPT
-A A -p udp -j DROP
-A A -s 10.0.0.1,10.0.0.2 -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:B - [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j B
-A B -p tcp -j DNAT --to-destination 10.0.0.5:8080
-A B -j RETURN
COMMIT
";

    fn again(old: &str, new: &str) -> Option<Ruleset> {
        let (ruleset, said) = read(old, FileId(1));
        assert_eq!(said, []);
        let before = Before {
            text: old,
            tables: ruleset.tables.iter().collect(),
        };
        at_once(read_again(new, FileId(2), &before, &Pace::AT_ONCE))
    }

    #[test]
    fn an_edited_rule_comes_to_the_same_as_a_fresh_reading() {
        for (from, to) in [
            ("--dport 80 ", "--dport 8080 "),
            ("10.0.0.5:8080", "10.0.0.5:808"),
            ("-A A -p udp -j DROP\n", ""),
            (
                "-A A -p udp -j DROP\n",
                "-A A -p udp -j DROP\n-A A -p udp -j DROP\n-A FORWARD -j A\n",
            ),
            (
                "-A B -j RETURN\n",
                "-A B -p udp -j ACCEPT\n-A B -j RETURN\n",
            ),
            ("-A B -j RETURN\n", "-A B -j RETURN\n-A B -j RETURN\n"),
            ("10.0.0.1,10.0.0.2", "10.0.0.1,10.0.0.2,10.0.0.3"),
            ("é", "è"),
            ("x", "x"),
        ] {
            let new = TEXT.replacen(from, to, 1);
            let (fresh, said) = read(&new, FileId(2));
            assert_eq!(said, [], "{to}");
            assert_eq!(again(TEXT, &new), Some(fresh), "{to}");
        }
    }

    #[test]
    fn other_edits_are_left_to_a_fresh_reading() {
        for (from, to) in [
            (":B - [0:0]\n", ":B - [0:0]\n:C - [0:0]\n"),
            ("-A B -j RETURN", "-A B -j NOBODY"),
            ("-A B -j RETURN", "-I B -j RETURN"),
            ("-A B -j RETURN", "-A B -j PREROUTING"),
            ("-A A -p udp -j DROP", "-A A -j A"),
            ("COMMIT\n*nat", "*nat"),
            ("RETURN\nCOMMIT\n", "RETURN\nCOMMIT\n-A B -j RETURN\n"),
            ("*filter", "*mangle"),
        ] {
            assert_eq!(again(TEXT, &TEXT.replacen(from, to, 1)), None, "{to}");
        }
        let inserted = TEXT.replace("-A INPUT", "-I INPUT");
        assert_eq!(again(&inserted, &inserted.replace("8080", "80")), None);
    }
}
