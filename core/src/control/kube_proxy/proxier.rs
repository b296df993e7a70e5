use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;

use super::Version;
use super::version::Dialect;
use crate::manifest::{
    DetectLocalMode, IpFamily, KubeProxyConfiguration, Masquerade, Node, ProxyMode, Spanned,
};
use crate::say;
use crate::text::{Diagnostic, Span};

/// One node's kube-proxy.
#[derive(Clone, Copy, Debug)]
pub struct Proxier<'a> {
    pub version: Version,
    pub mode: ProxyMode,
    pub config: &'a KubeProxyConfiguration,
    pub node: &'a Node,
    pub host: &'a HostFacts,
}

/// What kube-proxy asks of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// Of all interfaces.
    pub addresses: Vec<IpAddr>,
    /// iptables knows `--random-fully` (from 1.6.2).
    pub random_fully: bool,
    /// net.netfilter.nf_conntrack_tcp_be_liberal
    pub conntrack_tcp_liberal: bool,
    /// The kernel has nfnetlink_acct.
    pub nfacct: bool,
    /// Of the ServiceCIDR objects, which nftables mode reads.
    pub service_cidrs: Vec<IpNetwork>,
}

/// How traffic from the node's own pods is told from other traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDetector {
    pub by: DetectBy,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectBy {
    Cidr(IpNetwork),
    Interface(Box<str>),
    Prefix(Box<str>),
}

/// The node's addresses at which NodePorts are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodePorts {
    All,
    /// In the order of their texts.
    Only(Vec<IpAddr>),
}

impl HostFacts {
    /// A current host with these addresses.
    pub fn new(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses,
            random_fully: true,
            conntrack_tcp_liberal: false,
            nfacct: false,
            service_cidrs: Vec::new(),
        }
    }
}

impl Proxier<'_> {
    /// What this release would refuse or does not know, and what is not modelled.
    pub fn check(&self) -> Vec<Diagnostic> {
        let config = self.config;
        let mut said = Vec::new();
        let mode_span = config.mode.map_or(config.span, |m| m.span);
        let version = self.version.name();
        match self.mode {
            ProxyMode::Ipvs => {
                said.push(Diagnostic::warning(mode_span, say!("kube_proxy/ipvs")));
            }
            ProxyMode::Nftables if self.version < Version::V1_36 => said.push(Diagnostic::warning(
                mode_span,
                say!("kube_proxy/nftables-version", version = version),
            )),
            ProxyMode::Nftables | ProxyMode::Iptables => {}
        }
        let primary = config
            .node_port_addresses
            .iter()
            .find(|a| a.value.is_none());
        if let Some(primary) = primary.filter(|_| self.version < Version::V1_36) {
            let say = say!("kube_proxy/no-primary", version = version);
            said.push(Diagnostic::warning(primary.span, say));
        }
        let detect = &config.detect_local;
        if detect.value != DetectLocalMode::ClusterCidr && !self.dialect().local_modes {
            let say = say!("kube_proxy/no-local-mode", version = version);
            said.push(Diagnostic::warning(detect.span, say));
        }
        said
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.version.dialect()
    }

    /// The settings of the mode that is on.
    pub(super) fn masquerade(&self) -> &Masquerade {
        match self.mode {
            ProxyMode::Nftables => &self.config.nftables,
            ProxyMode::Iptables | ProxyMode::Ipvs => &self.config.iptables,
        }
    }

    /// As Go's `%#08x` prints it.
    pub(super) fn mark(&self) -> String {
        format!("{:#010x}", 1u32 << (self.masquerade().bit.value & 31))
    }

    /// Loopback where the Node has no address of the family (`pkg/proxy/nodemanager`).
    pub(super) fn node_ip(&self, family: IpFamily) -> IpAddr {
        let own = self.node.host_ip(family).map(|ip| ip.value);
        own.unwrap_or(match family {
            IpFamily::V4 => Ipv4Addr::LOCALHOST.into(),
            IpFamily::V6 => Ipv6Addr::LOCALHOST.into(),
        })
    }

    /// `pkg/proxy/util/localdetector.go`. `None` where nothing tells local traffic apart.
    pub fn detector(&self, family: IpFamily) -> Option<LocalDetector> {
        let mode = &self.config.detect_local;
        let cluster = || {
            let cidrs = self.config.cluster_cidrs.iter();
            let cidr = cidrs
                .into_iter()
                .find(|c| IpFamily::of_net(c.value) == family);
            cidr.map(by_cidr)
        };
        if !self.dialect().local_modes {
            return cluster();
        }
        let by = |by| {
            Some(LocalDetector {
                by,
                span: mode.span,
            })
        };
        match &mode.value {
            DetectLocalMode::ClusterCidr => cluster(),
            DetectLocalMode::NodeCidr => self.node.pod_cidr(family).map(by_cidr),
            DetectLocalMode::BridgeInterface(name) => by(DetectBy::Interface(name.clone())),
            DetectLocalMode::InterfaceNamePrefix(name) => by(DetectBy::Prefix(name.clone())),
        }
    }

    /// `pkg/proxy/util/nodeport_addresses.go`. iptables opens NodePorts at all addresses unless told otherwise, nftables
    /// at the node's own. Networks of the other family only are as good as none, from 1.20 on.
    pub fn node_ports(&self, family: IpFamily) -> NodePorts {
        let given = &self.config.node_port_addresses;
        let primary = given.iter().any(|a| a.value.is_none())
            || given.is_empty() && self.mode == ProxyMode::Nftables;
        let nets: Vec<IpNetwork> = match primary {
            true => self
                .node
                .host_ip(family)
                .map(|ip| ip.value.into())
                .into_iter()
                .collect(),
            false => given
                .iter()
                .filter_map(|a| a.value)
                .filter(|net| IpFamily::of_net(*net) == family)
                .collect(),
        };
        let everything = |net: &IpNetwork| net.prefix() == 0;
        let none = match self.dialect().family_blind {
            true => {
                given.is_empty() || given.iter().filter_map(|a| a.value).any(|n| everything(&n))
            }
            false => nets.is_empty(),
        };
        if none || nets.iter().any(everything) {
            return NodePorts::All;
        }
        let selected = |ip: &&IpAddr| nets.iter().any(|net| net.contains(**ip));
        let mut addresses: Vec<IpAddr> = self
            .host
            .addresses
            .iter()
            .filter(selected)
            .copied()
            .collect();
        addresses.sort_by_cached_key(|ip| ip.to_string());
        addresses.dedup();
        NodePorts::Only(addresses)
    }

    /// Whether NodePorts answer at 127.0.0.1: only IPv4 can, if it may, and if it is among the addresses.
    pub(super) fn localhost_node_ports(&self, family: IpFamily) -> bool {
        let loopback = |net: IpNetwork| {
            net.ip().is_loopback() || net.contains(Ipv4Addr::new(127, 0, 0, 0).into())
        };
        let nets = self
            .config
            .node_port_addresses
            .iter()
            .map(|a| match a.value {
                Some(net) => net,
                None => self.node_ip(family).into(),
            });
        let mut nets = nets
            .filter(|net| IpFamily::of_net(*net) == family)
            .peekable();
        family == IpFamily::V4
            && self.config.localhost_node_ports.value
            && (nets.peek().is_none() || nets.any(loopback))
    }
}

fn by_cidr(cidr: &Spanned<IpNetwork>) -> LocalDetector {
    LocalDetector {
        by: DetectBy::Cidr(cidr.value),
        span: cidr.span,
    }
}
