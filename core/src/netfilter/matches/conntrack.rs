use std::fmt;
use std::net::IpAddr;

use super::header::{address, option};
use super::ports::port;
use super::probe::{Asked, Probe};
use super::{Conntrack, States, Status};
use crate::conntrack::{Connection, CtState, Direction, StatusBits};
use crate::netfilter::Context;
use crate::netfilter::context::Tracked;
use crate::say;

impl Conntrack {
    /// Kernel `net/netfilter/xt_conntrack.c`, `conntrack_mt`, in its order.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let held = self.states.is_none_or(|want| {
            let has = ctx.tracked.states();
            probe.ask((has.0 & want.value.0 != 0) != want.inverted, || {
                let name = if self.legacy { "--state" } else { "--ctstate" };
                let text = option(want.inverted, name, want.value);
                Asked::new(text, say!("field/ctstate"), has, want.value, want.inverted)
            })
        });
        let Some(ct) = &ctx.tracked.connection else {
            // Without a connection only the state is asked.
            return held
                && (self.states.is_some()
                    || probe.ask(false, || {
                        let has = say!("value/none");
                        Asked::said(
                            "-m conntrack".to_string(),
                            say!("field/connection"),
                            has,
                            "conntrack",
                            false,
                        )
                    }));
        };
        held && self.direction(ctx, probe)
            && self.tuples(ct, probe)
            && self.rest(ct, ctx.now, probe)
    }

    fn direction(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        self.reply.is_none_or(|want| {
            let reply = ctx.tracked.direction == Direction::Reply;
            let name = |reply| if reply { "REPLY" } else { "ORIGINAL" };
            probe.ask(reply == want, || {
                let text = option(false, "--ctdir", name(want));
                Asked::new(text, say!("field/ctdir"), name(reply), name(want), false)
            })
        })
    }

    fn tuples(&self, ct: &Connection, probe: &mut impl Probe) -> bool {
        let (orig, repl) = (&ct.orig, &ct.reply);
        let mut addr = |want, name: &str, has: IpAddr| {
            address(
                want,
                name,
                || say!("field/ct-addr", name = &name[2..]),
                has,
                probe,
            )
        };
        addr(&self.orig_src, "--ctorigsrc", orig.src)
            && addr(&self.orig_dst, "--ctorigdst", orig.dst)
            && addr(&self.repl_src, "--ctreplsrc", repl.src)
            && addr(&self.repl_dst, "--ctrepldst", repl.dst)
            && self.protocol.is_none_or(|want| {
                probe.ask((orig.protocol == want.value) != want.inverted, || {
                    let text = option(want.inverted, "--ctproto", want.value);
                    Asked::new(
                        text,
                        say!("field/protocol"),
                        orig.protocol,
                        want.value,
                        want.inverted,
                    )
                })
            })
            && [
                (self.orig_sport, "--ctorigsrcport", orig.sport),
                (self.orig_dport, "--ctorigdstport", orig.dport),
                (self.repl_sport, "--ctreplsrcport", repl.sport),
                (self.repl_dport, "--ctrepldstport", repl.dport),
            ]
            .into_iter()
            .all(|(want, name, has)| {
                port(
                    want,
                    name,
                    || say!("field/ct-addr", name = &name[2..]),
                    has,
                    probe,
                )
            })
    }

    fn rest(&self, ct: &Connection, now: u64, probe: &mut impl Probe) -> bool {
        self.status.is_none_or(|want| {
            let has = Status((ct.status.0 & 0xf) as u8);
            probe.ask((has.0 & want.value.0 != 0) != want.inverted, || {
                let text = option(want.inverted, "--ctstatus", want.value);
                Asked::new(text, say!("field/ctstatus"), has, want.value, want.inverted)
            })
        }) && self.expire.is_none_or(|want| {
            // The time of an entry that is not in the table yet does not run: it reads as none (`nf_ct_expires`).
            let has = match ct.status.has(StatusBits::CONFIRMED) {
                true => u32::try_from(ct.expires.saturating_sub(now) / 1000).unwrap_or(u32::MAX),
                false => 0,
            };
            probe.ask(want.value.contains(has) != want.inverted, || {
                let text = option(want.inverted, "--ctexpire", want.value);
                Asked::new(text, say!("field/ctexpire"), has, want.value, want.inverted)
            })
        })
    }
}

impl Tracked {
    /// The packet's states as `--ctstate` sees them; before conntrack has looked, a packet is INVALID, or NEW where
    /// `-j CT` has told conntrack how to look. What answers a packet that is not tracked has RELATED without a connection.
    pub fn states(&self) -> States {
        let state = match self.state {
            None if self.zone.is_some() => States::NEW,
            Some(CtState::Related) if self.connection.is_none() => States::INVALID,
            Some(CtState::New) => States::NEW,
            Some(CtState::Established) => States::ESTABLISHED,
            Some(CtState::Related) => States::RELATED,
            Some(CtState::Untracked) => States::UNTRACKED,
            Some(CtState::Invalid) | None => States::INVALID,
        };
        let ct = self.connection.as_ref();
        let snat = if ct.is_some_and(|c| c.status.has(StatusBits::SRC_NAT)) {
            States::SNAT
        } else {
            0
        };
        let dnat = if ct.is_some_and(|c| c.status.has(StatusBits::DST_NAT)) {
            States::DNAT
        } else {
            0
        };
        States(state | snat | dnat)
    }
}

/// As iptables-save prints them.
impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (States::INVALID, "INVALID"),
            (States::NEW, "NEW"),
            (States::RELATED, "RELATED"),
            (States::ESTABLISHED, "ESTABLISHED"),
            (States::UNTRACKED, "UNTRACKED"),
            (States::SNAT, "SNAT"),
            (States::DNAT, "DNAT"),
        ];
        bits(f, self.0, &names, "")
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Status::EXPECTED, "EXPECTED"),
            (Status::SEEN_REPLY, "SEEN_REPLY"),
            (Status::ASSURED, "ASSURED"),
            (Status::CONFIRMED, "CONFIRMED"),
        ];
        bits(f, self.0, &names, "NONE")
    }
}

fn bits(f: &mut fmt::Formatter<'_>, value: u8, names: &[(u8, &str)], none: &str) -> fmt::Result {
    let mut first = true;
    for (_, name) in names.iter().filter(|(bit, _)| value & bit != 0) {
        f.write_str(if first { "" } else { "," })?;
        f.write_str(name)?;
        first = false;
    }
    f.write_str(if first { none } else { "" })
}
