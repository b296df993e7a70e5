//! Rules as the tools print them: `iptables-save` here, `iptables -L` in [`list`].

mod list;

use std::fmt::Write;

pub use list::{Listing, list, list_all, list_rule};

use super::syntax::*;
use super::{
    Chain, ChainId, Counters, Header, Hook, Interface, Match, Not, Policy, Rule, Ruleset, Table,
    Target,
};
use crate::net::Masked;

/// What `iptables-save` or `ip6tables-save` prints (with `-c` where `counters`), without its two lines of comment: built-in chains in the order
/// of the hooks, then the others by name, as libiptc keeps them.
pub fn save(ruleset: &Ruleset, counters: bool) -> String {
    let mut out = String::new();
    for table in &ruleset.tables {
        let chains = sorted(table);
        let _ = writeln!(out, "*{}", table.name);
        for (_, chain) in &chains {
            let Counters { packets, bytes } = chain.counters;
            let _ = writeln!(
                out,
                ":{} {} [{packets}:{bytes}]",
                chain.name,
                chain.policy.map_or("-", policy)
            );
        }
        for (_, chain) in chains {
            for rule in &chain.rules {
                if counters {
                    let Counters { packets, bytes } = rule.counters;
                    let _ = write!(out, "[{packets}:{bytes}] ");
                }
                write_rule(table, chain, rule, &mut out);
                out.push('\n');
            }
        }
        out.push_str("COMMIT\n");
    }
    out
}

/// What `iptables -t TABLE -S` prints.
pub fn commands(table: &Table) -> String {
    let mut out = String::new();
    let chains = sorted(table);
    for (_, chain) in &chains {
        let _ = match chain.policy {
            Some(p) => writeln!(out, "-P {} {}", chain.name, policy(p)),
            None => writeln!(out, "-N {}", chain.name),
        };
    }
    for (_, chain) in chains {
        for rule in &chain.rules {
            write_rule(table, chain, rule, &mut out);
            out.push('\n');
        }
    }
    out
}

/// The rule's `-A …` line.
pub fn rule(table: &Table, chain: &Chain, rule: &Rule) -> String {
    let mut out = String::new();
    write_rule(table, chain, rule, &mut out);
    out
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Accept => "ACCEPT",
        Policy::Drop => "DROP",
    }
}

fn sorted(table: &Table) -> Vec<(ChainId, &Chain)> {
    let mut chains: Vec<_> = (0..).map(ChainId).zip(&table.chains).collect();
    let place = |chain: &Chain| {
        let hook = Hook::ALL
            .iter()
            .position(|h| chain.policy.is_some() && *h.name() == *chain.name);
        hook.unwrap_or(Hook::ALL.len())
    };
    chains.sort_by(|(_, a), (_, b)| (place(a), &a.name).cmp(&(place(b), &b.name)));
    chains
}

fn write_rule(table: &Table, chain: &Chain, rule: &Rule, out: &mut String) {
    out.push_str("-A ");
    out.push_str(&chain.name);
    header_words(&rule.header, out);
    for m in &rule.matches {
        match_words(m, out);
    }
    let name = |id| table.chain(id).map_or("", |c: &Chain| &*c.name);
    match &rule.target {
        Target::None => {}
        Target::Jump(id) => {
            out.push_str(" -j ");
            out.push_str(name(*id));
        }
        Target::Goto(id) => {
            out.push_str(" -g ");
            out.push_str(name(*id));
        }
        Target::Unsupported(kept) => {
            out.push(' ');
            out.push_str(&kept.text);
        }
        target => {
            out.push_str(" -j ");
            out.push_str(target_name(target));
            target_words(target, out);
        }
    }
}

fn not<T>(given: &Not<T>) -> &'static str {
    if given.inverted { " !" } else { "" }
}

