use std::collections::BTreeMap;

use super::cors::Cors;
use super::fraction::Fraction;
use super::header_ops::HeaderOps;
use super::object::{Log, Object, Read, Refusal};
use super::path::port_start;
use super::per_filter::PerFilter;
use super::retry::RetryPolicy;
use super::route::Route;
use crate::text::Span;
use crate::yaml::Node;

/// `envoy.config.route.v3.RouteConfiguration`, always valid.
#[derive(Clone, Debug)]
pub struct RouteConfig {
    pub name: String,
    pub span: Span,
    pub virtual_hosts: Vec<VirtualHost>,
    pub ignore_port: bool,
    pub ignore_path_parameters: bool,
    pub most_specific_wins: bool,
    pub internal_only_headers: Vec<String>,
    pub request_headers: HeaderOps,
    pub response_headers: HeaderOps,
    pub filters: PerFilter,
    domains: Domains,
}

#[derive(Clone, Debug)]
pub struct VirtualHost {
    pub name: String,
    pub span: Span,
    pub domains: Vec<String>,
    pub routes: Vec<Route>,
    pub require_tls: RequireTls,
    pub request_headers: HeaderOps,
    pub response_headers: HeaderOps,
    pub filters: PerFilter,
    pub attempt_count_in_request: bool,
    pub attempt_count_in_response: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireTls {
    None,
    ExternalOnly,
    All,
}

/// Which virtual host serves which host: exact names first, then the longest `*suffix`, the longest `prefix*`, and `*`
/// (`RouteMatcher::findVirtualHost`).
#[derive(Clone, Debug, Default)]
struct Domains {
    exact: BTreeMap<String, usize>,
    /// By the length of what follows or precedes the `*`.
    suffix: BTreeMap<usize, BTreeMap<String, usize>>,
    prefix: BTreeMap<usize, BTreeMap<String, usize>>,
    any: Option<usize>,
}

impl RouteConfig {
    /// The virtual host of a request, by its `:authority`.
    pub fn virtual_host(&self, authority: &str) -> Option<&VirtualHost> {
        let host = match port_start(authority).filter(|_| self.ignore_port) {
            Some(at) => authority.get(..at).unwrap_or(authority),
            None => authority,
        };
        self.virtual_hosts.get(self.domains.find(host)?)
    }

    /// Whether one of a virtual host's domains fits, be it that another one's fits better.
    pub fn serves(&self, at: usize, authority: &str) -> bool {
        let host = match port_start(authority).filter(|_| self.ignore_port) {
            Some(at) => authority.get(..at).unwrap_or(authority),
            None => authority,
        }
        .to_ascii_lowercase();
        let fits = |domain: &String| {
            let domain = domain.to_ascii_lowercase();
            match (domain.strip_prefix('*'), domain.strip_suffix('*')) {
                (Some(""), _) => true,
                (Some(suffix), _) => host.len() > suffix.len() && host.ends_with(suffix),
                (_, Some(prefix)) => host.len() > prefix.len() && host.starts_with(prefix),
                _ => host == domain,
            }
        };
        self.virtual_hosts
            .get(at)
            .is_some_and(|v| v.domains.iter().any(fits))
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let name = object.str("name")?.to_string();
        let defaults = Defaults {
            mirrors: Mirror::read_list(&object)?,
            retry: None,
            longest_body: object
                .u32("max_direct_response_body_size_bytes")?
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(4096),
        };
        let mut virtual_hosts = Vec::new();
        let mut domains = Domains::default();
        for (at, host) in object.messages("virtual_hosts")?.into_iter().enumerate() {
            let host = VirtualHost::read(host, &defaults)?;
            for domain in &host.domains {
                domains.insert(domain, at).map_err(|what| {
                    Refusal::new(host.span, format!("Only {what} in route {name}"))
                })?;
            }
            virtual_hosts.push(host);
        }
        object.no_matter(&["validate_clusters", "metadata"]);
        let read = Self {
            span: node.span,
            virtual_hosts,
            ignore_port: object.bool("ignore_port_in_host_matching")?,
            ignore_path_parameters: object.bool("ignore_path_parameters_in_path_matching")?,
            most_specific_wins: object.bool("most_specific_header_mutations_wins")?,
            internal_only_headers: object
                .strings("internal_only_headers")?
                .iter()
                .map(|h| h.to_ascii_lowercase())
                .collect(),
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
            filters: PerFilter::read(&object)?,
            domains,
            name,
        };
        object.end_with(&["vhds", "cluster_specifier_plugins", "vhost_header"])?;
        Ok(read)
    }
}

/// What routes take from the levels above them where they say nothing themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    pub(super) mirrors: Vec<Mirror>,
    pub(super) retry: Option<RetryPolicy>,
    /// Bytes that a direct response may say.
    pub(super) longest_body: usize,
}

