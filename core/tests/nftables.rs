//! nftables: what is read, what is printed, what a packet meets.

mod netfilter;

use std::path::Path;

use netfilter::at;
use northsouth::conntrack::CtState;
use northsouth::netfilter::walk::{StepKind, Verdict};
use northsouth::netfilter::{Context, Hook, nft};
use northsouth::text::{File, FileId, Lang};
use northsouth::trace;
use northsouth::workspace::{self, Workspace};

fn data() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nft");
    let read = |e: std::io::Result<std::fs::DirEntry>| {
        let path = e.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    let mut all: Vec<_> = std::fs::read_dir(dir).unwrap().map(read).collect();
    all.sort();
    all
}

fn read(text: &str) -> nft::Ruleset {
    let (rules, diagnostics) = nft::read(text, FileId(0));
    let said: Vec<_> = diagnostics
        .iter()
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert!(said.is_empty(), "{said:?}");
    rules
}

/// Tables written in a block; the chains have their hooks at the front.
fn table(body: &str) -> nft::Ruleset {
    read(&format!("table ip t {{\n{body}\n}}\n"))
}

/// All base chains of the packet's hook in the order in which they were written, up to a verdict that ends the way:
/// `CHAIN NUMBER` for each rule that matched, `CHAIN policy`, and the verdict.
fn walk(rules: &nft::Ruleset, ctx: &mut Context, state: &mut nft::State) -> String {
    let mut out = Vec::new();
    for (base, _) in rules.base_chains(ctx.hook, ctx.packet.dst.is_ipv6()) {
        let walked = nft::traverse(rules, base, ctx, state).unwrap();
        for step in &walked.steps {
            let chain = &rules
                .table(base.table)
                .unwrap()
                .chain(step.chain)
                .unwrap()
                .name;
            out.push(match step.kind {
                StepKind::Rule => format!("{chain} {}", step.index + 1),
                StepKind::Policy => format!("{chain} policy"),
                StepKind::Return => format!("{chain} end"),
            });
        }
        if walked.verdict != Verdict::Accept {
            out.push(match walked.verdict {
                Verdict::Nat(nat) => {
                    let addr = nat
                        .range
                        .addrs
                        .map(|a| a.low.to_string())
                        .unwrap_or_default();
                    let port = nat
                        .range
                        .ports
                        .map(|p| format!(":{}", p.low))
                        .unwrap_or_default();
                    format!("{:?} {addr}{port}", nat.kind).trim().to_lowercase()
                }
                Verdict::CannotTell(what) => format!("cannot tell {}", what.text),
                other => format!("{other:?}").to_lowercase(),
            });
            break;
        }
    }
    out.join(", ")
}

fn check(rules: &nft::Ruleset, hook: Hook, packet: &str, expect: &str) {
    let mut ctx = at(hook, packet);
    assert_eq!(
        walk(rules, &mut ctx, &mut nft::State::new(1)),
        expect,
        "{packet}"
    );
}

#[test]
fn what_nft_takes_is_printed_as_nft_lists_it() {
    let all = data();
    let mut played = 0;
    for (name, text) in &all {
        let listed = match name.strip_suffix(".list.nft") {
            Some(_) => text,
            None => {
                let list = name.replace(".nft", ".list.nft");
                &all.iter().find(|(n, _)| *n == list).unwrap().1
            }
        };
        assert_eq!(read(text).to_string(), *listed, "{name}");
        played += 1;
    }
    assert_eq!(played, all.len());
}

#[test]
fn accept_ends_its_own_base_chain_and_drop_ends_all() {
    let rules = table(
        "chain a { type filter hook forward priority 0; policy accept;
            tcp dport 80 accept
            tcp dport 81 drop
            tcp dport 82 return
         }
         chain b { type filter hook forward priority 10; policy drop;
            tcp dport { 81, 82 } accept
         }",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:80",
        "a 1, b policy, drop",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:81",
        "a 2, drop",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:82",
        "a 3, a policy, b 1",
    );
}

