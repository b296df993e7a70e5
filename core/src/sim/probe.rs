use std::net::IpAddr;

use serde::Serialize;

use crate::envoy::ClientHello;
use crate::net::{HttpVersion, Request, Time};

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

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HttpRequest {
    pub method: String,
    pub host: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// What a client says first that speaks TLS.
    pub tls: Option<ClientHello>,
    /// In the clear; over TLS both agree on it.
    pub version: HttpVersion,
    /// When it is sent; what hangs on it cannot be told without.
    pub time: Option<Time>,
}

impl HttpRequest {
    /// The request as it goes over the connection.
    pub fn head(&self) -> Request {
        Request {
            method: self.method.clone(),
            authority: self.host.clone(),
            path: self.path.clone(),
            headers: self.headers.iter().cloned().collect(),
            body: 0,
        }
    }
}
