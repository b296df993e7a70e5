use super::{NodePorts, View};
use crate::text::Span;

/// What a generated line comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The Service port, by its place in [`View::ports`]; `None` for what every node has.
    pub port: Option<u32>,
    /// The endpoint, by its place in that port's list.
    pub endpoint: Option<u32>,
    /// The fields that decided: the first made the line, the second its form.
    pub fields: [Option<Field>; 2],
}

/// A field of a Service, a slice, the Node or kube-proxy's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    ClusterIp,
    /// `spec.externalIPs`, `status.loadBalancer.ingress` and `spec.loadBalancerSourceRanges`: which item.
    ExternalIp(u16),
    Ingress(u16),
    SourceRange(u16),
    NodePort,
    HealthCheckNodePort,
    ExternalTrafficPolicy,
    InternalTrafficPolicy,
    SessionAffinity,
    /// The endpoint's item in its slice.
    Endpoint,
    DetectLocal,
    MasqueradeAll,
    MasqueradeBit,
    LocalhostNodePorts,
    NodePortAddresses,
}

impl Origin {
    /// What every node has.
    pub const FRAME: Origin = Origin {
        port: None,
        endpoint: None,
        fields: [None, None],
    };

    pub(super) fn config(field: Field) -> Self {
        Self {
            fields: [Some(field), None],
            ..Self::FRAME
        }
    }

    pub(super) fn port(port: u32, field: Field) -> Self {
        Self {
            port: Some(port),
            fields: [Some(field), None],
            ..Self::FRAME
        }
    }

    pub(super) fn and(mut self, field: Field) -> Self {
        self.fields[1] = Some(field);
        self
    }

    pub(super) fn endpoint(port: u32, endpoint: u32) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..Self::port(port, Field::Endpoint)
        }
    }
}

impl View<'_> {
    /// Where the fields stand that made a line, the most telling one first; then the Service's port.
    pub fn spans(&self, origin: Origin) -> Vec<Span> {
        let mut spans: Vec<Span> = origin
            .fields
            .iter()
            .flatten()
            .filter_map(|field| self.span(origin, *field))
            .collect();
        if let Some(port) = origin.port.and_then(|at| self.ports.get(at as usize)) {
            spans.push(port.port.span);
        }
        spans.dedup();
        spans
    }

    fn span(&self, origin: Origin, field: Field) -> Option<Span> {
        let config = self.proxier.config;
        let port = origin.port.and_then(|at| self.ports.get(at as usize));
        let service = port.map(|p| p.service);
        match field {
            Field::ClusterIp => service?.cluster_ip(self.family).map(|ip| ip.span),
            Field::ExternalIp(at) => service?.external_ips.get(usize::from(at)).map(|i| i.span),
            Field::Ingress(at) => service?.ingress.get(usize::from(at)).map(|i| i.span),
            Field::SourceRange(at) => service?
                .load_balancer_source_ranges
                .get(usize::from(at))
                .map(|r| r.span),
            Field::NodePort => port?.port.node_port.map(|p| p.span),
            Field::HealthCheckNodePort => service?.health_check_node_port.map(|p| p.span),
            Field::ExternalTrafficPolicy => service?.external_traffic_policy.map(|p| p.span),
            Field::InternalTrafficPolicy => service?.internal_traffic_policy.map(|p| p.span),
            Field::SessionAffinity => service?.session_affinity.map(|a| a.span),
            Field::Endpoint => {
                let endpoint = port?.endpoints.all.get(origin.endpoint? as usize)?;
                Some(endpoint.source.span)
            }
            Field::DetectLocal => self.proxier.detector(self.family).map(|d| d.span),
            Field::MasqueradeAll => Some(self.proxier.masquerade().all.span),
            Field::MasqueradeBit => Some(self.proxier.masquerade().bit.span),
            Field::LocalhostNodePorts => Some(config.localhost_node_ports.span),
            Field::NodePortAddresses => {
                let given = config.node_port_addresses.iter().map(|a| a.span);
                let all = given.reduce(|a, b| a.to(b));
                match self.proxier.node_ports(self.family) {
                    NodePorts::All => all.or(Some(config.span)),
                    NodePorts::Only(_) => {
                        all.or(self.proxier.node.host_ip(self.family).map(|i| i.span))
                    }
                }
            }
        }
    }
}
