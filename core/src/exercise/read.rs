//! The Markdown file of an exercise.

use super::read_goal::{Named, goal};
use super::{
    Attempt, ChangeKind, Editable, Exercise, FileChange, Kind, Lines, NamedProbe, Solution, apply,
};
use crate::say;
use crate::text::{Block, Diagnostic, File, FileId, Page, Say, Section, Span};
use crate::workspace::{Workspace, parse_probe};
use crate::yaml::{self, Cursor, Fields, Log};

/// Most seeds that a probe may be played with.
const MOST_TRIES: i64 = 64;

/// Reads an exercise. `base` gives the scenarios that exercises start from, by name. `None` where it is not even clear what
/// it starts from; whatever else is wrong has a diagnostic.
pub fn read(
    text: &str,
    file: FileId,
    base: &dyn Fn(&str) -> Option<Workspace>,
) -> (Option<Exercise>, Vec<Diagnostic>) {
    let page = Page::read(text, file);
    let log = Log::default();
    let top = Span::new(file, 0, text.lines().next().map_or(0, str::len));
    let Some(end) = page.front else {
        let diagnostic = Diagnostic::error(top, say!("exercise/no-front"));
        return (None, vec![diagnostic.help(say!("exercise/no-front-help"))]);
    };
    let front = text.get(..end as usize).unwrap_or_default();
    let (nodes, mut diagnostics) = yaml::read(front, file);
    let exercise = nodes.first().and_then(|node| {
        let fields = Cursor::new(node, &log).fields()?;
        let mut reader = Reader {
            log: &log,
            top,
            page: &page,
        };
        reader.exercise(fields, base)
    });
    if nodes.is_empty() && diagnostics.is_empty() {
        log.push(Diagnostic::error(top, say!("exercise/no-front")));
    }
    diagnostics.extend(log.into_inner());
    (exercise, diagnostics)
}

struct Reader<'a> {
    log: &'a Log,
    top: Span,
    page: &'a Page,
}

