//! The values of expressions for a packet (kernel `net/netfilter/nft_payload.c`, `nft_meta.c`, `nft_ct.c`, `nft_fib*.c`,
//! `nft_numgen.c`, `nft_hash.c`, `nft_bitwise.c`).

use std::net::IpAddr;

use super::bytes;
use super::icmp::{icmp_as_port, pseudo_header};
use super::jhash::jhash;
use super::lookup::Key;
use super::read::{bits_of, name_value, shifted};
use super::walk::{Change, Run};
use super::{CtKey, Expr, Fib, FibResult, Field, Meta, OptionField, RouteKey, SocketKey, State};
use super::{Data, SetRef, Value};
use crate::conntrack::{CtState, Direction, StatusBits};
use crate::net::{Protocol, TcpFlags, Transport};
use crate::netfilter::matches::rpfilter;
use crate::netfilter::matches::{PacketType, Range};
use crate::netfilter::{AddressType, Context, FibQuery, Hook};
use crate::say;
use crate::text::Say;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The packet has no such thing: the rule does not match.
    Break,
    /// It has one that the model does not.
    CannotTell,
}

pub(super) type Got<T> = Result<T, Miss>;

/// A coin with more sides is drawn, not followed on each.
const MOST_SIDES: u32 = 4096;

impl Run<'_, '_> {
    /// The parts of a key.
    pub(super) fn key(&mut self, expr: &Expr, ctx: &Context) -> Got<Key> {
        let mut key = Key::default();
        match expr {
            Expr::Concat(parts) => {
                for part in parts {
                    key.push(self.value(part, ctx)?);
                }
            }
            Expr::Map(..) => self.ranges(expr, ctx)?.iter().for_each(|r| key.push(r.low)),
            one => key.push(self.value(one, ctx)?),
        }
        Ok(key)
    }

    /// What a map gives may be ranges; all else is ranges of one.
    pub(super) fn ranges(&mut self, expr: &Expr, ctx: &Context) -> Got<Vec<Range<Value>>> {
        match expr {
            Expr::Map(of, map) => {
                let key = self.key(of, ctx)?;
                match self.look_up(map, &key, ctx) {
                    Some(Data::Values(values)) => Ok(values),
                    _ => Err(Miss::Break),
                }
            }
            Expr::Range(range, _) => Ok(vec![*range]),
            _ => Ok(self
                .key(expr, ctx)?
                .parts()
                .iter()
                .copied()
                .map(Range::one)
                .collect()),
        }
    }

