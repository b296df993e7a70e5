use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::Serialize;

use super::{IpFamily, Labels, Meta, Spanned, parse_cidr, parse_ip};
use crate::say;
use crate::text::Span;
use crate::yaml::{Cursor, Fields, Value};

/// A Service, with the API server's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub meta: Meta,
    pub kind: Spanned<ServiceType>,
    /// Without `None`, see [`Service::headless`].
    pub cluster_ips: Vec<Spanned<IpAddr>>,
    pub headless: bool,
    pub ports: Vec<Port>,
    pub selector: Labels,
    pub external_ips: Vec<Spanned<IpAddr>>,
    /// `None` where the field is absent, which means Cluster.
    pub external_traffic_policy: Option<Spanned<TrafficPolicy>>,
    pub internal_traffic_policy: Option<Spanned<TrafficPolicy>>,
    pub health_check_node_port: Option<Spanned<u16>>,
    /// `sessionAffinity: ClientIP`: for how many seconds.
    pub session_affinity: Option<Spanned<u32>>,
    pub load_balancer_source_ranges: Vec<Spanned<SourceRange>>,
    pub load_balancer_class: Option<Spanned<Box<str>>>,
    pub allocate_node_ports: bool,
    pub publish_not_ready_addresses: Option<Span>,
    /// `PreferClose`, `PreferSameZone` or `PreferSameNode`.
    pub traffic_distribution: Option<Spanned<Box<str>>>,
    pub external_name: Option<Spanned<Box<str>>>,
    /// `status.loadBalancer.ingress`
    pub ingress: Vec<Ingress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ServiceType {
    ClusterIp,
    NodePort,
    LoadBalancer,
    ExternalName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum TrafficPolicy {
    Cluster,
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// In small letters, as rules have it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        }
    }

    pub(super) fn read(cursor: Option<Cursor<'_>>) -> Self {
        let allowed = [
            ("TCP", Protocol::Tcp),
            ("UDP", Protocol::Udp),
            ("SCTP", Protocol::Sctp),
        ];
        cursor
            .and_then(|c| c.one_of(&allowed))
            .unwrap_or(Protocol::Tcp)
    }
}

