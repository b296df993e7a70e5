//! What a sidecar may see and call. Source: `pilot/pkg/model/sidecar.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::host;
use super::message::Ask;
use super::object::{Object, Semantics, sort_by_age};
use super::service::{Protocol, Service};
use super::world::{Proxy, ProxyKind, World};
use crate::say;
use crate::text::Diagnostic;
use crate::yaml::Node;

/// One `egress` of a Sidecar, or the one that stands for all.
#[derive(Clone, Debug)]
pub(super) struct Egress<'w> {
    pub(super) services: Vec<&'w Service>,
    pub(super) virtual_services: Vec<&'w Object>,
    /// The port that it is for; none for every port.
    pub(super) port: Option<u16>,
    /// What is spoken there, where the port is its own.
    pub(super) protocol: Option<Protocol>,
    /// Empty: wherever the services are.
    pub(super) bind: String,
    /// Its listeners have sockets of their own.
    pub(super) binds: bool,
    /// Without: its services are known, and nothing listens for them.
    pub(super) modelled: bool,
}

/// The Sidecar that holds for a proxy: one that selects it, one for its namespace, one for the root namespace.
pub(super) fn sidecar<'w>(world: &'w World, proxy: &Proxy) -> Option<&'w Object> {
    let mut all: Vec<Object> = world.sidecars.clone();
    sort_by_age(&mut all);
    let selects = |o: &Object| {
        let labels = o.spec.get("workloadSelector").map(|s| s.sorted("labels"))?;
        let fits = labels
            .iter()
            .all(|e| proxy.labels.get(&*e.key).map(String::as_str) == e.value.str());
        Some(fits)
    };
    let own = |o: &&Object| o.namespace == proxy.namespace;
    let selected = all.iter().filter(own).find(|o| selects(o) == Some(true));
    let general = || all.iter().filter(own).find(|o| selects(o).is_none());
    let root = || {
        all.iter()
            .find(|o| o.namespace == world.mesh.root_namespace && selects(o).is_none())
    };
    let found = selected.or_else(general).or_else(root)?;
    world
        .sidecars
        .iter()
        .find(|o| o.name == found.name && o.namespace == found.namespace)
}

/// Whether a sidecar may call what the mesh does not know.
pub(super) fn allows_any(world: &World, proxy: &Proxy) -> bool {
    let policy = sidecar(world, proxy).and_then(|s| s.spec.get("outboundTrafficPolicy"));
    policy.map_or(world.mesh.allow_any, |p| p.text("mode") == "ALLOW_ANY")
}

pub(super) fn egress<'w>(world: &'w World, proxy: &Proxy) -> Vec<Egress<'w>> {
    let own = sidecar(world, proxy).map_or(&[][..], |s| s.spec.each("egress"));
    if own.is_empty() {
        return vec![one(world, proxy, &["*/*"], None)];
    }
    own.iter().map(|e| of_listener(world, proxy, e)).collect()
}

fn of_listener<'w>(world: &'w World, proxy: &Proxy, listener: &Node) -> Egress<'w> {
    let port = listener
        .get("port")
        .filter(|p| Protocol::parse(p.text("protocol")) != Protocol::HttpProxy);
    let number = port
        .and_then(|p| u16::try_from(p.number("number")).ok())
        .filter(|p| *p > 0);
    let mut egress = one(world, proxy, &listener.texts("hosts"), number);
    let own = listener.get("port").filter(|_| number.is_some());
    egress.protocol = own.map(|p| Protocol::parse(p.text("protocol")));
    egress.binds = listener.text("captureMode") == "NONE";
    egress.modelled = not_modelled(listener).is_none();
    egress.bind = match listener.text("bind") {
        "" if egress.binds => "127.0.0.1".to_string(),
        bind => bind.to_string(),
    };
    egress
}

/// Of an `egress`, what no connection that is modelled comes to: a Unix socket; and what is spoken to a proxy.
fn not_modelled(listener: &Node) -> Option<&Node> {
    let socket = listener.get("bind");
    let socket = socket.filter(|b| b.str().is_some_and(|b| b.starts_with("unix://")));
    let protocol = listener.get("port").and_then(|p| p.get("protocol"));
    let proxy = |p: &&Node| Protocol::parse(p.str().unwrap_or("")) == Protocol::HttpProxy;
    socket.or_else(|| protocol.filter(proxy))
}

