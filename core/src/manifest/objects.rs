use std::collections::BTreeMap;

use super::{
    EndpointSlice, Endpoints, Environment, KubeProxyConfiguration, Meta, Node, Pod, Service,
    Workload, WorkloadKind,
};
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Span, at_once};
use crate::yaml::{self, Cursor, Log};

/// All objects of some texts, each kind in the order read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    pub services: Vec<Service>,
    pub endpoint_slices: Vec<EndpointSlice>,
    pub endpoints: Vec<Endpoints>,
    pub nodes: Vec<Node>,
    pub pods: Vec<Pod>,
    pub workloads: Vec<Workload>,
    pub namespaces: Vec<Namespace>,
    pub kube_proxy: Vec<KubeProxyConfiguration>,
    pub environments: Vec<Environment>,
    /// Objects of kinds that other readers know, or nobody.
    pub others: Vec<Other>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    pub meta: Meta,
}

/// An object as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    pub api_version: Box<str>,
    pub kind: Box<str>,
    /// Empty where it has none.
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub node: yaml::Node,
}

/// Reads a text's objects and adds them. An object with errors is added as far as it could be read, with defaults in
/// the place of what could not.
pub fn read(text: &str, file: FileId, to: &mut Manifests) -> Vec<Diagnostic> {
    at_once(read_along(text, file, to, None, &Pace::AT_ONCE))
}

/// The same, pausing on the way, and faster where most documents were read before.
pub async fn read_along(
    text: &str,
    file: FileId,
    to: &mut Manifests,
    memory: Option<&mut yaml::Memory>,
    pace: &Pace,
) -> Vec<Diagnostic> {
    let (documents, mut diagnostics) = yaml::read_along(text, file, memory, pace).await;
    let log = Log::default();
    // The next one last.
    let mut left: Vec<_> = documents.into_iter().rev().map(|node| (node, 0)).collect();
    while let Some((node, lists)) = left.pop() {
        let length = node.span.range().len();
        match object(node, to, &log, lists) {
            Some(items) => left.extend(items.into_iter().rev().map(|item| (item, lists + 1))),
            None => pace.went(length / 4).await,
        }
    }
    diagnostics.extend(log.into_inner());
    duplicates(to, &mut diagnostics);
    diagnostics
}

/// A List may hold Lists, as `kubectl get` prints for several files; deeper is nobody's doing.
const MAX_LISTS: usize = 3;

/// Adds an object, or gives the items of a list.
fn object(
    node: yaml::Node,
    to: &mut Manifests,
    log: &Log,
    lists: usize,
) -> Option<Vec<yaml::Node>> {
    let cursor = Cursor::new(&node, log);
    let mut fields = cursor.fields()?;
    let version = fields.required("apiVersion").and_then(|c| c.str());
    let kind = fields.required("kind").and_then(|c| c.str());
    let (version, kind) = (version?, kind?);
    let workload = match kind {
        "Deployment" => Some(WorkloadKind::Deployment),
        "ReplicaSet" => Some(WorkloadKind::ReplicaSet),
        "StatefulSet" => Some(WorkloadKind::StatefulSet),
        "DaemonSet" => Some(WorkloadKind::DaemonSet),
        _ => None,
    };
    let core_list = version == "v1" || version.contains("k8s.io/") || version == "apps/v1";
    match (version, kind) {
        ("v1", "Service") => to.services.push(Service::read(fields)),
        ("discovery.k8s.io/v1" | "discovery.k8s.io/v1beta1", "EndpointSlice") => {
            to.endpoint_slices.push(EndpointSlice::read(fields));
        }
        ("v1", "Endpoints") => to.endpoints.push(Endpoints::read(fields)),
        ("v1", "Node") => to.nodes.push(Node::read(fields)),
        ("v1", "Pod") => to.pods.push(Pod::read(fields)),
        ("v1", "Namespace") => to.namespaces.push(Namespace {
            meta: Meta::read(&mut fields, false),
        }),
        ("kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration") => {
            to.kube_proxy.push(KubeProxyConfiguration::read(fields));
        }
        ("northsouth/v1", "Environment") => to.environments.push(Environment::read(fields)),
        ("apps/v1", _) if workload.is_some() => {
            to.workloads
                .extend(workload.map(|kind| Workload::read(fields, kind)));
        }
        (_, list) if list.ends_with("List") && core_list && lists < MAX_LISTS => {
            return Some(items_of(node));
        }
        _ => {
            let meta = node.field("metadata");
            let text = |key| meta.and_then(|m| m.field(key)?.str()).unwrap_or_default();
            to.others.push(Other {
                api_version: version.into(),
                kind: kind.into(),
                namespace: text("namespace").into(),
                name: text("name").into(),
                node,
            });
        }
    }
    None
}

