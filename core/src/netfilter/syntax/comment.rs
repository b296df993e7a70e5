//! `-m comment` (`libxt_comment.c`), and how a string is quoted.

use super::{Syntax, no_finish};
use crate::netfilter::Match;
use crate::netfilter::syntax::Opt;

pub(in crate::netfilter) static COMMENT: Syntax<Match> = Syntax {
    name: "comment",
    options: &[Opt::value("comment", 0).must()],
    start: |_, _| Match::Comment("".into()),
    option: |m, given, _| {
        // XT_MAX_COMMENT_LEN leaves 255 bytes; the rest is cut off without a word.
        *m = Match::Comment(clip(given.value, 255).into());
        Ok(())
    },
    finish: no_finish,
};

/// The first `length` bytes, or a little less where a character would be cut.
pub(in crate::netfilter) fn clip(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

pub(in crate::netfilter) fn save(text: &str, out: &mut String) {
    out.push_str(" --comment");
    quoted(text, out);
}

pub(in crate::netfilter) fn list(text: &str, out: &mut String) {
    out.push_str(" /* ");
    out.push_str(text);
    out.push_str(" */");
}

/// A blank and the string, in quotes where it has more than letters, digits, `_` and `-` (`xtables_save_string`).
pub(in crate::netfilter) fn quoted(text: &str, out: &mut String) {
    out.push(' ');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !text.is_empty() && text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
