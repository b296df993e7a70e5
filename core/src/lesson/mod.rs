//! Lessons: pages whose paragraphs drive the map, with questions to answer before it shows.
//!
//! [`read`] makes a [`Lesson`] of a Markdown file: a [`Stop`] for each of its headings, with the workspace as it is there and
//! the step that the map goes to. [`check`] is for authors: every step is found, every question has its answer.

mod check;
mod read;

pub use check::{check, differs};
pub use read::read;

use crate::exercise::Question;
use crate::text::{Block, Span};
use crate::topology::World;
use crate::trace::{Query, StepAt, Trace};
use crate::workspace::Workspace;

/// A lesson as one language tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    pub title: String,
    /// What it is about, in a sentence or two.
    pub about: Vec<Block>,
    /// How long it takes.
    pub minutes: u32,
    /// The scenario that it starts from.
    pub base: String,
    /// Exercises to try afterwards, by their names.
    pub exercises: Vec<String>,
    pub stops: Vec<Stop>,
}

/// A heading with what stands below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    pub title: String,
    /// As it is here: changes of earlier stops are in it.
    pub workspace: Workspace,
    /// Where the map goes; `None`: it stays where it is.
    pub query: Option<Query>,
    pub parts: Vec<Part>,
    /// For the one who presents it.
    pub notes: Vec<Block>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(Block),
    Ask(Asked),
}

/// A question, and what is said once it is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub question: Question,
    pub why: Option<String>,
    pub span: Span,
}

impl Stop {
    pub fn questions(&self) -> impl Iterator<Item = &Asked> {
        self.parts.iter().filter_map(|part| match part {
            Part::Ask(asked) => Some(asked),
            Part::Text(_) => None,
        })
    }

    /// The step that the map goes to.
    pub fn find(&self, world: &World, trace: &Trace) -> Option<StepAt> {
        self.query.as_ref()?.find(world, trace)
    }

    /// The map must not show the step before these are answered.
    pub fn asks_first(&self) -> bool {
        self.questions().next().is_some()
    }
}
