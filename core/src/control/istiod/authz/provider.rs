//! CUSTOM: another server is asked. Source: `pilot/pkg/security/authz/builder/extauthz.go`.

use std::collections::BTreeMap;

use super::{Action, Engine, is_dry_run, rbac};
use crate::control::istiod::connection_manager::filter;
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::object::Object;
use crate::control::istiod::route::{cluster_name, is_status};
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
        let mut dry = Engine::new(Action::Custom);
        for policy in policies {
            match is_dry_run(policy) {
                true => dry.add(world, policy, &prefix, tcp),
                false => engine.add(world, policy, &prefix, tcp),
            }
        }
        let span = match engine.span == Span::default() {
            true => dry.span,
            false => engine.span,
        };
        // What is only tried goes into the rules that count, which deny (`buildHTTP` of Istio 1.30).
        let tried = dry.end();
        let rules = engine
            .end()
            .unwrap_or_else(|| Engine::none(Action::Custom, span));
        match kind(world, name) {
            None => filters.push(rbac(Some(denying(rules)), None, "", tcp)),
            Some(_) if several => filters.push(rbac(Some(denying(rules)), None, "", tcp)),
            // A server that speaks HTTP is not asked about connections.
            Some((Kind::Http, _)) if tcp => {}
            Some((kind, spec)) => {
                filters.push(rbac(tried, Some(rules), NOTED, tcp));
                filters.push(asking(name, (kind, spec), tcp, span));
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
fn kind<'w>(world: &'w World, name: &str) -> Option<(Kind, &'w Node)> {
    let mut all = world.mesh.providers.iter();
    let provider = all.find(|p| p.text("name") == name)?;
    let (kind, spec) = match provider.get("envoyExtAuthzHttp") {
        Some(spec) => (Kind::Http, spec),
        None => (Kind::Grpc, provider.get("envoyExtAuthzGrpc")?),
    };
    let port = spec.number("port");
    let status = spec.text("statusOnError");
    let said = status.is_empty() || status.parse::<u16>().is_ok_and(is_status);
    let path = spec.text("pathPrefix");
    if !said || !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let (namespace, host) = match spec.text("service").split_once('/') {
        Some((namespace, host)) => (Some(namespace), host),
        None => (None, spec.text("service")),
    };
    let mut found = world
        .services
        .iter()
        .filter(|s| s.hostname == host && namespace.is_none_or(|ns| s.namespace == ns));
    let one = found.next().is_some() && (namespace.is_some() || found.next().is_none());
    (one && (1..=65_535).contains(&port)).then_some((kind, spec))
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
fn asking(provider: &str, server: (Kind, &Node), tcp: bool, span: Span) -> Node {
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
    let mut config = Message::new(span)
        .str("@type", kind)
        .message("filterEnabledMetadata", only_if)
        .str("transportApiVersion", "V3");
    let (kind, spec) = server;
    let host = spec.text("service");
    let host = host.split_once('/').map_or(host, |(_, host)| host);
    let cluster = cluster_name("", host, spec.number("port"));
    config = match kind {
        Kind::Http => {
            let uri = Message::new(span).str("uri", format!("http://{host}"));
            let uri = uri.str("cluster", cluster);
            config.message("httpService", Message::new(span).message("serverUri", uri))
        }
        Kind::Grpc => {
            let grpc = Message::new(span).str("clusterName", cluster);
            let grpc = grpc.str("authority", host);
            config.message("grpcService", Message::new(span).message("envoyGrpc", grpc))
        }
    };
    if spec.flag("failOpen") {
        config = config.bool("failureModeAllow", true);
    }
    let status = spec.text("statusOnError").parse::<i64>();
    if let (Ok(code), false) = (status, tcp) {
        config = config.message("statusOnError", Message::new(span).int("code", code));
    }
    filter(name, config)
}
