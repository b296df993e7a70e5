use std::net::{IpAddr, Ipv4Addr};

use ipnetwork::{IpNetwork, Ipv4Network};

use crate::control::kube_proxy::Version;
use crate::manifest::{Environment, IpFamily, KubeProxyConfiguration, Manifests, Pod};
use crate::net::Mac;
use crate::say;
use crate::text::{Diagnostic, Span};

/// What all parts of a cluster need to know, every default filled in.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub env: Environment,
    pub version: Version,
    pub proxy: KubeProxyConfiguration,
    pub services: Ipv4Network,
    pub pods: Ipv4Network,
    pub nodes: Ipv4Network,
    pub router: IpAddr,
    pub outside: IpNetwork,
    pub inside: IpNetwork,
}

impl Facts {
    pub fn new(objects: &Manifests, said: &mut Vec<Diagnostic>) -> Self {
        let first = objects
            .nodes
            .first()
            .map_or(Span::default(), |n| n.meta.span);
        let env = objects.environments.first().cloned();
        let mut env = env.unwrap_or_else(|| Environment::new(first));
        if objects.environments.is_empty()
            && let Some(kubelet) = objects.nodes.iter().find_map(|n| n.kubelet.clone())
        {
            env.kubernetes = kubelet;
        }
        for more in objects.environments.iter().skip(1) {
            let say = say!("control/second-environment");
            said.push(Diagnostic::warning(more.span, say));
        }
        let version = Version::parse(&env.kubernetes.value).unwrap_or_else(|| {
            let say = say!("control/bad-version", found = env.kubernetes.value);
            said.push(Diagnostic::error(env.kubernetes.span, say));
            Version::V1_36
        });
        let proxy = objects.kube_proxy.first().cloned();
        let proxy = proxy.unwrap_or_else(|| KubeProxyConfiguration::new(env.span));
        let cluster = proxy.cluster_cidrs.iter().find_map(|c| match c.value {
            IpNetwork::V4(net) => Some(net),
            IpNetwork::V6(_) => None,
        });
        let pods = env.pod_cidr.map(|c| c.value).or(cluster);
        let pods = pods.unwrap_or_else(|| block(Ipv4Addr::new(10, 244, 0, 0), 16));
        let node = objects
            .nodes
            .iter()
            .find_map(|n| match n.ip(IpFamily::V4)?.value {
                IpAddr::V4(ip) => Some(ip),
                IpAddr::V6(_) => None,
            });
        let nodes = env.node_network.map(|n| n.value);
        let nodes =
            nodes.unwrap_or_else(|| block(node.unwrap_or(Ipv4Addr::new(192, 168, 0, 1)), 24));
        let router = env.router.map_or_else(|| nth_last(nodes, 2), |r| r.value);
        let inside = env.inside.map(|i| i.value).unwrap_or_else(|| {
            let ip = Ipv4Addr::from(nodes.network().to_bits().saturating_add(100));
            IpNetwork::new(ip.into(), nodes.prefix()).unwrap_or(IpNetwork::from(IpAddr::V4(ip)))
        });
        let client = env.client.value;
        let outside = env.outside.map(|o| o.value).unwrap_or_else(|| {
            let first = client.iter().nth(1).unwrap_or(client.network());
            IpNetwork::new(first, client.prefix()).unwrap_or(client)
        });
        Self {
            version,
            services: env.service_cidr.value,
            pods,
            nodes,
            router,
            outside,
            inside,
            proxy,
            env,
        }
    }

    /// Bytes that fit into a packet between Pods: VXLAN takes 50.
    pub fn pod_mtu(&self) -> u16 {
        match self.env.routes.value {
            crate::manifest::PodRoutes::Vxlan => 1450,
            _ => 1500,
        }
    }
}

fn block(ip: Ipv4Addr, length: u8) -> Ipv4Network {
    let net = Ipv4Network::new(ip, length).unwrap_or(Ipv4Network::from(ip));
    Ipv4Network::new(net.network(), length).unwrap_or(net)
}

fn nth_last(net: Ipv4Network, n: u32) -> IpAddr {
    Ipv4Addr::from(net.broadcast().to_bits().saturating_sub(n)).into()
}

/// As the CNI plugins make one of an address.
pub(super) fn mac_of(ip: IpAddr) -> Mac {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            Mac([0x0a, 0x58, a, b, c, d])
        }
        IpAddr::V6(ip) => {
            let [.., a, b, c, d] = ip.octets();
            Mac([0x0a, 0x5a, a, b, c, d])
        }
    }
}

/// How workspaces name a Pod's folder.
pub(super) fn pod_folder(pod: &Pod) -> String {
    match &*pod.meta.namespace {
        "default" => format!("pods/{}", pod.meta.name),
        namespace => format!("pods/{namespace}/{}", pod.meta.name),
    }
}

/// Whether a Pod has a network of its own: it is placed, has an address, and is not on the node's network.
pub(super) fn has_network(pod: &Pod) -> bool {
    !pod.spec.host_network && !pod.ips.is_empty() && pod.spec.node_name.is_some()
}
