//! Lines and words with their places, for the formats that are lines of words.

use std::net::IpAddr;

use super::{Diagnostic, FileId, Span};
use crate::say;

/// What stands between spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    pub span: Span,
}

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub text: &'a str,
    pub span: Span,
}

/// All lines of a text, empty ones too.
pub fn lines(text: &str, file: FileId) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |raw| {
        let start = at;
        at += raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        Line {
            text: line,
            span: Span::new(file, start, start + line.len()),
        }
    })
}

impl<'a> Line<'a> {
    pub fn words(&self) -> impl Iterator<Item = Word<'a>> + use<'a> {
        let (text, span) = (self.text, self.span);
        let mut rest = text;
        std::iter::from_fn(move || {
            rest = rest.trim_start();
            if rest.is_empty() {
                return None;
            }
            let start = text.len() - rest.len();
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest = &rest[length..];
            Some(part(text, span, start, start + length))
        })
    }

    /// What stands between two or more spaces or a tab, as tables of columns have it.
    pub fn columns(&self) -> impl Iterator<Item = Word<'a>> + use<'a> {
        let (text, span) = (self.text, self.span);
        let mut rest = text;
        std::iter::from_fn(move || {
            rest = rest.trim_start();
            if rest.is_empty() {
                return None;
            }
            let start = text.len() - rest.len();
            let length = [rest.find("  "), rest.find('\t')]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(rest.trim_end().len());
            rest = &rest[length..];
            Some(part(text, span, start, start + length))
        })
    }

    /// Nothing that a tool printed: empty, a `#` comment, or a shell's prompt with the command that was typed, which people
    /// copy along.
    pub fn is_aside(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#') || super::prompt(text).is_some()
    }

    pub fn indented(&self) -> bool {
        self.text.starts_with([' ', '\t'])
    }
}

fn part(text: &str, span: Span, start: usize, end: usize) -> Word<'_> {
    let base = span.start as usize;
    Word {
        text: &text[start..end],
        span: Span::new(span.file, base + start, base + end),
    }
}

impl<'a> Word<'a> {
    /// The part at these bytes of the word; nothing where they do not fit.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Word<'a> {
        let start = self.span.start as usize + range.start;
        match self.text.get(range) {
            Some(text) => Word {
                text,
                span: Span::new(self.span.file, start, start + text.len()),
            },
            None => Word {
                text: "",
                span: self.span,
            },
        }
    }

    pub fn split_once(&self, at: char) -> Option<(Word<'a>, Word<'a>)> {
        let i = self.text.find(at)?;
        Some((
            self.slice(0..i),
            self.slice(i + at.len_utf8()..self.text.len()),
        ))
    }

    pub fn address(&self) -> Result<IpAddr, Diagnostic> {
        self.text
            .parse()
            .map_err(|_| Diagnostic::error(self.span, say!("texts/bad-address", word = self.text)))
    }

    /// `ADDRESS/LENGTH`; an address alone is a prefix of full length.
    pub fn prefix(&self) -> Result<(IpAddr, u8), Diagnostic> {
        let Some((addr, length)) = self.split_once('/') else {
            let addr = self.address()?;
            return Ok((addr, full_length(addr)));
        };
        let addr = addr.address()?;
        match length.text.parse::<u8>() {
            Ok(n) if n <= full_length(addr) => Ok((addr, n)),
            _ => Err(Diagnostic::error(
                length.span,
                say!(
                    "texts/bad-mask",
                    mask = length.text,
                    most = full_length(addr)
                ),
            )),
        }
    }

    /// A decimal number up to `most`.
    pub fn number(&self, most: u32) -> Result<u32, Diagnostic> {
        match self.text.parse::<u32>() {
            Ok(n) if n <= most => Ok(n),
            _ => Err(Diagnostic::error(
                self.span,
                say!("texts/bad-number", word = self.text, most = most),
            )),
        }
    }
}

fn full_length(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_place() {
        let text = "a  bc\r\n\n d 二 e\n";
        let all: Vec<_> = lines(text, FileId(3))
            .flat_map(|l| l.words())
            .map(|w| (w.text, w.span.range()))
            .collect();
        assert_eq!(
            all,
            [
                ("a", 0..1),
                ("bc", 3..5),
                ("d", 9..10),
                ("二", 11..14),
                ("e", 15..16)
            ]
        );
    }

    #[test]
    fn columns_may_hold_single_spaces() {
        let line = Line {
            text: "2 (3d ago)   <none>\tx  ",
            span: Span::default(),
        };
        let all: Vec<_> = line.columns().map(|w| w.text).collect();
        assert_eq!(all, ["2 (3d ago)", "<none>", "x"]);
    }

    #[test]
    fn prompts_that_were_copied_along_are_asides() {
        for text in [
            "[root@work001 ~]# ip route",
            "root@work001:~# ip route",
            "$ ip route",
            "# note",
            "  ",
        ] {
            assert!(
                lines(text, FileId(0)).all(|l| l.is_aside()),
                "{text} is an aside"
            );
        }
        assert!(!lines("default via 1.2.3.4 dev eth0", FileId(0)).any(|l| l.is_aside()));
    }

    #[test]
    fn a_mask_past_the_address_is_bad() {
        let word = |text| Word {
            text,
            span: Span::default(),
        };
        assert_eq!(
            word("10.0.0.0/33").prefix().unwrap_err().code(),
            "texts/bad-mask"
        );
        assert_eq!(
            word("10.0.0/8").prefix().unwrap_err().code(),
            "texts/bad-address"
        );
        assert_eq!(
            word("10.0.0.1").prefix().unwrap(),
            ("10.0.0.1".parse().unwrap(), 32)
        );
    }
}
