//! The walk: packets over hosts and links, and what they leave behind.

mod probe;

pub use probe::{HttpRequest, Probe, ProbeKind};
