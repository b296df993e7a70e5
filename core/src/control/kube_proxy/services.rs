use std::collections::BTreeMap;
use std::net::IpAddr;

use super::endpoints::Slices;
use super::version::Dialect;
use super::{Endpoints, Proxier};
use crate::manifest::{
    EndpointSlice, IpFamily, IpMode, Meta, Port, Service, ServiceType, SourceRange, TrafficPolicy,
};

/// The cluster as one node's kube-proxy sees it in one IP family.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub proxier: Proxier<'a>,
    pub family: IpFamily,
    /// By namespace, name, port name and protocol. kube-proxy itself goes through them in no particular order.
    pub ports: Vec<ServicePort<'a>>,
    /// Of all slices, whether or not a Service uses them.
    pub(super) slices: Slices<'a>,
}

/// A port of a Service that has a cluster IP of the family.
#[derive(Clone, Debug)]
pub struct ServicePort<'a> {
    pub service: &'a Service,
    pub port: &'a Port,
    /// `namespace/name[:port]`
    pub name: String,
    pub cluster_ip: IpAddr,
    /// With their places in `spec.externalIPs`, and so on.
    pub external_ips: Vec<(u16, IpAddr)>,
    /// Addresses of load balancers that deliver packets with their destination kept.
    pub vips: Vec<(u16, IpAddr)>,
    pub source_ranges: Vec<(u16, &'a SourceRange)>,
    pub external_local: bool,
    pub internal_local: bool,
    pub health_check_node_port: Option<u16>,
    pub endpoints: Endpoints<'a>,
}

impl ServicePort<'_> {
    pub fn protocol(&self) -> &'static str {
        self.port.protocol.name()
    }

    pub fn node_port(&self) -> Option<u16> {
        self.port.node_port.map(|p| p.value)
    }

    /// Where it is served: its cluster IP, then those of outside.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let outside = self.external_ips.iter().chain(&self.vips);
        std::iter::once(self.cluster_ip).chain(outside.map(|(_, ip)| *ip))
    }

    /// By a NodePort, an external IP or a load balancer.
    pub fn externally_accessible(&self) -> bool {
        self.port.node_port.is_some() || !self.vips.is_empty() || !self.external_ips.is_empty()
    }

    /// What its rules take, in bytes that could be read meanwhile.
    pub(super) fn work(&self) -> usize {
        16 * (4 + self.endpoints.all.len())
    }

    /// Even under policy Local, the node's own traffic to external addresses goes to all endpoints.
    pub(super) fn uses_cluster(&self) -> bool {
        !self.internal_local || self.externally_accessible()
    }

    pub(super) fn uses_local(&self) -> bool {
        self.internal_local || self.external_local && self.externally_accessible()
    }
}

impl<'a> View<'a> {
    pub fn new(
        services: &'a [Service],
        slices: &'a [EndpointSlice],
        proxier: Proxier<'a>,
        family: IpFamily,
    ) -> Self {
        let slices = Slices::new(slices, family, proxier.dialect());
        let dialect = proxier.dialect();
        let mut services: Vec<_> = services
            .iter()
            .filter(|s| s.kind.value != ServiceType::ExternalName && !s.headless)
            .filter(|s| watched(&s.meta))
            .filter_map(|s| Some((s, s.cluster_ip(family)?.value)))
            .collect();
        services.sort_by(|(a, _), (b, _)| {
            let (a, b) = (&a.meta, &b.meta);
            (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name))
        });
        let count = services.iter().map(|(s, _)| s.ports.len()).sum();
        let mut ports = Vec::with_capacity(count);
        for (service, ip) in services {
            let first = ports.len();
            let of = |port| service_port(service, port, ip, family, dialect);
            ports.extend(service.ports.iter().map(of));
            if let Some(own) = ports.get_mut(first..) {
                own.sort_by_key(|p: &ServicePort<'_>| (&p.port.name, p.protocol()));
            }
        }
        slices.spread(&mut ports, &proxier);
        Self {
            proxier,
            family,
            ports,
            slices,
        }
    }

