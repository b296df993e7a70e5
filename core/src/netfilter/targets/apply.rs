use std::net::IpAddr;

use super::{ConnmarkOp, Ct, NatRange, SetTarget, Target, Tproxy, TtlOp, ZoneScope};
use crate::conntrack::{CtState, Direction, ZoneId};
use crate::net::{IpFamily, Masked};
use crate::netfilter::ipset::{Question, Wanted};
use crate::netfilter::matches::Range;
use crate::netfilter::state::State;
use crate::netfilter::walk::{CannotTell, Effect, NatKind, NatRequest, Verdict};
use crate::netfilter::{Context, Hook, SetAnswer};

impl Target {
    /// Does to the packet what the target does, all but jumps.
    pub(in crate::netfilter) fn apply(&self, ctx: &mut Context, state: &mut State) -> Effect {
        match self {
            Target::Accept => return Effect::End(Verdict::Accept),
            Target::Drop => return Effect::End(Verdict::Drop),
            Target::Reject(with) => return Effect::End(Verdict::Reject(*with)),
            Target::Dnat(range) => return nat(NatKind::Dnat, (**range).clone()),
            Target::Snat(range) => return nat(NatKind::Snat, (**range).clone()),
            Target::Masquerade {
                ports,
                random,
                random_fully,
            } => {
                let range = NatRange {
                    ports: *ports,
                    random: *random,
                    random_fully: *random_fully,
                    ..NatRange::default()
                };
                return nat(NatKind::Masquerade, range);
            }
            Target::Redirect { ports, random } => {
                let range = NatRange {
                    ports: *ports,
                    random: *random,
                    ..NatRange::default()
                };
                return redirect(range, ctx);
            }
            Target::Netmap(to) => return netmap(to, ctx),
            Target::Tproxy(t) => return tproxy(t, ctx),
            Target::Unsupported(what) => {
                return Effect::End(Verdict::CannotTell(CannotTell {
                    text: what.text.clone(),
                    span: what.span,
                }));
            }
            Target::Mark(bits) => ctx.mark = bits.set(ctx.mark),
            Target::Connmark(op) => connmark(*op, ctx),
            Target::Ct(ct) => track(ct, ctx),
            Target::Notrack => notrack(ctx),
            Target::Set(set) => return change_sets(set, ctx, state),
            Target::Tos { value, mask } => ctx.packet.tos = (ctx.packet.tos & !mask) ^ value,
            Target::Dscp(dscp) => ctx.packet.tos = (ctx.packet.tos & 3) | dscp << 2,
            Target::Ttl(op) | Target::Hl(op) => {
                let ttl = ctx.packet.ttl;
                ctx.packet.ttl = match *op {
                    TtlOp::Set(n) => n,
                    TtlOp::Increase(n) => ttl.saturating_add(n),
                    TtlOp::Decrease(n) => ttl.saturating_sub(n),
                };
            }
            // Jumps are the walk's. The rest watches, or changes what the model's packets do not carry.
            Target::None
            | Target::Return
            | Target::Jump(_)
            | Target::Goto(_)
            | Target::Log(_)
            | Target::Nflog(_)
            | Target::Tcpmss(_)
            | Target::Checksum
            | Target::Classify(_)
            | Target::Trace => {}
        }
        Effect::Continue
    }
}

fn nat(kind: NatKind, range: NatRange) -> Effect {
    Effect::End(Verdict::Nat(NatRequest { kind, range }))
}

/// Kernel `net/netfilter/nf_nat_redirect.c`: loopback for what is sent here, else the first address of the interface it came
/// by; without one the packet is dropped.
pub(in crate::netfilter) fn redirect(range: NatRange, ctx: &Context) -> Effect {
    let addr = if ctx.hook == Hook::Output {
        Some(IpFamily::of(ctx.packet.dst).loopback())
    } else {
        ctx.in_iface
            .and_then(|iface| ctx.env.first_address(iface, ctx.ipv6()))
    };
    let Some(addr) = addr else {
        return Effect::End(Verdict::Drop);
    };
    nat(
        NatKind::Redirect,
        NatRange {
            addrs: Some(Range::one(addr)),
            ..range
        },
    )
}

