use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::Serialize;

/// An IP protocol by its number (IANA "Protocol Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Protocol(pub u8);

impl Protocol {
    pub const ICMP: Protocol = Protocol(1);
    pub const TCP: Protocol = Protocol(6);
    pub const UDP: Protocol = Protocol(17);
    pub const ICMPV6: Protocol = Protocol(58);
    pub const SCTP: Protocol = Protocol(132);
    /// Of who writes the IP header too (`IPPROTO_RAW`).
    pub const RAW: Protocol = Protocol(255);
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Protocol::ICMP => f.write_str("icmp"),
            Protocol::TCP => f.write_str("tcp"),
            Protocol::UDP => f.write_str("udp"),
            Protocol::ICMPV6 => f.write_str("ipv6-icmp"),
            Protocol::SCTP => f.write_str("sctp"),
            Protocol(n) => write!(f, "{n}"),
        }
    }
}

/// TCP's flags as the header has them (RFC 9293, 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    pub const FIN: TcpFlags = TcpFlags(0x01);
    pub const SYN: TcpFlags = TcpFlags(0x02);
    pub const RST: TcpFlags = TcpFlags(0x04);
    pub const PSH: TcpFlags = TcpFlags(0x08);
    pub const ACK: TcpFlags = TcpFlags(0x10);
    pub const URG: TcpFlags = TcpFlags(0x20);
    pub const SYN_ACK: TcpFlags = TcpFlags(0x12);

    pub fn has(self, flags: TcpFlags) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = TcpFlags;
    fn bitor(self, other: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 | other.0)
    }
}

/// `SYN`, `SYN,ACK`, … as iptables and people write them; `NONE` without any.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (TcpFlags::SYN, "SYN"),
            (TcpFlags::FIN, "FIN"),
            (TcpFlags::RST, "RST"),
            (TcpFlags::PSH, "PSH"),
            (TcpFlags::ACK, "ACK"),
            (TcpFlags::URG, "URG"),
        ];
        let set: Vec<_> = names
            .iter()
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, name)| *name)
            .collect();
        if set.is_empty() {
            f.write_str("NONE")
        } else {
            f.write_str(&set.join(","))
        }
    }
}

/// A packet's headers, from IP up. What a host knows about it beside (mark, interfaces, connection) is the host's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Packet {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub ttl: u8,
    /// The former TOS byte: DSCP and ECN.
    pub tos: u8,
    pub transport: Transport,
    /// Bytes behind the transport header.
    pub payload: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Transport {
    Tcp {
        sport: u16,
        dport: u16,
        flags: TcpFlags,
    },
    Udp {
        sport: u16,
        dport: u16,
    },
    Sctp {
        sport: u16,
        dport: u16,
    },
    Icmp(Icmp),
    Other(Protocol),
}

/// An ICMP or ICMPv6 message (RFC 792, RFC 4443).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Icmp {
    pub kind: u8,
    pub code: u8,
    /// Identifier of an echo or timestamp; the next hop's MTU where an error tells it, else 0.
    pub id: u16,
    /// Of a redirect: the better next hop.
    pub gateway: Option<IpAddr>,
    /// Of a neighbour's question and of its answer: whose hardware address it is about (RFC 4861, 4.3 and 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Ipv6Addr>,
    /// The packet that an error is about, as the sender of the error saw it.
    pub about: Option<Box<Packet>>,
}

impl Icmp {
    /// Whether it is an error, about another packet (kernel `icmp_pkt_ctx`'s `error`; RFC 4443, 2.1).
    pub fn is_error(&self, ipv6: bool) -> bool {
        match ipv6 {
            true => self.kind < 128,
            false => matches!(self.kind, 3 | 4 | 5 | 11 | 12),
        }
    }
}

impl Packet {
    pub fn protocol(&self) -> Protocol {
        match &self.transport {
            Transport::Tcp { .. } => Protocol::TCP,
            Transport::Udp { .. } => Protocol::UDP,
            Transport::Sctp { .. } => Protocol::SCTP,
            Transport::Icmp(_) if self.dst.is_ipv6() => Protocol::ICMPV6,
            Transport::Icmp(_) => Protocol::ICMP,
            Transport::Other(protocol) => *protocol,
        }
    }

    pub fn sport(&self) -> Option<u16> {
        match self.transport {
            Transport::Tcp { sport, .. }
            | Transport::Udp { sport, .. }
            | Transport::Sctp { sport, .. } => Some(sport),
            _ => None,
        }
    }

    pub fn dport(&self) -> Option<u16> {
        match self.transport {
            Transport::Tcp { dport, .. }
            | Transport::Udp { dport, .. }
            | Transport::Sctp { dport, .. } => Some(dport),
            _ => None,
        }
    }

    /// Bytes from the IP header on; headers carry no options.
    pub fn length(&self) -> u32 {
        let ip = if self.dst.is_ipv6() { 40 } else { 20 };
        let transport = match self.transport {
            Transport::Tcp { .. } => 20,
            Transport::Udp { .. } | Transport::Icmp(_) => 8,
            Transport::Sctp { .. } => 12,
            Transport::Other(_) => 0,
        };
        ip + transport + u32::from(self.payload)
    }

    pub fn tcp_flags(&self) -> Option<TcpFlags> {
        match self.transport {
            Transport::Tcp { flags, .. } => Some(flags),
            _ => None,
        }
    }
}

/// A hardware address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address that the model gives to an interface without one: `02:00` and the IPv4 address, or its IPv6 address's end.
    pub fn made_of(addr: IpAddr) -> Self {
        let [a, b, c, d] = match addr {
            IpAddr::V4(a) => a.octets(),
            IpAddr::V6(a) => (a.to_bits() as u32).to_be_bytes(),
        };
        Self([2, 0, a, b, c, d])
    }

    /// Where frames for a group go (RFC 1112, 6.4; RFC 2464, 7).
    pub fn of_group(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(a) => {
                let [_, b, c, d] = a.octets();
                Self([0x01, 0x00, 0x5e, b & 0x7f, c, d])
            }
            IpAddr::V6(a) => {
                let [.., b, c, d, e] = a.octets();
                Self([0x33, 0x33, b, c, d, e])
            }
        }
    }

    /// The address that the kernel gives an interface from its hardware address (RFC 4291, appendix A).
    pub fn link_local(self) -> Ipv6Addr {
        let Mac([a, b, c, d, e, f]) = self;
        let word = |high, low| u16::from_be_bytes([high, low]);
        let [w, x, y, z] = [word(a ^ 2, b), word(c, 0xff), word(0xfe, d), word(e, f)];
        Ipv6Addr::new(0xfe80, 0, 0, 0, w, x, y, z)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Six bytes in hexadecimal with colons, as `ip` and `bridge` print them.
impl std::str::FromStr for Mac {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|p| matches!(p.len(), 1 | 2))
                .ok_or(())?;
            *byte = u8::from_str_radix(part, 16).map_err(drop)?;
        }
        parts.next().is_none().then_some(Mac(bytes)).ok_or(())
    }
}
