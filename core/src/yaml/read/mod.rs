//! A text to its documents.

mod budget;
mod build;
mod items;
mod json;
mod loose;
mod mapping;
mod places;

use std::sync::Arc;

use self::budget::Budget;
use self::build::Builder;
use self::items::list;
use self::loose::Loose;
use self::places::Places;
use super::memory::{Of, Part};
use super::{Memory, Node};
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Span, at_once};

/// Longer texts are not read.
pub const MAX_BYTES: usize = 32 << 20;
/// How deep sequences and mappings may nest.
pub const MAX_DEPTH: usize = 100;
/// How many values a text may have.
pub const MAX_NODES: usize = 2_000_000;
/// How many values aliases may copy (`&a [*b, *b]`, over and over, grows without end).
pub const MAX_COPIES: usize = 100_000;

/// The documents of a text, those with nothing in them left out. A document that is not YAML is left out with an error;
/// those around it are read.
pub fn read(text: &str, file: FileId) -> (Vec<Node>, Vec<Diagnostic>) {
    at_once(read_along(text, file, None, &Pace::AT_ONCE))
}

/// The same, pausing on the way, and faster where most documents were read before.
pub async fn read_along(
    text: &str,
    file: FileId,
    mut memory: Option<&mut Memory>,
    pace: &Pace,
) -> (Vec<Node>, Vec<Diagnostic>) {
    let (mut documents, mut diagnostics) = (Vec::new(), Vec::new());
    if text.len() > MAX_BYTES {
        diagnostics.push(Diagnostic::error(
            Span::new(file, 0, 0),
            say!("yaml/too-long", bytes = text.len(), most = MAX_BYTES),
        ));
        return (documents, diagnostics);
    }
    let mut budget = Budget::of_a_text();
    for (start, part) in split(text) {
        let known = memory.as_mut().and_then(|m| m.recall(Of::File, part));
        if let Some(known) = known.filter(|known| budget.affords(known)) {
            documents.extend(known.documents_at(file, start));
            pace.read(part.len()).await;
            continue;
        }
        if let Some(memory) = memory.as_mut()
            && let Some(document) = list(part, (file, start), &mut budget, memory, pace).await
        {
            documents.push(document);
            continue;
        }
        let (read, said) = read_part(part, (file, start), 0, &mut budget, pace).await;
        if let Some(memory) = memory.as_mut().filter(|_| said.is_empty()) {
            documents.extend(read.documents_at(file, start));
            memory.keep(Of::File, part, Arc::new(read));
        } else {
            documents.extend(read.documents);
        }
        diagnostics.extend(said);
        if budget.nodes == 0 {
            break;
        }
    }
    (documents, diagnostics)
}

/// Reads a text that stands somewhere in a file, below so many levels.
async fn read_part(
    part: &str,
    (file, start): (FileId, usize),
    below: usize,
    budget: &mut Budget,
    pace: &Pace,
) -> (Part, Vec<Diagnostic>) {
    let before = *budget;
    let (mut documents, mut diagnostics) = (Vec::new(), Vec::new());
    let mut is_json = false;
    if part.starts_with('{') {
        let places = Places::new(part, start, file);
        let to = (&mut documents, &mut diagnostics);
        let mut builder = Builder::new(part, places, below, budget, to);
        is_json = builder.run_json(pace).await.is_some();
    }
    if !is_json {
        let mut loose = Loose::new(part);
        loop {
            *budget = before;
            documents.clear();
            diagnostics.clear();
            let places = Places::new(part, start, file);
            let to = (&mut documents, &mut diagnostics);
            let mut builder = Builder::new(part, places, below, budget, to);
            let Err(stop) = builder.run(&loose.text, pace).await else {
                break;
            };
            if !stop.loose.is_some_and(|at| loose.join(at)) {
                diagnostics.push(*stop.fault);
                break;
            }
        }
    }
    let part = Part {
        documents,
        start,
        nodes: before.nodes - budget.nodes,
        copies: before.copies - budget.copies,
    };
    (part, diagnostics)
}

