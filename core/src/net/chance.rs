use std::fmt;

use serde::Serialize;

use crate::text::{Say, Span};

/// A probability, as a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chance {
    of: u128,
    among: u128,
    /// False once the numbers grew past what fits and were cut.
    pub exact: bool,
}

impl Chance {
    pub const NEVER: Chance = Chance {
        of: 0,
        among: 1,
        exact: true,
    };
    pub const ALWAYS: Chance = Chance {
        of: 1,
        among: 1,
        exact: true,
    };

    /// `of` among `among`; never, where that is none.
    pub fn new(of: u64, among: u64) -> Self {
        Self::lowest(of.into(), among.into(), true)
    }

    pub fn and(self, other: Self) -> Self {
        // Crosswise first, so that the products stay small.
        let (a, d) = reduced(self.of, other.among);
        let (c, b) = reduced(other.of, self.among);
        let exact = self.exact && other.exact;
        match (a.checked_mul(c), b.checked_mul(d)) {
            (Some(of), Some(among)) => Self::lowest(of, among, exact),
            _ => {
                let ((a, b), (c, d)) = (cut(a, b), cut(c, d));
                Self::lowest(a * c, b * d, false)
            }
        }
    }

    /// Of two that exclude each other.
    pub fn or(self, other: Self) -> Self {
        let exact = self.exact && other.exact;
        let (_, step) = reduced(self.among, other.among);
        let sum = || {
            let among = self.among.checked_mul(step)?;
            let left = self.of.checked_mul(step)?;
            let right = other.of.checked_mul(among / other.among)?;
            Some((left.checked_add(right)?, among))
        };
        match sum() {
            Some((of, among)) => Self::lowest(of, among, exact),
            None => {
                let ((a, b), (c, d)) = (cut(self.of, self.among), cut(other.of, other.among));
                Self::lowest((a * d + c * b) >> 1, (b * d) >> 1, false)
            }
        }
    }

    /// `10 %`, `33.3%`, `1/3`, `0`, `1`; `None` for what is none, or more than all.
    pub fn parse(text: &str) -> Option<Self> {
        let (of, among) = match text.trim().strip_suffix('%') {
            Some(percent) => {
                let (whole, part) = percent
                    .trim()
                    .split_once('.')
                    .unwrap_or((percent.trim(), ""));
                let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
                let digits = format!("{whole}{part}");
                (digits.parse().ok()?, scale.checked_mul(100)?)
            }
            None => {
                let (of, among) = text.split_once('/').unwrap_or((text, "1"));
                (of.trim().parse().ok()?, among.trim().parse().ok()?)
            }
        };
        (of <= among && among > 0).then(|| Self::new(of, among))
    }

    pub fn is_never(self) -> bool {
        self.of == 0
    }

    /// In parts of `whole`, rounded.
    pub fn parts(self, whole: u32) -> u32 {
        let (of, among) = cut(self.of, self.among);
        ((of * u128::from(whole) + among / 2) / among.max(1)) as u32
    }

    /// Such as `10 %` or `12.5 %` where that is all of it, else as a fraction.
    pub fn told(self) -> String {
        let parts = self.parts(10_000);
        if !self.exact || Self::new(parts.into(), 10_000) != self {
            return self.to_string();
        }
        let text = format!("{}.{:02}", parts / 100, parts % 100);
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    }

    /// Such as `33.33 %`; what is not quite nothing or all is not rounded to it.
    pub fn percent(self) -> String {
        let parts = self.parts(10_000);
        match parts {
            0 if !self.is_never() => "< 0.01 %".to_string(),
            10_000 if self != Self::ALWAYS => "> 99.99 %".to_string(),
            _ => format!("{}.{:02} %", parts / 100, parts % 100),
        }
    }

    fn lowest(of: u128, among: u128, exact: bool) -> Self {
        if of == 0 || among == 0 {
            return Self {
                exact,
                ..Self::NEVER
            };
        }
        let (of, among) = reduced(of, among);
        Self { of, among, exact }
    }
}

/// `1/3`; a fraction that could not be kept whole as `≈ 12.34 %`.
impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.exact && self.among < 1_000_000, self.among) {
            (true, 1) => write!(f, "{}", self.of),
            (true, _) => write!(f, "{}/{}", self.of, self.among),
            (false, _) => write!(f, "≈ {}", self.percent()),
        }
    }
}

fn reduced(a: u128, b: u128) -> (u128, u128) {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    match x {
        0 => (a, b),
        x => (a / x, b / x),
    }
}

/// So many bits less of both that a product of two fits.
fn cut(of: u128, among: u128) -> (u128, u128) {
    let bits = (128 - among.leading_zeros()).saturating_sub(62);
    (of >> bits, among >> bits)
}

/// How a coin may fall, and how it fell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Toss {
    /// The weight of each side that is followed; one of 0 never comes up.
    sides: Vec<u64>,
    /// What all sides weigh, also those that are not followed.
    total: u64,
    pub fell: u32,
    /// What that side stands for.
    pub side: Say,
    /// The text that asked.
    pub span: Span,
}

impl Toss {
    /// How likely the side was on which it fell.
    pub fn chance(&self) -> Chance {
        Chance::new(self.weight(), self.total)
    }

    /// So many of the other sides at most, each with its chance, and the chance of all that are not among them.
    pub fn others(&self, most: usize) -> (Vec<(u32, Chance)>, Chance) {
        let others = (0..).zip(&self.sides);
        let others = others.filter(|(side, weight)| *side != self.fell && **weight > 0);
        let mut beyond = self.total.saturating_sub(self.weight());
        let taken = others.take(most).map(|(side, weight)| {
            beyond = beyond.saturating_sub(*weight);
            (side, Chance::new(*weight, self.total))
        });
        (taken.collect(), Chance::new(beyond, self.total))
    }

