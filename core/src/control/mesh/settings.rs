use std::collections::{BTreeMap, BTreeSet};

use crate::control::istiod::{self, MeshConfig};
use crate::manifest::{Manifests, Other};
use crate::say;
use crate::text::{Diagnostic, FileId, Span};
use crate::yaml::{self, Node, Value};

/// The mesh's settings.
pub struct Settings {
    pub mesh: MeshConfig,
    /// As they are written, where they are.
    pub node: Option<Node>,
}

impl Settings {
    /// Of the ConfigMap `istio`, whose `data.mesh` holds a MeshConfig as a text; the defaults without one
    /// (`pkg/config/mesh/kubemesh`).
    pub fn read(objects: &Manifests, said: &mut Vec<Diagnostic>) -> Self {
        let map = objects.others.iter().find(|o| holds_settings(o));
        let text = map.and_then(|m| m.node.at(&["data", "mesh"]));
        let Some((text, span)) = text.and_then(|n| Some((n.str()?, n.span))) else {
            return Self {
                mesh: MeshConfig::default(),
                node: None,
            };
        };
        let (documents, problems) = yaml::read(text, FileId(0));
        for mut problem in problems {
            (problem.span, problem.labels) = (span, Vec::new());
            said.push(problem);
        }
        let mut node = documents.into_iter().next();
        if let Some(node) = &mut node {
            place(node, span);
            let config = node.at(&["defaultConfig"]);
            said.extend(config.and_then(|config| proxy_protocol(config, span)));
        }
        Self {
            mesh: node.as_ref().map(MeshConfig::read).unwrap_or_default(),
            node,
        }
    }
}

fn holds_settings(other: &Other) -> bool {
    &*other.kind == "ConfigMap" && &*other.name == "istio"
}

/// Whether an object has a part in what proxies are told.
pub fn reads(other: &Other) -> bool {
    let modelled = istiod::reads(other) && !NOT_MODELLED.contains(&&*other.kind);
    modelled || holds_settings(other)
}

/// A text within a text has the place of the whole.
fn place(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::Map(entries) => {
            for entry in entries {
                entry.key_span = span;
                place(&mut entry.value, span);
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(|n| place(n, span)),
        _ => {}
    }
}

/// Kinds of Istio and of the Gateway API that change what proxies do and are not modelled.
const NOT_MODELLED: [&str; 7] = [
    "BackendTLSPolicy",
    "EnvoyFilter",
    "ProxyConfig",
    "Telemetry",
    "WasmPlugin",
    "WorkloadGroup",
    "XBackendTrafficPolicy",
];

pub(super) fn not_modelled(objects: &Manifests) -> Vec<Diagnostic> {
    let of_istio = |o: &&Other| {
        let (group, _) = o.api_version.split_once('/').unwrap_or(("", ""));
        let known = group.ends_with(".istio.io") || group.starts_with("gateway.networking.");
        let resolved = o.node.at(&["spec", "resolution"]).and_then(Node::str);
        let dynamic = &*o.kind == "ServiceEntry" && resolved == Some("DYNAMIC_DNS");
        known && (dynamic || NOT_MODELLED.contains(&&*o.kind))
    };
    let others = objects.others.iter().filter(of_istio);
    let others = others.map(|o| {
        let say = say!(
            "istio/not-modelled",
            what = format!("{} {}", o.kind, o.name)
        );
        Diagnostic::warning(o.node.span, say)
    });
    let pods = objects.pods.iter().filter_map(|pod| {
        let text = pod.meta.annotations.get("proxy.istio.io/config")?;
        let (documents, _) = yaml::read(&text.value, FileId(0));
        proxy_protocol(documents.first()?, text.span)
    });
    let mut said: Vec<Diagnostic> = others.chain(pods).collect();
    said.extend(unshared(objects));
    said
}

/// ServiceEntries of a host that another of the namespace has as well, with ports or addresses that the other has not:
/// endpoints are shared, these are not.
fn unshared(objects: &Manifests) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(&str, &str), &Other> = BTreeMap::new();
    let mut said = Vec::new();
    let entries = objects.others.iter();
    for entry in entries.filter(|o| &*o.kind == "ServiceEntry" && istiod::reads(o)) {
        let hosts = entry.node.at(&["spec", "hosts"]);
        for host in hosts
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(Node::str)
        {
            let known = *first.entry((&entry.namespace, host)).or_insert(entry);
            if places(known) != places(entry) {
                let what = format!("ServiceEntry {} ({host})", entry.name);
                let say = say!("istio/not-modelled", what = what);
                said.push(Diagnostic::warning(entry.node.span, say));
            }
        }
    }
    said
}

/// Where a ServiceEntry's hosts are: the numbers of its ports, and its addresses.
fn places(entry: &Other) -> (BTreeSet<i64>, BTreeSet<&str>) {
    let items = |key| entry.node.at(&["spec", key]).map_or(&[][..], Node::items);
    let ports = items("ports").iter();
    let numbers = ports.filter_map(|p| p.field("number")?.int());
    let addresses = items("addresses").iter();
    (numbers.collect(), addresses.filter_map(Node::str).collect())
}

/// Where a ProxyConfig has gateways take the client's address from a PROXY header.
fn proxy_protocol(config: &Node, span: Span) -> Option<Diagnostic> {
    config.at(&["gatewayTopology", "proxyProtocol"])?;
    let what = "gatewayTopology.proxyProtocol";
    Some(Diagnostic::warning(
        span,
        say!("istio/not-modelled", what = what),
    ))
}
