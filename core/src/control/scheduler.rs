//! The scheduler: which node takes a Pod (Kubernetes `pkg/scheduler/framework/plugins`: NodeUnschedulable, TaintToleration,
//! NodeAffinity as far as `nodeSelector`, NodePorts), and who may stay where a manifest put it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::manifest::{Manifests, Node, Pod, PodSpec, Protocol, Spanned, Taint, Toleration};
use crate::say;
use crate::text::{Diagnostic, Say, Span};

/// Taints that the DaemonSet controller lets its Pods tolerate (`AddOrUpdateDaemonPodTolerations`, `pkg/controller/daemon/util`).
const OF_DAEMONS: [&str; 6] = [
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
];
/// The same, but of those on their nodes' network only.
const OF_DAEMONS_ON_HOSTS: &str = "node.kubernetes.io/network-unavailable";

/// A port of a node that a Pod has.
#[derive(Debug)]
struct Taken {
    port: u16,
    protocol: Protocol,
    /// `None`: at all addresses.
    ip: Option<IpAddr>,
    by: String,
    span: Span,
}

/// Each Pod without a node goes to that of those that fit which has the fewest, as the scheduler's spreading comes out where
/// all else is equal.
pub(super) fn run(cluster: &mut Manifests, said: &mut Vec<Diagnostic>) {
    let mut load: BTreeMap<Box<str>, u32> = BTreeMap::new();
    let mut taken: BTreeMap<Box<str>, Vec<Taken>> = BTreeMap::new();
    for pod in &mut cluster.pods {
        let Some(node) = pod.spec.node_name.clone() else {
            continue;
        };
        // Without any, the machines are told by something else.
        let told = !cluster.nodes.is_empty() || pod.spec.host_network;
        if told && cluster.nodes.iter().all(|n| n.meta.name != node.value) {
            let name = pod.meta.full_name();
            let say = say!("control/no-such-node", node = node.value, pod = name);
            said.push(Diagnostic::warning(node.span, say));
        }
        *load.entry(node.value.clone()).or_default() += 1;
        let there = taken.entry(node.value.clone()).or_default();
        match conflict(&pod.spec, there) {
            // The kubelet does not admit it.
            Some((port, first)) if lives(pod) => {
                said.push(already(&node.value, pod, port, first));
                if pod.phase.is_none() {
                    pod.phase = Some(Spanned::new("Failed".into(), pod.meta.span));
                }
            }
            _ => take(pod, there),
        }
    }
    let waits = |p: &&mut Pod| p.spec.node_name.is_none() && lives(p);
    for pod in cluster.pods.iter_mut().filter(waits) {
        // Of Pods that a workload makes it is said once.
        if let Some(span) = pod.spec.wishes.filter(|_| pod.meta.owner.is_none()) {
            let say = say!("control/wishes", pod = pod.meta.full_name());
            said.push(Diagnostic::warning(span, say));
        }
        let mut against = Vec::new();
        let fits = |node: &&Node| {
            let there = taken.get(&node.meta.name).map_or(&[][..], |t| t);
            let obstacle = obstacle(node, &pod.spec, there);
            against.extend(obstacle.clone());
            obstacle.is_none()
        };
        let load_of = |n: &&Node| load.get(&n.meta.name).copied().unwrap_or_default();
        let fewest = cluster.nodes.iter().filter(fits).min_by_key(load_of);
        let Some(node) = fewest.map(|n| n.meta.name.clone()) else {
            let say = say!("control/no-node", pod = pod.meta.full_name());
            let mut diagnostic = Diagnostic::warning(pod.meta.name_span, say);
            against.sort_unstable_by_key(|(span, _)| *span);
            against.dedup_by_key(|(span, _)| *span);
            for (span, say) in against.into_iter().take(4) {
                diagnostic = diagnostic.label(span, say);
            }
            said.push(diagnostic);
            continue;
        };
        take(pod, taken.entry(node.clone()).or_default());
        *load.entry(node.clone()).or_default() += 1;
        pod.spec.node_name = Some(Spanned::new(node, pod.meta.span));
    }
}

/// Whether a DaemonSet has a Pod on a node: what it tolerates beyond its template does not count against it.
pub(super) fn takes_daemon(node: &Node, template: &PodSpec) -> bool {
    let keeps = |t: &&Taint| {
        let on_host = template.host_network && *t.key == *OF_DAEMONS_ON_HOSTS;
        !on_host && !OF_DAEMONS.contains(&&*t.key)
    };
    let mut taints = node.taints.iter().filter(keeps);
    template.node_selector.select(&node.meta.labels)
        && !taints.any(|t| keeps_away(&t.key, &t.value, &t.effect, &template.tolerations))
}

fn lives(pod: &Pod) -> bool {
    let phase = pod.phase.as_ref().map(|p| &*p.value);
    !matches!(phase, Some("Succeeded" | "Failed"))
}

/// Why a node cannot take a Pod, and where that stands.
fn obstacle(node: &Node, spec: &PodSpec, there: &[Taken]) -> Option<(Span, Say)> {
    let keeps =
        |key: &str, value: &str, effect: &str| keeps_away(key, value, effect, &spec.tolerations);
    let kept = || say!("control/kept-by-node", node = node.meta.name);
    // Conditions that the node controller makes taints of.
    let conditions = [
        ("node.kubernetes.io/unschedulable", node.unschedulable),
        ("node.kubernetes.io/unreachable", node.silent),
        (
            "node.kubernetes.io/not-ready",
            node.ready
                .filter(|r| !r.value && node.silent.is_none())
                .map(|r| r.span),
        ),
    ];
    for (key, span) in conditions {
        if let Some(span) = span
            && keeps(key, "", "NoSchedule")
        {
            return Some((span, kept()));
        }
    }
    if let Some(t) = node
        .taints
        .iter()
        .find(|t| keeps(&t.key, &t.value, &t.effect))
    {
        return Some((t.span, kept()));
    }
    if !spec.node_selector.select(&node.meta.labels) {
        let say = say!("control/kept-by-selector", node = node.meta.name);
        return Some((spec.node_selector.span()?, say));
    }
    let (port, _) = conflict(spec, there)?;
    Some((
        port.span,
        say!("control/kept-by-port", node = node.meta.name),
    ))
}

