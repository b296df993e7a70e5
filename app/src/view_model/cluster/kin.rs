//! What belongs to the place at the cursor: of a field all that it made, of a generated line the fields that made it.

use std::collections::BTreeSet;

use northsouth::insight::{Made, Origin, field, made_anywhere_by, made_by, origins};
use northsouth::text::{FileId, Span, lines};
use northsouth::workspace::{FileKind, Run};

use crate::view_model::editor::Units;

/// A place, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Kin {
    pub place: Span,
    /// The field, where it is one of a manifest.
    pub field: Option<Origin>,
    pub made: Made,
    /// The fields that a generated line comes from.
    pub origins: Vec<Origin>,
}

impl Kin {
    /// Of a place in a file of a run. `None`: nothing belongs to it.
    pub fn at(run: &Run, place: Span) -> Option<Self> {
        let file = place.file.index();
        let name = &run.files.get(file)?.name;
        let mut kin = Self {
            place,
            field: None,
            made: Made::default(),
            origins: Vec::new(),
        };
        if FileKind::of(name) == FileKind::Manifests {
            kin.field = field(run, place);
            kin.made = made_by(run, kin.field.as_ref().map_or(place, |field| field.span));
        } else {
            let line = run.files.get(file)?.line_column(place.start).line as usize;
            kin.origins = origins(run, file, line.checked_sub(1)?);
        }
        let none = kin.made.lines.is_empty() && kin.made.steps.is_empty();
        let none = none && (kin.made.unseen == 0 || kin.field.is_none());
        (!none || !kin.origins.is_empty()).then_some(kin)
    }

    /// The same, looked for in all files.
    pub fn everywhere(&self, run: &Run) -> Self {
        let place = self.field.as_ref().map_or(self.place, |field| field.span);
        Self {
            made: made_anywhere_by(run, place),
            ..self.clone()
        }
    }

    /// Whether a place in another file is one of those that belong to it.
    pub fn holds(&self, run: &Run, place: Span) -> bool {
        let file = place.file.index();
        let line = || {
            let line = run.files.get(file)?.line_column(place.start).line as usize;
            line.checked_sub(1)
        };
        let made = line().is_some_and(|line| self.made.lines.contains(&(file, line)));
        made || self.origins.iter().any(|o| o.span == place)
    }

    /// The stretches of a file that belong to it, in UTF-16 units; none in its own file.
    pub fn stretches(&self, run: &Run, file: usize) -> Vec<(u32, u32)> {
        if file == self.place.file.index() {
            return Vec::new();
        }
        let Some(shown) = run.files.get(file) else {
            return Vec::new();
        };
        let id = FileId::at(file);
        let of_file = self.made.lines.iter().filter(|(f, _)| *f == file);
        let wanted: BTreeSet<usize> = of_file.map(|(_, line)| *line).collect();
        let mut spans: Vec<Span> = match wanted.is_empty() {
            true => Vec::new(),
            false => lines(&shown.text, id)
                .enumerate()
                .filter(|(at, _)| wanted.contains(at))
                .map(|(_, line)| line.span)
                .collect(),
        };
        spans.extend(self.origins.iter().map(|o| o.span).filter(|s| s.file == id));
        spans.sort();
        let mut units = Units::new(&shown.text);
        spans
            .iter()
            .map(|s| (units.at(s.start), units.at(s.end)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use northsouth::workspace::{Scenario, run};

    #[test]
    fn a_field_lights_its_lines_and_a_line_its_fields() {
        let workspace = Scenario::find("policy-local").unwrap().workspace().unwrap();
        let run = run(&workspace);
        let at = |name: &str| run.files.iter().position(|f| &*f.name == name).unwrap();
        let place = |name: &str, text: &str| {
            let file = at(name);
            let start = run.files[file].text.find(text).unwrap() + 1;
            Span::new(FileId::at(file), start, start)
        };
        let (cluster, rules) = (at("cluster.yaml"), at("nodes/work001/iptables-save.txt"));
        let field = Kin::at(&run, place("cluster.yaml", "externalTrafficPolicy")).unwrap();
        assert_eq!(
            field.field.as_ref().unwrap().path,
            "spec.externalTrafficPolicy"
        );
        assert!(field.stretches(&run, cluster).is_empty());
        let lit = field.stretches(&run, rules);
        let (from, to) = lit[0];
        let text = &run.files[rules].text[from as usize..to as usize];
        assert!(text.contains("KUBE-"), "{text}");

        let line = Kin::at(&run, place("load-balancer.yaml", "node: work002")).unwrap();
        assert!(line.made.lines.is_empty());
        let lit = line.stretches(&run, cluster);
        let texts: Vec<&str> = lit
            .iter()
            .map(|(from, to)| &run.files[cluster].text[*from as usize..*to as usize])
            .collect();
        assert!(texts.contains(&"Local"), "{texts:?}");
        let origin = line.origins[0].span;
        assert!(line.holds(&run, origin));
    }
}
