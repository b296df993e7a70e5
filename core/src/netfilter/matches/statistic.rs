use super::Statistic;
use super::probe::{Asked, Probe};
use crate::netfilter::syntax;
use crate::say;
use crate::text::Say;

/// What the sides of a coin mean to a rule.
fn side(inverted: bool) -> impl Fn(u32) -> Say {
    move |fell| match (fell == 0) != inverted {
        true => say!("insight/side-held"),
        false => say!("insight/side-passed"),
    }
}

impl Statistic {
    /// Kernel `net/netfilter/xt_statistic.c`. The counter of `nth` moves on whenever the match is asked.
    pub(super) fn test(&self, probe: &mut impl Probe) -> bool {
        probe.ask_once(
            |state, at| match *self {
                Statistic::Random {
                    threshold,
                    inverted,
                } => match &mut state.coins {
                    Some(coins) => {
                        (coins.toss(sides(threshold), side(inverted)) == Some(0)) != inverted
                    }
                    None => (state.random.next_u32() & 0x7fff_ffff < threshold) != inverted,
                },
                Statistic::Nth {
                    every,
                    packet,
                    inverted,
                } => {
                    let every = every.max(1);
                    // Nobody knows how many packets came before.
                    if let Some(coins) = &mut state.coins {
                        let sides = vec![1, u64::from(every) - 1];
                        return (coins.toss(sides, side(inverted)) == Some(0)) != inverted;
                    }
                    let seen = state.nth.entry(at).or_insert(0);
                    let held = *seen == packet;
                    *seen = (*seen + 1) % every;
                    held != inverted
                }
            },
            |held| match *self {
                Statistic::Random { inverted, .. } => {
                    let has = if held != inverted {
                        say!("value/within")
                    } else {
                        say!("value/beyond")
                    };
                    let text = self.to_string();
                    Asked::said(text.clone(), say!("field/random"), has, text, inverted)
                }
                Statistic::Nth { inverted, .. } => {
                    let has = if held != inverted {
                        say!("value/its-turn")
                    } else {
                        say!("value/not-its-turn")
                    };
                    let text = self.to_string();
                    Asked::said(text.clone(), say!("field/nth"), has, text, inverted)
                }
            },
        )
    }
}

/// What the kernel keeps of a probability is a multiple of 2⁻³¹. These are the weights for and against of the plainest
/// fraction that rounds to it, as 1/3 to 715827883, and those kept where that would be a chance hit.
fn sides(threshold: u32) -> Vec<u64> {
    const WHOLE: u64 = 1 << 31;
    const PLAIN: u64 = 10_000;
    let kept = u64::from(threshold).min(WHOLE);
    let plain = (1..=PLAIN).find_map(|among| {
        let of = (kept * among + WHOLE / 2) / WHOLE;
        ((of * WHOLE + among / 2) / among == kept).then_some((of, among))
    });
    let (of, among) = plain.unwrap_or((kept, WHOLE));
    vec![of, among - of]
}

/// As iptables-save prints it.
impl std::fmt::Display for Statistic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        syntax::statistic::write(self, "--", &mut text);
        f.write_str(text.trim_start())
    }
}
