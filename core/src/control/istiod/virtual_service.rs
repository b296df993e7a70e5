//! VirtualServices as routes are made of: names resolved, delegates put in their places.
//! Source: `pilot/pkg/model/virtualservice.go`, `virtualservice_controller.go`.

use super::host;
use super::mesh::MeshConfig;
use super::message::{Ask, list, string};
use super::object::{Object, Semantics, sort_by_age};
use super::service::exported;
use crate::say;
use crate::text::Diagnostic;
use crate::yaml::{Entry, Node, Value};

/// The VirtualServices that have hosts, oldest first, each with its delegates' routes.
pub(super) fn merged(
    all: Vec<Object>,
    mesh: &MeshConfig,
    log: &mut Vec<Diagnostic>,
) -> Vec<Object> {
    let is_root = |o: &Object| !o.spec.each("hosts").is_empty();
    let (mut out, delegates): (Vec<Object>, Vec<Object>) = all.into_iter().partition(is_root);
    for root in &mut out {
        if root.semantics == Semantics::VirtualService {
            resolve(root, mesh);
            let routes = root.spec.each("http");
            if routes.iter().any(|r| r.get("delegate").is_some()) {
                let span = root.spec.field("http").map_or(root.span, |n| n.span);
                let routes = with_delegates(root, &delegates, mesh, log);
                set(&mut root.spec, "http", list(routes, span));
            }
        }
    }
    sort_by_age(&mut out);
    out
}

fn with_delegates(
    root: &Object,
    delegates: &[Object],
    mesh: &MeshConfig,
    log: &mut Vec<Diagnostic>,
) -> Vec<Node> {
    let mut out = Vec::new();
    for route in root.spec.each("http") {
        let Some(delegate) = route.get("delegate") else {
            out.push(route.clone());
            continue;
        };
        let namespace = match delegate.text("namespace") {
            "" => root.namespace.as_str(),
            other => other,
        };
        let name = delegate.text("name");
        let child = delegates
            .iter()
            .find(|o| o.name == name && o.namespace == namespace);
        let full = format!("{namespace}/{name}");
        let Some(child) = child else {
            let message = say!("istio/delegate-missing", name = full);
            log.push(Diagnostic::warning(delegate.span, message));
            continue;
        };
        let own = child.spec.texts("exportTo");
        let to: Vec<String> = match own.is_empty() {
            true => mesh.virtual_service_export_to.clone(),
            false => own.into_iter().map(str::to_string).collect(),
        };
        if !exported(&to, &child.namespace, &root.namespace) {
            let message = say!(
                "istio/delegate-not-exported",
                name = full,
                namespace = root.namespace
            );
            log.push(Diagnostic::warning(delegate.span, message));
            continue;
        }
        let mut child = child.clone();
        resolve(&mut child, mesh);
        for sub in child.spec.each("http") {
            match merge_route(route, sub) {
                Some(merged) => out.push(merged),
                None => log.push(Diagnostic::warning(
                    sub.span,
                    say!("istio/delegate-conflict", name = full),
                )),
            }
        }
    }
    out
}

/// A field of a mapping set, or added.
pub(super) fn set(node: &mut Node, key: &str, value: Node) {
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    match entries.iter_mut().find(|e| &*e.key == key) {
        Some(entry) => entry.value = value,
        None => entries.push(Entry {
            key: key.into(),
            key_span: value.span,
            value,
        }),
    }
}

fn field_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Map(entries) => entries
            .iter_mut()
            .find(|e| &*e.key == key)
            .map(|e| &mut e.value),
        _ => None,
    }
}

fn items_mut<'n>(node: &'n mut Node, key: &str) -> &'n mut [Node] {
    match field_mut(node, key).map(|n| &mut n.value) {
        Some(Value::Seq(items)) => items,
        _ => &mut [],
    }
}

/// `ResolveVirtualServiceShortnames`.
fn resolve(object: &mut Object, mesh: &MeshConfig) {
    let namespace = object.namespace.clone();
    let host_name = |node: &mut Node| {
        if let Some(name) = node.str() {
            *node = string(host::resolve(name, &namespace, &mesh.domain), node.span);
        }
    };
    let gateway = |node: &mut Node| {
        if let Some(name) = node.str().filter(|n| *n != "mesh") {
            *node = string(host::resolve_gateway(name, &namespace), node.span);
        }
    };
    let destination = |node: Option<&mut Node>| {
        if let Some(name) = node.and_then(|n| field_mut(n, "host")) {
            host_name(name);
        }
    };
    items_mut(&mut object.spec, "hosts")
        .iter_mut()
        .for_each(host_name);
    items_mut(&mut object.spec, "gateways")
        .iter_mut()
        .for_each(gateway);
    for kind in ["http", "tcp", "tls"] {
        for route in items_mut(&mut object.spec, kind) {
            for condition in items_mut(route, "match") {
                items_mut(condition, "gateways")
                    .iter_mut()
                    .for_each(gateway);
            }
            for target in items_mut(route, "route") {
                destination(field_mut(target, "destination"));
            }
            destination(field_mut(route, "mirror"));
            for mirror in items_mut(route, "mirrors") {
                destination(field_mut(mirror, "destination"));
            }
        }
    }
}

