//! What the API server and the node IPAM controller fill in for objects that people write by hand: cluster IPs, NodePorts,
//! pod networks. Real ones draw at random; here a hash of the object's name decides, so that an edit of one object does
//! not move the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnetwork::{IpNetwork, Ipv4Network};
use sha2::{Digest, Sha256};

use crate::manifest::{IpFamily, Manifests, Service, ServiceType, Spanned, TrafficPolicy};
use crate::net::NODE_PORTS;
use crate::say;
use crate::text::{Diagnostic, Span};

/// Completes Services and Nodes, and says what contradicts.
pub fn admit(cluster: &mut Manifests, services: Ipv4Network, pods: Ipv4Network) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    cluster_ips(&mut cluster.services, services, &mut said);
    node_ports(&mut cluster.services, &mut said);
    pod_networks(cluster, pods, &mut said);
    said
}

/// A number below `size` that depends on the name only.
pub(super) fn draw(name: &str, size: u32) -> u32 {
    let digest = Sha256::digest(name);
    let number = digest
        .iter()
        .take(4)
        .fold(0u32, |n, b| n << 8 | u32::from(*b));
    number.checked_rem(size).unwrap_or(0)
}

/// The first that `free` takes, from a place that the name tells; `None` where all are taken.
fn choose<T>(name: &str, size: u32, free: impl Fn(u32) -> Option<T>) -> Option<T> {
    let start = draw(name, size);
    (0..size).find_map(|step| free((start + step) % size))
}

fn cluster_ips(services: &mut [Service], range: Ipv4Network, said: &mut Vec<Diagnostic>) {
    let mut taken: BTreeMap<IpAddr, Span> = BTreeMap::new();
    for service in services.iter() {
        for ip in &service.cluster_ips {
            if let Some(first) = taken.insert(ip.value, ip.span) {
                let say = say!("control/cluster-ip-taken", ip = ip.value);
                let label = say!("manifest/first-here");
                said.push(Diagnostic::error(ip.span, say).label(first, label));
            }
        }
    }
    // Neither the network's nor the broadcast address, nor the first, which is the API server's own.
    let size = range.size().saturating_sub(3).min(65_536);
    for service in services.iter_mut() {
        let wants = service.kind.value != ServiceType::ExternalName && !service.headless;
        if !wants || !service.cluster_ips.is_empty() {
            continue;
        }
        let name = service.meta.full_name();
        let ip = choose(&name, size, |at| {
            let ip = IpAddr::V4(Ipv4Addr::from(range.network().to_bits() + 2 + at));
            (!taken.contains_key(&ip)).then_some(ip)
        });
        let Some(ip) = ip else {
            let say = say!("control/no-cluster-ip", service = name, range = range);
            said.push(Diagnostic::error(service.meta.span, say));
            continue;
        };
        taken.insert(ip, service.meta.name_span);
        let say = say!(
            "control/chose",
            field = "spec.clusterIP",
            value = ip,
            object = name
        );
        said.push(Diagnostic::note(service.meta.name_span, say));
        service
            .cluster_ips
            .push(Spanned::new(ip, service.meta.name_span));
    }
}

fn node_ports(services: &mut [Service], said: &mut Vec<Diagnostic>) {
    let mut taken: BTreeMap<(u16, &str), Span> = BTreeMap::new();
    for service in services.iter() {
        for port in &service.ports {
            let Some(number) = port.node_port else {
                continue;
            };
            if let Some(first) = taken.insert((number.value, port.protocol.name()), number.span) {
                let say = say!("control/node-port-taken", port = number.value);
                let label = say!("manifest/first-here");
                said.push(Diagnostic::error(number.span, say).label(first, label));
            }
            if !NODE_PORTS.contains(&number.value) {
                let say = say!("control/node-port-range", port = number.value);
                said.push(Diagnostic::warning(number.span, say));
            }
        }
        if let Some(number) = service.health_check_node_port {
            taken.insert((number.value, "tcp"), number.span);
        }
    }
    let size = u32::from(NODE_PORTS.end() - NODE_PORTS.start()) + 1;
    let mut taken: BTreeSet<(u16, &str)> = taken.into_keys().collect();
    let mut take = |name: &str, protocol: &'static str| {
        let number = choose(name, size, |at| {
            let number = NODE_PORTS.start() + at as u16;
            (!taken.contains(&(number, protocol))).then_some(number)
        })?;
        taken.insert((number, protocol));
        Some(number)
    };
    for service in services {
        let name = service.meta.full_name();
        let balanced = service.kind.value == ServiceType::LoadBalancer;
        let wants = match service.kind.value {
            ServiceType::NodePort => true,
            ServiceType::LoadBalancer => service.allocate_node_ports,
            ServiceType::ClusterIp | ServiceType::ExternalName => false,
        };
        let mut chose = |field: &str, value: u16, span: Span| {
            let say = say!("control/chose", field = field, value = value, object = name);
            said.push(Diagnostic::note(span, say));
            Spanned::new(value, span)
        };
        for port in service
            .ports
            .iter_mut()
            .filter(|p| wants && p.node_port.is_none())
        {
            let key = format!("{name}:{}", port.port.value);
            port.node_port =
                take(&key, port.protocol.name()).map(|number| chose("nodePort", number, port.span));
        }
        let local = service.external_traffic_policy;
        let local = local.is_some_and(|p| p.value == TrafficPolicy::Local);
        if balanced && local && service.health_check_node_port.is_none() {
            let span = service.meta.name_span;
            service.health_check_node_port = take(&format!("{name}/check"), "tcp")
                .map(|number| chose("healthCheckNodePort", number, span));
        }
    }
}

