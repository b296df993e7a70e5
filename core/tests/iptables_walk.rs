//! What a packet meets in iptables' tables, and why.

mod netfilter;

use netfilter::at;
use northsouth::conntrack::{CtState, Direction, StatusBits};
use northsouth::netfilter::walk::{self, StepKind, Traversal, Verdict};
use northsouth::netfilter::{
    self as nf, Context, Hook, Ruleset, SocketOwner, State, TableName, save,
};
use northsouth::text::{FileId, Lang, Outcome};

/// A filter table whose rules are these; FORWARD's policy is DROP.
fn filter(rules: &str) -> Ruleset {
    table(
        "filter",
        &format!(":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}"),
    )
}

fn table(name: &str, body: &str) -> Ruleset {
    let (rules, diagnostics) = save::read(&format!("*{name}\n{body}\nCOMMIT\n"), FileId(0));
    let said: Vec<_> = diagnostics
        .iter()
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert!(said.is_empty(), "{said:?}");
    rules
}

fn walked(rules: &Ruleset, ctx: &mut Context, state: &mut State) -> Traversal {
    let table = rules.tables[0].name;
    walk::traverse(rules, table, ctx, state).unwrap()
}

/// `CHAIN NUMBER` for each rule that matched, `CHAIN policy`, `CHAIN end`; what becomes of the packet where it is not accepted.
fn told(rules: &Ruleset, walked: &Traversal) -> String {
    let step = |s: &walk::Step| {
        let chain = &rules.tables[0].chain(s.chain).unwrap().name;
        match s.kind {
            StepKind::Rule => format!("{chain} {}", s.index + 1),
            StepKind::Policy => format!("{chain} policy"),
            StepKind::Return => format!("{chain} end"),
        }
    };
    let mut out: Vec<_> = walked.steps.iter().map(step).collect();
    out.extend(match &walked.verdict {
        Verdict::Accept => None,
        Verdict::Nat(nat) => {
            let addr = nat
                .range
                .addrs
                .map_or("-".to_string(), |a| a.low.to_string());
            Some(format!("{:?} {addr}", nat.kind).to_lowercase())
        }
        Verdict::CannotTell(what) => Some(format!("cannot tell {}", what.text)),
        other => Some(format!("{other:?}").to_lowercase()),
    });
    out.join(", ")
}

fn check(rules: &Ruleset, hook: Hook, packet: &str, expect: &str) {
    let mut ctx = at(hook, packet);
    let walked = walked(rules, &mut ctx, &mut State::new(1));
    assert_eq!(told(rules, &walked), expect, "{packet}");
}

const SYN: &str = "tcp 203.0.113.9:40000 > 10.0.0.2:80 S";

#[test]
fn return_in_a_built_in_chain_asks_its_policy() {
    let rules = filter("-A FORWARD -p tcp -j RETURN\n-A FORWARD -j ACCEPT");
    check(
        &rules,
        Hook::Forward,
        SYN,
        "FORWARD 1, FORWARD policy, drop",
    );
    check(
        &rules,
        Hook::Forward,
        "udp 203.0.113.9:1 > 10.0.0.2:53",
        "FORWARD 2",
    );
}

#[test]
fn a_goto_goes_back_to_who_jumped_before_it() {
    let rules = filter(
        ":A - [0:0]\n:B - [0:0]\n-A A -g B\n-A A -j ACCEPT\n-A B -p udp -j RETURN\n-A FORWARD -p tcp -j A\n-A FORWARD -p tcp -j DROP\n-A FORWARD -g B\n-A FORWARD -j ACCEPT",
    );
    check(
        &rules,
        Hook::Forward,
        SYN,
        "FORWARD 1, A 1, B end, FORWARD 2, drop",
    );
    check(
        &rules,
        Hook::Forward,
        "udp 203.0.113.9:1 > 10.0.0.2:53",
        "FORWARD 3, B 1, FORWARD policy, drop",
    );
    check(
        &rules,
        Hook::Forward,
        "icmp 203.0.113.9 > 10.0.0.2 8/0",
        "FORWARD 3, B end, FORWARD policy, drop",
    );
}

