//! `-j LOG` and `-j NFLOG` (`libxt_LOG.c`, `libxt_NFLOG.c`).

use std::fmt::Write;

use super::comment::{clip, quoted};
use super::values::number;
use super::{Fault, Given, Opt, Syntax, no_finish};
use crate::netfilter::Target;
use crate::netfilter::targets::{Log, Nflog};
use crate::say;

const LEVEL: u8 = 6;

pub(in crate::netfilter) static LOG: Syntax<Target> = Syntax {
    name: "LOG",
    options: &[
        Opt::value("log-level", LEVEL),
        Opt::value("log-prefix", 7),
        // The id of a flag is the place of its bit (kernel `XT_LOG_*`).
        Opt::flag("log-tcp-sequence", 0),
        Opt::flag("log-tcp-options", 1),
        Opt::flag("log-ip-options", 2),
        Opt::flag("log-uid", 3),
        Opt::flag("log-macdecode", 5),
    ],
    start: |_, _| {
        Target::Log(Box::new(Log {
            level: WARNING,
            prefix: "".into(),
            flags: 0,
        }))
    },
    option: |t, given, _| {
        let Target::Log(log) = t else { return Ok(()) };
        match given.id {
            LEVEL => {
                log.level = match number(given.value, 0, 7) {
                    Some(level) => level as u8,
                    None => level(given.value).ok_or_else(|| given.bad())?,
                }
            }
            7 => log.prefix = prefix(given, 29)?,
            id => log.flags |= 1 << id,
        }
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static NFLOG: Syntax<Target> = Syntax {
    name: "NFLOG",
    options: &[
        Opt::value("nflog-group", 0),
        Opt::value("nflog-prefix", 1),
        Opt::value("nflog-range", 2).excl(1 << 3),
        Opt::value("nflog-size", 3).excl(1 << 2),
        Opt::value("nflog-threshold", 4),
    ],
    start: |_, _| {
        Target::Nflog(Box::new(Nflog {
            group: 0,
            prefix: "".into(),
            size: None,
            range: 0,
            threshold: 0,
        }))
    },
    option: |t, given, _| {
        let Target::Nflog(nflog) = t else {
            return Ok(());
        };
        match given.id {
            0 => nflog.group = given.number(0, 65535)? as u16,
            1 => nflog.prefix = prefix(given, 63)?,
            2 => nflog.range = given.u32()?,
            3 => nflog.size = Some(given.u32()?),
            _ => nflog.threshold = given.number(0, 65535)? as u16,
        }
        Ok(())
    },
    finish: no_finish,
};

const WARNING: u8 = 4;

/// The names that `--log-level` takes, and those that listings have: glibc's, the first of a number.
static LEVELS: [(&str, u8); 9] = [
    ("alert", 1),
    ("crit", 2),
    ("debug", 7),
    ("emerg", 0),
    ("error", 3),
    ("info", 6),
    ("notice", 5),
    ("panic", 0),
    ("warning", 4),
];
static LISTED_LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
];

fn level(name: &str) -> Option<u8> {
    LEVELS
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, level)| *level)
}

pub(in crate::netfilter) fn listed_level(name: &str) -> Option<u8> {
    let listed = LISTED_LEVELS.iter().position(|n| *n == name);
    listed.map(|at| at as u8).or_else(|| level(name))
}

fn prefix(given: &Given, length: usize) -> Result<Box<str>, Fault> {
    if given.value.is_empty() {
        return Err(given.bad());
    }
    if given.value.contains('\n') {
        return Err(given.fault(say!("iptables/newline-in-prefix")));
    }
    Ok(clip(given.value, length).into())
}

/// Name of the bit in `iptables-save`, behind `--log-`, and in listings.
static FLAGS: [(u8, &str, &str); 5] = [
    (0x01, "tcp-sequence", "tcp-sequence"),
    (0x02, "tcp-options", "tcp-options"),
    (0x04, "ip-options", "ip-options"),
    (0x08, "uid", "uid"),
    (0x20, "macdecode", "macdecode"),
];

pub(in crate::netfilter) fn flag_named(name: &str) -> Option<u8> {
    FLAGS
        .iter()
        .find(|(_, _, n)| *n == name)
        .map(|(bit, _, _)| *bit)
}

pub(in crate::netfilter) fn save_log(log: &Log, out: &mut String) {
    if !log.prefix.is_empty() {
        out.push_str(" --log-prefix");
        quoted(&log.prefix, out);
    }
    if log.level != WARNING {
        let _ = write!(out, " --log-level {}", log.level);
    }
    for (_, name, _) in FLAGS.iter().filter(|(bit, _, _)| log.flags & bit != 0) {
        let _ = write!(out, " --log-{name}");
    }
}

pub(in crate::netfilter) fn list_log(log: &Log, numeric: bool, out: &mut String) {
    out.push_str(" LOG");
    if numeric {
        let _ = write!(out, " flags {} level {}", log.flags, log.level);
    } else {
        let name = LISTED_LEVELS.get(usize::from(log.level)).unwrap_or(&"");
        let _ = write!(out, " level {name}");
        for (_, _, name) in FLAGS.iter().filter(|(bit, _, _)| log.flags & bit != 0) {
            let _ = write!(out, " {name}");
        }
    }
    if !log.prefix.is_empty() {
        let _ = write!(out, " prefix \"{}\"", log.prefix);
    }
}

/// The words of both forms; `dash` is `--` in `iptables-save` and nothing in listings.
pub(in crate::netfilter) fn write_nflog(nflog: &Nflog, dash: &str, out: &mut String) {
    if !nflog.prefix.is_empty() {
        let _ = write!(out, " {dash}nflog-prefix");
        quoted(&nflog.prefix, out);
    }
    if nflog.group != 0 {
        let _ = write!(out, " {dash}nflog-group {}", nflog.group);
    }
    if let Some(size) = nflog.size {
        let _ = write!(out, " {dash}nflog-size {size}");
    } else if nflog.range != 0 {
        let _ = write!(out, " {dash}nflog-range {}", nflog.range);
    }
    if nflog.threshold != 0 {
        let _ = write!(out, " {dash}nflog-threshold {}", nflog.threshold);
    }
}
