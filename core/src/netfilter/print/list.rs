//! `iptables -L`.

use std::fmt::Write;

use super::super::syntax::*;
use super::super::{Chain, ChainId, Counters, Header, Interface, Match, Not, Rule, Table, Target};
use super::{policy, sorted};
use crate::net::{IpFamily, Masked};

/// How `iptables -L` is asked to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// `-v`: counters and interfaces.
    pub verbose: bool,
    /// `-n`: numbers instead of the names of ports and networks.
    pub numeric: bool,
    /// `-x`: counters in full rather than in K, M, G and T.
    pub exact: bool,
    /// `--line-numbers`.
    pub line_numbers: bool,
}

/// What `iptables -t TABLE -L CHAIN` prints of one chain; nothing for a chain that the table has not. Protocols are
/// printed by name, as every iptables but 1.8.9 does with `-n` too.
pub fn list(table: &Table, chain: ChainId, style: Listing) -> String {
    let mut out = String::new();
    let Some(chain) = table.chain(chain).map(|c| (chain, c)) else {
        return out;
    };
    let jumps =
        |r: &&Rule| matches!(r.target, Target::Jump(to) | Target::Goto(to) if to == chain.0);
    let references = table
        .chains
        .iter()
        .map(|c| c.rules.iter().filter(jumps).count())
        .sum();
    one(table, chain.1, references, style, &mut out);
    out
}

/// What `iptables -t TABLE -L` prints: all chains, with a line between.
pub fn list_all(table: &Table, style: Listing) -> String {
    let mut references = vec![0; table.chains.len()];
    for rule in table.chains.iter().flat_map(|c| &c.rules) {
        if let Target::Jump(to) | Target::Goto(to) = rule.target
            && let Some(count) = references.get_mut(to.0 as usize)
        {
            *count += 1;
        }
    }
    let mut out = String::new();
    for (id, chain) in sorted(table) {
        if !out.is_empty() {
            out.push('\n');
        }
        let references = references.get(id.0 as usize).copied().unwrap_or(0);
        one(table, chain, references, style, &mut out);
    }
    out
}

/// What `iptables -t TABLE -L CHAIN NUMBER` prints: the line of one rule, from 1; nothing where there is none.
pub fn list_rule(table: &Table, chain: ChainId, number: usize, style: Listing) -> String {
    let mut out = String::new();
    let rule = table
        .chain(chain)
        .and_then(|c| c.rules.get(number.checked_sub(1)?));
    if let Some(rule) = rule {
        line(table, rule, number, style, &mut out);
    }
    out
}

fn one(table: &Table, chain: &Chain, references: usize, style: Listing, out: &mut String) {
    head(chain, references, style, out);
    for (i, rule) in chain.rules.iter().enumerate() {
        line(table, rule, i + 1, style, out);
    }
}

fn head(chain: &Chain, references: usize, style: Listing, out: &mut String) {
    let _ = write!(out, "Chain {}", chain.name);
    match chain.policy {
        Some(p) => {
            let _ = write!(out, " (policy {}", policy(p));
            if style.verbose {
                let Counters { packets, bytes } = chain.counters;
                out.push(' ');
                out.push_str(amount(packets, style).trim_start());
                out.push_str("packets, ");
                out.push_str(amount(bytes, style).trim_start());
                out.push_str("bytes");
            }
            out.push_str(")\n");
        }
        None => {
            let _ = writeln!(out, " ({references} references)");
        }
    }
    if style.line_numbers {
        out.push_str("num  ");
    }
    if style.verbose && style.exact {
        out.push_str("    pkts      bytes ");
    } else if style.verbose {
        out.push_str(" pkts bytes ");
    }
    out.push_str("target     prot opt");
    if style.verbose {
        out.push_str(" in     out    ");
    }
    out.push_str(" source               destination         \n");
}

/// `xtables_print_num`: a number, a letter and a blank, in a column.
fn amount(number: u64, style: Listing) -> String {
    if style.exact {
        return format!("{number:>8} ");
    }
    if number <= 99_999 {
        return format!("{number:>5} ");
    }
    let mut number = number;
    for letter in ['K', 'M', 'G', 'T'] {
        number = number.saturating_add(500) / 1000;
        if number <= 9999 || letter == 'T' {
            return format!("{number:>4}{letter} ");
        }
    }
    String::new()
}

