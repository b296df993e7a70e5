//! Text: what users own. Files, the spans that values were read from, what is to be said about them, and the sentences themselves.

pub(crate) mod base64;
mod diagnostic;
mod diff;
mod file;
mod later;
mod markdown;
mod pace;
mod prompt;
mod say;
mod why;
mod words;

pub use diagnostic::{Diagnostic, Label, Severity, left_out};
pub(crate) use diff::changed;
pub use diff::{DiffLine, Edit, diff, hunks, unified};
pub use file::{File, FileId, LineColumn, Span};
pub use later::{Along, Later, Readable, Text};
pub use markdown::{Block, Page, Section, Stretch, stretches};
pub use pace::{Pace, Stretches, at_once};
pub use prompt::{Prompt, prompt};
pub use say::{Arg, Lang, Say};
pub use why::{Outcome, Reason, Why};
pub use words::{Line, Word, lines};
