//! Services of Kubernetes, with what their EndpointSlices say. Source: `pkg/config/kube/conversion.go`,
//! `pilot/pkg/serviceregistry/kube/controller/endpointslice.go`.

use std::collections::BTreeMap;

use super::place::{labels, node_of, placed, pod};
use super::{Endpoint, Port, Protocol, Resolution, Service, tls_mode};
use crate::control::istiod::mesh::MeshConfig;
use crate::manifest::{self, EndpointSlice, Manifests};

pub(super) fn kubernetes(
    service: &manifest::Service,
    slices: &[&EndpointSlice],
    manifests: &Manifests,
    mesh: &MeshConfig,
) -> Service {
    let meta = &service.meta;
    let export_to = meta.annotations.get("networking.istio.io/exportTo");
    let external_name = service
        .external_name
        .as_ref()
        .map(|n| n.to_string())
        .unwrap_or_default();
    let ports = service
        .ports
        .iter()
        .map(|p| Port {
            name: p.name.to_string(),
            number: p.port.value,
            target: p.target.value.clone(),
            protocol: Protocol::of_port(
                &p.name,
                p.port.value,
                p.protocol == manifest::Protocol::Udp,
                p.app_protocol.as_deref(),
            ),
            span: p.span,
        })
        .collect();
    let headless = service.headless;
    let mut made = Service {
        hostname: format!("{}.{}.svc.{}", meta.name, meta.namespace, mesh.domain),
        namespace: meta.namespace.to_string(),
        ports,
        addresses: service
            .cluster_ips
            .iter()
            .map(|ip| ip.value.to_string())
            .collect(),
        resolution: if !external_name.is_empty() {
            Resolution::Dns
        } else if headless {
            Resolution::Passthrough
        } else {
            Resolution::Endpoints
        },
        kubernetes: true,
        external: !external_name.is_empty(),
        external_name,
        export_to: export_to
            .map(|v| v.split(',').map(|s| s.trim().to_string()).collect())
            .unwrap_or_default(),
        selector: service
            .selector
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
        endpoints: Vec::new(),
        shared: None,
        span: meta.span,
    };
    let unready = service.publish_not_ready_addresses.is_some();
    made.endpoints = endpoints(slices, manifests, unready);
    made
}

fn endpoints(slices: &[&EndpointSlice], manifests: &Manifests, unready: bool) -> Vec<Endpoint> {
    let mut all: Vec<Endpoint> = Vec::new();
    for slice in slices {
        let ports: BTreeMap<String, u16> = slice
            .ports
            .iter()
            .filter_map(|p| Some((p.name.to_string(), p.port.as_ref()?.value)))
            .collect();
        for endpoint in slice.endpoints.iter().filter(|e| e.ready || unready) {
            for address in endpoint.addresses() {
                let ip = address.value.to_string();
                // The same address may stand in a second slice for other ports.
                if let Some(known) = all.iter_mut().find(|e| e.address == ip) {
                    known.ports.extend(ports.clone());
                    continue;
                }
                let pod = pod(manifests, address.value);
                let own = pod.map(|p| labels(&p.meta.labels)).unwrap_or_default();
                let (locality, labels) = placed(own, pod.and_then(node_of), manifests);
                all.push(Endpoint {
                    address: ip,
                    ports: ports.clone(),
                    locality,
                    tls_mode: tls_mode(&labels, false),
                    labels,
                    weight: 1,
                    span: endpoint.span,
                });
            }
        }
    }
    all
}
