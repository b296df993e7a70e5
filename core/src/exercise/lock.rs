//! What may be edited.

use crate::text::{Edit, File, diff};
use crate::trace::alike;

/// Files, or lines of them, that may be edited; all else may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editable {
    /// Its name, in which `*` stands for any characters. It need not be there yet.
    pub file: String,
    pub lines: Lines,
}

/// Lines of a file at the start; what is written beside them may be new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    All,
    /// From 1, both ends among them.
    Range(u32, u32),
    /// Those in which this text stands.
    With(String),
}

impl Lines {
    /// `12` or `12-20`.
    pub fn range(text: &str) -> Option<Lines> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let number = |t: &str| t.trim().parse::<u32>().ok().filter(|n| *n > 0);
        let lines = number(from).zip(number(to)).filter(|(from, to)| from <= to);
        lines.map(|(from, to)| Lines::Range(from, to))
    }
}

/// An edit of what is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    pub file: String,
    /// Of the start's text, from 1; `None`: the whole file.
    pub line: Option<u32>,
}

impl Editable {
    fn has(&self, number: u32, text: &str) -> bool {
        match &self.lines {
            Lines::All => true,
            Lines::Range(from, to) => (*from..=*to).contains(&number),
            Lines::With(wanted) => text.contains(wanted.as_str()),
        }
    }
}

/// Of each line of a file at the start, whether it may be edited.
pub fn open_lines(editable: &[Editable], file: &File) -> Vec<bool> {
    let about: Vec<_> = editable
        .iter()
        .filter(|e| alike(&e.file, &file.name))
        .collect();
    let lines = (1..).zip(file.text.lines());
    lines
        .map(|(number, text)| about.iter().any(|e| e.has(number, text)))
        .collect()
}

/// Lines of a text as it is now that must stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// From 1, both ends among them.
    pub from: u32,
    pub to: u32,
    /// Whether something may be written before and after them.
    pub before: bool,
    pub after: bool,
}

/// Of a file at the start and its text now, the runs of lines that may not be edited.
pub fn kept(editable: &[Editable], start: &File, now: &str) -> Vec<Kept> {
    let mut about = editable.iter().filter(|e| alike(&e.file, &start.name));
    if about.any(|e| e.lines == Lines::All) {
        return Vec::new();
    }
    let open = open_lines(editable, start);
    let is_open = |number: Option<u32>| {
        let at = number.and_then(|n| (n as usize).checked_sub(1));
        at.and_then(|at| open.get(at)).copied().unwrap_or(false)
    };
    let mut runs: Vec<Kept> = Vec::new();
    let mut free = false;
    for line in diff(&start.text, now) {
        match (line.edit, line.after) {
            (Edit::Same, Some(at)) if !is_open(line.before) => {
                match runs.last_mut() {
                    Some(last) if last.to + 1 == at && !free => last.to = at,
                    _ => {
                        if let Some(last) = runs.last_mut() {
                            last.after = free;
                        }
                        runs.push(Kept {
                            from: at,
                            to: at,
                            before: free,
                            after: false,
                        });
                    }
                }
                free = false;
            }
            (Edit::Gone, _) => free |= is_open(line.before),
            _ => free = true,
        }
    }
    if let Some(last) = runs.last_mut() {
        last.after = free;
    }
    runs
}

/// The edits that were not allowed, one a file.
pub fn locked(editable: &[Editable], start: &[File], now: &[File]) -> Vec<Locked> {
    let whole = |name: &str| {
        let mut about = editable.iter().filter(|e| alike(&e.file, name));
        about.any(|e| e.lines == Lines::All)
    };
    let mut all = Vec::new();
    for file in start {
        let new = now.iter().find(|f| f.name == file.name);
        if whole(&file.name) || new.is_some_and(|new| new.text == file.text) {
            continue;
        }
        let line = match new {
            None => None,
            Some(new) => match first_locked(&open_lines(editable, file), &file.text, &new.text) {
                Some(line) => Some(line),
                None => continue,
            },
        };
        all.push(Locked {
            file: file.name.to_string(),
            line,
        });
    }
    let new = now
        .iter()
        .filter(|f| start.iter().all(|s| s.name != f.name));
    all.extend(new.filter(|f| !whole(&f.name)).map(|f| Locked {
        file: f.name.to_string(),
        line: None,
    }));
    all
}

