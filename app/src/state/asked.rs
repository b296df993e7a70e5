use std::rc::Rc;
use std::sync::Arc;

use northsouth::text::{FileId, Span};
use northsouth::workspace::{
    Coverage, Probe, Run, Subject, Workspace, coverage, parse_probe, probes,
};

/// The line that "why not?" is asked of: known by its file and text, so that it is found again after an edit elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub file: Arc<str>,
    pub text: String,
}

impl Asked {
    /// The line at a place of a run's texts. `None` where nothing there takes packets.
    pub fn at(run: &Run, span: Span) -> Option<Self> {
        let file = run.files.get(span.file.index())?;
        // A listing prints counters and spaces before the rule itself.
        let end = file.text.get(span.start as usize..)?.find('\n');
        let end = end.map_or(file.text.len() as u32, |n| span.start + n as u32);
        let subject = (span.start..=end).find_map(|at| run.subject_at(span.file, at))?;
        Some(Self {
            file: file.name.clone(),
            text: run.subject_text(&subject).to_string(),
        })
    }

    /// Where it stands now.
    pub fn find(&self, run: &Run) -> Option<Subject> {
        let at = run.files.iter().position(|f| f.name == self.file)?;
        let offset = run.files.get(at)?.text.find(&self.text)?;
        run.subject_at(FileId::at(at), offset as u32)
    }
}

/// What a set of probes reached, and of which run.
#[derive(Clone)]
pub struct Measured {
    pub run: Rc<Run>,
    pub coverage: Coverage,
    /// Lines of the list that are no probes, from 1.
    pub unread: Vec<usize>,
}

impl Measured {
    /// The workspace's own probe, those that it suggests, and a list of the viewer's.
    pub fn of(run: &Rc<Run>, workspace: &Workspace, list: &str) -> Self {
        let mut set: Vec<Probe> = vec![workspace.probe.clone()];
        set.extend(probes(run));
        let mut unread = Vec::new();
        for (at, line) in list.lines().enumerate() {
            match parse_probe(line.trim()) {
                _ if line.trim().is_empty() => {}
                Ok(probe) => set.push(probe),
                Err(_) => unread.push(at + 1),
            }
        }
        Self {
            coverage: coverage(run, &set, workspace.seed),
            run: run.clone(),
            unread,
        }
    }
}
