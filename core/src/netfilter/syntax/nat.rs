//! The targets that rewrite addresses: DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP (`libxt_NAT.c`, `libipt_NETMAP.c`).

use std::fmt::Write;
use std::net::IpAddr;

use super::values::{bad_address, four_numbers, leading_number, sixteen_bytes};
use super::{Around, Fault, Given, Opt, Syntax, fault, known, names, no_finish};
use crate::net::{IpFamily, Masked, Protocol};
use crate::netfilter::Target;
use crate::netfilter::matches::Range;
use crate::netfilter::targets::NatRange;
use crate::say;

const TO: u8 = 0;
const RANDOM: u8 = 1;
const RANDOM_FULLY: u8 = 2;

const EMPTY: NatRange = NatRange {
    addrs: None,
    ports: None,
    shift: None,
    random: false,
    random_fully: false,
    persistent: false,
};

pub(in crate::netfilter) static DNAT: Syntax<Target> = Syntax {
    name: "DNAT",
    options: &[
        Opt::value("to-destination", TO).must(),
        Opt::flag("random", RANDOM),
        Opt::flag("persistent", 3),
    ],
    start: |_, _| Target::Dnat(Box::new(EMPTY)),
    option: |t, given, around| match t {
        Target::Dnat(range) => option(range, given, around),
        _ => Ok(()),
    },
    finish: no_finish,
};

pub(in crate::netfilter) static SNAT: Syntax<Target> = Syntax {
    name: "SNAT",
    options: &[
        Opt::value("to-source", TO).must(),
        Opt::flag("random", RANDOM),
        Opt::flag("random-fully", RANDOM_FULLY),
        Opt::flag("persistent", 3),
    ],
    start: |_, _| Target::Snat(Box::new(EMPTY)),
    option: |t, given, around| match t {
        Target::Snat(range) => {
            option(range, given, around)?;
            // SNAT's own structure has no place for the base port: it becomes 0.
            range.shift = range.shift.map(|_| 0);
            Ok(())
        }
        _ => Ok(()),
    },
    finish: no_finish,
};

fn option(range: &mut NatRange, given: &Given, around: &Around) -> Result<(), Fault> {
    match given.id {
        TO => read_to(given, around, range)?,
        RANDOM => range.random = true,
        RANDOM_FULLY => range.random_fully = true,
        _ => range.persistent = true,
    }
    Ok(())
}