impl Reader<'_> {
    fn error(&self, span: Span, message: Say) {
        self.log.push(Diagnostic::error(span, message));
    }

    fn exercise(
        &mut self,
        mut fields: Fields<'_>,
        base: &dyn Fn(&str) -> Option<Workspace>,
    ) -> Option<Exercise> {
        let number = |c: Option<Cursor<'_>>, most| c.and_then(|c| c.int_in::<u32>(1..=most));
        let version = number(fields.required("version"), 1_000_000).unwrap_or(1);
        let kind = fields.required("kind").and_then(|c| c.one_of(&Kind::ALL));
        let order = number(fields.get("order"), 10_000).unwrap_or(0);
        let level = number(fields.required("level"), 4).unwrap_or(1);
        let on_call = fields.bool("on-call").unwrap_or(false);
        let lesson = fields.str("lesson").map(str::to_string);
        let seed = fields
            .get("seed")
            .and_then(|c| c.int_in::<u64>(0..=i64::MAX));
        let tries = fields
            .get("tries")
            .and_then(|c| c.int_in::<u32>(1..=MOST_TRIES));
        let mut start = self.base(&mut fields, base)?;
        start.seed = seed.unwrap_or(start.seed);
        let probes = self.probes(&mut fields, &start);
        if let Some(first) = probes.first() {
            start.probe = first.probe.clone();
        }
        let editable = fields.get("edit").map(editable).unwrap_or_default();
        let names = Named { probes: &probes };
        let goals = fields.required("goals");
        let goals: Vec<_> = goals.map(|c| c.items().filter_map(|c| goal(c, &names)).collect())?;
        let sources = fields.get("sources");
        let sources = sources.map(|c| c.items().filter_map(|c| c.str().map(str::to_string)));
        let sources = sources.map(Iterator::collect).unwrap_or_default();
        fields.end();
        let mut exercise = Exercise {
            version,
            kind: kind.unwrap_or(Kind::Repair),
            order,
            level,
            on_call,
            lesson,
            title: String::new(),
            symptom: Vec::new(),
            start,
            probes,
            tries: tries.unwrap_or(1),
            editable,
            goals,
            hints: Vec::new(),
            solutions: Vec::new(),
            wrong: Vec::new(),
            sources,
        };
        self.sections(&mut exercise);
        Some(exercise)
    }

    fn base(
        &self,
        fields: &mut Fields<'_>,
        base: &dyn Fn(&str) -> Option<Workspace>,
    ) -> Option<Workspace> {
        let named = fields.required("base")?;
        let name = named.str()?;
        if name == "none" {
            let probe = parse_probe("client tcp 192.0.2.1:80").ok()?;
            return Some(Workspace {
                files: Vec::new(),
                probe,
                seed: 1,
            });
        }
        let found = base(name);
        if found.is_none() {
            named.error(say!("exercise/unknown-base", name = name));
        }
        found
    }

    fn probes(&self, fields: &mut Fields<'_>, start: &Workspace) -> Vec<NamedProbe> {
        let Some(given) = fields.get("probes") else {
            return vec![NamedProbe {
                name: "probe".to_string(),
                probe: start.probe.clone(),
            }];
        };
        let mut all = Vec::new();
        for (entry, cursor) in given.entries() {
            let Some(text) = cursor.str() else { continue };
            match parse_probe(text) {
                Ok(probe) => all.push(NamedProbe {
                    name: entry.key.to_string(),
                    probe,
                }),
                Err(say) => cursor.error(say),
            }
        }
        if all.is_empty() {
            given.error(say!("exercise/no-probes"));
        }
        all
    }

    fn sections(&self, exercise: &mut Exercise) {
        let mut sections = self.page.sections.iter();
        if let Some(first) = sections.next() {
            exercise.title = first.heading.clone();
            exercise.symptom = self.plain(&first.blocks);
        }
        if exercise.title.is_empty() {
            self.error(self.top, say!("exercise/no-title"));
        } else if exercise.symptom.is_empty() {
            self.error(self.top, say!("exercise/no-symptom"));
        }
        // The files first: solutions are edits of them.
        for section in sections.clone().filter(|s| s.heading == "files") {
            let changes = self.changes(section);
            exercise.start.files = self.applied(&exercise.start.files, &changes);
        }
        for section in sections {
            match &*section.heading {
                "files" => {}
                "hint 1" | "hint 2" | "hint 3" => {
                    let number = exercise.hints.len() + 1;
                    if section.heading.ends_with(&number.to_string()) {
                        exercise.hints.push(self.plain(&section.blocks));
                    } else {
                        self.error(section.span, say!("exercise/hint-order", number = number));
                    }
                }
                "solution" => exercise.solutions.push(self.solution(section, exercise)),
                "wrong" => exercise.wrong.push(self.solution(section, exercise)),
                other => self.log.push(
                    Diagnostic::error(section.span, say!("exercise/bad-section", heading = other))
                        .help(say!("exercise/bad-section-help")),
                ),
            }
        }
        if exercise.hints.len() < 3 {
            let there = exercise.hints.len();
            self.error(self.top, say!("exercise/no-hint", number = there + 1));
        }
        if exercise.solutions.is_empty() {
            self.error(self.top, say!("exercise/no-solution"));
        }
    }

    fn solution(&self, section: &Section, exercise: &Exercise) -> Solution {
        let mut fails = Vec::new();
        for (key, value, span) in &section.settings {
            let goals = 1..=exercise.goals.len() as u32;
            for word in value.split([',', ' ']).filter(|w| !w.is_empty()) {
                match word.parse().ok().filter(|n| goals.contains(n)) {
                    Some(number) if key == "fails" => fails.push(number),
                    _ => self.error(*span, say!("exercise/bad-fails", word = word)),
                }
            }
        }
        let changes = self.changes(section);
        Solution {
            text: self.prose(&section.blocks),
            attempt: Attempt {
                files: self.applied(&exercise.start.files, &changes),
                answers: self.answers(section),
                hints: 0,
            },
            fails,
            span: section.span,
        }
    }

    fn applied(&self, files: &[File], changes: &[FileChange]) -> Vec<File> {
        let mut files = files.to_vec();
        for change in changes {
            match apply(&files, std::slice::from_ref(change)) {
                Ok(changed) => files = changed,
                Err(mismatch) => self.error(mismatch.span, mismatch.say),
            }
        }
        files
    }

    fn changes(&self, section: &Section) -> Vec<FileChange> {
        changes_of(&section.blocks, &mut |span, say| self.error(span, say))
    }

    fn answers(&self, section: &Section) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for block in &section.blocks {
            if let Block::Fenced { info, text, span } = block
                && info == "answers"
            {
                for line in text.lines().filter(|l| !l.trim().is_empty()) {
                    match line.split_once(':') {
                        Some((name, value)) => {
                            all.push((name.trim().to_string(), value.trim().to_string()));
                        }
                        None => self.error(*span, say!("exercise/bad-answer", line = line)),
                    }
                }
            }
        }
        all
    }

    /// What is to be read, without the blocks that say what the files are.
    fn prose(&self, blocks: &[Block]) -> Vec<Block> {
        let told = |block: &&Block| match block {
            Block::Fenced { info, .. } => !is_machine(info),
            _ => true,
        };
        blocks.iter().filter(told).cloned().collect()
    }

    /// The same, where nothing else may stand.
    fn plain(&self, blocks: &[Block]) -> Vec<Block> {
        for block in blocks {
            if let Block::Fenced { info, span, .. } = block
                && is_machine(info)
            {
                self.error(*span, say!("exercise/block-here", word = info));
            }
        }
        self.prose(blocks)
    }
}

