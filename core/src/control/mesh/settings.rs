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
    others.chain(pods).collect()
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
