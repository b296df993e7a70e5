use super::header::option;
use super::probe::{Asked, Probe};
use super::{Hashlimit, Limit};
use crate::net::Masked;
use crate::netfilter::state::{Bucket, HashKey};
use crate::netfilter::{Context, syntax};
use crate::say;

impl Bucket {
    /// A token bucket as `xt_limit` has it: full at first, filled by time, a packet costs `average`. Credit is in the same
    /// parts of a second, of which a millisecond gives `scale`.
    fn take(&mut self, average: u64, burst: u32, scale: u64, now: u64) -> bool {
        let cap = average.saturating_mul(u64::from(burst));
        let gained = now.saturating_sub(self.filled).saturating_mul(scale);
        self.credit = self.credit.saturating_add(gained).min(cap);
        self.filled = now;
        let held = self.credit >= average;
        if held {
            self.credit -= average;
        }
        held
    }

    fn full(average: u64, burst: u32, now: u64) -> Self {
        Self {
            credit: average.saturating_mul(u64::from(burst)),
            filled: now,
        }
    }
}

impl Limit {
    /// Kernel `net/netfilter/xt_limit.c`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let (average, burst) = (u64::from(self.average), self.burst);
        probe.ask_once(
            |state, at| {
                let bucket = state
                    .buckets
                    .entry(at)
                    .or_insert_with(|| Bucket::full(average, burst, ctx.now));
                bucket.take(average, burst, 10, ctx.now)
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
                let buckets = state.hash_buckets.entry(self.name.clone()).or_default();
                let bucket = buckets
                    .entry(self.key(ctx))
                    .or_insert_with(|| Bucket::full(average, burst, ctx.now));
                bucket.take(average, burst, 1_000, ctx.now) != self.above
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

/// `5/min` as iptables prints an average of parts of a second, `scale` in all.
pub(in crate::netfilter) fn rate(average: u64, scale: u64) -> String {
    let mut text = String::new();
    syntax::limit::write_rate(average, scale, &mut text);
    text.trim_start().to_string()
}
