//! `envoy.filters.http.rbac` and `envoy.filters.network.rbac`: who may ask for what.
//! Source: `source/extensions/filters/common/rbac/engine_impl.cc`, `source/extensions/filters/http/rbac/rbac_filter.cc`,
//! `source/extensions/filters/network/rbac/rbac_filter.cc`.

mod condition;
mod explain;
mod read;

use super::metadata::Metadata;
use crate::text::Span;
use crate::yaml::{Node, Value};

pub use condition::{Asker, Condition, Test, Told};

/// Engines that are asked about a request or a connection.
#[derive(Clone, Debug, Default)]
pub struct Rbac {
    /// What they say goes; without, all may pass.
    pub rules: Option<Rules>,
    /// What they say is noted for others.
    pub shadow: Option<Rules>,
    prefix: String,
    shadow_prefix: String,
    pub span: Span,
}

/// An engine.
#[derive(Clone, Debug)]
pub struct Rules {
    pub action: Effect,
    /// By name, which is the order in which they are asked.
    pub policies: Vec<Policy>,
}

/// What follows from a policy that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It may pass, and what no policy matches may not.
    Allow,
    Deny,
    /// It is noted; all may pass.
    Log,
}

impl Effect {
    /// As Envoy's API and Istio's write it.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Allow => "ALLOW",
            Effect::Deny => "DENY",
            Effect::Log => "LOG",
        }
    }
}

/// What is to be done in which way, and who may: both have to hold.
#[derive(Clone, Debug)]
pub struct Policy {
    pub name: String,
    pub permissions: Condition,
    pub principals: Condition,
    pub span: Span,
}

/// What an engine said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Nothing where it cannot be told.
    pub allowed: Option<bool>,
    /// The policy that matched.
    pub policy: Option<usize>,
    /// One before it, of which that cannot be told.
    pub unknown: Option<usize>,
}

impl Rules {
    /// The first policy that matches decides.
    pub fn ask(&self, asker: &Asker) -> Verdict {
        let mut unknown = None;
        for (at, policy) in self.policies.iter().enumerate() {
            match policy.told(asker) {
                Told::Fails => {}
                Told::Unknown => {
                    unknown.get_or_insert(at);
                }
                // Which policy denies is told to whom it denies.
                Told::Holds => {
                    let allowed = match (self.action, unknown) {
                        (Effect::Deny, None) => Some(false),
                        (Effect::Deny, Some(_)) => None,
                        _ => Some(true),
                    };
                    return Verdict {
                        allowed,
                        policy: Some(at),
                        unknown,
                    };
                }
            }
        }
        let otherwise = match (self.action, unknown) {
            (Effect::Log, _) | (Effect::Deny, None) => Some(true),
            (Effect::Allow, None) => Some(false),
            _ => None,
        };
        Verdict {
            allowed: otherwise,
            policy: None,
            unknown,
        }
    }
}

impl Policy {
    pub fn told(&self, asker: &Asker) -> Told {
        let permitted = self.permissions.told(asker);
        permitted.and(|| self.principals.told(asker))
    }
}

impl Rbac {
    /// What goes for the request or connection. What the engines found is noted for the filters behind.
    pub fn ask(&self, asker: &Asker, noted: &mut Metadata, filter: &str) -> Verdict {
        if let Some(shadow) = &self.shadow {
            let verdict = shadow.ask(asker);
            note(
                shadow,
                verdict,
                noted,
                filter,
                &self.shadow_prefix,
                "shadow",
            );
        }
        let Some(rules) = &self.rules else {
            return Verdict {
                allowed: Some(true),
                policy: None,
                unknown: None,
            };
        };
        let verdict = rules.ask(asker);
        note(rules, verdict, noted, filter, &self.prefix, "enforced");
        verdict
    }

    /// `%RESPONSE_CODE_DETAILS%` of who may not pass; `%CONNECTION_TERMINATION_DETAILS%` of a connection.
    pub fn details(&self, policy: Option<usize>) -> String {
        let rules = self.rules.as_ref();
        let policy = rules.zip(policy).and_then(|(r, at)| r.policies.get(at));
        let name = policy.map_or("none", |p| p.name.as_str());
        let name = name.replace(|c: char| c.is_ascii_whitespace(), "_");
        format!("rbac_access_denied_matched_policy[{name}]")
    }
}

/// `shadow_effective_policy_id` and its like, which are not there where no policy matched.
fn note(
    rules: &Rules,
    verdict: Verdict,
    noted: &mut Metadata,
    filter: &str,
    prefix: &str,
    engine: &str,
) {
    let known = verdict.unknown.is_none();
    if let Some(policy) = verdict.policy.or(verdict.unknown) {
        let name = rules.policies.get(policy).map(|p| p.name.as_str());
        let key = format!("{prefix}{engine}_effective_policy_id");
        noted.set(filter, key, name.filter(|_| known).map(text));
    }
    let result = verdict.allowed.map(|allowed| match allowed {
        true => text("allowed"),
        false => text("denied"),
    });
    noted.set(filter, format!("{prefix}{engine}_engine_result"), result);
}

fn text(text: &str) -> Node {
    Node {
        value: Value::Str(text.into()),
        span: Span::default(),
    }
}
