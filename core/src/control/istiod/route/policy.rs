//! Retries and hashes.

use crate::control::istiod::message::{Ask, Message, duration, nanoseconds, scalar};
use crate::text::Span;
use crate::yaml::{Node, Value};

pub(super) fn hash_policy(hash: &Node) -> Option<Node> {
    let span = hash.span;
    let out = Message::new(span);
    let header = hash.text("httpHeaderName");
    let query = hash.text("httpQueryParameterName");
    if !header.is_empty() {
        return Some(
            out.message("header", Message::new(span).str("headerName", header))
                .end(),
        );
    }
    if let Some(cookie) = hash.get("httpCookie") {
        let mut policy = Message::new(cookie.span).str("name", cookie.text("name"));
        if let Some(ttl) = cookie.get("ttl").and_then(|t| nanoseconds(t.str()?)) {
            policy = policy.str("ttl", duration(ttl));
        }
        if !cookie.text("path").is_empty() {
            policy = policy.str("path", cookie.text("path"));
        }
        let attributes = cookie.each("attributes").iter().map(|a| {
            let out = Message::new(a.span).str("name", a.text("name"));
            if a.text("value").is_empty() {
                out.end()
            } else {
                out.str("value", a.text("value")).end()
            }
        });
        return Some(
            out.message("cookie", policy.some("attributes", attributes.collect()))
                .end(),
        );
    }
    if hash.field("useSourceIp").is_some() {
        let source = Message::new(span);
        let source = if hash.flag("useSourceIp") {
            source.bool("sourceIp", true)
        } else {
            source
        };
        return Some(out.message("connectionProperties", source).end());
    }
    if !query.is_empty() {
        return Some(
            out.message("queryParameter", Message::new(span).str("name", query))
                .end(),
        );
    }
    None
}

const RETRY_ON: &str =
    "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/// `retry.ConvertPolicy`; none where retries are switched off.
pub(in crate::control::istiod) fn retry_policy(
    policy: Option<&Node>,
    hash: bool,
    span: Span,
) -> Option<Node> {
    let span = policy.map_or(span, |p| p.span);
    let (mut on, mut codes, mut attempts) = (RETRY_ON.to_string(), Vec::new(), 2);
    let mut previous_hosts = !hash;
    if let Some(policy) = policy {
        attempts = policy.number("attempts");
        if attempts <= 0 {
            return None;
        }
        let wanted = policy.text("retryOn");
        if !wanted.is_empty() {
            let (numbers, words): (Vec<&str>, Vec<&str>) = wanted
                .split(',')
                .map(str::trim)
                .filter(|w| !w.is_empty())
                .partition(|w| w.parse::<u16>().is_ok_and(is_status));
            on = words.join(",");
            codes = numbers
                .iter()
                .filter_map(|n| n.parse::<i64>().ok())
                .collect();
            if !codes.is_empty() && !on.contains("retriable-status-codes") {
                on.push_str(",retriable-status-codes");
            }
        }
        if let Some(ignore) = policy.get("retryIgnorePreviousHosts").and_then(Node::bool) {
            previous_hosts = ignore;
        }
    }
    let mut out = Message::new(span)
        .str("retryOn", on)
        .int("numRetries", attempts);
    let of = |key: &str| policy.and_then(|p| nanoseconds(p.get(key)?.str()?));
    if let Some(limit) = of("perTryTimeout") {
        out = out.str("perTryTimeout", duration(limit));
    }
    if policy.is_some_and(|p| p.flag("retryRemoteLocalities")) {
        let config = Message::new(span)
            .str("@type", "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig")
            .int("updateFrequency", 2);
        let priority = Message::new(span)
            .str("name", "envoy.retry_priorities.previous_priorities")
            .message("typedConfig", config);
        out = out.message("retryPriority", priority);
    }
    if previous_hosts {
        let config = Message::new(span).str(
            "@type",
            "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        );
        let predicate = Message::new(span)
            .str("name", "envoy.retry_host_predicates.previous_hosts")
            .message("typedConfig", config);
        out = out.list("retryHostPredicate", vec![predicate.end()]);
    }
    out = out.str("hostSelectionRetryMaxAttempts", "5");
    let codes = codes.into_iter().map(|c| scalar(Value::Int(c), span));
    out = out.some("retriableStatusCodes", codes.collect());
    if let Some(base) = of("backoff") {
        out = out.message(
            "retryBackOff",
            Message::new(span).str("baseInterval", duration(base)),
        );
    }
    Some(out.end())
}

/// The status codes that have a name in Go's `net/http`.
pub(in crate::control::istiod) fn is_status(code: u16) -> bool {
    matches!(code, 100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511)
}
