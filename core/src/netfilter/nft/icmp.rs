//! ICMP messages read as if they had ports, which `th sport` and `th dport` do: type and code stand where the source port
//! would, the checksum (RFC 792, RFC 1071) where the destination port would.

use std::net::IpAddr;

use super::eval::{Got, Miss};
use crate::net::{Icmp, Packet, Protocol};

/// The checksum of an echo is that of the first of its sequence with a payload of zeros; that of an error, of one that
/// quotes its whole packet. Others can't be told. `pseudo`: the sum of the pseudo header, which ICMPv6's has
/// ([`pseudo_header`]).
pub(super) fn icmp_as_port(icmp: &Icmp, dport: bool, pseudo: Option<u32>) -> Got<u16> {
    let first = u32::from(icmp.kind) << 8 | u32::from(icmp.code);
    if !dport {
        return Ok(first as u16);
    }
    let rest = match (icmp.kind, &icmp.about) {
        (128 | 129, _) if pseudo.is_some() => u32::from(icmp.id) + 1 + pseudo.unwrap_or(0),
        _ if pseudo.is_some() => return Err(Miss::CannotTell),
        (0 | 8 | 15..=18, _) => u32::from(icmp.id) + 1,
        // The second word of most is empty; "fragmentation needed" has the MTU there, a redirect the better gateway.
        (3..=5 | 11 | 12, Some(about)) => {
            let gateway = match icmp.gateway {
                Some(IpAddr::V4(gateway)) => halves(gateway.to_bits()),
                _ => 0,
            };
            u32::from(icmp.id) + gateway + quoted(about)?
        }
        _ => return Err(Miss::CannotTell),
    };
    Ok(!fold(first + rest))
}

/// The sum of the header that a packet of IPv6 lends its checksum (RFC 8200, 8.1); `None` for IPv4, whose ICMP has none.
pub(super) fn pseudo_header(packet: &Packet) -> Option<u32> {
    let (IpAddr::V6(src), IpAddr::V6(dst)) = (packet.src, packet.dst) else {
        return None;
    };
    let words = src.segments().into_iter().chain(dst.segments());
    let length = packet.length().saturating_sub(40);
    Some(words.map(u32::from).sum::<u32>() + length + u32::from(packet.protocol().0))
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
            let length = about.length().saturating_sub(20);
            let pseudo =
                halves(src.to_bits()) + halves(dst.to_bits()) + u32::from(protocol.0) + length;
            Ok(u32::from(!fold(pseudo)))
        }
        _ => Err(Miss::CannotTell),
    }
}

fn halves(bits: u32) -> u32 {
    (bits >> 16) + (bits & 0xffff)
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
            target: None,
            about: None,
        };
        // 0x0800 + 0x0007 + 0x0001 and its own checksum make all ones.
        assert_eq!(icmp_as_port(&echo, true, None), Ok(0xf7f7));
        assert_eq!(icmp_as_port(&echo, false, None), Ok(0x0800));
    }

    #[test]
    fn an_echo_of_ipv6_sums_up_its_addresses_too() {
        let echo = Icmp {
            kind: 128,
            code: 0,
            id: 7,
            gateway: None,
            target: None,
            about: None,
        };
        let packet = Packet {
            src: "fd00::1".parse().unwrap(),
            dst: "fd00::2".parse().unwrap(),
            ttl: 64,
            tos: 0,
            transport: crate::net::Transport::Icmp(echo.clone()),
            payload: 56,
        };
        // Twice fd00, 1 and 2, 64 bytes of the next header 58.
        let pseudo = 2 * 0xfd00 + 3 + 64 + 58;
        assert_eq!(pseudo_header(&packet), Some(pseudo));
        let sum = 0x8000 + 7 + 1 + pseudo;
        assert_eq!(icmp_as_port(&echo, true, Some(pseudo)), Ok(!fold(sum)));
    }

    #[test]
    fn an_error_has_what_its_second_word_holds_in_its_checksum() {
        let error = |kind, code, id, gateway: Option<&str>| Icmp {
            kind,
            code,
            id,
            gateway: gateway.and_then(|g| g.parse().ok()),
            target: None,
            about: Some(Box::new(Packet {
                src: IpAddr::from([203, 0, 113, 9]),
                dst: IpAddr::from([172, 20, 1, 157]),
                ttl: 64,
                tos: 0,
                transport: crate::net::Transport::Icmp(Icmp {
                    kind: 8,
                    code: 0,
                    id: 7,
                    gateway: None,
                    target: None,
                    about: None,
                }),
                payload: 0,
            })),
        };
        let sum = |icmp: Icmp| icmp_as_port(&icmp, true, None);
        assert_eq!(sum(error(3, 1, 0, None)), Ok(!0x0301));
        assert_eq!(sum(error(3, 4, 1400, None)), Ok(!(0x0304 + 1400)));
        let redirect = error(5, 1, 0, Some("192.168.0.254"));
        assert_eq!(
            sum(redirect),
            Ok(!(0x0501_u16.wrapping_add(0xc0a8).wrapping_add(0xfe)))
        );
    }
}
