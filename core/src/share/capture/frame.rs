//! A packet of the model as the bytes of an Ethernet frame. What the model does not know is zero: the identification of IP,
//! windows, the bytes of a body or of what TLS hides.

use std::net::IpAddr;

use crate::net::{Headers, HttpVersion, Mac, Packet, Request, Response, TcpFlags, Transport};
use crate::trace::{Content, Payload};

/// What a frame needs beside the packet.
#[derive(Clone, Copy, Default)]
pub struct Around<'a> {
    pub src_mac: Mac,
    pub dst_mac: Mac,
    /// TCP's sequence numbers: the segment's own, and what it acknowledges.
    pub sequence: (u32, u32),
    pub payload: Option<&'a Payload>,
    /// The VXLAN network and the packet inside, where the packet carries one.
    pub wrapped: Option<(u32, &'a Packet)>,
    /// The numbers of the packet that an ICMP error is about.
    pub about: (u32, u32),
}

pub fn ethernet(packet: &Packet, around: Around<'_>) -> Vec<u8> {
    let mut out = around.dst_mac.0.to_vec();
    out.extend(around.src_mac.0);
    let kind: u16 = if packet.dst.is_ipv6() { 0x86dd } else { 0x0800 };
    out.extend(kind.to_be_bytes());
    out.extend(ip(packet, around));
    out
}

fn ip(packet: &Packet, around: Around<'_>) -> Vec<u8> {
    let body = transport(packet, around);
    let protocol = packet.protocol().0;
    let mut out = Vec::with_capacity(40 + body.len());
    match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let length = (20 + body.len()) as u16;
            out.extend([0x45, packet.tos]);
            out.extend(length.to_be_bytes());
            // Not to be fragmented.
            out.extend([0, 0, 0x40, 0, packet.ttl, protocol, 0, 0]);
            out.extend(src.octets());
            out.extend(dst.octets());
            let sum = checksum(&[&out]);
            patch(&mut out, 10, sum);
        }
        _ => {
            out.extend([0x60 | packet.tos >> 4, packet.tos << 4, 0, 0]);
            out.extend((body.len() as u16).to_be_bytes());
            out.extend([protocol, packet.ttl]);
            out.extend(octets(packet.src));
            out.extend(octets(packet.dst));
        }
    }
    out.extend(body);
    out
}

fn octets(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped().octets(),
        IpAddr::V6(addr) => addr.octets(),
    }
}

/// The transport header with its checksum, and what follows it.
fn transport(packet: &Packet, around: Around<'_>) -> Vec<u8> {
    let ports = |sport: u16, dport: u16| [sport.to_be_bytes(), dport.to_be_bytes()].concat();
    let mut out;
    let sum_at = match &packet.transport {
        Transport::Tcp {
            sport,
            dport,
            flags,
        } => {
            let (seq, ack) = around.sequence;
            let ack = if flags.has(TcpFlags::ACK) { ack } else { 0 };
            out = ports(*sport, *dport);
            out.extend(seq.to_be_bytes());
            out.extend(ack.to_be_bytes());
            // Five words of header; the largest window.
            out.extend([0x50, flags.0, 0xff, 0xff, 0, 0, 0, 0]);
            Some(16)
        }
        Transport::Udp { sport, dport } => {
            out = ports(*sport, *dport);
            out.extend(packet.payload.saturating_add(8).to_be_bytes());
            out.extend([0, 0]);
            // VXLAN leaves it out (RFC 7348, 5).
            around.wrapped.is_none().then_some(6)
        }
        Transport::Sctp { sport, dport } => {
            out = ports(*sport, *dport);
            out.extend([0; 8]);
            None
        }
        Transport::Icmp(icmp) => {
            out = vec![icmp.kind, icmp.code, 0, 0];
            match icmp.gateway {
                Some(IpAddr::V4(gateway)) => out.extend(gateway.octets()),
                // A neighbour's: flags, of an answer that it was asked for and replaces what was known; then all is told behind.
                _ if icmp.target.is_some() => {
                    out.extend([(icmp.kind == 136) as u8 * 0x60, 0, 0, 0])
                }
                // An echo's identifier stands first, a next hop's MTU last.
                _ if icmp.about.is_some() => {
                    out.extend([0, 0]);
                    out.extend(icmp.id.to_be_bytes());
                }
                _ => {
                    out.extend(icmp.id.to_be_bytes());
                    out.extend(1_u16.to_be_bytes());
                }
            }
            Some(2)
        }
        Transport::Other(_) => {
            out = Vec::new();
            None
        }
    };
    let length = usize::from(packet.payload);
    let mut body = data(packet, around);
    body.resize(length, 0);
    out.extend(body);
    if let Some(at) = sum_at {
        let pseudo = pseudo_header(packet, out.len());
        let sum = match checksum(&[&pseudo, &out]) {
            // A zero says that there is none (RFC 768).
            0 if matches!(packet.transport, Transport::Udp { .. }) => 0xffff,
            sum => sum,
        };
        patch(&mut out, at, sum);
    }
    out
}

