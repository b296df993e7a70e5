use std::net::IpAddr;

use serde::Serialize;

use super::{Listener, Verdict};
use crate::net::Coins;
use crate::say;

/// Who of the eligible backends takes the next new connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Scheduler {
    /// In turn, whatever their weights.
    #[default]
    RoundRobin,
    /// In turn, as often as their weights say.
    Weighted,
    /// By a hash of the client's address: one client, one backend.
    SourceHash,
}

impl Scheduler {
    pub const ALL: [Scheduler; 3] = [
        Scheduler::RoundRobin,
        Scheduler::Weighted,
        Scheduler::SourceHash,
    ];

    /// As the load balancer's file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Scheduler::RoundRobin => "round-robin",
            Scheduler::Weighted => "weighted",
            Scheduler::SourceHash => "source-hash",
        }
    }
}

impl Listener {
    /// How each backend fares with a new connection, the `turn`-th of this listener from 0: at most one is chosen.
    pub(super) fn choose(&self, client: IpAddr, turn: u64) -> Vec<Verdict> {
        let outright = |backend| Verdict::outright(self, backend);
        let mut verdicts: Vec<_> = self.backends.iter().map(outright).collect();
        let weights: Vec<u64> = self.backends.iter().map(|b| self.share(b)).collect();
        let total: u64 = weights.iter().sum();
        if total == 0 {
            return verdicts;
        }
        let (chosen, passed) = match self.scheduler {
            Scheduler::RoundRobin | Scheduler::Weighted => {
                let period = total / weights.iter().copied().fold(0, gcd).max(1);
                let turn = turn % period;
                let passed = Verdict::NotItsTurn {
                    turn: turn + 1,
                    period,
                };
                (weighted_turn(&weights, turn), passed)
            }
            Scheduler::SourceHash => {
                let bucket = source_bucket(client);
                (
                    slot(&weights, bucket % total),
                    Verdict::OtherBucket { bucket },
                )
            }
        };
        for (at, verdict) in verdicts.iter_mut().enumerate() {
            if *verdict == Verdict::Eligible {
                *verdict = if Some(at) == chosen {
                    Verdict::Chosen
                } else {
                    passed
                };
            }
        }
        verdicts
    }

    /// A turn of the backend that a coin chose, as nobody knows how many connections came before. `None` where turns decide
    /// nothing.
    pub(super) fn tossed(&self, coins: &mut Coins) -> Option<u64> {
        if self.scheduler == Scheduler::SourceHash {
            return None;
        }
        let weights: Vec<u64> = self.backends.iter().map(|b| self.share(b)).collect();
        let total: u64 = weights.iter().sum();
        let side = |at: u32| {
            let backend = usize::try_from(at)
                .ok()
                .and_then(|at| self.backends.get(at));
            say!("insight/side", name = backend.map_or("", |b| &b.name))
        };
        let fell = coins.toss(weights.clone(), side)? as usize;
        (0..total).find(|turn| weighted_turn(&weights, *turn) == Some(fell))
    }

    fn share(&self, backend: &super::Backend) -> u64 {
        match self.scheduler {
            _ if !self.eligible(backend) => 0,
            Scheduler::RoundRobin => 1,
            Scheduler::Weighted | Scheduler::SourceHash => u64::from(backend.weight),
        }
    }
}

/// The backend of a turn within a period: over and over through the list, first those of the greatest weight only, and on
/// each round those whose weight is greater than what the rounds took (`ip_vs_wrr_schedule`).
fn weighted_turn(weights: &[u64], mut turn: u64) -> Option<usize> {
    let step = weights.iter().copied().fold(0, gcd).max(1);
    let mut least = weights.iter().copied().max()?;
    while least > 0 {
        let takes = |w: &u64| *w >= least;
        let round = weights.iter().filter(|w| takes(w)).count() as u64;
        if turn < round {
            let mut taking = weights.iter().enumerate().filter(|(_, w)| takes(w));
            return taking.nth(turn as usize).map(|(at, _)| at);
        }
        turn -= round;
        least = least.saturating_sub(step);
    }
    None
}

