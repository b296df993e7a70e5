//! The services that istiod knows: Kubernetes' and those of ServiceEntries, with their endpoints.
//! Source: `pilot/pkg/serviceregistry/kube/conversion.go`, `…/serviceentry/conversion.go`, `pkg/config/kube/conversion.go`.

mod entry;
mod kubernetes;
mod place;
mod protocol;
mod shared;
mod workload;

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::mesh::MeshConfig;
use super::message::Ask;
use super::object::Object;
use crate::manifest::{EndpointSlice, Manifests, TargetPort};
use crate::text::Span;

use entry::external;
use kubernetes::kubernetes;
pub(super) use place::{Locality, labels_in_place, node_of, placed, pod};
pub(super) use protocol::Protocol;
use workload::Workload;
pub(super) use workload::named_ports;

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) hostname: String,
    pub(super) namespace: String,
    pub(super) ports: Vec<Port>,
    pub(super) addresses: Vec<String>,
    pub(super) resolution: Resolution,
    pub(super) kubernetes: bool,
    /// It is no part of the mesh (`MeshExternal`).
    pub(super) external: bool,
    pub(super) external_name: String,
    pub(super) export_to: Vec<String>,
    pub(super) selector: Vec<(String, String)>,
    /// Those that are its own.
    pub(super) endpoints: Vec<Endpoint>,
    /// Those of all that have its host in its namespace, where ServiceEntries do.
    shared: Option<Vec<Endpoint>>,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// Endpoints are told to the proxy.
    Endpoints,
    Dns,
    DnsRoundRobin,
    /// The proxy calls where the client meant to go.
    Passthrough,
}

#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) number: u16,
    /// The port in the pod; a name is one that each pod resolves.
    pub(super) target: TargetPort,
    pub(super) protocol: Protocol,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) address: String,
    /// By the name of the service's port.
    pub(super) ports: BTreeMap<String, u16>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) locality: Locality,
    pub(super) weight: u32,
    /// How it is to be called (`TLSMode`): `istio` where it has a sidecar, `disabled` where it has none.
    pub(super) tls_mode: String,
    pub(super) span: Span,
}

/// The values of `TLSMode` that Istio knows.
const ISTIO: &str = "istio";
const DISABLED: &str = "disabled";

/// What a workload's labels say of its sidecar, the injector's note of a pod's; without, whether it has a mesh's identity
/// (`GetTLSModeFromEndpointLabels`, `getTLSModeFromWorkloadEntry`).
fn tls_mode(labels: &BTreeMap<String, String>, identified: bool) -> String {
    match labels.get("security.istio.io/tlsMode") {
        Some(said) => said.clone(),
        None if identified => ISTIO.to_string(),
        None => DISABLED.to_string(),
    }
}

impl Endpoint {
    pub(super) fn has_sidecar(&self) -> bool {
        self.tls_mode == ISTIO
    }

    pub(super) fn has_none(&self) -> bool {
        self.tls_mode == DISABLED
    }
}

impl Service {
    pub(super) fn port(&self, number: u16) -> Option<&Port> {
        self.ports.iter().find(|p| p.number == number)
    }

    /// Whether a pod with these labels is one of its own.
    pub(super) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |(key, value): &(String, String)| labels.get(key) == Some(value);
        self.kubernetes && !self.selector.is_empty() && self.selector.iter().all(has)
    }

    /// Its own endpoint at one of these addresses.
    pub(super) fn endpoint_at(&self, addresses: &[IpAddr]) -> Option<&Endpoint> {
        let mut own = addresses.iter().map(ToString::to_string);
        own.find_map(|address| self.endpoints.iter().find(|e| e.address == address))
    }

    /// The endpoints that proxies call.
    pub(super) fn called(&self) -> &[Endpoint] {
        self.shared.as_ref().unwrap_or(&self.endpoints)
    }

    /// Whether proxies of a namespace know it.
    pub(super) fn visible_in(&self, namespace: &str, mesh: &MeshConfig) -> bool {
        let to = if self.export_to.is_empty() {
            &mesh.service_export_to
        } else {
            &self.export_to
        };
        exported(to, &self.namespace, namespace)
    }
}

/// Whether what an object is exported to takes in a namespace.
pub(super) fn exported(to: &[String], own: &str, namespace: &str) -> bool {
    to.iter().any(|t| match t.as_str() {
        "*" => true,
        "." => own == namespace,
        "~" => false,
        other => other == namespace,
    })
}

/// What selectors choose from.
struct Workloads {
    entries: Vec<Workload>,
    pods: Vec<Workload>,
}

/// All services: Kubernetes', then those of ServiceEntries, oldest first (`SortServicesByCreationTime`).
pub(super) fn services(
    manifests: &Manifests,
    entries: &[Object],
    workloads: &[Object],
    mesh: &MeshConfig,
) -> Vec<Service> {
    let workloads = Workloads {
        entries: workload::entries(workloads),
        pods: workload::pods(manifests),
    };
    let mut all: Vec<Service> = Vec::new();
    let mut slices: BTreeMap<(&str, &str), Vec<&EndpointSlice>> = BTreeMap::new();
    for slice in &manifests.endpoint_slices {
        if let Some(service) = &slice.service {
            let of = (&*slice.meta.namespace, &*service.value);
            slices.entry(of).or_default().push(slice);
        }
    }
    for service in &manifests.services {
        let of = (&*service.meta.namespace, &*service.meta.name);
        let slices = slices.get(&of).map_or(&[][..], Vec::as_slice);
        let mut made = kubernetes(service, slices, manifests, mesh);
        // Workloads outside of the cluster too, where a selector fits them (`serviceInstancesFromWorkloadInstances`).
        if made.resolution == Resolution::Endpoints && !made.selector.is_empty() {
            let fits = |w: &&Workload| {
                let wanted = made.selector.iter().map(|(k, v)| (k.as_str(), v.as_str()));
                w.namespace == made.namespace && w.is_selected(wanted) && !w.has_name_only()
            };
            let more = workloads.entries.iter().filter(fits);
            let more: Vec<Endpoint> = more.map(|w| w.endpoint(&made.ports)).collect();
            made.endpoints.extend(more);
        }
        all.push(made);
    }
    let mut hosts: Vec<(&Object, &str)> = Vec::new();
    for entry in entries {
        hosts.extend(entry.spec.texts("hosts").into_iter().map(|h| (entry, h)));
    }
    hosts.sort_by(|(a, of_a), (b, of_b)| {
        let names = (of_a, &a.namespace, &a.name).cmp(&(of_b, &b.namespace, &b.name));
        a.by_age(b).then(names)
    });
    let made = hosts.into_iter();
    all.extend(made.map(|(entry, hostname)| external(entry, hostname, &workloads)));
    shared::share(&mut all);
    all
}
