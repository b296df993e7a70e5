//! `-m multiport` (`libxt_multiport.c`).

use std::fmt::Write;

use super::{Fault, Given, Opt, Syntax, fault, needs_one, ports};
use crate::net::Protocol;
use crate::netfilter::matches::{Multiport, PortSide, Range};
use crate::netfilter::{Header, Match};
use crate::say;

const ANY: u32 = 0b111;

pub(in crate::netfilter) static MULTIPORT: Syntax<Match> = Syntax {
    name: "multiport",
    options: &[
        Opt::value("source-ports", 0).not().excl(ANY),
        Opt::value("sports", 0).not().excl(ANY),
        Opt::value("destination-ports", 1).not().excl(ANY),
        Opt::value("dports", 1).not().excl(ANY),
        Opt::value("ports", 2).not().excl(ANY),
    ],
    start: |_, _| {
        Match::Multiport(Box::new(Multiport {
            side: PortSide::Either,
            inverted: false,
            ports: Vec::new(),
        }))
    },
    option: |m, given, around| {
        let Match::Multiport(multiport) = m else {
            return Ok(());
        };
        let protocol = protocol(around.header)
            .ok_or_else(|| fault(around.span, say!("iptables/multiport-protocol")))?;
        multiport.ports = read(given, protocol)?;
        multiport.inverted |= given.inverted;
        multiport.side = match given.id {
            0 => PortSide::Source,
            1 => PortSide::Destination,
            _ => PortSide::Either,
        };
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "multiport", "--sports, --dports, --ports"),
};

/// The name of the protocol, if it is one with ports and not turned around.
pub(in crate::netfilter) fn protocol(header: &Header) -> Option<&'static str> {
    let protocol = header.protocol.filter(|p| !p.inverted)?;
    Some(match protocol.value {
        Protocol::TCP => "tcp",
        Protocol::UDP => "udp",
        Protocol(136) => "udplite",
        Protocol::SCTP => "sctp",
        Protocol(33) => "dccp",
        _ => return None,
    })
}

/// The kernel has 15 places (`XT_MULTI_PORTS`); a range takes two.
fn read(given: &Given, protocol: &str) -> Result<Vec<Range<u16>>, Fault> {
    let mut ports = Vec::new();
    let mut places = 0;
    for part in given.value.split(',') {
        let (low, high) = match part.split_once(':') {
            None => (part, None),
            Some((low, high)) => (low, Some(high)),
        };
        places += if high.is_some() { 2 } else { 1 };
        if places > 15 {
            return Err(fault(given.part(part), say!("iptables/too-many-ports")));
        }
        let low = given.port(low, Some(protocol))?;
        let high = match high {
            None => low,
            Some(high) => {
                let high = given.port(high, Some(protocol))?;
                if low >= high {
                    return Err(fault(
                        given.part(part),
                        say!("iptables/port-range-reversed", value = part),
                    ));
                }
                high
            }
        };
        ports.push(Range { low, high });
    }
    Ok(ports)
}

fn write_ports(multiport: &Multiport, protocol: &str, numeric: bool, out: &mut String) {
    for (i, range) in multiport.ports.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        ports::list_port(range.low, protocol, numeric, out);
        if range.low != range.high {
            out.push(':');
            ports::list_port(range.high, protocol, numeric, out);
        }
    }
}

fn side(side: PortSide) -> &'static str {
    match side {
        PortSide::Source => "sports",
        PortSide::Destination => "dports",
        PortSide::Either => "ports",
    }
}

pub(in crate::netfilter) fn save(multiport: &Multiport, out: &mut String) {
    out.push_str(if multiport.inverted { " !" } else { "" });
    let _ = write!(out, " --{} ", side(multiport.side));
    write_ports(multiport, "", true, out);
}

pub(in crate::netfilter) fn list(
    multiport: &Multiport,
    header: &Header,
    numeric: bool,
    out: &mut String,
) {
    let _ = write!(out, " multiport {} ", side(multiport.side));
    out.push_str(if multiport.inverted { " !" } else { "" });
    write_ports(multiport, protocol(header).unwrap_or(""), numeric, out);
}
