use serde::Serialize;

use super::value::{Datatype, Value};
use super::{Expr, Verdict};
use crate::netfilter::matches::Range;
use crate::text::Span;

/// A set or map by its position in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SetId(pub u32);

/// A set or a map, named or written in a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Set {
    /// Empty where it is written in a rule.
    pub name: Box<str>,
    /// The parts of its key.
    pub key: Vec<Datatype>,
    /// As written behind `typeof`, where the key was given so.
    pub typeof_key: Option<Expr>,
    pub typeof_data: Option<Expr>,
    /// What a map gives.
    pub data: Option<DataType>,
    /// What it gives are ranges: `: interval TYPE`.
    pub data_interval: bool,
    pub flags: SetFlags,
    /// Milliseconds after which an element is forgotten.
    pub timeout: Option<u64>,
    pub gc_interval: Option<u64>,
    pub size: Option<u32>,
    /// `policy memory`, `auto-merge` and statements for each element change no verdict; printed as they were.
    pub memory_policy: bool,
    pub auto_merge: bool,
    pub counter: bool,
    pub comment: Option<Box<str>>,
    /// Sorted by key.
    pub elements: Vec<Element>,
    pub span: Span,
}

/// What a map gives for a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DataType {
    Verdict,
    Values(Vec<Datatype>),
}

/// `flags`, and those that follow from its elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SetFlags {
    pub constant: bool,
    pub interval: bool,
    pub timeout: bool,
    pub dynamic: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Element {
    /// A range for each part; a single value is a range of one. No parts: `*`, which takes what no other element has.
    pub key: Vec<Range<Value>>,
    pub data: Option<Data>,
    /// Milliseconds.
    pub timeout: Option<u64>,
    pub expires: Option<u64>,
    pub comment: Option<Box<str>>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Data {
    Verdict(Verdict),
    /// A range for each part.
    Values(Vec<Range<Value>>),
}

/// The set that an expression looks into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SetRef {
    Named(SetId),
    Anonymous(Box<Set>),
}

impl Set {
    pub fn new(name: &str, key: Vec<Datatype>, data: Option<DataType>) -> Self {
        Self {
            name: name.into(),
            key,
            typeof_key: None,
            typeof_data: None,
            data,
            data_interval: false,
            flags: SetFlags::default(),
            timeout: None,
            gc_interval: None,
            size: None,
            memory_policy: false,
            auto_merge: false,
            counter: false,
            comment: None,
            elements: Vec::new(),
            span: Span::default(),
        }
    }
}
