//! Regular expressions as Envoy takes them: RE2's language and meaning, run in linear time by `regex-lite`.
//!
//! The two agree on what matches first (leftmost, then in the order written) and on ASCII classes. What differs is the
//! grammar: RE2 takes `\Q…\E` and a `{` that begins no repetition as they are, and refuses repetitions of repetitions.
//! Source: RE2's `doc/syntax.txt` and `re2/parse.cc`.

use std::fmt;

/// A compiled expression, with its text.
#[derive(Clone)]
pub struct Regex {
    text: String,
    whole: regex_lite::Regex,
    part: regex_lite::Regex,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}

/// Why an expression is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRegex {
    /// RE2's own words.
    Refused(String),
    /// RE2 takes it and this model does not: Unicode classes, for one.
    NotModelled(String),
}

impl Regex {
    pub fn new(text: &str) -> Result<Self, BadRegex> {
        let translated = translate(text)?;
        let compile = |pattern: &str| {
            regex_lite::RegexBuilder::new(pattern)
                .size_limit(1 << 20)
                .build()
                .map_err(|_| BadRegex::NotModelled(text.to_string()))
        };
        Ok(Self {
            text: text.to_string(),
            whole: compile(&format!(r"\A(?:{translated})\z"))?,
            part: compile(&translated)?,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of a text matches, which is what Envoy asks everywhere but in substitutions.
    pub fn is_match(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// Whether a substitution asks only for groups that there are, and escapes nothing else. What does not is not made at all.
    fn can_substitute(&self, substitution: &str) -> bool {
        let mut rest = substitution.chars();
        while let Some(c) = rest.next() {
            let fits = match (c, if c == '\\' { rest.next() } else { Some('0') }) {
                ('\\', Some('\\')) => true,
                ('\\', Some(d)) => d
                    .to_digit(10)
                    .is_some_and(|d| (d as usize) < self.part.captures_len()),
                (_, escaped) => escaped.is_some(),
            };
            if !fits {
                return false;
            }
        }
        true
    }

    /// Every match replaced, as RE2's `GlobalReplace`; `\0` is the match, `\1` the first group.
    pub fn replace_all(&self, text: &str, substitution: &str) -> String {
        if !self.can_substitute(substitution) {
            return text.to_string();
        }
        let mut out = String::new();
        let mut last = 0;
        for groups in self.part.captures_iter(text) {
            let Some(whole) = groups.get(0) else { continue };
            out.push_str(text.get(last..whole.start()).unwrap_or(""));
            let mut rest = substitution.chars();
            while let Some(c) = rest.next() {
                match (c, if c == '\\' { rest.next() } else { None }) {
                    ('\\', Some(d)) if d.is_ascii_digit() => {
                        let group = groups.get(d as usize - '0' as usize);
                        out.push_str(group.map_or("", |g| g.as_str()));
                    }
                    ('\\', Some(other)) => out.push(other),
                    (c, _) => out.push(c),
                }
            }
            last = whole.end();
        }
        out.push_str(text.get(last..).unwrap_or(""));
        out
    }
}

/// How deep groups may stand in groups.
const MAX_DEPTH: usize = 200;

/// An expression of RE2 as `regex-lite` writes it.
fn translate(text: &str) -> Result<String, BadRegex> {
    let refused = |what: &str| Err(BadRegex::Refused(what.to_string()));
    let chars: Vec<char> = text.chars().collect();
    let rest = |at: usize| chars.get(at..).unwrap_or(&[]).iter().collect::<String>();
    let mut out = String::with_capacity(text.len());
    // Whether a repetition may stand here, and where the last one began.
    let (mut repeatable, mut repetition) = (false, None::<usize>);
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' if chars.get(at + 1) == Some(&'Q') => {
                at += 2;
                while at < chars.len() && !(chars[at] == '\\' && chars.get(at + 1) == Some(&'E')) {
                    push_literal(&mut out, chars[at]);
                    repeatable = true;
                    at += 1;
                }
                at += 2;
                repetition = None;
                continue;
            }
            '\\' => {
                let taken = escape(&chars, at, false, &mut out)?;
                repeatable = !matches!(chars.get(at + 1), Some('A' | 'z' | 'b' | 'B'));
                repetition = None;
                at += taken;
                continue;
            }
            '[' => {
                at = class(&chars, at, &mut out)?;
                (repeatable, repetition) = (true, None);
                continue;
            }
            '(' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(BadRegex::NotModelled(text.to_string()));
                }
                out.push('(');
                at += 1;
                if chars.get(at) == Some(&'?') {
                    at = group_head(&chars, at, &mut out, &mut depth)?;
                }
                (repeatable, repetition) = (false, None);
                continue;
            }
            ')' => {
                if depth == 0 {
                    return refused(&format!("unexpected ): {text}"));
                }
                depth -= 1;
                out.push(')');
                (repeatable, repetition) = (true, None);
            }
            '*' | '+' | '?' | '{' => {
                let Some(end) = repetition_end(&chars, at)? else {
                    push_literal(&mut out, c);
                    (repeatable, repetition) = (true, None);
                    at += 1;
                    continue;
                };
                if let Some(start) = repetition {
                    let both: String = chars.get(start..end).unwrap_or(&[]).iter().collect();
                    return refused(&format!("bad repetition operator: {both}"));
                }
                if !repeatable {
                    let operator: String = chars.get(at..end).unwrap_or(&[]).iter().collect();
                    return refused(&format!("no argument for repetition operator: {operator}"));
                }
                out.extend(chars.get(at..end).unwrap_or(&[]));
                repetition = Some(at);
                at = end;
                continue;
            }
            '|' => {
                out.push(c);
                (repeatable, repetition) = (false, None);
            }
            '^' | '$' => {
                out.push(c);
                (repeatable, repetition) = (true, None);
            }
            '.' => {
                out.push(c);
                (repeatable, repetition) = (true, None);
            }
            c => {
                push_literal(&mut out, c);
                (repeatable, repetition) = (true, None);
            }
        }
        at += 1;
    }
    if depth > 0 {
        return refused(&format!("missing ): {}", rest(0)));
    }
    Ok(out)
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// Where the repetition at `at` ends, with its `?`; none where a `{` stands for itself.
fn repetition_end(chars: &[char], at: usize) -> Result<Option<usize>, BadRegex> {
    let mut end = at + 1;
    if chars.get(at) == Some(&'{') {
        let close = chars
            .get(at..)
            .and_then(|r| r.iter().position(|c| *c == '}'));
        let Some(close) = close else { return Ok(None) };
        let inside: String = chars
            .get(at + 1..at + close)
            .unwrap_or(&[])
            .iter()
            .collect();
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return Ok(None);
        }
        let number = |s: &str| s.parse::<u32>().unwrap_or(u32::MAX);
        let bad = number(least) > 1000
            || !most.is_empty() && (number(most) > 1000 || number(most) < number(least));
        if bad {
            return Err(BadRegex::Refused(format!(
                "invalid repetition size: {{{inside}}}"
            )));
        }
        end = at + close + 1;
    }
    if chars.get(end) == Some(&'?') {
        end += 1;
    }
    Ok(Some(end))
}

