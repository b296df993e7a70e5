//! Changes of an exercise's file, for who writes one with a picker: the text stays the author's, a list of its front matter
//! changes. And the form in which one text a language travels together.

use std::ops::Range;

use super::{Editable, Lines};
use crate::text::Lang;

/// The text with another list of what may be edited.
pub fn with_edit(text: &str, editable: &[Editable]) -> String {
    let mut list = String::new();
    for one in editable {
        let file = scalar(&one.file);
        match &one.lines {
            Lines::All => list.push_str(&format!("- {file}\n")),
            Lines::Range(from, to) => {
                list.push_str(&format!("- file: {file}\n  lines: {from}-{to}\n"));
            }
            Lines::With(with) => {
                list.push_str(&format!("- file: {file}\n  with: {}\n", scalar(with)));
            }
        }
    }
    match list.is_empty() {
        true => replaced(text, "edit", "edit: []\n"),
        false => replaced(text, "edit", &format!("edit:\n{list}")),
    }
}

/// The text with one more goal, given by its keys and values in order.
pub fn with_goal(text: &str, keys: &[(&str, String)]) -> String {
    let mut goal = String::new();
    for (at, (key, value)) in keys.iter().enumerate() {
        let lead = if at == 0 { "-" } else { " " };
        goal.push_str(&format!("{lead} {key}: {}\n", scalar(value)));
    }
    let mut goals = goals(text);
    goals.push(goal);
    replaced(text, "goals", &format!("goals:\n{}", goals.concat()))
}

/// The text without the goal at a position.
pub fn without_goal(text: &str, at: usize) -> String {
    let mut goals = goals(text);
    if at < goals.len() {
        goals.remove(at);
    }
    let list = goals.concat();
    match list.is_empty() {
        true => replaced(text, "goals", "goals: []\n"),
        false => replaced(text, "goals", &format!("goals:\n{list}")),
    }
}

/// The goals as they are written, each with its lines.
fn goals(text: &str) -> Vec<String> {
    let Some(block) = block(text, "goals") else {
        return Vec::new();
    };
    let lines = text.get(block).unwrap_or_default().split_inclusive('\n');
    let mut goals: Vec<String> = Vec::new();
    let mut indent = None;
    for line in lines.skip(1) {
        let here = line.len() - line.trim_start().len();
        let begins = line.trim_start().starts_with('-') && *indent.get_or_insert(here) == here;
        match goals.last_mut() {
            Some(goal) if !begins => goal.push_str(line),
            _ if begins => goals.push(line.to_string()),
            _ => {}
        }
    }
    goals
}

fn replaced(text: &str, key: &str, new: &str) -> String {
    let mut text = text.to_string();
    let end = front(&text).map_or(0, |f| f.end);
    let at = block(&text, key).unwrap_or(end..end);
    text.replace_range(at, new);
    text
}

/// The lines between the first two `---`.
fn front(text: &str) -> Option<Range<usize>> {
    let start = text.find('\n').filter(|_| text.starts_with("---"))? + 1;
    let mut at = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(start..at);
        }
        at += line.len();
    }
    None
}

/// A key of the front matter with all lines that belong to it.
fn block(text: &str, key: &str) -> Option<Range<usize>> {
    let front = front(text)?;
    let (mut at, mut found) = (front.start, None);
    for line in text.get(front.clone())?.split_inclusive('\n') {
        let top = !line.starts_with([' ', '\t', '-', '#', '\n', '\r']);
        match found {
            Some(start) if top => return Some(start..at),
            None if top && line.split(':').next() == Some(key) => found = Some(at),
            _ => {}
        }
        at += line.len();
    }
    found.map(|start| start..front.end)
}

