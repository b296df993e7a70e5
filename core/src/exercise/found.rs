//! Hand-ins among all else: files, mails, the tables that learning platforms export.

use std::borrow::Cow;

use super::csv::csv_rows;
use super::hand_in::MARK;
use crate::say;
use crate::text::Say;

/// A hand-in as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whose it is by the table that it stands in; empty where none tells.
    pub from: String,
    /// For [`HandIn::read`](super::HandIn::read); empty where somebody in a table handed in nothing.
    pub text: String,
}

/// A line without a hand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
    /// What it has instead, where that is likely a mistake.
    pub why: Option<Say>,
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finds {
    pub hand_ins: Vec<Found>,
    pub passed: Vec<Passed>,
}

/// The word before a packed exercise in a link.
pub const TASK: &str = "task=";
/// What other links of the page begin with, as people paste the wrong one.
const OTHERS: [&str; 4] = ["#w=", "#scenario=", "#lesson=", "#exercise="];

/// The hand-ins in a text of any kind: as JSON, one or several below each other, the rows of a table that a learning platform
/// exports, or every link in it, once. A text without any is given back as one, so that it is listed with what is wrong.
pub fn find(text: &str) -> Finds {
    let text = text.trim_start_matches('\u{feff}');
    if let Some(hand_ins) = of_table(text.trim()) {
        return Finds {
            hand_ins,
            passed: Vec::new(),
        };
    }
    let text = unquoted(text);
    let mut finds = Finds::default();
    let mut put = |text: &str| {
        if finds.hand_ins.iter().all(|known| known.text != text) {
            finds.hand_ins.push(Found {
                from: String::new(),
                text: text.to_string(),
            });
        }
    };
    let mut lines = (1..).zip(text.split_inclusive('\n')).peekable();
    let mut at = 0;
    while let Some((number, line)) = lines.next() {
        let begin = at;
        at += line.len();
        if line.trim_start().starts_with('{') {
            // Up to where it is closed, or else to where another begins.
            let rest = text.get(begin..).unwrap_or_default();
            let end = begin + closed(rest).unwrap_or(rest.len());
            while let Some((_, line)) =
                lines.next_if(|(_, line)| at < end && !line.starts_with('{'))
            {
                at += line.len();
            }
            put(text.get(begin..at).unwrap_or_default().trim());
            continue;
        }
        let mut any = line.trim().is_empty() || line.contains(TASK);
        for link in links(line) {
            put(link);
            any = true;
        }
        if !any {
            finds.passed.push(Passed {
                line: number,
                text: line.trim().to_string(),
                why: other_link(line),
            });
        }
    }
    if finds.hand_ins.is_empty() {
        finds.hand_ins.push(Found {
            from: String::new(),
            text: text.trim().to_string(),
        });
    }
    finds
}

/// Why a text without a hand-in is likely a mistake.
pub(super) fn other_link(text: &str) -> Option<Say> {
    let is_other = OTHERS.iter().any(|other| text.contains(other));
    is_other.then(|| say!("hand-in/other-link"))
}

/// Where the first value of a text of JSON ends.
fn closed(json: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// A saved mail's text where its encoding, quoted-printable (RFC 2045, 6.7), has broken the links in it.
fn unquoted(text: &str) -> Cow<'_, str> {
    if !text.contains(&MARK.replace('=', "=3D")) {
        return text.into();
    }
    let whole = text.replace("=\r\n", "").replace("=\n", "");
    whole.replace("=3D", "=").into()
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    packed_behind(text, MARK)
}

/// What the links in a text carry behind a word such as [`MARK`].
pub fn packed_behind<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c));
    text.match_indices(mark).map(move |(at, _)| {
        let packed = text.get(at + mark.len()..).unwrap_or_default();
        packed.split(ends).next().unwrap_or_default()
    })
}

/// What the column of names is called, the best first: Moodle, Canvas, and others.
const NAMES: [&str; 9] = [
    "full name",
    "student name",
    "student",
    "name",
    "display name",
    "姓名",
    "全名",
    "学生",
    "email address",
];

