//! A sidecar's outbound routes. Source: `pilot/pkg/networking/core/httproute.go`, `route/route.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::gateway_routes::configuration;
use super::host;
use super::message::{Ask, Message};
use super::object::{Object, Semantics};
use super::route::{Context, default_route, routes};
use super::service::{Resolution, Service};
use super::sidecar::{Egress, allows_any, egress};
use super::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::Node;

/// Routes for services and for hosts that are none.
struct Wrapper<'w> {
    port: u16,
    services: Vec<&'w Service>,
    hosts: Vec<String>,
    routes: Vec<Node>,
    span: Span,
}

/// The route configuration of an outbound port: `80`, or `host:80` for a port whose protocol is told from the bytes.
pub(super) fn route_config(world: &World, proxy: &Proxy, name: &str) -> Node {
    let (sniffed, number) = match name.rsplit_once(':') {
        Some((host, port)) => (Some(host), port),
        None => (None, name),
    };
    let port: u16 = number.parse().unwrap_or(0);
    let all = egress(world, proxy);
    let mut made = all.iter().filter(|e| e.modelled);
    let found = made.find(|e| e.port.is_none_or(|p| p == port));
    let mut hosts = found
        .map(|e| virtual_hosts(world, proxy, e, port))
        .unwrap_or_default();
    hosts.sort_by(|a, b| a.text("name").cmp(b.text("name")));
    if let Some(sniffed) = sniffed {
        hosts.retain(|h| {
            h.texts("domains")
                .iter()
                .any(|d| *d == name || *d == sniffed)
        });
        if let [only] = &mut hosts[..] {
            let domains = Message::new(only.span)
                .strings("domains", &["*".into()])
                .end();
            if let Some(domains) = domains.get("domains") {
                super::virtual_service::set(only, "domains", domains.clone());
            }
        }
    } else {
        hosts.push(catch_all(allows_any(world, proxy)));
    }
    configuration(name, hosts, Span::default())
}

fn virtual_hosts(world: &World, proxy: &Proxy, egress: &Egress, port: u16) -> Vec<Node> {
    let mut registry: BTreeMap<String, &Service> = BTreeMap::new();
    for service in egress.services.iter().filter(|s| s.port(port).is_some()) {
        registry.insert(service.hostname.to_ascii_lowercase(), service);
    }
    let index = wildcard_owners(egress);
    let mut wrappers: Vec<Wrapper> = Vec::new();
    for vs in &egress.virtual_services {
        if port != 80 && !concerns(vs, &registry) {
            continue;
        }
        wrappers.extend(of_virtual_service(
            world, proxy, vs, &registry, port, &index,
        ));
    }
    for wrapper in &wrappers {
        for service in &wrapper.services {
            registry.remove(&service.hostname.to_ascii_lowercase());
        }
    }
    for service in registry.values() {
        for p in service
            .ports
            .iter()
            .filter(|p| p.number == port && p.protocol.is_http_or_unknown())
        {
            let rule = world.rule(service, proxy);
            let hash = rule.and_then(|r| r.hash(Some(port.into()), ""));
            wrappers.push(Wrapper {
                port,
                services: vec![service],
                hosts: Vec::new(),
                routes: vec![default_route(world, service, p.number, hash)],
                span: service.span,
            });
        }
    }
    build(&wrappers, proxy, world, port)
}

/// Whether a VirtualService has a host among the services (`selectVirtualServices`).
fn concerns(vs: &Object, registry: &BTreeMap<String, &Service>) -> bool {
    vs.spec.texts("hosts").iter().any(|h| {
        let h = h.to_ascii_lowercase();
        registry.contains_key(&h)
            || registry
                .keys()
                .any(|s| (host::is_wildcard(&h) || host::is_wildcard(s)) && host::matches(&h, s))
    })
}

/// For each service the VirtualService whose host fits it best.
fn wildcard_owners<'w>(egress: &Egress<'w>) -> BTreeMap<String, (&'w str, &'w str)> {
    let mut names: BTreeMap<&str, &'w Object> = BTreeMap::new();
    for vs in &egress.virtual_services {
        for h in vs.spec.texts("hosts") {
            names.entry(h).or_insert(vs);
        }
    }
    let mut out = BTreeMap::new();
    for service in &egress.services {
        let best = host::most_specific(&service.hostname, names.keys().copied());
        if let Some(vs) = best.and_then(|n| names.get(n)) {
            out.insert(
                service.hostname.clone(),
                (vs.namespace.as_str(), vs.name.as_str()),
            );
        }
    }
    out
}

