//! Neighbour discovery under netfilter's rules: `ndisc/cases.txt` is what Linux 6.18 and ip6tables 1.8.9 did in network
//! namespaces, joined as [`world`] says. Each case is a ping of A's; the rules have the counters that it left.

use std::fmt::Write;
use std::net::IpAddr;

use northsouth::net::{Icmp, IpFamily, Mac, Packet, Transport};
use northsouth::netfilter::{ChainId, RuleId, TableName, print, save};
use northsouth::route::{self, Scope};
use northsouth::sim::{After, SendOptions, Sim};
use northsouth::text::{FileId, Lang};
use northsouth::topology::{Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, World};
use northsouth::trace::{Action, Disposition, Trace, tell, why};

const NAMES: [&str; 5] = ["A", "B", "C", "D", "M"];

/// A, B and C are on the bridge of M, whose ip6tables are asked; behind B, a router, is D. B has an address on `lo` and a local
/// route too.
fn world(rules: &[(&str, String)]) -> World {
    world_of(rules, true)
}

/// `known`: all of the rules are to be modelled.
fn world_of(rules: &[(&str, String)], known: bool) -> World {
    let mut world = World::default();
    for (at, name) in (0..).zip(NAMES) {
        let mut host = Host::new(name, HostKind::Node);
        host.sysctls.forwarding6 = name == "B";
        let own = (10 + at, format!("fd00:1::{}", name.to_lowercase()));
        match name {
            "M" => {
                host.interfaces
                    .push(Interface::new("br0", IfaceKind::Bridge));
                for port in ["vA", "vB", "vC"] {
                    let mut port = Interface::new(port, IfaceKind::Device);
                    port.master = Some("br0".into());
                    host.interfaces.push(port);
                }
            }
            "D" => device(&mut host, "eth0", [1, 13], &["fd00:2::d"]),
            "B" => {
                device(&mut host, "eth0", [0, own.0], &[&own.1, "fd00:1::11"]);
                device(&mut host, "eth1", [1, 11], &["fd00:2::b"]);
                let lo = IfaceAddr::new("fd00:1::10".parse().unwrap(), 128);
                host.interfaces[0].addrs.push(lo);
            }
            _ => device(&mut host, "eth0", [0, own.0], &[&own.1]),
        }
        let routes = match name {
            "A" => "fd00:1::/64 dev eth0\nfd00:2::/64 via fd00:1::b dev eth0\n",
            "B" => "fd00:1::/64 dev eth0\nfd00:2::/64 dev eth1\nlocal fd00:1::2000/116 dev lo\n",
            "D" => "fd00:2::/64 dev eth0\ndefault via fd00:2::b dev eth0\n",
            _ => "fd00:1::/64 dev eth0\n",
        };
        host.routes = route::read::routes(routes, FileId(0)).0.into();
        let own = rules.iter().filter(|(host, _)| *host == name);
        let mut text = String::new();
        for table in ["raw", "mangle", "filter"] {
            let _ = writeln!(text, "*{table}");
            for (_, rule) in own.clone() {
                if let Some(rule) = rule.strip_prefix(table) {
                    let _ = writeln!(text, "{}", rule.trim());
                }
            }
            text.push_str("COMMIT\n");
        }
        let (read, said) = save::read_of(IpFamily::V6, &text, FileId(0));
        assert!(said.is_empty() || !known, "{said:?}");
        host.iptables = read.into();
        world.hosts.push(host);
    }
    let at = |name: &str| world.find(name).unwrap();
    let [a, b, c, d, m] = NAMES.map(at);
    world.join((a, "eth0"), (m, "vA"));
    world.join((b, "eth0"), (m, "vB"));
    world.join((c, "eth0"), (m, "vC"));
    world.join((b, "eth1"), (d, "eth0"));
    world
}

fn device(host: &mut Host, name: &str, [a, b]: [u8; 2], addrs: &[&str]) {
    let mut iface = Interface::new(name, IfaceKind::Device);
    iface.mac = Mac([2, 0, 0, 0, a, b]);
    let addrs = addrs.iter().map(|a| IfaceAddr::new(a.parse().unwrap(), 64));
    iface.addrs = addrs.collect();
    iface.addrs.push(IfaceAddr {
        scope: Scope::Link,
        ..IfaceAddr::new(iface.mac.link_local().into(), 64)
    });
    host.interfaces.push(iface);
}

/// `ping -6 -c1 -I fd00:1::a TO` on A.
fn ping(world: &World, to: IpAddr) -> (Trace, After) {
    let mut sim = Sim::new(world, 1);
    let echo = Icmp {
        kind: 128,
        code: 0,
        id: 1,
        gateway: None,
        target: None,
        about: None,
    };
    let packet = Packet {
        src: "fd00:1::a".parse().unwrap(),
        dst: to,
        ttl: 64,
        tos: 0,
        transport: Transport::Icmp(echo),
        payload: 56,
    };
    sim.dial(
        world.find("A").unwrap(),
        packet,
        None,
        &SendOptions::default(),
    );
    sim.run_until(u64::MAX);
    sim.finish()
}

