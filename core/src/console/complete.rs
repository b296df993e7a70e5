use super::machine::Machine;
use super::{AfterRun, TOOLS, iptables, nft, sysctl};
use crate::net::IpFamily;
use crate::netfilter::TableName;

/// How the last word of a partial command line may go on: commands, options, tables, chains, interfaces. A line that ends in
/// a space asks for the next word.
pub fn complete(run: AfterRun<'_>, host: &str, line: &str) -> Vec<String> {
    let Some(machine) = Machine::find(run, host) else {
        return Vec::new();
    };
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let last = match line.ends_with(char::is_whitespace) {
        true => "",
        false => words.pop().unwrap_or_default(),
    };
    words.retain(|w| *w != "sudo");
    let mut all = candidates(&machine, &words);
    all.retain(|c| c.starts_with(last) && c != last);
    all
}

fn candidates(machine: &Machine<'_>, words: &[&str]) -> Vec<String> {
    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_string()).collect()
    }
    let interfaces = || -> Vec<String> {
        let all = &machine.host.interfaces;
        all.iter().map(|i| i.name.to_string()).collect()
    };
    let bridges = || -> Vec<String> {
        let all = machine.host.interfaces.iter();
        let bridges = all.filter(|i| i.is_bridge());
        bridges.map(|i| i.name.to_string()).collect()
    };
    let Some((tool, rest)) = words.split_first() else {
        return TOOLS.iter().map(|t| t.name.to_string()).collect();
    };
    let before = rest.last().copied().unwrap_or_default();
    match (*tool, rest, before) {
        (_, _, "dev" | "iif" | "oif" | "brport" | "-i") => interfaces(),
        (_, _, "br" | "master") => bridges(),
        ("iptables" | "iptables-save" | "ip6tables" | "ip6tables-save", _, "-t" | "--table") => {
            TableName::ALL.map(|t| t.name().to_string()).to_vec()
        }
        (
            "iptables" | "ip6tables",
            _,
            "-L" | "-S" | "-nL" | "-nvL" | "-vnL" | "--list" | "--list-rules",
        ) => {
            let family = match *tool {
                "iptables" => IpFamily::V4,
                _ => IpFamily::V6,
            };
            iptables::chains(&machine.host.iptables, family, table(rest))
        }
        ("iptables" | "ip6tables", ..) => {
            texts(&["-t", "-L", "-S", "-n", "-v", "-x", "--line-numbers"])
        }
        ("iptables-save" | "ip6tables-save", ..) => texts(&["-c", "-t"]),
        ("nft", ..) => nft::complete(machine, rest),
        ("ipset", [], _) => texts(&["list", "save"]),
        ("ipset", [_], _) => {
            let sets = machine.host.sets.sets.iter();
            sets.map(|s| s.name.to_string()).collect()
        }
        ("conntrack", _, "-p") => texts(&["tcp", "udp", "icmp", "sctp"]),
        ("conntrack", [], _) => texts(&["-L", "-C"]),
        ("conntrack", ..) => texts(&["-p", "-s", "-d", "--sport", "--dport", "-n", "-g"]),
        ("ip", [] | ["-6"], _) => texts(&["addr", "link", "neigh", "route", "rule"]),
        ("ip", ["route" | "r"], _) => texts(&["get", "show"]),
        ("ip", ["route" | "r", "get", ..], _) => texts(&["from", "iif", "oif", "mark"]),
        ("ip", ["route" | "r", ..], "table") => {
            let routes = &machine.host.routes;
            let mut tables: Vec<_> = routes.iter().map(|r| r.table.to_string()).collect();
            tables.extend(texts(&["all", "local", "main"]));
            tables.sort();
            tables.dedup();
            tables
        }
        ("ip", ["route" | "r", ..], _) => texts(&["table", "dev", "proto", "default"]),
        ("ip", [..], "show") => interfaces(),
        ("bridge", [], _) => texts(&["-d", "fdb", "link"]),
        ("bridge", ["-d"], _) => texts(&["link"]),
        ("bridge", ["fdb"] | ["link"], _) => texts(&["show"]),
        ("bridge", ["fdb", ..], _) => texts(&["br", "brport", "dev"]),
        ("bridge", ["link", ..], _) => texts(&["dev", "master"]),
        ("brctl", [], _) => texts(&["show", "showmacs"]),
        ("brctl", [_], _) => bridges(),
        ("ss", [], _) => texts(&["-lnt", "-lnu", "-lntup"]),
        ("sysctl", ..) => sysctl::names(machine),
        ("istioctl", [], _) => texts(&["analyze", "proxy-config"]),
        ("istioctl", ["analyze", ..], _) => texts(&["-A", "-n"]),
        ("istioctl", ["proxy-config" | "pc"], _) => {
            texts(&["clusters", "endpoints", "listeners", "routes"])
        }
        ("tcpdump", [], _) => texts(&["-i", "-n"]),
        ("tcpdump", _, "-ni" | "-nni") => interfaces(),
        ("tcpdump", ..) => texts(&["host", "icmp", "port", "tcp", "udp"]),
        _ => Vec::new(),
    }
}

/// The table that a line of iptables names so far.
fn table(words: &[&str]) -> TableName {
    let at = words.iter().position(|w| matches!(*w, "-t" | "--table"));
    at.and_then(|at| TableName::from_name(words.get(at + 1)?))
        .unwrap_or(TableName::Filter)
}
