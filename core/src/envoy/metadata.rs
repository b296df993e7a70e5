//! What filters note of a request for the filters behind them, and how that is asked for: `envoy.type.matcher.v3.MetadataMatcher`.
//! Source: `source/common/common/matchers.cc`.

use std::collections::BTreeMap;

use super::matching::StringMatch;
use super::object::{Log, Object, Read, Refusal};
use super::rbac::Told;
use crate::yaml::{Node, Value};

/// Dynamic metadata: of a filter, a key and what stands there; nothing where it cannot be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(BTreeMap<(String, String), Option<Node>>);

/// The filters whose notes are modelled.
const NOTING: [&str; 3] = [
    "envoy.filters.http.jwt_authn",
    "envoy.filters.http.rbac",
    "envoy.filters.network.rbac",
];

impl Metadata {
    pub fn set(&mut self, filter: &str, key: impl Into<String>, value: Option<Node>) {
        self.0.insert((filter.to_string(), key.into()), value);
    }

    /// What stands there: `Err` where it cannot be told.
    fn at(&self, filter: &str, path: &[String]) -> Result<Option<&Node>, ()> {
        let Some((first, rest)) = path.split_first() else {
            return Err(());
        };
        if !NOTING.contains(&filter) {
            return Err(());
        }
        match self.0.get(&(filter.to_string(), first.clone())) {
            None => Ok(None),
            Some(None) => Err(()),
            Some(Some(node)) => Ok(rest.iter().try_fold(node, |node, key| node.field(key))),
        }
    }
}

#[derive(Clone, Debug)]
pub struct MetadataMatch {
    pub filter: String,
    pub path: Vec<String>,
    pub value: ValueMatch,
    pub invert: bool,
}

#[derive(Clone, Debug)]
pub enum ValueMatch {
    Null,
    String(StringMatch),
    Bool(bool),
    Present(bool),
    /// One of a list.
    OneOf(Box<ValueMatch>),
    Any(Vec<ValueMatch>),
    NotModelled,
}

impl ValueMatch {
    fn told(&self, found: Option<&Node>) -> Told {
        let value = found.map(|n| &n.value);
        match (self, value) {
            (ValueMatch::NotModelled, _) => Told::Unknown,
            (ValueMatch::Present(wanted), _) => (found.is_some() && *wanted).into(),
            (ValueMatch::Any(all), _) => {
                let fails = Told::Fails;
                all.iter().fold(fails, |t, m| t.or(|| m.told(found)))
            }
            (ValueMatch::Null, value) => (value == Some(&Value::Null)).into(),
            (ValueMatch::String(m), Some(Value::Str(text))) => m.is_match(text).into(),
            (ValueMatch::Bool(wanted), Some(Value::Bool(found))) => (wanted == found).into(),
            (ValueMatch::OneOf(one), Some(Value::Seq(items))) => {
                let fails = Told::Fails;
                let all = items.iter();
                all.fold(fails, |t, item| t.or(|| one.told(Some(item))))
            }
            _ => Told::Fails,
        }
    }

    /// As Istio writes it.
    pub fn pattern(&self) -> String {
        match self {
            ValueMatch::String(m) => m.pattern(),
            ValueMatch::Bool(wanted) => wanted.to_string(),
            ValueMatch::Present(true) => "*".to_string(),
            ValueMatch::OneOf(one) => one.pattern(),
            // A claim may be one value or a list of them, which Istio asks for alike.
            ValueMatch::Any(all) => {
                let mut patterns: Vec<String> = all.iter().map(Self::pattern).collect();
                patterns.dedup();
                patterns.join(", ")
            }
            ValueMatch::Null | ValueMatch::Present(false) | ValueMatch::NotModelled => {
                String::new()
            }
        }
    }

    fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let read = if object.get("string_match").is_some() {
            let text = object.get("string_match").unwrap_or(node);
            ValueMatch::String(StringMatch::read(text, log)?)
        } else if let Some(list) = object.message("list_match")? {
            let one = list.get("one_of");
            let one = one.map(|n| Self::read(n, log)).transpose()?;
            ValueMatch::OneOf(Box::new(one.unwrap_or(ValueMatch::NotModelled)))
        } else if let Some(or) = object.message("or_match")? {
            let all = or.list("value_matchers")?.iter();
            ValueMatch::Any(all.map(|n| Self::read(n, log)).collect::<Read<_>>()?)
        } else if let Some(wanted) = object.maybe_bool("bool_match")? {
            ValueMatch::Bool(wanted)
        } else if let Some(wanted) = object.maybe_bool("present_match")? {
            ValueMatch::Present(wanted)
        } else if object.has("null_match") {
            ValueMatch::Null
        } else {
            ValueMatch::NotModelled
        };
        object.end();
        Ok(read)
    }
}

impl MetadataMatch {
    pub fn told(&self, noted: &Metadata) -> Told {
        let Ok(found) = noted.at(&self.filter, &self.path) else {
            return Told::Unknown;
        };
        match self.invert {
            true => self.value.told(found).inverted(),
            false => self.value.told(found),
        }
    }

    /// What stands there, as it is written.
    pub fn found<'n>(&self, noted: &'n Metadata) -> Option<&'n Node> {
        noted.at(&self.filter, &self.path).ok().flatten()
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let mut path = Vec::new();
        for segment in object.messages("path")? {
            path.push(segment.filled("key")?.to_string());
        }
        if path.is_empty() {
            let why = "value must contain at least 1 item(s)";
            return Err(Refusal::field(object.at("path"), "path", why));
        }
        let Some(value) = object.get("value") else {
            return Err(Refusal::field(node.span, "value", "value is required"));
        };
        let read = Self {
            filter: object.filled("filter")?.to_string(),
            path,
            value: ValueMatch::read(value, log)?,
            invert: object.bool("invert")?,
        };
        object.end();
        Ok(read)
    }
}
