//! What a workspace holds, and what of it the model passes over.

use std::collections::BTreeMap;

use crate::control::mesh;
use crate::manifest::{self, Manifests};
use crate::text::FileId;
use crate::workspace::{FileKind, Workspace};

/// Counts by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Objects that have a part in the model: `Service`, 12.
    pub modelled: Vec<(String, usize)>,
    /// Objects that are kept and have none: `batch/v1 Job`, 3.
    pub passed_over: Vec<(String, usize)>,
    /// Remarks by their code: fields, rules and options that are not modelled or not understood.
    pub remarks: Vec<(&'static str, usize)>,
}

pub fn inventory(workspace: &Workspace) -> Inventory {
    let mut objects = Manifests::default();
    let mut codes: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (at, file) in (0..).zip(&workspace.files) {
        if FileKind::of(&file.name) == FileKind::Manifests {
            for said in manifest::read(&file.text, FileId(at), &mut objects) {
                *codes.entry(said.code()).or_default() += 1;
            }
        }
    }
    let mut modelled: Vec<(String, usize)> = [
        ("Service", objects.services.len()),
        ("EndpointSlice", objects.endpoint_slices.len()),
        ("Endpoints", objects.endpoints.len()),
        ("Node", objects.nodes.len()),
        ("Pod", objects.pods.len()),
        ("Namespace", objects.namespaces.len()),
        ("KubeProxyConfiguration", objects.kube_proxy.len()),
        ("Environment", objects.environments.len()),
    ]
    .map(|(kind, count)| (kind.to_string(), count))
    .into();
    let mut more: BTreeMap<String, usize> = BTreeMap::new();
    for workload in &objects.workloads {
        *more.entry(format!("{:?}", workload.kind)).or_default() += 1;
    }
    let mut over: BTreeMap<String, usize> = BTreeMap::new();
    for other in &objects.others {
        let read = mesh::reads(other);
        let name = match read {
            true => other.kind.to_string(),
            false => format!("{} {}", other.api_version, other.kind),
        };
        let counted = if read { &mut more } else { &mut over };
        *counted.entry(name).or_default() += 1;
    }
    modelled.extend(more);
    modelled.retain(|(_, count)| *count > 0);
    Inventory {
        modelled,
        passed_over: over.into_iter().collect(),
        remarks: codes.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::File;
    use crate::workspace::parse_probe;

    #[test]
    fn what_nobody_reads_is_counted_and_named() {
        let text = "\
{apiVersion: v1, kind: List, items: [
  {apiVersion: batch/v1, kind: Job, metadata: {name: a}},
  {apiVersion: batch/v1, kind: Job, metadata: {name: b}},
  {apiVersion: v1, kind: Node, metadata: {name: n}},
  {apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g}},
  {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}},
  {apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: f}}]}
";
        let found = inventory(&Workspace {
            files: vec![File::new("cluster.yaml", text)],
            probe: parse_probe("client tcp 10.0.0.1:80").unwrap(),
            seed: 1,
        });
        let names = |of: &[(String, usize)]| -> Vec<String> {
            of.iter().map(|(k, n)| format!("{n} {k}")).collect()
        };
        assert_eq!(names(&found.modelled), ["1 Node", "1 Gateway", "1 Ingress"]);
        assert_eq!(
            names(&found.passed_over),
            [
                "2 batch/v1 Job",
                "1 networking.istio.io/v1alpha3 EnvoyFilter"
            ]
        );
    }
}
