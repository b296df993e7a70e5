//! One request through a proxy, from the connection manager to the answer. What the upstream does is told to it step by
//! step, so that each attempt can travel as packets of its own.
//! Source: `source/common/http/conn_manager_impl.cc`, `source/common/router/router.cc`.

mod access;
mod answer;
mod attempts;
mod filters;
mod flag;
mod routing;

use crate::envoy::action::Action;
use crate::envoy::balance::{Memory, NoHost, Pick};
use crate::envoy::config::Config;
use crate::envoy::dice::Dice;
use crate::envoy::ext_authz::Denied;
use crate::envoy::hcm::Hcm;
use crate::envoy::jwt::Looked;
use crate::envoy::listener::{Connection, FilterChain};
use crate::envoy::manager;
use crate::envoy::metadata::Metadata;
use crate::envoy::retry::RetryPolicy;
use crate::envoy::route::{Miss, Route};
use crate::envoy::route_config::{RouteConfig, VirtualHost};
use crate::envoy::timing::Limits;
use crate::net::{Coins, Headers, Request, Response};
use std::net::IpAddr;

pub use access::{Access, Asks, Unknown, judge};
pub use flag::Flag;

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
    /// Among the route's weighted clusters, the one that was taken.
    pub weighted: Option<usize>,
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
    pub authn: Vec<Looked>,
    /// A token made it find its route anew.
    pub anew: bool,
    /// As the coins were before its route was found, and how many of them had fallen after.
    coins: (Option<Coins>, usize),
    /// What the filters that let in said, in their order.
    pub access: Vec<Access>,
    /// The filter that was to ask a server denied it by itself.
    pub denied: Option<Denied>,
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
            denied: None,
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

    fn upgrades(&self, kind: &str) -> bool {
        let by_route = match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(f)) => f.upgrades.get(kind).copied(),
            _ => None,
        };
        let by_manager = self.hcm.upgrades.iter().find(|(name, _)| name == kind);
        by_route.unwrap_or_else(|| by_manager.is_some_and(|(_, enabled)| *enabled))
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

    /// The position of its virtual host.
    pub fn vhost_at(&self) -> Option<usize> {
        let (routes, vhost) = self.routes.zip(self.vhost)?;
        let mut all = routes.virtual_hosts.iter();
        all.position(|other| std::ptr::eq(other, vhost))
    }

    /// The chosen cluster, if there is one of that name: `%UPSTREAM_CLUSTER%`.
    pub fn known_cluster(&self) -> Option<&str> {
        let known = self.config.clusters.contains_key(&self.cluster);
        known.then_some(self.cluster.as_str())
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn address_of((ip, port): (std::net::IpAddr, u16)) -> String {
    std::net::SocketAddr::new(ip, port).to_string()
}
