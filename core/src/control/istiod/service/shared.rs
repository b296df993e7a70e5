//! Endpoints that services of one host and namespace share. Source: `mergeServicesInstancesByNamespaceHost` of
//! `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `snapshotShards` and `CopyEndpoints` of istiod's endpoint index.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Endpoint, Port, Resolution, Service};

/// Tells each service the endpoints of all that have its host in its namespace: those of ServiceEntries, oldest first, then
/// Kubernetes' own.
pub(super) fn share(services: &mut [Service]) {
    let mut groups: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        let key = (service.namespace.clone(), service.hostname.clone());
        groups.entry(key).or_default().push(at);
    }
    for mut group in groups.into_values() {
        let of = |at: &usize| services.get(*at);
        if group.iter().filter_map(of).all(|s| s.kubernetes) {
            continue;
        }
        group.sort_by_key(|at| of(at).is_some_and(|s| s.kubernetes));
        let instances = instances(group.iter().filter_map(of));
        for at in group {
            if let Some(service) = services.get_mut(at) {
                service.shared = Some(instances.iter().filter_map(|i| i.of(service)).collect());
            }
        }
    }
}

/// An endpoint with the service that brought it.
struct Instance {
    endpoint: Endpoint,
    kubernetes: bool,
    ports: Vec<Port>,
}

/// All endpoints of these. Of a service that is resolved in turn, a port has none where another has it already.
fn instances<'s>(services: impl Iterator<Item = &'s Service>) -> Vec<Instance> {
    let mut out = Vec::new();
    let mut taken: BTreeSet<u16> = BTreeSet::new();
    for service in services {
        for endpoint in &service.endpoints {
            let mut endpoint = endpoint.clone();
            for port in &service.ports {
                if !endpoint.ports.contains_key(&port.name) {
                    continue;
                }
                let new = taken.insert(port.number);
                if !new && service.resolution == Resolution::DnsRoundRobin {
                    endpoint.ports.remove(&port.name);
                }
            }
            out.push(Instance {
                endpoint,
                kubernetes: service.kubernetes,
                ports: service.ports.clone(),
            });
        }
    }
    out
}

impl Instance {
    /// As an endpoint of a service: one told to proxies has ports by their names, one in the cluster itself by their numbers,
    /// save Kubernetes' own.
    fn of(&self, service: &Service) -> Option<Endpoint> {
        let dns = matches!(
            service.resolution,
            Resolution::Dns | Resolution::DnsRoundRobin
        );
        let mut endpoint = self.endpoint.clone();
        if !dns {
            let address = &endpoint.address;
            let told = address.starts_with("unix://") || address.parse::<IpAddr>().is_ok();
            return told.then_some(endpoint);
        }
        if !self.kubernetes {
            let port = |p: &Port| {
                let own = self.ports.iter().find(|own| own.number == p.number)?;
                let number = self.endpoint.ports.get(&own.name)?;
                Some((p.name.clone(), *number))
            };
            endpoint.ports = service.ports.iter().filter_map(port).collect();
        }
        (!endpoint.ports.is_empty()).then_some(endpoint)
    }
}
