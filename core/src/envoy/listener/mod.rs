//! Listeners and which of their filter chains takes a connection.
//! Source: `source/common/listener_manager/filter_chain_manager_impl.cc`.

mod miss;
mod read;

use std::net::IpAddr;

use serde::Serialize;

use super::dice::Dice;
use super::ext_authz::ExtAuthz;
use super::hcm::Hcm;
use super::rbac::Rbac;
use crate::net::IpNetwork;
use crate::say;
use crate::text::Span;

pub(super) use read::{network, networks};

#[derive(Clone, Debug)]
pub struct Listener {
    pub name: String,
    pub span: Span,
    pub address: IpAddr,
    pub port: u16,
    /// Whether it has a socket of its own; one that has not takes connections that another hands over.
    pub binds: bool,
    pub use_original_dst: bool,
    /// Whether its socket takes connections to addresses that are not the host's (IP_TRANSPARENT).
    pub transparent: bool,
    pub original_src: Option<OriginalSrc>,
    pub inspects_tls: bool,
    pub inspects_http: bool,
    /// A filter of it, by its name, which is not modelled.
    pub not_modelled: Option<(String, Span)>,
    pub chains: Vec<FilterChain>,
    pub default_chain: Option<FilterChain>,
}

/// `envoy.filters.listener.original_src`: connections to endpoints come from the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginalSrc {
    /// And from its port.
    pub bind_port: bool,
    /// SO_MARK of their packets.
    pub mark: u32,
}

#[derive(Clone, Debug)]
pub struct FilterChain {
    pub name: String,
    pub span: Span,
    pub condition: ChainMatch,
    /// Filters before the last one.
    pub filters: Vec<NetworkFilter>,
    /// How TLS is ended, if it is.
    pub tls: Option<DownstreamTls>,
    pub end: Terminal,
}

#[derive(Clone, Debug, Default)]
pub struct DownstreamTls {
    pub alpn: Vec<String>,
    pub requires_client_certificate: bool,
}

/// A network filter that may end a connection.
#[derive(Clone, Debug)]
pub enum NetworkFilter {
    Rbac(Rbac),
    ExtAuthz(ExtAuthz),
    /// By its name.
    NotModelled(String, Span),
}

/// The last network filter of a chain.
#[derive(Clone, Debug)]
pub enum Terminal {
    Http(Box<Hcm>),
    Tcp(TcpProxy),
    /// A filter that is not modelled, by its name.
    Other(String),
}

/// `envoy.filters.network.tcp_proxy`.
#[derive(Clone, Debug)]
pub struct TcpProxy {
    /// With their weights.
    pub clusters: Vec<(String, u64)>,
    pub span: Span,
}

/// `envoy.config.listener.v3.FilterChainMatch`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainMatch {
    pub destination_port: Option<u16>,
    pub destinations: Vec<IpNetwork>,
    /// In lower case; `*.a.com` for every name under a.com.
    pub server_names: Vec<String>,
    pub transport: String,
    pub application: Vec<String>,
    pub direct_sources: Vec<IpNetwork>,
    pub source_type: SourceType,
    pub sources: Vec<IpNetwork>,
    pub source_ports: Vec<u16>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceType {
    #[default]
    Any,
    Local,
    External,
}

/// A connection as a listener sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// Who speaks, and from which port; as restored from a PROXY header where there was one.
    pub source: (IpAddr, u16),
    /// Where the client meant to go: the original destination where it was kept.
    pub destination: (IpAddr, u16),
    /// The address at the other end of the socket.
    pub direct_source: IpAddr,
    /// What the client says first, if it speaks TLS.
    pub tls: Option<ClientHello>,
    /// The version of HTTP that it speaks in the clear: `http/1.1`, `h2c`; empty where it is none.
    pub http: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientHello {
    /// Empty: none was sent.
    pub sni: String,
    pub alpn: Vec<String>,
    pub certificate: bool,
    /// The name in that certificate, where it is known: of a workload its SPIFFE identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

/// Which chain takes a connection, and why the others did not.
#[derive(Clone, Debug)]
pub struct Acceptance<'l> {
    pub chain: Option<&'l FilterChain>,
    /// Whether it is the default chain, no other having fit.
    pub by_default: bool,
    /// The chains passed over, by their index, each with the first thing that spoke against it.
    pub passed_over: Vec<(usize, ChainMiss)>,
}

/// In the order in which Envoy asks; there is no way back from a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ChainMiss {
    DestinationPort,
    Destination,
    ServerName,
    Transport,
    Application,
    DirectSource,
    SourceType,
    Source,
    SourcePort,
}

/// The chains still in question, and those that are not any more.
struct Sieve<'l> {
    left: Vec<(usize, &'l ChainMatch)>,
    passed_over: Vec<(usize, ChainMiss)>,
}

