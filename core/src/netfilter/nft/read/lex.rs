//! nft's words (nftables `src/scanner.l`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Span};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    /// As written; of a quoted string, without the quotes.
    pub text: &'t str,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword; also with a `*` at its end.
    Word,
    Quoted,
    Number(u64),
    Addr(IpAddr),
    Mac(u64),
    /// `1h30m`, in milliseconds.
    Duration(u64),
    /// Punctuation: one or two characters.
    Sign,
    /// A line's end or `;`.
    End,
}

/// Bytes between two pauses.
const STRETCH: usize = 4096;

/// All tokens of a text. What is no token at all is said and left out.
pub(super) async fn tokens<'t>(
    text: &'t str,
    file: FileId,
    pace: &Pace,
) -> (Vec<Token<'t>>, Vec<Diagnostic>) {
    let (mut all, mut diagnostics) = (Vec::new(), Vec::new());
    let (mut at, mut told) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        if at - told >= STRETCH {
            pace.read(at - told).await;
            told = at;
        }
        let Some((kind, skip, length)) = next(rest) else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            let span = Span::new(file, at, at + length);
            diagnostics.push(Diagnostic::error(
                span,
                say!("nft/bad-character", text = &rest[..length]),
            ));
            at += length;
            continue;
        };
        let (start, end) = (at + skip, at + length);
        if let Some(kind) = kind {
            let inner = if kind == Kind::Quoted {
                start + 1..end.saturating_sub(1).max(start + 1)
            } else {
                start..end
            };
            let span = Span::new(file, start, end);
            if kind == Kind::Quoted && !closed(&text[start..end]) {
                diagnostics.push(Diagnostic::error(span, say!("nft/unclosed-quote")));
            }
            all.push(Token {
                kind,
                text: text.get(inner).unwrap_or(""),
                span,
            });
        }
        at = end;
    }
    pace.read(at - told).await;
    (all, diagnostics)
}

fn closed(quoted: &str) -> bool {
    quoted.len() >= 2 && quoted.ends_with('"')
}

/// The next token's kind (`None` for blanks and comments), where it starts and where it ends.
fn next(rest: &str) -> Option<(Option<Kind>, usize, usize)> {
    let first = rest.chars().next()?;
    let run = |accept: fn(char) -> bool| rest.find(|c| !accept(c)).unwrap_or(rest.len());
    match first {
        '\n' | ';' => Some((Some(Kind::End), 0, 1)),
        ' ' | '\t' | '\r' => Some((None, 0, run(|c| matches!(c, ' ' | '\t' | '\r')))),
        '\\' if rest.starts_with("\\\n") => Some((None, 0, 2)),
        '#' => Some((None, 0, rest.find('\n').unwrap_or(rest.len()))),
        '"' => {
            // A string ends on its line.
            let end = rest[1..].find(['"', '\n']).map_or(rest.len(), |e| e + 1);
            let quote = rest[end..].starts_with('"');
            Some((Some(Kind::Quoted), 0, end + usize::from(quote)))
        }
        _ => {
            let value = number_like(rest);
            let word = if first.is_alphabetic()
                || matches!(first, '_' | '.') && rest[1..].starts_with(char::is_alphanumeric)
            {
                let end =
                    run(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '*' | '\\'));
                // A `*` ends a name.
                rest[..end].find('*').map_or(end, |star| star + 1)
            } else {
                0
            };
            match value {
                Some((kind, length)) if length >= word => Some((Some(kind), 0, length)),
                _ if word > 0 => Some((Some(Kind::Word), 0, word)),
                _ => sign(rest).map(|length| (Some(Kind::Sign), 0, length)),
            }
        }
    }
}

fn sign(rest: &str) -> Option<usize> {
    const SIGNS: [&str; 23] = [
        "==", "!=", "<=", ">=", "<<", ">>", "{", "}", "(", ")", "[", "]", ",", ":", ".", "@", "$",
        "/", "-", "&", "|", "^", "=",
    ];
    let more = ["<", ">", "!", "+", "*"];
    SIGNS
        .iter()
        .chain(&more)
        .find(|s| rest.starts_with(**s))
        .map(|s| s.len())
}