#[test]
fn a_goto_does_not_come_back_and_a_jump_does() {
    let rules = table(
        "chain deep {
            tcp dport 1 return
            counter
         }
         chain gone {
            goto deep
            counter
         }
         chain a { type filter hook forward priority 0; policy drop;
            tcp sport 1 jump gone
            tcp sport 2 goto gone
            accept
         }",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:1",
        "a 1, gone 1, deep 1, a 3",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:2",
        "a 1, gone 1, deep 2, deep end, a 3",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:2 > 10.0.0.2:1",
        "a 2, gone 1, deep 1, a policy, drop",
    );
}

#[test]
fn maps_give_verdicts_addresses_and_ports() {
    let rules = table(
        "map services { type ipv4_addr . inet_proto . inet_service : verdict
            elements = { 10.9.0.1 . tcp . 80 : goto http, 10.9.0.1 . udp . 53 : drop }
         }
         map both { type ipv4_addr . inet_service : ipv4_addr . inet_service
            elements = { 10.9.0.2 . 80 : 172.20.1.157 . 8080 }
         }
         chain http {
            meta l4proto tcp dnat to 172.20.1.157:80
         }
         chain pre { type nat hook prerouting priority dstnat; policy accept;
            ip daddr . meta l4proto . th dport vmap @services
            dnat to ip daddr . tcp dport map @both
            udp dport 54 dnat to ip saddr map { 203.0.113.0/24 : 172.20.1.1, * : 172.20.1.2 }
            tcp dport 81 redirect to :15001
         }",
    );
    let pre = Hook::Prerouting;
    check(
        &rules,
        pre,
        "tcp 203.0.113.9:1 > 10.9.0.1:80",
        "pre 1, http 1, dnat 172.20.1.157:80",
    );
    check(
        &rules,
        pre,
        "udp 203.0.113.9:1 > 10.9.0.1:53",
        "pre 1, drop",
    );
    check(
        &rules,
        pre,
        "tcp 203.0.113.9:1 > 10.9.0.2:80",
        "pre 2, dnat 172.20.1.157:8080",
    );
    check(
        &rules,
        pre,
        "udp 203.0.113.9:1 > 10.9.0.2:54",
        "pre 3, dnat 172.20.1.1",
    );
    check(
        &rules,
        pre,
        "udp 198.51.100.1:1 > 10.9.0.2:54",
        "pre 3, dnat 172.20.1.2",
    );
    check(
        &rules,
        pre,
        "tcp 203.0.113.9:1 > 10.9.0.2:81",
        "pre 4, redirect 10.0.0.1:15001",
    );
    check(&rules, pre, "tcp 203.0.113.9:1 > 10.9.0.2:82", "pre policy");
}

#[test]
fn a_counted_number_takes_turns_and_a_hash_is_the_kernels() {
    let rules = table(
        "chain pre { type nat hook prerouting priority dstnat; policy accept;
            udp dport 53 dnat to numgen inc mod 2 map { 0 : 172.20.1.1, 1 : 172.20.1.2 }
            ip daddr 172.21.0.10 dnat to jhash ip saddr mod 2 seed 0xdeadbeef map { 0 : 172.20.1.157, 1 : 172.20.1.158 }
         }",
    );
    let mut state = nft::State::new(1);
    let mut next = || {
        walk(
            &rules,
            &mut at(Hook::Prerouting, "udp 203.0.113.9:1 > 10.0.0.1:53"),
            &mut state,
        )
    };
    let turns = [next(), next(), next()];
    assert_eq!(
        turns,
        [
            "pre 1, dnat 172.20.1.1",
            "pre 1, dnat 172.20.1.2",
            "pre 1, dnat 172.20.1.1"
        ]
    );
}

#[test]
fn affinity_lasts_as_long_as_its_set_says() {
    let rules = table(
        "set seen { type ipv4_addr; size 2; flags dynamic,timeout; timeout 3h; }
         chain a { type filter hook forward priority 0; policy accept;
            ip saddr @seen accept
            update @seen { ip saddr } drop
         }",
    );
    let mut state = nft::State::new(1);
    let mut go = |now: u64, src: &str| {
        let mut ctx = at(Hook::Forward, &format!("tcp {src}:1 > 10.0.0.2:80"));
        ctx.now = now;
        walk(&rules, &mut ctx, &mut state)
    };
    assert_eq!(go(0, "203.0.113.1"), "a 2, drop");
    assert_eq!(go(10_799_999, "203.0.113.1"), "a 1");
    assert_eq!(
        go(10_800_000, "203.0.113.1"),
        "a 2, drop",
        "three hours later it is forgotten"
    );
    assert_eq!(go(10_800_000, "203.0.113.2"), "a 2, drop");
    assert_eq!(
        go(10_800_000, "203.0.113.3"),
        "a policy",
        "a full set takes no more, and the rule ends there"
    );
}

