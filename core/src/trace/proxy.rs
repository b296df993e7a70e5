//! What a proxy decided about a connection and a request, in its own terms.

use std::sync::Arc;

use serde::Serialize;

use std::net::IpAddr;

use crate::envoy::{Access, ChainMiss, ClientHello, Connection, Denied, How, Looked, Miss, NoHost};
use crate::net::Request;

/// One of the decisions of a turn of Envoy's; all steps of the turn share the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proxied {
    pub stage: Stage,
    pub account: Arc<Account>,
}

/// What Envoy asks, in its order. What each considered is told by [`considered`](super::considered).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Stage {
    /// Which listener takes the connection.
    Listener,
    /// Which of its filter chains.
    FilterChain,
    /// Whether TLS ends here, and how.
    Tls,
    VirtualHost,
    Route,
    /// Who a token says that asks, and whether that is so.
    Token,
    /// Who may ask for it: RBAC.
    Access,
    /// An HTTP filter held the request back or ended it.
    Filter,
    Cluster,
    Endpoint,
    /// An answer goes back.
    Answer,
}

impl Stage {
    pub const ALL: [Stage; 11] = [
        Stage::Listener,
        Stage::FilterChain,
        Stage::Tls,
        Stage::VirtualHost,
        Stage::Route,
        Stage::Token,
        Stage::Access,
        Stage::Filter,
        Stage::Cluster,
        Stage::Endpoint,
        Stage::Answer,
    ];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Listener => "listener",
            Stage::FilterChain => "filter-chain",
            Stage::Tls => "tls",
            Stage::VirtualHost => "virtual-host",
            Stage::Route => "route",
            Stage::Token => "token",
            Stage::Access => "access",
            Stage::Filter => "filter",
            Stage::Cluster => "cluster",
            Stage::Endpoint => "endpoint",
            Stage::Answer => "answer",
        }
    }
}

/// What a turn came to: from a connection or request to the endpoint that is tried, or to the answer. Positions count what
/// stands in the host's [`Config`](crate::envoy::Config); what a stage did not come to is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub connection: Connection,
    /// The port of the socket.
    pub port: u16,
    /// Among the configuration's listeners.
    pub listener: Option<u32>,
    /// It wants to see the connection's first bytes, and there are none.
    pub waits: bool,
    pub chain: Option<ChainAt>,
    /// Chains that did not fit, each with the first thing that spoke against it.
    pub chains_passed: Vec<(u32, ChainMiss)>,
    pub tls: Tls,
    /// As the routes see it; none where bytes are passed on.
    pub request: Option<Request>,
    /// The routes' name; none where there are none of that name.
    pub routes: Option<String>,
    pub vhost: Option<u32>,
    pub route: Option<u32>,
    /// Routes before it, each with the condition that did not hold.
    pub routes_passed: Vec<(u32, Miss)>,
    /// Whom it comes from, as far as the proxies in front can be believed.
    pub client: IpAddr,
    /// What the filters that look at tokens said, in their order.
    pub authn: Vec<Looked>,
    /// What the RBAC filters said, in their order.
    pub access: Vec<Access>,
    /// The filter that was to ask a server who may pass denied it by itself.
    pub denied: Option<Denied>,
    /// Milliseconds that a fault holds it back.
    pub delayed: u64,
    /// Empty: none was chosen.
    pub cluster: String,
    /// All that could have been, with their weights.
    pub clusters: Vec<(String, u64)>,
    /// Among the route's weighted clusters, the one that was taken.
    pub weighted: Option<u32>,
    /// From 1.
    pub attempt: u32,
    pub endpoint: Option<Chosen>,
    pub no_host: Option<NoHost>,
    /// Clusters and addresses of copies that are sent along.
    pub mirrors: Vec<(String, String)>,
    pub answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ChainAt {
    At(u32),
    /// No other fitted.
    Default,
}

/// What becomes of TLS at a filter chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Tls {
    /// There is none.
    Plain,
    /// It is passed on as it is, for who is behind to end.
    Passed,
    /// It ends here; with the protocol agreed on, which may be empty.
    Ended { alpn: String },
    /// The chain wants TLS, and the client speaks in the clear.
    NotSpoken,
    /// The chain wants a client's certificate, and there is none.
    NoCertificate,
}

/// The endpoint that is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    pub address: String,
    /// Among the cluster's endpoints; none where the connection's own destination is the endpoint.
    pub at: Option<u32>,
    /// All that could have been, with their shares.
    pub odds: Vec<(u32, u64)>,
    pub panic: bool,
    pub how: How,
    /// How TLS begins there; none in the clear.
    pub hello: Option<ClientHello>,
    /// The request as it goes out.
    pub request: Option<Request>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// 0: the connection ends without one.
    pub status: u16,
    /// It is Envoy's own, not an upstream's.
    pub own: bool,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// `%RESPONSE_FLAGS%`
    pub flags: Vec<&'static str>,
    /// `%RESPONSE_CODE_DETAILS%`
    pub details: String,
    /// Istio's access log line.
    pub log: String,
}

impl Answer {
    /// RBAC did not let it in.
    pub fn is_denied(&self) -> bool {
        self.own && self.details.starts_with("rbac_access_denied")
    }
}
