//! From a generated line to the fields that made it, and from a field to all that it made.

use crate::text::{FileId, Span};
use crate::trace;
use crate::workspace::Run;
use crate::yaml::{self, Node, Value};

/// A field that had a part in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub span: Span,
    /// `Service default/web`; empty where the span is in no object.
    pub object: String,
    /// `spec.externalTrafficPolicy`; empty for the object itself.
    pub path: String,
}

/// All that a field made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Lines of generated files, by the file's place in the run and the line's from 0.
    pub lines: Vec<(usize, usize)>,
    /// Steps of the trace that such a line decided: journey, hop and step by their places.
    pub steps: Vec<(usize, usize, usize)>,
}

/// What a line of a generated file comes from, the most telling field first. Empty for files of people's own.
pub fn origins(run: &Run, file: usize, line: usize) -> Vec<Origin> {
    let find = || {
        let shown = run.files.get(file)?;
        let mut made = run.cluster.as_ref()?.files.iter();
        let made = made.find(|m| *m.name == *shown.name && m.sheet.text() == &*shown.text)?;
        let mut origins: Vec<Origin> = Vec::new();
        for span in made.sheet.sources(line) {
            if origins.iter().all(|o| o.span != *span) {
                origins.push(named(run, *span));
            }
        }
        Some(origins)
    };
    find().unwrap_or_default()
}

/// What a place in a manifest made: the smallest field around it.
pub fn made_by(run: &Run, place: Span) -> Made {
    let mut made = Made::default();
    let Some(cluster) = &run.cluster else {
        return made;
    };
    for (at, line) in cluster.made_of(place) {
        let Some(generated) = cluster.files.get(at) else {
            continue;
        };
        let shown = |f: &crate::text::File| {
            *f.name == *generated.name && *f.text == *generated.sheet.text()
        };
        if let Some(file) = run.files.iter().position(shown) {
            made.lines.push((file, line));
        }
    }
    for (j, journey) in run.trace.journeys.iter().enumerate() {
        for (h, hop) in journey.hops.iter().enumerate() {
            for (s, step) in hop.steps.iter().enumerate() {
                let used = trace::span(&run.world, hop.host, step).and_then(|span| {
                    let file = usize::from(span.file.0);
                    let line = run.files.get(file)?.line_column(span.start).line as usize;
                    Some((file, line.checked_sub(1)?))
                });
                if used.is_some_and(|used| made.lines.contains(&used)) {
                    made.steps.push((j, h, s));
                }
            }
        }
    }
    made
}

/// The object and the field at a span.
fn named(run: &Run, span: Span) -> Origin {
    let mut origin = Origin {
        span,
        object: String::new(),
        path: String::new(),
    };
    let Some(file) = run.files.get(usize::from(span.file.0)) else {
        return origin;
    };
    let (documents, _) = yaml::read(&file.text, FileId(span.file.0));
    let around = |n: &&Node| n.span.start <= span.start && span.end <= n.span.end;
    let mut node = documents.iter().find(around);
    while let Some(here) = node {
        if let (Some(kind), Some(meta)) = (
            here.field("kind").and_then(Node::str),
            here.field("metadata"),
        ) {
            let text = |key| meta.field(key).and_then(Node::str);
            let name = text("name").or(text("generateName")).unwrap_or_default();
            let namespace = text("namespace")
                .map(|n| format!("{n}/"))
                .unwrap_or_default();
            origin.object = format!("{kind} {namespace}{name}").trim_end().to_string();
            origin.path.clear();
        }
        node = match &here.value {
            Value::Map(entries) => {
                let inside = entries.iter().find(|e| {
                    e.key_span.start <= span.start
                        && span.end <= e.value.span.end.max(e.key_span.end)
                });
                inside.map(|entry| {
                    if !origin.path.is_empty() {
                        origin.path.push('.');
                    }
                    origin.path.push_str(&entry.key);
                    &entry.value
                })
            }
            Value::Seq(items) => {
                let at = items.iter().position(|n| around(&n));
                at.and_then(|at| {
                    origin.path.push_str(&format!("[{at}]"));
                    items.get(at)
                })
            }
            _ => None,
        };
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Scenario, run};

    #[test]
    fn a_field_and_its_lines_find_each_other() {
        let workspace = Scenario::find("policy-local").unwrap().workspace().unwrap();
        let run = run(&workspace);
        let cluster = workspace
            .files
            .iter()
            .position(|f| &*f.name == "cluster.yaml")
            .unwrap();
        let at = workspace.files[cluster].text.find("Policy: Local").unwrap();
        let made = made_by(&run, Span::new(FileId(cluster as u16), at + 8, at + 9));
        let texts: Vec<_> = made
            .lines
            .iter()
            .map(|(file, line)| run.files[*file].text.lines().nth(*line).unwrap())
            .collect();
        assert!(texts.iter().any(|l| l.contains("KUBE-SVL-")), "{texts:#?}");
        assert!(
            texts.iter().any(|l| l.contains("healthy: false")),
            "{texts:#?}"
        );
        assert!(!made.steps.is_empty(), "the walk used them");
        for (file, line) in made.lines {
            let origins = origins(&run, file, line);
            let policy = origins
                .iter()
                .find(|o| o.path == "spec.externalTrafficPolicy");
            assert_eq!(policy.unwrap().object, "Service web");
        }
    }

    #[test]
    fn a_file_of_ones_own_comes_from_nobody() {
        let workspace = Scenario::find("bridge-nf-off")
            .unwrap()
            .workspace()
            .unwrap();
        let run = run(&workspace);
        let own = run
            .files
            .iter()
            .position(|f| f.name.ends_with("work001/sysctl.txt"))
            .unwrap();
        assert_eq!(origins(&run, own, 0), []);
    }
}
