//! `envoy.filters.http.ext_authz` and `envoy.filters.network.ext_authz`: another server is asked whether a request may pass.
//! What it answers is not modelled; whether it is asked is. Source: `source/extensions/filters/http/ext_authz/ext_authz.cc`.

use super::metadata::{Metadata, MetadataMatch};
use super::object::{Object, Read};
use super::rbac::Told;
use crate::text::Span;

#[derive(Clone, Debug)]
pub struct ExtAuthz {
    pub name: String,
    /// Without, it is always asked.
    only_if: Option<MetadataMatch>,
    pub span: Span,
}

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
        Ok(Self {
            name: name.to_string(),
            only_if: only_if.transpose()?,
            span: config.span,
        })
    }
}
