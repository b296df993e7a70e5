//! The cloud's load-balancer controller and its networks.
//!
//! What the clouds do, from their documentation: Alibaba Cloud's CLB at layer 4 writes the node's address and port into
//! packets and keeps the client's (alibabacloud.com/help/slb, "How CLB works"). AWS's NLB does so for instance targets, and
//! for IP targets uses its own address as the source unless client IP preservation is on
//! (docs.aws.amazon.com/elasticloadbalancing, "Target groups for your Network Load Balancers"). Google's passthrough Network
//! Load Balancer leaves packets as they are (cloud.google.com/load-balancing/docs/passthrough-network-load-balancer). MetalLB
//! in layer 2 mode lets one node answer ARP for the address (metallb.universe.tf/concepts/layer2).

use std::net::{IpAddr, Ipv4Addr};

use super::Generated;
use super::facts::Facts;
use super::network::NodeNetwork;
use super::node::{host, proxier};
use super::sheet::Sheet;
use crate::control::api_server::draw;
use crate::control::kube_proxy::{View, health};
use crate::manifest::{
    Cloud, EndpointSlice, Ingress, IpFamily, Manifests, Node, PodRoutes, Port, Service,
    ServiceType, Spanned, TrafficPolicy,
};
use crate::say;
use crate::text::{Diagnostic, Span};

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

/// The client, the load balancer and the VPC.
pub(super) fn files(objects: &Manifests, facts: &Facts, files: &mut Vec<Generated>) {
    let mut put = |maker: &'static str, name: &str, sheet: Sheet| {
        let name = name.to_string();
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
    let forwarding = match cloud.value {
        Cloud::AlibabaSlb | Cloud::AwsNlbInstance => "rewrite-destination",
        Cloud::GcpPassthrough | Cloud::MetalLbL2 => "keep-destination",
        Cloud::AwsNlbIp | Cloud::FullNat => "full-nat",
    };
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
    let mut listeners = Sheet::default();
    let balanced = |s: &&Service| s.kind.value == ServiceType::LoadBalancer;
    for service in objects.services.iter().filter(balanced) {
        for ip in service.ingress.iter().filter_map(|i| i.ip) {
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
    sheet.line(&[facts.env.cloud.span], "  scheduler: round-robin");
    let backends = backends(objects, facts, service, port);
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
            format!("  - {{node: {node}, address: {ip}, port: {port}, weight: 100{health}}}"),
        );
    }
}

struct Backend {
    node: String,
    ip: IpAddr,
    port: u16,
    /// What a health check over HTTP said; `None`: the port itself is tried.
    healthy: Option<bool>,
    sources: Vec<Span>,
}

/// Every node that may take traffic by the Service's NodePort; for IP targets, the Pods themselves.
fn backends(objects: &Manifests, facts: &Facts, service: &Service, port: &Port) -> Vec<Backend> {
    let cloud = facts.env.cloud;
    if cloud.value == Cloud::AwsNlbIp {
        return pods(objects, service, port);
    }
    let keeps = matches!(cloud.value, Cloud::GcpPassthrough | Cloud::MetalLbL2);
    // A packet whose destination is kept comes to the Service's own port.
    let number = match (keeps, port.node_port) {
        (true, _) => port.port,
        (false, Some(number)) => number,
        (false, None) => return Vec::new(),
    };
    let eligible = |n: &&Node| {
        let excluded = "node.kubernetes.io/exclude-from-external-load-balancers";
        n.meta.labels.get(excluded).is_none() && n.ready.is_none_or(|r| r.value)
    };
    let local = service
        .external_traffic_policy
        .filter(|p| p.value == TrafficPolicy::Local);
    let mut backends = Vec::new();
    for node in objects.nodes.iter().filter(eligible) {
        let Some(ip) = node.ip(IpFamily::V4) else {
            continue;
        };
        let mut sources = vec![number.span, ip.span];
        // Under policy Local the check asks kube-proxy, which answers 503 where it has no endpoint of its own.
        let healthy = match (local, service.health_check_node_port) {
            (Some(policy), Some(check)) => {
                sources.extend([policy.span, check.span]);
                Some(local_endpoints(objects, facts, service, node) > 0)
            }
            _ => None,
        };
        backends.push(Backend {
            node: node.meta.name.to_string(),
            ip: ip.value,
            port: number.value,
            healthy,
            sources,
        });
    }
    if cloud.value == Cloud::MetalLbL2 {
        // One node answers ARP: of those that can serve, the one that a hash of name and address puts first.
        backends.retain(|b| b.healthy != Some(false));
        let key = |b: &Backend| {
            draw(
                &format!("{}#{}", b.node, service.meta.full_name()),
                u32::MAX,
            )
        };
        backends.sort_by_key(key);
        backends.truncate(1);
    }
    backends
}

/// What the node's health server counts.
fn local_endpoints(objects: &Manifests, facts: &Facts, service: &Service, node: &Node) -> u32 {
    let network = NodeNetwork::default();
    let host = host(facts, &network);
    let proxier = proxier(facts, node, &host);
    let slices = objects.endpoint_slices.iter();
    let slices: Vec<EndpointSlice> = slices.filter(|s| s.is_of(service)).cloned().collect();
    let view = View::new(
        std::slice::from_ref(service),
        &slices,
        proxier,
        IpFamily::V4,
    );
    health(&view).local_ready.values().sum()
}

fn pods(objects: &Manifests, service: &Service, port: &Port) -> Vec<Backend> {
    let mut backends = Vec::new();
    for slice in objects.endpoint_slices.iter().filter(|s| s.is_of(service)) {
        let number = slice
            .ports
            .iter()
            .find(|p| p.name == port.name)
            .and_then(|p| p.port);
        for endpoint in slice.endpoints.iter().filter(|e| e.ready) {
            if let (Some(ip), Some(number)) = (endpoint.address, number) {
                backends.push(Backend {
                    node: endpoint
                        .node_name
                        .as_deref()
                        .unwrap_or_default()
                        .to_string(),
                    ip: ip.value,
                    port: number.value,
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
    sheet.line(&[env.span], "routes:");
    let mut route = |to: String, via: IpAddr, sources: &[Span]| {
        sheet.line(sources, format!("- {{to: {to}, via: {via}}}"));
    };
    if env.routes.value == PodRoutes::Vpc {
        for node in &objects.nodes {
            if let (Some(net), Some(ip)) = (node.pod_cidr(IpFamily::V4), node.ip(IpFamily::V4)) {
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
        if ip.value.is_ipv4() && !seen.contains(&ip.value) {
            seen.push(ip.value);
            route(format!("{}/32", ip.value), back, &[ip.span]);
        }
    }
    let outside = facts.outside;
    route(
        format!("{}/{}", outside.network(), outside.prefix()),
        back,
        &[env.outside.map_or(env.span, |o| o.span)],
    );
    sheet
}
