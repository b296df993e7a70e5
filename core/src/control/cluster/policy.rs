//! NetworkPolicies: whom they are about, and in which direction. What they allow is not modelled.

use crate::manifest::{Labels, Manifests, Other, Plugin, Pod};
use crate::netfilter::walk::CannotTell;
use crate::text::Diagnostic;
use crate::topology::Guard;
use crate::yaml::Node;

use super::facts::{self, Facts};

/// A Pod that policies are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    pub namespace: Box<str>,
    pub pod: Box<str>,
    pub guard: Guard,
}

fn policies(objects: &Manifests) -> impl Iterator<Item = &Other> {
    // Where dumps tell the machines, so do they what enforces the policies. Calico's staged ones are enforced by nobody.
    let of_cluster = !objects.nodes.is_empty();
    let is = |o: &&Other| o.kind.ends_with("NetworkPolicy") && !o.kind.starts_with("Staged");
    objects.others.iter().filter(move |o| of_cluster && is(o))
}

/// Policies are for the network's plugin to enforce, and not every one does.
pub fn say(objects: &Manifests, facts: &Facts) -> impl Iterator<Item = Diagnostic> {
    let plugin = facts.env.plugin.value;
    policies(objects).map(move |policy| {
        let name = policy.node.at(&["metadata", "name"]);
        let span = name.map_or(policy.node.span, |n| n.span);
        let name = &policy.name;
        let say = match plugin {
            Plugin::Bridge => crate::say!("control/policy-unenforced", policy = name),
            Plugin::Routed => crate::say!("control/policy-not-modelled", policy = name),
        };
        Diagnostic::warning(span, say)
    })
}

/// The Pods that Calico guards: those that a policy is about, but where one allows everything.
pub fn guarded(objects: &Manifests, facts: &Facts) -> Vec<Guarded> {
    if facts.env.plugin.value == Plugin::Bridge || policies(objects).next().is_none() {
        return Vec::new();
    }
    let pods = objects.pods.iter().filter(|p| facts::has_network(p));
    pods.filter_map(|pod| {
        let [ingress, egress] =
            ["Ingress", "Egress"].map(|direction| decides(objects, pod, direction));
        let any = ingress.is_some() || egress.is_some();
        any.then(|| Guarded {
            namespace: pod.meta.namespace.clone(),
            pod: pod.meta.name.clone(),
            guard: Guard { ingress, egress },
        })
    })
    .collect()
}

/// The policy that has something to say of a Pod's packets in this direction (Kubernetes `pkg/apis/networking/types.go`).
fn decides(objects: &Manifests, pod: &Pod, direction: &str) -> Option<CannotTell> {
    let of_pod = policies(objects).filter(|policy| is_about(policy, pod, direction));
    let of_pod: Vec<_> = of_pod.collect();
    // Kubernetes' own add up, so one that allows everything is enough. Others may refuse before these are asked.
    let open = of_pod.iter().any(|policy| allows_all(policy, direction));
    let policy = (of_pod.iter()).find(|policy| !(open && of_kubernetes(policy)))?;
    Some(CannotTell {
        text: format!("{} {}", policy.kind, policy.name).into(),
        span: policy.node.span,
    })
}

fn of_kubernetes(policy: &Other) -> bool {
    &*policy.kind == "NetworkPolicy" && policy.api_version.starts_with("networking.k8s.io/")
}

/// Of Calico's own and others, whose selectors are expressions, any Pod where they stand.
fn is_about(policy: &Other, pod: &Pod, direction: &str) -> bool {
    let namespace = match &*policy.namespace {
        "" if of_kubernetes(policy) => "default",
        namespace => namespace,
    };
    if !namespace.is_empty() && *namespace != *pod.meta.namespace {
        return false;
    }
    if !of_kubernetes(policy) {
        return true;
    }
    let spec = policy.node.field("spec");
    let field = |key| spec.and_then(|s| s.field(key));
    let types = field("policyTypes").map_or(&[][..], Node::items);
    let is_of_type = match types {
        // What the API server fills in (`SetDefaults_NetworkPolicy`).
        [] => direction == "Ingress" || field("egress").is_some_and(|e| !e.items().is_empty()),
        types => types.iter().any(|t| t.str() == Some(direction)),
    };
    is_of_type && field("podSelector").is_none_or(|selector| selects(selector, &pod.meta.labels))
}

/// A label selector (apimachinery `pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`).
fn selects(selector: &Node, labels: &Labels) -> bool {
    let value = |key: &str| labels.get(key).map(|v| &*v.value);
    let exact = selector.field("matchLabels").map_or(&[][..], Node::entries);
    let exact = exact.iter().all(|e| value(&e.key) == e.value.str());
    let expressions = selector.field("matchExpressions");
    exact
        && expressions.map_or(&[][..], Node::items).iter().all(|e| {
            let text = |key| e.field(key).and_then(Node::str);
            let found = text("key").and_then(value);
            let values = e.field("values").map_or(&[][..], Node::items);
            let listed = found.is_some_and(|found| values.iter().any(|v| v.str() == Some(found)));
            match text("operator") {
                Some("In") => listed,
                Some("NotIn") => !listed,
                Some("Exists") => found.is_some(),
                Some("DoesNotExist") => found.is_none(),
                _ => true,
            }
        })
}

/// A rule without peers and ports is for all of them.
fn allows_all(policy: &Other, direction: &str) -> bool {
    let (rules, peers) = match direction {
        "Ingress" => ("ingress", "from"),
        _ => ("egress", "to"),
    };
    let rules = policy.node.at(&["spec", rules]);
    let empty = |rule: &Node, key| rule.field(key).is_none_or(|list| list.items().is_empty());
    let any = |rule: &Node| empty(rule, peers) && empty(rule, "ports");
    of_kubernetes(policy) && rules.map_or(&[][..], Node::items).iter().any(any)
}
