use serde::Serialize;

use super::{Say, Span};
use crate::say;

/// How bad it is: an `Error` was not understood and has no effect, a `Warning` has an effect that may surprise or is not
/// modelled, a `Note` is worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn say(self) -> Say {
        match self {
            Severity::Error => say!("diagnostic/error"),
            Severity::Warning => say!("diagnostic/warning"),
            Severity::Note => say!("diagnostic/note"),
        }
    }
}

/// That so many diagnostics are left out of a list.
pub fn left_out(count: usize) -> Say {
    say!("diagnostic/left-out", count = count)
}

/// Something to be said about a place in a file. Its stable code is the key of its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub message: Say,
    pub span: Span,
    /// Other places that matter, each with what it has to do with it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<Say>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    pub span: Span,
    pub message: Say,
}

impl Diagnostic {
    /// What may help, said as such.
    pub fn help_line(&self) -> Option<Say> {
        let help = self.help.clone()?;
        Some(say!("diagnostic/help", help => help))
    }

    pub fn error(span: Span, message: Say) -> Self {
        Self {
            severity: Severity::Error,
            message,
            span,
            labels: Vec::new(),
            help: None,
        }
    }

    pub fn warning(span: Span, message: Say) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(span, message)
        }
    }

    pub fn note(span: Span, message: Say) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::error(span, message)
        }
    }

    pub fn help(mut self, help: Say) -> Self {
        self.help = Some(help);
        self
    }

    pub fn label(mut self, span: Span, message: Say) -> Self {
        self.labels.push(Label { span, message });
        self
    }

    /// The stable name of this kind of diagnostic, such as `iptables/unknown-match`.
    pub fn code(&self) -> &'static str {
        self.message.key
    }
}
