//! Looking a key up in a set or map.

use super::{Element, Set, SetRef, Table, Value};
use crate::netfilter::matches::Range;

/// As many parts as a concatenation can have.
pub(super) const MOST_PARTS: usize = 16;

/// A key without a heap.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key {
    parts: [Value; MOST_PARTS],
    length: usize,
}

impl Key {
    pub fn push(&mut self, value: Value) {
        if let Some(part) = self.parts.get_mut(self.length) {
            *part = value;
            self.length += 1;
        }
    }

    pub fn parts(&self) -> &[Value] {
        self.parts.get(..self.length).unwrap_or(&[])
    }
}

impl Set {
    /// Rules or time change what is in it.
    pub(super) fn changes(&self) -> bool {
        self.flags.dynamic || self.flags.timeout
    }

    /// The element that has the key; else the one that takes all, if there is one. Elements are sorted.
    pub(super) fn find(&self, key: &[Value]) -> Option<&Element> {
        let has = |e: &&Element| !e.key.is_empty() && e.has(key);
        let found = if self.flags.interval && self.key.len() > 1 {
            self.elements.iter().find(has)
        } else {
            let low = |e: &Element| e.key.iter().map(|r| r.low).le(key.iter().copied());
            let after = self.elements.partition_point(low);
            after
                .checked_sub(1)
                .and_then(|at| self.elements.get(at))
                .filter(has)
        };
        found.or_else(|| self.elements.first().filter(|e| e.key.is_empty()))
    }
}

impl Element {
    fn has(&self, key: &[Value]) -> bool {
        self.key.len() == key.len()
            && self
                .key
                .iter()
                .zip(key)
                .all(|(range, value): (&Range<Value>, _)| range.contains(*value))
    }

    /// Elements with a time to live are counted from when the rules were loaded.
    pub(super) fn lives(&self, set: &Set, now: u64) -> bool {
        self.expires
            .or(self.timeout)
            .or(set.timeout)
            .is_none_or(|at| now < at)
    }
}

impl SetRef {
    pub(super) fn of<'s>(&'s self, table: &'s Table) -> Option<&'s Set> {
        match self {
            SetRef::Named(id) => table.set(*id),
            SetRef::Anonymous(set) => Some(set),
        }
    }
}
