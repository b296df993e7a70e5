use super::header::option;
use super::probe::{Asked, Probe};
use super::{Hashlimit, Limit, Not};
use crate::net::Masked;
use crate::netfilter::state::{Bucket, HashKey};
use crate::netfilter::{Context, syntax};
use crate::say;

impl Bucket {
    /// A token bucket as `xt_limit` has it: full at first, filled by time, a packet takes its cost. A millisecond gives `scale`.
    fn take(&mut self, cost: u64, cap: u64, scale: u64, now: u64) -> bool {
        let gained = now.saturating_sub(self.filled).saturating_mul(scale);
        self.credit = self.credit.saturating_add(gained).min(cap);
        self.filled = now;
        let held = self.credit >= cost;
        if held {
            self.credit -= cost;
        }
        held
    }

    fn full(cap: u64, now: u64) -> Self {
        Self {
            credit: cap,
            filled: now,
        }
    }
}

impl Limit {
    /// Credit that a second gives.
    const A_SECOND: u32 = 32_000;

    /// What a packet takes, and what the bucket holds: in 32 bits, past which they begin anew (kernel `user2credits`).
    pub(in crate::netfilter) fn credits(&self) -> (u32, u32) {
        const SCALE: u32 = 10_000;
        let credits = |user: u32| {
            if user > u32::MAX / Self::A_SECOND {
                (user / SCALE).wrapping_mul(Self::A_SECOND)
            } else {
                user.wrapping_mul(Self::A_SECOND) / SCALE
            }
        };
        let all = self.average.wrapping_mul(self.burst);
        (credits(self.average), credits(all))
    }
}

impl Limit {
    /// Kernel `net/netfilter/xt_limit.c`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let (average, burst) = (u64::from(self.average), self.burst);
        probe.ask_once(
            |state, at| {
                let (cost, cap) = self.credits();
                let bucket = state
                    .buckets
                    .entry(at)
                    .or_insert_with(|| Bucket::full(cap.into(), ctx.now));
                let scale = u64::from(Self::A_SECOND) / 1000;
                bucket.take(cost.into(), cap.into(), scale, ctx.now)
            },
            |held| {
                let has = if held {
                    say!("value/below")
                } else {
                    say!("value/used-up")
                };
                let text = format!("--limit {} --limit-burst {burst}", rate(average, 10_000));
                Asked::said(text.clone(), say!("field/rate"), has, text, false)
            },
        )
    }
}

impl Hashlimit {
    /// Kernel `net/netfilter/xt_hashlimit.c`, packets only.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let Hashlimit { average, burst, .. } = *self;
        probe.ask_once(
            |state, _| {
                let cap = average.saturating_mul(u64::from(burst));
                let buckets = state.hash_buckets.entry(self.name.clone()).or_default();
                let bucket = buckets
                    .entry(self.key(ctx))
                    .or_insert_with(|| Bucket::full(cap, ctx.now));
                bucket.take(average, cap, 1_000, ctx.now) != self.above
            },
            |held| {
                let has = if held != self.above {
                    say!("value/below")
                } else {
                    say!("value/used-up")
                };
                let name = if self.above {
                    "--hashlimit-above"
                } else {
                    "--hashlimit-upto"
                };
                let text = format!(
                    "{} --hashlimit-burst {burst}",
                    option(false, name, rate(average, 1_000_000))
                );
                Asked::said(text.clone(), say!("field/rate"), has, text, false)
            },
        )
    }

    fn key(&self, ctx: &Context) -> HashKey {
        let masked = |addr, length| Masked::prefix(addr, length).map(|m| m.addr);
        let asks = |bit: u8| self.mode & bit != 0;
        HashKey {
            src: asks(1)
                .then(|| masked(ctx.packet.src, self.srcmask))
                .flatten(),
            sport: asks(2).then(|| ctx.packet.sport()).flatten(),
            dst: asks(4)
                .then(|| masked(ctx.packet.dst, self.dstmask))
                .flatten(),
            dport: asks(8).then(|| ctx.packet.dport()).flatten(),
        }
    }
}

/// Kernel `net/netfilter/xt_quota.c`: what does not fit any more uses up what is left.
pub(super) fn quota(want: Not<u64>, ctx: &Context, probe: &mut impl Probe) -> bool {
    probe.ask_once(
        |state, at| {
            let left = state.quotas.entry(at).or_insert(want.value);
            let length = u64::from(ctx.length());
            let fits = length <= *left;
            *left = if fits { *left - length } else { 0 };
            fits != want.inverted
        },
        |held| {
            let has = match held != want.inverted {
                true => say!("value/below"),
                false => say!("value/used-up"),
            };
            let text = option(want.inverted, "--quota", want.value);
            Asked::said(text, say!("field/quota"), has, want.value, want.inverted)
        },
    )
}

/// `5/min` as iptables prints an average of parts of a second, `scale` in all.
pub(in crate::netfilter) fn rate(average: u64, scale: u64) -> String {
    let mut text = String::new();
    syntax::limit::write_rate(average, scale, &mut text);
    text.trim_start().to_string()
}
