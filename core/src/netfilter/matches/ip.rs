//! Matches on the rest of the IP header and on ICMP's.

use std::net::IpAddr;

use super::header::option;
use super::probe::{Asked, Probe};
use super::{IcmpType, Iprange, Not, Range, TtlTest};
use crate::net::{Protocol, Transport};
use crate::netfilter::{Context, syntax};
use crate::say;
use crate::text::Say;

impl IcmpType {
    fn matches(&self, kind: u8, code: u8) -> bool {
        self.kind == 255 || (self.kind == kind && self.codes.contains(code))
    }
}

impl std::fmt::Display for IcmpType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind, self.codes) {
            (255, _) => f.write_str("any"),
            (kind, Range { low: 0, high: 255 }) => write!(f, "{kind}"),
            (kind, codes) => write!(f, "{kind}/{}", codes.low),
        }
    }
}

/// Kernel `net/ipv4/netfilter/ip_tables.c`, `icmp_match`, and `ip6_tables.c`, `icmp6_match`.
pub(super) fn icmp(
    want: Not<IcmpType>,
    protocol: Protocol,
    ctx: &Context,
    probe: &mut impl Probe,
) -> bool {
    let name = match protocol {
        Protocol::ICMPV6 => "--icmpv6-type",
        _ => "--icmp-type",
    };
    let text = || option(want.inverted, name, want.value);
    let is_it = ctx.packet.protocol() == protocol;
    let (true, Transport::Icmp(icmp)) = (is_it, &ctx.packet.transport) else {
        return probe.ask(false, || {
            Asked::new(
                text(),
                say!("field/protocol"),
                ctx.packet.protocol(),
                protocol,
                false,
            )
        });
    };
    probe.ask(
        want.value.matches(icmp.kind, icmp.code) != want.inverted,
        || {
            let has = format!("{}/{}", icmp.kind, icmp.code);
            Asked::new(
                text(),
                say!("field/icmp-type"),
                has,
                want.value,
                want.inverted,
            )
        },
    )
}

impl Iprange {
    /// Kernel `net/netfilter/xt_iprange.c`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let mut side = |want: Option<Not<Range<IpAddr>>>, name: &str, field: fn() -> Say, has| {
            want.is_none_or(|want| {
                probe.ask(want.value.contains(has) != want.inverted, || {
                    let range = format!("{}-{}", want.value.low, want.value.high);
                    Asked::new(
                        option(want.inverted, name, &range),
                        field(),
                        has,
                        &range,
                        want.inverted,
                    )
                })
            })
        };
        side(
            self.src,
            "--src-range",
            || say!("field/src"),
            ctx.packet.src,
        ) && side(
            self.dst,
            "--dst-range",
            || say!("field/dst"),
            ctx.packet.dst,
        )
    }
}

/// Kernel `net/netfilter/xt_length.c`: the whole IP packet.
pub(super) fn length(want: Not<Range<u16>>, ctx: &Context, probe: &mut impl Probe) -> bool {
    let has = ctx.length();
    let within = (u32::from(want.value.low)..=u32::from(want.value.high)).contains(&has);
    probe.ask(within != want.inverted, || {
        let text = option(want.inverted, "--length", want.value);
        Asked::new(text, say!("field/length"), has, want.value, want.inverted)
    })
}

impl TtlTest {
    /// Kernel `net/netfilter/xt_hl.c`.
    pub(super) fn test(&self, name: &str, ctx: &Context, probe: &mut impl Probe) -> bool {
        let has = ctx.packet.ttl;
        let (held, inverted, how, want) = match *self {
            TtlTest::Equal(n) => (has == n, false, "eq", n),
            TtlTest::NotEqual(n) => (has != n, true, "eq", n),
            TtlTest::Less(n) => (has < n, false, "lt", n),
            TtlTest::Greater(n) => (has > n, false, "gt", n),
        };
        probe.ask(held, || {
            let text = option(inverted, &format!("--{name}-{how}"), want);
            let wanted = match self {
                TtlTest::Less(_) => format!("< {want}"),
                TtlTest::Greater(_) => format!("> {want}"),
                _ => want.to_string(),
            };
            let field = match name {
                "hl" => say!("field/hop-limit"),
                _ => say!("field/ttl"),
            };
            Asked::new(text, field, has, wanted, inverted)
        })
    }
}

/// Kernel `net/netfilter/xt_dscp.c`, `tos_mt`.
pub(super) fn tos(
    value: u8,
    mask: u8,
    inverted: bool,
    ctx: &Context,
    probe: &mut impl Probe,
) -> bool {
    let has = ctx.packet.tos;
    probe.ask((has & mask == value) != inverted, || {
        let want = format!("{value:#04x}/{mask:#04x}");
        let field = match ctx.packet.dst {
            IpAddr::V4(_) => say!("field/tos"),
            IpAddr::V6(_) => say!("field/traffic-class"),
        };
        Asked::new(
            option(inverted, "--tos", &want),
            field,
            format!("{has:#04x}"),
            &want,
            inverted,
        )
    })
}

/// Kernel `net/netfilter/xt_dscp.c`, `dscp_mt`.
pub(super) fn dscp(want: Not<u8>, ctx: &Context, probe: &mut impl Probe) -> bool {
    let has = ctx.packet.tos >> 2;
    probe.ask((has == want.value) != want.inverted, || {
        let value = format!("{:#04x}", want.value);
        let text = option(want.inverted, "--dscp", &value);
        Asked::new(
            text,
            say!("field/dscp"),
            format!("{has:#04x}"),
            value,
            want.inverted,
        )
    })
}

/// Kernel `net/netfilter/xt_policy.c`. IPsec is not modelled, and nobody is said to have it.
pub(super) fn policy(out: bool, ipsec: bool, probe: &mut impl Probe) -> bool {
    probe.ask(!ipsec, || {
        let mut text = String::new();
        syntax::policy::write(out, ipsec, "--", &mut text);
        let wanted = if ipsec { "ipsec" } else { "none" };
        let text = text.trim_start().to_string();
        Asked::said(text, say!("field/ipsec"), say!("value/none"), wanted, false)
    })
}