fn header_words(header: &Header, out: &mut String) {
    fn addr(option: &str, given: &Option<Not<Masked>>, out: &mut String) {
        if let Some(given) = given {
            let _ = write!(out, "{} {option} {}", not(given), given.value);
        }
    }
    fn iface(option: &str, given: &Option<Not<Interface>>, out: &mut String) {
        // iptables prints nothing of `+` alone, not even the `!` before it.
        if let Some(given) = given.as_ref().filter(|g| !g.value.name.is_empty()) {
            let _ = write!(out, "{} {option} {}", not(given), given.value);
        }
    }
    addr("-s", &header.src, out);
    addr("-d", &header.dst, out);
    iface("-i", &header.in_iface, out);
    iface("-o", &header.out_iface, out);
    if let Some(protocol) = &header.protocol {
        let _ = match names::protocol_name(protocol.value) {
            Some(name) => write!(out, "{} -p {name}", not(protocol)),
            None => write!(out, "{} -p {}", not(protocol), protocol.value.0),
        };
    }
    if let Some(fragment) = &header.fragment {
        let _ = write!(out, "{} -f", not(fragment));
    }
}

/// The name behind `-m`.
pub(super) fn match_name(m: &Match) -> &str {
    match m {
        Match::Comment(_) => "comment",
        Match::Tcp(_) => "tcp",
        Match::Udp { .. } => "udp",
        Match::Sctp { .. } => "sctp",
        Match::Icmp(_) => "icmp",
        Match::Icmp6(_) => "icmp6",
        Match::Multiport(_) => "multiport",
        Match::Conntrack(ct) if ct.legacy => "state",
        Match::Conntrack(_) => "conntrack",
        Match::Mark(_) => "mark",
        Match::Connmark(_) => "connmark",
        Match::Addrtype(_) => "addrtype",
        Match::Statistic(_) => "statistic",
        Match::Limit(_) => "limit",
        Match::Hashlimit(_) => "hashlimit",
        Match::Recent(_) => "recent",
        Match::Set(_) => "set",
        Match::Iprange(_) => "iprange",
        Match::Length(_) => "length",
        Match::Ttl(_) => "ttl",
        Match::Hl(_) => "hl",
        Match::Owner(_) => "owner",
        Match::Physdev(_) => "physdev",
        Match::Pkttype(_) => "pkttype",
        Match::Mac(_) => "mac",
        Match::Tos { .. } => "tos",
        Match::Dscp(_) => "dscp",
        Match::Socket { .. } => "socket",
        Match::Rpfilter(_) => "rpfilter",
        Match::Policy { .. } => "policy",
        Match::Quota(_) => "quota",
        Match::Unsupported(kept) => &kept.name,
    }
}

/// ` -m name --option value …`.
pub(super) fn match_words(m: &Match, out: &mut String) {
    if let Match::Unsupported(kept) = m {
        out.push(' ');
        out.push_str(&kept.text);
        return;
    }
    out.push_str(" -m ");
    out.push_str(match_name(m));
    match m {
        Match::Comment(text) => comment::save(text, out),
        Match::Tcp(tcp) => tcp::save(tcp, out),
        Match::Udp { sport, dport } => {
            ports::save("sport", sport, out);
            ports::save("dport", dport, out);
        }
        Match::Sctp { sport, dport } => {
            for (option, given) in [("sport", sport), ("dport", dport)] {
                if let Some(given) = given {
                    ports::save_any(option, given, out);
                }
            }
        }
        Match::Icmp(icmp) => icmp::save("icmp-type", icmp, out),
        Match::Icmp6(icmp) => icmp::save("icmpv6-type", icmp, out),
        Match::Multiport(multiport) => multiport::save(multiport, out),
        Match::Conntrack(ct) => conntrack::save(ct, out),
        Match::Mark(bits) | Match::Connmark(bits) => mark::save_match(bits, out),
        Match::Addrtype(addrtype) => addrtype::save(addrtype, out),
        Match::Statistic(statistic) => statistic::write(statistic, "--", out),
        Match::Limit(limit) => limit::save(limit, out),
        Match::Hashlimit(limit) => hashlimit::save(limit, out),
        Match::Recent(recent) => recent::save(recent, out),
        Match::Set(set) => set::write(set, "--", out),
        Match::Iprange(iprange) => iprange::save(iprange, out),
        Match::Length(length) => ip::save_length(length, out),
        Match::Ttl(ttl) => ip::save_ttl("ttl", ttl, out),
        Match::Hl(hl) => ip::save_ttl("hl", hl, out),
        Match::Owner(owner) => owner::save(owner, out),
        Match::Physdev(physdev) => physdev::save(physdev, out),
        Match::Pkttype(kind) => link::save_pkttype(kind, out),
        Match::Mac(mac) => link::save_mac(mac, out),
        Match::Tos {
            value,
            mask,
            inverted,
        } => ip::save_tos(*value, *mask, *inverted, out),
        Match::Dscp(dscp) => ip::save_dscp(dscp, out),
        Match::Socket {
            transparent,
            nowildcard,
            restore_mark,
        } => socket::save(*transparent, *nowildcard, *restore_mark, out),
        Match::Rpfilter(m) => rpfilter::write(m, "--", out),
        Match::Policy { out: dir, ipsec } => policy::write(*dir, *ipsec, "--", out),
        Match::Quota(quota) => quota::save(quota, out),
        Match::Unsupported(_) => {}
    }
}

