use super::{Coins, Random};

/// What a proxy leaves to chance: numbers that come of a seed, or coins that fall as a script says.
#[derive(Clone, Debug)]
pub enum Dice {
    Free(Random),
    Told(Coins),
}

impl Dice {
    pub fn of(seed: u64) -> Self {
        Dice::Free(Random::new(seed))
    }

    /// A number on which no decision rests: an identifier, a delay.
    pub fn next_u64(&mut self) -> u64 {
        match self {
            Dice::Free(random) => random.next_u64(),
            Dice::Told(_) => 0,
        }
    }

    /// A number below the sum of the weights: whom it falls to has its chance. 0 where the sum is.
    pub fn among(&mut self, weights: &[u64]) -> u64 {
        match self {
            Dice::Free(random) => {
                let total: u64 = weights.iter().sum();
                random.next_u64().checked_rem(total).unwrap_or(0)
            }
            Dice::Told(coins) => {
                if weights.iter().filter(|w| **w > 0).count() < 2 {
                    return 0;
                }
                let fell = coins.toss(weights.to_vec());
                weights.iter().take(fell as usize).sum()
            }
        }
    }

    /// The same with a number that comes of a seed of its own.
    pub fn apart(&mut self, weights: &[u64]) -> u64 {
        match self {
            Dice::Free(random) => Dice::of(random.next_u64()).among(weights),
            Dice::Told(_) => self.among(weights),
        }
    }

    /// A number that several decisions rest on. `stretches`: the lengths, from 0 on, of those within which all of them are the
    /// same; `None` where that would be too many.
    pub fn number(&mut self, stretches: impl FnOnce() -> Option<Vec<u64>>) -> u64 {
        if let Dice::Free(random) = self {
            return random.next_u64();
        }
        match stretches() {
            Some(stretches) => self.among(&stretches),
            None => {
                if let Dice::Told(coins) = self {
                    coins.untold = true;
                }
                0
            }
        }
    }

    pub fn are_told(&self) -> bool {
        matches!(self, Dice::Told(_))
    }

    /// Gives the coins back, to be lent to the next.
    pub fn back(&mut self) -> Option<Coins> {
        match std::mem::replace(self, Dice::of(0)) {
            Dice::Told(coins) => Some(coins),
            free => {
                *self = free;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_give_the_first_number_of_the_side_they_fall_on() {
        let mut dice = Dice::Told(Coins::new(vec![1, 2]));
        assert_eq!(dice.among(&[9, 1]), 9);
        assert_eq!(dice.among(&[0, 7]), 0, "nothing to toss for");
        assert_eq!(dice.number(|| Some(vec![10, 40, 50])), 50);
        assert_eq!(dice.number(|| None), 0);
        let coins = dice.back().unwrap();
        assert!(coins.untold);
        assert_eq!(coins.tossed.len(), 2);
        assert!(dice.back().is_none());
    }

    #[test]
    fn a_seed_gives_numbers_below_the_sum() {
        let mut dice = Dice::of(1);
        assert!((0..100).all(|_| dice.among(&[1, 2]) < 3));
        assert_eq!(dice.among(&[]), 0);
    }
}
