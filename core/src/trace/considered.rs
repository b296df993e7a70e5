//! What a proxy considered at a stage, made when someone looks.

use super::{Account, ChainAt, Chosen, Proxied, Stage, Tls};
use crate::envoy::{
    Cluster, Config, FilterChain, How, Listener, NoHost, Route, RouteConfig, Terminal, VirtualHost,
};
use crate::say;
use crate::text::{Outcome, Say, Span};
use crate::topology::{HostId, World};

/// A candidate of a stage and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// As Envoy's configuration names it; a number where it has no name.
    pub name: String,
    pub outcome: Outcome,
    /// Why, or what it says of itself.
    pub say: Say,
    /// The manifest or dump that it was made of.
    pub span: Option<Span>,
    /// Its share where chance decided, of how many.
    pub share: Option<(u64, u64)>,
}

/// The candidates in the order in which Envoy asks: listeners, filter chains, virtual hosts, routes, clusters or endpoints.
/// One at most has the outcome `Held`.
pub fn considered(world: &World, at: HostId, proxied: &Proxied) -> Vec<Considered> {
    let Some(config) = world.host(at).and_then(|h| h.envoy.as_deref()) else {
        return Vec::new();
    };
    let at = Told {
        config,
        account: &proxied.account,
    };
    match proxied.stage {
        Stage::Listener => at.listeners(),
        Stage::FilterChain => at.chains(),
        Stage::Tls => at.tls(),
        Stage::VirtualHost => at.virtual_hosts(),
        Stage::Route => at.routes(),
        Stage::Token => at.tokens(),
        Stage::Access => at.access(),
        Stage::Filter => at.filters(),
        Stage::Cluster => at.clusters(),
        Stage::Endpoint => at.endpoints(),
        Stage::Answer => at.answer(),
    }
}

/// An account with what its positions count.
pub(super) struct Told<'a> {
    pub config: &'a Config,
    pub account: &'a Account,
}

pub(super) fn somewhere(span: Span) -> Option<Span> {
    (span != Span::default()).then_some(span)
}

pub(super) fn one(name: &str, outcome: Outcome, say: Say, span: Span) -> Considered {
    Considered {
        name: name.to_string(),
        outcome,
        say,
        span: somewhere(span),
        share: None,
    }
}

fn named(name: &str, at: usize) -> String {
    match name {
        "" => format!("#{}", at + 1),
        name => name.to_string(),
    }
}

