//! A packet's line (tcpdump `print-ip.c`, `print-tcp.c`, `print-udp.c`, `print-icmp.c`, `print-vxlan.c`, `print-otv.c`).

use std::fmt::Write;
use std::net::IpAddr;

use crate::net::{Icmp, Packet, Protocol, TcpFlags, Transport};

/// VXLAN's port (RFC 7348), and the one that Linux had before it, which tcpdump takes for OTV.
const VXLAN: u16 = 4789;
const OTV: u16 = 8472;

pub(super) fn write(packet: &Packet, wrapped: Option<(u32, &Packet)>, out: &mut String) {
    ends(packet, out);
    match &packet.transport {
        Transport::Tcp { flags, .. } => {
            let _ = write!(
                out,
                "Flags [{}], length {}",
                letters(*flags),
                packet.payload
            );
        }
        Transport::Udp { dport, .. } => match (wrapped, *dport) {
            (Some((vni, inner)), VXLAN) => {
                let _ = writeln!(out, "VXLAN, flags [I] (0x08), vni {vni}");
                return write(inner, None, out);
            }
            (Some((vni, inner)), OTV) => {
                let _ = writeln!(out, "OTV, flags [I] (0x08), overlay 0, instance {vni}");
                return write(inner, None, out);
            }
            _ => {
                let _ = write!(out, "UDP, length {}", packet.payload);
            }
        },
        Transport::Icmp(icmp) if packet.dst.is_ipv4() => {
            out.push_str("ICMP ");
            message(icmp, out);
            let _ = write!(out, ", length {}", u32::from(packet.payload) + 8);
        }
        Transport::Icmp(icmp) => {
            let what = match icmp.kind {
                1 => "destination unreachable".to_string(),
                3 => "time exceeded in-transit".to_string(),
                128 => format!("echo request, id {}", icmp.id),
                129 => format!("echo reply, id {}", icmp.id),
                other => format!("type-#{other}"),
            };
            let length = u32::from(packet.payload) + 8;
            let _ = write!(out, "ICMP6, {what}, length {length}");
        }
        Transport::Sctp { .. } => out.push_str("sctp"),
        Transport::Other(protocol) => {
            let _ = write!(out, " ip-proto-{} {}", protocol.0, packet.payload);
        }
    }
    out.push('\n');
}

/// `IP 10.0.0.1.40000 > 10.0.0.2.80: `
fn ends(packet: &Packet, out: &mut String) {
    out.push_str(if packet.dst.is_ipv4() { "IP " } else { "IP6 " });
    let one = |addr: IpAddr, port: Option<u16>| match port {
        Some(port) => format!("{addr}.{port}"),
        None => addr.to_string(),
    };
    let src = one(packet.src, packet.sport());
    let dst = one(packet.dst, packet.dport());
    let _ = write!(out, "{src} > {dst}: ");
}

fn letters(flags: TcpFlags) -> String {
    let all = [
        (TcpFlags::FIN, 'F'),
        (TcpFlags::SYN, 'S'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, '.'),
        (TcpFlags::URG, 'U'),
    ];
    let set = all.iter().filter(|(f, _)| flags.has(*f));
    let text: String = set.map(|(_, letter)| *letter).collect();
    if text.is_empty() { "none".into() } else { text }
}

fn message(icmp: &Icmp, out: &mut String) {
    let about = icmp.about.as_deref();
    let to = about.map_or(String::new(), |p| p.dst.to_string());
    let _ = match (icmp.kind, icmp.code) {
        (0, _) => write!(out, "echo reply, id {}", icmp.id),
        (8, _) => write!(out, "echo request, id {}", icmp.id),
        (3, 0) => write!(out, "net {to} unreachable"),
        (3, 1) => write!(out, "host {to} unreachable"),
        (3, 2) => {
            let protocol = about.map_or(Protocol(0), Packet::protocol);
            write!(out, "{to} protocol {} unreachable", protocol.0)
        }
        (3, 3) => port(about, &to, out),
        (3, 4) => write!(out, "{to} unreachable - need to frag"),
        (3, 5) => write!(out, "{to} unreachable - source route failed"),
        (3, 6) => write!(out, "net {to} unreachable - unknown"),
        (3, 7) => write!(out, "host {to} unreachable - unknown"),
        (3, 8) => write!(out, "{to} unreachable - source host isolated"),
        (3, 9) => write!(out, "net {to} unreachable - admin prohibited"),
        (3, 10) => write!(out, "host {to} unreachable - admin prohibited"),
        (3, 11) => write!(out, "net {to} unreachable - tos prohibited"),
        (3, 12) => write!(out, "host {to} unreachable - tos prohibited"),
        (3, 13) => write!(out, "host {to} unreachable - admin prohibited filter"),
        (3, code) => write!(out, "{to} unreachable - #{code}"),
        (5, code) => {
            let kind = if matches!(code, 0 | 2) { "net" } else { "host" };
            let by = icmp.gateway.map_or(String::new(), |g| g.to_string());
            write!(out, "redirect {to} to {kind} {by}")
        }
        (11, 0) => write!(out, "time exceeded in-transit"),
        (11, _) => write!(out, "ip reassembly time exceeded"),
        (kind, _) => write!(out, "type-#{kind}"),
    };
}

fn port(about: Option<&Packet>, to: &str, out: &mut String) -> std::fmt::Result {
    let Some(about) = about else {
        return write!(out, "port unreachable");
    };
    let port = about.dport().unwrap_or(0);
    match about.protocol() {
        Protocol::TCP => write!(out, "{to} tcp port {port} unreachable"),
        Protocol::UDP => write!(out, "{to} udp port {port} unreachable"),
        other => write!(out, "{to} protocol {} port {port} unreachable", other.0),
    }
}