/// Reads `?P<name>`, `?:` or flags after an opening parenthesis; gives where it ends.
fn group_head(
    chars: &[char],
    at: usize,
    out: &mut String,
    depth: &mut usize,
) -> Result<usize, BadRegex> {
    let rest: String = chars.get(at..).unwrap_or(&[]).iter().take(80).collect();
    let bad = || BadRegex::Refused(format!("invalid perl operator: ({rest}"));
    let named = rest.strip_prefix("?P<").or_else(|| rest.strip_prefix("?<"));
    if let Some(name) = named {
        let Some((name, _)) = name.split_once('>') else {
            return Err(BadRegex::Refused(format!(
                "invalid named capture group: ({rest}"
            )));
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(BadRegex::Refused(format!(
                "invalid named capture group: ({rest}"
            )));
        }
        out.push_str(&format!("?P<g_{name}>"));
        let head = if rest.starts_with("?P") { 4 } else { 3 };
        return Ok(at + head + name.chars().count());
    }
    let (mut end, mut negative, mut any) = (at + 1, false, false);
    loop {
        match chars.get(end) {
            Some('i' | 'm' | 's' | 'U') => any = true,
            Some('-') if !negative => (negative, any) = (true, false),
            Some(':') if !negative || any => {
                out.extend(chars.get(at..=end).unwrap_or(&[]));
                return Ok(end + 1);
            }
            Some(')') if any => {
                out.extend(chars.get(at..=end).unwrap_or(&[]));
                *depth -= 1;
                return Ok(end + 1);
            }
            _ => return Err(bad()),
        }
        end += 1;
    }
}

