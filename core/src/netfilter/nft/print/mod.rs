//! Prints as `nft list ruleset` does (nftables 1.0.6).

mod constant;
mod expr;
mod statement;

use std::fmt::{self, Write};

pub(super) use expr::{expr as expression, right, set_ref, values};
pub(super) use statement::{statement, verdict};

use expr::{element, joined, sorted};

use super::read::PRIORITIES;
use super::{
    BaseKind, Chain, DataType, Datatype, Expr, Field, Meta, Object, ObjectKind, Op, Reject, Right,
    Rule, Ruleset, Set, Statement, Table,
};
use crate::netfilter::{Hook, Policy};

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tables.iter().try_for_each(|t| t.fmt(f))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table {} {} {{", self.family.name(), self.name)?;
        let mut parts: Vec<String> = Vec::new();
        if self.dormant {
            f.write_str("\tflags dormant\n")?;
        }
        if let Some(comment) = &self.comment {
            writeln!(f, "\tcomment \"{comment}\"")?;
        }
        parts.extend(self.objects.iter().map(object));
        parts.extend(self.sets.iter().map(|s| set(s, self)));
        for c in &self.chains {
            let mut text = String::new();
            chain(c, self, &mut text)?;
            parts.push(text);
        }
        f.write_str(&parts.join("\n"))?;
        f.write_str("}\n")
    }
}

fn object(o: &Object) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(o.comment.iter().map(|c| format!("comment \"{c}\"")));
    let kind = o.shared().name();
    match &o.kind {
        ObjectKind::Counter(count) => {
            lines.push(format!("packets {} bytes {}", count.packets, count.bytes))
        }
        ObjectKind::Quota(quota) => lines.push(statement::quota(quota)),
        ObjectKind::Limit(limit) => lines.push(statement::limit(limit)),
        ObjectKind::Other(_, own) => lines.extend(own.iter().map(|l| l.to_string())),
    }
    let body: String = lines.iter().map(|l| format!("\t\t{l}\n")).collect();
    format!("\t{kind} {} {{\n{body}\t}}\n", o.name)
}

fn set(s: &Set, table: &Table) -> String {
    let mut lines: Vec<String> = Vec::new();
    let names = |types: &[Datatype]| joined(types.iter().map(|t| t.name().to_string()), " . ");
    let data = match (&s.data, &s.typeof_data) {
        (None, _) => String::new(),
        (Some(DataType::Verdict), _) => " : verdict".to_string(),
        (Some(_), Some(data)) => format!(" : {}", expression(data, table)),
        (Some(DataType::Values(types)), None) => {
            let interval = if s.data_interval { "interval " } else { "" };
            format!(" : {interval}{}", names(types))
        }
    };
    lines.push(match &s.typeof_key {
        Some(key) => format!("typeof {}{data}", expression(key, table)),
        None => format!("type {}{data}", names(&s.key)),
    });
    if s.memory_policy {
        lines.push("policy memory".to_string());
    }
    if let Some(size) = s.size {
        lines.push(format!("size {size}"));
    }
    let other_flags = s.flags.constant || s.flags.dynamic || s.flags.interval;
    let flags = [
        (s.flags.constant, "constant"),
        (s.flags.dynamic, "dynamic"),
        (s.flags.interval, "interval"),
        // Alone it goes without saying where there is a time.
        (
            s.flags.timeout && (s.timeout.is_none() || other_flags),
            "timeout",
        ),
    ];
    let flags: Vec<_> = flags
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    if !flags.is_empty() {
        lines.push(format!("flags {}", flags.join(",")));
    }
    if s.auto_merge {
        lines.push("auto-merge".to_string());
    }
    if let Some(timeout) = s.timeout {
        lines.push(format!("timeout {}", constant::duration(timeout)));
    }
    if let Some(interval) = s.gc_interval {
        lines.push(format!("gc-interval {}", constant::duration(interval)));
    }
    if let Some(comment) = &s.comment {
        lines.push(format!("comment \"{comment}\""));
    }
    if s.counter {
        lines.push("counter".to_string());
    }
    if !s.elements.is_empty() {
        lines.push(elements(s, table));
    }
    let kind = if s.data.is_some() { "map" } else { "set" };
    format!(
        "\t{kind} {} {{\n{}\t}}\n",
        s.name,
        lines
            .iter()
            .map(|l| format!("\t\t{l}\n"))
            .collect::<String>()
    )
}

/// Several on a line where they are short.
fn elements(s: &Set, table: &Table) -> String {
    let a_line = match s.key.as_slice() {
        [Datatype::InetService | Datatype::InetProto | Datatype::Mark] => 5,
        [Datatype::Uid | Datatype::Gid | Datatype::Integer(_)] => 5,
        [Datatype::Ipv4Addr] => 2,
        _ => 1,
    };
    let mut out = "elements = { ".to_string();
    for (i, e) in sorted(s).into_iter().enumerate() {
        if i > 0 {
            out.push_str(if i % a_line == 0 {
                ",\n\t\t\t     "
            } else {
                ", "
            });
        }
        out.push_str(&element(e, s, table));
    }
    out.push_str(" }");
    out
}

