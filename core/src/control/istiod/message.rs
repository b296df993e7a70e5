use crate::text::Span;
use crate::yaml::{Entry, Node, Value};

/// Makes a message of Envoy's API in its JSON form. Every value has the span of the manifest that asked for it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    span: Span,
    entries: Vec<Entry>,
}

impl Message {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            entries: Vec::new(),
        }
    }

    /// Sets a field; one that is there already changes.
    pub(super) fn set(&mut self, key: &str, value: Node) {
        match self.entries.iter_mut().find(|e| &*e.key == key) {
            Some(entry) => entry.value = value,
            None => self.entries.push(Entry {
                key: key.into(),
                key_span: self.span,
                value,
            }),
        }
    }

    pub(super) fn node(mut self, key: &str, value: Node) -> Self {
        self.set(key, value);
        self
    }

    pub(super) fn message(self, key: &str, value: Message) -> Self {
        self.node(key, value.end())
    }

    /// Left out where it is absent.
    pub(super) fn maybe(self, key: &str, value: Option<Node>) -> Self {
        match value {
            Some(value) => self.node(key, value),
            None => self,
        }
    }

    pub(super) fn str(self, key: &str, value: impl AsRef<str>) -> Self {
        let span = self.span;
        self.node(key, string(value, span))
    }

    pub(super) fn bool(self, key: &str, value: bool) -> Self {
        let span = self.span;
        self.node(key, scalar(Value::Bool(value), span))
    }

    pub(super) fn int(self, key: &str, value: impl Into<i64>) -> Self {
        let span = self.span;
        self.node(key, scalar(Value::Int(value.into()), span))
    }

    pub(super) fn list(self, key: &str, items: Vec<Node>) -> Self {
        let span = self.span;
        self.node(key, list(items, span))
    }

    /// Left out where it is empty, as protobuf does.
    pub(super) fn some(self, key: &str, items: Vec<Node>) -> Self {
        if items.is_empty() {
            self
        } else {
            self.list(key, items)
        }
    }

    pub(super) fn strings(self, key: &str, items: &[String]) -> Self {
        let span = self.span;
        self.list(key, items.iter().map(|s| string(s, span)).collect())
    }

    pub(super) fn end(self) -> Node {
        scalar(Value::Map(self.entries), self.span)
    }
}

pub(super) fn scalar(value: Value, span: Span) -> Node {
    Node { value, span }
}

pub(super) fn string(text: impl AsRef<str>, span: Span) -> Node {
    scalar(Value::Str(text.as_ref().into()), span)
}

pub(super) fn list(items: Vec<Node>, span: Span) -> Node {
    scalar(Value::Seq(items), span)
}

/// How manifests are asked: as protobuf would, an absent value being the empty one.
pub(super) trait Ask {
    fn text(&self, key: &str) -> &str;
    fn number(&self, key: &str) -> i64;
    fn flag(&self, key: &str) -> bool;
    fn each(&self, key: &str) -> &[Node];
    fn texts(&self, key: &str) -> Vec<&str>;
    /// The value of a key; null is absent.
    fn get(&self, key: &str) -> Option<&Node>;
    /// The entries of a map by key.
    fn sorted(&self, key: &str) -> Vec<&Entry>;
}

impl Ask for Node {
    fn get(&self, key: &str) -> Option<&Node> {
        self.field(key).filter(|n| !n.is_null())
    }

    fn text(&self, key: &str) -> &str {
        self.field(key).and_then(Node::str).unwrap_or("")
    }

    fn number(&self, key: &str) -> i64 {
        match self.field(key).map(|n| &n.value) {
            Some(Value::Int(n)) => *n,
            Some(Value::Float(n)) => *n as i64,
            Some(Value::Str(s)) => s.parse().unwrap_or(0),
            _ => 0,
        }
    }

    fn flag(&self, key: &str) -> bool {
        self.field(key).and_then(Node::bool).unwrap_or(false)
    }

    fn each(&self, key: &str) -> &[Node] {
        self.field(key).map_or(&[], Node::items)
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        self.each(key).iter().filter_map(Node::str).collect()
    }

    fn sorted(&self, key: &str) -> Vec<&Entry> {
        let mut all: Vec<_> = self
            .field(key)
            .map_or(&[][..], Node::entries)
            .iter()
            .collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }
}

/// A duration as Go writes it (`1h2m`, `0.5s`, `100ms`) in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale: i64 = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        let mut part = whole.checked_mul(scale)?;
        let mut weight = scale;
        for digit in fraction.bytes() {
            weight /= 10;
            part = part.checked_add(weight.checked_mul(i64::from(digit.checked_sub(b'0')?))?)?;
        }
        total = total.checked_add(part)?;
        rest = tail;
    }
    Some(if negative { -total } else { total })
}

/// A duration as protobuf's JSON writes it: `2s`, `0.500s`.
pub(super) fn duration(nanoseconds: i64) -> String {
    let (whole, rest) = (
        nanoseconds / 1_000_000_000,
        (nanoseconds % 1_000_000_000).abs(),
    );
    let sign = if nanoseconds < 0 && whole == 0 {
        "-"
    } else {
        ""
    };
    if rest == 0 {
        format!("{sign}{whole}s")
    } else if rest % 1_000_000 == 0 {
        format!("{sign}{whole}.{:03}s", rest / 1_000_000)
    } else if rest % 1_000 == 0 {
        format!("{sign}{whole}.{:06}s", rest / 1_000)
    } else {
        format!("{sign}{whole}.{rest:09}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_and_written_as_protobuf() {
        let again = |text: &str| nanoseconds(text).map(duration);
        assert_eq!(again("5s").as_deref(), Some("5s"));
        assert_eq!(again("0.5s").as_deref(), Some("0.500s"));
        assert_eq!(again("1h1m").as_deref(), Some("3660s"));
        assert_eq!(again("1.5ms").as_deref(), Some("0.001500s"));
        assert_eq!(again("5"), None);
        assert_eq!(again("s"), None);
        assert_eq!(again("9999999999h"), None);
    }
}
