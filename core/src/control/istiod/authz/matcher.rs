//! How texts of a policy match. Source: `pilot/pkg/security/authz/matcher`.

use crate::control::istiod::message::Message;
use crate::control::istiod::route::quote;
use crate::text::Span;

/// `envoy.type.matcher.v3.StringMatcher` of a value as Istio writes it; `*` wants something to be there.
pub(in crate::control::istiod) fn string(value: &str, before: &str, span: Span) -> Message {
    if value == "*" {
        return regex(".+", span);
    }
    if let Some(suffix) = value.strip_prefix('*') {
        return match before {
            "" => Message::new(span).str("suffix", suffix),
            _ => regex(&format!("{before}.*{}", quote(suffix)), span),
        };
    }
    match value.strip_suffix('*') {
        Some(prefix) => Message::new(span).str("prefix", format!("{before}{prefix}")),
        None => Message::new(span).str("exact", format!("{before}{value}")),
    }
}

pub(in crate::control::istiod) fn regex(regex: &str, span: Span) -> Message {
    let regex = Message::new(span).str("regex", regex);
    Message::new(span).message("safeRegex", regex)
}

/// `envoy.config.route.v3.HeaderMatcher`; hosts in any case.
pub(in crate::control::istiod) fn header(
    name: &str,
    value: &str,
    ignore_case: bool,
    span: Span,
) -> Message {
    let header = Message::new(span).str("name", name);
    if value == "*" {
        return header.bool("presentMatch", true);
    }
    let text = string(value, "", span);
    let text = match ignore_case {
        true => text.bool("ignoreCase", true),
        false => text,
    };
    header.message("stringMatch", text)
}

/// `envoy.type.matcher.v3.MetadataMatcher`.
pub(in crate::control::istiod) fn metadata(
    filter: &str,
    path: &[String],
    value: Message,
    span: Span,
) -> Message {
    let segments = path.iter().map(|key| Message::new(span).str("key", key));
    Message::new(span)
        .str("filter", filter)
        .list("path", segments.map(Message::end).collect())
        .message("value", value)
}

/// A value that is one of several texts.
pub(in crate::control::istiod) fn one_of(values: &[&str], span: Span) -> Message {
    any(values.iter().map(|v| text(string(v, "", span), span)), span)
}

pub(in crate::control::istiod) fn text(matcher: Message, span: Span) -> Message {
    Message::new(span).message("stringMatch", matcher)
}

/// A list that holds such a value.
pub(in crate::control::istiod) fn list(value: Message, span: Span) -> Message {
    let list = Message::new(span).message("oneOf", value);
    Message::new(span).message("listMatch", list)
}

/// One of several values; a single one as it is.
pub(in crate::control::istiod) fn any(
    values: impl IntoIterator<Item = Message>,
    span: Span,
) -> Message {
    let mut values: Vec<Message> = values.into_iter().collect();
    match values.len() {
        1 => values.swap_remove(0),
        _ => {
            let values = values.into_iter().map(Message::end).collect();
            let any = Message::new(span).list("valueMatchers", values);
            Message::new(span).message("orMatch", any)
        }
    }
}
