//! Services of ServiceEntries. Source: `pilot/pkg/serviceregistry/serviceentry/conversion.go`.

use super::workload::{Workload, texts};
use super::{Endpoint, Port, Protocol, Resolution, Service, Workloads};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::manifest::TargetPort;
use crate::net::IpNetwork;

pub(super) fn external(entry: &Object, hostname: &str, workloads: &Workloads) -> Service {
    let spec = &entry.spec;
    let ports: Vec<Port> = spec
        .each("ports")
        .iter()
        .map(|p| {
            let number = u16::try_from(p.number("number")).unwrap_or(0);
            Port {
                name: p.text("name").to_string(),
                number,
                target: TargetPort::Number(match u16::try_from(p.number("targetPort")) {
                    Ok(target) if target > 0 => target,
                    _ => number,
                }),
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
    let selector = spec.get("workloadSelector");
    let dns = matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    let written = spec.each("endpoints");
    let endpoints: Vec<Endpoint> = if let Some(selector) = selector {
        let wanted = texts(selector, "labels");
        let fits = |w: &&Workload| {
            let wanted = wanted.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            w.namespace == entry.namespace && w.is_selected(wanted) && (dns || !w.has_name_only())
        };
        let all = workloads.pods.iter().chain(&workloads.entries);
        all.filter(fits).map(|w| w.endpoint(&ports)).collect()
    } else if written.is_empty() && dns {
        let own = Workload::named(hostname, entry.span);
        vec![own.endpoint(&ports)]
    } else {
        let all = written
            .iter()
            .map(|e| Workload::written(e, texts(e, "labels"), e.span));
        all.map(|w| w.endpoint(&ports)).collect()
    };
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
        external: spec.text("location") != "MESH_INTERNAL",
        external_name: String::new(),
        export_to: spec
            .texts("exportTo")
            .into_iter()
            .map(str::to_string)
            .collect(),
        selector: selector
            .map(|s| texts(s, "labels").into_iter().collect())
            .unwrap_or_default(),
        endpoints,
        shared: None,
        span: entry.span,
    }
}
