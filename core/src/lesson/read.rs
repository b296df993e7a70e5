//! The Markdown file of a lesson.

use super::{Asked, Lesson, Part, Stop};
use crate::exercise::{apply, asked, changes_of};
use crate::say;
use crate::text::{Block, Diagnostic, FileId, Page, Say, Section, Span};
use crate::trace::Query;
use crate::workspace::{Workspace, parse_probe};
use crate::yaml::{self, Cursor, Fields, Log};

/// Reads a lesson. `base` gives the scenarios that lessons start from, by name. `None` where it is not even clear what it
/// starts from; whatever else is wrong has a diagnostic.
pub fn read(
    text: &str,
    file: FileId,
    base: &dyn Fn(&str) -> Option<Workspace>,
) -> (Option<Lesson>, Vec<Diagnostic>) {
    let page = Page::read(text, file);
    let top = Span::new(file, 0, text.lines().next().map_or(0, str::len));
    let Some(end) = page.front else {
        return (None, vec![Diagnostic::error(top, say!("lesson/no-front"))]);
    };
    let log = Log::default();
    let (nodes, mut diagnostics) = yaml::read(text.get(..end as usize).unwrap_or_default(), file);
    let lesson = nodes.first().and_then(|node| {
        let fields = Cursor::new(node, &log).fields()?;
        let reader = Reader {
            log: &log,
            page: &page,
            text,
        };
        reader.lesson(fields, base, top)
    });
    if nodes.is_empty() && diagnostics.is_empty() {
        diagnostics.push(Diagnostic::error(top, say!("lesson/no-front")));
    }
    diagnostics.extend(log.into_inner());
    (lesson, diagnostics)
}

struct Reader<'a> {
    log: &'a Log,
    page: &'a Page,
    text: &'a str,
}

impl Reader<'_> {
    fn error(&self, span: Span, message: Say) {
        self.log.push(Diagnostic::error(span, message));
    }

    fn lesson(
        &self,
        mut fields: Fields<'_>,
        base: &dyn Fn(&str) -> Option<Workspace>,
        top: Span,
    ) -> Option<Lesson> {
        let named = fields.required("base")?;
        let name = named.str()?;
        let mut workspace = base(name).or_else(|| {
            named.error(say!("exercise/unknown-base", name = name));
            None
        })?;
        let minutes = fields.required("minutes").and_then(|c| c.int_in(1..=60));
        let exercises = fields.get("exercises");
        let exercises = exercises.map(|c| c.items().filter_map(|c| c.str().map(str::to_string)));
        let exercises = exercises.map(Iterator::collect).unwrap_or_default();
        fields.end();
        let mut sections = self.page.sections.iter();
        let first = sections.next()?;
        if first.heading.is_empty() || first.blocks.is_empty() {
            self.error(top, say!("lesson/no-title"));
        }
        let mut lesson = Lesson {
            title: first.heading.clone(),
            about: first.blocks.clone(),
            minutes: minutes.unwrap_or(1),
            base: name.to_string(),
            exercises,
            stops: Vec::new(),
        };
        for section in sections {
            lesson.stops.push(self.stop(section, &mut workspace));
        }
        if lesson.stops.is_empty() {
            self.error(top, say!("lesson/no-stops"));
        }
        Some(lesson)
    }

    fn stop(&self, section: &Section, workspace: &mut Workspace) -> Stop {
        let mut query = None;
        for (key, value, span) in &section.settings {
            match &**key {
                "stop" => match Query::parse(value) {
                    Ok(found) => query = Some(found),
                    Err(say) => self.error(*span, say),
                },
                "probe" => match parse_probe(value) {
                    Ok(probe) => workspace.probe = probe,
                    Err(say) => self.error(*span, say),
                },
                "forwarding" => match workspace.with_forwarding(value) {
                    Some(changed) => *workspace = changed,
                    None => self.error(*span, say!("lesson/no-forwarding", word = value)),
                },
                "seed" => match value.parse() {
                    Ok(seed) => workspace.seed = seed,
                    Err(_) => self.error(*span, say!("lesson/bad-seed", word = value)),
                },
                other => self.error(*span, say!("lesson/bad-setting", word = other)),
            }
        }
        let changes = changes_of(&section.blocks, &mut |span, say| self.error(span, say));
        match apply(&workspace.files, &changes) {
            Ok(files) => workspace.files = files,
            Err(mismatch) => self.error(mismatch.span, mismatch.say),
        }
        let mut stop = Stop {
            title: section.heading.clone(),
            workspace: workspace.clone(),
            query,
            parts: Vec::new(),
            notes: Vec::new(),
            span: section.span,
        };
        for block in &section.blocks {
            self.part(block, &mut stop);
        }
        if stop.parts.is_empty() {
            self.error(section.span, say!("lesson/empty-stop"));
        }
        stop
    }

    fn part(&self, block: &Block, stop: &mut Stop) {
        let Block::Fenced { info, text, span } = block else {
            stop.parts.push(Part::Text(block.clone()));
            return;
        };
        let word = info.split(' ').next().unwrap_or_default();
        match word {
            "question" => {
                if let Some(asked) = self.question(*span) {
                    stop.parts.push(Part::Ask(asked));
                }
            }
            "notes" => {
                let inner = Page::read(text, span.file);
                let blocks = inner.sections.into_iter().flat_map(|s| s.blocks);
                stop.notes.extend(blocks);
            }
            "file" | "edit" | "delete" => {}
            _ => stop.parts.push(Part::Text(block.clone())),
        }
    }

    fn question(&self, span: Span) -> Option<Asked> {
        // Blanks in the place of what stands before, so that the places in it are those of the file.
        let before = self.text.get(..span.start as usize)?;
        let blank: String = before
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        let shift = before.len() - blank.len();
        let inner = self.text.get(span.range())?;
        let (nodes, said) = yaml::read(&format!("{blank}{inner}"), span.file);
        let moved = |mut d: Diagnostic| {
            d.span.start += shift as u32;
            d.span.end += shift as u32;
            self.log.push(d);
        };
        said.into_iter().for_each(moved);
        let log = Log::default();
        let asked = nodes.first().and_then(|node| {
            let mut fields = Cursor::new(node, &log).fields()?;
            let ask = fields.required("ask")?;
            let question = asked(ask, &mut fields);
            let why = fields.str("why").map(str::to_string);
            fields.end();
            Some(Asked {
                question: question?,
                why,
                span,
            })
        });
        log.into_inner().into_iter().for_each(moved);
        if nodes.is_empty() {
            self.error(span, say!("lesson/empty-question"));
        }
        asked
    }
}
