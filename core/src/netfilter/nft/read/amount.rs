//! How much a rule lets through: limits and quotas.

use super::Reader;
use super::cursor::{Parse, wrong};
use crate::netfilter::nft::{Limit, Quota, TimeUnit};
use crate::say;

const SIZES: [(&str, u64); 3] = [("bytes", 1), ("kbytes", 1024), ("mbytes", 1024 * 1024)];

impl Reader<'_> {
    /// `rate [over | until] 10/second [burst 5 packets]`
    pub(super) fn limit(&mut self) -> Parse<Limit> {
        self.cursor.word("rate")?;
        let over = self.cursor.eat_word("over");
        self.cursor.eat_word("until");
        let span = self.cursor.peek().span;
        let n = self.cursor.number(u64::MAX)?;
        let (mut rate, mut bytes) = (n, false);
        let mut unit = "";
        if !self.cursor.eat_sign("/") {
            // `kbytes/second` is one word.
            let word = self.cursor.name("/")?;
            let (size, time) = word.text.split_once('/').unwrap_or((word.text, ""));
            let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == size) else {
                return wrong(
                    word.span,
                    say!(
                        "nft/unexpected",
                        text = word.text,
                        wanted = "bytes, kbytes, mbytes"
                    ),
                );
            };
            (rate, bytes, unit) = (n.saturating_mul(*factor), true, time);
            if time.is_empty() {
                self.cursor.sign("/")?;
            }
        }
        let wanted = "second, minute, hour, day, week";
        if unit.is_empty() {
            unit = self.cursor.name(wanted)?.text;
        }
        let unit = match unit {
            "second" => TimeUnit::Second,
            "minute" => TimeUnit::Minute,
            "hour" => TimeUnit::Hour,
            "day" => TimeUnit::Day,
            "week" => TimeUnit::Week,
            other => return wrong(span, say!("nft/unexpected", text = other, wanted = wanted)),
        };
        if rate == 0 {
            return wrong(span, say!("nft/rate-zero"));
        }
        let mut burst = 5;
        if self.cursor.eat_word("burst") {
            let (count, burst_bytes) = self.quantity()?;
            self.cursor.eat_word("packets");
            if burst_bytes != bytes {
                return wrong(span, say!("nft/burst-unit"));
            }
            burst = u32::try_from(count).unwrap_or(u32::MAX);
        }
        Ok(Limit {
            over,
            rate,
            unit,
            bytes,
            burst,
        })
    }

    /// `quota [over | until] 25 mbytes [used 3 kbytes]`, the first word already read.
    pub(super) fn quota(&mut self) -> Parse<Quota> {
        let over = self.cursor.eat_word("over");
        if !over {
            self.cursor.eat_word("until");
        }
        let bytes = self.bytes()?;
        let used = match self.cursor.eat_word("used") {
            true => self.bytes()?,
            false => 0,
        };
        Ok(Quota { over, bytes, used })
    }

    fn bytes(&mut self) -> Parse<u64> {
        match self.quantity()? {
            (count, true) => Ok(count),
            (_, false) => self.cursor.expected("bytes, kbytes, mbytes"),
        }
    }

    /// A count, or bytes with their unit; and whether it is bytes.
    fn quantity(&mut self) -> Parse<(u64, bool)> {
        let n = self.cursor.number(u64::MAX)?;
        for (name, factor) in SIZES {
            if self.cursor.eat_word(name) {
                return Ok((n.saturating_mul(factor), true));
            }
        }
        Ok((n, false))
    }
}
