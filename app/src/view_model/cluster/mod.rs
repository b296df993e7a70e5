//! The cluster as its manifests and its controllers have it.

mod kin;

pub use kin::Kin;

use northsouth::text::{FileId, Span};
use northsouth::workspace::{FileKind, Run};

use crate::i18n::Words;

/// A span's file and line, for people.
pub fn place(run: &Run, span: Span, words: &Words) -> String {
    let file = run.files.get(usize::from(span.file.0));
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

/// A line of a file, from 0: its place and its text.
pub fn line_span(run: &Run, file: usize, line: usize) -> Option<(Span, &str)> {
    let id = FileId(u16::try_from(file).ok()?);
    let text = &run.files.get(file)?.text;
    let found = northsouth::text::lines(text, id).nth(line)?;
    Some((found.span, found.text))
}