fn of_virtual_service<'w>(
    world: &'w World,
    proxy: &'w Proxy,
    vs: &'w Object,
    registry: &BTreeMap<String, &'w Service>,
    port: u16,
    index: &BTreeMap<String, (&str, &str)>,
) -> Option<Wrapper<'w>> {
    let known = |name: &str| registry.get(name).copied();
    let context = Context {
        world,
        proxy,
        vs,
        gateway: "mesh",
        port: port.into(),
        tls: false,
        services: &known,
    };
    let made = routes(&context);
    if made.is_empty() {
        return None;
    }
    let (mut hosts, mut services): (Vec<String>, Vec<&Service>) = (Vec::new(), Vec::new());
    for name in vs.spec.texts("hosts") {
        let lower = name.to_ascii_lowercase();
        if !host::is_wildcard(&lower) {
            match registry.get(&lower) {
                Some(service) => services.push(service),
                None => hosts.push(name.to_string()),
            }
            continue;
        }
        if vs.semantics == Semantics::GatewayApi {
            hosts.push(lower);
            continue;
        }
        let mut any = false;
        for (service_name, service) in registry {
            if host::matches(service_name, &lower) {
                any = true;
                let owner = index.get(service_name);
                if owner == Some(&(vs.namespace.as_str(), vs.name.as_str())) {
                    services.push(service);
                }
            }
        }
        if !any {
            hosts.push(lower);
        }
    }
    if vs.semantics == Semantics::GatewayApi {
        services.retain(|s| s.namespace == vs.namespace || proxy.namespace == vs.namespace);
        if services.is_empty() {
            return None;
        }
    }
    let http = |s: &&Service| {
        s.port(port)
            .is_some_and(|p| p.protocol.is_http_or_unknown())
    };
    services.retain(|s| http(s));
    // Hosts that are no services are served where HTTP is at home.
    if services.is_empty() && port != 80 {
        return None;
    }
    Some(Wrapper {
        port,
        services,
        hosts,
        routes: made,
        span: vs.span,
    })
}

fn build(wrappers: &[Wrapper], proxy: &Proxy, world: &World, port: u16) -> Vec<Node> {
    let mut names = BTreeSet::new();
    let mut taken = BTreeSet::new();
    let known: BTreeSet<&str> = wrappers
        .iter()
        .flat_map(|w| w.services.iter().map(|s| s.hostname.as_str()))
        .collect();
    let mut out = Vec::new();
    for wrapper in wrappers.iter().filter(|w| w.port == port) {
        let of_hosts = wrapper.hosts.iter().map(|h| (h.to_ascii_lowercase(), None));
        let of_services = wrapper
            .services
            .iter()
            .map(|s| (s.hostname.clone(), Some(*s)));
        for (hostname, service) in of_hosts.chain(of_services) {
            let name = format!("{hostname}:{port}");
            if !names.insert(name.clone()) {
                continue;
            }
            let (all, alternatives) = match service {
                None => (vec![hostname], Vec::new()),
                Some(service) => domains(service, proxy, world),
            };
            let domains: Vec<String> = all
                .into_iter()
                .filter(|d| {
                    let other = alternatives.contains(d) && known.contains(d.as_str());
                    !other && taken.insert(d.to_ascii_lowercase())
                })
                .collect();
            if domains.is_empty() {
                continue;
            }
            out.push(
                Message::new(wrapper.span)
                    .str("name", name)
                    .strings("domains", &domains)
                    .some("routes", wrapper.routes.clone())
                    .bool("includeRequestAttemptCount", true)
                    .end(),
            );
        }
    }
    out
}

/// The names under which a service is called, and those among them that are not its own (`generateVirtualHostDomains`).
fn domains(service: &Service, proxy: &Proxy, world: &World) -> (Vec<String>, Vec<String>) {
    let hostname = service.hostname.as_str();
    let mut alternatives = Vec::new();
    if hostname.parse::<std::net::IpAddr>().is_err() {
        alternatives.push(format!("{hostname}."));
    }
    let suffix = format!(".svc.{}", world.mesh.domain);
    if let Some(start) = hostname.strip_suffix(&suffix)
        && let Some((name, namespace)) = start.split_once('.')
    {
        if namespace == proxy.namespace {
            alternatives.push(name.to_string());
            alternatives.push(format!("{start}.svc"));
            alternatives.push(start.to_string());
        } else {
            alternatives.push(start.to_string());
            alternatives.push(format!("{start}.svc"));
        }
    }
    let mut all = vec![hostname.to_string()];
    all.extend(alternatives.iter().cloned());
    if service.kubernetes && service.resolution == Resolution::Passthrough {
        let pods: Vec<String> = all.iter().map(|d| format!("*.{d}")).collect();
        all.extend(pods);
    }
    let unspecified = |a: &&String| *a != "0.0.0.0" && !a.is_empty();
    all.extend(
        service
            .addresses
            .iter()
            .filter(unspecified)
            .map(|a| match a.contains(':') {
                true => format!("[{a}]"),
                false => a.clone(),
            }),
    );
    (all, alternatives)
}

/// Where requests for hosts that the mesh does not know go.
fn catch_all(any: bool) -> Node {
    let span = Span::default();
    let name = if any { "allow_any" } else { "block_all" };
    let route = Message::new(span)
        .str("name", name)
        .message("match", Message::new(span).str("prefix", "/"));
    let route = if any {
        let action = Message::new(span)
            .str("cluster", "PassthroughCluster")
            .str("timeout", "0s")
            .str("maxGrpcTimeout", "0s");
        route.message("route", action)
    } else {
        route.message("directResponse", Message::new(span).int("status", 502))
    };
    Message::new(span)
        .str("name", name)
        .strings("domains", &["*".into()])
        .list("routes", vec![route.end()])
        .bool("includeRequestAttemptCount", true)
        .end()
}
