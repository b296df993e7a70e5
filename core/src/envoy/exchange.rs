//! One request through a proxy, from the connection manager to the answer. What the upstream does is told to it step by
//! step, so that each attempt can travel as packets of its own.
//! Source: `source/common/http/conn_manager_impl.cc`, `source/common/router/router.cc`.

use super::action::{Action, ClusterChoice, Forward};
use super::balance::{Memory, NoHost, Pick, Wish};
use super::cluster::{Cluster, Discovery};
use super::config::Config;
use super::cors::{CorsVerdict, Policies};
use super::fault::{Abort, Fault};
use super::format::Facts;
use super::hcm::{Hcm, HttpFilter};
use super::header_ops::HeaderOps;
use super::listener::{Connection, FilterChain};
use super::manager::{self, Early};
use super::retry::Reset;
use super::route::{Asked, Miss, Route, is_grpc};
use super::route_config::{RequireTls, RouteConfig, VirtualHost};
use super::upstream;
use crate::net::Random;
use crate::net::{Headers, Request, Response};

/// A request on its way through Envoy, and all that was decided about it so far.
#[derive(Clone, Debug)]
pub struct Exchange<'c> {
    config: &'c Config,
    hcm: &'c Hcm,
    connection: Connection,
    chain: &'c FilterChain,
    dice: Random,
    /// The request as routes see it.
    pub request: Request,
    pub scheme: String,
    pub routes: Option<&'c RouteConfig>,
    pub vhost: Option<&'c VirtualHost>,
    /// With its index in the virtual host.
    pub route: Option<(usize, &'c Route)>,
    /// The routes before it, each with the condition that did not hold.
    pub passed_over: Vec<(usize, Miss)>,
    /// The cluster chosen; empty while there is none.
    pub cluster: String,
    /// All that could have been, with their weights.
    pub cluster_odds: Vec<(String, u64)>,
    weighted: Option<usize>,
    /// Milliseconds that the fault filter held it back.
    pub delayed: u64,
    pub attempts: Vec<Attempt>,
    /// Copies for other clusters.
    pub mirrors: Vec<Mirrored>,
    /// Milliseconds since the request went upstream.
    clock: u64,
    flag_text: String,
    peer: String,
    local_address: String,
    pub flags: Vec<Flag>,
    /// Envoy's `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
    /// Filters on the way that are not modelled.
    pub not_modelled: Vec<String>,
    cors: bool,
    /// The end, once it is there.
    pub answer: Option<Response>,
    /// Whether the answer is Envoy's own.
    pub local: bool,
}

/// One try at an endpoint.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub pick: Pick,
    pub address: String,
    /// The request as it goes out.
    pub request: Request,
    /// Milliseconds after the request went upstream.
    pub at: u64,
    /// Milliseconds that it may take; 0 is no limit. Sent as `x-envoy-expected-rq-timeout-ms`.
    pub timeout: u64,
    pub outcome: Option<Outcome>,
}

#[derive(Clone, Debug)]
pub struct Mirrored {
    pub cluster: String,
    pub address: String,
    pub request: Request,
}

/// What became of an attempt, and after how many milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answer {
        response: Response,
        after: u64,
    },
    /// The connection ended before an answer came.
    Broken {
        after: u64,
    },
    /// Nothing took the connection.
    Refused,
    /// The connection was not made in time.
    NoConnection {
        after: u64,
    },
}

/// Response flags. Envoy prints them in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// UH: no healthy upstream.
    NoHealthyUpstream,
    /// UF: no connection to the upstream.
    ConnectFailure,
    /// NR: no route.
    NoRoute,
    /// URX: as many retries as allowed.
    RetryLimit,
    /// UC: the upstream ended the connection.
    UpstreamTermination,
    /// UT: no answer in time.
    UpstreamTimeout,
    /// DI: held back by a fault.
    DelayInjected,
    /// FI: ended by a fault.
    FaultInjected,
    /// DPE: not HTTP as it should be.
    ProtocolError,
    /// NC: no such cluster.
    NoCluster,
}

