//! What holds for every text, seed and connection: what was read prints so that it reads the same; a seed gives the same
//! walk; a translation is undone on the way back.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use northsouth::conntrack::{Conntrack, Direction, Manip, NatChoice, Settings, ZoneId};
use northsouth::net::{Icmp, Packet, Random, TcpFlags, Transport};
use northsouth::netfilter::{ipset, nft, print, save};
use northsouth::route;
use northsouth::text::{FileId, Lang};
use northsouth::trace::{Disposition, Role, Style};
use northsouth::workspace::{DEFAULT, Scenario, forwarding_names, parse_probe, run};

const FILE: FileId = FileId(0);

/// All values, without the places that they were read from.
fn bare(value: &dyn Debug) -> String {
    let text = format!("{value:?}");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("Span {") {
        out.push_str(before.trim_end());
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out.replace("Some()", "None")
}

/// The first place where the two differ is shown.
#[track_caller]
fn same(again: &dyn Debug, first: &dyn Debug, text: &str) {
    let (again, first) = (bare(again), bare(first));
    let at = again
        .bytes()
        .zip(first.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let near = |t: &str| {
        t.get(at.saturating_sub(150)..(at + 150).min(t.len()))
            .map(str::to_string)
    };
    assert!(
        again == first,
        "{:#?}\n{:#?}\n{text}",
        near(&again),
        near(&first)
    );
}

/// The parts of the kernel's recordings under a heading, and the scenario's files of a name.
fn texts(heading: &str, file: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    for folder in ["kernel", "kernel-nft", "kernel-semantics"] {
        let mut paths: Vec<_> = std::fs::read_dir(root.join("conformance").join(folder))
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(path).unwrap();
            let parts = text.split("== ").filter_map(|p| p.split_once('\n'));
            let own = parts.filter(|(name, _)| name.trim() == heading);
            texts.extend(own.map(|(_, text)| text.to_string()));
        }
    }
    for place in ["nodes/work001", "nodes/work002"] {
        let path = root
            .join("content/scenarios/article")
            .join(place)
            .join(file);
        texts.extend(std::fs::read_to_string(path));
    }
    texts
}

#[test]
fn rules_of_iptables_print_so_that_they_read_the_same() {
    let texts = texts("iptables", "iptables-save.txt");
    assert!(texts.len() > 100);
    for text in texts {
        // The first printing puts chains into the order that iptables-save has.
        let printed = print::save(&save::read(&text, FILE).0, true);
        let (rules, _) = save::read(&printed, FILE);
        let (again, said) = save::read(&print::save(&rules, true), FILE);
        assert_eq!(print::save(&rules, true), printed);
        same(&again, &rules, &text);
        assert_eq!(said, []);
    }
}

#[test]
fn a_real_dump_prints_as_the_same_bytes() {
    let text = include_str!("../../content/scenarios/article/nodes/work001/iptables-save.txt");
    let counters = text
        .lines()
        .any(|l| l.starts_with("[") && l.contains("] -A "));
    let (rules, said) = save::read(text, FILE);
    assert_eq!(said, []);
    let without_comments = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|l| !l.starts_with('#'))
            .map(str::to_string)
            .collect()
    };
    assert_eq!(
        without_comments(&print::save(&rules, counters)),
        without_comments(text)
    );
}

#[test]
fn rules_of_nftables_print_so_that_they_read_the_same() {
    let texts = texts("nft", "nft-ruleset.txt");
    assert!(texts.len() > 20);
    for text in texts {
        // The first printing leaves out what goes without saying.
        let printed = nft::read(&text, FILE).0.to_string();
        let (rules, _) = nft::read(&printed, FILE);
        let (again, said) = nft::read(&rules.to_string(), FILE);
        assert_eq!(rules.to_string(), printed);
        same(&again, &rules, &text);
        assert_eq!(said, []);
    }
}

#[test]
fn routes_print_so_that_they_read_the_same() {
    let texts = texts("routes", "ip-route.txt");
    assert!(texts.len() > 100);
    for text in texts {
        let (routes, _) = route::read::routes(&text, FILE);
        let printed: String = routes.iter().map(|r| format!("{r}\n")).collect();
        let (again, said) = route::read::routes(&printed, FILE);
        same(&again, &routes, &text);
        assert_eq!(said, []);
    }
}

#[test]
fn policy_rules_print_so_that_they_read_the_same() {
    for text in texts("rules", "ip-rule.txt") {
        let (rules, _) = route::read::rules(&text, FILE);
        let printed: String = rules.iter().map(|r| format!("{r}\n")).collect();
        let (again, said) = route::read::rules(&printed, FILE);
        same(&again, &rules, &text);
        assert_eq!(said, []);
    }
}

#[test]
fn ipsets_print_so_that_they_read_the_same() {
    for text in texts("ipset", "ipset-save.txt") {
        let (sets, _) = ipset::read(&text, FILE);
        let (again, said) = ipset::read(&sets.to_string(), FILE);
        same(&again, &sets, &text);
        assert_eq!(said, []);
    }
}

#[test]
fn the_same_seed_gives_the_same_walk() {
    let article = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
    for mode in forwarding_names() {
        let mut workspace = article.with_forwarding(mode).unwrap();
        for seed in 0..10 {
            workspace.seed = seed;
            let (one, other) = (run(&workspace), run(&workspace));
            assert_eq!(one.trace, other.trace, "{mode}, seed {seed}");
            let style = Style {
                lang: Lang::En,
                all: true,
                why: true,
            };
            let text = |r: &northsouth::workspace::Run| {
                northsouth::trace::print(&r.world, &r.trace, style)
            };
            assert_eq!(text(&one), text(&other));
        }
    }
}