/// A value as YAML takes it for a text, or for the number or word that it is.
fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || "-_./*% ".contains(c);
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || c == '/');
    if begins && text.chars().all(safe) && !text.ends_with(' ') {
        return text.to_string();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What the names of exercises from elsewhere begin with.
const SHARED: &str = "shared-";

/// Whether it is the name of an exercise from elsewhere, which who has not opened that one knows nothing of.
pub fn is_shared(name: &str) -> bool {
    name.starts_with(SHARED)
}

/// The name under which an exercise from elsewhere stands beside those of ours: what it says, so that a hand-in finds it
/// again. FNV-1a of what [`bundle`] made.
pub fn shared_name(bundle: &str) -> String {
    let sum = bundle.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{SHARED}{sum:016x}")
}

/// The same exercise told in several languages, as one text; one that is the same in all of them is that text.
pub fn bundle(told: &[(Lang, &str)]) -> String {
    match told {
        [(_, text), others @ ..] if others.iter().all(|(_, other)| other == text) => {
            (*text).to_string()
        }
        _ => told
            .iter()
            .map(|(lang, text)| format!("{} {}\n{text}\n", lang.tag(), text.len()))
            .collect(),
    }
}

/// What [`bundle`] made one of; a text that is a single exercise stands for every language.
pub fn unbundle(text: &str) -> Vec<(Lang, String)> {
    let mut told = Vec::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once('\n') {
        let (tag, length) = head.split_once(' ').unwrap_or_default();
        let lang = Lang::ALL.into_iter().find(|l| l.tag() == tag);
        let split = length.parse().ok().and_then(|n| after.split_at_checked(n));
        let (Some(lang), Some((text, after))) = (lang, split) else {
            break;
        };
        told.push((lang, text.to_string()));
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    if told.is_empty() {
        return Lang::ALL.map(|lang| (lang, text.to_string())).into();
    }
    // Who speaks another language gets what there is.
    for lang in Lang::ALL {
        if told.iter().all(|(l, _)| *l != lang)
            && let Some((_, text)) = told.first().cloned()
        {
            told.push((lang, text));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nversion: 1\nedit: all\ngoals:\n- status: 200\n- source: 1.2.3.4\n  at: web-*\nsources: []\n---\n# Title\n\ngoals: not these\n";

    #[test]
    fn the_list_of_what_may_be_edited_is_replaced_where_it_stands() {
        let of = |file: &str, lines| Editable {
            file: file.to_string(),
            lines,
        };
        let some = [
            of("nodes/*/ip-route.txt", Lines::Range(2, 4)),
            of("cluster.yaml", Lines::With("name: \"x\"".into())),
            of("vpc.yaml", Lines::All),
        ];
        let text = with_edit(TEXT, &some);
        assert!(text.contains("version: 1\nedit:\n- file: nodes/*/ip-route.txt\n  lines: 2-4\n- file: cluster.yaml\n  with: \"name: \\\"x\\\"\"\n- vpc.yaml\ngoals:\n"), "{text}");
        assert_eq!(with_edit(&with_edit(&text, &[]), &some), text);
        let without = "---\nversion: 1\n---\n# T\n";
        assert_eq!(
            with_edit(without, &[]),
            "---\nversion: 1\nedit: []\n---\n# T\n"
        );
    }

    #[test]
    fn goals_come_and_go() {
        let more = with_goal(TEXT, &[("share", "10 %".into()), ("of", "web-*".into())]);
        assert!(
            more.contains("  at: web-*\n- share: 10 %\n  of: web-*\nsources"),
            "{more}"
        );
        assert_eq!(without_goal(&more, 2), TEXT);
        let last = without_goal(&without_goal(TEXT, 1), 0);
        assert!(last.contains("goals: []\nsources"), "{last}");
        let again = with_goal(&last, &[("answered", "true".into())]);
        assert!(
            again.contains("goals:\n- answered: true\nsources"),
            "{again}"
        );
    }

    #[test]
    fn two_languages_travel_together() {
        let both = [(Lang::En, "---\nA\n"), (Lang::ZhCn, "---\n甲")];
        let back = unbundle(&bundle(&both));
        let back: Vec<_> = back.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(back, both);
        let one = unbundle(&bundle(&both[..1]));
        assert!(one.iter().all(|(_, text)| text == "---\nA\n"));
        assert_eq!(one.len(), Lang::ALL.len());
        let one: Vec<_> = one.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(bundle(&one), "---\nA\n");
        assert_eq!(unbundle("en 999\nx").len(), Lang::ALL.len());
    }
}
