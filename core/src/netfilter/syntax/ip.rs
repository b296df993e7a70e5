//! Matches on other fields of the IP header: `-m length`, `-m ttl`, `-m hl`, `-m tos`, `-m dscp` (`libxt_length.c`,
//! `libipt_ttl.c`, `libip6t_hl.c`, `libxt_tos.c` revision 1, `libxt_dscp.c`).

use std::fmt::Write;

use super::values::{leading_number, number};
use super::{Fault, Given, Opt, Syntax, needs_one, no_finish};
use crate::netfilter::matches::{Range, TtlTest};
use crate::netfilter::{Match, Not};

pub(in crate::netfilter) static LENGTH: Syntax<Match> = Syntax {
    name: "length",
    options: &[Opt::value("length", 0).must().not()],
    start: |_, _| Match::Length(Not::plain(Range { low: 0, high: 0 })),
    option: |m, given, _| {
        let Range { low, high } = given.range(65535)?;
        *m = Match::Length(given.not(Range {
            low: low as u16,
            high: high as u16,
        }));
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static TTL: Syntax<Match> = Syntax {
    name: "ttl",
    options: &[
        Opt::value("ttl-lt", 1).excl(0b111),
        Opt::value("ttl-gt", 2).excl(0b111),
        Opt::value("ttl-eq", 0).not().excl(0b111),
        Opt::value("ttl", 0).not().excl(0b111),
    ],
    start: |_, _| Match::Ttl(TtlTest::Equal(0)),
    option: |m, given, _| {
        *m = Match::Ttl(read_ttl(given)?);
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "ttl", "--ttl-eq, --ttl-lt, --ttl-gt"),
};

pub(in crate::netfilter) static HL: Syntax<Match> = Syntax {
    name: "hl",
    options: &[
        Opt::value("hl-lt", 1).excl(0b111),
        Opt::value("hl-gt", 2).excl(0b111),
        Opt::value("hl-eq", 0).not().excl(0b111),
        Opt::value("hl", 0).not().excl(0b111),
    ],
    start: |_, _| Match::Hl(TtlTest::Equal(0)),
    option: |m, given, _| {
        *m = Match::Hl(read_ttl(given)?);
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "hl", "--hl-eq, --hl-lt, --hl-gt"),
};

fn read_ttl(given: &Given) -> Result<TtlTest, Fault> {
    let ttl = given.u8(0)?;
    Ok(match given.id {
        1 => TtlTest::Less(ttl),
        2 => TtlTest::Greater(ttl),
        _ if given.inverted => TtlTest::NotEqual(ttl),
        _ => TtlTest::Equal(ttl),
    })
}

pub(in crate::netfilter) static TOS: Syntax<Match> = Syntax {
    name: "tos",
    options: &[Opt::value("tos", 0).must().not()],
    start: |_, _| Match::Tos {
        value: 0,
        mask: 0,
        inverted: false,
    },
    option: |m, given, _| {
        let (value, mask) = read_tos(given)?;
        *m = Match::Tos {
            value,
            mask,
            inverted: given.inverted,
        };
        Ok(())
    },
    finish: no_finish,
};

static TOS_NAMES: [(&str, u8); 5] = [
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0),
];

/// `value[/mask]`, or a name, for which the mask is 0x3f.
pub(super) fn read_tos(given: &Given) -> Result<(u8, u8), Fault> {
    let byte = |n: u64| u8::try_from(n).map_err(|_| given.bad());
    match leading_number(given.value) {
        Some((value, "")) => Ok((byte(value)?, 255)),
        Some((value, rest)) => {
            let mask = rest.strip_prefix('/').and_then(|m| number(m, 0, 255));
            Ok((byte(value)?, byte(mask.ok_or_else(|| given.bad())?)?))
        }
        None => TOS_NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(given.value))
            .map(|(_, value)| (*value, 0x3f))
            .ok_or_else(|| given.bad()),
    }
}

pub(in crate::netfilter) static DSCP: Syntax<Match> = Syntax {
    name: "dscp",
    options: &[
        Opt::value("dscp", 0).not().excl(0b10),
        Opt::value("dscp-class", 1).not().excl(0b01),
    ],
    start: |_, _| Match::Dscp(Not::plain(0)),
    option: |m, given, _| {
        let dscp = match given.id {
            0 => given.number(0, 63)? as u8,
            _ => class(given.value).ok_or_else(|| given.bad())?,
        };
        *m = Match::Dscp(given.not(dscp));
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "dscp", "--dscp, --dscp-class"),
};

