//! What the kernel refuses when a table is committed: loops, and rules whose matches and targets do not fit their table, the
//! hooks they are reached from, or their protocol (kernel `net/ipv4/netfilter/ip_tables.c`, `translate_table`, and each
//! extension's `checkentry`).

use std::collections::BTreeSet;

use crate::net::{IpFamily, Protocol, TcpFlags};
use crate::netfilter::matches::{Hashlimit, Limit, Recent, RecentAction};
use crate::netfilter::targets::{RejectWith, TtlOp};
use crate::netfilter::{ChainId, Header, Hook, Match, Rule, Table, TableName, Target, print};
use crate::say;
use crate::text::{Diagnostic, Say};

/// So many loops are said, and so many chains of each.
const MOST_LOOPS: usize = 20;
const MOST_NAMES: usize = 12;

/// Hooks as bits, in the order of [`Hook::ALL`].
type Hooks = u8;

const PRE: Hooks = 1;
const IN: Hooks = 2;
const FWD: Hooks = 4;
const OUT: Hooks = 8;
const POST: Hooks = 16;

pub(super) fn check(table: &Table) -> Vec<Diagnostic> {
    let graph = Graph::of(table);
    let (hooks, loops) = graph.reach(table);
    let mut faults = Vec::new();
    for path in loops {
        faults.extend(looped(table, &path));
    }
    for ((chain, hooks), flows) in table.chains.iter().zip(hooks).zip(&graph.flows) {
        for (at, rule) in chain.rules.iter().enumerate() {
            let hooks = if at < *flows { hooks } else { 0 };
            if let Some(why) = refuse(table.family, table.name, rule, hooks) {
                faults.push(Diagnostic::error(rule.span, why));
            }
        }
    }
    faults
}

/// Which chain jumps where.
struct Graph {
    /// How many rules of each chain a packet can come to: those up to the first that ends it for every packet.
    flows: Vec<usize>,
    /// The jumps among them, chain by chain: the rule's place and the chain.
    jumps: Vec<(u32, ChainId)>,
    /// Where each chain's jumps begin; one more for the end.
    begins: Vec<usize>,
}

impl Graph {
    fn of(table: &Table) -> Self {
        let count = table.chains.len();
        let mut graph = Graph {
            flows: Vec::with_capacity(count),
            jumps: Vec::with_capacity(count),
            begins: Vec::with_capacity(count + 1),
        };
        for chain in &table.chains {
            graph.begins.push(graph.jumps.len());
            let mut flow = 0;
            for rule in &chain.rules {
                if let Target::Jump(to) | Target::Goto(to) = rule.target {
                    graph.jumps.push((flow, to));
                }
                flow += 1;
                if ends_all(rule) {
                    break;
                }
            }
            graph.flows.push(flow as usize);
        }
        graph.begins.push(graph.jumps.len());
        graph
    }

    /// The jump of a chain at that place.
    fn jump(&self, chain: u32, place: usize) -> Option<(u32, ChainId)> {
        let chain = chain as usize;
        let (begin, end) = (self.begins.get(chain)?, self.begins.get(chain + 1)?);
        self.jumps.get(*begin..*end)?.get(place).copied()
    }

    /// The hooks that each chain is reached from, and the jumps that close a circle, each as its way round
    /// (`mark_source_chains`). A circle that no built-in chain leads to is nobody's concern.
    fn reach(&self, table: &Table) -> (Vec<Hooks>, BTreeSet<Vec<(u32, u32)>>) {
        let mut hooks: Vec<Hooks> = vec![0; table.chains.len()];
        let mut loops = BTreeSet::new();
        for (base, chain) in table.chains.iter().enumerate() {
            let hook = Hook::ALL.iter().position(|h| *h.name() == *chain.name);
            let (Some(hook), Some(_)) = (hook, chain.policy) else {
                continue;
            };
            self.walk(base as u32, 1 << hook, &mut hooks, &mut loops);
        }
        (hooks, loops)
    }