#[test]
fn what_a_packet_lacks_fails_whatever_is_asked() {
    let rules = table(
        "chain a { type filter hook input priority 0; policy accept;
            tcp dport != 22 drop
            ct mark 0 drop
            meta skuid != 0 drop
            oifname != \"eth0\" accept
         }",
    );
    let mut ctx = at(Hook::Input, "icmp 203.0.113.9 > 10.0.0.1 8/0");
    ctx.tracked.connection = None;
    assert_eq!(
        walk(&rules, &mut ctx, &mut nft::State::new(1)),
        "a 4",
        "an interface it has not is an empty name"
    );
}

#[test]
fn marks_are_set_by_bits_and_changes_stay_where_a_later_question_fails() {
    let rules = table(
        "chain a { type filter hook forward priority 0; policy accept;
            meta mark set meta mark | 0x4000 tcp dport 443 drop
            meta mark & 0x4000 == 0x4000 ct mark set meta mark
            meta mark set meta mark ^ 0x4000
         }",
    );
    let mut ctx = at(Hook::Forward, "tcp 203.0.113.9:1 > 10.0.0.2:80");
    assert_eq!(
        walk(&rules, &mut ctx, &mut nft::State::new(1)),
        "a 2, a 3, a policy"
    );
    assert_eq!(
        (ctx.mark, ctx.tracked.connection.unwrap().mark),
        (0, 0x4000)
    );
}

#[test]
fn what_is_not_modelled_ends_the_walk_only_where_a_packet_meets_it() {
    let text = "table ip t {\nchain a { type filter hook forward priority 0; policy accept;\ntcp dport 80 queue num 5\n}\n}\n";
    let (rules, diagnostics) = nft::read(text, FileId(0));
    assert_eq!(diagnostics[0].code(), "nft/not-modelled");
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:81",
        "a policy",
    );
    check(
        &rules,
        Hook::Forward,
        "tcp 203.0.113.9:1 > 10.0.0.2:80",
        "a 1, cannot tell queue num 5",
    );
}

#[test]
fn each_mistake_is_said_where_it_stands() {
    let inside = [
        (
            "ip saddr 1.2.3.4/33 drop",
            "3:18 33 is out of range: at most 32",
        ),
        (
            "ip saddr example.org drop",
            "3:10 names such as `example.org` are not looked up: give the address",
        ),
        (
            "tcp dport 65536 drop",
            "3:11 65536 is out of range: at most 65535",
        ),
        (
            "tcp dport 80 jump nowhere",
            "3:19 the chain `nowhere` is not defined in table ip t",
        ),
        (
            "ip saddr @nothing drop",
            "3:10 the set `nothing` is not defined in table ip t",
        ),
        (
            "ip saddr @m drop",
            "3:10 `m` is a map: use it with `map` or `vmap`",
        ),
        ("tcp dport vmap @s", "3:16 `s` is a set, not a map"),
        (
            "tcp dport @s drop",
            "3:11 the key is inet_service, but `s` has ipv4_addr",
        ),
        ("frobnicate drop", "3:1 unknown expression `frobnicate`"),
        (
            "tcp dport 80 jump base",
            "3:19 `base` is a base chain, which cannot be jumped to",
        ),
        ("ct state frob drop", "3:10 `frob` is no ct_state"),
        ("meta frob 1 drop", "3:6 `meta` knows no `frob`"),
        ("tcp dport { 80, 443", "5:1 unknown expression `chain`"),
        (
            "dnat to 1.2.3.4:80",
            "3:1 a port can be translated only after the rule has asked for the transport protocol",
        ),
        (
            "numgen inc mod 0 vmap { 0 : drop }",
            "3:16 `mod 0` leaves nothing to choose from",
        ),
        (
            "limit rate 0/second drop",
            "3:12 a rate of 0 never lets anything through",
        ),
        (
            "reject with icmpv6 no-route",
            "3:13 `reject with icmpv6` does not fit a table of family ip",
        ),
        (
            "ip saddr $nets drop",
            "3:10 the variable `$nets` is not defined",
        ),
        ("log prefix \"x", "3:12 the quoted text has no end"),
    ];
    for (rule, expect) in inside {
        let text = format!(
            "table ip t {{\nchain c {{\n{rule}\n}}\nchain base {{ type filter hook input priority 0; policy accept; }}\nset s {{ type ipv4_addr; }}\nmap m {{ type ipv4_addr : verdict; }}\n}}\n"
        );
        let file = File::new("f", &text);
        let (_, diagnostics) = nft::read(&text, FileId(0));
        let said: Vec<_> = diagnostics
            .iter()
            .map(|d| {
                let at = file.line_column(d.span.start);
                format!("{}:{} {}", at.line, at.column, d.message.text(Lang::En))
            })
            .collect();
        assert!(
            said.iter().any(|s| s.starts_with(expect)),
            "{rule}: {said:?}"
        );
    }
}

