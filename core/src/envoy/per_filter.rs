//! `typed_per_filter_config`: what a level of routes says of the connection manager's filters, each by its name.
//! Source: `source/common/router/per_filter_config.cc`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cors::Cors;
use super::fault::Fault;
use super::hcm;
use super::jwt::Wanted;
use super::object::{Object, Read, Refusal};
use super::rbac::Rbac;
use super::route_config::RouteConfig;
use crate::say;
use crate::text::Span;
use crate::yaml::Node;

#[derive(Clone, Debug, Default)]
pub struct PerFilter {
    filters: BTreeMap<String, Said>,
    /// `cors` of a level itself, where it says nothing of the filter.
    pub cors: Option<Cors>,
}

/// What is said of one filter, and where.
#[derive(Clone, Debug)]
pub struct Said {
    pub own: Own,
    pub span: Span,
}

/// Where it is said: positions among the virtual hosts, their routes and a route's weighted clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Level {
    Routes,
    VirtualHost(u32),
    Route(u32, u32),
    WeightedCluster(u32, u32, u32),
}

/// A filter's own configuration on a level.
#[derive(Clone, Debug)]
pub enum Own {
    /// It is off here.
    Off,
    /// It is on, configured as elsewhere.
    On,
    Cors(Cors),
    Fault(Fault),
    Rbac(Rbac),
    /// Whether the server of `ext_authz` is not asked.
    AsksNobody(bool),
    Tokens(Wanted),
    NotModelled,
}

impl PerFilter {
    /// The configuration of a filter.
    pub fn of(&self, filter: &str) -> Option<&Said> {
        let said = self.filters.get(filter);
        said.filter(|s| !matches!(s.own, Own::Off | Own::On))
    }

    /// Whether a filter is off, where that is said; what is configured is on.
    pub fn is_off(&self, filter: &str) -> Option<bool> {
        let said = self.filters.get(filter)?;
        Some(matches!(said.own, Own::Off))
    }

    pub fn cors(&self, filter: &str) -> Option<&Cors> {
        match self.of(filter).map(|s| &s.own) {
            Some(Own::Cors(cors)) => Some(cors),
            _ => self.cors.as_ref(),
        }
    }

    pub(super) fn read(parent: &Object) -> Read<Self> {
        let mut level = PerFilter::default();
        let Some(object) = parent.message("typed_per_filter_config")? else {
            return Ok(level);
        };
        for entry in object.entries() {
            let own = Own::read(&entry.key, &entry.value, parent)?;
            if matches!(own, Own::NotModelled) && !hcm::is_silent(&entry.key) {
                let message = say!("envoy/filter-not-modelled", filter = entry.key);
                parent.log.warning(entry.key_span, message);
            }
            let span = entry.value.span;
            level
                .filters
                .insert(entry.key.to_string(), Said { own, span });
        }
        Ok(level)
    }
}

impl Level {
    /// What is said there.
    pub fn of(self, routes: &RouteConfig) -> Option<&PerFilter> {
        let vhost = |at: u32| routes.virtual_hosts.get(at as usize);
        let route = |host: u32, at: u32| vhost(host)?.routes.get(at as usize);
        match self {
            Level::Routes => Some(&routes.filters),
            Level::VirtualHost(host) => Some(&vhost(host)?.filters),
            Level::Route(host, at) => Some(&route(host, at)?.filters),
            Level::WeightedCluster(host, at, cluster) => {
                let all = route(host, at)?.action.weighted_clusters();
                all.get(cluster as usize).map(|c| &c.filters)
            }
        }
    }
}

impl Own {
    fn read(filter: &str, node: &Node, parent: &Object) -> Read<Self> {
        let config = Object::new(node, parent.log)?;
        let kind = config.str("@type")?;
        // Other filters might call theirs the same.
        let of_jwt = kind.contains(".jwt_authn.");
        let kind = kind.rsplit('.').next().unwrap_or("");
        let own = match kind {
            "FilterConfig" => {
                config.no_matter(&["is_optional"]);
                let inner = config.get("config");
                if config.bool("disabled")? {
                    Own::Off
                } else if let Some(inner) = inner {
                    match Object::new(inner, parent.log)?.str("@type")? {
                        "" => Own::On,
                        _ => Own::read(filter, inner, parent)?,
                    }
                } else {
                    let why = format!(
                        "Empty route/virtual host per filter configuration for {filter} filter"
                    );
                    return Err(Refusal::new(node.span, why));
                }
            }
            "CorsPolicy" => Own::Cors(Cors::read(&config)?),
            // Without rules of its own it asks nothing at all.
            "RBACPerRoute" => {
                let rbac = config.message_or_empty("rbac")?;
                let own = Own::Rbac(Rbac::read(&rbac)?);
                rbac.end();
                own
            }
            "ExtAuthzPerRoute" => {
                let settings = config.message_or_empty("check_settings")?;
                settings.no_matter(&[
                    "context_extensions",
                    "disable_request_body_buffering",
                    "with_request_body",
                ]);
                // It asks another one than the filter's.
                if settings.has("grpc_service") || settings.has("http_service") {
                    return Ok(Own::NotModelled);
                }
                settings.end();
                Own::AsksNobody(config.bool("disabled")?)
            }
            "PerRouteConfig" if of_jwt => Own::Tokens(Wanted::read(&config)?),
            "HTTPFault" => Own::Fault(Fault::read(&config)?),
            _ => return Ok(Own::NotModelled),
        };
        config.end();
        Ok(own)
    }
}
