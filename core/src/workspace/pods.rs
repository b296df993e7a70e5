//! Pods: on which node, behind which veth.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::build::{Builder, MACHINE, pod_name};
use super::kind::Place;
use super::machine::{by_gateway, connected, everywhere, machine, onlink};
use super::texts::{HostTexts, Texts};
use crate::manifest::table::PodRow;
use crate::net::{IfaceName, Mac, Masked};
use crate::route::{Route, RouteKind};
use crate::say;
use crate::text::{Diagnostic, Pace, Span};
use crate::topology::{Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, Neighbour};

/// What `ip addr` tells of an interface's other end.
#[derive(Clone, Debug)]
pub(super) struct Indices {
    iface: IfaceName,
    own: Option<u32>,
    peer: Option<u32>,
    /// Of a pair whose ends are both on this host, the other one.
    twin: Option<Arc<str>>,
    span: Span,
}

/// The veth pairs that have both ends on one host, each told once: `v1@v2` and `v2@v1`.
pub(super) fn twins(all: &[Indices]) -> Vec<(IfaceName, IfaceName)> {
    let named = |i: &Indices, name: &IfaceName| i.twin.as_deref() == Some(name.as_str());
    let other = |i: &Indices| {
        let twin = all
            .iter()
            .find(|j| named(i, &j.iface) && named(j, &i.iface))?;
        (i.iface < twin.iface).then(|| (i.iface.clone(), twin.iface.clone()))
    };
    all.iter().filter_map(other).collect()
}

/// Of every host, its interfaces' indices and those of their other ends.
pub(super) fn indices(texts: &Texts) -> BTreeMap<Place, Vec<Indices>> {
    let of = |host: &HostTexts| {
        host.devices
            .iter()
            .flatten()
            .map(|d| Indices {
                iface: (&*d.name.text).into(),
                own: d.index,
                peer: d.peer_index,
                twin: d.below.as_ref().map(|b| b.text.clone()),
                span: d.name.span,
            })
            .collect()
    };
    texts
        .hosts
        .iter()
        .map(|(place, host)| (place.clone(), of(host)))
        .collect()
}

pub(super) struct Pods<'a> {
    pub builder: &'a mut Builder,
    pub texts: &'a Texts,
    pub nodes: &'a [HostId],
    pub indices: BTreeMap<Place, Vec<Indices>>,
}

