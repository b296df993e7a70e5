//! Who is on the map: the world's machines in the order in which a request meets them.

use std::net::{IpAddr, SocketAddr};

use northsouth::net::IpFamily;
use northsouth::topology::{Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, World};

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
        .map(|(at, h)| (HostId::at(at), h))
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

/// The addresses that a machine is known by, one a family, that of the walk first.
pub fn addresses(host: &Host, family: IpFamily) -> String {
    let other = match family {
        IpFamily::V4 => IpFamily::V6,
        IpFamily::V6 => IpFamily::V4,
    };
    let all: Vec<String> = [family, other]
        .into_iter()
        .filter_map(|family| known_by(host, family))
        .collect();
    all.join(" · ")
}

/// The address that a machine is known by, of the walk's family if it has one.
pub fn address(host: &Host, family: IpFamily) -> Option<String> {
    let others = || IpFamily::ALL.into_iter().find_map(|f| known_by(host, f));
    known_by(host, family).or_else(others)
}

fn known_by(host: &Host, family: IpFamily) -> Option<String> {
    let mut listeners = host.balancer.iter().flat_map(|b| &b.listeners);
    if let Some(listener) = listeners.find(|l| IpFamily::of(l.addr) == family) {
        return Some(SocketAddr::new(listener.addr, listener.port).to_string());
    }
    let of = |bridges: bool| {
        let kind = move |i: &&Interface| !i.is_loopback() && i.is_bridge() == bridges;
        let mut ifaces = host.interfaces.iter().filter(kind);
        ifaces.find_map(|i| address_of(i, family))
    };
    let found = of(false).or_else(|| of(true));
    found.map(|a| a.addr.to_string())
}

/// An interface's first address of a family, of those that others than its neighbours can use.
pub fn address_of(iface: &Interface, family: IpFamily) -> Option<&IfaceAddr> {
    let near = |addr: IpAddr| matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local());
    let mut addrs = iface.addrs.iter();
    addrs.find(|a| IpFamily::of(a.addr) == family && !near(a.addr))
}

/// The same, of the other family where it has none of this one.
pub fn some_address_of(iface: &Interface, family: IpFamily) -> Option<&IfaceAddr> {
    address_of(iface, family).or_else(|| iface.addrs.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use northsouth::workspace::{Scenario, run};

    #[test]
    fn a_machine_is_known_by_its_address_of_the_walk() {
        let scenario = Scenario::find("dual-stack").unwrap();
        let world = run(&scenario.workspace().unwrap()).world;
        let known = |name: &str, family| {
            let host = world.host(world.find(name).unwrap()).unwrap();
            address(host, family).unwrap()
        };
        assert_eq!(known("client", IpFamily::V4), "203.0.113.9");
        assert_eq!(known("client", IpFamily::V6), "2001:db8:9::9");
        assert_eq!(known("slb", IpFamily::V4), "182.92.251.227:80");
        assert_eq!(known("slb", IpFamily::V6), "[2001:db8:51::50]:80");
        let pod = world.host(world.find("web-a").unwrap()).unwrap();
        let both = "fd00:20:0:1::9d · 172.20.1.157";
        assert_eq!(addresses(pod, IpFamily::V6), both);
    }
}