/// Kernel `net/netfilter/xt_NETMAP.c`: the network part is exchanged, the rest stays.
fn netmap(to: &Masked, ctx: &Context) -> Effect {
    let old = match ctx.hook {
        Hook::Prerouting | Hook::Output => ctx.packet.dst,
        _ => ctx.packet.src,
    };
    let new = match (old, to.addr, to.mask) {
        (IpAddr::V4(old), IpAddr::V4(net), IpAddr::V4(mask)) => {
            IpAddr::V4((old.to_bits() & !mask.to_bits() | net.to_bits()).into())
        }
        (IpAddr::V6(old), IpAddr::V6(net), IpAddr::V6(mask)) => {
            IpAddr::V6((old.to_bits() & !mask.to_bits() | net.to_bits()).into())
        }
        _ => old,
    };
    nat(
        NatKind::Netmap,
        NatRange {
            addrs: Some(Range {
                low: new,
                high: new,
            }),
            ..NatRange::default()
        },
    )
}

/// Kernel `net/netfilter/xt_TPROXY.c`: without a transparent socket the packet is dropped.
fn tproxy(t: &Tproxy, ctx: &mut Context) -> Effect {
    let local = || {
        ctx.in_iface
            .and_then(|iface| ctx.env.first_address(iface, ctx.ipv6()))
    };
    let addr = Some(t.addr)
        .filter(|a| !a.is_unspecified())
        .or_else(local)
        .unwrap_or(ctx.packet.dst);
    let port = if t.port == 0 {
        ctx.packet.dport().unwrap_or(0)
    } else {
        t.port
    };
    if !ctx.env.tproxy_socket(&ctx.packet, addr, port, ctx.in_iface) {
        return Effect::End(Verdict::Drop);
    }
    ctx.mark = t.mark.set(ctx.mark);
    Effect::End(Verdict::Tproxy { addr, port })
}

/// Kernel `net/netfilter/xt_connmark.c`; without a connection nothing happens.
fn connmark(op: ConnmarkOp, ctx: &mut Context) {
    let Some(ct) = &mut ctx.tracked.connection else {
        return;
    };
    match op {
        ConnmarkOp::Set(bits) => ct.mark = bits.set(ct.mark),
        ConnmarkOp::Save { nfmask, ctmask } => ct.mark = (ct.mark & !ctmask) ^ (ctx.mark & nfmask),
        ConnmarkOp::Restore { nfmask, ctmask } => {
            ctx.mark = (ctx.mark & !nfmask) ^ (ct.mark & ctmask)
        }
    }
}

/// Kernel `net/netfilter/xt_set.c`, `set_target_v3`.
fn change_sets(target: &SetTarget, ctx: &mut Context, state: &mut State) -> Effect {
    let sets = state.sets_to_change(ctx);
    if let Some(add) = &target.add {
        let asked = Question::of(&add.directions, ctx);
        sets.add(&add.name, &asked, target.timeout, target.exist);
    }
    if let Some(remove) = &target.remove {
        sets.remove(&remove.name, &Question::of(&remove.directions, ctx));
    }
    if let Some(map) = &target.map {
        let asked = Question::of(&map.directions, ctx);
        let found = state.ask_set(ctx, &map.name, &asked, &Wanted::default());
        match found.answer {
            SetAnswer::CannotTell => {
                let text = format!("--map-set {}", map.name).into();
                return Effect::End(Verdict::CannotTell(CannotTell {
                    text,
                    span: target.span,
                }));
            }
            SetAnswer::In if target.map_mark => {
                let (value, mask) = found.mark.unwrap_or_default();
                ctx.mark = (ctx.mark & !mask) ^ value;
            }
            SetAnswer::In | SetAnswer::NotIn => {}
        }
    }
    Effect::Continue
}

/// Kernel `net/netfilter/xt_CT.c`: a packet that conntrack has already seen is left alone, and so is one that an earlier `CT`
/// has spoken for.
fn track(ct: &Ct, ctx: &mut Context) {
    if ct.notrack {
        return notrack(ctx);
    }
    if is_spoken_for(ctx) {
        return;
    }
    let zone = ct.zone.map(|zone| ZoneId {
        id: zone.id.unwrap_or(ctx.mark as u16),
        only: match zone.scope {
            ZoneScope::Both => None,
            ZoneScope::Original => Some(Direction::Original),
            ZoneScope::Reply => Some(Direction::Reply),
        },
    });
    ctx.tracked.zone = Some(zone.unwrap_or_default());
}

fn notrack(ctx: &mut Context) {
    if !is_spoken_for(ctx) {
        ctx.tracked.state = Some(CtState::Untracked);
    }
}

fn is_spoken_for(ctx: &Context) -> bool {
    ctx.tracked.state.is_some() || ctx.tracked.zone.is_some()
}
