use serde::Serialize;

use super::action::Action;
use super::fraction::Fraction;
use super::header_ops::HeaderOps;
use super::matching::{CookieMatch, HeaderMatch, QueryMatch, read_regex};
use super::metadata::{Metadata, MetadataMatch};
use super::object::{Object, Read, Refusal};
use super::path::without_query;
use super::per_filter::PerFilter;
use super::rbac::Told;
use super::regex::Regex;
use super::route_config::Defaults;
use super::template::Template;
use crate::net::Request;
use crate::say;
use crate::text::{Say, Span};

/// `envoy.config.route.v3.Route`.
#[derive(Clone, Debug)]
pub struct Route {
    pub name: String,
    pub span: Span,
    /// `istio.config` metadata: the path of the object that the control plane made it of; empty where none says so.
    pub origin: String,
    pub condition: RouteMatch,
    pub action: Action,
    pub request_headers: HeaderOps,
    pub response_headers: HeaderOps,
    pub filters: PerFilter,
}

/// `envoy.config.route.v3.RouteMatch`.
#[derive(Clone, Debug)]
pub struct RouteMatch {
    pub path: PathMatch,
    pub ignore_case: bool,
    pub headers: Vec<HeaderMatch>,
    pub query: Vec<QueryMatch>,
    pub cookies: Vec<CookieMatch>,
    /// Of what filters have noted.
    pub metadata: Vec<MetadataMatch>,
    /// A condition that is not modelled.
    pub other: Option<&'static str>,
    pub grpc: bool,
    pub fraction: Option<Fraction>,
    /// Whether a client certificate was presented.
    pub client_certificate: Option<bool>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum PathMatch {
    Exact(String),
    Prefix(String),
    /// The path itself or what follows it after a slash.
    SeparatedPrefix(String),
    Regex(Box<Regex>),
    Template(Box<Template>),
    /// CONNECT requests.
    Connect,
}

/// What a route may ask of a request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub request: &'a Request,
    pub scheme: &'a str,
    pub client_certificate: bool,
    pub ignore_path_parameters: bool,
    /// The request's own random number; with none it falls into every fraction.
    pub random: Option<u64>,
    pub metadata: &'a Metadata,
}

/// Which condition of a route did not hold. [`RouteMatch::say`] makes the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Miss {
    Path,
    Header(usize),
    Query(usize),
    NotGrpc,
    Fraction,
    ClientCertificate,
    Cookie(usize),
    Metadata(usize),
    /// Whether it holds cannot be told.
    Unknown,
}

impl RouteMatch {
    /// All conditions must hold (`RouteEntryImplBase::matchRoute`).
    pub fn check(&self, asked: &Asked) -> Result<(), Miss> {
        if !self.path_matches(asked) {
            return Err(Miss::Path);
        }
        let falls = |f: Fraction| asked.random.is_none_or(|n| f.takes(n));
        if self.fraction.is_some_and(|f| !falls(f)) {
            return Err(Miss::Fraction);
        }
        if self.grpc && !is_grpc(asked.request) {
            return Err(Miss::NotGrpc);
        }
        let headers = |m: &HeaderMatch| !m.is_match(asked.request, asked.scheme);
        if let Some(at) = self.headers.iter().position(headers) {
            return Err(Miss::Header(at));
        }
        let query = |m: &QueryMatch| !m.is_match(&asked.request.path);
        if let Some(at) = self.query.iter().position(query) {
            return Err(Miss::Query(at));
        }
        if self
            .client_certificate
            .is_some_and(|wanted| wanted != asked.client_certificate)
        {
            return Err(Miss::ClientCertificate);
        }
        let cookies = |m: &CookieMatch| !m.is_match(asked.request);
        if let Some(at) = self.cookies.iter().position(cookies) {
            return Err(Miss::Cookie(at));
        }
        let mut unknown = self.other.is_some();
        for (at, wanted) in self.metadata.iter().enumerate() {
            match wanted.told(asked.metadata) {
                Told::Holds => {}
                Told::Fails => return Err(Miss::Metadata(at)),
                Told::Unknown => unknown = true,
            }
        }
        if unknown {
            return Err(Miss::Unknown);
        }
        Ok(())
    }

