//! What a place shows when it is open: cards of lines, such as chains of rules, each with whether it held.

use northsouth::text::Outcome;

/// What stands in an open place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawer {
    /// `table nat, at hook PREROUTING`
    pub title: String,
    /// In the order in which the packet met them.
    pub cards: Vec<Card>,
    /// One card over the whole width, with its lines in full.
    pub wide: bool,
    /// Whether the packet is here, and its tag with it.
    pub tag: Option<Tag>,
}

/// A chain, a routing table, a bridge's table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    pub lines: Vec<Line>,
    /// The packet is in this one.
    pub current: bool,
    /// It has come here.
    pub reached: bool,
    /// No stop on the way: it stands beside the others.
    pub aside: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// Where the line sends the packet. Of a long line, this is what stays.
    pub target: String,
    /// `None` for a line that the packet has not come to.
    pub outcome: Option<Outcome>,
    /// The line at work.
    pub current: bool,
    /// A remark on lines and not one of them: `212 more rules`.
    pub note: bool,
    /// Where it is written.
    pub span: Option<northsouth::text::Span>,
}

impl Line {
    /// Whether one can ask why the packet did not take it. Where the packet is (`here`), what it has not come to may still
    /// take it.
    pub fn can_be_asked(&self, here: bool) -> bool {
        let passed = self.outcome.map_or(!here, |o| o != Outcome::Held);
        passed && !self.note && self.span.is_some()
    }
}

/// Where the packet comes from and where it goes to, by what its headers say now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    pub source: String,
    pub destination: String,
    pub source_changed: bool,
    pub destination_changed: bool,
}

/// A sign beside the colour, with its class.
pub fn outcome_sign(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Held => ("✓", "held"),
        Outcome::Failed => ("✕", "failed"),
        Outcome::NotTried => ("·", "not-tried"),
        Outcome::CannotTell => ("?", "cannot-tell"),
    }
}
