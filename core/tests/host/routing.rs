//! The way that packets take through the host.

use crate::*;

#[test]
fn an_answer_to_127_0_0_1_is_no_answer_to_arp() {
    let nat = format!(
        "{NAT}-A PREROUTING -d 127.0.0.1/32 -j DNAT --to-destination 203.0.113.9\nCOMMIT\n"
    );
    let mut world = world(&nat, "", "");
    let echo = |kind| {
        Transport::Icmp(northsouth::net::Icmp {
            kind,
            code: 0,
            id: 7,
            gateway: None,
            target: None,
            about: None,
        })
    };
    let answer = |world: &World| {
        let mut sim = Sim::new(world, 1);
        inject(&mut sim, "eth1", packet("10.10.0.9", "127.0.0.1", echo(8)));
        // Its source becomes 127.0.0.1 again, with which the host asks for 10.10.0.9.
        inject(
            &mut sim,
            "eth0",
            packet("203.0.113.9", "10.10.0.9", echo(0)),
        )
    };
    assert!(answer(&world).is_empty());
    world.hosts[0]
        .sysctls
        .set("net.ipv4.conf.eth1.route_localnet", "1");
    assert_eq!(answer(&world), ["eth1 127.0.0.1 > 10.10.0.9"]);
}

#[test]
fn rules_of_a_tos_leave_out_the_upper_bits() {
    let world = world(
        "",
        "100:\tfrom all tos 0x10 lookup 100\n",
        "default via 10.10.0.1 dev eth1 table 100\n",
    );
    let way = |tos| {
        let mut asks = packet("10.10.0.9", "198.51.100.7", tcp(4000, 80, TcpFlags::SYN));
        asks.tos = tos;
        inject(&mut Sim::new(&world, 1), "eth1", asks)
    };
    assert_eq!(way(0x10), ["eth1 10.10.0.9 > 198.51.100.7"]);
    assert_eq!(way(0xd0), ["eth1 10.10.0.9 > 198.51.100.7"]);
    assert_eq!(way(0xd8), ["eth0 10.10.0.9 > 198.51.100.7"]);
}

#[test]
fn who_writes_the_ip_header_is_routed_without_ports() {
    let world = world("", "100:\tfrom all dport 80 unreachable\n", "");
    let sent = |own_header| {
        let options = SendOptions {
            own_header,
            ..SendOptions::default()
        };
        let mut sim = Sim::new(&world, 1);
        let syn = packet("192.168.0.17", "203.0.113.9", tcp(4000, 80, TcpFlags::SYN));
        sim.send_raw(NODE, syn, &options);
        let steps = sim.journeys()[0].hops.iter().flat_map(|h| &h.steps);
        let left = |a: &Action| matches!(a, Action::Left(_));
        steps.into_iter().any(|s| left(&s.action))
    };
    assert_eq!((sent(true), sent(false)), (true, false));
}
