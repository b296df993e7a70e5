//! The article's request in all three ways in which a load balancer may pass it on: as printed, and against what a real
//! kernel did with it.

use std::path::Path;

use northsouth::net::{IpFamily, Packet};
use northsouth::netfilter::walk::StepKind;
use northsouth::netfilter::{Chain, Table, TableName, listing};
use northsouth::text::{FileId, Lang};
use northsouth::trace::{
    Action, Disposition, Journey, Role, StepAt, Style, SwitchOutcome, print, span,
};
use northsouth::workspace::{DEFAULT, Run, Scenario, forwarding_names, run};

fn article(mode: &str) -> Run {
    let workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
    run(&workspace.with_forwarding(mode).unwrap())
}

/// The step of the rule that decided a step, by kinds: all of the trace's steps that a rule decided before.
#[test]
fn a_translation_is_decided_by_the_rule_of_the_first_packet() {
    let run = article("keep-destination");
    let mut told = Vec::new();
    for (j, journey) in (0..).zip(&run.trace.journeys) {
        for (h, hop) in (0..).zip(&journey.hops) {
            if &*run.world.host(hop.host).unwrap().name != "work001" {
                continue;
            }
            for (s, step) in (0..).zip(&hop.steps) {
                let at = StepAt {
                    journey: j,
                    hop: h,
                    step: s,
                };
                let Some(by) = run.trace.decided(at) else {
                    assert!(!matches!(step.action, Action::Translated { .. }), "{at:?}");
                    continue;
                };
                let decided = &run.trace.journeys[by.journey as usize].hops[by.hop as usize];
                let span = span(&run.world, decided.host, &decided.steps[by.step as usize]);
                let span = span.unwrap();
                let rule = run.files[span.file.index()].slice(span);
                assert!(
                    by < at && rule.contains("-j DNAT --to-destination 172.20.1.157:80"),
                    "{rule}"
                );
                told.push((j, by.journey));
            }
        }
    }
    // The first packet's own, then those of each later packet of the connection, there and back.
    assert!(
        told.starts_with(&[(0, 0), (0, 0), (1, 0), (2, 0)]),
        "{told:?}"
    );
}

/// Compares with a file of `tests/`; writes it where `UPDATE_GOLDENS` is set.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, wanted, "{name}; UPDATE_GOLDENS=1 writes it anew");
}

fn ends(packet: &Packet, sport: u16) -> String {
    let end = |addr, port: Option<u16>| match port {
        Some(port) if port == sport => format!("{addr}:sport"),
        port => format!("{addr}:{}", port.unwrap_or(0)),
    };
    format!(
        "{} > {} ttl {}",
        end(packet.src, packet.sport()),
        end(packet.dst, packet.dport()),
        packet.ttl
    )
}

/// What a capture on every interface of every machine would have seen of a packet.
fn captures(run: &Run, journey: &Journey, sport: u16) -> Vec<String> {
    let mut rows = Vec::new();
    for hop in &journey.hops {
        let host = &run.world.host(hop.host).unwrap().name;
        for step in &hop.steps {
            let (iface, way) = match &step.action {
                Action::Arrived => (step.after.in_iface.clone().unwrap(), "in"),
                Action::Left(egress) => (egress.iface.clone(), "out"),
                Action::Bridged(s) if s.outcome == SwitchOutcome::Up => (s.bridge.clone(), "in"),
                Action::Bridged(s) if s.from.is_none() => (s.bridge.clone(), "out"),
                _ => continue,
            };
            let ends = ends(&step.after.packet, sport);
            rows.push(format!("{host} {iface} {way} {ends}"));
        }
    }
    rows
}

/// `work001 tcp SRC SPORT DST DPORT SRC SPORT DST DPORT`, as a host's conntrack had it when the answer came.
fn connection(run: &Run, reply: &Journey, host: &str, sport: u16) -> String {
    let hop = reply
        .hops
        .iter()
        .find(|h| &*run.world.host(h.host).unwrap().name == host);
    let tracking = hop.unwrap().steps.iter().find_map(|s| match &s.action {
        Action::Tracked(tracking) => Some(tracking),
        _ => None,
    });
    let tracking = tracking.unwrap();
    let port = |p: u16| {
        if p == sport {
            "sport".to_string()
        } else {
            p.to_string()
        }
    };
    let tuple = |t: &northsouth::conntrack::Tuple| {
        format!("{} {} {} {}", t.src, port(t.sport), t.dst, port(t.dport))
    };
    let (orig, reply) = (tracking.orig.unwrap(), tracking.reply.unwrap());
    format!(
        "{host} {} {} {}",
        orig.protocol,
        tuple(&orig),
        tuple(&reply)
    )
}