/// Says which listeners are left out.
pub(super) fn left_out(sidecars: &[Object]) -> impl Iterator<Item = Diagnostic> {
    let listeners = sidecars.iter().flat_map(|s| s.spec.each("egress"));
    listeners.filter_map(not_modelled).map(|what| {
        let said = what.str().unwrap_or("");
        Diagnostic::warning(what.span, say!("istio/not-modelled", what = said))
    })
}

fn one<'w>(world: &'w World, proxy: &Proxy, hosts: &[&str], port: Option<u16>) -> Egress<'w> {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in hosts {
        if let Some((namespace, name)) = entry.split_once('/') {
            let namespace = if namespace == "." {
                proxy.namespace.as_str()
            } else {
                namespace
            };
            wanted.entry(namespace).or_default().push(name);
        }
    }
    let of = |namespace: &str| {
        let own = wanted.get(namespace).into_iter().flatten();
        own.chain(wanted.get("*").into_iter().flatten())
            .copied()
            .collect::<Vec<&str>>()
    };
    let mut services: Vec<&Service> = Vec::new();
    for service in world
        .services
        .iter()
        .filter(|s| s.visible_in(&proxy.namespace, &world.mesh))
    {
        let imported = of(&service.namespace)
            .iter()
            .any(|h| host::subset_of(&service.hostname, h));
        let on_port = port.is_none_or(|p| service.port(p).is_some());
        if imported && on_port {
            add(&mut services, service, proxy);
        }
    }
    let mut seen = BTreeSet::new();
    let virtual_services = world
        .virtual_services_for(&proxy.namespace, "mesh")
        .into_iter()
        .filter(|vs| {
            let hosts = vs.spec.texts("hosts");
            let names = of(&vs.namespace);
            let fits = |own: &str, h: &str| match vs.semantics {
                Semantics::GatewayApi => host::subset_of(own, h),
                _ => host::matches(own, h),
            };
            let imported = hosts.iter().any(|own| names.iter().any(|h| fits(own, h)));
            imported && seen.insert((vs.namespace.clone(), vs.name.clone()))
        })
        .collect();
    Egress {
        services,
        virtual_services,
        port,
        protocol: None,
        bind: String::new(),
        binds: false,
        modelled: true,
    }
}

/// One service a host: the proxy's own namespace's, or Kubernetes', or the oldest.
fn add<'w>(services: &mut Vec<&'w Service>, service: &'w Service, proxy: &Proxy) {
    match services.iter_mut().find(|s| s.hostname == service.hostname) {
        None => services.push(service),
        Some(known) => {
            let own = |s: &Service| s.namespace == proxy.namespace;
            if !known.kubernetes && service.kubernetes
                || own(service) && !own(known) && service.kubernetes == known.kubernetes
            {
                *known = service;
            }
        }
    }
}

/// The services that a proxy has clusters for: what it imports and what its VirtualServices lead to.
pub(super) fn services<'w>(world: &'w World, proxy: &Proxy) -> Vec<&'w Service> {
    if proxy.kind == ProxyKind::Router {
        return world.services_for(&proxy.namespace);
    }
    let mut out = Vec::new();
    for egress in egress(world, proxy) {
        for service in &egress.services {
            add(&mut out, service, proxy);
        }
        for vs in &egress.virtual_services {
            for name in destinations(vs) {
                if let Some(service) = world.service(&name, proxy) {
                    add(&mut out, service, proxy);
                }
            }
        }
    }
    out
}

fn destinations(vs: &Object) -> Vec<String> {
    let mut out = Vec::new();
    let mut name = |n: Option<&Node>| out.extend(n.map(|d| d.text("host").to_string()));
    for kind in ["http", "tcp", "tls"] {
        for rule in vs.spec.each(kind) {
            rule.each("route")
                .iter()
                .for_each(|r| name(r.get("destination")));
            name(rule.get("mirror"));
            rule.each("mirrors")
                .iter()
                .for_each(|m| name(m.get("destination")));
        }
    }
    out
}