#[test]
fn a_circle_of_jumps_is_said_and_walked_no_further() {
    let text = "table ip t {\nchain x {\ngoto y\n}\nchain y {\ntcp dport vmap { 80 : goto x }\n}\nchain a { type filter hook forward priority 0; policy accept;\ngoto x\n}\n}\n";
    let (rules, diagnostics) = nft::read(text, FileId(0));
    let said: Vec<_> = diagnostics
        .iter()
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert_eq!(said, ["jump loop: x → y → x; the kernel refuses it"]);
    let walked = walk(
        &rules,
        &mut at(Hook::Forward, "tcp 203.0.113.9:1 > 10.0.0.2:80"),
        &mut nft::State::new(1),
    );
    assert!(
        walked.ends_with("cannot tell jumps nested more than 16 deep, or going round in circles")
    );
}

#[test]
fn a_mistake_costs_its_rule_and_no_more() {
    let text = "table ip t {\nchain c {\ncounter\nip saddr 1.2.3.4/99 drop\naccept\n}\nchain d {\ndrop\n}\n}\n";
    let (rules, diagnostics) = nft::read(text, FileId(0));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(
        rules.to_string(),
        "table ip t {\n\tchain c {\n\t\tcounter packets 0 bytes 0\n\t\taccept\n\t}\n\n\tchain d {\n\t\tdrop\n\t}\n}\n"
    );
}

#[test]
fn commands_make_change_and_take_away() {
    let rules = read(
        "define ADDRS = { 10.0.0.1, 10.0.0.2 }
         add table ip t
         add chain ip t gone
         add chain ip t c { type filter hook input priority filter ; policy drop ; }
         add set ip t s { type ipv4_addr ; }
         add element ip t s $ADDRS
         delete element ip t s { 10.0.0.1 }
         add rule ip t c ip saddr @s accept
         insert rule ip t c ct state established accept
         delete chain ip t gone
         add chain ip t late
         add rule ip t c jump late
         flush chain ip t late
         table ip other { }
         delete table ip other
        ",
    );
    assert_eq!(
        rules.to_string(),
        "table ip t {
\tset s {
\t\ttype ipv4_addr
\t\telements = { 10.0.0.2 }
\t}

\tchain c {
\t\ttype filter hook input priority filter; policy drop;
\t\tct state established accept
\t\tip saddr @s accept
\t\tjump late
\t}

\tchain late {
\t}
}
"
    );
}

#[test]
fn why_names_the_value_that_a_rule_did_not_want() {
    let rules = table(
        "set vips { type ipv4_addr; elements = { 10.9.0.1 } }
         chain a { type filter hook forward priority 0; policy accept;
            tcp dport 443 drop
            ip daddr @vips drop
            meta mark & 0xff == 0x1 drop
            tcp dport vmap { 22 : drop }
            ct state new tcp dport 80 reject
         }",
    );
    let mut ctx = at(Hook::Forward, "tcp 203.0.113.9:1 > 10.0.0.2:80");
    let before = ctx.clone();
    let (base, _) = rules.base_chains(Hook::Forward, false).next().unwrap();
    let walked = nft::traverse(&rules, base, &mut ctx, &mut nft::State::new(1)).unwrap();
    let why = netfilter_why(&rules, &walked, &before);
    assert_eq!(
        why,
        "tcp dport is 80, the rule wants 443
ip daddr is 10.0.0.2, the rule wants @vips
meta mark & 0x000000ff is 0x00000000, the rule wants 0x00000001
tcp dport is 80, which { 22 : drop } does not have
ct state is new
tcp dport is 80"
    );
}

