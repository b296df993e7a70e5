//! A tree from the parser's events.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::budget::{Budget, pay};
use super::loose;
use super::mapping::{Key, Mapping};
use super::places::Places;
use super::{MAX_COPIES, MAX_DEPTH, MAX_NODES};
use crate::say;
use crate::text::{Diagnostic, Pace, Span};
use crate::yaml::scalar::resolve;
use crate::yaml::{Node, Value};

/// Bytes between two pauses.
const STRETCH: usize = 4096;

pub(super) type Fault = Box<Diagnostic>;

/// Why a text is not read to its end.
pub(super) struct Stop {
    pub fault: Fault,
    /// The character that a flow collection has too far to the left.
    pub loose: Option<usize>,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self { fault, loose: None }
    }
}

pub(super) struct Builder<'t, 'o> {
    pub part: &'t str,
    pub places: Places,
    /// How many levels are around the part.
    below: usize,
    pub stack: Vec<Frame>,
    anchors: BTreeMap<usize, Built>,
    budget: &'o mut Budget,
    documents: &'o mut Vec<Node>,
    diagnostics: &'o mut Vec<Diagnostic>,
}

/// A complete value, how many values it is, itself included, and how many levels they make.
#[derive(Clone)]
pub(super) struct Built {
    node: Node,
    size: usize,
    height: usize,
}

impl Built {
    pub(super) fn scalar(node: Node) -> Self {
        Self {
            node,
            size: 1,
            height: 0,
        }
    }
}

/// A sequence or mapping that is not closed yet, with its size and height so far.
pub(super) struct Frame {
    anchor: usize,
    span: Span,
    size: usize,
    height: usize,
    pub kind: Kind,
}

pub(super) enum Kind {
    Seq(Vec<Node>),
    Map(Mapping),
}

impl<'t, 'o> Builder<'t, 'o> {
    /// To read a part of a text `below` so many levels.
    pub fn new(
        part: &'t str,
        places: Places,
        below: usize,
        budget: &'o mut Budget,
        (documents, diagnostics): (&'o mut Vec<Node>, &'o mut Vec<Diagnostic>),
    ) -> Self {
        Self {
            part,
            places,
            below,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            budget,
            documents,
            diagnostics,
        }
    }

    /// Reads `text`, which is the part with blanks for some of its characters.
    pub async fn run(&mut self, text: &str, pace: &Pace) -> Result<(), Stop> {
        let mut told = self.places.start();
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|e| Stop {
                loose: loose::is(e.info()).then_some(e.marker().index()),
                fault: self.fault(*e.marker(), e.info()),
            })?;
            let span = self.places.span(self.part, span);
            let at = span.start as usize;
            if at >= told + STRETCH {
                pace.read(at - told).await;
                told = at;
            }
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
                        return Err(Box::new(Diagnostic::error(span, say)).into());
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
        pace.read(self.places.end() - told).await;
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

    pub(super) fn open(&mut self, anchor: usize, span: Span, kind: Kind) -> Result<(), Fault> {
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

    pub(super) fn close(&mut self, end: Span) -> Result<(), Fault> {
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
            Kind::Map(map) => Value::Map(map.unique(self.diagnostics)),
        };
        let built = Built {
            node: Node { value, span },
            size: frame.size,
            height: frame.height + 1,
        };
        self.add(built, frame.anchor)
    }

    /// A value is complete: it is the next key, value, item or document.
    pub(super) fn add(&mut self, built: Built, anchor: usize) -> Result<(), Fault> {
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
