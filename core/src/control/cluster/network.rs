use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::devices::{Device, Kind};
use super::facts::{Facts, Facts6, has_network, link_local_route, mac_of, on_link};
use super::node::proxier;
use super::portmap;
use crate::control::api_server::draw;
use crate::control::kube_proxy::{HostFacts, ServicePort, View};
use crate::manifest::{IpFamily, Manifests, Node, Plugin, Pod, PodRoutes, ProxyMode, Spanned};
use crate::net::Mac;
use crate::text::Span;

/// What the plugin and its backend make of a node's network.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeNetwork {
    /// Without `lo`.
    pub devices: Vec<Device>,
    pub routes: Vec<(String, Vec<Span>)>,
    pub neighbours: Vec<(String, Vec<Span>)>,
    pub sysctls: Vec<String>,
}

/// The bridge of CNI's `bridge` plugin, and flannel's VXLAN device.
pub(super) const BRIDGE: &str = "cni0";
const VXLAN: &str = "flannel.1";
/// Where Calico's Pods believe their gateway is.
pub(super) const LINK_LOCAL_GATEWAY: &str = "169.254.1.1";
/// A Pod's own device.
pub(super) const POD_DEVICE: usize = 3;

/// The Pods of a node, in the order of their devices.
pub(super) fn pods_on<'a>(objects: &'a Manifests, node: &Node) -> impl Iterator<Item = &'a Pod> {
    let name = node.meta.name.clone();
    objects.pods.iter().filter(move |pod| {
        has_network(pod) && pod.spec.node_name.as_ref().is_some_and(|n| n.value == name)
    })
}

/// The name of the node's end of a Pod's veth.
pub(super) fn veth(pod: &Pod, plugin: Plugin) -> String {
    let prefix = match plugin {
        Plugin::Bridge => "veth",
        Plugin::Routed => "cali",
    };
    format!("{prefix}{:08x}", draw(&pod.meta.full_name(), u32::MAX))
}

/// The first address of a node's Pods, which the bridge has.
pub(super) fn gateway(net: IpNetwork) -> IpAddr {
    net.iter().nth(1).unwrap_or(net.network())
}

/// Whether a node is told of others by `ip neigh`, which flannel does for VXLAN.
pub(super) fn has_neighbours(objects: &Manifests, facts: &Facts, node: &Node) -> bool {
    let mut others = objects
        .nodes
        .iter()
        .filter(|n| n.meta.name != node.meta.name);
    facts.env.routes.value == PodRoutes::Vxlan
        && node.silent.is_none()
        && others.any(|n| n.ip(IpFamily::V4).is_some() && n.pod_cidr(IpFamily::V4).is_some())
}

impl NodeNetwork {
    pub fn new(objects: &Manifests, facts: &Facts, node: &Node) -> Self {
        let mut own = Self::default();
        own.card(facts, node);
        if facts.env.routes.value == PodRoutes::Vxlan {
            own.vxlan(facts, node);
        }
        own.pods(objects, facts, node);
        own.other_nodes(objects, facts, node);
        if let (Some(v6), Some(ip)) = (facts.v6, node.ip(IpFamily::V6)) {
            own.ipv6(objects, facts, (node, *ip), v6);
        }
        if facts.proxy.mode.is_some_and(|m| m.value == ProxyMode::Ipvs) {
            own.ipvs(objects, facts, node);
        }
        if let Some(span) = node.silent {
            own.switch_off(span);
        }
        own
    }

    /// kube-proxy's device of IPVS mode, with the addresses of all Services that it serves, each once (Kubernetes
    /// `pkg/proxy/ipvs/proxier.go`).
    fn ipvs(&mut self, objects: &Manifests, facts: &Facts, node: &Node) {
        let none = HostFacts::new(Vec::new());
        let mut addrs = BTreeSet::new();
        for family in facts.families(node) {
            let proxier = proxier(facts, node, &none);
            let view = View::new(&objects.services, &[], proxier, family);
            addrs.extend(view.ports.iter().flat_map(ServicePort::addresses));
        }
        let addrs = addrs
            .into_iter()
            .map(|ip| (ip, IpFamily::of(ip).bits()))
            .collect();
        let (mac, span) = (Mac([0x02, 0, 0, 0, 0, 0xfe]), node.meta.name_span);
        let device = self.add("kube-ipvs0", Kind::Card, mac, span);
        (device.addrs, device.up) = (addrs, false);
    }

