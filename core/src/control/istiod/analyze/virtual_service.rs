//! VirtualServices: what they name, and whether they reach whom they mean.

use std::collections::BTreeMap;

use super::{Analysis, Level};
use crate::control::istiod::host;
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::yaml::Node;

pub(super) fn check(analysis: &mut Analysis<'_>) {
    for object in analysis.all("VirtualService") {
        gateways(analysis, object);
        for (destination, what) in destinations(&object.spec) {
            self::destination(analysis, object, destination, what);
        }
        unaffected(analysis, object);
    }
    conflicts(analysis);
}

/// All destinations, each as what messages call it.
fn destinations(spec: &Node) -> Vec<(&Node, &'static str)> {
    let mut all = Vec::new();
    for rule in ["http", "tls", "tcp"]
        .into_iter()
        .flat_map(|k| spec.each(k))
    {
        let routes = rule.each("route").iter();
        all.extend(routes.filter_map(|r| Some((r.get("destination")?, "host"))));
        all.extend(rule.get("mirror").map(|m| (m, "mirror host")));
        let mirrors = rule.each("mirrors").iter();
        all.extend(mirrors.filter_map(|m| Some((m.get("destination")?, "mirror host"))));
    }
    all
}

fn destination(analysis: &mut Analysis<'_>, object: &Object, to: &Node, what: &str) {
    let (name, subset) = (to.text("host"), to.text("subset"));
    let Some(service) = analysis.service(name, &object.namespace) else {
        return analysis.not_found(object, to.span, what, name);
    };
    match to.get("port") {
        None if service.ports.len() > 1 => {
            let ports: Vec<_> = service.ports.iter().map(|p| p.number.to_string()).collect();
            let text = format!(
                "This VirtualService routes to a service {name:?} that exposes multiple ports [{}]. Specifying a port in the destination is required to disambiguate.",
                ports.join(" ")
            );
            analysis.say(Level::Error, "IST0112", object, to.span, text);
        }
        Some(port) => {
            let number = port.number("number");
            if !service.ports.iter().any(|p| i64::from(p.number) == number) {
                let full = format!("{name}:{number}");
                analysis.not_found(object, port.span, "host:port", &full);
            }
        }
        None => {}
    }
    let hostname = &service.hostname;
    let domain = &analysis.world.mesh.domain;
    let known = analysis.all("DestinationRule").iter().any(|rule| {
        host::resolve(rule.spec.text("host"), &rule.namespace, domain) == *hostname
            && rule
                .spec
                .each("subsets")
                .iter()
                .any(|s| s.text("name") == subset)
    });
    if !subset.is_empty() && !known {
        let kind = match what {
            "host" => "host+subset in destinationrule",
            _ => "mirror+subset in destinationrule",
        };
        analysis.not_found(object, to.span, kind, &format!("{name}+{subset}"));
    }
}

fn gateways(analysis: &mut Analysis<'_>, object: &Object) {
    let hosts = object.spec.texts("hosts");
    let full = format!("{}/{}", object.namespace, object.name);
    for node in object.spec.each("gateways") {
        let name = node.str().unwrap_or("");
        if name == "mesh" {
            continue;
        }
        let (ns, short) = name.split_once('/').unwrap_or((&object.namespace, name));
        let found = analysis.all("Gateway").iter();
        let found = found.clone().find(|g| g.namespace == ns && g.name == short);
        if found.is_none() {
            analysis.not_found(object, node.span, "gateway", name);
        }
        let meant = found.is_some_and(|g| opens(g, &object.namespace, &hosts));
        if !meant {
            let text = format!(
                "one or more host [{}] defined in VirtualService {full} not found in Gateway {ns}/{short}.",
                hosts.join(" ")
            );
            analysis.say(Level::Warning, "IST0132", object, node.span, text);
        }
    }
}

/// Whether a Gateway has a server for one of the hosts of a namespace's VirtualService.
fn opens(gateway: &Object, namespace: &str, hosts: &[&str]) -> bool {
    let servers = gateway.spec.each("servers").iter();
    let mut all = servers.flat_map(|s| s.texts("hosts"));
    all.any(|server| {
        let (ns, name) = server.split_once('/').unwrap_or(("*", server));
        let ns = if ns == "." { &gateway.namespace } else { ns };
        (ns == "*" || ns == namespace) && hosts.iter().any(|h| host::matches(name, h))
    })
}

/// A gateway's requests do not pass the rules that another VirtualService has for the mesh.
fn unaffected(analysis: &mut Analysis<'_>, object: &Object) {
    if object.spec.each("gateways").is_empty() {
        return;
    }
    let routes = object
        .spec
        .each("http")
        .iter()
        .flat_map(|r| r.each("route"));
    let plain = routes
        .filter_map(|r| r.get("destination"))
        .filter(|d| d.text("subset").is_empty());
    for to in plain {
        for other in analysis.all("VirtualService") {
            let hosts = other.spec.texts("hosts");
            let rules = other.spec.each("http").iter().flat_map(|r| r.each("route"));
            let mut own = rules.filter_map(|r| r.get("destination"));
            let meant = own.any(|d| {
                !d.text("subset").is_empty()
                    && d.text("host") == to.text("host")
                    && hosts.contains(&d.text("host"))
            });
            if meant {
                let text = format!(
                    "Subset in virtual service {}/{} has no effect on ingress gateway {}/{} requests",
                    other.namespace, other.name, object.namespace, object.name
                );
                analysis.say(Level::Warning, "IST0140", object, to.span, text);
            }
        }
    }
}

/// VirtualServices of the mesh for one host: only the oldest counts.
fn conflicts(analysis: &mut Analysis<'_>) {
    let domain = &analysis.world.mesh.domain;
    let mut by_host: BTreeMap<(String, String), Vec<&Object>> = BTreeMap::new();
    for object in analysis.all("VirtualService") {
        let gateways = object.spec.texts("gateways");
        if !gateways.is_empty() && !gateways.contains(&"mesh") {
            continue;
        }
        let exported = object.spec.texts("exportTo");
        let scopes: Vec<&str> = match exported.is_empty() || exported.contains(&"*") {
            true => vec!["*"],
            false => exported
                .into_iter()
                .map(|e| if e == "." { &object.namespace } else { e })
                .collect(),
        };
        for name in object.spec.texts("hosts") {
            let full = host::resolve(name, &object.namespace, domain);
            for scope in &scopes {
                let key = (full.clone(), (*scope).to_string());
                by_host.entry(key).or_default().push(object);
            }
        }
    }
    for ((name, scope), own) in &by_host {
        let everywhere = by_host.get(&(name.clone(), "*".into()));
        let more = everywhere.filter(|_| scope != "*").into_iter().flatten();
        let all: Vec<&Object> = own.iter().chain(more).copied().collect();
        if all.len() < 2 {
            continue;
        }
        let mut names: Vec<_> = all
            .iter()
            .map(|o| format!("{}/{}", o.namespace, o.name))
            .collect();
        names.sort();
        for object in &all {
            let text = format!(
                "The VirtualServices {} associated with mesh gateway define the same host {scope}/{name} which can lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single resource.",
                names.join(",")
            );
            analysis.say(Level::Error, "IST0109", object, object.span, text);
        }
    }
}
