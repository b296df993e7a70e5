//! Which listeners a route is attached to. Source: `referenceAllowed`, `extractParentReferenceInfo`,
//! `hostnameAllowedByIsolation` of `conversion.go`.

use super::super::host;
use super::super::message::Ask;
use super::super::object::Object;
use super::{GROUP, Known, Parent, or};
use crate::say;
use crate::text::Diagnostic;
use crate::yaml::Node;

/// A route with one of its parents.
pub(super) struct Attachment<'a> {
    /// None is the mesh.
    pub(super) parent: Option<&'a Parent>,
    pub(super) reference: &'a Node,
    /// Hosts of other listeners with the same port and protocol.
    banned: Vec<&'a str>,
}

impl<'a> Attachment<'a> {
    /// The Gateway's name, as VirtualServices name it.
    pub(super) fn gateway(&self) -> &'a str {
        self.parent.map_or("mesh", |p| p.name.as_str())
    }

    pub(super) fn hostname(&self) -> &'a str {
        self.parent.map_or("", |p| p.hostname.as_str())
    }

    /// Whether the listener is the one that fits a host of the route best.
    pub(super) fn isolated(&self, host: &str) -> bool {
        let ours = self.hostname();
        if !ours.is_empty() && !host::is_wildcard(ours) {
            return true;
        }
        if !ours.is_empty() && !host::matches(host, ours) {
            return false;
        }
        let better = |other: &&&str| ours.len() <= other.len() && host::subset_of(host, other);
        !self.banned.iter().any(|other| better(&other))
    }

    /// The hosts of the Service or ServiceEntry that stands for its part of the mesh.
    pub(super) fn mesh_hosts(&self, api: &Known, route: &Object) -> Vec<String> {
        let name = self.reference.text("name");
        let namespace = or(self.reference, "namespace", &route.namespace);
        if self.reference.text("kind") == "ServiceEntry" {
            let found = api
                .entries
                .iter()
                .find(|e| e.name == name && e.namespace == namespace);
            let hosts = found.map_or_else(Vec::new, |e| e.spec.texts("hosts"));
            return hosts.into_iter().map(str::to_string).collect();
        }
        vec![format!("{name}.{namespace}.svc.{}", api.mesh.domain)]
    }
}

/// In the order of the Gateways' names. What denies a reference is told.
pub(super) fn attachments<'a>(
    api: &Known,
    parents: &'a [Parent],
    route: &'a Object,
    log: &mut Vec<Diagnostic>,
) -> Vec<Attachment<'a>> {
    let mut out: Vec<Attachment> = Vec::new();
    for reference in route.spec.each("parentRefs") {
        let mut denied = |reason: String| {
            let (kind, name, parent) = (route.kind, &route.name, reference.text("name"));
            let message = say!(
                "istio/route-not-attached",
                kind = kind,
                name = name,
                parent = parent,
                reason = reason
            );
            log.push(Diagnostic::warning(reference.span, message));
        };
        let kind = or(reference, "kind", "Gateway");
        let name = reference.text("name");
        let namespace = or(reference, "namespace", &route.namespace);
        match (or(reference, "group", GROUP), kind) {
            (GROUP, "Gateway" | "ListenerSet") => {}
            ("", "Service") => {
                let host = format!("{name}.{namespace}.svc.{}", api.mesh.domain);
                if !api.has_host(&host) {
                    denied(format!("parent service: {name:?} not found"));
                    continue;
                }
                out.push(Attachment {
                    parent: None,
                    reference,
                    banned: Vec::new(),
                });
                continue;
            }
            ("networking.istio.io", "ServiceEntry") => {
                out.push(Attachment {
                    parent: None,
                    reference,
                    banned: Vec::new(),
                });
                continue;
            }
            _ => continue,
        }
        let of = |p: &&Parent| p.of.0 == kind && p.of.1 == namespace && p.of.2 == name;
        let listeners: Vec<&Parent> = parents.iter().filter(of).collect();
        let before = out.len();
        let mut reasons = Vec::new();
        for parent in &listeners {
            if let Err(reason) = allowed(parent, reference, route) {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                continue;
            }
            let others = listeners.iter().filter(|o| {
                o.name != parent.name && o.port == parent.port && o.protocol == parent.protocol
            });
            let banned = others.map(|o| o.hostname.as_str());
            out.push(Attachment {
                parent: Some(parent),
                reference,
                banned: banned.filter(|h| *h != parent.hostname).collect(),
            });
        }
        if out.len() == before && !reasons.is_empty() {
            denied(reasons.join("; "));
        }
    }
    out.sort_by(|a, b| a.gateway().cmp(b.gateway()));
    out
}

fn allowed(parent: &Parent, reference: &Node, route: &Object) -> Result<(), String> {
    let port = reference.number("port");
    if port != 0 && port != parent.port {
        return Err(format!("port {port} not found"));
    }
    let section = reference.text("sectionName");
    if !section.is_empty() && section != parent.section {
        return Err(format!("sectionName {section:?} not found"));
    }
    let mut hostnames = route.spec.texts("hostnames");
    if hostnames.is_empty() || route.kind == "TCPRoute" {
        hostnames = vec!["*"];
    }
    let (mut fits, mut host_fits) = (false, false);
    for hostname in hostnames {
        for host in &parent.hosts {
            let (namespace, host) = host.split_once('/').unwrap_or(("*", host));
            let same = host::matches(host, hostname);
            host_fits |= same;
            fits |= same && (namespace == "*" || namespace == route.namespace);
        }
    }
    if !fits && host_fits {
        return Err(format!(
            "hostnames matched parent hostname {:?}, but namespace {:?} is not allowed by the parent",
            parent.hostname, route.namespace
        ));
    }
    if !fits {
        return Err(format!(
            "no hostnames matched parent hostname {:?}",
            parent.hostname
        ));
    }
    if !parent.kinds.contains(&route.kind) {
        return Err(format!("kind {} is not allowed", route.kind));
    }
    Ok(())
}
