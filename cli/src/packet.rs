//! A packet as a line of text: `in eth0 tcp 1.2.3.4:5 > 6.7.8.9:80`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use northsouth::net::{Icmp, Packet, TcpFlags, Transport};

/// A packet, and where it is to be put.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The interface that brings it; none for one of the host's own.
    pub iface: Option<String>,
    pub packet: Packet,
    pub mark: u32,
}

pub const FORM: &str = "\
'in IFACE PROTO SRC[:PORT] > DST[:PORT] [FLAGS] [ttl N]' or 'out PROTO [SRC[:PORT]] > DST[:PORT] [FLAGS] [ttl N] [mark N]';
PROTO is tcp, udp or icmp, FLAGS such as SYN or SYN,ACK (default SYN), of icmp TYPE/CODE (default 8/0, an echo request)";

/// Reads what [`FORM`] says.
pub fn read(text: &str) -> Result<Given, String> {
    let wrong = |what: &str| format!("`{text}`: {what}\n{FORM}");
    let mut words = text.split_whitespace().peekable();
    let iface = match words.next() {
        Some("in") => Some(words.next().ok_or(wrong("no interface"))?.to_string()),
        Some("out") => None,
        _ => return Err(wrong("starts with neither `in` nor `out`")),
    };
    let protocol = words.next().ok_or(wrong("no protocol"))?;
    let src = match words.next() {
        Some(">") if iface.is_none() => None,
        Some(src) => {
            if words.next() != Some(">") {
                return Err(wrong("no `>` between source and destination"));
            }
            Some(src)
        }
        None => return Err(wrong("no source")),
    };
    let dst = words.next().ok_or(wrong("no destination"))?;
    let has_ports = protocol != "icmp";
    let dst = end(dst, has_ports).ok_or(wrong(&format!("`{dst}` is not ADDRESS:PORT")))?;
    let src = match src {
        Some(src) => end(src, has_ports).ok_or(wrong(&format!("`{src}` is not ADDRESS:PORT")))?,
        None => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 40000),
    };
    let (mut ttl, mut mark, mut detail) = (64, 0, None);
    while let Some(word) = words.next() {
        let mut number = |most: u32| {
            let value = words.next().unwrap_or_default();
            number(value)
                .filter(|n| *n <= most)
                .ok_or(wrong(&format!("{word} wants a number up to {most}")))
        };
        match word {
            "ttl" => ttl = number(255)? as u8,
            "mark" => mark = number(u32::MAX)?,
            _ if detail.is_none() => detail = Some(word),
            _ => return Err(wrong(&format!("`{word}` is too much"))),
        }
    }
    let (sport, dport) = (src.1, dst.1);
    let transport = match protocol {
        "tcp" => Transport::Tcp {
            sport,
            dport,
            flags: flags(detail.unwrap_or("SYN")).ok_or(wrong("flags are such as SYN,ACK"))?,
        },
        "udp" if detail.is_none() => Transport::Udp { sport, dport },
        "icmp" => {
            let (kind, code) = detail.unwrap_or("8/0").split_once('/').unwrap_or_default();
            let parsed = kind.parse().ok().zip(code.parse().ok());
            let (kind, code) = parsed.ok_or(wrong("of icmp, TYPE/CODE such as 8/0"))?;
            Transport::Icmp(Icmp {
                kind,
                code,
                id: 1,
                gateway: None,
                target: None,
                about: None,
            })
        }
        "udp" => return Err(wrong("udp has no flags")),
        _ => return Err(wrong(&format!("unknown protocol `{protocol}`"))),
    };
    Ok(Given {
        iface,
        packet: Packet {
            src: src.0,
            dst: dst.0,
            ttl,
            tos: 0,
            transport,
            payload: 0,
        },
        mark,
    })
}

fn end(text: &str, has_port: bool) -> Option<(IpAddr, u16)> {
    if has_port {
        let end: SocketAddr = text.parse().ok()?;
        Some((end.ip(), end.port()))
    } else {
        Some((text.parse().ok()?, 0))
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn flags(text: &str) -> Option<TcpFlags> {
    let mut all = TcpFlags(0);
    for name in text.split(',').filter(|n| *n != "NONE") {
        let flag = match name {
            "SYN" => TcpFlags::SYN,
            "ACK" => TcpFlags::ACK,
            "FIN" => TcpFlags::FIN,
            "RST" => TcpFlags::RST,
            "PSH" => TcpFlags::PSH,
            "URG" => TcpFlags::URG,
            _ => return None,
        };
        all = all | flag;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use northsouth::trace::summary;

    use super::*;

    #[test]
    fn a_packet_is_a_line() {
        let told = |text| {
            let given = read(text).unwrap();
            let iface = given.iface.unwrap_or_default();
            format!(
                "{iface} {} {} {:#x}",
                summary(&given.packet),
                given.packet.ttl,
                given.mark
            )
        };
        assert_eq!(
            told("in eth0 tcp 1.2.3.4:5 > 6.7.8.9:80"),
            "eth0 tcp 1.2.3.4:5 > 6.7.8.9:80 SYN 64 0x0"
        );
        assert_eq!(
            told("in eth0 tcp 1.2.3.4:5 > 6.7.8.9:80 SYN,ACK ttl 3"),
            "eth0 tcp 1.2.3.4:5 > 6.7.8.9:80 SYN,ACK 3 0x0"
        );
        assert_eq!(
            told("out udp > 6.7.8.9:53 mark 0x4000"),
            " udp 0.0.0.0:40000 > 6.7.8.9:53 64 0x4000"
        );
        assert_eq!(
            told("in eth0 icmp 1.2.3.4 > 6.7.8.9"),
            "eth0 icmp 1.2.3.4 > 6.7.8.9 8/0 64 0x0"
        );
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for text in [
            "",
            "in",
            "in eth0 tcp",
            "in eth0 tcp 1.2.3.4:5 6.7.8.9:80",
            "in eth0 tcp 1.2.3.4 > 6.7.8.9:80",
            "in eth0 tcp 1.2.3.4:5 > 6.7.8.9:80 SIN",
            "in eth0 tcp 1.2.3.4:5 > 6.7.8.9:80 ttl 256",
            "in eth0 gre 1.2.3.4 > 6.7.8.9",
            "in eth0 icmp 1.2.3.4 > 6.7.8.9 echo",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
