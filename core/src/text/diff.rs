//! The lines that two texts share, and those that only one of them has.

use std::collections::BTreeMap;
use std::ops::Range;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit {
    Same,
    /// In the first text only.
    Gone,
    /// In the second text only.
    New,
}

/// A line of either text, without its end, and where it stands there, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffLine<'a> {
    pub edit: Edit,
    pub text: &'a str,
    pub before: Option<u32>,
    pub after: Option<u32>,
}

/// All lines of both texts in order, those that went before those that came. Fewest edits, by Myers' algorithm in linear
/// space ("An O(ND) Difference Algorithm and Its Variations", 1986); texts that have little in common are split early, so
/// that the time stays bounded.
pub fn diff<'a>(before: &'a str, after: &'a str) -> Vec<DiffLine<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut numbers = BTreeMap::new();
    let mut numbered = |lines: &[&'a str]| -> Vec<u32> {
        let mut of = |line| {
            let next = numbers.len() as u32;
            *numbers.entry(line).or_insert(next)
        };
        lines.iter().map(|line| of(*line)).collect()
    };
    let (a, b) = (numbered(&old), numbered(&new));
    let (gone, come) = changed(&a, &b);
    let mut lines = Vec::with_capacity(new.len());
    let (mut i, mut j) = (0, 0);
    let at = |n: usize| Some(n as u32 + 1);
    while i < old.len() || j < new.len() {
        let (edit, text) = match (gone.get(i), come.get(j)) {
            (Some(true), _) => (Edit::Gone, old.get(i)),
            (_, Some(true)) => (Edit::New, new.get(j)),
            _ => (Edit::Same, new.get(j)),
        };
        lines.push(DiffLine {
            edit,
            text: text.copied().unwrap_or_default(),
            before: at(i).filter(|_| edit != Edit::New),
            after: at(j).filter(|_| edit != Edit::Gone),
        });
        i += usize::from(edit != Edit::New);
        j += usize::from(edit != Edit::Gone);
    }
    lines
}

/// The stretches of a diff that hold its changes, each with up to `context` lines around them.
pub fn hunks(lines: &[DiffLine<'_>], context: usize) -> Vec<Range<usize>> {
    let mut hunks: Vec<Range<usize>> = Vec::new();
    let edits = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| l.edit != Edit::Same);
    for (at, _) in edits {
        let (from, to) = (
            at.saturating_sub(context),
            (at + context + 1).min(lines.len()),
        );
        match hunks.last_mut() {
            Some(last) if from <= last.end => last.end = to,
            _ => hunks.push(from..to),
        }
    }
    hunks
}

/// As `diff -u` prints it, without the names; empty for equal texts.
pub fn unified(before: &str, after: &str, context: usize) -> String {
    let lines = diff(before, after);
    let mut out = String::new();
    for hunk in hunks(&lines, context) {
        let stretch = lines.get(hunk).unwrap_or_default();
        let side = |of: fn(&DiffLine<'_>) -> Option<u32>| {
            let count = stretch.iter().filter_map(of).count();
            (stretch.iter().find_map(of).unwrap_or(0), count)
        };
        let ((a, old), (b, new)) = (side(|l| l.before), side(|l| l.after));
        out.push_str(&format!("@@ -{a},{old} +{b},{new} @@\n"));
        for line in stretch {
            out.push(match line.edit {
                Edit::Same => ' ',
                Edit::Gone => '-',
                Edit::New => '+',
            });
            out.push_str(line.text);
            out.push('\n');
        }
    }
    out
}

/// Of each element, whether the other side lacks it.
pub(crate) fn changed(a: &[u32], b: &[u32]) -> (Vec<bool>, Vec<bool>) {
    let (mut gone, mut come) = (vec![false; a.len()], vec![false; b.len()]);
    let mut todo = vec![(0..a.len(), 0..b.len())];
    while let Some((mut old, mut new)) = todo.pop() {
        let (x, y) = (&a[old.clone()], &b[new.clone()]);
        let head = x.iter().zip(y).take_while(|(x, y)| x == y).count();
        let (x, y) = (&x[head..], &y[head..]);
        let tail = x
            .iter()
            .rev()
            .zip(y.iter().rev())
            .take_while(|(x, y)| x == y)
            .count();
        (old.start, new.start) = (old.start + head, new.start + head);
        (old.end, new.end) = (old.end - tail, new.end - tail);
        let (x, y) = (&x[..x.len() - tail], &y[..y.len() - tail]);
        let middle = match x.is_empty() || y.is_empty() {
            true => None,
            false => middle(x, y),
        };
        match middle {
            Some((i, j)) => {
                todo.push((old.start..old.start + i, new.start..new.start + j));
                todo.push((old.start + i..old.end, new.start + j..new.end));
            }
            None => {
                gone[old].fill(true);
                come[new].fill(true);
            }
        }
    }
    (gone, come)
}

/// So many edits are looked at from either end before the best way so far is taken.
const MOST_EDITS: i64 = 512;

