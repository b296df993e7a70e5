//! Expressions, relations and sets in rules as nft prints them.

use super::constant::{constant, flags, prefix, range};
use super::verdict;
use crate::conntrack::Direction;
use crate::netfilter::nft::read::{FIELDS, QUALIFIED, UNQUALIFIED};
use crate::netfilter::nft::{
    CtKey, Data, DataType, Datatype, Element, Expr, Fib, FibResult, Field, HeaderBase as Base,
    Meta, Op, Relation, Right, RouteKey, Set, SetRef, SocketKey, Table, Value,
};

impl Expr {
    /// As nft prints it.
    pub fn text(&self, table: &Table) -> String {
        expr(self, table)
    }
}

pub(in crate::netfilter::nft) fn expr(e: &Expr, table: &Table) -> String {
    match e {
        Expr::Field(f) => field(*f),
        Expr::Meta(m) => meta(*m),
        Expr::Ct(key, direction) => ct(*key, *direction),
        Expr::Fib(f) => fib(f),
        Expr::Socket(key) => format!(
            "socket {}",
            match key {
                SocketKey::Transparent => "transparent",
                SocketKey::Mark => "mark",
                SocketKey::Wildcard => "wildcard",
            }
        ),
        Expr::Numgen {
            random,
            modulus,
            offset,
        } => {
            format!(
                "numgen {} mod {modulus}{}",
                if *random { "random" } else { "inc" },
                behind(" offset ", *offset)
            )
        }
        Expr::Jhash {
            of,
            modulus,
            seed,
            offset,
        } => {
            let seed = seed.map_or_else(String::new, |seed| format!(" seed 0x{seed:x}"));
            format!(
                "jhash {} mod {modulus}{seed}{}",
                expr(of, table),
                behind(" offset ", *offset)
            )
        }
        Expr::Symhash { modulus, offset } => {
            format!("symhash mod {modulus}{}", behind(" offset ", *offset))
        }
        Expr::Route(key) => format!(
            "rt {}",
            match key {
                RouteKey::Mtu => "mtu",
                RouteKey::Classid => "classid",
                RouteKey::Nexthop => "ip nexthop",
                RouteKey::Nexthop6 => "ip6 nexthop",
                RouteKey::Ipsec => "ipsec",
            }
        ),
        Expr::Raw(raw) => {
            let base = Base::NAMES.iter().find(|(_, base)| *base == raw.base);
            let base = base.map_or("", |(name, _)| name);
            format!("@{base},{},{}", raw.offset, raw.bits)
        }
        Expr::TcpOption(option) => option.text(),
        Expr::Bitwise { left, mask, xor } => bitwise(left, *mask, *xor, table),
        Expr::Shift { left, right, bits } => {
            format!(
                "{} {} {bits}",
                expr(left, table),
                if *right { ">>" } else { "<<" }
            )
        }
        Expr::Concat(parts) => joined(parts.iter().map(|p| expr(p, table)), " . "),
        Expr::Map(key, map) => format!("{} map {}", expr(key, table), set_ref(map, table)),
        Expr::Value(value, datatype) => constant(*value, *datatype),
        Expr::Range(r, datatype) => format!(
            "{}-{}",
            constant(r.low, *datatype),
            constant(r.high, *datatype)
        ),
    }
}

fn behind(word: &str, number: u32) -> String {
    if number == 0 {
        String::new()
    } else {
        format!("{word}{number}")
    }
}

pub(super) fn joined(parts: impl Iterator<Item = String>, joint: &str) -> String {
    parts.collect::<Vec<_>>().join(joint)
}

pub(super) fn field(field: Field) -> String {
    let found = FIELDS.iter().find(|(_, _, f)| *f == field);
    found.map_or_else(String::new, |(header, name, _)| format!("{header} {name}"))
}

pub(super) fn meta(meta: Meta) -> String {
    if matches!(meta, Meta::Iifname | Meta::Oifname | Meta::Iif | Meta::Oif) {
        let found = UNQUALIFIED.iter().find(|(_, m)| *m == meta);
        return found.map_or_else(String::new, |(name, _)| name.to_string());
    }
    let found = UNQUALIFIED
        .iter()
        .chain(&QUALIFIED)
        .find(|(_, m)| *m == meta);
    found.map_or_else(String::new, |(name, _)| format!("meta {name}"))
}

