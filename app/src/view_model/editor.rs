//! From the core's places in texts (bytes) to the browser's (UTF-16 units).

use northsouth::text::{Diagnostic, Lang, Severity, Span};

/// A stretch of text to be marked, in UTF-16 units, with what is to be said below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub from: u32,
    pub to: u32,
    pub severity: &'static str,
    pub message: String,
    pub help: String,
}

/// UTF-16 units before each of some byte offsets of a text, in one pass.
pub struct Units<'a> {
    text: &'a str,
    /// How far the text is counted: bytes and units.
    counted: (usize, u32),
}

impl<'a> Units<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            counted: (0, 0),
        }
    }

    pub fn at(&mut self, offset: u32) -> u32 {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        if offset < self.counted.0 {
            self.counted = (0, 0);
        }
        let between = self.text.get(self.counted.0..offset).unwrap_or("");
        self.counted = (offset, self.counted.1 + units(between) as u32);
        self.counted.1
    }
}

/// How many UTF-16 units a text has. Dumps are long, and ASCII for the most part.
pub fn units(text: &str) -> usize {
    let of = |piece: &[u8]| match piece.is_ascii() {
        true => piece.len(),
        // One for each character, by its first byte, and one more for those of four bytes.
        false => {
            let first = piece.iter().filter(|b| **b & 0xc0 != 0x80).count();
            first + piece.iter().filter(|b| **b >= 0xf0).count()
        }
    };
    text.as_bytes().chunks(4096).map(of).sum()
}

pub fn offset(text: &str, offset: u32) -> u32 {
    Units::new(text).at(offset)
}

/// The byte at a number of UTF-16 units.
pub fn byte(text: &str, units: u32) -> u32 {
    let mut left = units as usize;
    // As far as a character is a byte.
    let plain = text.as_bytes().chunks(4096).take_while(|c| c.is_ascii());
    let plain = plain.map(<[u8]>::len).sum::<usize>().min(left);
    left -= plain;
    let rest = text.get(plain..).unwrap_or("");
    for (at, c) in rest.char_indices() {
        if left == 0 {
            return (plain + at) as u32;
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text.len() as u32
}

pub fn range(text: &str, span: Span) -> (u32, u32) {
    let mut units = Units::new(text);
    (units.at(span.start), units.at(span.end))
}

/// So many places are underlined, the worst; a text with more has one cause for most of them. All are counted below it.
const MOST_MARKS: usize = 1000;

/// What is to be underlined in a text.
pub fn marks(text: &str, diagnostics: &[&Diagnostic], lang: Lang) -> Vec<Mark> {
    let mut sorted: Vec<_> = diagnostics.to_vec();
    if sorted.len() > MOST_MARKS {
        sorted.sort_by_key(|d| d.severity);
        sorted.truncate(MOST_MARKS);
    }
    sorted.sort_by_key(|d| (d.span.start, d.span.end));
    let mut units = Units::new(text);
    let marks = sorted.iter().map(|d| Mark {
        from: units.at(d.span.start),
        to: units.at(d.span.end),
        severity: severity(d.severity),
        message: d.message.text(lang),
        help: d.help.as_ref().map(|h| h.text(lang)).unwrap_or_default(),
    });
    marks.collect()
}

/// The name of a severity in style sheets.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Which highlighting a file gets, by its name.
pub fn kind(name: &str) -> &'static str {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.ends_with(".yaml") || last.ends_with(".yml") {
        "yaml"
    } else if last.starts_with("nft") {
        "nft"
    } else if last.contains("iptables") || last.contains("ip6tables") {
        "iptables"
    } else {
        "listing"
    }
}

#[cfg(test)]
mod tests {
    use northsouth::text::FileId;

    use super::*;

    #[test]
    fn offsets_count_utf16_units_wherever_bytes_point() {
        let text = "a网😀b";
        let units: Vec<_> = (0..12).map(|byte| offset(text, byte)).collect();
        assert_eq!(units, [0, 1, 1, 1, 2, 2, 2, 2, 4, 5, 5, 5]);
        assert_eq!(
            [0, 1, 2, 4, 5, 9].map(|units| byte(text, units)),
            [0, 1, 4, 8, 9, 9]
        );
        assert_eq!(range(text, Span::new(FileId(0), 4, 8)), (2, 4));
        let mut twice = Units::new(text);
        assert_eq!((twice.at(9), twice.at(1)), (5, 1), "backwards too");
    }
}