/// `CHAIN NUMBER` of every rule that acted on a host, chain by chain.
fn rules(run: &Run, journey: &Journey, host: &str) -> Vec<String> {
    let mut all = Vec::new();
    for hop in &journey.hops {
        let machine = run.world.host(hop.host).unwrap();
        if &*machine.name != host {
            continue;
        }
        for step in &hop.steps {
            let Action::Rule(rule) = &step.action else {
                continue;
            };
            let at = rule.step().unwrap();
            let northsouth::netfilter::walk::TableRef::Iptables(family, table) = rule.table()
            else {
                continue;
            };
            if at.kind == StepKind::Rule {
                let table = machine.iptables.table(family, table).unwrap();
                let chain = &table.chain(at.chain).unwrap().name;
                all.push(format!("{} {chain} {}", table.name, at.index + 1));
            }
        }
    }
    all
}

#[test]
fn the_walk_prints_as_it_did() {
    for mode in forwarding_names() {
        let run = article(mode);
        let style = Style {
            lang: Lang::En,
            all: false,
            why: false,
        };
        let text = print(&run.world, &run.trace, style);
        golden(&format!("golden/article-{mode}.txt"), &text);
    }
    let run = article("rewrite-destination");
    let style = Style {
        lang: Lang::ZhCn,
        all: true,
        why: false,
    };
    let text = print(&run.world, &run.trace, style);
    golden("golden/article-zh-CN.txt", &text);
}

#[test]
fn every_interface_sees_what_it_saw_on_a_real_kernel() {
    for mode in forwarding_names() {
        let run = article(mode);
        assert_eq!(run.trace.disposition, Disposition::Delivered);
        let recorded =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/article/{mode}.txt"));
        let recorded = std::fs::read_to_string(recorded).unwrap();
        let journeys = &run.trace.journeys;
        let syn = &journeys[0];
        let reply = journeys.iter().find(|j| j.role == Role::Reply).unwrap();
        let sport = syn.packet.packet.sport().unwrap();
        let mut told = captures(&run, syn, sport);
        told.push(String::new());
        told.extend(captures(&run, reply, sport));
        told.push(String::new());
        told.push(connection(&run, reply, "work001", sport));
        let wanted: Vec<_> = recorded.lines().collect();
        assert_eq!(told, wanted, "{mode}");
    }
}

#[test]
fn the_rules_that_act_are_those_of_the_articles_story_and_of_its_counters() {
    let by_node_port = [
        "nat PREROUTING 1",
        "nat KUBE-SERVICES 4",
        "nat KUBE-NODEPORTS 2",
        "nat KUBE-XLB-HBO2MBMQRZFAHKF2 2",
        "nat KUBE-SEP-EW7YLHH65NRUVIFQ 2",
    ];
    let by_address = [
        "nat PREROUTING 1",
        "nat KUBE-SERVICES 3",
        "nat KUBE-FW-HBO2MBMQRZFAHKF2 1",
        "nat KUBE-XLB-HBO2MBMQRZFAHKF2 2",
        "nat KUBE-SEP-EW7YLHH65NRUVIFQ 2",
    ];
    for mode in forwarding_names() {
        let run = article(mode);
        let told = rules(&run, &run.trace.journeys[0], "work001");
        let wanted = if mode == "keep-destination" {
            by_address
        } else {
            by_node_port
        };
        assert_eq!(told[..5], wanted, "{mode}");
    }
}

#[test]
fn the_same_seed_gives_the_same_walk() {
    for mode in forwarding_names() {
        assert_eq!(article(mode).trace, article(mode).trace);
    }
}

#[test]
fn round_robin_gives_every_other_request_to_work002() {
    let workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
    let run = run(&workspace);
    let mut sim = northsouth::sim::Sim::new(&run.world, workspace.seed);
    for _ in 0..2 {
        sim.probe(&workspace.probe).unwrap();
    }
    let trace = sim.into_trace();
    let nodes: Vec<_> = trace
        .journeys
        .iter()
        .filter(|j| {
            let of_client = run.world.find("client") == Some(j.hops[0].host);
            let opens = j.packet.packet.tcp_flags().is_some_and(|f| f.0 == 2);
            j.role == Role::Request && of_client && opens
        })
        .map(|j| run.world.host(j.hops[3].host).unwrap().name.to_string())
        .collect();
    assert_eq!(nodes, ["work001", "work002"]);
}