/// The changes that fenced blocks tell.
pub(crate) fn changes_of(blocks: &[Block], fault: &mut dyn FnMut(Span, Say)) -> Vec<FileChange> {
    let mut all = Vec::new();
    for block in blocks {
        let Block::Fenced { info, text, span } = block else {
            continue;
        };
        let (word, name) = info.split_once(' ').unwrap_or((info, ""));
        let kind = match word {
            "file" => ChangeKind::Whole(text.clone()),
            "edit" => ChangeKind::Lines(text.clone()),
            "delete" => ChangeKind::Delete,
            _ => continue,
        };
        let name = name.trim().to_string();
        if name.is_empty() {
            fault(*span, say!("exercise/block-without-file", word = word));
            continue;
        }
        all.push(FileChange {
            name,
            kind,
            span: *span,
        });
    }
    all
}

fn is_machine(info: &str) -> bool {
    let word = info.split(' ').next().unwrap_or_default();
    ["file", "edit", "delete", "answers"].contains(&word)
}

/// `all`, or a list of files, each by its name or with the lines that are open.
fn editable(cursor: Cursor<'_>) -> Vec<Editable> {
    let whole = |name: &str| Editable {
        file: name.to_string(),
        lines: Lines::All,
    };
    if cursor.node.str() == Some("all") {
        return vec![whole("*")];
    }
    let mut all = Vec::new();
    for item in cursor.items() {
        if let Some(name) = item.node.str() {
            all.push(whole(name));
            continue;
        }
        let Some(mut fields) = item.fields() else {
            continue;
        };
        let file = fields
            .required("file")
            .and_then(|c| c.str())
            .map(str::to_string);
        let with = fields.str("with").map(|text| Lines::With(text.to_string()));
        let range = fields.get("lines").and_then(range);
        fields.end();
        if let Some(file) = file {
            all.push(Editable {
                file,
                lines: with.or(range).unwrap_or(Lines::All),
            });
        }
    }
    all
}

/// `12` or `12-20`.
fn range(cursor: Cursor<'_>) -> Option<Lines> {
    let text = match cursor.node.int() {
        Some(number) => number.to_string(),
        None => cursor.str()?.to_string(),
    };
    let lines = Lines::range(&text);
    if lines.is_none() {
        cursor.error(say!("exercise/bad-lines", text = text));
    }
    lines
}
