//! One request through a proxy, from the connection manager to the answer. What the upstream does is told to it step by
//! step, so that each attempt can travel as packets of its own.
//! Source: `source/common/http/conn_manager_impl.cc`, `source/common/router/router.cc`.

mod access;
mod answer;
mod attempts;

use crate::envoy::action::{Action, ClusterChoice, Forward};
use crate::envoy::balance::{Memory, NoHost, Pick};
use crate::envoy::config::Config;
use crate::envoy::cors::{CorsVerdict, Policies};
use crate::envoy::dice::{Dice, in_fraction, left, side_of};
use crate::envoy::fault::{Abort, Fault};
use crate::envoy::fraction::Fraction;
use crate::envoy::hcm::{Filter, Hcm, HttpFilter};
use crate::envoy::jwt::Authn;
use crate::envoy::listener::{Connection, FilterChain};
use crate::envoy::manager;
use crate::envoy::metadata::Metadata;
use crate::envoy::per_filter::{Own, PerFilter, Said};
use crate::envoy::retry::RetryPolicy;
use crate::envoy::route::{Asked, Miss, Route, is_grpc};
use crate::envoy::route_config::{RequireTls, RouteConfig, VirtualHost};
use crate::envoy::timing::Limits;
use crate::net::{Coins, Headers, Request, Response};
use crate::say;
use crate::text::Span;
use std::net::IpAddr;

pub use access::{Access, Asks, Unknown, judge};

/// A request on its way through Envoy, and all that was decided about it so far.
#[derive(Clone, Debug)]
pub struct Exchange<'c> {
    config: &'c Config,
    hcm: &'c Hcm,
    connection: Connection,
    chain: &'c FilterChain,
    pub dice: Dice,
    /// The request as routes see it.
    pub request: Request,
    /// As it goes upstream, once an endpoint was chosen.
    sent: Option<Request>,
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
    /// Why no endpoint could be chosen.
    pub no_host: Option<NoHost>,
    /// Copies for other clusters.
    pub mirrors: Vec<Mirrored>,
    /// Milliseconds since the request went upstream.
    clock: u64,
    peer: String,
    client: String,
    /// Whom the request comes from.
    pub client_address: IpAddr,
    /// Whether the request may say how it is to be handled.
    internal: bool,
    /// How long it may take, once it is forwarded.
    pub limits: Limits,
    retry: RetryPolicy,
    local_address: String,
    pub flags: Vec<Flag>,
    /// Envoy's `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
    /// What filters noted of the request.
    pub metadata: Metadata,
    /// What the filters that look at tokens made of it, one after the other.
    pub authn: Vec<Authn>,
    /// A token made it find its route anew.
    pub anew: bool,
    /// As the coins were before its route was found, and how many of them had fallen after.
    coins: (Option<Coins>, usize),
    /// What the filters that let in said, in their order.
    pub access: Vec<Access>,
    /// What cannot be told, where that ends the request here.
    pub unknown: Option<Unknown>,
    /// The filter that tells a browser what it may do with the answer.
    cors: Option<&'c str>,
    /// The request's own number.
    random: u64,
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
    /// UAEX: whom it asked who may pass did not let it.
    Unauthorized,
    /// SI: nothing happened on the stream for too long.
    StreamIdle,
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
            Flag::Unauthorized => "UAEX",
            Flag::StreamIdle => "SI",
        }
    }

    /// As `%RESPONSE_FLAGS_LONG%` has it (`source/common/stream_info/utility.h`).
    pub fn name(self) -> &'static str {
        match self {
            Flag::NoHealthyUpstream => "NoHealthyUpstream",
            Flag::ConnectFailure => "UpstreamConnectionFailure",
            Flag::NoRoute => "NoRouteFound",
            Flag::RetryLimit => "UpstreamRetryLimitExceeded",
            Flag::UpstreamTermination => "UpstreamConnectionTermination",
            Flag::UpstreamTimeout => "UpstreamRequestTimeout",
            Flag::DelayInjected => "DelayInjected",
            Flag::FaultInjected => "FaultInjected",
            Flag::ProtocolError => "DownstreamProtocolError",
            Flag::NoCluster => "NoClusterFound",
            Flag::Unauthorized => "UnauthorizedExternalService",
            Flag::StreamIdle => "StreamIdleTimeout",
        }
    }
}