fn chain(c: &Chain, table: &Table, out: &mut String) -> fmt::Result {
    writeln!(out, "\tchain {} {{", c.name)?;
    if let Some(comment) = &c.comment {
        writeln!(out, "\t\tcomment \"{comment}\"")?;
    }
    if let Some(base) = &c.base {
        let kind = match base.kind {
            BaseKind::Filter => "filter",
            BaseKind::Nat => "nat",
            BaseKind::Route => "route",
        };
        let policy = match base.policy {
            Policy::Accept => "accept",
            Policy::Drop => "drop",
        };
        let hook = base.hook.name().to_lowercase();
        writeln!(
            out,
            "\t\ttype {kind} hook {hook} priority {}; policy {policy};",
            priority(base.priority, base.hook)
        )?;
    }
    for r in &c.rules {
        writeln!(out, "\t\t{}", rule(r, table))?;
    }
    out.push_str("\t}\n");
    Ok(())
}

/// By name where one is at most 10 away (nftables `src/rule.c`, `prio2str`).
fn priority(priority: i32, hook: Hook) -> String {
    let near = PRIORITIES.iter().find(|(_, at, only)| {
        only.is_none_or(|h| h == hook) && (priority.saturating_sub(*at)).abs() <= 10
    });
    match near {
        None => priority.to_string(),
        Some((name, at, _)) => match priority - at {
            0 => name.to_string(),
            n if n > 0 => format!("{name} + {n}"),
            n => format!("{name} - {}", -n),
        },
    }
}

/// A rule as one line.
pub fn rule(r: &Rule, table: &Table) -> String {
    let indexed = r.statements.iter().enumerate();
    let mut shown: Vec<&Statement> = indexed
        .filter(|(i, _)| !implied(&r.statements, *i, table))
        .map(|(_, s)| s)
        .collect();
    in_header_order(&mut shown);
    let mut out = joined(shown.into_iter().map(|s| statement(s, table)), " ");
    if let Some(comment) = &r.comment {
        let _ = write!(
            out,
            "{}comment \"{comment}\"",
            if out.is_empty() { "" } else { " " }
        );
    }
    out
}

/// Neighbours in a header that are compared one after the other become one comparison, and come back in the header's order.
fn in_header_order(statements: &mut [&Statement]) {
    for _ in 0..statements.len() {
        for at in 1..statements.len() {
            if let (Some((base, offset, length)), Some((same, later, _))) =
                (compared(statements[at]), compared(statements[at - 1]))
                && base == same
                && offset + length == later
            {
                statements.swap(at - 1, at);
            }
        }
    }
}

/// Where in which header a statement compares bytes with one value.
fn compared(statement: &Statement) -> Option<(u8, u8, u8)> {
    let Statement::Match(r) = statement else {
        return None;
    };
    match (&r.left, r.op, &r.right) {
        (Expr::Field(field), Op::Eq, Right::Value(_)) => field.bytes(),
        _ => None,
    }
}

/// Whether a question goes without saying, as a later one asks it too: `meta l4proto tcp tcp dport 80`.
fn implied(statements: &[Statement], at: usize, table: &Table) -> bool {
    let Some(Statement::Match(question)) = statements.get(at) else {
        return false;
    };
    let (Op::Eq, Right::Value(value)) = (question.op, &question.right) else {
        return false;
    };
    let value = value.first().copied().unwrap_or(0);
    // Only questions may stand between the two.
    let mut asked = Vec::new();
    let mut refused = None;
    for later in statements.iter().skip(at + 1) {
        asked.extend(fields(later));
        if let Statement::Reject(reject) = later {
            refused = Some(*reject);
        }
        if !matches!(later, Statement::Match(_)) {
            break;
        }
    }
    let of_transport = |f: &Field| f.transport().is_some_and(|t| u128::from(t.0) == value);
    let of_family = |f: &Field, ipv6| f.ipv6() == Some(ipv6);
    let inet = table.family == super::Family::Inet;
    match &question.left {
        Expr::Meta(Meta::L4proto) => {
            asked.iter().any(of_transport)
                || !inet && value == 6 && refused == Some(Reject::TcpReset)
        }
        Expr::Field(Field::IpProtocol | Field::Ip6Nexthdr) => {
            !inet && asked.iter().any(of_transport)
        }
        Expr::Meta(Meta::Nfproto) => {
            let ipv6 = value == 10;
            let refuses = match refused {
                Some(Reject::Icmp(_)) => !ipv6,
                Some(Reject::Icmpv6(_)) => ipv6,
                _ => false,
            };
            refuses || asked.iter().any(|f| of_family(f, ipv6))
        }
        Expr::Meta(Meta::Protocol) => asked.iter().any(|f| of_family(f, value == 0x86dd)),
        _ => false,
    }
}

/// The header fields that a statement asks.
fn fields(statement: &Statement) -> Vec<Field> {
    fn of(e: &Expr, out: &mut Vec<Field>) {
        match e {
            Expr::Field(f) => out.push(*f),
            Expr::Concat(parts) => parts.iter().for_each(|p| of(p, out)),
            Expr::Bitwise { left, .. } | Expr::Shift { left, .. } => of(left, out),
            Expr::Jhash { of: inner, .. } | Expr::Map(inner, _) => of(inner, out),
            _ => {}
        }
    }
    let mut out = Vec::new();
    match statement {
        Statement::Match(r) => of(&r.left, &mut out),
        Statement::Vmap(key, _) => of(key, &mut out),
        Statement::Nat(n) => [&n.addr, &n.port]
            .into_iter()
            .flatten()
            .for_each(|e| of(e, &mut out)),
        _ => {}
    }
    out
}