impl Flag {
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::NoHealthyUpstream => "UH",
            Flag::ConnectFailure => "UF",
            Flag::NoRoute => "NR",
            Flag::RetryLimit => "URX",
            Flag::UpstreamTermination => "UC",
            Flag::UpstreamTimeout => "UT",
            Flag::DelayInjected => "DI",
            Flag::FaultInjected => "FI",
            Flag::ProtocolError => "DPE",
            Flag::NoCluster => "NC",
        }
    }
}

impl<'c> Exchange<'c> {
    /// Takes a request on a connection that `chain` accepted, as far as it gets without an upstream. The same seed makes
    /// the same choices.
    pub fn begin(
        config: &'c Config,
        chain: &'c FilterChain,
        hcm: &'c Hcm,
        connection: &Connection,
        request: Request,
        memory: &mut Memory,
        seed: u64,
    ) -> Self {
        let mut exchange = Self {
            config,
            hcm,
            connection: connection.clone(),
            chain,
            dice: Random::new(seed),
            request,
            scheme: String::new(),
            routes: config.routes_of(hcm),
            vhost: None,
            route: None,
            passed_over: Vec::new(),
            cluster: String::new(),
            cluster_odds: Vec::new(),
            weighted: None,
            delayed: 0,
            attempts: Vec::new(),
            mirrors: Vec::new(),
            clock: 0,
            flag_text: "-".into(),
            peer: address_of(connection.source),
            local_address: address_of(connection.destination),
            flags: Vec::new(),
            details: String::new(),
            not_modelled: Vec::new(),
            cors: false,
            answer: None,
            local: false,
        };
        exchange.run(memory);
        exchange
    }

    fn run(&mut self, memory: &mut Memory) {
        let internal = self
            .routes
            .map(|r| r.internal_only_headers.as_slice())
            .unwrap_or(&[]);
        let early = manager::receive(
            self.hcm,
            &self.connection,
            &mut self.request,
            internal,
            &mut self.dice,
        );
        if let Err(early) = early {
            return self.end_early(early);
        }
        self.scheme = manager::scheme(&self.request, &self.connection);
        let random = self.dice.next_u64();
        self.vhost = self
            .routes
            .and_then(|r| r.virtual_host(&self.request.authority));
        let Some((routes, vhost)) = self.routes.zip(self.vhost) else {
            return self.no_route();
        };
        if self.needs_tls(vhost) {
            let location = format!("https://{}{}", self.request.authority, self.request.path);
            self.details = "direct_response".into();
            let headers = Headers::from_iter([("location", location)]);
            return self.finish(301, headers, String::new(), true);
        }
        let asked = Asked {
            request: &self.request,
            scheme: &self.scheme,
            client_certificate: self.connection.tls.as_ref().is_some_and(|t| t.certificate),
            ignore_path_parameters: routes.ignore_path_parameters,
            random,
        };
        for (at, route) in vhost.routes.iter().enumerate() {
            match route.condition.check(&asked) {
                Ok(()) => {
                    self.route = Some((at, route));
                    break;
                }
                Err(miss) => self.passed_over.push((at, miss)),
            }
        }
        let Some((_, route)) = self.route else {
            return self.no_route();
        };
        if let Action::Forward(forward) = &route.action {
            self.choose_cluster(forward, random);
        }
        if manager::upgrade(&self.request).is_some_and(|kind| !self.upgrades(&kind)) {
            self.details = "upgrade_failed".into();
            return self.finish(403, Headers::new(), String::new(), true);
        }
        if self.filters() {
            return;
        }
        self.act(route, memory);
    }

    /// Cleartext where the virtual host wants TLS (`RouteMatcher::findRoute`).
    fn needs_tls(&self, vhost: &VirtualHost) -> bool {
        let internal = self.request.headers.first("x-envoy-internal") == Some("true");
        let https = self.request.headers.first("x-forwarded-proto") == Some("https");
        match vhost.require_tls {
            RequireTls::None => false,
            RequireTls::ExternalOnly => !https && !internal,
            RequireTls::All => !https,
        }
    }

