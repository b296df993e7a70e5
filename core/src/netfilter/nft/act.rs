//! What statements ask and do (kernel `net/netfilter/nft_cmp.c`, `nft_lookup.c`, `nft_limit.c`, `nft_nat.c`, `nft_dynset.c`,
//! `nft_reject*.c`, `nft_tproxy.c`).

use std::collections::btree_map::Entry;
use std::net::IpAddr;

use super::eval::{Got, Miss, has_ports};
use super::state::{Dynamic, State, Tokens};
use super::walk::Run;
use super::{Data, Value};
use super::{
    Field, Icmpx, Limit, Meta, Nat, NatKind, ObjectKind, Op, Quota, Reject, Relation, Right,
    Shared, Statement, Target, TimeUnit, Tproxy, Update, UpdateOp, Verdict,
};
use crate::conntrack::{CtState, ZoneId};
use crate::net::{Protocol, TcpFlags, Transport};
use crate::netfilter::Context;
use crate::netfilter::matches::{PacketType, Range};
use crate::netfilter::targets::{self, NatRange, RejectWith};
use crate::netfilter::walk::{self, CannotTell, Effect, NatRequest};
use crate::text::Span;

/// What a statement says about the way on.
pub(super) enum Flow {
    Next,
    /// The rule does not match.
    Break,
    Go(Verdict),
    End(walk::Verdict),
}

impl Run<'_, '_> {
    pub(super) fn statement(
        &mut self,
        statement: &Statement,
        span: Span,
        ctx: &mut Context,
    ) -> Flow {
        match self.run(statement, ctx) {
            Ok(flow) => flow,
            Err(Miss::Break) => Flow::Break,
            Err(Miss::CannotTell) => {
                let text = super::print::statement(statement, self.table).into();
                Flow::End(walk::Verdict::CannotTell(CannotTell { text, span }))
            }
        }
    }

    fn run(&mut self, statement: &Statement, ctx: &mut Context) -> Got<Flow> {
        Ok(match statement {
            Statement::Match(relation) => {
                if self.holds(relation, ctx)? {
                    Flow::Next
                } else {
                    Flow::Break
                }
            }
            Statement::Vmap(key, map) => {
                let key = self.key(key, ctx)?;
                match self.look_up(map, &key, ctx) {
                    Some(Data::Verdict(verdict)) => go(verdict),
                    _ => Flow::Break,
                }
            }
            Statement::Verdict(verdict) => go(verdict.clone()),
            Statement::Counter(_) => {
                let place = self.place();
                if let Some(state) = self.state() {
                    state.counters.entry(place).or_default().count(ctx.length());
                }
                Flow::Next
            }
            Statement::Shared(shared, name) => self.shared(*shared, name, ctx)?,
            Statement::Limit(limit) => {
                let place = self.place();
                passes(self.limit(limit, ctx, |state| state.limits.entry(place))?)
            }
            Statement::Quota(quota) => {
                let place = self.place();
                passes(self.quota(quota, ctx, |state| state.quotas.entry(place))?)
            }
            Statement::Log(_) => Flow::Next,
            // Segments without the option end the rule; what a SYN's is set to changes nothing that the model has.
            Statement::Set(Target::TcpOption(option), _) => match ctx.packet.tcp_flags() {
                Some(flags) if flags.has(TcpFlags::SYN) && option.is_of_syn() => Flow::Next,
                Some(_) if !option.is_of_syn() => return Err(Miss::CannotTell),
                _ => Flow::Break,
            },
            Statement::Set(target, value) => {
                let value = self.value(value, ctx)?;
                set(*target, value, ctx)?;
                Flow::Next
            }
            Statement::Nat(nat) => self.nat(nat, ctx)?,
            Statement::Reject(reject) => match reject.with(ctx) {
                Some(with) => Flow::End(walk::Verdict::Reject(with)),
                None => Flow::Break,
            },
            Statement::Notrack => {
                // Kernel `nft_notrack_eval`: what has no connection, be it not looked up yet or INVALID.
                if ctx.tracked.connection.is_none() && ctx.tracked.zone.is_none() {
                    ctx.tracked.state = Some(CtState::Untracked);
                }
                Flow::Next
            }
            Statement::Update(update) => self.update(update, ctx)?,
            Statement::Tproxy(t) => self.tproxy(t, ctx)?,
            Statement::Unsupported(what) => {
                let (text, span) = (what.text.clone(), what.span);
                Flow::End(walk::Verdict::CannotTell(CannotTell { text, span }))
            }
        })
    }

