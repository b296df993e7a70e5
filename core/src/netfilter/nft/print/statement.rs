//! Statements as nft prints them.

use super::constant::{duration, range};
use super::expr::{expr, field, meta, relation, set_ref};
use crate::conntrack::Direction;
use crate::netfilter::nft::read::LEVELS;
use crate::netfilter::nft::symbols::{ICMP_CODES, ICMPV6_CODES};
use crate::netfilter::nft::{
    DataType, Datatype, Expr, Family, Icmpx, Limit, Log, Nat, NatKind, Quota, Reject, SetRef,
    Shared, Statement, Table, Target, TimeUnit, Tproxy, Update, UpdateOp, Verdict,
};
use crate::netfilter::targets::RejectWith;

pub(in crate::netfilter::nft) fn statement(s: &Statement, table: &Table) -> String {
    match s {
        Statement::Match(r) => relation(r, table),
        Statement::Vmap(key, map) => format!("{} vmap {}", expr(key, table), set_ref(map, table)),
        Statement::Verdict(v) => verdict(v, table),
        Statement::Counter(c) => format!("counter packets {} bytes {}", c.packets, c.bytes),
        Statement::Shared(shared, name) => match shared {
            Shared::Helper | Shared::Timeout | Shared::Expectation => {
                format!("{} set \"{name}\"", shared.name())
            }
            _ => format!("{} name \"{name}\"", shared.name()),
        },
        Statement::Limit(l) => format!("limit {}", limit(l)),
        Statement::Quota(q) => format!("quota {}", quota(q)),
        Statement::Log(l) => log(l),
        Statement::Set(target, value) => {
            format!("{} set {}", set_target(*target), expr(value, table))
        }
        Statement::Nat(n) => nat(n, table),
        Statement::Reject(r) => reject(*r, table.family),
        Statement::Notrack => "notrack".to_string(),
        Statement::Update(u) => update(u, table),
        Statement::Tproxy(t) => tproxy(t, table),
        Statement::Unsupported(what) => what.text.to_string(),
    }
}

pub(in crate::netfilter::nft) fn verdict(v: &Verdict, table: &Table) -> String {
    let name = |chain| table.chain(chain).map_or("", |c| &*c.name);
    match v {
        Verdict::Accept => "accept".to_string(),
        Verdict::Drop => "drop".to_string(),
        Verdict::Continue => "continue".to_string(),
        Verdict::Return => "return".to_string(),
        Verdict::Jump(chain) => format!("jump {}", name(*chain)),
        Verdict::Goto(chain) => format!("goto {}", name(*chain)),
    }
}

fn set_target(target: Target) -> String {
    match target {
        Target::Meta(m) => meta(m),
        Target::CtMark => "ct mark".to_string(),
        Target::CtZone(None) => "ct zone".to_string(),
        Target::CtZone(Some(Direction::Original)) => "ct original zone".to_string(),
        Target::CtZone(Some(Direction::Reply)) => "ct reply zone".to_string(),
        Target::Field(f) => field(f),
        Target::TcpOption(option) => option.text(),
    }
}

pub(super) fn limit(l: &Limit) -> String {
    let unit = match l.unit {
        TimeUnit::Second => "second",
        TimeUnit::Minute => "minute",
        TimeUnit::Hour => "hour",
        TimeUnit::Day => "day",
        TimeUnit::Week => "week",
    };
    let over = if l.over { "over " } else { "" };
    if l.bytes {
        let burst = if l.burst == 5 {
            String::new()
        } else {
            format!(" burst {}", bytes(u64::from(l.burst)))
        };
        return format!("rate {over}{}/{unit}{burst}", bytes(l.rate));
    }
    let burst = if l.burst == 5 {
        String::new()
    } else {
        format!(" burst {} packets", l.burst)
    };
    format!("rate {over}{}/{unit}{burst}", l.rate)
}

pub(super) fn quota(q: &Quota) -> String {
    let over = if q.over { "over " } else { "" };
    let used = match q.used {
        0 => String::new(),
        used => format!(" used {}", bytes(used)),
    };
    format!("{over}{}{used}", bytes(q.bytes))
}

fn bytes(count: u64) -> String {
    match count {
        n if n > 0 && n % (1024 * 1024) == 0 => format!("{} mbytes", n / 1024 / 1024),
        n if n > 0 && n % 1024 == 0 => format!("{} kbytes", n / 1024),
        n => format!("{n} bytes"),
    }
}

fn log(l: &Log) -> String {
    let mut out = "log".to_string();
    if let Some(prefix) = &l.prefix {
        out.push_str(&format!(" prefix \"{prefix}\""));
    }
    if let Some(group) = l.group {
        out.push_str(&format!(" group {group}"));
    }
    if let Some(snaplen) = l.snaplen {
        out.push_str(&format!(" snaplen {snaplen}"));
    }
    if let Some(threshold) = l.queue_threshold {
        out.push_str(&format!(" queue-threshold {threshold}"));
    }
    // `warn` is what is meant without a level.
    if let Some(level) = l.level.filter(|level| *level != 4) {
        out.push_str(&format!(
            " level {}",
            LEVELS.get(usize::from(level)).unwrap_or(&"")
        ));
    }
    if l.flags == 47 {
        out.push_str(" flags all");
        return out;
    }
    match l.flags & 3 {
        1 => out.push_str(" flags tcp sequence"),
        2 => out.push_str(" flags tcp options"),
        3 => out.push_str(" flags tcp sequence,options"),
        _ => {}
    }
    for (bit, name) in [
        (4, " flags ip options"),
        (8, " flags skuid"),
        (32, " flags ether"),
    ] {
        if l.flags & bit != 0 {
            out.push_str(name);
        }
    }
    out
}

