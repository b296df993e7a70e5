use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::net::{Icmp, Packet, Protocol, Transport};

/// One direction of a connection as its packets name it (kernel `struct nf_conntrack_tuple`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Tuple {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: Protocol,
    /// The source port, or the identifier of an ICMP query; 0 where the protocol has neither.
    pub sport: u16,
    /// The destination port, or `type << 8 | code` of an ICMP query; 0 where the protocol has neither.
    pub dport: u16,
}

/// Which way a packet goes in its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Direction {
    #[default]
    Original,
    Reply,
}

impl Direction {
    pub fn other(self) -> Self {
        match self {
            Direction::Original => Direction::Reply,
            Direction::Reply => Direction::Original,
        }
    }
}

/// ICMP queries and their answers (kernel `net/netfilter/nf_conntrack_proto_icmp.c`, `invmap`; of ICMPv6, echoes).
const ICMP_PAIRS: [(u8, u8); 4] = [(8, 0), (13, 14), (15, 16), (17, 18)];
const ICMPV6_PAIRS: [(u8, u8); 1] = [(128, 129)];

fn answering(protocol: Protocol, kind: u8) -> Option<u8> {
    let pairs: &[(u8, u8)] = match protocol {
        Protocol::ICMPV6 => &ICMPV6_PAIRS,
        _ => &ICMP_PAIRS,
    };
    pairs.iter().find_map(|(query, answer)| match kind {
        k if k == *query => Some(*answer),
        k if k == *answer => Some(*query),
        _ => None,
    })
}

/// Whether a message of this type may open an entry: a query, not an answer.
pub(super) fn is_icmp_query(protocol: Protocol, kind: u8) -> bool {
    match protocol {
        Protocol::ICMPV6 => kind == 128,
        _ => ICMP_PAIRS.iter().any(|(query, _)| kind == *query),
    }
}

impl Tuple {
    /// The tuple by which a packet is looked up. An ICMP error has none of its own: see what it is about.
    pub fn of(packet: &Packet) -> Self {
        let (sport, dport) = match &packet.transport {
            Transport::Icmp(Icmp { kind, code, id, .. }) => {
                (*id, u16::from(*kind) << 8 | u16::from(*code))
            }
            _ => (packet.sport().unwrap_or(0), packet.dport().unwrap_or(0)),
        };
        Self {
            src: packet.src,
            dst: packet.dst,
            protocol: packet.protocol(),
            sport,
            dport,
        }
    }

    /// The tuple of a packet that answers this one; `None` for ICMP messages that nothing answers.
    pub fn answer(&self) -> Option<Self> {
        let (sport, dport) = match self.protocol {
            Protocol::ICMP | Protocol::ICMPV6 => {
                let kind = answering(self.protocol, (self.dport >> 8) as u8)?;
                (self.sport, u16::from(kind) << 8 | (self.dport & 0xff))
            }
            _ => (self.dport, self.sport),
        };
        Some(Self {
            src: self.dst,
            dst: self.src,
            protocol: self.protocol,
            sport,
            dport,
        })
    }

    pub fn is_icmp(&self) -> bool {
        matches!(self.protocol, Protocol::ICMP | Protocol::ICMPV6)
    }

    pub fn icmp_kind(&self) -> u8 {
        (self.dport >> 8) as u8
    }

    pub fn icmp_code(&self) -> u8 {
        (self.dport & 0xff) as u8
    }
}

/// As `conntrack -L` prints a direction.
impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src={} dst={}", self.src, self.dst)?;
        match self.protocol {
            Protocol::ICMP | Protocol::ICMPV6 => write!(
                f,
                " type={} code={} id={}",
                self.icmp_kind(),
                self.icmp_code(),
                self.sport
            ),
            Protocol::TCP | Protocol::UDP | Protocol::SCTP => {
                write!(f, " sport={} dport={}", self.sport, self.dport)
            }
            _ => Ok(()),
        }
    }
}
