use std::cell::RefCell;

use crate::say;
use crate::text::{Diagnostic, Say, Span};
use crate::yaml::{Entry, Node, Value};

/// Why Envoy does not take a resource, in Envoy's own words, and where the reason stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub span: Span,
    pub reason: String,
}

impl Refusal {
    pub fn new(span: Span, reason: impl Into<String>) -> Self {
        Self {
            span,
            reason: reason.into(),
        }
    }

    /// As protobuf's validation says it: `field: "weight", reason: value is required`.
    pub fn field(span: Span, field: &str, reason: &str) -> Self {
        Self::new(span, format!("field: {field:?}, reason: {reason}"))
    }
}

pub(super) type Read<T> = Result<T, Refusal>;

/// What is worth saying while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Log(RefCell<Vec<Diagnostic>>);

impl Log {
    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    pub(super) fn warning(&self, span: Span, message: Say) {
        self.push(Diagnostic::warning(span, message));
    }

    pub(super) fn into_inner(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}

/// A message of Envoy's API in its JSON form: field names as in the .proto files or in lowerCamelCase, as protobuf's JSON
/// mapping takes both. It remembers which fields were read, so that [`Object::end`] can tell the others.
pub(super) struct Object<'n> {
    pub(super) span: Span,
    entries: &'n [Entry],
    seen: RefCell<Vec<bool>>,
    pub(super) log: &'n Log,
}

static NOTHING: Node = Node {
    value: Value::Map(Vec::new()),
    span: Span {
        file: crate::text::FileId(0),
        start: 0,
        end: 0,
    },
};