/// The rows of a table, where the first names its columns and one of them is the students' names.
fn of_table(text: &str) -> Option<Vec<Found>> {
    let rows = csv_rows(text);
    let (head, rows) = rows.split_first()?;
    let head: Vec<String> = head.iter().map(|h| h.trim().to_lowercase()).collect();
    let column = |name: &str| head.iter().position(|h| h == name);
    let whole = NAMES.iter().find_map(|name| column(name));
    let parts = column("first name").zip(column("last name").or(column("surname")));
    if head.len() < 2 || (whole.is_none() && parts.is_none()) {
        return None;
    }
    let mut all = Vec::new();
    for row in rows {
        let cell = |at: usize| row.get(at).map_or("", |c| c.trim());
        let from = match (parts, whole) {
            (Some((first, last)), _) => format!("{} {}", cell(first), cell(last)),
            (None, at) => at.map_or("", cell).to_string(),
        };
        let mut texts: Vec<String> = Vec::new();
        for cell in row.iter().map(|c| c.trim()) {
            match cell.starts_with('{') {
                true => texts.push(cell.to_string()),
                false => texts.extend(links(cell).map(str::to_string)),
            }
        }
        if texts.is_empty() && !from.trim().is_empty() {
            texts.push(String::new());
        }
        let of = |text| Found {
            from: from.clone(),
            text,
        };
        all.extend(texts.into_iter().map(of));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::super::HandIn;
    use super::super::hand_in::tests::some;
    use super::*;

    fn hand_in(name: &str) -> HandIn {
        HandIn {
            name: name.to_string(),
            ..some()
        }
    }

    fn link(hand_in: &HandIn) -> String {
        format!("https://example.org/#{MARK}{}", hand_in.packed())
    }

    fn names(finds: &Finds) -> Vec<String> {
        let read = |found: &Found| HandIn::read(&found.text).map(|h| h.name);
        finds
            .hand_ins
            .iter()
            .map(|f| read(f).unwrap_or_default())
            .collect()
    }

    #[test]
    fn each_hand_in_of_a_text_is_found_once_and_other_lines_are_told() {
        let (ann, bo) = (hand_in("Ann"), hand_in("Bo"));
        let mail = format!(
            "Dear teacher,\nhere it is: {0}\nand Bo's <{1}>.\n\n> {0}\nOr https://example.org/#w=1.deflate.x?\n",
            link(&ann),
            link(&bo)
        );
        let finds = find(&mail);
        assert_eq!(names(&finds), ["Ann", "Bo"]);
        let passed: Vec<_> = finds
            .passed
            .iter()
            .map(|p| (p.line, p.why.is_some()))
            .collect();
        assert_eq!(passed, [(1, false), (6, true)]);
        assert_eq!(finds.passed[0].text, "Dear teacher,");

        let both = format!(
            "{}\n\nThanks\n{}{}",
            ann.json(),
            bo.json(),
            link(&hand_in("Cy"))
        );
        let finds = find(&both);
        assert_eq!(names(&finds), ["Ann", "Bo", "Cy"]);
        assert_eq!(finds.passed.len(), 1, "{:?}", finds.passed);
        let cut = format!("{}\n{}", &ann.json()[..60], bo.json());
        assert_eq!(names(&find(&cut)), ["", "Bo"]);
    }

    #[test]
    fn a_mail_as_it_travels_is_read() {
        let sent = link(&hand_in("Ann")).replace('=', "=3D");
        let lines: Vec<_> = sent
            .as_bytes()
            .chunks(70)
            .map(String::from_utf8_lossy)
            .collect();
        assert_eq!(names(&find(&lines.join("=\r\n"))), ["Ann"]);
    }

    #[test]
    fn a_table_of_a_learning_platform_tells_whose_it_is() {
        let hand_in = some();
        let link = format!(
            "<a href=\"\"https://example.org/#{MARK}{}\"\">here</a>",
            hand_in.packed()
        );
        let json = hand_in.json().replace('"', "\"\"");
        let csv = format!(
            "\u{feff}Identifier,\"Full name\",Status,\"Online text\"\n1,\"Ann, B\",in,\"{link}\"\n2,Cy,in,\"{json}\"\n3,Di,none,\n"
        );
        let found = find(&csv).hand_ins;
        let from: Vec<_> = found.iter().map(|f| f.from.as_str()).collect();
        assert_eq!(from, ["Ann, B", "Cy", "Di"]);
        assert_eq!(HandIn::read(&found[0].text), Ok(hand_in.clone()));
        assert_eq!(HandIn::read(&found[1].text), Ok(hand_in));
        let none = HandIn::read(&found[2].text).unwrap_err();
        assert_eq!(none.key, "hand-in/nothing");
        let two = find("First name;Last name;Answer\nAnn;Bee;hand-in=1.x\n").hand_ins;
        assert_eq!(two[0].from, "Ann Bee");
    }
}