/// An item of `spec.ports`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Empty where the only port has none.
    pub name: Box<str>,
    pub protocol: Protocol,
    /// What is spoken over it, where that is said.
    pub app_protocol: Option<Box<str>>,
    pub port: Spanned<u16>,
    /// The port itself where none is given.
    pub target: Spanned<TargetPort>,
    pub node_port: Option<Spanned<u16>>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    Number(u16),
    Name(Box<str>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRange {
    /// As written, without blanks around it.
    pub text: Box<str>,
    pub net: IpNetwork,
}

/// An item of `status.loadBalancer.ingress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// `None` where the load balancer has a name only.
    pub ip: Option<Spanned<IpAddr>>,
    pub hostname: Option<Box<str>>,
    pub ip_mode: Option<Spanned<IpMode>>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum IpMode {
    Vip,
    Proxy,
}

/// `sessionAffinityConfig.clientIP.timeoutSeconds` where it is absent: three hours.
const AFFINITY_SECONDS: u32 = 10_800;

impl Service {
    /// The cluster IP of a family, first come first served.
    pub fn cluster_ip(&self, family: IpFamily) -> Option<&Spanned<IpAddr>> {
        self.cluster_ips
            .iter()
            .find(|ip| IpFamily::of(ip.value) == family)
    }

    /// One that says nothing but its kind.
    pub(crate) fn of(kind: ServiceType, meta: Meta) -> Service {
        Service {
            kind: Spanned::new(kind, meta.span),
            meta,
            cluster_ips: Vec::new(),
            headless: false,
            ports: Vec::new(),
            selector: Labels::default(),
            external_ips: Vec::new(),
            external_traffic_policy: None,
            internal_traffic_policy: None,
            health_check_node_port: None,
            session_affinity: None,
            load_balancer_source_ranges: Vec::new(),
            load_balancer_class: None,
            allocate_node_ports: true,
            publish_not_ready_addresses: None,
            traffic_distribution: None,
            external_name: None,
            ingress: Vec::new(),
        }
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Service {
        let meta = Meta::read(&mut fields, true);
        let mut service = Service::of(ServiceType::ClusterIp, meta);
        if let Some(spec) = fields.required("spec").and_then(|s| s.fields()) {
            service.read_spec(spec);
        }
        if let Some(status) = fields.get("status").and_then(|s| s.fields()) {
            service.read_status(status);
        }
        fields.end();
        service
    }

    fn read_spec(&mut self, mut spec: Fields<'_>) {
        let types = [
            ("ClusterIP", ServiceType::ClusterIp),
            ("NodePort", ServiceType::NodePort),
            ("LoadBalancer", ServiceType::LoadBalancer),
            ("ExternalName", ServiceType::ExternalName),
        ];
        if let Some((kind, cursor)) = word(&mut spec, "type", &types) {
            self.kind = Spanned::new(kind, cursor.span());
        }
        self.read_cluster_ips(&mut spec);
        self.read_ports(&mut spec);
        self.selector = Labels::read(spec.get("selector"));
        self.external_ips = addresses(spec.get("externalIPs"));
        let policies = [
            ("Cluster", TrafficPolicy::Cluster),
            ("Local", TrafficPolicy::Local),
        ];
        self.external_traffic_policy = word(&mut spec, "externalTrafficPolicy", &policies)
            .map(|(policy, at)| Spanned::new(policy, at.span()));
        self.internal_traffic_policy = word(&mut spec, "internalTrafficPolicy", &policies)
            .map(|(policy, at)| Spanned::new(policy, at.span()));
        if let Some(cursor) = spec.get("healthCheckNodePort") {
            // The API server writes 0 for none.
            let port = cursor.int_in::<u16>(0..=65_535).filter(|port| *port > 0);
            self.health_check_node_port = port.map(|p| Spanned::new(p, cursor.span()));
        }
        self.read_affinity(&mut spec);
        if let Some(ranges) = spec.get("loadBalancerSourceRanges") {
            for cursor in ranges.items() {
                let Some(text) = cursor.str().map(str::trim) else {
                    continue;
                };
                let Some(net) = parse_cidr(text) else {
                    cursor.error(say!(
                        "manifest/bad-cidr",
                        path = cursor.path(),
                        found = text
                    ));
                    continue;
                };
                let text = text.into();
                self.load_balancer_source_ranges
                    .push(Spanned::new(SourceRange { text, net }, cursor.span()));
            }
        }
        self.load_balancer_class = string(&mut spec, "loadBalancerClass");
        self.allocate_node_ports = spec.bool("allocateLoadBalancerNodePorts").unwrap_or(true);
        self.publish_not_ready_addresses = spec
            .get("publishNotReadyAddresses")
            .filter(|c| c.bool() == Some(true))
            .map(|c| c.span());
        self.traffic_distribution = string(&mut spec, "trafficDistribution");
        self.external_name = string(&mut spec, "externalName");
        spec.no_matter(&["ipFamilyPolicy", "ipFamilies", "loadBalancerIP"]);
        spec.not_modelled(&["topologyKeys"]);
        spec.end();
    }

    fn read_cluster_ips(&mut self, spec: &mut Fields<'_>) {
        let one = spec.get("clusterIP");
        let many = spec.get("clusterIPs");
        let all: Vec<_> = match (many, one) {
            (Some(many), _) => many.items().collect(),
            (None, Some(one)) => vec![one],
            (None, None) => Vec::new(),
        };
        for cursor in all {
            match cursor.str() {
                Some("None") => self.headless = true,
                Some("") | None => {}
                Some(text) => self.cluster_ips.extend(address(cursor, text)),
            }
        }
    }

    fn read_ports(&mut self, spec: &mut Fields<'_>) {
        let Some(ports) = spec.get("ports") else {
            if self.kind.value != ServiceType::ExternalName && !self.headless {
                spec.required("ports");
            }
            return;
        };
        let several = ports.node.items().len() > 1;
        for cursor in ports.items() {
            let Some(mut fields) = cursor.fields() else {
                continue;
            };
            let name = fields.str("name").unwrap_or_default();
            if several && name.is_empty() {
                fields.required("name");
            }
            let protocol = Protocol::read(fields.get("protocol"));
            let target = fields.get("targetPort");
            let node_port = fields.get("nodePort");
            let port = fields.required("port");
            let app_protocol = fields.str("appProtocol").map(Into::into);
            fields.end();
            let Some(port) = port.and_then(|c| Some(Spanned::new(port_number(c)?, c.span())))
            else {
                continue;
            };
            if let Some(first) = self.ports.iter().find(|p| *p.name == *name) {
                let said = say!(
                    "manifest/port-name-twice",
                    path = cursor.path(),
                    name = name
                );
                let label = say!("manifest/first-here");
                cursor.log.push(
                    crate::text::Diagnostic::error(cursor.span(), said).label(first.span, label),
                );
                continue;
            }
            self.ports.push(Port {
                name: name.into(),
                protocol,
                app_protocol,
                port,
                target: target
                    .and_then(|c| Some(Spanned::new(target_port(c)?, c.span())))
                    .unwrap_or(Spanned::new(TargetPort::Number(port.value), port.span)),
                node_port: node_port.and_then(|c| {
                    let number = c.int_in::<u16>(0..=65_535).filter(|n| *n > 0)?;
                    Some(Spanned::new(number, c.span()))
                }),
                span: cursor.span(),
            });
        }
    }

    fn read_affinity(&mut self, spec: &mut Fields<'_>) {
        let affinity = word(
            spec,
            "sessionAffinity",
            &[("None", false), ("ClientIP", true)],
        );
        let config = spec.get("sessionAffinityConfig");
        let Some((true, cursor)) = affinity else {
            return;
        };
        self.session_affinity = Some(Spanned::new(AFFINITY_SECONDS, cursor.span()));
        let client = config
            .and_then(|c| c.fields()?.get("clientIP"))
            .and_then(|c| c.fields()?.get("timeoutSeconds"));
        if let Some(timeout) = client
            && let Some(seconds) = timeout.int_in(1..=86_400)
        {
            self.session_affinity = Some(Spanned::new(seconds, cursor.span().to(timeout.span())));
        }
    }

    fn read_status(&mut self, mut status: Fields<'_>) {
        status.no_matter(&["conditions"]);
        if let Some(mut lb) = status.get("loadBalancer").and_then(|c| c.fields()) {
            if let Some(ingress) = lb.get("ingress") {
                for cursor in ingress.items() {
                    self.ingress.extend(Ingress::read(cursor));
                }
            }
            lb.end();
        }
        status.end();
    }
}

impl Ingress {
    fn read(cursor: Cursor<'_>) -> Option<Ingress> {
        let mut fields = cursor.fields()?;
        let ip = fields.get("ip").and_then(|c| match c.str()? {
            "" => None,
            text => address(c, text),
        });
        let modes = [("VIP", IpMode::Vip), ("Proxy", IpMode::Proxy)];
        let ingress = Ingress {
            ip,
            hostname: fields.str("hostname").map(Into::into),
            ip_mode: word(&mut fields, "ipMode", &modes).map(|(m, at)| Spanned::new(m, at.span())),
            span: cursor.span(),
        };
        fields.no_matter(&["ports"]);
        fields.end();
        Some(ingress)
    }
}

/// A field that holds one of a few words.
fn word<'n, T: Copy>(
    fields: &mut Fields<'n>,
    key: &'static str,
    allowed: &[(&str, T)],
) -> Option<(T, Cursor<'n>)> {
    let cursor = fields.get(key)?;
    if cursor.node.str() == Some("") {
        return None;
    }
    Some((cursor.one_of(allowed)?, cursor))
}

/// A field that holds a string; the empty one is as good as none.
fn string(fields: &mut Fields<'_>, key: &'static str) -> Option<Spanned<Box<str>>> {
    let cursor = fields.get(key)?;
    let text = cursor.str().filter(|text| !text.is_empty())?;
    Some(Spanned::new(text.into(), cursor.span()))
}

pub(super) fn address(cursor: Cursor<'_>, text: &str) -> Option<Spanned<IpAddr>> {
    match parse_ip(text) {
        Some(addr) => Some(Spanned::new(addr, cursor.span())),
        None => {
            cursor.error(say!(
                "manifest/bad-address",
                path = cursor.path(),
                found = text
            ));
            None
        }
    }
}

pub(super) fn addresses(list: Option<Cursor<'_>>) -> Vec<Spanned<IpAddr>> {
    let Some(list) = list else {
        return Vec::new();
    };
    list.items()
        .filter_map(|cursor| address(cursor, cursor.str()?))
        .collect()
}

pub(super) fn port_number(cursor: Cursor<'_>) -> Option<u16> {
    cursor.int_in(1..=65_535)
}

/// A number or a name of at most 15 letters (apimachinery `validation.IsValidPortName`).
pub(super) fn target_port(cursor: Cursor<'_>) -> Option<TargetPort> {
    match &cursor.node.value {
        Value::Str(name) if !name.is_empty() => Some(TargetPort::Name(name.clone())),
        _ => port_number(cursor).map(TargetPort::Number),
    }
}