/// Whether a taint keeps away who tolerates this (`ToleratesTaint`, `pkg/apis/core/v1/helper`).
fn keeps_away(key: &str, value: &str, effect: &str, tolerations: &[Toleration]) -> bool {
    let any = |wanted: &Option<Box<str>>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    let tolerates =
        |t: &Toleration| any(&t.key, key) && any(&t.value, value) && any(&t.effect, effect);
    matches!(effect, "NoSchedule" | "NoExecute") && !tolerations.iter().any(tolerates)
}

/// The first port that another Pod has already.
fn conflict<'t>(spec: &PodSpec, there: &'t [Taken]) -> Option<(Spanned<u16>, &'t Taken)> {
    let meets = |a: Option<IpAddr>, b: Option<IpAddr>| a.zip(b).is_none_or(|(a, b)| a == b);
    spec.host_ports().find_map(|(container, port)| {
        let ip = container.host_ip.map(|ip| ip.value);
        let same = |t: &&Taken| {
            (t.port, t.protocol) == (port.value, container.protocol) && meets(t.ip, ip)
        };
        Some((port, there.iter().find(same)?))
    })
}

fn take(pod: &Pod, there: &mut Vec<Taken>) {
    if lives(pod) {
        let ports = pod.spec.host_ports();
        there.extend(ports.map(|(container, port)| Taken {
            port: port.value,
            protocol: container.protocol,
            ip: container.host_ip.map(|ip| ip.value),
            by: pod.meta.full_name(),
            span: port.span,
        }));
    }
}

fn already(node: &str, pod: &Pod, port: Spanned<u16>, first: &Taken) -> Diagnostic {
    let say = say!(
        "control/host-port-taken",
        port = port.value,
        protocol = first.protocol.name(),
        node = node,
        pod = pod.meta.full_name(),
        other = first.by
    );
    let label = say!("manifest/first-here");
    Diagnostic::error(port.span, say).label(first.span, label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read;
    use crate::text::FileId;

    /// The node of each Pod, and what was said.
    fn placed(nodes: &[&str], pods: &[&str]) -> (Vec<String>, Vec<&'static str>) {
        let node = |n: &&str| format!("{{apiVersion: v1, kind: Node, {n}}}\n---\n");
        let pod = |(at, p): (usize, &&str)| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p{at}}}, spec: {{{p}}}}}\n---\n"
            )
        };
        let pods = pods.iter().enumerate().map(pod);
        let text: String = nodes.iter().map(node).chain(pods).collect();
        let mut cluster = Manifests::default();
        let mut said = read(&text, FileId(0), &mut cluster);
        assert_eq!(said, []);
        run(&mut cluster, &mut said);
        let node = |p: &Pod| match &p.phase {
            Some(phase) => phase.value.to_string(),
            None => p
                .spec
                .node_name
                .as_ref()
                .map_or("-".into(), |n| n.value.to_string()),
        };
        (
            cluster.pods.iter().map(node).collect(),
            said.iter().map(|d| d.code()).collect(),
        )
    }

    const N1: &str = "metadata: {name: n1, labels: {disk: ssd}}";

    #[test]
    fn taints_and_selectors_keep_pods_away() {
        let tainted = "metadata: {name: n2}, spec: {taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]}";
        let pods = [
            "containers: []",
            "containers: []",
            "containers: [], tolerations: [{operator: Exists}]",
            "containers: [], nodeSelector: {disk: hdd}",
        ];
        let (nodes, said) = placed(&[N1, tainted], &pods);
        assert_eq!(nodes, ["n1", "n1", "n2", "-"]);
        assert_eq!(said, ["control/no-node"]);
        let softer = tainted.replace("NoSchedule", "PreferNoSchedule");
        assert_eq!(placed(&[N1, &softer], &pods[..2]).0, ["n1", "n2"]);
    }

    #[test]
    fn a_port_of_a_node_is_one_pods() {
        let of =
            |more: &str| format!("{more}containers: [{{name: c, ports: [{{containerPort: 80}}]}}]");
        let with = |port: &str| of("").replace("{containerPort: 80}", port);
        let host = with("{containerPort: 80, hostPort: 8080}");
        let pods = [&*host, &*host, &*of("hostNetwork: true, ")];
        let (nodes, said) = placed(&[N1], &pods);
        assert_eq!(nodes, ["n1", "-", "n1"]);
        assert_eq!(said, ["control/no-node"]);
        let here = with("{containerPort: 1, hostPort: 80, hostIP: 10.0.0.1}");
        let there = here.replace("10.0.0.1", "10.0.0.2");
        assert_eq!(placed(&[N1], &[&here, &there]).0, ["n1", "n1"]);
        let udp = with("{containerPort: 80, hostPort: 8080, protocol: UDP}");
        assert_eq!(placed(&[N1], &[&host, &udp]).0, ["n1", "n1"]);
        let forced = format!("nodeName: n1, {host}");
        let (nodes, said) = placed(&[N1], &[&forced, &forced]);
        assert_eq!(
            (nodes, said),
            (
                vec!["n1".into(), "Failed".into()],
                vec!["control/host-port-taken"]
            )
        );
    }
}
