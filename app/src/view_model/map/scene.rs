//! Who is on the map: the world's machines in the order in which a request meets them.

use std::net::IpAddr;

use northsouth::topology::{Host, HostId, HostKind, IfaceKind, Interface, World};

/// The machines by where they are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Clients, load balancers, routers: the way to the nodes. And pods of no known node.
    pub way: Vec<HostId>,
    pub nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub host: HostId,
    pub pods: Vec<HostId>,
}

impl Scene {
    pub fn of(world: &World) -> Self {
        let mut scene = Scene::default();
        for kind in [HostKind::Client, HostKind::LoadBalancer, HostKind::Router] {
            scene.way.extend(of_kind(world, kind).map(|(id, _)| id));
        }
        for (id, node) in of_kind(world, HostKind::Node) {
            let here = |host: &Host| host.node.as_ref() == Some(&node.name);
            scene.nodes.push(Node {
                host: id,
                pods: of_kind(world, HostKind::Pod)
                    .filter(|(_, pod)| here(pod))
                    .map(|(id, _)| id)
                    .collect(),
            });
        }
        let homeless = of_kind(world, HostKind::Pod).map(|(id, _)| id);
        let homeless = homeless.filter(|pod| scene.node_of(*pod).is_none());
        let homeless: Vec<_> = homeless.collect();
        scene.way.extend(homeless);
        scene
    }

    /// The node that a machine is or runs on.
    pub fn node_of(&self, host: HostId) -> Option<usize> {
        self.nodes
            .iter()
            .position(|n| n.host == host || n.pods.contains(&host))
    }
}

fn of_kind(world: &World, kind: HostKind) -> impl Iterator<Item = (HostId, &Host)> {
    world
        .hosts
        .iter()
        .enumerate()
        .filter(move |(_, h)| h.kind == kind)
        .filter_map(|(at, h)| Some((HostId(u16::try_from(at).ok()?), h)))
}

/// The interfaces by which a host meets the world beside its bridges.
pub fn uplinks<'a>(world: &'a World, id: HostId, host: &'a Host) -> Vec<&'a Interface> {
    let all = || {
        host.interfaces.iter().filter(|i| {
            i.master.is_none() && matches!(i.kind, IfaceKind::Device | IfaceKind::Vxlan(_))
        })
    };
    let outward = |i: &&Interface| {
        let link = world.link_of(id, &i.name).map(|(_, link)| link);
        link.is_some_and(|link| {
            let ends = link.ends.iter().filter(|end| end.host != id);
            let mut others = ends.filter_map(|end| world.host(end.host));
            host.kind == HostKind::Pod || others.all(|h| h.kind != HostKind::Pod)
        })
    };
    all().filter(outward).collect()
}

/// The bridges that have ports.
pub fn bridges(host: &Host) -> Vec<&Interface> {
    host.interfaces
        .iter()
        .filter(|i| i.is_bridge())
        .filter(|b| ports(host, b) > 0)
        .collect()
}

pub fn ports(host: &Host, bridge: &Interface) -> usize {
    host.interfaces
        .iter()
        .filter(|i| i.master.as_ref() == Some(&bridge.name))
        .count()
}

/// The node's end of a pod's veth pair.
pub fn veth_of(world: &World, node: HostId, pod: HostId) -> Option<&Interface> {
    let ends = world
        .links
        .iter()
        .filter(|l| l.ends.iter().any(|e| e.host == pod))
        .flat_map(|l| &l.ends);
    let end = ends.into_iter().find(|e| e.host == node)?;
    world.host(node)?.interface(&end.iface.to_string())
}

/// The addresses that a machine is known by, one a family.
pub fn addresses(host: &Host) -> String {
    let first = address(host);
    let of = |i: &&Interface| !i.is_loopback() && !i.is_bridge();
    let addrs = host.interfaces.iter().filter(of).flat_map(|i| &i.addrs);
    let mut global = addrs.map(|a| a.addr).filter(|a| !is_link_local(*a));
    let v4 = first.as_ref().is_some_and(|a| !a.contains("::"));
    let other = global.find(|a| a.is_ipv6() == v4).map(|a| a.to_string());
    let all: Vec<String> = first.into_iter().chain(other).collect();
    all.join(" · ")
}

fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local())
}

/// The address that a machine is known by.
pub fn address(host: &Host) -> Option<String> {
    let listener = host.balancer.iter().flat_map(|b| &b.listeners).next();
    if let Some(listener) = listener {
        return Some(format!("{}:{}", listener.addr, listener.port));
    }
    let of = |bridges: bool| {
        let kind = move |i: &&Interface| !i.is_loopback() && i.is_bridge() == bridges;
        let addrs = host.interfaces.iter().filter(kind).flat_map(|i| &i.addrs);
        let mut addrs = addrs.map(|a| a.addr).filter(|a| !is_link_local(*a));
        addrs.next().map(|a| a.to_string())
    };
    of(false).or_else(|| of(true))
}
