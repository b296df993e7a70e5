//! Where a proxy's chance comes from.

use std::collections::BTreeMap;

use super::fraction::Fraction;
use crate::net::{Coins, Random};
use crate::say;
use crate::text::{Say, Span};

/// Numbers of a seed; or coins that fall as they are told, for who follows every road.
#[derive(Clone, Debug)]
pub struct Dice {
    random: Random,
    pub coins: Option<Coins>,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            coins: None,
        }
    }

    /// Whether a script takes the place of chance.
    pub(super) fn is_told(&self) -> bool {
        self.coins.is_some()
    }

    /// How many coins have fallen.
    pub(super) fn tossed(&self) -> usize {
        self.coins.as_ref().map_or(0, |c| c.tossed.len())
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// One of some sides, as often as they weigh; `asked` is the text that leaves it to chance, and `name` says what each
    /// stands for. `None` where none weighs anything.
    pub(super) fn side(
        &mut self,
        sides: Vec<u64>,
        asked: Span,
        name: impl Fn(usize) -> Say,
    ) -> Option<usize> {
        let thrown = self.next_u64();
        match &mut self.coins {
            Some(coins) => {
                coins.at = asked;
                let name = |at| name(usize::try_from(at).unwrap_or(usize::MAX));
                usize::try_from(coins.toss(sides, name)?).ok()
            }
            None => side_of(&sides, thrown.checked_rem(sides.iter().sum())?),
        }
    }

    /// Whether chance falls into a fraction.
    pub(super) fn falls(&mut self, fraction: Fraction, asked: Span) -> bool {
        match self.is_told() {
            true => self.side(fraction.sides(), asked, in_fraction) == Some(0),
            false => fraction.takes(self.next_u64()),
        }
    }
}

/// What the sides of a fraction are called.
pub(super) fn in_fraction(side: usize) -> Say {
    match side {
        0 => say!("insight/side-within"),
        _ => say!("insight/side-beyond"),
    }
}

/// Whose a number is, where each side has as many in a row as it weighs.
pub(super) fn side_of(sides: &[u64], mut number: u64) -> Option<usize> {
    sides.iter().position(|weight| {
        let mine = number < *weight;
        number = number.saturating_sub(*weight);
        mine
    })
}

/// The sides of a request's number that decides again: how much of each is left, where it fell into some fractions before
/// and not into others.
pub(super) fn left(before: &[(Fraction, bool)], sides: Vec<u64>) -> Vec<u64> {
    let whole: u64 = sides.iter().sum();
    if before.is_empty() || whole == 0 {
        return sides;
    }
    let multiple = |a: u64, b: u64| a / gcd(a, b) * b;
    let all = before
        .iter()
        .fold(1, |all, (f, _)| multiple(all, f.denominator));
    // Of two remainders that agree in what both divisors share, one number in each round has both.
    let shared = gcd(all, whole);
    let mut falling: BTreeMap<u64, u64> = BTreeMap::new();
    for number in 0..all {
        if before.iter().all(|(f, fell)| f.takes(number) == *fell) {
            *falling.entry(number % shared).or_default() += 1;
        }
    }
    let mut end = 0;
    let side = |weight: u64| {
        let start = end;
        end += weight;
        let below = |limit: u64, class: u64| (limit + shared - 1 - class) / shared;
        let of_class = |(class, count): (&u64, &u64)| {
            count.saturating_mul(below(end, *class) - below(start, *class))
        };
        falling.iter().map(of_class).sum()
    };
    sides.into_iter().map(side).collect()
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(numerator: u64, denominator: u64) -> Fraction {
        Fraction {
            numerator,
            denominator,
        }
    }

    #[test]
    fn coins_fall_as_told_and_only_where_there_is_a_choice() {
        let mut dice = Dice::new(1);
        dice.coins = Some(Coins::new(vec![1]));
        assert_eq!(dice.side(vec![0, 7], Span::default(), in_fraction), Some(1));
        assert_eq!(dice.side(vec![3, 1], Span::default(), in_fraction), Some(1));
        assert!(dice.falls(Fraction::ALWAYS, Span::default()));
        assert_eq!(dice.side(vec![0, 0], Span::default(), in_fraction), None);
        assert_eq!(dice.coins.unwrap().tossed.len(), 1);
    }

    #[test]
    fn one_number_that_decides_twice_is_thrown_once() {
        let tenth = fraction(10, 100);
        // It was below 10 of 100, and all of these are the first side's.
        assert_eq!(left(&[(tenth, true)], vec![50, 50]), [10, 0]);
        assert_eq!(left(&[(tenth, false)], vec![50, 50]), [40, 50]);
        assert_eq!(left(&[], vec![1, 2]), [1, 2]);
        assert_eq!(left(&[(fraction(1, 2), true)], vec![1, 2]), [1, 2]);
        // Each number of a million goes with each of a round that shares no divisor with it.
        let heavy = vec![3_000_000_001, 1_000_000_000];
        assert_eq!(
            left(&[(fraction(1, 1_000_000), true)], heavy.clone()),
            heavy
        );
        let even = vec![1_000_000_000, 3_000_000_000];
        let (first, rest) = (1_000_000_000 / 1_000_000, 3_000_000_000 / 1_000_000);
        assert_eq!(left(&[(fraction(1, 1_000_000), true)], even), [first, rest]);
    }
}