    fn weight(&self) -> u64 {
        self.sides.get(self.fell as usize).copied().unwrap_or(0)
    }
}

/// Coins that fall as a script says: for who wants to see every road and not only the one that chance takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coins {
    script: Vec<u32>,
    pub tossed: Vec<Toss>,
    /// The text that is at work.
    pub at: Span,
}

impl Coins {
    /// The first tosses fall as told, the rest on their first side.
    pub fn new(script: Vec<u32>) -> Self {
        Self {
            script,
            ..Self::default()
        }
    }

    /// One of some sides, as they weigh; `side` says what each stands for. Where only one can come up nothing is tossed, and
    /// it is `None` where none can.
    pub fn toss(&mut self, sides: Vec<u64>, side: impl Fn(u32) -> Say) -> Option<u32> {
        let mut possible = (0..).zip(&sides).filter(|(_, weight)| **weight > 0);
        let (first, _) = possible.next()?;
        if possible.next().is_none() {
            return Some(first);
        }
        let fell = self.script.get(self.tossed.len()).copied().unwrap_or(first);
        self.tossed.push(Toss {
            total: sides.iter().fold(0, |sum, w| sum.saturating_add(*w)),
            sides,
            fell,
            side: side(fell),
            span: self.at,
        });
        Some(fell)
    }

    /// A coin with too many sides to follow each fell on one.
    pub fn drawn(&mut self, sides: u64, side: Say) {
        self.tossed.push(Toss {
            sides: vec![1],
            total: sides,
            fell: 0,
            side,
            span: self.at,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_stay_in_lowest_terms() {
        let (third, half) = (Chance::new(1, 3), Chance::new(1, 2));
        assert_eq!(Chance::new(2, 3).and(half).to_string(), "1/3");
        assert_eq!(third.or(half).to_string(), "5/6");
        assert_eq!(third.or(third).or(third), Chance::ALWAYS);
        assert_eq!(Chance::new(0, 7), Chance::NEVER);
        assert_eq!(Chance::new(5, 0), Chance::NEVER);
        assert_eq!(third.percent(), "33.33 %");
        assert_eq!(Chance::new(1, 524_288).percent(), "< 0.01 %");
        assert_eq!(Chance::new(524_287, 524_288).percent(), "> 99.99 %");
        assert_eq!(Chance::ALWAYS.percent(), "100.00 %");
        let told = [(1, 3), (1, 10), (1, 8), (1, 1), (0, 1)].map(|(a, b)| Chance::new(a, b).told());
        assert_eq!(told, ["1/3", "10 %", "12.5 %", "100 %", "0 %"]);
    }

    #[test]
    fn a_share_is_read_as_people_write_it() {
        let read = |text| Chance::parse(text).map(|c| c.to_string());
        assert_eq!(read("10 %").as_deref(), Some("1/10"));
        assert_eq!(read("12.5%").as_deref(), Some("1/8"));
        assert_eq!(read("2/6").as_deref(), Some("1/3"));
        assert_eq!(read("0").as_deref(), Some("0"));
        for text in ["", "%", "ten", "101 %", "3/2", "1/0", "-1%", "1.2.3%"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said_to_be_cut() {
        let odd = Chance::new(715_820_725, 1 << 31);
        let mut all = Chance::ALWAYS;
        for _ in 0..9 {
            all = all.and(odd);
        }
        assert!(!all.exact && !all.is_never());
        let mut sum = Chance::NEVER;
        for n in 1..60 {
            sum = sum.or(Chance::new(1, 10_007 + n * n));
        }
        assert!(!sum.exact);
        assert_eq!(sum.parts(1000), 5);
    }

    #[test]
    fn coins_fall_as_told_and_then_on_their_first_side() {
        let mut coins = Coins::new(vec![1]);
        let side = |n: u32| crate::say!("insight/side", name = n);
        assert_eq!(coins.toss(vec![1, 2], side), Some(1));
        assert_eq!(coins.toss(vec![0, 1, 1], side), Some(1));
        assert_eq!(coins.tossed[1].side, side(1));
        let chances: Vec<_> = coins
            .tossed
            .iter()
            .map(|t| t.chance().to_string())
            .collect();
        assert_eq!(chances, ["2/3", "1/2"]);
    }

    #[test]
    fn a_coin_is_tossed_only_where_there_is_a_choice() {
        let mut coins = Coins::new(vec![1]);
        let side = |n: u32| crate::say!("insight/side", name = n);
        assert_eq!(coins.toss(vec![0, 7], side), Some(1));
        assert_eq!(coins.toss(vec![0, 0], side), None);
        assert_eq!(coins.toss(vec![3, 1], side), Some(1));
        assert_eq!(coins.tossed.len(), 1);
    }

    #[test]
    fn sides_that_are_not_followed_have_their_chance() {
        let mut coins = Coins::default();
        let side = |n: u32| crate::say!("insight/side", name = n);
        coins.toss(vec![1, 0, 2, 3], side);
        coins.drawn(10_000, side(7));
        let others = |toss: usize, most| coins.tossed[toss].others(most);
        let (third, half) = (Chance::new(1, 3), Chance::new(1, 2));
        assert_eq!(others(0, 9), (vec![(2, third), (3, half)], Chance::NEVER));
        assert_eq!(others(0, 1), (vec![(2, third)], half));
        assert_eq!(others(1, 9), (vec![], Chance::new(9_999, 10_000)));
    }
}
