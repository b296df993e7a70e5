//! What a policy asks. Source: `source/extensions/filters/common/rbac/matchers.cc`.

use std::net::IpAddr;

use crate::envoy::listener::Connection;
use crate::envoy::manager;
use crate::envoy::matching::{HeaderMatch, StringMatch};
use crate::envoy::metadata::{Metadata, MetadataMatch};
use crate::envoy::template::Template;
use crate::net::{IpNetwork, Request};
use crate::text::Span;

#[derive(Clone, Debug)]
pub struct Condition {
    pub test: Test,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Test {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Always,
    Header(HeaderMatch),
    /// Of the path without its query.
    Path(StringMatch),
    Template(Template),
    /// Where the client meant to go.
    Destination(IpNetwork),
    /// From the first up to, without, the second.
    DestinationPort(u32, u32),
    ServerName(StringMatch),
    /// The other end of the socket.
    DirectSource(IpNetwork),
    /// As a PROXY header said.
    Source(IpNetwork),
    /// As far as the proxies in front can be believed.
    Client(IpNetwork),
    /// Over TLS; as the certificate names the peer.
    Authenticated(Option<StringMatch>),
    Metadata(MetadataMatch),
    /// By its name.
    NotModelled(String),
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Holds,
    Fails,
    Unknown,
}

impl Told {
    pub fn and(self, other: impl FnOnce() -> Told) -> Told {
        match self {
            Told::Fails => Told::Fails,
            Told::Holds => other(),
            Told::Unknown => match other() {
                Told::Fails => Told::Fails,
                _ => Told::Unknown,
            },
        }
    }

    pub fn or(self, other: impl FnOnce() -> Told) -> Told {
        self.inverted().and(|| other().inverted()).inverted()
    }

    pub fn inverted(self) -> Told {
        match self {
            Told::Holds => Told::Fails,
            Told::Fails => Told::Holds,
            Told::Unknown => Told::Unknown,
        }
    }
}

impl From<bool> for Told {
    fn from(holds: bool) -> Told {
        if holds { Told::Holds } else { Told::Fails }
    }
}

/// Who asks, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub connection: &'a Connection,
    /// Whether TLS ends here, so that the certificate is known.
    pub ends_tls: bool,
    /// Whom it comes from, as far as the proxies in front can be believed.
    pub client: IpAddr,
    /// None where connections are judged.
    pub request: Option<&'a Request>,
    /// What filters before have noted.
    pub metadata: &'a Metadata,
}

impl Asker<'_> {
    /// The path without query and fragment.
    pub fn path(&self) -> Option<&str> {
        let path = self.request?.path.as_str();
        path.split(['?', '#']).next()
    }

    pub fn server_name(&self) -> &str {
        let tls = self.connection.tls.as_ref();
        tls.map_or("", |hello| hello.sni.as_str())
    }

    /// The names in the peer's certificate: empty where it shows none.
    fn authenticated(&self, wanted: Option<&StringMatch>) -> Told {
        let Some(hello) = self.connection.tls.as_ref().filter(|_| self.ends_tls) else {
            return Told::Fails;
        };
        let Some(wanted) = wanted else {
            return Told::Holds;
        };
        match (&hello.principal, hello.certificate) {
            (_, false) => wanted.is_match("").into(),
            (Some(name), true) => (wanted.is_match(name) || wanted.is_match("")).into(),
            (None, true) => Told::Unknown,
        }
    }
}

impl Condition {
    pub fn told(&self, asker: &Asker) -> Told {
        let connection = asker.connection;
        match &self.test {
            Test::All(all) => {
                let holds = Told::Holds;
                all.iter().fold(holds, |t, c| t.and(|| c.told(asker)))
            }
            Test::Any(any) => {
                let fails = Told::Fails;
                any.iter().fold(fails, |t, c| t.or(|| c.told(asker)))
            }
            Test::Not(other) => other.told(asker).inverted(),
            Test::Always => Told::Holds,
            Test::Header(header) => match asker.request {
                Some(request) => {
                    let scheme = manager::scheme(request, connection);
                    header.is_match(request, &scheme).into()
                }
                // Envoy refuses such rules of connections.
                None => Told::Fails,
            },
            Test::Path(wanted) => asker.path().is_some_and(|p| wanted.is_match(p)).into(),
            Test::Template(template) => asker.path().is_some_and(|p| template.is_match(p)).into(),
            Test::Destination(network) => network.contains(connection.destination.0).into(),
            Test::DestinationPort(from, to) => {
                let port = u32::from(connection.destination.1);
                (*from <= port && port < *to).into()
            }
            Test::ServerName(wanted) => wanted.is_match(asker.server_name()).into(),
            Test::DirectSource(network) => network.contains(connection.direct_source).into(),
            Test::Source(network) => network.contains(connection.source.0).into(),
            Test::Client(network) => network.contains(asker.client).into(),
            Test::Authenticated(wanted) => asker.authenticated(wanted.as_ref()),
            Test::Metadata(wanted) => wanted.told(asker.metadata),
            Test::NotModelled(_) => Told::Unknown,
        }
    }
}
