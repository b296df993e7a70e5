//! Matches on the frame: `-m pkttype`, `-m mac` (`libxt_pkttype.c`, `libxt_mac.c`).

use std::fmt::Write;

use super::{Opt, Syntax, no_finish};
use crate::net::Mac;
use crate::netfilter::matches::PacketType;
use crate::netfilter::{Match, Not};
use crate::say;

pub(in crate::netfilter) static PKTTYPE: Syntax<Match> = Syntax {
    name: "pkttype",
    options: &[Opt::value("pkt-type", 0).must().not()],
    start: |_, _| Match::Pkttype(Not::plain(PacketType::Unicast)),
    option: |m, given, _| {
        let kind = packet_type(&given.value.to_ascii_lowercase()).ok_or_else(|| given.bad())?;
        *m = Match::Pkttype(given.not(kind));
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) fn packet_type(name: &str) -> Option<PacketType> {
    Some(match name {
        "unicast" | "host" => PacketType::Unicast,
        "broadcast" | "bcast" => PacketType::Broadcast,
        "multicast" | "mcast" => PacketType::Multicast,
        "otherhost" => PacketType::Otherhost,
        _ => return None,
    })
}

fn name(kind: PacketType) -> &'static str {
    match kind {
        PacketType::Unicast => "unicast",
        PacketType::Broadcast => "broadcast",
        PacketType::Multicast => "multicast",
        PacketType::Otherhost => "otherhost",
    }
}

pub(in crate::netfilter) static MAC: Syntax<Match> = Syntax {
    name: "mac",
    options: &[Opt::value("mac-source", 0).must().not()],
    start: |_, _| Match::Mac(Not::plain(Mac::default())),
    option: |m, given, _| {
        let mac = mac(given.value)
            .ok_or_else(|| given.fault(say!("iptables/bad-mac", value = given.value)))?;
        *m = Match::Mac(given.not(mac));
        Ok(())
    },
    finish: no_finish,
};

/// Six numbers of one or two hexadecimal digits between colons.
pub(in crate::netfilter) fn mac(text: &str) -> Option<Mac> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts
            .next()
            .filter(|p| p.len() <= 2 && !p.starts_with('+'))?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Mac(bytes))
}

pub(in crate::netfilter) fn save_pkttype(kind: &Not<PacketType>, out: &mut String) {
    out.push_str(if kind.inverted { " !" } else { "" });
    let _ = write!(out, " --pkt-type {}", name(kind.value));
}

pub(in crate::netfilter) fn list_pkttype(kind: &Not<PacketType>, out: &mut String) {
    let inv = if kind.inverted { "!" } else { "" };
    let _ = write!(out, " PKTTYPE {inv}= {}", name(kind.value));
}

pub(in crate::netfilter) fn save_mac(mac: &Not<Mac>, out: &mut String) {
    out.push_str(if mac.inverted { " !" } else { "" });
    let _ = write!(out, " --mac-source {}", mac.value);
}

pub(in crate::netfilter) fn list_mac(mac: &Not<Mac>, out: &mut String) {
    out.push_str(if mac.inverted { " MAC ! " } else { " MAC " });
    let _ = write!(out, "{}", mac.value);
}
