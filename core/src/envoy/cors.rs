//! `envoy.filters.http.cors`. Source: `source/extensions/filters/http/cors/cors_filter.cc`.

use super::fraction::Fraction;
use super::matching::StringMatch;
use super::object::{Object, Read};
use crate::net::{Headers, Request};

/// A route's or virtual host's policy. What a more specific level leaves out, the other says.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    pub origins: Vec<StringMatch>,
    pub methods: String,
    pub headers: String,
    pub expose: String,
    pub max_age: String,
    pub credentials: Option<bool>,
    pub private_network: Option<bool>,
    pub forward_unmatched: Option<bool>,
    pub enabled: bool,
}

/// What the filter makes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsVerdict {
    /// Nothing to do with it.
    Pass,
    /// Of an allowed origin: the response is marked.
    Mark,
    /// A preflight, answered here with these headers.
    Preflight(Headers),
}

impl Cors {
    pub fn verdict(&self, request: &Request) -> CorsVerdict {
        let origin = request.headers.first("origin").unwrap_or("");
        if !self.enabled || origin.is_empty() {
            return CorsVerdict::Pass;
        }
        let preflight = request.method == "OPTIONS"
            && request
                .headers
                .first("access-control-request-method")
                .is_some_and(|m| !m.is_empty());
        if !self.origins.iter().any(|m| m.is_match(origin)) {
            if preflight && self.forward_unmatched == Some(false) {
                return CorsVerdict::Preflight(Headers::new());
            }
            return CorsVerdict::Pass;
        }
        if !preflight {
            return CorsVerdict::Mark;
        }
        let mut headers = Headers::new();
        let mut set = |name: &str, value: &str| {
            if !value.is_empty() {
                headers.set(name, value);
            }
        };
        set("access-control-allow-origin", origin);
        set("access-control-allow-methods", &self.methods);
        set("access-control-allow-headers", &self.headers);
        set("access-control-max-age", &self.max_age);
        let asks = request
            .headers
            .first("access-control-request-private-network");
        if self.private_network == Some(true) && asks == Some("true") {
            set("access-control-allow-private-network", "true");
        }
        CorsVerdict::Preflight(headers)
    }

    /// Marks the response to a request of an allowed origin.
    pub fn mark(&self, request: &Request, headers: &mut Headers) {
        if let Some(origin) = request.headers.first("origin") {
            headers.set("access-control-allow-origin", origin);
        }
        if self.credentials == Some(true) {
            headers.set("access-control-allow-credentials", "true");
        }
        if !self.expose.is_empty() {
            headers.set("access-control-expose-headers", self.expose.as_str());
        }
    }

    pub(super) fn read(object: &Object) -> Read<Self> {
        let word = |field: &str| object.str(field).map(str::to_string);
        let origins = object.list("allow_origin_string_match")?.iter();
        let enabled = Fraction::read_runtime(object, "filter_enabled")?;
        object.no_matter(&["shadow_enabled"]);
        Ok(Self {
            origins: origins
                .map(|n| StringMatch::read(n, object.log))
                .collect::<Read<_>>()?,
            methods: word("allow_methods")?,
            headers: word("allow_headers")?,
            expose: word("expose_headers")?,
            max_age: word("max_age")?,
            credentials: object.maybe_bool("allow_credentials")?,
            private_network: object.maybe_bool("allow_private_network_access")?,
            forward_unmatched: object.maybe_bool("forward_not_matching_preflights")?,
            enabled: enabled.is_none_or(|f| f.numerator > 0),
        })
    }
}
