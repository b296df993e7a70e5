//! A line of `iptables-restore` input as words (`iptables/xshared.c`, `add_param_to_argv`).

use std::borrow::Cow;

use crate::netfilter::syntax::{Fault, Word, fault};
use crate::say;
use crate::text::{FileId, Span};

/// The longest word that iptables-restore takes, and how many it takes (`MAX_ARGC` less program, `-t` and table).
const LONGEST: usize = 1022;
const MOST: usize = 251;

/// Splits `line`, which begins at byte `at` of the text, into words. A quotation mark opens a string, even inside a word;
/// the next one ends the word. Inside, a backslash keeps the next character. A string that is not closed goes on to the end
/// of the line and takes the line feed (`closed` with one) with it.
pub(super) fn split<'t>(
    line: &'t str,
    closed: bool,
    at: usize,
    file: FileId,
    words: &mut Vec<Word<'t>>,
) -> Result<(), Fault> {
    words.clear();
    let bytes = line.as_bytes();
    let mut pos = 0;
    while let Some(&b) = bytes.get(pos) {
        if b == b' ' || b == b'\t' {
            pos += 1;
            continue;
        }
        let start = pos;
        let rest = bytes.get(pos..).unwrap_or(&[]);
        pos += (rest.iter())
            .position(|b| matches!(b, b' ' | b'\t' | b'"'))
            .unwrap_or(rest.len());
        let text = if bytes.get(pos) == Some(&b'"') {
            let (text, end) = quoted(line, start, pos, closed);
            pos = end;
            text
        } else {
            Cow::Borrowed(line.get(start..pos).unwrap_or(""))
        };
        let span = Span::new(file, at + start, at + pos);
        if text.len() > LONGEST {
            return Err(fault(span, say!("iptables/long-word", most = LONGEST)));
        }
        if words.len() == MOST {
            return Err(fault(span, say!("iptables/many-words", most = MOST)));
        }
        words.push(Word { text, span });
    }
    Ok(())
}

/// A word that began at `start` and has a quotation mark at `mark`. Gives its text and the place behind it.
fn quoted(line: &str, start: usize, mark: usize, closed: bool) -> (Cow<'_, str>, usize) {
    let inside = line.get(mark + 1..).unwrap_or("");
    if start == mark
        && let Some(end) = inside.find(['"', '\\'])
        && inside.as_bytes().get(end) == Some(&b'"')
    {
        return (
            Cow::Borrowed(inside.get(..end).unwrap_or("")),
            mark + end + 2,
        );
    }
    let mut text = line.get(start..mark).unwrap_or("").to_string();
    let mut escaped = false;
    for (i, c) in inside.char_indices() {
        match c {
            _ if escaped => {
                text.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (text.into(), mark + i + 2),
            _ => text.push(c),
        }
    }
    if closed {
        text.push('\n');
    }
    (text.into(), line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &[&str]) {
        let mut words = Vec::new();
        split(line, true, 0, FileId(0), &mut words).unwrap();
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
}
