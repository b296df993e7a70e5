//! How an exchange ends: header operations, CORS, `server`.

use super::{Exchange, Flag};
use crate::envoy::action::WeightedCluster;
use crate::envoy::format::Facts;
use crate::envoy::header_ops::HeaderOps;
use crate::envoy::manager::{self, Early};
use crate::envoy::route::{Route, is_grpc};
use crate::envoy::route_config::{RouteConfig, VirtualHost};
use crate::envoy::upstream;
use crate::net::{Headers, Request, Response};

impl<'c> Exchange<'c> {
    /// The header operations of all levels in the order in which they apply.
    pub(super) fn levels(
        &self,
        weighted: impl Fn(&'c WeightedCluster) -> &'c HeaderOps,
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

    pub(super) fn facts<'f>(
        &'f self,
        request: &'f Request,
        response: Option<&'f Headers>,
        address: &'f str,
    ) -> Facts<'f> {
        let endpoints = self.config.clusters.get(&self.cluster);
        let mut endpoints = endpoints.into_iter().flat_map(|c| &c.assignment.endpoints);
        let endpoint = endpoints.find(|e| e.address == address);
        Facts {
            request,
            scheme: &self.scheme,
            response,
            status: 0,
            flags: &self.flags,
            details: &self.details,
            route_name: self.route.map_or("", |(_, r)| r.name.as_str()),
            cluster: self.known_cluster().unwrap_or(""),
            upstream_host: address,
            upstream_name: endpoint.map_or("", |e| e.hostname.as_str()),
            peer: &self.peer,
            client: &self.client,
            local: &self.local_address,
            sni: self.connection.tls.as_ref().map_or("", |t| t.sni.as_str()),
            filter_chain: &self.chain.name,
            attempts: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX),
            received: 0,
        }
    }

    /// The answer as it leaves: header operations, CORS, `server`.
    pub(super) fn finish(&mut self, status: u16, headers: Headers, body: String, local: bool) {
        let mut response = Response {
            status,
            headers,
            body,
        };
        let preflight = self.details == "cors_response";
        let grpc =
            local && !preflight && is_grpc(&self.request) && !response.headers.has("grpc-status");
        if grpc {
            upstream::as_grpc(&mut response);
        }
        let attempts = self.attempts.len();
        if !(local && (self.route.is_none() || preflight || self.details == "upgrade_failed")) {
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
                ops.take_off(&mut response.headers);
                let seen = response.headers.clone();
                let request = self.sent.as_ref().unwrap_or(&self.request);
                let facts = Facts {
                    // Of an answer of its own Envoy writes the status down afterwards.
                    status: if local { 0 } else { status },
                    received: if local { 0 } else { request.body },
                    ..self.facts(request, Some(&seen), &address)
                };
                ops.put_on(&mut response.headers, &facts);
            }
        }
        if local && !grpc && !preflight {
            match response.body.is_empty() {
                true => response.headers.remove("content-type"),
                false if !response.headers.has("content-type") => {
                    response.headers.add("content-type", "text/plain");
                }
                false => {}
            }
        }
        if self.request.method == "HEAD" || matches!(status, 204 | 304) {
            response.body.clear();
        }
        if let Some(filter) = self.cors {
            self.cors_policies(filter)
                .mark(&self.request, &mut response.headers);
        }
        if attempts > 0 && self.vhost.is_some_and(|v| v.attempt_count_in_response) {
            response
                .headers
                .set("x-envoy-attempt-count", attempts.to_string());
        }
        manager::leave(self.hcm, &mut response.headers);
        self.local = local;
        self.answer = Some(response);
    }

    pub(super) fn end_early(&mut self, early: Early) {
        self.vhost = match early.codec {
            true => None,
            false => self
                .routes
                .and_then(|r| r.virtual_host(&self.request.authority)),
        };
        // Without a scheme nothing is routed, and nobody has set it yet.
        if self
            .request
            .headers
            .first("x-forwarded-proto")
            .is_some_and(|p| !p.is_empty())
        {
            self.random = self.dice.next_u64();
            self.find_route();
            self.unknown = None;
        }
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

    pub(super) fn no_route(&mut self) {
        self.flags.push(Flag::NoRoute);
        self.details = "route_not_found".into();
        self.finish(404, Headers::new(), String::new(), true);
    }
}
