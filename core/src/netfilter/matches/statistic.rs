use super::Statistic;
use super::probe::{Asked, Probe};
use crate::netfilter::syntax;
use crate::say;

impl Statistic {
    /// Kernel `net/netfilter/xt_statistic.c`. The counter of `nth` moves on whenever the match is asked.
    pub(super) fn test(&self, probe: &mut impl Probe) -> bool {
        probe.ask_once(
            |state, at| match *self {
                Statistic::Random {
                    threshold,
                    inverted,
                } => (state.random.next_u32() & 0x7fff_ffff < threshold) != inverted,
                Statistic::Nth {
                    every,
                    packet,
                    inverted,
                } => {
                    let every = every.max(1);
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

/// As iptables-save prints it.
impl std::fmt::Display for Statistic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        syntax::statistic::write(self, "--", &mut text);
        f.write_str(text.trim_start())
    }
}
