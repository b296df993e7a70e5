//! From a generated line to the fields that made it, and from a field to all that it made.

use std::collections::{BTreeMap, BTreeSet};

use crate::control::cluster::Generated;
use crate::text::{self, FileId, Span};
use crate::trace;
use crate::workspace::Run;
use crate::yaml::{self, Alone, Node, Value};

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
    /// Steps of the trace that such a line decided, or the field itself: journey, hop and step by their places.
    pub steps: Vec<(usize, usize, usize)>,
    /// Generated files that nobody looked at yet, and that were not looked into: those of a large cluster.
    pub unseen: usize,
}

/// How many lines, about, are made only to be looked through.
const MOST: usize = 40_000;

/// The spans that a line of a generated file comes from, the line counted from 0. Empty for files of people's own.
pub fn sources(run: &Run, file: usize, line: usize) -> &[Span] {
    let made = run.files.get(file).zip(run.generated(file));
    made.filter(|(file, made)| made.is(file))
        .map_or(&[], |(_, made)| made.sheet.sources(line))
}

/// What `sources` are, the most telling field first, each once.
pub fn origins(run: &Run, file: usize, line: usize) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    for span in sources(run, file, line) {
        if origins.iter().all(|o| o.span != *span) {
            origins.push(Origin {
                span: *span,
                ..named(run, *span)
            });
        }
    }
    origins
}

/// What a place in a manifest made; a `field`'s, to know what a field made. Of a large cluster only in the files that someone
/// looked at, as a walk does of the machines on its way.
pub fn made_by(run: &Run, place: Span) -> Made {
    let cluster = run.cluster.as_ref();
    let few = cluster.is_some_and(|cluster| cluster.lines_to_be_made() <= MOST);
    made(run, place, |generated| few || generated.sheet.is_made())
}

/// The same in all files, however many have to be made for it.
pub fn made_anywhere_by(run: &Run, place: Span) -> Made {
    made(run, place, |_| true)
}

fn made(run: &Run, place: Span, is_seen: impl Fn(&Generated) -> bool) -> Made {
    let mut made = Made::default();
    let Some(cluster) = &run.cluster else {
        return made;
    };
    let names = run.files.iter().enumerate();
    let names: BTreeMap<&str, usize> = names.map(|(at, file)| (&*file.name, at)).collect();
    let shown = |generated: &Generated| {
        let at = *names.get(&*generated.name)?;
        generated.is(run.files.get(at)?).then_some(at)
    };
    made.unseen = cluster.files.iter().filter(|g| !is_seen(g)).count();
    for (generated, line) in cluster.made_of(place, is_seen) {
        if let Some(file) = shown(generated) {
            made.lines.push((file, line));
        }
    }
    let stretches = stretches(run, &made.lines);
    let within = |span: Span, all: &[Span]| {
        let after = all.partition_point(|line| line.end < span.start);
        all.get(after).is_some_and(|line| line.start <= span.start)
    };
    for (j, journey) in run.trace.journeys.iter().enumerate() {
        for (h, hop) in journey.hops.iter().enumerate() {
            for (s, step) in hop.steps.iter().enumerate() {
                let Some(span) = trace::span(&run.world, hop.host, step) else {
                    continue;
                };
                // What istiod makes has no text of its own.
                let own = span.file == place.file
                    && place.start <= span.start
                    && span.end <= place.end
                    && span.start < span.end;
                let lines = stretches.get(&span.file.index());
                if own || lines.is_some_and(|all| within(span, all)) {
                    made.steps.push((j, h, s));
                }
            }
        }
    }
    made
}

/// Where these lines of files are, file by file in the files' order.
fn stretches(run: &Run, lines: &[(usize, usize)]) -> BTreeMap<usize, Vec<Span>> {
    let mut wanted: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (file, line) in lines {
        wanted.entry(*file).or_default().insert(*line);
    }
    let spans = |file: usize, wanted: &BTreeSet<usize>| {
        let (id, file) = (FileId::at(file), run.files.get(file)?);
        let all = text::lines(&file.text, id).enumerate();
        let found = all.filter(|(at, _)| wanted.contains(at));
        Some(found.map(|(_, line)| line.span).collect())
    };
    let found = wanted.into_iter();
    found
        .filter_map(|(file, wanted)| Some((file, spans(file, &wanted)?)))
        .collect()
}

/// The field at a place in a manifest: the span of its value, the object and the way to it.
pub fn field(run: &Run, place: Span) -> Option<Origin> {
    let origin = named(run, place);
    (!origin.path.is_empty()).then_some(origin)
}

/// The document around a place, alone: where it begins in the text, and what it says. A line of dashes ends one wherever it
/// stands, as what is within a document is indented (YAML 1.2, 9.1.2).
fn document(text: &str, place: usize) -> (usize, &str) {
    let before = text.get(..place).and_then(|t| t.rfind("\n---"));
    let start = before.map_or(0, |at| at + 1);
    let after = text.get(start..).unwrap_or_default();
    let own = after.get(place.saturating_sub(start)..);
    let end = own.and_then(|t| t.find("\n---"));
    let end = end.map_or(after.len(), |at| place - start + at + 1);
    (start, after.get(..end).unwrap_or_default())
}

