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
