//! Which names of a workspace mean something to its owner only, and what they become.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::manifest::{self, Labels, Manifests, Meta, table};
use crate::text::{File, FileId};
use crate::workspace::{FileKind, Place};
use crate::yaml::{self, Node};

/// Namespaces that every cluster has.
const KNOWN: [&str; 6] = [
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "istio-system",
    "",
];
/// Words that mean something to who reads manifests and command outputs, beside the names of fields.
const WORDS: [&str; 23] = [
    "istio",
    "true",
    "false",
    "istio-proxy",
    "istio-init",
    "proxy",
    "router",
    "sidecar",
    "mesh",
    "client",
    "vpc",
    "slb",
    "tcp",
    "udp",
    "http",
    "http2",
    "https",
    "grpc",
    "tls",
    "nat",
    "filter",
    "nodes",
    "pods",
];
/// Groups of objects that istiod is told in.
const MESH: [&str; 3] = [
    "networking.istio.io/",
    "security.istio.io/",
    "gateway.networking.k8s.io/",
];
/// Fields of theirs that hold host names.
const HOSTS: [&str; 5] = ["hosts", "host", "hostname", "hostnames", "sniHosts"];
/// Domains of labels whose values mean something.
const MEANT: [&str; 4] = ["kubernetes.io", "k8s.io", "istio", "k8s-app"];

/// Each name with what it becomes: a word for what it names, and a number.
pub(super) fn names(objects: &Manifests, files: &[File]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let reserved = reserved(files);
    let mut add = |kind: &'static str, name: &str| {
        let plain = name.len() < 2
            || name.parse::<Ipv4Addr>().is_ok()
            || name.bytes().all(|b| b.is_ascii_digit());
        if plain
            || KNOWN.contains(&name)
            || WORDS.contains(&name)
            || reserved.contains(name)
            || all.contains_key(name)
        {
            return;
        }
        let count = counts.entry(kind).or_default();
        *count += 1;
        all.insert(name.to_string(), format!("{kind}-{count}"));
    };
    for node in &objects.nodes {
        add("node", &node.meta.name);
    }
    for file in files {
        if let FileKind::Host(Place::Node(name), _) = FileKind::of(&file.name) {
            add("node", &name);
        }
    }
    for service in &objects.services {
        // istiod finds a Gateway's Service by this name, whose parts are renamed each by itself.
        let of_gateway = objects.others.iter().any(|o| {
            let class = o
                .node
                .field("spec")
                .and_then(|s| s.field("gatewayClassName"));
            let class = class.and_then(Node::str);
            class.is_some_and(|class| *service.meta.name == *format!("{}-{class}", o.name))
        });
        if !of_gateway {
            add("svc", &service.meta.name);
        }
    }
    for workload in &objects.workloads {
        add("app", &workload.meta.name);
    }
    for pod in &objects.pods {
        add("pod", &pod.meta.name);
        if let Some(owner) = &pod.meta.owner {
            add("app", owner);
        }
    }
    for file in files {
        match FileKind::of(&file.name) {
            FileKind::Host(Place::Pod(name), _) => match name.split_once('/') {
                Some((namespace, pod)) => {
                    add("ns", namespace);
                    add("pod", pod);
                }
                None => add("pod", &name),
            },
            FileKind::KubectlNodes => {
                for row in table::nodes(&file.text, FileId(0)).0 {
                    add("node", &row.name.text);
                }
            }
            FileKind::KubectlPods => {
                for row in table::pods(&file.text, FileId(0)).0 {
                    add("pod", &row.name.text);
                    row.namespace.iter().for_each(|n| add("ns", &n.text));
                    row.node.iter().for_each(|n| add("node", &n.text));
                }
            }
            FileKind::KubectlServices => {
                for row in table::services(&file.text, FileId(0)).0 {
                    add("svc", &row.name.text);
                    row.namespace.iter().for_each(|n| add("ns", &n.text));
                    for (_, value) in row.selector.iter().filter(|(key, _)| !is_meant(&key.text)) {
                        add("label", &value.text);
                    }
                }
            }
            _ => {}
        }
    }
    for slice in &objects.endpoint_slices {
        add("slice", &slice.meta.name);
    }
    let metas: Vec<&Meta> = objects
        .services
        .iter()
        .map(|o| &o.meta)
        .chain(objects.pods.iter().map(|o| &o.meta))
        .chain(objects.nodes.iter().map(|o| &o.meta))
        .chain(objects.namespaces.iter().map(|o| &o.meta))
        .chain(
            objects
                .workloads
                .iter()
                .flat_map(|o| [&o.meta, &o.template_meta]),
        )
        .collect();
    for meta in &metas {
        add("ns", &meta.namespace);
    }
    for namespace in &objects.namespaces {
        add("ns", &namespace.meta.name);
    }
    for pod in &objects.pods {
        for container in &pod.spec.containers {
            add("container", &container.name);
        }
    }
    let of_mesh = |o: &&manifest::Other| MESH.iter().any(|group| o.api_version.starts_with(group));
    let mut hosts: Vec<&str> = objects
        .services
        .iter()
        .filter_map(|s| Some(&*s.external_name.as_ref()?.value))
        .collect();
    for object in objects.others.iter().filter(of_mesh) {
        add("object", &object.name);
        add("ns", &object.namespace);
        host_names(&object.node, false, &mut hosts);
    }
    for host in hosts {
        // The last part says what kind of name it is.
        let mut parts: Vec<&str> = host.split('.').collect();
        let top = parts.pop();
        if !matches!(top, Some("svc" | "local")) {
            parts.iter().for_each(|part| add("host", part));
        }
    }
    let labels = metas
        .iter()
        .map(|m| &m.labels)
        .chain(objects.services.iter().map(|s| &s.selector));
    for (key, value) in labels.flat_map(Labels::iter) {
        if !is_meant(key) {
            add("label", &value.value);
        }
    }
    all
}

/// Whether a label's values mean something to those who read manifests.
fn is_meant(key: &str) -> bool {
    MEANT.iter().any(|domain| key.contains(domain))
}

/// The names of fields, and of API groups, versions and kinds: to rename such a word would change what is said.
fn reserved(files: &[File]) -> BTreeSet<String> {
    fn words(node: &Node, to: &mut BTreeSet<String>) {
        for entry in node.entries() {
            to.insert(entry.key.to_string());
            if matches!(&*entry.key, "apiVersion" | "kind") {
                let text = entry.value.str().unwrap_or_default();
                to.extend(text.split(['/', '.']).map(str::to_string));
            }
            words(&entry.value, to);
        }
        node.items().iter().for_each(|item| words(item, to));
    }
    let mut all = BTreeSet::new();
    for file in files {
        let yaml = matches!(
            FileKind::of(&file.name),
            FileKind::Manifests | FileKind::Client | FileKind::LoadBalancer | FileKind::Vpc
        );
        if yaml {
            let (documents, _) = yaml::read(&file.text, FileId(0));
            documents.iter().for_each(|d| words(d, &mut all));
        }
    }
    all
}

/// Host names of an object: what stands in such fields, without the namespace before a slash.
fn host_names<'a>(node: &'a Node, here: bool, to: &mut Vec<&'a str>) {
    if let Some(text) = node.str().filter(|_| here) {
        to.push(text.rsplit('/').next().unwrap_or(text));
    }
    for entry in node.entries() {
        host_names(&entry.value, HOSTS.contains(&&*entry.key), to);
    }
    for item in node.items() {
        host_names(item, here, to);
    }
}
