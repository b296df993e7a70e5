//! An exchange beyond the filters: endpoints tried, one after the other. Source: `source/common/router/router.cc`.

use super::{Attempt, Exchange, Flag, Mirrored, Outcome, address_of};
use crate::envoy::action::{Forward, HostRewrite};
use crate::envoy::balance::{How, Memory, Pick, Wish};
use crate::envoy::cluster::{Cluster, Discovery};
use crate::envoy::format::Facts;
use crate::envoy::hcm::Filter;
use crate::envoy::inline;
use crate::envoy::listener::{ClientHello, Connection};
use crate::envoy::manager;
use crate::envoy::retry::Reset;
use crate::envoy::timing::Limits;
use crate::envoy::upstream;
use crate::net::{Headers, Request, Response};

impl<'c> Exchange<'c> {
    pub(super) fn forward(&mut self, forward: &'c Forward, memory: &mut Memory) {
        if !self.config.clusters.contains_key(&self.cluster) {
            self.flags.push(Flag::NoCluster);
            self.details = "cluster_not_found".into();
            return self.finish(
                forward.not_found_status,
                Headers::new(),
                String::new(),
                true,
            );
        }
        let trusted = self.internal;
        self.retry = forward.retry.asked(&mut self.request, trusted);
        self.limits = forward.timing.limits(
            &mut self.request,
            trusted,
            forward.retry.per_try_timeout,
            self.hcm.idle,
            self.hcm.duration,
        );
        self.attempt(forward, memory);
        if self.answer.is_some() {
            return;
        }
        let Some(first) = self.attempts.first() else {
            return;
        };
        let asked = self.route.map(|(_, r)| r.span).unwrap_or_default();
        for mirror in &forward.mirrors {
            if !self.dice.falls(mirror.fraction, asked) {
                continue;
            }
            let name = match mirror.cluster.is_empty() {
                true => self
                    .request
                    .headers
                    .first(&mirror.cluster_header)
                    .unwrap_or(""),
                false => &mirror.cluster,
            };
            let Some(cluster) = self.config.clusters.get(name) else {
                continue;
            };
            let mut request = first.request.clone();
            if mirror.shadow_suffix {
                request.authority = upstream::shadow_host(&request.authority);
            }
            let pick = cluster.pick(&Wish::default(), memory, &mut self.dice);
            let address = pick
                .ok()
                .and_then(|p| cluster.assignment.endpoints.get(p.endpoint));
            self.mirrors.push(Mirrored {
                cluster: name.to_string(),
                address: address.map(|e| e.address.clone()).unwrap_or_default(),
                request,
            });
        }
    }

    /// Chooses an endpoint and makes the request for it; an answer of our own where there is none.
    fn attempt(&mut self, forward: &'c Forward, memory: &mut Memory) {
        let Some(cluster) = self.config.clusters.get(&self.cluster) else {
            return;
        };
        let tried: Vec<usize> = self.attempts.iter().map(|a| a.pick.endpoint).collect();
        let mut subset = forward.metadata_match.clone();
        if let Some(weighted) = self.weighted_cluster() {
            subset.extend(weighted.metadata_match.clone());
        }
        let wish = Wish {
            subset,
            hash: upstream::hash(forward, &self.request, self.client_address),
            avoid: if self.retry.skip_tried { &tried } else { &[] },
            draws: self.retry.draws,
        };
        let picked = match cluster.discovery {
            Discovery::OriginalDst => Ok((original(), original_address(&self.connection))),
            _ => cluster.pick(&wish, memory, &mut self.dice).map(|pick| {
                let endpoint = cluster.assignment.endpoints.get(pick.endpoint);
                let address = endpoint.map(|e| e.address.clone()).unwrap_or_default();
                (pick, address)
            }),
        };
        match picked {
            Err(why) => {
                self.no_host = Some(why);
                self.flags.push(Flag::NoHealthyUpstream);
                self.details = "no_healthy_upstream".into();
                self.finish(503, Headers::new(), "no healthy upstream".into(), true);
            }
            Ok((pick, address)) => {
                let timeout = self.time_allowed();
                let finalized = self.sent.take().unwrap_or_else(|| self.finalized(forward));
                let request = self.upstream_request(forward, cluster, &pick, timeout, &finalized);
                self.sent = Some(finalized);
                if let Some(name) = upstream::invalid_name(&request) {
                    return self.invalid_header(&name);
                }
                let at = self.clock;
                self.attempts.push(Attempt {
                    pick,
                    address,
                    request,
                    at,
                    timeout,
                    outcome: None,
                });
            }
        }
    }

