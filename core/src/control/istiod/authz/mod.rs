//! Who may ask a workload for what: AuthorizationPolicy, as RBAC filters of its proxy.
//! Source: `pilot/pkg/model/authorization.go`, `pilot/pkg/model/policyattachment.go`, `pilot/pkg/security/authz/builder`.

mod condition;
pub(super) mod matcher;
mod provider;
mod rule;

use std::collections::BTreeMap;

pub(super) use self::condition::{CLAIMS, is_template};
use self::rule::Rule;
use super::connection_manager::filter;
use super::message::{Ask, Message};
use super::object::{Object, sort_by_age};
use super::world::{Proxy, World};
use crate::say;
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;

const HTTP: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const TCP: &str = "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC";

/// The filters that let into a workload, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    /// Before requests are authenticated.
    pub(super) before: Vec<Node>,
    pub(super) http: Vec<Node>,
    /// Of chains that read no HTTP.
    pub(super) tcp: Vec<Node>,
}

/// What a policy wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Allow,
    Deny,
    Audit,
    Custom,
}

impl Action {
    fn of(policy: &Object) -> Option<Self> {
        match policy.spec.text("action") {
            "" | "ALLOW" => Some(Self::Allow),
            "DENY" => Some(Self::Deny),
            "AUDIT" => Some(Self::Audit),
            "CUSTOM" => Some(Self::Custom),
            _ => None,
        }
    }

    /// As Envoy's API has it; the first of the enumeration is left out.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Allow => None,
            Self::Deny | Self::Custom => Some("DENY"),
            Self::Audit => Some("LOG"),
        }
    }

    /// Before what the dry run of such policies notes.
    fn prefix(self) -> &'static str {
        match self {
            Self::Allow => "istio_dry_run_allow_",
            Self::Deny => "istio_dry_run_deny_",
            Self::Audit | Self::Custom => "",
        }
    }
}

/// All AuthorizationPolicies, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Policies(Vec<Object>);

impl Policies {
    pub(super) fn new(mut objects: Vec<Object>) -> Self {
        sort_by_age(&mut objects);
        Self(objects)
    }

    /// Says which of them come to something else than they want.
    pub(super) fn log(&self, world: &World, log: &mut Vec<Diagnostic>) {
        provider::log(world, &self.0, log);
        log.extend(for_waypoints(&self.0));
    }

    /// Those for a workload: of the root namespace, then of its own.
    fn of<'p>(&'p self, root: &'p str, proxy: &'p Proxy) -> impl Iterator<Item = &'p Object> {
        let own = Some(proxy.namespace.as_str()).filter(|ns| *ns != root);
        let namespaces = [Some(root), own].into_iter().flatten();
        namespaces.flat_map(move |ns| {
            let all = self.0.iter().filter(move |p| p.namespace == ns);
            all.filter(|p| attaches(p, proxy))
        })
    }

    /// The filters of a workload's proxy.
    pub(super) fn filters(&self, world: &World, proxy: &Proxy) -> Filters {
        let mut by_action: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
        for policy in self.of(&world.mesh.root_namespace, proxy) {
            if let Some(action) = Action::of(policy) {
                by_action.entry(action as usize).or_default().push(policy);
            }
        }
        let mut filters = Filters::default();
        filters.http.extend(world.tokens.filter(world, proxy));
        let of = |action: Action| by_action.get(&(action as usize));
        if let Some(custom) = of(Action::Custom) {
            filters.before = provider::filters(world, custom, false);
            filters.tcp = provider::filters(world, custom, true);
        }
        for action in [Action::Audit, Action::Deny, Action::Allow] {
            let Some(policies) = of(action) else { continue };
            for (tcp, to) in [(false, &mut filters.http), (true, &mut filters.tcp)] {
                let mut goes = Engine::new(action);
                let mut dry = Engine::new(action);
                for policy in policies {
                    let engine = if is_dry_run(policy) {
                        &mut dry
                    } else {
                        &mut goes
                    };
                    engine.add(world, policy, "", tcp);
                }
                to.push(rbac(goes.end(), dry.end(), action.prefix(), tcp));
            }
        }
        filters
    }
}

/// Says which policies are for waypoints alone, which are not modelled: those of Services and of classes of gateways.
pub(super) fn for_waypoints(policies: &[Object]) -> impl Iterator<Item = Diagnostic> {
    policies.iter().filter_map(|policy| {
        let targets = targets(policy);
        let first = targets.first()?;
        let is_for_gateways = targets.iter().any(|t| t.text("kind") == "Gateway");
        let say = say!("istio/not-modelled", what = "waypoint");
        (!is_for_gateways).then(|| Diagnostic::warning(first.span, say))
    })
}

