//! Changes of files: how exercises and hand-ins write them, and what they come to.

use crate::say;
use crate::text::{Edit, File, Say, Span, diff, unified};

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    pub name: String,
    pub kind: ChangeKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is this text, whether it was there before or not.
    Whole(String),
    /// Lines go and come: `-line`, `+line`, with ` line` for those that stay; `@@` between places, as `diff -u` writes
    /// it. A place with nothing but `+` lines is the end of the file.
    Lines(String),
    Delete,
}

/// A change that does not fit the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub say: Say,
    pub span: Span,
}

/// The files after the changes, in their order; new ones come last.
pub fn apply(files: &[File], changes: &[FileChange]) -> Result<Vec<File>, Mismatch> {
    let mut files = files.to_vec();
    for change in changes {
        let at = files.iter().position(|f| *f.name == *change.name);
        let fault = |say| Mismatch {
            say,
            span: change.span,
        };
        match (&change.kind, at) {
            (ChangeKind::Whole(text), Some(at)) => files[at].text = text.as_str().into(),
            (ChangeKind::Whole(text), None) => files.push(File::new(&change.name, text)),
            (ChangeKind::Lines(edit), Some(at)) => {
                let text = edited(&files[at].text, edit, &change.name).map_err(fault)?;
                files[at].text = text.as_str().into();
            }
            (ChangeKind::Delete, Some(at)) => {
                files.remove(at);
            }
            (_, None) => return Err(fault(say!("exercise/no-such-file", file = change.name))),
        }
    }
    Ok(files)
}

/// What makes the one the other, for [`apply`].
pub fn changes(before: &[File], after: &[File]) -> Vec<FileChange> {
    let change = |name: &str, kind| FileChange {
        name: name.to_string(),
        kind,
        span: Span::default(),
    };
    let find = |files: &[File], name: &str| files.iter().position(|f| *f.name == *name);
    let mut all = Vec::new();
    for file in before {
        if find(after, &file.name).is_none() {
            all.push(change(&file.name, ChangeKind::Delete));
        }
    }
    for file in after {
        let old = find(before, &file.name).and_then(|at| before.get(at));
        let kind = match old {
            Some(old) if old.text == file.text => continue,
            Some(old) => {
                let lines = unified(&old.text, &file.text, 1);
                match edited(&old.text, &lines, &file.name) {
                    Ok(text) if *text == *file.text => ChangeKind::Lines(lines),
                    // An end of line that the lines do not tell.
                    _ => ChangeKind::Whole(file.text.to_string()),
                }
            }
            None => ChangeKind::Whole(file.text.to_string()),
        };
        all.push(change(&file.name, kind));
    }
    all
}

/// A change as a fenced block of an exercise's file.
pub fn block(change: &FileChange) -> String {
    let (word, text) = match &change.kind {
        ChangeKind::Whole(text) => ("file", text.as_str()),
        ChangeKind::Lines(lines) => ("edit", lines.as_str()),
        ChangeKind::Delete => ("delete", ""),
    };
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("```{word} {}\n{text}{end}```\n", change.name)
}

/// How many lines differ: of lines that stand for others, the more; empty ones do not count.
pub fn lines_edited(before: &[File], after: &[File]) -> u32 {
    let text = |files: &[File], name: &str| {
        let file = files.iter().find(|f| *f.name == *name);
        file.map(|f| f.text.clone()).unwrap_or_default()
    };
    let gone = before
        .iter()
        .filter(|b| after.iter().all(|a| a.name != b.name));
    let names = after.iter().chain(gone).map(|f| &f.name);
    let mut count = 0;
    for name in names {
        let (old, new) = (text(before, name), text(after, name));
        if old == new {
            continue;
        }
        let (mut removed, mut added) = (0_u32, 0_u32);
        for line in diff(&old, &new) {
            let full = u32::from(!line.text.trim().is_empty());
            match line.edit {
                Edit::Gone => removed += full,
                Edit::New => added += full,
                Edit::Same => {
                    count += removed.max(added);
                    (removed, added) = (0, 0);
                }
            }
        }
        count += removed.max(added);
    }
    count
}

/// A place of a change of lines.
#[derive(Default)]
struct Hunk<'e> {
    /// The line it starts at, where `@@` tells it, from 1.
    line: Option<usize>,
    old: Vec<&'e str>,
    new: Vec<&'e str>,
}

