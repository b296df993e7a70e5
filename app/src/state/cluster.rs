//! What happens on the page to the cluster as a whole.

use std::rc::Rc;

use northsouth::insight::{Choice, Operation};
use northsouth::text::{FileId, Span};

use super::{Event, State, Tab};
use crate::view_model::cluster::Kin;
use crate::view_model::editor;

#[derive(Clone, Debug, PartialEq)]
pub enum ClusterEvent {
    /// Another word was chosen for what the cluster is built with.
    Chosen(Choice, String),
    /// Something is to happen to it.
    Happened(Operation),
    /// The walk is to be compared with the one before it happened.
    Compared,
    /// Everything is to have another name.
    Anonymised,
    /// A controller's file is to be the viewer's own, as it is.
    TakenOver(usize),
    /// The cursor was put somewhere in a file, in UTF-16 units.
    CaretMoved { file: usize, at: u32 },
    /// What belongs to the cursor's place is to be looked for in all files.
    LookedEverywhere,
}

impl State {
    pub(super) fn cluster_event(&mut self, event: ClusterEvent) {
        match event {
            ClusterEvent::Happened(operation) => {
                let before = self.run.clone();
                let event = ClusterEvent::Happened(operation.clone());
                if let Some(workspace) = self.led_to(&Event::Cluster(event)) {
                    self.change(workspace);
                    self.happened = Some((operation, before));
                }
            }
            ClusterEvent::Compared => {
                self.reference = self.happened.as_ref().map(|(_, before)| before.clone());
                self.tab = Tab::Compare;
            }
            ClusterEvent::Chosen(..) | ClusterEvent::Anonymised | ClusterEvent::TakenOver(_) => {
                self.change_by(&Event::Cluster(event));
            }
            ClusterEvent::CaretMoved { file, at } => self.caret_moved(file, at),
            ClusterEvent::LookedEverywhere => {
                let kin = self.kin.as_ref().map(|kin| kin.everywhere(&self.run));
                self.kin = kin.map(Rc::new);
            }
        }
    }

    fn caret_moved(&mut self, at: usize, units: u32) {
        let Some(file) = self.run.files.get(at) else {
            return;
        };
        let offset = editor::byte(&file.text, units) as usize;
        let place = Span::new(FileId::at(at), offset, offset);
        self.kin = Kin::at(&self.run, place).map(Rc::new);
    }
}

/// What was done last, and the run before it.
pub type Happened = Option<(Operation, Rc<northsouth::workspace::Run>)>;
