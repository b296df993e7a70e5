use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::node::push_key;
use super::{Entry, Node, Value};
use crate::say;
use crate::text::{Diagnostic, Say, Span};

/// Where cursors put what they have to say.
#[derive(Debug, Default)]
pub struct Log(RefCell<Vec<Diagnostic>>);

impl Log {
    pub fn push(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    pub fn into_inner(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}

/// A value of a document, read as the type that is wanted there. Whatever does not fit is said with its path, and reads
/// as absent.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'n> {
    root: &'n Node,
    pub node: &'n Node,
    pub log: &'n Log,
}

impl<'n> Cursor<'n> {
    /// Paths are told from `root`: give the object's own node.
    pub fn new(root: &'n Node, log: &'n Log) -> Self {
        Self {
            root,
            node: root,
            log,
        }
    }

    pub fn span(self) -> Span {
        self.node.span
    }

    /// As kubectl writes it: `spec.ports[0].nodePort`.
    pub fn path(self) -> String {
        self.root.path_to(self.node)
    }

    pub fn error(self, message: Say) {
        self.log.push(Diagnostic::error(self.span(), message));
    }

    pub fn warning(self, message: Say) {
        self.log.push(Diagnostic::warning(self.span(), message));
    }

    pub fn note(self, message: Say) {
        self.log.push(Diagnostic::note(self.span(), message));
    }

    fn mismatch(self, wanted: Say) {
        let (path, found) = (self.path(), kind(self.node));
        self.error(match path.as_str() {
            "" => say!("yaml/other-type-of-all", wanted => wanted, found => found),
            path => say!("yaml/other-type", path = path, wanted => wanted, found => found),
        });
    }

    pub fn str(self) -> Option<&'n str> {
        let text = self.node.str();
        if text.is_none() {
            self.mismatch(say!("yaml/a-string"));
        }
        text
    }

    pub fn bool(self) -> Option<bool> {
        let value = self.node.bool();
        if value.is_none() {
            self.mismatch(say!("yaml/a-bool"));
        }
        value
    }

    pub fn int(self) -> Option<i64> {
        let int = self.node.int();
        if int.is_none() {
            self.mismatch(say!("yaml/an-int"));
        }
        int
    }

    /// An integer within bounds.
    pub fn int_in<T: TryFrom<i64>>(self, range: RangeInclusive<i64>) -> Option<T> {
        let int = self.int()?;
        if range.contains(&int)
            && let Ok(value) = T::try_from(int)
        {
            return Some(value);
        }
        self.error(say!(
            "yaml/out-of-range",
            path = self.path(),
            found = int,
            least = range.start(),
            most = range.end()
        ));
        None
    }

    /// A string of a form that `T` reads; `wanted` names that form.
    pub fn parse<T: FromStr>(self, wanted: Say) -> Option<T> {
        let text = self.str()?;
        let value = text.parse().ok();
        if value.is_none() {
            self.error(say!(
                "yaml/bad-form",
                path = self.path(),
                found = text,
                wanted => wanted
            ));
        }
        value
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(self, allowed: &[(&str, T)]) -> Option<T> {
        let text = self.str()?;
        if let Some((_, value)) = allowed.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<_> = allowed.iter().map(|(word, _)| *word).collect();
        self.error(say!(
            "yaml/not-among",
            path = self.path(),
            found = text,
            allowed = words.join(", ")
        ));
        None
    }

    /// The items of a sequence; none of a null.
    pub fn items(self) -> impl Iterator<Item = Cursor<'n>> {
        if !matches!(self.node.value, Value::Seq(_) | Value::Null) {
            self.mismatch(say!("yaml/a-list"));
        }
        let items = self.node.items().iter();
        items.map(move |node| Cursor { node, ..self })
    }

    /// The entries of a mapping whose keys are data, such as labels; none of a null.
    pub fn entries(self) -> impl Iterator<Item = (&'n Entry, Cursor<'n>)> {
        if !matches!(self.node.value, Value::Map(_) | Value::Null) {
            self.mismatch(say!("yaml/a-map"));
        }
        let entries = self.node.entries().iter();
        entries.map(move |e| {
            let node = &e.value;
            (e, Cursor { node, ..self })
        })
    }

