//! Headers that Envoy keeps in a place of their own: such a header has one value, and more values are joined to it with
//! commas. Source: `envoy/http/header_map.h` and where filters register their own (`RegisterCustomInlineHeader`).

use crate::net::Headers;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Requests,
    Responses,
}

/// In requests as well as in responses.
const BOTH: [&str; 15] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cache-control",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-request-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "grpc-status",
    "grpc-message",
];

const REQUESTS: [&str; 35] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authorization",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "origin",
    "pragma",
    "referer",
    "te",
    "user-agent",
    "x-client-trace-id",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-max-retries",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-envoy-retry-on",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-envoy-expected-rq-timeout-ms",
];

const RESPONSES: [&str; 21] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "proxy-status",
    "server",
    "vary",
    "x-envoy-degraded",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-ratelimited",
    "x-envoy-upstream-canary",
    "x-envoy-upstream-healthchecked-cluster",
    "x-envoy-upstream-service-time",
];

fn is_inline(name: &str, of: Of) -> bool {
    let own = match of {
        Of::Requests => &REQUESTS[..],
        Of::Responses => &RESPONSES[..],
    };
    own.contains(&name)
        || BOTH.contains(&name) && !(of == Of::Requests && name.starts_with("grpc-"))
}

/// Adds a value; joined to the one that is there where the header has one value only.
pub(super) fn add(headers: &mut Headers, name: &str, value: &str, of: Of) {
    match headers.first(name).map(str::to_string) {
        Some(before) if is_inline(name, of) => {
            let joined = match (before.as_str(), value) {
                ("", value) => value.to_string(),
                (before, "") => before.to_string(),
                (before, value) => format!("{before},{value}"),
            };
            headers.set(name, joined);
        }
        _ => headers.add(name, value),
    }
}

/// Headers as they come from the wire.
pub(super) fn join(headers: &mut Headers, of: Of) {
    let twice = |name: &str| headers.all(name).nth(1).is_some();
    if !headers
        .iter()
        .any(|(name, _)| is_inline(name, of) && twice(name))
    {
        return;
    }
    let mut joined = Headers::new();
    for (name, value) in headers.iter() {
        add(&mut joined, name, value, of);
    }
    *headers = joined;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_a_place_of_its_own_has_one_value() {
        let mut headers = Headers::from_iter([
            ("content-type", "a"),
            ("x-a", "1"),
            ("content-type", "b"),
            ("x-a", "2"),
        ]);
        join(&mut headers, Of::Requests);
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("content-type", "a,b"), ("x-a", "1"), ("x-a", "2")]);
    }

    #[test]
    fn nothing_is_joined_to_an_empty_value() {
        let mut headers = Headers::from_iter([("location", "")]);
        add(&mut headers, "location", "/x", Of::Responses);
        assert_eq!(headers.first("location"), Some("/x"));
    }
}
