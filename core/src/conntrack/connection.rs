use serde::Serialize;

use super::{Direction, TcpTrack, Tuple};
use crate::net::{IfaceName, Packet};

/// What connection tracking says of a packet (kernel `enum ip_conntrack_info`, without the direction).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum CtState {
    New,
    Established,
    Related,
    Invalid,
    Untracked,
}

impl CtState {
    /// As `--ctstate` writes it.
    pub fn name(self) -> &'static str {
        match self {
            CtState::New => "NEW",
            CtState::Established => "ESTABLISHED",
            CtState::Related => "RELATED",
            CtState::Invalid => "INVALID",
            CtState::Untracked => "UNTRACKED",
        }
    }

    /// With the direction where it is the reply's: `ESTABLISHED:reply`.
    pub fn label(self, direction: Direction) -> &'static str {
        match (self, direction) {
            (CtState::New, Direction::Reply) => "NEW:reply",
            (CtState::Established, Direction::Reply) => "ESTABLISHED:reply",
            (CtState::Related, Direction::Reply) => "RELATED:reply",
            _ => self.name(),
        }
    }
}

/// A connection by the order in which it was first seen on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ConnectionId(pub u32);

/// The zone of a connection, and whether only one direction is in it (kernel `struct nf_conntrack_zone`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ZoneId {
    pub id: u16,
    /// The one direction that is in the zone; `None`: both.
    pub only: Option<Direction>,
}

impl ZoneId {
    /// The zone in which a direction is looked up.
    pub fn of(self, direction: Direction) -> u16 {
        match self.only {
            Some(only) if only != direction => 0,
            _ => self.id,
        }
    }
}

/// Facts of a connection, as bits (kernel `enum ip_conntrack_status`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatusBits(pub u16);

impl StatusBits {
    pub const EXPECTED: u16 = 1;
    pub const SEEN_REPLY: u16 = 1 << 1;
    pub const ASSURED: u16 = 1 << 2;
    pub const CONFIRMED: u16 = 1 << 3;
    /// The source (or destination) is translated, so the reply's destination (or source) is.
    pub const SRC_NAT: u16 = 1 << 4;
    pub const DST_NAT: u16 = 1 << 5;
    /// The nat tables were asked once; they are not asked again.
    pub const SRC_NAT_DONE: u16 = 1 << 7;
    pub const DST_NAT_DONE: u16 = 1 << 8;
    /// It is out of the table; packets that are under way still have it.
    pub const DYING: u16 = 1 << 9;

    pub fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    pub fn set(&mut self, bits: u16) {
        self.0 |= bits;
    }

    pub fn clear(&mut self, bits: u16) {
        self.0 &= !bits;
    }
}

/// An entry of the connection tracking table (kernel `struct nf_conn`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connection {
    pub orig: Tuple,
    /// How answers name themselves when they arrive: the mirror of `orig`, after NAT.
    pub reply: Tuple,
    pub zone: ZoneId,
    pub status: StatusBits,
    pub mark: u32,
    /// Of TCP only.
    pub tcp: Option<TcpTrack>,
    /// The moment at which it is forgotten, on the host's clock in milliseconds.
    pub expires: u64,
    /// The interface that a MASQUERADE chose its address from.
    pub masquerade: Option<IfaceName>,
    /// In each direction.
    pub packets: [u64; 2],
    pub bytes: [u64; 2],
    /// When its first packet came.
    pub began: Option<u64>,
}

impl Connection {
    /// Whether packets still find it.
    pub fn lives(&self, now: u64) -> bool {
        self.expires > now && !self.status.has(StatusBits::DYING)
    }

    pub fn tuple(&self, direction: Direction) -> &Tuple {
        match direction {
            Direction::Original => &self.orig,
            Direction::Reply => &self.reply,
        }
    }

    pub(super) fn count(&mut self, direction: Direction, packet: &Packet) {
        let at = direction as usize;
        self.packets[at] = self.packets[at].saturating_add(1);
        self.bytes[at] = self.bytes[at].saturating_add(u64::from(packet.length()));
    }

    /// From when on two-way UDP counts as a stream (kernel `nf_conntrack_udp_packet`).
    pub(super) fn stream_from(&self) -> u64 {
        self.began.map_or(u64::MAX, |began| began + 2000)
    }
}
