use saphyr_parser::Marker;

use crate::text::{FileId, Span};

/// From the parser's positions, which count characters, to bytes of the file.
pub(super) struct Places {
    pub file: FileId,
    start: usize,
    /// Where each character starts; empty where all are ASCII.
    offsets: Vec<u32>,
    len: usize,
}

impl Places {
    pub fn new(part: &str, start: usize, file: FileId) -> Self {
        let offsets = if part.is_ascii() {
            Vec::new()
        } else {
            part.char_indices().map(|(at, _)| at as u32).collect()
        };
        Self {
            file,
            start,
            offsets,
            len: part.len(),
        }
    }

    pub fn start(&self) -> usize {
        self.start
    }

    pub fn end(&self) -> usize {
        self.start + self.len
    }

    pub fn byte(&self, mark: Marker) -> usize {
        let at = if self.offsets.is_empty() {
            mark.index()
        } else {
            self.offsets
                .get(mark.index())
                .map_or(self.len, |at| *at as usize)
        };
        self.start + at.min(self.len)
    }

    /// Without the blanks that the parser counts to the end of a value.
    pub fn span(&self, part: &str, span: saphyr_parser::Span) -> Span {
        let (start, end) = (self.byte(span.start), self.byte(span.end));
        let text = part.get(start - self.start..end - self.start);
        let blanks = text.map_or(0, |t| t.len() - t.trim_end().len());
        Span::new(self.file, start, end - blanks)
    }
}
