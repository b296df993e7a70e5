//! Faults and CORS.

use super::condition::string_match;
use crate::control::istiod::message::{Ask, Message, duration, nanoseconds};
use crate::text::Span;
use crate::yaml::{Node, Value};

/// A percentage with decimals, in millionths; none where it is zero.
pub(super) fn percent(value: &Node) -> Option<Message> {
    let millionths = millionths(value);
    let out = Message::new(value.span)
        .int("numerator", millionths)
        .str("denominator", "MILLION");
    (millionths > 0).then_some(out)
}

/// The `value` of a Percent, of a million.
pub(super) fn millionths(percent: &Node) -> i64 {
    match percent.field("value").map(|n| &n.value) {
        Some(Value::Int(n)) => n.saturating_mul(10_000),
        // As Go multiplies and cuts off.
        Some(Value::Float(f)) => (f * 10_000.0) as i64,
        _ => 0,
    }
}

pub(super) fn hundredths(value: i64, span: Span) -> Message {
    let out = Message::new(span);
    if value == 0 {
        out
    } else {
        out.int("numerator", value)
    }
}

/// `TranslateFault`.
pub(super) fn fault(fault: &Node) -> Option<Node> {
    let fraction = |percent: &Node| {
        let out = Message::new(percent.span);
        let n = millionths(percent);
        let out = if n == 0 { out } else { out.int("numerator", n) };
        out.str("denominator", "MILLION")
    };
    let delay = fault.get("delay").and_then(|delay| {
        let fixed = nanoseconds(delay.get("fixedDelay")?.str()?)?;
        let percentage = match delay.get("percentage") {
            Some(percent) => fraction(percent),
            None => hundredths(delay.number("percent"), delay.span),
        };
        let out = Message::new(delay.span).str("fixedDelay", duration(fixed));
        Some(out.message("percentage", percentage).end())
    });
    let abort = fault.get("abort").and_then(|abort| {
        let out = Message::new(abort.span);
        let out = if abort.field("httpStatus").is_some() {
            out.int("httpStatus", abort.number("httpStatus"))
        } else {
            let name = abort.get("grpcStatus")?.str()?;
            let code = GRPC.iter().position(|n| *n == name).unwrap_or(0);
            out.int("grpcStatus", i64::try_from(code).unwrap_or(0))
        };
        let percentage = abort.get("percentage").map(|p| fraction(p).end());
        Some(out.maybe("percentage", percentage).end())
    });
    if delay.is_none() && abort.is_none() {
        return None;
    }
    let kind = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
    let out = Message::new(fault.span).str("@type", kind);
    Some(out.maybe("delay", delay).maybe("abort", abort).end())
}

/// gRPC's status codes in order.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// `TranslateCORSPolicy`.
pub(super) fn cors(policy: &Node) -> Node {
    let span = policy.span;
    let mut out = Message::new(span).str(
        "@type",
        "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    );
    let joined = |key: &str| policy.texts(key).join(",");
    for (key, from) in [
        ("allowMethods", "allowMethods"),
        ("allowHeaders", "allowHeaders"),
        ("exposeHeaders", "exposeHeaders"),
    ] {
        if !joined(from).is_empty() {
            out = out.str(key, joined(from));
        }
    }
    if let Some(age) = policy.get("maxAge").and_then(|a| nanoseconds(a.str()?)) {
        out = out.str("maxAge", (age / 1_000_000_000).to_string());
    }
    if let Some(credentials) = policy.get("allowCredentials").and_then(Node::bool) {
        out = out.bool("allowCredentials", credentials);
    }
    let always = Message::new(span).int("numerator", 100);
    out = out.message(
        "filterEnabled",
        Message::new(span).message("defaultValue", always),
    );
    let mut origins: Vec<Node> = policy
        .each("allowOrigins")
        .iter()
        .filter_map(string_match)
        .collect();
    if policy.get("allowOrigins").is_none() {
        let exact = |o: &Node| {
            Message::new(o.span)
                .str("exact", o.str().unwrap_or(""))
                .end()
        };
        origins = policy.each("allowOrigin").iter().map(exact).collect();
    }
    let forward = policy.text("unmatchedPreflights") != "IGNORE";
    out.some("allowOriginStringMatch", origins)
        .bool("forwardNotMatchingPreflights", forward)
        .end()
}

/// Whether a word names a gRPC status.
pub(in crate::control::istiod) fn is_grpc_status(name: &str) -> bool {
    GRPC.contains(&name)
}
