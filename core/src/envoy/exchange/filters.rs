//! The HTTP filters on the way to the router, as the levels of routes configure them.

use super::{Asks, Exchange, Flag, Unknown};
use crate::envoy::cors::{CorsVerdict, Policies};
use crate::envoy::fault::{Abort, Fault};
use crate::envoy::hcm::{Filter, HttpFilter};
use crate::envoy::jwt::Authn;
use crate::envoy::per_filter::{Own, PerFilter, Said};
use crate::envoy::route::is_grpc;
use crate::net::Headers;

impl<'c> Exchange<'c> {
    /// The HTTP filters before the router; true where one of them answered.
    pub(super) fn filters(&mut self, now: Option<u64>) -> bool {
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
    pub(super) fn cors_policies(&self, filter: &str) -> Policies<'c> {
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

    pub(super) fn is_off(&self, filter: &Filter) -> bool {
        let said = self.said().find_map(|l| l.is_off(&filter.name));
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
