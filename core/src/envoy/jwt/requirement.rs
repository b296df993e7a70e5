//! What is asked of a request: by the filter's rules, or by the name that a level of routes calls it.
//! Source: `source/extensions/filters/http/jwt_authn/filter_config.cc`.

use super::Provider;
use crate::envoy::object::{Object, Read, Refusal};
use crate::text::Span;

#[derive(Clone, Debug)]
pub(super) enum Requirement {
    Nothing,
    /// Of a provider, for some audiences of its own.
    Provider(usize, Option<Vec<String>>),
    Any(Vec<Requirement>),
    All(Vec<Requirement>),
    AllowMissing,
    AllowFailed,
    NotModelled(Span),
}

/// An entry of `requirement_map`.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) requires: Requirement,
    pub(super) span: Span,
}

/// What a level of routes wants in place of the filter's rules.
#[derive(Clone, Debug)]
pub enum Wanted {
    Nothing,
    /// The requirement of this name.
    Named(String, Span),
}

impl Requirement {
    pub(super) fn read(requirement: &Object, providers: &[Provider]) -> Read<Self> {
        let provider = |name: &str| {
            let at = providers.iter().position(|p| p.name == name);
            let why = format!("Required provider ['{name}'] is not configured.");
            at.ok_or_else(|| Refusal::new(requirement.span, why))
        };
        let list = |field: &str| -> Read<Option<Vec<Self>>> {
            let Some(list) = requirement.message(field)? else {
                return Ok(None);
            };
            let all = list.messages("requirements")?;
            let all = all.iter().map(|r| Self::read(r, providers));
            all.collect::<Read<_>>().map(Some)
        };
        Ok(if let Some(any) = list("requires_any")? {
            Self::Any(any)
        } else if let Some(all) = list("requires_all")? {
            Self::All(all)
        } else if let Some(with) = requirement.message("provider_and_audiences")? {
            let audiences = Some(with.strings("audiences")?).filter(|a| !a.is_empty());
            Self::Provider(provider(with.str("provider_name")?)?, audiences)
        } else if requirement.has("allow_missing_or_failed") {
            Self::AllowFailed
        } else if requirement.has("allow_missing") {
            Self::AllowMissing
        } else if requirement.has("provider_name") {
            Self::Provider(provider(requirement.str("provider_name")?)?, None)
        } else if requirement.has("extract_only_without_validation") {
            Self::NotModelled(requirement.at("extract_only_without_validation"))
        } else {
            Self::Nothing
        })
    }
}

impl Wanted {
    pub(in crate::envoy) fn read(config: &Object) -> Read<Self> {
        if config.has("requirement_name") {
            let name = config.filled("requirement_name")?.to_string();
            return Ok(Wanted::Named(name, config.at("requirement_name")));
        }
        match config.maybe_bool("disabled")? {
            Some(true) => Ok(Wanted::Nothing),
            Some(false) => {
                let why = "value must equal true";
                Err(Refusal::field(config.at("disabled"), "disabled", why))
            }
            None => {
                let why = "is required";
                Err(Refusal::field(config.span, "requirement_specifier", why))
            }
        }
    }
}

/// `FilterConfigImpl::findPerRouteVerifier`
pub(super) fn wrong_name(name: &str, named: &[Named]) -> String {
    let mut names: Vec<&str> = named.iter().map(|n| n.name.as_str()).collect();
    names.sort_unstable();
    let names = names.join(",");
    format!("Wrong requirement_name: {name}. It should be one of [{names}]")
}
