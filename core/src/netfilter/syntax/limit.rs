//! `-m limit` (`libxt_limit.c`), and rates.

use std::fmt::Write;

use super::values::begins;
use super::{Fault, Given, Opt, Syntax, no_finish};
use crate::netfilter::Match;
use crate::netfilter::matches::Limit;
use crate::say;

/// Parts of a second in which the kernel counts (`XT_LIMIT_SCALE`).
pub(in crate::netfilter) const SCALE: u64 = 10_000;

pub(in crate::netfilter) static LIMIT: Syntax<Match> = Syntax {
    name: "limit",
    options: &[Opt::value("limit", 0), Opt::value("limit-burst", 1)],
    start: |_, _| {
        Match::Limit(Limit {
            average: (SCALE * 3600 / 3) as u32,
            burst: 5,
        })
    },
    option: |m, given, _| {
        if let Match::Limit(limit) = m {
            match given.id {
                0 => limit.average = read_rate(given, SCALE)?.0 as u32,
                _ => limit.burst = given.number(0, 10_000)? as u32,
            }
        }
        Ok(())
    },
    finish: no_finish,
};

/// `number[/unit]` as parts of a second between two packets, and the unit in seconds.
pub(super) fn read_rate(given: &Given, scale: u64) -> Result<(u64, u64), Fault> {
    let bad = || given.fault(say!("iptables/bad-rate", value = given.value));
    let (number, unit) = match given.value.split_once('/') {
        None => (given.value, "second"),
        Some((number, unit)) => (number, unit),
    };
    let unit = UNITS
        .iter()
        .find(|(name, _, _)| !unit.is_empty() && begins(name, unit))
        .map(|(_, _, seconds)| *seconds)
        .ok_or_else(bad)?;
    // As `atoi` does: what stands behind the digits is not looked at.
    let digits = number
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(number.len());
    let number: u32 = number
        .get(..digits)
        .and_then(|n| n.parse().ok())
        .ok_or_else(bad)?;
    let average = (scale * unit).checked_div(number.into()).ok_or_else(bad)?;
    match average {
        0 => Err(given.fault(say!("iptables/rate-too-fast", value = given.value))),
        _ => Ok((average, unit)),
    }
}

/// A rate as it is printed, as parts of a second between two packets, and the unit in seconds.
pub(in crate::netfilter) fn rate(text: &str, scale: u64) -> Option<(u64, u64)> {
    let (number, unit) = text.split_once('/')?;
    let (_, _, seconds) = UNITS.iter().find(|(_, name, _)| *name == unit)?;
    let average = (scale * seconds).checked_div(number.parse().ok()?)?;
    Some((average, *seconds))
}

/// As read, as printed, in seconds; in the order in which a shortened name is looked up.
static UNITS: [(&str, &str, u64); 4] = [
    ("second", "sec", 1),
    ("minute", "min", 60),
    ("hour", "hour", 3600),
    ("day", "day", 86400),
];

/// The rate in the largest unit that tells it best (`print_rate`); gives the unit in seconds.
pub(in crate::netfilter) fn write_rate(average: u64, scale: u64, out: &mut String) -> u64 {
    let Some(average) = std::num::NonZeroU64::new(average) else {
        out.push_str(" inf");
        return 0;
    };
    let mut best = ("day", 86400);
    for (_, name, seconds) in UNITS.iter().rev().skip(1) {
        let unit = scale * seconds;
        if average.get() > unit || unit / average < unit % average {
            break;
        }
        best = (name, *seconds);
    }
    let _ = write!(out, " {}/{}", scale * best.1 / average, best.0);
    best.1
}

pub(in crate::netfilter) fn save(limit: &Limit, out: &mut String) {
    out.push_str(" --limit");
    write_rate(limit.average.into(), SCALE, out);
    if limit.burst != 5 {
        let _ = write!(out, " --limit-burst {}", limit.burst);
    }
}

pub(in crate::netfilter) fn list(limit: &Limit, out: &mut String) {
    out.push_str(" limit: avg");
    write_rate(limit.average.into(), SCALE, out);
    let _ = write!(out, " burst {}", limit.burst);
}
