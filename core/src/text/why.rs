use serde::Serialize;

use super::{Say, Span};

/// Why a step happened: what held, and what was passed over and why it did not. Made when someone looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Why {
    pub decided: Vec<Reason>,
    pub passed_over: Vec<Reason>,
}

/// A fragment of a reason: what was asked, what the packet had, and the text that asked it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub outcome: Outcome,
    /// The text that asked, as the real tool prints it; empty where no text did.
    pub text: String,
    pub say: Say,
    pub span: Option<Span>,
    pub children: Vec<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Outcome {
    Held,
    Failed,
    /// Not looked at, as something before it decided.
    NotTried,
    CannotTell,
}