fn ct(key: CtKey, direction: Option<Direction>) -> String {
    let name = match key {
        CtKey::State => "state",
        CtKey::Status => "status",
        CtKey::Direction => "direction",
        CtKey::Mark => "mark",
        CtKey::Saddr => "ip saddr",
        CtKey::Daddr => "ip daddr",
        CtKey::Saddr6 => "ip6 saddr",
        CtKey::Daddr6 => "ip6 daddr",
        CtKey::ProtoSrc => "proto-src",
        CtKey::ProtoDst => "proto-dst",
        CtKey::L3proto => "l3proto",
        CtKey::Protocol => "protocol",
        CtKey::Expiration => "expiration",
        CtKey::Zone => "zone",
        CtKey::Bytes => "bytes",
        CtKey::Packets => "packets",
        CtKey::Avgpkt => "avgpkt",
    };
    match direction {
        None => format!("ct {name}"),
        Some(Direction::Original) => format!("ct original {name}"),
        Some(Direction::Reply) => format!("ct reply {name}"),
    }
}

fn fib(f: &Fib) -> String {
    let mut parts = vec![if f.saddr { "saddr" } else { "daddr" }];
    let more = [
        (f.with_mark, "mark"),
        (f.with_iif, "iif"),
        (f.with_oif, "oif"),
    ];
    parts.extend(more.iter().filter(|(on, _)| *on).map(|(_, name)| *name));
    let result = match f.result {
        FibResult::Type => "type",
        FibResult::Oif => "oif",
        FibResult::Oifname => "oifname",
        FibResult::Check => "check",
    };
    format!("fib {} {result}", parts.join(" . "))
}

/// A mask and an xor, as `& a ^ b | c` again (nftables `src/netlink_delinearize.c`, `netlink_parse_bitwise`).
fn bitwise(left: &Expr, mask: Value, xor: Value, table: &Table) -> String {
    let datatype = left.datatype();
    let or = xor & !mask;
    let (mask, xor) = (mask | or, xor & !or);
    let mut out = expr(left, table);
    let mut part = |sign: &str, value: Value| {
        let several = datatype.is_bitmask() && value.count_ones() > 1;
        let text = constant(value, datatype);
        out.push_str(&if several {
            format!(" {sign} ({text})")
        } else {
            format!(" {sign} {text}")
        });
    };
    if mask != datatype.full() {
        part("&", mask);
    }
    if xor != 0 {
        part("^", xor);
    }
    if or != 0 {
        part("|", or);
    }
    out
}

pub(super) fn relation(relation: &Relation, table: &Table) -> String {
    let Relation { left, op, right } = relation;
    let datatype = left.datatype();
    // `tcp flags syn / syn,ack`
    if let (
        Expr::Bitwise {
            left: inner,
            mask,
            xor: 0,
        },
        Right::Value(value),
        Op::Eq | Op::Ne,
    ) = (left, right, op)
        && datatype.is_bitmask()
        && let value = value.first().copied().unwrap_or(0)
        && (value == 0 || mask.count_ones() > 1)
    {
        let inner = expr(inner, table);
        let list = |v| flags(v, datatype, ",");
        return match (value, op) {
            (0, Op::Eq) => format!("{inner} ! {}", list(*mask)),
            (0, _) => format!("{inner} {}", list(*mask)),
            (v, Op::Ne) => format!("{inner} != {} / {}", list(v), list(*mask)),
            (v, _) => format!("{inner} {} / {}", list(v), list(*mask)),
        };
    }
    if let (
        Expr::Bitwise {
            left: inner,
            mask,
            xor: 0,
        },
        Right::Value(value),
        Op::Eq | Op::Ne,
    ) = (left, right, op)
        && datatype.has_prefixes()
        && let Some(length) = datatype.prefix_length(*mask)
    {
        let sign = if *op == Op::Ne { "!= " } else { "" };
        let value = value.first().copied().unwrap_or(0);
        return format!(
            "{} {sign}{}",
            expr(inner, table),
            prefix(value, length, datatype)
        );
    }
    let sign = match op {
        // A comparison with a flag, and with what was computed, keeps its sign.
        Op::Eq
            if matches!(right, Right::Value(_))
                && (datatype.is_bitmask() || matches!(left, Expr::Bitwise { .. })) =>
        {
            "== "
        }
        Op::Eq | Op::Any => "",
        Op::Ne => "!= ",
        Op::Lt => "< ",
        Op::Gt => "> ",
        Op::Le => "<= ",
        Op::Ge => ">= ",
        Op::NoneOf => "! ",
    };
    let right = match right {
        Right::Set(set) => set_ref(set, table),
        plain => self::right(plain, left, *op),
    };
    format!("{} {sign}{right}", expr(left, table))
}