    fn path_matches(&self, asked: &Asked) -> bool {
        let mut path = without_query(&asked.request.path);
        let without;
        if asked.ignore_path_parameters && path.contains(';') {
            without = without_parameters(path);
            path = &without;
        }
        let starts = |prefix: &str| match path.get(..prefix.len()) {
            Some(start) if self.ignore_case => start.eq_ignore_ascii_case(prefix),
            Some(start) => start == prefix,
            None => false,
        };
        match &self.path {
            PathMatch::Exact(wanted) => path.len() == wanted.len() && starts(wanted),
            PathMatch::Prefix(prefix) => starts(prefix),
            PathMatch::SeparatedPrefix(prefix) => {
                let next = path.as_bytes().get(prefix.len());
                starts(prefix) && matches!(next, None | Some(b'/'))
            }
            PathMatch::Regex(regex) => regex.is_match(path),
            PathMatch::Template(template) => template.is_match(path),
            PathMatch::Connect => asked.request.method == "CONNECT",
        }
    }

    /// The part of a path that the condition takes, which `prefix_rewrite` replaces: so many bytes.
    pub fn matched_length(&self, path: &str) -> usize {
        match &self.path {
            PathMatch::Exact(p) | PathMatch::Prefix(p) | PathMatch::SeparatedPrefix(p) => p.len(),
            _ => without_query(path).len(),
        }
    }

    /// Whether its path holds for every request.
    pub(super) fn any_path(&self) -> bool {
        match &self.path {
            PathMatch::Prefix(p) => p == "/" || p.is_empty(),
            PathMatch::Regex(r) => matches!(r.as_str(), ".*" | "/.*"),
            _ => false,
        }
    }

    /// Whether it holds for every request.
    pub fn is_catch_all(&self) -> bool {
        self.any_path()
            && self.headers.is_empty()
            && self.query.is_empty()
            && !self.grpc
            && self.fraction.is_none()
            && self.client_certificate.is_none()
            && self.asks_no_more()
    }

    /// What it asks for that is not modelled.
    pub(super) fn not_told(&self) -> &str {
        let noted = || self.metadata.first().map_or("", |m| &m.filter);
        self.other.unwrap_or_else(noted)
    }

    /// Nothing of cookies, notes and what is not modelled.
    pub(super) fn asks_no_more(&self) -> bool {
        self.cookies.is_empty() && self.metadata.is_empty() && self.other.is_none()
    }

    /// Why it did not hold, and where that condition stands.
    pub fn say(&self, miss: Miss, request: &Request) -> Say {
        let path = without_query(&request.path);
        match miss {
            Miss::Path => match &self.path {
                PathMatch::Exact(p) => say!("envoy/path-is-not", path = path, wanted = p),
                PathMatch::Prefix(p) => say!("envoy/path-does-not-start", path = path, wanted = p),
                PathMatch::SeparatedPrefix(p) => {
                    say!("envoy/path-is-not-under", path = path, wanted = p)
                }
                PathMatch::Regex(r) => {
                    say!(
                        "envoy/path-does-not-match",
                        path = path,
                        wanted = r.as_str()
                    )
                }
                PathMatch::Template(t) => {
                    say!("envoy/path-does-not-match", path = path, wanted = t.text)
                }
                PathMatch::Connect => say!("envoy/not-connect", method = request.method),
            },
            Miss::Header(at) => match self.headers.get(at) {
                Some(m) => m.miss(request),
                None => say!("envoy/other-condition"),
            },
            Miss::Query(at) => match self.query.get(at) {
                Some(m) => m.miss(&request.path),
                None => say!("envoy/other-condition"),
            },
            Miss::NotGrpc => say!("envoy/not-grpc"),
            Miss::Fraction => say!("envoy/not-in-fraction"),
            Miss::ClientCertificate => say!("envoy/client-certificate-other"),
            Miss::Cookie(at) => match self.cookies.get(at) {
                Some(m) => say!("envoy/cookie-other", name = m.name),
                None => say!("envoy/other-condition"),
            },
            Miss::Metadata(at) => match self.metadata.get(at) {
                Some(m) => {
                    let (path, wanted) = (m.path.join("."), m.value.pattern());
                    match m.invert {
                        true => say!("envoy/metadata-excluded", name = path, wanted = wanted),
                        false => say!("envoy/metadata-other", name = path, wanted = wanted),
                    }
                }
                None => say!("envoy/other-condition"),
            },
            Miss::Unknown => say!("envoy/rbac-unknown", field = self.not_told()),
        }
    }

