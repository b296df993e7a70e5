use super::ext_authz::ExtAuthz;
use super::fault::Fault;
use super::jwt::Jwt;
use super::listener::networks;
use super::object::{Object, Read, Refusal};
use super::path::EscapedSlashes;
use super::rbac::Rbac;
use super::route_config::RouteConfig;
use crate::say;
use crate::text::Span;
use ipnetwork::IpNetwork;

/// `envoy.filters.network.http_connection_manager`.
#[derive(Clone, Debug)]
pub struct Hcm {
    pub routes: RouteSource,
    /// In order, up to the router.
    pub filters: Vec<Filter>,
    pub use_remote_address: bool,
    pub trusted_hops: u32,
    pub skip_xff_append: bool,
    pub normalize_path: bool,
    pub merge_slashes: bool,
    pub escaped_slashes: EscapedSlashes,
    pub strip_port: StripPort,
    pub strip_trailing_dot: bool,
    pub server_name: String,
    pub server_header: ServerHeader,
    /// Added to `via` of requests and answers; empty is nothing.
    pub via: String,
    pub client_cert: ForwardClientCert,
    /// Upgrades by their names in lower case.
    pub upgrades: Vec<(String, bool)>,
    pub preserve_request_id: bool,
    pub generate_request_id: bool,
    pub accept_http_10: bool,
    /// Whom it trusts to say how a request is to be handled.
    pub internal_addresses: Vec<IpNetwork>,
    pub underscores: Underscores,
    /// Milliseconds without anything happening on a stream; 0 is no limit.
    pub idle: u64,
    /// Milliseconds for a stream; 0 is no limit.
    pub duration: u64,
}

/// Where the routes are.
#[derive(Clone, Debug)]
pub enum RouteSource {
    Inline(Box<RouteConfig>),
    /// A route configuration of its own, by name.
    Named(String),
}

/// One of its filters.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What routes call it.
    pub name: String,
    pub span: Span,
    /// It is off where routes say nothing of it.
    pub disabled: bool,
    pub does: HttpFilter,
}

#[derive(Clone, Debug)]
pub enum HttpFilter {
    Cors,
    Fault(Fault),
    Jwt(Jwt),
    Rbac(Rbac),
    ExtAuthz(ExtAuthz),
    Router,
    /// It is there and changes nothing that is modelled.
    Silent,
    /// It could change the answer and is not modelled.
    NotModelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripPort {
    No,
    /// If it is the listener's.
    Matching,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerHeader {
    Overwrite,
    AppendIfAbsent,
    PassThrough,
}

/// Headers whose names have a `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Underscores {
    Allow,
    Reject,
    Drop,
}

/// What happens to `x-forwarded-client-cert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardClientCert {
    Sanitize,
    ForwardOnly,
    AppendForward,
    SanitizeSet,
    AlwaysForwardOnly,
}

/// Filters that only watch, or that Istio adds everywhere and that change no answer.
const SILENT: [&str; 8] = [
    "istio.metadata_exchange",
    "istio.stats",
    "istio.alpn",
    "envoy.filters.http.grpc_stats",
    "envoy.filters.http.health_check",
    "istio_authn",
    "envoy.filters.http.grpc_web",
    "envoy.filters.http.istio_stats",
];

