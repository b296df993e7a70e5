//! The match on the way back: would an answer leave by the interface that the packet came in by?

use std::net::IpAddr;

use super::Rpfilter;
use super::probe::{Asked, Probe};
use crate::netfilter::{AddressType, Context, FibQuery, Way, syntax};
use crate::say;
use crate::text::Say;

impl Rpfilter {
    /// Loose, valid mark, accept local, inverted: as they are printed.
    pub(in crate::netfilter) fn flags(&self) -> [bool; 4] {
        [
            self.loose,
            self.valid_mark,
            self.accept_local,
            self.inverted,
        ]
    }

    /// Kernel `net/ipv4/netfilter/ipt_rpfilter.c` and `net/ipv6/netfilter/ip6t_rpfilter.c`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let device = ctx.in_iface.unwrap_or("lo");
        let way = match device == "lo" || from_nobody(ctx) {
            true => None,
            false => Some(self.way_back(ctx, device)),
        };
        let passes = way.as_ref().is_none_or(|way| {
            way.as_ref().is_some_and(|way| match way.kind {
                AddressType::Local if ctx.ipv6() => self.accept_local,
                AddressType::Local => self.accept_local && (self.loose || way.by_device),
                AddressType::Unicast => self.loose || way.by_device,
                _ => false,
            })
        });
        probe.ask(passes != self.inverted, || {
            let mut text = "-m rpfilter".to_string();
            syntax::rpfilter::write(self, "--", &mut text);
            Asked::said(
                text,
                say!("field/way-back"),
                has(way),
                device,
                self.inverted,
            )
        })
    }

    fn way_back(&self, ctx: &Context, device: &str) -> Option<Way> {
        ctx.env.way(&FibQuery {
            src: as_source(ctx.packet.dst),
            dst: ctx.packet.src,
            mark: if self.valid_mark { ctx.mark } else { 0 },
            iif: "lo",
            tos: ctx.packet.tos,
            protocol: ctx.ipv6().then(|| ctx.packet.protocol()),
            device: Some(device),
        })
    }
}

fn from_nobody(ctx: &Context) -> bool {
    match ctx.ipv6() {
        true => ctx.packet.src.is_unspecified(),
        false => to_its_link(ctx),
    }
}

/// Of IPv4: a sender without an address speaks to those on its link.
pub(in crate::netfilter) fn to_its_link(ctx: &Context) -> bool {
    match (ctx.packet.src, ctx.packet.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            src.octets()[0] == 0 && (dst.is_broadcast() || dst.octets()[..3] == [224, 0, 0])
        }
        _ => false,
    }
}

/// What an answer to the address would have as its source: nothing where nobody can have it (`rpfilter_get_saddr`).
pub(in crate::netfilter) fn as_source(addr: IpAddr) -> Option<IpAddr> {
    let nobodys = match addr {
        IpAddr::V4(a) => a.is_multicast() || a.is_broadcast() || a.octets()[0] == 0,
        IpAddr::V6(a) => a.is_multicast() || a.is_unspecified(),
    };
    (!nobodys).then_some(addr)
}

/// The outer `None`: nobody had to be asked.
fn has(way: Option<Option<Way>>) -> Say {
    match way {
        None => say!("value/way-not-asked"),
        Some(None) => say!("value/no-way"),
        Some(Some(way)) => match way.kind {
            AddressType::Unicast => say!("value/way-by", iface = way.dev),
            kind => say!("value/way-kind", kind = kind),
        },
    }
}