fn netfilter_why(
    rules: &nft::Ruleset,
    walked: &northsouth::netfilter::walk::Traversal,
    ctx: &Context,
) -> String {
    let none = northsouth::netfilter::Ruleset::default();
    let why = northsouth::netfilter::why(&none, rules, walked, 0, ctx);
    let all = why.passed_over.iter().chain(&why.decided);
    all.map(|r| r.say.text(Lang::En))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_packet_that_loops_back_is_sent_back_by_lo() {
    let rules = table(
        "chain in { type filter hook input priority 0; policy accept;
            fib saddr . iif oif exists accept
            drop
        }",
    );
    let mut ctx = at(Hook::Input, "tcp 192.0.2.1:40000 > 10.0.0.1:80 S");
    ctx.in_iface = Some("lo");
    let told = walk(&rules, &mut ctx, &mut nft::State::new(1));
    assert!(told.starts_with("in 1"), "{told}");
}

#[test]
fn whole_packets_have_no_fragment_offset_and_may_change_kind() {
    let rules = table(
        "chain f { type filter hook forward priority 0; policy accept;
            ip frag-off & 0x1fff != 0 drop
            ct expiration 1s-200s drop
            meta pkttype set multicast
            meta pkttype multicast accept
            drop
        }",
    );
    let told = walk(
        &rules,
        &mut at(Hook::Forward, "tcp 203.0.113.9:40000 > 10.0.0.2:80 S"),
        &mut nft::State::new(1),
    );
    assert_eq!(told, "f 3, f 4");
}

/// Linux 6.18 says `used` up to the quota and no more.
#[test]
fn a_quota_holds_until_its_bytes_have_come() {
    let rules = table(
        "chain o { type filter hook forward priority 0; policy accept;
            quota 60 bytes accept
            quota over 300 bytes used 220 bytes drop
        }",
    );
    let mut state = nft::State::new(1);
    // Each packet has 40 bytes; the second rule meets those that the first no longer takes.
    let mut told = Vec::new();
    for _ in 0..5 {
        let packet = "tcp 203.0.113.9:40000 > 10.0.0.2:80 S";
        told.push(walk(&rules, &mut at(Hook::Forward, packet), &mut state));
    }
    assert_eq!(
        told,
        ["o 1", "o policy", "o policy", "o 2, drop", "o 2, drop"]
    );
    let after = nft::after(&rules, &state, 0).to_string();
    assert!(after.contains("quota 60 bytes used 60 bytes accept"));
    assert!(after.contains("quota over 300 bytes used 300 bytes drop"));
}

#[test]
fn a_connections_packets_and_bytes_are_those_with_this_one() {
    let run = node_run(
        "  ct original packets 2 drop
  ct avgpkt < 28 drop
  ct reply bytes 0 ct original packets 1 ct bytes >= 28 accept
  drop
",
    );
    let ends = &run.trace.journeys[0];
    let rules = ends.hops[0].steps.iter().filter_map(|s| match &s.action {
        trace::Action::Rule(rule) => rule.step().map(|s| s.index + 1),
        _ => None,
    });
    assert_eq!(rules.collect::<Vec<_>>(), [3]);
}

/// A UDP packet sent by a node with these rules in its chain `output`.
fn node_run(rules: &str) -> workspace::Run {
    let node = |name: &str, text: &str| File::new(&format!("nodes/n/{name}"), text);
    let address = "2: eth0: <UP,LOWER_UP> mtu 1500\n    inet 192.168.0.17/24 scope global eth0\n";
    let rules = format!(
        "table ip t {{\n chain c {{\n  type filter hook output priority 0\n{rules} }}\n}}\n"
    );
    workspace::run(&Workspace {
        files: vec![
            node("ip-addr.txt", address),
            node("nft-ruleset.txt", &rules),
        ],
        probe: workspace::parse_probe("n udp 192.168.0.53:53").unwrap(),
        seed: 1,
    })
}

