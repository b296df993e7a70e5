//! The services that istiod knows: Kubernetes' and those of ServiceEntries, with their endpoints.
//! Source: `pilot/pkg/serviceregistry/kube/conversion.go`, `…/serviceentry/conversion.go`, `pkg/config/kube/conversion.go`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::mesh::MeshConfig;
use super::message::Ask;
use super::object::Object;
use crate::manifest::{self, EndpointSlice, Manifests, TargetPort};
use crate::net::IpNetwork;
use crate::text::Span;

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) hostname: String,
    pub(super) namespace: String,
    pub(super) ports: Vec<Port>,
    pub(super) addresses: Vec<String>,
    pub(super) resolution: Resolution,
    pub(super) kubernetes: bool,
    pub(super) external_name: String,
    pub(super) export_to: Vec<String>,
    pub(super) selector: Vec<(String, String)>,
    pub(super) endpoints: Vec<Endpoint>,
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
    /// The port in the pod; none where it has a name that each pod resolves.
    pub(super) target: Option<u16>,
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
    pub(super) span: Span,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Locality {
    pub(super) region: String,
    pub(super) zone: String,
    pub(super) subzone: String,
}

impl Locality {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = text.split('/').map(str::to_string);
        let mut next = || parts.next().unwrap_or_default();
        Self {
            region: next(),
            zone: next(),
            subzone: next(),
        }
    }

    /// Whether `rule`, such as `region/zone/*`, holds this place.
    pub(super) fn is_in(&self, rule: &str) -> bool {
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

/// `pkg/config/protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Http2,
    Grpc,
    GrpcWeb,
    HttpProxy,
    Https,
    Tls,
    Tcp,
    Mongo,
    Redis,
    Mysql,
    Udp,
    Hbone,
    /// Not said: told from the bytes.
    Unknown,
}

impl Protocol {
    pub(super) fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "grpc" => Protocol::Grpc,
            "grpc-web" => Protocol::GrpcWeb,
            "http" => Protocol::Http,
            "http_proxy" => Protocol::HttpProxy,
            "http2" => Protocol::Http2,
            "https" => Protocol::Https,
            "tls" => Protocol::Tls,
            "mongo" => Protocol::Mongo,
            "redis" => Protocol::Redis,
            "mysql" => Protocol::Mysql,
            "hbone" => Protocol::Hbone,
            _ => Protocol::Unknown,
        }
    }

    pub(super) fn is_http(self) -> bool {
        use Protocol::{Grpc, GrpcWeb, Http, Http2, HttpProxy};
        matches!(self, Http | Http2 | Grpc | GrpcWeb | HttpProxy)
    }

    pub(super) fn is_http_or_unknown(self) -> bool {
        self.is_http() || self == Protocol::Unknown
    }

    /// Of a Service's port, by what it says, then by its name.
    pub(super) fn of_port(name: &str, port: u16, udp: bool, app: Option<&str>) -> Self {
        if udp {
            return Protocol::Udp;
        }
        let word = match app {
            Some("kubernetes.io/h2c") => "http2",
            Some("kubernetes.io/ws" | "kubernetes.io/wss") => "http",
            Some(app) => app,
            None => name,
        };
        let lower = word.to_ascii_lowercase();
        if lower.starts_with("grpc-web") {
            return Protocol::GrpcWeb;
        }
        let word = if app.is_some() {
            lower.as_str()
        } else {
            lower.split('-').next().unwrap_or("")
        };
        let parsed = Protocol::parse(word);
        // Server-first protocols, where waiting for the client's bytes would hang.
        let talks_first = matches!(port, 25 | 53 | 3306 | 27017);
        match parsed {
            Protocol::Unknown if talks_first && app.is_none() => Protocol::Tcp,
            Protocol::HttpProxy | Protocol::Udp => Protocol::Unknown,
            parsed => parsed,
        }
    }
}

impl Endpoint {
    /// Its pod was given a sidecar, which the injector notes in a label.
    pub(super) fn has_sidecar(&self) -> bool {
        self.labels
            .get("security.istio.io/tlsMode")
            .is_some_and(|v| v == "istio")
    }
}

impl Service {
    pub(super) fn port(&self, number: u16) -> Option<&Port> {
        self.ports.iter().find(|p| p.number == number)
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

/// All services, oldest first (`SortServicesByCreationTime`).
pub(super) fn services(
    manifests: &Manifests,
    entries: &[Object],
    workloads: &[Object],
    mesh: &MeshConfig,
) -> Vec<Service> {
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
        // Workloads outside of the cluster too, where a selector fits them.
        if !made.selector.is_empty() {
            let wanted = made.selector.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            let wanted: Vec<_> = wanted.collect();
            let found = selected(workloads, &made.namespace, &wanted).into_iter();
            let more = found.map(|(w, labels)| workload(w, labels, &made.ports));
            let more: Vec<Endpoint> = more.collect();
            made.endpoints.extend(more);
        }
        all.push(made);
    }
    for entry in entries {
        for hostname in entry.spec.texts("hosts") {
            all.push(external(entry, hostname, manifests, workloads));
        }
    }
    all
}

fn kubernetes(
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
            target: match &p.target.value {
                TargetPort::Number(n) => Some(*n),
                TargetPort::Name(_) => None,
            },
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
                    labels,
                    weight: 1,
                    span: endpoint.span,
                });
            }
        }
    }
    all
}

pub(super) fn pod(manifests: &Manifests, ip: IpAddr) -> Option<&manifest::Pod> {
    manifests
        .pods
        .iter()
        .find(|p| p.ips.iter().any(|i| i.value == ip))
}

pub(super) fn node_of(pod: &manifest::Pod) -> Option<&str> {
    pod.spec.node_name.as_ref().map(|n| &*n.value)
}

/// Where a pod is, and its labels with those that istiod gives it for that (`AugmentLabels`).
pub(super) fn placed(
    mut labels: BTreeMap<String, String>,
    node: Option<&str>,
    manifests: &Manifests,
) -> (Locality, BTreeMap<String, String>) {
    let locality = locality(&labels, node, manifests);
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
    (locality, labels)
}

pub(super) fn labels_in_place(
    pod: &manifest::Pod,
    manifests: &Manifests,
) -> BTreeMap<String, String> {
    placed(labels(&pod.meta.labels), node_of(pod), manifests).1
}

fn labels(labels: &manifest::Labels) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(k, v)| (k.to_string(), v.value.to_string()))
        .collect()
}

const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";
const SUBZONE: &str = "topology.istio.io/subzone";

/// A pod's place: as its label says, or its node's labels.
fn locality(
    labels: &BTreeMap<String, String>,
    node: Option<&str>,
    manifests: &Manifests,
) -> Locality {
    if let Some(said) = labels.get("istio-locality") {
        return Locality::parse(&said.replace('.', "/"));
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

/// The WorkloadEntries of a namespace that have some labels, with all of their labels: those of the object count more.
fn selected<'o>(
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
fn workload(entry: &Object, labels: BTreeMap<String, String>, ports: &[Port]) -> Endpoint {
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

fn external(
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
