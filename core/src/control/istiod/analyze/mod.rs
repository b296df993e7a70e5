//! What `istioctl analyze` says of a cluster's objects, with its codes and in its words, which stay English as the tool's.
//! Source: Istio 1.30, `pkg/config/analysis`.

mod cluster;
mod deployment;
mod gateway;
mod policy;
mod service_entry;
mod virtual_service;

use std::collections::BTreeMap;

use super::mesh::MeshConfig;
use super::message::Ask;
use super::object::Object;
use super::service::Service;
use super::world::{World, objects};
use super::{host, validate};
use crate::manifest::{Manifests, Other};
use crate::text::Span;

/// What is said of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub level: Level,
    /// Such as `IST0101`.
    pub code: &'static str,
    pub kind: &'static str,
    /// Empty where the object is in none.
    pub namespace: String,
    pub name: String,
    pub span: Span,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warning,
    Info,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "Error",
            Level::Warning => "Warning",
            Level::Info => "Info",
        }
    }
}

/// Namespaces that the tool doesn't read (`IgnoredNamespaces` of `pkg/kube/inject`).
const IGNORED: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// All messages, errors first, then by code and object.
pub fn analyze(manifests: &Manifests, mesh: MeshConfig) -> Vec<Message> {
    let (world, _) = World::new(manifests, mesh, &[]);
    let mut by_kind: BTreeMap<&str, Vec<Object>> = BTreeMap::new();
    for (object, gateway_api) in objects(manifests) {
        if !gateway_api {
            by_kind.entry(object.kind).or_default().push(object);
        }
    }
    let mut analysis = Analysis {
        manifests,
        world: &world,
        by_kind: &by_kind,
        out: Vec::new(),
    };
    analysis.validation();
    virtual_service::check(&mut analysis);
    gateway::check(&mut analysis);
    cluster::check(&mut analysis);
    deployment::check(&mut analysis);
    service_entry::check(&mut analysis);
    policy::check(&mut analysis);
    let mut out = analysis.out;
    out.retain(|m| {
        let of = if m.kind == "Namespace" {
            &m.name
        } else {
            &m.namespace
        };
        !IGNORED.contains(&of.as_str())
    });
    out.sort_by(|a, b| {
        let key = |m: &Message| (m.level, m.code, m.namespace.clone(), m.name.clone());
        key(a).cmp(&key(b)).then_with(|| a.text.cmp(&b.text))
    });
    out.dedup();
    out
}

struct Analysis<'a> {
    manifests: &'a Manifests,
    world: &'a World,
    by_kind: &'a BTreeMap<&'a str, Vec<Object>>,
    out: Vec<Message>,
}

impl<'a> Analysis<'a> {
    fn all(&self, kind: &str) -> &'a [Object] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Whether istiod has given the object's hosts addresses of its own, as its status says.
    fn is_allocated(&self, object: &Object) -> bool {
        if self.world.mesh.allocates_addresses {
            return true;
        }
        let mut others = self.manifests.others.iter();
        let same = |o: &&Other| &*o.kind == object.kind && o.node.span == object.span;
        let status = others.find(same).and_then(|o| o.node.field("status"));
        status.is_some_and(|s| !s.each("addresses").is_empty())
    }

    fn say(&mut self, level: Level, code: &'static str, object: &Object, span: Span, text: String) {
        self.out.push(Message {
            level,
            code,
            kind: object.kind,
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            span,
            text,
        });
    }

    /// `Referenced host not found: "x"`.
    fn not_found(&mut self, object: &Object, span: Span, what: &str, name: &str) {
        let text = format!("Referenced {what} not found: {name:?}");
        self.say(Level::Error, "IST0101", object, span, text);
    }

    fn validation(&mut self) {
        for verdict in validate::validate(self.manifests) {
            for finding in verdict.findings {
                let (level, code, text) = match (finding.refuses, finding.analysis) {
                    (true, _) => {
                        let text = format!("Schema validation error: {}", finding.reason);
                        (Level::Error, "IST0106", text)
                    }
                    (false, Some((level, code))) => (level, code, as_told(&finding.reason)),
                    (false, None) => {
                        let text = format!("Schema validation warning: {}", finding.reason);
                        (Level::Warning, "IST0133", text)
                    }
                };
                self.out.push(Message {
                    level,
                    code,
                    kind: verdict.kind,
                    namespace: verdict.namespace.clone(),
                    name: verdict.name.clone(),
                    span: finding.span,
                    text,
                });
            }
        }
    }