    /// What one attempt may take: its own limit, or what is left of the whole.
    fn time_allowed(&self) -> u64 {
        let own = self.limits.attempt;
        if self.limits.whole == 0 {
            return own;
        }
        let left = self.limits.whole.saturating_sub(self.clock).max(1);
        if own == 0 { left } else { own.min(left) }
    }

    /// A header that may not go out (`UpstreamRequest::acceptHeadersFromRouter`).
    fn invalid_header(&mut self, name: &str) {
        self.flags.push(Flag::ProtocolError);
        let body = format!("invalid header name: {name}");
        let word = body.replace(' ', "_");
        self.details = format!("filter_removed_required_request_headers{{{word}}}");
        self.finish(503, Headers::new(), body, true);
    }

    /// The request as all attempts send it (`RouteEntryImplBase::finalizeRequestHeaders`): made once, when the first
    /// endpoint is chosen.
    fn finalized(&self, forward: &'c Forward) -> Request {
        let mut request = self.request.clone();
        for ops in self.levels(
            |w| &w.request_headers,
            |r| &r.request_headers,
            |v| &v.request_headers,
            |c| &c.request_headers,
        ) {
            ops.take_off(&mut request.headers);
            let seen = request.clone();
            let facts = Facts {
                attempts: 1,
                ..self.facts(&seen, None, "")
            };
            ops.put_on(&mut request.headers, &facts);
        }
        let literal = self
            .weighted_cluster()
            .map_or("", |w| w.host_rewrite.as_str());
        upstream::rewrite_host(forward, literal, &mut request);
        if let Some((_, route)) = self.route {
            upstream::rewrite_path(forward, &route.condition, &mut request);
        }
        request
    }

    /// What one attempt sends.
    fn upstream_request(
        &self,
        forward: &'c Forward,
        cluster: &Cluster,
        pick: &Pick,
        timeout: u64,
        finalized: &Request,
    ) -> Request {
        let mut request = finalized.clone();
        if forward.host == HostRewrite::Endpoint {
            let endpoint = cluster.assignment.endpoints.get(pick.endpoint);
            let hostname = endpoint.map_or("", |e| e.hostname.as_str());
            upstream::set_host(hostname, forward.append_forwarded_host, &mut request);
        }
        if self.vhost.is_some_and(|v| v.attempt_count_in_request) {
            let count = self.attempts.len() + 1;
            request
                .headers
                .set("x-envoy-attempt-count", count.to_string());
        }
        if timeout > 0 {
            request
                .headers
                .set("x-envoy-expected-rq-timeout-ms", timeout.to_string());
        }
        request
    }

    /// How the connection of an attempt begins; none in the clear. Istio's ALPN filter offers the mesh's names for HTTP
    /// where it is the mesh that is called (`istio.alpn`).
    pub fn hello(&self, attempt: &Attempt) -> Option<ClientHello> {
        let cluster = self.config.clusters.get(&self.cluster)?;
        let endpoint = match cluster.discovery {
            Discovery::OriginalDst => None,
            _ => cluster.assignment.endpoints.get(attempt.pick.endpoint),
        };
        let mut hello = cluster.hello(endpoint)?.clone();
        let overrides = |f: &Filter| f.name == "istio.alpn" && !self.is_off(f);
        if self.hcm.filters.iter().any(overrides) && hello.alpn.iter().any(|a| a == "istio") {
            hello.alpn = ["istio-http/1.1", "istio", "http/1.1"]
                .map(str::to_string)
                .to_vec();
        }
        Some(hello)
    }

    /// The attempt that waits for its outcome.
    pub fn waiting(&self) -> Option<&Attempt> {
        self.attempts
            .last()
            .filter(|a| a.outcome.is_none() && self.answer.is_none())
    }

