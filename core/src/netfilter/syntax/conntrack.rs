//! `-m conntrack` and `-m state` (`libxt_conntrack.c`, revision 3).

use std::fmt::{Display, Write};

use super::{Opt, Syntax, names, needs_one, no_finish};
use crate::net::{IpFamily, Masked};
use crate::netfilter::Match;
use crate::netfilter::matches::{Conntrack, States, Status};

const STATE: u8 = 0;
const PROTO: u8 = 1;
const ORIG_SRC: u8 = 2;
const ORIG_DST: u8 = 3;
const REPL_SRC: u8 = 4;
const REPL_DST: u8 = 5;
const ORIG_SPORT: u8 = 6;
const ORIG_DPORT: u8 = 7;
const REPL_SPORT: u8 = 8;
const REPL_DPORT: u8 = 9;
const STATUS: u8 = 10;
const EXPIRE: u8 = 11;

pub(in crate::netfilter) static CONNTRACK: Syntax<Match> = Syntax {
    name: "conntrack",
    options: &[
        Opt::value("ctstate", STATE).not(),
        Opt::value("ctproto", PROTO).not(),
        Opt::value("ctorigsrc", ORIG_SRC).not(),
        Opt::value("ctorigdst", ORIG_DST).not(),
        Opt::value("ctreplsrc", REPL_SRC).not(),
        Opt::value("ctrepldst", REPL_DST).not(),
        Opt::value("ctstatus", STATUS).not(),
        Opt::value("ctexpire", EXPIRE).not(),
        Opt::value("ctorigsrcport", ORIG_SPORT).not(),
        Opt::value("ctorigdstport", ORIG_DPORT).not(),
        Opt::value("ctreplsrcport", REPL_SPORT).not(),
        Opt::value("ctrepldstport", REPL_DPORT).not(),
        Opt::value("ctdir", 12),
    ],
    start: |_, _| Match::Conntrack(Box::default()),
    option: |m, given, _| {
        let Match::Conntrack(ct) = m else {
            return Ok(());
        };
        match given.id {
            STATE => {
                let mut bits = 0;
                given.name_list(&STATE_WORDS, |at| {
                    bits |= STATE_BITS.get(at).copied().unwrap_or(0)
                })?;
                ct.states = Some(given.not(States(bits)));
            }
            PROTO => ct.protocol = Some(given.not(given.protocol()?)),
            ORIG_SRC => ct.orig_src = Some(given.not(given.host_mask()?)),
            ORIG_DST => ct.orig_dst = Some(given.not(given.host_mask()?)),
            REPL_SRC => ct.repl_src = Some(given.not(given.host_mask()?)),
            REPL_DST => ct.repl_dst = Some(given.not(given.host_mask()?)),
            ORIG_SPORT => ct.orig_sport = Some(given.not(given.service_range()?)),
            ORIG_DPORT => ct.orig_dport = Some(given.not(given.service_range()?)),
            REPL_SPORT => ct.repl_sport = Some(given.not(given.service_range()?)),
            REPL_DPORT => ct.repl_dport = Some(given.not(given.service_range()?)),
            STATUS => {
                let mut bits = 0;
                given.name_list(&STATUS_WORDS, |at| bits |= (1u8 << at) >> 1)?;
                ct.status = Some(given.not(Status(bits)));
            }
            EXPIRE => ct.expire = Some(given.not(given.range(u32::MAX)?)),
            _ => {
                ct.reply = Some(if given.value.eq_ignore_ascii_case("REPLY") {
                    true
                } else if given.value.eq_ignore_ascii_case("ORIGINAL") {
                    false
                } else {
                    return Err(given.bad());
                });
            }
        }
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "conntrack", "--ctstate, --ctorigdst, …"),
};

pub(in crate::netfilter) static STATE_MATCH: Syntax<Match> = Syntax {
    name: "state",
    options: &[Opt::value("state", 0).must().not()],
    start: |_, _| {
        Match::Conntrack(Box::new(Conntrack {
            legacy: true,
            ..Conntrack::default()
        }))
    },
    option: |m, given, _| {
        let mut bits = 0;
        // `state` does not know SNAT and DNAT.
        given.name_list(STATE_WORDS.get(..5).unwrap_or(&[]), |at| {
            bits |= STATE_BITS.get(at).copied().unwrap_or(0)
        })?;
        if let Match::Conntrack(ct) = m {
            ct.states = Some(given.not(States(bits)));
        }
        Ok(())
    },
    finish: no_finish,
};

