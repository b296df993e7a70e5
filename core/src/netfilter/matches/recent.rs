use std::collections::BTreeMap;
use std::net::IpAddr;

use super::probe::{Asked, Probe};
use super::{Recent, RecentAction};
use crate::net::Masked;
use crate::netfilter::state::Seen;
use crate::netfilter::{Context, syntax};
use crate::say;

/// Addresses that a list remembers, and stamps that an address keeps (kernel `net/netfilter/xt_recent.c`: `ip_list_tot`
/// and `XT_RECENT_MAX_NSTAMPS`).
const MOST_ADDRESSES: usize = 100;
const MOST_STAMPS: usize = 256;

impl Recent {
    /// Kernel `net/netfilter/xt_recent.c`, `recent_mt`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let addr = self.addr(ctx);
        probe.ask_once(
            |state, _| {
                if !state.recent.contains_key(&self.name) {
                    state.recent.insert(self.name.clone(), BTreeMap::new());
                }
                state
                    .recent
                    .get_mut(&self.name)
                    .is_some_and(|list| self.look(list, addr, ctx))
            },
            |held| {
                let has = match (self.action, held != self.inverted) {
                    (RecentAction::Set, _) => say!("value/added"),
                    (_, true) => say!("value/listed"),
                    (_, false) => say!("value/not-listed"),
                };
                let field = say!("field/recent", addr = addr, list = self.name);
                Asked::said(self.to_string(), field, has, self, self.inverted)
            },
        )
    }

    fn addr(&self, ctx: &Context) -> IpAddr {
        let addr = if self.dest {
            ctx.packet.dst
        } else {
            ctx.packet.src
        };
        Masked::new(addr, self.mask).map_or(addr, |m| m.addr)
    }

    fn look(&self, list: &mut BTreeMap<IpAddr, Seen>, addr: IpAddr, ctx: &Context) -> bool {
        // The TTL as it came in: forwarding has already taken one.
        let ttl = ctx
            .packet
            .ttl
            .saturating_add(u8::from(ctx.out_iface.is_some() && ctx.owner.is_none()));
        let known = list
            .get_mut(&addr)
            .filter(|seen| !self.check_ttl || seen.ttl == ttl || seen.ttl == 0);
        let Some(seen) = known else {
            if self.action == RecentAction::Set {
                insert(
                    list,
                    addr,
                    Seen {
                        ttl,
                        stamps: vec![ctx.now],
                    },
                );
                return !self.inverted;
            }
            return self.inverted;
        };
        match self.action {
            RecentAction::Set => {
                seen.touch(ttl, ctx.now);
                !self.inverted
            }
            RecentAction::Remove => {
                list.remove(&addr);
                !self.inverted
            }
            RecentAction::Check | RecentAction::Update => {
                let since = self
                    .seconds
                    .map(|s| ctx.now.saturating_sub(u64::from(s) * 1000));
                let hits = seen
                    .stamps
                    .iter()
                    .filter(|stamp| since.is_none_or(|since| **stamp >= since))
                    .count();
                let held = (hits >= self.hitcount.unwrap_or(1).max(1) as usize) != self.inverted;
                if self.reap
                    && let Some(since) = since
                {
                    seen.stamps.retain(|stamp| *stamp >= since);
                }
                if self.action == RecentAction::Update && held {
                    seen.touch(ttl, ctx.now);
                } else if seen.stamps.is_empty() {
                    list.remove(&addr);
                }
                held
            }
        }
    }
}

impl Seen {
    fn touch(&mut self, ttl: u8, now: u64) {
        self.ttl = ttl;
        if self.stamps.len() >= MOST_STAMPS {
            self.stamps.remove(0);
        }
        self.stamps.push(now);
    }
}

/// A full list forgets the address that was seen longest ago.
fn insert(list: &mut BTreeMap<IpAddr, Seen>, addr: IpAddr, seen: Seen) {
    if list.len() >= MOST_ADDRESSES && !list.contains_key(&addr) {
        let oldest = list
            .iter()
            .min_by_key(|(_, s)| s.stamps.last().copied())
            .map(|(a, _)| *a);
        if let Some(oldest) = oldest {
            list.remove(&oldest);
        }
    }
    list.insert(addr, seen);
}

/// As iptables-save prints it.
impl std::fmt::Display for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        syntax::recent::save(self, &mut text);
        f.write_str(text.trim_start())
    }
}
