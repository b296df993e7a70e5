//! What guards a workspace's Pods, put into their hosts.

use std::collections::BTreeMap;

use super::build::pod_name;
use crate::control::cluster::Guarded;
use crate::topology::{HostKind, World};

/// A node whose rules are told has those that enforce the policies among them.
pub fn set(world: &mut World, guarded: &[Guarded]) {
    if guarded.is_empty() {
        return;
    }
    let names = guarded.iter().map(|g| pod_name(Some(&g.namespace), &g.pod));
    let guards: BTreeMap<_, _> = names.zip(guarded.iter().map(|g| &g.guard)).collect();
    let nodes = world.hosts.iter().filter(|h| h.kind == HostKind::Node);
    let told = nodes.filter(|h| {
        let chains =
            |t: &crate::netfilter::Table| t.chains.iter().any(|c| c.name.starts_with("cali-"));
        h.iptables.is_made() && h.iptables.tables.iter().any(chains)
    });
    let told: Vec<_> = told.map(|h| h.name.clone()).collect();
    let pods = world.hosts.iter_mut().filter(|h| h.kind == HostKind::Pod);
    for pod in pods.filter(|p| p.node.as_ref().is_none_or(|n| !told.contains(n))) {
        if let Some(guard) = guards.get(&pod.name) {
            pod.guard = (*guard).clone();
        }
    }
}