    pub(super) fn holds(&mut self, relation: &Relation, ctx: &Context) -> Got<bool> {
        let key = self.key(&relation.left, ctx)?;
        let one = key.parts().first().copied().unwrap_or(0);
        Ok(match (&relation.right, relation.op) {
            (Right::Set(set), op) => self.look_up(set, &key, ctx).is_some() == (op != Op::Ne),
            (Right::Range(range), op) => range.contains(one) == (op != Op::Ne),
            (Right::Prefix { value, length }, op) => {
                let full = relation.left.datatype().full();
                let free = full.checked_shr(u32::from(*length)).unwrap_or(0);
                ((one ^ value) & full & !free == 0) == (op != Op::Ne)
            }
            (Right::Value(want), op) => {
                let first = want.first().copied().unwrap_or(0);
                match op {
                    Op::Eq => key.parts() == want.as_slice(),
                    Op::Ne => key.parts() != want.as_slice(),
                    Op::Lt => one < first,
                    Op::Gt => one > first,
                    Op::Le => one <= first,
                    Op::Ge => one >= first,
                    Op::Any => one & first != 0,
                    Op::NoneOf => one & first == 0,
                }
            }
        })
    }

    /// An object that rules share (kernel `net/netfilter/nft_objref.c`).
    fn shared(&mut self, shared: Shared, name: &str, ctx: &Context) -> Got<Flow> {
        let Some(object) = self.table.object(shared, name) else {
            return Ok(Flow::Break);
        };
        let key = (self.here.table, object.name.clone());
        Ok(match &object.kind {
            ObjectKind::Counter(_) => {
                if let Some(state) = self.state() {
                    let counter = state.named_counters.entry(key).or_default();
                    counter.count(ctx.length());
                }
                Flow::Next
            }
            ObjectKind::Limit(limit) => {
                passes(self.limit(limit, ctx, |state| state.named_limits.entry(key))?)
            }
            ObjectKind::Quota(quota) => {
                passes(self.quota(quota, ctx, |state| state.named_quotas.entry(key))?)
            }
            // These change what comes after, and let the packet go on.
            ObjectKind::Other(Shared::Helper | Shared::Timeout, _) => Flow::Next,
            ObjectKind::Other(..) => return Err(Miss::CannotTell),
        })
    }

    fn limit<K: Ord>(
        &mut self,
        limit: &Limit,
        ctx: &Context,
        place: impl FnOnce(&mut State) -> Entry<'_, K, Tokens>,
    ) -> Got<bool> {
        let held = self.draw(|state| {
            let tokens = place(state).or_insert_with(|| Tokens::full(limit, ctx.now));
            u32::from(tokens.take(limit, ctx))
        })?;
        Ok(held != 0)
    }

    /// Kernel `nft_quota_do_eval`.
    fn quota<K: Ord>(
        &mut self,
        quota: &Quota,
        ctx: &Context,
        place: impl FnOnce(&mut State) -> Entry<'_, K, u64>,
    ) -> Got<bool> {
        let held = self.draw(|state| {
            let came = place(state).or_insert(0);
            *came = came.saturating_add(u64::from(ctx.length()));
            let spent = quota.used.saturating_add(*came) > quota.bytes;
            u32::from(spent == quota.over)
        })?;
        Ok(held != 0)
    }

