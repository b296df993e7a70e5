use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Entry, Node, Value};
use crate::text::{FileId, Span};

/// The documents and the items of lists that were read last time, by their texts: who reads a text again after an edit
/// parses what was edited only, and copies the rest to its new place.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    before: Arc<Parts>,
    now: Arc<Parts>,
}

#[derive(Clone, Debug, Default)]
struct Parts {
    documents: BTreeMap<Arc<str>, Arc<Part>>,
    items: BTreeMap<Arc<str>, Arc<Part>>,
}

/// What a text is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    File,
    List,
}

impl Parts {
    fn of(&self, whole: Of) -> &BTreeMap<Arc<str>, Arc<Part>> {
        match whole {
            Of::File => &self.documents,
            Of::List => &self.items,
        }
    }

    fn of_mut(&mut self, whole: Of) -> &mut BTreeMap<Arc<str>, Arc<Part>> {
        match whole {
            Of::File => &mut self.documents,
            Of::List => &mut self.items,
        }
    }
}

/// What was read of a part of a text that nothing is to be said of.
#[derive(Debug)]
pub(super) struct Part {
    pub documents: Vec<Node>,
    /// Where it stood in its file.
    pub start: usize,
    /// How many values it has, and how many of them aliases copied.
    pub nodes: usize,
    pub copies: usize,
}

impl Memory {
    /// For reading once more: what was read now was read before.
    pub fn next(&self) -> Self {
        Self {
            before: self.now.clone(),
            now: Arc::default(),
        }
    }

    /// What was read before is as if it had been read now.
    pub fn keep_all(&mut self) {
        self.now = self.before.clone();
    }

    pub(super) fn recall(&mut self, whole: Of, text: &str) -> Option<Arc<Part>> {
        let (key, part) = self.before.of(whole).get_key_value(text)?;
        let (key, part) = (key.clone(), part.clone());
        let now = Arc::make_mut(&mut self.now).of_mut(whole);
        now.insert(key, part.clone());
        Some(part)
    }

    pub(super) fn keep(&mut self, whole: Of, text: &str, part: Arc<Part>) {
        let now = Arc::make_mut(&mut self.now).of_mut(whole);
        now.insert(text.into(), part);
    }
}

impl Part {
    /// Its documents, as if they had been read here.
    pub(super) fn documents_at(&self, file: FileId, start: usize) -> impl Iterator<Item = Node> {
        let by = start as i64 - self.start as i64;
        let place = move |span: Span| {
            let moved = |at: u32| usize::try_from(i64::from(at) + by).unwrap_or_default();
            Span::new(file, moved(span.start), moved(span.end))
        };
        self.documents.iter().map(move |node| copy(node, &place))
    }
}

pub(super) fn copy(node: &Node, place: &impl Fn(Span) -> Span) -> Node {
    let value = match &node.value {
        Value::Seq(items) => Value::Seq(items.iter().map(|item| copy(item, place)).collect()),
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| Entry {
                key: entry.key.clone(),
                key_span: place(entry.key_span),
                value: copy(&entry.value, place),
            });
            Value::Map(entries.collect())
        }
        plain => plain.clone(),
    };
    Node {
        value,
        span: place(node.span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Diagnostic, Pace, at_once};
    use crate::yaml::{read, read_along};

    fn read_again(text: &str, file: FileId, memory: &mut Memory) -> (Vec<Node>, Vec<Diagnostic>) {
        at_once(read_along(text, file, Some(memory), &Pace::AT_ONCE))
    }

    #[test]
    fn an_edited_text_is_read_again_as_if_for_the_first_time() {
        let texts = [
            "a: &x {p: 1}\nb: *x\n---\nc: [é, 2]\n---\nd: |\n  text\n",
            "a: &x {p: 1}\nb: *x\n---\nc: [é, 2, 3]\n---\nd: |\n  text\n",
            "---\nc: [é, 2, 3]\n---\nbroken: [\n---\nd: |\n  text\n",
            "---\nd: |\n  text\n---\nc: [é, 2, 3]\n---\nbroken: [\n---\nc: [é, 2, 3]\n",
            "",
        ];
        let mut memory = Memory::default();
        for (at, text) in (0..).zip(texts) {
            let file = FileId(at % 2);
            memory = memory.next();
            assert_eq!(
                read_again(text, file, &mut memory),
                read(text, file),
                "{text}"
            );
        }
    }

    #[test]
    fn a_list_is_read_again_item_by_item() {
        let deep = |levels: usize| format!("- {}x{}\n", "[".repeat(levels), "]".repeat(levels));
        let texts = [
            "apiVersion: v1\nitems:\n- a: &x 1\n  b: *x\n- c: [é, 2]\n  d: |\n    text\n\n- e\nkind: List\n",
            "apiVersion: v1\nitems:\n- a: &x 1\n  b: *x\n- c: [é, 2, 3]\n  d: |\n    text\n\n- e\nkind: List\n",
            "items:\n  # one\n  - a:\n      b: 1\n    c:\n  # two\n  - d\n",
            "kind: List\nitems:\n- a: 1\n- a: 1\n  a: 2\nmetadata: {}\n",
            "items:\n- a: 1\n- b: \"x\n- y\"\n",
            "items:\n- &x a\n- *x\n",
            "items:\n- a\n-\n- b\n",
            "items:\n- a\nitems:\n- b\n",
            "a: {}\nitems:\n- - b\n  - c\n...\n",
            "{\n  \"kind\": \"List\",\n  \"items\": [\n    {\"é\": [1, 2]},\n    {\n      \"b\": \"]\"\n    }\n  ],\n  \"metadata\": {}\n}\n",
            "{\"items\": [1, 2, [3]], \"items\": []}",
            "{\"items\": [{\"a\": 1} {\"b\": 2}]}",
            &format!("items:\n{}{}", deep(97), deep(98)),
            &format!("items:\n{}", deep(99)),
            &format!("{{\"items\": [{}x{}]}}", "[".repeat(98), "]".repeat(98)),
            &format!("{{\"items\": [{}x{}]}}", "[".repeat(99), "]".repeat(99)),
        ];
        let mut memory = Memory::default();
        for (at, text) in (0..).zip(texts.iter().flat_map(|text| [text, text])) {
            let text = &format!("x: 1\n---\n{text}");
            let file = FileId(at % 2);
            memory = memory.next();
            let (again, fresh) = (read_again(text, file, &mut memory), read(text, file));
            assert_eq!(again, fresh, "{text}");
        }
    }

    #[test]
    fn only_what_was_read_last_time_is_remembered() {
        let (one, two) = ("a: 1\n", "b: 2\n");
        let mut memory = Memory::default();
        read_again(one, FileId(0), &mut memory);
        let mut memory = memory.next();
        assert!(memory.recall(Of::File, one).is_some());
        assert!(memory.recall(Of::File, two).is_none());
        assert!(memory.next().next().recall(Of::File, one).is_none());
    }

    #[test]
    fn what_is_remembered_counts_as_much_as_what_is_read() {
        let many = format!("a: &a [{}]\n", "x, ".repeat(30_000));
        let text = format!("{many}b: [*a, *a]\n");
        let twice = format!("{text}---\n{text}");
        let mut memory = Memory::default();
        assert_eq!(read_again(&text, FileId(0), &mut memory).1, []);
        let mut memory = memory.next();
        let again = read_again(&twice, FileId(0), &mut memory);
        assert_eq!(again, read(&twice, FileId(0)));
        assert_eq!(again.1[0].code(), "yaml/too-many-aliases");
    }
}