/// The name behind `-j`; none for jumps, which are named by their chain.
pub(super) fn target_name(target: &Target) -> &str {
    match target {
        Target::None | Target::Jump(_) | Target::Goto(_) => "",
        Target::Accept => "ACCEPT",
        Target::Drop => "DROP",
        Target::Return => "RETURN",
        Target::Reject(_) => "REJECT",
        Target::Dnat(_) => "DNAT",
        Target::Snat(_) => "SNAT",
        Target::Masquerade { .. } => "MASQUERADE",
        Target::Redirect { .. } => "REDIRECT",
        Target::Netmap(_) => "NETMAP",
        Target::Mark(_) => "MARK",
        Target::Connmark(_) => "CONNMARK",
        Target::Ct(_) => "CT",
        Target::Notrack => "NOTRACK",
        Target::Log(_) => "LOG",
        Target::Nflog(_) => "NFLOG",
        Target::Tproxy(_) => "TPROXY",
        Target::Ttl(_) => "TTL",
        Target::Hl(_) => "HL",
        Target::Tcpmss(_) => "TCPMSS",
        Target::Set(_) => "SET",
        Target::Tos { .. } => "TOS",
        Target::Dscp(_) => "DSCP",
        Target::Checksum => "CHECKSUM",
        Target::Classify(_) => "CLASSIFY",
        Target::Trace => "TRACE",
        Target::Unsupported(kept) => &kept.name,
    }
}

/// ` --option value …` of a target.
pub(super) fn target_words(target: &Target, out: &mut String) {
    match target {
        Target::Reject(with) => {
            out.push_str(" --reject-with ");
            out.push_str(reject::name(*with));
        }
        Target::Dnat(range) => nat::write_nat(range, " --to-destination ", "--", out),
        Target::Snat(range) => nat::write_nat(range, " --to-source ", "--", out),
        Target::Masquerade {
            ports,
            random,
            random_fully,
        } => nat::write_port_nat(*ports, *random, *random_fully, " --to-ports ", "--", out),
        Target::Redirect { ports, random } => {
            nat::write_port_nat(*ports, *random, false, " --to-ports ", "--", out);
        }
        Target::Netmap(to) => {
            let _ = write!(out, " --to {to}");
        }
        Target::Mark(bits) => mark::save_mark(bits, out),
        Target::Connmark(op) => mark::save_connmark(op, out),
        Target::Ct(ct) => ct::write(ct, "--", out),
        Target::Log(log) => log::save_log(log, out),
        Target::Nflog(nflog) => log::write_nflog(nflog, "--", out),
        Target::Tproxy(tproxy) => tproxy::save(tproxy, out),
        Target::Ttl(op) => edit::save_ttl("ttl", op, out),
        Target::Hl(op) => edit::save_ttl("hl", op, out),
        Target::Tcpmss(mss) => edit::save_tcpmss(*mss, out),
        Target::Set(change) => set::write_target(change, "--", out),
        Target::Tos { value, mask } => {
            let _ = write!(out, " --set-tos 0x{value:02x}/0x{mask:02x}");
        }
        Target::Dscp(dscp) => {
            let _ = write!(out, " --set-dscp 0x{dscp:02x}");
        }
        Target::Checksum => out.push_str(" --checksum-fill"),
        Target::Classify(class) => edit::save_class(*class, out),
        Target::None
        | Target::Accept
        | Target::Drop
        | Target::Return
        | Target::Jump(_)
        | Target::Goto(_)
        | Target::Notrack
        | Target::Trace
        | Target::Unsupported(_) => {}
    }
}
