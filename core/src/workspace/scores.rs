//! What the model was measured on, and how it did: the scores that the tests print, kept in `content/how/scores/scores.txt`,
//! and beside them which cases cannot be as recorded, and why.

use crate::content;
use crate::say;
use crate::text::Say;

/// The recordings of one real system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    pub name: &'static str,
    pub parts: Vec<Part>,
}

/// One thing that was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: &'static str,
    /// So many answers were those of the real system.
    pub right: u32,
    pub all: u32,
    pub misses: Vec<Missed>,
}

/// A case whose answer depends on what the recording does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    pub name: &'static str,
    why: &'static str,
}

impl Missed {
    pub fn why(&self) -> Say {
        match self.why {
            "hash" => say!("how/miss-hash"),
            "certificate" => say!("how/miss-certificate"),
            _ => say!("how/miss-chance"),
        }
    }
}

impl Suite {
    /// What was recorded, in a sentence.
    pub fn about(&self) -> Say {
        match self.name {
            "kernel" => say!("how/kernel"),
            "kernel-semantics" => say!("how/kernel-semantics"),
            "kernel-nft" => say!("how/kernel-nft"),
            "kube-proxy" => say!("how/kube-proxy"),
            "endpoint-slices" => say!("how/endpoint-slices"),
            "cluster" => say!("how/cluster"),
            "envoy" => say!("how/envoy"),
            "istio" => say!("how/istio"),
            "iptables-parser" | "iptables-options" => say!("how/iptables-parser"),
            _ => say!("how/other"),
        }
    }

    /// All parts together.
    pub fn sum(&self) -> (u32, u32) {
        let parts = self.parts.iter();
        parts.fold((0, 0), |(right, all), p| (right + p.right, all + p.all))
    }
}

/// All suites in the order of their names; none where the scores were not fetched yet.
pub fn scores() -> Vec<Suite> {
    let text = content::file("how/scores/scores.txt").unwrap_or_default();
    let mut suites: Vec<Suite> = Vec::new();
    for line in text.lines() {
        let Some((name, mut part)) = read(line) else {
            continue;
        };
        part.misses = misses(name, part.name);
        match suites.iter_mut().find(|s| s.name == name) {
            Some(suite) => suite.parts.push(part),
            None => suites.push(Suite {
                name,
                parts: vec![part],
            }),
        }
    }
    suites
}

/// The known misses of a part: lines `SUITE/PART CASE REASON`.
pub fn misses(suite: &str, part: &str) -> Vec<Missed> {
    let text = content::file("how/scores/misses.txt").unwrap_or_default();
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let of = words.next()?.split_once('/')?;
        let missed = Missed {
            name: words.next()?,
            why: words.next()?,
        };
        (of == (suite, part)).then_some(missed)
    });
    lines.collect()
}

/// `SUITE/PART: N of M`, or `SUITE: N of M`
fn read(line: &'static str) -> Option<(&'static str, Part)> {
    let (name, count) = line.split_once(": ")?;
    let (suite, part) = name.split_once('/').unwrap_or((name, name));
    let (right, all) = count.split_once(" of ")?;
    let (right, all) = (right.parse().ok()?, all.parse().ok()?);
    Some((
        suite,
        Part {
            name: part,
            right,
            all,
            misses: Vec::new(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_scores_is_read_and_every_suite_is_told_of() {
        let text = content::file("how/scores/scores.txt").unwrap();
        let parts: usize = scores().iter().map(|s| s.parts.len()).sum();
        assert_eq!(parts, text.lines().count());
        for suite in scores() {
            assert_ne!(suite.about(), say!("how/other"), "{}", suite.name);
            let (right, all) = suite.sum();
            assert!(0 < right && right <= all, "{}", suite.name);
        }
        let text = content::file("how/scores/misses.txt").unwrap();
        let all = scores();
        let told = all.iter().flat_map(|s| &s.parts);
        let told: usize = told.map(|p| p.misses.len()).sum();
        assert_eq!(told, text.lines().count());
        for suite in all.iter().filter(|s| ["envoy", "istio"].contains(&s.name)) {
            for part in &suite.parts {
                let missed = u32::try_from(part.misses.len()).unwrap();
                assert_eq!(part.right + missed, part.all, "{}", part.name);
            }
        }
    }
}