/// What a field is compared with, when not with a set.
pub(in crate::netfilter::nft) fn right(right: &Right, left: &Expr, op: Op) -> String {
    let datatype = left.datatype();
    match right {
        Right::Value(values) if matches!(op, Op::Any | Op::NoneOf) => {
            flags(values.first().copied().unwrap_or(0), datatype, ",")
        }
        Right::Value(all) => values(all, &left.types()),
        Right::Range(r) => format!(
            "{}-{}",
            constant(r.low, datatype),
            constant(r.high, datatype)
        ),
        Right::Prefix { value, length } => prefix(*value, *length, datatype),
        Right::Set(_) => String::new(),
    }
}

/// The parts of a key.
pub(in crate::netfilter::nft) fn values(values: &[Value], types: &[Datatype]) -> String {
    joined(
        values.iter().zip(types).map(|(v, t)| constant(*v, *t)),
        " . ",
    )
}

pub(in crate::netfilter::nft) fn set_ref(set: &SetRef, table: &Table) -> String {
    match set {
        SetRef::Named(id) => format!("@{}", table.set(*id).map_or("", |s| &s.name)),
        SetRef::Anonymous(set) => format!(
            "{{ {} }}",
            joined(
                sorted(set).into_iter().map(|e| element(e, set, table)),
                ", "
            )
        ),
    }
}

/// Concatenations and names are sorted from their last byte on, as nft reads them as one number of the host's byte order;
/// concatenations not at all where they have ranges. What takes all others stands last.
pub(super) fn sorted(set: &Set) -> Vec<&Element> {
    let mut all: Vec<&Element> = set.elements.iter().collect();
    if set.key.len() > 1 && set.flags.interval {
        all.sort_by_key(|e| e.span);
    } else if set.key.len() > 1 || set.key == [Datatype::IfName] && !set.flags.interval {
        all.sort_by_cached_key(|e| {
            let parts = e.key.iter().zip(&set.key);
            let mut bytes: Vec<u8> = parts.flat_map(|(r, t)| t.bytes(r.low)).collect();
            bytes.reverse();
            bytes
        });
    }
    all.sort_by_key(|e| e.key.is_empty());
    all
}

pub(super) fn element(e: &Element, set: &Set, table: &Table) -> String {
    let mut out = if e.key.is_empty() {
        "*".to_string()
    } else {
        joined(
            e.key.iter().zip(&set.key).map(|(r, t)| range(*r, *t)),
            " . ",
        )
    };
    if let Some(timeout) = e.timeout.filter(|_| e.timeout != set.timeout) {
        out.push_str(&format!(" timeout {}", super::constant::duration(timeout)));
    }
    if let Some(expires) = e.expires {
        out.push_str(&format!(" expires {}", super::constant::duration(expires)));
    }
    if let Some(comment) = &e.comment {
        out.push_str(&format!(" comment \"{comment}\""));
    }
    match &e.data {
        Some(Data::Verdict(v)) => out.push_str(&format!(" : {}", verdict(v, table))),
        Some(Data::Values(values)) => {
            let types: &[Datatype] = match &set.data {
                Some(DataType::Values(types)) => types,
                _ => &[],
            };
            out.push_str(&format!(
                " : {}",
                joined(values.iter().zip(types).map(|(r, t)| range(*r, *t)), " . ")
            ));
        }
        None => {}
    }
    out
}
