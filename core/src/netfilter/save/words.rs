//! A line of `iptables-restore` input as words (`iptables/xshared.c`, `add_param_to_argv`).

use std::borrow::Cow;

use crate::netfilter::syntax::{Fault, Word, fault};
use crate::say;
use crate::text::{FileId, Span};

/// The longest word that iptables-restore takes, and how many it takes (`MAX_ARGC` less program, `-t` and table).
const LONGEST: usize = 1022;
const MOST: usize = 251;

/// Splits the line that begins at byte `at` into words, and gives where it ends. A quotation mark opens a string, even
/// inside a word; the next one ends the word. Inside, a backslash keeps the next character. A string that is not closed goes
/// on to the end of the line and takes the line feed with it.
pub(super) fn split<'t>(
    text: &'t str,
    at: usize,
    file: FileId,
    words: &mut Vec<Word<'t>>,
) -> Result<usize, Fault> {
    words.clear();
    let bytes = text.as_bytes();
    let mut pos = at;
    loop {
        match bytes.get(pos) {
            None | Some(b'\n') => return Ok(pos),
            Some(b' ' | b'\t') => {
                pos += 1;
                continue;
            }
            Some(_) => {}
        }
        let start = pos;
        pos = word_end(bytes, pos);
        let word = match bytes.get(pos) {
            Some(b'"') => {
                let (word, end) = quoted(text, start, pos);
                pos = end;
                word
            }
            _ => Cow::Borrowed(text.get(start..pos).unwrap_or("")),
        };
        let span = Span::new(file, start, pos);
        if word.len() > LONGEST {
            return Err(fault(span, say!("iptables/long-word", most = LONGEST)));
        }
        if words.len() == MOST {
            return Err(fault(span, say!("iptables/many-words", most = MOST)));
        }
        words.push(Word { text: word, span });
    }
}

/// The next blank, quotation mark or line feed, from `pos` on. Eight bytes at a time: of those that words are made of, all
/// but a few are larger than these four.
fn word_end(bytes: &[u8], mut pos: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const PAST: u64 = ONES * (b'"' as u64 + 1);
    while let Some(eight) = bytes.get(pos..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        // The lowest bit set is that of the first byte below PAST.
        let small = word.wrapping_sub(PAST) & !word & (ONES << 7);
        pos += (small.trailing_zeros() / 8) as usize;
        if small != 0 {
            if is_end(bytes, pos) {
                return pos;
            }
            pos += 1;
        }
    }
    while pos < bytes.len() && !is_end(bytes, pos) {
        pos += 1;
    }
    pos
}

fn is_end(bytes: &[u8], pos: usize) -> bool {
    matches!(bytes.get(pos), Some(b' ' | b'\t' | b'"' | b'\n'))
}

/// A word that began at `start` and has a quotation mark at `mark`. Gives its text and the place behind it.
fn quoted(text: &str, start: usize, mark: usize) -> (Cow<'_, str>, usize) {
    let inside = text.get(mark + 1..).unwrap_or("");
    let stop = (inside.bytes())
        .position(|b| matches!(b, b'"' | b'\\' | b'\n'))
        .unwrap_or(inside.len());
    if start == mark && inside.as_bytes().get(stop) == Some(&b'"') {
        return (
            Cow::Borrowed(inside.get(..stop).unwrap_or("")),
            mark + stop + 2,
        );
    }
    let mut word = text.get(start..mark).unwrap_or("").to_string();
    let mut escaped = false;
    for (i, c) in inside.char_indices() {
        match c {
            '\n' => {
                word.push(c);
                return (word.into(), mark + 1 + i);
            }
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (word.into(), mark + i + 2),
            _ => word.push(c),
        }
    }
    (word.into(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &[&str]) {
        let text = format!("before\n{line}\nafter");
        let mut words = Vec::new();
        let end = split(&text, 7, FileId(0), &mut words);
        assert_eq!(end.ok(), Some(7 + line.len()));
        let words: Vec<_> = words.iter().map(|w| &*w.text).collect();
        assert_eq!(words, expect, "{line}");
    }

    #[test]
    fn words_are_split_at_blanks_and_closing_quotes() {
        check(
            "-A  FORWARD   -j\tACCEPT  ",
            &["-A", "FORWARD", "-j", "ACCEPT"],
        );
        check(
            r#"a "b c"d "" e"f g"h"#,
            &["a", "b c", "d", "", "ef g", "h"],
        );
        check(r#""a \"b\" \\c" 'd e'"#, &[r#"a "b" \c"#, "'d", "e'"]);
    }

    #[test]
    fn an_open_quote_takes_the_rest_of_the_line_and_its_line_feed() {
        check(
            r#"--comment "open -j ACCEPT"#,
            &["--comment", "open -j ACCEPT\n"],
        );
    }

    #[test]
    fn a_word_ends_where_it_ends_whatever_its_length_and_bytes() {
        for length in 0..40 {
            for filler in ["x", "!", "é", "\u{1}"] {
                for end in [" ", "\t", "\"", "\n", ""] {
                    let word = filler.repeat(length);
                    let text = format!(
                        "{word}{end}{}",
                        if end.is_empty() { "" } else { "rest rest" }
                    );
                    assert_eq!(word_end(text.as_bytes(), 0), word.len(), "{text:?}");
                }
            }
        }
    }
}