    fn nat(&mut self, nat: &Nat, ctx: &mut Context) -> Got<Flow> {
        if nat.family.is_some_and(|family| !family.has(ctx.ipv6())) {
            return Ok(Flow::Next);
        }
        let mut range = NatRange {
            random: nat.random,
            random_fully: nat.fully_random,
            persistent: nat.persistent,
            ..NatRange::default()
        };
        if let Some(addr) = &nat.addr {
            let found = self.ranges(addr, ctx)?;
            range.addrs = found.first().map(|r| Range {
                low: addr_of(r.low, ctx),
                high: addr_of(r.high, ctx),
            });
            range.ports = found.get(1).map(|r| ports(*r));
        }
        if let Some(port) = &nat.port {
            range.ports = self.ranges(port, ctx)?.first().map(|r| ports(*r));
        }
        if nat.prefix {
            exchange_network(nat.kind, &mut range, ctx);
        }
        let kind = match nat.kind {
            NatKind::Dnat => walk::NatKind::Dnat,
            NatKind::Snat => walk::NatKind::Snat,
            NatKind::Masquerade => walk::NatKind::Masquerade,
            NatKind::Redirect => {
                return Ok(match targets::redirect(range, ctx) {
                    Effect::End(verdict) => Flow::End(verdict),
                    Effect::Continue => Flow::Next,
                });
            }
        };
        Ok(Flow::End(walk::Verdict::Nat(NatRequest { kind, range })))
    }

    fn update(&mut self, update: &Update, ctx: &mut Context) -> Got<Flow> {
        let Some(set) = self.table.set(update.set) else {
            return Ok(Flow::Break);
        };
        let key: Box<[Value]> = self.key(&update.key, ctx)?.parts().into();
        let data = match &update.data {
            Some(data) => self.key(data, ctx)?.parts().to_vec(),
            None => Vec::new(),
        };
        let size = set.size.map(|n| n as usize);
        let lasts = update.timeout.or(set.timeout);
        let (at, op, now) = ((self.here.table, update.set), update.op, ctx.now);
        let fits = self.draw(|state| {
            let elements = state.elements.entry(at).or_default();
            if op == UpdateOp::Delete {
                elements.insert(
                    key.clone(),
                    Dynamic {
                        deleted: true,
                        ..Dynamic::default()
                    },
                );
                return 1;
            }
            let expires = lasts.map(|ms| now.saturating_add(ms));
            if let Some(known) = elements.get_mut(&key).filter(|e| e.lives(now)) {
                if op == UpdateOp::Update {
                    known.expires = expires;
                }
                return 1;
            }
            elements.retain(|_, e| e.deleted || e.lives(now));
            let used = elements.values().filter(|e| !e.deleted).count() + set.elements.len();
            if size.is_some_and(|size| used >= size) && set.find(&key).is_none() {
                return 0;
            }
            elements.insert(
                key.clone(),
                Dynamic {
                    expires,
                    data,
                    ..Dynamic::default()
                },
            );
            1
        })?;
        if fits == 0 {
            return Ok(Flow::Break);
        }
        for statement in &update.statements {
            let Statement::Limit(limit) = statement else {
                continue;
            };
            let held = self.draw(|state| {
                let element = state
                    .elements
                    .entry(at)
                    .or_default()
                    .entry(key.clone())
                    .or_default();
                let tokens = element
                    .limit
                    .get_or_insert_with(|| Tokens::full(limit, now));
                u32::from(tokens.take(limit, ctx))
            })?;
            if held == 0 {
                return Ok(Flow::Break);
            }
        }
        Ok(Flow::Next)
    }

    fn tproxy(&mut self, t: &Tproxy, ctx: &mut Context) -> Got<Flow> {
        let of_family = t.family.is_none_or(|family| family.has(ctx.ipv6()));
        if !of_family || !matches!(ctx.packet.protocol(), Protocol::TCP | Protocol::UDP) {
            return Ok(Flow::Break);
        }
        let addr = match &t.addr {
            Some(addr) => {
                Some(addr_of(self.value(addr, ctx)?, ctx)).filter(|a| !a.is_unspecified())
            }
            None => None,
        };
        let port = match &t.port {
            Some(port) => self.value(port, ctx)? as u16,
            None => 0,
        };
        let local = || {
            ctx.in_iface
                .and_then(|iface| ctx.env.first_address(iface, ctx.ipv6()))
        };
        let addr = addr.or_else(local).unwrap_or(ctx.packet.dst);
        let port = if port == 0 {
            ctx.packet.dport().unwrap_or(0)
        } else {
            port
        };
        if !ctx.env.tproxy_socket(&ctx.packet, addr, port, ctx.in_iface) {
            return Ok(Flow::Break);
        }
        Ok(Flow::End(walk::Verdict::Tproxy { addr, port }))
    }
}

