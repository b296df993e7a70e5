//! Flow collections whose lines are not indented. YAML wants them deeper than what they are in (YAML 1.2.2, 7.4), and so does the
//! parser; kubectl's takes them anywhere (libyaml `src/scanner.c`, `yaml_parser_unroll_indent`), and people write
//!
//! ```text
//! args: [
//!   "-v",
//! ]
//! ```

use std::borrow::Cow;

/// Lines that are joined to those before them; each costs another reading.
const MOST: usize = 200;

/// Whether the parser complains of that. Outside of flow collections it never does so: there, a line to the left ends what it is
/// not in.
pub(super) fn is(info: &str) -> bool {
    matches!(
        info,
        "invalid indentation" | "invalid indentation in flow construct"
    )
}

/// A text in which such lines are behind those before them, each character where it was.
pub(super) struct Loose<'t> {
    pub text: Cow<'t, str>,
    joined: usize,
}

impl<'t> Loose<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            joined: 0,
        }
    }

    /// Joins the line of this character to the one before, over lines with nothing but comments. Not where a comment may be none.
    pub fn join(&mut self, at: usize) -> bool {
        let mut chars: Vec<char> = self.text.chars().collect();
        let break_before = |chars: &[char], at: usize| {
            let before = chars.get(..at.min(chars.len()))?;
            before.iter().rposition(|c| *c == '\n')
        };
        let Some(mut end) = break_before(&chars, at).filter(|_| self.joined < MOST) else {
            return false;
        };
        loop {
            let start = break_before(&chars, end).map_or(0, |at| at + 1);
            let line = chars.get_mut(start..=end).unwrap_or_default();
            let first = line.iter().position(|c| !c.is_whitespace());
            let blank_before = |at: usize| {
                let before = at.checked_sub(1).and_then(|at| line.get(at));
                before.is_none_or(|c| c.is_whitespace())
            };
            let mut marks = line.iter().enumerate().filter(|(_, c)| **c == '#');
            let comment = marks.find(|(at, _)| blank_before(*at)).map(|(at, _)| at);
            if let Some(comment) = comment {
                let (before, after) = line.split_at_mut(comment);
                let quotes = |part: &[char], quote| part.iter().filter(|c| **c == quote).count();
                // Within quotes it is none.
                let open = ['"', '\''].iter().any(|q| quotes(before, *q) % 2 == 1);
                if open || ['"', '\''].iter().any(|q| quotes(after, *q) > 0) {
                    return false;
                }
                after.fill(' ');
            }
            for end in line.iter_mut().filter(|c| matches!(c, '\n' | '\r')) {
                *end = ' ';
            }
            if first.is_none_or(|at| line.get(at) == Some(&' ')) {
                match start.checked_sub(1) {
                    Some(before) => end = before,
                    None => return false,
                }
            } else {
                break;
            }
        }
        self.text = Cow::Owned(chars.into_iter().collect());
        self.joined += 1;
        true
    }
}
