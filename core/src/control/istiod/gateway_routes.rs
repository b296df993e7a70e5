//! The route configurations of a gateway. Source: `buildGatewayHTTPRouteConfig`.

use std::collections::BTreeMap;

use super::gateway::Merged;
use super::host;
use super::message::{Ask, Message, list};
use super::route::{Context, routes, sorted};
use super::service::Service;
use super::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::Node;

/// A virtual host while its routes are collected: which lists of routes, by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: String,
    domains: Vec<String>,
    routes: Vec<usize>,
    require_tls: bool,
    attempt_count: bool,
    span: Span,
}

pub(super) fn route_config(world: &World, proxy: &Proxy, merged: &Merged, name: &str) -> Node {
    let servers = merged.by_route.get(name).map_or(&[][..], Vec::as_slice);
    let servers: Vec<_> = servers
        .iter()
        .filter_map(|s| merged.servers.get(*s))
        .collect();
    let span = servers.first().map(|s| s.span).unwrap_or_default();
    let mut lists: Vec<Vec<Node>> = Vec::new();
    let mut made: BTreeMap<(String, String, String), Option<usize>> = BTreeMap::new();
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    for server in &servers {
        for vs in world.virtual_services_for(&proxy.namespace, &server.gateway) {
            let own: Vec<String> = vs
                .spec
                .texts("hosts")
                .into_iter()
                .map(str::to_string)
                .collect();
            let served: Vec<String> = server
                .hosts
                .iter()
                .filter_map(|h| match h.split_once('/') {
                    Some((ns, name)) => (ns == vs.namespace || ns == "*").then(|| name.to_string()),
                    None => Some(h.clone()),
                })
                .collect();
            let both = host::intersection(&served, &own);
            if both.is_empty() {
                continue;
            }
            let key = (
                server.gateway.clone(),
                vs.name.clone(),
                vs.namespace.clone(),
            );
            let known = made.entry(key).or_insert_with(|| {
                let services =
                    |name: &str| -> Option<&Service> { world.service_of(name, vs, proxy) };
                let context = Context {
                    world,
                    proxy,
                    vs,
                    gateway: &server.gateway,
                    port: server.number,
                    tls: server.tls.is_some(),
                    services: &services,
                };
                let routes = routes(&context);
                (!routes.is_empty()).then(|| {
                    lists.push(routes);
                    lists.len() - 1
                })
            });
            let Some(list) = *known else { continue };
            for name in both {
                let name = name.to_ascii_lowercase();
                let host = hosts.entry(name.clone()).or_insert_with(|| Host {
                    name: format!("{name}:{}", server.number),
                    domains: vec![name.clone()],
                    routes: Vec::new(),
                    require_tls: false,
                    attempt_count: true,
                    span: vs.spec.field("hosts").map_or(vs.span, |n| n.span),
                });
                host.routes.push(list);
                host.require_tls |= server.redirects_to_https();
            }
        }
        for name in server.hosts.iter().filter(|_| server.redirects_to_https()) {
            let name = name.to_ascii_lowercase();
            let host = hosts.entry(name.clone()).or_insert_with(|| Host {
                name: format!("{name}:{}", server.number),
                domains: vec![name.clone()],
                routes: Vec::new(),
                require_tls: true,
                attempt_count: true,
                span: server.span,
            });
            host.require_tls = true;
        }
    }
    let mut virtual_hosts: Vec<Host> = if hosts.is_empty() {
        let port = servers.first().map_or(80, |s| s.number);
        vec![Host {
            name: format!("blackhole:{port}"),
            domains: vec!["*".into()],
            routes: Vec::new(),
            require_tls: false,
            attempt_count: false,
            span,
        }]
    } else {
        collapsed(hosts)
    };
    virtual_hosts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut uses = vec![0; lists.len()];
    for at in virtual_hosts.iter().flat_map(|h| &h.routes) {
        if let Some(uses) = uses.get_mut(*at) {
            *uses += 1;
        }
    }
    let virtual_hosts = virtual_hosts
        .iter()
        .map(|h| virtual_host(h, &mut lists, &mut uses))
        .collect();
    configuration(name, virtual_hosts, span)
}

/// Hosts with the very same routes become one, named for the most exact of them (`collapseDuplicateRoutes`).
fn collapsed(hosts: BTreeMap<String, Host>) -> Vec<Host> {
    let mut sorted: Vec<(String, Host)> = hosts.into_iter().collect();
    sorted.sort_by(|a, b| host::more_specific(&a.0, &b.0));
    let mut out: Vec<Host> = Vec::new();
    let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for (_, host) in sorted {
        let same = known.get(&host.routes).copied();
        let first = same
            .and_then(|at| out.get_mut(at))
            .filter(|f| f.require_tls == host.require_tls);
        match first {
            Some(first) => first.domains.extend(host.domains),
            None => {
                known.insert(host.routes.clone(), out.len());
                out.push(host);
            }
        }
    }
    out
}

/// Takes a list of routes where it is the last to use it.
fn virtual_host(host: &Host, lists: &mut [Vec<Node>], uses: &mut [usize]) -> Node {
    let mut routes: Vec<Node> = Vec::new();
    for at in &host.routes {
        let (Some(list), Some(uses)) = (lists.get_mut(*at), uses.get_mut(*at)) else {
            continue;
        };
        *uses -= 1;
        if *uses == 0 {
            routes.append(list);
        } else {
            routes.extend(list.iter().cloned());
        }
    }
    let mut out = Message::new(host.span)
        .str("name", &host.name)
        .strings("domains", &host.domains)
        .some("routes", sorted(routes));
    if host.require_tls {
        out = out.str("requireTls", "ALL");
    }
    if host.attempt_count {
        out = out.bool("includeRequestAttemptCount", true);
    }
    out.end()
}

pub(super) fn configuration(name: &str, virtual_hosts: Vec<Node>, span: Span) -> Node {
    let mut out = Message::new(span).str("name", name);
    out.set("virtualHosts", list(virtual_hosts, span));
    out.bool("validateClusters", false)
        .int("maxDirectResponseBodySizeBytes", 1_048_576)
        .bool("ignorePortInHostMatching", true)
        .end()
}
