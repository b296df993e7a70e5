//! What a text is by its look, where nothing else tells.

use std::net::IpAddr;

use crate::netfilter::TableName;
use crate::workspace::kind::{FileKind, HostFile, Place};

/// Lines that are looked at: what a text is shows at its beginning.
const LINES: usize = 60;

/// The machine of a host's file is not told; its name is empty.
pub fn look(text: &str) -> Option<FileKind> {
    let of_host = |file| FileKind::Host(Place::Node(String::new()), file);
    if text.trim_start().starts_with(['{', '[']) {
        return match text {
            _ if text.contains("type.googleapis.com/envoy.") => Some(of_host(HostFile::ConfigDump)),
            _ if text.contains("\"apiVersion\"") => Some(FileKind::Manifests),
            _ => None,
        };
    }
    let lines = text
        .lines()
        .filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    lines.take(LINES).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        table(&words).or_else(|| host_file(line.trim(), &words, text).map(of_host))
    })
}

/// What kubectl prints.
fn table(words: &[&str]) -> Option<FileKind> {
    let has = |column| words.contains(&column);
    match words.first().copied()? {
        "apiVersion:" | "-" if has("apiVersion:") => Some(FileKind::Manifests),
        "NAME" | "NAMESPACE" if has("CLUSTER-IP") => Some(FileKind::KubectlServices),
        "NAME" | "NAMESPACE" if has("READY") && has("RESTARTS") => Some(FileKind::KubectlPods),
        "NAME" if has("STATUS") && has("VERSION") => Some(FileKind::KubectlNodes),
        _ => None,
    }
}

fn host_file(line: &str, words: &[&str], text: &str) -> Option<HostFile> {
    let has = |word| words.contains(&word);
    let first = words.first().copied()?;
    let number = |word: &str| {
        word.strip_suffix(':')
            .is_some_and(|n| n.parse::<u32>().is_ok())
    };
    if let Some(name) = first.strip_prefix('*') {
        TableName::from_name(name)?;
        let six =
            text.contains("ip6tables-save") || text.contains("ipv6-icmp") || text.contains("::");
        return Some(match six {
            true => HostFile::Ip6tablesSave,
            false => HostFile::IptablesSave,
        });
    }
    // The listings of ip6tables are no file of a workspace.
    let of_chains = first == "Chain" && line.contains('(') && !text.contains("::/0");
    if of_chains || matches!(first, "-P" | "-N" | "-A") {
        return Some(HostFile::IptablesList(table_of(text)));
    }
    let reached = |w: &&str| {
        matches!(
            *w,
            "REACHABLE" | "STALE" | "DELAY" | "PERMANENT" | "NOARP" | "FAILED" | "PROBE"
        )
    };
    Some(match first {
        "table" if line.ends_with('{') => HostFile::NftRuleset,
        "create"
            if [" hash:", " bitmap:", " list:"]
                .iter()
                .any(|t| line.contains(t)) =>
        {
            HostFile::IpsetSave
        }
        "bridge" if line.starts_with("bridge name") => HostFile::BrctlShow,
        "Netid" | "State" | "Proto" if has("Local") => HostFile::Sockets,
        _ if number(first) => match words.get(1).copied()? {
            "from" | "not" => match text.contains("\n32767:") || !text.contains("32766:") {
                true => HostFile::IpRule,
                false => HostFile::Ip6Rule,
            },
            _ if has("priority") && !has("qdisc") => HostFile::BridgeLink,
            _ if has("mtu") || has("inet") || has("inet6") => HostFile::IpAddr,
            _ => return None,
        },
        _ if first.len() == 17 && first.matches(':').count() == 5 && has("dev") => {
            HostFile::BridgeFdb
        }
        _ if first.parse::<IpAddr>().is_ok()
            && has("dev")
            && (has("lladdr") || words.iter().any(reached)) =>
        {
            HostFile::IpNeigh
        }
        _ if is_destination(first) && (has("dev") || has("via")) => HostFile::IpRoute,
        _ if words.get(1) == Some(&"=") && first.contains('.') => HostFile::Sysctl,
        _ => return None,
    })
}

fn is_destination(word: &str) -> bool {
    let addr = word.split('/').next().unwrap_or("");
    addr.parse::<IpAddr>().is_ok()
        || matches!(
            word,
            "default" | "local" | "broadcast" | "unreachable" | "blackhole" | "prohibit" | "throw"
        )
}

/// Of a listing without its command: by built-in chains, and by targets that only one table takes.
fn table_of(text: &str) -> TableName {
    let chain = |name: &str| {
        [("Chain ", " ("), ("-P ", " ")]
            .iter()
            .any(|(before, after)| text.contains(&format!("{before}{name}{after}")))
    };
    match (chain("PREROUTING"), chain("POSTROUTING"), chain("FORWARD")) {
        (true, _, true) => TableName::Mangle,
        (_, true, _) => TableName::Nat,
        (true, ..) => TableName::Raw,
        (false, _, true) => TableName::Filter,
        _ if [
            "DNAT",
            "SNAT",
            "MASQUERADE",
            "REDIRECT",
            "KUBE-SEP-",
            "KUBE-SVC-",
            "KUBE-MARK-MASQ",
        ]
        .iter()
        .any(|t| text.contains(t)) =>
        {
            TableName::Nat
        }
        _ => TableName::Filter,
    }
}
