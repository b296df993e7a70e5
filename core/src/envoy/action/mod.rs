//! What a route does with a request: forward it, send it elsewhere, or answer it.

mod read;

use std::collections::BTreeMap;

use super::header_ops::HeaderOps;
use super::path::without_query;
use super::per_filter::PerFilter;
use super::regex::Regex;
use super::retry::RetryPolicy;
use super::route_config::Mirror;
use super::template::Template;
use super::timing::Timing;
use crate::net::Request;
use crate::text::Span;
use crate::yaml::{Node, Value};

#[derive(Clone, Debug)]
pub enum Action {
    Forward(Box<Forward>),
    Redirect(Box<Redirect>),
    /// An answer of its own: status and body.
    Respond(u16, String),
    /// An action that is not modelled, by its name.
    NotModelled(&'static str),
}

impl Action {
    /// The clusters that chance decides between.
    pub fn weighted_clusters(&self) -> &[WeightedCluster] {
        match self {
            Action::Forward(forward) => match &forward.cluster {
                ClusterChoice::Weighted { clusters, .. } => clusters,
                _ => &[],
            },
            _ => &[],
        }
    }
}

/// `envoy.config.route.v3.RouteAction`.
#[derive(Clone, Debug)]
pub struct Forward {
    pub cluster: ClusterChoice,
    /// The status where the cluster does not exist.
    pub not_found_status: u16,
    pub metadata_match: Subset,
    pub rewrite: Option<Rewrite>,
    pub host: HostRewrite,
    pub append_forwarded_host: bool,
    pub timing: Timing,
    pub retry: RetryPolicy,
    pub mirrors: Vec<Mirror>,
    pub hash: Vec<HashPolicy>,
    /// Upgrades that the route allows or forbids, by their names in lower case.
    pub upgrades: BTreeMap<String, bool>,
}

/// What endpoints must say of themselves: `envoy.lb` metadata, values in JSON.
pub type Subset = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub enum ClusterChoice {
    Name(String),
    /// The cluster that this request header names.
    Header(String),
    Weighted {
        clusters: Vec<WeightedCluster>,
        total: u64,
        /// A request header that stands in for the random number.
        random_header: String,
    },
}

#[derive(Clone, Debug)]
pub struct WeightedCluster {
    pub name: String,
    pub header: String,
    pub weight: u64,
    pub request_headers: HeaderOps,
    pub response_headers: HeaderOps,
    pub host_rewrite: String,
    pub metadata_match: Subset,
    pub filters: PerFilter,
    pub span: Span,
}

/// How the path changes.
#[derive(Clone, Debug)]
pub enum Rewrite {
    /// What the route's condition took becomes this.
    Prefix(String),
    /// Every match in the path, without its query.
    Regex(Box<Regex>, String),
    Template(Box<Template>, String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum HostRewrite {
    Keep,
    Literal(String),
    Header(String),
    Path(Box<PathToHost>),
    /// The name of the endpoint that is chosen.
    Endpoint,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PathToHost {
    pub regex: Regex,
    pub substitution: String,
}

/// `RouteAction.HashPolicy`.
#[derive(Clone, Debug)]
pub struct HashPolicy {
    pub of: HashOf,
    /// Where there is a hash after it, the policies behind it do not count.
    pub terminal: bool,
}

#[derive(Clone, Debug)]
pub enum HashOf {
    /// With what becomes of its values first.
    Header(String, Option<(Box<Regex>, String)>),
    Cookie {
        name: String,
        ttl: bool,
    },
    SourceAddress,
    Query(String),
}

#[derive(Clone, Debug)]
pub struct Redirect {
    pub scheme: String,
    pub host: String,
    pub port: Option<u16>,
    pub path: String,
    pub rewrite: Option<Rewrite>,
    pub strip_query: bool,
    pub status: u16,
}

impl Rewrite {
    /// The path after it, with its query. `matched`: how many bytes the route's condition took.
    pub fn apply(&self, path: &str, matched: usize) -> String {
        let just = without_query(path);
        let rest = path.get(just.len()..).unwrap_or("");
        match self {
            Rewrite::Prefix(new) => format!("{new}{}", path.get(matched..).unwrap_or("")),
            Rewrite::Regex(regex, new) => format!("{}{rest}", regex.replace_all(just, new)),
            Rewrite::Template(template, new) => format!("{}{rest}", template.rewrite(just, new)),
        }
    }
}

impl Redirect {
    /// The new location (`RouteEntryImplBase::newUri`). `proto` is `x-forwarded-proto`.
    pub fn location(&self, request: &Request, scheme: &str, proto: &str, matched: usize) -> String {
        let scheme = if self.scheme.is_empty() {
            scheme
        } else {
            &self.scheme
        };
        let port = self.port.map(|p| format!(":{p}")).unwrap_or_default();
        let host = if self.host.is_empty() {
            redirect_host(&request.authority, scheme, proto, !port.is_empty())
        } else {
            &self.host
        };
        let rewritten = self
            .rewrite
            .as_ref()
            .map(|r| r.apply(&request.path, matched));
        // A path cannot become empty: then nothing is rewritten.
        let old = rewritten
            .filter(|new| !without_query(new).is_empty())
            .unwrap_or_else(|| request.path.clone());
        let query = old.find('?').and_then(|at| old.get(at..)).unwrap_or("");
        let mut path = if self.path.is_empty() {
            old.clone()
        } else if self.path.contains('?') {
            self.path.clone()
        } else {
            format!("{}{query}", self.path)
        };
        if !path.starts_with('/') {
            path.insert(0, '/');
        }
        if self.strip_query && !self.path.contains('?') {
            path.truncate(path.find('?').unwrap_or(path.len()));
        }
        format!("{scheme}://{host}{port}{path}")
    }
}

/// The request's host, without its port where that would name the old scheme's (`processRequestHost`).
fn redirect_host<'h>(host: &'h str, scheme: &str, proto: &str, new_port: bool) -> &'h str {
    let colon = match host.starts_with('[') {
        true => host.rfind("]:").map(|at| at + 1),
        false => host.rfind(':'),
    };
    let Some(at) = colon else { return host };
    let port = host.get(at..).unwrap_or("");
    let of_old_scheme = (proto == "https" && port == ":443") || (proto == "http" && port == ":80");
    if new_port || scheme != proto && of_old_scheme {
        host.get(..at).unwrap_or(host)
    } else {
        host
    }
}

/// `envoy.lb` metadata by key, each value in a form that compares.
pub(super) fn subset(node: &Node) -> Subset {
    let entries = node.entries().iter();
    entries
        .map(|e| (e.key.to_string(), plain(&e.value)))
        .collect()
}

fn plain(node: &Node) -> String {
    match &node.value {
        Value::Str(s) => s.to_string(),
        Value::Int(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}
