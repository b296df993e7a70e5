//! How long a request may take. Source: `FilterUtility::finalTimeout` of `source/common/router/router.cc`,
//! `refreshDurationTimeout` of `source/common/http/conn_manager_impl.cc`.

use super::object::{Object, Read};
use super::route::is_grpc;
use crate::net::Request;

/// What a route says of time, in milliseconds; 0 is no limit.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    pub timeout: u64,
    /// `max_grpc_timeout`: requests of gRPC may say their own up to this.
    pub grpc: Option<FromRequest>,
    /// `max_stream_duration`; where it stands, `timeout` does not count.
    pub duration: Option<Duration>,
    pub idle: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct FromRequest {
    pub at_most: u64,
    /// Taken off what the request says.
    pub offset: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Duration {
    pub limit: Option<u64>,
    pub grpc: Option<FromRequest>,
}

/// What holds for one request, in milliseconds; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// For all attempts.
    pub whole: u64,
    pub attempt: u64,
    /// For the stream, whatever happens on it.
    pub duration: u64,
    /// Without anything happening.
    pub idle: u64,
}

impl Timing {
    pub(super) fn read(route: &Object) -> Read<Self> {
        let grpc = match route.millis("max_grpc_timeout")? {
            Some(at_most) => Some(FromRequest {
                at_most,
                offset: route.millis("grpc_timeout_offset")?.unwrap_or(0),
            }),
            None => None,
        };
        let duration = match route.message("max_stream_duration")? {
            None => None,
            Some(stream) => {
                let header = stream.millis("grpc_timeout_header_max")?;
                let offset = stream.millis("grpc_timeout_header_offset")?.unwrap_or(0);
                let limit = stream.millis("max_stream_duration")?;
                stream.end();
                let grpc = header.map(|at_most| FromRequest { at_most, offset });
                Some(Duration { limit, grpc })
            }
        };
        Ok(Self {
            timeout: route.millis("timeout")?.unwrap_or(15_000),
            grpc,
            duration,
            idle: route.millis("idle_timeout")?,
        })
    }

    /// `idle` and `duration` are the connection manager's; `trusted` is whether the request may say of itself how long it
    /// takes, which is then taken off it.
    pub(super) fn limits(
        &self,
        request: &mut Request,
        trusted: bool,
        per_try: u64,
        idle: u64,
        duration: u64,
    ) -> Limits {
        let said = grpc_timeout(request);
        let mut whole = match self.grpc {
            _ if self.duration.is_some() => 0,
            Some(grpc) if is_grpc(request) => grpc.limit(said.unwrap_or(0)),
            _ => self.timeout,
        };
        let mut attempt = per_try;
        for (name, limit) in [
            ("x-envoy-upstream-rq-timeout-ms", &mut whole),
            ("x-envoy-upstream-rq-per-try-timeout-ms", &mut attempt),
        ] {
            let value = request.headers.first(name).and_then(|v| v.parse().ok());
            if let Some(value) = value.filter(|_| trusted) {
                *limit = value;
            }
            request.headers.remove(name);
        }
        if whole > 0 && attempt >= whole {
            attempt = 0;
        }
        let stream = self.duration.unwrap_or_default();
        Limits {
            whole,
            attempt,
            duration: match (said, stream.grpc) {
                (Some(said), Some(grpc)) => grpc.stream(said),
                _ => stream.limit.unwrap_or(duration),
            },
            idle: self.idle.unwrap_or(idle),
        }
    }
}

impl FromRequest {
    fn limit(self, said: u64) -> u64 {
        let said = if self.offset < said {
            said - self.offset
        } else {
            said
        };
        match self.at_most {
            0 => said,
            most if said == 0 => most,
            most => said.min(most),
        }
    }

    fn stream(self, said: u64) -> u64 {
        let most = if self.at_most == 0 {
            said
        } else {
            self.at_most
        };
        said.min(most).saturating_sub(self.offset)
    }
}

/// `grpc-timeout` in milliseconds, rounded up.
fn grpc_timeout(request: &Request) -> Option<u64> {
    let text = request.headers.first("grpc-timeout")?;
    let unit = text.chars().last()?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    if count > 99_999_999 {
        return None;
    }
    Some(match unit {
        'H' => count * 3_600_000,
        'M' => count * 60_000,
        'S' => count * 1000,
        'm' => count,
        'u' => count.div_ceil(1000),
        'n' => count.div_ceil(1_000_000),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Headers;

    fn asks(timeout: &str) -> Request {
        let headers = [
            ("content-type", "application/grpc"),
            ("grpc-timeout", timeout),
        ];
        Request {
            headers: Headers::from_iter(headers.map(|(n, v)| (n, v.to_string()))),
            ..Request::default()
        }
    }

    #[test]
    fn grpc_requests_say_how_long_they_wait() {
        assert_eq!(grpc_timeout(&asks("2S")), Some(2000));
        assert_eq!(grpc_timeout(&asks("1n")), Some(1));
        assert_eq!(grpc_timeout(&asks("5")), None);
        let timing = Timing {
            timeout: 2000,
            grpc: Some(FromRequest {
                at_most: 500,
                offset: 0,
            }),
            ..Timing::default()
        };
        let whole = |request: &mut Request| timing.limits(request, false, 0, 0, 0).whole;
        assert_eq!(whole(&mut asks("300m")), 300);
        assert_eq!(whole(&mut asks("3S")), 500);
        assert_eq!(whole(&mut Request::default()), 2000);
    }
}
