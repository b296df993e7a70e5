//! `-m udp` and `-m sctp` (`libxt_udp.c`, `libxt_sctp.c`), and what all matches on ports share.

use std::fmt::Write;

use super::{Fault, Given, Opt, Syntax, Word, fault, known, names, no_finish};
use crate::netfilter::matches::Range;
use crate::netfilter::{Match, Not};
use crate::say;

pub(super) const SPORT: u8 = 0;
pub(super) const DPORT: u8 = 1;

pub(in crate::netfilter) type Ports = Option<Not<Range<u16>>>;

pub(in crate::netfilter) static UDP: Syntax<Match> = Syntax {
    name: "udp",
    options: &[
        Opt::value("source-port", SPORT).not(),
        Opt::value("sport", SPORT).not(),
        Opt::value("destination-port", DPORT).not(),
        Opt::value("dport", DPORT).not(),
    ],
    start: |_, _| Match::Udp {
        sport: None,
        dport: None,
    },
    option: |m, given, _| {
        let ports = asked(given.not(given.service_range()?));
        if let Match::Udp { sport, dport } = m {
            *(if given.id == SPORT { sport } else { dport }) = ports;
        }
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static SCTP: Syntax<Match> = Syntax {
    name: "sctp",
    options: &[
        Opt::value("source-port", SPORT).not(),
        Opt::value("sport", SPORT).not(),
        Opt::value("destination-port", DPORT).not(),
        Opt::value("dport", DPORT).not(),
        Opt::value("chunk-types", 2).not(),
    ],
    start: |_, _| Match::Sctp {
        sport: None,
        dport: None,
    },
    option: |m, given, around| {
        if given.id == 2 {
            let types = around.second_value(given)?;
            chunk_types(given, types)?;
            known::no_longer_modelled(m, given, &types.text);
            return Ok(());
        }
        let ports = Some(given.not(port_range(given, "sctp")?));
        if let Match::Sctp { sport, dport } = m {
            *(if given.id == SPORT { sport } else { dport }) = ports;
        }
        Ok(())
    },
    finish: no_finish,
};

/// Chunks of SCTP that iptables names, which are checked and not modelled.
static CHUNKS: &[&str] = &[
    "ALL",
    "NONE",
    "DATA",
    "INIT",
    "INIT_ACK",
    "SACK",
    "HEARTBEAT",
    "HEARTBEAT_ACK",
    "ABORT",
    "SHUTDOWN",
    "SHUTDOWN_ACK",
    "ERROR",
    "COOKIE_ECHO",
    "COOKIE_ACK",
    "ECN_ECNE",
    "ECN_CWR",
    "SHUTDOWN_COMPLETE",
    "I_DATA",
    "RE_CONFIG",
    "PAD",
    "ASCONF",
    "ASCONF_ACK",
    "FORWARD_TSN",
    "I_FORWARD_TSN",
];

fn chunk_types(given: &Given, types: &Word) -> Result<(), Fault> {
    let quantifiers = ["any", "all", "only"];
    if !quantifiers
        .iter()
        .any(|q| q.eq_ignore_ascii_case(given.value))
    {
        return Err(given.bad());
    }
    for part in types.text.split(',').filter(|p| !p.is_empty()) {
        let name = part.split(':').next().unwrap_or(part);
        if !CHUNKS.iter().any(|c| c.eq_ignore_ascii_case(name)) {
            return Err(fault(
                types.span,
                say!("iptables/bad-value", option = given.option(), value = part),
            ));
        }
    }
    Ok(())
}

/// All ports, not turned around, are no question.
pub(super) fn asked(ports: Not<Range<u16>>) -> Ports {
    let all = !ports.inverted && is_all(&ports);
    (!all).then_some(ports)
}

fn is_all(ports: &Not<Range<u16>>) -> bool {
    ports.value.low == 0 && ports.value.high == u16::MAX
}

/// One port, or two around a colon, the lower first (`parse_tcp_ports`, `parse_sctp_ports`).
pub(super) fn port_range(given: &Given, protocol: &str) -> Result<Range<u16>, Fault> {
    let Some((low, high)) = given.value.split_once(':') else {
        let port = given.port(given.value, Some(protocol))?;
        return Ok(Range {
            low: port,
            high: port,
        });
    };
    let bound = |text: &str, absent: u16| match text {
        "" => Ok(absent),
        _ => given.port(text, Some(protocol)),
    };
    let range = Range {
        low: bound(low, 0)?,
        high: bound(high, u16::MAX)?,
    };
    if range.low > range.high {
        return Err(given.fault(say!("iptables/port-range-reversed", value = given.value)));
    }
    Ok(range)
}

/// ` --sport 1:2`; nothing for all ports.
pub(in crate::netfilter) fn save(option: &str, ports: &Ports, out: &mut String) {
    if let Some(ports) = ports.filter(|p| !is_all(p)) {
        save_any(option, &ports, out);
    }
}

pub(in crate::netfilter) fn save_any(option: &str, ports: &Not<Range<u16>>, out: &mut String) {
    out.push_str(if ports.inverted { " ! --" } else { " --" });
    let _ = write!(out, "{option} {}", ports.value);
}

/// ` dpt:80`, ` dpts:!1:2`.
pub(in crate::netfilter) fn list(
    option: &str,
    ports: &Ports,
    protocol: &str,
    numeric: bool,
    out: &mut String,
) {
    let Some(ports) = ports.filter(|p| p.inverted || !is_all(p)) else {
        return;
    };
    let inv = if ports.inverted { "!" } else { "" };
    let Range { low, high } = ports.value;
    if low == high {
        let _ = write!(out, " {option}:{inv}");
        list_port(low, protocol, numeric, out);
    } else {
        let _ = write!(out, " {option}s:{inv}");
        list_port(low, protocol, numeric, out);
        out.push(':');
        list_port(high, protocol, numeric, out);
    }
}

pub(in crate::netfilter) fn list_port(port: u16, protocol: &str, numeric: bool, out: &mut String) {
    match names::service(port, protocol).filter(|_| !numeric) {
        Some(name) => out.push_str(name),
        None => {
            let _ = write!(out, "{port}");
        }
    }
}