impl Pods<'_> {
    /// Adds every pod of kubectl's table, with its own texts where there are some.
    pub async fn place(mut self, mut own: BTreeMap<Place, HostTexts>, pace: &Pace) {
        let mut placed = Vec::new();
        for row in &self.texts.pods {
            pace.went(MACHINE).await;
            let namespace = row.namespace.as_ref().map(|n| &*n.text);
            let name = pod_name(namespace, &row.name.text);
            let place = Place::Pod(name.to_string());
            let texts = own.remove(&place);
            let Some(addr) = row.ip else {
                let said = say!("texts/pod-without-address", pod = name);
                self.say(Diagnostic::note(row.span, said));
                continue;
            };
            let Some(node) = self.node_of(row) else {
                continue;
            };
            // On its node's own network.
            if self
                .builder
                .host(node)
                .is_some_and(|h| h.owner_of(addr.0).is_some())
            {
                continue;
            }
            let mut host = Host::new(&name, HostKind::Pod);
            host.node = self.builder.host(node).map(|h| h.name.clone());
            let told = texts.is_some();
            let mut host = machine(
                host,
                texts.unwrap_or_default(),
                &mut self.builder.diagnostics,
            );
            self.address(&mut host, addr, node, told);
            let id = self.builder.add(host);
            placed.push((id, place, node, row));
        }
        for (place, texts) in own {
            let said = say!("texts/pod-not-listed", pod = place.name());
            self.say(Diagnostic::warning(texts.span, said));
        }
        // Those whose other end is told come first, the others take what is left.
        let mut untold = Vec::new();
        for (id, place, node, row) in placed {
            pace.went(MACHINE).await;
            match self.told_port(id, &place, node) {
                Some(port) => self.join(id, node, &port),
                None => untold.push((id, place, node, row)),
            }
        }
        for (id, place, node, row) in untold {
            self.choose_port(id, &place, node, row);
        }
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.builder.diagnostics.push(diagnostic);
    }

    /// The host that kubectl's NODE names: by its own name, or by the address that `kubectl get nodes` gives.
    fn node_of(&mut self, row: &PodRow) -> Option<HostId> {
        let Some(node) = &row.node else {
            let said = say!("texts/pod-without-node", pod = row.name.text);
            self.say(Diagnostic::warning(row.span, said));
            return None;
        };
        let listed = self.texts.nodes.iter().find(|n| n.name.text == node.text);
        let addr = listed.and_then(|n| n.internal_ip).map(|(addr, _)| addr);
        let of = |is: &dyn Fn(&Host) -> bool| {
            let mut nodes = self.nodes.iter().copied();
            nodes.find(|id| self.builder.host(*id).is_some_and(is))
        };
        let named = of(&|host| *host.name == *node.text);
        let found = named.or_else(|| of(&|host| addr.is_some_and(|a| host.owner_of(a).is_some())));
        if found.is_none() {
            let said = say!("texts/node-unknown", node = node.text, pod = row.name.text);
            self.say(Diagnostic::warning(node.span, said).help(say!("texts/node-unknown-help")));
        }
        found
    }

    /// Gives a pod without texts what a bridge CNI would; else compares.
    fn address(&mut self, host: &mut Host, addr: (IpAddr, Span), node: HostId, told: bool) {
        if host.owner_of(addr.0).is_some() {
            return;
        }
        if told
            && host
                .interfaces
                .iter()
                .any(|i| !i.is_loopback() && !i.addrs.is_empty())
        {
            let said = say!("texts/pod-other-address", pod = host.name, addr = addr.0);
            let mut said = Diagnostic::warning(addr.1, said);
            let own = host.interfaces.iter().filter(|i| !i.is_loopback());
            if let Some(span) = own.flat_map(|i| &i.addrs).find_map(|a| a.span) {
                said = said.label(span, say!("texts/said-here"));
            }
            self.say(said);
            return;
        }
        let gateway = self.gateway(node, addr.0);
        let length = gateway.as_ref().map_or(32, |g| g.length);
        let own = IfaceAddr {
            span: Some(addr.1),
            ..IfaceAddr::new(addr.0, length)
        };
        match host.interfaces.iter_mut().find(|i| !i.is_loopback()) {
            Some(iface) => iface.addrs.push(own),
            None => {
                let mut iface = Interface::new("eth0", IfaceKind::Device);
                iface.span = Some(addr.1);
                iface.addrs.push(own);
                host.interfaces.push(iface);
            }
        }
        let routed = self.routed_port(node, addr.0).filter(|_| gateway.is_none());
        if let Some(port) = routed.filter(|_| host.routes.is_empty()) {
            route_by(host, &port);
        }
        if host.routes.is_empty() {
            let mut routes = connected(host);
            let dev = host.interfaces.iter().find(|i| !i.is_loopback());
            if let (Some(gateway), Some(dev)) = (gateway, dev) {
                let route = by_gateway(
                    everywhere(gateway.addr),
                    gateway.addr,
                    dev.name.as_str(),
                    Some(addr.1),
                );
                routes.push(route);
            }
            host.routes = routes.into();
        }
        if !told {
            let said = say!("texts/pod-derived", pod = host.name);
            self.say(Diagnostic::note(addr.1, said));
        }
    }

    /// The node's interface that a route to a pod alone names, as Calico, the clouds' own networks and kindnet set it.
    fn routed_port(&self, node: HostId, pod: IpAddr) -> Option<Interface> {
        let host = self.builder.host(node)?;
        let mut routes = host.routes.iter();
        let alone = |r: &&Route| r.dst == Masked::host(pod) && r.kind == RouteKind::Unicast;
        let hop = routes.find(alone)?.hops.first()?;
        let dev = hop.dev.as_ref().filter(|_| hop.gateway.is_none())?;
        host.interface(dev.as_str())
            .filter(|i| i.master.is_none())
            .cloned()
    }

    /// The address of the node's bridge whose subnet a pod is in.
    fn gateway(&self, node: HostId, pod: IpAddr) -> Option<IfaceAddr> {
        let host = self.builder.host(node)?;
        host.interfaces
            .iter()
            .filter(|i| i.is_bridge())
            .flat_map(|i| &i.addrs)
            .find(|a| a.subnet().is_some_and(|net| net.contains(pod)))
            .cloned()
    }

    /// The node's end of a pod's veth as `eth0@if7` names it.
    fn told_port(&mut self, pod: HostId, place: &Place, node: HostId) -> Option<IfaceName> {
        let eth0 = self.uplink(pod)?;
        let own = self
            .indices
            .get(place)?
            .iter()
            .find(|i| i.iface == eth0)?
            .clone();
        let peer = own.peer?;
        let host = self.builder.host(node)?;
        let there = self.indices.get(&Place::Node(host.name.to_string()))?;
        let found = there.iter().find(|i| i.own == Some(peer)).cloned();
        let agrees = |i: &Indices| i.peer.is_none() || own.own.is_none() || i.peer == own.own;
        match found {
            Some(i) if agrees(&i) && self.free(node, &i.iface) => Some(i.iface),
            Some(i) => {
                let said = say!(
                    "texts/veth-disagrees",
                    pod = place.name(),
                    veth = i.iface,
                    index = peer
                );
                self.say(
                    Diagnostic::warning(own.span, said).label(i.span, say!("texts/said-here")),
                );
                None
            }
            None => {
                let (node, pod) = (host.name.clone(), place.name());
                let said = say!("texts/no-such-index", pod = pod, node = node, index = peer);
                self.say(Diagnostic::warning(own.span, said));
                None
            }
        }
    }

    /// Nobody told: the first port of the bridge of the pod's subnet that nobody else has.
    fn choose_port(&mut self, pod: HostId, place: &Place, node: HostId, row: &PodRow) {
        let Some(addr) = row.ip else { return };
        let Some(host) = self.builder.host(node) else {
            return;
        };
        if let Some(port) = self.routed_port(node, addr.0)
            && self.free(node, &port.name)
        {
            return self.join(pod, node, &port.name);
        }
        let on = |i: &&Interface| {
            i.addrs
                .iter()
                .any(|a| a.subnet().is_some_and(|net| net.contains(addr.0)))
        };
        let bridge = host.interfaces.iter().filter(|i| i.is_bridge()).find(on);
        let Some(bridge) = bridge.map(|b| b.name.clone()) else {
            let said = say!(
                "texts/pod-outside",
                pod = place.name(),
                addr = addr.0,
                node = host.name
            );
            self.say(Diagnostic::warning(addr.1, said));
            return;
        };
        let port = host
            .interfaces
            .iter()
            .filter(|i| i.master.as_ref() == Some(&bridge))
            .map(|i| i.name.clone())
            .find(|name| self.free(node, name));
        match port {
            Some(port) => {
                let said = say!("texts/veth-chosen", pod = place.name(), veth = port);
                self.say(Diagnostic::note(row.span, said));
                self.join(pod, node, &port);
            }
            None => {
                let said = say!("texts/no-veth", pod = place.name(), bridge = bridge);
                self.say(Diagnostic::warning(row.span, said));
            }
        }
    }

    fn free(&self, host: HostId, iface: &IfaceName) -> bool {
        !self.builder.is_joined(host, iface)
    }

    /// A pod's interface to the outside.
    fn uplink(&self, pod: HostId) -> Option<IfaceName> {
        let host = self.builder.host(pod)?;
        host.interfaces
            .iter()
            .find(|i| !i.is_loopback())
            .map(|i| i.name.clone())
    }

    fn join(&mut self, pod: HostId, node: HostId, port: &IfaceName) {
        if let Some(eth0) = self.uplink(pod) {
            self.builder
                .join((node, port.as_str()), (pod, eth0.as_str()));
        }
    }
}

/// Where Calico's and AWS' pods believe their gateway is.
const LINK_LOCAL_GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1));

/// A pod behind an interface of its node: it sends all that way, to the interface's own address, else to one that stands for
/// the interface.
fn route_by(pod: &mut Host, port: &Interface) {
    let Some(eth0) = pod.interfaces.iter().find(|i| !i.is_loopback()) else {
        return;
    };
    let Some(own) = eth0.addrs.iter().find(|a| a.addr.is_ipv4()).cloned() else {
        return;
    };
    let dev = eth0.name.clone();
    let mut addrs = port.addrs.iter().map(|a| a.addr);
    let gateway = addrs.find(IpAddr::is_ipv4).unwrap_or(LINK_LOCAL_GATEWAY);
    let to = onlink(Masked::host(gateway), &dev, &own);
    let by = by_gateway(everywhere(gateway), gateway, dev.as_str(), own.span);
    pod.routes = vec![to, by].into();
    if port.mac != Mac::default() {
        pod.neighbours.push(Neighbour {
            addr: gateway,
            dev,
            mac: port.mac,
            permanent: true,
            span: own.span,
        });
    }
}
