//! A mapping as its keys and values come.

use std::collections::BTreeMap;

use crate::say;
use crate::text::{Diagnostic, Span};
use crate::yaml::{Entry, Node, Value};

#[derive(Default)]
pub(super) struct Mapping {
    pub entries: Vec<Entry>,
    /// What `<<` brings in where no own key stands against it.
    merged: Vec<Entry>,
    pub awaits: Key,
}

/// What a mapping awaits.
#[derive(Default)]
pub(super) enum Key {
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

impl Mapping {
    /// The value of the key that was given last.
    pub fn give(&mut self, mut value: Node) {
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

    /// kubectl refuses a key that stands twice ("already set in map"). The first stays.
    pub fn unique(self, diagnostics: &mut Vec<Diagnostic>) -> Vec<Entry> {
        let mut first: BTreeMap<Box<str>, Span> = BTreeMap::new();
        let mut entries = self.entries;
        if entries.len() > 1 || !self.merged.is_empty() {
            entries.retain(|entry| match first.get(&entry.key) {
                Some(before) => {
                    let say = say!("yaml/duplicate-key", key = entry.key);
                    let label = say!("yaml/first-here");
                    diagnostics.push(Diagnostic::error(entry.key_span, say).label(*before, label));
                    false
                }
                None => {
                    first.insert(entry.key.clone(), entry.key_span);
                    true
                }
            });
        }
        for entry in self.merged {
            if !first.contains_key(&entry.key) {
                first.insert(entry.key.clone(), entry.key_span);
                entries.push(entry);
            }
        }
        entries
    }
}
