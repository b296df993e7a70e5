use std::net::IpAddr;

use serde::Serialize;

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