/// The first line that is gone and was locked, or beside which something new stands while it and its neighbour are locked.
fn first_locked(open: &[bool], before: &str, after: &str) -> Option<u32> {
    let is_open = |number: u32| {
        let at = (number as usize).checked_sub(1);
        at.and_then(|at| open.get(at)).copied().unwrap_or(false)
    };
    let mut last = 0;
    for line in diff(before, after) {
        match line.edit {
            Edit::Same => last = line.before.unwrap_or(last),
            Edit::Gone => {
                last = line.before.unwrap_or(last);
                if !is_open(last) {
                    return Some(last);
                }
            }
            Edit::New => {
                if !line.text.trim().is_empty() && !is_open(last) && !is_open(last + 1) {
                    return Some(last.max(1));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: Lines, before: &str, after: &str) -> Option<Option<u32>> {
        let editable = [Editable {
            file: "nodes/*/f".to_string(),
            lines,
        }];
        let file = |text| [File::new("nodes/n1/f", text)];
        let found = locked(&editable, &file(before), &file(after));
        found.first().map(|l| l.line)
    }

    #[test]
    fn lines_that_are_locked_stay() {
        let range = || Lines::Range(2, 2);
        assert_eq!(said(range(), "a\nb\nc\n", "a\nx\ny\nc\n"), None);
        assert_eq!(said(range(), "a\nb\nc\n", "a\nb\nnew\nc\n"), None);
        assert_eq!(said(range(), "a\nb\nc\n", "a\nb\n"), Some(Some(3)));
        assert_eq!(
            said(range(), "a\nb\nc\nd\n", "a\nb\nc\nnew\nd\n"),
            Some(Some(3))
        );
        assert_eq!(said(Lines::With("b".into()), "a\nb\n", "a\n"), None);
        assert_eq!(said(Lines::All, "a\n", ""), None);
    }

    #[test]
    fn runs_of_lines_that_stay_are_told_of_the_text_as_it_is_now() {
        let runs = |lines: Lines, before: &str, now: &str| -> Vec<(u32, u32, bool, bool)> {
            let editable = [Editable {
                file: "f".to_string(),
                lines,
            }];
            let runs = kept(&editable, &File::new("f", before), now);
            let run = |k: Kept| (k.from, k.to, k.before, k.after);
            runs.into_iter().map(run).collect()
        };
        let (text, two) = ("a\nb\nc\nd\n", || Lines::Range(2, 2));
        let untouched = [(1, 1, false, true), (3, 4, true, false)];
        assert_eq!(runs(two(), text, text), untouched);
        let gone = [(1, 1, false, true), (2, 3, true, false)];
        assert_eq!(runs(two(), text, "a\nc\nd\n"), gone);
        let longer = [(1, 1, false, true), (4, 5, true, false)];
        assert_eq!(runs(two(), text, "a\nb\nx\nc\nd\n"), longer);
        assert_eq!(
            runs(Lines::With("d".into()), text, text),
            [(1, 3, false, true)]
        );
        assert_eq!(runs(Lines::All, text, text), []);
        assert_eq!(kept(&[], &File::new("f", "a\n"), "a\n").len(), 1);
    }

    #[test]
    fn files_that_nothing_names_can_neither_go_nor_come() {
        let file = File::new("x", "");
        let whole = Locked {
            file: "x".to_string(),
            line: None,
        };
        assert_eq!(
            locked(&[], std::slice::from_ref(&file), &[]),
            std::slice::from_ref(&whole)
        );
        assert_eq!(locked(&[], &[], &[file]), [whole]);
    }
}