/// The longest address, duration or number that the text begins with.
fn number_like(rest: &str) -> Option<(Kind, usize)> {
    let run = rest
        .find(|c: char| !c.is_ascii_hexdigit() && !matches!(c, ':' | '.'))
        .unwrap_or(rest.len())
        .min(64);
    let run = &rest[..run];
    if let Some(found) = mac(run).or_else(|| ipv6(run)) {
        return Some(found);
    }
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let length = hex
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(hex.len());
        return u64::from_str_radix(&hex[..length], 16)
            .ok()
            .map(|n| (Kind::Number(n), length + 2));
    }
    let dotted = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    if let Ok(addr) = rest[..dotted].parse::<Ipv4Addr>() {
        return Some((Kind::Addr(addr.into()), dotted));
    }
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    duration(rest).or_else(|| {
        rest[..digits]
            .parse()
            .ok()
            .map(|n| (Kind::Number(n), digits))
    })
}

fn ipv6(run: &str) -> Option<(Kind, usize)> {
    // A colon at the end belongs to a map, unless it is one of two.
    let trimmed = if run.ends_with(':') && !run.ends_with("::") {
        &run[..run.len() - 1]
    } else {
        run
    };
    let trimmed = trimmed.strip_suffix('.').unwrap_or(trimmed);
    let addr = trimmed.parse::<Ipv6Addr>().ok()?;
    Some((Kind::Addr(addr.into()), trimmed.len()))
}

fn mac(run: &str) -> Option<(Kind, usize)> {
    let mut value = 0;
    let mut parts = run.split(':');
    for _ in 0..6 {
        let part = parts.next().filter(|p| p.len() == 2)?;
        value = value << 8 | u64::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some((Kind::Mac(value), 17))
}

/// `1d2h3m4s5ms`, each part at most once and in this order.
fn duration(rest: &str) -> Option<(Kind, usize)> {
    let units: [(&str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("ms", 1),
        ("m", 60_000),
        ("s", 1000),
    ];
    let (mut at, mut total, mut last) = (0, 0_u64, u64::MAX);
    loop {
        let part = &rest[at..];
        let digits = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let unit = units
            .iter()
            .find(|(name, _)| digits > 0 && part[digits..].starts_with(name));
        let Some((name, scale)) = unit.filter(|(_, scale)| *scale < last) else {
            break;
        };
        let count: u64 = part[..digits].parse().ok()?;
        total = total.checked_add(count.checked_mul(*scale)?)?;
        (at, last) = (at + digits + name.len(), *scale);
    }
    let ends = !rest[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (at > 0 && ends).then_some((Kind::Duration(total), at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::at_once;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let (tokens, diagnostics) = at_once(tokens(text, FileId(0), &Pace::AT_ONCE));
        assert_eq!(diagnostics, []);
        tokens.into_iter().map(|t| (t.kind, t.text)).collect()
    }

    #[test]
    fn the_longest_token_wins() {
        let addr = |a: &str| Kind::Addr(a.parse().unwrap());
        assert_eq!(
            kinds(
                "fd00::1 fd00 80-90 10.0.0.0/8 eth* 1h30m 0x10 {80:accept} a-b/c__172.20.1.157/80"
            ),
            [
                (addr("fd00::1"), "fd00::1"),
                (Kind::Word, "fd00"),
                (Kind::Number(80), "80"),
                (Kind::Sign, "-"),
                (Kind::Number(90), "90"),
                (addr("10.0.0.0"), "10.0.0.0"),
                (Kind::Sign, "/"),
                (Kind::Number(8), "8"),
                (Kind::Word, "eth*"),
                (Kind::Duration(5_400_000), "1h30m"),
                (Kind::Number(16), "0x10"),
                (Kind::Sign, "{"),
                (Kind::Number(80), "80"),
                (Kind::Sign, ":"),
                (Kind::Word, "accept"),
                (Kind::Sign, "}"),
                (Kind::Word, "a-b/c__172.20.1.157/80"),
            ]
        );
        assert_eq!(
            kinds("aa:bb:cc:dd:ee:ff"),
            [(Kind::Mac(0xaabb_ccdd_eeff), "aa:bb:cc:dd:ee:ff")]
        );
        assert_eq!(
            kinds("\"x y\"#z\n;"),
            [(Kind::Quoted, "x y"), (Kind::End, "\n"), (Kind::End, ";")]
        );
    }

    #[test]
    fn any_text_has_tokens() {
        for text in [
            "\"",
            "\"a\n",
            "..",
            "é",
            "0x",
            ":::",
            "1.2.3",
            "\\",
            "99999999999999999999",
            "*",
            "\u{0}",
        ] {
            at_once(tokens(text, FileId(0), &Pace::AT_ONCE));
        }
    }
}