/// A rule but for where it stands and what it counted: its line as iptables-save prints it.
fn told(table: &Table, chain: &Chain, at: usize) -> String {
    northsouth::netfilter::print::rule(table, chain, &chain.rules[at])
}

/// As `iptables -L -v` rounds.
fn rounded(number: u64) -> u64 {
    match number {
        0..100_000 => number,
        100_000..10_000_000 => (number + 500) / 1000 * 1000,
        _ => (number + 500_000) / 1_000_000 * 1_000_000,
    }
}

#[test]
fn the_scenarios_rules_and_counters_are_those_of_the_articles_listing() {
    let text = include_str!("article/iptables-list.txt");
    let (listing, _) = listing::read(text, FileId(0), TableName::Nat);
    let listed = listing.table(IpFamily::V4, TableName::Nat).unwrap();
    let run = article("rewrite-destination");
    let node = run.world.host(run.world.find("work001").unwrap()).unwrap();
    let ours = node.iptables.table(IpFamily::V4, TableName::Nat).unwrap();
    let mut compared = 0;
    for chain in listed.chains.iter().filter(|c| !c.rules.is_empty()) {
        let mine = ours.chain(ours.find(&chain.name).unwrap()).unwrap();
        if chain.policy.is_some() {
            assert_eq!(chain.counters, mine.counters, "{}", chain.name);
        }
        // The article leaves rules out of a chain, and keeps the order of the others.
        let mut from = 0;
        for (at, rule) in chain.rules.iter().enumerate() {
            let wanted = told(listed, chain, at);
            let found = (from..mine.rules.len()).find(|i| told(ours, mine, *i) == wanted);
            let found = found.unwrap_or_else(|| panic!("{wanted} is not in the scenario"));
            let counted = mine.rules[found].counters;
            assert_eq!(
                (rounded(counted.packets), rounded(counted.bytes)),
                (rule.counters.packets, rule.counters.bytes),
                "{wanted}"
            );
            from = found + 1;
            compared += 1;
        }
    }
    assert_eq!(compared, 11);
}

/// The run with lines of files written anew, and to whom the balancer gave the request.
fn balanced(changes: &[(&str, &str, &str)]) -> (Run, Option<String>) {
    let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
    for (name, from, to) in changes {
        let file = workspace
            .files
            .iter_mut()
            .find(|f| &*f.name == *name)
            .unwrap();
        assert!(file.text.contains(from), "{name} has no {from}");
        file.text = file.text.replace(from, to).into();
    }
    let run = run(&workspace);
    let steps = run.trace.journeys[0].hops.iter().flat_map(|h| &h.steps);
    let backend = steps.into_iter().find_map(|s| match &s.action {
        Action::Balanced(account) => account.backend,
        _ => None,
    });
    let name = backend.map(|at| ["work001", "work002"][usize::from(at)].to_string());
    (run, name)
}

#[test]
fn a_backend_whose_check_fails_gets_no_connections() {
    // A node whose pod's veth is gone from the bridge.
    let gone = (
        "nodes/work001/brctl-show.txt",
        "\t\t\t\t\t\t\tveth5d630032\n",
        "",
    );
    let (run, backend) = balanced(&[gone]);
    assert_eq!(backend.as_deref(), Some("work002"));
    assert_eq!(run.trace.disposition, Disposition::Delivered);
    let codes: Vec<_> = run.diagnostics.iter().map(|d| d.code()).collect();
    assert!(codes.contains(&"texts/check-failed"), "{codes:?}");
    // Without checks nobody notices.
    let unchecked = (
        "load-balancer.yaml",
        "  healthCheck:\n    port: 31061\n",
        "",
    );
    let (run, backend) = balanced(&[gone, unchecked]);
    assert_eq!(backend.as_deref(), Some("work001"));
    assert_ne!(run.trace.disposition, Disposition::Delivered);
}

#[test]
fn what_the_file_says_of_a_backend_counts_more_than_a_check() {
    let down = |node| ("load-balancer.yaml", node, "weight: 100, healthy: false}\n");
    let (_, backend) = balanced(&[down("weight: 100}\n")]);
    assert_eq!(backend, None);
    let first = (
        "load-balancer.yaml",
        "address: 192.168.0.17, port: 31061, weight: 100",
        "address: 192.168.0.17, port: 31061, weight: 0",
    );
    let (run, backend) = balanced(&[first]);
    assert_eq!(backend.as_deref(), Some("work002"));
    assert_eq!(run.trace.disposition, Disposition::Delivered);
    let (run, _) = balanced(&[down("weight: 100}\n")]);
    assert_eq!(run.trace.disposition, Disposition::NoBackend);
}
