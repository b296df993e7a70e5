//! A packet's headers as bytes, as far as the model has them.

use std::net::IpAddr;

use super::eval::{Got, Miss};
use super::field::{Base, Raw};
use super::value::Value;
use crate::net::{Packet, Transport};
use crate::netfilter::Context;

/// Bits that stand one after the other, and which of them are known.
#[derive(Default)]
struct Bytes(Vec<(u8, u8)>);

impl Bytes {
    fn known(&mut self, bytes: &[u8]) {
        self.0.extend(bytes.iter().map(|b| (*b, 0xff)));
    }

    fn unknown(&mut self, count: usize) {
        self.0.extend(std::iter::repeat_n((0, 0), count));
    }

    fn bits(&mut self, value: u8, known: u8) {
        self.0.push((value, known));
    }
}

/// The value of bits by their place (kernel `nft_payload_eval`); bits behind the packet's end are none.
pub(super) fn raw(raw: Raw, ctx: &Context) -> Got<Value> {
    let bytes = match raw.base {
        Base::Link => link(ctx)?,
        Base::Network => network(&ctx.packet),
        Base::Transport => transport(&ctx.packet),
        Base::Inner => return Err(carried(&ctx.packet)),
    };
    let mut value: Value = 0;
    for bit in 0..u16::from(raw.bits) {
        let at = raw.offset + bit;
        let Some((byte, known)) = bytes.0.get(usize::from(at / 8)) else {
            return Err(match raw.base {
                // The network header goes on in what it carries.
                Base::Link => Miss::Break,
                _ => carried(&ctx.packet),
            });
        };
        let mask = 0x80 >> (at % 8);
        if known & mask == 0 {
            return Err(Miss::CannotTell);
        }
        value = value << 1 | Value::from(byte & mask != 0);
    }
    Ok(value)
}

/// What stands behind the headers is not modelled; nothing, where the packet carries nothing.
fn carried(packet: &Packet) -> Miss {
    match packet.payload {
        0 => Miss::Break,
        _ => Miss::CannotTell,
    }
}

fn link(ctx: &Context) -> Got<Bytes> {
    let (src, dst) = ctx.frame.ok_or(Miss::Break)?;
    let mut out = Bytes::default();
    out.known(&dst.0);
    out.known(&src.0);
    out.known(if ctx.ipv6() { &[0x86, 0xdd] } else { &[8, 0] });
    Ok(out)
}

/// RFC 791, 3.1; RFC 8200, 3. Unknown are the identification, whether fragments are forbidden, the checksum and the flow
/// label.
fn network(packet: &Packet) -> Bytes {
    let mut out = Bytes::default();
    let length = packet.length();
    match (packet.src, packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            out.known(&[0x45, packet.tos]);
            out.known(&(length as u16).to_be_bytes());
            out.unknown(2);
            out.bits(0, 0xbf);
            out.known(&[0, packet.ttl, packet.protocol().0]);
            out.unknown(2);
            out.known(&src.octets());
            out.known(&dst.octets());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            out.known(&[0x60 | packet.tos >> 4]);
            out.bits(packet.tos << 4, 0xf0);
            out.unknown(2);
            out.known(&(length.saturating_sub(40) as u16).to_be_bytes());
            out.known(&[packet.protocol().0, packet.ttl]);
            out.known(&src.octets());
            out.known(&dst.octets());
        }
        _ => {}
    }
    out.0.extend(transport(packet).0);
    out
}

/// RFC 9293, 3.1; RFC 768; RFC 9260, 3.1; RFC 792. Unknown are sequence numbers, windows, checksums and tags.
fn transport(packet: &Packet) -> Bytes {
    let mut out = Bytes::default();
    let mut ports = |sport: u16, dport: u16| {
        out.known(&sport.to_be_bytes());
        out.known(&dport.to_be_bytes());
    };
    match &packet.transport {
        Transport::Tcp {
            sport,
            dport,
            flags,
        } => {
            ports(*sport, *dport);
            out.unknown(8);
            out.bits(0, 0x0f);
            out.known(&[flags.0]);
            out.unknown(4);
            match flags.has(crate::net::TcpFlags::URG) {
                true => out.unknown(2),
                false => out.known(&[0, 0]),
            }
        }
        Transport::Udp { sport, dport } => {
            ports(*sport, *dport);
            out.known(&packet.payload.saturating_add(8).to_be_bytes());
            out.unknown(2);
        }
        Transport::Sctp { sport, dport } => {
            ports(*sport, *dport);
            out.unknown(8);
        }
        Transport::Icmp(icmp) => {
            out.known(&[icmp.kind, icmp.code]);
            out.unknown(2);
            match icmp.about {
                Some(_) => out.unknown(2),
                None => out.known(&icmp.id.to_be_bytes()),
            }
            out.unknown(2);
        }
        Transport::Other(_) => {}
    }
    out
}
