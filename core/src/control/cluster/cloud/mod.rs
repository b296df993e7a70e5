//! The cloud's load-balancer controller and its networks. How clouds differ stands in [`Profile`].

mod profile;

pub use profile::{Profile, Source};

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::Generated;
use super::facts::Facts;
use super::network::NodeNetwork;
use super::node::{host, proxier};
use super::sheet::Sheet;
use crate::control::api_server::draw;
use crate::control::kube_proxy::{View, health};
use crate::manifest::{
    Cloud, EndpointSlice, Ingress, IpFamily, Manifests, Node, PodRoutes, Port, Protocol, Service,
    ServiceType, Spanned, TrafficPolicy,
};
use crate::say;
use crate::text::{Diagnostic, Span};
use profile::{Mode, Pool};

/// An address for each Service of type LoadBalancer whose status names none, as the controller would write there.
pub(super) fn addresses(objects: &mut Manifests, facts: &Facts, said: &mut Vec<Diagnostic>) {
    let range = facts.env.addresses.value;
    let ingress = objects.services.iter().flat_map(|s| &s.ingress);
    let mut taken: Vec<IpAddr> = ingress.filter_map(|i| i.ip.map(|ip| ip.value)).collect();
    for service in &mut objects.services {
        let balanced = service.kind.value == ServiceType::LoadBalancer;
        if !balanced || !service.ingress.is_empty() {
            continue;
        }
        let name = service.meta.full_name();
        if let Some(class) = &service.load_balancer_class {
            let say = say!("control/other-class", class = class.value, service = name);
            said.push(Diagnostic::warning(class.span, say));
            continue;
        }
        let size = range.size().saturating_sub(2).min(65_536);
        let start = draw(&name, size);
        let free = (0..size).find_map(|step| {
            let at = range.network().to_bits() + 1 + (start + step) % size;
            let ip = IpAddr::V4(Ipv4Addr::from(at));
            (!taken.contains(&ip)).then_some(ip)
        });
        let span = service.meta.name_span;
        let Some(ip) = free else {
            let say = say!("control/no-address", service = name, range = range);
            said.push(Diagnostic::error(span, say));
            continue;
        };
        let second = service.cluster_ips.iter().any(|ip| ip.value.is_ipv6());
        let second = second && facts.v6.is_some();
        if second && !balances_ipv6(facts.env.cloud.value) {
            let say = say!("control/no-ipv6-balancer", service = name);
            said.push(Diagnostic::note(span, say));
        }
        let second = second && balances_ipv6(facts.env.cloud.value);
        let second = second.then(|| address6(ip)).flatten();
        for ip in [ip].into_iter().chain(second) {
            taken.push(ip);
            let field = "status.loadBalancer.ingress";
            let say = say!("control/chose", field = field, value = ip, object = name);
            said.push(Diagnostic::note(span, say));
            service.ingress.push(Ingress {
                ip: Some(Spanned::new(ip, span)),
                hostname: None,
                ip_mode: None,
                span,
            });
        }
    }
}

/// Alibaba's CLB has instances of IPv4 and others of IPv6; those of the second are not modelled. The others' documents tell
/// of dual stack.
fn balances_ipv6(cloud: Cloud) -> bool {
    cloud != Cloud::AlibabaSlb
}

/// The address of IPv6 beside one of IPv4: that one's bits in a network for documentation.
fn address6(ip: IpAddr) -> Option<IpAddr> {
    let IpAddr::V4(ip) = ip else { return None };
    let net = Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, 0);
    Some(Ipv6Addr::from(net.to_bits() | u128::from(ip.to_bits())).into())
}

