//! Envoy: what a proxy does with a connection and a request, as its configuration says.
//!
//! [`Resources`] is what it is told, [`Config`] what it runs with. A [`Listener`] accepts a connection with one of its filter
//! chains ([`Listener::accept`]); an [`Exchange`] takes a request through virtual host, route, cluster and endpoint. Each
//! says what it passed over and why.

mod action;
mod balance;
mod cluster;
mod config;
mod cors;
mod dice;
pub mod dump;
mod exchange;
mod ext_authz;
mod fault;
mod format;
mod fraction;
mod hash;
mod hcm;
mod header_ops;
mod inline;
mod jwt;
mod listener;
mod manager;
mod matching;
mod metadata;
mod object;
mod path;
mod per_filter;
mod rbac;
mod regex;
mod retry;
mod route;
mod route_config;
mod shadow;
mod template;
mod timing;
mod upstream;

pub use action::{Action, ClusterChoice, Forward, Redirect, Rewrite, WeightedCluster};
pub use balance::{How, Memory, NoHost, Pick, Wish};
pub use cluster::{Assignment, Cluster, Discovery, Endpoint, Health, Policy, Transport};
pub use config::{Config, Kind, Refused, Resources};
pub use dice::Dice;
pub use exchange::{Access, Asks, Attempt, Exchange, Flag, Mirrored, Outcome, Unknown, judge};
pub use ext_authz::{Denied, ExtAuthz};
pub use hcm::{Filter, Hcm, HttpFilter, RouteSource, Underscores};
pub use jwt::{Authn, Doubt, Looked};
pub use listener::{
    Acceptance, ChainMatch, ChainMiss, ClientHello, Connection, FilterChain, Listener,
    NetworkFilter, TcpProxy, Terminal,
};
pub use matching::{HeaderMatch, HeaderValue, QueryMatch, QueryValue, StringMatch};
pub use metadata::Metadata;
pub use object::Refusal;
pub use per_filter::{Level, Own};
pub use rbac::{Asker, Effect, Rbac, Rules, Told, Verdict};
pub use regex::{BadRegex, Regex};
pub use route::{Asked, Miss, PathMatch, Route, RouteMatch};
pub use route_config::{RouteConfig, VirtualHost};
pub use timing::{Limits, Timing};
