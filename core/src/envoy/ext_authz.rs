//! `envoy.filters.http.ext_authz` and `envoy.filters.network.ext_authz`: another server is asked whether a request may pass.
//! What it answers is not modelled; whether it is asked is, and what follows where it is not or where nobody is there to answer.
//! Source: `source/extensions/filters/http/ext_authz/ext_authz.cc`.

use serde::Serialize;

use super::fraction::Fraction;
use super::metadata::{Metadata, MetadataMatch};
use super::object::{Object, Read};
use super::rbac::Told;
use crate::text::Span;

#[derive(Clone, Debug)]
pub struct ExtAuthz {
    pub name: String,
    /// Without, it is always asked.
    only_if: Option<MetadataMatch>,
    /// Of all requests, those that it is asked about.
    pub enabled: Fraction,
    /// The others do not pass.
    pub denies_others: bool,
    /// Of the server; empty where that is not said as a cluster.
    pub cluster: String,
    /// What becomes of a request where no answer comes.
    pub failure: Failure,
    /// What becomes of one that is not asked about and does not pass, which is denied also where silence lets in.
    pub denial: Failure,
    pub span: Span,
}

/// That the filter itself denied a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// Nobody was to be asked; otherwise nobody is there to answer.
    pub switched_off: bool,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It passes; and a header says so.
    Pass { marked: bool },
    /// It is answered with this status.
    Deny(u16),
    /// With one whose name is not known here; or whatever is answered is only noted.
    Unknown,
}

/// What the server is told, and what it may change where it lets in.
const OF_THE_SERVER: [&str; 23] = [
    "allowed_headers",
    "bootstrap_metadata_labels_key",
    "charge_cluster_response_stats",
    "clear_route_cache",
    "decoder_header_mutation_rules",
    "disallowed_headers",
    "emit_filter_state_stats",
    "enable_dynamic_metadata_ingestion",
    "encode_raw_headers",
    "enforce_response_header_limits",
    "filter_metadata",
    "include_peer_certificate",
    "include_tls_session",
    "max_denied_response_body_bytes",
    "metadata_context_namespaces",
    "route_metadata_context_namespaces",
    "route_typed_metadata_context_namespaces",
    "send_tls_alert_on_denial",
    "stat_prefix",
    "transport_api_version",
    "typed_metadata_context_namespaces",
    "validate_mutations",
    "with_request_body",
];

/// Of `envoy.type.v3.StatusCode`, those that are usual here.
const STATUSES: [(&str, u16); 6] = [
    ("Unauthorized", 401),
    ("Forbidden", 403),
    ("TooManyRequests", 429),
    ("InternalServerError", 500),
    ("BadGateway", 502),
    ("ServiceUnavailable", 503),
];

impl ExtAuthz {
    /// Whether the server is asked.
    pub fn asks(&self, noted: &Metadata) -> Told {
        match &self.only_if {
            Some(wanted) => wanted.told(noted),
            None => Told::Holds,
        }
    }

    pub(super) fn read(name: &str, config: Object) -> Read<Self> {
        let only_if = config.get("filter_enabled_metadata");
        let only_if = only_if.map(|n| MetadataMatch::read(n, config.log));
        let http = config.message_or_empty("http_service")?;
        let http = http.message_or_empty("server_uri")?;
        let grpc = config.message_or_empty("grpc_service")?;
        let grpc = grpc.message_or_empty("envoy_grpc")?;
        let cluster = match http.str("cluster")? {
            "" => grpc.str("cluster_name")?,
            cluster => cluster,
        };
        let status = config.message_or_empty("status_on_error")?;
        let marked = config.bool("failure_mode_allow_header_add")?;
        let only_notes = config.bool("shadow_mode")?;
        let denial = match status.get("code") {
            _ if only_notes => Failure::Unknown,
            None => Failure::Deny(403),
            Some(code) => {
                let number = code.int().and_then(|n| u16::try_from(n).ok());
                let named = || {
                    let all = STATUSES.iter();
                    all.into_iter()
                        .find(|(n, _)| code.str() == Some(*n))
                        .map(|(_, s)| *s)
                };
                number
                    .or_else(named)
                    .map_or(Failure::Unknown, Failure::Deny)
            }
        };
        let failure = match config.bool("failure_mode_allow")? {
            true if !only_notes => Failure::Pass { marked },
            _ => denial,
        };
        let enabled = Fraction::read_runtime(&config, "filter_enabled")?;
        let denies = config.message_or_empty("deny_at_disable")?;
        config.no_matter(&OF_THE_SERVER);
        let read = Self {
            name: name.to_string(),
            only_if: only_if.transpose()?,
            enabled: enabled.unwrap_or(Fraction::ALWAYS),
            denies_others: denies.bool("default_value")?,
            cluster: cluster.to_string(),
            failure,
            denial,
            span: config.span,
        };
        config.end();
        Ok(read)
    }
}
