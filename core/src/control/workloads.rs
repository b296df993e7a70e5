//! Deployments and their like make Pods; the scheduler gives Pods a node, the CNI's IPAM an address, and the kubelet says
//! that they run. All this for objects that people write by hand: what a dump of a real cluster says stays.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::api_server::draw;
use super::scheduler;
use crate::manifest::{IpFamily, Manifests, Meta, Node, Pod, Spanned, Workload, WorkloadKind};
use crate::say;
use crate::text::Diagnostic;

/// Adds the Pods that are missing and completes those that lack a status.
pub fn run(cluster: &mut Manifests) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let made: Vec<Pod> = cluster
        .workloads
        .iter()
        .flat_map(|workload| pods(workload, cluster))
        .collect();
    for workload in &cluster.workloads {
        if let Some(span) = workload.template.wishes
            && makes_pods(workload, cluster)
        {
            let say = say!("control/wishes", pod = workload.meta.full_name());
            said.push(Diagnostic::warning(span, say));
        }
    }
    cluster.pods.extend(made);
    scheduler::run(cluster, &mut said);
    addresses(cluster, &mut said);
    // Of a node that is not ready, the node controller says the same of its Pods (`pkg/controller/nodelifecycle`).
    let unready = |n: &&Node| n.ready.is_some_and(|r| !r.value);
    let unready: BTreeSet<Box<str>> = cluster
        .nodes
        .iter()
        .filter(unready)
        .map(|n| n.meta.name.clone())
        .collect();
    for pod in &mut cluster.pods {
        let runs = matches!(
            pod.phase.as_ref().map(|p| &*p.value),
            None | Some("Running")
        );
        if runs && !pod.ips.is_empty() {
            let span = pod.meta.span;
            let node = pod.spec.node_name.as_ref();
            let ready = !node.is_some_and(|n| unready.contains(&n.value));
            pod.ready.get_or_insert(Spanned::new(ready, span));
            pod.phase
                .get_or_insert(Spanned::new("Running".into(), span));
        }
    }
    said
}

/// Whether a workload's template makes Pods: not where it has some already, or belongs to another workload.
pub fn makes_pods(workload: &Workload, cluster: &Manifests) -> bool {
    let meta = &workload.meta;
    let selector = &workload.selector.match_labels;
    let owns = |p: &Pod| p.meta.namespace == meta.namespace && selector.select(&p.meta.labels);
    !selector.is_empty() && meta.owner.is_none() && !cluster.pods.iter().any(owns)
}

fn pods(workload: &Workload, cluster: &Manifests) -> Vec<Pod> {
    if !makes_pods(workload, cluster) {
        return Vec::new();
    }
    let meta = &workload.meta;
    let pod = |name: String| Pod {
        meta: Meta {
            name: name.into(),
            namespace: meta.namespace.clone(),
            owner: Some(meta.name.clone()),
            span: meta.span,
            name_span: meta.name_span,
            ..workload.template_meta.clone()
        },
        spec: workload.template.clone(),
        ips: Vec::new(),
        phase: None,
        ready: None,
    };
    // As many as can be drawn and looked at; a real cluster's limit is far beyond.
    let replicas = workload.replicas.value.min(500);
    let name = &meta.name;
    match workload.kind {
        WorkloadKind::StatefulSet => (0..replicas).map(|n| pod(format!("{name}-{n}"))).collect(),
        WorkloadKind::DaemonSet => {
            let takes = |n: &&Node| scheduler::takes_daemon(n, &workload.template);
            let nodes = cluster.nodes.iter().filter(takes);
            let on = |node: &Node| {
                let mut pod = pod(format!(
                    "{name}-{}",
                    letters(&meta_key(meta, &node.meta.name), 5)
                ));
                let node = Spanned::new(node.meta.name.clone(), meta.span);
                pod.spec.node_name = Some(node);
                pod
            };
            nodes.map(on).collect()
        }
        WorkloadKind::Deployment => {
            let set = format!("{name}-{}", letters(&meta_key(meta, ""), 9));
            let one = |n| pod(format!("{set}-{}", letters(&format!("{set}/{n}"), 5)));
            (0..replicas).map(one).collect()
        }
        WorkloadKind::ReplicaSet => {
            let one = |n: u32| {
                pod(format!(
                    "{name}-{}",
                    letters(&meta_key(meta, &n.to_string()), 5)
                ))
            };
            (0..replicas).map(one).collect()
        }
    }
}

fn meta_key(meta: &Meta, more: &str) -> String {
    format!("{}/{}/{more}", meta.namespace, meta.name)
}

/// Letters that a name may end in (apimachinery `util/rand`): no vowels, so that no words come out.
fn letters(key: &str, count: usize) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let letter = |at| ALPHABET[draw(&format!("{key}#{at}"), 27) as usize];
    (0..count).map(|at| char::from(letter(at))).collect()
}

