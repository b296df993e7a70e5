//! The EndpointSlice mirroring controller: kube-proxy reads EndpointSlices alone, and some people write Endpoints (Kubernetes
//! `pkg/controller/endpointslicemirroring`).

use std::collections::BTreeMap;

use crate::manifest::{
    AddressType, EndpointSlice, Endpoints, IpFamily, Labels, Manifests, Meta, Service, Spanned,
};
use crate::say;
use crate::text::Diagnostic;

const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const OWN_NAME: &str = "endpointslicemirroring-controller.k8s.io";

/// A slice for each family of each subset.
pub(super) fn slices(cluster: &Manifests, said: &mut Vec<Diagnostic>) -> Vec<EndpointSlice> {
    let key = |meta: &Meta| (meta.namespace.clone(), meta.name.clone());
    let services = cluster.services.iter().map(|s| (key(&s.meta), s));
    let services: BTreeMap<_, &Service> = services.collect();
    let mut slices = Vec::new();
    for endpoints in cluster.endpoints.iter().filter(|e| is_mirrored(&e.meta)) {
        let name = endpoints.meta.full_name();
        let Some(service) = services.get(&key(&endpoints.meta)) else {
            let say = say!("control/endpoints-without-service", endpoints = name);
            said.push(Diagnostic::warning(endpoints.meta.name_span, say));
            continue;
        };
        if !service.selector.is_empty() {
            let say = say!("control/endpoints-of-selector", service = name);
            said.push(Diagnostic::note(endpoints.meta.name_span, say));
            continue;
        }
        // A dump has both.
        let own = |s: &EndpointSlice| {
            let by = s.meta.labels.get(MANAGED_BY);
            s.is_of(service) && by.is_some_and(|by| *by.value == *OWN_NAME)
        };
        if !cluster.endpoint_slices.iter().any(own) {
            slices.extend(mirrored(endpoints));
        }
    }
    slices
}

/// Not those that are the lock of an election, nor those whose author sees to slices.
fn is_mirrored(meta: &Meta) -> bool {
    let skip = meta.labels.get("endpointslice.kubernetes.io/skip-mirror");
    let leader = meta
        .annotations
        .get("control-plane.alpha.kubernetes.io/leader");
    skip.is_none_or(|v| *v.value != *"true") && leader.is_none()
}

fn mirrored(endpoints: &Endpoints) -> Vec<EndpointSlice> {
    let mut slices = Vec::new();
    let meta = &endpoints.meta;
    for subset in &endpoints.subsets {
        for (family, address_type) in [
            (IpFamily::V4, AddressType::V4),
            (IpFamily::V6, AddressType::V6),
        ] {
            let of_family = subset.endpoints.iter().filter(|e| {
                let ip = e.address.map(|ip| IpFamily::of(ip.value));
                ip == Some(family)
            });
            let of_family: Vec<_> = of_family.cloned().collect();
            if of_family.is_empty() {
                continue;
            }
            let own = meta.labels.iter().map(|(key, value)| (key, &*value.value));
            let more = [
                (MANAGED_BY, OWN_NAME),
                ("kubernetes.io/service-name", &*meta.name),
            ];
            slices.push(EndpointSlice {
                meta: Meta {
                    // The real controller draws five letters.
                    name: format!("{}-{:05}", meta.name, slices.len()).into(),
                    labels: more.into_iter().chain(own).collect::<Labels>(),
                    ..meta.clone()
                },
                service: Some(Spanned::new(meta.name.clone(), meta.name_span)),
                address_type,
                ports: subset.ports.clone(),
                endpoints: of_family,
            });
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read;
    use crate::text::FileId;

    /// Each slice as `name: addresses`, then what was said.
    fn mirrored(text: &str) -> Vec<String> {
        let mut cluster = Manifests::default();
        assert_eq!(read(text, FileId(0), &mut cluster), []);
        let mut said = Vec::new();
        let slices = slices(&cluster, &mut said);
        let slice = |s: &EndpointSlice| {
            let ports: Vec<_> = s
                .ports
                .iter()
                .map(|p| p.port.unwrap().value.to_string())
                .collect();
            let endpoints = s.endpoints.iter().map(|e| {
                let ready = if e.ready { "" } else { " unready" };
                format!(" {}{ready}", e.address.unwrap().value)
            });
            format!(
                "{} {}:{}",
                s.meta.name,
                ports.join(","),
                endpoints.collect::<String>()
            )
        };
        let said = said.iter().map(|d| d.code().to_string());
        slices.iter().map(slice).chain(said).collect()
    }

    const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: 10.96.0.9, ports: [{port: 5432}]}}\n---\n";
    const ENDPOINTS: &str = "{apiVersion: v1, kind: Endpoints, metadata: {name: db}, subsets: [{addresses: [{ip: 10.1.2.3}, {ip: 'fd00::3'}], notReadyAddresses: [{ip: 10.1.2.4}], ports: [{port: 5432}]}]}\n";

    #[test]
    fn endpoints_of_a_service_without_selector_become_slices() {
        assert_eq!(
            mirrored(&[SERVICE, ENDPOINTS].concat()),
            [
                "db-00000 5432: 10.1.2.3 10.1.2.4 unready",
                "db-00001 5432: fd00::3"
            ]
        );
    }

    #[test]
    fn those_of_a_selector_are_its_controllers() {
        let selecting = SERVICE.replace("ports:", "selector: {app: db}, ports:");
        assert_eq!(
            mirrored(&[&selecting, ENDPOINTS].concat()),
            ["control/endpoints-of-selector"]
        );
        assert_eq!(mirrored(ENDPOINTS), ["control/endpoints-without-service"]);
    }

    #[test]
    fn some_say_that_they_are_not_to_be_mirrored() {
        let label = "{name: db, labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}}";
        let skipped = ENDPOINTS.replacen("{name: db}", label, 1);
        assert_eq!(mirrored(&[SERVICE, &skipped].concat()), [""; 0]);
    }
}
