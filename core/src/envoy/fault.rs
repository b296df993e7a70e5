//! `envoy.filters.http.fault`: delays and aborts. Source: `source/extensions/filters/http/fault/fault_filter.cc`.

use super::dice::Dice;
use super::fraction::Fraction;
use super::matching::HeaderMatch;
use super::object::{Object, Read, Refusal};
use crate::net::Request;
use crate::text::Span;

#[derive(Clone, Debug, Default)]
pub struct Fault {
    pub delay: Option<(Delay, Fraction)>,
    pub abort: Option<(Abort, Fraction)>,
    /// Empty: for every cluster.
    pub cluster: String,
    pub headers: Vec<HeaderMatch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// Milliseconds.
    Fixed(u64),
    /// As `x-envoy-fault-delay-request` says.
    Header,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    Http(u16),
    Grpc(u32),
    /// As `x-envoy-fault-abort-request` says.
    Header,
}

/// What the filter does to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    pub delay: Option<u64>,
    pub abort: Option<Abort>,
}

impl Fault {
    /// `asked` is the text that asks for it.
    pub fn inject(
        &self,
        request: &Request,
        scheme: &str,
        cluster: &str,
        dice: &mut Dice,
        asked: Span,
    ) -> Injected {
        let meant = self.cluster.is_empty() || self.cluster == cluster;
        if !meant || !self.headers.iter().all(|m| m.is_match(request, scheme)) {
            return Injected::default();
        }
        let number = |name: &str| {
            request
                .headers
                .first(name)
                .and_then(|v| v.parse::<u64>().ok())
        };
        // A percentage in a header may lower the configured one.
        let limited = |fraction: Fraction, name: &str| match number(name) {
            Some(n) => Fraction {
                numerator: n.min(fraction.numerator),
                ..fraction
            },
            None => fraction,
        };
        let mut injected = Injected::default();
        if let Some((delay, fraction)) = self.delay {
            let (millis, fraction) = match delay {
                Delay::Fixed(millis) => (Some(millis), fraction),
                Delay::Header => (
                    number("x-envoy-fault-delay-request"),
                    limited(fraction, "x-envoy-fault-delay-request-percentage"),
                ),
            };
            injected.delay = millis.filter(|_| dice.falls(fraction, asked));
        }
        if let Some((abort, fraction)) = self.abort {
            let name = "x-envoy-fault-abort-request-percentage";
            let (abort, fraction) = match abort {
                Abort::Header => {
                    let http = number("x-envoy-fault-abort-request")
                        .filter(|s| (200..600).contains(s))
                        .and_then(|s| u16::try_from(s).ok());
                    let grpc = number("x-envoy-fault-abort-grpc-request")
                        .and_then(|s| u32::try_from(s).ok());
                    let abort = http.map(Abort::Http).or(grpc.map(Abort::Grpc));
                    (abort, limited(fraction, name))
                }
                fixed => (Some(fixed), fraction),
            };
            injected.abort = abort.filter(|_| dice.falls(fraction, asked));
        }
        injected
    }

    pub(super) fn read(object: &Object) -> Read<Self> {
        let mut fault = Fault {
            cluster: object.str("upstream_cluster")?.to_string(),
            ..Fault::default()
        };
        for node in object.list("headers")? {
            fault.headers.push(HeaderMatch::read(node, object.log)?);
        }
        if let Some(delay) = object.message("delay")? {
            delay.at_most_one(&["fixed_delay", "header_delay"])?;
            let kind = match delay.some_time("fixed_delay")? {
                Some(millis) => Delay::Fixed(millis),
                None if delay.has("header_delay") => Delay::Header,
                None => {
                    return Err(Refusal::field(
                        delay.span,
                        "fault_delay_secifier",
                        "is required",
                    ));
                }
            };
            let fraction = Fraction::read_or(&delay, "percentage", Fraction::NEVER)?;
            fault.delay = Some((kind, fraction));
            delay.end();
        }
        if let Some(abort) = object.message("abort")? {
            abort.at_most_one(&["http_status", "grpc_status", "header_abort"])?;
            let kind = if let Some(status) = abort.u32("http_status")? {
                match u16::try_from(status) {
                    Ok(s) if (200..600).contains(&s) => Abort::Http(s),
                    _ => {
                        let why = "value must be inside range [200, 600)";
                        return Err(Refusal::field(abort.span, "http_status", why));
                    }
                }
            } else if let Some(status) = abort.u32("grpc_status")? {
                Abort::Grpc(status)
            } else if abort.has("header_abort") {
                Abort::Header
            } else {
                return Err(Refusal::field(abort.span, "error_type", "is required"));
            };
            let fraction = Fraction::read_or(&abort, "percentage", Fraction::NEVER)?;
            fault.abort = Some((kind, fraction));
            abort.end();
        }
        Ok(fault)
    }
}
