use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::tcp::{TcpState, TcpVerdict, flags_are_valid};
use super::tuple::is_icmp_query;
use super::{Connection, ConnectionId, CtState, Direction, StatusBits, TcpTrack, Tuple, ZoneId};
use crate::net::{Icmp, Packet, Protocol, Transport};

/// A host's connection tracking table. Connections that were not confirmed yet are in it, but not found by others.
#[derive(Clone, Debug, Default)]
pub struct Conntrack {
    connections: BTreeMap<ConnectionId, Connection>,
    found_by: BTreeMap<(Tuple, u16), (ConnectionId, Direction)>,
    /// Those whose source mapping was decided, by their original source; the newest last.
    pub(super) by_source: BTreeMap<(Protocol, IpAddr, u16), Vec<ConnectionId>>,
    next: u32,
}

/// The host's settings that conntrack asks for (`net.netfilter.nf_conntrack_*`).
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub tcp_loose: bool,
}

/// What conntrack said of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lookup {
    pub state: CtState,
    pub direction: Direction,
    /// None for INVALID.
    pub connection: Option<ConnectionId>,
    pub reason: LookupReason,
}

/// Why conntrack said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum LookupReason {
    /// No entry has its tuple: it opens one.
    Fresh,
    /// An entry has its tuple.
    Known,
    /// It is an ICMP error about a packet of an entry.
    About,
    /// It is an ICMP error about nothing known, or sent to another address than the packet came from.
    AboutNothing,
    /// Flags that do not go together.
    BadFlags,
    /// TCP: it can't open a connection, and belongs to none.
    CannotOpen,
    /// TCP: it does not fit the state of its connection.
    DoesNotFit,
    /// ICMP: an answer to no question.
    Unasked,
    /// It was looked up before: it comes by `lo`, or was made in answer to a packet of the connection.
    Carried,
    /// A rule said NOTRACK.
    Untracked,
    /// ICMPv6 that looks for neighbours, routers or groups.
    Discovery,
}

/// What became of an entry when its first packet left the hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    Now,
    Before,
    /// Another entry took one of its tuples meanwhile: the packet is dropped.
    Clash,
}

const SECOND: u64 = 1000;