    pub(super) fn read(object: Object) -> Read<Self> {
        object.at_most_one(&[
            "prefix",
            "path",
            "safe_regex",
            "connect_matcher",
            "path_separated_prefix",
            "path_match_policy",
        ])?;
        let text = |field: &str| object.str(field).map(str::to_string);
        let path = if object.has("prefix") {
            PathMatch::Prefix(text("prefix")?)
        } else if object.has("path") {
            PathMatch::Exact(text("path")?)
        } else if object.has("path_separated_prefix") {
            let prefix = text("path_separated_prefix")?;
            let plain = prefix.starts_with('/')
                && prefix.len() > 1
                && !prefix.ends_with('/')
                && !prefix.contains(['?', '#']);
            if !plain {
                let why = "value does not match regex pattern \"^[^?#]+[^?#/]$\"";
                let at = object.at("path_separated_prefix");
                return Err(Refusal::field(at, "path_separated_prefix", why));
            }
            PathMatch::SeparatedPrefix(prefix)
        } else if let Some(node) = object.get("safe_regex") {
            PathMatch::Regex(Box::new(read_regex(node, object.log)?))
        } else if let Some(policy) = object.message("path_match_policy")? {
            let config = policy.message_or_empty("typed_config")?;
            let template = Template::new(config.str("path_template")?);
            PathMatch::Template(Box::new(
                template.map_err(|e| Refusal::new(policy.span, e))?,
            ))
        } else if object.has("connect_matcher") {
            PathMatch::Connect
        } else {
            return Err(Refusal::field(object.span, "path_specifier", "is required"));
        };
        let headers = object.list("headers")?.iter();
        let query = object.list("query_parameters")?.iter();
        let tls = object.message_or_empty("tls_context")?;
        let cookies = object.list("cookies")?.iter();
        let metadata = object.list("dynamic_metadata")?.iter();
        let other = object.has("filter_state").then_some("filter_state");
        if let Some(field) = other {
            let say = say!("envoy/condition-not-modelled", field = field);
            object.log.warning(object.at(field), say);
        }
        let read = Self {
            path,
            ignore_case: object.maybe_bool("case_sensitive")? == Some(false),
            headers: headers
                .map(|n| HeaderMatch::read(n, object.log))
                .collect::<Read<_>>()?,
            query: query
                .map(|n| QueryMatch::read(n, object.log))
                .collect::<Read<_>>()?,
            cookies: cookies
                .map(|n| CookieMatch::read(n, object.log))
                .collect::<Read<_>>()?,
            metadata: metadata
                .map(|n| MetadataMatch::read(n, object.log))
                .collect::<Read<_>>()?,
            other,
            grpc: object.has("grpc"),
            fraction: Fraction::read_runtime(&object, "runtime_fraction")?,
            client_certificate: tls.maybe_bool("presented")?,
            span: object.span,
        };
        tls.no_matter(&["validated"]);
        tls.end();
        object.end_with(&[])?;
        Ok(read)
    }
}

/// A path whose segments end before their `;`.
fn without_parameters(path: &str) -> String {
    let segments = path.split('/').map(|s| s.split(';').next().unwrap_or(""));
    segments.collect::<Vec<_>>().join("/")
}

/// A content type of gRPC: `application/grpc` alone or with a `+` (`Grpc::Common::hasGrpcContentType`).
pub fn is_grpc(request: &Request) -> bool {
    let kind = request.headers.first("content-type").unwrap_or("");
    kind.strip_prefix("application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
}

impl Route {
    pub(super) fn read(object: Object, above: &Defaults) -> Read<Self> {
        let Some(condition) = object.message("match")? else {
            return Err(Refusal::field(object.span, "match", "value is required"));
        };
        let condition = RouteMatch::read(condition)?;
        let mut filters = PerFilter::read(&object)?;
        let action = Action::read(&object, &condition, above, &mut filters)?;
        let metadata = object.message_or_empty("metadata")?;
        let metadata = metadata.message_or_empty("filter_metadata")?;
        let origin = metadata.message_or_empty("istio")?;
        object.no_matter(&["decorator", "tracing", "stat_prefix"]);
        object.no_matter(&["per_request_buffer_limit_bytes"]);
        let read = Self {
            name: object.str("name")?.to_string(),
            span: object.span,
            origin: origin.str("config")?.to_string(),
            condition,
            action,
            request_headers: HeaderOps::read(
                &object,
                "request_headers_to_add",
                "request_headers_to_remove",
            )?,
            response_headers: HeaderOps::read(
                &object,
                "response_headers_to_add",
                "response_headers_to_remove",
            )?,
            filters,
        };
        object.end_with(&["request_body_buffer_limit"])?;
        Ok(read)
    }
}
