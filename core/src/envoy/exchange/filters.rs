//! The HTTP filters on the way to the router, as the levels of routes configure them.

use super::{Asks, Exchange, Flag, Unknown, position};
use crate::envoy::cors::{CorsVerdict, Policies};
use crate::envoy::fault::{Abort, Fault};
use crate::envoy::hcm::{Filter, HttpFilter};
use crate::envoy::per_filter::{Level, Own, PerFilter, Said};
use crate::envoy::route::is_grpc;
use crate::net::Headers;

impl<'c> Exchange<'c> {
    /// The HTTP filters before the router; true where one of them answered.
    pub(super) fn filters(&mut self, now: Option<u64>) -> bool {
        // The route found first says which filters there are (`FilterChainUtility::createFilterChainForFactories`).
        let off: Vec<bool> = self.hcm.filters.iter().map(|f| self.is_off(f)).collect();
        for ((at, filter), off) in self.hcm.filters.iter().enumerate().zip(off) {
            let found = self.said_of(&filter.name);
            let (level, said) = (found.map(|(l, _)| l), found.map(|(_, s)| s));
            match (&filter.does, said.map(|s| &s.own)) {
                _ if off => {}
                (HttpFilter::Router | HttpFilter::Silent, _) => {}
                (HttpFilter::Rbac(rbac), None) | (HttpFilter::Rbac(_), Some(Own::Rbac(rbac))) => {
                    if self.rbac(at, rbac, level) {
                        return true;
                    }
                }
                (HttpFilter::Jwt(jwt), own @ (None | Some(Own::Tokens(_)))) => {
                    let wanted = match own {
                        Some(Own::Tokens(wanted)) => Some(wanted),
                        _ => None,
                    };
                    let (ends, anew) = self.jwt(jwt, wanted, now);
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
    pub(super) fn cors_policies(&self, filter: &str) -> Policies<'c> {
        let levels = self.forward_action().into_iter().flat_map(|_| self.said());
        Policies(levels.filter_map(|(_, l)| l.cors(filter)).collect())
    }

    /// What is said of filters, the most specific first. It is the route that knows of those above it
    /// (`resolveMostSpecificPerFilterConfig`).
    fn said(&self) -> impl Iterator<Item = (Level, &'c PerFilter)> {
        let host = self.vhost_at().map_or(u32::MAX, position);
        let levels = self.route.zip(self.routes).map(|((route, _), routes)| {
            let route = position(route);
            let weighted = self.weighted.map(position);
            let levels = [
                weighted.map(|at| Level::WeightedCluster(host, route, at)),
                Some(Level::Route(host, route)),
                Some(Level::VirtualHost(host)),
                Some(Level::Routes),
            ];
            let said = move |level: Level| Some((level, level.of(routes)?));
            levels.into_iter().flatten().filter_map(said)
        });
        levels.into_iter().flatten()
    }

    fn said_of(&self, filter: &str) -> Option<(Level, &'c Said)> {
        self.said()
            .find_map(|(level, said)| Some((level, said.of(filter)?)))
    }

    pub(super) fn is_off(&self, filter: &Filter) -> bool {
        let said = self.said().find_map(|(_, l)| l.is_off(&filter.name));
        said.unwrap_or(filter.disabled)
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
}
