//! Texts of `nft list ruleset`.

use super::{At, Candidate, interfaces, plain};
use crate::netfilter::nft::Table;
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
        return sets(at, host);
    }
    match words.last().copied().unwrap_or_default() {
        "jump" | "goto" => chains(at, host),
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
            let depth = depth(at, host);
            let all: &[&str] = match depth {
                0 => &["table"],
                1 => &["chain", "set", "map"],
                _ if last.is_empty() => &["type", "policy", "update"],
                _ => &[],
            };
            let rule: &[&str] = if depth < 2 { &[] } else { &STATEMENTS };
            let all = all.iter().chain(rule).map(|word| Candidate {
                label: (*word).to_string(),
                about: about(word),
            });
            all.collect()
        }
    }
}

fn tables(host: Option<&Host>) -> impl Iterator<Item = &Table> {
    host.into_iter().flat_map(|host| &host.nft.tables)
}

/// The table that the line is in, as it was read.
fn table<'h>(at: &At<'_>, host: Option<&'h Host>) -> Option<&'h Table> {
    let found = at.last_above(tables(host).map(|table| (table.span, table)));
    found.map(|(_, table)| table)
}

/// How many braces are open: none, those of a table, those of what is in it. They are counted from what was read above as a
/// table's, or as what a table has.
fn depth(at: &At<'_>, host: Option<&Host>) -> usize {
    let begins = tables(host).flat_map(|table| {
        let chains = table.chains.iter().map(|chain| (chain.span, 1));
        let sets = table.sets.iter().map(|set| (set.span, 1));
        chains.chain(sets).chain([(table.span, 0)])
    });
    let (start, mut open) = at
        .last_above(begins)
        .map_or((0, 0_usize), |(span, depth)| (span.start as usize, depth));
    let above = at.above.get(start..).unwrap_or_default();
    let head = above.lines().chain([at.before]);
    let code = head.map(|line| line.split('#').next().unwrap_or_default());
    for c in code.flat_map(str::chars) {
        match c {
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

fn chains(at: &At<'_>, host: Option<&Host>) -> Vec<Candidate> {
    let chains = table(at, host).into_iter().flat_map(|table| &table.chains);
    let all = chains.map(|chain| Candidate {
        label: chain.name.to_string(),
        about: Some(say!("assist/nft-chain")),
    });
    all.collect()
}

fn sets(at: &At<'_>, host: Option<&Host>) -> Vec<Candidate> {
    let sets = table(at, host).into_iter().flat_map(|table| &table.sets);
    let all = sets.map(|set| Candidate {
        label: format!("@{}", set.name),
        about: Some(say!("assist/nft-set-of")),
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
