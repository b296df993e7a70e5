//! `envoy.filters.http.ext_authz` and `envoy.filters.network.ext_authz`: another server is asked whether a request may pass.
//! What it answers is not modelled; whether it is asked is, and what follows where nobody is there to answer.
//! Source: `source/extensions/filters/http/ext_authz/ext_authz.cc`.

use super::metadata::{Metadata, MetadataMatch};
use super::object::{Object, Read};
use super::rbac::Told;
use crate::text::Span;

#[derive(Clone, Debug)]
pub struct ExtAuthz {
    pub name: String,
    /// Without, it is always asked.
    only_if: Option<MetadataMatch>,
    /// Of the server; empty where that is not said as a cluster.
    pub cluster: String,
    /// What becomes of a request where no answer comes.
    pub failure: Failure,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It passes; and a header says so.
    Pass { marked: bool },
    /// It is answered with this status.
    Deny(u16),
    /// With one whose name is not known here.
    Unknown,
}

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

    pub(super) fn read(name: &str, config: &Object) -> Read<Self> {
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
        let failure = match (config.bool("failure_mode_allow")?, status.get("code")) {
            (true, _) => Failure::Pass {
                marked: config.bool("failure_mode_allow_header_add")?,
            },
            (false, None) => Failure::Deny(403),
            (false, Some(code)) => {
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
        Ok(Self {
            name: name.to_string(),
            only_if: only_if.transpose()?,
            cluster: cluster.to_string(),
            failure,
            span: config.span,
        })
    }
}