/// The client, the load balancer and the VPC.
pub(super) fn files(objects: &Manifests, facts: &Facts, files: &mut Vec<Generated>) {
    let mut put = |maker: &'static str, name: &str, sheet: Sheet| {
        let name = name.to_string();
        let sheet = sheet.into();
        files.push(Generated { name, maker, sheet });
    };
    let env = &facts.env;
    let controller = "cloud-controller-manager";
    let balancing = match env.cloud.value {
        Cloud::MetalLbL2 => "MetalLB",
        _ => controller,
    };
    let mut client = Sheet::default();
    client.line(&[env.client.span], "name: client");
    client.line(
        &[env.client.span],
        format!("address: {}", with_length(env.client.value)),
    );
    client.line(&[env.span], format!("gateway: {}", facts.outside.ip()));
    if let Some(v6) = facts.v6 {
        let span = env.client6.map_or(env.span, |c| c.span);
        client.line(&[span], format!("address6: {}", with_length(v6.client)));
        client.line(&[span], format!("gateway6: {}", v6.outside.ip()));
    }
    put("Northsouth", "client.yaml", client);
    put(balancing, "load-balancer.yaml", balancer(objects, facts));
    put(controller, "vpc.yaml", vpc(objects, facts));
}

fn with_length(net: ipnetwork::IpNetwork) -> String {
    format!("{}/{}", net.ip(), net.prefix())
}

fn balancer(objects: &Manifests, facts: &Facts) -> Sheet {
    let env = &facts.env;
    let cloud = env.cloud;
    let mut sheet = Sheet::default();
    sheet.line(&[env.span], "name: slb");
    let forwarding = Profile::of(cloud.value).forwarding.name();
    sheet.line(&[cloud.span], format!("forwarding: {forwarding}"));
    sheet.line(
        &[env.span],
        format!("outside: {}", with_length(facts.outside)),
    );
    sheet.line(
        &[env.span],
        format!("inside: {}", with_length(facts.inside)),
    );
    sheet.line(&[env.span], format!("gateway: {}", facts.router));
    if let Some(v6) = facts.v6 {
        for (name, value) in [
            ("outside6", with_length(v6.outside)),
            ("inside6", with_length(v6.inside)),
            ("gateway6", v6.router.to_string()),
        ] {
            sheet.line(&[env.span], format!("{name}: {value}"));
        }
    }
    let mut listeners = Sheet::default();
    let balanced = |s: &&Service| s.kind.value == ServiceType::LoadBalancer;
    for service in objects.services.iter().filter(balanced) {
        let ips = service.ingress.iter().filter_map(|i| i.ip);
        let modelled = |ip: &Spanned<IpAddr>| ip.value.is_ipv4() || balances_ipv6(cloud.value);
        for ip in ips.filter(modelled) {
            for port in &service.ports {
                listener(objects, facts, (service, port), ip, &mut listeners);
            }
        }
    }
    if listeners.text().is_empty() {
        sheet.line(&[env.span], "listeners: []");
        return sheet;
    }
    sheet.line(&[env.span], "listeners:");
    for (at, line) in listeners.text().lines().enumerate() {
        sheet.line(listeners.sources(at), line);
    }
    sheet
}

fn listener(
    objects: &Manifests,
    facts: &Facts,
    (service, port): (&Service, &Port),
    ip: Spanned<IpAddr>,
    sheet: &mut Sheet,
) {
    let sources = [ip.span, port.span];
    sheet.line(&sources, format!("- address: {}", ip.value));
    sheet.line(&sources, format!("  port: {}", port.port.value));
    let protocol = port.protocol.name().to_uppercase();
    sheet.line(&sources, format!("  protocol: {protocol}"));
    let (cloud, profile) = (facts.env.cloud.span, Profile::of(facts.env.cloud.value));
    if let Some(mode) = profile.udp.filter(|_| port.protocol == Protocol::Udp) {
        let sources = [port.span, cloud];
        sheet.line(&sources, format!("  forwarding: {}", mode.name()));
    }
    sheet.line(&[cloud], "  scheduler: round-robin");
    if profile.fails_open {
        sheet.line(&[cloud], "  failOpen: true");
    }
    let backends = backends(objects, facts, (service, port), ip.value);
    if backends.is_empty() {
        sheet.line(&sources, "  backends: []");
        return;
    }
    sheet.line(&sources, "  backends:");
    for backend in backends {
        let Backend {
            node,
            ip,
            port,
            weight,
            healthy,
            sources,
        } = backend;
        let health = match healthy {
            None => "",
            Some(true) => ", healthy: true",
            Some(false) => ", healthy: false",
        };
        sheet.line(
            &sources,
            format!("  - {{node: {node}, address: {ip}, port: {port}, weight: {weight}{health}}}"),
        );
    }
}

