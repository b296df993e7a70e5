//! What users own: named files, a probe, a seed. All the rest is computed from it by [`run`].

pub use crate::sim::{HttpRequest, Probe, ProbeKind};
use crate::text::{Diagnostic, File};
use crate::trace::Trace;

/// Files in the formats of the real tools, and who sends what. A file's place and name tell what it is, see [`FileKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub files: Vec<File>,
    pub probe: Probe,
    pub seed: u64,
}

/// All that was computed from a workspace.
#[derive(Clone, Debug)]
pub struct Run {
    pub diagnostics: Vec<Diagnostic>,
    pub trace: Trace,
}
