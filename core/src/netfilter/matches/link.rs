//! Matches on how the packet came: bridge ports, frames.

use super::header::{interface, option};
use super::probe::{Asked, Probe};
use super::{Not, PacketType, Physdev};
use crate::net::Mac;
use crate::netfilter::Context;
use crate::say;
use crate::text::Say;

impl Physdev {
    /// Kernel `net/netfilter/xt_physdev.c`: without a bridge every criterion fails unless it is inverted.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let bridged = ctx.physin.is_some() || ctx.physout.is_some();
        let mut flag = |want: Option<Not<()>>, name: &str, field: fn() -> Say, has: bool| {
            want.is_none_or(|want| {
                probe.ask(has != want.inverted, || {
                    let text = format!("{}{name}", if want.inverted { "! " } else { "" });
                    let has = if has {
                        say!("value/yes")
                    } else {
                        say!("value/no")
                    };
                    Asked::said(text, field(), has, name, want.inverted)
                })
            })
        };
        flag(
            self.is_bridged,
            "--physdev-is-bridged",
            || say!("field/bridged"),
            ctx.physout.is_some(),
        ) && flag(
            self.is_in,
            "--physdev-is-in",
            || say!("field/physin-known"),
            ctx.physin.is_some(),
        ) && flag(
            self.is_out,
            "--physdev-is-out",
            || say!("field/physout-known"),
            ctx.physout.is_some(),
        ) && (bridged && ctx.physin.is_none()
            || interface(
                &self.in_iface,
                "--physdev-in",
                || say!("field/physin"),
                ctx.physin,
                probe,
            ))
            && match (&self.out_iface, ctx.physout) {
                // A bridged packet whose way out is not known yet, inverted or not.
                (Some(want), None) if bridged => probe.ask(false, || {
                    let text = option(want.inverted, "--physdev-out", &want.value);
                    Asked::said(
                        text,
                        say!("field/physout"),
                        say!("value/none"),
                        &want.value,
                        want.inverted,
                    )
                }),
                (want, out) => {
                    interface(want, "--physdev-out", || say!("field/physout"), out, probe)
                }
            }
    }
}

/// Kernel `net/netfilter/xt_pkttype.c`.
pub(super) fn pkttype(want: Not<PacketType>, ctx: &Context, probe: &mut impl Probe) -> bool {
    probe.ask((ctx.packet_type == want.value) != want.inverted, || {
        let text = option(want.inverted, "--pkt-type", want.value);
        Asked::new(
            text,
            say!("field/pkt-type"),
            ctx.packet_type,
            want.value,
            want.inverted,
        )
    })
}

impl std::fmt::Display for PacketType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PacketType::Unicast => "unicast",
            PacketType::Broadcast => "broadcast",
            PacketType::Multicast => "multicast",
            PacketType::Otherhost => "otherhost",
        })
    }
}

/// Kernel `net/netfilter/xt_mac.c`: without a frame it never matches, inverted or not.
pub(super) fn mac(want: Not<Mac>, ctx: &Context, probe: &mut impl Probe) -> bool {
    let text = || option(want.inverted, "--mac-source", want.value);
    match ctx.src_mac {
        Some(has) => probe.ask((has == want.value) != want.inverted, || {
            Asked::new(
                text(),
                say!("field/src-mac"),
                has,
                want.value,
                want.inverted,
            )
        }),
        None => probe.ask(false, || {
            Asked::said(
                text(),
                say!("field/src-mac"),
                say!("value/none"),
                want.value,
                want.inverted,
            )
        }),
    }
}
