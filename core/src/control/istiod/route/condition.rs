//! Conditions on texts in Envoy's terms.

use crate::control::istiod::authz::{CLAIMS, matcher};
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

/// What a name stands for that asks for a claim: the way to it.
pub(in crate::control::istiod) fn claim(name: &str) -> Option<Vec<String>> {
    let head = "@request.auth.claims";
    let start = name.get(..head.len())?;
    let rest = name.get(head.len()..)?;
    if !start.eq_ignore_ascii_case(head) || rest.len() < 2 {
        return None;
    }
    let inner = |rest: &str| Some(rest.strip_prefix('[')?.strip_suffix(']')?.to_string());
    let way: Vec<String> = match rest.strip_prefix('.') {
        Some(dotted) => dotted.split('.').map(str::to_string).collect(),
        None => inner(rest)?.split("][").map(str::to_string).collect(),
    };
    (way.len() > 1 || way.first().is_some_and(|w| !w.is_empty())).then_some(way)
}

/// As a claim of a valid token (`translateMetadataMatch`).
pub(super) fn claim_match(name: &str, value: &Node) -> Option<Message> {
    let way = [vec!["payload".to_string()], claim(name)?].concat();
    let span = value.span;
    let wanted = string_match(value).unwrap_or_else(|| Message::new(span).end());
    let wanted = Message::new(span).node("stringMatch", wanted);
    let either = matcher::any([matcher::list(wanted.clone(), span), wanted], span);
    Some(matcher::metadata(CLAIMS, &way, either, span))
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

#[cfg(test)]
mod tests {
    use super::claim;

    #[test]
    fn a_claim_is_named_with_dots_or_in_brackets() {
        let way = |name: &str| claim(name).map(|way| way.join(" > "));
        assert_eq!(
            way("@request.auth.claims.group.id").as_deref(),
            Some("group > id")
        );
        assert_eq!(
            way("@Request.Auth.Claims[group][a.b]").as_deref(),
            Some("group > a.b")
        );
        for none in [
            "@request.auth.claims",
            "@request.auth.claims.",
            "@request.auth.claims[]",
            "@request.auth.claimsx",
            "group",
        ] {
            assert_eq!(way(none), None, "{none}");
        }
    }
}