/// Writes the escape at `at`; gives how many characters it has.
fn escape(chars: &[char], at: usize, in_class: bool, out: &mut String) -> Result<usize, BadRegex> {
    let Some(&c) = chars.get(at + 1) else {
        return Err(BadRegex::Refused("trailing \\".into()));
    };
    let bad = |length: usize| {
        let text: String = chars.iter().skip(at).take(length).collect();
        BadRegex::Refused(format!("invalid escape sequence: {text}"))
    };
    match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
            out.push('\\');
            out.push(c);
        }
        'A' | 'z' | 'b' | 'B' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        'n' => out.push_str("\\n"),
        't' => out.push_str("\\t"),
        'r' => out.push_str("\\r"),
        'f' => out.push_str("\\x0C"),
        'v' => out.push_str("\\x0B"),
        'a' => out.push_str("\\x07"),
        'p' | 'P' | 'C' => {
            let text: String = chars.iter().collect();
            return Err(BadRegex::NotModelled(text));
        }
        'x' => {
            let digits: String = match chars.get(at + 2) {
                Some('{') => chars
                    .iter()
                    .skip(at + 3)
                    .take_while(|c| c.is_ascii_hexdigit())
                    .take(8)
                    .collect(),
                _ => chars.iter().skip(at + 2).take(2).collect(),
            };
            let braced = chars.get(at + 2) == Some(&'{');
            let closed = !braced || chars.get(at + 3 + digits.len()) == Some(&'}');
            let code = u32::from_str_radix(&digits, 16).ok();
            let Some(c) = code.and_then(char::from_u32).filter(|_| closed) else {
                return Err(bad(4));
            };
            push_literal(out, c);
            return Ok(2 + digits.len() + if braced { 2 } else { 0 });
        }
        '0'..='7' => {
            // `\1` alone would refer back, which RE2 does not have.
            let octal: String = chars
                .iter()
                .skip(at + 1)
                .take(3)
                .take_while(|c| ('0'..='7').contains(*c))
                .collect();
            if c != '0' && octal.len() < 2 {
                return Err(bad(2));
            }
            let code = u32::from_str_radix(&octal, 8).ok().and_then(char::from_u32);
            let Some(c) = code else { return Err(bad(2)) };
            push_literal(out, c);
            return Ok(1 + octal.len());
        }
        c if c.is_ascii_alphanumeric() => return Err(bad(2)),
        c if c == '_' || !c.is_ascii() => return Err(bad(2)),
        c => push_literal(out, c),
    }
    Ok(2)
}

/// Writes the class at `at`; gives where it ends.
fn class(chars: &[char], at: usize, out: &mut String) -> Result<usize, BadRegex> {
    let whole = |end: usize| {
        chars
            .get(at..end.min(chars.len()))
            .unwrap_or(&[])
            .iter()
            .collect::<String>()
    };
    let missing = || BadRegex::Refused(format!("missing ]: {}", whole(chars.len())));
    out.push('[');
    let mut next = at + 1;
    if chars.get(next) == Some(&'^') {
        out.push('^');
        next += 1;
    }
    let mut first = true;
    loop {
        let Some(&c) = chars.get(next) else {
            return Err(missing());
        };
        if c == ']' && !first {
            out.push(']');
            return Ok(next + 1);
        }
        first = false;
        if c == '[' && chars.get(next + 1) == Some(&':') {
            let rest: String = chars.iter().skip(next).take(14).collect();
            if let Some((name, _)) = rest.split_once(":]") {
                const NAMES: [&str; 14] = [
                    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower",
                    "print", "punct", "space", "upper", "word", "xdigit",
                ];
                let word = name.trim_start_matches("[:");
                if !NAMES.contains(&word.trim_start_matches('^')) {
                    return Err(BadRegex::Refused(format!(
                        "invalid character class range: {name}:]"
                    )));
                }
                out.push_str(name);
                out.push_str(":]");
                next += name.chars().count() + 2;
                continue;
            }
        }
        let mut low = String::new();
        let taken = one_of_class(chars, next, &mut low)?;
        let dash = chars.get(next + taken) == Some(&'-')
            && chars.get(next + taken + 1).is_some_and(|c| *c != ']');
        out.push_str(&low);
        let start = next;
        next += taken;
        if dash && !is_class(&low) {
            let mut high = String::new();
            let taken = one_of_class(chars, next + 1, &mut high)?;
            next += 1 + taken;
            if is_class(&high) || code(&high) < code(&low) {
                let range: String = chars.get(start..next).unwrap_or(&[]).iter().collect();
                return Err(BadRegex::Refused(format!(
                    "invalid character class range: {range}"
                )));
            }
            out.push('-');
            out.push_str(&high);
        }
    }
}