fn targets(policy: &Object) -> Vec<&Node> {
    let targets: Vec<_> = policy.spec.each("targetRefs").iter().collect();
    match targets.is_empty() {
        true => policy.spec.get("targetRef").into_iter().collect(),
        false => targets,
    }
}

/// Whether a policy is meant for a proxy (`WorkloadPolicyMatcher.ShouldAttachPolicy`).
pub(super) fn attaches(policy: &Object, proxy: &Proxy) -> bool {
    let spec = &policy.spec;
    let selected = || {
        let labels = spec.get("selector").map(|s| s.sorted("matchLabels"));
        let fits = |e: &&crate::yaml::Entry| {
            proxy.labels.get(&*e.key).map(String::as_str) == e.value.str()
        };
        labels.is_none_or(|all| all.iter().all(fits))
    };
    let targets = targets(policy);
    let gateway = proxy.labels.get("gateway.networking.k8s.io/gateway-name");
    let (Some(gateway), false) = (gateway, targets.is_empty()) else {
        return targets.is_empty() && selected();
    };
    targets.iter().any(|target| {
        let namespace = target.text("namespace");
        target.text("group") == "gateway.networking.k8s.io"
            && target.text("kind") == "Gateway"
            && target.text("name") == gateway
            && policy.namespace == proxy.namespace
            && (namespace.is_empty() || namespace == proxy.namespace)
    })
}

/// The annotation, as Go's `strconv.ParseBool` reads it.
fn is_dry_run(policy: &Object) -> bool {
    let said = policy.annotation("istio.io/dry-run").unwrap_or("");
    super::validate::go_bool(said) == Some(true)
}

/// The rules of one engine while policies are put into it.
struct Engine {
    action: Action,
    policies: Option<Message>,
    span: Span,
}

impl Engine {
    fn new(action: Action) -> Self {
        Self {
            action,
            policies: None,
            span: Span::default(),
        }
    }

    /// The rules of a policy, each under its own name.
    fn add(&mut self, world: &World, policy: &Object, prefix: &str, tcp: bool) {
        if self.policies.is_none() {
            self.span = policy.span;
        }
        let policies = self
            .policies
            .get_or_insert_with(|| Message::new(policy.span));
        let name = |at: usize| {
            let (namespace, name) = (&policy.namespace, &policy.name);
            format!("{prefix}ns[{namespace}]-policy[{name}]-rule[{at}]")
        };
        let rules = policy.spec.each("rules");
        for (at, rule) in rules.iter().enumerate() {
            let made = Rule::read(rule, policy, world).and_then(|r| r.generate(tcp, self.action));
            if let Some(made) = made {
                policies.set(&name(at), made);
            }
        }
        if rules.is_empty() {
            policies.set(&name(0), never(policy.span));
        }
    }

    /// Without policies.
    fn none(action: Action, span: Span) -> Node {
        let policies = Message::new(span);
        let rules = Message::new(span).str("action", action.name().unwrap_or("ALLOW"));
        rules.message("policies", policies).end()
    }

    fn end(self) -> Option<Node> {
        let policies = self.policies?;
        let rules = Message::new(self.span);
        let rules = match self.action.name() {
            Some(name) => rules.str("action", name),
            None => rules,
        };
        Some(rules.message("policies", policies).end())
    }
}

/// A policy that nothing matches.
fn never(span: Span) -> Node {
    let any = Message::new(span).bool("any", true);
    let not = |field: &str| Message::new(span).message(field, any.clone()).end();
    Message::new(span)
        .list("permissions", vec![not("notRule")])
        .list("principals", vec![not("notId")])
        .end()
}

/// An RBAC filter: rules that go and rules that are only tried.
fn rbac(rules: Option<Node>, dry: Option<Node>, prefix: &str, tcp: bool) -> Node {
    let of = rules.as_ref().or(dry.as_ref());
    let span = of.map_or(Span::default(), |n| n.span);
    let (name, kind) = match tcp {
        true => ("envoy.filters.network.rbac", TCP),
        false => ("envoy.filters.http.rbac", HTTP),
    };
    let mut config = Message::new(span).str("@type", kind);
    if tcp {
        config = config.str("statPrefix", "tcp.");
    }
    config = config.maybe("rules", rules);
    if let Some(dry) = dry {
        config = config.node("shadowRules", dry);
        if !prefix.is_empty() {
            config = config.str("shadowRulesStatPrefix", prefix);
        }
    }
    filter(name, config)
}
