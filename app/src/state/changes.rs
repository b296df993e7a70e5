//! What an event makes of the workspace: [`State::after`] opens it, and [`needs`](super::needs) has its texts read before.

use std::sync::Arc;

use northsouth::insight::{anonymise, choose, perform};
use northsouth::share::read_kept;
use northsouth::text::File;
use northsouth::workspace::{Scenario, Workspace};

use super::{ClusterEvent, Event, State};

impl State {
    /// The workspace that the event leads to. `None` where it leads to no other.
    pub fn led_to(&self, event: &Event) -> Option<Workspace> {
        match event {
            Event::Edited { file, text, .. } => self.with_text(&self.workspace, *file, text),
            Event::Opened(_) => Some(Workspace::clone(&self.workspace)),
            Event::ProbeChanged(probe) => {
                let mut workspace = Workspace::clone(&self.workspace);
                workspace.probe = probe.clone();
                Some(workspace)
            }
            Event::ForwardingChosen(mode) => self.workspace.with_forwarding(mode.name()),
            Event::FileReset(file) => self.with_reset(*file),
            Event::EverythingReset => Some(Workspace::clone(&self.pristine)),
            Event::Undone => self.history.before().map(|w| Workspace::clone(w)),
            Event::Redone => self.history.after().map(|w| Workspace::clone(w)),
            Event::WayChosen(way) => Some(way.apply(&self.workspace, &self.run)),
            Event::FilesAdded(files) => Some(self.with_files(files)),
            Event::FileDeleted(file) => {
                let mut workspace = Workspace::clone(&self.workspace);
                (*file < workspace.files.len()).then(|| workspace.files.remove(*file))?;
                Some(workspace)
            }
            Event::FileRenamed { file, name } => self.with_name(*file, name),
            Event::KeptOpened(kept) => read_kept(kept),
            Event::SourceOpened => Some(Workspace::clone(&self.source)),
            Event::SharedOpened(unpacked) => {
                let base = unpacked.base.as_deref().and_then(Scenario::find);
                let base = base.and_then(|s| s.workspace());
                let (shared, _) = unpacked.as_ref().clone().over(base.as_ref()).ok()?;
                Some(shared.workspace)
            }
            Event::Cluster(event) => self.of_cluster(event),
            _ => None,
        }
    }

    fn of_cluster(&self, event: &ClusterEvent) -> Option<Workspace> {
        match event {
            ClusterEvent::Chosen(choice, word) => choose(&self.workspace, *choice, word),
            ClusterEvent::Happened(operation) => perform(&self.workspace, &self.run, operation),
            ClusterEvent::Anonymised => Some(anonymise(&self.workspace).workspace),
            ClusterEvent::TakenOver(file) => {
                let made = self.run.files.get(*file);
                let made = made.filter(|_| *file >= self.workspace.files.len())?;
                let mut workspace = Workspace::clone(&self.workspace);
                workspace.files.push(made.clone());
                Some(workspace)
            }
            ClusterEvent::Compared
            | ClusterEvent::LookedEverywhere
            | ClusterEvent::CaretMoved { .. } => None,
        }
    }

    /// A workspace with another text of a file, by its place in the run. One that was made from manifests becomes the
    /// viewer's own.
    pub fn with_text(&self, of: &Workspace, at: usize, text: &Arc<str>) -> Option<Workspace> {
        let shown = self.run.files.get(at)?;
        let own = of.files.iter().position(|f| f.name == shown.name);
        let before = own.and_then(|own| of.files.get(own)).unwrap_or(shown);
        if *before.text == **text {
            return None;
        }
        let file = File {
            name: shown.name.clone(),
            text: text.clone().into(),
        };
        let mut workspace = Workspace::clone(of);
        match own.and_then(|own| workspace.files.get_mut(own)) {
            Some(place) => *place = file,
            None => workspace.files.push(file),
        }
        Some(workspace)
    }

    /// The workspace with more files, and other texts of those that are there.
    fn with_files(&self, files: &[(String, String)]) -> Workspace {
        let mut workspace = Workspace::clone(&self.workspace);
        for (name, text) in files {
            let file = File::new(name, text);
            match workspace.files.iter_mut().find(|f| *f.name == **name) {
                Some(place) => *place = file,
                None => workspace.files.push(file),
            }
        }
        workspace
    }

    /// The workspace with a file as it came.
    fn with_reset(&self, file: usize) -> Option<Workspace> {
        let mut workspace = Workspace::clone(&self.workspace);
        let place = workspace.files.get_mut(file)?;
        match self.pristine.files.iter().find(|f| f.name == place.name) {
            Some(pristine) => *place = pristine.clone(),
            // It was made from a manifest once, and is made again.
            None => {
                workspace.files.remove(file);
            }
        }
        Some(workspace)
    }

    /// The workspace with a file under another path, where it may be of another kind. One that is taken already is not taken
    /// over.
    fn with_name(&self, file: usize, name: &str) -> Option<Workspace> {
        let taken = self.run.files.iter().any(|f| *f.name == *name);
        let mut workspace = Workspace::clone(&self.workspace);
        let place = workspace.files.get_mut(file);
        let place = place.filter(|_| !taken && !name.is_empty())?;
        *place = File {
            name: name.into(),
            text: place.text.clone(),
        };
        Some(workspace)
    }
}
