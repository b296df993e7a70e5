use super::header::option;
use super::probe::{Asked, Probe};
use super::{Hashlimit, Limit};
use crate::net::Masked;
use crate::netfilter::Context;
use crate::netfilter::state::{Bucket, HashKey};
use crate::say;

impl Bucket {
    /// A token bucket as `xt_limit` has it: full at first, filled by time, a packet costs `average`. Credit is in 10,000ths
    /// of a second, of which a millisecond gives 10.
    fn take(&mut self, average: u32, burst: u32, now: u64) -> bool {
        let cap = u64::from(average) * u64::from(burst);
        let gained = now.saturating_sub(self.filled).saturating_mul(10);
        self.credit = self.credit.saturating_add(gained).min(cap);
        self.filled = now;
        let held = self.credit >= u64::from(average);
        if held {
            self.credit -= u64::from(average);
        }
        held
    }

    fn full(average: u32, burst: u32, now: u64) -> Self {
        Self {
            credit: u64::from(average) * u64::from(burst),
            filled: now,
        }
    }
}

impl Limit {
    /// Kernel `net/netfilter/xt_limit.c`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let Limit { average, burst } = *self;
        probe.ask_once(
            |state, at| {
                let bucket = state
                    .buckets
                    .entry(at)
                    .or_insert_with(|| Bucket::full(average, burst, ctx.now));
                bucket.take(average, burst, ctx.now)
            },
            |held| {
                let has = if held {
                    say!("value/below")
                } else {
                    say!("value/used-up")
                };
                let text = format!("--limit {} --limit-burst {burst}", rate(average));
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
                bucket.take(average, burst, ctx.now) != self.above
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
                    option(false, name, rate(average))
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

/// `5/min` as iptables prints an average (iptables `extensions/libxt_limit.c`, `print_rate`).
pub(in crate::netfilter) fn rate(average: u32) -> String {
    const UNITS: [(&str, u32); 4] = [
        ("day", 864_000_000),
        ("hour", 36_000_000),
        ("min", 600_000),
        ("sec", 10_000),
    ];
    let average = average.max(1);
    let fits = |(_, unit): &&(&str, u32)| average <= *unit && unit / average >= unit % average;
    let (name, unit) = UNITS[1..]
        .iter()
        .take_while(fits)
        .last()
        .unwrap_or(&UNITS[0]);
    format!("{}/{name}", unit / average)
}