fn passes(held: bool) -> Flow {
    if held { Flow::Next } else { Flow::Break }
}

/// `continue` is no verdict: the rule has matched and the next is asked.
fn go(verdict: Verdict) -> Flow {
    if verdict == Verdict::Continue {
        Flow::Next
    } else {
        Flow::Go(verdict)
    }
}

fn addr_of(value: Value, ctx: &Context) -> IpAddr {
    if ctx.ipv6() {
        IpAddr::V6(value.into())
    } else {
        IpAddr::V4((value as u32).into())
    }
}

fn ports(range: Range<Value>) -> Range<u16> {
    Range {
        low: range.low as u16,
        high: range.high as u16,
    }
}

/// `prefix to`: the upper bits that both ends of the range share are exchanged, the rest stays
/// (`nft_nat_setup_netmap`).
fn exchange_network(kind: NatKind, range: &mut NatRange, ctx: &Context) {
    let old = if kind == NatKind::Snat {
        ctx.packet.src
    } else {
        ctx.packet.dst
    };
    let Some(Range { low, high }) = range.addrs else {
        return;
    };
    let new = match (old, low, high) {
        (IpAddr::V4(old), IpAddr::V4(low), IpAddr::V4(high)) => {
            let free = low.to_bits() ^ high.to_bits();
            IpAddr::V4((old.to_bits() & free | low.to_bits() & !free).into())
        }
        (IpAddr::V6(old), IpAddr::V6(low), IpAddr::V6(high)) => {
            let free = low.to_bits() ^ high.to_bits();
            IpAddr::V6((old.to_bits() & free | low.to_bits() & !free).into())
        }
        _ => return,
    };
    range.addrs = Some(Range::one(new));
}

fn set(target: Target, value: Value, ctx: &mut Context) -> Got<()> {
    match target {
        Target::Meta(Meta::Mark) => ctx.mark = value as u32,
        Target::Meta(Meta::Nftrace) => {}
        // Kernel `nft_meta_set_eval`: what is none that a received packet can have changes nothing.
        Target::Meta(Meta::Pkttype) => {
            ctx.packet_type = match value {
                0 => PacketType::Unicast,
                1 => PacketType::Broadcast,
                2 => PacketType::Multicast,
                3 => PacketType::Otherhost,
                _ => ctx.packet_type,
            };
        }
        Target::Meta(_) => return Err(Miss::CannotTell),
        // Without a connection nothing happens, and the rule goes on.
        Target::CtMark => {
            if let Some(ct) = &mut ctx.tracked.connection {
                ct.mark = value as u32;
            }
        }
        Target::CtZone(only) => {
            if ctx.tracked.state.is_none() {
                ctx.tracked.zone = Some(ZoneId {
                    id: value as u16,
                    only,
                });
            }
        }
        Target::Field(field) => set_field(field, value, ctx)?,
        Target::TcpOption(_) => return Err(Miss::CannotTell),
    }
    Ok(())
}

fn set_field(field: Field, value: Value, ctx: &mut Context) -> Got<()> {
    let wrong_transport = field
        .transport()
        .is_some_and(|t| t != ctx.packet.protocol());
    if wrong_transport || field.ipv6().is_some_and(|ipv6| ipv6 != ctx.ipv6()) {
        return Err(Miss::Break);
    }
    let addr = addr_of(value, ctx);
    let packet = &mut ctx.packet;
    match field {
        Field::IpTtl | Field::Ip6Hoplimit => packet.ttl = value as u8,
        Field::IpDscp | Field::Ip6Dscp => packet.tos = packet.tos & 3 | (value as u8) << 2,
        Field::IpEcn | Field::Ip6Ecn => packet.tos = packet.tos & !3 | value as u8 & 3,
        Field::IpSaddr | Field::Ip6Saddr => packet.src = addr,
        Field::IpDaddr | Field::Ip6Daddr => packet.dst = addr,
        Field::TcpSport | Field::UdpSport | Field::SctpSport | Field::ThSport
            if has_ports(packet.protocol()) =>
        {
            set_ports(&mut packet.transport, Some(value as u16), None);
        }
        Field::TcpDport | Field::UdpDport | Field::SctpDport | Field::ThDport
            if has_ports(packet.protocol()) =>
        {
            set_ports(&mut packet.transport, None, Some(value as u16));
        }
        _ => return Err(Miss::CannotTell),
    }
    Ok(())
}