    fn no_route(&mut self) {
        self.flags.push(Flag::NoRoute);
        self.details = "route_not_found".into();
        self.finish(404, Headers::new(), String::new(), true);
    }

    fn end_early(&mut self, early: Early) {
        self.vhost = match early.codec {
            true => None,
            false => self
                .routes
                .and_then(|r| r.virtual_host(&self.request.authority)),
        };
        if early.codec {
            self.flags.push(Flag::ProtocolError);
        }
        self.details = early.details.into();
        let headers = early
            .location
            .map(|l| ("location", l))
            .into_iter()
            .collect();
        self.finish(early.status, headers, early.body.into(), true);
    }

    fn upgrades(&self, kind: &str) -> bool {
        let by_route = match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(f)) => f.upgrades.get(kind).copied(),
            _ => None,
        };
        let by_manager = self.hcm.upgrades.iter().find(|(name, _)| name == kind);
        by_route.unwrap_or_else(|| by_manager.is_some_and(|(_, enabled)| *enabled))
    }

    fn choose_cluster(&mut self, forward: &Forward, random: u64) {
        let named = |request: &Request, header: &str| {
            request.headers.first(header).unwrap_or("").to_string()
        };
        match &forward.cluster {
            ClusterChoice::Name(name) => {
                self.cluster.clone_from(name);
                self.cluster_odds = vec![(name.clone(), 1)];
            }
            ClusterChoice::Header(header) => {
                self.cluster = named(&self.request, header);
                self.cluster_odds = vec![(self.cluster.clone(), 1)];
            }
            ClusterChoice::Weighted {
                clusters,
                total,
                random_header,
            } => {
                let mut values = self.request.headers.all(random_header);
                let steered = match (values.next(), values.next()) {
                    (Some(one), None) => one.trim().parse::<u64>().ok(),
                    _ => None,
                };
                let mut left = steered.unwrap_or(random).checked_rem(*total).unwrap_or(0);
                for (at, cluster) in clusters.iter().enumerate() {
                    let name = match cluster.name.is_empty() {
                        true => named(&self.request, &cluster.header),
                        false => cluster.name.clone(),
                    };
                    if left < cluster.weight && self.weighted.is_none() {
                        self.weighted = Some(at);
                        self.cluster.clone_from(&name);
                    }
                    left = left.saturating_sub(cluster.weight);
                    if steered.is_none() || self.weighted == Some(at) {
                        let weight = if steered.is_none() { cluster.weight } else { 1 };
                        self.cluster_odds.push((name, weight));
                    }
                }
                self.cluster_odds.retain(|(_, weight)| *weight > 0);
            }
        }
    }

    /// The HTTP filters before the router; true where one of them answered.
    fn filters(&mut self) -> bool {
        for filter in &self.hcm.filters {
            match filter {
                HttpFilter::Cors => match self.cors_policies().verdict(&self.request) {
                    CorsVerdict::Pass => {}
                    CorsVerdict::Mark => self.cors = true,
                    CorsVerdict::Preflight(headers, allowed) => {
                        self.cors = allowed;
                        self.details = "cors_response".into();
                        self.finish(200, headers, String::new(), true);
                        return true;
                    }
                },
                HttpFilter::Fault(own) => {
                    let fault = self.most_specific(|f| f.fault.as_ref()).unwrap_or(own);
                    if self.fault(fault) {
                        return true;
                    }
                }
                HttpFilter::NotModelled(name) => self.not_modelled.push(name.clone()),
                HttpFilter::Router | HttpFilter::Silent(_) => {}
            }
        }
        false
    }

    /// Only what is forwarded has policies.
    fn cors_policies(&self) -> Policies<'c> {
        if self.forward_action().is_none() {
            return Policies(Vec::new());
        }
        let levels = [
            self.weighted_cluster().map(|w| &w.filters),
            self.route.map(|(_, r)| &r.filters),
            self.vhost.map(|v| &v.filters),
            self.routes.map(|r| &r.filters),
        ];
        Policies(
            levels
                .into_iter()
                .flatten()
                .filter_map(|f| f.cors.as_ref())
                .collect(),
        )
    }

    fn most_specific<T>(
        &self,
        of: impl Fn(&'c super::route_config::PerFilter) -> Option<&'c T>,
    ) -> Option<&'c T> {
        let route = self.route.map(|(_, r)| r);
        let weighted = self.weighted_cluster().and_then(|w| of(&w.filters));
        weighted
            .or_else(|| route.and_then(|r| of(&r.filters)))
            .or_else(|| self.vhost.and_then(|v| of(&v.filters)))
            .or_else(|| self.routes.and_then(|r| of(&r.filters)))
    }

    fn weighted_cluster(&self) -> Option<&'c super::action::WeightedCluster> {
        match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(forward)) => match &forward.cluster {
                ClusterChoice::Weighted { clusters, .. } => clusters.get(self.weighted?),
                _ => None,
            },
            _ => None,
        }
    }

    fn fault(&mut self, fault: &Fault) -> bool {
        let injected = fault.inject(&self.request, &self.scheme, &self.cluster, &mut self.dice);
        if let Some(delay) = injected.delay {
            self.delayed = delay;
            self.flags.push(Flag::DelayInjected);
        }
        let Some(abort) = injected.abort else {
            return false;
        };
        self.flags.push(Flag::FaultInjected);
        self.details = "fault_filter_abort".into();
        let body = "fault filter abort".to_string();
        match abort {
            Abort::Http(status) => self.finish(status, Headers::new(), body, true),
            Abort::Grpc(code) if is_grpc(&self.request) => {
                let headers = Headers::from_iter([
                    ("content-type", "application/grpc".to_string()),
                    ("grpc-status", code.to_string()),
                    ("grpc-message", body),
                ]);
                self.finish(200, headers, String::new(), true);
            }
            Abort::Grpc(_) => self.finish(200, Headers::new(), body, true),
            Abort::Header => {}
        }
        true
    }

    fn act(&mut self, route: &'c Route, memory: &mut Memory) {
        match &route.action {
            Action::Redirect(redirect) => {
                let proto = self
                    .request
                    .headers
                    .first("x-forwarded-proto")
                    .unwrap_or("");
                let matched = route.condition.matched_length(&self.request.path);
                let location = redirect.location(&self.request, &self.scheme, proto, matched);
                self.details = "direct_response".into();
                let headers = Headers::from_iter([("location", location)]);
                self.finish(redirect.status, headers, String::new(), true);
            }
            Action::Respond(status, body) => {
                self.details = "direct_response".into();
                self.finish(*status, Headers::new(), body.clone(), true);
            }
            Action::NotModelled(name) => self.not_modelled.push((*name).to_string()),
            Action::Forward(forward) => self.forward(forward, memory),
        }
    }

    fn forward(&mut self, forward: &'c Forward, memory: &mut Memory) {
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
        self.attempt(forward, memory);
        if self.answer.is_some() {
            return;
        }
        let Some(first) = self.attempts.first() else {
            return;
        };
        for mirror in &forward.mirrors {
            if !mirror.fraction.takes(self.dice.next_u64()) {
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

    fn forward_action(&self) -> Option<&'c Forward> {
        match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(forward)) => Some(forward),
            _ => None,
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
            hash: upstream::hash(forward, &self.request, &self.connection),
            avoid: if forward.retry.skip_tried {
                &tried
            } else {
                &[]
            },
            draws: forward.retry.draws,
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
            Err(NoHost::Empty | NoHost::Subset | NoHost::Unhealthy) => {
                self.flags.push(Flag::NoHealthyUpstream);
                self.details = "no_healthy_upstream".into();
                self.finish(503, Headers::new(), "no healthy upstream".into(), true);
            }
            Ok((pick, address)) => {
                let timeout = self.time_allowed(forward);
                let request = self.upstream_request(forward, cluster, &pick, &address, timeout);
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

    /// A header that may not go out (`UpstreamRequest::acceptHeadersFromRouter`).
    fn invalid_header(&mut self, name: &str) {
        self.flags.push(Flag::ProtocolError);
        let body = format!("invalid header name: {name}");
        let word = body.replace(' ', "_");
        self.details = format!("filter_removed_required_request_headers{{{word}}}");
        self.finish(503, Headers::new(), body, true);
    }

    /// What one attempt may take: its own limit, or what is left of the whole.
    fn time_allowed(&self, forward: &Forward) -> u64 {
        let own = forward.retry.per_try_timeout;
        if forward.timeout == 0 {
            return own;
        }
        let left = forward.timeout.saturating_sub(self.clock).max(1);
        if own == 0 { left } else { own.min(left) }
    }

    fn upstream_request(
        &self,
        forward: &'c Forward,
        cluster: &Cluster,
        pick: &Pick,
        address: &str,
        timeout: u64,
    ) -> Request {
        let mut request = self.request.clone();
        for ops in self.levels(
            |w| &w.request_headers,
            |r| &r.request_headers,
            |v| &v.request_headers,
            |c| &c.request_headers,
        ) {
            let seen = request.clone();
            let facts = Facts {
                request: &seen,
                ..self.facts(&seen, None, address)
            };
            ops.apply(&mut request.headers, &facts);
        }
        let literal = self
            .weighted_cluster()
            .map_or("", |w| w.host_rewrite.as_str());
        let endpoint = cluster.assignment.endpoints.get(pick.endpoint);
        let hostname = endpoint.map_or("", |e| e.hostname.as_str());
        upstream::rewrite_host(forward, literal, hostname, &mut request);
        if let Some((_, route)) = self.route {
            upstream::rewrite_path(forward, &route.condition, &mut request);
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

    /// The header operations of all levels in the order in which they apply.
    fn levels(
        &self,
        weighted: impl Fn(&'c super::action::WeightedCluster) -> &'c HeaderOps,
        route: impl Fn(&'c Route) -> &'c HeaderOps,
        vhost: impl Fn(&'c VirtualHost) -> &'c HeaderOps,
        config: impl Fn(&'c RouteConfig) -> &'c HeaderOps,
    ) -> Vec<&'c HeaderOps> {
        let mut levels: Vec<_> = [
            self.weighted_cluster().map(weighted),
            self.route.map(|(_, r)| route(r)),
            self.vhost.map(vhost),
            self.routes.map(config),
        ]
        .into_iter()
        .flatten()
        .filter(|ops| !ops.is_empty())
        .collect();
        if self.routes.is_some_and(|r| r.most_specific_wins) {
            levels.reverse();
        }
        levels
    }

    fn facts<'f>(
        &'f self,
        request: &'f Request,
        response: Option<&'f Headers>,
        address: &'f str,
    ) -> Facts<'f> {
        Facts {
            request,
            scheme: &self.scheme,
            response,
            status: self.answer.as_ref().map_or(0, |a| a.status),
            flags: &self.flag_text,
            details: &self.details,
            route_name: self.route.map_or("", |(_, r)| r.name.as_str()),
            cluster: self.known_cluster().unwrap_or(""),
            upstream_host: address,
            peer: &self.peer,
            local: &self.local_address,
            sni: self.connection.tls.as_ref().map_or("", |t| t.sni.as_str()),
            filter_chain: &self.chain.name,
            attempts: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX),
        }
    }

    /// The chosen cluster, if there is one of that name: `%UPSTREAM_CLUSTER%`.
    pub fn known_cluster(&self) -> Option<&str> {
        let known = self.config.clusters.contains_key(&self.cluster);
        known.then_some(self.cluster.as_str())
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
        if attempt.timeout > 0 && took > attempt.timeout {
            let (at, timeout) = (attempt.at, attempt.timeout);
            let whole = forward.timeout > 0 && at + timeout >= forward.timeout;
            self.clock = at + timeout;
            return match whole {
                true => self.time_out("response_timeout"),
                false => self.failed(Reset::PerTryTimeout, forward, memory),
            };
        }
        self.clock = attempt.at + took;
        match outcome {
            Outcome::Answer { response, .. } => self.answered(response, forward, memory),
            Outcome::Broken { .. } => self.failed(Reset::Remote, forward, memory),
            Outcome::Refused | Outcome::NoConnection { .. } => {
                self.failed(Reset::Connect, forward, memory)
            }
        }
    }

    fn answered(&mut self, response: Response, forward: &'c Forward, memory: &mut Memory) {
        let retry = &forward.retry;
        if retry.applies(&self.request, &self.scheme) && retry.retries_answer(&response) {
            if self.may_retry(forward) {
                return self.again(forward, memory);
            }
            self.flags.push(Flag::RetryLimit);
        }
        self.details = "via_upstream".into();
        let mut headers = response.headers;
        headers.remove("connection");
        self.finish(response.status, headers, response.body, false);
    }

    fn failed(&mut self, reset: Reset, forward: &'c Forward, memory: &mut Memory) {
        let retry = &forward.retry;
        if retry.applies(&self.request, &self.scheme) && retry.retries_reset(reset) {
            if self.may_retry(forward) {
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
        self.flags.push(Flag::UpstreamTimeout);
        self.details = details.into();
        self.finish(504, Headers::new(), "upstream request timeout".into(), true);
    }

    fn may_retry(&self, forward: &Forward) -> bool {
        (self.attempts.len() as u64) <= u64::from(forward.retry.retries)
    }

    /// Waits a random while that doubles with each retry, and tries again.
    fn again(&mut self, forward: &'c Forward, memory: &mut Memory) {
        let retries = u32::try_from(self.attempts.len())
            .unwrap_or(u32::MAX)
            .clamp(1, 32)
            - 1;
        let back_off = forward.retry.back_off;
        let interval = back_off.base.saturating_mul(1 << retries).min(back_off.max);
        self.clock += self.dice.next_u64().checked_rem(interval).unwrap_or(0);
        if forward.timeout > 0 && self.clock >= forward.timeout {
            self.clock = forward.timeout;
            return self.time_out("response_timeout");
        }
        self.attempt(forward, memory);
    }

    /// The answer as it leaves: header operations, CORS, `server`.
    fn finish(&mut self, status: u16, headers: Headers, body: String, local: bool) {
        let mut response = Response {
            status,
            headers,
            body,
        };
        let grpc = local && is_grpc(&self.request) && !response.headers.has("grpc-status");
        if grpc {
            upstream::as_grpc(&mut response);
        }
        if !self.flags.is_empty() {
            let words: Vec<&str> = self.flags.iter().map(|f| f.as_str()).collect();
            self.flag_text = words.join(",");
        }
        let attempts = self.attempts.len();
        let early = self.scheme.is_empty();
        if !early && self.route.is_some() && self.details != "upgrade_failed" || !local {
            let address = self
                .attempts
                .last()
                .map(|a| a.address.clone())
                .unwrap_or_default();
            for ops in self.levels(
                |w| &w.response_headers,
                |r| &r.response_headers,
                |v| &v.response_headers,
                |c| &c.response_headers,
            ) {
                let seen = response.headers.clone();
                let facts = Facts {
                    status,
                    ..self.facts(&self.request, Some(&seen), &address)
                };
                ops.apply(&mut response.headers, &facts);
            }
        }
        if !response.body.is_empty() && local && !response.headers.has("content-type") {
            response.headers.add("content-type", "text/plain");
        }
        if self.request.method == "HEAD" {
            response.body.clear();
        }
        if self.cors {
            self.cors_policies()
                .mark(&self.request, &mut response.headers);
        }
        if attempts > 0 && self.vhost.is_some_and(|v| v.attempt_count_in_response) {
            response
                .headers
                .set("x-envoy-attempt-count", attempts.to_string());
        }
        manager::server(self.hcm, &mut response.headers);
        self.local = local;
        self.answer = Some(response);
    }
}

fn original() -> Pick {
    Pick {
        endpoint: 0,
        odds: Vec::new(),
        panic: false,
        how: super::balance::How::InTurn,
    }
}

fn original_address(connection: &Connection) -> String {
    address_of(connection.destination)
}

fn address_of((ip, port): (std::net::IpAddr, u16)) -> String {
    std::net::SocketAddr::new(ip, port).to_string()
}