#[test]
fn rules_without_a_verdict_go_on() {
    let rules = table(
        "mangle",
        ":PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp\n-A PREROUTING -j LOG\n-A PREROUTING -j MARK --set-xmark 0x4000/0x4000\n-A PREROUTING -j CONNMARK --save-mark\n-A PREROUTING -m mark --mark 0x4000/0x4000 -j TTL --ttl-set 9",
    );
    let mut ctx = at(Hook::Prerouting, SYN);
    let walked = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(
        told(&rules, &walked),
        "PREROUTING 1, PREROUTING 2, PREROUTING 3, PREROUTING 4, PREROUTING 5, PREROUTING policy"
    );
    assert_eq!(
        (
            ctx.mark,
            ctx.packet.ttl,
            ctx.tracked.connection.unwrap().mark
        ),
        (0x4000, 9, 0x4000)
    );
    let marks: Vec<_> = walked.steps.iter().map(|s| s.mark).collect();
    assert_eq!(marks, [0, 0, 0x4000, 0x4000, 0x4000, 0x4000]);
}

#[test]
fn a_table_counts_what_matched_and_what_its_policy_decided() {
    let rules = filter("-A FORWARD -p udp\n-A FORWARD -p tcp");
    let mut state = State::new(1);
    walked(&rules, &mut at(Hook::Forward, SYN), &mut state);
    walked(&rules, &mut at(Hook::Forward, SYN), &mut state);
    let counted: Vec<_> = state
        .rules
        .iter()
        .map(|(id, c)| (id.index, c.packets, c.bytes))
        .collect();
    assert_eq!(counted, [(1, 2, 80)]);
    assert_eq!(state.policies.values().map(|c| c.packets).sum::<u64>(), 2);
}

#[test]
fn nth_counts_only_packets_that_come_to_it() {
    let rules = filter(
        "-A FORWARD -p tcp -m statistic --mode nth --every 3 --packet 1 -j ACCEPT\n-A FORWARD -p udp -m statistic --mode nth ! --every 3 --packet 0 -j ACCEPT",
    );
    let mut state = State::new(1);
    let mut go = |packet: &str| {
        told(
            &rules,
            &walked(&rules, &mut at(Hook::Forward, packet), &mut state),
        ) == "FORWARD 1"
    };
    let taken: Vec<_> = (0..7).map(|_| go(SYN)).collect();
    assert_eq!(taken, [false, true, false, false, true, false, false]);
}

#[test]
fn a_limit_begins_with_its_burst_and_fills_with_time() {
    let rules = filter("-A FORWARD -m limit --limit 1/sec --limit-burst 2 -j ACCEPT");
    let mut state = State::new(1);
    let mut go = |now: u64| {
        let mut ctx = at(Hook::Forward, SYN);
        ctx.now = now;
        walked(&rules, &mut ctx, &mut state).verdict == Verdict::Accept
    };
    assert_eq!(
        [go(0), go(0), go(0), go(999), go(1000), go(1000)],
        [true, true, false, false, true, false]
    );
}

#[test]
fn recent_keeps_an_address_for_so_many_seconds() {
    let rules = filter(
        "-A FORWARD -m recent --rcheck --seconds 10 --reap --name SEP --rsource -j ACCEPT\n-A FORWARD -m recent --set --name SEP --rsource -j DROP",
    );
    let mut state = State::new(1);
    let mut go = |now: u64, packet: &str| {
        let mut ctx = at(Hook::Forward, packet);
        ctx.now = now;
        told(&rules, &walked(&rules, &mut ctx, &mut state))
    };
    assert_eq!(go(0, SYN), "FORWARD 2, drop");
    assert_eq!(go(10_000, SYN), "FORWARD 1");
    assert_eq!(
        go(10_000, "tcp 203.0.113.8:1 > 10.0.0.2:80"),
        "FORWARD 2, drop"
    );
    assert_eq!(go(10_001, SYN), "FORWARD 2, drop");
}

