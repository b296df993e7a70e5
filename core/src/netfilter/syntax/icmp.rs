//! `-m icmp` and `-m icmp6` (`libipt_icmp.c`, `libip6t_icmp6.c`, `libxt_icmp.h`).

use std::fmt::Write;

use super::values::{begins, leading_number};
use super::{Fault, Given, Opt, Syntax, no_finish};
use crate::netfilter::matches::{IcmpType, Range};
use crate::netfilter::{Match, Not};
use crate::say;

pub(in crate::netfilter) static ICMP: Syntax<Match> = Syntax {
    name: "icmp",
    options: &[Opt::value("icmp-type", 0).must().not()],
    start: |_, _| Match::Icmp(Not::plain(ANY)),
    option: |m, given, _| {
        *m = Match::Icmp(given.not(read(given, &NAMES)?));
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static ICMP6: Syntax<Match> = Syntax {
    name: "icmp6",
    options: &[Opt::value("icmpv6-type", 0).must().not()],
    start: |_, _| Match::Icmp6(Not::plain(kind(0))),
    option: |m, given, _| {
        *m = Match::Icmp6(given.not(read(given, &NAMES6)?));
        Ok(())
    },
    finish: no_finish,
};

const ANY: IcmpType = kind(255);

const fn kind(kind: u8) -> IcmpType {
    IcmpType {
        kind,
        codes: Range { low: 0, high: 255 },
    }
}

const fn code(kind: u8, code: u8) -> IcmpType {
    IcmpType {
        kind,
        codes: Range {
            low: code,
            high: code,
        },
    }
}

static NAMES: [(&str, IcmpType); 40] = [
    ("any", ANY),
    ("echo-reply", kind(0)),
    ("pong", kind(0)),
    ("destination-unreachable", kind(3)),
    ("network-unreachable", code(3, 0)),
    ("host-unreachable", code(3, 1)),
    ("protocol-unreachable", code(3, 2)),
    ("port-unreachable", code(3, 3)),
    ("fragmentation-needed", code(3, 4)),
    ("source-route-failed", code(3, 5)),
    ("network-unknown", code(3, 6)),
    ("host-unknown", code(3, 7)),
    ("network-prohibited", code(3, 9)),
    ("host-prohibited", code(3, 10)),
    ("TOS-network-unreachable", code(3, 11)),
    ("TOS-host-unreachable", code(3, 12)),
    ("communication-prohibited", code(3, 13)),
    ("host-precedence-violation", code(3, 14)),
    ("precedence-cutoff", code(3, 15)),
    ("source-quench", kind(4)),
    ("redirect", kind(5)),
    ("network-redirect", code(5, 0)),
    ("host-redirect", code(5, 1)),
    ("TOS-network-redirect", code(5, 2)),
    ("TOS-host-redirect", code(5, 3)),
    ("echo-request", kind(8)),
    ("ping", kind(8)),
    ("router-advertisement", kind(9)),
    ("router-solicitation", kind(10)),
    ("time-exceeded", kind(11)),
    ("ttl-exceeded", kind(11)),
    ("ttl-zero-during-transit", code(11, 0)),
    ("ttl-zero-during-reassembly", code(11, 1)),
    ("parameter-problem", kind(12)),
    ("ip-header-bad", code(12, 0)),
    ("required-option-missing", code(12, 1)),
    ("timestamp-request", kind(13)),
    ("timestamp-reply", kind(14)),
    ("address-mask-request", kind(17)),
    ("address-mask-reply", kind(18)),
];

/// Types of ICMPv6 (RFC 4443, RFC 4861); `any` is not among them.
static NAMES6: [(&str, IcmpType); 28] = [
    ("destination-unreachable", kind(1)),
    ("no-route", code(1, 0)),
    ("communication-prohibited", code(1, 1)),
    ("beyond-scope", code(1, 2)),
    ("address-unreachable", code(1, 3)),
    ("port-unreachable", code(1, 4)),
    ("failed-policy", code(1, 5)),
    ("reject-route", code(1, 6)),
    ("packet-too-big", kind(2)),
    ("time-exceeded", kind(3)),
    ("ttl-exceeded", kind(3)),
    ("ttl-zero-during-transit", code(3, 0)),
    ("ttl-zero-during-reassembly", code(3, 1)),
    ("parameter-problem", kind(4)),
    ("bad-header", code(4, 0)),
    ("unknown-header-type", code(4, 1)),
    ("unknown-option", code(4, 2)),
    ("echo-request", kind(128)),
    ("ping", kind(128)),
    ("echo-reply", kind(129)),
    ("pong", kind(129)),
    ("router-solicitation", kind(133)),
    ("router-advertisement", kind(134)),
    ("neighbour-solicitation", kind(135)),
    ("neighbor-solicitation", kind(135)),
    ("neighbour-advertisement", kind(136)),
    ("neighbor-advertisement", kind(136)),
    ("redirect", kind(137)),
];

/// A name or its unambiguous beginning, `type` or `type/code` or `type/code:code`.
fn read(given: &Given, names: &[(&str, IcmpType)]) -> Result<IcmpType, Fault> {
    let mut named = names.iter().filter(|(name, _)| begins(name, given.value));
    if let Some((name, found)) = named.next() {
        return match named.next() {
            None => Ok(*found),
            Some((other, _)) => Err(given.fault(say!(
                "iptables/ambiguous-icmp-type",
                value = given.value,
                one = name,
                other = other
            ))),
        };
    }
    numbers(given.value)
        .ok_or_else(|| given.fault(say!("iptables/unknown-icmp-type", value = given.value)))
}

pub(in crate::netfilter) fn named(name: &str) -> Option<IcmpType> {
    NAMES.iter().find(|(n, _)| *n == name).map(|(_, t)| *t)
}

fn numbers(text: &str) -> Option<IcmpType> {
    let (kinds, rest) = range(text)?;
    // `type:type` is read and then refused: the kernel takes one type.
    if kinds.low != kinds.high {
        return None;
    }
    let codes = match rest.strip_prefix('/') {
        None if rest.is_empty() => Range { low: 0, high: 255 },
        None => return None,
        Some(codes) => match range(codes)? {
            (codes, "") => codes,
            _ => return None,
        },
    };
    Some(IcmpType {
        kind: kinds.low,
        codes,
    })
}

fn range(text: &str) -> Option<(Range<u8>, &str)> {
    let (low, rest) = leading_number(text)?;
    let low = u8::try_from(low).ok()?;
    let Some(rest) = rest.strip_prefix(':') else {
        return Some((Range { low, high: low }, rest));
    };
    let (high, rest) = leading_number(rest)?;
    let high = u8::try_from(high).ok()?;
    Some((Range { low, high }, rest))
}

pub(in crate::netfilter) fn save(option: &str, icmp: &Not<IcmpType>, out: &mut String) {
    out.push_str(if icmp.inverted { " !" } else { "" });
    let _ = write!(out, " --{option} {}", icmp.value);
}

pub(in crate::netfilter) fn list(icmp: &Not<IcmpType>, numeric: bool, out: &mut String) {
    out.push_str(" icmp");
    list_type(icmp, &NAMES, numeric, out);
}

pub(in crate::netfilter) fn list6(icmp: &Not<IcmpType>, numeric: bool, out: &mut String) {
    out.push_str(" ipv6-icmp");
    list_type(icmp, &NAMES6, numeric, out);
}

fn list_type(icmp: &Not<IcmpType>, names: &[(&str, IcmpType)], numeric: bool, out: &mut String) {
    let named = names.iter().find(|(_, t)| *t == icmp.value);
    if let Some((name, _)) = named.filter(|_| !numeric) {
        out.push_str(if icmp.inverted { " !" } else { " " });
        out.push_str(name);
        return;
    }
    // iptables 1.8.9 has no blank before `type`.
    out.push_str(if icmp.inverted { " !" } else { "" });
    let IcmpType { kind, codes } = icmp.value;
    let _ = write!(out, "type {kind}");
    if codes.low == codes.high {
        let _ = write!(out, " code {}", codes.low);
    } else if codes.low != 0 || codes.high != 255 {
        let _ = write!(out, " codes {}-{}", codes.low, codes.high);
    }
}
