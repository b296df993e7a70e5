//! A document that is JSON. A YAML parser has to read all of it before it can tell the first value: what is in braces may turn
//! out to be a key. JSON needs no look ahead.

use super::build::{Builder, Built, Kind};
use super::mapping::Mapping;
use crate::text::{Pace, Span};
use crate::yaml::scalar::resolve;
use crate::yaml::{Node, Value};

/// Bytes between two pauses.
const STRETCH: usize = 4096;
/// YAML looks no further for the colon of a key.
const LONGEST_KEY: usize = 1000;

/// What may stand next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

impl Builder<'_, '_> {
    /// `None` where it is no JSON, or has what YAML may mean otherwise: then nothing of it counts.
    pub async fn run_json(&mut self, pace: &Pace) -> Option<()> {
        let bytes = self.part.as_bytes();
        let (mut at, mut told) = (0, 0);
        let mut next = Next::Value;
        while let Some(byte) = bytes.get(at) {
            if at >= told + STRETCH {
                pace.read(at - told).await;
                told = at;
            }
            let start = at;
            at += 1;
            next = match (byte, next) {
                (b' ', _) => next,
                (b'\n', next) if next != Next::Colon => next,
                (b'{', Next::Value | Next::ValueOrEnd) => {
                    let kind = Kind::Map(Mapping::default());
                    self.open(0, self.place(start, at), kind).ok()?;
                    Next::KeyOrEnd
                }
                (b'[', Next::Value | Next::ValueOrEnd) => {
                    let kind = Kind::Seq(Vec::new());
                    self.open(0, self.place(start, at), kind).ok()?;
                    Next::ValueOrEnd
                }
                (b'}', Next::KeyOrEnd) => self.end(start)?,
                (b'}', Next::CommaOrEnd) if self.is_in_map()? => self.end(start)?,
                (b']', Next::ValueOrEnd) => self.end(start)?,
                (b']', Next::CommaOrEnd) if !self.is_in_map()? => self.end(start)?,
                (b',', Next::CommaOrEnd) if self.is_in_map()? => Next::Key,
                (b',', Next::CommaOrEnd) => Next::Value,
                (b':', Next::Colon) => Next::Value,
                (b'"', Next::Value | Next::ValueOrEnd | Next::Key | Next::KeyOrEnd) => {
                    let (text, end) = string(self.part, at)?;
                    at = end;
                    self.scalar(Value::Str(text.into()), start, end)?;
                    match next {
                        Next::Key | Next::KeyOrEnd if end - start > LONGEST_KEY => return None,
                        Next::Key | Next::KeyOrEnd => Next::Colon,
                        _ => self.after_value(),
                    }
                }
                (_, Next::Value | Next::ValueOrEnd) => {
                    let rest = self.part.get(start..)?;
                    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
                    let length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
                    let text = rest.get(..length).filter(|text| is_plain(text))?;
                    at = start + length;
                    self.scalar(resolve(text), start, at)?;
                    self.after_value()
                }
                _ => return None,
            };
        }
        pace.read(at - told).await;
        (next == Next::Nothing).then_some(())
    }

    fn place(&self, start: usize, end: usize) -> Span {
        let before = self.places.start();
        Span::new(self.places.file, before + start, before + end)
    }

    fn scalar(&mut self, value: Value, start: usize, end: usize) -> Option<()> {
        let span = self.place(start, end);
        self.add(Built::scalar(Node { value, span }), 0).ok()
    }

    /// Closes what is open, by the sign at that byte.
    fn end(&mut self, at: usize) -> Option<Next> {
        self.close(self.place(at, at + 1)).ok()?;
        Some(self.after_value())
    }

    fn after_value(&self) -> Next {
        match self.stack.is_empty() {
            true => Next::Nothing,
            false => Next::CommaOrEnd,
        }
    }

    fn is_in_map(&self) -> Option<bool> {
        let frame = self.stack.last()?;
        Some(matches!(frame.kind, Kind::Map(_)))
    }
}

/// A word or a number as JSON has them.
fn is_plain(text: &str) -> bool {
    if matches!(text, "true" | "false" | "null") {
        return true;
    }
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let leads = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leads && fraction.is_none_or(digits)
}

/// The text of a string and where it ends, from behind its first quote on.
fn string(part: &str, start: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = part.get(start..)?.char_indices();
    while let Some((at, c)) = chars.next() {
        text.push(match c {
            '"' => return Some((text, start + at + 1)),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\' | '/') => c,
                'n' => '\n',
                't' => '\t',
                _ => return None,
            },
            // Line ends and what is no text: YAML folds some and refuses others.
            '\0'..' ' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => return None,
            c => c,
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::text::FileId;
    use crate::yaml::memory::copy;
    use crate::yaml::read;

    #[test]
    fn json_means_what_it_means_as_yaml() {
        let long = "k".repeat(1010);
        let texts = [
            r#"{"a": [1, -2.5, true, null, "x\"\\\n", {}], "b": {"c": "é负载", "d": []}}"#,
            "{\n  \"a\": [\n    {\"b\": 1}\n  ]\n}\n",
            r#"{"a":1,"a":2,"b":"1"}"#,
            r#"{"a": 1,}"#,
            r#"{"a" : 01, "b": 1e3, "c": yes, "d": "\u00e9"}"#,
            r#"{"a": 1} x"#,
            r#"{"a": [1, 2}"#,
            r#"{"a" "b"}"#,
            r#"{a: 1}"#,
            r#"{"a": "x
  y"}"#,
            &format!("{{\"{long}\": 1}}"),
            &format!("{{\"a\": {}1{}}}", "[".repeat(98), "]".repeat(98)),
            &format!("{{\"a\": {}1{}}}", "[".repeat(100), "]".repeat(100)),
            "{",
            "{}",
            "{\"a\"\n: 1}",
        ];
        for text in texts {
            let (json, said) = read(text, FileId(0));
            // A line before it leaves it to the parser of YAML.
            let (yaml, as_yaml) = read(&format!("---\n{text}"), FileId(0));
            let back = |span: crate::text::Span| crate::text::Span {
                start: span.start - 4,
                end: span.end - 4,
                ..span
            };
            let yaml: Vec<_> = yaml.iter().map(|node| copy(node, &back)).collect();
            assert_eq!(json, yaml, "{text}");
            let codes = |said: &[crate::text::Diagnostic]| {
                said.iter()
                    .map(|d| (d.code(), d.span.start))
                    .collect::<Vec<_>>()
            };
            let moved: Vec<_> = codes(&as_yaml)
                .into_iter()
                .map(|(code, at)| (code, at - 4))
                .collect();
            assert_eq!(codes(&said), moved, "{text}");
        }
    }
}