    /// The service that a host means to an object, wherever that is exported to (`GetDestinationHost`).
    fn service(&self, name: &str, object: &Object) -> Option<&'a Service> {
        let mesh = &self.world.mesh;
        let full = host::resolve(name, &object.namespace, &mesh.domain);
        let exported = object.spec.texts("exportTo");
        let places: Vec<&str> = match exported.as_slice() {
            [] => vec![&object.namespace],
            all => all
                .iter()
                .map(|e| if *e == "." { &object.namespace } else { *e })
                .collect(),
        };
        let seen = |s: &&Service| places.iter().any(|place| s.visible_in(place, mesh));
        let mut all = self.world.services.iter().filter(seen);
        all.clone().find(|s| s.hostname == full).or_else(|| {
            all.find(|s| host::is_wildcard(&s.hostname) && host::matches(&s.hostname, &full))
        })
    }

    /// Pods with all of these labels, as namespace and name.
    fn pods<'l>(
        &self,
        labels: impl IntoIterator<Item = (&'l str, &'l str)> + Clone,
        namespace: Option<&str>,
    ) -> Vec<&'a crate::manifest::Pod> {
        let has = |pod: &crate::manifest::Pod, key: &str, value: &str| {
            pod.meta.labels.get(key).is_some_and(|v| &*v.value == value)
        };
        let chosen = self.manifests.pods.iter().filter(|pod| {
            namespace.is_none_or(|n| n == &*pod.meta.namespace)
                && labels.clone().into_iter().all(|(k, v)| has(pod, k, v))
        });
        chosen.collect()
    }
}

/// The webhook's words in the analysis' spelling.
fn as_told(reason: &str) -> String {
    match reason.strip_prefix("virtualService") {
        Some(rest) => format!("VirtualService{rest}."),
        None => reason.to_string(),
    }
}

/// A map of labels as `key=value,key=value`.
fn selector(object: &crate::yaml::Node, key: &str) -> Vec<(String, String)> {
    let entries = object.sorted(key).into_iter();
    entries
        .map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
        .collect()
}

fn written(labels: &[(String, String)]) -> String {
    let all: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    all.join(",")
}

