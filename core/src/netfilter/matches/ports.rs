use super::header::option;
use super::probe::{Asked, Probe};
use super::{FlagTest, Multiport, Not, PortSide, Range, Tcp, Unsupported};
use crate::net::{Protocol, TcpFlags, Transport};
use crate::netfilter::Context;
use crate::say;
use crate::text::{Say, Span};

impl Tcp {
    /// Kernel `net/netfilter/xt_tcpudp.c`, `tcp_mt`. The model's packets carry no TCP options, so that it can't be told which a
    /// real one would have.
    pub(super) fn test(&self, ctx: &Context, span: Span, probe: &mut impl Probe) -> bool {
        let Transport::Tcp {
            sport,
            dport,
            flags,
        } = ctx.packet.transport
        else {
            return not_of(Protocol::TCP, ctx, probe);
        };
        port(self.sport, "--sport", || say!("field/sport"), sport, probe)
            && port(self.dport, "--dport", || say!("field/dport"), dport, probe)
            && self.flags.is_none_or(|want| {
                probe.ask(want.value.matches(flags) != want.inverted, || {
                    let text = option(want.inverted, "--tcp-flags", want.value);
                    Asked::new(
                        text,
                        say!("field/tcp-flags"),
                        flags,
                        want.value,
                        want.inverted,
                    )
                })
            })
            && self.option.is_none_or(|want| {
                let text = option(want.inverted, "--tcp-option", want.value).into();
                probe.cannot_tell(&Unsupported {
                    name: "--tcp-option".into(),
                    text,
                    span,
                })
            })
    }
}

impl FlagTest {
    pub fn matches(&self, flags: TcpFlags) -> bool {
        flags.0 & self.mask.0 == self.set.0
    }
}

impl std::fmt::Display for FlagTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&flag_names(self.mask))?;
        f.write_str(" ")?;
        f.write_str(&flag_names(self.set))
    }
}

/// In the order of iptables, which is that of the bits.
fn flag_names(flags: TcpFlags) -> String {
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];
    let set: Vec<_> = names
        .iter()
        .enumerate()
        .filter(|(bit, _)| flags.0 >> bit & 1 == 1)
        .map(|(_, name)| *name)
        .collect();
    if set.is_empty() {
        "NONE".to_string()
    } else {
        set.join(",")
    }
}

/// `-m udp` and `-m sctp`.
pub(super) fn plain_ports(
    protocol: Protocol,
    sport: Option<Not<Range<u16>>>,
    dport: Option<Not<Range<u16>>>,
    ctx: &Context,
    probe: &mut impl Probe,
) -> bool {
    let packet = &ctx.packet;
    match (packet.sport(), packet.dport()) {
        (Some(s), Some(d)) if packet.protocol() == protocol => {
            port(sport, "--sport", || say!("field/sport"), s, probe)
                && port(dport, "--dport", || say!("field/dport"), d, probe)
        }
        _ => not_of(protocol, ctx, probe),
    }
}

fn not_of(protocol: Protocol, ctx: &Context, probe: &mut impl Probe) -> bool {
    probe.ask(false, || {
        let text = format!("-m {protocol}");
        Asked::new(
            text,
            say!("field/protocol"),
            ctx.packet.protocol(),
            protocol,
            false,
        )
    })
}

pub(super) fn port(
    want: Option<Not<Range<u16>>>,
    name: &str,
    field: impl FnOnce() -> Say,
    has: u16,
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

impl Multiport {
    /// Kernel `net/netfilter/xt_multiport.c`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let packet = &ctx.packet;
        let (name, has) = match self.side {
            PortSide::Source => ("--sports", [packet.sport(), None]),
            PortSide::Destination => ("--dports", [packet.dport(), None]),
            PortSide::Either => ("--ports", [packet.sport(), packet.dport()]),
        };
        let Some(first) = has[0] else {
            return probe.ask(false, || {
                let text = option(self.inverted, name, self.list());
                Asked::said(
                    text,
                    self.field(),
                    say!("value/none"),
                    self.list(),
                    self.inverted,
                )
            });
        };
        let held = has
            .iter()
            .flatten()
            .any(|port| self.ports.iter().any(|r| r.contains(*port)));
        probe.ask(held != self.inverted, || {
            let text = option(self.inverted, name, self.list());
            let has = has[1].map_or(first.to_string(), |second| format!("{first}, {second}"));
            Asked::new(text, self.field(), has, self.list(), self.inverted)
        })
    }

    fn field(&self) -> Say {
        match self.side {
            PortSide::Source => say!("field/sport"),
            PortSide::Destination => say!("field/dport"),
            PortSide::Either => say!("field/ports"),
        }
    }

    fn list(&self) -> String {
        let all: Vec<_> = self.ports.iter().map(ToString::to_string).collect();
        all.join(",")
    }
}
