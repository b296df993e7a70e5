use std::collections::BTreeSet;
use std::sync::Arc;

use northsouth::text::File;

/// A line of a file, from 1, at which the packet stops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breakpoint {
    pub file: Arc<str>,
    pub line: u32,
}

/// They stay with their lines as the files are edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakpoints(BTreeSet<Breakpoint>);

impl Breakpoints {
    pub fn toggle(&mut self, breakpoint: Breakpoint) {
        if !self.0.remove(&breakpoint) {
            self.0.insert(breakpoint);
        }
    }

    pub fn has(&self, breakpoint: &Breakpoint) -> bool {
        self.0.contains(breakpoint)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By file and line.
    pub fn iter(&self) -> impl Iterator<Item = &Breakpoint> {
        self.0.iter()
    }

    /// The lines of one file.
    pub fn lines(&self, file: &str) -> Vec<u32> {
        let here = self.0.iter().filter(|b| *b.file == *file);
        here.map(|b| b.line).collect()
    }

    /// For the next visit: a line each, as `12 nodes/work001/iptables-save.txt`.
    pub fn write(&self) -> String {
        let lines = self.0.iter().map(|b| format!("{} {}\n", b.line, b.file));
        lines.collect()
    }

    /// Those that were written, on lines that are still there.
    pub fn read(text: &str, files: &[File]) -> Self {
        let read = text.lines().filter_map(|written| {
            let (line, name) = written.split_once(' ')?;
            let line: u32 = line.parse().ok()?;
            let file = files.iter().find(|f| *f.name == *name)?;
            let at = usize::try_from(line).ok()?.checked_sub(1)?;
            file.text.lines().nth(at)?;
            Some(Breakpoint {
                file: file.name.clone(),
                line,
            })
        });
        Self(read.collect())
    }

    /// The files have other texts now. A breakpoint whose line, or whose file, is gone is gone as well.
    pub fn follow(&mut self, before: &[File], after: &[File]) {
        let text = |files: &[File], name: &str| {
            let file = files.iter().find(|f| *f.name == *name);
            file.map(|f| f.text.clone())
        };
        let moved = std::mem::take(&mut self.0).into_iter().filter_map(|b| {
            let (old, new) = (text(before, &b.file)?, text(after, &b.file)?);
            let line = if old == new {
                b.line
            } else {
                line_after(&old, &new, b.line)?
            };
            Some(Breakpoint { line, ..b })
        });
        self.0 = moved.collect();
    }
}

/// Where a line of one text stands in the other, by what the two have in common at their beginnings and ends.
fn line_after(before: &str, after: &str, line: u32) -> Option<u32> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let (old, new) = (before.lines().count(), after.lines().count());
    let same = |a: &(&str, &str)| a.0 == a.1;
    let start = before.lines().zip(after.lines()).take_while(same).count();
    let ends = before.lines().rev().zip(after.lines().rev());
    let end = ends.take_while(same).count().min(old.min(new) - start);
    let at = if at < start {
        at
    } else if at + end >= old {
        (at + new).checked_sub(old)?
    } else {
        // Within what was changed: the same line of it, while there is one.
        Some(at).filter(|at| at + end < new)?
    };
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_where_its_line_is_still_there() {
        let files = [File::new("nodes/a b/ip-route.txt", "one\ntwo\n")];
        let mut kept = Breakpoints::default();
        for line in [1, 2] {
            kept.toggle(Breakpoint {
                file: files[0].name.clone(),
                line,
            });
        }
        assert_eq!(Breakpoints::read(&kept.write(), &files), kept);
        assert_eq!(
            Breakpoints::read(&kept.write(), &[]),
            Breakpoints::default()
        );
        let shorter = [File::new("nodes/a b/ip-route.txt", "one\n")];
        assert_eq!(
            Breakpoints::read(&kept.write(), &shorter).lines("nodes/a b/ip-route.txt"),
            [1]
        );
        assert_eq!(
            Breakpoints::read("0 x\nx\n-1 y", &files),
            Breakpoints::default()
        );
    }

    #[test]
    fn a_breakpoint_stays_with_its_line() {
        let before = "a\nb\nc\nd\n";
        for (after, line, expected) in [
            ("a\nb\nc\nd\n", 3, Some(3)),
            ("new\na\nb\nc\nd\n", 3, Some(4)),
            ("a\nb\nc changed\nd\n", 3, Some(3)),
            ("a\nb\nc\nd\ne\n", 3, Some(3)),
            ("b\nc\nd\n", 3, Some(2)),
            ("a\nb\nd\n", 3, None),
            ("", 1, None),
        ] {
            assert_eq!(line_after(before, after, line), expected, "{after:?}");
        }
    }
}