/// An address of its node's network for each Pod without one, in order, from behind the bridge's own (CNI `host-local`).
fn addresses(cluster: &mut Manifests, said: &mut Vec<Diagnostic>) {
    let mut taken: BTreeSet<IpAddr> = cluster
        .pods
        .iter()
        .flat_map(|p| p.ips.iter().map(|i| i.value))
        .collect();
    for pod in cluster.pods.iter_mut().filter(|p| p.ips.is_empty()) {
        let Some(node) = &pod.spec.node_name else {
            continue;
        };
        let Some(node) = cluster.nodes.iter().find(|n| n.meta.name == node.value) else {
            continue;
        };
        let ended = matches!(
            pod.phase.as_ref().map(|p| &*p.value),
            Some("Succeeded" | "Failed" | "Pending")
        );
        if ended {
            continue;
        }
        if pod.spec.host_network {
            // One of each family, the first first (kubelet, `generateAPIPodStatus`).
            let mut own: Vec<IpAddr> = node.internal_ips.iter().map(|ip| ip.value).collect();
            own.dedup_by_key(|ip| IpFamily::of(*ip));
            let own = own.into_iter().take(2);
            pod.ips
                .extend(own.map(|ip| Spanned::new(ip, pod.meta.span)));
            continue;
        }
        for family in IpFamily::ALL {
            let Some(net) = node.pod_cidr(family) else {
                continue;
            };
            let free = net
                .value
                .iter()
                .skip(2)
                .take(1024)
                .find(|ip| !taken.contains(ip));
            match free.filter(|ip| *ip != net.value.broadcast()) {
                Some(ip) => {
                    taken.insert(ip);
                    pod.ips.push(Spanned::new(ip, pod.meta.span));
                }
                None => {
                    let say = say!(
                        "control/network-full",
                        net = net.value,
                        pod = pod.meta.full_name()
                    );
                    said.push(Diagnostic::warning(pod.meta.name_span, say));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read;
    use crate::text::FileId;

    fn ran(text: &str) -> Vec<String> {
        let mut cluster = Manifests::default();
        assert_eq!(read(text, FileId(0), &mut cluster), []);
        let said = run(&mut cluster);
        let pod = |p: &Pod| {
            let node = p.spec.node_name.as_ref().map_or("-", |n| &*n.value);
            let ips: Vec<_> = p.ips.iter().map(|ip| ip.value.to_string()).collect();
            let ready = p.ready.is_some_and(|r| r.value);
            format!("{} {node} {} {ready}", p.meta.name, ips.join(","))
        };
        let said = said.iter().map(|d| d.code().to_string());
        cluster.pods.iter().map(pod).chain(said).collect()
    }

    const NODES: &str = "\
{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.244.1.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.244.2.0/24}}
";

    fn workload(kind: &str, replicas: &str) -> String {
        format!(
            "{NODES}---\n{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: web}}, spec: {{{replicas}selector: {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c}}]}}}}}}}}\n"
        )
    }

    #[test]
    fn a_deployment_makes_as_many_pods_as_it_has_replicas() {
        let pods = ran(&workload("Deployment", "replicas: 3, "));
        let places: Vec<_> = pods.iter().map(|p| p.split_once(' ').unwrap().1).collect();
        assert_eq!(
            places,
            [
                "n1 10.244.1.2 true",
                "n2 10.244.2.2 true",
                "n1 10.244.1.3 true"
            ]
        );
        let more = ran(&workload("Deployment", "replicas: 4, "));
        assert_eq!(more[..3], pods[..3], "scaling up leaves the others alone");
        let (set, last) = pods[0].split(' ').next().unwrap().rsplit_once('-').unwrap();
        assert_eq!((set.len(), last.len()), ("web-".len() + 9, 5));
    }

    #[test]
    fn other_workloads_name_their_pods_in_their_own_way() {
        assert_eq!(
            ran(&workload("StatefulSet", "replicas: 2, ")),
            ["web-0 n1 10.244.1.2 true", "web-1 n2 10.244.2.2 true"]
        );
        let daemons = ran(&workload("DaemonSet", ""));
        assert!(daemons[0].ends_with(" n1 10.244.1.2 true"));
        assert!(daemons[1].ends_with(" n2 10.244.2.2 true"));
    }

    #[test]
    fn a_daemon_is_where_the_network_is_not_only_on_the_hosts_own() {
        let taint =
            "spec: {taints: [{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}], ";
        let at = NODES.find("spec: {").unwrap();
        let nodes = [&NODES[..at], taint, &NODES[at + "spec: {".len()..]].concat();
        let daemons = workload("DaemonSet", "").replacen(NODES, &nodes, 1);
        assert_eq!(ran(&daemons).len(), 1);
        let of_hosts = daemons.replace("spec: {containers", "spec: {hostNetwork: true, containers");
        assert_eq!(ran(&of_hosts).len(), 2);
    }

    #[test]
    fn what_a_dump_says_of_its_pods_stays() {
        let pods = "---\n{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: web}}, spec: {nodeName: n2, containers: [{name: c}]}, status: {phase: Running, podIP: 10.244.2.9, conditions: [{type: Ready, status: 'False'}]}}\n";
        assert_eq!(
            ran(&[&workload("Deployment", ""), pods].concat()),
            ["a n2 10.244.2.9 false"]
        );
        let pending = pods
            .replace("nodeName: n2, ", "")
            .replace("phase: Running, podIP: 10.244.2.9, ", "phase: Pending, ");
        assert_eq!(ran(&[NODES, &pending].concat()), ["a n1  false"]);
    }

    #[test]
    fn a_pod_on_the_hosts_network_has_its_nodes_address() {
        let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostNetwork: true, containers: [{name: c}]}}\n";
        assert_eq!(ran(&[NODES, pod].concat()), ["a n1 192.168.0.1 true"]);
        let nowhere = pod.replace("hostNetwork: true", "nodeName: n9");
        assert_eq!(
            ran(&[NODES, &nowhere].concat()),
            ["a n9  false", "control/no-such-node"]
        );
    }
}