pub(in crate::netfilter) static MASQUERADE: Syntax<Target> = Syntax {
    name: "MASQUERADE",
    options: &[
        Opt::value("to-ports", TO),
        Opt::flag("random", RANDOM),
        Opt::flag("random-fully", RANDOM_FULLY),
    ],
    start: |_, _| Target::Masquerade {
        ports: None,
        random: false,
        random_fully: false,
    },
    option: |t, given, around| {
        if let Target::Masquerade {
            ports,
            random,
            random_fully,
        } = t
        {
            match given.id {
                TO => match read_ports(given, given.value, around)? {
                    (range, None) => *ports = Some(range),
                    // The kernel then counts from port 0.
                    _ => known::target_no_longer_modelled(t, given),
                },
                RANDOM => *random = true,
                _ => *random_fully = true,
            }
        }
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static REDIRECT: Syntax<Target> = Syntax {
    name: "REDIRECT",
    options: &[Opt::value("to-ports", TO), Opt::flag("random", RANDOM)],
    start: |_, _| Target::Redirect {
        ports: None,
        random: false,
    },
    option: |t, given, around| {
        if let Target::Redirect { ports, random } = t {
            match given.id {
                TO => match read_ports(given, given.value, around)? {
                    (range, None) => *ports = Some(range),
                    _ => return Err(given.fault(say!("iptables/no-shift"))),
                },
                _ => *random = true,
            }
        }
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static NETMAP: Syntax<Target> = Syntax {
    name: "NETMAP",
    options: &[Opt::value("to", TO).must()],
    start: |family, _| Target::Netmap(Box::new(Masked::host(family.unspecified()))),
    option: |t, given, _| {
        let Masked { addr, mask } = given.host_mask()?;
        let to = Masked::new(addr, mask).ok_or_else(|| given.bad())?;
        *t = Target::Netmap(Box::new(to));
        Ok(())
    },
    finish: no_finish,
};

/// `[a[-b]][:port[-port[/base]]]`; the addresses of IPv6 stand in brackets before ports (`parse_to`).
fn read_to(given: &Given, around: &Around, range: &mut NatRange) -> Result<(), Fault> {
    let bracketed = given.value.split_once('[').map(|(_, rest)| rest);
    let (addrs, ports) = match (bracketed, given.value.split_once(':')) {
        (Some(_), _) if given.family == IpFamily::V4 => return Err(given.bad()),
        (Some(rest), _) => {
            let (addrs, rest) = rest.split_once(']').ok_or_else(|| given.bad())?;
            (addrs, rest.split_once(':').map(|(_, ports)| ports))
        }
        (None, Some((addrs, ports))) if !ports.contains(':') => (addrs, Some(ports)),
        _ => (given.value, None),
    };
    if let Some(ports) = ports {
        let (ports, shift) = read_ports(given, ports, around)?;
        range.ports = Some(ports);
        range.shift = shift;
        if addrs.is_empty() {
            return Ok(());
        }
    }
    let addr = |text: &str| {
        let read = match given.family {
            IpFamily::V4 => four_numbers(text).map(IpAddr::V4),
            IpFamily::V6 => sixteen_bytes(text),
        };
        read.ok_or_else(|| bad_address(given.family, text, given.part(text)))
    };
    let (low, high) = addrs.split_once('-').unwrap_or((addrs, addrs));
    range.addrs = Some(Range {
        low: addr(low)?,
        high: addr(high)?,
    });
    Ok(())
}

/// `port[-port[/base]]`; asks for a protocol with ports before it in the rule (`parse_ports`).
fn read_ports(
    given: &Given,
    text: &str,
    around: &Around,
) -> Result<(Range<u16>, Option<u16>), Fault> {
    let with_ports = [
        Protocol::TCP,
        Protocol::UDP,
        Protocol::SCTP,
        Protocol(33),
        Protocol::ICMP,
    ];
    if !around
        .header
        .protocol
        .is_some_and(|p| with_ports.contains(&p.value))
    {
        return Err(fault(
            given.part(text),
            say!("iptables/ports-need-protocol"),
        ));
    }
    let bad = |part: &str| fault(given.part(part), say!("iptables/bad-port", value = part));
    let small = |n: u64, part: &str| u16::try_from(n).map_err(|_| bad(part));
    let Some((low, rest)) = leading_number(text) else {
        let port = names::port(text, None).ok_or_else(|| bad(text))?;
        let ports = Range {
            low: port,
            high: port,
        };
        return Ok((ports, None));
    };
    let low = small(low, text)?;
    if rest.is_empty() {
        return Ok((Range { low, high: low }, None));
    }
    let high_text = rest
        .strip_prefix('-')
        .ok_or_else(|| fault(given.part(rest), say!("iptables/nat-ports", value = rest)))?;
    let (high, rest) = leading_number(high_text).ok_or_else(|| bad(high_text))?;
    let high = small(high, high_text)?;
    if high < low {
        return Err(fault(
            given.part(text),
            say!("iptables/port-range-reversed", value = text),
        ));
    }
    let shift = match rest.strip_prefix('/') {
        None if rest.is_empty() => None,
        None => {
            return Err(fault(
                given.part(rest),
                say!("iptables/nat-ports", value = rest),
            ));
        }
        Some(base) => Some(match leading_number(base) {
            Some((n, _)) if n > 0 => small(n, base)?,
            _ => names::port(base, None).ok_or_else(|| bad(base))?,
        }),
    };
    Ok((Range { low, high }, shift))
}

/// `a-b:1-2/3`, as much of it as there is.
fn write_range(range: &NatRange, out: &mut String) {
    if let Some(addrs) = &range.addrs {
        let brackets = addrs.low.is_ipv6() && range.ports.is_some();
        out.push_str(if brackets { "[" } else { "" });
        let _ = write!(out, "{}", addrs.low);
        if addrs.low != addrs.high {
            let _ = write!(out, "-{}", addrs.high);
        }
        out.push_str(if brackets { "]" } else { "" });
    }
    if let Some(ports) = range.ports {
        out.push(':');
        write_ports(ports, out);
        if let Some(base) = range.shift {
            let _ = write!(out, "/{base}");
        }
    }
}

fn write_ports(ports: Range<u16>, out: &mut String) {
    let _ = write!(out, "{}", ports.low);
    if ports.low != ports.high {
        let _ = write!(out, "-{}", ports.high);
    }
}

/// The words of both forms of DNAT and SNAT.
pub(in crate::netfilter) fn write_nat(range: &NatRange, to: &str, dash: &str, out: &mut String) {
    if range.addrs.is_some() || range.ports.is_some() {
        out.push_str(to);
        write_range(range, out);
    }
    write_flags(
        range.random,
        range.random_fully,
        range.persistent,
        dash,
        out,
    );
}

/// The words of both forms of MASQUERADE and REDIRECT.
pub(in crate::netfilter) fn write_port_nat(
    ports: Option<Range<u16>>,
    random: bool,
    random_fully: bool,
    to: &str,
    dash: &str,
    out: &mut String,
) {
    if let Some(ports) = ports {
        out.push_str(to);
        write_ports(ports, out);
    }
    write_flags(random, random_fully, false, dash, out);
}

fn write_flags(random: bool, random_fully: bool, persistent: bool, dash: &str, out: &mut String) {
    let flags = [
        ("random", random),
        ("random-fully", random_fully),
        ("persistent", persistent),
    ];
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        let _ = write!(out, " {dash}{name}");
    }
}

/// A listing's `a-b:1-2/3`.
pub(in crate::netfilter) fn read_listed(text: &str) -> Option<NatRange> {
    let (addrs, ports) = match text.split_once(':') {
        Some((addrs, ports)) => (addrs, Some(ports)),
        None => (text, None),
    };
    let mut range = EMPTY;
    if !addrs.is_empty() {
        let (low, high) = addrs.split_once('-').unwrap_or((addrs, addrs));
        range.addrs = Some(Range {
            low: low.parse().ok()?,
            high: high.parse().ok()?,
        });
    }
    if let Some(ports) = ports {
        let (ports, shift) = match ports.split_once('/') {
            Some((ports, shift)) => (ports, Some(shift.parse().ok()?)),
            None => (ports, None),
        };
        range.ports = Some(read_listed_ports(ports)?);
        range.shift = shift;
    }
    Some(range)
}

pub(in crate::netfilter) fn read_listed_ports(text: &str) -> Option<Range<u16>> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    Some(Range {
        low: low.parse().ok()?,
        high: high.parse().ok()?,
    })
}
