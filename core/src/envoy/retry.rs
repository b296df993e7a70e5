//! When an attempt that failed is made again. Source: `source/common/router/retry_state_impl.cc`.

use super::matching::HeaderMatch;
use super::object::{Object, Read, Refusal};
use crate::net::{Request, Response};
use crate::say;

/// `envoy.config.route.v3.RetryPolicy`.
#[derive(Clone, Debug, Default)]
pub struct RetryPolicy {
    pub on: RetryOn,
    pub retries: u32,
    /// Milliseconds; 0 is none.
    pub per_try_timeout: u64,
    /// Milliseconds.
    pub back_off: BackOff,
    pub status_codes: Vec<u16>,
    pub response_headers: Vec<HeaderMatch>,
    pub request_headers: Vec<HeaderMatch>,
    /// Whether hosts that were tried are passed over, and how often another is drawn.
    pub skip_tried: bool,
    pub draws: u32,
}

/// Between two attempts: up to base × (2ⁿ − 1), at most the maximum.
#[derive(Clone, Copy, Debug)]
pub struct BackOff {
    pub base: u64,
    pub max: u64,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { base: 25, max: 250 }
    }
}

/// The conditions of `retry_on`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryOn {
    pub any_5xx: bool,
    pub gateway_error: bool,
    pub retriable_4xx: bool,
    pub connect_failure: bool,
    pub refused_stream: bool,
    pub status_codes: bool,
    pub headers: bool,
    pub reset: bool,
    pub reset_before_request: bool,
    pub rate_limited: bool,
    /// gRPC status codes.
    pub grpc: Vec<u32>,
}

impl RetryOn {
    pub fn is_empty(&self) -> bool {
        *self == RetryOn::default()
    }

    /// Words that are no condition are passed over, as Envoy does.
    pub fn parse(words: &str) -> Self {
        let mut on = RetryOn::default();
        on.add(words);
        on
    }

    fn add(&mut self, words: &str) {
        let on = self;
        for word in words.split(',').map(str::trim) {
            match word {
                "5xx" => on.any_5xx = true,
                "gateway-error" => on.gateway_error = true,
                "retriable-4xx" => on.retriable_4xx = true,
                "connect-failure" => on.connect_failure = true,
                "refused-stream" => on.refused_stream = true,
                "retriable-status-codes" => on.status_codes = true,
                "retriable-headers" => on.headers = true,
                "reset" => on.reset = true,
                "reset-before-request" => on.reset_before_request = true,
                "envoy-ratelimited" => on.rate_limited = true,
                "cancelled" => on.grpc.push(1),
                "deadline-exceeded" => on.grpc.push(4),
                "resource-exhausted" => on.grpc.push(8),
                "internal" => on.grpc.push(13),
                "unavailable" => on.grpc.push(14),
                _ => {}
            }
        }
    }
}

/// How an attempt failed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// No connection could be made.
    Connect,
    /// The connection broke, or the stream was reset.
    Remote,
    /// The time for one attempt was over.
    PerTryTimeout,
}

impl RetryPolicy {
    /// Whether the policy applies to a request at all.
    pub fn applies(&self, request: &Request, scheme: &str) -> bool {
        !self.on.is_empty()
            && (self.request_headers.is_empty()
                || self
                    .request_headers
                    .iter()
                    .any(|m| m.is_match(request, scheme)))
    }

    pub fn retries_answer(&self, answer: &Response) -> bool {
        let status = answer.status;
        if answer.headers.has("x-envoy-ratelimited") {
            return self.on.rate_limited;
        }
        let grpc = answer
            .headers
            .first("grpc-status")
            .and_then(|s| s.parse().ok());
        let as_request = || {
            let mut headers = answer.headers.clone();
            headers.add(":status", status.to_string());
            Request {
                headers,
                ..Request::default()
            }
        };
        self.on.any_5xx && (500..600).contains(&status)
            || self.on.gateway_error && (502..=504).contains(&status)
            || self.on.retriable_4xx && status == 409
            || self.on.status_codes && self.status_codes.contains(&status)
            || grpc.is_some_and(|code| self.on.grpc.contains(&code))
            || self.on.headers && {
                let request = as_request();
                self.response_headers
                    .iter()
                    .any(|m| m.is_match(&request, ""))
            }
    }

    pub fn retries_reset(&self, reset: Reset) -> bool {
        self.on.reset
            || self.on.any_5xx
            || self.on.gateway_error
            || self.on.connect_failure && reset == Reset::Connect
            || self.on.reset_before_request && reset == Reset::Connect
    }

    /// With what a request says of itself, if it is trusted; all of that is taken off it.
    pub(super) fn asked(&self, request: &mut Request, trusted: bool) -> Self {
        let mut policy = self.clone();
        for name in ["x-envoy-retry-on", "x-envoy-retry-grpc-on"] {
            if let Some(words) = request.headers.first(name).filter(|_| trusted) {
                policy.on.add(words);
                policy.retries = policy.retries.max(1);
            }
            request.headers.remove(name);
        }
        let most = request.headers.first("x-envoy-max-retries");
        if let Some(most) = most.and_then(|m| m.parse().ok()).filter(|_| trusted) {
            policy.retries = most;
        }
        let codes = request.headers.first("x-envoy-retriable-status-codes");
        for code in codes.filter(|_| trusted).unwrap_or("").split(',') {
            policy.status_codes.extend(code.trim().parse::<u16>().ok());
        }
        request.headers.remove("x-envoy-max-retries");
        request.headers.remove("x-envoy-retriable-status-codes");
        request.headers.remove("x-envoy-retriable-header-names");
        policy
    }

    pub(super) fn read(object: &Object) -> Read<Self> {
        let headers = |field: &str| -> Read<Vec<HeaderMatch>> {
            let items = object.list(field)?.iter();
            items.map(|n| HeaderMatch::read(n, object.log)).collect()
        };
        let mut policy = RetryPolicy {
            on: RetryOn::parse(object.str("retry_on")?),
            retries: object.u32("num_retries")?.unwrap_or(1),
            per_try_timeout: object.millis("per_try_timeout")?.unwrap_or(0),
            response_headers: headers("retriable_headers")?,
            request_headers: headers("retriable_request_headers")?,
            draws: object
                .u32("host_selection_retry_max_attempts")?
                .unwrap_or(1),
            ..RetryPolicy::default()
        };
        for code in object.list("retriable_status_codes")? {
            policy
                .status_codes
                .extend(code.int().and_then(|c| u16::try_from(c).ok()));
        }
        if let Some(back_off) = object.message("retry_back_off")? {
            let Some(base) = back_off.some_time("base_interval")? else {
                return Err(Refusal::field(
                    back_off.span,
                    "base_interval",
                    "value is required",
                ));
            };
            let base = base.max(1);
            let max = back_off
                .some_time("max_interval")?
                .unwrap_or(base.saturating_mul(10));
            if max < base {
                let why =
                    "retry_policy.max_interval must greater than or equal to the base_interval";
                return Err(Refusal::new(back_off.span, why));
            }
            policy.back_off = BackOff { base, max };
            back_off.end();
        }
        for predicate in object.messages("retry_host_predicate")? {
            match predicate.filled("name")? {
                "envoy.retry_host_predicates.previous_hosts" => policy.skip_tried = true,
                name => predicate.log.warning(
                    predicate.span,
                    say!("envoy/extension-not-modelled", name = name),
                ),
            }
        }
        Ok(policy)
    }
}
