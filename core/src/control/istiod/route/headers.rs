//! Header operations.

use crate::control::istiod::message::{Ask, Message};
use crate::yaml::Node;

/// What a rule or destination does to headers, and the host it sets that way.
#[derive(Default)]
pub(super) struct Operations {
    pub(super) request_add: Vec<Node>,
    pub(super) request_remove: Vec<Node>,
    pub(super) response_add: Vec<Node>,
    pub(super) response_remove: Vec<Node>,
    pub(super) authority: String,
}

impl Operations {
    pub(super) fn read(headers: Option<&Node>) -> Self {
        let Some(headers) = headers else {
            return Self::default();
        };
        let (request, response) = (headers.get("request"), headers.get("response"));
        let mut operations = Self::default();
        let (set_add, set_host) = additions(request, "set");
        let (add_add, add_host) = additions(request, "add");
        operations.request_add = [set_add, add_add].concat();
        operations.authority = if set_host.is_empty() {
            add_host
        } else {
            set_host
        };
        operations.response_add =
            [additions(response, "set").0, additions(response, "add").0].concat();
        operations.request_remove = removals(request);
        operations.response_remove = removals(response);
        operations
    }
}

pub(super) fn additions(headers: Option<&Node>, kind: &str) -> (Vec<Node>, String) {
    let (mut out, mut host) = (Vec::new(), String::new());
    for entry in headers.map(|h| h.sorted(kind)).unwrap_or_default() {
        let (key, value) = (&*entry.key, entry.value.str().unwrap_or(""));
        if key.eq_ignore_ascii_case(":authority") || key.eq_ignore_ascii_case("host") {
            host = value.to_string();
        }
        if is_internal(key) {
            continue;
        }
        let span = entry.value.span;
        let mut option = Message::new(span).message(
            "header",
            Message::new(span).str("key", key).str("value", value),
        );
        if kind == "set" {
            option = option.str("appendAction", "OVERWRITE_IF_EXISTS_OR_ADD");
        }
        out.push(option.end());
    }
    (out, host)
}

pub(super) fn is_internal(key: &str) -> bool {
    key.starts_with(':') || key.eq_ignore_ascii_case("host")
}

pub(super) fn removals(headers: Option<&Node>) -> Vec<Node> {
    let names = headers.map_or(&[][..], |h| h.each("remove")).iter();
    names
        .filter(|n| n.str().is_some_and(|s| !is_internal(s)))
        .cloned()
        .collect()
}