/// A node of iptables-nft prints its rules twice.
#[test]
fn a_table_of_iptables_counts_once() {
    let node = |name: &str, text: &str| File::new(&format!("nodes/n/{name}"), text);
    let saved = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT\nCOMMIT\n";
    let listed = "# Warning: table ip filter is managed by iptables-nft, do not touch!\ntable ip filter {\n\tchain OUTPUT {\n\t\ttype filter hook output priority filter; policy accept;\n\t\tudp dport 53 accept\n\t}\n}\ntable ip own {\n}\n";
    let run = |files: Vec<File>| {
        workspace::run(&Workspace {
            files,
            probe: workspace::parse_probe("n udp 192.168.0.53:53").unwrap(),
            seed: 1,
        })
    };
    let tables = |run: &workspace::Run| {
        let host = run.world.hosts.iter().find(|h| &*h.name == "n").unwrap();
        let names = host.nft.tables.iter().map(|t| t.name.to_string());
        names.collect::<Vec<_>>()
    };
    let both = run(vec![
        node("iptables-save.txt", saved),
        node("nft-ruleset.txt", listed),
    ]);
    assert_eq!(tables(&both), ["own"]);
    let codes: Vec<_> = both.diagnostics.iter().map(|d| d.code()).collect();
    assert!(codes.contains(&"texts/table-of-iptables"), "{codes:?}");
    let alone = run(vec![node("nft-ruleset.txt", listed)]);
    assert_eq!(tables(&alone), ["filter", "own"]);

    // A file of nft's output lacks the warning, as that goes to the other stream; iptables-save says it too.
    let bare = listed.split_once('\n').unwrap().1;
    let version = "# Generated by iptables-save v1.8.9 (nf_tables) on Thu Nov 26 05:11:25 2026\n";
    let older = |saved: &str| {
        run(vec![
            node("iptables-save.txt", saved),
            node("nft-ruleset.txt", bare),
        ])
    };
    assert_eq!(tables(&older(&format!("{version}{saved}"))), ["own"]);
    // Of the legacy one they are tables of another's with the same name.
    let legacy = version.replace(" (nf_tables)", "");
    let legacy = older(&format!("{legacy}{saved}"));
    assert_eq!(tables(&legacy), ["filter", "own"]);
}

#[test]
fn why_knows_the_kind_that_an_earlier_rule_gave_the_packet() {
    let run = node_run(
        "  meta pkttype set multicast
  meta pkttype set 4
  meta pkttype host drop
  meta pkttype multicast accept
",
    );
    let hop = &run.trace.journeys[0].hops[0];
    let accepts = |step: &&trace::Step| matches!(&step.action, trace::Action::Rule(r) if r.at == 2);
    let step = hop.steps.iter().find(accepts).unwrap();
    let why = trace::why(&run.world, hop.host, step);
    let all = why.passed_over.iter().chain(&why.decided);
    let says: Vec<_> = all.map(|r| r.say.text(Lang::En)).collect();
    assert_eq!(
        says,
        [
            "meta pkttype is multicast, the rule wants host",
            "meta pkttype is multicast"
        ]
    );
}

#[test]
fn a_field_of_tcp_makes_the_transport_known_even_turned_round() {
    let text = "table ip t { chain p { type nat hook prerouting priority -100;
        tcp flags != syn dnat to 10.0.0.2:8080
    } }";
    assert!(nft::read(text, FileId(0)).1.is_empty());
    let text = text.replace("tcp flags != syn", "meta l4proto != tcp");
    assert!(!nft::read(&text, FileId(0)).1.is_empty());
}

#[test]
fn an_invalid_packet_may_still_be_left_untracked() {
    let rules = table(
        "chain p { type filter hook prerouting priority mangle; policy accept;
            ct state invalid notrack
            ct state untracked accept
            drop
        }",
    );
    let mut ctx = at(Hook::Prerouting, "tcp 203.0.113.9:40000 > 10.0.0.2:80 F");
    (ctx.tracked.state, ctx.tracked.connection) = (Some(CtState::Invalid), None);
    let told = walk(&rules, &mut ctx, &mut nft::State::new(1));
    assert_eq!(told, "p 1, p 2");
}
