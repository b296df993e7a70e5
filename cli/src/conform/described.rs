//! Packets and connections as the recordings describe them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use northsouth::conntrack::{Connection, StatusBits, Tuple};
use northsouth::net::{Icmp, Packet, Protocol, TcpFlags, Transport};
use serde_json::{Value, json};

pub(super) fn number(object: &Value, key: &str) -> Option<u64> {
    object[key].as_u64()
}

pub(super) fn protocol(object: &Value) -> Protocol {
    match object["proto"].as_str() {
        Some("udp") => Protocol::UDP,
        Some("icmp") => Protocol::ICMP,
        Some("sctp") => Protocol::SCTP,
        _ => Protocol::TCP,
    }
}

const FLAGS: [(TcpFlags, char); 6] = [
    (TcpFlags::SYN, 'S'),
    (TcpFlags::ACK, 'A'),
    (TcpFlags::FIN, 'F'),
    (TcpFlags::RST, 'R'),
    (TcpFlags::PSH, 'P'),
    (TcpFlags::URG, 'U'),
];

pub(super) fn packet_of(described: &Value) -> Packet {
    let addr = |key: &str| {
        let addr = described[key].as_str().and_then(|a| a.parse().ok());
        addr.unwrap_or(IpAddr::from([0; 4]))
    };
    let port = |key: &str| number(described, key).unwrap_or(0) as u16;
    let (sport, dport) = (port("sport"), port("dport"));
    let transport = match protocol(described) {
        Protocol::UDP => Transport::Udp { sport, dport },
        Protocol::SCTP => Transport::Sctp { sport, dport },
        Protocol::ICMP => {
            let kind = number(described, "icmp_type").unwrap_or(8) as u8;
            let about = described.get("inner").map(|i| Box::new(packet_of(i)));
            Transport::Icmp(Icmp {
                kind,
                code: port("icmp_code") as u8,
                id: match kind {
                    3 | 4 | 5 | 11 | 12 => 0,
                    _ => number(described, "icmp_id").unwrap_or(7) as u16,
                },
                gateway: None,
                target: None,
                about,
            })
        }
        _ => Transport::Tcp {
            sport,
            dport,
            flags: match described["flags"].as_str() {
                Some(flags) => FLAGS
                    .iter()
                    .filter(|(_, c)| flags.contains(*c))
                    .fold(TcpFlags(0), |all, (flag, _)| all | *flag),
                None => TcpFlags::SYN,
            },
        },
    };
    let payload = match (&described["payload"], &transport) {
        (Value::String(text), _) => text.len() as u16,
        (Value::Number(length), _) => length.as_u64().unwrap_or(0) as u16,
        // An error carries all of what it is about.
        (_, Transport::Icmp(Icmp { about, .. })) => {
            about.as_ref().map_or(0, |about| about.length() as u16)
        }
        _ => 0,
    };
    Packet {
        src: addr("src"),
        dst: addr("dst"),
        ttl: number(described, "ttl").unwrap_or(64) as u8,
        tos: 0,
        transport,
        payload,
    }
}

pub(super) fn packet_json(packet: &Packet) -> Value {
    let mut out = json!({
        "src": packet.src.to_string(),
        "dst": packet.dst.to_string(),
        "proto": packet.protocol().to_string(),
        "ttl": packet.ttl,
    });
    if let (Some(sport), Some(dport)) = (packet.sport(), packet.dport()) {
        out["sport"] = sport.into();
        out["dport"] = dport.into();
    }
    match &packet.transport {
        Transport::Tcp { flags, .. } => {
            let set = FLAGS.iter().filter(|(flag, _)| flags.has(*flag));
            out["flags"] = set.map(|(_, c)| *c).collect::<String>().into();
        }
        Transport::Icmp(icmp) => {
            out["icmp_type"] = icmp.kind.into();
            out["icmp_code"] = icmp.code.into();
            if let Some(about) = &icmp.about {
                out["inner"] = inner_json(about);
            }
            match icmp.kind {
                0 | 8 => {
                    out["icmp_id"] = icmp.id.into();
                    out["icmp_seq"] = 1.into();
                }
                3 if icmp.code == 4 && icmp.about.is_some() => out["mtu"] = icmp.id.into(),
                _ => {}
            }
            if let Some(gateway) = icmp.gateway {
                out["gw"] = gateway.to_string().into();
            }
        }
        _ => {}
    }
    out
}

/// What an ICMP error is about: eight bytes behind the IP header tell no flags.
fn inner_json(packet: &Packet) -> Value {
    let mut out = packet_json(packet);
    if let Some(fields) = out.as_object_mut() {
        for key in ["flags", "icmp_code", "icmp_seq"] {
            fields.remove(key);
        }
    }
    out
}

pub(super) fn connection(c: &Connection) -> Value {
    let tuple = |t: &Tuple| {
        let mut out = json!({ "src": t.src.to_string(), "dst": t.dst.to_string() });
        if t.is_icmp() {
            out["type"] = t.icmp_kind().into();
            out["code"] = t.icmp_code().into();
            out["id"] = t.sport.into();
        } else {
            out["sport"] = t.sport.into();
            out["dport"] = t.dport.into();
        }
        out
    };
    let flags: BTreeMap<&str, bool> = BTreeMap::from([
        ("ASSURED", c.status.has(StatusBits::ASSURED)),
        ("UNREPLIED", !c.status.has(StatusBits::SEEN_REPLY)),
    ]);
    let flags: Vec<&str> = flags
        .iter()
        .filter(|(_, on)| **on)
        .map(|(f, _)| *f)
        .collect();
    let mut out = json!({
        "proto": c.orig.protocol.to_string(),
        "orig": tuple(&c.orig),
        "reply": tuple(&c.reply),
        "flags": flags,
    });
    if let Some(tcp) = c.tcp {
        out["state"] = tcp.state.name().into();
    }
    if c.mark != 0 {
        out["mark"] = c.mark.into();
    }
    out
}
