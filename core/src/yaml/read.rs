use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::list::{List, Style};
use super::memory::{Of, Part, copy};
use super::scalar::resolve;
use super::{Entry, Memory, Node, Value};
use crate::say;
use crate::text::{Diagnostic, FileId, Span};

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
    read_with(text, file, None)
}

/// The same, faster where most documents were read before.
pub fn read_again(text: &str, file: FileId, memory: &mut Memory) -> (Vec<Node>, Vec<Diagnostic>) {
    read_with(text, file, Some(memory))
}

fn read_with(
    text: &str,
    file: FileId,
    mut memory: Option<&mut Memory>,
) -> (Vec<Node>, Vec<Diagnostic>) {
    let (mut documents, mut diagnostics) = (Vec::new(), Vec::new());
    if text.len() > MAX_BYTES {
        diagnostics.push(Diagnostic::error(
            Span::new(file, 0, 0),
            say!("yaml/too-long", bytes = text.len(), most = MAX_BYTES),
        ));
        return (documents, diagnostics);
    }
    let mut budget = Budget {
        nodes: MAX_NODES,
        copies: MAX_COPIES,
    };
    for (start, part) in split(text) {
        let known = memory.as_mut().and_then(|m| m.recall(Of::File, part));
        if let Some(known) = known.filter(|known| budget.affords(known)) {
            documents.extend(known.documents_at(file, start));
            continue;
        }
        if let Some(memory) = memory.as_mut()
            && let Some(document) = list(part, (file, start), &mut budget, memory)
        {
            documents.push(document);
            continue;
        }
        let (read, said) = read_part(part, (file, start), 0, &mut budget);
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
fn read_part(
    part: &str,
    (file, start): (FileId, usize),
    below: usize,
    budget: &mut Budget,
) -> (Part, Vec<Diagnostic>) {
    let (nodes, copies) = (budget.nodes, budget.copies);
    let (mut documents, mut diagnostics) = (Vec::new(), Vec::new());
    let mut builder = Builder {
        part,
        places: Places::new(part, start, file),
        below,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        budget,
        documents: &mut documents,
        diagnostics: &mut diagnostics,
    };
    if let Err(diagnostic) = builder.run() {
        diagnostics.push(*diagnostic);
    }
    let part = Part {
        documents,
        start,
        nodes: nodes - budget.nodes,
        copies: copies - budget.copies,
    };
    (part, diagnostics)
}

/// A document that is a list, read item by item; `None` where it must be read as a whole, as where something is to be
/// said of it.
fn list(
    part: &str,
    (file, start): (FileId, usize),
    budget: &mut Budget,
    memory: &mut Memory,
) -> Option<Node> {
    let list = List::cut(part)?;
    let mut left = *budget;
    let below = match list.style {
        Style::Block => 1,
        Style::Flow => 2,
    };
    let mut items = Vec::with_capacity(list.pieces.len());
    for (at, piece) in &list.pieces {
        let place = (file, start + at);
        let known = memory.recall(Of::List, piece);
        let known = match known.filter(|known| left.affords(known)) {
            Some(known) => known,
            None => {
                let (read, said) = read_part(piece, place, below, &mut left);
                let read = Arc::new(read);
                if !said.is_empty() {
                    return None;
                }
                memory.keep(Of::List, piece, read.clone());
                read
            }
        };
        let mut documents = known.documents_at(place.0, place.1);
        let item = documents.next().filter(|_| documents.next().is_none())?;
        items.push(match (list.style, item.value) {
            (Style::Block, Value::Seq(one)) => one.into_iter().next()?,
            (Style::Block, _) => return None,
            (Style::Flow, value) => Node { value, ..item },
        });
    }
    let (frame, said) = read_part(&list.frame, (file, start), 0, &mut left);
    let [frame] = &frame.documents[..] else {
        return None;
    };
    if !said.is_empty() {
        return None;
    }
    // What stands behind the items is there by the length of those that it lacks.
    let (from, to) = (start + list.others.start, start + list.others.end);
    let behind = |at: u32| at as usize + to - from;
    let mut frame = copy(frame, &|span| match span.start as usize >= from {
        true => Span::new(file, behind(span.start), behind(span.end)),
        false if span.end as usize > from => Span::new(file, span.start as usize, behind(span.end)),
        false => span,
    });
    let Value::Map(entries) = &mut frame.value else {
        return None;
    };
    let last = entries.len().checked_sub(1)?;
    let (at, entry) = (0..)
        .zip(entries)
        .find(|(_, entry)| &*entry.key == "items")?;
    if entry.value.items().len() != 1 {
        return None;
    }
    if list.style == Style::Block {
        let end = items.last()?.span.end;
        entry.value.span.end = end;
        if at == last {
            frame.span.end = end;
        }
    }
    entry.value.value = Value::Seq(items);
    *budget = left;
    Some(frame)
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

#[derive(Clone, Copy)]
struct Budget {
    nodes: usize,
    copies: usize,
}

impl Budget {
    /// Pays for what was read before, if there is enough.
    fn affords(&mut self, part: &Part) -> bool {
        // Something must be left, or reading would have ended with it.
        let enough = part.nodes < self.nodes && part.copies <= self.copies;
        if enough {
            self.nodes -= part.nodes;
            self.copies -= part.copies;
        }
        enough
    }
}

/// From the parser's positions, which count characters, to bytes of the file.
struct Places {
    file: FileId,
    start: usize,
    /// Where each character starts; empty where all are ASCII.
    offsets: Vec<u32>,
    len: usize,
}

impl Places {
    fn new(part: &str, start: usize, file: FileId) -> Self {
        let offsets = if part.is_ascii() {
            Vec::new()
        } else {
            part.char_indices().map(|(at, _)| at as u32).collect()
        };
        Self {
            file,
            start,
            offsets,
            len: part.len(),
        }
    }

    fn byte(&self, mark: Marker) -> usize {
        let at = if self.offsets.is_empty() {
            mark.index()
        } else {
            self.offsets
                .get(mark.index())
                .map_or(self.len, |at| *at as usize)
        };
        self.start + at.min(self.len)
    }

    /// Without the blanks that the parser counts to the end of a value.
    fn span(&self, part: &str, span: saphyr_parser::Span) -> Span {
        let (start, end) = (self.byte(span.start), self.byte(span.end));
        let text = part.get(start - self.start..end - self.start);
        let blanks = text.map_or(0, |t| t.len() - t.trim_end().len());
        Span::new(self.file, start, end - blanks)
    }
}

type Fault = Box<Diagnostic>;

struct Builder<'t, 'o> {
    part: &'t str,
    places: Places,
    /// How many levels are around the part.
    below: usize,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Built>,
    budget: &'o mut Budget,
    documents: &'o mut Vec<Node>,
    diagnostics: &'o mut Vec<Diagnostic>,
}

/// A complete value, how many values it is, itself included, and how many levels they make.
#[derive(Clone)]
struct Built {
    node: Node,
    size: usize,
    height: usize,
}

impl Built {
    fn scalar(node: Node) -> Self {
        Self {
            node,
            size: 1,
            height: 0,
        }
    }
}

/// A sequence or mapping that is not closed yet, with its size and height so far.
struct Frame {
    anchor: usize,
    span: Span,
    size: usize,
    height: usize,
    kind: Kind,
}

enum Kind {
    Seq(Vec<Node>),
    Map(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    /// What `<<` brings in where no own key stands against it.
    merged: Vec<Entry>,
    awaits: Key,
}

/// What a mapping awaits.
#[derive(Default)]
enum Key {
    #[default]
    Awaited,
    /// The value of this key; `merge` for the plain `<<`.
    Given {
        key: Box<str>,
        span: Span,
        merge: bool,
    },
    /// The value of a key that no object can have.
    Refused,
}

impl Builder<'_, '_> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut parser = Parser::new_from_str(self.part);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|e| self.fault(*e.marker(), e.info()))?;
            let span = self.places.span(self.part, span);
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    if plain && text == "<<" && self.takes_key() {
                        self.key("<<".into(), span, true);
                        continue;
                    }
                    let value = match tag.as_deref() {
                        Some(tag) => self.tagged(tag, &text, plain, span),
                        None if plain => resolve(&text),
                        None => Value::Str(text.into()),
                    };
                    self.add(Built::scalar(Node { value, span }), anchor)?;
                }
                Event::SequenceStart(anchor, _) => {
                    self.open(anchor, span, Kind::Seq(Vec::new()))?
                }
                Event::MappingStart(anchor, _) => {
                    self.open(anchor, span, Kind::Map(Mapping::default()))?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
                Event::Alias(id) => {
                    let Some(built) = self.anchors.get(&id) else {
                        let say = say!("yaml/alias-of-itself");
                        return Err(Box::new(Diagnostic::error(span, say)));
                    };
                    pay(&mut self.budget.copies, built.size)
                        .ok_or_else(|| too_many_copies(span))?;
                    let built = built.clone();
                    self.add(built, 0)?;
                }
                Event::StreamEnd => break,
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
                Event::DocumentEnd => self.anchors.clear(),
            }
        }
        Ok(())
    }

    fn fault(&self, mark: Marker, info: &str) -> Fault {
        let at = self.places.byte(mark);
        let span = Span::new(self.places.file, at, at);
        let say = if info.contains("recursion limit") {
            say!("yaml/too-deep", most = MAX_DEPTH)
        } else if info.to_ascii_lowercase().contains("tab") {
            say!("yaml/tab", info = info)
        } else if info.contains("mapping values are not allowed") {
            say!("yaml/stray-colon", info = info)
        } else if info.contains("unexpected end of stream") {
            say!("yaml/open-quote", info = info)
        } else if info.contains("unknown anchor") {
            say!("yaml/unknown-anchor", info = info)
        } else if info.contains("flow") {
            say!("yaml/brackets", info = info)
        } else if info.contains("indent") || info.contains("block mapping") {
            say!("yaml/indentation", info = info)
        } else {
            say!("yaml/syntax", info = info)
        };
        Box::new(Diagnostic::error(span, say))
    }

    fn takes_key(&self) -> bool {
        match self.stack.last().map(|f| &f.kind) {
            Some(Kind::Map(map)) => matches!(map.awaits, Key::Awaited),
            _ => false,
        }
    }

    fn tagged(&mut self, tag: &saphyr_parser::Tag, text: &str, plain: bool, span: Span) -> Value {
        match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "str") => Value::Str(text.into()),
            (true, "int" | "float" | "bool" | "null") => resolve(text),
            (false, "") if tag.handle == "!" => Value::Str(text.into()),
            _ => {
                let say = say!("yaml/unknown-tag", tag = tag);
                self.diagnostics.push(Diagnostic::warning(span, say));
                if plain {
                    resolve(text)
                } else {
                    Value::Str(text.into())
                }
            }
        }
    }

    fn open(&mut self, anchor: usize, span: Span, kind: Kind) -> Result<(), Fault> {
        if self.below + self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.stack.push(Frame {
            anchor,
            span,
            size: 1,
            height: 0,
            kind,
        });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Fault> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        // The end of a block collection is an empty place at whatever follows it; its last value tells where it ended.
        let last = match &frame.kind {
            Kind::Seq(items) => items.last().map(|n| n.span),
            Kind::Map(map) => map.entries.last().map(|e| e.key_span.to(e.value.span)),
        };
        let mut span = frame.span;
        span.end = match last {
            _ if end.end > end.start => end.end,
            Some(last) => last.end.max(span.end),
            None => span.end,
        };
        let value = match frame.kind {
            Kind::Seq(items) => Value::Seq(items),
            Kind::Map(map) => Value::Map(self.unique(map)),
        };
        let built = Built {
            node: Node { value, span },
            size: frame.size,
            height: frame.height + 1,
        };
        self.add(built, frame.anchor)
    }

    /// A value is complete: it is the next key, value, item or document.
    fn add(&mut self, built: Built, anchor: usize) -> Result<(), Fault> {
        let span = built.node.span;
        pay(&mut self.budget.nodes, 1).ok_or_else(|| {
            let say = say!("yaml/too-many-values", most = MAX_NODES);
            Box::new(Diagnostic::error(span, say))
        })?;
        if self.below + self.stack.len() + built.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        if anchor > 0 {
            pay(&mut self.budget.copies, built.size).ok_or_else(|| too_many_copies(span))?;
            self.anchors.insert(anchor, built.clone());
        }
        if self.takes_key() {
            match name(&built.node.value) {
                Some(key) => self.key(key, span, false),
                None => {
                    let say = say!("yaml/key-not-a-name");
                    self.diagnostics.push(Diagnostic::error(span, say));
                    self.await_value(Key::Refused);
                }
            }
            return Ok(());
        }
        let Some(frame) = self.stack.last_mut() else {
            if !built.node.is_null() {
                self.documents.push(built.node);
            }
            return Ok(());
        };
        frame.size += built.size;
        frame.height = frame.height.max(built.height);
        match &mut frame.kind {
            Kind::Seq(items) => items.push(built.node),
            Kind::Map(map) => map.give(built.node),
        }
        Ok(())
    }

    fn key(&mut self, key: Box<str>, span: Span, merge: bool) {
        self.await_value(Key::Given { key, span, merge });
    }

    fn await_value(&mut self, key: Key) {
        if let Some(Frame {
            kind: Kind::Map(map),
            ..
        }) = self.stack.last_mut()
        {
            map.awaits = key;
        }
    }

    /// kubectl refuses a key that stands twice ("already set in map"). The first stays.
    fn unique(&mut self, map: Mapping) -> Vec<Entry> {
        let mut first: BTreeMap<Box<str>, Span> = BTreeMap::new();
        let mut entries = map.entries;
        if entries.len() > 1 || !map.merged.is_empty() {
            entries.retain(|entry| match first.get(&entry.key) {
                Some(before) => {
                    let say = say!("yaml/duplicate-key", key = entry.key);
                    let label = say!("yaml/first-here");
                    self.diagnostics
                        .push(Diagnostic::error(entry.key_span, say).label(*before, label));
                    false
                }
                None => {
                    first.insert(entry.key.clone(), entry.key_span);
                    true
                }
            });
        }
        for entry in map.merged {
            if !first.contains_key(&entry.key) {
                first.insert(entry.key.clone(), entry.key_span);
                entries.push(entry);
            }
        }
        entries
    }
}

