use std::rc::Rc;
use std::sync::Arc;

use northsouth::share::Unpacked;
use northsouth::sim::Probe;
use northsouth::text::{Lang, Say, Span};
use northsouth::topology::HostId;
use northsouth::workspace::Ran;

use super::{Breakpoint, ClusterEvent, Opening, Place, Speed, Theme, Zoom};
use crate::view_model::balancer::Mode;
use crate::view_model::stride::{Stride, Way};

/// Something happened on the page.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A file's text was changed; `at` is the time in milliseconds.
    Edited {
        file: usize,
        text: Arc<str>,
        at: f64,
    },
    /// So much of a long text is read, of a hundred; or all of what was wanted.
    ReadingOn(Option<u8>),
    /// The run of the workspace that an event leads to, which follows.
    Ran(Ran),
    /// The workspace at hand is to be read for the first time.
    Opened(Rc<Opening>),
    ProbeChanged(Probe),
    ForwardingChosen(Mode),
    FileReset(usize),
    EverythingReset,
    Undone,
    Redone,

    StepChosen(usize),
    SteppedForward,
    SteppedBack,
    Strode(Stride, Way),
    /// Whether the next step is asked for before it is shown.
    PredictSet(bool),
    /// One of the answers was chosen.
    Guessed(usize),
    BreakpointToggled(Breakpoint),
    PlayToggled,
    /// While playing: time for the next step.
    Ticked,
    Replayed,
    SpeedChosen(Speed),

    PlaceOpened(Place),
    /// Back to where the packet is, and with it from now on.
    PacketFollowed,
    /// The viewer moved the map themselves.
    LookedAround,
    Zoomed(Zoom),
    /// Nearer or farther by a factor in percent.
    ZoomedBy(u32),
    /// All of a node's pods are wanted.
    PodsOpened(HostId),
    FileChosen(usize),
    SpanChosen(Span),
    TabChosen(Tab),

    /// A command line was given to a host.
    CommandGiven {
        host: String,
        command: String,
    },
    /// The terminal of a host.
    TerminalOpened(String),
    TerminalCleared,

    /// This run is the one to compare others with.
    ReferenceKept,
    ReferenceDropped,
    /// Why did the packet not take what stands there? `None` to ask of another line.
    WhyNotAsked(Option<Span>),
    /// A change that leads there.
    WayChosen(Box<northsouth::workspace::Way>),
    /// Which lines do probes reach? With a list of the viewer's own.
    CoverageMeasured(Rc<str>),

    /// By path and text; a path that is there is another text of that file.
    FilesAdded(Rc<[(String, String)]>),
    FileDeleted(usize),
    FileRenamed {
        file: usize,
        name: String,
    },

    /// A stop of the lesson at hand, or of the tour.
    TourOpened(usize),
    TourClosed,
    Presented(bool),
    /// Of a question by its name.
    Answered {
        name: String,
        text: String,
    },
    /// What was to be predicted was.
    Predicted,
    HintOpened,
    /// The walk that shows how a goal fares.
    GoalShown(usize),

    DialogOpened(Dialog),
    DialogClosed,
    /// Whether single keys do something.
    ShortcutsSet(bool),
    LanguageChosen(Lang),
    ThemeToggled {
        dark_now: bool,
    },
    ThemeChosen(Theme),
    FilesFolded(bool),
    /// On screens where the files lie over the map.
    FilesShown(bool),
    FilesResized(u32),
    InspectorResized(u32),

    Cluster(ClusterEvent),

    Noticed(Notice),
    NoticeClosed,
    /// A kept workspace is wanted back.
    KeptOpened(Rc<str>),
    /// The workspace as the address gives it is wanted.
    SourceOpened,
    /// What a file carried.
    SharedOpened(Rc<Unpacked>),
}

impl Event {
    /// Whether it changes texts, or goes to others than are there: such events happen in their order, however long a text
    /// takes to be read.
    pub fn is_about_texts(&self) -> bool {
        match self {
            Event::Edited { .. }
            | Event::Opened(_)
            | Event::ProbeChanged(_)
            | Event::ForwardingChosen(_)
            | Event::FileReset(_)
            | Event::EverythingReset
            | Event::Undone
            | Event::Redone
            | Event::WayChosen(_)
            | Event::FilesAdded(_)
            | Event::FileDeleted(_)
            | Event::FileRenamed { .. }
            | Event::TourOpened(_)
            | Event::GoalShown(_)
            | Event::KeptOpened(_)
            | Event::SourceOpened
            | Event::SharedOpened(_) => true,
            Event::Cluster(event) => !matches!(
                event,
                ClusterEvent::CaretMoved { .. } | ClusterEvent::LookedEverywhere
            ),
            _ => false,
        }
    }

    /// Whether nothing is lost when it happens in the place of another.
    pub fn replaces(&self, other: &Event) -> bool {
        match (self, other) {
            (Event::Edited { file, .. }, Event::Edited { file: before, .. }) => file == before,
            _ => false,
        }
    }
}

/// What the right pane shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The step at hand, explained.
    #[default]
    Step,
    /// All steps as text.
    List,
    /// Who sends what.
    Probe,
    /// Commands on a host.
    Terminal,
    /// This run beside another.
    Compare,
    /// Why a line was not taken.
    WhyNot,
    /// Which lines probes reach.
    Coverage,
    /// Everybody who may take such a connection.
    Roads,
    /// What the cluster is built with, and what happens to it.
    Cluster,
}

impl Tab {
    pub const ALL: [Tab; 9] = [
        Tab::Step,
        Tab::List,
        Tab::Probe,
        Tab::Terminal,
        Tab::Compare,
        Tab::WhyNot,
        Tab::Coverage,
        Tab::Roads,
        Tab::Cluster,
    ];
}

/// What lies over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// A Service as every release of kube-proxy programs it.
    Dialects,
    Shortcuts,
    Share,
    Embed,
    Qr,
}

/// Something the page has to say about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// What was kept could not be read, here it is; it is also kept aside, and the scenario as it comes is open.
    KeptUnreadable(Rc<str>),
    /// The program failed on the last visit with this workspace; it is kept aside, and the scenario as it comes is open.
    FailedLastTime(Rc<str>),
    /// This browser keeps nothing for the next visit.
    NotSaved,
    /// The address asks for something that is not here; the playground is open instead.
    UnknownAddress(Rc<str>),
    /// One of the page's own files could not be fetched.
    NotFetched,
    /// What the core has to say: of a link or a file that was opened.
    Said(Say),
    /// The program failed on the last visit with the link at hand; the scenario as it comes is open.
    LinkFailed,
    /// The workspace of a link is open as the viewer left it on the last visit.
    LinkEdited,
    /// There is no such file of the page's own origin.
    NoSource(Rc<str>),
}
