//! `-m iprange` (`libxt_iprange.c`, revision 1).

use std::fmt::Write;
use std::net::IpAddr;

use super::values::{dotted, sixteen_bytes};
use super::{Opt, Syntax, needs_one};
use crate::net::IpFamily;
use crate::netfilter::matches::{Iprange, Range};
use crate::netfilter::{Match, Not};

pub(in crate::netfilter) static IPRANGE: Syntax<Match> = Syntax {
    name: "iprange",
    options: &[
        Opt::value("src-range", 0).not(),
        Opt::value("dst-range", 1).not(),
    ],
    start: |_, _| Match::Iprange(Box::default()),
    option: |m, given, _| {
        let range = read(given.family, given.value).ok_or_else(|| given.bad())?;
        if let Match::Iprange(iprange) = m {
            let side = if given.id == 0 {
                &mut iprange.src
            } else {
                &mut iprange.dst
            };
            *side = Some(given.not(range));
        }
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "iprange", "--src-range, --dst-range"),
};

/// `a-b` or `a`; a reversed range is taken and never matches.
pub(in crate::netfilter) fn read(family: IpFamily, text: &str) -> Option<Range<IpAddr>> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let addr = |text| match family {
        IpFamily::V4 => dotted(text, true).map(IpAddr::V4),
        IpFamily::V6 => sixteen_bytes(text),
    };
    Some(Range {
        low: addr(low)?,
        high: addr(high)?,
    })
}

fn write(name: &str, not: &str, range: &Option<Not<Range<IpAddr>>>, out: &mut String) {
    if let Some(range) = range {
        let _ = write!(out, "{name}{not} {}-{}", range.value.low, range.value.high);
    }
}

pub(in crate::netfilter) fn save(iprange: &Iprange, out: &mut String) {
    let mut side = |plain, inverted, range: &Option<Not<_>>| {
        let name = if range.is_some_and(|r| r.inverted) {
            inverted
        } else {
            plain
        };
        write(name, "", range, out);
    };
    side(" --src-range", " ! --src-range", &iprange.src);
    side(" --dst-range", " ! --dst-range", &iprange.dst);
}

pub(in crate::netfilter) fn list(iprange: &Iprange, out: &mut String) {
    let mut side = |name, range: &Option<Not<_>>| {
        let not = if range.is_some_and(|r| r.inverted) {
            " !"
        } else {
            ""
        };
        write(name, not, range, out);
    };
    side(" source IP range", &iprange.src);
    side(" destination IP range", &iprange.dst);
}