fn one_of_class(chars: &[char], at: usize, out: &mut String) -> Result<usize, BadRegex> {
    match chars.get(at) {
        Some('\\') => escape(chars, at, true, out),
        Some(&c) => {
            push_literal(out, c);
            Ok(1)
        }
        None => Err(BadRegex::Refused("missing ]".into())),
    }
}

/// Whether an escape stands for a class: `\d`.
fn is_class(written: &str) -> bool {
    matches!(written, "\\d" | "\\D" | "\\s" | "\\S" | "\\w" | "\\W")
}

/// The character that [`escape`] wrote.
fn code(written: &str) -> Option<char> {
    match written {
        "\\n" => Some('\n'),
        "\\t" => Some('\t'),
        "\\r" => Some('\r'),
        _ if written.starts_with("\\x") && written.len() == 4 => {
            u32::from_str_radix(written.get(2..)?, 16)
                .ok()
                .and_then(char::from_u32)
        }
        _ => written.chars().last(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pattern: &str, text: &str) -> bool {
        Regex::new(pattern).unwrap().is_match(text)
    }

    #[test]
    fn the_whole_text_must_match() {
        assert!(whole("/a|/b", "/b"));
        assert!(!whole("/a|/b", "/ab"));
        assert!(!whole("a", "ba"));
        assert!(whole("(?i)abc", "ABC"));
        assert!(whole(
            "^(.*?;)?\\s*(user=jason)(;.*)?$",
            "a=b; user=jason; c"
        ));
        assert!(whole("a{", "a{") && whole("a{,2}", "a{,2}") && whole("x{2,3}", "xx"));
        assert!(whole(r"\Qa.b\E+", "a.bb") && !whole(r"\Qa.b\E", "axb"));
        assert!(whole("[]a]+", "]a") && whole("[a&&b]+", "&ba") && whole(r"[\d-z]+", "1-z"));
        assert!(whole("[[:alpha:]]+", "ab") && whole(r"\x41\x{42}", "AB"));
        assert!(whole("é.", "éx") && whole("a#b c", "a#b c"));
    }

    #[test]
    fn what_re2_refuses_is_refused_in_its_words() {
        let refused = |pattern: &str| match Regex::new(pattern) {
            Err(BadRegex::Refused(words)) => words,
            other => panic!("{pattern}: {other:?}"),
        };
        assert_eq!(refused("/a("), "missing ): /a(");
        assert_eq!(refused("a)"), "unexpected ): a)");
        assert_eq!(refused("a**"), "bad repetition operator: **");
        assert_eq!(refused("*a"), "no argument for repetition operator: *");
        assert_eq!(refused("[a"), "missing ]: [a");
        assert_eq!(refused("a{1001}"), "invalid repetition size: {1001}");
        assert_eq!(refused(r"(a)\1"), "invalid escape sequence: \\1");
        assert_eq!(refused("(?=a)"), "invalid perl operator: (?=a)");
        assert_eq!(refused("[z-a]"), "invalid character class range: z-a");
        assert_eq!(refused("a\\"), "trailing \\");
    }

    #[test]
    fn a_substitution_replaces_every_match() {
        let regex = |p: &str| Regex::new(p).unwrap();
        assert_eq!(regex("one").replace_all("/one/one", "two"), "/two/two");
        assert_eq!(regex("/r/(.)").replace_all("/r/abc", r"/q/\1\1"), "/q/aabc");
        assert_eq!(regex("x*").replace_all("abc", "-"), "-a-b-c-");
        assert_eq!(regex("(a)").replace_all("a", r"\2"), "a");
        assert_eq!(regex("(a)").replace_all("a", r"\1\\"), "a\\");
    }

    #[test]
    fn a_long_text_does_not_take_long() {
        let text = "a".repeat(20_000);
        assert!(!whole("(a*)*(a|a)*b", &text));
    }
}
