//! The workspace's files, grouped by the machine that they are of.

use std::collections::BTreeMap;

use northsouth::text::{File, LineColumn, Severity, Span};
use northsouth::workspace::FileKind;

use super::map::geometry::Face;
use crate::i18n::Words;
use crate::state::State;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The machine's name; empty for what concerns all.
    pub name: String,
    pub files: Vec<FileTab>,
    pub worst: Option<Severity>,
    pub edited: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTab {
    pub at: usize,
    pub label: String,
    pub worst: Option<Severity>,
    pub edited: bool,
}

impl Group {
    pub fn first(&self) -> usize {
        self.files.first().map_or(0, |f| f.at)
    }

    pub fn label(&self, words: &Words) -> String {
        if self.name.is_empty() {
            words.cluster.to_string()
        } else {
            Face::SANS.fit_middle(&self.name, 96)
        }
    }
}

/// Groups in the order of their first files.
pub fn groups(state: &State) -> Vec<Group> {
    let mut worst: BTreeMap<usize, Severity> = BTreeMap::new();
    for d in &state.run.diagnostics {
        let file = d.span.file.index();
        let severity = worst.entry(file).or_insert(d.severity);
        *severity = d.severity.min(*severity);
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, file) in state.run.files.iter().enumerate() {
        let (machine, label) = split(&file.name);
        let tab = FileTab {
            at,
            label: label.to_string(),
            worst: worst.get(&at).copied(),
            edited: is_edited(state, at),
        };
        let place = *places.entry(machine).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => {
                group.edited |= tab.edited;
                group.worst = [group.worst, tab.worst].into_iter().flatten().min();
                group.files.push(tab);
            }
            None => groups.push(Group {
                name: machine.to_string(),
                worst: tab.worst,
                edited: tab.edited,
                files: vec![tab],
            }),
        }
    }
    groups
}

pub fn is_edited(state: &State, at: usize) -> bool {
    let Some(file) = state.workspace.files.get(at) else {
        return false;
    };
    let pristine = state.pristine.files.iter().find(|f| f.name == file.name);
    pristine.is_none_or(|p| p.text != file.text)
}

/// `nodes/work001/ip-route.txt` into `work001` and `ip-route`.
fn split(name: &str) -> (&str, &str) {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let machine = folder
        .split_once('/')
        .map_or(folder, |(_, machine)| machine);
    (machine, file.split('.').next().unwrap_or(file))
}

/// The folder of the machine that a text is of where nothing tells: that of the file at hand, else of the first node.
pub fn home(state: &State) -> String {
    let files = &state.run.files;
    let at_hand = files.get(state.file).into_iter();
    let mut folders = at_hand.chain(files).filter_map(|file| {
        let (folder, _) = file.name.rsplit_once('/')?;
        matches!(FileKind::of(&file.name), FileKind::Host(..)).then(|| folder.to_string())
    });
    folders.next().unwrap_or_else(|| "nodes/node1".to_string())
}

/// Lines and columns of many places, which mostly follow each other: a text is not counted from its beginning for each.
#[derive(Default)]
pub struct Places {
    /// The place found last, and its line.
    last: Span,
    lines: u32,
}

impl Places {
    pub fn find(&mut self, file: &File, span: Span) -> LineColumn {
        if span.file != self.last.file || span.start < self.last.start {
            (self.last, self.lines) = (Span::new(span.file, 0, 0), 0);
        }
        let between = file.text.get(self.last.start as usize..span.start as usize);
        let Some(between) = between else {
            return file.line_column(span.start);
        };
        self.lines += between.bytes().filter(|b| *b == b'\n').count() as u32;
        self.last = span;
        let before = file.text.get(..span.start as usize).unwrap_or("");
        let column = before.rsplit('\n').next().unwrap_or("").chars().count();
        LineColumn {
            line: self.lines + 1,
            column: column as u32 + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use northsouth::text::FileId;

    use super::*;

    #[test]
    fn places_are_found_in_any_order_as_one_by_one() {
        let files = ["ab\n一二\n\nx", "y\nz"].map(|text| File::new("f", text));
        let mut places = Places::default();
        for (id, start) in [
            (0, 0),
            (0, 6),
            (0, 10),
            (0, 10),
            (0, 3),
            (1, 2),
            (0, 11),
            (0, 99),
            (0, 4),
        ] {
            let file = &files[id];
            let span = Span::new(FileId::at(id), start, start);
            assert_eq!(
                places.find(file, span),
                file.line_column(start as u32),
                "{span:?}"
            );
        }
    }

    #[test]
    fn a_file_is_of_the_machine_whose_folder_it_is_in() {
        assert_eq!(split("nodes/work001/ip-route.txt"), ("work001", "ip-route"));
        assert_eq!(
            split("pods/kube-system/dns/ss.txt"),
            ("kube-system/dns", "ss")
        );
        assert_eq!(split("vpc.yaml"), ("", "vpc"));
    }
}
