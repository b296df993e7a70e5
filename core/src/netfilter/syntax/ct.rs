//! `-j CT` and `-j NOTRACK` (`libxt_CT.c`, revision 2).

use std::fmt::Write;

use super::values::number;
use super::{Fault, Given, Opt, Syntax, fault, no_finish, no_option};
use crate::netfilter::Target;
use crate::netfilter::targets::{Ct, Zone, ZoneScope};
use crate::say;

pub(in crate::netfilter) static CT: Syntax<Target> = Syntax {
    name: "CT",
    options: &[
        Opt::flag("notrack", 0),
        Opt::value("helper", 1),
        Opt::value("timeout", 2),
        Opt::value("ctevents", 3),
        Opt::value("expevents", 4),
        Opt::value("zone-orig", 5),
        Opt::value("zone-reply", 6),
        Opt::value("zone", 7),
    ],
    start: |_, _| Target::Ct(Box::default()),
    option: |t, given, _| {
        let Target::Ct(ct) = t else { return Ok(()) };
        match given.id {
            0 => ct.notrack = true,
            1 => ct.helper = given.value.into(),
            2 => ct.timeout = given.value.into(),
            3 => ct.events = events(given, &EVENTS)?,
            4 => ct.expected_events = events(given, &["new"])? != 0,
            id => zone(ct, given, id)?,
        }
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static NOTRACK: Syntax<Target> = Syntax {
    name: "NOTRACK",
    options: &[],
    start: |_, _| Target::Notrack,
    option: no_option,
    finish: no_finish,
};

/// In the order in which they are printed; the bit of an event is `1 << place`.
static EVENTS: [&str; 10] = [
    "new",
    "related",
    "destroy",
    "reply",
    "assured",
    "protoinfo",
    "helper",
    "mark",
    "natseqinfo",
    "secmark",
];

fn events(given: &Given, known: &[&str]) -> Result<u16, Fault> {
    let mut bits = 0;
    for part in given.value.split(',') {
        match known.iter().position(|e| *e == part) {
            Some(at) => bits |= 1 << at,
            None => {
                return Err(fault(
                    given.part(part),
                    say!(
                        "iptables/unknown-word",
                        option = given.option(),
                        value = part,
                        known = known.join(", ")
                    ),
                ));
            }
        }
    }
    Ok(bits)
}

pub(in crate::netfilter) fn read_events(text: &str) -> Option<u16> {
    let mut bits = 0;
    for part in text.split(',') {
        bits |= 1 << EVENTS.iter().position(|e| *e == part)?;
    }
    Some(bits)
}

/// Both directions together are no direction; the last id counts.
fn zone(ct: &mut Ct, given: &Given, id: u8) -> Result<(), Fault> {
    let number = match given.value.eq_ignore_ascii_case("mark") {
        true => None,
        false => Some(number(given.value, 0, 65535).ok_or_else(|| given.bad())? as u16),
    };
    let scope = match (ct.zone.map(|z| z.scope), id) {
        (None | Some(ZoneScope::Original), 5) => ZoneScope::Original,
        (None | Some(ZoneScope::Reply), 6) => ZoneScope::Reply,
        (Some(scope), 7) => scope,
        _ => ZoneScope::Both,
    };
    ct.zone = Some(Zone { scope, id: number });
    Ok(())
}

/// The words of both forms; `dash` is `--` in `iptables-save` and nothing in listings.
pub(in crate::netfilter) fn write(ct: &Ct, dash: &str, out: &mut String) {
    if ct.notrack {
        let _ = write!(out, " {dash}notrack");
    }
    if !ct.helper.is_empty() {
        let _ = write!(out, " {dash}helper {}", ct.helper);
    }
    if !ct.timeout.is_empty() {
        let _ = write!(out, " {dash}timeout {}", ct.timeout);
    }
    if ct.events != 0 {
        let names: Vec<_> = EVENTS
            .iter()
            .enumerate()
            .filter(|(at, _)| ct.events & 1 << at != 0)
            .map(|(_, name)| *name)
            .collect();
        let _ = write!(out, " {dash}ctevents {}", names.join(","));
    }
    if ct.expected_events {
        let _ = write!(out, " {dash}expevents new");
    }
    if let Some(zone) = ct.zone.filter(|z| z.id != Some(0)) {
        let scope = match zone.scope {
            ZoneScope::Both => "",
            ZoneScope::Original => "-orig",
            ZoneScope::Reply => "-reply",
        };
        let _ = match zone.id {
            Some(id) => write!(out, " {dash}zone{scope} {id}"),
            None => write!(out, " {dash}zone{scope} mark"),
        };
    }
}
