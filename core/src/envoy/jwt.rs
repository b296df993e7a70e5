//! `envoy.filters.http.jwt_authn`: who a token says that asks. Whether a token is valid is not modelled; where there is none, what
//! follows is. Source: `source/extensions/filters/http/jwt_authn/`: `extractor.cc`, `verifier.cc`, `filter.cc`.

use super::cors::is_preflight;
use super::matching::query;
use super::object::{Object, Read};
use crate::net::Request;
use crate::text::Span;

#[derive(Clone, Debug)]
pub struct Jwt {
    places: Vec<Place>,
    /// Whether a request without any token passes; nothing where that hangs on what is not modelled.
    without: Option<bool>,
    passes_preflights: bool,
    pub span: Span,
}

/// Where a token may be.
#[derive(Clone, Debug)]
enum Place {
    /// Behind some text in a header.
    Header(String, String),
    Parameter(String),
    Cookie(String),
}

/// What the filter makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Pass,
    Missing,
    Unknown,
}

impl Jwt {
    pub(super) fn look(&self, request: &Request) -> Token {
        if self.passes_preflights && is_preflight(request) {
            return Token::Pass;
        }
        if self.places.iter().any(|p| p.has_token(request)) {
            return Token::Unknown;
        }
        match self.without {
            Some(true) => Token::Pass,
            Some(false) => Token::Missing,
            None => Token::Unknown,
        }
    }

    pub(super) fn read(config: &Object) -> Read<Self> {
        let mut places = Vec::new();
        let providers = config.message_or_empty("providers")?;
        for entry in providers.entries() {
            Place::read(&Object::new(&entry.value, config.log)?, &mut places)?;
        }
        let mut without = Some(true);
        for rule in config.messages("rules")? {
            let all = rule.message_or_empty("match")?.str("prefix")? == "/";
            let passes = match rule.message("requires")? {
                Some(requirement) => passes(&requirement)?,
                None if rule.has("requirement_name") => None,
                None => Some(true),
            };
            // The first rule that matches counts.
            without = if all || passes == Some(true) {
                passes
            } else {
                None
            };
            if without != Some(true) || all {
                break;
            }
        }
        Ok(Self {
            places,
            without,
            passes_preflights: config.bool("bypass_cors_preflight")?,
            span: config.span,
        })
    }
}

/// Whether a requirement is met without a token.
fn passes(requirement: &Object) -> Read<Option<bool>> {
    let list = |field: &str| -> Read<Option<Vec<Option<bool>>>> {
        let Some(list) = requirement.message(field)? else {
            return Ok(None);
        };
        let all = list.messages("requirements")?;
        all.iter().map(passes).collect::<Read<_>>().map(Some)
    };
    if let Some(any) = list("requires_any")? {
        let unknown = any.contains(&None);
        let some = any.contains(&Some(true));
        return Ok(if some {
            Some(true)
        } else {
            (!unknown).then_some(false)
        });
    }
    if let Some(all) = list("requires_all")? {
        let unknown = all.contains(&None);
        let none = all.contains(&Some(false));
        return Ok(if none {
            Some(false)
        } else {
            (!unknown).then_some(true)
        });
    }
    let allowed = ["allow_missing", "allow_missing_or_failed"];
    if allowed.iter().any(|field| requirement.has(field)) {
        return Ok(Some(true));
    }
    Ok(requirement.has("provider_name").then_some(false))
}

impl Place {
    fn read(provider: &Object, places: &mut Vec<Self>) -> Read<()> {
        let before = places.len();
        for header in provider.messages("from_headers")? {
            let name = header.filled("name")?.to_ascii_lowercase();
            places.push(Self::Header(name, header.str("value_prefix")?.to_string()));
        }
        places.extend(
            provider
                .strings("from_params")?
                .into_iter()
                .map(Self::Parameter),
        );
        places.extend(
            provider
                .strings("from_cookies")?
                .into_iter()
                .map(Self::Cookie),
        );
        if places.len() == before {
            places.push(Self::Header("authorization".into(), "Bearer ".into()));
            places.push(Self::Parameter("access_token".into()));
        }
        Ok(())
    }

    fn has_token(&self, request: &Request) -> bool {
        let headers = &request.headers;
        match self {
            Self::Header(name, prefix) => headers.all(name).any(|v| v.contains(prefix.as_str())),
            Self::Parameter(name) => query(&request.path, name).is_some(),
            Self::Cookie(name) => headers.all("cookie").any(|all| {
                let names = all.split(';').filter_map(|c| c.split_once('='));
                names.into_iter().any(|(n, _)| n.trim() == name)
            }),
        }
    }
}
