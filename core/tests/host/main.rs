//! One host and packets sent into it, where what it does depends on more than one part of it.

mod connections;
mod ipv6;
mod matches;
mod routing;
mod sockets;

use std::net::IpAddr;

use northsouth::net::{IpFamily, Mac, Packet, Protocol, TcpFlags, Transport};
use northsouth::netfilter::{SocketOwner, save};
use northsouth::route::{self, PolicyRule};
use northsouth::sim::{SendOptions, Sim};
use northsouth::text::{FileId, Lang};
use northsouth::topology::{
    Beyond, End, Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, Link, Service, Socket,
    World,
};
use northsouth::trace::{Action, tell};

const NODE: HostId = HostId(0);
/// To a port that nothing listens at.
const CLOSED: Transport = Transport::Udp {
    sport: 4000,
    dport: 9,
};

/// `eth0` 192.168.0.17/24 with the default route, `eth1` 10.10.0.5/24; everybody answers beyond.
fn world(iptables: &str, rules: &str, more_routes: &str) -> World {
    let mut host = Host::new("node", HostKind::Node);
    let mut links = Vec::new();
    for (at, (name, addr)) in [("eth0", "192.168.0.17"), ("eth1", "10.10.0.5")]
        .into_iter()
        .enumerate()
    {
        let mut iface = Interface::new(name, IfaceKind::Device);
        iface.mac = Mac([2, 1, 0, 0, 0, at as u8]);
        iface.addrs = vec![IfaceAddr::new(addr.parse().unwrap(), 24)];
        links.push(Link {
            ends: vec![End {
                host: NODE,
                iface: iface.name.clone(),
            }],
            beyond: Beyond::Everything { silent: Vec::new() },
        });
        host.interfaces.push(iface);
    }
    let routes = format!(
        "default via 192.168.0.253 dev eth0\n192.168.0.0/24 dev eth0 scope link\n10.10.0.0/24 dev eth1 scope link\n{more_routes}"
    );
    host.routes = route::read::routes(&routes, FileId(0)).0.into();
    let mut rules = route::read::rules(rules, FileId(0)).0;
    rules.extend(PolicyRule::defaults(IpFamily::V4));
    host.rules = Some(rules);
    host.sysctls.set("net.ipv4.ip_forward", "1");
    let (read, said) = save::read(iptables, FileId(0));
    assert!(said.is_empty(), "{said:?}");
    host.iptables = read.into();
    World {
        hosts: vec![host],
        links,
    }
}

fn packet(src: &str, dst: &str, transport: Transport) -> Packet {
    let addr = |text: &str| -> IpAddr { text.parse().unwrap() };
    Packet {
        src: addr(src),
        dst: addr(dst),
        ttl: 64,
        tos: 0,
        transport,
        payload: 0,
    }
}

fn tcp(sport: u16, dport: u16, flags: TcpFlags) -> Transport {
    Transport::Tcp {
        sport,
        dport,
        flags,
    }
}

/// What left by an interface: `IFACE SRC > DST`.
fn inject(sim: &mut Sim, iface: &str, packet: Packet) -> Vec<String> {
    let first = sim.journeys().len();
    let src_mac = Mac::made_of(packet.src);
    let to = if iface == "eth0" { 0 } else { 1 };
    let dst_mac = Mac([2, 1, 0, 0, 0, to]);
    sim.inject(NODE, &iface.into(), packet, src_mac, dst_mac);
    let now = sim.now;
    sim.run_until(now);
    let steps = sim.journeys()[first..]
        .iter()
        .flat_map(|j| &j.hops)
        .flat_map(|h| &h.steps);
    steps
        .filter_map(|step| match &step.action {
            Action::Left(egress) if egress.beyond => {
                let packet = &step.after.packet;
                Some(format!("{} {} > {}", egress.iface, packet.src, packet.dst))
            }
            _ => None,
        })
        .collect()
}

/// A program that listens on all of the host's IPv4 addresses.
fn listener(protocol: Protocol, port: u16, process: &str, service: Service) -> Socket {
    Socket {
        protocol,
        addr: IpAddr::from([0; 4]),
        port,
        transparent: false,
        process: process.into(),
        service,
        span: None,
    }
}

const MANGLE: &str = "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n";
const NAT: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n";