fn line(table: &Table, rule: &Rule, number: usize, style: Listing, out: &mut String) {
    let header = &rule.header;
    if style.line_numbers {
        let _ = write!(out, "{number:<4} ");
    }
    if style.verbose {
        out.push_str(&amount(rule.counters.packets, style));
        out.push_str(&amount(rule.counters.bytes, style));
    }
    let name = target_name(table, &rule.target);
    let _ = write!(out, "{name:<9} ");
    out.push(if header.protocol.is_some_and(|p| p.inverted) {
        '!'
    } else {
        ' '
    });
    let protocol = header.protocol.map(|p| p.value);
    let _ = match protocol.map(|p| (names::protocol_name(p), p)) {
        None => write!(out, "{:<4} ", "all"),
        Some((Some(name), _)) => write!(out, "{name:<4} "),
        Some((None, p)) => write!(out, "{:<4} ", p.0),
    };
    out.push_str(match header.fragment {
        None => "-- ",
        Some(Not {
            inverted: false, ..
        }) => "-f ",
        Some(_) => "!f ",
    });
    if style.verbose {
        let any = if style.numeric { "*" } else { "any" };
        let _ = write!(out, " {:<6} ", iface(&header.in_iface, any));
        let _ = write!(out, "{:<6} ", iface(&header.out_iface, any));
    }
    addr(table.family, &header.src, style, out);
    addr(table.family, &header.dst, style, out);
    if matches!(rule.target, Target::Goto(_)) {
        out.push_str("[goto] ");
    }
    for m in &rule.matches {
        match_words(m, header, style.numeric, out);
    }
    target_options(&rule.target, style.numeric, out);
    out.push('\n');
}

fn target_name<'t>(table: &'t Table, target: &'t Target) -> &'t str {
    match target {
        // Its words say that it is NOTRACK; the kernel knows CT alone.
        Target::Notrack => "CT",
        Target::Jump(id) | Target::Goto(id) => table.chain(*id).map_or("", |c| &c.name),
        target => super::target_name(target),
    }
}

fn iface(iface: &Option<Not<Interface>>, any: &str) -> String {
    match iface {
        None => any.to_string(),
        Some(given) => {
            let not = if given.inverted { "!" } else { "" };
            format!("{not}{}", given.value)
        }
    }
}

fn addr(family: IpFamily, given: &Option<Not<Masked>>, style: Listing, out: &mut String) {
    out.push(if given.is_some_and(|g| g.inverted) {
        '!'
    } else {
        ' '
    });
    let text = match given.map(|g| g.value) {
        None if style.numeric => format!("{}/0", family.unspecified()),
        None => "anywhere".to_string(),
        Some(masked) => match masked.length() {
            Some(0) if !style.numeric => "anywhere".to_string(),
            length => {
                let name = names::of_host(masked.addr).filter(|_| !style.numeric);
                match (name, length) {
                    (Some(name), Some(l)) if l == family.bits() => name.to_string(),
                    (Some(name), Some(length)) => format!("{name}/{length}"),
                    (Some(name), None) => format!("{name}/{}", masked.mask),
                    (None, Some(l)) if l == family.bits() => masked.addr.to_string(),
                    (None, _) => masked.to_string(),
                }
            }
        },
    };
    let _ = write!(out, "{text:<19} ");
}