    pub(super) fn value(&mut self, expr: &Expr, ctx: &Context) -> Got<Value> {
        match expr {
            Expr::Value(value, _) => Ok(*value),
            Expr::Range(range, _) => Ok(range.low),
            Expr::Field(field) => payload(*field, ctx),
            Expr::Meta(meta) => self.meta(*meta, ctx),
            Expr::Ct(key, direction) => ct(*key, *direction, ctx),
            Expr::Fib(fib) => fib_value(fib, ctx),
            Expr::Socket(key) => {
                let socket = ctx.socket().ok_or(Miss::Break)?;
                Ok(match key {
                    SocketKey::Transparent => Value::from(socket.transparent),
                    SocketKey::Wildcard => Value::from(socket.wildcard),
                    SocketKey::Mark => Value::from(socket.mark),
                })
            }
            // IPsec is not modelled, and nobody is said to have it.
            Expr::Route(RouteKey::Ipsec) => Ok(0),
            Expr::Route(_) => Err(Miss::CannotTell),
            Expr::Raw(raw) => bytes::raw(*raw, ctx),
            Expr::TcpOption(option) => match ctx.packet.tcp_flags() {
                None => Err(Miss::Break),
                Some(flags) if flags.has(TcpFlags::SYN) || !option.is_of_syn() => {
                    Err(Miss::CannotTell)
                }
                Some(_) if option.field == OptionField::Presence => Ok(0),
                Some(_) => Err(Miss::Break),
            },
            // The model's packets are whole: no offset, and none to follow. Only the bit that forbids fragments may be set.
            Expr::Bitwise { left, mask, xor }
                if **left == Expr::Field(Field::IpFragOff) && mask & 0x4000 == 0 =>
            {
                Ok(*xor)
            }
            Expr::Bitwise { left, mask, xor } => Ok((self.value(left, ctx)? & mask) ^ xor),
            Expr::Shift { left, right, bits } => {
                Ok(shifted(self.value(left, ctx)?, *right, *bits) & left.datatype().full())
            }
            Expr::Numgen {
                random,
                modulus,
                offset,
            } => {
                let (random, modulus) = (*random, (*modulus).max(1));
                let place = self.place();
                let drawn = self.draw(|state| {
                    if let Some(coins) = state.coins.as_mut().filter(|_| modulus <= MOST_SIDES) {
                        let fell = coins.toss(vec![1; modulus as usize], side);
                        return fell.unwrap_or_default();
                    }
                    let number = match random {
                        true => state.random.below(modulus),
                        false => {
                            let turn = state.turns.entry(place).or_insert(0);
                            let now = *turn;
                            *turn = if now + 1 < modulus { now + 1 } else { 0 };
                            now
                        }
                    };
                    drawn(state, number, modulus.into())
                })?;
                Ok(Value::from(drawn.wrapping_add(*offset)))
            }
            Expr::Jhash {
                of,
                modulus,
                seed,
                offset,
            } => {
                let bytes = self.bytes(of, ctx)?;
                let seed = match seed {
                    Some(seed) => *seed,
                    None => self.draw(|state| state.hash_seed)?,
                };
                Ok(Value::from(
                    scale(jhash(&bytes, seed), *modulus).wrapping_add(*offset),
                ))
            }
            Expr::Symhash { modulus, offset } => {
                let seed = self.draw(|state| state.hash_seed)?;
                Ok(Value::from(
                    scale(flow_hash(ctx, seed), *modulus).wrapping_add(*offset),
                ))
            }
            Expr::Concat(parts) => self.value(parts.first().ok_or(Miss::Break)?, ctx),
            Expr::Map(..) => Ok(self.ranges(expr, ctx)?.first().ok_or(Miss::Break)?.low),
        }
    }

    fn meta(&mut self, meta: Meta, ctx: &Context) -> Got<Value> {
        Ok(match meta {
            Meta::Mark => Value::from(ctx.mark),
            Meta::Length => Value::from(ctx.length()),
            Meta::L4proto => Value::from(ctx.packet.protocol().0),
            Meta::Nfproto => {
                if ctx.ipv6() {
                    10
                } else {
                    2
                }
            }
            Meta::Protocol => {
                if ctx.ipv6() {
                    0x86dd
                } else {
                    0x0800
                }
            }
            // Without the interface, an empty name.
            Meta::Iifname | Meta::Iif => name_value(ctx.in_iface.unwrap_or("")),
            Meta::Oifname | Meta::Oif => name_value(ctx.out_iface.unwrap_or("")),
            Meta::Pkttype => match ctx.packet_type {
                PacketType::Unicast => 0,
                PacketType::Broadcast => 1,
                PacketType::Multicast => 2,
                PacketType::Otherhost => 3,
            },
            Meta::Skuid => Value::from(ctx.owner.ok_or(Miss::Break)?.uid),
            Meta::Skgid => Value::from(ctx.owner.ok_or(Miss::Break)?.gid),
            Meta::Random => Value::from(self.draw(|state| {
                let number = state.random.next_u32();
                drawn(state, number, 1 << 32)
            })?),
            Meta::Nftrace => return Err(Miss::CannotTell),
        })
    }

