//! Changes of a YAML text that leave the rest of it as it was written: places to cut out, and fields to set.

use std::ops::Range;

use super::{Node, Value};
use crate::text::Span;

/// What takes the place of a stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub range: Range<usize>,
    pub text: String,
}

/// The text after some edits. What is only cut out may be cut by two of them; of others one that does not fit is left out.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|e| (e.range.start, e.range.end));
    edits.dedup();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Edit { range, text: new } in edits {
        let start = if new.is_empty() {
            range.start.max(done)
        } else {
            range.start
        };
        let (Some(kept), Some(_)) = (text.get(done..start), text.get(start..range.end)) else {
            continue;
        };
        out.push_str(kept);
        out.push_str(&new);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The innermost node at a span: a sequence of one item spans what its item does.
pub fn at(documents: &[Node], span: Span) -> Option<&Node> {
    let mut found = None;
    let mut todo: Vec<&Node> = documents.iter().rev().collect();
    while let Some(node) = todo.pop() {
        if node.span == span {
            found = Some(node);
        }
        if node.span.start <= span.start && span.end <= node.span.end {
            match &node.value {
                Value::Seq(items) => todo.extend(items.iter().rev()),
                Value::Map(entries) => todo.extend(entries.iter().rev().map(|e| &e.value)),
                _ => {}
            }
        }
    }
    found
}

/// Sets a field of a mapping to a value, which is YAML on one line. A new field stands before all others.
pub fn set(text: &str, map: &Node, key: &str, value: &str) -> Edit {
    let Some(entry) = map.entry(key) else {
        return put(text, map, &format!("{key}: {value}"));
    };
    let span = entry.value.span;
    let named = entry.key_span.end as usize;
    let colon = text
        .get(named..)
        .and_then(|t| t.find(':'))
        .map_or(named, |at| named + at + 1);
    // A field without a value has nothing to be replaced.
    if span.start == span.end || span.start < entry.key_span.end {
        return insert(colon, format!(" {value}"));
    }
    if !is_block(text, &entry.value) {
        return Edit {
            range: span.range(),
            text: value.to_string(),
        };
    }
    // Its lines are below the key, and its span begins behind the first dash.
    Edit {
        range: colon..end_of_block(text, &entry.value),
        text: format!(" {value}"),
    }
}

/// Puts an item, YAML on one line, behind all others of a sequence.
pub fn push_item(text: &str, seq: &Node, value: &str) -> Edit {
    let end = end_of_block(text, seq);
    if flow(text, seq) {
        let inside = text.get(..end).unwrap_or("");
        let inside = inside.strip_suffix(']').unwrap_or(inside).trim_end();
        let comma = match inside.ends_with(['[', ',']) {
            true if inside.ends_with('[') => "",
            true => " ",
            false => ", ",
        };
        return insert(inside.len(), format!("{comma}{value}"));
    }
    let rest = text.get(end..).unwrap_or("");
    let line_end = end + rest.find('\n').unwrap_or(rest.len());
    let (_, indent) = first_dash(text, seq);
    insert(line_end, format!("\n{indent}- {value}"))
}

/// Where a node's own text ends: a block's span may reach over the ends of its lines.
fn end_of_block(text: &str, node: &Node) -> usize {
    let own = text.get(node.span.range()).unwrap_or("");
    node.span.start as usize + own.trim_end().len()
}

/// Whether it is a list or a mapping without brackets.
fn is_block(text: &str, node: &Node) -> bool {
    matches!(node.value, Value::Seq(_) | Value::Map(_)) && !flow(text, node)
}

/// Where the first dash of a sequence stands, and the blanks before it.
fn first_dash(text: &str, seq: &Node) -> (usize, String) {
    // It begins with its first item, behind the dash.
    let before = text.get(..seq.span.start as usize).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let dash = before
        .rfind('-')
        .filter(|at| *at >= line)
        .unwrap_or(before.len());
    let lead = before.get(line..dash).unwrap_or("");
    (dash, lead.chars().map(|_| ' ').collect())
}

/// Puts an item before all others of a sequence.
pub fn put_item(text: &str, seq: &Node, value: &str) -> Edit {
    if flow(text, seq) {
        return put(text, seq, value);
    }
    let (dash, indent) = first_dash(text, seq);
    insert(dash, format!("- {value}\n{indent}"))
}

/// Takes a document or an item of a sequence out, with what separates it from its neighbours.
pub fn remove(text: &str, span: Span) -> Edit {
    let range = span.range();
    let (before, after) = (
        text.get(..range.start).unwrap_or(""),
        text.get(range.end..).unwrap_or(""),
    );
    let (left, right) = (before.trim_end(), after.trim_start());
    let cut = |from: usize, to: usize| Edit {
        range: from..to,
        text: String::new(),
    };
    // The comma behind it goes along, or the one before the last.
    let in_brackets = left.ends_with([',', '[']);
    if let Some(rest) = right.strip_prefix(',').filter(|_| in_brackets) {
        return cut(range.start, text.len() - rest.trim_start().len());
    }
    if in_brackets {
        let comma = left.len() - usize::from(left.ends_with(','));
        return cut(
            if comma < left.len() {
                comma
            } else {
                range.start
            },
            range.end,
        );
    }
    let mut from = before.rfind('\n').map_or(0, |at| at + 1);
    // A block's span may reach over the ends of its lines.
    let whole = text.get(range).unwrap_or("").trim_end().len() + before.len();
    let rest = text.get(whole..).unwrap_or("");
    let mut to = rest.find('\n').map_or(text.len(), |at| whole + at + 1);
    if text
        .get(from..before.len())
        .is_some_and(|t| t.trim().is_empty())
    {
        let above = text.get(..from).unwrap_or("");
        let below = text.get(to..).unwrap_or("");
        if let Some(head) = above.strip_suffix("---\n") {
            from = head.len();
        } else if below.starts_with("---\n") {
            to += 4;
        }
    }
    cut(from, to)
}

fn insert(at: usize, text: String) -> Edit {
    Edit {
        range: at..at,
        text,
    }
}

/// Whether it is written in brackets.
fn flow(text: &str, node: &Node) -> bool {
    let first = text
        .get(node.span.start as usize..)
        .and_then(|t| t.chars().next());
    matches!(first, Some('{' | '['))
}

fn put(text: &str, into: &Node, new: &str) -> Edit {
    let start = into.span.start as usize;
    if flow(text, into) {
        let empty = into.items().is_empty() && into.entries().is_empty();
        return insert(start + 1, format!("{new}{}", if empty { "" } else { ", " }));
    }
    let line = text
        .get(..start)
        .and_then(|t| t.rfind('\n'))
        .map_or(0, |at| at + 1);
    // What stands before it on its line, such as an item's dash, indents it.
    let indent: String = text
        .get(line..start)
        .unwrap_or("")
        .chars()
        .map(|_| ' ')
        .collect();
    insert(start, format!("{new}\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;
    use crate::yaml;

    fn with(text: &str, edit: impl Fn(&[Node]) -> Edit) -> String {
        let (documents, said) = yaml::read(text, FileId(0));
        assert_eq!(said, []);
        let out = apply(text, vec![edit(&documents)]);
        assert_eq!(yaml::read(&out, FileId(0)).1, [], "{out}");
        out
    }

    #[test]
    fn a_field_is_set_where_it_stands_or_put_first() {
        let block = "# kept\nspec:\n  replicas: 2 # two\n  paused: true\nother:\n";
        let spec = |d: &[Node], key, value| set(block, d[0].field("spec").unwrap(), key, value);
        let out = with(block, |d| spec(d, "replicas", "3"));
        assert_eq!(out, block.replace("replicas: 2", "replicas: 3"));
        let out = with(block, |d| spec(d, "x", "1"));
        assert_eq!(out, block.replace("  replicas", "  x: 1\n  replicas"));
        let out = with(block, |d| set(block, &d[0], "other", "{a: 1}"));
        assert_eq!(out, block.replace("other:", "other: {a: 1}"));
        let flow = "{status: {podIP: 10.0.0.1}, spec: {}}\n";
        let out = with(flow, |d| set(flow, d[0].field("status").unwrap(), "x", "1"));
        assert_eq!(out, "{status: {x: 1, podIP: 10.0.0.1}, spec: {}}\n");
        let out = with(flow, |d| set(flow, d[0].field("spec").unwrap(), "x", "1"));
        assert_eq!(out, "{status: {podIP: 10.0.0.1}, spec: {x: 1}}\n");
    }

    #[test]
    fn an_item_is_put_before_the_others() {
        let block = "a:\n- b: 1\n  c: 2\n- d\n";
        let out = with(block, |d| {
            put_item(block, d[0].field("a").unwrap(), "{e: 1}")
        });
        assert_eq!(out, "a:\n- {e: 1}\n- b: 1\n  c: 2\n- d\n");
        let flow = "a: [1, 2]\n";
        let out = with(flow, |d| put_item(flow, d[0].field("a").unwrap(), "0"));
        assert_eq!(out, "a: [0, 1, 2]\n");
    }

    #[test]
    fn an_item_is_put_behind_the_others() {
        let push = |text: &str, out: &str| {
            let done = with(text, |d| {
                push_item(text, d[0].field("a").unwrap(), "{e: 1}")
            });
            assert_eq!(done, out);
        };
        push(
            "a:\n- b: 1\n  c: 2\n- d # last\n\nz: 1\n",
            "a:\n- b: 1\n  c: 2\n- d # last\n- {e: 1}\n\nz: 1\n",
        );
        push("a:\n  - b:\n    - 1", "a:\n  - b:\n    - 1\n  - {e: 1}");
        push("a: [1, 2]\n", "a: [1, 2, {e: 1}]\n");
        push(
            "a: [{b: 1},\n  {c: 2},\n]\n",
            "a: [{b: 1},\n  {c: 2}, {e: 1}\n]\n",
        );
        push("a: []\nz: 1\n", "a: [{e: 1}]\nz: 1\n");
    }

    #[test]
    fn a_list_of_lines_is_replaced_whole() {
        let text = "a: # why\n- b: 1\n  c: 2\n- d\n\n# kept\nz: 1\n";
        let out = with(text, |d| set(text, &d[0], "a", "[]"));
        assert_eq!(out, "a: []\n\n# kept\nz: 1\n");
        let nested = "a:\n  b:\n    c: 1\n  d: 2\n";
        let out = with(nested, |d| set(nested, d[0].field("a").unwrap(), "b", "3"));
        assert_eq!(out, "a:\n  b: 3\n  d: 2\n");
    }

    #[test]
    fn what_is_taken_out_takes_its_separator_along() {
        let documents = "a: 1\n---\n# two\nb: 2\nc: 3\n---\n{d: 4}\n";
        let out = with(documents, |d| remove(documents, d[1].span));
        assert_eq!(out, "a: 1\n---\n# two\n{d: 4}\n");
        let out = with(documents, |d| remove(documents, d[2].span));
        assert_eq!(out, "a: 1\n---\n# two\nb: 2\nc: 3\n");
        let out = with(documents, |d| remove(documents, d[0].span));
        assert_eq!(out, "# two\nb: 2\nc: 3\n---\n{d: 4}\n");
        let list = "items:\n- a: 1\n  b: 2\n- c: 3\n";
        let item = |d: &[Node], at: usize| d[0].field("items").unwrap().items()[at].span;
        let out = with(list, |d| remove(list, item(d, 0)));
        assert_eq!(out, "items:\n- c: 3\n");
        let json = "{\"items\": [{\"a\": 1}, {\"b\": 2}]}\n";
        let out = with(json, |d| remove(json, item(d, 0)));
        assert_eq!(out, "{\"items\": [{\"b\": 2}]}\n");
        let out = with(json, |d| remove(json, item(d, 1)));
        assert_eq!(out, "{\"items\": [{\"a\": 1}]}\n");
    }

    #[test]
    fn neighbours_are_taken_out_together() {
        let left = |text: &str, gone: &[usize]| {
            let (documents, _) = yaml::read(text, FileId(0));
            let items = match documents[0].field("items") {
                Some(list) => list.items().to_vec(),
                None => documents.clone(),
            };
            let edits = gone.iter().map(|at| remove(text, items[*at].span));
            let out = apply(text, edits.collect());
            assert_eq!(yaml::read(&out, FileId(0)).1, [], "{out}");
            ["a", "b", "c"].map(|name| out.contains(name))
        };
        for text in [
            "{items: [{a: 1}, {b: 2}, {c: 3}]}\n",
            "items:\n- {a: 1}\n- {b: 2}\n- {c: 3}\n",
            "a: 1\n---\nb: 2\n---\nc: 3\n",
        ] {
            assert_eq!(left(text, &[0, 1]), [false, false, true], "{text}");
            assert_eq!(left(text, &[1, 2]), [true, false, false], "{text}");
            assert_eq!(left(text, &[0, 1, 2]), [false; 3], "{text}");
        }
    }
}