/// A place that a shortest way passes, or nearly one; neither end. `None` where there is no such place.
fn middle(a: &[u32], b: &[u32]) -> Option<(usize, usize)> {
    let (n, m) = (a.len() as i64, b.len() as i64);
    let delta = n - m;
    let most = ((n + m + 1) / 2).min(MOST_EDITS);
    let size = (2 * most + 3) as usize;
    // How far each diagonal was followed, from the begin and from the end.
    let (mut front, mut back) = (vec![0_i64; size], vec![0_i64; size]);
    let slot = |k: i64| (k + most + 1) as usize;
    let same =
        |x: i64, y: i64| x < n && y < m && x >= 0 && y >= 0 && a[x as usize] == b[y as usize];
    let found = |x: i64, y: i64| {
        let (x, y) = (x.clamp(0, n), y.clamp(0, m));
        let ends = (x, y) == (0, 0) || (x, y) == (n, m);
        (!ends).then_some((x as usize, y as usize))
    };
    let next = |way: &[i64], k: i64, d: i64| {
        let down = k == -d || k != d && way[slot(k - 1)] < way[slot(k + 1)];
        if down {
            way[slot(k + 1)]
        } else {
            way[slot(k - 1)] + 1
        }
    };
    for d in 0..=most {
        for k in (-d..=d).step_by(2) {
            let mut x = next(&front, k, d);
            while same(x, x - k) {
                x += 1;
            }
            front[slot(k)] = x;
            let other = delta - k;
            if delta % 2 != 0 && other.abs() < d && x + back[slot(other)] >= n {
                return found(x, x - k);
            }
        }
        for k in (-d..=d).step_by(2) {
            let mut x = next(&back, k, d);
            while same(n - 1 - x, m - 1 - (x - k)) {
                x += 1;
            }
            back[slot(k)] = x;
            let other = delta - k;
            if delta % 2 == 0 && other.abs() <= d && x + front[slot(other)] >= n {
                return found(n - x, m - (x - k));
            }
        }
    }
    let reached = (-most..=most)
        .step_by(2)
        .map(|k| (front[slot(k)], front[slot(k)] - k));
    let inside = reached.filter(|(x, y)| *x <= n && (0..=m).contains(y));
    inside
        .max_by_key(|(x, y)| x + y)
        .and_then(|(x, y)| found(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Random;

    fn marks(before: &str, after: &str) -> String {
        let signs = |l: &DiffLine<'_>| match l.edit {
            Edit::Same => l.text.to_string(),
            Edit::Gone => format!("-{}", l.text),
            Edit::New => format!("+{}", l.text),
        };
        diff(before, after)
            .iter()
            .map(signs)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn shared_lines_stay_and_the_others_go_and_come() {
        assert_eq!(marks("a\nb\nc\n", "a\nc\n"), "a -b c");
        assert_eq!(marks("a\nb\nc\n", "a\nx\nc\n"), "a -b +x c");
        assert_eq!(marks("", "a\nb\n"), "+a +b");
        // The example of Myers' paper.
        let edits = marks("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n");
        assert_eq!(edits, "-a +c b -c a b -b a +c");
    }

    #[test]
    fn the_printed_form_is_that_of_diff() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = before.replace("2\n", "").replace("8\n", "8\neight\n");
        let printed = unified(before, &after, 1);
        assert_eq!(
            printed,
            "@@ -1,3 +1,2 @@\n 1\n-2\n 3\n@@ -8,2 +7,3 @@\n 8\n+eight\n 9\n"
        );
        assert_eq!(unified(before, before, 3), "");
    }

    #[test]
    fn either_side_can_be_had_back_from_any_diff() {
        let mut random = Random::new(7);
        for round in 0..300 {
            let mut text = |most: u32, letters: u32| -> String {
                let length = random.below(most);
                (0..length)
                    .map(|_| format!("{}\n", random.below(letters)))
                    .collect()
            };
            let (most, letters) = if round == 0 {
                (6000, 5000)
            } else {
                (40, 1 + round % 9)
            };
            let (before, after) = (text(most, letters), text(most, letters));
            let lines = diff(&before, &after);
            let side = |without: Edit| -> String {
                let kept = lines.iter().filter(|l| l.edit != without);
                kept.map(|l| format!("{}\n", l.text)).collect()
            };
            assert_eq!((side(Edit::New), side(Edit::Gone)), (before, after));
        }
    }

    #[test]
    fn a_few_edits_in_a_long_text_stay_few() {
        let long: String = (0..20_000)
            .map(|n| format!("-A CHAIN -p tcp --dport {n}\n"))
            .collect();
        let edited = long
            .replace("dport 77\n", "dport 78\n")
            .replace("-A CHAIN -p tcp --dport 9999\n", "");
        let edits = diff(&long, &edited);
        assert_eq!(edits.iter().filter(|l| l.edit != Edit::Same).count(), 3);
    }
}
