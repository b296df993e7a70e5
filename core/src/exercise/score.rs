//! Golf: goals first, then the fewest strokes.

use serde::Serialize;

/// A stroke for each line edited; opening the first hint costs one, the second two, the third three more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Of the goals that did not hold at the start.
    pub passed: u32,
    pub of: u32,
    /// Every goal holds, and nothing locked was edited.
    pub solved: bool,
    pub lines: u32,
    pub hints: u32,
    pub strokes: u32,
    /// The strokes of the reference solution.
    pub par: u32,
    /// From 0 to 100, for mark books: an unsolved exercise gets up to 40, a solved one at least 60, at par or below 100.
    pub points: u32,
}

impl Score {
    pub(super) fn new(
        passed: u32,
        of: u32,
        solved: bool,
        lines: u32,
        hints: u32,
        par: u32,
    ) -> Score {
        let hints = hints.min(3);
        let strokes = lines.saturating_add(hints * (hints + 1) / 2);
        let over = strokes.saturating_sub(par);
        let points = if solved {
            100 - over.saturating_mul(5).min(40)
        } else {
            40 * passed / of.max(1)
        };
        Score {
            passed,
            of,
            solved,
            lines,
            hints,
            strokes,
            par,
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stroke_over_par_costs_and_a_solved_one_stays_above_an_unsolved() {
        assert_eq!(Score::new(2, 2, true, 1, 0, 1).points, 100);
        assert_eq!(Score::new(2, 2, true, 2, 2, 1).points, 80);
        assert_eq!(Score::new(2, 2, true, 900, 3, 1).points, 60);
        assert_eq!(Score::new(1, 2, false, 1, 0, 1).points, 20);
    }
}
