use std::net::IpAddr;

use ipnetwork::{IpNetwork, Ipv4Network};
use serde::Serialize;

use super::service::address;
use super::{Spanned, parse_cidr};
use crate::say;
use crate::text::Span;
use crate::yaml::{Cursor, Fields};

/// What the manifests of a cluster do not say: the release, the networks, the plugin, the cloud. A document of our own
/// (`apiVersion: northsouth/v1, kind: Environment`); each field has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// As kubectl prints it, `v1.36.3`.
    pub kubernetes: Spanned<Box<str>>,
    pub service_cidr: Spanned<Ipv4Network>,
    /// `None`: kube-proxy's clusterCIDR, or 10.244.0.0/16.
    pub pod_cidr: Option<Spanned<Ipv4Network>>,
    pub plugin: Spanned<Plugin>,
    pub routes: Spanned<PodRoutes>,
    /// flannel's `--ip-masq`: traffic from Pods to elsewhere takes the node's address.
    pub masquerade: Spanned<bool>,
    /// `None`: the /24 of the first node's address.
    pub node_network: Option<Spanned<Ipv4Network>>,
    /// `None`: the last address but one of the nodes' network.
    pub router: Option<Spanned<IpAddr>>,
    pub interface: Spanned<Box<str>>,
    pub cloud: Spanned<Cloud>,
    /// Towards the clients, and towards the nodes. `None`: 203.0.113.1/24, and .100 of the nodes' network.
    pub outside: Option<Spanned<IpNetwork>>,
    pub inside: Option<Spanned<IpNetwork>>,
    /// For Services whose status names no address.
    pub addresses: Spanned<Ipv4Network>,
    pub client: Spanned<IpNetwork>,
    /// Of IPv6, where the nodes have it. `None`: 2001:db8:9::9/64.
    pub client6: Option<Spanned<IpNetwork>>,
    /// `None`: the address whose last 16 bits are 253 in the nodes' network.
    pub router6: Option<Spanned<IpAddr>>,
    pub span: Span,
}

/// How Pods hang on their node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Plugin {
    /// By a veth on a bridge that has an address of their network (CNI `bridge`, flannel).
    Bridge,
    /// By a veth with a route of its own, the node answering ARP for everything (Calico).
    Routed,
}

/// How packets find Pods on other nodes: flannel's backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum PodRoutes {
    /// By the cloud's route table (`alloc` and the clouds' own backends).
    Vpc,
    /// By routes on every node (`host-gw`).
    HostGw,
    Vxlan,
}

/// Whose load balancer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Cloud {
    AlibabaSlb,
    AwsNlbInstance,
    AwsNlbIp,
    GcpPassthrough,
    MetalLbL2,
    /// Full NAT, as a proxy of one's own does.
    FullNat,
}

