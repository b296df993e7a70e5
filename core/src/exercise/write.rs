//! Changes of an exercise's file, for who writes one with a picker: the text stays the author's, a list of its front matter changes.

use super::{Editable, Lines};
use crate::text::{FileId, Page};
use crate::yaml::edit::{self, Edit};
use crate::yaml::{self, Node};

/// The text with another list of what may be edited.
pub fn with_edit(text: &str, editable: &[Editable]) -> String {
    let one = |one: &Editable| {
        let file = scalar(&one.file);
        match &one.lines {
            Lines::All => file,
            Lines::Range(from, to) => format!("{{file: {file}, lines: {from}-{to}}}"),
            Lines::With(with) => format!("{{file: {file}, with: {}}}", scalar(with)),
        }
    };
    let list: Vec<String> = editable.iter().map(one).collect();
    changed(text, |front| {
        let list = format!("[{}]", list.join(", "));
        Some(edit::set(text, front, "edit", &list))
    })
}

/// The text with one more goal, given by its keys and values in order.
pub fn with_goal(text: &str, keys: &[(&str, String)]) -> String {
    let pair = |(key, value): &(&str, String)| format!("{key}: {}", scalar(value));
    let pairs: Vec<String> = keys.iter().map(pair).collect();
    let goal = format!("{{{}}}", pairs.join(", "));
    changed(text, |front| match front.field("goals") {
        Some(goals) if matches!(goals.value, yaml::Value::Seq(_)) => {
            Some(edit::push_item(text, goals, &goal))
        }
        _ => Some(edit::set(text, front, "goals", &format!("[{goal}]"))),
    })
}

/// The text without the goal at a position.
pub fn without_goal(text: &str, at: usize) -> String {
    changed(text, |front| {
        let goals = front.field("goals")?.items();
        let gone = goals.get(at)?;
        Some(match goals.len() {
            1 => edit::set(text, front, "goals", "[]"),
            _ => edit::remove(text, gone.span),
        })
    })
}

/// The text after an edit of its front matter; as it is where that is none.
fn changed(text: &str, edit: impl FnOnce(&Node) -> Option<Edit>) -> String {
    let end = Page::read(text, FileId(0)).front;
    let front = end.and_then(|end| text.get(..end as usize));
    let (documents, _) = yaml::read(front.unwrap_or_default(), FileId(0));
    let edit = documents.first().and_then(edit);
    edit::apply(text, edit.into_iter().collect())
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
        let list = "edit: [{file: nodes/*/ip-route.txt, lines: 2-4}, {file: cluster.yaml, with: \"name: \\\"x\\\"\"}, vpc.yaml]\n";
        assert_eq!(text, TEXT.replace("edit: all\n", list));
        let block = TEXT.replace("edit: all\n", "edit:\n- a\n- file: b\n  lines: 1\n");
        assert_eq!(with_edit(&block, &some), text);
        assert_eq!(with_edit(&with_edit(&text, &[]), &some), text);
        let without = "---\nversion: 1\n---\n# T\n";
        assert_eq!(
            with_edit(without, &[]),
            "---\nedit: []\nversion: 1\n---\n# T\n"
        );
        assert_eq!(with_edit("# T\n", &some), "# T\n");
    }

    #[test]
    fn goals_come_and_go() {
        let keys = [("share", "10 %".to_string()), ("of", "web-*".into())];
        let more = with_goal(TEXT, &keys);
        let new = "  at: web-*\n- {share: 10 %, of: web-*}\nsources";
        assert_eq!(more, TEXT.replace("  at: web-*\nsources", new));
        assert_eq!(without_goal(&more, 2), TEXT);
        let last = without_goal(&without_goal(TEXT, 1), 0);
        assert!(last.contains("goals: []\nsources"), "{last}");
        let again = with_goal(&last, &[("answered", "true".into())]);
        assert!(
            again.contains("goals: [{answered: true}]\nsources"),
            "{again}"
        );
    }

    #[test]
    fn goals_in_brackets_keep_their_neighbours() {
        let flow = "---\ngoals: [{status: 200}, {source: 1.2.3.4, at: \"web-*\"}]\n---\n# T\n";
        let more = with_goal(flow, &[("answered", "true".into())]);
        assert_eq!(more, flow.replace("\"}]", "\"}, {answered: true}]"));
        assert_eq!(without_goal(&more, 2), flow);
        assert_eq!(
            without_goal(flow, 0),
            "---\ngoals: [{source: 1.2.3.4, at: \"web-*\"}]\n---\n# T\n"
        );
        let none = "---\ngoals:\n---\n# T\n";
        let one = with_goal(none, &[("answered", "true".into())]);
        assert_eq!(one, none.replace("goals:", "goals: [{answered: true}]"));
    }
}
