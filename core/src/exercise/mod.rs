//! Exercises: a workspace with a fault or a question, what may be edited, and goals that say when it is done.
//!
//! [`read`] makes an [`Exercise`] of a Markdown file. [`Start`] plays its probes once; [`Start::judge`] plays an
//! [`Attempt`] and says of each [`Goal`] whether it holds, and which probe shows that it does not. [`check`] is for authors:
//! the start fails what it should, every solution passes, every wrong one does not.

mod bundle;
mod change;
mod check;
mod csv;
mod found;
mod goal;
mod hand_in;
mod head;
mod judge;
mod lock;
mod outcome;
mod question;
mod read;
mod read_goal;
mod score;
mod write;

pub use bundle::{bundle, bundles, is_shared, language, shared_name, unbundle};
pub use change::{ChangeKind, FileChange, Mismatch, apply, block, changes, lines_edited};
pub use check::{check, differs};
pub use csv::csv_line;
pub use found::{Finds, Found, Passed, TASK, find as find_hand_ins, packed_behind};
pub use goal::{Goal, Wanted};
pub use hand_in::{HandIn, MARK};
pub use head::Head;
pub use judge::{Finding, Judgement, Start, mark};
pub use lock::{Editable, Kept, Lines, Locked, kept, locked};
pub use outcome::Outcome;
pub use question::{Answer, Question, same_answer};
pub(crate) use read::changes_of;
pub use read::read;
pub(crate) use read_goal::asked;
pub use score::Score;
pub use write::{with_edit, with_goal, without_goal};

use crate::sim::Probe;
use crate::text::{Block, File, Span};
use crate::workspace::Workspace;

/// An exercise as one language tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exercise {
    /// Counts up when an old answer may no longer fit.
    pub version: u32,
    pub kind: Kind,
    /// Its place in the course.
    pub order: u32,
    /// From 1, easy, to 4.
    pub level: u32,
    /// A case as people report it.
    pub on_call: bool,
    /// The lesson that it belongs to, by its name.
    pub lesson: Option<String>,
    pub title: String,
    /// What one sees, never the cause.
    pub symptom: Vec<Block>,
    /// As the student finds it. Its probe is the first of `probes`.
    pub start: Workspace,
    pub probes: Vec<NamedProbe>,
    /// Each is played with so many seeds, from the workspace's own on.
    pub tries: u32,
    pub editable: Vec<Editable>,
    pub goals: Vec<Goal>,
    /// From a nudge to nearly the answer.
    pub hints: Vec<Vec<Block>>,
    pub solutions: Vec<Solution>,
    pub wrong: Vec<Solution>,
    /// Where the fault is reported or documented.
    pub sources: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Find the fault and mend it.
    Repair,
    /// Write what is missing.
    Build,
    /// Say what will happen before it is shown.
    Predict,
    /// Read a dump and answer.
    Read,
    /// Make it fail in a given way.
    Break,
}

impl Kind {
    pub const ALL: [(&'static str, Kind); 5] = [
        ("repair", Kind::Repair),
        ("build", Kind::Build),
        ("predict", Kind::Predict),
        ("read", Kind::Read),
        ("break", Kind::Break),
    ];

    pub fn name(self) -> &'static str {
        let mut all = Kind::ALL.iter();
        all.find(|(_, k)| *k == self).map_or("", |(name, _)| name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedProbe {
    pub name: String,
    pub probe: Probe,
}

/// An answer that the author gives: the right one, or a wrong one.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// Why it is right, or is not.
    pub text: Vec<Block>,
    pub attempt: Attempt,
    /// Of a wrong one: goals that it fails, by their numbers from 1; empty where any will do.
    pub fails: Vec<u32>,
    pub span: Span,
}

/// What a student makes of an exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// All files of the workspace.
    pub files: Vec<File>,
    /// Answers to questions, by their names.
    pub answers: Vec<(String, String)>,
    /// How many hints were opened.
    pub hints: u32,
}

impl Exercise {
    /// The start, untouched.
    pub fn untouched(&self) -> Attempt {
        Attempt {
            files: self.start.files.clone(),
            ..Attempt::default()
        }
    }

    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.goals.iter().filter_map(|goal| match &goal.wanted {
            Wanted::Asked(question) => Some(question),
            _ => None,
        })
    }

    /// How many lines the shortest solution edits.
    pub fn par(&self) -> u32 {
        let lines = |s: &Solution| lines_edited(&self.start.files, &s.attempt.files);
        self.solutions.iter().map(lines).min().unwrap_or(0)
    }
}