fn nat(n: &Nat, table: &Table) -> String {
    let mut out = match n.kind {
        NatKind::Snat => "snat",
        NatKind::Dnat => "dnat",
        NatKind::Masquerade => "masquerade",
        NatKind::Redirect => "redirect",
    }
    .to_string();
    if n.addr.is_some() || n.port.is_some() {
        let computed = matches!(n.addr, Some(Expr::Map(..)));
        let both = n.prefix && computed || n.addr.as_ref().is_some_and(|a| gives_both(a, table));
        match n.family.unwrap_or(table.family) {
            Family::Ip if table.family == Family::Inet || both => out.push_str(" ip"),
            Family::Ip6 if table.family == Family::Inet || both => out.push_str(" ip6"),
            _ => {}
        }
        if n.prefix {
            out.push_str(" prefix");
        }
        out.push_str(" to ");
        let bracket = n.port.is_some() && n.family.unwrap_or(table.family) == Family::Ip6;
        match &n.addr {
            Some(addr) if bracket && matches!(addr, Expr::Value(..)) => {
                out.push_str(&format!("[{}]", expr(addr, table)))
            }
            Some(Expr::Range(r, datatype)) if n.prefix => out.push_str(&range(*r, *datatype)),
            Some(addr) => out.push_str(&expr(addr, table)),
            None => {}
        }
        if let Some(port) = &n.port {
            out.push_str(&format!(":{}", expr(port, table)));
        }
    }
    let flags = [
        (n.random, "random"),
        (n.fully_random, "fully-random"),
        (n.persistent, "persistent"),
    ];
    let flags: Vec<_> = flags
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    if !flags.is_empty() {
        out.push_str(&format!(" {}", flags.join(",")));
    }
    out
}

/// A map that gives address and port together.
fn gives_both(addr: &Expr, table: &Table) -> bool {
    let set = match addr {
        Expr::Map(_, SetRef::Named(id)) => table.set(*id),
        Expr::Map(_, SetRef::Anonymous(set)) => Some(&**set),
        _ => None,
    };
    matches!(set.and_then(|s| s.data.as_ref()), Some(DataType::Values(types)) if types.len() > 1)
}

fn reject(r: Reject, family: Family) -> String {
    let named = |names: &[(&'static str, u128)], code: u128| {
        names
            .iter()
            .find(|(_, c)| *c == code)
            .map_or("", |(name, _)| name)
    };
    let plain = match r {
        Reject::Default => true,
        Reject::Icmp(with) => family == Family::Ip && with == RejectWith::PortUnreachable,
        Reject::Icmpv6(with) => family == Family::Ip6 && with == RejectWith::PortUnreachable6,
        Reject::Icmpx(with) => with == Icmpx::PortUnreachable,
        Reject::TcpReset => false,
    };
    if plain {
        return "reject".to_string();
    }
    match r {
        Reject::Default => "reject".to_string(),
        Reject::TcpReset => "reject with tcp reset".to_string(),
        Reject::Icmp(with) => {
            let code = match with {
                RejectWith::NetUnreachable => 0,
                RejectWith::HostUnreachable => 1,
                RejectWith::ProtoUnreachable => 2,
                RejectWith::NetProhibited => 9,
                RejectWith::HostProhibited => 10,
                RejectWith::AdminProhibited => 13,
                _ => 3,
            };
            format!("reject with icmp {}", named(ICMP_CODES, code))
        }
        Reject::Icmpv6(with) => {
            let code = match with {
                RejectWith::NoRoute6 => 0,
                RejectWith::AdmProhibited6 => 1,
                RejectWith::AddrUnreachable6 => 3,
                RejectWith::PolicyFail6 => 5,
                RejectWith::RejectRoute6 => 6,
                _ => 4,
            };
            format!("reject with icmpv6 {}", named(ICMPV6_CODES, code))
        }
        Reject::Icmpx(with) => format!(
            "reject with icmpx {}",
            match with {
                Icmpx::NoRoute => "no-route",
                Icmpx::PortUnreachable => "port-unreachable",
                Icmpx::HostUnreachable => "host-unreachable",
                Icmpx::AdminProhibited => "admin-prohibited",
            }
        ),
    }
}

fn update(u: &Update, table: &Table) -> String {
    let op = match u.op {
        UpdateOp::Add => "add",
        UpdateOp::Update => "update",
        UpdateOp::Delete => "delete",
    };
    let mut inner = expr(&u.key, table);
    if let Some(timeout) = u.timeout {
        inner.push_str(&format!(" timeout {}", duration(timeout)));
    }
    for s in &u.statements {
        match s {
            Statement::Counter(_) => inner.push_str(" counter"),
            s => inner.push_str(&format!(" {}", statement(s, table))),
        }
    }
    if let Some(data) = &u.data {
        inner.push_str(&format!(" : {}", expr(data, table)));
    }
    format!(
        "{op} @{} {{ {inner} }}",
        table.set(u.set).map_or("", |s| &s.name)
    )
}

fn tproxy(t: &Tproxy, table: &Table) -> String {
    let family = match t.family {
        Some(family) if table.family == Family::Inet => format!(" {}", family.name()),
        _ => String::new(),
    };
    let addr = match &t.addr {
        Some(addr) if addr.datatype() == Datatype::Ipv6Addr => format!("[{}]", expr(addr, table)),
        Some(addr) => expr(addr, table),
        None => String::new(),
    };
    let port = t
        .port
        .as_ref()
        .map_or_else(String::new, |p| format!(":{}", expr(p, table)));
    format!("tproxy{family} to {addr}{port}")
}
