//! Gateways: the pods that they select, the Services in front of those, and each other.

use super::{Analysis, Level, pairs, selector, written};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::manifest::TargetPort;

pub(super) fn check(analysis: &mut Analysis<'_>) {
    for object in analysis.all("Gateway") {
        ports(analysis, object);
        conflicts(analysis, object);
    }
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

fn conflicts(analysis: &mut Analysis<'_>, object: &Object) {
    let labels = selector(&object.spec, "selector");
    for server in object.spec.each("servers") {
        let port = server.get("port").map_or(0, |p| p.number("number"));
        let same = |other: &&Object| {
            let theirs = selector(&other.spec, "selector");
            let together = theirs == labels
                || analysis
                    .pods(pairs(&labels), None)
                    .iter()
                    .any(|p| analysis.pods(pairs(&theirs), None).contains(p));
            let clash = other.spec.each("servers").iter().any(|s| {
                s.get("port").map_or(0, |p| p.number("number")) == port
                    && s.text("bind") == server.text("bind")
                    && s.texts("hosts")
                        .iter()
                        .any(|h| server.texts("hosts").contains(h))
            });
            let itself = other.namespace == object.namespace && other.name == object.name;
            !itself && together && clash
        };
        let mut others: Vec<_> = analysis
            .all("Gateway")
            .iter()
            .filter(same)
            .map(|o| format!("{}/{}", o.namespace, o.name))
            .collect();
        if others.is_empty() {
            continue;
        }
        others.sort();
        let text = format!(
            "Conflict with gateways {} (workload selector {}, port {port}, hosts {}).",
            others.join(","),
            written(&labels),
            server.texts("hosts").join(",")
        );
        analysis.say(Level::Error, "IST0145", object, server.span, text);
    }
}