fn set_ports(transport: &mut Transport, new_sport: Option<u16>, new_dport: Option<u16>) {
    if let Transport::Tcp { sport, dport, .. }
    | Transport::Udp { sport, dport }
    | Transport::Sctp { sport, dport } = transport
    {
        *sport = new_sport.unwrap_or(*sport);
        *dport = new_dport.unwrap_or(*dport);
    }
}

impl Reject {
    /// What the sender is told; `None` where the packet is not of the kind that can be told so.
    pub(super) fn with(self, ctx: &Context) -> Option<RejectWith> {
        let ipv6 = ctx.ipv6();
        match self {
            Reject::Default if ipv6 => Some(RejectWith::PortUnreachable6),
            Reject::Default => Some(RejectWith::PortUnreachable),
            Reject::TcpReset => {
                (ctx.packet.protocol() == Protocol::TCP).then_some(RejectWith::TcpReset)
            }
            Reject::Icmp(with) => (!ipv6).then_some(with),
            Reject::Icmpv6(with) => ipv6.then_some(with),
            Reject::Icmpx(x) => Some(match (x, ipv6) {
                (Icmpx::NoRoute, false) => RejectWith::NetUnreachable,
                (Icmpx::NoRoute, true) => RejectWith::NoRoute6,
                (Icmpx::PortUnreachable, false) => RejectWith::PortUnreachable,
                (Icmpx::PortUnreachable, true) => RejectWith::PortUnreachable6,
                (Icmpx::HostUnreachable, false) => RejectWith::HostUnreachable,
                (Icmpx::HostUnreachable, true) => RejectWith::AddrUnreachable6,
                (Icmpx::AdminProhibited, false) => RejectWith::AdminProhibited,
                (Icmpx::AdminProhibited, true) => RejectWith::AdmProhibited6,
            }),
        }
    }
}

impl TimeUnit {
    pub(super) fn seconds(self) -> u64 {
        match self {
            TimeUnit::Second => 1,
            TimeUnit::Minute => 60,
            TimeUnit::Hour => 60 * 60,
            TimeUnit::Day => 24 * 60 * 60,
            TimeUnit::Week => 7 * 24 * 60 * 60,
        }
    }
}

impl Limit {
    fn nanos(&self) -> u128 {
        u128::from(self.unit.seconds()) * 1_000_000_000
    }

    /// What a bucket holds: of packets the burst, of bytes also what a unit of time brings.
    fn most(&self) -> u128 {
        let (rate, burst) = (u128::from(self.rate.max(1)), u128::from(self.burst));
        if self.bytes {
            self.nanos() * (rate + burst) / rate
        } else {
            self.nanos() / rate * burst
        }
    }
}

impl Tokens {
    fn full(limit: &Limit, now: u64) -> Self {
        Self {
            tokens: limit.most(),
            last: now,
        }
    }

    /// Kernel `nft_limit_eval`.
    fn take(&mut self, limit: &Limit, ctx: &Context) -> bool {
        let gained = u128::from(ctx.now.saturating_sub(self.last)) * 1_000_000;
        let tokens = (self.tokens + gained).min(limit.most());
        let rate = u128::from(limit.rate.max(1));
        let cost = if limit.bytes {
            limit.nanos() * u128::from(ctx.length()) / rate
        } else {
            limit.nanos() / rate
        };
        self.last = ctx.now;
        let within = tokens >= cost;
        self.tokens = if within { tokens - cost } else { tokens };
        within != limit.over
    }
}