    fn walk(
        &self,
        base: u32,
        hook: Hooks,
        hooks: &mut [Hooks],
        loops: &mut BTreeSet<Vec<(u32, u32)>>,
    ) {
        // Each chain on the way with the place of its next jump.
        let mut way: Vec<(u32, usize)> = vec![(base, 0)];
        let mut on_way = vec![false; hooks.len()];
        let mark = |id: u32, hooks: &mut [Hooks], on_way: &mut [bool], on: bool| {
            if let (Some(hooks), Some(on_way)) =
                (hooks.get_mut(id as usize), on_way.get_mut(id as usize))
            {
                *hooks |= hook;
                *on_way = on;
            }
        };
        mark(base, hooks, &mut on_way, true);
        while let Some((chain, next)) = way.last_mut() {
            let Some((_, to)) = self.jump(*chain, *next) else {
                mark(*chain, hooks, &mut on_way, false);
                way.pop();
                continue;
            };
            *next += 1;
            let to = to.0;
            if on_way.get(to as usize).is_some_and(|on| *on) {
                if loops.len() == MOST_LOOPS {
                    continue;
                }
                let from = way.iter().position(|(c, _)| *c == to).unwrap_or(0);
                let round = way.iter().skip(from).filter_map(|(chain, next)| {
                    let (rule, _) = self.jump(*chain, next.checked_sub(1)?)?;
                    Some((*chain, rule))
                });
                loops.insert(round.collect());
            } else if hooks.get(to as usize).is_some_and(|h| h & hook == 0) {
                mark(to, hooks, &mut on_way, true);
                way.push((to, 0));
            }
        }
    }
}

/// A rule that every packet matches and none passes.
fn ends_all(rule: &Rule) -> bool {
    matches!(rule.target, Target::Accept | Target::Drop | Target::Return)
        && rule.matches.is_empty()
        && rule.header == Header::default()
}

/// Says a circle at the jump that closes it.
fn looped(table: &Table, path: &[(u32, u32)]) -> Option<Diagnostic> {
    let name = |chain: u32| table.chain(ChainId(chain)).map(|c| &*c.name);
    let mut names: Vec<_> = path.iter().filter_map(|(c, _)| name(*c)).collect();
    names.extend(names.first().copied());
    if names.len() > MOST_NAMES {
        names.splice(MOST_NAMES / 2..names.len() - MOST_NAMES / 2, ["…"]);
    }
    let span = |(chain, rule): &(u32, u32)| {
        let rules = &table.chain(ChainId(*chain))?.rules;
        rules.get(*rule as usize).map(|r| r.span)
    };
    let mut said = Diagnostic::error(
        span(path.last()?)?,
        say!("iptables/commit-loop", path = names.join(" → ")),
    );
    for step in path.iter().rev().skip(1).rev().take(MOST_NAMES) {
        said = said.label(span(step)?, say!("iptables/part-of-loop"));
    }
    Some(said)
}

/// What a match or target asks of the rule that it stands in.
struct Fits {
    tables: &'static [TableName],
    hooks: Hooks,
    protocol: Option<Protocol>,
}

const ALL: Hooks = PRE | IN | FWD | OUT | POST;

const fn anywhere() -> Fits {
    Fits {
        tables: &[],
        hooks: ALL,
        protocol: None,
    }
}

const fn hooks(hooks: Hooks) -> Fits {
    let mut fits = anywhere();
    fits.hooks = hooks;
    fits
}

const fn tables(tables: &'static [TableName]) -> Fits {
    let mut fits = anywhere();
    fits.tables = tables;
    fits
}

const fn protocol(number: u8) -> Fits {
    let mut fits = anywhere();
    fits.protocol = Some(Protocol(number));
    fits
}

const fn only(in_tables: &'static [TableName], hooks: Hooks) -> Fits {
    let mut fits = tables(in_tables);
    fits.hooks = hooks;
    fits
}

const fn nat(hooks: Hooks) -> Fits {
    only(&[TableName::Nat], hooks)
}

/// The fields `table`, `hooks` and `proto` of the kernel's `struct xt_match`.
fn match_fits(family: IpFamily, m: &Match) -> Fits {
    match m {
        Match::Tcp(_) => protocol(6),
        Match::Udp { .. } => protocol(17),
        Match::Sctp { .. } => protocol(132),
        Match::Icmp(_) => protocol(1),
        Match::Icmp6(_) => protocol(58),
        Match::Owner(_) => hooks(OUT | POST),
        Match::Mac(_) => hooks(PRE | IN | FWD),
        Match::Socket { .. } => hooks(PRE | IN),
        Match::Policy { out: true, .. } => hooks(FWD | OUT | POST),
        Match::Policy { out: false, .. } => hooks(PRE | IN | FWD),
        Match::Rpfilter(_) => only(&[TableName::Raw, TableName::Mangle], PRE),
        Match::Unsupported(kept) => match &*kept.name {
            "tcpmss" => protocol(6),
            "sctp" => protocol(132),
            "dccp" => protocol(33),
            "esp" => protocol(50),
            // Of IPv6 it is an extension header (`ip6t_ah.c`).
            "ah" if family == IpFamily::V4 => protocol(51),
            "ipcomp" => protocol(108),
            "realm" => hooks(POST | FWD | OUT | IN),
            _ => anywhere(),
        },
        _ => anywhere(),
    }
}

const MANGLE: &[TableName] = &[TableName::Mangle];