impl<'n> Object<'n> {
    pub(super) fn new(node: &'n Node, log: &'n Log) -> Read<Self> {
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            return Err(Refusal::new(node.span, "Proto field is not a message"));
        }
        Ok(Self {
            span: node.span,
            entries: node.entries(),
            seen: RefCell::new(vec![false; node.entries().len()]),
            log,
        })
    }

    /// The value of a field; null is absent.
    pub(super) fn get(&self, field: &str) -> Option<&'n Node> {
        let at = self.entries.iter().position(|e| same_name(&e.key, field))?;
        if let Some(seen) = self.seen.borrow_mut().get_mut(at) {
            *seen = true;
        }
        let node = &self.entries.get(at)?.value;
        (!node.is_null()).then_some(node)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(super) fn message(&self, field: &str) -> Read<Option<Object<'n>>> {
        self.get(field)
            .map(|n| Object::new(n, self.log))
            .transpose()
    }

    /// A message that counts as empty where it is absent.
    pub(super) fn message_or_empty(&self, field: &str) -> Read<Object<'n>> {
        Object::new(self.get(field).unwrap_or(&NOTHING), self.log)
    }

    pub(super) fn messages(&self, field: &str) -> Read<Vec<Object<'n>>> {
        self.list(field)?
            .iter()
            .map(|n| Object::new(n, self.log))
            .collect()
    }

    pub(super) fn list(&self, field: &str) -> Read<&'n [Node]> {
        match self.get(field) {
            None => Ok(&[]),
            Some(Node {
                value: Value::Seq(items),
                ..
            }) => Ok(items),
            Some(other) => Err(Refusal::new(other.span, format!("{field}: not a list"))),
        }
    }

    pub(super) fn str(&self, field: &str) -> Read<&'n str> {
        match self.get(field) {
            None => Ok(""),
            Some(node) => text(node, field),
        }
    }

    pub(super) fn strings(&self, field: &str) -> Read<Vec<String>> {
        let items = self.list(field)?.iter();
        items.map(|n| text(n, field).map(str::to_string)).collect()
    }

    /// A string that must not be empty.
    pub(super) fn filled(&self, field: &str) -> Read<&'n str> {
        let text = self.str(field)?;
        if text.is_empty() {
            let why = "value length must be at least 1 characters";
            return Err(Refusal::field(self.at(field), field, why));
        }
        Ok(text)
    }

    /// A string that can stand in a header (`well_known_regex: HTTP_HEADER_VALUE`).
    pub(super) fn for_header(&self, field: &str) -> Read<&'n str> {
        let text = self.str(field)?;
        if text.contains(['\0', '\n', '\r']) {
            let why = "value does not match regex pattern \"^[^\\x00\\n\\r]*$\"";
            return Err(Refusal::field(self.at(field), field, why));
        }
        Ok(text)
    }

    /// A number within bounds, which may be left out.
    pub(super) fn within(&self, field: &str, least: u64, most: u64) -> Read<Option<u64>> {
        let Some(n) = self.int(field)? else {
            return Ok(None);
        };
        match u64::try_from(n) {
            Ok(n) if (least..=most).contains(&n) => Ok(Some(n)),
            _ => {
                let why = format!("value must be inside range [{least}, {most}]");
                Err(Refusal::field(self.at(field), field, &why))
            }
        }
    }

    /// A duration that must be longer than nothing, where it is there.
    pub(super) fn some_time(&self, field: &str) -> Read<Option<u64>> {
        let found = self.millis(field)?;
        let text = self.get(field).and_then(Node::str).unwrap_or("1");
        if !text.contains(|c: char| ('1'..='9').contains(&c)) {
            let why = "value must be greater than 0s";
            return Err(Refusal::field(self.at(field), field, why));
        }
        Ok(found)
    }

    /// False where it is absent.
    pub(super) fn bool(&self, field: &str) -> Read<bool> {
        Ok(self.maybe_bool(field)?.unwrap_or(false))
    }

    pub(super) fn maybe_bool(&self, field: &str) -> Read<Option<bool>> {
        match self.get(field) {
            None => Ok(None),
            Some(node) => match (node.bool(), node.str()) {
                (Some(b), _) => Ok(Some(b)),
                (None, Some("true")) => Ok(Some(true)),
                (None, Some("false")) => Ok(Some(false)),
                _ => Err(Refusal::new(
                    node.span,
                    format!("{field}: not true or false"),
                )),
            },
        }
    }

    pub(super) fn int(&self, field: &str) -> Read<Option<i64>> {
        let Some(node) = self.get(field) else {
            return Ok(None);
        };
        let number = match &node.value {
            Value::Int(n) => Some(*n),
            Value::Str(s) => s.parse().ok(),
            _ => None,
        };
        match number {
            Some(n) => Ok(Some(n)),
            None => Err(Refusal::new(node.span, format!("{field}: not an integer"))),
        }
    }

    pub(super) fn u32(&self, field: &str) -> Read<Option<u32>> {
        match self.int(field)? {
            None => Ok(None),
            Some(n) => match u32::try_from(n) {
                Ok(n) => Ok(Some(n)),
                Err(_) => Err(Refusal::new(
                    self.at(field),
                    format!("{field}: not an unsigned 32-bit integer"),
                )),
            },
        }
    }

    pub(super) fn port(&self, field: &str) -> Read<Option<u16>> {
        match self.u32(field)? {
            None => Ok(None),
            Some(n) => match u16::try_from(n) {
                Ok(n) => Ok(Some(n)),
                Err(_) => Err(Refusal::field(
                    self.at(field),
                    field,
                    "value must be less than or equal to 65535",
                )),
            },
        }
    }

    /// A duration (`"1.5s"`) in milliseconds, cut off as Envoy does.
    pub(super) fn millis(&self, field: &str) -> Read<Option<u64>> {
        let Some(node) = self.get(field) else {
            return Ok(None);
        };
        let read = node.str().and_then(millis);
        read.map(Some).ok_or_else(|| {
            let found = node.str().unwrap_or("");
            Refusal::new(
                node.span,
                format!("{field}: illegal duration format {found:?}"),
            )
        })
    }

    /// One of the names of an enumeration; the first where it is absent.
    pub(super) fn choice<T: Copy>(&self, field: &str, names: &[(&str, T)]) -> Read<T> {
        let found = match self.get(field).map(|n| &n.value) {
            None => names.first(),
            Some(Value::Str(s)) => names.iter().find(|(name, _)| **name == **s),
            Some(Value::Int(n)) => usize::try_from(*n).ok().and_then(|n| names.get(n)),
            Some(_) => None,
        };
        found.map(|(_, value)| *value).ok_or_else(|| {
            let found = self.get(field).and_then(Node::str).unwrap_or("");
            Refusal::new(
                self.at(field),
                format!("{field}: invalid value {found:?} for enum type"),
            )
        })
    }

    /// Where a field stands; where the object does if it is absent.
    pub(super) fn at(&self, field: &str) -> Span {
        let entry = self.entries.iter().find(|e| same_name(&e.key, field));
        entry.map_or(self.span, |e| e.value.span)
    }

    /// All entries, for messages that are maps.
    pub(super) fn entries(&self) -> &'n [Entry] {
        self.seen.borrow_mut().fill(true);
        self.entries
    }

    /// At most one of these fields may be there: they are one `oneof`.
    pub(super) fn at_most_one(&self, fields: &[&str]) -> Read<()> {
        let mut there = fields.iter().filter(|f| self.has(f));
        match (there.next(), there.next()) {
            (Some(first), Some(second)) => Err(Refusal::new(
                self.at(second),
                format!("field {second:?} belongs to a oneof of which {first:?} is set already"),
            )),
            _ => Ok(()),
        }
    }

    /// As [`Object::end`]; and a field that is none of `others` does not exist, which Envoy refuses.
    pub(super) fn end_with(self, others: &[&str]) -> Read<()> {
        for (entry, seen) in self.entries.iter().zip(self.seen.borrow().iter()) {
            let known = *seen || others.iter().any(|o| same_name(&entry.key, o));
            if !known && &*entry.key != "@type" {
                let reason = format!("no such field: '{}'", entry.key);
                return Err(Refusal::new(entry.key_span, reason));
            }
        }
        self.end();
        Ok(())
    }

    /// Fields that change nothing of what is modelled here.
    pub(super) fn no_matter(&self, fields: &[&str]) {
        for field in fields {
            self.get(field);
        }
    }

    /// Says of the fields that nobody read that they have no effect here.
    pub(super) fn end(self) {
        for (entry, seen) in self.entries.iter().zip(self.seen.borrow().iter()) {
            if !seen && !entry.value.is_null() && &*entry.key != "@type" {
                self.log.warning(
                    entry.key_span,
                    say!("envoy/field-not-modelled", field = entry.key),
                );
            }
        }
    }
}

