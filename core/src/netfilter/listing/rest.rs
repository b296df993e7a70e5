//! A line of a listing, word by word.

use crate::text::{FileId, Span};

/// What is left of a line. A copy looks ahead.
#[derive(Clone, Copy)]
pub(super) struct Rest<'t> {
    text: &'t str,
    /// Where the text begins in the file.
    at: usize,
    file: FileId,
}

impl<'t> Rest<'t> {
    pub(super) fn new(text: &'t str, at: usize, file: FileId) -> Self {
        Self { text, at, file }
    }

    fn skip(&mut self, bytes: usize) -> &'t str {
        let (head, tail) = self.text.split_at_checked(bytes).unwrap_or((self.text, ""));
        self.text = tail;
        self.at += head.len();
        head
    }

    fn blanks(&mut self) {
        let blanks = self.text.len() - self.text.trim_start().len();
        self.skip(blanks);
    }

    /// The next word, which is left there.
    pub(super) fn peek(&mut self) -> &'t str {
        self.blanks();
        self.text.split([' ', '\t']).next().unwrap_or("")
    }

    /// The next word and its place.
    pub(super) fn word(&mut self) -> Option<(&'t str, Span)> {
        let word = self.peek();
        if word.is_empty() {
            return None;
        }
        let start = self.at;
        self.skip(word.len());
        Some((word, Span::new(self.file, start, self.at)))
    }

    /// The next word alone.
    pub(super) fn next(&mut self) -> Option<&'t str> {
        self.word().map(|(word, _)| word)
    }

    /// Takes these words if they come next.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        self.blanks();
        let found = self
            .text
            .strip_prefix(words)
            .is_some_and(|tail| tail.is_empty() || tail.starts_with([' ', '\t']));
        if found {
            self.skip(words.len());
        }
        found
    }

    /// Takes the next word if it begins so, and gives what follows.
    pub(super) fn after(&mut self, head: &str) -> Option<&'t str> {
        let tail = self.peek().strip_prefix(head)?;
        self.skip(head.len() + tail.len());
        Some(tail)
    }

    /// The value behind a word, if the word comes next.
    pub(super) fn value(&mut self, word: &str) -> Option<&'t str> {
        self.eat(word).then(|| self.next()).flatten()
    }

    /// Text between two marks, if the first comes next: `/* … */`, `"…"`.
    pub(super) fn between(&mut self, open: &str, close: &str) -> Option<&'t str> {
        self.blanks();
        let inside = self.text.strip_prefix(open)?;
        let end = inside.find(close)?;
        let text = inside.get(..end)?;
        self.skip(open.len() + end + close.len());
        Some(text)
    }

    /// Of everything that is left.
    pub(super) fn span(&self) -> Span {
        Span::new(self.file, self.at, self.at + self.text.trim_end().len())
    }

    /// Everything that is left.
    pub(super) fn all(&mut self) -> Option<(&'t str, Span)> {
        self.blanks();
        let span = self.span();
        let text = self.text.trim_end();
        self.text = "";
        (!text.is_empty()).then_some((text, span))
    }
}