/// DiffServ classes (RFC 2474, 2597, 3246): `CSn`, `BE`, `AFxy`, `EF`. What follows a class is not looked at.
pub(super) fn class(name: &str) -> Option<u8> {
    let bytes = name.as_bytes();
    let digit = |at: usize, high: u8| {
        let digit = bytes.get(at)?.checked_sub(b'0')?;
        (digit <= high).then_some(digit)
    };
    let head = name.get(..2)?.to_ascii_uppercase();
    match head.as_str() {
        "CS" => Some(digit(2, 7)? << 3),
        "BE" => Some(0),
        "EF" => Some(0x2e),
        "AF" => match (digit(2, 4)?, digit(3, 3)?) {
            (0, _) | (_, 0) => None,
            (class, drop) => Some(class << 3 | drop << 1),
        },
        _ => None,
    }
}

fn not(inverted: bool) -> &'static str {
    if inverted { " !" } else { "" }
}

pub(in crate::netfilter) fn save_length(length: &Not<Range<u16>>, out: &mut String) {
    let _ = write!(out, "{} --length {}", not(length.inverted), length.value);
}

pub(in crate::netfilter) fn list_length(length: &Not<Range<u16>>, out: &mut String) {
    let inv = if length.inverted { "!" } else { "" };
    let _ = write!(out, " length {inv}{}", length.value);
}

/// `name`: `ttl` or `hl`.
pub(in crate::netfilter) fn save_ttl(name: &str, test: &TtlTest, out: &mut String) {
    let (not, how, ttl) = match test {
        TtlTest::Equal(ttl) => ("", "eq", ttl),
        TtlTest::NotEqual(ttl) => (" !", "eq", ttl),
        TtlTest::Less(ttl) => ("", "lt", ttl),
        TtlTest::Greater(ttl) => ("", "gt", ttl),
    };
    let _ = write!(out, "{not} --{name}-{how} {ttl}");
}

/// `name`: `TTL` or `HL`.
pub(in crate::netfilter) fn list_ttl(name: &str, test: &TtlTest, out: &mut String) {
    let (sign, ttl) = match test {
        TtlTest::Equal(ttl) => ("==", ttl),
        TtlTest::NotEqual(ttl) => ("!=", ttl),
        TtlTest::Less(ttl) => ("<", ttl),
        TtlTest::Greater(ttl) => (">", ttl),
    };
    let _ = write!(out, " {name} match {name} {sign} {ttl}");
}

pub(in crate::netfilter) fn save_tos(value: u8, mask: u8, inverted: bool, out: &mut String) {
    let _ = write!(out, "{} --tos 0x{value:02x}/0x{mask:02x}", not(inverted));
}

pub(in crate::netfilter) fn list_tos(
    value: u8,
    mask: u8,
    inverted: bool,
    numeric: bool,
    out: &mut String,
) {
    out.push_str(" tos match");
    out.push_str(if inverted { "!" } else { "" });
    let _ = match tos_name(value, mask).filter(|_| !numeric) {
        Some(name) => write!(out, " {name}"),
        None => write!(out, "0x{value:02x}/0x{mask:02x}"),
    };
}

/// The name of a value under the mask of names.
pub(super) fn tos_name(value: u8, mask: u8) -> Option<&'static str> {
    let named = TOS_NAMES.iter().find(|(_, v)| *v == value && mask == 0x3f);
    named.map(|(name, _)| *name)
}

pub(in crate::netfilter) fn tos_named(name: &str) -> Option<u8> {
    TOS_NAMES.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
}

pub(in crate::netfilter) fn save_dscp(dscp: &Not<u8>, out: &mut String) {
    let _ = write!(out, "{} --dscp 0x{:02x}", not(dscp.inverted), dscp.value);
}

pub(in crate::netfilter) fn list_dscp(dscp: &Not<u8>, out: &mut String) {
    let inv = if dscp.inverted { "!" } else { "" };
    let _ = write!(out, " DSCP match {inv}0x{:02x}", dscp.value);
}
