//! Gateway API objects as Gateways and VirtualServices. Source: `pilot/pkg/config/kube/gateway/`.

mod attach;
mod deployment;
mod listener;
mod routes;
mod rule;

use std::collections::BTreeMap;

use super::mesh::MeshConfig;
use super::message::Ask;
use super::object::{Object, Semantics};
use super::service::Service;
use crate::manifest::Manifests;
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;

pub(super) use deployment::deploy;

const GROUP: &str = "gateway.networking.k8s.io";

/// What references between the objects lead to.
pub(super) struct Known<'a> {
    /// Gateway API's own.
    pub(super) objects: &'a [Object],
    /// ServiceEntries.
    pub(super) entries: &'a [Object],
    pub(super) services: &'a [Service],
    pub(super) manifests: &'a Manifests,
    pub(super) mesh: &'a MeshConfig,
}

/// The Gateways and the VirtualServices that the objects stand for.
pub(super) fn convert(known: &Known, log: &mut Vec<Diagnostic>) -> (Vec<Object>, Vec<Object>) {
    let (gateways, parents) = listener::convert(known, log);
    let virtual_services = routes::convert(known, &parents, log);
    (gateways, virtual_services)
}

/// A listener, or the mesh: what a route can be attached to.
struct Parent {
    /// `namespace/name` of the Gateway made of it, or `mesh`.
    name: String,
    /// The object it is part of: kind, namespace, name.
    of: (String, String, String),
    section: String,
    port: i64,
    protocol: String,
    /// `namespace/host`, or a host that all namespaces may have.
    hosts: Vec<String>,
    /// As it was written.
    hostname: String,
    /// The kinds of routes that it takes.
    kinds: Vec<&'static str>,
}

impl<'a> Known<'a> {
    fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.objects.iter().filter(move |o| o.kind == kind)
    }

    /// Whether a ReferenceGrant of `to` lets objects of a kind of `from` refer to that.
    fn granted(&self, kind: &str, from: &str, to_kind: &str, to: &str, name: &str) -> bool {
        self.of("ReferenceGrant").any(|grant| {
            let source = |f: &&Node| {
                f.text("group") == GROUP && f.text("kind") == kind && f.text("namespace") == from
            };
            let target = |t: &&Node| {
                let named = t.text("name");
                let core = t.text("group").is_empty();
                core && t.text("kind") == to_kind && (named.is_empty() || named == name)
            };
            grant.namespace == to
                && grant.spec.each("from").iter().any(|f| source(&f))
                && grant.spec.each("to").iter().any(|t| target(&t))
        })
    }

    fn has_host(&self, hostname: &str) -> bool {
        self.services.iter().any(|s| s.hostname == hostname)
    }

    fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        let known = &self.manifests.namespaces;
        let found = known.iter().find(|n| n.meta.name.as_ref() == namespace)?;
        let labels = found.meta.labels.iter();
        let mut labels: BTreeMap<String, String> = labels
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        labels.insert("kubernetes.io/metadata.name".into(), namespace.into());
        Some(labels)
    }
}

/// An object that stands for another, of the same age.
fn derived(object: &Object, kind: &'static str, name: String, spec: Node) -> Object {
    Object {
        kind,
        name,
        namespace: object.namespace.clone(),
        annotations: Vec::new(),
        labels: Vec::new(),
        conditions: Vec::new(),
        age: object.age.clone(),
        spec,
        span: object.span,
        semantics: Semantics::GatewayApi,
    }
}

/// A label selector; without one nothing is chosen.
fn selects(selector: &Node, labels: &BTreeMap<String, String>) -> bool {
    let label = |key: &str| labels.get(key).map(String::as_str);
    let equal = selector.sorted("matchLabels");
    equal.iter().all(|e| label(&e.key) == e.value.str())
        && selector.each("matchExpressions").iter().all(|e| {
            let (value, values) = (label(e.text("key")), e.texts("values"));
            match e.text("operator") {
                "In" => value.is_some_and(|v| values.contains(&v)),
                "NotIn" => value.is_none_or(|v| !values.contains(&v)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

/// A text, or what stands for it where it is absent.
fn or<'n>(node: &'n Node, key: &str, otherwise: &'n str) -> &'n str {
    node.get(key).and_then(Node::str).unwrap_or(otherwise)
}

fn at(node: &Node, key: &str) -> Span {
    node.get(key).map_or(node.span, |n| n.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::istiod::world;
    use crate::manifest;
    use crate::text::FileId;

    fn converted(text: &str) -> (Vec<Object>, Vec<Object>, Vec<Diagnostic>) {
        let mut manifests = Manifests::default();
        manifest::read(text, FileId(0), &mut manifests);
        let objects: Vec<Object> = world::objects(&manifests)
            .into_iter()
            .map(|(object, _)| object)
            .collect();
        let known = Known {
            objects: &objects,
            entries: &[],
            services: &[],
            manifests: &manifests,
            mesh: &MeshConfig::default(),
        };
        let mut log = Vec::new();
        let (gateways, virtual_services) = convert(&known, &mut log);
        (gateways, virtual_services, log)
    }

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g}
spec:
  gatewayClassName: istio
  listeners: [{name: a, port: 80, protocol: HTTP}]
";

    #[test]
    fn routes_of_both_kinds_share_a_host() {
        let routes = "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: g}]
  hostnames: [shop.example]
  rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: web, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: rpc}
spec:
  parentRefs: [{name: g}]
  hostnames: [shop.example]
  rules: [{matches: [{method: {service: cart.Cart}}], backendRefs: [{name: rpc, port: 9090}]}]
";
        let (_, made, _) = converted(&format!("{GATEWAY}{routes}"));
        let [one] = made.as_slice() else {
            panic!("{made:?}")
        };
        let rules = one.spec.each("http");
        let names: Vec<&str> = rules.iter().map(|r| r.text("name")).collect();
        assert_eq!(names, ["default.rpc.0", "default.web.0"]);
        assert_eq!(
            one.name,
            "default~g~istio-autogenerated-k8s-gateway~a~shop.example"
        );
    }

    #[test]
    fn a_gateway_binds_to_host_names_only() {
        let text = GATEWAY.replace(
            "  listeners",
            "  addresses: [{type: example.com/other, value: x}]\n  listeners",
        );
        let (gateways, _, log) = converted(&text);
        assert!(gateways.is_empty() && log.len() == 1, "{log:?}");
    }

    #[test]
    fn a_listener_between_networks_passes_tls_on_by_itself() {
        let text = GATEWAY
            .replace(
                "{name: g}",
                "{name: g, labels: {topology.istio.io/network: n}}",
            )
            .replace(
                "port: 80, protocol: HTTP",
                "port: 15443, protocol: TLS, tls: {mode: Passthrough}",
            );
        let mode = |text: &str| {
            let (gateways, _, _) = converted(text);
            let server = gateways[0].spec.each("servers")[0].clone();
            server.get("tls").map(|t| t.text("mode").to_string())
        };
        assert_eq!(mode(&text).as_deref(), Some("AUTO_PASSTHROUGH"));
        assert_eq!(
            mode(&text.replace("15443", "443")).as_deref(),
            Some("PASSTHROUGH")
        );
    }
}