    /// Of a node that is heard of no more, nothing answers.
    fn switch_off(&mut self, span: Span) {
        for device in &mut self.devices {
            (device.up, device.span) = (false, span);
        }
        self.routes.clear();
        self.neighbours.clear();
    }

    fn add(&mut self, name: impl Into<String>, kind: Kind, mac: Mac, span: Span) -> &mut Device {
        let at = self.devices.len();
        self.devices.push(Device {
            index: at + 2,
            name: name.into(),
            kind,
            mac,
            mtu: 1500,
            addrs: Vec::new(),
            master: None,
            up: true,
            span,
        });
        &mut self.devices[at]
    }

    fn route(&mut self, text: String, sources: &[Span]) {
        self.routes.push((text, sources.to_vec()));
    }

    fn card(&mut self, facts: &Facts, node: &Node) {
        let Some(ip) = node.ip(IpFamily::V4).copied() else {
            return;
        };
        let name = facts.env.interface.value.clone();
        let mac = match ip.value {
            IpAddr::V4(ip) => {
                let [_, b, c, d] = ip.octets();
                Mac([0x00, 0x16, 0x3e, b, c, d])
            }
            IpAddr::V6(_) => mac_of(ip.value),
        };
        let length = facts.nodes.prefix();
        let card = self.add(&*name, Kind::Card, mac, ip.span);
        card.addrs.push((ip.value, length));
        let sources = [ip.span, facts.env.span];
        self.route(format!("default via {} dev {name}", facts.router), &sources);
        let net = facts.nodes;
        let (base, own) = (net.network(), ip.value);
        self.route(
            format!("{base}/{length} dev {name} proto kernel scope link src {own}"),
            &sources,
        );
    }

    /// flannel's device: the network's own address, and a hardware address that every other node is told.
    fn vxlan(&mut self, facts: &Facts, node: &Node) {
        let (Some(ip), Some(net)) = (node.ip(IpFamily::V4), node.pod_cidr(IpFamily::V4)) else {
            return;
        };
        let kind = Kind::Vxlan { local: ip.value };
        let span = facts.env.routes.span;
        let (base, mtu) = (net.value.network(), facts.pod_mtu());
        let device = self.add(VXLAN, kind, vtep_mac(base), span);
        device.mtu = mtu;
        device.addrs.push((base, 32));
    }

    fn pods(&mut self, objects: &Manifests, facts: &Facts, node: &Node) {
        let plugin = facts.env.plugin.value;
        let cidr = node.pod_cidr(IpFamily::V4).copied();
        let mtu = facts.pod_mtu();
        if let Some(cidr) = cidr {
            let net = cidr.value;
            let sources = [cidr.span, facts.env.plugin.span];
            let (base, length, ip) = (net.network(), net.prefix(), gateway(net));
            match plugin {
                Plugin::Bridge => {
                    let bridge = self.add(BRIDGE, Kind::Bridge, mac_of(ip), cidr.span);
                    bridge.mtu = mtu;
                    bridge.addrs.push((ip, length));
                    self.route(
                        format!("{base}/{length} dev {BRIDGE} proto kernel scope link src {ip}"),
                        &sources,
                    );
                }
                Plugin::Routed => {
                    self.route(format!("blackhole {base}/{length} proto 80"), &sources)
                }
            }
        }
        for (namespace, pod) in pods_on(objects, node).enumerate() {
            let name = veth(pod, plugin);
            let kind = Kind::Veth {
                peer: POD_DEVICE,
                namespace,
            };
            let [a, b, c, d] = draw(&pod.meta.full_name(), u32::MAX).to_be_bytes();
            let mac = match plugin {
                Plugin::Bridge => Mac([0xbe, 0x00, a, b, c, d]),
                Plugin::Routed => Mac([0xee; 6]),
            };
            let device = self.add(&*name, kind, mac, pod.meta.span);
            device.mtu = mtu;
            match plugin {
                Plugin::Bridge => device.master = Some(BRIDGE),
                Plugin::Routed => {
                    let v4 = pod.ips.iter().find(|ip| ip.value.is_ipv4());
                    if let Some(ip) = v4 {
                        let sources = [ip.span, facts.env.plugin.span];
                        self.route(format!("{} dev {name} scope link", ip.value), &sources);
                    }
                    self.sysctls
                        .push(format!("net.ipv4.conf.{name}.proxy_arp = 1"));
                }
            }
            // portmap's, so that 127.0.0.1 reaches a hostPort.
            if portmap::mapped(pod).next().is_some() {
                let towards = if plugin == Plugin::Bridge {
                    BRIDGE
                } else {
                    &name
                };
                let line = format!("net.ipv4.conf.{towards}.route_localnet = 1");
                if !self.sysctls.contains(&line) {
                    self.sysctls.push(line);
                }
            }
        }
    }

