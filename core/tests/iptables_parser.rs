//! What iptables-restore takes and refuses, and what iptables-save prints of it, against recordings of the real ones.

use northsouth::netfilter::{TableName, print, save};
use northsouth::text::{FileId, Lang};

struct Case<'t> {
    table: TableName,
    note: &'t str,
    text: String,
    expect: Expect<'t>,
}

#[derive(Debug, PartialEq)]
enum Expect<'t> {
    Saved(Vec<&'t str>),
    Refused(save::Stage),
}

/// Reads the form that the files under `data` explain.
fn cases(data: &str) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for block in data.split("\n# ").skip(1) {
        let (title, rest) = block.split_once('\n').unwrap();
        let (table, note) = title.split_once(": ").unwrap();
        let table = TableName::from_name(table).unwrap();
        let mut text = format!("*{table}\n");
        for hook in table.hooks() {
            text += &format!(":{hook} ACCEPT [0:0]\n");
        }
        let mut expect = Expect::Saved(Vec::new());
        for line in rest.lines().filter(|l| !l.is_empty()) {
            if let Some(rule) = line.strip_prefix('=') {
                if let Expect::Saved(rules) = &mut expect {
                    rules.extend(Some(rule.trim_start()).filter(|r| !r.is_empty()));
                }
            } else if let Some(refusal) = line.strip_prefix("! ") {
                expect = Expect::Refused(match refusal.split(' ').next().unwrap() {
                    "parse" => save::Stage::Parse,
                    "line" => save::Stage::Line,
                    "commit" => save::Stage::Commit,
                    other => panic!("{other}"),
                });
            } else {
                text += line;
                text += "\n";
            }
        }
        text += "COMMIT\n";
        cases.push(Case {
            table,
            note,
            text,
            expect,
        });
    }
    cases
}

/// How many of the cases come out right; says those that do not.
fn score(name: &str, data: &str, floor: usize) {
    let cases = cases(data);
    let mut right = 0;
    for case in &cases {
        let (ruleset, mut said) = save::read(&case.text, FileId(0));
        said.extend(save::missing_sets(&ruleset, |_| false));
        // iptables-restore stops at the first refusal; those of the commit come after all lines.
        let refusal = said
            .iter()
            .filter_map(save::Stage::of)
            .min_by_key(|s| *s == save::Stage::Commit);
        let printed = print::save(&ruleset, false);
        let found = match refusal {
            Some(stage) => Expect::Refused(stage),
            None => Expect::Saved(printed.lines().filter(|l| l.starts_with("-A")).collect()),
        };
        if found == case.expect {
            right += 1;
        } else {
            let said: Vec<_> = said.iter().map(|d| d.message.text(Lang::En)).collect();
            println!(
                "{}: {}\n  wants {:?}\n  found {found:?} {said:?}",
                case.table, case.note, case.expect
            );
        }
    }
    println!("{name}: {right} of {}", cases.len());
    assert!(right >= floor, "{right} of {}, was {floor}", cases.len());
}

#[test]
fn iptables_restore_and_we_take_and_refuse_the_same() {
    score(
        "iptables-parser",
        include_str!("data/iptables-parser.txt"),
        100,
    );
}

#[test]
fn every_option_is_taken_and_refused_as_iptables_restore_does() {
    score(
        "iptables-options",
        include_str!("data/iptables-options.txt"),
        783,
    );
}
