//! The same host with IPv6.

use crate::*;

/// The same host with IPv6: `eth0` 2001:db8:a::17, `eth1` 2001:db8:b::5 and the default route by eth0.
fn world6(more_routes: &str) -> World {
    let mut world = world("", "", "");
    let host = &mut world.hosts[0];
    for (name, addr, near) in [
        ("eth0", "2001:db8:a::17", "fe80::1:1"),
        ("eth1", "2001:db8:b::5", "fe80::1:2"),
    ] {
        let iface = host.interfaces.iter_mut().find(|i| i.name == name.into());
        let addrs = [addr, near].map(|a| IfaceAddr::new(a.parse().unwrap(), 64));
        iface.unwrap().addrs.extend(addrs);
    }
    let routes = format!(
        "default via 2001:db8:a::fe dev eth0\n2001:db8:a::/64 dev eth0\n2001:db8:b::/64 dev eth1\n{more_routes}"
    );
    host.routes = route::read::routes(&routes, FileId(0)).0.into();
    host.sysctls.set("net.ipv6.conf.all.forwarding", "1");
    world
}

#[test]
fn a_router_of_ipv6_tells_a_neighbour_of_the_shorter_way_six_times_in_a_row() {
    let redirects = |src: &str, dst: &str| {
        let world = world6("2001:db8:c::/64 via fe80::9 dev eth0\n");
        let mut sim = Sim::new(&world, 1);
        let sent = (0..8).flat_map(|n| {
            let ask = Transport::Udp {
                sport: 4000 + n,
                dport: 53,
            };
            inject(&mut sim, "eth0", packet(src, dst, ask))
        });
        let told = format!("eth0 fe80::1:1 > {src}");
        sent.filter(|line| *line == told).count()
    };
    assert_eq!(redirects("2001:db8:a::18", "2001:db8:a::19"), 6);
    assert_eq!(redirects("2001:db8:a::18", "2001:db8:c::9"), 6);
    // The gateway is no address of the link, or the sender no neighbour.
    assert_eq!(redirects("2001:db8:a::18", "2001:db8:9::9"), 0);
    assert_eq!(redirects("2001:db8:9::9", "2001:db8:a::19"), 0);
}

#[test]
fn an_icmpv6_error_comes_from_the_interface_that_heard_the_packet() {
    let told = |more: &str| {
        let world = world6(more);
        let ask = Transport::Udp {
            sport: 4000,
            dport: 53,
        };
        let mut late = packet("2001:db8:9::9", "2001:db8:a::19", ask);
        late.ttl = 1;
        inject(&mut Sim::new(&world, 1), "eth1", late)
    };
    assert_eq!(told(""), ["eth0 2001:db8:b::5 > 2001:db8:9::9"]);
    assert_eq!(
        told("2001:db8:9::/64 via 2001:db8:a::fe dev eth0 src 2001:db8:a::17\n"),
        ["eth0 2001:db8:a::17 > 2001:db8:9::9"]
    );
}

#[test]
fn a_host_answers_for_what_its_routes_call_local() {
    let world = world6("local 2001:db8:f::2 dev lo table local\n");
    let echo = Transport::Icmp(northsouth::net::Icmp {
        kind: 128,
        code: 0,
        id: 7,
        gateway: None,
        target: None,
        about: None,
    });
    let ask = packet("2001:db8:9::9", "2001:db8:f::2", echo);
    assert_eq!(
        inject(&mut Sim::new(&world, 1), "eth0", ask),
        ["eth0 2001:db8:f::2 > 2001:db8:9::9"]
    );
}