impl Hcm {
    pub(super) fn read(config: Object) -> Read<Self> {
        let routes = match config.get("route_config") {
            Some(node) => RouteSource::Inline(Box::new(RouteConfig::read(node, config.log)?)),
            None => {
                let rds = config.message_or_empty("rds")?;
                RouteSource::Named(rds.str("route_config_name")?.to_string())
            }
        };
        let mut filters = Vec::new();
        for filter in config.messages("http_filters")? {
            let before: Option<&Filter> = filters.last();
            if before.is_some_and(|f| matches!(f.does, HttpFilter::Router)) {
                let name = "envoy.filters.http.router";
                let why = format!(
                    "Error: terminal filter named {name} of type {name} must be the last filter in a http filter chain."
                );
                return Err(Refusal::new(filter.span, why));
            }
            filters.push(Filter::read(filter)?);
        }
        if let Some(last) = filters.last().filter(|f| f.disabled) {
            let why = format!(
                "Error: the last (terminal) filter ({}) in the chain cannot be disabled by default.",
                last.name
            );
            return Err(Refusal::new(last.span, why));
        }
        if config.bool("strip_any_host_port")? && config.bool("strip_matching_host_port")? {
            let why = "Error: Only one of `strip_matching_host_port` or `strip_any_host_port` can be set.";
            return Err(Refusal::new(config.span, why));
        }
        let strip_port = match (
            config.bool("strip_any_host_port")?,
            config.bool("strip_matching_host_port")?,
        ) {
            (true, _) => StripPort::Any,
            (false, true) => StripPort::Matching,
            (false, false) => StripPort::No,
        };
        let mut upgrades = Vec::new();
        for upgrade in config.messages("upgrade_configs")? {
            let enabled = upgrade.maybe_bool("enabled")?.unwrap_or(true);
            let name = upgrade.str("upgrade_type")?.to_ascii_lowercase();
            if upgrades.iter().any(|(other, _)| *other == name) {
                let why = format!("Error: multiple upgrade configs with the same name: '{name}'");
                return Err(Refusal::new(upgrade.span, why));
            }
            upgrades.push((name, enabled));
        }
        let server_name = config.for_header("server_name")?;
        let http1 = config.message_or_empty("http_protocol_options")?;
        let mut client_cert = config.choice(
            "forward_client_cert_details",
            &[
                ("SANITIZE", ForwardClientCert::Sanitize),
                ("FORWARD_ONLY", ForwardClientCert::ForwardOnly),
                ("APPEND_FORWARD", ForwardClientCert::AppendForward),
                ("SANITIZE_SET", ForwardClientCert::SanitizeSet),
                ("ALWAYS_FORWARD_ONLY", ForwardClientCert::AlwaysForwardOnly),
            ],
        )?;
        if client_cert == ForwardClientCert::AlwaysForwardOnly {
            client_cert = ForwardClientCert::ForwardOnly;
        }
        config.no_matter(&[
            "stat_prefix",
            "codec_type",
            "access_log",
            "tracing",
            "set_current_client_cert_details",
        ]);
        let common = config.message_or_empty("common_http_protocol_options")?;
        let internal = config.message_or_empty("internal_address_config")?;
        internal.no_matter(&["unix_sockets"]);
        config.no_matter(&[
            "request_timeout",
            "request_headers_timeout",
            "drain_timeout",
            "proxy_100_continue",
        ]);
        config.no_matter(&[
            "http3_protocol_options",
            "delayed_close_timeout",
            "access_log_options",
        ]);
        config.no_matter(&[
            "request_id_extension",
            "http2_protocol_options",
            "stream_error_on_invalid_http_message",
        ]);
        config.within("max_request_headers_kb", 1, 8192)?;
        let read = Self {
            routes,
            filters,
            use_remote_address: config.bool("use_remote_address")?,
            trusted_hops: config.u32("xff_num_trusted_hops")?.unwrap_or(0),
            skip_xff_append: config.bool("skip_xff_append")?,
            normalize_path: config.bool("normalize_path")?,
            merge_slashes: config.bool("merge_slashes")?,
            escaped_slashes: config.choice(
                "path_with_escaped_slashes_action",
                &[
                    ("IMPLEMENTATION_SPECIFIC_DEFAULT", EscapedSlashes::Keep),
                    ("KEEP_UNCHANGED", EscapedSlashes::Keep),
                    ("REJECT_REQUEST", EscapedSlashes::Reject),
                    ("UNESCAPE_AND_REDIRECT", EscapedSlashes::UnescapeAndRedirect),
                    ("UNESCAPE_AND_FORWARD", EscapedSlashes::UnescapeAndForward),
                ],
            )?,
            strip_port,
            strip_trailing_dot: config.bool("strip_trailing_host_dot")?,
            server_name: if server_name.is_empty() {
                "envoy"
            } else {
                server_name
            }
            .to_string(),
            server_header: config.choice(
                "server_header_transformation",
                &[
                    ("OVERWRITE", ServerHeader::Overwrite),
                    ("APPEND_IF_ABSENT", ServerHeader::AppendIfAbsent),
                    ("PASS_THROUGH", ServerHeader::PassThrough),
                ],
            )?,
            via: config.for_header("via")?.to_string(),
            client_cert,
            upgrades,
            preserve_request_id: config.bool("preserve_external_request_id")?,
            generate_request_id: config.maybe_bool("generate_request_id")?.unwrap_or(true),
            accept_http_10: http1.bool("accept_http_10")?,
            internal_addresses: networks(&internal, "cidr_ranges")?,
            underscores: common.choice(
                "headers_with_underscores_action",
                &[
                    ("ALLOW", Underscores::Allow),
                    ("REJECT_REQUEST", Underscores::Reject),
                    ("DROP_HEADER", Underscores::Drop),
                ],
            )?,
            idle: config.millis("stream_idle_timeout")?.unwrap_or(300_000),
            duration: common.millis("max_stream_duration")?.unwrap_or(0),
        };
        config.end();
        Ok(read)
    }
}

/// Whether a filter of this name changes nothing that is modelled.
pub(super) fn is_silent(name: &str) -> bool {
    SILENT.contains(&name)
}

impl Filter {
    fn read(filter: Object) -> Read<Self> {
        let name = filter.filled("name")?.to_string();
        let disabled = filter.bool("disabled")?;
        let config = filter.message_or_empty("typed_config")?;
        let kind = config.str("@type")?.rsplit('.').next().unwrap_or("");
        let does = match (kind, name.as_str()) {
            ("Cors", _) | ("", "envoy.filters.http.cors") => HttpFilter::Cors,
            ("HTTPFault", _) | ("", "envoy.filters.http.fault") => {
                HttpFilter::Fault(Fault::read(&config)?)
            }
            ("JwtAuthentication", _) => {
                let jwt = Jwt::read(&config)?;
                config.end();
                HttpFilter::Jwt(jwt)
            }
            ("RBAC", _) => {
                let rbac = Rbac::read(&config)?;
                config.end();
                HttpFilter::Rbac(rbac)
            }
            ("ExtAuthz", _) => HttpFilter::ExtAuthz(ExtAuthz::read(&name, config)?),
            ("Router", _) | ("", "envoy.filters.http.router") => HttpFilter::Router,
            _ if is_silent(&name) => HttpFilter::Silent,
            _ => {
                if !disabled {
                    let message = say!("envoy/filter-not-modelled", filter = name);
                    filter.log.warning(filter.span, message);
                }
                HttpFilter::NotModelled
            }
        };
        Ok(Self {
            name,
            span: filter.span,
            disabled,
            does,
        })
    }
}
