//! `-m statistic` (`libxt_statistic.c`).

use std::fmt::Write;

use super::{Fault, Opt, Syntax, fault};
use crate::netfilter::Match;
use crate::netfilter::matches::Statistic;
use crate::say;
use crate::text::Span;

const MODE: u8 = 0;
const PROBABILITY: u8 = 1;
const EVERY: u8 = 2;
const PACKET: u8 = 3;
const NTH: u32 = 1 << EVERY | 1 << PACKET;

/// Noted beside the options: which mode was asked for.
const MODE_RANDOM: u32 = 1 << 16;

pub(in crate::netfilter) static STATISTIC: Syntax<Match> = Syntax {
    name: "statistic",
    options: &[
        Opt::value("mode", MODE).must(),
        Opt::value("probability", PROBABILITY).not().excl(NTH),
        Opt::value("every", EVERY)
            .not()
            .excl(1 << PROBABILITY)
            .also(1 << PACKET),
        Opt::value("packet", PACKET)
            .excl(1 << PROBABILITY)
            .also(1 << EVERY),
    ],
    start: |_, _| {
        Match::Statistic(Statistic::Random {
            threshold: 0,
            inverted: false,
        })
    },
    option: |m, given, around| {
        let Match::Statistic(statistic) = m else {
            return Ok(());
        };
        match given.id {
            MODE => match given.value {
                "random" => *around.seen |= MODE_RANDOM,
                "nth" => {}
                _ => return Err(given.bad()),
            },
            PROBABILITY => {
                *statistic = Statistic::Random {
                    threshold: threshold(given.value).ok_or_else(|| given.bad())?,
                    inverted: given.inverted,
                }
            }
            id => {
                let (mut every, mut packet, mut inverted) = match *statistic {
                    Statistic::Nth {
                        every,
                        packet,
                        inverted,
                    } => (every, packet, inverted),
                    Statistic::Random { .. } => (1, 0, false),
                };
                if id == EVERY {
                    every = given.number(1, u32::MAX.into())? as u32;
                    inverted = given.inverted;
                } else {
                    packet = given.u32()?;
                }
                *statistic = Statistic::Nth {
                    every,
                    packet,
                    inverted,
                };
            }
        }
        Ok(())
    },
    finish,
};

fn finish(m: &mut Match, given: u32, span: Span) -> Result<(), Fault> {
    let lacking = |mode: &str, option: &str| {
        fault(
            span,
            say!("iptables/statistic-mode", mode = mode, option = option),
        )
    };
    if given & 1 << MODE == 0 {
        return Ok(());
    }
    if given & MODE_RANDOM != 0 && given & 1 << PROBABILITY == 0 {
        return Err(lacking("random", "--probability"));
    }
    if given & MODE_RANDOM == 0 && given & NTH == 0 {
        return Err(lacking("nth", "--every, --packet"));
    }
    match *m {
        Match::Statistic(Statistic::Nth { every, packet, .. }) if packet >= every => Err(fault(
            span,
            say!("iptables/packet-past-every", packet = packet, every = every),
        )),
        _ => Ok(()),
    }
}

/// A chance in 0..=1 as 2^31ths, rounded to the nearest as `lround` does.
pub(in crate::netfilter) fn threshold(text: &str) -> Option<u32> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?.clamp(-99, 99)),
    };
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut number: u128 = 0;
    let mut places = exponent;
    for (i, b) in whole.bytes().chain(part.bytes()).enumerate() {
        if !b.is_ascii_digit() {
            return None;
        }
        // More digits than these change nothing in 2^31ths.
        if number < 10u128.pow(27) {
            number = number * 10 + u128::from(b - b'0');
            places -= i32::from(i >= whole.len());
        } else {
            places += i32::from(i < whole.len());
        }
    }
    if number == 0 {
        return Some(0);
    }
    let (mut up, mut down) = (number << 31, 1u128);
    for _ in 0..places.unsigned_abs() {
        if places > 0 {
            up = up.checked_mul(10)?;
        } else if down < 10u128.pow(37) {
            down *= 10;
        } else {
            return Some(0);
        }
    }
    if up >> 31 > down || up >> 31 == down && up.trailing_zeros() < 31 {
        return None;
    }
    u32::try_from((up + down / 2) / down).ok()
}

/// The threshold as a fraction with eleven decimals (`%.11f`).
fn write_probability(threshold: u32, out: &mut String) {
    let scaled = u128::from(threshold) * 100_000_000_000;
    let (mut units, rest) = (scaled >> 31, scaled & ((1 << 31) - 1));
    let half = 1 << 30;
    if rest > half || rest == half && units & 1 == 1 {
        units += 1;
    }
    let _ = write!(
        out,
        "{}.{:011}",
        units / 100_000_000_000,
        units % 100_000_000_000
    );
}

/// The words of both forms; `dash` is `--` in `iptables-save` and nothing in listings.
pub(in crate::netfilter) fn write(statistic: &Statistic, dash: &str, out: &mut String) {
    let not = |inverted: bool| if inverted { " !" } else { "" };
    match *statistic {
        Statistic::Random {
            threshold,
            inverted,
        } => {
            let _ = write!(
                out,
                " {dash}mode random{} {dash}probability ",
                not(inverted)
            );
            write_probability(threshold, out);
        }
        Statistic::Nth {
            every,
            packet,
            inverted,
        } => {
            let _ = write!(out, " {dash}mode nth{} {dash}every {every}", not(inverted));
            if packet != 0 || !dash.is_empty() {
                let _ = write!(out, " {dash}packet {packet}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_kept_in_2_to_the_31ths_and_printed_back() {
        let print = |text: &str| {
            threshold(text).map(|t| {
                let mut out = String::new();
                write_probability(t, &mut out);
                out
            })
        };
        assert_eq!(threshold("0.5"), Some(1 << 30));
        assert_eq!(threshold("1"), Some(1 << 31));
        assert_eq!(print("0.33333333349"), Some("0.33333333349".into()));
        assert_eq!(print(".2"), Some("0.20000000019".into()));
        assert_eq!(print("5e-1"), Some("0.50000000000".into()));
        assert_eq!(
            print("0.1000000000000000000000000000000000000001"),
            Some("0.10000000009".into())
        );
        assert_eq!(print("0"), Some("0.00000000000".into()));
        for bad in ["1.5", "2", "", ".", "x", "-1", "1e9", "1e", "0.5x"] {
            assert_eq!(threshold(bad), None, "{bad}");
        }
    }
}
