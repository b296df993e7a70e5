//! nftables: what a packet meets in its chains, and why.

mod netfilter;
mod nft;

use netfilter::at;
use nft::{read, walk};
use northsouth::conntrack::CtState;
use northsouth::netfilter::{Context, Hook, nft as nftables};
use northsouth::text::{FileId, Lang};

/// Tables written in a block; the chains have their hooks at the front.
fn table(body: &str) -> nftables::Ruleset {
    read(&format!("table ip t {{\n{body}\n}}\n"))
}

fn check(rules: &nftables::Ruleset, hook: Hook, packet: &str, expect: &str) {
    let mut ctx = at(hook, packet);
    assert_eq!(
        walk(rules, &mut ctx, &mut nftables::State::new(1)),
        expect,
        "{packet}"
    );
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
    let mut state = nftables::State::new(1);
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
    let mut state = nftables::State::new(1);
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
        walk(&rules, &mut ctx, &mut nftables::State::new(1)),
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
        walk(&rules, &mut ctx, &mut nftables::State::new(1)),
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
    let (rules, diagnostics) = nftables::read(text, FileId(0));
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
    let walked = nftables::traverse(&rules, base, &mut ctx, &mut nftables::State::new(1)).unwrap();
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
    rules: &nftables::Ruleset,
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
    let told = walk(&rules, &mut ctx, &mut nftables::State::new(1));
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
        &mut nftables::State::new(1),
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
    let mut state = nftables::State::new(1);
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
    let after = nftables::after(&rules, &state, 0).to_string();
    assert!(after.contains("quota 60 bytes used 60 bytes accept"));
    assert!(after.contains("quota over 300 bytes used 300 bytes drop"));
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
    let told = walk(&rules, &mut ctx, &mut nftables::State::new(1));
    assert_eq!(told, "p 1, p 2");
}

#[test]
fn rules_share_a_quota_and_a_limit() {
    let rules = table(
        "quota q {
            over 60 bytes
         }
         limit l {
            rate 1/hour burst 1 packets
         }
         chain a { type filter hook forward priority 0; policy accept;
            tcp dport 80 quota name \"q\" drop
            tcp dport 81 quota name q drop
            limit name \"l\" accept
            limit name \"l\" accept
            drop
         }",
    );
    let mut state = nftables::State::new(1);
    // Each has 40 bytes; the first takes what the limit has for all.
    let mut go = |port: u16| {
        let packet = format!("tcp 203.0.113.9:40000 > 10.0.0.2:{port} S");
        walk(&rules, &mut at(Hook::Forward, &packet), &mut state)
    };
    assert_eq!([go(80), go(81), go(82)], ["a 3", "a 2, drop", "a 5, drop"]);
    let after = nftables::after(&rules, &state, 0).to_string();
    assert!(after.contains("over 60 bytes used 60 bytes"), "{after}");
}

#[test]
fn bits_of_headers_are_told_as_far_as_the_model_has_them() {
    let rules = table(
        "chain a { type filter hook forward priority 0; policy accept;
            @nh,4,4 6 drop
            @nh,72,8 6 @nh,160,16 40000 @th,104,8 & 0x12 == 0x2 accept
            udp dport 53 @th,64,16 0x1234 drop
            @th,32,32 7 drop
         }",
    );
    let told = |packet| {
        walk(
            &rules,
            &mut at(Hook::Forward, packet),
            &mut nftables::State::new(1),
        )
    };
    assert_eq!(told("tcp 203.0.113.9:40000 > 10.0.0.2:80 S"), "a 2");
    assert_eq!(
        told("tcp 203.0.113.9:40000 > 10.0.0.2:80 A"),
        "a 4, cannot tell @th,32,32 0x7"
    );
    assert_eq!(
        told("udp 203.0.113.9:40000 > 10.0.0.2:53"),
        "a 4, cannot tell @th,32,32 0x7",
        "an empty datagram has no bytes that could be asked"
    );
}

#[test]
fn only_what_opens_a_connection_has_a_segment_size_to_change() {
    let rules = table(
        "chain a { type filter hook forward priority mangle; policy accept;
            tcp option maxseg size set rt mtu counter
            tcp option sack-perm missing accept
         }",
    );
    let told = |packet| {
        walk(
            &rules,
            &mut at(Hook::Forward, packet),
            &mut nftables::State::new(1),
        )
    };
    assert_eq!(
        told("tcp 203.0.113.9:40000 > 10.0.0.2:80 S"),
        "a 1, a 2, cannot tell tcp option sack-perm missing"
    );
    assert_eq!(told("tcp 203.0.113.9:40000 > 10.0.0.2:80 A"), "a 2");
    assert_eq!(told("udp 203.0.113.9:40000 > 10.0.0.2:80"), "a policy");
}