impl<'l> Sieve<'l> {
    /// Keeps the chains of the most exact group that any chain left belongs to: `groups` in the order of preference.
    fn keep<G>(
        &mut self,
        miss: ChainMiss,
        groups: impl IntoIterator<Item = G>,
        member: impl Fn(&ChainMatch, &G) -> bool,
    ) {
        let group = groups
            .into_iter()
            .find(|g| self.left.iter().any(|(_, m)| member(m, g)));
        let passed_over = &mut self.passed_over;
        self.left.retain(|(at, m)| {
            let stays = group.as_ref().is_some_and(|g| member(m, g));
            if !stays {
                passed_over.push((*at, miss));
            }
            stays
        });
    }

    /// The longest prefixes that hold an address; a chain without prefixes has one of length 0.
    fn keep_prefix(
        &mut self,
        miss: ChainMiss,
        address: IpAddr,
        of: impl Fn(&ChainMatch) -> &[IpNetwork],
    ) {
        let longest = |m: &ChainMatch| match of(m) {
            [] => Some(0),
            networks => networks
                .iter()
                .filter(|n| n.contains(address))
                .map(IpNetwork::prefix)
                .max(),
        };
        let best = self.left.iter().filter_map(|(_, m)| longest(m)).max();
        self.keep(miss, best, |m, length| longest(m) == Some(*length));
    }
}

impl Listener {
    pub fn accept(&self, connection: &Connection) -> Acceptance<'_> {
        let chains = self.chains.iter().enumerate();
        let mut sieve = Sieve {
            left: chains.map(|(at, c)| (at, &c.condition)).collect(),
            passed_over: Vec::new(),
        };
        let (address, port) = connection.destination;
        sieve.keep(ChainMiss::DestinationPort, [Some(port), None], |m, p| {
            m.destination_port == *p
        });
        sieve.keep_prefix(ChainMiss::Destination, address, |m| &m.destinations);

        let hello = connection.tls.as_ref().filter(|_| self.inspects_tls);
        let sni = hello
            .map(|h| h.sni.to_ascii_lowercase())
            .unwrap_or_default();
        let mut names = vec![sni.clone()];
        let mut rest = sni.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            if !parent.is_empty() {
                names.push(format!("*.{parent}"));
            }
            rest = parent;
        }
        names.retain(|n| !n.is_empty());
        names.push(String::new());
        sieve.keep(ChainMiss::ServerName, names, |m, name| {
            match name.as_str() {
                "" => m.server_names.is_empty(),
                name => m.server_names.iter().any(|n| n == name),
            }
        });

        let transport = if hello.is_some() { "tls" } else { "raw_buffer" };
        sieve.keep(ChainMiss::Transport, [transport, ""], |m, t| {
            m.transport == *t
        });

        let mut applications = hello.map(|h| h.alpn.clone()).unwrap_or_default();
        if hello.is_none() && self.inspects_http && !connection.http.is_empty() {
            applications.push(connection.http.clone());
        }
        applications.push(String::new());
        sieve.keep(ChainMiss::Application, applications, |m, a| {
            match a.as_str() {
                "" => m.application.is_empty(),
                a => m.application.iter().any(|x| x == a),
            }
        });

        sieve.keep_prefix(ChainMiss::DirectSource, connection.direct_source, |m| {
            &m.direct_sources
        });
        let local = connection.source.0 == address || connection.source.0.is_loopback();
        let kind = if local {
            SourceType::Local
        } else {
            SourceType::External
        };
        sieve.keep(ChainMiss::SourceType, [kind, SourceType::Any], |m, t| {
            m.source_type == *t
        });
        sieve.keep_prefix(ChainMiss::Source, connection.source.0, |m| &m.sources);
        let from = connection.source.1;
        sieve.keep(
            ChainMiss::SourcePort,
            [Some(from), None],
            |m, port| match port {
                Some(port) => m.source_ports.contains(port),
                None => m.source_ports.is_empty(),
            },
        );

        let mut passed_over = sieve.passed_over;
        passed_over.sort_unstable();
        let found = sieve.left.first().and_then(|(at, _)| self.chains.get(*at));
        Acceptance {
            chain: found.or(self.default_chain.as_ref()),
            by_default: found.is_none() && self.default_chain.is_some(),
            passed_over,
        }
    }
}

impl TcpProxy {
    /// A cluster, by weight.
    pub fn pick(&self, dice: &mut Dice) -> Option<&str> {
        let weights = self.clusters.iter().map(|(_, w)| *w).collect();
        let name = |at: usize| {
            let cluster = self.clusters.get(at);
            say!("insight/side", name = cluster.map_or("", |(name, _)| name))
        };
        let found = self.clusters.get(dice.side(weights, self.span, name)?);
        found.map(|(name, _)| name.as_str())
    }
}
