//! A document that holds a list, as `kubectl get -o yaml` and `-o json` print it: cut into its items and what is around
//! them, so that the items can be read one by one.

use std::ops::Range;

/// A mapping with a sequence under `items`.
#[derive(Debug, PartialEq)]
pub(super) struct List<'t> {
    /// The document without its items but the first.
    pub frame: String,
    /// Where the others stand in it.
    pub others: Range<usize>,
    /// Each with where it starts in the document.
    pub pieces: Vec<(usize, &'t str)>,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Each piece starts with its dash: it is a sequence of one.
    Block,
    /// Within brackets.
    Flow,
}

impl<'t> List<'t> {
    /// `None` for what is no list, and for what cannot be cut without understanding more of it.
    pub fn cut(document: &'t str) -> Option<Self> {
        let (end, pieces, style) = match document.trim_start().starts_with('{') {
            true => flow(document)?,
            false => block(document)?,
        };
        let (start, first) = pieces.first()?;
        let others = start + first.len()..end;
        let frame = [document.get(..others.start)?, document.get(others.end..)?].concat();
        Some(Self {
            frame,
            others,
            pieces,
            style,
        })
    }
}

/// A list's document without its items but one. Offsets are bytes.
#[derive(Debug)]
pub struct Alone {
    pub text: String,
    /// Which item it is, from 0.
    pub item: usize,
    /// Where it starts here, and where it stood.
    start: usize,
    stood: Range<usize>,
    /// Where the items ended.
    end: usize,
}

impl Alone {
    /// The item around a place. `None` where the document is no list that can be cut.
    pub fn around(document: &str, place: usize) -> Option<Self> {
        let list = List::cut(document)?;
        let (start, end) = (list.pieces.first()?.0, list.others.end);
        let after = list.pieces.partition_point(|(at, _)| *at <= place);
        let item = if place < end {
            after.saturating_sub(1)
        } else {
            0
        };
        let (at, piece) = list.pieces.get(item)?;
        Some(Self {
            text: [document.get(..start)?, piece, document.get(end..)?].concat(),
            item,
            start,
            stood: *at..at + piece.len(),
            end,
        })
    }

    /// Where a place of the whole document is here.
    pub fn place(&self, at: usize) -> usize {
        let length = self.stood.len();
        match at {
            _ if at < self.start => at,
            _ if at < self.end => self.start + at.saturating_sub(self.stood.start).min(length),
            _ => at - self.end + self.start + length,
        }
    }

    /// Where a place here is in the whole document.
    pub fn back(&self, at: usize) -> usize {
        let length = self.stood.len();
        match at {
            _ if at < self.start => at,
            _ if at <= self.start + length => at - self.start + self.stood.start,
            _ => at - self.start - length + self.end,
        }
    }
}

/// Where the items end, and they.
type Parts<'t> = (usize, Vec<(usize, &'t str)>, Style);

/// Items are at lines that start with as many blanks as the first, and a dash. Their own lines have more.
fn block(document: &str) -> Option<Parts<'_>> {
    let mut at = 0;
    let mut lines = document.split_inclusive('\n').map(|line| {
        at += line.len();
        (at - line.len(), line)
    });
    lines.find(|(_, line)| line.trim_end() == "items:")?;
    let mut end = document.len();
    let mut indent = None;
    let mut starts = Vec::new();
    for (at, line) in lines {
        let text = line.trim_start_matches(' ');
        let blanks = line.len() - text.len();
        if text.trim_end().is_empty() || text.starts_with('#') {
            continue;
        }
        let indent = *indent.get_or_insert(blanks);
        let dash = text.strip_prefix('-');
        let item = dash.is_some_and(|rest| rest.starts_with([' ', '\n']));
        match blanks {
            _ if blanks == indent && item => starts.push(at),
            _ if blanks > indent && !starts.is_empty() => {}
            0 if indent == 0 || !starts.is_empty() => {
                end = at;
                break;
            }
            _ => return None,
        }
    }
    let ends = starts.iter().skip(1).copied().chain([end]);
    let piece = |(start, end)| Some((start, document.get(start..end)?));
    let pieces: Vec<_> = starts
        .iter()
        .copied()
        .zip(ends)
        .map(piece)
        .collect::<Option<_>>()?;
    // An item without anything has its place where the next token is.
    let empty = |(_, piece): &(usize, &str)| piece.trim_end().ends_with('-');
    (!pieces.iter().any(empty)).then_some((end, pieces, Style::Block))
}

