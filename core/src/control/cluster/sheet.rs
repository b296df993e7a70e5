use crate::text::Span;

/// A text, each line with the fields that it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    text: String,
    /// Of all lines, one after the other.
    sources: Vec<Span>,
    /// Where each line's end.
    ends: Vec<u32>,
}

impl Sheet {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a line, from 0, comes from; the most telling first.
    pub fn sources(&self, line: usize) -> &[Span] {
        let end = |line: usize| self.ends.get(line).map(|end| *end as usize);
        let start = line.checked_sub(1).and_then(end).unwrap_or(0);
        let range = end(line).map(|end| start..end);
        range.and_then(|r| self.sources.get(r)).unwrap_or_default()
    }

    /// The lines with a source that is wanted.
    pub fn lines_of(&self, wanted: impl Fn(&Span) -> bool) -> impl Iterator<Item = usize> {
        let is = move |line: &usize| self.sources(*line).iter().any(&wanted);
        (0..self.ends.len()).filter(is)
    }

    pub(super) fn all_sources(&self) -> &[Span] {
        &self.sources
    }

    /// A line, without its end.
    pub(super) fn line(&mut self, sources: &[Span], line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
        self.sources.extend_from_slice(sources);
        self.ends
            .push(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
    }

    /// The lines of another.
    pub(super) fn extend(&mut self, other: &Sheet) {
        for (at, line) in other.text.lines().enumerate() {
            self.line(other.sources(at), line);
        }
    }
}

impl AsRef<str> for Sheet {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;

    #[test]
    fn lines_and_fields_find_each_other() {
        let span = |start, end| Span::new(FileId(0), start, end);
        let mut sheet = Sheet::default();
        sheet.line(&[span(0, 4)], "a");
        sheet.line(&[], "b");
        sheet.line(&[span(2, 6), span(8, 9)], "c");
        assert_eq!(sheet.sources(0), [span(0, 4)]);
        assert_eq!(sheet.sources(1), []);
        assert_eq!(sheet.sources(2), [span(2, 6), span(8, 9)]);
        assert_eq!(sheet.sources(3), []);
        let lines = |at: u32| sheet.lines_of(move |s| s.start == at).collect::<Vec<_>>();
        assert_eq!(lines(0), [0]);
        assert_eq!(lines(8), [2]);
        assert_eq!(lines(9), [0; 0]);
    }
}