#[test]
fn an_answer_comes_from_where_the_request_went() {
    let article = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
    let probes = [
        "client tcp 182.92.251.227:80",
        "client http GET http://182.92.251.227/",
        "work001 tcp 172.21.9.9:80",
        "work002 tcp 192.168.0.17:31061",
    ];
    let mut answered = 0;
    for mode in forwarding_names() {
        let mut workspace = article.with_forwarding(mode).unwrap();
        for probe in probes {
            workspace.probe = parse_probe(probe).unwrap();
            for seed in 0..8 {
                workspace.seed = seed;
                let run = run(&workspace);
                let Some(first) = run.trace.journeys.first() else {
                    continue;
                };
                // As its socket sent it: before any rule of the host touched it.
                let sent = &first.hops[0].steps[0].after.packet;
                // Proxies on the way have connections of their own.
                let sender = first.hops[0].host;
                let arrived = run.trace.journeys.iter().filter(|j| {
                    let home = j.hops.last().is_some_and(|h| h.host == sender);
                    j.role == Role::Reply && j.disposition == Disposition::Delivered && home
                });
                for journey in arrived {
                    let last = journey
                        .hops
                        .iter()
                        .flat_map(|h| &h.steps)
                        .next_back()
                        .unwrap();
                    let got = &last.after.packet;
                    let ends = |p: &Packet| (p.src, p.sport(), p.dst, p.dport());
                    let mirror = (sent.dst, sent.dport(), sent.src, sent.sport());
                    assert_eq!(ends(got), mirror, "{mode}, {probe}, seed {seed}");
                    answered += 1;
                }
            }
        }
    }
    assert!(answered > 50, "{answered}");
}

fn addr(random: &mut Random) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 | (random.next_u32() & 0x00ff_ffff) | 1).into()
}

fn packet(random: &mut Random) -> Packet {
    let (sport, dport) = (
        random.below(65535) as u16 + 1,
        random.below(65535) as u16 + 1,
    );
    let transport = match random.below(4) {
        0 => Transport::Udp { sport, dport },
        1 => Transport::Sctp { sport, dport },
        2 => Transport::Icmp(Icmp {
            kind: 8,
            code: 0,
            id: sport,
            about: None,
            gateway: None,
            target: None,
        }),
        _ => Transport::Tcp {
            sport,
            dport,
            flags: TcpFlags::SYN,
        },
    };
    Packet {
        src: addr(random),
        dst: addr(random),
        ttl: 64,
        tos: 0,
        transport,
        payload: 0,
    }
}

fn choice(random: &mut Random) -> NatChoice {
    let low = addr(random);
    let high = match (low, random.below(2)) {
        (IpAddr::V4(a), 0) => IpAddr::V4((a.to_bits() | 0xff).into()),
        (low, _) => low,
    };
    let port = random.below(65000) as u16 + 1;
    let most = port.saturating_add(random.below(1000) as u16);
    NatChoice {
        addrs: (random.below(4) > 0).then_some((low, high)),
        ports: (random.below(2) > 0).then_some((port, most)),
        base: None,
        random: random.below(4) == 0,
        persistent: random.below(4) == 0,
    }
}

/// The packet that answers another.
fn answer(packet: &Packet) -> Packet {
    let mut answer = packet.clone();
    (answer.src, answer.dst) = (packet.dst, packet.src);
    match &mut answer.transport {
        Transport::Tcp {
            sport,
            dport,
            flags,
        } => {
            std::mem::swap(sport, dport);
            *flags = TcpFlags::SYN_ACK;
        }
        Transport::Udp { sport, dport } | Transport::Sctp { sport, dport } => {
            std::mem::swap(sport, dport);
        }
        Transport::Icmp(icmp) => icmp.kind = 0,
        Transport::Other(_) => {}
    }
    answer
}

#[test]
fn nat_there_and_back_gives_the_original_tuple() {
    let settings = Settings { tcp_loose: true };
    let mut random = Random::new(3);
    let mut table = Conntrack::default();
    for round in 0..5000 {
        let zone = ZoneId::default();
        let sent = packet(&mut random);
        let found = table.track(&sent, zone, settings, 0);
        let (Some(id), Direction::Original) = (found.connection, found.direction) else {
            continue;
        };
        let mut there = sent.clone();
        for manip in [Manip::Destination, Manip::Source] {
            if random.below(3) > 0 {
                let choice = choice(&mut random);
                table.set_up_nat(id, manip, &choice, &mut random, 0);
            } else {
                table.set_up_no_nat(id, manip, &mut random, 0);
            }
            let entry = table.get(id).unwrap().clone();
            entry.translate(&mut there, Direction::Original, manip);
        }
        table.confirm(id, Direction::Original, 0);
        let mut back = answer(&there);
        let found = table.track(&back, zone, settings, 0);
        assert_eq!(
            (found.connection, found.direction),
            (Some(id), Direction::Reply),
            "{round}"
        );
        let entry = table.get(id).unwrap().clone();
        entry.translate(&mut back, Direction::Reply, Manip::Destination);
        entry.translate(&mut back, Direction::Reply, Manip::Source);
        assert_eq!(back, answer(&sent), "round {round}: {there:?}");
    }
}
