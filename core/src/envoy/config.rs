use std::collections::BTreeMap;

use super::cluster::{Assignment, Cluster, Discovery};
use super::hcm::{Hcm, RouteSource};
use super::listener::Listener;
use super::object::{Log, Object, Refusal};
use super::route_config::RouteConfig;
use crate::say;
use crate::text::{Diagnostic, Pace, Span, at_once};
use crate::yaml::Node;

/// What Envoy is told, as it is told: messages of its v3 API in their JSON form. A value's span is where it came from:
/// the text of a config dump, or the manifest that a control plane made it of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    pub listeners: Vec<Node>,
    pub routes: Vec<Node>,
    pub clusters: Vec<Node>,
    /// Load assignments.
    pub endpoints: Vec<Node>,
}

/// What Envoy runs with: everything in it is valid. What it refused is kept beside it with the reason.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub listeners: Vec<Listener>,
    pub routes: BTreeMap<String, RouteConfig>,
    pub clusters: BTreeMap<String, Cluster>,
    pub refused: Vec<Refused>,
    /// The name in the certificate that it shows, where it is known: its workload's SPIFFE identity.
    pub identity: Option<String>,
    /// What it was told, as it was told, where a dump says it; what a control plane tells is made again when it is asked for.
    pub dumped: Option<Resources>,
}

/// A resource that Envoy did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub kind: Kind,
    pub name: String,
    /// Of a listener, where it can be read.
    pub port: Option<u16>,
    pub span: Span,
    pub refusal: Refusal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Listener,
    Routes,
    Cluster,
    Endpoints,
}

impl Config {
    pub fn read(resources: &Resources) -> (Self, Vec<Diagnostic>) {
        at_once(Self::read_along(resources, &Pace::AT_ONCE))
    }

    /// The same, pausing on the way.
    pub async fn read_along(resources: &Resources, pace: &Pace) -> (Self, Vec<Diagnostic>) {
        let log = Log::default();
        let mut config = Config::default();
        for node in &resources.listeners {
            pace.went(node.span.range().len()).await;
            match Listener::read(node, &log) {
                Ok(listener) => config.listeners.push(listener),
                Err(refusal) => config.refuse(Kind::Listener, node, refusal, &log),
            }
        }
        for node in &resources.routes {
            pace.went(node.span.range().len()).await;
            match RouteConfig::read(node, &log) {
                Ok(routes) => {
                    config.routes.insert(routes.name.clone(), routes);
                }
                Err(refusal) => config.refuse(Kind::Routes, node, refusal, &log),
            }
        }
        let mut assignments = BTreeMap::new();
        for node in &resources.endpoints {
            pace.went(node.span.range().len()).await;
            match Assignment::read(node, &log) {
                Ok((name, assignment)) => {
                    assignments.insert(name, assignment);
                }
                Err(refusal) => config.refuse(Kind::Endpoints, node, refusal, &log),
            }
        }
        for node in &resources.clusters {
            pace.went(node.span.range().len()).await;
            match Cluster::read(node, &log) {
                Ok(mut cluster) => {
                    if cluster.discovery == Discovery::Eds {
                        let found = assignments.get(&cluster.service_name);
                        cluster.assignment = found.cloned().unwrap_or_default();
                    }
                    config.clusters.insert(cluster.name.clone(), cluster);
                }
                Err(refusal) => config.refuse(Kind::Cluster, node, refusal, &log),
            }
        }
        config.warn_of_shadowed_routes(&log);
        (config, log.into_inner())
    }

    /// The routes of a connection manager; none while they have not come or were refused.
    pub fn routes_of<'c>(&'c self, hcm: &'c Hcm) -> Option<&'c RouteConfig> {
        match &hcm.routes {
            RouteSource::Inline(routes) => Some(routes),
            RouteSource::Named(name) => self.routes.get(name),
        }
    }

    /// A listener of this port that was not accepted.
    pub fn refused_listener(&self, port: u16) -> Option<&Refused> {
        let mut all = self.refused.iter();
        all.find(|r| r.kind == Kind::Listener && r.port == Some(port))
    }

    fn refuse(&mut self, kind: Kind, node: &Node, refusal: Refusal, log: &Log) {
        let field = match kind {
            Kind::Endpoints => "cluster_name",
            _ => "name",
        };
        let name = Object::new(node, log).ok().and_then(|o| o.str(field).ok());
        log.push(Diagnostic::error(
            refusal.span,
            say!("envoy/refused", reason = refusal.reason),
        ));
        let port = || {
            let address = Object::new(node, log).ok()?.message("address").ok()??;
            let socket = address.message("socket_address").ok()??;
            socket.port("port_value").ok()?
        };
        self.refused.push(Refused {
            kind,
            port: port(),
            name: name.unwrap_or("").to_string(),
            span: node.span,
            refusal,
        });
    }
}
