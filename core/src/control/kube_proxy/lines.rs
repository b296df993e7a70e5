use super::Origin;

/// Lines of text, each with where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    text: String,
    origins: Vec<Origin>,
}

impl Lines {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Of each line, in order.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// A line of these pieces, put together as they are.
    pub(super) fn line(&mut self, origin: Origin, pieces: &[&str]) {
        for piece in pieces {
            self.text.push_str(piece);
        }
        self.text.push('\n');
        self.origins.push(origin);
    }

    pub(super) fn frame(&mut self, pieces: &[&str]) {
        self.line(Origin::FRAME, pieces);
    }

    pub(super) fn extend(&mut self, other: &Lines) {
        self.text.push_str(&other.text);
        self.origins.extend_from_slice(&other.origins);
    }

    pub(super) fn reserve(&mut self, bytes: usize, lines: usize) {
        self.text.reserve(bytes);
        self.origins.reserve(lines);
    }
}