struct Backend {
    node: String,
    ip: IpAddr,
    port: u16,
    weight: u32,
    /// What a health check over HTTP said; `None`: the port itself is tried.
    healthy: Option<bool>,
    sources: Vec<Span>,
}

const WEIGHT: u32 = 100;

/// Every node that may take traffic, at the Service's NodePort or, where the destination is kept, at its port; for IP
/// targets, the Pods themselves.
fn backends(
    objects: &Manifests,
    facts: &Facts,
    (service, port): (&Service, &Port),
    ip: IpAddr,
) -> Vec<Backend> {
    let profile = Profile::of(facts.env.cloud.value);
    if profile.pool == Pool::Pods {
        return pods(objects, service, port, IpFamily::of(ip));
    }
    let number = match (profile.forwarding, port.node_port) {
        (Mode::Keep, _) => port.port,
        (_, Some(number)) => number,
        (_, None) => return Vec::new(),
    };
    let local = service
        .external_traffic_policy
        .filter(|p| p.value == TrafficPolicy::Local);
    let family = IpFamily::of(ip);
    let serving = serving(objects, service, family);
    let mut backends = Vec::new();
    let eligible = |n: &&Node| profile.takes(n, facts.version);
    for node in objects.nodes.iter().filter(eligible) {
        let Some(ip) = node.ip(family) else {
            continue;
        };
        let mut backend = Backend {
            node: node.meta.name.to_string(),
            ip: ip.value,
            port: number.value,
            weight: WEIGHT,
            healthy: None,
            sources: vec![number.span, ip.span],
        };
        let own = serving.get(&*node.meta.name).copied().unwrap_or_default();
        match (profile.pool, local) {
            // kube-proxy answers 503 where it has no endpoint of its own.
            (Pool::Nodes, Some(policy)) => {
                if let Some(check) = service.health_check_node_port {
                    backend.sources.extend([policy.span, check.span]);
                    let own = local_endpoints(objects, facts, service, (node, family));
                    backend.healthy = Some(own > 0 && node.silent.is_none());
                }
            }
            (Pool::NodesWithPods, Some(policy)) => {
                if own.ready == 0 {
                    continue;
                }
                backend.sources.push(policy.span);
                backend.weight = own.ready;
            }
            (Pool::OneNode, Some(policy)) => {
                if own.serving == 0 {
                    continue;
                }
                backend.sources.push(policy.span);
            }
            _ => {}
        }
        backends.push(backend);
    }
    if profile.pool == Pool::OneNode {
        if serving.values().all(|own| own.serving == 0) {
            // Nobody answers for a Service that nobody serves.
            backends.clear();
        }
        // Of both families the same node: the first address counts.
        let first = service.ingress.iter().find_map(|i| i.ip);
        let ip = first.map_or(ip, |first| first.value);
        let key = |b: &Backend| <[u8; 32]>::from(Sha256::digest(format!("{}#{ip}", b.node)));
        backends.sort_by_cached_key(key);
        backends.truncate(1);
    }
    backends
}

/// How many endpoints of a Service a node has.
#[derive(Clone, Copy, Default)]
struct Own {
    ready: u32,
    serving: u32,
}

/// Of one family: each has slices of its own.
fn serving<'o>(
    objects: &'o Manifests,
    service: &Service,
    family: IpFamily,
) -> BTreeMap<&'o str, Own> {
    let mut all: BTreeMap<&str, Own> = BTreeMap::new();
    let slices = objects.endpoint_slices.iter().filter(|s| s.is_of(service));
    let of_family =
        |e: &&crate::manifest::Endpoint| e.address.is_some_and(|a| IpFamily::of(a.value) == family);
    for endpoint in slices.flat_map(|s| &s.endpoints).filter(of_family) {
        if let Some(node) = &endpoint.node_name {
            let own = all.entry(node).or_default();
            own.ready += u32::from(endpoint.ready);
            own.serving += u32::from(endpoint.serving);
        }
    }
    all
}

