//! A packet's line (tcpdump `print-ip.c`, `print-tcp.c`, `print-udp.c`, `print-icmp.c`, `print-icmp6.c`, `print-vxlan.c`, `print-otv.c`).

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
            out.push_str("ICMP6, ");
            if message6(icmp, out) {
                let _ = write!(out, ", length {}", u32::from(packet.payload) + 8);
            }
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

/// False where the line ends without a length.
fn message6(icmp: &Icmp, out: &mut String) -> bool {
    let about = icmp.about.as_deref();
    let to = about.map_or(String::new(), |p| p.dst.to_string());
    let target = icmp.target.map_or(String::new(), |t| t.to_string());
    if icmp.kind == 1 {
        out.push_str("destination unreachable, ");
    }
    let _ = match (icmp.kind, icmp.code) {
        (1, 0) => write!(out, "unreachable route {to}"),
        // With a blank more than others.
        (1, 1) => write!(out, " unreachable prohibited {to}"),
        (1, 3) => write!(out, "unreachable address {to}"),
        (1, 4) => match about.map(|p| (p.protocol(), p.dport().unwrap_or(0))) {
            Some((Protocol::TCP, port)) => write!(out, "unreachable port, {to} tcp port {port}"),
            Some((Protocol::UDP, port)) => write!(out, "unreachable port, {to} udp port {port}"),
            _ => {
                out.push_str("unreachable port [|icmp6]");
                return false;
            }
        },
        (1, code) => {
            let _ = write!(out, "unknown unreach code ({code})");
            return false;
        }
        (3, 0) => write!(out, "time exceeded in-transit for {to}"),
        (3, _) => write!(out, "time exceeded in-transit (reassembly)"),
        // Where IPv6's header names what follows it.
        (4, 1) => write!(out, "parameter problem, next header - octet 6"),
        (128, _) => write!(out, "echo request, id {}", icmp.id),
        (129, _) => write!(out, "echo reply, id {}", icmp.id),
        (135, _) => write!(out, "neighbor solicitation, who has {target}"),
        (136, _) => write!(out, "neighbor advertisement, tgt is {target}"),
        (137, _) => {
            let by = icmp.gateway.map_or(String::new(), |g| g.to_string());
            write!(out, "redirect, {to} to {by}")
        }
        (kind, _) => write!(out, "type-#{kind}"),
    };
    true
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As tcpdump 4.99.3 prints such packets, without the numbers that the model does not keep.
    #[test]
    fn icmpv6_is_told_as_tcpdump_tells_it() {
        let addr = |text: &str| -> IpAddr { text.parse().unwrap() };
        let packet = |src: &str, dst: &str, transport, payload| Packet {
            src: addr(src),
            dst: addr(dst),
            ttl: 64,
            tos: 0,
            transport,
            payload,
        };
        let icmp = |kind, code, target: Option<&str>, about: Option<Packet>| {
            Transport::Icmp(Icmp {
                kind,
                code,
                id: 7,
                gateway: None,
                target: target.map(|t| t.parse().unwrap()),
                about: about.map(Box::new),
            })
        };
        let (a, b) = ("fd00:1::a", "fd00:1::b");
        let (sport, dport) = (40000, 53);
        let udp = || Some(packet(a, b, Transport::Udp { sport, dport }, 32));
        let sctp = || Some(packet(a, b, Transport::Sctp { sport, dport }, 0));
        let group = "ff02::1:ff00:b";
        for (packet, line) in [
            (
                packet(a, group, icmp(135, 0, Some(b), None), 24),
                "IP6 fd00:1::a > ff02::1:ff00:b: ICMP6, neighbor solicitation, who has fd00:1::b, length 32",
            ),
            (
                packet(b, a, icmp(136, 0, Some(b), None), 24),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, neighbor advertisement, tgt is fd00:1::b, length 32",
            ),
            (
                packet(b, a, icmp(1, 0, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, destination unreachable, unreachable route fd00:1::b, length 88",
            ),
            (
                packet(b, a, icmp(1, 1, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, destination unreachable,  unreachable prohibited fd00:1::b, length 88",
            ),
            (
                packet(b, a, icmp(1, 3, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, destination unreachable, unreachable address fd00:1::b, length 88",
            ),
            (
                packet(b, a, icmp(1, 4, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, destination unreachable, unreachable port, fd00:1::b udp port 53, length 88",
            ),
            (
                packet(b, a, icmp(1, 4, None, sctp()), 52),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, destination unreachable, unreachable port [|icmp6]",
            ),
            (
                packet(b, a, icmp(1, 6, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, destination unreachable, unknown unreach code (6)",
            ),
            (
                packet(b, a, icmp(3, 0, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, time exceeded in-transit for fd00:1::b, length 88",
            ),
            (
                packet(b, a, icmp(4, 1, None, udp()), 80),
                "IP6 fd00:1::b > fd00:1::a: ICMP6, parameter problem, next header - octet 6, length 88",
            ),
            (
                packet(a, b, icmp(128, 0, None, None), 56),
                "IP6 fd00:1::a > fd00:1::b: ICMP6, echo request, id 7, length 64",
            ),
        ] {
            let mut out = String::new();
            write(&packet, None, &mut out);
            assert_eq!(out.trim_end(), line);
        }
    }
}