/// What a case came to, in the form of the recording.
fn played(name: &str, to: &str, rules: &[(&str, String)]) -> String {
    let world = world(rules);
    let (trace, after) = ping(&world, to.parse().unwrap());
    let came = |kind: u8| {
        let mut steps = trace.journeys.iter().filter_map(|j| j.hops.last());
        steps.any(|hop| {
            let last = hop.steps.last().map(|s| &s.after.packet.transport);
            hop.host == HostId(0) && matches!(last, Some(Transport::Icmp(i)) if i.kind == kind)
        })
    };
    let how = match (came(129), came(1)) {
        (true, _) => "answered",
        (_, true) => "unreachable",
        _ => "silent",
    };
    let state = |host: &str, addr: &str, unknown: &str| {
        let known = after.host(world.find(host).unwrap()).and_then(|state| {
            let key = ("eth0".into(), addr.parse().unwrap());
            Some(state.neighbours.get(&key)?.name(after.now))
        });
        known.unwrap_or(unknown).to_string()
    };
    let via = if to.starts_with("fd00:2") {
        "fd00:1::b"
    } else {
        to
    };
    let a = state("A", via, "FAILED");
    let b = state("B", "fd00:1::a", "nothing");
    let mut out = format!("{name}\n    {to}: {how}, A has {a}, B has {b}\n");
    for (at, host) in (0..).map(HostId).zip(NAMES) {
        for table in [TableName::Raw, TableName::Mangle, TableName::Filter] {
            let host_now = world.host(at).unwrap();
            let read = host_now.iptables.table(IpFamily::V6, table).unwrap();
            for (id, chain) in (0..).map(ChainId).zip(&read.chains) {
                for (index, rule) in (0..).zip(&chain.rules) {
                    let key = RuleId {
                        family: IpFamily::V6,
                        table,
                        chain: id,
                        index,
                    };
                    let counted = after.host(at).and_then(|s| s.netfilter.rules.get(&key));
                    let counted = counted.copied().unwrap_or_default();
                    let text = print::rule(read, chain, rule);
                    let (packets, bytes) = (counted.packets, counted.bytes);
                    let table = table.name();
                    let _ = writeln!(out, "    {host} {table} [{packets}:{bytes}] {text}");
                }
            }
        }
    }
    out
}

#[test]
fn rules_keep_neighbours_apart_as_on_linux() {
    let text = include_str!("ndisc/cases.txt");
    let mut lines = text.lines().peekable();
    let mut cases = 0;
    while let Some(name) = lines.next() {
        let mut case = vec![name];
        while let Some(line) = lines.next_if(|l| l.starts_with(' ')) {
            case.push(line);
        }
        let to = case[1].trim().split_once(": ").unwrap().0;
        let rules = case[2..].iter().map(|line| {
            let (host, rest) = line.trim().split_once(' ').unwrap();
            let (table, rest) = rest.split_once(" [").unwrap();
            let (_, rule) = rest.split_once("] ").unwrap();
            (host, format!("{table} {rule}"))
        });
        let ours = played(name, to, &rules.collect::<Vec<_>>());
        assert_eq!(ours.trim(), case.join("\n").trim());
        cases += 1;
    }
    assert_eq!(cases, 36);
}

#[test]
fn the_rule_that_keeps_neighbours_apart_is_named_where_it_stands() {
    for (host, rule, said) in [
        (
            "B",
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP",
            "fd00:1::b stays unknown on eth0: B drops the neighbour solicitation (INPUT)",
        ),
        (
            "M",
            "-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j DROP",
            "fd00:1::b stays unknown on eth0: M drops the neighbour advertisement that answers (FORWARD)",
        ),
        (
            "B",
            "-A INPUT -p ipv6-icmp -m u32 --u32 0&0=0 -j DROP",
            "cannot tell",
        ),
    ] {
        let world = world_of(&[(host, format!("filter {rule}"))], false);
        let (trace, _) = ping(&world, "fd00:1::b".parse().unwrap());
        let steps = || trace.journeys[0].hops[0].steps.iter();
        let unknown = steps().find(|s| matches!(&s.action, Action::Resolved(n) if n.mac.is_none()));
        let unknown = unknown.unwrap();
        if said == "cannot tell" {
            assert_eq!(trace.disposition, Disposition::CannotTell);
            continue;
        }
        assert_eq!(trace.disposition, Disposition::NoNeighbour);
        assert_eq!(tell(&world, HostId(0), unknown).text(Lang::En), said);
        let found = why(&world, HostId(0), unknown).decided;
        assert!(
            found[0].say.text(Lang::En).ends_with(rule),
            "{:?}",
            found[0]
        );
        let chains = &world
            .host(world.find(host).unwrap())
            .unwrap()
            .iptables
            .tables[2]
            .chains;
        let there = chains.iter().flat_map(|c| &c.rules).next().unwrap().span;
        assert_eq!(found[0].span, Some(there));
    }
}
