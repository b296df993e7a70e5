//! Hand-ins among all else: files, mails, the tables that learning platforms export.

use std::borrow::Cow;
use std::collections::BTreeSet;

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
    let mut known = BTreeSet::new();
    let mut put = |text: &str| {
        if known.insert(text.to_string()) {
            finds.hand_ins.push(Found {
                from: String::new(),
                text: text.to_string(),
            });
        }
    };
    // What is left of a line is looked at as a line.
    let (mut rest, mut number, mut indent) = (&*text, 1, 0);
    while !rest.is_empty() {
        let json = rest.trim_start_matches(BETWEEN);
        let taken = match object(json, indent) {
            Some(length) => {
                put(json.get(..length).unwrap_or_default().trim());
                rest.len() - json.len() + length
            }
            None => {
                let line = rest.split_inclusive('\n').next().unwrap_or(rest);
                let blank = line.trim_matches(BETWEEN).trim().is_empty();
                let mut any = blank || line.contains(TASK);
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
                line.len()
            }
        };
        let (before, after) = rest.split_at(taken);
        rest = after;
        number += before.matches('\n').count();
        if before.ends_with('\n') {
            indent = indentation(rest);
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

/// What stands around the hand-ins of a list.
const BETWEEN: [char; 6] = [' ', '\t', '\r', ',', '[', ']'];

/// How long an object of JSON is that a text begins with, on a line that begins so far inside. One that nothing closes goes on
/// to where another begins or a link is, so that it takes no other's hand-in along.
fn object(text: &str, indent: usize) -> Option<usize> {
    if !text.starts_with('{') {
        return None;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let (mut line, mut link) = (0, None);
    let mut end = text.len();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => {
                let has_link = |line: &&str| line.contains(MARK);
                let marked = text.get(line..at).filter(has_link);
                link = link.or(marked.map(|_| line));
                line = at + 1;
                let next = text.get(line..).unwrap_or_default();
                let inside = indentation(next);
                if inside <= indent && next.get(inside..).is_some_and(|n| n.starts_with('{')) {
                    end = line;
                    break;
                }
            }
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    let last = text.get(line..end).filter(|line| line.contains(MARK));
    let length = link.or(last.map(|_| line)).unwrap_or(end);
    (length > 0).then_some(length)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
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
            match object(cell, 0) {
                Some(length) => texts.extend(cell.get(..length).map(str::to_string)),
                None => texts.extend(links(cell).map(str::to_string)),
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
    fn a_damaged_hand_in_takes_no_others_along() {
        let [ann, bo, cy] = ["Ann", "Bo", "Cy"].map(hand_in);
        let json = ann.json();
        for cut in [&json[..60], &json[..json.len() - 3]] {
            let text = format!("{cut}\n{}\n\n{}\nThanks\n", link(&bo), cy.json());
            let finds = find(&text);
            assert_eq!(names(&finds), ["", "Bo", "Cy"], "{text}");
            assert_eq!(finds.passed.len(), 1);
            let line = text.lines().position(|l| l == "Thanks").unwrap() + 1;
            assert_eq!(finds.passed[0].line, line);
        }
        let both = format!("{{ not sent: {} }} {}", link(&ann), link(&bo));
        assert_eq!(names(&find(&both)).last().unwrap(), "Bo");
    }

    #[test]
    fn what_stands_behind_a_hand_in_is_not_its_own() {
        let [ann, bo] = ["Ann", "Bo"].map(|name| hand_in(name).json());
        let (ann, bo) = (ann.trim(), bo.trim());
        let inside = |json: &str| json.replace('\n', "\n  ");
        for list in [
            format!("[\n{ann},\n{bo}\n]\n"),
            format!("[\n  {},\n  {}\n]\n", inside(ann), inside(bo)),
            format!("[{ann}, {bo}]"),
        ] {
            let finds = find(&list);
            assert_eq!(names(&finds), ["Ann", "Bo"], "{list}");
            assert_eq!(finds.passed, []);
        }
        let finds = find(&format!("{ann} Thanks!\n{bo}"));
        assert_eq!(names(&finds), ["Ann", "Bo"]);
        let passed = &finds.passed[0];
        let line = ann.lines().count();
        assert_eq!((passed.line, &*passed.text), (line, "Thanks!"));
    }

    #[test]
    fn many_are_each_looked_at_once() {
        let open: String = (0..20_000).map(|n| format!("{{\"a\": {n},\n")).collect();
        let closed: String = (0..20_000).map(|n| format!("{{\"a\": {n}}},")).collect();
        for text in [open, closed] {
            assert_eq!(find(&text).hand_ins.len(), 20_000);
        }
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
