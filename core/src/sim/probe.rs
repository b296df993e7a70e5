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

impl HttpRequest {
    /// Bytes on the wire (RFC 9112): the request line, the head and no body.
    pub fn length(&self) -> u16 {
        let line = self.method.len() + self.path.len() + " HTTP/1.1\r\n".len() + 1;
        let field = |name: &str, value: &str| name.len() + value.len() + ": \r\n".len();
        let head: usize = self.headers.iter().map(|(n, v)| field(n, v)).sum();
        let all = line + field("Host", &self.host) + head + "\r\n".len();
        u16::try_from(all).unwrap_or(u16::MAX)
    }
}