/// Whose slot a number is, where each has as many in a row as it weighs (`ip_vs_sh_reassign`).
fn slot(weights: &[u64], mut number: u64) -> Option<usize> {
    weights.iter().position(|w| {
        let mine = number < *w;
        number = number.saturating_sub(*w);
        mine
    })
}

/// One of 256 by the client's address (`ip_vs_sh_hashkey`).
fn source_bucket(client: IpAddr) -> u64 {
    let folded = match client {
        IpAddr::V4(a) => a.to_bits(),
        IpAddr::V6(a) => {
            let bits = a.to_bits();
            [96, 64, 32, 0]
                .map(|at| (bits >> at) as u32)
                .iter()
                .fold(0, |x, y| x ^ y)
        }
    };
    u64::from(folded.wrapping_mul(0x61c8_8647) >> 24)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Health};
    use super::*;
    use crate::net::Protocol;
    use crate::text::Span;

    fn listener(scheduler: Scheduler, weights: &[u16]) -> Listener {
        Listener {
            addr: "182.92.251.227".parse().unwrap(),
            port: 80,
            protocol: Protocol::TCP,
            scheduler,
            forwarding: None,
            fail_open: false,
            check: None,
            backends: weights
                .iter()
                .map(|&weight| Backend {
                    name: "n".into(),
                    addr: "192.168.0.17".parse().unwrap(),
                    port: 31061,
                    weight,
                    health: Health::Unchecked,
                    span: Span::default(),
                })
                .collect(),
            span: Span::default(),
        }
    }

    fn taken(listener: &Listener, client: &str, turns: std::ops::Range<u64>) -> String {
        turns
            .map(|turn| {
                let verdicts = listener.choose(client.parse().unwrap(), turn);
                match verdicts.iter().position(|v| *v == Verdict::Chosen) {
                    Some(at) => char::from(b'a' + at as u8),
                    None => '-',
                }
            })
            .collect()
    }

    #[test]
    fn round_robin_takes_turns_over_those_that_may() {
        let mut l = listener(Scheduler::RoundRobin, &[1, 9, 1]);
        assert_eq!(taken(&l, "203.0.113.9", 0..7), "abcabca");
        l.backends[0].health = Health::Unhealthy;
        l.backends[2].weight = 0;
        assert_eq!(taken(&l, "203.0.113.9", 0..3), "bbb");
        l.backends[1].health = Health::SaidUnhealthy;
        assert_eq!(taken(&l, "203.0.113.9", 0..2), "--");
    }

    #[test]
    fn weights_4_3_2_give_lvs_order() {
        // The example of the LVS documentation: AABABCABC.
        let l = listener(Scheduler::Weighted, &[4, 3, 2]);
        assert_eq!(taken(&l, "203.0.113.9", 0..10), "aababcabca");
        let l = listener(Scheduler::Weighted, &[100, 50]);
        assert_eq!(taken(&l, "203.0.113.9", 0..6), "aabaab");
    }

    #[test]
    fn a_source_hash_keeps_a_client_where_it_is() {
        let l = listener(Scheduler::SourceHash, &[1, 1]);
        let one = taken(&l, "203.0.113.9", 0..4);
        assert!(one == "aaaa" || one == "bbbb");
        let all: String = (1..60)
            .map(|n| taken(&l, &format!("203.0.113.{n}"), 0..1))
            .collect();
        assert!(all.contains('a') && all.contains('b'));
    }

    #[test]
    fn those_passed_over_know_why() {
        let mut l = listener(Scheduler::RoundRobin, &[1, 1, 0]);
        l.backends[0].health = Health::Unhealthy;
        let verdicts = l.choose("203.0.113.9".parse().unwrap(), 0);
        assert_eq!(
            verdicts,
            [Verdict::Unhealthy, Verdict::Chosen, Verdict::NoWeight]
        );
    }
}
