//! What users own: named files, a probe, a seed. All the rest is computed from it by [`run`].

use std::net::IpAddr;

use serde::Serialize;

use crate::text::{Diagnostic, File};
use crate::trace::Trace;

/// Files in the formats of the real tools, and who sends what. A file's place and name tell what it is, see [`FileKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub files: Vec<File>,
    pub probe: Probe,
    pub seed: u64,
}

/// Who sends what. Serialized shapes live in `share`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// A host by name: `client`, a node, a pod.
    pub from: String,
    pub to: IpAddr,
    /// 0 where the protocol has none.
    pub port: u16,
    pub kind: ProbeKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ProbeKind {
    /// A TCP connection, opened and left.
    TcpConnect,
    Http(HttpRequest),
    Udp,
    IcmpEcho,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpRequest {
    pub method: String,
    pub host: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
}

/// All that was computed from a workspace.
#[derive(Clone, Debug)]
pub struct Run {
    pub diagnostics: Vec<Diagnostic>,
    pub trace: Trace,
}
