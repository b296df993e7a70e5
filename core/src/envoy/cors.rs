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

/// Whether a browser asks what it may ask of another origin (`Http::Utility::isCorsPreflightRequest`).
pub(super) fn is_preflight(request: &Request) -> bool {
    let says = |name: &str| request.headers.first(name).is_some_and(|v| !v.is_empty());
    request.method == "OPTIONS" && says("origin") && says("access-control-request-method")
}

/// What the filter makes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CorsVerdict {
    /// Nothing to do with it.
    Pass,
    /// Of an allowed origin: the response is marked.
    Mark,
    /// A preflight, answered here with these headers; whether its origin is allowed.
    Preflight(Headers, bool),
}

/// The policies of all levels, the most specific first. Each property is the first that is given.
pub(super) struct Policies<'c>(pub(super) Vec<&'c Cors>);

impl Policies<'_> {
    fn text(&self, of: impl Fn(&Cors) -> &str) -> &str {
        let mut given = self.0.iter().map(|p| of(p)).filter(|t| !t.is_empty());
        given.next().unwrap_or("")
    }

    fn flag(&self, of: impl Fn(&Cors) -> Option<bool>) -> Option<bool> {
        self.0.iter().find_map(|p| of(p))
    }

    fn allows(&self, origin: &str) -> bool {
        let given = self.0.iter().map(|p| &p.origins).find(|o| !o.is_empty());
        // A matcher that takes a lone `*` takes every origin.
        given.is_some_and(|all| all.iter().any(|m| m.is_match("*") || m.is_match(origin)))
    }

    pub(super) fn verdict(&self, request: &Request) -> CorsVerdict {
        let origin = request.headers.first("origin").unwrap_or("");
        let enabled = self.0.first().is_some_and(|p| p.enabled);
        if !enabled || origin.is_empty() {
            return CorsVerdict::Pass;
        }
        let asks = |name: &str| request.headers.first(name).unwrap_or("");
        let preflight = is_preflight(request);
        let allowed = self.allows(origin);
        if !preflight {
            return if allowed {
                CorsVerdict::Mark
            } else {
                CorsVerdict::Pass
            };
        }
        if !allowed && self.flag(|p| p.forward_unmatched) != Some(false) {
            return CorsVerdict::Pass;
        }
        let mut headers = Headers::new();
        let mut set = |name: &str, value: &str| {
            if !value.is_empty() {
                headers.set(name, value);
            }
        };
        if allowed {
            set("access-control-allow-origin", origin);
        }
        set("access-control-allow-methods", self.text(|p| &p.methods));
        set("access-control-allow-headers", self.text(|p| &p.headers));
        set("access-control-max-age", self.text(|p| &p.max_age));
        let private = asks("access-control-request-private-network") == "true";
        if private && self.flag(|p| p.private_network) == Some(true) {
            set("access-control-allow-private-network", "true");
        }
        CorsVerdict::Preflight(headers, allowed)
    }

    /// Marks the response to a request of an allowed origin.
    pub(super) fn mark(&self, request: &Request, headers: &mut Headers) {
        if let Some(origin) = request.headers.first("origin") {
            headers.set("access-control-allow-origin", origin);
        }
        if self.flag(|p| p.credentials) == Some(true) {
            headers.set("access-control-allow-credentials", "true");
        }
        let expose = self.text(|p| &p.expose);
        if !expose.is_empty() {
            headers.set("access-control-expose-headers", expose);
        }
    }
}

impl Cors {
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