fn pairs(labels: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> + Clone {
    labels.iter().map(|(k, v)| (k.as_str(), v.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;

    const SHOP: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.0.0.1, selector: {app: web}, ports: [{name: http, port: 80}, {name: http-b, port: 81}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web, version: v1}}
spec: {containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: gw-1, namespace: shop, labels: {istio: gw}}
spec: {containers: [{name: istio-proxy, image: a}]}
---
apiVersion: v1
kind: Service
metadata: {name: gw, namespace: shop}
spec: {clusterIP: 10.0.0.2, selector: {istio: gw}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
";

    /// What is said of an object beside a shop that is well: codes and texts.
    fn check(kind: &str, name: &str, spec: &str, wanted: &[&str]) {
        said(
            &format!(
                "networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
            ),
            wanted,
        );
    }

    fn check_kind(version: &str, kind: &str, spec: &str, wanted: &[&str]) {
        said(
            &format!(
                "{version}\nkind: {kind}\nmetadata: {{name: d, namespace: shop}}\nspec: {spec}\n"
            ),
            wanted,
        );
    }

    fn said(object: &str, wanted: &[&str]) {
        let text = format!("{SHOP}apiVersion: {object}");
        let mut objects = Manifests::default();
        crate::manifest::read(&text, FileId(0), &mut objects);
        let said = analyze(&objects, MeshConfig::default());
        let said: Vec<String> = said
            .iter()
            .map(|m| format!("{} {}", m.code, m.text))
            .collect();
        assert_eq!(said.len(), wanted.len(), "{said:?}");
        for (text, wanted) in said.iter().zip(wanted) {
            assert!(text.contains(wanted), "{text} has not {wanted}");
        }
    }

    #[test]
    fn a_shop_that_is_well() {
        let gateway = "{selector: {istio: gw}, servers: [{hosts: [a.b], port: {number: 80, name: h, protocol: HTTP}}]}";
        check("Gateway", "g", gateway, &[]);
    }

    #[test]
    fn what_a_virtual_service_names_is_there() {
        let service = |destination: &str, more: &str| {
            format!("{{hosts: [a.b], http: [{{route: [{{destination: {destination}}}]}}]{more}}}")
        };
        let missing = &["IST0101 Referenced host not found: \"nope\""];
        check("VirtualService", "v", &service("{host: nope}", ""), missing);
        let port = "{host: web, port: {number: 99}}";
        check(
            "VirtualService",
            "v",
            &service(port, ""),
            &["host:port not found: \"web:99\""],
        );
        let several = &[
            "IST0112 This VirtualService routes to a service \"web\" that exposes multiple ports [80 81]",
        ];
        check("VirtualService", "v", &service("{host: web}", ""), several);
        let subset = "{host: web, subset: v9, port: {number: 80}}";
        check("VirtualService", "v", &service(subset, ""), &["\"web+v9\""]);
        let fine = "{host: web, port: {number: 80}}";
        let both = &[
            "Referenced gateway not found: \"g\"",
            "IST0132 one or more host [a.b]",
        ];
        check(
            "VirtualService",
            "v",
            &service(fine, ", gateways: [g]"),
            both,
        );
        check("VirtualService", "v", &service(fine, ""), &[]);
    }

    #[test]
    fn rules_that_nobody_reaches_have_codes_of_their_own() {
        let to = "route: [{destination: {host: web, port: {number: 80}}}]";
        let twice = format!("{{hosts: [a.b], http: [{{{to}}}, {{{to}}}]}}");
        let wanted =
            &["IST0130 VirtualService rule #1 not used (only the last rule can have no matches)."];
        check("VirtualService", "v", &twice, wanted);
    }

    #[test]
    fn deployments_stand_behind_services_that_agree() {
        let template = "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a}]}}";
        let with = |ports: &str| {
            format!(
                "{{{template}}}\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: more, namespace: shop}}\nspec: {{selector: {{app: web}}, ports: [{ports}]}}"
            )
        };
        let same = "{name: http, port: 80}";
        check_kind("apps/v1", "Deployment", &with(same), &[]);
        let other = "{name: http, port: 90, targetPort: 80}";
        let wanted = &[
            "IST0137 This deployment d is associated with multiple services [shop/more shop/web] using targetPort \"80\" but different ports: [80 90].",
        ];
        check_kind("apps/v1", "Deployment", &with(other), wanted);
        let udp = "{name: udp-x, port: 80, protocol: UDP}";
        let wanted = &[
            "IST0116 This deployment d is associated with multiple services using port 80 but different protocols: [shop/more shop/web]",
        ];
        check_kind("apps/v1", "Deployment", &with(udp), wanted);
    }

    #[test]
    fn service_entries_of_tcp_have_addresses_and_agree() {
        let entry = |more: &str| {
            format!(
                "{{hosts: [a.b], location: MESH_EXTERNAL, resolution: NONE, ports: [{{number: 90, name: p, protocol: TCP}}]{more}}}"
            )
        };
        let wanted = &["IST0134 ServiceEntry addresses are required for this protocol."];
        check("ServiceEntry", "e", &entry(""), wanted);
        check("ServiceEntry", "e", &entry(", addresses: [10.1.2.3]"), &[]);
        let other = "\n---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: f, namespace: shop}\nspec: {hosts: [a.b], location: MESH_EXTERNAL, resolution: NONE, ports: [{number: 90, name: p, protocol: HTTP}]}";
        let both = format!("{}{other}", entry(", addresses: [10.1.2.3]"));
        let text = "IST0177 Multiple ServiceEntries (shop/e, shop/f) define the same host \"a.b\" and port 90 with conflicting protocols (HTTP, TCP).";
        check("ServiceEntry", "e", &both, &[text, text]);
    }

    #[test]
    fn gateways_select_pods_and_open_ports() {
        let gateway = |label: &str, port: u16| {
            format!(
                "{{selector: {{istio: {label}}}, servers: [{{hosts: [a.b], port: {{number: {port}, name: h, protocol: HTTP}}}}]}}"
            )
        };
        check(
            "Gateway",
            "g",
            &gateway("none", 80),
            &["Referenced selector not found: \"istio=none\""],
        );
        check(
            "Gateway",
            "g",
            &gateway("gw", 99),
            &["IST0162 The gateway is listening on a target port (port 99)"],
        );
    }

    #[test]
    fn sidecars_choose_pods_and_gateways_are_written_ones() {
        let chosen = "{workloadSelector: {labels: {app: none}}, egress: [{hosts: [./*]}]}";
        let missing = &["Referenced selector not found: \"app=none\""];
        check("Sidecar", "s", chosen, missing);
        let internal = "{hosts: [a.b], gateways: [shop/g~istio-autogenerated-k8s-gateway~a], http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}";
        check("VirtualService", "v", internal, &["IST0106", "IST0165"]);
        let hidden = "{hosts: [a.b], exportTo: [other], http: [{fault: {delay: {percent: 5, fixedDelay: 1s}}, route: [{destination: {host: web, port: {number: 80}}}]}]}";
        check("VirtualService", "v", hidden, &["IST0002"]);
    }

    #[test]
    fn destination_rules_name_hosts_and_pods() {
        let place =
            "{host: web, subsets: [{name: a, labels: {topology.istio.io/cluster: Kubernetes}}]}";
        check("DestinationRule", "d", place, &[]);
        check(
            "DestinationRule",
            "d",
            "{host: nope}",
            &["IST0174 The host nope"],
        );
        let subset = "{host: web, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}";
        check("DestinationRule", "d", subset, &["IST0173 The Subset v2"]);
        let tls = "{host: web, trafficPolicy: {tls: {mode: SIMPLE}}}";
        check(
            "DestinationRule",
            "d",
            tls,
            &["IST0128 DestinationRule shop/d in namespace shop"],
        );
    }

    #[test]
    fn policies_choose_pods_and_name_namespaces() {
        let policy = |spec: &str, wanted: &[&str]| {
            check_kind("security.istio.io/v1", "AuthorizationPolicy", spec, wanted);
        };
        policy("{selector: {matchLabels: {app: web}}, rules: [{}]}", &[]);
        let nobody = &[
            "IST0127 No matching workloads for this resource with the following labels: app=none",
        ];
        policy(
            "{selector: {matchLabels: {app: none}}, rules: [{}]}",
            nobody,
        );
        let from =
            |names: &str| format!("{{rules: [{{from: [{{source: {{namespaces: [{names}]}}}}]}}]}}");
        policy(&from("'sh*', '*op', '*', shop"), &[]);
        let missing = &["IST0101 Referenced namespace not found: \"web\""];
        policy(&from("web"), missing);
    }

    #[test]
    fn routes_by_claims_want_gateways_that_look_at_tokens() {
        let gateway = "{selector: {istio: gw}, servers: [{hosts: [a.b], port: {number: 80, name: h, protocol: HTTP}}]}";
        let route = "{hosts: [a.b], gateways: [g], http: [{match: [{headers: {'@request.auth.claims.group': {exact: x}}}], route: [{destination: {host: web, port: {number: 80}}}]}]}";
        let with = |more: &str| {
            format!(
                "{gateway}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v, namespace: shop}}\nspec: {route}\n{more}"
            )
        };
        let wanted = &[
            "IST0149 The virtual service uses the JWT claim based routing (key: @request.auth.claims.group) but found no request authentication for the gateway (shop/g) pod (gw-1).",
        ];
        check("Gateway", "g", &with(""), wanted);
        let tokens = "---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: r, namespace: shop}\nspec: {selector: {matchLabels: {istio: gw}}, jwtRules: [{issuer: me}]}";
        check("Gateway", "g", &with(tokens), &[]);
    }
}