/// A /24 for each Node that has none (`--node-cidr-mask-size`).
fn pod_networks(cluster: &mut Manifests, pods: Ipv4Network, said: &mut Vec<Diagnostic>) {
    let given: Vec<IpNetwork> = cluster
        .nodes
        .iter()
        .flat_map(|n| n.pod_cidrs.iter().map(|c| c.value))
        .collect();
    let blocks = match pods.prefix() {
        length @ 0..24 => 1u32 << (24 - length).min(16),
        _ => 1,
    };
    let mut next = (0..blocks).filter_map(|at| {
        let base = Ipv4Addr::from(pods.network().to_bits().checked_add(at << 8)?);
        let net = IpNetwork::new(base.into(), pods.prefix().max(24)).ok()?;
        let meets = |g: &IpNetwork| g.contains(net.network()) || net.contains(g.network());
        (!given.iter().any(meets)).then_some(net)
    });
    for node in &mut cluster.nodes {
        if node.pod_cidr(IpFamily::V4).is_some() {
            continue;
        }
        let span = node.meta.name_span;
        match next.next() {
            Some(net) => {
                let field = "spec.podCIDR";
                let say = say!(
                    "control/chose",
                    field = field,
                    value = net,
                    object = node.meta.name
                );
                said.push(Diagnostic::note(span, say));
                node.pod_cidrs.push(Spanned::new(net, span));
            }
            None => {
                let say = say!(
                    "control/no-pod-network",
                    node = node.meta.name,
                    range = pods
                );
                said.push(Diagnostic::error(span, say));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read;
    use crate::text::FileId;

    fn admitted(text: &str) -> (Manifests, Vec<&'static str>) {
        let mut cluster = Manifests::default();
        assert_eq!(read(text, FileId(0), &mut cluster), []);
        let net = |text: &str| text.parse().unwrap();
        let said = admit(&mut cluster, net("10.96.0.0/16"), net("10.244.0.0/16"));
        (cluster, said.iter().map(|d| d.code()).collect())
    }

    const SERVICES: &str = "\
{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: b}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}
";

    #[test]
    fn what_is_chosen_depends_on_the_object_alone() {
        let (cluster, said) = admitted(SERVICES);
        assert_eq!(said, ["control/chose"; 4]);
        let b = &cluster.services[1];
        assert!(NODE_PORTS.contains(&b.ports[0].node_port.unwrap().value));
        assert!(b.health_check_node_port.is_some());
        let (alone, _) = admitted(SERVICES.split_once("---\n").unwrap().1);
        let values = |s: &Service| {
            let ips: Vec<_> = s.cluster_ips.iter().map(|ip| ip.value).collect();
            let check = s.health_check_node_port.map(|p| p.value);
            (ips, s.ports[0].node_port.map(|p| p.value), check)
        };
        assert_eq!(values(&alone.services[0]), values(b));
    }

    #[test]
    fn what_two_services_claim_is_an_error() {
        let service = |name, ip, port| {
            format!(
                "---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: NodePort, clusterIP: {ip}, ports: [{{port: 80, nodePort: {port}}}]}}}}\n"
            )
        };
        let (_, said) =
            admitted(&[service("a", "10.96.0.9", 80), service("b", "10.96.0.9", 80)].concat());
        let wanted = [
            "control/cluster-ip-taken",
            "control/node-port-range",
            "control/node-port-taken",
            "control/node-port-range",
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn nodes_get_pod_networks_that_nobody_has() {
        let text = "{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {podCIDR: 10.244.0.0/25}}\n---\n{apiVersion: v1, kind: Node, metadata: {name: b}}\n";
        let (cluster, _) = admitted(text);
        assert_eq!(
            cluster.nodes[1].pod_cidrs[0].value.to_string(),
            "10.244.1.0/24"
        );
    }
}