impl VirtualHost {
    fn read(object: Object, above: &Defaults) -> Read<Self> {
        let short = "value length must be at least 1 characters";
        let name = object.str("name")?.to_string();
        if name.is_empty() {
            return Err(Refusal::field(object.span, "name", short));
        }
        let domains = object.strings("domains")?;
        if domains.is_empty() {
            let why = "value must contain at least 1 item(s)";
            return Err(Refusal::field(object.span, "domains", why));
        }
        let own = Mirror::read_list(&object)?;
        let retry = object.message("retry_policy")?;
        let defaults = Defaults {
            mirrors: if own.is_empty() {
                above.mirrors.clone()
            } else {
                own
            },
            retry: retry.map(|r| RetryPolicy::read(&r)).transpose()?,
            longest_body: above.longest_body,
        };
        let routes = object.messages("routes")?.into_iter();
        let mut filters = PerFilter::read(&object)?;
        if let Some(cors) = object.message("cors")? {
            filters.cors = Some(Cors::read(&cors)?);
        }
        object.no_matter(&["metadata", "rate_limits", "virtual_clusters"]);
        object.no_matter(&[
            "per_request_buffer_limit_bytes",
            "include_is_timeout_retry_header",
        ]);
        let read = Self {
            name,
            span: object.span,
            domains,
            routes: routes
                .map(|r| Route::read(r, &defaults))
                .collect::<Read<_>>()?,
            require_tls: object.choice(
                "require_tls",
                &[
                    ("NONE", RequireTls::None),
                    ("EXTERNAL_ONLY", RequireTls::ExternalOnly),
                    ("ALL", RequireTls::All),
                ],
            )?,
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
            attempt_count_in_request: object.bool("include_request_attempt_count")?,
            attempt_count_in_response: object.bool("include_attempt_count_in_response")?,
        };
        object.end_with(&[
            "hedge_policy",
            "matcher",
            "retry_policy_typed_config",
            "request_body_buffer_limit",
        ])?;
        Ok(read)
    }
}

impl Domains {
    fn insert(&mut self, domain: &str, at: usize) -> Result<(), String> {
        let domain = domain.to_ascii_lowercase();
        if domain == "*" {
            return match self.any.replace(at) {
                Some(_) => Err("a single wildcard domain is permitted".into()),
                None => Ok(()),
            };
        }
        let (table, key) = if let Some(suffix) = domain.strip_prefix('*') {
            (self.suffix.entry(suffix.len()).or_default(), suffix)
        } else if let Some(prefix) = domain.strip_suffix('*') {
            (self.prefix.entry(prefix.len()).or_default(), prefix)
        } else {
            (&mut self.exact, domain.as_str())
        };
        match table.insert(key.to_string(), at) {
            Some(_) => Err(format!(
                "unique values for domains are permitted. Duplicate entry of domain {domain}"
            )),
            None => Ok(()),
        }
    }

    fn find(&self, host: &str) -> Option<usize> {
        let host = host.to_ascii_lowercase();
        if let Some(at) = self.exact.get(&host) {
            return Some(*at);
        }
        // A `*` stands for one character at least.
        for (length, table) in self.suffix.range(..host.len()).rev() {
            let suffix = host.get(host.len() - length..);
            if let Some(at) = suffix.and_then(|s| table.get(s)) {
                return Some(*at);
            }
        }
        for (length, table) in self.prefix.range(..host.len()).rev() {
            if let Some(at) = host.get(..*length).and_then(|s| table.get(s)) {
                return Some(*at);
            }
        }
        self.any
    }
}

/// `RouteAction.RequestMirrorPolicy`: a copy of the request for another cluster.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Empty: the cluster that this header names.
    pub cluster: String,
    pub cluster_header: String,
    pub fraction: Fraction,
    /// Whether `-shadow` is added to the host.
    pub shadow_suffix: bool,
    pub span: Span,
}

impl Mirror {
    pub(super) fn read_list(object: &Object) -> Read<Vec<Self>> {
        let mut all = Vec::new();
        for policy in object.messages("request_mirror_policies")? {
            let cluster = policy.str("cluster")?.to_string();
            let cluster_header = policy.str("cluster_header")?.to_ascii_lowercase();
            if cluster.is_empty() == cluster_header.is_empty() {
                let why = "Exactly one of cluster or cluster_header in request mirror policy need to be specified";
                return Err(Refusal::new(policy.span, why));
            }
            policy.no_matter(&["trace_sampled"]);
            let fraction = Fraction::read_runtime(&policy, "runtime_fraction")?;
            all.push(Self {
                cluster,
                cluster_header,
                fraction: fraction.unwrap_or(Fraction::ALWAYS),
                shadow_suffix: !policy.bool("disable_shadow_host_suffix_append")?,
                span: policy.span,
            });
            policy.end();
        }
        Ok(all)
    }
}