    /// Tells what became of the attempt that waits; then there is another one, or the answer.
    pub fn outcome(&mut self, outcome: Outcome, memory: &mut Memory) {
        let Some(forward) = self.forward_action() else {
            return;
        };
        let Some(attempt) = self.attempts.last_mut() else {
            return;
        };
        attempt.outcome = Some(outcome.clone());
        let took = match &outcome {
            Outcome::Answer { after, .. }
            | Outcome::Broken { after }
            | Outcome::NoConnection { after } => *after,
            Outcome::Refused => 0,
        };
        let (at, timeout) = (attempt.at, attempt.timeout);
        let Limits {
            whole,
            idle,
            duration,
            ..
        } = self.limits;
        let runs_out = |limit: u64, since: u64| (limit > 0).then(|| limit.saturating_sub(since));
        let stream = runs_out(duration, at + self.delayed);
        let ends = [runs_out(timeout, 0), runs_out(idle, 0), stream];
        let first = ends.into_iter().flatten().min().filter(|end| took > *end);
        if first.is_some() && first == stream {
            return self.late(None, "max_duration_timeout", "downstream duration timeout");
        }
        if first.is_some_and(|end| end == idle && (timeout == 0 || end < timeout)) {
            return self.late(
                Some(Flag::StreamIdle),
                "stream_idle_timeout",
                "stream timeout",
            );
        }
        if first.is_some() {
            let whole = whole > 0 && at + timeout >= whole;
            self.clock = at + timeout;
            return match whole {
                true => self.time_out("response_timeout"),
                false => self.failed(Reset::PerTryTimeout, forward, memory),
            };
        }
        self.clock = at + took;
        match outcome {
            Outcome::Answer { response, .. } => self.answered(response, forward, memory),
            Outcome::Broken { .. } => self.failed(Reset::Remote, forward, memory),
            Outcome::Refused | Outcome::NoConnection { .. } => {
                self.failed(Reset::Connect, forward, memory)
            }
        }
    }

    fn answered(&mut self, response: Response, forward: &'c Forward, memory: &mut Memory) {
        let retry = &self.retry;
        if retry.applies(&self.request, &self.scheme) && retry.retries_answer(&response) {
            if self.may_retry() {
                return self.again(forward, memory);
            }
            self.flags.push(Flag::RetryLimit);
        }
        let websocket = manager::upgrade(&self.request).is_some_and(|kind| kind == "websocket");
        self.details = match websocket && response.status != 101 {
            true => "websocket_handshake_unsuccessful".into(),
            false => "via_upstream".into(),
        };
        let mut headers = response.headers;
        inline::join(&mut headers, inline::Of::Responses);
        self.finish(response.status, headers, response.body, false);
    }

    fn failed(&mut self, reset: Reset, forward: &'c Forward, memory: &mut Memory) {
        let retry = &self.retry;
        if retry.applies(&self.request, &self.scheme) && retry.retries_reset(reset) {
            if self.may_retry() {
                return self.again(forward, memory);
            }
            self.flags.push(Flag::RetryLimit);
        }
        let start = "upstream connect error or disconnect/reset before headers. ";
        let again = match self.attempts.len() {
            0 | 1 => "",
            _ => "retried and the latest ",
        };
        let (flag, reason, cause) = match reset {
            Reset::PerTryTimeout => return self.time_out("upstream_per_try_timeout"),
            Reset::Remote => (Flag::UpstreamTermination, "connection termination", ""),
            Reset::Connect => match self.attempts.last().and_then(|a| a.outcome.as_ref()) {
                Some(Outcome::NoConnection { .. }) => {
                    (Flag::ConnectFailure, "connection timeout", "")
                }
                _ => (
                    Flag::ConnectFailure,
                    "remote connection failure",
                    "|delayed_connect_error:_Connection_refused",
                ),
            },
        };
        self.flags.push(flag);
        let word = reason.replace(' ', "_");
        self.details = format!("upstream_reset_before_response_started{{{word}{cause}}}");
        self.finish(
            503,
            Headers::new(),
            format!("{start}{again}reset reason: {reason}"),
            true,
        );
    }

    fn time_out(&mut self, details: &str) {
        self.late(
            Some(Flag::UpstreamTimeout),
            details,
            "upstream request timeout",
        );
    }

    fn late(&mut self, flag: Option<Flag>, details: &str, body: &str) {
        self.flags.extend(flag);
        self.details = details.into();
        self.finish(504, Headers::new(), body.into(), true);
    }

    fn may_retry(&self) -> bool {
        (self.attempts.len() as u64) <= u64::from(self.retry.retries)
    }

    /// Waits a random while that doubles with each retry, and tries again.
    fn again(&mut self, forward: &'c Forward, memory: &mut Memory) {
        let retries = u32::try_from(self.attempts.len())
            .unwrap_or(u32::MAX)
            .clamp(1, 32)
            - 1;
        let back_off = self.retry.back_off;
        let interval = back_off.base.saturating_mul(1 << retries).min(back_off.max);
        self.clock += self.dice.next_u64().checked_rem(interval).unwrap_or(0);
        let whole = self.limits.whole;
        if whole > 0 && self.clock >= whole {
            self.clock = whole;
            return self.time_out("response_timeout");
        }
        self.attempt(forward, memory);
    }
}

fn original() -> Pick {
    Pick {
        endpoint: 0,
        odds: Vec::new(),
        panic: false,
        how: How::InTurn,
    }
}

fn original_address(connection: &Connection) -> String {
    address_of(connection.destination)
}
