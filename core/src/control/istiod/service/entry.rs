//! Services of ServiceEntries, and the WorkloadEntries that are endpoints. Source:
//! `pilot/pkg/serviceregistry/serviceentry/conversion.go`.

use std::collections::BTreeMap;

use super::place::{labels, node_of, placed};
use super::{Endpoint, Locality, Port, Protocol, Resolution, Service};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::manifest::Manifests;
use crate::net::IpNetwork;

/// The WorkloadEntries of a namespace that have some labels, with all of their labels: those of the object count more.
pub(super) fn selected<'o>(
    workloads: &'o [Object],
    namespace: &'o str,
    wanted: &[(&str, &str)],
) -> Vec<(&'o Object, BTreeMap<String, String>)> {
    let own = workloads.iter().filter(move |w| w.namespace == namespace);
    let labelled = own.map(|w| {
        let of_spec = w.spec.sorted("labels").into_iter();
        let of_spec = of_spec.map(|l| (l.key.to_string(), l.value.str().unwrap_or("").to_string()));
        (
            w,
            of_spec.chain(w.labels.clone()).collect::<BTreeMap<_, _>>(),
        )
    });
    let fits = |labels: &BTreeMap<String, String>| {
        let has = |(k, v): &(&str, &str)| labels.get(*k).is_some_and(|l| l == v);
        wanted.iter().all(has)
    };
    labelled.filter(|(_, labels)| fits(labels)).collect()
}

/// A WorkloadEntry as an endpoint: its own port of a name, or the service's (`convertEndpoint`).
pub(super) fn workload(
    entry: &Object,
    labels: BTreeMap<String, String>,
    ports: &[Port],
) -> Endpoint {
    let spec = &entry.spec;
    let own = |port: &Port| {
        let given = spec.get("ports").map_or(0, |p| p.number(&port.name));
        u16::try_from(given).ok().filter(|p| *p > 0).or(port.target)
    };
    let ports = ports.iter().filter_map(|p| Some((p.name.clone(), own(p)?)));
    let locality = match spec.text("locality") {
        "" => labels
            .get("istio-locality")
            .map_or(String::new(), |l| l.replace('.', "/")),
        said => said.to_string(),
    };
    Endpoint {
        address: spec.text("address").to_string(),
        ports: ports.collect(),
        labels,
        locality: Locality::parse(&locality),
        weight: u32::try_from(spec.number("weight"))
            .ok()
            .filter(|w| *w > 0)
            .unwrap_or(1),
        span: entry.span,
    }
}

pub(super) fn external(
    entry: &Object,
    hostname: &str,
    manifests: &Manifests,
    workloads: &[Object],
) -> Service {
    let spec = &entry.spec;
    let ports: Vec<Port> = spec
        .each("ports")
        .iter()
        .map(|p| {
            let number = u16::try_from(p.number("number")).unwrap_or(0);
            Port {
                name: p.text("name").to_string(),
                number,
                target: u16::try_from(p.number("targetPort"))
                    .ok()
                    .filter(|t| *t > 0)
                    .or(Some(number)),
                protocol: Protocol::parse(p.text("protocol")),
                span: p.span,
            }
        })
        .collect();
    let resolution = match spec.text("resolution") {
        "STATIC" => Resolution::Endpoints,
        "DNS" => Resolution::Dns,
        "DNS_ROUND_ROBIN" => Resolution::DnsRoundRobin,
        _ => Resolution::Passthrough,
    };
    let named = |own: &crate::yaml::Node, default: Option<u16>, port: &Port| {
        let given = u16::try_from(own.number(&port.name))
            .ok()
            .filter(|p| *p > 0);
        given.or(default).or(port.target)
    };
    let mut endpoints: Vec<Endpoint> = spec
        .each("endpoints")
        .iter()
        .map(|e| Endpoint {
            address: e.text("address").to_string(),
            ports: ports
                .iter()
                .filter_map(|p| {
                    let own = e.get("ports").unwrap_or(e);
                    let found = if e.get("ports").is_some() {
                        named(own, None, p)
                    } else {
                        p.target
                    };
                    Some((p.name.clone(), found?))
                })
                .collect(),
            labels: e
                .sorted("labels")
                .iter()
                .map(|l| (l.key.to_string(), l.value.str().unwrap_or("").to_string()))
                .collect(),
            locality: Locality::parse(e.text("locality")),
            weight: u32::try_from(e.number("weight"))
                .ok()
                .filter(|w| *w > 0)
                .unwrap_or(1),
            span: e.span,
        })
        .collect();
    let own_ports = |p: &Port| Some((p.name.clone(), p.target?));
    if let Some(selector) = spec.get("workloadSelector") {
        let wanted: Vec<_> = selector.sorted("labels");
        for pod in manifests
            .pods
            .iter()
            .filter(|p| *p.meta.namespace == *entry.namespace)
        {
            let all = labels(&pod.meta.labels);
            let fits = wanted
                .iter()
                .all(|w| all.get(&*w.key).map(String::as_str) == w.value.str());
            for ip in pod.ips.iter().filter(|_| fits) {
                let (locality, labels) = placed(all.clone(), node_of(pod), manifests);
                endpoints.push(Endpoint {
                    address: ip.value.to_string(),
                    ports: ports.iter().filter_map(own_ports).collect(),
                    locality,
                    labels,
                    weight: 1,
                    span: ip.span,
                });
            }
        }
        let wanted: Vec<_> = wanted
            .iter()
            .map(|e| (&*e.key, e.value.str().unwrap_or("")))
            .collect();
        let found = selected(workloads, &entry.namespace, &wanted).into_iter();
        endpoints.extend(found.map(|(w, labels)| workload(w, labels, &ports)));
    } else if endpoints.is_empty()
        && matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin)
    {
        endpoints.push(Endpoint {
            address: hostname.to_string(),
            ports: ports.iter().filter_map(own_ports).collect(),
            labels: BTreeMap::new(),
            locality: Locality::default(),
            weight: 1,
            span: entry.span,
        });
    }
    let addresses = spec.texts("addresses");
    Service {
        hostname: hostname.to_string(),
        namespace: entry.namespace.clone(),
        ports,
        addresses: addresses
            .into_iter()
            .filter_map(|text| {
                // A network of one address is that address.
                let network: IpNetwork = text.parse().ok()?;
                let one = network.prefix() == IpNetwork::from(network.ip()).prefix();
                Some(if one {
                    network.ip().to_string()
                } else {
                    text.to_string()
                })
            })
            .collect(),
        resolution,
        kubernetes: false,
        external_name: String::new(),
        export_to: spec
            .texts("exportTo")
            .into_iter()
            .map(str::to_string)
            .collect(),
        selector: Vec::new(),
        endpoints,
        span: entry.span,
    }
}
