//! Where pods are, and the labels that say so. Source: `pilot/pkg/serviceregistry/util/label`, `getPodLocality`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::manifest::{self, Manifests};

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::control::istiod) struct Locality {
    pub(in crate::control::istiod) region: String,
    pub(in crate::control::istiod) zone: String,
    pub(in crate::control::istiod) subzone: String,
}

impl Locality {
    pub(in crate::control::istiod) fn parse(text: &str) -> Self {
        let mut parts = text.split('/').map(str::to_string);
        let mut next = || parts.next().unwrap_or_default();
        Self {
            region: next(),
            zone: next(),
            subzone: next(),
        }
    }

    /// Whether `rule`, such as `region/zone/*`, holds this place.
    pub(in crate::control::istiod) fn is_in(&self, rule: &str) -> bool {
        let own = [&self.region, &self.zone, &self.subzone];
        for (part, own) in rule.split('/').zip(own) {
            if part == "*" {
                return true;
            }
            if part != own {
                return false;
            }
        }
        true
    }
}

pub(in crate::control::istiod) fn pod(manifests: &Manifests, ip: IpAddr) -> Option<&manifest::Pod> {
    manifests
        .pods
        .iter()
        .find(|p| p.ips.iter().any(|i| i.value == ip))
}

pub(in crate::control::istiod) fn node_of(pod: &manifest::Pod) -> Option<&str> {
    pod.spec.node_name.as_ref().map(|n| &*n.value)
}

/// Where a pod is, and its labels with those that istiod gives it for that.
pub(in crate::control::istiod) fn placed(
    labels: BTreeMap<String, String>,
    node: Option<&str>,
    manifests: &Manifests,
) -> (Locality, BTreeMap<String, String>) {
    let locality = locality(&labels, node, manifests);
    let labels = augmented(labels, &locality, node);
    (locality, labels)
}

/// Labels with those of a place (`AugmentLabels`).
pub(super) fn augmented(
    mut labels: BTreeMap<String, String>,
    locality: &Locality,
    node: Option<&str>,
) -> BTreeMap<String, String> {
    let places = [
        (REGION, locality.region.as_str()),
        (ZONE, &locality.zone),
        (SUBZONE, &locality.subzone),
        ("topology.istio.io/cluster", "Kubernetes"),
        ("kubernetes.io/hostname", node.unwrap_or("")),
    ];
    for (key, value) in places.into_iter().filter(|(_, value)| !value.is_empty()) {
        labels.insert(key.into(), value.into());
    }
    labels
}

pub(in crate::control::istiod) fn labels_in_place(
    pod: &manifest::Pod,
    manifests: &Manifests,
) -> BTreeMap<String, String> {
    placed(labels(&pod.meta.labels), node_of(pod), manifests).1
}

pub(super) fn labels(labels: &manifest::Labels) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(k, v)| (k.to_string(), v.value.to_string()))
        .collect()
}

const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";
const SUBZONE: &str = "topology.istio.io/subzone";

/// What the label `istio-locality` says, in which `.` stands for `/` (`SanitizeLocalityLabel`).
pub(super) fn said_locality(labels: &BTreeMap<String, String>) -> Option<Locality> {
    let said = labels.get("istio-locality").filter(|l| !l.is_empty())?;
    Some(match said.contains('/') {
        true => Locality::parse(said),
        false => Locality::parse(&said.replace('.', "/")),
    })
}

/// A pod's place: as its label says, or its node's labels.
fn locality(
    labels: &BTreeMap<String, String>,
    node: Option<&str>,
    manifests: &Manifests,
) -> Locality {
    if let Some(said) = said_locality(labels) {
        return said;
    }
    let found = node.and_then(|name| manifests.nodes.iter().find(|n| &*n.meta.name == name));
    let label = |keys: [&str; 2]| {
        let labels = found.map(|n| &n.meta.labels);
        let value = keys.iter().find_map(|k| labels.and_then(|l| l.get(k)));
        value.map(|v| v.value.to_string()).unwrap_or_default()
    };
    Locality {
        region: label([REGION, "failure-domain.beta.kubernetes.io/region"]),
        zone: label([ZONE, "failure-domain.beta.kubernetes.io/zone"]),
        subzone: label([SUBZONE, ""]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;

    #[test]
    fn a_pod_has_the_labels_of_its_place() {
        let text = "
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: z}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: a, image: a}]}
";
        let mut manifests = Manifests::default();
        manifest::read(text, FileId(0), &mut manifests);
        let all = labels_in_place(&manifests.pods[0], &manifests);
        let all: Vec<String> = all.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            all,
            [
                "app=web",
                "kubernetes.io/hostname=n1",
                "topology.istio.io/cluster=Kubernetes",
                "topology.kubernetes.io/region=r",
                "topology.kubernetes.io/zone=z",
            ]
        );
    }
}