impl<'a> Told<'a> {
    pub fn listener(&self) -> Option<&'a Listener> {
        self.config.listeners.get(self.account.listener? as usize)
    }

    pub fn chain(&self) -> Option<&'a FilterChain> {
        match self.account.chain? {
            ChainAt::At(at) => self.listener()?.chains.get(at as usize),
            ChainAt::Default => self.listener()?.default_chain.as_ref(),
        }
    }

    pub fn route_config(&self) -> Option<&'a RouteConfig> {
        match &self.chain()?.end {
            Terminal::Http(hcm) => self.config.routes_of(hcm),
            _ => None,
        }
    }

    pub fn vhost(&self) -> Option<&'a VirtualHost> {
        let at = self.account.vhost? as usize;
        self.route_config()?.virtual_hosts.get(at)
    }

    pub fn route(&self) -> Option<&'a Route> {
        self.vhost()?.routes.get(self.account.route? as usize)
    }

    pub fn cluster(&self) -> Option<&'a Cluster> {
        self.config.clusters.get(&self.account.cluster)
    }

    /// The text that decided at a stage.
    pub fn span(&self, stage: Stage) -> Option<Span> {
        let span = match stage {
            Stage::Listener => self.listener().map(|l| l.span),
            Stage::FilterChain | Stage::Tls => {
                let chain = self
                    .chain()
                    .map(|c| c.span)
                    .filter(|s| *s != Span::default());
                chain.or(self.listener().map(|l| l.span))
            }
            Stage::VirtualHost => self.vhost().map(|v| v.span),
            Stage::Filter if self.account.denied.is_some() => self.account.denied.map(|d| d.span),
            Stage::Route | Stage::Filter => self.route().map(|r| r.span),
            Stage::Token => self.deciding_token(),
            Stage::Access => self.deciding_policy(),
            Stage::Cluster => self.cluster_span(),
            Stage::Endpoint => match (&self.account.endpoint, self.cluster()) {
                (Some(Chosen { at: Some(at), .. }), Some(cluster)) => {
                    let endpoints = &cluster.assignment.endpoints;
                    endpoints.get(*at as usize).map(|e| e.span)
                }
                (_, cluster) => cluster.map(|c| c.span),
            },
            Stage::Answer => self.deciding(),
        };
        span.and_then(somewhere)
    }

    /// Of an answer of Envoy's own: the last thing that it looked at.
    fn deciding(&self) -> Option<Span> {
        let kept_out = self.account.access.iter().any(|a| a.allowed != Some(true));
        let refused = self.account.authn.iter().any(|a| a.authn.is_refused());
        let last = if refused {
            self.deciding_token()
        } else if kept_out {
            self.deciding_policy()
        } else if self.account.no_host.is_some() {
            self.cluster().map(|c| c.span)
        } else {
            self.route().map(|r| r.span)
        };
        let vhost = || self.vhost().map(|v| v.span);
        let routes = || self.route_config().map(|r| r.span);
        let known = |s: &Span| *s != Span::default();
        last.filter(known)
            .or_else(vhost)
            .or_else(routes)
            .filter(known)
            .or_else(|| self.listener().map(|l| l.span))
    }

    /// The route's weighted clusters that could have been taken, as the account lists them.
    fn weighted(&self) -> Vec<(u32, Span)> {
        let all = self
            .route()
            .map_or(&[][..], |r| r.action.weighted_clusters());
        let all = (0..)
            .zip(all)
            .filter(|(at, cluster)| match self.account.clusters[..] {
                // What a header of the request steers has no other.
                [_] => self.account.weighted == Some(*at),
                _ => cluster.weight > 0,
            });
        all.map(|(at, cluster)| (at, cluster.span)).collect()
    }

    /// Where the cluster that was taken is named.
    fn cluster_span(&self) -> Option<Span> {
        let all = self.weighted();
        let taken = all
            .iter()
            .find(|(at, _)| self.account.weighted == Some(*at));
        taken
            .map(|(_, span)| *span)
            .or(self.route().map(|r| r.span))
    }

    fn listeners(&self) -> Vec<Considered> {
        let chosen = self.account.listener;
        let mut all = Vec::new();
        for (at, listener) in (0..).zip(&self.config.listeners) {
            let address = std::net::SocketAddr::new(listener.address, listener.port);
            let (outcome, say) = if chosen == Some(at) {
                let say = match listener.binds {
                    true => say!("envoy/listener-takes", address = address),
                    false => say!("envoy/listener-given", address = address),
                };
                (Outcome::Held, say)
            } else if !listener.binds {
                (
                    Outcome::Failed,
                    say!("envoy/listener-other-address", address = address),
                )
            } else if listener.use_original_dst && listener.port == self.account.port {
                (
                    Outcome::Failed,
                    say!("envoy/listener-hands-over", address = address),
                )
            } else {
                (
                    Outcome::Failed,
                    say!("envoy/listener-other", address = address),
                )
            };
            all.push(one(&listener.name, outcome, say, listener.span));
        }
        let refused = self.config.refused.iter();
        for r in refused.filter(|r| r.kind == crate::envoy::Kind::Listener) {
            let say = say!("envoy/not-accepted", reason = r.refusal.reason);
            all.push(one(&r.name, Outcome::Failed, say, r.refusal.span));
        }
        all
    }

    fn chains(&self) -> Vec<Considered> {
        let Some(listener) = self.listener() else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (index, (at, chain)) in (0..).zip(&listener.chains).enumerate() {
            let passed = self.account.chains_passed.iter().find(|(p, _)| *p == at);
            let (outcome, say) = match passed {
                _ if self.account.chain == Some(ChainAt::At(at)) => {
                    (Outcome::Held, say!("envoy/chain-takes"))
                }
                Some((_, miss)) => (Outcome::Failed, miss.say(chain, &self.account.connection)),
                None => (Outcome::NotTried, say!("envoy/not-looked-at")),
            };
            let span = match chain.span == Span::default() {
                true => listener.span,
                false => chain.span,
            };
            all.push(one(&named(&chain.name, index), outcome, say, span));
        }
        if let Some(chain) = &listener.default_chain {
            let (outcome, say) = match self.account.chain {
                Some(ChainAt::Default) => (Outcome::Held, say!("envoy/chain-by-default")),
                _ => (Outcome::NotTried, say!("envoy/not-looked-at")),
            };
            let name = match chain.name.as_str() {
                "" => "default",
                name => name,
            };
            all.push(one(name, outcome, say, chain.span));
        }
        all
    }

    fn tls(&self) -> Vec<Considered> {
        let (outcome, say) = match &self.account.tls {
            Tls::Plain => (Outcome::Held, say!("envoy/tls-none")),
            Tls::Passed => (Outcome::Held, say!("envoy/tls-passed")),
            Tls::Ended { alpn } if alpn.is_empty() => (Outcome::Held, say!("envoy/tls-ended")),
            Tls::Ended { alpn } => (Outcome::Held, say!("envoy/tls-ended-alpn", alpn = alpn)),
            Tls::NotSpoken => (Outcome::Failed, say!("envoy/tls-not-spoken")),
            Tls::NoCertificate => (Outcome::Failed, say!("envoy/tls-no-certificate")),
        };
        let span = self.span(Stage::Tls).unwrap_or_default();
        let name = self.chain().map_or("", |c| c.name.as_str());
        vec![one(name, outcome, say, span)]
    }

    fn virtual_hosts(&self) -> Vec<Considered> {
        let authority = self.account.request.as_ref().map_or("", |r| &r.authority);
        let Some(routes) = self.route_config() else {
            let name = self.account.routes.as_deref().unwrap_or("");
            let say = say!("envoy/no-routes", name = name);
            return vec![one(name, Outcome::Failed, say, Span::default())];
        };
        let hosts = (0..).zip(&routes.virtual_hosts);
        let told = hosts.map(|(at, host)| {
            let domains = host.domains.join(", ");
            let (outcome, say) = match self.account.vhost {
                Some(chosen) if chosen == at => (
                    Outcome::Held,
                    say!("envoy/vhost-serves", host = authority, domains = domains),
                ),
                _ if routes.serves(at as usize, authority) => (
                    Outcome::Failed,
                    say!(
                        "envoy/vhost-less-exact",
                        host = authority,
                        domains = domains
                    ),
                ),
                _ => (
                    Outcome::Failed,
                    say!("envoy/vhost-other", host = authority, domains = domains),
                ),
            };
            one(&host.name, outcome, say, host.span)
        });
        told.collect()
    }

    fn routes(&self) -> Vec<Considered> {
        let (Some(vhost), Some(request)) = (self.vhost(), &self.account.request) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (index, (at, route)) in (0..).zip(&vhost.routes).enumerate() {
            let passed = self.account.routes_passed.iter().find(|(p, _)| *p == at);
            let (outcome, say) = match passed {
                _ if self.account.route == Some(at) => (Outcome::Held, say!("envoy/route-takes")),
                Some((_, miss)) => (Outcome::Failed, route.condition.say(*miss, request)),
                None => (Outcome::NotTried, say!("envoy/not-looked-at")),
            };
            all.push(one(&named(&route.name, index), outcome, say, route.span));
        }
        all
    }

    fn filters(&self) -> Vec<Considered> {
        if let Some(denied) = self.account.denied {
            let say = match denied.switched_off {
                true => say!("envoy/authz-switched-off"),
                false => say!("envoy/authz-silent"),
            };
            let name = "envoy.filters.http.ext_authz";
            return vec![one(name, Outcome::Held, say, denied.span)];
        }
        let span = self.route().map(|r| r.span).unwrap_or_default();
        let details = self.account.answer.as_ref().map_or("", |a| &a.details);
        let say = match (self.account.delayed, details) {
            (0, "fault_filter_abort") => say!("envoy/fault-aborts"),
            (0, _) => say!("envoy/filter-answers"),
            (ms, "fault_filter_abort") => say!("envoy/fault-both", ms = ms),
            (ms, _) => say!("envoy/fault-delays", ms = ms),
        };
        let name = match details {
            "cors_response" => "envoy.filters.http.cors",
            _ => "envoy.filters.http.fault",
        };
        vec![one(name, Outcome::Held, say, span)]
    }

    fn clusters(&self) -> Vec<Considered> {
        let chosen = &self.account.cluster;
        if !self.config.clusters.contains_key(chosen) {
            let say = say!("envoy/cluster-unknown", cluster = chosen);
            let span = self.cluster_span().unwrap_or_default();
            return vec![one(chosen, Outcome::Failed, say, span)];
        }
        let total: u64 = self.account.clusters.iter().map(|(_, w)| *w).sum();
        let alone = self.account.clusters.len() < 2;
        let mut all = Vec::new();
        let weighted = self.weighted();
        let of_route = self.route().map(|r| r.span);
        for (row, (name, weight)) in self.account.clusters.iter().enumerate() {
            let entry = weighted.get(row);
            // Two of them may have one name.
            let held = match (entry, self.account.weighted) {
                (Some((at, _)), Some(taken)) => *at == taken,
                _ => name == chosen,
            };
            let say = match (held, alone) {
                (_, true) => say!("envoy/cluster-named"),
                (true, false) => say!("envoy/cluster-drawn", weight = weight, total = total),
                (false, false) => say!("envoy/cluster-not-drawn", weight = weight, total = total),
            };
            let outcome = match held {
                true => Outcome::Held,
                false => Outcome::NotTried,
            };
            let span = entry
                .map(|(_, span)| *span)
                .or(of_route)
                .unwrap_or_default();
            all.push(Considered {
                share: (!alone).then_some((*weight, total)),
                ..one(name, outcome, say, span)
            });
        }
        all
    }

    fn endpoints(&self) -> Vec<Considered> {
        let Some(cluster) = self.cluster() else {
            return Vec::new();
        };
        let Some(chosen) = &self.account.endpoint else {
            let say = match self.account.no_host {
                Some(NoHost::Subset) => say!("envoy/no-endpoint-in-subset"),
                Some(NoHost::Unhealthy) => say!("envoy/no-endpoint-healthy"),
                _ => say!("envoy/no-endpoint"),
            };
            return vec![one(&cluster.name, Outcome::Failed, say, cluster.span)];
        };
        let Some(at) = chosen.at else {
            let say = say!("envoy/endpoint-original");
            return vec![one(&chosen.address, Outcome::Held, say, cluster.span)];
        };
        let total: u64 = chosen.odds.iter().map(|(_, w)| *w).sum();
        let mut all = Vec::new();
        for (index, endpoint) in (0..).zip(&cluster.assignment.endpoints) {
            let share = chosen.odds.iter().find(|(i, _)| *i == index);
            let (outcome, say) = match share {
                _ if index == at => (Outcome::Held, how(chosen)),
                Some(_) => (Outcome::NotTried, say!("envoy/endpoint-could-be")),
                None => (Outcome::Failed, say!("envoy/endpoint-not-in-question")),
            };
            all.push(Considered {
                share: share.filter(|_| total > 0).map(|(_, w)| (*w, total)),
                ..one(&endpoint.address, outcome, say, endpoint.span)
            });
        }
        all
    }

    fn answer(&self) -> Vec<Considered> {
        let Some(answer) = &self.account.answer else {
            return Vec::new();
        };
        let (name, span) = (answer.status.to_string(), self.span(Stage::Answer));
        let say = say!("envoy/details", details = answer.details);
        vec![one(&name, Outcome::Held, say, span.unwrap_or_default())]
    }
}

fn how(chosen: &Chosen) -> Say {
    match chosen.how {
        _ if chosen.panic => say!("envoy/endpoint-in-panic"),
        How::InTurn => say!("envoy/endpoint-in-turn"),
        How::ByChance if chosen.odds.len() < 2 => say!("envoy/endpoint-only"),
        How::ByChance => say!("envoy/endpoint-by-chance"),
        How::ByHash => say!("envoy/endpoint-by-hash"),
    }
}