/// The same of `struct xt_target`.
fn target_fits(target: &Target) -> Fits {
    match target {
        Target::Reject(_) => only(&[TableName::Filter], IN | FWD | OUT),
        Target::Dnat(_) | Target::Redirect { .. } => nat(PRE | OUT),
        Target::Snat(_) => nat(POST | IN),
        Target::Masquerade { .. } => nat(POST),
        Target::Netmap(_) => nat(PRE | OUT | POST | IN),
        Target::Ct(_) | Target::Notrack | Target::Trace => tables(&[TableName::Raw]),
        Target::Tproxy(_) => only(MANGLE, PRE),
        Target::Ttl(_) | Target::Hl(_) => tables(MANGLE),
        Target::Tcpmss(_) => protocol(6),
        Target::Tos { .. } | Target::Dscp(_) | Target::Checksum => tables(MANGLE),
        Target::Classify(_) => only(MANGLE, OUT | FWD | POST),
        Target::Set(set) if set.map.is_some() => match set.map_prio || set.map_queue {
            true => only(MANGLE, OUT | FWD | POST),
            false => tables(MANGLE),
        },
        Target::Unsupported(kept) => match &*kept.name {
            "MASQUERADE" => nat(POST),
            "ECN" | "HMARK" => tables(MANGLE),
            "TCPOPTSTRIP" => Fits {
                protocol: Some(Protocol::TCP),
                ..tables(MANGLE)
            },
            "SECMARK" | "CONNSECMARK" => tables(&[TableName::Mangle, TableName::Security]),
            "SYNPROXY" => Fits {
                hooks: IN | FWD,
                ..protocol(6)
            },
            _ => anywhere(),
        },
        _ => anywhere(),
    }
}

/// Whether the rule's protocol is this one and no other.
fn is_for(header: &Header, protocol: Protocol) -> bool {
    header
        .protocol
        .is_some_and(|p| !p.inverted && p.value == protocol)
}

fn misfit(
    what: impl Fn() -> String,
    fits: Fits,
    table: TableName,
    header: &Header,
    hooks: Hooks,
) -> Option<Say> {
    if !fits.tables.is_empty() && !fits.tables.contains(&table) {
        let wanted: Vec<_> = fits.tables.iter().map(|t| t.name()).collect();
        return Some(say!(
            "iptables/commit-table",
            what = what(),
            tables = wanted.join(", "),
            table = table
        ));
    }
    if hooks & !fits.hooks != 0 {
        return Some(say!(
            "iptables/commit-hook",
            what = what(),
            hooks = hook_names(fits.hooks),
            reached = hook_names(hooks & !fits.hooks)
        ));
    }
    let protocol = fits.protocol.filter(|p| !is_for(header, *p))?;
    Some(say!(
        "iptables/commit-protocol",
        what = what(),
        protocol = protocol
    ))
}

fn hook_names(hooks: Hooks) -> String {
    let names: Vec<_> = (Hook::ALL.iter().enumerate())
        .filter(|(at, _)| hooks & 1 << at != 0)
        .map(|(_, hook)| hook.name())
        .collect();
    names.join(", ")
}

/// Why the kernel refuses the rule, if it does.
fn refuse(family: IpFamily, table: TableName, rule: &Rule, hooks: Hooks) -> Option<Say> {
    for m in &rule.matches {
        let what = || format!("-m {}", print::match_name(m));
        let why = misfit(what, match_fits(family, m), table, &rule.header, hooks);
        if let Some(why) = why.or_else(|| refuse_match(family, m, hooks)) {
            return Some(why);
        }
    }
    let what = || format!("-j {}", print::target_name(&rule.target));
    misfit(what, target_fits(&rule.target), table, &rule.header, hooks)
        .or_else(|| refuse_target(rule, hooks))
}

fn refuse_match(family: IpFamily, m: &Match, hooks: Hooks) -> Option<Say> {
    match m {
        // Of IPv6 not every kind of address is known there (`addrtype_mt_checkentry_v1`).
        Match::Addrtype(a) if family == IpFamily::V6 && a.has_kinds_of_ipv4() => {
            Some(say!("iptables/commit-addrtype-of-ipv4"))
        }
        // `xt_addrtype.c`, `addrtype_mt_checkentry_v1`
        Match::Addrtype(a) if a.limit_iface_in && hooks & (POST | OUT) != 0 => {
            Some(no_interface("--limit-iface-in", hooks & (POST | OUT)))
        }
        Match::Addrtype(a) if a.limit_iface_out && hooks & (PRE | IN) != 0 => {
            Some(no_interface("--limit-iface-out", hooks & (PRE | IN)))
        }
        // `xt_physdev.c`, `physdev_mt_check`
        Match::Physdev(p) => {
            let out = p.out_iface.is_some() || p.is_out.is_some();
            let bridged = p.is_bridged.is_some_and(|b| !b.inverted);
            (out && !bridged && hooks & OUT != 0).then(|| say!("iptables/commit-physdev-out"))
        }
        Match::Limit(limit) => overflows(limit).then(|| say!("iptables/commit-rate")),
        Match::Hashlimit(limit) => refuse_hashlimit(limit),
        Match::Recent(recent) => refuse_recent(recent),
        _ => None,
    }
}