    /// What a hash is made over: the kernel's registers, parts of a concatenation filled up to four bytes.
    fn bytes(&mut self, expr: &Expr, ctx: &Context) -> Got<Vec<u8>> {
        let mut out = Vec::new();
        let parts = match expr {
            Expr::Concat(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        for part in parts {
            let value = self.value(part, ctx)?;
            out.extend(part.datatype().bytes(value));
            while parts.len() > 1 && out.len() % 4 != 0 {
                out.push(0);
            }
        }
        Ok(out)
    }

    /// What a map has for a key, or that a set has it. What rules have added counts too.
    pub(super) fn look_up(&mut self, set: &SetRef, key: &Key, ctx: &Context) -> Option<Data> {
        let found = set.of(self.table)?;
        if let SetRef::Named(id) = set
            && found.changes()
        {
            match self.changed_element(*id, key.parts(), ctx.now) {
                Change::Deleted => return None,
                Change::Added(values) => {
                    return Some(Data::Values(values.into_iter().map(Range::one).collect()));
                }
                Change::None => {}
            }
        }
        let element = found
            .find(key.parts())
            .filter(|e| e.lives(found, ctx.now))?;
        Some(element.data.clone().unwrap_or(Data::Values(Vec::new())))
    }
}

/// What the sides of a coin with numbers are called.
fn side(number: u32) -> Say {
    say!("insight/side-number", number = number)
}

/// A number among so many that only this one is followed.
fn drawn(state: &mut State, number: u32, among: u64) -> u32 {
    if let Some(coins) = &mut state.coins {
        coins.drawn(among, side(number));
    }
    number
}

/// As the kernel scales a hash to a number below `bound` (`reciprocal_scale`).
fn scale(hash: u32, bound: u32) -> u32 {
    ((u64::from(hash) * u64::from(bound)) >> 32) as u32
}

/// The same for both directions of a connection; the kernel's own depends on a key drawn at boot.
fn flow_hash(ctx: &Context, seed: u32) -> u32 {
    let mut ends = [
        (bits_of(ctx.packet.src), ctx.packet.sport().unwrap_or(0)),
        (bits_of(ctx.packet.dst), ctx.packet.dport().unwrap_or(0)),
    ];
    ends.sort_unstable();
    let mut bytes = vec![ctx.packet.protocol().0];
    for (addr, port) in ends {
        bytes.extend(addr.to_be_bytes());
        bytes.extend(port.to_be_bytes());
    }
    jhash(&bytes, seed)
}

fn payload(field: Field, ctx: &Context) -> Got<Value> {
    let packet = &ctx.packet;
    if field
        .transport()
        .is_some_and(|transport| transport != packet.protocol())
    {
        return Err(Miss::Break);
    }
    let of_family = match field.ipv6() {
        Some(ipv6) => ipv6 == ctx.ipv6(),
        None => true,
    };
    if !of_family {
        return Err(Miss::Break);
    }
    let port = |port: Option<u16>| port.map(Value::from).ok_or(Miss::CannotTell);
    let icmp = match &packet.transport {
        Transport::Icmp(icmp) => Some(icmp),
        _ => None,
    };
    if let (Some(icmp), Field::ThSport | Field::ThDport | Field::IcmpChecksum) = (icmp, field) {
        return icmp_as_port(icmp, field != Field::ThSport, pseudo_header(packet)).map(Value::from);
    }
    Ok(match field {
        Field::EtherSaddr => {
            let [a, b, c, d, e, f] = ctx.src_mac.ok_or(Miss::Break)?.0;
            Value::from(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
        }
        Field::EtherDaddr | Field::IpFragOff => return Err(Miss::CannotTell),
        Field::EtherType => {
            if ctx.ipv6() {
                0x86dd
            } else {
                0x0800
            }
        }
        Field::IpSaddr | Field::Ip6Saddr => bits_of(packet.src),
        Field::IpDaddr | Field::Ip6Daddr => bits_of(packet.dst),
        Field::IpProtocol | Field::Ip6Nexthdr => Value::from(packet.protocol().0),
        Field::IpTtl | Field::Ip6Hoplimit => Value::from(packet.ttl),
        Field::IpDscp | Field::Ip6Dscp => Value::from(packet.tos >> 2),
        Field::IpEcn | Field::Ip6Ecn => Value::from(packet.tos & 3),
        Field::IpLength => Value::from(ctx.length()),
        Field::Ip6Length => Value::from(ctx.length().saturating_sub(40)),
        Field::IpVersion => 4,
        Field::Ip6Version => 6,
        Field::IpHdrlength => 5,
        Field::TcpFlags => packet
            .tcp_flags()
            .map(|f| Value::from(f.0))
            .ok_or(Miss::Break)?,
        Field::UdpLength => Value::from(packet.payload.saturating_add(8)),
        Field::TcpSport
        | Field::UdpSport
        | Field::SctpSport
        | Field::UdpliteSport
        | Field::DccpSport
        | Field::ThSport => port(packet.sport())?,
        Field::TcpDport
        | Field::UdpDport
        | Field::SctpDport
        | Field::UdpliteDport
        | Field::DccpDport
        | Field::ThDport => port(packet.dport())?,
        Field::IcmpType | Field::Icmpv6Type => Value::from(icmp.ok_or(Miss::Break)?.kind),
        Field::IcmpCode | Field::Icmpv6Code => Value::from(icmp.ok_or(Miss::Break)?.code),
        Field::IcmpChecksum => return Err(Miss::Break),
        Field::IcmpId | Field::Icmpv6Id => Value::from(icmp.ok_or(Miss::Break)?.id),
    })
}

fn ct(key: CtKey, direction: Option<Direction>, ctx: &Context) -> Got<Value> {
    let tracked = &ctx.tracked;
    if key == CtKey::State {
        return Ok(match tracked.state {
            Some(CtState::Untracked) => 64,
            None if tracked.zone.is_some() => 8,
            _ if tracked.connection.is_none() => 1,
            Some(CtState::Established) => 2,
            Some(CtState::Related) => 4,
            Some(CtState::New) => 8,
            Some(CtState::Invalid) | None => 1,
        });
    }
    let connection = tracked.connection.as_ref().ok_or(Miss::Break)?;
    let way = direction.unwrap_or(tracked.direction);
    let tuple = connection.tuple(way);
    let addr = |addr: IpAddr, ipv6: bool| {
        if addr.is_ipv6() == ipv6 {
            Ok(bits_of(addr))
        } else {
            Err(Miss::Break)
        }
    };
    Ok(match key {
        CtKey::State | CtKey::Direction => Value::from(tracked.direction == Direction::Reply),
        CtKey::Status => Value::from(connection.status.0),
        CtKey::Mark => Value::from(connection.mark),
        CtKey::Saddr => addr(tuple.src, false)?,
        CtKey::Daddr => addr(tuple.dst, false)?,
        CtKey::Saddr6 => addr(tuple.src, true)?,
        CtKey::Daddr6 => addr(tuple.dst, true)?,
        CtKey::ProtoSrc => Value::from(tuple.sport),
        CtKey::ProtoDst => Value::from(tuple.dport),
        CtKey::L3proto => {
            if tuple.src.is_ipv6() {
                10
            } else {
                2
            }
        }
        CtKey::Protocol => Value::from(tuple.protocol.0),
        // Before an entry is in the table, its time does not run: it reads as none (`nf_ct_expires`).
        CtKey::Expiration => match connection.status.has(StatusBits::CONFIRMED) {
            true => Value::from(connection.expires.saturating_sub(ctx.now)),
            false => 0,
        },
        CtKey::Zone => Value::from(connection.zone.of(way)),
        // A rule that asks has the kernel count for every connection (`nft_ct_get_init`), this packet too.
        CtKey::Bytes => counted(connection.bytes, direction),
        CtKey::Packets => counted(connection.packets, direction),
        CtKey::Avgpkt => {
            let packets = counted(connection.packets, direction);
            let bytes = counted(connection.bytes, direction);
            bytes.checked_div(packets).unwrap_or(0)
        }
    })
}

fn counted(of: [u64; 2], direction: Option<Direction>) -> Value {
    let [original, reply] = of.map(Value::from);
    match direction {
        Some(Direction::Original) => original,
        Some(Direction::Reply) => reply,
        None => original + reply,
    }
}

fn fib_value(fib: &Fib, ctx: &Context) -> Got<Value> {
    let (addr, other) = if fib.saddr {
        (ctx.packet.src, ctx.packet.dst)
    } else {
        (ctx.packet.dst, ctx.packet.src)
    };
    let device = match (fib.with_iif, fib.with_oif) {
        (true, _) => ctx.in_iface,
        (_, true) => ctx.out_iface,
        _ => None,
    };
    if fib.result == FibResult::Type {
        return Ok(ctx.env.address_type(addr, device) as Value);
    }
    // Kernel `nft_fib_can_skip`.
    let arrives = matches!(ctx.hook, Hook::Prerouting | Hook::Input);
    let found = if arrives && ctx.in_iface == Some("lo") || from_nobody(ctx) {
        ctx.in_iface.map(str::to_string)
    } else {
        // On the way on, the source's way is asked for as if the packet came from where it goes (`nft_fib4_eval`).
        let back = fib.saddr && fib.with_iif && ctx.hook == Hook::Forward;
        let way = ctx.env.way(&FibQuery {
            src: rpfilter::as_source(other),
            dst: addr,
            mark: if fib.with_mark { ctx.mark } else { 0 },
            iif: ctx.out_iface.filter(|_| back).unwrap_or("lo"),
            tos: ctx.packet.tos,
            protocol: Some(ctx.packet.protocol()),
            device: device.or(ctx.in_iface),
        });
        // What is the host's own has no way (`nft_fib4_eval`, `nft_fib6_eval`).
        way.filter(|way| match way.kind {
            AddressType::Local => false,
            AddressType::Anycast => !ctx.ipv6(),
            _ => device.is_none_or(|d| way.dev == d || !ctx.ipv6() && way.by_device),
        })
        .map(|way| device.map_or(way.dev, str::to_string))
    };
    let presence = fib.presence || fib.result == FibResult::Check;
    Ok(match (found, presence) {
        (found, true) => Value::from(found.is_some()),
        (Some(name), false) => name_value(&name),
        (None, false) => 0,
    })
}

/// Who has no address yet speaks to its own link: by the interface that brought the packet.
fn from_nobody(ctx: &Context) -> bool {
    match ctx.ipv6() {
        false => rpfilter::to_its_link(ctx),
        true => {
            let of_link = |a: IpAddr| matches!(a, IpAddr::V6(a) if a.is_unicast_link_local() || a.segments()[0] & 0xff0f == 0xff02);
            ctx.hook == Hook::Prerouting
                && ctx.packet.protocol() == Protocol::ICMPV6
                && ctx.packet.src.is_unspecified()
                && of_link(ctx.packet.dst)
        }
    }
}

impl Field {
    /// The family that a packet must be of to have the field.
    pub(super) fn ipv6(self) -> Option<bool> {
        match self {
            Field::IpSaddr
            | Field::IpDaddr
            | Field::IpProtocol
            | Field::IpTtl
            | Field::IpDscp
            | Field::IpEcn => Some(false),
            Field::IpLength | Field::IpVersion | Field::IpHdrlength | Field::IpFragOff => {
                Some(false)
            }
            Field::Ip6Saddr
            | Field::Ip6Daddr
            | Field::Ip6Nexthdr
            | Field::Ip6Hoplimit
            | Field::Ip6Dscp => Some(true),
            Field::Ip6Ecn | Field::Ip6Length | Field::Ip6Version => Some(true),
            _ => None,
        }
    }
}

/// Whether a packet can have a port at all.
pub(super) fn has_ports(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::TCP | Protocol::UDP | Protocol::SCTP)
}