fn data(packet: &Packet, around: Around<'_>) -> Vec<u8> {
    if let Transport::Icmp(icmp) = &packet.transport {
        if let Some(target) = icmp.target {
            // The option with the sender's hardware address, of an answer the target's (RFC 4861, 4.6.1).
            let option = if icmp.kind == 136 { 2 } else { 1 };
            let mut out = target.octets().to_vec();
            out.extend([option, 1]);
            out.extend(around.src_mac.0);
            return out;
        }
        let Some(about) = &icmp.about else {
            return Vec::new();
        };
        let around = Around {
            sequence: around.about,
            ..Around::default()
        };
        return ip(about, around);
    }
    if let Some((vni, inner)) = around.wrapped {
        // Flags: the network's number is valid.
        let mut out = vec![8, 0, 0, 0];
        out.extend((vni << 8).to_be_bytes());
        let inside = Around {
            src_mac: Mac::made_of(inner.src),
            dst_mac: Mac::made_of(inner.dst),
            wrapped: None,
            ..around
        };
        out.extend(ethernet(inner, inside));
        return out;
    }
    match around.payload {
        Some(payload) if packet.payload > 0 => said(payload, packet.payload),
        _ => Vec::new(),
    }
}

fn said(payload: &Payload, length: u16) -> Vec<u8> {
    let record = |kind: u8| {
        let mut out = vec![kind, 3, 3];
        out.extend(length.saturating_sub(5).to_be_bytes());
        out
    };
    match &payload.content {
        // TLS records: application data, a handshake.
        _ if payload.tls > 0 => record(23),
        Content::Hello(_) | Content::Shake(_) => record(22),
        Content::Request { request, version } => match version {
            HttpVersion::Http1 => of_request(request).into_bytes(),
            HttpVersion::Http2 => Vec::new(),
        },
        Content::Response(response) => of_response(response).into_bytes(),
    }
}

fn of_request(request: &Request) -> String {
    let Request {
        method,
        authority,
        path,
        headers,
        ..
    } = request;
    let fields = fields(headers);
    format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\n{fields}\r\n")
}

/// The reason is two letters, as the model counts it.
fn of_response(response: &Response) -> String {
    let reason = if response.status / 100 == 2 {
        "OK"
    } else {
        "--"
    };
    let fields = fields(&response.headers);
    let Response { status, body, .. } = response;
    format!("HTTP/1.1 {status:03} {reason}\r\n{fields}\r\n{body}")
}

fn fields(headers: &Headers) -> String {
    headers
        .iter()
        .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
        .collect()
}

/// What TCP, UDP and ICMPv6 sum up beside themselves (RFC 9293, 3.1; RFC 8200, 8.1).
fn pseudo_header(packet: &Packet, length: usize) -> Vec<u8> {
    let protocol = packet.protocol().0;
    match (packet.src, packet.dst) {
        (IpAddr::V4(_), IpAddr::V4(_)) if matches!(packet.transport, Transport::Icmp(_)) => {
            Vec::new()
        }
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let length = (length as u16).to_be_bytes();
            [&src.octets()[..], &dst.octets(), &[0, protocol], &length].concat()
        }
        (src, dst) => {
            let length = (length as u32).to_be_bytes();
            let end = [0, 0, 0, protocol];
            [&octets(src)[..], &octets(dst), &length, &end].concat()
        }
    }
}

/// The Internet's checksum (RFC 1071). All parts but the last are of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = 0;
    for word in words {
        let low = word.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([
            word.first().copied().unwrap_or(0),
            low,
        ]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn patch(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_header_as_the_rfc_has_it() {
        // RFC 1071, 3.
        let sum = checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]);
        assert_eq!(!sum, 0xddf2);
    }
}
