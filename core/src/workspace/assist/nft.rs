//! Texts of `nft list ruleset`.

use super::{At, Candidate, interfaces, plain};
use crate::say;
use crate::text::Say;
use crate::topology::Host;

/// What a rule may begin with, and what may follow in it.
const STATEMENTS: [&str; 26] = [
    "accept",
    "drop",
    "reject",
    "return",
    "jump",
    "goto",
    "dnat",
    "snat",
    "masquerade",
    "redirect",
    "counter",
    "notrack",
    "ct",
    "ip",
    "ip6",
    "tcp",
    "udp",
    "meta",
    "fib",
    "numgen",
    "iifname",
    "oifname",
    "mark",
    "vmap",
    "limit",
    "log",
];

pub(super) fn candidates(at: &At<'_>, host: Option<&Host>) -> Vec<Candidate> {
    let words: Vec<&str> = at.before.split_whitespace().collect();
    if at.word.starts_with('@') {
        return declared(at, &["set ", "map "], "@", &say!("assist/nft-set-of"));
    }
    match words.last().copied().unwrap_or_default() {
        "jump" | "goto" => declared(at, &["chain "], "", &say!("assist/nft-chain")),
        "iifname" | "oifname" | "iif" | "oif" => interfaces(host),
        "table" => plain(&["ip", "ip6", "inet"]),
        "hook" => plain(&["prerouting", "input", "forward", "output", "postrouting"]),
        "priority" => plain(&["raw", "mangle", "dstnat", "filter", "security", "srcnat"]),
        "policy" => plain(&["accept", "drop"]),
        "type" if words.contains(&"fib") => plain(&["local", "unicast", "broadcast", "multicast"]),
        "type" => plain(&[
            "filter",
            "nat",
            "route",
            "ipv4_addr",
            "ipv6_addr",
            "inet_service",
        ]),
        "ct" => plain(&["state", "status", "direction", "mark", "original", "reply"]),
        "state" => plain(&["new", "established", "related", "invalid", "untracked"]),
        "status" => plain(&["dnat", "snat", "assured", "confirmed"]),
        "tcp" => plain(&["dport", "sport", "flags"]),
        "udp" | "th" | "sctp" => plain(&["dport", "sport"]),
        "ip" => plain(&["saddr", "daddr", "protocol", "ttl", "dscp", "length"]),
        "ip6" => plain(&["saddr", "daddr", "nexthdr", "hoplimit", "dscp", "length"]),
        "meta" => plain(&[
            "l4proto", "nfproto", "mark", "iifname", "oifname", "pkttype", "skuid",
        ]),
        "fib" => plain(&["daddr type", "saddr type"]),
        "numgen" => plain(&["random mod", "inc mod"]),
        "reject" => plain(&["with"]),
        "dnat" | "snat" => plain(&["to", "ip to", "ip6 to"]),
        last => {
            let all: &[&str] = match depth(at) {
                0 => &["table"],
                1 => &["chain", "set", "map"],
                _ if last.is_empty() => &["type", "policy", "update"],
                _ => &[],
            };
            let rule: &[&str] = if depth(at) < 2 { &[] } else { &STATEMENTS };
            let all = all.iter().chain(rule).map(|word| Candidate {
                label: (*word).to_string(),
                about: about(word),
            });
            all.collect()
        }
    }
}

/// How many braces are open: none, those of a table, those of what is in it.
fn depth(at: &At<'_>) -> usize {
    let head = at.lines_before().chain([at.before]);
    let code = head.map(|line| line.split('#').next().unwrap_or_default());
    let mut open = 0usize;
    for c in code.flat_map(str::chars) {
        match c {
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

/// What the table that the line is in declares, each with a sign before its name.
fn declared(at: &At<'_>, kinds: &[&str], sign: &str, about: &Say) -> Vec<Candidate> {
    let is_table = |line: &&str| line.starts_with("table ");
    let above: Vec<&str> = at.lines_before().collect();
    let start = above.iter().rposition(is_table).unwrap_or(0);
    let after = at.text.get(at.line_start..).unwrap_or("").lines();
    let below = after.take_while(|l| !is_table(l));
    let lines = above.into_iter().skip(start).chain(below);
    let names = lines.filter_map(|line| {
        let line = line.trim_start();
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        rest.split([' ', '{']).find(|name| !name.is_empty())
    });
    let all = names.map(|name| Candidate {
        label: format!("{sign}{name}"),
        about: Some(about.clone()),
    });
    all.collect()
}

fn about(word: &str) -> Option<Say> {
    Some(match word {
        "table" => say!("assist/nft-table"),
        "chain" => say!("assist/nft-chain"),
        "set" => say!("assist/nft-set"),
        "map" => say!("assist/nft-map"),
        "type" => say!("assist/nft-type"),
        "policy" => say!("assist/nft-policy"),
        "accept" => say!("assist/nft-accept"),
        "drop" => say!("assist/nft-drop"),
        "reject" => say!("assist/nft-reject"),
        "return" => say!("assist/nft-return"),
        "jump" => say!("assist/nft-jump"),
        "goto" => say!("assist/nft-goto"),
        "dnat" => say!("assist/nft-dnat"),
        "snat" => say!("assist/nft-snat"),
        "masquerade" => say!("assist/nft-masquerade"),
        "redirect" => say!("assist/nft-redirect"),
        "counter" => say!("assist/nft-counter"),
        "notrack" => say!("assist/nft-notrack"),
        "ct" => say!("assist/nft-ct"),
        "ip" => say!("assist/nft-ip"),
        "ip6" => say!("assist/nft-ip6"),
        "tcp" => say!("assist/nft-tcp"),
        "udp" => say!("assist/nft-udp"),
        "meta" => say!("assist/nft-meta"),
        "fib" => say!("assist/nft-fib"),
        "numgen" => say!("assist/nft-numgen"),
        "iifname" => say!("assist/nft-iifname"),
        "oifname" => say!("assist/nft-oifname"),
        "mark" => say!("assist/nft-mark"),
        "vmap" => say!("assist/nft-vmap"),
        "limit" => say!("assist/nft-limit"),
        "update" => say!("assist/nft-update"),
        "log" => say!("assist/nft-log"),
        _ => return None,
    })
}
