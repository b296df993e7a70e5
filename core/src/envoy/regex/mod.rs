//! Regular expressions as Envoy takes them: RE2's language and meaning, run in linear time by `regex-lite`.
//!
//! The two agree on what matches first (leftmost, then in the order written) and on ASCII classes. What differs is the
//! grammar: RE2 takes `\Q…\E` and a `{` that begins no repetition as they are, and refuses repetitions of repetitions.
//! Source: RE2's `doc/syntax.txt` and `re2/parse.cc`.

mod translate;

use std::fmt;

use translate::translate;

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
        assert!(whole(r"\ba\b*", "a") && whole(r"\_(?P<n>b)(?P<n>c)", "_bc"));
        for unicode in [r"\pL", r"\C", "(?i)é"] {
            assert!(matches!(Regex::new(unicode), Err(BadRegex::NotModelled(_))));
        }
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
        assert_eq!(refused("(?=a)"), "invalid perl operator: (?=");
        assert_eq!(refused("[z-a]"), "invalid character class range: z-a");
        assert_eq!(refused("a\\"), "trailing \\");
        assert_eq!(refused("(a{100}){11}"), "invalid repetition size: {11}");
        assert_eq!(refused("(?P<n"), "invalid named capture group: (?P<n");
        assert_eq!(refused(r"[a-\d]"), "invalid escape sequence: \\d");
        // What is not modelled hides no refusal behind it.
        assert_eq!(refused(r"\pL("), "missing ): \\pL(");
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
