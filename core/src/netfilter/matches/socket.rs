//! Matches on local sockets: whose it is, and whether one waits for the packet.

use super::header::option;
use super::probe::{Asked, Probe};
use super::{Not, Owner, Range};
use crate::netfilter::Context;
use crate::say;
use crate::text::Say;

impl Owner {
    /// Kernel `net/netfilter/xt_owner.c`: for a packet without a socket (forwarded, or a RST of REJECT) every criterion
    /// fails unless it is inverted. The kernel's own sockets, which answer with ICMP and RST, exist and have no owner.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let owner = ctx.owner;
        let mut id =
            |want: Option<Not<Range<u32>>>, name: &str, field: fn() -> Say, has: Option<u32>| {
                want.is_none_or(|want| {
                    let held = has.is_some_and(|has| want.value.contains(has));
                    probe.ask(held != want.inverted, || {
                        let range = dashed(want.value);
                        let text = option(want.inverted, name, &range);
                        match has {
                            Some(has) => Asked::new(text, field(), has, range, want.inverted),
                            None => Asked::said(
                                text,
                                field(),
                                say!("value/no-socket"),
                                range,
                                want.inverted,
                            ),
                        }
                    })
                })
            };
        id(
            self.uid,
            "--uid-owner",
            || say!("field/uid"),
            owner.map(|o| o.uid),
        ) && id(
            self.gid,
            "--gid-owner",
            || say!("field/gid"),
            owner.map(|o| o.gid),
        ) && self.socket_exists.is_none_or(|want| {
            let exists = owner.is_some() || ctx.kernel_socket;
            probe.ask(exists != want.inverted, || {
                let text = format!("{}--socket-exists", if want.inverted { "! " } else { "" });
                let has = if exists {
                    say!("value/yes")
                } else {
                    say!("value/no")
                };
                Asked::said(
                    text,
                    say!("field/local-socket"),
                    has,
                    "--socket-exists",
                    want.inverted,
                )
            })
        })
    }
}

fn dashed(range: Range<u32>) -> String {
    if range.low == range.high {
        range.low.to_string()
    } else {
        format!("{}-{}", range.low, range.high)
    }
}

/// Kernel `net/netfilter/xt_socket.c`. A socket bound to no address counts only with `--nowildcard`.
pub(super) fn socket(
    transparent: bool,
    nowildcard: bool,
    restore_mark: bool,
    ctx: &Context,
    probe: &mut impl Probe,
) -> bool {
    let found = ctx.socket();
    let wanted = found.filter(|s| (nowildcard || !s.wildcard) && (!transparent || s.transparent));
    if let Some(socket) = wanted
        && restore_mark
    {
        probe.set_mark(socket.mark);
    }
    probe.ask(wanted.is_some(), || {
        let flags = [
            (transparent, " --transparent"),
            (nowildcard, " --nowildcard"),
            (restore_mark, " --restore-skmark"),
        ];
        let flags: String = flags
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| *name)
            .collect();
        let has = match found {
            None => say!("value/no-socket"),
            Some(_) if wanted.is_some() => say!("value/yes"),
            Some(s) if s.wildcard && !nowildcard => say!("value/wildcard-socket"),
            Some(_) => say!("value/opaque-socket"),
        };
        Asked::said(
            format!("-m socket{flags}"),
            say!("field/local-socket"),
            has,
            "socket",
            false,
        )
    })
}
