//! Lines of `iptables-save` and `ip6tables-save`.

use super::{At, Candidate, docs, interfaces, plain};
use crate::net::IpFamily;
use crate::netfilter;
use crate::say;
use crate::topology::Host;

pub(super) fn candidates(at: &At<'_>, family: IpFamily, host: Option<&Host>) -> Vec<Candidate> {
    let words: Vec<&str> = at.before.split_whitespace().collect();
    // Counters before a rule are no word of it.
    let rest = match words.split_first() {
        Some((first, rest)) if first.starts_with('[') => rest,
        _ => &words[..],
    };
    let Some(last) = rest.last() else {
        return plain(&["-A", "*nat", "*filter", "*mangle", "*raw", "COMMIT"])
            .into_iter()
            .map(|c| Candidate {
                about: docs::option(&c.label),
                ..c
            })
            .collect();
    };
    match *last {
        "-A" | "-I" | "--append" => chains(at, host),
        "-j" | "--jump" => {
            let mut all = chains(at, host);
            all.retain(|c| !is_builtin(&c.label));
            all.extend(targets(family));
            all
        }
        "-g" | "--goto" => {
            let mut all = chains(at, host);
            all.retain(|c| !is_builtin(&c.label));
            all
        }
        "-m" | "--match" => matches(family),
        "-p" | "--protocol" => plain(match family {
            IpFamily::V4 => &["tcp", "udp", "icmp", "sctp", "all"],
            IpFamily::V6 => &["tcp", "udp", "ipv6-icmp", "sctp", "all"],
        }),
        "-i" | "-o" | "--in-interface" | "--out-interface" | "--physdev-in" | "--physdev-out" => {
            interfaces(host)
        }
        "--ctstate" | "--state" => plain(&[
            "NEW",
            "ESTABLISHED",
            "RELATED",
            "RELATED,ESTABLISHED",
            "INVALID",
            "UNTRACKED",
            "DNAT",
            "SNAT",
        ]),
        "--dst-type" | "--src-type" => plain(&["LOCAL", "UNICAST", "BROADCAST", "MULTICAST"]),
        "--mode" => plain(&["random", "nth"]),
        "--match-set" => {
            let sets = host.into_iter().flat_map(|h| &h.sets.sets);
            let names = sets.map(|s| Candidate {
                label: s.name.to_string(),
                about: None,
            });
            names.collect()
        }
        // The value of an option that takes one.
        "-s" | "-d" | "--dport" | "--sport" | "--to-destination" | "--to-source" | "--comment" => {
            Vec::new()
        }
        _ => options(family, rest),
    }
}

fn is_builtin(chain: &str) -> bool {
    netfilter::Hook::ALL.iter().any(|h| h.name() == chain)
}

/// The chains of the table that the line is in, as it was read.
fn chains(at: &At<'_>, host: Option<&Host>) -> Vec<Candidate> {
    let tables = host.into_iter().flat_map(|host| &host.iptables.tables);
    let table = at.last_above(tables.map(|table| (table.span, table)));
    let chains = table.into_iter().flat_map(|(_, table)| &table.chains);
    let all = chains.map(|chain| Candidate {
        label: chain.name.to_string(),
        about: Some(say!("assist/chain", count = chain.rules.len())),
    });
    all.collect()
}

fn targets(family: IpFamily) -> Vec<Candidate> {
    let known = docs::STANDARD
        .into_iter()
        .chain(netfilter::target_names(family));
    let all = known.map(|name| Candidate {
        label: name.to_string(),
        about: docs::target(name).or(Some(say!("assist/not-modelled"))),
    });
    all.collect()
}

fn matches(family: IpFamily) -> Vec<Candidate> {
    let all = netfilter::match_names(family).map(|name| Candidate {
        label: name.to_string(),
        about: docs::a_match(name).or(Some(say!("assist/not-modelled"))),
    });
    all.collect()
}

/// iptables' own options, and those of the extensions that the line has loaded.
fn options(family: IpFamily, words: &[&str]) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = docs::OPTIONS
        .iter()
        .map(|name| Candidate {
            label: (*name).to_string(),
            about: docs::option(name),
        })
        .collect();
    let mut loaded: Vec<&str> = Vec::new();
    for pair in words.windows(2) {
        match pair {
            [
                "-m" | "--match" | "-j" | "--jump" | "-p" | "--protocol",
                name,
            ] if !loaded.contains(name) => {
                loaded.push(name);
            }
            _ => {}
        }
    }
    for name in loaded {
        for option in netfilter::option_names(family, name) {
            let label = format!("--{option}");
            if !all.iter().any(|c| c.label == label) {
                all.push(Candidate {
                    label,
                    about: Some(say!("assist/option-of", name = name)),
                });
            }
        }
    }
    all
}
