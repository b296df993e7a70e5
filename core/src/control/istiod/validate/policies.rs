//! What stands beside a route's destinations: CORS, faults, redirects, retries, rewrites.

use super::Findings;
use super::names;
use crate::control::istiod::message::Ask;
use crate::text::Span;
use crate::yaml::{Node, Value};

pub(super) fn cors(policy: &Node, out: &mut Findings) {
    const METHODS: [&str; 10] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*",
    ];
    for origin in policy.each("allowOrigins") {
        let empty = ["exact", "prefix", "regex"]
            .iter()
            .all(|k| origin.text(k).is_empty());
        if empty {
            out.error(
                origin.span,
                "'' is not a valid match type for CORS allow origins",
            );
        } else if origin.field("regex").is_some() {
            out.check(
                origin.span,
                names::regex(origin.text("regex"), "corsPolicy.allowOrigins"),
            );
        }
    }
    for method in policy.each("allowMethods") {
        let name = method.str().unwrap_or("");
        if !METHODS.contains(&name) {
            out.error(
                method.span,
                format!("{name:?} is not a supported HTTP method"),
            );
        }
    }
    for key in ["allowHeaders", "exposeHeaders"] {
        for node in policy.each(key) {
            let name = node.str().unwrap_or("");
            if name != "*" {
                out.check(node.span, names::header(name));
            }
        }
    }
    out.duration(policy, "maxAge");
}

pub(super) fn fault(fault: &Node, out: &mut Findings) {
    let (abort, delay) = (fault.get("abort"), fault.get("delay"));
    if abort.is_none() && delay.is_none() {
        out.error(
            fault.span,
            "HTTP fault injection must have an abort and/or a delay",
        );
    }
    if let Some(abort) = abort {
        percentage(abort.get("percentage"), out);
        if let Some(code) = abort.get("grpcStatus") {
            if !crate::control::istiod::route::is_grpc_status(code.str().unwrap_or("")) {
                let reason = format!(
                    "gRPC status {:?} is not supported",
                    code.str().unwrap_or("")
                );
                out.error(code.span, reason);
            }
        } else if abort.get("http2Error").is_some() {
            out.error(abort.span, "HTTP/2 abort fault injection not supported yet");
        } else if abort.get("httpStatus").is_some() {
            status(abort.number("httpStatus"), abort.span, out);
        } else {
            out.warning(abort.span, "abort configured, but error type not set");
        }
    }
    if let Some(delay) = delay {
        percentage(delay.get("percentage"), out);
        out.duration(delay, "fixedDelay");
        if delay.get("exponentialDelay").is_some() {
            out.error(delay.span, "exponentialDelay not supported yet");
        }
    }
}

pub(super) fn status(status: i64, span: Span, out: &mut Findings) {
    if !(200..=600).contains(&status) {
        out.error(
            span,
            format!("HTTP status {status} is not in range 200-599"),
        );
    }
}

/// A percentage in millionths of a percent; floats only as far as they are written.
pub(super) fn value_of(percent: &Node) -> f64 {
    match percent.field("value").map(|n| &n.value) {
        Some(Value::Int(n)) => *n as f64,
        Some(Value::Float(f)) => *f,
        _ => 0.0,
    }
}

pub(super) fn percentage(percent: Option<&Node>, out: &mut Findings) {
    let Some(percent) = percent else { return };
    let value = value_of(percent);
    if !(0.0..=100.0).contains(&value) || value > 0.0 && value < 0.0001 {
        let reason = format!("percentage {value} is neither 0.0, nor in range [0.0001, 100.0]");
        out.error(percent.span, reason);
    }
}

pub(super) fn bounds(percent: &Node, what: &str, out: &mut Findings) {
    let value = value_of(percent);
    if value > 100.0 {
        out.error(
            percent.span,
            format!("{what} must have a max value of 100 (it has {value:.6})"),
        );
    }
    if value < 0.0 {
        out.error(
            percent.span,
            format!("{what} must have a min value of 0 (it has {value:.6})"),
        );
    }
}

pub(super) fn redirect(redirect: &Node, out: &mut Findings) {
    let texts = ["uri", "authority", "scheme"]
        .iter()
        .all(|k| redirect.text(k).is_empty());
    let port = redirect.get("port").is_some() || redirect.get("derivePort").is_some();
    if texts && !port {
        return out.error(
            redirect.span,
            "redirect must specify URI, authority, scheme, or port",
        );
    }
    let code = redirect.number("redirectCode");
    if code != 0 && !(300..400).contains(&code) {
        let reason = format!("{code} is not a valid redirect code, must be 3xx");
        return out.error(redirect.span, reason);
    }
    if !matches!(redirect.text("scheme"), "" | "http" | "https") {
        return out.error(
            redirect.span,
            "invalid redirect scheme, must be \"http\" or \"https\"",
        );
    }
    if redirect.number("port") > 0 {
        out.port(redirect.span, redirect.number("port"));
    }
}

pub(super) fn retries(retries: &Node, out: &mut Findings) {
    const POLICIES: [&str; 16] = [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ];
    let attempts = retries.number("attempts");
    if attempts < 0 {
        out.error(retries.span, "attempts cannot be negative");
    }
    let on = retries.text("retryOn");
    let more = ["perTryTimeout", "retryRemoteLocalities"]
        .iter()
        .any(|k| retries.get(k).is_some());
    if attempts == 0 && (more || !on.is_empty()) {
        out.error(
            retries.span,
            "http retry policy configured when attempts are set to 0 (disabled)",
        );
    }
    out.duration(retries, "perTryTimeout");
    for word in on.split(',').filter(|_| !on.is_empty()) {
        let code = word
            .parse::<u16>()
            .is_ok_and(crate::control::istiod::route::is_status);
        if !code && !POLICIES.contains(&word) {
            out.error(
                retries.span,
                format!("{word:?} is not a valid retryOn policy"),
            );
        }
    }
    out.duration(retries, "backoff");
}

pub(super) fn rewrite(rewrite: &Node, out: &mut Findings) {
    let (uri, authority) = (rewrite.text("uri"), rewrite.text("authority"));
    let regex = rewrite.get("uriRegexRewrite");
    if !uri.is_empty() && regex.is_some() {
        return out.error(
            rewrite.span,
            "rewrite may only contain one of URI or UriRegexRewrite",
        );
    }
    if uri.is_empty() && regex.is_none() && authority.is_empty() {
        let reason = "rewrite must specify at least one of URI, UriRegexRewrite, or authority";
        return out.error(rewrite.span, reason);
    }
    if let Some(regex) = regex {
        if regex.text("match").is_empty() || regex.text("rewrite").is_empty() {
            let reason = "UriRegexRewrite requires both Rewrite and Match fields to be specified";
            return out.error(regex.span, reason);
        }
        let place = "HTTPRewrite.UriRegexRewrite.Match";
        out.check(regex.span, names::regex(regex.text("match"), place));
    }
}
