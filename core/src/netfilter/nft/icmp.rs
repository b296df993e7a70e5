//! ICMP messages read as if they had ports, which `th sport` and `th dport` do: type and code stand where the source port
//! would, the checksum (RFC 792, RFC 1071) where the destination port would.

use std::net::IpAddr;

use super::eval::{Got, Miss};
use crate::net::{Icmp, Packet, Protocol};

/// The checksum of an echo is that of the first of its sequence with a payload of zeros; that of an error, of one that
/// quotes its whole packet. Others can't be told.
pub(super) fn icmp_as_port(icmp: &Icmp, dport: bool, ipv6: bool) -> Got<u16> {
    let first = u32::from(icmp.kind) << 8 | u32::from(icmp.code);
    if !dport {
        return Ok(first as u16);
    }
    let rest = match (icmp.kind, &icmp.about) {
        _ if ipv6 => return Err(Miss::CannotTell),
        (0 | 8, _) => u32::from(icmp.id) + 1,
        // The second word of these is empty; redirects and "fragmentation needed" have something there.
        (3 | 11, Some(about)) if icmp.code != 4 => quoted(about)?,
        _ => return Err(Miss::CannotTell),
    };
    Ok(!fold(first + rest))
}

/// The sum of a quoted packet. A header with its own checksum adds nothing; TCP and UDP lack their pseudo header.
fn quoted(about: &Packet) -> Got<u32> {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (about.src, about.dst) else {
        return Err(Miss::CannotTell);
    };
    let protocol = about.protocol();
    match protocol {
        Protocol::ICMP => Ok(0),
        Protocol::TCP | Protocol::UDP => {
            let halves = |bits: u32| (bits >> 16) + (bits & 0xffff);
            let length = about.length().saturating_sub(20);
            let pseudo =
                halves(src.to_bits()) + halves(dst.to_bits()) + u32::from(protocol.0) + length;
            Ok(u32::from(!fold(pseudo)))
        }
        _ => Err(Miss::CannotTell),
    }
}

fn fold(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    ((once & 0xffff) + (once >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_has_its_checksum_where_a_port_would_be() {
        let echo = Icmp {
            kind: 8,
            code: 0,
            id: 7,
            gateway: None,
            about: None,
        };
        // 0x0800 + 0x0007 + 0x0001 and its own checksum make all ones.
        assert_eq!(icmp_as_port(&echo, true, false), Ok(0xf7f7));
        assert_eq!(icmp_as_port(&echo, false, false), Ok(0x0800));
    }
}
