//! Conditions on texts in Envoy's terms.

use crate::control::istiod::message::{Ask, Message};
use crate::text::Span;
use crate::yaml::Node;

pub(super) fn regex_rewrite(pattern: &str, substitution: &str, span: Span) -> Node {
    Message::new(span)
        .message("pattern", Message::new(span).str("regex", pattern))
        .str("substitution", substitution)
        .end()
}

/// A text in which no character has a meaning of its own, as Go's `regexp.QuoteMeta` makes it.
pub(in crate::control::istiod) fn quote(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Nothing asked of the value, or the regular expression `*`.
pub(super) fn is_present_match(value: &Node) -> bool {
    let asks = ["exact", "prefix", "regex"]
        .iter()
        .any(|k| value.field(k).is_some());
    !asks || value.text("regex") == "*"
}

pub(super) fn header_match(name: &str, value: &Node) -> Message {
    value_match(Message::new(value.span).str("name", name), value)
}

pub(super) fn value_match(out: Message, value: &Node) -> Message {
    if is_present_match(value) {
        return out.bool("presentMatch", true);
    }
    match string_match(value) {
        Some(matcher) => out.node("stringMatch", matcher),
        None => out,
    }
}

/// Istio's StringMatch as Envoy's.
pub(super) fn string_match(value: &Node) -> Option<Node> {
    let span = value.span;
    let out = Message::new(span);
    if value.field("exact").is_some() {
        Some(out.str("exact", value.text("exact")).end())
    } else if value.field("prefix").is_some() {
        Some(out.str("prefix", value.text("prefix")).end())
    } else if value.field("regex").is_some() {
        Some(
            out.message(
                "safeRegex",
                Message::new(span).str("regex", value.text("regex")),
            )
            .end(),
        )
    } else {
        None
    }
}
