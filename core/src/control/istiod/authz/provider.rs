//! CUSTOM: another server is asked. Source: `pilot/pkg/security/authz/builder/extauthz.go`.

use std::collections::BTreeMap;

use super::{Action, Engine, rbac};
use crate::control::istiod::connection_manager::filter;
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::object::Object;
use crate::control::istiod::world::World;
use crate::say;
use crate::text::{Diagnostic, Span};
use crate::yaml::{Node, Value};

const HTTP: &str = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz";
const TCP: &str = "type.googleapis.com/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz";

/// Before what tells the server's filter which requests are meant.
const NOTED: &str = "istio_ext_authz_";

/// Of each server a filter that finds out which requests are meant, and one that asks. What a policy without a server that is
/// known is for is denied, and so is all of several servers.
pub(super) fn filters(world: &World, policies: &[&Object], tcp: bool) -> Vec<Node> {
    let mut by_name: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    for policy in policies {
        by_name.entry(provider(policy)).or_default().push(policy);
    }
    let several = by_name.len() > 1;
    let mut filters = Vec::new();
    for (name, policies) in by_name {
        let prefix = match name {
            "" => "istio-ext-authz-".to_string(),
            name => format!("istio-ext-authz-{name}-"),
        };
        let mut engine = Engine::new(Action::Custom);
        for policy in policies {
            engine.add(world, policy, &prefix, tcp);
        }
        let span = engine.span;
        let Some(rules) = engine.end() else { continue };
        match kind(world, name) {
            None => filters.push(rbac(Some(denying(rules)), None, "", tcp)),
            Some(_) if several => filters.push(rbac(Some(denying(rules)), None, "", tcp)),
            // A server that speaks HTTP is not asked about connections.
            Some(Kind::Http) if tcp => {}
            Some(_) => {
                filters.push(rbac(None, Some(rules), NOTED, tcp));
                filters.push(asking(name, tcp, span));
            }
        }
    }
    filters
}

/// Says of CUSTOM policies that they deny, as their servers are not known.
pub(super) fn log(world: &World, policies: &[Object], log: &mut Vec<Diagnostic>) {
    for policy in policies {
        let name = provider(policy);
        if Action::of(policy) == Some(Action::Custom) && kind(world, name).is_none() {
            let span = policy.spec.get("provider").map_or(policy.span, |n| n.span);
            let say = say!("istio/no-provider", policy = policy.name, provider = name);
            log.push(Diagnostic::warning(span, say));
        }
    }
}

fn provider(policy: &Object) -> &str {
    policy.spec.get("provider").map_or("", |p| p.text("name"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Grpc,
}

/// A provider whose Service istiod knows.
fn kind(world: &World, name: &str) -> Option<Kind> {
    let mut all = world.mesh.providers.iter();
    let provider = all.find(|p| p.text("name") == name)?;
    let (kind, spec) = match provider.get("envoyExtAuthzHttp") {
        Some(spec) => (Kind::Http, spec),
        None => (Kind::Grpc, provider.get("envoyExtAuthzGrpc")?),
    };
    let port = spec.number("port");
    let (namespace, host) = match spec.text("service").split_once('/') {
        Some((namespace, host)) => (Some(namespace), host),
        None => (None, spec.text("service")),
    };
    let mut found = world
        .services
        .iter()
        .filter(|s| s.hostname == host && namespace.is_none_or(|ns| s.namespace == ns));
    let one = found.next().is_some() && (namespace.is_some() || found.next().is_none());
    (one && (1..=65_535).contains(&port)).then_some(kind)
}

/// Every policy under a name that says what is wrong.
fn denying(rules: Node) -> Node {
    let mut rules = rules;
    if let Value::Map(entries) = &mut rules.value
        && let Some(policies) = entries.iter_mut().find(|e| &*e.key == "policies")
        && let Value::Map(policies) = &mut policies.value.value
    {
        for policy in policies {
            policy.key = format!("{}-deny-due-to-bad-CUSTOM-action", policy.key).into();
        }
    }
    rules
}

/// The filter that asks.
fn asking(provider: &str, tcp: bool, span: Span) -> Node {
    let (name, kind, of) = match tcp {
        true => (
            "envoy.filters.network.ext_authz",
            TCP,
            "envoy.filters.network.rbac",
        ),
        false => (
            "envoy.filters.http.ext_authz",
            HTTP,
            "envoy.filters.http.rbac",
        ),
    };
    let prefix = Message::new(span).str("prefix", format!("istio-ext-authz-{provider}"));
    let value = super::matcher::text(prefix, span);
    let key = format!("{NOTED}shadow_effective_policy_id");
    let only_if = super::matcher::metadata(of, &[key], value, span);
    let config = Message::new(span)
        .str("@type", kind)
        .message("filterEnabledMetadata", only_if)
        .str("transportApiVersion", "V3");
    filter(name, config)
}