/// JSON: only double quotes, nothing that a plain scalar or a comment may hide.
fn flow(document: &str) -> Option<Parts<'_>> {
    let bytes = document.as_bytes();
    let mut depth = 0_u32;
    // The last string of the outermost mapping, and whether the list began that is its value.
    let (mut key, mut found) = ("", false);
    let mut item = None;
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let inside = found && depth == 2;
        if inside && item.is_none() && !byte.is_ascii_whitespace() && !matches!(byte, b',' | b']') {
            item = Some(at);
        }
        match byte {
            b'"' => {
                let end = string_end(bytes, at)?;
                if depth == 1 {
                    key = document.get(at + 1..end)?;
                }
                at = end;
            }
            b'{' | b'[' => {
                depth += 1;
                found |= depth == 2 && *byte == b'[' && key == "items";
            }
            b'}' | b']' | b',' => {
                if inside && *byte != b'}' {
                    if let Some(from) = item.take() {
                        pieces.push((from, document.get(from..at)?.trim_end()));
                    }
                    if *byte == b']' {
                        return Some((at, pieces, Style::Flow));
                    }
                }
                if *byte != b',' {
                    depth = depth.checked_sub(1)?;
                }
            }
            b'\'' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'?' => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a string's closing quote stands.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(document: &str) -> Option<Vec<&str>> {
        let list = List::cut(document)?;
        Some(list.pieces.into_iter().map(|(_, piece)| piece).collect())
    }

    #[test]
    fn items_are_cut_apart_in_both_styles() {
        let text = "apiVersion: v1\nitems:\n- a: 1\n  b: |\n    - x\n\n- c: 2\nkind: List\n";
        assert_eq!(
            pieces(text).unwrap(),
            ["- a: 1\n  b: |\n    - x\n\n", "- c: 2\n"]
        );
        assert_eq!(
            List::cut(text).unwrap().frame,
            "apiVersion: v1\nitems:\n- a: 1\n  b: |\n    - x\n\nkind: List\n"
        );
        let text = "items:\n  - a: 1\n    b: 2\n  # c\n  - d\nkind: List\n";
        assert_eq!(
            pieces(text).unwrap(),
            ["  - a: 1\n    b: 2\n  # c\n", "  - d\n"]
        );
        let text = "{\"a\": \"items\", \"items\": [ {\"x\": \"]\\\"\", \"y\": [1, 2]} , 3 ], \"kind\": \"List\"}";
        assert_eq!(
            pieces(text).unwrap(),
            ["{\"x\": \"]\\\"\", \"y\": [1, 2]}", "3"]
        );
        assert_eq!(
            List::cut(text).unwrap().frame,
            "{\"a\": \"items\", \"items\": [ {\"x\": \"]\\\"\", \"y\": [1, 2]}], \"kind\": \"List\"}"
        );
    }

    #[test]
    fn what_is_no_plain_list_is_left_whole() {
        for text in [
            "",
            "items: []\n",
            "items:\n",
            "a:\n  items:\n  - b\n",
            "items:\n  a: 1\n",
            "items:\n- \n- a\n",
            "{items: [a, b]}",
            "{\"a\": [1], \"items\": {\"b\": [1]}}",
            "{\"items\": [1, 2",
            "{\"items\": []}",
        ] {
            assert_eq!(pieces(text), None, "{text}");
        }
    }
}