impl Plugin {
    pub const ALL: [(&'static str, Plugin); 2] =
        [("bridge", Plugin::Bridge), ("routed", Plugin::Routed)];
}

impl PodRoutes {
    pub const ALL: [(&'static str, PodRoutes); 3] = [
        ("vpc", PodRoutes::Vpc),
        ("host-gw", PodRoutes::HostGw),
        ("vxlan", PodRoutes::Vxlan),
    ];
}

impl Cloud {
    pub const ALL: [(&'static str, Cloud); 6] = [
        ("alibaba-slb", Cloud::AlibabaSlb),
        ("aws-nlb-instance", Cloud::AwsNlbInstance),
        ("aws-nlb-ip", Cloud::AwsNlbIp),
        ("gcp-passthrough", Cloud::GcpPassthrough),
        ("metallb-l2", Cloud::MetalLbL2),
        ("full-nat", Cloud::FullNat),
    ];
}

fn net(a: u8, b: u8, c: u8, length: u8) -> Ipv4Network {
    let base = std::net::Ipv4Addr::new(a, b, c, 0);
    Ipv4Network::new(base, length).unwrap_or(Ipv4Network::from(base))
}

impl Environment {
    pub fn new(span: Span) -> Self {
        let client = IpAddr::from([203, 0, 113, 9]);
        let client = IpNetwork::new(client, 24).unwrap_or(IpNetwork::from(client));
        Self {
            kubernetes: Spanned::new("v1.36.0".into(), span),
            service_cidr: Spanned::new(net(10, 96, 0, 16), span),
            pod_cidr: None,
            plugin: Spanned::new(Plugin::Bridge, span),
            routes: Spanned::new(PodRoutes::HostGw, span),
            masquerade: Spanned::new(false, span),
            node_network: None,
            router: None,
            interface: Spanned::new("eth0".into(), span),
            cloud: Spanned::new(Cloud::AlibabaSlb, span),
            outside: None,
            inside: None,
            addresses: Spanned::new(net(198, 51, 100, 24), span),
            client: Spanned::new(client, span),
            client6: None,
            router6: None,
            span,
        }
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Self {
        let mut env = Self::new(fields.cursor.span());
        fields.no_matter(&["metadata"]);
        if let Some(cursor) = fields.get("kubernetes")
            && let Some(version) = cursor.str()
        {
            let v = if version.starts_with('v') { "" } else { "v" };
            env.kubernetes = Spanned::new([v, version].concat().into(), cursor.span());
        }
        set(&mut env.service_cidr, fields.get("serviceCIDR"), network);
        if let Some(mut pods) = fields.get("pods").and_then(|c| c.fields()) {
            env.pod_cidr = pods.get("cidr").and_then(|c| spanned(c, network));
            set(&mut env.plugin, pods.get("plugin"), |c| {
                c.one_of(&Plugin::ALL)
            });
            set(&mut env.routes, pods.get("routes"), |c| {
                c.one_of(&PodRoutes::ALL)
            });
            set(&mut env.masquerade, pods.get("masquerade"), |c| c.bool());
            pods.end();
        }
        if let Some(mut nodes) = fields.get("nodes").and_then(|c| c.fields()) {
            env.node_network = nodes.get("network").and_then(|c| spanned(c, network));
            env.router = nodes.get("router").and_then(|c| address(c, c.str()?));
            env.router6 = nodes.get("router6").and_then(|c| address(c, c.str()?));
            set(&mut env.interface, nodes.get("interface"), |c| {
                c.str().map(Into::into)
            });
            nodes.end();
        }
        if let Some(mut balancer) = fields.get("loadBalancer").and_then(|c| c.fields()) {
            set(&mut env.cloud, balancer.get("cloud"), |c| {
                c.one_of(&Cloud::ALL)
            });
            env.outside = balancer.get("outside").and_then(|c| spanned(c, interface));
            env.inside = balancer.get("inside").and_then(|c| spanned(c, interface));
            set(&mut env.addresses, balancer.get("addresses"), network);
            balancer.end();
        }
        if let Some(mut client) = fields.get("client").and_then(|c| c.fields()) {
            set(&mut env.client, client.get("address"), interface);
            env.client6 = client.get("address6").and_then(|c| spanned(c, interface));
            client.end();
        }
        fields.end();
        env
    }
}

fn spanned<T>(cursor: Cursor<'_>, read: impl Fn(Cursor<'_>) -> Option<T>) -> Option<Spanned<T>> {
    Some(Spanned::new(read(cursor)?, cursor.span()))
}

fn set<T>(
    field: &mut Spanned<T>,
    cursor: Option<Cursor<'_>>,
    read: impl Fn(Cursor<'_>) -> Option<T>,
) {
    if let Some(value) = cursor.and_then(|c| spanned(c, read)) {
        *field = value;
    }
}

fn network(cursor: Cursor<'_>) -> Option<Ipv4Network> {
    let text = cursor.str()?;
    match parse_cidr(text) {
        Some(IpNetwork::V4(net)) => Some(net),
        _ => {
            cursor.error(say!(
                "manifest/bad-ipv4-network",
                path = cursor.path(),
                found = text
            ));
            None
        }
    }
}

/// An address with its prefix length.
fn interface(cursor: Cursor<'_>) -> Option<IpNetwork> {
    let text = cursor.str()?;
    let net = text.split_once('/').and_then(|(addr, length)| {
        let addr = super::parse_ip(addr)?;
        IpNetwork::new(addr, length.parse().ok()?).ok()
    });
    if net.is_none() {
        cursor.error(say!(
            "manifest/bad-interface",
            path = cursor.path(),
            found = text
        ));
    }
    net
}
