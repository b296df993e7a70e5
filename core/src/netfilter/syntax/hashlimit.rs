//! `-m hashlimit` (`libxt_hashlimit.c`, revision 3), by packets. Rates of bytes and `--hashlimit-rate-match` are not
//! modelled.

use std::fmt::Write;

use super::comment::clip;
use super::limit::{read_rate, write_rate};
use super::{Fault, Given, Opt, Syntax, known, needs_one};
use crate::netfilter::Match;
use crate::netfilter::matches::Hashlimit;

/// Parts of a second in which the kernel counts (`XT_HASHLIMIT_SCALE_v2`).
pub(in crate::netfilter) const SCALE: u64 = 1_000_000;

const UPTO: u8 = 0;
const ABOVE: u8 = 1;
const MODE: u8 = 2;
const SRCMASK: u8 = 3;
const DSTMASK: u8 = 4;
const NAME: u8 = 5;
const BURST: u8 = 6;
const SIZE: u8 = 7;
const MAX: u8 = 8;
const GC: u8 = 9;
const EXPIRE: u8 = 10;

pub(in crate::netfilter) static HASHLIMIT: Syntax<Match> = Syntax {
    name: "hashlimit",
    options: &[
        Opt::value("hashlimit-upto", UPTO).not().excl(1 << ABOVE),
        Opt::value("hashlimit-above", ABOVE).not().excl(1 << UPTO),
        Opt::value("hashlimit", UPTO).not().excl(1 << ABOVE),
        Opt::value("hashlimit-srcmask", SRCMASK),
        Opt::value("hashlimit-dstmask", DSTMASK),
        Opt::value("hashlimit-burst", BURST),
        Opt::value("hashlimit-htable-size", SIZE),
        Opt::value("hashlimit-htable-max", MAX),
        Opt::value("hashlimit-htable-gcinterval", GC),
        Opt::value("hashlimit-htable-expire", EXPIRE),
        Opt::value("hashlimit-mode", MODE),
        Opt::value("hashlimit-name", NAME).must(),
        Opt::flag("hashlimit-rate-match", 11),
        Opt::value("hashlimit-rate-interval", 12),
    ],
    start: |family, _| {
        Match::Hashlimit(Box::new(Hashlimit {
            family,
            name: "".into(),
            above: false,
            average: 0,
            burst: 5,
            mode: 0,
            srcmask: family.bits(),
            dstmask: family.bits(),
            size: 0,
            max: 0,
            gc_interval: 1000,
            expire: 0,
        }))
    },
    option: |m, given, around| {
        let Match::Hashlimit(limit) = m else {
            return Ok(());
        };
        let bytes = given.value.find("b/s").is_some_and(|at| at > 0);
        match given.id {
            UPTO | ABOVE if bytes => known::no_longer_modelled(m, given, ""),
            UPTO | ABOVE => {
                limit.above = (given.id == ABOVE) != given.inverted;
                let (average, unit) = read_rate(given, SCALE)?;
                limit.average = average;
                if *around.seen & 1 << EXPIRE == 0 {
                    limit.expire = unit as u32 * 1000;
                }
            }
            MODE => limit.mode |= mode(given)?,
            SRCMASK => limit.srcmask = given.prefix_length()?,
            DSTMASK => limit.dstmask = given.prefix_length()?,
            NAME if given.value.is_empty() => return Err(given.bad()),
            NAME => limit.name = clip(given.value, 255).into(),
            BURST => limit.burst = given.number(1, 1_000_000)? as u32,
            SIZE => limit.size = given.u32()?,
            MAX => limit.max = given.u32()?,
            GC => limit.gc_interval = given.u32()?,
            EXPIRE => limit.expire = given.u32()?,
            _ => known::no_longer_modelled(m, given, ""),
        }
        Ok(())
    },
    finish: |_, given, span| {
        needs_one(
            given & (1 << UPTO | 1 << ABOVE),
            span,
            "hashlimit",
            "--hashlimit-upto, --hashlimit-above",
        )
    },
};

/// The bit of a word is `1 << place` in the order of [`Hashlimit::mode`].
static MODES: [(&str, u8); 4] = [("srcip", 1), ("srcport", 2), ("dstip", 4), ("dstport", 8)];

fn mode(given: &Given) -> Result<u8, Fault> {
    read_mode(given.value).ok_or_else(|| given.bad())
}

/// Words between commas or bars, or dashes as listings have them.
pub(in crate::netfilter) fn read_mode(text: &str) -> Option<u8> {
    let mut bits = 0;
    for part in text.split([',', '|', '-']).filter(|p| !p.is_empty()) {
        let (_, bit) = MODES.iter().find(|(name, _)| *name == part)?;
        bits |= bit;
    }
    Some(bits)
}

pub(in crate::netfilter) fn save(limit: &Hashlimit, out: &mut String) {
    out.push_str(if limit.above {
        " --hashlimit-above"
    } else {
        " --hashlimit-upto"
    });
    let unit = write_rate(limit.average, SCALE, out);
    let _ = write!(out, " --hashlimit-burst {}", limit.burst);
    write_mode(limit.mode, " --hashlimit-mode ", ',', out);
    let _ = write!(out, " --hashlimit-name {}", limit.name);
    write_rest(limit, unit, " --hashlimit-", out);
}

pub(in crate::netfilter) fn list(limit: &Hashlimit, out: &mut String) {
    out.push_str(if limit.above {
        " limit: above"
    } else {
        " limit: up to"
    });
    let unit = write_rate(limit.average, SCALE, out);
    let _ = write!(out, " burst {}", limit.burst);
    write_mode(limit.mode, " mode ", '-', out);
    write_rest(limit, unit, " ", out);
}

fn write_mode(mode: u8, option: &str, separator: char, out: &mut String) {
    let mut first = true;
    for (name, _) in MODES.iter().filter(|(_, bit)| mode & bit != 0) {
        if first {
            out.push_str(option);
        } else {
            out.push(separator);
        }
        out.push_str(name);
        first = false;
    }
}

fn write_rest(limit: &Hashlimit, unit: u64, dash: &str, out: &mut String) {
    let mut option = |name: &str, value: u32, absent: u32| {
        if value != absent {
            let _ = write!(out, "{dash}{name} {value}");
        }
    };
    option("htable-size", limit.size, 0);
    option("htable-max", limit.max, 0);
    option("htable-gcinterval", limit.gc_interval, 1000);
    option("htable-expire", limit.expire, unit as u32 * 1000);
    let whole = limit.family.bits().into();
    option("srcmask", limit.srcmask.into(), whole);
    option("dstmask", limit.dstmask.into(), whole);
}