/// In the order in which a shortened word is looked up.
static STATE_WORDS: [&str; 7] = [
    "INVALID",
    "NEW",
    "ESTABLISHED",
    "RELATED",
    "UNTRACKED",
    "SNAT",
    "DNAT",
];

static STATE_BITS: [u8; 7] = [
    States::INVALID,
    States::NEW,
    States::ESTABLISHED,
    States::RELATED,
    States::UNTRACKED,
    States::SNAT,
    States::DNAT,
];

/// The bit of a word is `1 << (place - 1)`; `NONE` has none.
static STATUS_WORDS: [&str; 5] = ["NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"];

pub(in crate::netfilter) fn read_states(text: &str) -> Option<States> {
    let mut bits = 0;
    for part in text.split(',') {
        let at = STATE_WORDS.iter().position(|w| *w == part)?;
        bits |= STATE_BITS.get(at)?;
    }
    Some(States(bits))
}

pub(in crate::netfilter) fn read_status(text: &str) -> Option<Status> {
    let mut bits = 0u8;
    for part in text.split(',') {
        bits |= (1 << STATUS_WORDS.iter().position(|w| *w == part)?) >> 1;
    }
    Some(Status(bits))
}

pub(in crate::netfilter) fn save(ct: &Conntrack, out: &mut String) {
    write(ct, "--", true, out);
}

pub(in crate::netfilter) fn list(ct: &Conntrack, numeric: bool, out: &mut String) {
    write(ct, "", numeric, out);
}

/// The words of both forms.
fn write(ct: &Conntrack, dash: &str, numeric: bool, out: &mut String) {
    let mut put = |name: &str, inverted: bool, value: &dyn Display| {
        let not = if inverted { " !" } else { "" };
        let _ = write!(out, "{not} {dash}{name} {value}");
    };
    if let Some(states) = &ct.states {
        let name = if ct.legacy { "state" } else { "ctstate" };
        put(name, states.inverted, &states.value);
    }
    if let Some(protocol) = &ct.protocol {
        put("ctproto", protocol.inverted, &protocol.value.0);
    }
    let addrs = [
        ("ctorigsrc", &ct.orig_src),
        ("ctorigdst", &ct.orig_dst),
        ("ctreplsrc", &ct.repl_src),
        ("ctrepldst", &ct.repl_dst),
    ];
    for (name, addr) in addrs {
        if let Some(addr) = addr {
            put(name, addr.inverted, &address(&addr.value, numeric));
        }
    }
    let ports = [
        ("ctorigsrcport", &ct.orig_sport),
        ("ctorigdstport", &ct.orig_dport),
        ("ctreplsrcport", &ct.repl_sport),
        ("ctrepldstport", &ct.repl_dport),
    ];
    for (name, ports) in ports {
        match ports {
            // `conntrack_dump_ports` takes the upper port 0 for "not given".
            Some(ports) if ports.value.high == 0 => put(name, ports.inverted, &ports.value.low),
            Some(ports) => put(name, ports.inverted, &ports.value),
            None => {}
        }
    }
    if let Some(status) = &ct.status {
        put("ctstatus", status.inverted, &status.value);
    }
    if let Some(expire) = &ct.expire {
        put("ctexpire", expire.inverted, &expire.value);
    }
    if let Some(reply) = ct.reply {
        put("ctdir", false, &if reply { "REPLY" } else { "ORIGINAL" });
    }
}

fn address(masked: &Masked, numeric: bool) -> String {
    let name = names::of_host(masked.addr).filter(|_| !numeric);
    let whole = IpFamily::of(masked.addr).bits();
    match (masked.length(), name) {
        _ if !numeric && masked.addr.is_unspecified() => "anywhere".to_string(),
        (Some(length), Some(name)) if length == whole => name.to_string(),
        (Some(length), None) if length == whole => masked.addr.to_string(),
        _ => masked.to_string(),
    }
}
