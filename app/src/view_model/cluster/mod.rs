//! The cluster as its manifests and its controllers have it.

mod kin;

pub use kin::Kin;

use northsouth::text::{FileId, Span};
use northsouth::workspace::{FileKind, Run};

use crate::i18n::Words;

/// A span's file and line, for people.
pub fn place(run: &Run, span: Span, words: &Words) -> String {
    let file = run.files.get(span.file.index());
    file.map(|f| words.line(&f.name, f.line_column(span.start).line))
        .unwrap_or_default()
}

/// The manifests that a run's controllers read: the file, or `None` where there are more than one.
pub fn manifests(run: &Run) -> Option<&str> {
    let is = |f: &&northsouth::text::File| FileKind::of(&f.name) == FileKind::Manifests;
    let mut all = run.files.iter().filter(is);
    let first = all.next()?;
    all.next().is_none().then_some(&first.name)
}

/// Lines of a file, from 0 and in order: each with its place and its text.
pub fn line_spans<'r>(run: &'r Run, file: usize, wanted: &[usize]) -> Vec<(usize, Span, &'r str)> {
    let (id, Some(file)) = (FileId::at(file), run.files.get(file)) else {
        return Vec::new();
    };
    let mut wanted = wanted.iter().peekable();
    let mut found = Vec::new();
    for (at, line) in northsouth::text::lines(&file.text, id).enumerate() {
        match wanted.peek() {
            None => break,
            Some(next) if **next == at => {
                wanted.next();
                found.push((at, line.span, line.text));
            }
            Some(_) => {}
        }
    }
    found
}