#[test]
fn who_has_no_socket_is_owned_by_nobody() {
    let rules = table(
        "nat",
        ":OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 1337 -j RETURN\n-A OUTPUT -p tcp -m owner ! --uid-owner 0 -j REDIRECT --to-ports 15001",
    );
    let mut ctx = at(Hook::Output, SYN);
    let mut go = |owner: Option<u32>| {
        ctx.owner = owner.map(|uid| SocketOwner { uid, gid: 0 });
        told(
            &rules,
            &walked(&rules, &mut ctx.clone(), &mut State::new(1)),
        )
    };
    assert_eq!(go(Some(1337)), "OUTPUT 1, OUTPUT policy");
    assert_eq!(go(Some(0)), "OUTPUT policy");
    assert_eq!(
        go(None),
        "OUTPUT 2, redirect 127.0.0.1",
        "the kernel's own packets are not root's"
    );
}

#[test]
fn redirect_takes_the_first_address_of_the_interface() {
    let rules = table(
        "nat",
        ":PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j REDIRECT --to-ports 15006",
    );
    check(
        &rules,
        Hook::Prerouting,
        SYN,
        "PREROUTING 1, redirect 10.0.0.1",
    );
    let mut ctx = at(Hook::Prerouting, SYN);
    ctx.in_iface = Some("cali1");
    let walked = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(
        walked.verdict,
        Verdict::Drop,
        "without an address there is nowhere to redirect to"
    );
}

#[test]
fn netmap_exchanges_the_network_and_keeps_the_host() {
    let rules = table(
        "nat",
        ":PREROUTING ACCEPT [0:0]\n-A PREROUTING -j NETMAP --to 172.20.1.0/24",
    );
    check(
        &rules,
        Hook::Prerouting,
        "udp 203.0.113.9:1 > 10.0.0.77:53",
        "PREROUTING 1, netmap 172.20.1.77",
    );
}

#[test]
fn ctstate_knows_nat_beside_new_and_established() {
    let rules = filter(
        "-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n-A FORWARD -m conntrack ! --ctstate NEW,UNTRACKED -j ACCEPT\n-A FORWARD -m connmark ! --mark 0x1 -j ACCEPT",
    );
    let mut ctx = at(Hook::Forward, SYN);
    let go = |ctx: &Context| {
        told(
            &rules,
            &walked(&rules, &mut ctx.clone(), &mut State::new(1)),
        )
    };
    assert_eq!(go(&ctx), "FORWARD 4");
    ctx.tracked
        .connection
        .as_mut()
        .unwrap()
        .status
        .set(StatusBits::DST_NAT);
    assert_eq!(go(&ctx), "FORWARD 1");
    ctx.tracked.connection = None;
    ctx.tracked.state = Some(CtState::Untracked);
    assert_eq!(
        go(&ctx),
        "FORWARD policy, drop",
        "without a connection connmark never matches"
    );
    ctx.tracked.state = Some(CtState::Invalid);
    assert_eq!(go(&ctx), "FORWARD 2, drop");
}

#[test]
fn only_a_packet_that_comes_to_it_cannot_be_told() {
    let rules = filter(
        "-A FORWARD -p tcp -m set --match-set clients src -j ACCEPT\n-A FORWARD -p tcp -m set --match-set unknown src -j ACCEPT",
    );
    check(&rules, Hook::Forward, SYN, "FORWARD 1");
    check(
        &rules,
        Hook::Forward,
        "udp 203.0.113.8:1 > 10.0.0.2:53",
        "FORWARD policy, drop",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.8:1 > 10.0.0.2:80",
        "FORWARD 2, cannot tell --match-set unknown src",
    );
}

