//! Gateways: the pods that they select, the Services in front of those, and each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Analysis, Level, pairs, selector, written};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::manifest::TargetPort;
use crate::yaml::Node;

pub(super) fn check(analysis: &mut Analysis<'_>) {
    let mut known: BTreeMap<i64, Vec<Taken>> = BTreeMap::new();
    for object in analysis.all("Gateway") {
        let selector = selector(&object.spec, "selector");
        for server in object.spec.each("servers") {
            known.entry(number(server)).or_default().push(Taken {
                object,
                server,
                selector: selector.clone(),
            });
        }
    }
    for object in analysis.all("Gateway") {
        ports(analysis, object);
    }
    for all in known.values().filter(|all| all.len() > 1) {
        conflicts(analysis, all);
    }
}

/// A server that a Gateway has, and the pods that it is for.
struct Taken<'a> {
    object: &'a Object,
    server: &'a Node,
    selector: Vec<(String, String)>,
}

fn number(server: &Node) -> i64 {
    server.get("port").map_or(0, |p| p.number("number"))
}

fn ports(analysis: &mut Analysis<'_>, object: &Object) {
    let labels = selector(&object.spec, "selector");
    let chosen = analysis.pods(pairs(&labels), None);
    let span = object
        .spec
        .field("selector")
        .map_or(object.span, |n| n.span);
    if chosen.is_empty() {
        return analysis.not_found(object, span, "selector", &written(&labels));
    }
    let mut open = Vec::new();
    for service in &analysis.manifests.services {
        let in_front = chosen.iter().any(|pod| {
            pod.meta.namespace == service.meta.namespace
                && !service.selector.is_empty()
                && service.selector.select(&pod.meta.labels)
        });
        for port in service.ports.iter().filter(|_| in_front) {
            open.push(i64::from(port.port.value));
            if let TargetPort::Number(target) = port.target.value {
                open.push(target.into());
            }
        }
    }
    for server in object.spec.each("servers") {
        let Some(port) = server.get("port") else {
            continue;
        };
        let number = port.number("number");
        if !open.contains(&number) {
            let text = format!(
                "The gateway is listening on a target port (port {number}) that is not defined in the Service associated with its workload instances (Pod selector {}). If you need to access the gateway port through the gateway Service, it will not be available.",
                written(&labels)
            );
            analysis.say(Level::Warning, "IST0162", object, port.span, text);
        }
    }
}

/// Of servers of one port: those that others have a host of.
fn conflicts(analysis: &mut Analysis<'_>, all: &[Taken]) {
    let mut by_host: BTreeMap<(&str, &str), Vec<&Taken>> = BTreeMap::new();
    for one in all {
        for host in one.server.texts("hosts") {
            let key = (one.server.text("bind"), host);
            by_host.entry(key).or_default().push(one);
        }
    }
    for one in all {
        let hosts = one.server.texts("hosts");
        let bind = one.server.text("bind");
        let clash = hosts.iter().filter_map(|h| by_host.get(&(bind, *h)));
        let others: BTreeSet<String> = clash
            .flatten()
            .filter(|other| {
                let itself = (&one.object.namespace, &one.object.name)
                    == (&other.object.namespace, &other.object.name);
                !itself && together(analysis, &one.selector, &other.selector)
            })
            .map(|other| format!("{}/{}", other.object.namespace, other.object.name))
            .collect();
        if others.is_empty() {
            continue;
        }
        let others: Vec<String> = others.into_iter().collect();
        let text = format!(
            "Conflict with gateways {} (workload selector {}, port {}, hosts {}).",
            others.join(","),
            written(&one.selector),
            number(one.server),
            hosts.join(",")
        );
        analysis.say(Level::Error, "IST0145", one.object, one.server.span, text);
    }
}

/// Whether a pod is chosen by both. The analyzer asks pods only where one selector is part of the other.
fn together(analysis: &Analysis<'_>, one: &[(String, String)], other: &[(String, String)]) -> bool {
    let (ours, theirs) = (written(one), written(other));
    ours == theirs
        || (ours.contains(&theirs) || theirs.contains(&ours))
            && !analysis
                .pods(pairs(one).chain(pairs(other)), None)
                .is_empty()
}