pub(super) fn text<'n>(node: &'n Node, field: &str) -> Read<&'n str> {
    node.str()
        .ok_or_else(|| Refusal::new(node.span, format!("{field}: not a string")))
}

fn millis(text: &str) -> Option<u64> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let seconds: u64 = whole.parse().ok()?;
    seconds
        .checked_mul(1000)?
        .checked_add(thousandths.parse().ok()?)
}

/// `weightedClusters` and `weighted_clusters` are one name.
pub(super) fn same_name(found: &str, field: &str) -> bool {
    if found == field {
        return true;
    }
    let mut found = found.bytes();
    let mut upper = false;
    for wanted in field.bytes() {
        if wanted == b'_' {
            upper = true;
            continue;
        }
        let wanted = if upper {
            wanted.to_ascii_uppercase()
        } else {
            wanted
        };
        upper = false;
        if found.next() != Some(wanted) {
            return false;
        }
    }
    found.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_seconds_with_a_fraction() {
        assert_eq!(millis("1.5s"), Some(1500));
        assert_eq!(millis("0.0059s"), Some(5));
        assert_eq!(millis("3600s"), Some(3_600_000));
        assert_eq!(millis("5m"), None);
        assert_eq!(millis("-1s"), None);
        assert_eq!(millis("99999999999999999999s"), None);
    }

    #[test]
    fn a_field_has_two_names() {
        assert!(same_name("routeConfig", "route_config"));
        assert!(same_name("route_config", "route_config"));
        assert!(!same_name("routeconfig", "route_config"));
        assert!(!same_name("routeConfigs", "route_config"));
    }
}
