//! `-m tcp` (`libxt_tcp.c`).

use std::fmt::Write;

use super::ports::{self, DPORT, SPORT};
use super::values::{begins, number};
use super::{Fault, Given, Opt, Syntax, Word, fault, no_finish};
use crate::net::TcpFlags;
use crate::netfilter::matches::{FlagTest, Tcp};
use crate::netfilter::{Match, Not};
use crate::say;

const SYN: u8 = 2;
const FLAGS: u8 = 3;
const OPTION: u8 = 4;

pub(in crate::netfilter) static TCP: Syntax<Match> = Syntax {
    name: "tcp",
    options: &[
        Opt::value("dport", DPORT).not(),
        Opt::value("sport", SPORT).not(),
        Opt::value("source-port", SPORT).not(),
        Opt::value("destination-port", DPORT).not(),
        Opt::flag("syn", SYN).not().excl(1 << FLAGS),
        Opt::value("tcp-flags", FLAGS).not().excl(1 << SYN),
        Opt::value("tcp-option", OPTION).not(),
    ],
    start: |_, _| Match::Tcp(Tcp::default()),
    option: |m, given, around| {
        let Match::Tcp(tcp) = m else { return Ok(()) };
        match given.id {
            SPORT => tcp.sport = ports::asked(given.not(ports::port_range(given, "tcp")?)),
            DPORT => tcp.dport = ports::asked(given.not(ports::port_range(given, "tcp")?)),
            SYN => {
                let mask = TcpFlags::FIN | TcpFlags::SYN | TcpFlags::RST | TcpFlags::ACK;
                tcp.flags = asked(given.not(FlagTest {
                    mask,
                    set: TcpFlags::SYN,
                }));
            }
            FLAGS => {
                let mask = flags(given, given.value, None)?;
                let set = around.second_value(given)?;
                let set = flags(given, &set.text, Some(set))?;
                tcp.flags = asked(given.not(FlagTest { mask, set }));
            }
            _ => {
                let option = number(given.value, 1, 255).ok_or_else(|| given.bad())?;
                tcp.option = Some(given.not(option as u8));
            }
        }
        Ok(())
    },
    finish: no_finish,
};

const NAMES: [(&str, u8); 8] = [
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
    ("ALL", 0x3f),
    ("NONE", 0),
];

/// Flags as listings name them.
pub(in crate::netfilter) fn read_flags(text: &str) -> Option<TcpFlags> {
    let mut flags = 0;
    for part in text.split(',') {
        flags |= NAMES.iter().find(|(name, _)| *name == part)?.1;
    }
    Some(TcpFlags(flags))
}

fn flags(given: &Given, text: &str, word: Option<&Word>) -> Result<TcpFlags, Fault> {
    let mut flags = 0;
    for part in text.split(',').filter(|p| !p.is_empty()) {
        match NAMES
            .iter()
            .find(|(n, _)| n.len() == part.len() && begins(n, part))
        {
            Some((_, bits)) => flags |= bits,
            None => {
                let span = word.map_or_else(|| given.part(part), |w| w.span);
                return Err(fault(span, say!("iptables/tcp-flag", flag = part)));
            }
        }
    }
    Ok(TcpFlags(flags))
}

/// No flags looked at and none wanted is no question, as long as it is not turned around.
fn asked(flags: Not<FlagTest>) -> Option<Not<FlagTest>> {
    let none = !flags.inverted && flags.value.mask.0 == 0 && flags.value.set.0 == 0;
    (!none).then_some(flags)
}

fn write_flags(flags: TcpFlags, out: &mut String) {
    let mut sep = "";
    for (name, bit) in NAMES.iter().take(6) {
        if flags.0 & bit != 0 {
            out.push_str(sep);
            out.push_str(name);
            sep = ",";
        }
    }
    if sep.is_empty() {
        out.push_str("NONE");
    }
}

pub(in crate::netfilter) fn save(tcp: &Tcp, out: &mut String) {
    ports::save("sport", &tcp.sport, out);
    ports::save("dport", &tcp.dport, out);
    if let Some(option) = tcp.option {
        out.push_str(if option.inverted { " !" } else { "" });
        let _ = write!(out, " --tcp-option {}", option.value);
    }
    if let Some(flags) = tcp.flags.filter(|f| f.inverted || f.value.mask.0 != 0) {
        out.push_str(if flags.inverted { " !" } else { "" });
        out.push_str(" --tcp-flags ");
        write_flags(flags.value.mask, out);
        out.push(' ');
        write_flags(flags.value.set, out);
    }
}

pub(in crate::netfilter) fn list(tcp: &Tcp, numeric: bool, out: &mut String) {
    out.push_str(" tcp");
    ports::list("spt", &tcp.sport, "tcp", numeric, out);
    ports::list("dpt", &tcp.dport, "tcp", numeric, out);
    if let Some(option) = tcp.option {
        let inv = if option.inverted { "!" } else { "" };
        let _ = write!(out, " option={inv}{}", option.value);
    }
    if let Some(flags) = tcp.flags.filter(|f| f.inverted || f.value.mask.0 != 0) {
        out.push_str(" flags:");
        out.push_str(if flags.inverted { "!" } else { "" });
        if numeric {
            let _ = write!(
                out,
                "0x{:02X}/0x{:02X}",
                flags.value.mask.0, flags.value.set.0
            );
        } else {
            write_flags(flags.value.mask, out);
            out.push('/');
            write_flags(flags.value.set, out);
        }
    }
}