    /// How packets find the Pods of the other nodes.
    fn other_nodes(&mut self, objects: &Manifests, facts: &Facts, node: &Node) {
        let name = facts.env.interface.value.clone();
        for other in objects
            .nodes
            .iter()
            .filter(|n| n.meta.name != node.meta.name)
        {
            let (Some(ip), Some(net)) = (other.ip(IpFamily::V4), other.pod_cidr(IpFamily::V4))
            else {
                continue;
            };
            let sources = [net.span, ip.span, facts.env.routes.span];
            let (cidr, base) = (net.value, net.value.network());
            match facts.env.routes.value {
                PodRoutes::Vpc => {}
                PodRoutes::HostGw => {
                    self.route(format!("{cidr} via {} dev {name}", ip.value), &sources);
                }
                PodRoutes::Vxlan => {
                    self.route(format!("{cidr} via {base} dev {VXLAN} onlink"), &sources);
                    let mac = vtep_mac(base);
                    let line = format!("{base} dev {VXLAN} lladdr {mac} PERMANENT");
                    self.neighbours.push((line, sources.to_vec()));
                }
            }
        }
    }

    /// The same of IPv6. Packets to Pods of other nodes find their way as those of IPv4 do, but for VXLAN, where flannel has a
    /// second device that is not modelled.
    fn ipv6(
        &mut self,
        objects: &Manifests,
        facts: &Facts,
        (node, ip): (&Node, Spanned<IpAddr>),
        v6: Facts6,
    ) {
        let plugin = facts.env.plugin;
        let name = facts.env.interface.value.clone();
        let sources = [ip.span, facts.env.span];
        self.address6(&name, &[(ip.value, v6.nodes.prefix())]);
        self.route(on_link(v6.nodes.into(), &name), &sources);
        self.route(link_local_route(&name), &sources);
        let router = v6.router;
        self.route(
            format!("default via {router} dev {name} metric 1024 pref medium"),
            &sources,
        );
        let own = node.pod_cidr(IpFamily::V6).copied();
        if let Some(cidr) = own {
            let sources = [cidr.span, plugin.span];
            match plugin.value {
                Plugin::Bridge => {
                    let first = gateway(cidr.value);
                    self.address6(BRIDGE, &[(first, cidr.value.prefix())]);
                    self.route(on_link(cidr.value, BRIDGE), &sources);
                    self.route(link_local_route(BRIDGE), &sources);
                }
                Plugin::Routed => {
                    let line = format!(
                        "blackhole {} dev lo proto 80 metric 1024 pref medium",
                        cidr.value
                    );
                    self.route(line, &sources);
                }
            }
        }
        for pod in pods_on(objects, node).filter(|_| plugin.value == Plugin::Routed) {
            if let Some(ip) = pod.ips.iter().find(|ip| ip.value.is_ipv6()) {
                let veth = veth(pod, plugin.value);
                let sources = [ip.span, plugin.span];
                self.address6(&veth, &[]);
                let line = format!("{} dev {veth} metric 1024 pref medium", ip.value);
                self.route(line, &sources);
                self.route(link_local_route(&veth), &sources);
            }
        }
        let others = objects.nodes.iter();
        for other in others.filter(|n| n.meta.name != node.meta.name) {
            let (Some(ip), Some(net)) = (other.ip(IpFamily::V6), other.pod_cidr(IpFamily::V6))
            else {
                continue;
            };
            if facts.env.routes.value == PodRoutes::HostGw {
                let sources = [net.span, ip.span, facts.env.routes.span];
                let (net, ip) = (net.value, ip.value);
                let line = format!("{net} via {ip} dev {name} metric 1024 pref medium");
                self.route(line, &sources);
            }
        }
    }

    /// Gives a device addresses of IPv6, and the one that each has of its own.
    fn address6(&mut self, name: &str, addrs: &[(IpAddr, u8)]) {
        if let Some(device) = self.devices.iter_mut().find(|d| d.name == name) {
            device.addrs.extend_from_slice(addrs);
            device.addrs.push((device.mac.link_local().into(), 64));
        }
    }
}

fn vtep_mac(base: IpAddr) -> Mac {
    let Mac([_, _, a, b, c, d]) = mac_of(base);
    Mac([0x02, 0x00, a, b, c, d])
}
