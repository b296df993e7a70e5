//! The virtual host of a request, its route and the route's cluster.
//! Source: `source/common/router/config_impl.cc`.

use super::{Asks, Exchange, Unknown};
use crate::envoy::action::{Action, ClusterChoice, Forward, WeightedCluster};
use crate::envoy::dice::{in_fraction, left, side_of};
use crate::envoy::fraction::Fraction;
use crate::envoy::route::{Asked, Miss};
use crate::envoy::route_config::{RequireTls, VirtualHost};
use crate::net::Request;
use crate::say;
use crate::text::Span;

impl<'c> Exchange<'c> {
    /// The virtual host, its route and the route's cluster.
    pub(super) fn look_up(&mut self) {
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
    pub(super) fn look_up_again(&mut self, asked: Span) {
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
    pub(super) fn find_route(&mut self) {
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

    pub(super) fn forwarded_proto(&self) -> &str {
        let headers = &self.request.headers;
        headers.first("x-forwarded-proto").unwrap_or("")
    }

    /// Cleartext where the virtual host wants TLS; what says nothing finds no route instead
    /// (`VirtualHostImpl::getRouteFromEntries`).
    pub(super) fn needs_tls(&self, vhost: &VirtualHost) -> bool {
        let internal = self.request.headers.first("x-envoy-internal") == Some("true");
        let clear = !matches!(self.forwarded_proto(), "https" | "");
        match vhost.require_tls {
            RequireTls::None => false,
            RequireTls::ExternalOnly => clear && !internal,
            RequireTls::All => clear,
        }
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

    pub(super) fn weighted_cluster(&self) -> Option<&'c WeightedCluster> {
        let (_, route) = self.route?;
        route.action.weighted_clusters().get(self.weighted?)
    }

    pub(super) fn forward_action(&self) -> Option<&'c Forward> {
        match self.route.map(|(_, r)| &r.action) {
            Some(Action::Forward(forward)) => Some(forward),
            _ => None,
        }
    }
}