fn hunks(edit: &str) -> Result<Vec<Hunk<'_>>, Say> {
    let mut all: Vec<Hunk> = Vec::new();
    let mut hunk = Hunk::default();
    for line in edit.lines() {
        if let Some(place) = line.strip_prefix("@@") {
            let told = place.trim_start().strip_prefix('-');
            let digits = |t: &str| t.split([',', ' ']).next().and_then(|n| n.parse().ok());
            let next = Hunk {
                line: told.and_then(digits),
                ..Hunk::default()
            };
            all.push(std::mem::replace(&mut hunk, next));
        } else if let Some(gone) = line.strip_prefix('-') {
            hunk.old.push(gone);
        } else if let Some(new) = line.strip_prefix('+') {
            hunk.new.push(new);
        } else if line.is_empty() || line.starts_with(' ') {
            let kept = line.get(1..).unwrap_or_default();
            hunk.old.push(kept);
            hunk.new.push(kept);
        } else {
            return Err(say!("exercise/bad-edit-line", line = line));
        }
    }
    all.push(hunk);
    all.retain(|h| !(h.old.is_empty() && h.new.is_empty()));
    Ok(all)
}

fn edited(text: &str, edit: &str, file: &str) -> Result<String, Say> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    let mut from = 0;
    for hunk in hunks(edit)? {
        let at = place(&lines, from, &hunk).map_err(|times| {
            let line = hunk.old.first().copied().unwrap_or_default();
            match times {
                0 => say!("exercise/edit-not-there", file = file, line = line),
                _ => say!("exercise/edit-many-places", file = file, line = line),
            }
        })?;
        out.extend(lines.get(from..at).unwrap_or_default());
        out.extend(&hunk.new);
        from = at + hunk.old.len();
    }
    out.extend(lines.get(from..).unwrap_or_default());
    let mut text = out.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Ok(text)
}

/// Where a hunk's old lines stand; otherwise how many places have them.
fn place(lines: &[&str], from: usize, hunk: &Hunk<'_>) -> Result<usize, usize> {
    let fits = |at: usize| lines.get(at..at + hunk.old.len()) == Some(&hunk.old[..]);
    if let Some(line) = hunk.line {
        // As diff counts: an empty stretch stands behind the line it names.
        let at = if hunk.old.is_empty() {
            line
        } else {
            line.saturating_sub(1)
        };
        if at >= from && at <= lines.len() && fits(at) {
            return Ok(at);
        }
    }
    if hunk.old.is_empty() {
        return Ok(lines.len());
    }
    let mut found = (from..=lines.len()).filter(|at| fits(*at));
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (None, _) => Err(0),
        (Some(_), Some(_)) => Err(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, edit: &str) -> Result<String, &'static str> {
        edited(text, edit, "f").map_err(|say| say.key)
    }

    #[test]
    fn lines_go_and_come_where_they_stand() {
        assert_eq!(edit("a\nb\nc\n", "-b\n+x\n+y\n"), Ok("a\nx\ny\nc\n".into()));
        assert_eq!(edit("a\nb\na\n", " b\n-a\n"), Ok("a\nb\n".into()));
        assert_eq!(edit("a\n", "+z\n"), Ok("a\nz\n".into()));
        assert_eq!(edit("a\nb\n", "-a\n@@\n-b\n+c\n"), Ok("c\n".into()));
        assert_eq!(
            edit("a\na\n", "@@ -2,1 +2,1 @@\n-a\n+b\n"),
            Ok("a\nb\n".into())
        );
        assert_eq!(edit("a\nb\n", "-c\n"), Err("exercise/edit-not-there"));
        assert_eq!(edit("a\na\n", "-a\n"), Err("exercise/edit-many-places"));
        assert_eq!(edit("a\n", "b\n"), Err("exercise/bad-edit-line"));
    }

    #[test]
    fn what_changes_tells_makes_the_one_the_other() {
        let before = [
            File::new("same", "x\n"),
            File::new("gone", "x\n"),
            File::new("edited", "1\n2\n2\n2\n3\n"),
            File::new("without end", "1\n2"),
        ];
        let after = [
            File::new("same", "x\n"),
            File::new("edited", "0\n1\n2\n2\n2\n2\n3\n"),
            File::new("without end", "1\n3"),
            File::new("new", "n\n"),
        ];
        let told = changes(&before, &after);
        assert_eq!(told.len(), 4);
        assert_eq!(apply(&before, &told), Ok(after.to_vec()));
        assert_eq!(lines_edited(&before, &after), 1 + 2 + 1 + 1);
    }
}