#[test]
fn why_tells_each_criterion_with_the_packets_value() {
    let rules = filter(
        "-A FORWARD -d 10.0.0.2/32 -p tcp -m tcp --dport 31061 -j ACCEPT\n-A FORWARD -p tcp ! -s 203.0.113.0/24 -m addrtype --dst-type LOCAL -j ACCEPT\n-A FORWARD -m addrtype --dst-type LOCAL -j ACCEPT\n-A FORWARD -i eth0 -m conntrack --ctstate NEW -m statistic --mode random --probability 0.99999999953 -j DROP",
    );
    let mut ctx = at(Hook::Forward, SYN);
    let before = ctx.clone();
    let walked = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(told(&rules, &walked), "FORWARD 4, drop");
    let why = nf::why(&rules, &Default::default(), &walked, 0, &before);
    let say = |r: &northsouth::text::Reason| r.say.text(Lang::En);
    let passed: Vec<_> = why.passed_over.iter().map(say).collect();
    assert_eq!(
        passed,
        [
            "dport is 80, the rule wants 31061",
            "source is 203.0.113.9, the rule wants anything but 203.0.113.0/24",
            "kind of the destination 10.0.0.2 is UNICAST, the rule wants LOCAL",
        ]
    );
    let first: Vec<_> = why.passed_over[0]
        .children
        .iter()
        .map(|r| (r.outcome, r.text.as_str()))
        .collect();
    assert_eq!(
        first,
        [
            (Outcome::Held, "-d 10.0.0.2/32"),
            (Outcome::Held, "-p tcp"),
            (Outcome::Failed, "--dport 31061")
        ]
    );
    assert_eq!(why.passed_over[1].children[1].outcome, Outcome::NotTried);
    let decided: Vec<_> = why.decided.iter().map(say).collect();
    assert_eq!(
        decided,
        [
            "incoming interface is eth0",
            "ctstate is NEW",
            "chance: the toss fell within it"
        ]
    );
    let chinese = why.passed_over[0].say.text(Lang::ZhCn);
    assert_eq!(chinese, "目的端口为 80，规则要求 31061");
}

#[test]
fn a_reply_has_a_direction() {
    let rules = filter(
        "-A FORWARD -m conntrack --ctdir REPLY -j ACCEPT\n-A FORWARD -m conntrack --ctorigdst 10.0.0.2 --ctorigdstport 80 -j ACCEPT",
    );
    let mut ctx = at(Hook::Forward, SYN);
    assert_eq!(
        told(&rules, &walked(&rules, &mut ctx, &mut State::new(1))),
        "FORWARD 2"
    );
    ctx.tracked.direction = Direction::Reply;
    assert_eq!(
        told(&rules, &walked(&rules, &mut ctx, &mut State::new(1))),
        "FORWARD 1"
    );
}

#[test]
fn a_table_that_was_never_loaded_is_not_there() {
    let rules = filter("");
    let mut ctx = at(Hook::Prerouting, SYN);
    assert_eq!(
        walk::traverse(&rules, TableName::Raw, &mut ctx, &mut State::new(1)),
        None
    );
    assert_eq!(
        walk::traverse(&rules, TableName::Filter, &mut ctx, &mut State::new(1)),
        None
    );
}

#[test]
fn the_kernels_own_sockets_exist_and_have_no_owner() {
    let rules = filter(
        "-A OUTPUT -m owner --socket-exists\n-A OUTPUT -m owner --uid-owner 0\n-A OUTPUT -m owner ! --uid-owner 0",
    );
    let mut ctx = at(Hook::Output, "icmp 10.0.0.1 > 203.0.113.9 3/3");
    ctx.kernel_socket = true;
    let walked = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(told(&rules, &walked), "OUTPUT 1, OUTPUT 3, OUTPUT policy");
}

#[test]
fn an_entry_that_is_not_in_the_table_yet_has_no_time_left() {
    let rules = filter(
        "-A FORWARD -m conntrack --ctexpire 0 -j ACCEPT\n-A FORWARD -m conntrack --ctexpire 1:200 -j DROP",
    );
    let mut ctx = at(Hook::Forward, SYN);
    let first = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(told(&rules, &first), "FORWARD 1");
    let entry = ctx.tracked.connection.as_mut().unwrap();
    entry.status.set(StatusBits::CONFIRMED);
    let then = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(told(&rules, &then), "FORWARD 2, drop");
}

#[test]
fn the_first_ct_speaks_for_a_packet() {
    let rules = table(
        "raw",
        ":PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j CT --zone 1\n-A PREROUTING -m conntrack --ctstate NEW\n-A PREROUTING -j CT --zone 2\n-A PREROUTING -j NOTRACK",
    );
    let mut ctx = at(Hook::Prerouting, SYN);
    (ctx.tracked.state, ctx.tracked.connection) = (None, None);
    let walked = walked(&rules, &mut ctx, &mut State::new(1));
    assert!(told(&rules, &walked).starts_with("PREROUTING 1, PREROUTING 2, PREROUTING 3"));
    assert_eq!(ctx.tracked.zone.map(|z| z.id), Some(1));
    assert_eq!(ctx.tracked.state, None);
}