/// The object and the field at a span.
fn named(run: &Run, span: Span) -> Origin {
    let mut origin = Origin {
        span,
        object: String::new(),
        path: String::new(),
    };
    let Some(file) = run.files.get(span.file.index()) else {
        return origin;
    };
    let (base, text) = document(&file.text, span.start as usize);
    // A long list would be read for one of its items.
    let alone = Alone::around(text, (span.start as usize).saturating_sub(base));
    let (documents, alone) = match alone.map(|alone| (yaml::read(&alone.text, span.file), alone)) {
        Some(((documents, said), alone)) if said.is_empty() => (documents, Some(alone)),
        _ => (yaml::read(text, span.file).0, None),
    };
    let back = |of: Span| {
        let back = |at: u32| alone.as_ref().map_or(at as usize, |a| a.back(at as usize));
        Span::new(of.file, base + back(of.start), base + back(of.end))
    };
    let span = {
        let place = |at: u32| {
            let at = (at as usize).saturating_sub(base);
            alone.as_ref().map_or(at, |alone| alone.place(at))
        };
        Span::new(span.file, place(span.start), place(span.end))
    };
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
                    origin.span = back(entry.value.span);
                    &entry.value
                })
            }
            Value::Seq(items) => {
                let at = items.iter().position(|n| around(&n));
                at.and_then(|at| {
                    let item = items.get(at)?;
                    let alone = alone.as_ref().filter(|_| origin.path == "items");
                    let at = alone.map_or(at, |alone| alone.item);
                    origin.path.push_str(&format!("[{at}]"));
                    origin.span = back(item.span);
                    Some(item)
                })
            }
            _ => None,
        };
    }
    origin
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::{File, FileId};
    use crate::workspace::{Scenario, Workspace, parse_probe, run};

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
        let place = Span::new(FileId::at(cluster), at + 8, at + 9);
        let made = made_by(&run, field(&run, place).unwrap().span);
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
    fn the_name_of_a_field_stands_for_its_value_and_routes_and_backends_have_fields_too() {
        let workspace = Scenario::find("policy-local").unwrap().workspace().unwrap();
        let run = run(&workspace);
        let file = |name: &str| run.files.iter().position(|f| &*f.name == name).unwrap();
        let made = |text: &str| {
            let cluster = file("cluster.yaml");
            let at = run.files[cluster].text.find(text).unwrap() + 2;
            let place = Span::new(FileId::at(cluster), at, at);
            let made = made_by(&run, field(&run, place).map_or(place, |f| f.span));
            let names: BTreeSet<_> = made.lines.iter().map(|(f, _)| *f).collect();
            names
        };
        let policy = made("externalTrafficPolicy: Local");
        assert!(policy.contains(&file("load-balancer.yaml")));
        assert!(policy.contains(&file("nodes/work001/iptables-save.txt")));
        let net = made("podCIDR: 172.20.1.128/25");
        assert!(net.contains(&file("nodes/work001/ip-route.txt")));
        assert!(net.contains(&file("vpc.yaml")));
        let line = |name: &str, text: &str| {
            let at = file(name);
            let line = run.files[at].text.lines().position(|l| l.contains(text));
            let paths = origins(&run, at, line.unwrap());
            paths.into_iter().map(|o| o.path).collect::<Vec<_>>()
        };
        let backend = line("load-balancer.yaml", "node: work002");
        assert!(backend.contains(&"spec.externalTrafficPolicy".to_string()));
        let route = line("vpc.yaml", "172.20.1.128/25");
        assert_eq!(route[0], "spec.podCIDR");
    }

    #[test]
    fn a_field_of_a_list_is_one_of_its_item() {
        let block = "\
# mine
apiVersion: v1
kind: List
items:
- kind: Service
  metadata: {name: a}
  spec: {type: NodePort}
- kind: Service
  metadata: {name: é, namespace: ns}
  spec:
    type: ClusterIP
- {other: 7}
metadata: {resourceVersion: xyz}
---
last: word
";
        let flow =
            r#"{"kind": "List", "items": [{"é": 1}, {"x": 2, "y": [30, 40]}, {"w": 5}], "z": 6}"#;
        for (text, value, object, path) in [
            (block, "NodePort", "Service a", "spec.type"),
            (block, "ClusterIP", "Service ns/é", "spec.type"),
            (block, "7", "List", "items[2].other"),
            (block, "xyz", "List", "metadata.resourceVersion"),
            (block, "v1", "List", "apiVersion"),
            (block, "word", "", "last"),
            (flow, "1", "", "items[0].é"),
            (flow, "40", "", "items[1].y[1]"),
            (flow, "5", "", "items[2].w"),
            (flow, "6", "", "z"),
        ] {
            let file = File::new("cluster.yaml", text);
            let at = text.find(value).unwrap();
            let run = Run::unread(&Workspace {
                files: vec![file.clone()],
                probe: parse_probe("client icmp 10.0.0.1").unwrap(),
                seed: 0,
            });
            let found = field(&run, Span::new(FileId(0), at, at)).unwrap();
            let found = (file.slice(found.span), &*found.object, &*found.path);
            assert_eq!(found, (value, object, path));
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
