use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use crate::control::kube_proxy::Version;
use crate::manifest::{
    Environment, IpFamily, KubeProxyConfiguration, Manifests, Node, Pod, Service, Spanned,
};
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
    /// Services by their namespace and what they select first.
    selectors: BTreeMap<[Box<str>; 3], Vec<usize>>,
    /// Where a node has an address of IPv6.
    pub v6: Option<Facts6>,
}

/// The networks of IPv6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts6 {
    /// kube-proxy's clusterCIDR.
    pub pods: Option<IpNetwork>,
    pub nodes: Ipv6Network,
    pub router: IpAddr,
    pub client: IpNetwork,
    pub outside: IpNetwork,
    pub inside: IpNetwork,
}

impl Facts6 {
    fn new(objects: &Manifests, env: &Environment, pods: Option<IpNetwork>) -> Option<Self> {
        let of = |n: &Node| match n.ip(IpFamily::V6)?.value {
            IpAddr::V6(ip) => Some(ip),
            IpAddr::V4(_) => None,
        };
        let node = objects.nodes.iter().find_map(of)?;
        let nodes = Ipv6Network::new(node, 64).ok()?;
        let nodes = Ipv6Network::new(nodes.network(), 64).ok()?;
        let at = |host: u128| Ipv6Addr::from(nodes.network().to_bits() | host);
        let client = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 9).into();
        let client = match env.client6 {
            Some(client) => client.value,
            None => IpNetwork::new(client, 64).ok()?,
        };
        let first = client.iter().nth(1)?;
        Some(Self {
            pods,
            nodes,
            router: env.router6.map_or_else(|| at(0xfd).into(), |r| r.value),
            client,
            outside: IpNetwork::new(first, client.prefix()).ok()?,
            inside: IpNetwork::new(at(0x64).into(), 64).ok()?,
        })
    }
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
        let cluster6 = proxy.cluster_cidrs.iter().map(|c| c.value);
        let cluster6 = cluster6.into_iter().find(IpNetwork::is_ipv6);
        let v6 = Facts6::new(objects, &env, cluster6);
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
        let mut selectors: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (at, service) in objects.services.iter().enumerate() {
            if let Some((key, value)) = service.selector.iter().next() {
                let first = [
                    service.meta.namespace.clone(),
                    key.into(),
                    value.value.clone(),
                ];
                selectors.entry(first).or_default().push(at);
            }
        }
        Self {
            selectors,
            version,
            services: env.service_cidr.value,
            pods,
            nodes,
            router,
            outside,
            inside,
            v6,
            proxy,
            env,
        }
    }

    /// Which families a node speaks, as its addresses say.
    pub fn families(&self, node: &Node) -> impl Iterator<Item = IpFamily> {
        let both = self.v6.is_some() && node.ip(IpFamily::V6).is_some();
        let second = both.then_some(IpFamily::V6);
        [IpFamily::V4].into_iter().chain(second)
    }

    /// All Pods' network of a family.
    pub fn pods_of(&self, family: IpFamily) -> Option<IpNetwork> {
        match family {
            IpFamily::V4 => Some(self.pods.into()),
            IpFamily::V6 => self.v6?.pods,
        }
    }

    /// The Services that select a Pod.
    pub fn selecting<'o>(
        &self,
        objects: &'o Manifests,
        pod: &'o Pod,
    ) -> impl Iterator<Item = &'o Service> {
        let meta = &pod.meta;
        let first = |(key, value): (&str, &Spanned<Box<str>>)| {
            let first = [meta.namespace.clone(), key.into(), value.value.clone()];
            self.selectors.get(&first)
        };
        let mut found: Vec<usize> = meta
            .labels
            .iter()
            .filter_map(first)
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        let services = found.into_iter().filter_map(|at| objects.services.get(at));
        services.filter(|s| s.selector.select(&meta.labels))
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

/// A route to a device's own network as `ip -6 route` prints it.
pub(super) fn on_link(net: IpNetwork, dev: &str) -> String {
    let (base, length) = (net.network(), net.prefix());
    format!("{base}/{length} dev {dev} proto kernel metric 256 pref medium")
}

/// What each device with an address of IPv6 has.
pub(super) fn link_local_route(dev: &str) -> String {
    format!("fe80::/64 dev {dev} proto kernel metric 256 pref medium")
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