/// Items of a typed list (`ServiceList`) may lack apiVersion and kind, which are the list's.
fn items_of(node: yaml::Node) -> Vec<yaml::Node> {
    let yaml::Value::Map(entries) = node.value else {
        return Vec::new();
    };
    let mut kind = String::new();
    let mut inherited = Vec::new();
    let mut items = Vec::new();
    for entry in entries {
        match (&*entry.key, &entry.value.value) {
            ("kind", yaml::Value::Str(text)) => {
                kind = text.strip_suffix("List").unwrap_or_default().to_string();
                let value = yaml::Value::Str(kind.as_str().into());
                inherited.push(yaml::Entry {
                    value: yaml::Node {
                        value,
                        span: entry.value.span,
                    },
                    ..entry
                });
            }
            ("apiVersion", _) => inherited.push(entry),
            ("items", yaml::Value::Seq(_)) => items.push(entry.value),
            _ => {}
        }
    }
    let items = items.into_iter().flat_map(|n| match n.value {
        yaml::Value::Seq(items) => items,
        _ => Vec::new(),
    });
    let whole = items.map(|mut item| {
        if let yaml::Value::Map(entries) = &mut item.value
            && !kind.is_empty()
        {
            for entry in &inherited {
                if entries.iter().all(|e| e.key != entry.key) {
                    entries.push(entry.clone());
                }
            }
        }
        item
    });
    whole.collect()
}

/// An object that was read before: kubectl would apply one after the other, so the later one stands.
fn duplicates(to: &mut Manifests, diagnostics: &mut Vec<Diagnostic>) {
    fn later<T>(list: &mut Vec<T>, meta: fn(&T) -> &Meta, said: &mut Vec<(String, Span, Span)>) {
        let mut last: BTreeMap<(Box<str>, Box<str>), usize> = BTreeMap::new();
        let mut drop = Vec::new();
        for (at, object) in list.iter().enumerate() {
            let this = meta(object);
            let key = (this.namespace.clone(), this.name.clone());
            if let Some(before) = last.insert(key, at)
                && let Some(first) = list.get(before)
            {
                said.push((this.full_name(), this.name_span, meta(first).name_span));
                drop.push(before);
            }
        }
        if !drop.is_empty() {
            drop.sort_unstable();
            let mut at = 0..;
            list.retain(|_| {
                let at = at.next().unwrap_or_default();
                drop.binary_search(&at).is_err()
            });
        }
    }
    let mut said = Vec::new();
    later(&mut to.services, |s| &s.meta, &mut said);
    later(&mut to.endpoint_slices, |s| &s.meta, &mut said);
    later(&mut to.endpoints, |e| &e.meta, &mut said);
    later(&mut to.nodes, |n| &n.meta, &mut said);
    later(&mut to.namespaces, |n| &n.meta, &mut said);
    let named = |pod: &Pod| !pod.meta.name.is_empty();
    if to.pods.iter().all(named) {
        later(&mut to.pods, |p| &p.meta, &mut said);
    }
    for (name, span, first) in said {
        let message = say!("manifest/object-twice", name = name);
        let diagnostic = Diagnostic::warning(span, message);
        diagnostics.push(diagnostic.label(first, say!("manifest/first-here")));
    }
}
