//! A packet's way as captures show it: a row for each interface that it passes.

use northsouth::conntrack::{Connection, StatusBits};
use northsouth::net::{IfaceName, Packet, Protocol, TcpFlags, Transport};
use northsouth::topology::World;
use northsouth::trace::{Action, Journey, SwitchOutcome};
use serde_json::{Value, json};

/// The rows of a packet's way. `every` is false where those are left out that a bridge's own device shows of frames from port
/// to port.
pub(super) fn rows(world: &World, journey: &Journey, sport: u16, every: bool) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut inner: Option<Packet> = None;
    for hop in &journey.hops {
        let name = world.host(hop.host).map_or("", |h| &*h.name);
        let mut last: Option<&Packet> = None;
        for step in &hop.steps {
            let seen: Option<(&IfaceName, &str)> = match &step.action {
                Action::Arrived => step.after.in_iface.as_ref().map(|i| (i, "in")),
                Action::Left(egress) => Some((&egress.iface, "out")),
                Action::Bridged(switching) => match (&switching.outcome, &switching.from) {
                    (SwitchOutcome::Up, Some(_)) => Some((&switching.bridge, "in")),
                    (_, Some(_)) if switching.through && every => Some((&switching.bridge, "out")),
                    (_, None) => Some((&switching.bridge, "out")),
                    _ => None,
                },
                Action::Encapsulated { .. } => {
                    inner = last.cloned();
                    None
                }
                Action::Decapsulated { .. } => {
                    inner = None;
                    step.after.in_iface.as_ref().map(|i| (i, "in"))
                }
                _ => None,
            };
            last = Some(&step.after.packet);
            if let Some((iface, way)) = seen {
                let packet = &step.after.packet;
                let mut row = row(name, iface, way, inner.as_ref().unwrap_or(packet), sport);
                if let (Some(_), Some(row)) = (&inner, row.as_array_mut()) {
                    let outer = format!("vxlan {}>{} ttl {}", packet.src, packet.dst, packet.ttl);
                    row.push(outer.into());
                }
                rows.push(row);
            }
        }
    }
    rows
}

fn row(host: &str, iface: &IfaceName, way: &str, packet: &Packet, sport: u16) -> Value {
    let answers = matches!(
        &packet.transport,
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::ACK)
    ) || packet.dport() == Some(sport)
        || (packet.protocol() == Protocol::UDP
            && packet.dport().is_some_and(|p| p >= 1024)
            && packet.sport().is_some_and(|p| p < 20_000));
    let drawn = |port: Option<u16>| port.map(|p| Value::from(port_text(Some(p), sport)));
    let plain = |port: Option<u16>| port.map(Value::from);
    let (s, d) = match answers {
        true => (plain(packet.sport()), drawn(packet.dport())),
        false => (drawn(packet.sport()), plain(packet.dport())),
    };
    json!([
        host,
        iface.as_str(),
        way,
        packet.src.to_string(),
        s,
        packet.dst.to_string(),
        d,
        packet.ttl,
        kind(packet)
    ])
}

/// The packet as its sender put it on its way.
pub(super) fn first_packet(journey: &Journey) -> Packet {
    let first = journey.hops.first().and_then(|h| h.steps.first());
    first.map_or_else(|| journey.packet.packet.clone(), |s| s.after.packet.clone())
}

pub(super) fn kind(packet: &Packet) -> String {
    match &packet.transport {
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::RST) => "RST".into(),
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::SYN_ACK) => "SYN-ACK".into(),
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::SYN) => "SYN".into(),
        Transport::Tcp { .. } => "ACK".into(),
        Transport::Icmp(icmp) => format!("icmp {}/{}", icmp.kind, icmp.code),
        _ => "udp".into(),
    }
}

/// The probe's own port and those that chance drew stand as words.
pub(super) fn port_text(port: Option<u16>, sport: u16) -> String {
    match port {
        Some(port) if port == sport => "sport".into(),
        _ => "*".into(),
    }
}

/// A node's new connections, in the order of their texts.
pub(super) fn table<'c>(connections: impl Iterator<Item = &'c Connection>, sport: u16) -> Value {
    let mut all: Vec<Value> = connections.map(|c| entry(c, sport)).collect();
    all.sort_by_cached_key(|e| {
        let fields = e.as_array().into_iter().flatten();
        // Numbers are compared as numbers.
        fields
            .map(|f| (f.as_u64(), f.as_str().map(str::to_string)))
            .collect::<Vec<_>>()
    });
    all.into()
}

fn entry(c: &Connection, sport: u16) -> Value {
    let mut all = vec![
        json!(c.orig.protocol.to_string()),
        json!(c.orig.src.to_string()),
        json!(port_text(Some(c.orig.sport), sport)),
        json!(c.orig.dst.to_string()),
        json!(c.orig.dport),
        json!(c.reply.src.to_string()),
        json!(c.reply.sport),
        json!(c.reply.dst.to_string()),
        json!(port_text(Some(c.reply.dport), sport)),
    ];
    if !c.status.has(StatusBits::SEEN_REPLY) {
        all.push(json!("UNREPLIED"));
    }
    Value::Array(all)
}