/// What the node's health server counts: each family's kube-proxy has one of its own.
fn local_endpoints(
    objects: &Manifests,
    facts: &Facts,
    service: &Service,
    (node, family): (&Node, IpFamily),
) -> u32 {
    let network = NodeNetwork::default();
    let host = host(facts, &network);
    let proxier = proxier(facts, node, &host);
    let slices = objects.endpoint_slices.iter();
    let slices: Vec<EndpointSlice> = slices.filter(|s| s.is_of(service)).cloned().collect();
    let view = View::new(std::slice::from_ref(service), &slices, proxier, family);
    health(&view).local_ready.values().sum()
}

fn pods(objects: &Manifests, service: &Service, port: &Port, family: IpFamily) -> Vec<Backend> {
    let mut backends = Vec::new();
    for slice in objects.endpoint_slices.iter().filter(|s| s.is_of(service)) {
        let number = slice
            .ports
            .iter()
            .find(|p| p.name == port.name)
            .and_then(|p| p.port);
        for endpoint in slice.endpoints.iter().filter(|e| e.ready) {
            let address = endpoint.address;
            let address = address.filter(|ip| IpFamily::of(ip.value) == family);
            if let (Some(ip), Some(number)) = (address, number) {
                backends.push(Backend {
                    node: endpoint
                        .node_name
                        .as_deref()
                        .unwrap_or_default()
                        .to_string(),
                    ip: ip.value,
                    port: number.value,
                    weight: WEIGHT,
                    healthy: None,
                    sources: vec![endpoint.span, number.span],
                });
            }
        }
    }
    backends
}

/// The nodes' network: its router, and the routes that clouds and backends keep there.
fn vpc(objects: &Manifests, facts: &Facts) -> Sheet {
    let env = &facts.env;
    let mut sheet = Sheet::default();
    let router_span = env.router.map_or(env.span, |r| r.span);
    sheet.line(&[env.span], "name: vpc");
    let (router, length) = (facts.router, facts.nodes.prefix());
    sheet.line(&[router_span], format!("router: {router}/{length}"));
    if let Some(v6) = facts.v6 {
        let span = env.router6.map_or(env.span, |r| r.span);
        let (router, length) = (v6.router, v6.nodes.prefix());
        sheet.line(&[span], format!("router6: {router}/{length}"));
    }
    sheet.line(&[env.span], "routes:");
    let mut route = |to: String, via: IpAddr, sources: &[Span]| {
        sheet.line(sources, format!("- {{to: {to}, via: {via}}}"));
    };
    if env.routes.value == PodRoutes::Vpc {
        let families = |n| facts.families(n).map(move |family| (n, family));
        for (node, family) in objects.nodes.iter().flat_map(families) {
            if let (Some(net), Some(ip)) = (node.pod_cidr(family), node.ip(family)) {
                route(
                    net.value.to_string(),
                    ip.value,
                    &[net.span, ip.span, env.routes.span],
                );
            }
        }
    }
    let back = facts.inside.ip();
    let mut seen: Vec<IpAddr> = Vec::new();
    for ip in objects
        .services
        .iter()
        .flat_map(|s| &s.ingress)
        .filter_map(|i| i.ip)
    {
        let family = IpFamily::of(ip.value);
        let back = match family {
            IpFamily::V4 => Some(back),
            IpFamily::V6 => facts.v6.map(|v6| v6.inside.ip()),
        };
        let Some(back) = back.filter(|_| !seen.contains(&ip.value)) else {
            continue;
        };
        seen.push(ip.value);
        route(format!("{}/{}", ip.value, family.bits()), back, &[ip.span]);
    }
    let outside = facts.outside;
    route(
        format!("{}/{}", outside.network(), outside.prefix()),
        back,
        &[env.outside.map_or(env.span, |o| o.span)],
    );
    if let Some(v6) = facts.v6 {
        let net = v6.outside;
        let to = format!("{}/{}", net.network(), net.prefix());
        route(to, v6.inside.ip(), &[env.span]);
    }
    sheet
}