fn no_interface(option: &str, hooks: Hooks) -> Say {
    say!(
        "iptables/commit-no-interface",
        option = option,
        hooks = hook_names(hooks)
    )
}

/// Credit in 32 bits (`xt_limit.c`, `limit_mt_check`).
fn overflows(limit: &Limit) -> bool {
    let (cost, cap) = limit.credits();
    limit.burst == 0 || cap < cost
}

/// The same in 64 bits (`xt_hashlimit.c`, `hashlimit_mt_check_common`).
fn refuse_hashlimit(limit: &Hashlimit) -> Option<Say> {
    const A_SECOND: u64 = 1000 << 37;
    const SCALE: u64 = 1_000_000;
    let credits = |user: u64| {
        if user > u64::MAX / A_SECOND {
            (user / SCALE).wrapping_mul(A_SECOND)
        } else {
            user.wrapping_mul(A_SECOND) / SCALE
        }
    };
    let most = limit.family.bits();
    if limit.srcmask > most || limit.dstmask > most {
        return Some(say!("iptables/commit-hashlimit-mask"));
    }
    if limit.gc_interval == 0 || limit.expire == 0 {
        return Some(say!("iptables/commit-hashlimit-times"));
    }
    if !is_proc_name(&limit.name) {
        return Some(say!("iptables/commit-list-name", name = limit.name));
    }
    let burst = u64::from(limit.burst);
    let over = burst == 0 || credits(limit.average.wrapping_mul(burst)) < credits(limit.average);
    over.then(|| say!("iptables/commit-rate"))
}

/// `xt_recent.c`, `recent_mt_check`.
fn refuse_recent(recent: &Recent) -> Option<Say> {
    let asks =
        recent.seconds.is_some() || recent.hitcount.is_some() || recent.check_ttl || recent.reap;
    if asks && matches!(recent.action, RecentAction::Set | RecentAction::Remove) {
        return Some(say!("iptables/commit-recent-asks"));
    }
    if recent.hitcount.is_some_and(|n| n > 65535) {
        return Some(say!("iptables/commit-recent-hitcount"));
    }
    (!is_proc_name(&recent.name)).then(|| say!("iptables/commit-list-name", name = recent.name))
}

/// `xt_check_proc_name`: the list gets a file in `/proc`.
fn is_proc_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('/')
}

fn refuse_target(rule: &Rule, hooks: Hooks) -> Option<Say> {
    let tcp = is_for(&rule.header, Protocol::TCP);
    match &rule.target {
        // `ipt_REJECT.c`, `reject_tg_check`
        Target::Reject(RejectWith::TcpReset) if !tcp => Some(say!(
            "iptables/commit-protocol",
            what = "--reject-with tcp-reset",
            protocol = Protocol::TCP
        )),
        // `xt_TPROXY.c`, `tproxy_tg4_check`
        Target::Tproxy(_) if !tcp && !is_for(&rule.header, Protocol::UDP) => Some(say!(
            "iptables/commit-protocol",
            what = "-j TPROXY",
            protocol = "tcp, udp"
        )),
        // `xt_CT.c`, `xt_ct_set_helper`, `xt_ct_set_timeout`
        Target::Ct(ct) if !(ct.helper.is_empty() && ct.timeout.is_empty()) => {
            let clear = rule.header.protocol.is_some_and(|p| !p.inverted);
            (!clear).then(|| say!("iptables/commit-any-protocol", what = "-j CT"))
        }
        // `ipt_TTL.c`, `ttl_tg_check`
        Target::Ttl(TtlOp::Increase(0) | TtlOp::Decrease(0)) => Some(say!("iptables/commit-ttl")),
        // `xt_TCPMSS.c`, `tcpmss_tg4_check`
        Target::Tcpmss(mss) => {
            let wrong = hooks & !(FWD | OUT | POST);
            if mss.is_none() && wrong != 0 {
                return Some(no_interface("--clamp-mss-to-pmtu", wrong));
            }
            let syn = rule.matches.iter().any(|m| match m {
                Match::Tcp(tcp) => tcp
                    .flags
                    .is_some_and(|f| !f.inverted && f.value.set.has(TcpFlags::SYN)),
                _ => false,
            });
            (!syn).then(|| say!("iptables/commit-tcpmss-syn"))
        }
        _ => None,
    }
}
