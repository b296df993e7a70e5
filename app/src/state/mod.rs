//! What the page knows: the workspace and its run, where in time and where on the map the viewer is, and how they like to
//! read. One reducer ([`State::after`]) owns it; events say what happened, and all that can be computed is computed.

mod asked;
mod breakpoints;
mod changes;
mod cluster;
pub mod course;
mod cursor;
mod event;
mod history;
pub mod needs;
mod opening;
pub mod prepared;
mod reduce;
mod settings;
mod terminal;
mod view;
mod zoom;

#[cfg(test)]
mod tests;

use std::rc::Rc;

pub use asked::{Asked, Measured};
pub use breakpoints::{Breakpoint, Breakpoints};
pub use cluster::{ClusterEvent, Happened};
pub use course::{Reading, Task};
pub use cursor::Position;
pub use event::{Dialog, Event, Notice, Tab};
pub use history::History;
pub use opening::Opening;
pub use settings::{PANE_WIDTHS, Settings, Speed, Theme};
pub use terminal::{Answer, Terminal};
pub use view::{look, view};
pub use zoom::{Level, Zoom};

use northsouth::text::File;
use northsouth::topology::HostId;
use northsouth::trace::Part;
use northsouth::workspace::{Ahead, Ran, Run, Scenario, Workspace};

use crate::view_model::cluster::Kin;
use crate::view_model::walk::Walk;

/// A place on the map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub host: HostId,
    pub part: Part,
}

/// A step that is asked for, and the answer that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    pub step: usize,
    pub chosen: Option<usize>,
}

/// Cloned with each event, so its large parts are shared.
#[derive(Clone)]
pub struct State {
    pub workspace: Rc<Workspace>,
    /// The workspace as the page's address gives it: it needs no keeping.
    pub source: Rc<Workspace>,
    /// What it started from.
    pub scenario: Option<Scenario>,
    /// The scenario as it comes, to reset to.
    pub pristine: Rc<Workspace>,
    pub history: Rc<History>,
    pub run: Rc<Run>,
    /// How much of a long text is read, of a hundred, while its run waits for that.
    pub ahead: Option<u8>,
    /// A run that was made ahead of the event that leads to it.
    pub ran: Option<Ran>,
    /// The workspace is still to be read for the first time.
    pub opening: Option<Rc<Opening>>,
    /// The run's steps in one row.
    pub walk: Rc<Walk>,
    /// Which step is looked at: an index into `walk`.
    pub cursor: usize,
    pub playing: bool,
    pub breakpoints: Rc<Breakpoints>,
    /// The place that the viewer opened; `None` opens the packet's own.
    pub opened: Option<Place>,
    /// The map goes where the packet goes.
    pub following: bool,
    pub zoom: Zoom,
    /// The node of which all pods are drawn.
    pub pods_of: Option<HostId>,
    /// Which file is in the editor, by its position in the workspace.
    pub file: usize,
    /// A byte offset in that file to go to, and a number that grows with each wish.
    pub go_to: Option<(u32, u32)>,
    /// How many such wishes there were.
    wishes: u32,
    pub tab: Tab,
    pub terminal: Rc<Terminal>,
    /// The run to compare others with.
    pub reference: Option<Rc<Run>>,
    /// The line that was asked why it was not taken.
    pub asked: Option<Asked>,
    /// What was asked last takes no packets.
    pub asked_in_vain: bool,
    pub measured: Option<Rc<Measured>>,
    /// The viewer's own probes to measure with.
    pub probe_list: Rc<str>,
    /// The next step is asked for before it is shown.
    pub predict: bool,
    pub guess: Option<Guess>,
    /// The lesson that was opened; the guided tour is one.
    pub reading: Option<Rc<Reading>>,
    /// Which of its stops is open.
    pub tour: Option<usize>,
    /// It is shown to a room: in large type, turned by a clicker.
    pub presenting: bool,
    pub task: Option<Rc<Task>>,
    pub notice: Option<Notice>,
    pub dialog: Option<Dialog>,
    /// The last thing that happened to the cluster, until something else changes.
    pub happened: Happened,
    /// What belongs to the place where the cursor was put last.
    pub kin: Option<Rc<Kin>>,
    /// The files lie over the map, on screens without room for both.
    pub files_shown: bool,
    pub settings: Settings,
}

impl State {
    /// The page as it opens on a workspace, at its first step.
    pub fn new(pristine: Workspace, workspace: Workspace, settings: Settings) -> Self {
        let walked = prepared::walked(&workspace);
        Self::on(pristine, workspace, settings, walked)
    }

    /// The same, before a workspace is read that takes long to read: [`Event::Opened`] is to follow.
    pub fn opening(
        pristine: Workspace,
        workspace: Workspace,
        settings: Settings,
        opening: Opening,
    ) -> Self {
        let run = Rc::new(Run::unread(&workspace));
        if Ahead::of(&run, &workspace).is_some() {
            let walk = Rc::new(Walk::of(&run));
            let mut state = Self::on(pristine, workspace, settings, (run, walk));
            state.opening = Some(Rc::new(opening));
            return state;
        }
        let mut state = Self::new(pristine, workspace, settings);
        state.opened_with(&opening);
        state
    }

    fn on(
        pristine: Workspace,
        workspace: Workspace,
        settings: Settings,
        (run, walk): (Rc<Run>, Rc<Walk>),
    ) -> Self {
        // The rules are what most come to see.
        let rules = |f: &File| f.name.ends_with("iptables-save.txt");
        let file = workspace.files.iter().position(rules).unwrap_or(0);
        Self {
            source: Rc::new(pristine.clone()),
            workspace: Rc::new(workspace),
            scenario: None,
            pristine: Rc::new(pristine),
            history: Rc::default(),
            run,
            ahead: None,
            ran: None,
            opening: None,
            walk,
            cursor: 0,
            playing: false,
            breakpoints: Rc::default(),
            opened: None,
            following: true,
            zoom: Zoom::default(),
            pods_of: None,
            file,
            go_to: None,
            wishes: 0,
            tab: Tab::Step,
            terminal: Rc::default(),
            reference: None,
            asked: None,
            asked_in_vain: false,
            measured: None,
            probe_list: "".into(),
            predict: false,
            guess: None,
            reading: None,
            tour: None,
            presenting: false,
            task: None,
            notice: None,
            dialog: None,
            happened: None,
            kin: None,
            files_shown: false,
            settings,
        }
    }
}
