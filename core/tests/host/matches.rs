//! Matches that ask for more than the packet.

use crate::*;

#[test]
fn on_the_way_on_fib_asks_for_the_way_back_from_where_the_packet_goes() {
    let mut world = world(
        "",
        "100:\tfrom all iif eth1 lookup 100\n",
        "default via 10.10.0.1 dev eth1 table 100\n",
    );
    let mut left = |hook| {
        let rules = format!(
            "table ip t {{\n chain c {{ type filter hook {hook} priority 0;\n fib saddr . iif oif missing drop\n }}\n}}\n"
        );
        world.hosts[0].nft = northsouth::netfilter::nft::read(&rules, FileId(0)).0.into();
        let syn = packet("203.0.113.9", "198.51.100.7", tcp(4000, 80, TcpFlags::SYN));
        inject(&mut Sim::new(&world, 1), "eth1", syn).len()
    };
    assert_eq!((left("prerouting"), left("forward")), (0, 1));
}

/// A rule of the table raw, in PREROUTING, that drops what it matches.
fn dropping(matches: &str) -> String {
    format!(
        "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING {matches} -j DROP\nCOMMIT\n"
    )
}

#[test]
fn the_way_back_is_asked_for_as_rpfilter_has_it() {
    let rules = "100:\tfrom all fwmark 0x1 lookup 100\n";
    let table = "default via 10.10.0.1 dev eth1 table 100\n";
    let passes = |matches: &str, iface: &str, src: &str| {
        let mark = format!(
            "{}-A PREROUTING -j MARK --set-mark 1\n-A PREROUTING {matches} -j DROP\nCOMMIT\n",
            MANGLE
        );
        let world = world(&mark, rules, table);
        let syn = packet(src, "192.168.0.17", tcp(4000, 80, TcpFlags::SYN));
        !inject(&mut Sim::new(&world, 1), iface, syn).is_empty()
    };
    let asked = |options: &str| {
        let matches = format!("-m rpfilter --invert{options}");
        [
            passes(&matches, "eth0", "203.0.113.9"),
            passes(&matches, "eth1", "203.0.113.9"),
            passes(&matches, "eth0", "10.10.0.9"),
        ]
    };
    assert_eq!(asked(""), [true, false, false]);
    assert_eq!(asked(" --loose"), [true, true, true]);
    // With the packet's mark all others are beyond eth1.
    assert_eq!(asked(" --validmark"), [false, true, false]);
    assert!(!passes("-m rpfilter", "eth0", "203.0.113.9"));
    let own = dropping("-m rpfilter --invert --accept-local");
    let mut world = world(&own, "", "");
    world.hosts[0]
        .sysctls
        .set("net.ipv4.conf.all.accept_local", "1");
    let syn = packet("192.168.0.17", "10.10.0.9", tcp(4000, 80, TcpFlags::SYN));
    assert_eq!(inject(&mut Sim::new(&world, 1), "eth0", syn).len(), 1);
}

#[test]
fn netfilter_finds_the_socket_that_sent_what_an_error_is_about() {
    let world = world(&dropping("-p icmp -m socket --nowildcard"), "", "");
    let mut sim = Sim::new(&world, 1);
    let asked = packet(
        "192.168.0.17",
        "203.0.113.9",
        Transport::Udp {
            sport: 4000,
            dport: 53,
        },
    );
    let error = |about: &Packet| {
        let transport = Transport::Icmp(northsouth::net::Icmp {
            kind: 3,
            code: 3,
            id: 0,
            gateway: None,
            target: None,
            about: Some(Box::new(about.clone())),
        });
        packet("203.0.113.9", "192.168.0.17", transport)
    };
    let dropped = |sim: &mut Sim, about: &Packet| {
        inject(sim, "eth0", error(about));
        let steps = sim.journeys().last().unwrap().hops.iter();
        steps
            .flat_map(|h| &h.steps)
            .any(|s| matches!(s.action, Action::Dropped(_)))
    };
    assert!(!dropped(&mut sim, &asked));
    sim.send_raw(NODE, asked.clone(), &SendOptions::default());
    assert!(dropped(&mut sim, &asked));
}

#[test]
fn what_is_the_hosts_own_has_no_way_out() {
    let mut world = world("", "", "");
    let rules = "table ip t {\n chain c { type filter hook prerouting priority 0;\n fib daddr oif missing drop\n }\n}\n";
    world.hosts[0].nft = northsouth::netfilter::nft::read(rules, FileId(0)).0.into();
    let to = |dst| {
        let syn = packet("203.0.113.9", dst, tcp(4000, 80, TcpFlags::SYN));
        inject(&mut Sim::new(&world, 1), "eth0", syn).len()
    };
    assert_eq!((to("192.168.0.17"), to("10.10.0.9")), (0, 1));
}

#[test]
fn a_quota_is_used_up_by_the_packet_that_does_not_fit() {
    let passes = |matches: &str, sizes: &[u16]| {
        let world = world(&dropping(matches), "", "");
        let mut sim = Sim::new(&world, 1);
        let sent = sizes.iter().map(|payload| {
            let mut syn = packet("10.10.0.9", "203.0.113.9", tcp(4000, 80, TcpFlags::SYN));
            syn.payload = *payload;
            !inject(&mut sim, "eth1", syn).is_empty()
        });
        sent.collect::<Vec<_>>()
    };
    // 40 bytes of headers each.
    let sizes = [0, 100, 0];
    assert_eq!(passes("-m quota --quota 100", &sizes), [false, true, true]);
    assert_eq!(
        passes("-m quota ! --quota 100", &sizes),
        [true, false, false]
    );
    assert_eq!(passes("-m policy --dir in --pol none", &[0]), [false]);
    assert_eq!(passes("-m policy --dir in --pol ipsec", &[0]), [true]);
}
