//! Lines of `ip rule` and `ss`.

use super::{At, Candidate, interfaces, plain};
use crate::say;
use crate::text::Say;
use crate::topology::Host;

const RULE: [&str; 13] = [
    "from",
    "to",
    "iif",
    "oif",
    "fwmark",
    "lookup",
    "not",
    "ipproto",
    "uidrange",
    "suppress_prefixlength",
    "blackhole",
    "unreachable",
    "prohibit",
];

/// A line such as `100: from all fwmark 0x1 lookup 100`.
pub(super) fn rules(at: &At<'_>, host: Option<&Host>) -> Vec<Candidate> {
    match at.before.split_whitespace().last() {
        Some("lookup" | "table") => plain(&["main", "local", "default"]),
        Some("iif" | "oif") => interfaces(host),
        Some("from" | "to") => plain(&["all"]),
        Some("fwmark" | "uidrange" | "suppress_prefixlength") => Vec::new(),
        Some("ipproto") => plain(&["tcp", "udp", "icmp", "sctp"]),
        // It begins with its priority.
        None => Vec::new(),
        Some(_) => {
            let all = RULE.iter().map(|word| Candidate {
                label: (*word).to_string(),
                about: rule(word),
            });
            all.collect()
        }
    }
}

/// A line of `ss -lntup`, column by column.
pub(super) fn sockets(at: &At<'_>) -> Vec<Candidate> {
    let words: Vec<&str> = at.before.split_whitespace().collect();
    match words.as_slice() {
        [] => [
            ("tcp", say!("assist/ss-tcp")),
            ("udp", say!("assist/ss-udp")),
        ]
        .map(|(label, about)| Candidate {
            label: label.to_string(),
            about: Some(about),
        })
        .into(),
        ["tcp"] => plain(&["LISTEN"]),
        ["udp"] => plain(&["UNCONN"]),
        _ => Vec::new(),
    }
}

fn rule(word: &str) -> Option<Say> {
    Some(match word {
        "from" => say!("assist/rule-from"),
        "to" => say!("assist/rule-to"),
        "iif" => say!("assist/rule-iif"),
        "oif" => say!("assist/rule-oif"),
        "fwmark" => say!("assist/rule-fwmark"),
        "lookup" => say!("assist/rule-lookup"),
        "not" => say!("assist/rule-not"),
        "ipproto" => say!("assist/rule-ipproto"),
        "uidrange" => say!("assist/rule-uidrange"),
        "suppress_prefixlength" => say!("assist/rule-suppress-prefixlength"),
        "blackhole" => say!("assist/rule-blackhole"),
        "unreachable" => say!("assist/rule-unreachable"),
        "prohibit" => say!("assist/rule-prohibit"),
        _ => return None,
    })
}
