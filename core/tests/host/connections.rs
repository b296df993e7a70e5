//! Connections that the host follows.

use crate::*;

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
    let left = inject(
        &mut sim,
        "eth0",
        packet("203.0.113.9", "192.168.0.17", CLOSED),
    );
    assert_eq!(
        left,
        ["eth0 192.168.0.17 > 203.0.113.9"],
        "UDP has let go of it"
    );
    // On the way on, it still knows that it was not tracked.
    let mut expired = packet("203.0.113.9", "10.10.0.9", CLOSED);
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
