//! The tables of `kubectl get … -o wide` (Kubernetes `pkg/printers/internalversion/printers.go`).

use super::Generated;
use super::facts::Facts;
use super::sheet::Sheet;
use crate::manifest::{Manifests, Node, Pod, Service, ServiceType};
use crate::text::{Later, Span};

pub(super) fn tables(objects: &Manifests, facts: &Facts, files: &mut Vec<Generated>) {
    let mut put = |name: &str, sheet| {
        let name = name.to_string();
        files.push(Generated {
            name,
            maker: "kubectl",
            sheet: Later::from(sheet),
        });
    };
    let bare = objects.pods.iter().all(|p| &*p.meta.namespace == "default");
    let pods = objects.pods.iter().map(|p| (p.meta.span, pod(p)));
    put("kubectl-get-pods.txt", table(&POD, bare, pods.collect()));
    let bare = objects
        .services
        .iter()
        .all(|s| &*s.meta.namespace == "default");
    let services = objects.services.iter().map(|s| (s.meta.span, service(s)));
    put(
        "kubectl-get-svc.txt",
        table(&SERVICE, bare, services.collect()),
    );
    let nodes = objects.nodes.iter().map(|n| (n.meta.span, node(n, facts)));
    put(
        "kubectl-get-nodes.txt",
        table(&NODE, false, nodes.collect()),
    );
}

const POD: [&str; 10] = [
    "NAMESPACE",
    "NAME",
    "READY",
    "STATUS",
    "RESTARTS",
    "AGE",
    "IP",
    "NODE",
    "NOMINATED NODE",
    "READINESS GATES",
];
const SERVICE: [&str; 8] = [
    "NAMESPACE",
    "NAME",
    "TYPE",
    "CLUSTER-IP",
    "EXTERNAL-IP",
    "PORT(S)",
    "AGE",
    "SELECTOR",
];
const NODE: [&str; 7] = [
    "NAME",
    "STATUS",
    "ROLES",
    "AGE",
    "VERSION",
    "INTERNAL-IP",
    "EXTERNAL-IP",
];

const NONE: &str = "<none>";

fn pod(pod: &Pod) -> Vec<String> {
    let all = pod.spec.containers.len();
    let ready = if pod.ready.is_some_and(|r| r.value) {
        all
    } else {
        0
    };
    let phase = pod.phase.as_ref().map_or("Pending", |p| &*p.value);
    let status = match pod.meta.deletion {
        Some(_) => "Terminating",
        None => phase,
    };
    let ip = pod
        .ips
        .first()
        .map_or(NONE.into(), |ip| ip.value.to_string());
    let node = pod.spec.node_name.as_ref().map_or(NONE, |n| &*n.value);
    [
        &pod.meta.namespace,
        &pod.meta.name,
        &*format!("{ready}/{all}"),
        status,
        "0",
        "1d",
        &ip,
        node,
        NONE,
        NONE,
    ]
    .map(String::from)
    .to_vec()
}

fn service(service: &Service) -> Vec<String> {
    let kind = match service.kind.value {
        ServiceType::ClusterIp => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
        ServiceType::ExternalName => "ExternalName",
    };
    let ip = match service.cluster_ips.first() {
        Some(ip) => ip.value.to_string(),
        None if service.headless => "None".into(),
        None => NONE.into(),
    };
    let ingress = service
        .ingress
        .iter()
        .filter_map(|i| match (&i.ip, &i.hostname) {
            (Some(ip), _) => Some(ip.value.to_string()),
            (None, Some(name)) => Some(name.to_string()),
            (None, None) => None,
        });
    let external = service.external_ips.iter().map(|ip| ip.value.to_string());
    let mut addresses: Vec<_> = ingress.chain(external).collect();
    if let Some(name) = &service.external_name {
        addresses.push(name.value.to_string());
    }
    let nothing = match service.kind.value {
        ServiceType::LoadBalancer => "<pending>",
        _ => NONE,
    };
    let ports = service.ports.iter().map(|p| {
        let protocol = p.protocol.name().to_uppercase();
        match p.node_port {
            Some(node) => format!("{}:{}/{protocol}", p.port.value, node.value),
            None => format!("{}/{protocol}", p.port.value),
        }
    });
    let selector = service
        .selector
        .iter()
        .map(|(key, value)| format!("{key}={}", value.value));
    let join = |list: Vec<String>, nothing: &str| match list.is_empty() {
        true => nothing.to_string(),
        false => list.join(","),
    };
    vec![
        service.meta.namespace.to_string(),
        service.meta.name.to_string(),
        kind.into(),
        ip,
        join(addresses, nothing),
        join(ports.collect(), NONE),
        "1d".into(),
        join(selector.collect(), NONE),
    ]
}

fn node(node: &Node, facts: &Facts) -> Vec<String> {
    let mut status = match node.ready.is_none_or(|r| r.value) {
        true => "Ready",
        false => "NotReady",
    }
    .to_string();
    if node.unschedulable.is_some() {
        status.push_str(",SchedulingDisabled");
    }
    let ip = |ips: &[crate::manifest::Spanned<std::net::IpAddr>]| {
        ips.first().map_or(NONE.into(), |ip| ip.value.to_string())
    };
    let version = node.kubelet.as_ref().unwrap_or(&facts.env.kubernetes);
    vec![
        node.meta.name.to_string(),
        status,
        NONE.into(),
        "1d".into(),
        version.value.to_string(),
        ip(&node.internal_ips),
        ip(&node.external_ips),
    ]
}

/// Columns three blanks apart; without the first where all rows are of namespace default.
fn table(header: &[&str], bare: bool, rows: Vec<(Span, Vec<String>)>) -> Sheet {
    let skip = usize::from(bare);
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|(_, row)| row.get(column))
            .map(|c| c.len());
        let title = header.get(column).map_or(0, |h| h.len());
        cells.max().unwrap_or(0).max(title)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths).skip(skip) {
            line.push_str(&format!("{cell:<width$}   "));
        }
        line.trim_end().to_string()
    };
    let mut sheet = Sheet::default();
    sheet.line(&[], line(&mut header.iter().copied()));
    for (span, row) in &rows {
        sheet.line(&[*span], line(&mut row.iter().map(String::as_str)));
    }
    sheet
}
