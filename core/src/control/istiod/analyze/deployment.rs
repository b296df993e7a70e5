//! Deployments and the Services in front of them.

use std::collections::BTreeMap;

use super::{Analysis, Level, Message};
use crate::manifest::{Container, Meta, Protocol, TargetPort, Workload, WorkloadKind};

pub(super) fn check(analysis: &mut Analysis<'_>) {
    for workload in &analysis.manifests.workloads {
        let (template, meta) = (&workload.template, &workload.template_meta);
        let namespace = &workload.meta.namespace;
        let meshed = in_mesh(analysis, &template.containers, meta, namespace);
        if workload.kind == WorkloadKind::Deployment && meshed {
            ports(analysis, workload);
        }
    }
}

/// Whether Pods of a namespace have a proxy (`inMesh`).
pub(super) fn in_mesh(
    analysis: &Analysis<'_>,
    containers: &[Container],
    meta: &Meta,
    namespace: &str,
) -> bool {
    const INJECT: &str = "sidecar.istio.io/inject";
    if containers.iter().any(|c| &*c.name == "istio-proxy") {
        return true;
    }
    let said = meta.labels.get(INJECT).or(meta.annotations.get(INJECT));
    if let Some(said) = said {
        return &*said.value == "true";
    }
    let mut namespaces = analysis.manifests.namespaces.iter();
    let own = namespaces.find(|n| &*n.meta.name == namespace);
    let label = own.and_then(|n| n.meta.labels.get("istio-injection"));
    label.is_some_and(|v| &*v.value == "enabled")
}

fn ports(analysis: &mut Analysis<'_>, deployment: &Workload) {
    let Meta {
        namespace,
        name,
        name_span,
        labels,
        ..
    } = &deployment.meta;
    let waypoint = labels.get("gateway.istio.io/managed");
    if waypoint.is_some_and(|by| &*by.value == "istio.io-mesh-controller") {
        return;
    }
    let mut by_port: BTreeMap<u16, BTreeMap<Protocol, Vec<String>>> = BTreeMap::new();
    let mut by_target: BTreeMap<String, BTreeMap<u16, String>> = BTreeMap::new();
    let services = analysis.manifests.services.iter().filter(|s| {
        s.meta.namespace == *namespace
            && !s.selector.is_empty()
            && s.selector.select(&deployment.template_meta.labels)
    });
    for service in services {
        for port in &service.ports {
            let full = service.meta.full_name();
            let target = match &port.target.value {
                TargetPort::Number(number) => number.to_string(),
                TargetPort::Name(name) => name.to_string(),
            };
            let of_port = by_port.entry(port.port.value).or_default();
            of_port.entry(port.protocol).or_default().push(full.clone());
            let of_target = by_target.entry(target).or_default();
            of_target.insert(port.port.value, full);
        }
    }
    let mut say = |code, text| {
        analysis.out.push(Message {
            level: Level::Warning,
            code,
            kind: "Deployment",
            namespace: namespace.to_string(),
            name: name.to_string(),
            span: *name_span,
            text,
        });
    };
    for (port, protocols) in by_port.iter().filter(|(_, all)| all.len() > 1) {
        let mut names: Vec<_> = protocols.values().flatten().map(String::as_str).collect();
        names.sort_unstable();
        let text = format!(
            "This deployment {name} is associated with multiple services using port {port} but different protocols: [{}]",
            names.join(" ")
        );
        say("IST0116", text);
    }
    for (target, ports) in by_target.iter().filter(|(_, all)| all.len() > 1) {
        let mut names: Vec<_> = ports.values().map(String::as_str).collect();
        names.sort_unstable();
        let ports: Vec<_> = ports.keys().map(u16::to_string).collect();
        let text = format!(
            "This deployment {name} is associated with multiple services [{}] using targetPort {target:?} but different ports: [{}].",
            names.join(" "),
            ports.join(" ")
        );
        say("IST0137", text);
    }
}