impl<'c> Exchange<'c> {
    /// Takes a request on a connection that `chain` accepted, as far as it gets without an upstream. The same dice make
    /// the same choices.
    pub fn begin(
        config: &'c Config,
        chain: &'c FilterChain,
        hcm: &'c Hcm,
        connection: &Connection,
        request: Request,
        memory: &mut Memory,
        dice: Dice,
    ) -> Self {
        let mut exchange = Self {
            config,
            hcm,
            connection: connection.clone(),
            chain,
            dice,
            request,
            sent: None,
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
            no_host: None,
            mirrors: Vec::new(),
            clock: 0,
            peer: address_of(connection.source),
            client: address_of(connection.source),
            client_address: connection.source.0,
            internal: false,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            local_address: address_of(connection.destination),
            flags: Vec::new(),
            details: String::new(),
            metadata: Metadata::default(),
            authn: Vec::new(),
            anew: false,
            coins: (None, 0),
            random: 0,
            access: Vec::new(),
            unknown: None,
            cors: None,
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
        let received = manager::receive(
            self.hcm,
            &self.connection,
            &mut self.request,
            internal,
            &mut self.dice,
        );
        match received {
            Ok(client) => {
                self.client = address_of(client.address);
                self.client_address = client.address.0;
                self.internal = client.internal;
            }
            Err(early) => return self.end_early(early),
        }
        self.scheme = manager::scheme(&self.request, &self.connection);
        self.random = self.dice.next_u64();
        self.look_up();
        let upgrade = manager::upgrade(&self.request).filter(|_| self.route.is_some());
        if upgrade.is_some_and(|kind| !self.upgrades(&kind)) {
            self.details = "upgrade_failed".into();
            return self.finish(403, Headers::new(), String::new(), true);
        }
        // The router, which answers where there is no route, is the last of the filters.
        if self.unknown.is_some() || self.filters(memory.time) {
            return;
        }
        match self.route {
            _ if self.vhost.is_some_and(|v| self.needs_tls(v)) => {
                let location = format!("https://{}{}", self.request.authority, self.request.path);
                self.details = "direct_response".into();
                let headers = Headers::from_iter([("location", location)]);
                self.finish(301, headers, String::new(), true);
            }
            Some((_, route)) => self.act(route, memory),
            None => self.no_route(),
        }
    }

    /// The virtual host, its route and the route's cluster.
    fn look_up(&mut self) {
        let before = self.dice.coins.clone();
        let routes = self.routes;
        self.vhost = routes.and_then(|r| r.virtual_host(&self.request.authority));
        let said = !self.forwarded_proto().is_empty();
        if self.vhost.is_some_and(|v| said && !self.needs_tls(v)) {
            self.find_route();
        }
        self.coins = (before, self.dice.tossed());
    }

    /// As by `clearRouteCache`, which `asked` asks for. One number decides each time, so coins that fell for the route before
    /// are taken back, unless others fell since.
    fn look_up_again(&mut self, asked: Span) {
        let (before, after) = &self.coins;
        if self.dice.tossed() == *after {
            self.dice.coins.clone_from(before);
        } else if before.as_ref().map_or(0, |c| c.tossed.len()) < *after {
            self.unknown = Some(Unknown {
                what: "clear_route_cache".into(),
                span: asked,
                asks: Asks::Route,
            });
            return;
        }
        (self.route, self.weighted) = (None, None);
        self.passed_over.clear();
        self.cluster.clear();
        self.cluster_odds.clear();
        self.look_up();
    }

    /// The first route of the virtual host whose conditions all hold, and the cluster that it chooses.
    fn find_route(&mut self) {
        let random = self.random;
        let Some((routes, vhost)) = self.routes.zip(self.vhost) else {
            return;
        };
        let asked = Asked {
            request: &self.request,
            scheme: &self.scheme,
            client_certificate: self.connection.tls.as_ref().is_some_and(|t| t.certificate),
            ignore_path_parameters: routes.ignore_path_parameters,
            random: (!self.dice.is_told()).then_some(random),
            metadata: &self.metadata,
        };
        // Of which fractions the request's number was, where coins tell.
        let mut fell = Vec::new();
        for (at, route) in vhost.routes.iter().enumerate() {
            let condition = &route.condition;
            let mut checked = condition.check(&asked);
            if let (Ok(()), Some(fraction), None) = (checked, condition.fraction, asked.random) {
                let sides = left(&fell, fraction.sides());
                let takes = self.dice.side(sides, route.span, in_fraction) == Some(0);
                fell.push((fraction, takes));
                checked = takes.then_some(()).ok_or(Miss::Fraction);
            }
            match checked {
                Ok(()) => {
                    self.route = Some((at, route));
                    break;
                }
                Err(Miss::Unknown) => {
                    self.unknown = Some(Unknown {
                        what: condition.not_told().to_string(),
                        span: condition.span,
                        asks: Asks::Route,
                    });
                    self.passed_over.push((at, Miss::Unknown));
                    break;
                }
                Err(miss) => self.passed_over.push((at, miss)),
            }
        }
        let span = self.route.map(|(_, r)| r.span).unwrap_or_default();
        if let Some(forward) = self.forward_action() {
            self.choose_cluster(forward, random, &fell, span);
        }
    }

    fn forwarded_proto(&self) -> &str {
        let headers = &self.request.headers;
        headers.first("x-forwarded-proto").unwrap_or("")
    }

    /// Cleartext where the virtual host wants TLS; what says nothing finds no route instead
    /// (`VirtualHostImpl::getRouteFromEntries`).
    fn needs_tls(&self, vhost: &VirtualHost) -> bool {
        let internal = self.request.headers.first("x-envoy-internal") == Some("true");
        let clear = !matches!(self.forwarded_proto(), "https" | "");
        match vhost.require_tls {
            RequireTls::None => false,
            RequireTls::ExternalOnly => clear && !internal,
            RequireTls::All => clear,
        }
    }

    fn upgrades(&self, kind: &str) -> bool {
        let by_route = match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(f)) => f.upgrades.get(kind).copied(),
            _ => None,
        };
        let by_manager = self.hcm.upgrades.iter().find(|(name, _)| name == kind);
        by_route.unwrap_or_else(|| by_manager.is_some_and(|(_, enabled)| *enabled))
    }

    fn choose_cluster(
        &mut self,
        forward: &Forward,
        random: u64,
        fell: &[(Fraction, bool)],
        asked: Span,
    ) {
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
                let weights: Vec<u64> = clusters.iter().map(|c| c.weight).collect();
                self.weighted = match steered {
                    None if self.dice.is_told() => {
                        let name = |at: usize| {
                            let cluster = clusters.get(at);
                            say!("insight/side", name = cluster.map_or("", |c| &c.name))
                        };
                        self.dice.side(left(fell, weights), asked, name)
                    }
                    _ => {
                        let number = steered.unwrap_or(random).checked_rem(*total).unwrap_or(0);
                        side_of(&weights, number)
                    }
                };
                for (at, cluster) in clusters.iter().enumerate() {
                    let name = match cluster.name.is_empty() {
                        true => named(&self.request, &cluster.header),
                        false => cluster.name.clone(),
                    };
                    if self.weighted == Some(at) {
                        self.cluster.clone_from(&name);
                    }
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
    fn filters(&mut self, now: Option<u64>) -> bool {
        // The route found first says which filters there are (`FilterChainUtility::createFilterChainForFactories`).
        let off: Vec<bool> = self.hcm.filters.iter().map(|f| self.is_off(f)).collect();
        for ((at, filter), off) in self.hcm.filters.iter().enumerate().zip(off) {
            let said = self.said_of(&filter.name);
            match (&filter.does, said.map(|s| &s.own)) {
                (HttpFilter::Jwt(_), _) if off => self.authn.push(Authn::Pass),
                _ if off => {}
                (HttpFilter::Router | HttpFilter::Silent, _) => {}
                (HttpFilter::Rbac(rbac), None) | (HttpFilter::Rbac(_), Some(Own::Rbac(rbac))) => {
                    if self.rbac(at, rbac) {
                        return true;
                    }
                }
                (HttpFilter::Jwt(jwt), None) => {
                    let (ends, anew) = self.jwt(jwt, now);
                    if anew {
                        self.anew = true;
                        self.look_up_again(jwt.span);
                    }
                    if ends || self.unknown.is_some() {
                        return true;
                    }
                }
                (HttpFilter::ExtAuthz(_), Some(Own::AsksNobody(true))) => {}
                (HttpFilter::ExtAuthz(server), None | Some(Own::AsksNobody(false))) => {
                    if self.ext_authz(server) {
                        return true;
                    }
                }
                (HttpFilter::Cors, None | Some(Own::Cors(_))) => {
                    match self.cors_policies(&filter.name).verdict(&self.request) {
                        CorsVerdict::Pass => {}
                        CorsVerdict::Mark => self.cors = Some(&filter.name),
                        CorsVerdict::Preflight(headers, allowed) => {
                            self.cors = allowed.then_some(&filter.name);
                            self.details = "cors_response".into();
                            self.finish(200, headers, String::new(), true);
                            return true;
                        }
                    }
                }
                (HttpFilter::Fault(fault), None)
                | (HttpFilter::Fault(_), Some(Own::Fault(fault))) => {
                    if self.fault(fault) {
                        return true;
                    }
                }
                // What it does is not modelled, or what is said of it.
                (_, _) => {
                    self.unknown = Some(Unknown {
                        what: filter.name.clone(),
                        span: said.map_or(filter.span, |s| s.span),
                        asks: Asks::Filter,
                    });
                    return true;
                }
            }
        }
        false
    }

    /// Only what is forwarded has policies.
    fn cors_policies(&self, filter: &str) -> Policies<'c> {
        let levels = self.forward_action().into_iter().flat_map(|_| self.said());
        Policies(levels.filter_map(|l| l.cors(filter)).collect())
    }

    /// What is said of filters, the most specific first. It is the route that knows of those above it
    /// (`resolveMostSpecificPerFilterConfig`).
    fn said(&self) -> impl Iterator<Item = &'c PerFilter> {
        let levels = self.route.map(|(_, route)| {
            [
                self.weighted_cluster().map(|w| &w.filters),
                Some(&route.filters),
                self.vhost.map(|v| &v.filters),
                self.routes.map(|r| &r.filters),
            ]
        });
        levels.into_iter().flatten().flatten()
    }

    fn said_of(&self, filter: &str) -> Option<&'c Said> {
        self.said().find_map(|l| l.of(filter))
    }

    fn is_off(&self, filter: &Filter) -> bool {
        let said = self.said().find_map(|l| l.is_off(&filter.name));
        said.unwrap_or(filter.disabled)
    }

    fn weighted_cluster(&self) -> Option<&'c crate::envoy::action::WeightedCluster> {
        match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(forward)) => match &forward.cluster {
                ClusterChoice::Weighted { clusters, .. } => clusters.get(self.weighted?),
                _ => None,
            },
            _ => None,
        }
    }

    fn fault(&mut self, fault: &Fault) -> bool {
        let asked = self.route.map(|(_, r)| r.span).unwrap_or_default();
        let injected = fault.inject(
            &self.request,
            &self.scheme,
            &self.cluster,
            &mut self.dice,
            asked,
        );
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
                let proto = self.forwarded_proto();
                let matched = route.condition.matched_length(&self.request.path);
                let location = redirect.location(&self.request, &self.scheme, proto, matched);
                self.details = "direct_response".into();
                let headers = Headers::from_iter([("location", location)]);
                self.finish(redirect.status, headers, String::new(), true);
            }
            Action::Respond(status, body) => {
                self.details = "direct_response".into();
                let mut headers = Headers::new();
                if matches!(status, 201 | 300..=399) {
                    let (host, path) = (&self.request.authority, &self.request.path);
                    headers.add("location", format!("{}://{host}{path}", self.scheme));
                }
                self.finish(*status, headers, body.clone(), true);
            }
            Action::NotModelled(name) => {
                self.unknown = Some(Unknown {
                    what: (*name).to_string(),
                    span: route.span,
                    asks: Asks::Route,
                });
            }
            Action::Forward(forward) => self.forward(forward, memory),
        }
    }

    fn forward_action(&self) -> Option<&'c Forward> {
        match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(forward)) => Some(forward),
            _ => None,
        }
    }

    /// The chosen cluster, if there is one of that name: `%UPSTREAM_CLUSTER%`.
    pub fn known_cluster(&self) -> Option<&str> {
        let known = self.config.clusters.contains_key(&self.cluster);
        known.then_some(self.cluster.as_str())
    }
}

fn address_of((ip, port): (std::net::IpAddr, u16)) -> String {
    std::net::SocketAddr::new(ip, port).to_string()
}
