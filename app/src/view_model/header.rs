//! The packet's header before and after a step.

use std::net::IpAddr;

use northsouth::net::{Packet, Protocol, Transport};
use northsouth::trace::{Content, Payload, Snapshot};

use super::drawer::Tag;
use crate::i18n::Words;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub name: &'static str,
    pub before: String,
    pub after: String,
}

impl Row {
    pub fn changed(&self) -> bool {
        self.before != self.after
    }
}

/// A line for each thing that the packet carries or its host knows of it. A line that is empty before and after is left
/// out.
pub fn rows(before: &Snapshot, after: &Snapshot, words: &Words) -> Vec<Row> {
    let row = |name, of: &dyn Fn(&Snapshot) -> String| Row {
        name,
        before: of(before),
        after: of(after),
    };
    let interface = |name: &Option<northsouth::topology::IfaceName>| {
        name.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    // IPv6 has other names for both.
    let (lifetime, class) = match after.packet.dst {
        IpAddr::V4(_) => (words.ttl, words.tos),
        IpAddr::V6(_) => (words.hop_limit, words.traffic_class),
    };
    let mut rows = vec![
        row(words.source, &|s| source(&s.packet)),
        row(words.destination, &|s| destination(&s.packet)),
        row(words.protocol, &|s| protocol(&s.packet)),
        row(lifetime, &|s| s.packet.ttl.to_string()),
        row(class, &|s| match s.packet.tos {
            0 => String::new(),
            tos => format!("{tos:#04x}"),
        }),
        row(words.mark, &|s| format!("{:#x}", s.mark)),
        row(words.conntrack, &|s| s.ct_state.unwrap_or("").to_string()),
        row(words.in_interface, &|s| interface(&s.in_iface)),
        row(words.out_interface, &|s| interface(&s.out_iface)),
    ];
    rows.retain(|row| !(row.before.is_empty() && row.after.is_empty()));
    rows
}

/// What the packet's tag on the map says.
pub fn tag(before: &Snapshot, after: &Snapshot) -> Tag {
    let (from, to) = (source(&after.packet), destination(&after.packet));
    Tag {
        source_changed: source(&before.packet) != from,
        destination_changed: destination(&before.packet) != to,
        source: from,
        destination: to,
    }
}

pub fn source(packet: &Packet) -> String {
    end(packet.src, packet.sport())
}

pub fn destination(packet: &Packet) -> String {
    end(packet.dst, packet.dport())
}

fn end(addr: IpAddr, port: Option<u16>) -> String {
    match (addr, port) {
        (addr, None) => addr.to_string(),
        (IpAddr::V4(addr), Some(port)) => format!("{addr}:{port}"),
        (IpAddr::V6(addr), Some(port)) => format!("[{addr}]:{port}"),
    }
}

/// `TCP SYN`, `ICMP 8/0`.
pub fn protocol(packet: &Packet) -> String {
    match &packet.transport {
        Transport::Tcp { flags, .. } => format!("TCP {flags}"),
        Transport::Udp { .. } => "UDP".to_string(),
        Transport::Sctp { .. } => "SCTP".to_string(),
        Transport::Icmp(icmp) if packet.protocol() == Protocol::ICMPV6 => {
            format!("ICMPv6 {}/{}", icmp.kind, icmp.code)
        }
        Transport::Icmp(icmp) => format!("ICMP {}/{}", icmp.kind, icmp.code),
        Transport::Other(protocol) => protocol.to_string(),
    }
}

/// `GET /cart`, `HTTP 404`; within TLS, what only its ends can read.
pub fn payload(payload: &Payload) -> String {
    let own = match &payload.content {
        Content::Hello(_) => "TLS ClientHello".to_string(),
        Content::Shake(_) => "TLS ServerHello".to_string(),
        Content::Request { request, .. } => format!("{} {}", request.method, request.path),
        Content::Response(response) => format!("HTTP {}", response.status),
    };
    match payload.tls {
        0 => own,
        _ => format!("TLS ({own})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::words;
    use northsouth::text::Lang;
    use northsouth::workspace::{Scenario, run};

    #[test]
    fn what_lives_as_long_has_the_name_that_its_family_gives_it() {
        for (scenario, name, chinese) in [
            ("article", "TTL", "TTL"),
            ("dual-stack", "hop limit", "跳数限制"),
        ] {
            let scenario = Scenario::find(scenario).unwrap();
            let run = run(&scenario.workspace().unwrap());
            let packet = &run.trace.journeys[0].packet;
            for (lang, name) in [(Lang::En, name), (Lang::ZhCn, chinese)] {
                let rows = rows(packet, packet, words(lang));
                assert!(rows.iter().any(|r| r.name == name), "{name}");
            }
        }
    }
}
