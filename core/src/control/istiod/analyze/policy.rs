//! Policies: whether they name what is there, and whether what hangs on them has one.
//! Source: `analyzers/authz/authorizationpolicies.go`, `analyzers/virtualservice/jwtclaimroute.go`.

use super::deployment::in_mesh;
use super::{Analysis, Level, pairs, selector, written};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::control::istiod::route::claim;
use crate::manifest::Pod;

/// Where policies of a mesh are, whatever its root namespace.
const SYSTEM: &str = "istio-system";

pub(super) fn check(analysis: &mut Analysis<'_>) {
    for policy in analysis.all("AuthorizationPolicy") {
        workloads(analysis, policy);
        namespaces(analysis, policy);
    }
    for object in analysis.all("VirtualService") {
        claims(analysis, object);
    }
}

fn workloads(analysis: &mut Analysis<'_>, policy: &Object) {
    let everywhere = policy.namespace == analysis.world.mesh.root_namespace;
    let chosen = policy.spec.get("selector");
    if everywhere && chosen.is_none() {
        return;
    }
    let labels = chosen.map(|s| selector(s, "matchLabels"));
    let labels = labels.unwrap_or_default();
    let namespace = Some(policy.namespace.as_str()).filter(|_| !everywhere);
    let pods = analysis.pods(pairs(&labels), namespace);
    let meshed = |pod: &&Pod| {
        in_mesh(
            analysis,
            &pod.spec.containers,
            &pod.meta,
            &pod.meta.namespace,
        )
    };
    if !pods.iter().any(meshed) {
        let text = format!(
            "No matching workloads for this resource with the following labels: {}",
            written(&labels)
        );
        let span = chosen.map_or(policy.span, |s| s.span);
        analysis.say(Level::Warning, "IST0127", policy, span, text);
    }
}

fn namespaces(analysis: &mut Analysis<'_>, policy: &Object) {
    for rule in policy.spec.each("rules") {
        for source in rule.each("from").iter().filter_map(|f| f.get("source")) {
            let named = source.each("namespaces").iter();
            for node in named.chain(source.each("notNamespaces")) {
                let wanted = node.str().unwrap_or("");
                let mut all = analysis.manifests.namespaces.iter();
                if !all.any(|n| is_meant(&n.meta.name, wanted)) {
                    analysis.not_found(policy, node.span, "namespace", wanted);
                }
            }
        }
    }
}

fn is_meant(name: &str, wanted: &str) -> bool {
    match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(start)) => name.starts_with(start),
        _ => name.eq_ignore_ascii_case(wanted),
    }
}

/// Routes that ask for claims, at gateways whose pods look at no token.
fn claims(analysis: &mut Analysis<'_>, object: &Object) {
    let matches = object
        .spec
        .each("http")
        .iter()
        .flat_map(|r| r.each("match"));
    let asked = matches.flat_map(|m| ["headers", "withoutHeaders"].map(|k| m.sorted(k)).concat());
    let mut asked = asked.filter(|e| claim(&e.key).is_some());
    let Some(key) = asked.next() else { return };
    let authenticated = |pod: &Pod| {
        let policies = analysis.all("RequestAuthentication").iter();
        let near = |p: &&Object| p.namespace == SYSTEM || p.namespace == *pod.meta.namespace;
        policies.filter(near).any(|policy| {
            let labels = policy
                .spec
                .get("selector")
                .map(|s| selector(s, "matchLabels"));
            let has =
                |(k, v): &(String, String)| pod.meta.labels.get(k).is_some_and(|l| *l.value == **v);
            labels.is_none_or(|all| all.iter().all(has))
        })
    };
    let mut missing = Vec::new();
    for name in object
        .spec
        .texts("gateways")
        .into_iter()
        .filter(|n| *n != "mesh")
    {
        let (namespace, short) = name.split_once('/').unwrap_or((&object.namespace, name));
        let mut all = analysis.all("Gateway").iter();
        let Some(gateway) = all.find(|g| g.namespace == namespace && g.name == short) else {
            continue;
        };
        let labels = selector(&gateway.spec, "selector");
        let pods = analysis.pods(pairs(&labels), None);
        let pods = pods.into_iter().filter(|pod| !authenticated(pod));
        missing.extend(pods.map(|pod| (format!("{namespace}/{short}"), pod.meta.name.to_string())));
    }
    for (gateway, pod) in missing {
        let text = format!(
            "The virtual service uses the JWT claim based routing (key: {}) but found no request authentication for the gateway ({gateway}) pod ({pod}). The request authentication must first be applied for the gateway pods to validate the JWT token and make the claims available for routing.",
            key.key
        );
        analysis.say(Level::Error, "IST0149", object, key.key_span, text);
    }
}