    /// A mapping whose keys are fields.
    pub fn fields(self) -> Option<Fields<'n>> {
        match &self.node.value {
            Value::Map(entries) => Some(Fields {
                cursor: self,
                entries,
                seen: vec![false; entries.len()],
                absent: Vec::new(),
            }),
            _ => {
                self.mismatch(say!("yaml/a-map"));
                None
            }
        }
    }
}

/// The fields of an object. It remembers which were asked for, so that [`Fields::end`] can tell the unknown ones.
#[derive(Debug)]
pub struct Fields<'n> {
    pub cursor: Cursor<'n>,
    entries: &'n [Entry],
    seen: Vec<bool>,
    absent: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The value of a field; `None` where it is absent or null, which are the same to Kubernetes.
    pub fn get(&mut self, key: &'static str) -> Option<Cursor<'n>> {
        let at = self.entries.iter().position(|e| &*e.key == key);
        let Some((at, entry)) = at.and_then(|at| Some((at, self.entries.get(at)?))) else {
            self.absent.push(key);
            return None;
        };
        if let Some(seen) = self.seen.get_mut(at) {
            *seen = true;
        }
        (!entry.value.is_null()).then_some(Cursor {
            node: &entry.value,
            ..self.cursor
        })
    }

    /// As [`Fields::get`], and an error where it is absent.
    pub fn required(&mut self, key: &'static str) -> Option<Cursor<'n>> {
        let value = self.get(key);
        if value.is_none() {
            self.cursor
                .error(say!("yaml/missing", path = self.path(key)));
        }
        value
    }

    pub fn str(&mut self, key: &'static str) -> Option<&'n str> {
        self.get(key)?.str()
    }

    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        self.get(key)?.bool()
    }

    /// Fields that exist and change nothing here.
    pub fn no_matter(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.get(key);
        }
    }

    /// Fields that exist and would change something, but are not modelled: each one given is a warning.
    pub fn not_modelled(&mut self, keys: &[&'static str]) {
        for key in keys {
            if let Some(value) = self.get(key) {
                value.warning(say!("yaml/not-modelled", path = value.path()));
            }
        }
    }

    /// Says which fields nobody asked for: a note each, since it is read as if it were not there.
    pub fn end(self) {
        for (entry, _) in self
            .entries
            .iter()
            .zip(&self.seen)
            .filter(|(_, seen)| !**seen)
        {
            let mut diagnostic = Diagnostic::note(
                entry.key_span,
                say!("yaml/unknown-field", path = self.path(&entry.key)),
            );
            if let Some(near) = self.absent.iter().find(|name| alike(name, &entry.key)) {
                diagnostic = diagnostic.help(say!("yaml/did-you-mean", name = near));
            }
            self.cursor.log.push(diagnostic);
        }
    }

    /// The path of a field, present or not.
    pub fn path(&self, key: &(impl AsRef<str> + Display + ?Sized)) -> String {
        let mut path = self.cursor.path();
        push_key(&mut path, key.as_ref());
        path
    }
}

fn kind(node: &Node) -> Say {
    match &node.value {
        Value::Null => say!("yaml/nothing"),
        Value::Bool(b) => say!("yaml/bool-found", value = b),
        Value::Int(n) => say!("yaml/number-found", value = n),
        Value::Float(n) => say!("yaml/number-found", value = n),
        Value::Str(text) => {
            let mut short: String = text.chars().take(40).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            say!("yaml/string-found", value = short)
        }
        Value::Seq(_) => say!("yaml/a-list"),
        Value::Map(_) => say!("yaml/a-map"),
    }
}

/// Equal but for case, or but for one letter left out, put in, changed or swapped with the next.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    match (a, b) {
        ([x, y, a @ ..], [z, w, b @ ..]) if x == w && y == z => a == b,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, rest @ ..], _) if rest == b => true,
        (_, [_, rest @ ..]) if rest == a => true,
        _ => a.is_empty() && b.is_empty(),
    }
}