/// A delegate's route under the route that names it; none where their conditions exclude each other.
fn merge_route(root: &Node, delegate: &Node) -> Option<Node> {
    let conditions = merge_matches(root.each("match"), delegate.each("match"))?;
    let mut out = delegate.clone();
    if !conditions.is_empty() {
        let span = delegate
            .field("match")
            .or(root.field("match"))
            .map_or(delegate.span, |n| n.span);
        set(&mut out, "match", list(conditions, span));
    }
    let name = match (root.text("name"), delegate.text("name")) {
        ("", own) => own.to_string(),
        (root, "") => root.to_string(),
        (root, own) => format!("{root}-{own}"),
    };
    if !name.is_empty() {
        set(&mut out, "name", string(name, delegate.span));
    }
    let inherited = [
        "rewrite",
        "directResponse",
        "timeout",
        "retries",
        "fault",
        "mirror",
        "mirrorPercent",
        "mirrorPercentage",
        "corsPolicy",
        "mirrors",
        "headers",
    ];
    for key in inherited {
        if let (None, Some(value)) = (out.get(key), root.get(key)) {
            let value = value.clone();
            set(&mut out, key, value);
        }
    }
    Some(out)
}

fn merge_matches(root: &[Node], delegate: &[Node]) -> Option<Vec<Node>> {
    if root.is_empty() {
        return Some(delegate.to_vec());
    }
    if delegate.is_empty() {
        return Some(root.to_vec());
    }
    let mut out = Vec::new();
    for sub in delegate {
        let before = out.len();
        out.extend(
            root.iter()
                .filter(|r| !conflict(r, sub))
                .map(|r| merge_match(r, sub)),
        );
        if out.len() == before {
            return None;
        }
    }
    Some(out)
}

fn merge_match(root: &Node, delegate: &Node) -> Node {
    let mut out = delegate.clone();
    let name = match (root.text("name"), delegate.text("name")) {
        ("", own) => own.to_string(),
        (root, "") => root.to_string(),
        (root, own) => format!("{root}-{own}"),
    };
    if !name.is_empty() {
        set(&mut out, "name", string(name, delegate.span));
    }
    for key in [
        "uri",
        "scheme",
        "method",
        "authority",
        "port",
        "sourceNamespace",
        "gateways",
        "statPrefix",
    ] {
        if let (None, Some(value)) = (out.get(key), root.get(key)) {
            let value = value.clone();
            set(&mut out, key, value);
        }
    }
    for key in ["headers", "withoutHeaders", "queryParams", "sourceLabels"] {
        let Some(from) = root.get(key) else { continue };
        let mut both = from.clone();
        for entry in delegate.field(key).map_or(&[][..], Node::entries) {
            set(&mut both, &entry.key, entry.value.clone());
        }
        set(&mut out, key, both);
    }
    out
}

fn conflict(root: &Node, leaf: &Node) -> bool {
    let strings = ["uri", "scheme", "method", "authority"];
    let maps = ["headers", "withoutHeaders", "queryParams"];
    strings
        .iter()
        .any(|k| string_conflict(root.get(k), leaf.get(k)))
        || maps.iter().any(|map| {
            let entries = leaf.field(map).map_or(&[][..], Node::entries);
            let of_root = |key: &str| root.get(map).and_then(|m| m.get(key));
            entries
                .iter()
                .any(|e| string_conflict(of_root(&e.key), Some(&e.value)))
        })
        || root.flag("ignoreUriCase") != leaf.flag("ignoreUriCase")
        || root.number("port") > 0
            && leaf.number("port") > 0
            && root.number("port") != leaf.number("port")
        || !root.text("sourceNamespace").is_empty()
            && root.text("sourceNamespace") != leaf.text("sourceNamespace")
        || leaf
            .field("sourceLabels")
            .map_or(&[][..], Node::entries)
            .iter()
            .any(|e| {
                let of_root = root.get("sourceLabels").and_then(|m| m.get(&e.key));
                of_root.is_some_and(|v| v.str() != e.value.str())
            })
        || {
            let (ours, theirs) = (root.texts("gateways"), leaf.texts("gateways"));
            !ours.is_empty()
                && !theirs.is_empty()
                && (ours.len() < theirs.len() || theirs.iter().any(|g| !ours.contains(g)))
        }
}

fn string_conflict(root: Option<&Node>, leaf: Option<&Node>) -> bool {
    let (Some(root), Some(leaf)) = (root, leaf) else {
        return false;
    };
    let (rx, rp, re) = (root.text("regex"), root.text("prefix"), root.text("exact"));
    let (lx, lp, le) = (leaf.text("regex"), leaf.text("prefix"), leaf.text("exact"));
    let any = |texts: [&str; 3]| texts.iter().any(|t| !t.is_empty());
    if !rx.is_empty() && any([lx, lp, le]) || !lx.is_empty() && any([rx, rp, re]) {
        return true;
    }
    if !re.is_empty() {
        return !lp.is_empty() || le != re;
    }
    if !rp.is_empty() && !lp.is_empty() {
        return !lp.starts_with(rp);
    }
    if !rp.is_empty() && !le.is_empty() {
        return !le.starts_with(rp);
    }
    true
}