fn match_words(m: &Match, header: &Header, numeric: bool, out: &mut String) {
    match m {
        Match::Comment(text) => comment::list(text, out),
        Match::Tcp(tcp) => tcp::list(tcp, numeric, out),
        Match::Udp { sport, dport } => {
            out.push_str(" udp");
            ports::list("spt", sport, "udp", numeric, out);
            ports::list("dpt", dport, "udp", numeric, out);
        }
        Match::Sctp { sport, dport } => {
            out.push_str(" sctp");
            ports::list("spt", sport, "sctp", numeric, out);
            ports::list("dpt", dport, "sctp", numeric, out);
        }
        Match::Icmp(icmp) => icmp::list(icmp, numeric, out),
        Match::Icmp6(icmp) => icmp::list6(icmp, numeric, out),
        Match::Multiport(multiport) => multiport::list(multiport, header, numeric, out),
        Match::Conntrack(ct) => conntrack::list(ct, numeric, out),
        Match::Mark(bits) => mark::list_match(bits, out),
        Match::Connmark(bits) => mark::list_connmark_match(bits, out),
        Match::Addrtype(addrtype) => addrtype::list(addrtype, out),
        Match::Statistic(statistic) => {
            out.push_str(" statistic");
            statistic::write(statistic, "", out);
        }
        Match::Limit(limit) => limit::list(limit, out),
        Match::Hashlimit(limit) => hashlimit::list(limit, out),
        Match::Recent(recent) => recent::list(recent, out),
        Match::Set(set) => set::write(set, "", out),
        Match::Iprange(iprange) => iprange::list(iprange, out),
        Match::Length(length) => ip::list_length(length, out),
        Match::Ttl(ttl) => ip::list_ttl("TTL", ttl, out),
        Match::Hl(hl) => ip::list_ttl("HL", hl, out),
        Match::Owner(owner) => owner::list(owner, numeric, out),
        Match::Physdev(physdev) => {
            out.push_str(" PHYSDEV match");
            physdev::save(physdev, out);
        }
        Match::Pkttype(kind) => link::list_pkttype(kind, out),
        Match::Mac(mac) => link::list_mac(mac, out),
        Match::Tos {
            value,
            mask,
            inverted,
        } => ip::list_tos(*value, *mask, *inverted, numeric, out),
        Match::Dscp(dscp) => ip::list_dscp(dscp, out),
        Match::Socket {
            transparent,
            nowildcard,
            restore_mark,
        } => {
            out.push_str(" socket");
            socket::save(*transparent, *nowildcard, *restore_mark, out);
        }
        Match::Policy { out: dir, ipsec } => {
            out.push_str(" policy match");
            policy::write(*dir, *ipsec, "", out);
        }
        Match::Quota(quota) => quota::list(quota, out),
        Match::Rpfilter(m) => {
            out.push_str(" rpfilter");
            rpfilter::write(m, "", out);
        }
        Match::Unsupported(kept) => {
            // Nobody but its own extension knows what it would print here.
            out.push(' ');
            out.push_str(kept.text.strip_prefix("-m ").unwrap_or(&kept.text));
        }
    }
}

fn target_options(target: &Target, numeric: bool, out: &mut String) {
    match target {
        Target::None
        | Target::Accept
        | Target::Drop
        | Target::Return
        | Target::Jump(_)
        | Target::Goto(_)
        | Target::Trace => {}
        Target::Reject(with) => {
            out.push_str(" reject-with ");
            out.push_str(reject::name(*with));
        }
        Target::Dnat(range) | Target::Snat(range) => nat::write_nat(range, " to:", "", out),
        Target::Masquerade {
            ports,
            random,
            random_fully,
        } => nat::write_port_nat(*ports, *random, *random_fully, " masq ports: ", "", out),
        Target::Redirect { ports, random } => {
            nat::write_port_nat(*ports, *random, false, " redir ports ", "", out);
        }
        Target::Netmap(to) => {
            let _ = write!(out, " to:{to}");
        }
        Target::Mark(bits) => mark::list_mark(bits, out),
        Target::Connmark(op) => mark::list_connmark(op, out),
        Target::Ct(ct) => {
            out.push_str(" CT");
            ct::write(ct, "", out);
        }
        Target::Notrack => out.push_str(" NOTRACK"),
        Target::Log(log) => log::list_log(log, numeric, out),
        Target::Nflog(nflog) => log::write_nflog(nflog, "", out),
        Target::Tproxy(tproxy) => tproxy::list(tproxy, out),
        Target::Ttl(op) => edit::list_ttl("TTL", op, out),
        Target::Hl(op) => edit::list_ttl("HL", op, out),
        Target::Tcpmss(mss) => edit::list_tcpmss(*mss, out),
        Target::Set(change) => set::write_target(change, "", out),
        Target::Tos { value, mask } => edit::list_tos(*value, *mask, numeric, out),
        Target::Dscp(dscp) => {
            let _ = write!(out, " DSCP set 0x{dscp:02x}");
        }
        Target::Checksum => out.push_str(" CHECKSUM fill"),
        Target::Classify(class) => edit::list_class(*class, out),
        Target::Unsupported(kept) => {
            let options = kept.text.strip_prefix("-j ").unwrap_or(&kept.text);
            let options = options.strip_prefix(&*kept.name).unwrap_or(options);
            out.push_str(options);
        }
    }
}
