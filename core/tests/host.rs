//! One host and packets sent into it, where what it does depends on more than one part of it.

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

#[test]
fn udp_lets_go_of_the_connection_before_it_tells_that_a_port_is_closed() {
    let world = world(
        "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctproto udp -j DROP\nCOMMIT\n",
        "",
        "",
    );
    let mut sim = Sim::new(&world, 1);
    let ask = Transport::Udp {
        sport: 4000,
        dport: 9,
    };
    let left = inject(&mut sim, "eth0", packet("203.0.113.9", "192.168.0.17", ask));
    assert_eq!(left, ["eth0 192.168.0.17 > 203.0.113.9"]);
}

#[test]
fn a_transparent_socket_refuses_in_the_name_of_whom_was_asked() {
    let mut world = world(
        "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j TPROXY --on-port 15006 --tproxy-mark 0x1/0x1\nCOMMIT\n",
        "100:\tfrom all fwmark 0x1 lookup 100\n",
        "local default dev lo table 100 scope host\n",
    );
    world.hosts[0].sockets.change(|all| {
        all.push(Socket {
            transparent: true,
            ..listener(Protocol::TCP, 15006, "envoy", Service::Silent)
        })
    });
    let mut sim = Sim::new(&world, 1);
    let stray = packet("203.0.113.9", "172.21.0.10", tcp(4000, 80, TcpFlags::ACK));
    let left = inject(&mut sim, "eth0", stray);
    assert_eq!(left, ["eth0 172.21.0.10 > 203.0.113.9"]);
    // The RST ends what the ACK had begun.
    let table = sim.conntrack(NODE).unwrap();
    assert_eq!(table.listed(0).count(), 0);
}

#[test]
fn a_service_called_probe_is_not_who_asks() {
    let mut world = world("", "", "");
    world.hosts[0]
        .sockets
        .change(|all| all.push(listener(Protocol::UDP, 53, "probe", Service::Answers)));
    let mut sim = Sim::new(&world, 1);
    let (sport, dport) = (4000, 53);
    let ask = packet(
        "203.0.113.9",
        "192.168.0.17",
        Transport::Udp { sport, dport },
    );
    inject(&mut sim, "eth0", ask);
    let answer = &sim.journeys()[1].hops[0].steps[0];
    let told = tell(&world, NODE, answer).text(Lang::En);
    assert_eq!(told, "probe sends the packet");
}

#[test]
fn a_masqueraded_connection_that_leaves_by_another_interface_is_given_up() {
    let world = world(
        "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp ! --syn -j MARK --set-xmark 0x1/0x1\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n",
        "100:\tfrom all fwmark 0x1 lookup 100\n",
        "default via 10.10.0.1 dev eth1 table 100\n",
    );
    let mut sim = Sim::new(&world, 1);
    let segment = |sport, flags| packet("10.10.0.9", "198.51.100.7", tcp(sport, 80, flags));
    let left = inject(&mut sim, "eth1", segment(4000, TcpFlags::SYN));
    assert_eq!(left, ["eth0 192.168.0.17 > 198.51.100.7"]);
    let back = packet(
        "198.51.100.7",
        "192.168.0.17",
        tcp(80, 4000, TcpFlags::SYN_ACK),
    );
    inject(&mut sim, "eth0", back);
    assert_eq!(sim.conntrack(NODE).unwrap().listed(0).count(), 1);
    let left = inject(&mut sim, "eth1", segment(4000, TcpFlags::ACK));
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(sim.conntrack(NODE).unwrap().listed(0).count(), 0);
}

#[test]
fn netfilter_finds_no_socket_where_only_a_raw_one_is() {
    let world = world(
        "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m socket -j DROP\nCOMMIT\n",
        "",
        "",
    );
    let mut sim = Sim::new(&world, 1);
    let options = SendOptions {
        owner: Some(SocketOwner::default()),
        own_header: true,
        ..SendOptions::default()
    };
    let syn = packet("192.168.0.17", "203.0.113.9", tcp(4000, 80, TcpFlags::SYN));
    sim.send_raw(NODE, syn, &options);
    let answer = packet(
        "203.0.113.9",
        "192.168.0.17",
        tcp(80, 4000, TcpFlags::SYN_ACK),
    );
    inject(&mut sim, "eth0", answer);
    let last = sim.journeys().last().unwrap();
    let steps = last.hops.iter().flat_map(|h| &h.steps);
    let taken = |a: &Action| matches!(a, Action::Delivered(_));
    assert!(steps.into_iter().any(|s| taken(&s.action)));
}

#[test]
fn a_listener_answers_the_same_syn_once_more() {
    let mut world = world("", "", "");
    world.hosts[0]
        .sockets
        .change(|all| all.push(listener(Protocol::TCP, 80, "web", Service::Silent)));
    let mut sim = Sim::new(&world, 1);
    let syn = packet("203.0.113.9", "192.168.0.17", tcp(4000, 80, TcpFlags::SYN));
    let mut answers = || inject(&mut sim, "eth0", syn.clone()).len();
    assert_eq!([answers(), answers(), answers()], [1, 1, 0]);
}

