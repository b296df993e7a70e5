use serde::Serialize;

use crate::envoy::ClientHello;
use crate::net::{HttpVersion, Request, Response};

/// What a segment carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payload {
    /// Inside of so many TLS sessions: who is between sees nothing but records.
    pub tls: u8,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Content {
    /// The client's begin of a TLS handshake.
    Hello(ClientHello),
    /// The server's part of it, with the protocol that it chose; empty: none.
    Shake(String),
    Request {
        request: Request,
        version: HttpVersion,
    },
    Response(Response),
}

impl Payload {
    pub fn plain(content: Content) -> Self {
        Self { tls: 0, content }
    }

    /// The same inside of one more TLS session.
    pub fn wrapped(mut self) -> Self {
        self.tls = self.tls.saturating_add(1);
        self
    }

    /// Bytes on the wire. A handshake has the size of a usual one, as keys and certificates are not modelled.
    pub fn length(&self) -> u16 {
        let own = match &self.content {
            Content::Hello(hello) => {
                let names: usize = hello.alpn.iter().map(|a| a.len() + 1).sum();
                u16::try_from(hello.sni.len() + names)
                    .unwrap_or(0)
                    .saturating_add(200)
            }
            Content::Shake(_) => 1300,
            Content::Request { request, .. } => request.length(),
            Content::Response(response) => response.length(),
        };
        // A record's head, type and tag (RFC 8446, 5.2).
        own.saturating_add(22 * u16::from(self.tls))
    }
}