impl Conntrack {
    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    /// The entries that `conntrack -L` lists, by age.
    pub fn listed(&self, now: u64) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        self.connections
            .iter()
            .map(|(id, c)| (*id, c))
            .filter(move |(_, c)| c.status.has(StatusBits::CONFIRMED) && c.lives(now))
    }

    /// The entry that has a tuple in one of its directions, and which (kernel `nf_conntrack_find_get`).
    pub fn find(&self, tuple: &Tuple, zone: ZoneId, now: u64) -> Option<(ConnectionId, Direction)> {
        let ids = [zone.of(Direction::Original), zone.of(Direction::Reply)];
        ids.iter().find_map(|zone_id| {
            let (id, direction) = *self.found_by.get(&(*tuple, *zone_id))?;
            let c = self.connections.get(&id)?;
            (c.lives(now) && c.zone.of(direction) == zone.of(direction)).then_some((id, direction))
        })
    }

    /// Finds or makes the packet's connection (kernel `nf_conntrack_in`).
    pub fn track(&mut self, packet: &Packet, zone: ZoneId, settings: Settings, now: u64) -> Lookup {
        if let Transport::Icmp(icmp) = &packet.transport
            && let Some(lookup) = self.track_error(packet, icmp, zone, now)
        {
            return lookup;
        }
        if is_untracked_icmp6(packet) {
            return Lookup {
                state: CtState::Untracked,
                direction: Direction::Original,
                connection: None,
                reason: LookupReason::Discovery,
            };
        }
        let tuple = Tuple::of(packet);
        // A second look may follow when the packet closes an old entry's history.
        for _ in 0..2 {
            let (id, direction, reason) = match self.find(&tuple, zone, now) {
                Some((id, direction)) => (id, direction, LookupReason::Known),
                None => match self.open(packet, tuple, zone, settings) {
                    Ok(id) => (id, Direction::Original, LookupReason::Fresh),
                    Err(reason) => return invalid(reason),
                },
            };
            match self.take(id, direction, packet, settings, now) {
                Taken::Yes => {}
                Taken::No(reason) => return invalid(reason),
                Taken::Reopen => {
                    self.forget(id);
                    continue;
                }
            }
            let state = self.state_of(id, direction);
            if let Some(c) = self.connections.get_mut(&id)
                && direction == Direction::Reply
            {
                c.status.set(StatusBits::SEEN_REPLY);
            }
            return Lookup {
                state,
                direction,
                connection: Some(id),
                reason,
            };
        }
        invalid(LookupReason::DoesNotFit)
    }

    fn state_of(&self, id: ConnectionId, direction: Direction) -> CtState {
        let status = self
            .connections
            .get(&id)
            .map_or(StatusBits(0), |c| c.status);
        if direction == Direction::Reply || status.has(StatusBits::SEEN_REPLY) {
            CtState::Established
        } else if status.has(StatusBits::EXPECTED) {
            CtState::Related
        } else {
            CtState::New
        }
    }

    /// An ICMP error belongs to what it is about (kernel `nf_conntrack_inet_error`).
    fn track_error(&self, packet: &Packet, icmp: &Icmp, zone: ZoneId, now: u64) -> Option<Lookup> {
        if !icmp.is_error(packet.dst.is_ipv6()) {
            return None;
        }
        let known = icmp
            .about
            .as_deref()
            .and_then(|about| Tuple::of(about).answer())
            .and_then(|tuple| self.find(&tuple, zone, now))
            .filter(|(id, direction)| {
                // Sent to whom the packet came from, as this host knows it.
                let c = self.connections.get(id);
                c.is_some_and(|c| c.tuple(*direction).dst == packet.dst)
            });
        Some(match known {
            Some((id, direction)) => Lookup {
                state: CtState::Related,
                direction,
                connection: Some(id),
                reason: LookupReason::About,
            },
            None => invalid(LookupReason::AboutNothing),
        })
    }

    fn open(
        &mut self,
        packet: &Packet,
        tuple: Tuple,
        zone: ZoneId,
        settings: Settings,
    ) -> Result<ConnectionId, LookupReason> {
        if tuple.is_icmp() && !is_icmp_query(tuple.protocol, tuple.icmp_kind()) {
            return Err(LookupReason::Unasked);
        }
        let reply = tuple.answer().ok_or(LookupReason::Unasked)?;
        let tcp = match packet.tcp_flags() {
            Some(flags) if !flags_are_valid(flags) => return Err(LookupReason::BadFlags),
            Some(flags) => {
                Some(TcpTrack::new(flags, settings.tcp_loose).ok_or(LookupReason::CannotOpen)?)
            }
            None => None,
        };
        let id = ConnectionId(self.next);
        self.next = self.next.wrapping_add(1);
        self.connections.insert(
            id,
            Connection {
                orig: tuple,
                reply,
                zone,
                status: StatusBits(0),
                mark: 0,
                tcp,
                expires: u64::MAX,
                masquerade: None,
                packets: [0; 2],
                bytes: [0; 2],
                began: None,
            },
        );
        Ok(id)
    }

    /// Lets the protocol's tracker see the packet.
    fn take(
        &mut self,
        id: ConnectionId,
        direction: Direction,
        packet: &Packet,
        settings: Settings,
        now: u64,
    ) -> Taken {
        let Some(c) = self.connections.get_mut(&id) else {
            return Taken::No(LookupReason::DoesNotFit);
        };
        let seconds = match packet.tcp_flags() {
            Some(flags) if !flags_are_valid(flags) => return Taken::No(LookupReason::BadFlags),
            Some(flags) => {
                // An entry that was never confirmed starts from what this packet is (`tcp_new`).
                if !c.status.has(StatusBits::CONFIRMED) {
                    c.tcp = TcpTrack::new(flags, settings.tcp_loose);
                }
                let Some(tcp) = &mut c.tcp else {
                    return Taken::No(LookupReason::CannotOpen);
                };
                let (seen, assured) = (
                    c.status.has(StatusBits::SEEN_REPLY),
                    c.status.has(StatusBits::ASSURED),
                );
                match tcp.take(flags, direction, seen, assured) {
                    TcpVerdict::Invalid => return Taken::No(LookupReason::DoesNotFit),
                    TcpVerdict::Reopen => return Taken::Reopen,
                    TcpVerdict::Ignored => None,
                    TcpVerdict::Moved { seconds, assured } => {
                        if assured {
                            c.status.set(StatusBits::ASSURED);
                        }
                        Some(seconds)
                    }
                    TcpVerdict::Last => {
                        c.status.set(StatusBits::DYING);
                        None
                    }
                }
            }
            None => Some(match packet.protocol() {
                Protocol::UDP if c.status.has(StatusBits::SEEN_REPLY) => {
                    // Two-way traffic for longer than two seconds makes it a stream.
                    if now >= c.stream_from() {
                        c.status.set(StatusBits::ASSURED);
                        120
                    } else {
                        30
                    }
                }
                Protocol::UDP | Protocol::ICMP | Protocol::ICMPV6 => 30,
                _ => 600,
            }),
        };
        c.count(direction, packet);
        if let Some(seconds) = seconds {
            c.expires = now + seconds * SECOND;
        }
        if c.began.is_none() {
            c.began = Some(now);
        }
        Taken::Yes
    }

    /// Makes the entry visible, once its first packet has passed all hooks (kernel `__nf_conntrack_confirm`).
    pub fn confirm(&mut self, id: ConnectionId, direction: Direction, now: u64) -> Confirmed {
        let Some(c) = self.connections.get(&id) else {
            return Confirmed::Before;
        };
        // Only who opened it confirms it: a RST made on the way leaves no entry.
        if c.status.has(StatusBits::CONFIRMED) || direction == Direction::Reply {
            return Confirmed::Before;
        }
        let keys =
            [Direction::Original, Direction::Reply].map(|d| ((*c.tuple(d), c.zone.of(d)), (id, d)));
        let alive = |id: &ConnectionId| self.connections.get(id).is_some_and(|c| c.lives(now));
        let clash = keys.iter().any(|(key, _)| {
            self.found_by
                .get(key)
                .is_some_and(|(other, _)| alive(other))
        });
        if clash {
            return Confirmed::Clash;
        }
        self.found_by.extend(keys);
        if let Some(c) = self.connections.get_mut(&id) {
            c.status.set(StatusBits::CONFIRMED);
        }
        Confirmed::Now
    }

    /// Whether an answer with this tuple would be taken for another connection's (kernel `nf_conntrack_tuple_taken`).
    pub(super) fn is_taken(
        &self,
        tuple: &Tuple,
        zone: ZoneId,
        by_other_than: ConnectionId,
        now: u64,
    ) -> bool {
        let key = (*tuple, zone.of(Direction::Reply));
        let Some((id, direction)) = self.found_by.get(&key) else {
            return false;
        };
        *id != by_other_than
            && self
                .connections
                .get(id)
                .is_some_and(|c| c.lives(now) && c.zone.of(*direction) == zone.of(*direction))
    }

    /// A rule has refused a segment of it by a RST (kernel `nf_conntrack_tcp_set_closing`).
    pub fn close(&mut self, id: ConnectionId, now: u64) {
        let entry = self.get_mut(id);
        let confirmed = entry.filter(|c| c.status.has(StatusBits::CONFIRMED));
        if let Some(c) = confirmed
            && let Some(tcp) = &mut c.tcp
            && tcp.state != TcpState::Close
        {
            tcp.state = TcpState::Close;
            c.expires = now + TcpState::Close.timeout() * SECOND;
        }
    }

    /// Gives an entry up (kernel `nf_ct_kill`).
    pub fn end(&mut self, id: ConnectionId) {
        if let Some(c) = self.connections.get_mut(&id) {
            c.status.set(StatusBits::DYING);
        }
    }

    fn forget(&mut self, id: ConnectionId) {
        let Some(c) = self.connections.remove(&id) else {
            return;
        };
        for direction in [Direction::Original, Direction::Reply] {
            let key = (*c.tuple(direction), c.zone.of(direction));
            if self
                .found_by
                .get(&key)
                .is_some_and(|(other, _)| *other == id)
            {
                self.found_by.remove(&key);
            }
        }
        let source = (c.orig.protocol, c.orig.src, c.orig.sport);
        if let Some(ids) = self.by_source.get_mut(&source) {
            ids.retain(|other| *other != id);
        }
    }
}

enum Taken {
    Yes,
    No(LookupReason),
    Reopen,
}

/// Who looks for neighbours, routers or groups has no connection (kernel `nf_conntrack_icmpv6_error`, `noct_valid_new`).
fn is_untracked_icmp6(packet: &Packet) -> bool {
    match &packet.transport {
        Transport::Icmp(icmp) if packet.protocol() == Protocol::ICMPV6 => {
            matches!(icmp.kind, 130..=136 | 143)
        }
        _ => false,
    }
}

fn invalid(reason: LookupReason) -> Lookup {
    Lookup {
        state: CtState::Invalid,
        direction: Direction::Original,
        connection: None,
        reason,
    }
}