    /// How many endpoints the Services have, used or not: beyond a thousand, kube-proxy saves on comments.
    pub(super) fn endpoint_count(&self) -> usize {
        self.ports.iter().map(|p| p.endpoints.all.len()).sum()
    }

    /// Services with an opened health check, by namespace and name.
    pub(super) fn health_check_node_ports(&self) -> BTreeMap<(&'a str, &'a str), u16> {
        let of = |p: &ServicePort<'a>| {
            let service: &'a Service = p.service;
            let name = (&*service.meta.namespace, &*service.meta.name);
            Some((name, p.health_check_node_port?))
        };
        self.ports.iter().filter_map(of).collect()
    }
}

/// Objects that other proxies serve, and those of headless Services, never reach kube-proxy: its watch asks for what has
/// none of these labels (`cmd/kube-proxy/app/server.go`).
pub(super) fn watched(meta: &Meta) -> bool {
    [
        "service.kubernetes.io/service-proxy-name",
        "service.kubernetes.io/headless",
    ]
    .iter()
    .all(|label| meta.labels.get(label).is_none())
}

/// `pkg/proxy/serviceport.go`, `newBaseServiceInfo`; before 1.26, `pkg/proxy/service.go`.
fn service_port<'a>(
    service: &'a Service,
    port: &'a Port,
    cluster_ip: IpAddr,
    family: IpFamily,
    dialect: &Dialect,
) -> ServicePort<'a> {
    let is_local = |p: Option<TrafficPolicy>| p == Some(TrafficPolicy::Local);
    let external_type = match service.kind.value {
        ServiceType::LoadBalancer | ServiceType::NodePort => true,
        ServiceType::ClusterIp => dialect.external_ips_policy && !service.external_ips.is_empty(),
        ServiceType::ExternalName => false,
    };
    let external_local =
        external_type && is_local(service.external_traffic_policy.map(|p| p.value));
    let needs_check = service.kind.value == ServiceType::LoadBalancer && external_local;
    let mut source_ranges = numbered(&service.load_balancer_source_ranges, |range| {
        let range = &range.value;
        (IpFamily::of_net(range.net) == family).then_some(range)
    });
    if dialect.zero_range && source_ranges.iter().any(|(_, r)| r.net.prefix() == 0) {
        source_ranges.clear();
    }
    let meta = &service.meta;
    let mut name = format!("{}/{}", meta.namespace, meta.name);
    if dialect.colon || !port.name.is_empty() {
        name.push(':');
        name.push_str(&port.name);
    }
    ServicePort {
        service,
        port,
        name,
        cluster_ip,
        external_ips: numbered(&service.external_ips, |ip| of_family(ip.value, family)),
        vips: numbered(&service.ingress, |ingress| {
            let proxies = ingress.ip_mode.is_some_and(|m| m.value == IpMode::Proxy);
            let ip = ingress.ip.filter(|_| !(proxies && dialect.ip_mode))?.value;
            match dialect.family_blind {
                true => Some(ip),
                false => of_family(ip, family),
            }
        }),
        source_ranges,
        external_local,
        internal_local: dialect.internal_policy
            && is_local(service.internal_traffic_policy.map(|p| p.value)),
        health_check_node_port: service
            .health_check_node_port
            .filter(|_| needs_check)
            .map(|p| p.value),
        endpoints: Endpoints::default(),
    }
}

fn of_family(ip: IpAddr, family: IpFamily) -> Option<IpAddr> {
    (IpFamily::of(ip) == family).then_some(ip)
}

fn numbered<'a, T, U>(list: &'a [T], keep: impl Fn(&'a T) -> Option<U>) -> Vec<(u16, U)> {
    (0..=u16::MAX)
        .zip(list)
        .filter_map(|(at, item)| Some((at, keep(item)?)))
        .collect()
}
