use std::net::IpAddr;

use super::probe::{Asked, Probe};
use crate::net::Masked;
use crate::netfilter::{Context, Header, Interface, Not};
use crate::say;
use crate::text::Say;

impl Header {
    /// As `ip_packet_match` does it (kernel `net/ipv4/netfilter/ip_tables.c`), in its order.
    pub(in crate::netfilter) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let packet = &ctx.packet;
        address(&self.src, "-s", || say!("field/src"), packet.src, probe)
            && address(&self.dst, "-d", || say!("field/dst"), packet.dst, probe)
            && interface(&self.in_iface, "-i", || say!("field/in-iface"), ctx.in_iface, probe)
            && interface(&self.out_iface, "-o", || say!("field/out-iface"), ctx.out_iface, probe)
            && self.protocol.is_none_or(|want| {
                let has = packet.protocol();
                probe.ask((has == want.value) != want.inverted, || {
                    let text = option(want.inverted, "-p", want.value);
                    Asked::new(text, say!("field/protocol"), has, want.value, want.inverted)
                })
            })
            // Packets of the model are never fragments.
            && self.fragment.is_none_or(|want| {
                probe.ask(want.inverted, || {
                    let text = if want.inverted { "! -f" } else { "-f" }.to_string();
                    Asked::said(text, say!("field/fragment"), say!("value/no"), "fragment", want.inverted)
                })
            })
    }
}

/// An option as iptables-save prints it.
pub(super) fn option(inverted: bool, name: &str, value: impl std::fmt::Display) -> String {
    format!("{}{name} {value}", if inverted { "! " } else { "" })
}

pub(super) fn address(
    want: &Option<Not<Masked>>,
    name: &str,
    field: impl FnOnce() -> Say,
    has: IpAddr,
    probe: &mut impl Probe,
) -> bool {
    want.is_none_or(|want| {
        probe.ask(want.value.contains(has) != want.inverted, || {
            Asked::new(
                option(want.inverted, name, want.value),
                field(),
                has,
                want.value,
                want.inverted,
            )
        })
    })
}

/// A packet without the interface has an empty name there, which only `+` matches.
pub(super) fn interface(
    want: &Option<Not<Interface>>,
    name: &str,
    field: impl FnOnce() -> Say,
    has: Option<&str>,
    probe: &mut impl Probe,
) -> bool {
    want.as_ref().is_none_or(|want| {
        let held = want.value.matches(has.unwrap_or(""));
        probe.ask(held != want.inverted, || {
            let text = option(want.inverted, name, &want.value);
            match has {
                Some(has) => Asked::new(text, field(), has, &want.value, want.inverted),
                None => Asked::said(
                    text,
                    field(),
                    say!("value/none"),
                    &want.value,
                    want.inverted,
                ),
            }
        })
    })
}

impl Interface {
    pub fn matches(&self, name: &str) -> bool {
        if self.prefix {
            name.starts_with(&*self.name)
        } else {
            name == &*self.name
        }
    }
}

impl std::fmt::Display for Interface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.name, if self.prefix { "+" } else { "" })
    }
}