#[test]
fn credit_of_a_limit_begins_anew_past_32_bits() {
    // Three days' worth of credit does not fit: what is left of it is good for one packet.
    let rules = filter("-A FORWARD -m limit --limit 1/day --limit-burst 3 -j ACCEPT");
    let mut state = State::new(1);
    for expect in ["FORWARD 1", "FORWARD policy, drop"] {
        let walked = walked(&rules, &mut at(Hook::Forward, SYN), &mut state);
        assert_eq!(told(&rules, &walked), expect);
    }
}

#[test]
fn a_rule_puts_a_packet_into_a_set_and_takes_it_out() {
    let rules = filter(
        "-A FORWARD -m set --match-set clients dst -j SET --del-set clients dst\n-A FORWARD -m set ! --match-set clients dst -j SET --add-set clients dst --exist --timeout 5",
    );
    let mut state = State::new(1);
    for expect in ["FORWARD 2", "FORWARD 1, FORWARD 2", "FORWARD 1, FORWARD 2"] {
        let walked = walked(&rules, &mut at(Hook::Forward, SYN), &mut state);
        assert_eq!(
            told(&rules, &walked),
            format!("{expect}, FORWARD policy, drop")
        );
    }
    // The host's own list is as it was.
    let ctx = at(Hook::Forward, SYN);
    assert_eq!(
        ctx.env.sets().get("clients").unwrap().entries(0),
        ["203.0.113.9"]
    );
}

#[test]
fn a_sets_member_counts_packets_and_marks_them() {
    let text = ":FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set heavy src --packets-gt 1 --bytes-lt 1000\n-A FORWARD -m set --match-set heavy src ! --update-counters ! --packets-eq 1\n-A FORWARD -j SET --map-set heavy src --map-mark\n-A FORWARD -m mark --mark 0x5/0xf";
    let rules = table("mangle", text);
    let mut state = State::new(1);
    for expect in [
        "FORWARD 3, FORWARD 4, FORWARD policy",
        "FORWARD 1, FORWARD 2, FORWARD 3, FORWARD 4, FORWARD policy",
    ] {
        let mut ctx = at(Hook::Forward, SYN);
        ctx.mark = 0x10;
        let walked = walked(&rules, &mut ctx, &mut state);
        assert_eq!(told(&rules, &walked), expect);
        assert_eq!(ctx.mark, 0x15);
    }
    let sets = state.sets.unwrap();
    // Two rules count each packet, the third does not.
    let bytes = at(Hook::Forward, SYN).packet.length() * 4;
    assert_eq!(
        sets.get("heavy").unwrap().entries(0),
        [format!(
            "203.0.113.9 packets 4 bytes {bytes} skbmark 0x5/0xf"
        )]
    );
}

#[test]
fn why_tells_of_a_set_as_it_was_then() {
    let rules = filter(
        "-A FORWARD -m set --match-set clients dst -j DROP\n-A FORWARD -j SET --add-set clients dst",
    );
    let mut state = State::new(1);
    let before = at(Hook::Forward, SYN);
    let says = |walked: &Traversal| {
        let why = nf::why(&rules, &Default::default(), walked, 0, &before);
        let all = why.passed_over.iter().chain(&why.decided);
        all.map(|r| r.outcome).collect::<Vec<_>>()
    };
    let first = walked(&rules, &mut before.clone(), &mut state);
    let second = walked(&rules, &mut before.clone(), &mut state);
    assert_eq!(says(&first), [Outcome::Failed, Outcome::Held]);
    assert_eq!(says(&second), [Outcome::Held]);
}

#[test]
fn tos_and_dscp_change_their_bits() {
    let rules = table(
        "mangle",
        ":FORWARD ACCEPT [0:0]\n-A FORWARD -j TOS --set-tos 0x13/0xff\n-A FORWARD -j DSCP --set-dscp-class AF31\n-A FORWARD -j TOS --xor-tos 0x01\n-A FORWARD -j CHECKSUM --checksum-fill\n-A FORWARD -m tos --tos 0x6a/0xff",
    );
    let mut ctx = at(Hook::Forward, SYN);
    let walked = walked(&rules, &mut ctx, &mut State::new(1));
    assert_eq!(ctx.packet.tos, 26 << 2 | 2);
    assert_eq!(walked.steps.len(), 6);
    assert_eq!(walked.steps[0].tos, 0x13);
}