impl Mapping {
    /// The value of the key that was given last.
    fn give(&mut self, mut value: Node) {
        let Key::Given {
            key,
            span: key_span,
            merge,
        } = std::mem::take(&mut self.awaits)
        else {
            return;
        };
        if merge {
            let sources = match value.value {
                Value::Seq(items) => items,
                _ => vec![value],
            };
            for source in sources {
                if let Value::Map(entries) = source.value {
                    self.merged.extend(entries);
                }
            }
            return;
        }
        // `key:` with nothing behind it: the parser puts the null where the next token is.
        if value.is_null() && value.span.start == value.span.end {
            value.span = Span {
                start: key_span.end,
                ..key_span
            };
        }
        self.entries.push(Entry {
            key,
            key_span,
            value,
        });
    }
}

/// The key that a plain value makes, as JSON would have it.
fn name(value: &Value) -> Option<Box<str>> {
    Some(match value {
        Value::Str(text) => text.clone(),
        Value::Bool(b) => b.to_string().into(),
        Value::Int(n) => n.to_string().into(),
        Value::Float(n) => n.to_string().into(),
        Value::Null => "null".into(),
        Value::Seq(_) | Value::Map(_) => return None,
    })
}

fn pay(budget: &mut usize, price: usize) -> Option<()> {
    *budget = budget.checked_sub(price)?;
    Some(())
}

fn too_deep(span: Span) -> Fault {
    Box::new(Diagnostic::error(
        span,
        say!("yaml/too-deep", most = MAX_DEPTH),
    ))
}

fn too_many_copies(span: Span) -> Fault {
    let say = say!("yaml/too-many-aliases", most = MAX_COPIES);
    Box::new(Diagnostic::error(span, say))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{File, Lang};

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
