//! What a student hands in: the answer itself, never a mark. It travels as JSON or, for a link, packed.

use super::found::other_link;
use super::{Attempt, ChangeKind, Exercise, FileChange, apply, changes};
use crate::say;
use crate::share;
use crate::text::{FileId, Say, Span};
use crate::yaml::{self, Node, Value};

/// The value of `format` in what is read and written here.
const FORMAT: &str = "northsouth hand-in";
/// The word before packed hand-ins, as in `#hand-in=1.deflate.…`.
pub const MARK: &str = "hand-in=";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandIn {
    /// The exercise's name, and its version when it was answered.
    pub exercise: String,
    pub version: u32,
    /// As the student gives them.
    pub name: String,
    pub started: String,
    pub finished: String,
    pub hints: u32,
    pub answers: Vec<(String, String)>,
    pub changes: Vec<FileChange>,
}

impl HandIn {
    /// The attempt that was made, over the exercise's files. Errors: it was made for another version, or its changes do not
    /// fit.
    pub fn attempt(&self, exercise: &Exercise) -> Result<Attempt, Say> {
        if self.version != exercise.version {
            return Err(say!(
                "hand-in/other-version",
                version = self.version,
                now = exercise.version
            ));
        }
        let files = apply(&exercise.start.files, &self.changes)
            .map_err(|mismatch| say!("hand-in/does-not-fit", why => mismatch.say))?;
        Ok(Attempt {
            files,
            answers: self.answers.clone(),
            hints: self.hints,
        })
    }

    /// Of an attempt, with `name` and times still to be given.
    pub fn of(name: &str, exercise: &Exercise, attempt: &Attempt) -> HandIn {
        HandIn {
            exercise: name.to_string(),
            version: exercise.version,
            hints: attempt.hints,
            answers: attempt.answers.clone(),
            changes: changes(&exercise.start.files, &attempt.files),
            ..HandIn::default()
        }
    }

    /// As a JSON file.
    pub fn json(&self) -> String {
        let text = |t: &str| {
            let mut out = String::new();
            quote(t, &mut out);
            out
        };
        let mut out = format!("{{\n  \"format\": {},\n", text(FORMAT));
        for (key, value) in [
            ("exercise", &self.exercise),
            ("name", &self.name),
            ("started", &self.started),
            ("finished", &self.finished),
        ] {
            out.push_str(&format!("  \"{key}\": {},\n", text(value)));
        }
        out.push_str(&format!(
            "  \"version\": {},\n  \"hints\": {},\n",
            self.version, self.hints
        ));
        let answers: Vec<_> = self
            .answers
            .iter()
            .map(|(k, v)| format!("{}: {}", text(k), text(v)))
            .collect();
        out.push_str(&format!("  \"answers\": {{{}}},\n", answers.join(", ")));
        let change = |change: &FileChange| {
            let what = match &change.kind {
                ChangeKind::Whole(whole) => format!("\"text\": {}", text(whole)),
                ChangeKind::Lines(lines) => format!("\"edit\": {}", text(lines)),
                ChangeKind::Delete => "\"delete\": true".to_string(),
            };
            format!("\n    {{\"file\": {}, {what}}}", text(&change.name))
        };
        let changes: Vec<_> = self.changes.iter().map(change).collect();
        out.push_str(&format!("  \"changes\": [{}]\n}}\n", changes.join(",")));
        out
    }

    /// As it stands behind [`MARK`] in a link.
    pub fn packed(&self) -> String {
        share::pack(&self.json())
    }

    /// JSON, or what stands in a link. The error says why it is none.
    pub fn read(text: &str) -> Result<HandIn, Say> {
        let text = text.trim();
        if text.is_empty() {
            return Err(say!("hand-in/nothing"));
        }
        if text.contains('\0') {
            return Err(say!("hand-in/no-text"));
        }
        if !text.starts_with('{') {
            let packed = text.split_once(MARK).map_or(text, |(_, packed)| packed);
            if packed.contains(char::is_whitespace) || packed.contains("://") {
                return Err(other_link(text).unwrap_or(say!("hand-in/none")));
            }
            return HandIn::of_json(&share::unpack(packed)?);
        }
        HandIn::of_json(text)
    }

