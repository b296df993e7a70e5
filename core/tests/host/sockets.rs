//! Who listens on the host, and who asks from it.

use crate::*;

#[test]
fn udp_lets_go_of_the_connection_before_it_tells_that_a_port_is_closed() {
    let world = world(
        "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctproto udp -j DROP\nCOMMIT\n",
        "",
        "",
    );
    let mut sim = Sim::new(&world, 1);
    let left = inject(
        &mut sim,
        "eth0",
        packet("203.0.113.9", "192.168.0.17", CLOSED),
    );
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