const MANGLE: &str = "*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n";
const NAT: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n";

#[test]
fn an_error_about_what_is_not_tracked_is_tracked_all_the_same() {
    let world = world(
        &format!(
            "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --notrack\n-A OUTPUT -p icmp -j CT --notrack\nCOMMIT\n{MANGLE}-A OUTPUT -p icmp -m conntrack ! --ctstate UNTRACKED -j DROP\nCOMMIT\n"
        ),
        "",
        "",
    );
    let mut sim = Sim::new(&world, 1);
    // Nothing listens there: the host itself says so.
    let ask = Transport::Udp {
        sport: 4000,
        dport: 9,
    };
    let left = inject(
        &mut sim,
        "eth0",
        packet("203.0.113.9", "192.168.0.17", ask.clone()),
    );
    assert_eq!(
        left,
        ["eth0 192.168.0.17 > 203.0.113.9"],
        "UDP has let go of it"
    );
    // On the way on, it still knows that it was not tracked.
    let mut expired = packet("203.0.113.9", "10.10.0.9", ask);
    expired.ttl = 1;
    assert!(inject(&mut sim, "eth0", expired).is_empty());
}

#[test]
fn either_side_may_open_a_closed_connection_anew() {
    let world = world(&format!("{NAT}COMMIT\n"), "", "");
    let mut sim = Sim::new(&world, 1);
    let (asks, answers) = (("10.10.0.9", 4000), ("203.0.113.9", 80));
    let mut go = |from: (&str, u16), to: (&str, u16), flags| {
        let iface = if from == asks { "eth1" } else { "eth0" };
        inject(
            &mut sim,
            iface,
            packet(from.0, to.0, tcp(from.1, to.1, flags)),
        );
        let table = sim.conntrack(NODE).unwrap();
        let told =
            |c: &northsouth::conntrack::Connection| (c.orig.src, c.tcp.unwrap().state.name());
        table.listed(0).map(|(_, c)| told(c)).collect::<Vec<_>>()
    };
    let fin = TcpFlags(TcpFlags::FIN.0 | TcpFlags::ACK.0);
    go(asks, answers, TcpFlags::SYN);
    go(answers, asks, TcpFlags::SYN_ACK);
    go(asks, answers, TcpFlags::ACK);
    go(asks, answers, fin);
    go(answers, asks, fin);
    let closed = go(asks, answers, TcpFlags::ACK);
    assert_eq!(closed, [(asks.0.parse().unwrap(), "TIME_WAIT")]);
    let again = go(answers, asks, TcpFlags::SYN);
    assert_eq!(again, [(answers.0.parse().unwrap(), "SYN_SENT")]);
}

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
fn a_listener_forgets_whom_it_cannot_answer() {
    let mut world = world(
        &format!(
            "{MANGLE}-A PREROUTING -p tcp --syn -j MARK --set-xmark 0x1/0x1\n-A PREROUTING -p tcp -m socket -j DROP\nCOMMIT\n"
        ),
        "100:\tfrom all fwmark 0x1 lookup 100\n",
        "local default dev lo table 100 scope host\n",
    );
    world.hosts[0]
        .sockets
        .change(|all| all.push(listener(Protocol::TCP, 80, "web", Service::Silent)));
    let mut sim = Sim::new(&world, 1);
    // It would have to speak for an address that is not the host's.
    let to = |flags| packet("203.0.113.9", "10.10.0.9", tcp(4000, 80, flags));
    assert!(inject(&mut sim, "eth0", to(TcpFlags::SYN)).is_empty());
    assert_eq!(
        inject(&mut sim, "eth0", to(TcpFlags::ACK)),
        ["eth1 203.0.113.9 > 10.10.0.9"]
    );
}

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

#[test]
fn a_rule_that_resets_a_connection_closes_it() {
    let world = world(
        &format!(
            "{NAT}COMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -i eth0 -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n"
        ),
        "",
        "",
    );
    let mut sim = Sim::new(&world, 1);
    inject(
        &mut sim,
        "eth1",
        packet("10.10.0.9", "203.0.113.9", tcp(4000, 80, TcpFlags::SYN)),
    );
    let answer = packet("203.0.113.9", "10.10.0.9", tcp(80, 4000, TcpFlags::SYN_ACK));
    assert_eq!(
        inject(&mut sim, "eth0", answer),
        ["eth0 10.10.0.9 > 203.0.113.9"]
    );
    let (_, entry) = sim.conntrack(NODE).unwrap().listed(0).next().unwrap();
    assert_eq!(
        (entry.tcp.unwrap().state.name(), entry.expires),
        ("CLOSE", 10_000)
    );
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
