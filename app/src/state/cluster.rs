//! What happens on the page to the cluster as a whole.

use std::rc::Rc;

use northsouth::insight::{Choice, Operation, anonymise, choose, perform};
use northsouth::text::{FileId, Span};
use northsouth::workspace::{FileKind, Workspace};

use super::State;
use crate::view_model::editor;

#[derive(Clone, Debug, PartialEq)]
pub enum ClusterEvent {
    /// Another word was chosen for what the cluster is built with.
    Chosen(Choice, String),
    /// Something is to happen to it.
    Happened(Operation),
    /// Everything is to have another name.
    Anonymised,
    /// A file of the viewer's own is to be its controller's again.
    GivenBack(usize),
    /// The cursor was put somewhere in a file, in UTF-16 units.
    CaretMoved { file: usize, at: u32 },
}

impl State {
    pub(super) fn cluster_event(&mut self, event: ClusterEvent) {
        match event {
            ClusterEvent::Chosen(choice, word) => {
                if let Some(workspace) = choose(&self.workspace, choice, &word) {
                    self.change(workspace);
                }
            }
            ClusterEvent::Happened(operation) => {
                let before = self.run.clone();
                if let Some(workspace) = perform(&self.workspace, &before, &operation) {
                    self.change(workspace);
                    self.happened = Some((operation, before));
                }
            }
            ClusterEvent::Anonymised => self.change(anonymise(&self.workspace).workspace),
            ClusterEvent::GivenBack(file) => {
                let mut workspace = Workspace::clone(&self.workspace);
                if file < workspace.files.len() {
                    workspace.files.remove(file);
                    self.change(workspace);
                }
            }
            ClusterEvent::CaretMoved { file, at } => self.field = self.field_at(file, at),
        }
    }

    /// A place in a manifest.
    fn field_at(&self, at: usize, units: u32) -> Option<Span> {
        let file = self.workspace.files.get(at)?;
        let manifests = FileKind::of(&file.name) == FileKind::Manifests;
        let offset = editor::byte(&file.text, units) as usize;
        let id = FileId(u16::try_from(at).ok()?);
        manifests.then(|| Span::new(id, offset, offset))
    }
}

/// What was done last, and the run before it.
pub type Happened = Option<(Operation, Rc<northsouth::workspace::Run>)>;
