//! istiod: from manifests to what each proxy gets, in Envoy's own terms.
//!
//! [`World`] is what istiod has read, a [`Proxy`] asks, [`configuration`] is the answer: listeners, routes, clusters and
//! endpoints as messages of Envoy's API, each value with the span of the manifest that asked for it. [`validate`] says what
//! its webhook would refuse. Source: Istio 1.30, `pilot/pkg`.

mod analyze;
mod authn;
mod authz;
mod cluster;
mod connection_manager;
mod destination_rule;
mod gateway;
mod gateway_api;
mod gateway_routes;
mod host;
mod ingress;
mod mesh;
mod message;
mod object;
mod request_authn;
mod route;
mod service;
mod sidecar;
mod sidecar_listeners;
mod sidecar_routes;
mod validate;
mod virtual_service;
mod world;

pub use analyze::{Level, Message, analyze};
pub use mesh::{IngressMode, MeshConfig, Normalization};
pub use validate::{Finding, Verdict, validate};
pub use world::{Proxy, ProxyKind, World, reads};

use crate::envoy::Resources;
use crate::manifest::Manifests;
use crate::text::Diagnostic;

/// Adds the gateways' Deployments and Services that istiod makes of Gateway API's Gateways, where nobody wrote them.
pub fn deploy_gateways(manifests: &mut Manifests, mesh: &MeshConfig) -> Vec<Diagnostic> {
    let read = world::objects(manifests).into_iter();
    let objects: Vec<_> = read.filter(|(_, api)| *api).map(|(o, _)| o).collect();
    gateway_api::deploy(&objects, mesh, manifests)
}

/// What a proxy gets, and what istiod would warn of in its log.
pub fn configuration(world: &World, proxy: &Proxy) -> (Resources, Vec<Diagnostic>) {
    let mut log = Vec::new();
    let (clusters, endpoints) = cluster::clusters(world, proxy);
    let mut resources = Resources {
        clusters,
        endpoints,
        ..Resources::default()
    };
    match proxy.kind {
        ProxyKind::Router => {
            let merged = gateway::Merged::new(world, proxy, &mut log);
            resources.listeners = gateway::listeners(world, proxy, &merged, &mut log);
            let names = merged.by_route.keys().filter(|n| !n.is_empty());
            resources.routes = names
                .map(|name| gateway_routes::route_config(world, proxy, &merged, name))
                .collect();
        }
        ProxyKind::Sidecar => {
            let (listeners, names) = sidecar_listeners::listeners(world, proxy);
            resources.listeners = listeners;
            resources
                .clusters
                .extend(sidecar_listeners::inbound_clusters(world, proxy));
            resources.routes = names
                .iter()
                .map(|name| sidecar_routes::route_config(world, proxy, name))
                .collect();
        }
    }
    (resources, log)
}