    fn of_json(text: &str) -> Result<HandIn, Say> {
        let (nodes, said) = yaml::read(text, FileId(0));
        if let Some(first) = said.into_iter().next() {
            return Err(say!("hand-in/damaged", why => first.message));
        }
        let node = nodes.first().ok_or_else(|| say!("hand-in/none"))?;
        if node.field("format").and_then(Node::str) != Some(FORMAT) {
            return Err(say!("hand-in/none"));
        }
        let lacks = |key: &str| say!("hand-in/lacks", field = key);
        let string = |key: &str| node.field(key).and_then(scalar).ok_or_else(|| lacks(key));
        let number = |key: &str| {
            let found = node.field(key).and_then(Node::int);
            found
                .and_then(|n| u32::try_from(n).ok())
                .ok_or_else(|| lacks(key))
        };
        let hints = number("hints")?;
        if hints > 3 {
            return Err(lacks("hints"));
        }
        let answers = node.field("answers").ok_or_else(|| lacks("answers"))?;
        let answer = |e: &yaml::Entry| Some((e.key.to_string(), scalar(&e.value)?));
        let answers: Option<Vec<_>> = answers.entries().iter().map(answer).collect();
        let changes = node.field("changes").ok_or_else(|| lacks("changes"))?;
        let changes: Option<Vec<_>> = changes.items().iter().map(change).collect();
        Ok(HandIn {
            exercise: string("exercise")?,
            version: number("version")?,
            name: string("name")?,
            started: string("started")?,
            finished: string("finished")?,
            hints,
            answers: answers.ok_or_else(|| lacks("answers"))?,
            changes: changes.ok_or_else(|| lacks("changes"))?,
        })
    }
}

fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Str(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn change(node: &Node) -> Option<FileChange> {
    let text = |key| node.field(key).and_then(Node::str).map(str::to_string);
    let kind = match (text("text"), text("edit"), node.field("delete")) {
        (Some(whole), None, None) => ChangeKind::Whole(whole),
        (None, Some(lines), None) => ChangeKind::Lines(lines),
        (None, None, Some(yes)) if yes.bool() == Some(true) => ChangeKind::Delete,
        _ => return None,
    };
    Some(FileChange {
        name: text("file")?,
        kind,
        span: Span::default(),
    })
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' || c == '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn some() -> HandIn {
        HandIn {
            exercise: "shadowed-route".to_string(),
            version: 2,
            name: "王小明 \"=1+1\" <b>".to_string(),
            started: "2026-01-01T10:00:00Z".to_string(),
            finished: String::new(),
            hints: 1,
            answers: vec![("a".to_string(), "0x4000\t:".to_string())],
            changes: vec![FileChange {
                name: "nodes/n1/ip-route.txt".to_string(),
                kind: ChangeKind::Lines("@@ -1,1 +1,1 @@\n-a\n+b\\\n".to_string()),
                span: Span::default(),
            }],
        }
    }

    #[test]
    fn it_reads_as_it_was_written() {
        let hand_in = some();
        assert_eq!(HandIn::read(&hand_in.json()), Ok(hand_in.clone()));
        let link = format!("https://example.org/#{MARK}{}", hand_in.packed());
        assert_eq!(HandIn::read(&link), Ok(hand_in.clone()));
    }

    #[test]
    fn what_is_none_is_said() {
        let key = |text: &str| HandIn::read(text).map(|_| ()).map_err(|say| say.key);
        assert_eq!(key("{}"), Err("hand-in/none"));
        assert_eq!(
            key("{\"format\": \"northsouth hand-in\"}"),
            Err("hand-in/lacks")
        );
        assert_eq!(key("{\"format\": "), Err("hand-in/damaged"));
        assert_eq!(key(""), Err("hand-in/nothing"));
        assert_eq!(key("my answer"), Err("hand-in/none"));
        let other = "https://example.org/#exercise=shadowed-route";
        assert_eq!(key(other), Err("hand-in/other-link"));
        assert_eq!(key("\u{89}PNG\0"), Err("hand-in/no-text"));
        let many = some().json().replace("\"hints\": 1", "\"hints\": 9");
        assert_eq!(key(&many), Err("hand-in/lacks"));
        let cut = some().packed();
        assert_eq!(key(&cut[..cut.len() - 9]), Err("share/damaged"));
    }
}
