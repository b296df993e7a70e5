use serde::Serialize;

use crate::text::Span;

/// A value and where it stood. A value reached through an alias has the span of its anchor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    pub value: Value,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Anything numeric that is not an `i64`.
    Float(f64),
    Str(Box<str>),
    Seq(Vec<Node>),
    /// In the order written, each key once.
    Map(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub key: Box<str>,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub fn str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    pub fn int(&self) -> Option<i64> {
        match self.value {
            Value::Int(n) => Some(n),
            _ => None,
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The items of a sequence; of anything else, none.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; of anything else, none.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| &*e.key == key)
    }

    /// The value under a key; `None` as well where this is no mapping.
    pub fn field(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The value at the end of a way of keys.
    pub fn at(&self, way: &[&str]) -> Option<&Node> {
        way.iter().try_fold(self, |node, key| node.field(key))
    }

    /// The way to a value of this tree as kubectl writes it, `spec.ports[0].nodePort`; empty for the root and for what
    /// is not in the tree.
    pub fn path_to(&self, wanted: &Node) -> String {
        let mut path = String::new();
        if !self.find(wanted, true, &mut path) {
            path.clear();
            self.find(wanted, false, &mut path);
        }
        path
    }

    /// `by_span`: look only where the span promises it; what came by an alias is found only without.
    fn find(&self, wanted: &Node, by_span: bool, path: &mut String) -> bool {
        if std::ptr::eq(self, wanted) {
            return true;
        }
        let inside = |node: &Node| {
            !by_span || node.span.start <= wanted.span.start && wanted.span.end <= node.span.end
        };
        let mark = path.len();
        match &self.value {
            Value::Seq(items) => {
                for (at, item) in items.iter().enumerate().filter(|(_, n)| inside(n)) {
                    path.push_str(&format!("[{at}]"));
                    if item.find(wanted, by_span, path) {
                        return true;
                    }
                    path.truncate(mark);
                }
            }
            Value::Map(entries) => {
                for entry in entries.iter().filter(|e| inside(&e.value)) {
                    push_key(path, &entry.key);
                    if entry.value.find(wanted, by_span, path) {
                        return true;
                    }
                    path.truncate(mark);
                }
            }
            _ => {}
        }
        false
    }
}

/// Appends a key to a path: `.key`, or `["key"]` where a dot in it would mislead.
pub(super) fn push_key(path: &mut String, key: &str) {
    if key.is_empty() || key.contains(['.', '[', ' ']) {
        path.push_str(&format!("[{key:?}]"));
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
    }
}