/// Cuts at the lines that start a document, as kubectl does (apimachinery `pkg/util/yaml`, `splitYAMLDocument`), so that
/// a fault stays within one. Each part starts with its `---` line.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let starts = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        let directives = text[start..at].trim_start().starts_with('%');
        if starts && at > start && !directives {
            parts.push((start, &text[start..at]));
            start = at;
        }
        at += line.len();
    }
    parts.push((start, &text[start..]));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{File, Lang};
    use crate::yaml::Value;

    /// Reads, and prints each scalar with its path and the text under its span, then what was said.
    fn check(text: &str, expect: &str) {
        let file = File::new("f", text);
        let (documents, diagnostics) = read(text, FileId(0));
        let mut out = String::new();
        for document in &documents {
            print(document, document, &file, &mut out);
        }
        for d in diagnostics {
            let at = file.line_column(d.span.start);
            let said = d.message.text(Lang::En);
            out.push_str(&format!("{}:{} {said}\n", at.line, at.column));
        }
        assert_eq!(out, expect);
    }

    fn print(root: &Node, node: &Node, file: &File, out: &mut String) {
        match &node.value {
            Value::Seq(items) => items.iter().for_each(|n| print(root, n, file, out)),
            Value::Map(entries) => {
                for e in entries {
                    print(root, &e.value, file, out);
                }
            }
            scalar => {
                let (path, text) = (root.path_to(node), file.slice(node.span));
                out.push_str(&format!("{path} {scalar:?} <{text}>\n"));
            }
        }
    }

    #[test]
    fn every_value_knows_its_text() {
        check(
            "# 注释\na: 1\nb:\n- x: \"负载\"\n  w:\n- 'z'\n---\n---\nc: {d: [e, f], 'g.h': null}\n",
            concat!(
                "a Int(1) <1>\n",
                "b[0].x Str(\"负载\") <\"负载\">\n",
                "b[0].w Null <>\n",
                "b[1] Str(\"z\") <'z'>\n",
                "c.d[0] Str(\"e\") <e>\n",
                "c.d[1] Str(\"f\") <f>\n",
                "c[\"g.h\"] Null <null>\n",
            ),
        );
    }

    #[test]
    fn flow_collections_stand_anywhere_as_kubectl_takes_them() {
        check(
            "a:\n- b: [\n    \"x\", # one\n# 注释\n    'z',\n  ]\n  c: {\n  d: '二',\n\n  }\ne: [\n1\r\n]\nf: 2\n",
            concat!(
                "a[0].b[0] Str(\"x\") <\"x\">\n",
                "a[0].b[1] Str(\"z\") <'z'>\n",
                "a[0].c.d Str(\"二\") <'二'>\n",
                "e[0] Int(1) <1>\n",
                "f Int(2) <2>\n",
            ),
        );
    }

    #[test]
    fn what_may_be_no_comment_is_not_taken_for_one() {
        check(
            "a:\n- b: [\n    \"it's\", # one\n  ]\n",
            "4:3 this line is not indented like its neighbours (invalid indentation)\n",
        );
    }

    #[test]
    fn a_collection_spans_its_values() {
        let text = "a:\n  b: 1\n  c: [2, 3]\nd:\n- e\n\nf: {}\n";
        let file = File::new("f", text);
        let (documents, _) = read(text, FileId(0));
        let under = |key| {
            file.slice(documents[0].field(key).unwrap().span)
                .to_string()
        };
        assert_eq!(under("a"), "b: 1\n  c: [2, 3]");
        assert_eq!(under("d"), "e");
        assert_eq!(under("f"), "{}");
    }

    #[test]
    fn a_broken_document_does_not_lose_the_others() {
        check(
            "a: 1\n---\nb: [1, 2\n--- # third\nc: 3\n---\nd: x: y\n",
            concat!(
                "a Int(1) <1>\n",
                "c Int(3) <3>\n",
                "4:1 a bracket, brace or comma is missing or out of place (while parsing a flow sequence, expected ',' or ']')\n",
                "7:5 a `:` cannot stand here: is the line before indented differently, or does the value need quotes? (mapping values are not allowed in this context)\n",
            ),
        );
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        check(
            "a: 1\nb: 2\na: 3\n",
            "a Int(1) <1>\nb Int(2) <2>\n3:1 the key \"a\" is already set in this mapping\n",
        );
    }

    #[test]
    fn json_is_yaml() {
        check(
            "{\n\t\"kind\": \"List\",\n\t\"items\": [ { \"a\": 1.5, \"u\": \"\\u003c\\/\" } ]\n}\n",
            "kind Str(\"List\") <\"List\">\nitems[0].a Float(1.5) <1.5>\nitems[0].u Str(\"</\") <\"\\u003c\\/\">\n",
        );
    }

    #[test]
    fn aliases_and_merges_copy_what_the_anchor_holds() {
        check(
            "a: &x {p: 1, q: 2}\nb: *x\nc:\n  <<: *x\n  q: 3\n",
            "a.p Int(1) <1>\na.q Int(2) <2>\nb.p Int(1) <1>\nb.q Int(2) <2>\nc.q Int(3) <3>\nc.p Int(1) <1>\n",
        );
    }

    #[test]
    fn bombs_and_depth_end_with_a_message() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..10 {
            let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
        }
        let mut steps = String::from("a0: &a0 [x]\n");
        for i in 1..300 {
            steps.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
        }
        for (text, code) in [
            (bomb, "yaml/too-many-aliases"),
            (steps, "yaml/too-deep"),
            ("[".repeat(100_000), "yaml/too-deep"),
            ("- ".repeat(100_000), "yaml/too-deep"),
            ("a: &a [*a]".into(), "yaml/alias-of-itself"),
            (" ".repeat(MAX_BYTES + 1), "yaml/too-long"),
        ] {
            let (documents, diagnostics) = read(&text, FileId(0));
            assert_eq!(documents, []);
            assert_eq!(diagnostics[0].code(), code);
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let seeds = [
            "a: [b, {c: 'd'}]\n",
            "- &x |\n  t\n- *x\n",
            "? {a: b}\n: \"\\u00\"\n",
            "--- !t\n%é\n...",
        ];
        for seed in seeds {
            let chars: Vec<char> = seed.chars().collect();
            for cut in 0..chars.len() {
                for insert in [
                    "", "\t", "\"", "[", "}", ":", "\n---\n", "&a", "*", "é", "\u{0}", "- ", "|",
                ] {
                    let text: String = chars[..cut].iter().collect::<String>()
                        + insert
                        + &chars[cut..].iter().collect::<String>();
                    read(&text, FileId(0));
                }
            }
        }
    }
}
