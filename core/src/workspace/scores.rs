//! What the model was measured on, and how it did: the scores that the tests print, kept in `content/how/scores/scores.txt`.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: &'static str,
    /// So many answers were those of the real system.
    pub right: u32,
    pub all: u32,
}

impl Suite {
    /// What was recorded, in a sentence.
    pub fn about(&self) -> Say {
        match self.name {
            "kernel" => say!("how/kernel"),
            "kernel-semantics" => say!("how/kernel-semantics"),
            "kernel-nft" => say!("how/kernel-nft"),
            "kube-proxy" => say!("how/kube-proxy"),
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
        let Some((name, part)) = read(line) else {
            continue;
        };
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
    }
}
