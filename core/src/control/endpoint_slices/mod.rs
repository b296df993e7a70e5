//! The EndpointSlice controller: which Pods are behind a Service, for those who write Pods and Services only (Kubernetes
//! `pkg/controller/endpointslice`, `k8s.io/endpointslice`).

mod mirror;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::{
    AddressType, ContainerPort, Endpoint, EndpointPort, EndpointSlice, IpFamily, Labels, Manifests,
    Meta, Node, Pod, Port, Protocol, Service, ServiceType, Spanned, TargetPort,
};
use crate::say;
use crate::text::Diagnostic;
use zones::Zones;

/// A slice holds at most so many endpoints (`--max-endpoints-per-slice`).
const MOST: usize = 100;

/// The slices that the controllers make: for Services with a selector, and of Endpoints for others. Those that already have
/// some are left alone: they come from a real cluster, or were written to say something.
pub fn make(cluster: &Manifests) -> (Vec<EndpointSlice>, Vec<Diagnostic>) {
    let (mut slices, mut said) = (Vec::new(), Vec::new());
    let written = cluster.endpoint_slices.iter();
    let written = written.filter_map(|s| Some((&*s.meta.namespace, &*s.service.as_ref()?.value)));
    let written: BTreeSet<(&str, &str)> = written.collect();
    let known = Known::new(cluster);
    for service in &cluster.services {
        let external = service.kind.value == ServiceType::ExternalName;
        if external
            || service.selector.is_empty()
            || written.contains(&(&*service.meta.namespace, &*service.meta.name))
        {
            continue;
        }
        let pods = known.selected(service);
        if pods.is_empty() {
            let span = service.selector.span().unwrap_or(service.meta.span);
            let name = service.meta.full_name();
            let say = say!("control/selects-nothing", service = name);
            said.push(Diagnostic::warning(span, say));
        }
        check_names(service, &pods, &mut said);
        for family in families(service) {
            let mut made = of_family(service, &pods, &known, family);
            let mut endpoints: Vec<_> = made.iter_mut().flat_map(|s| &mut s.endpoints).collect();
            said.extend(known.zones.hint(service, &mut endpoints));
            slices.extend(made);
        }
    }
    slices.extend(mirror::slices(cluster, &mut said));
    (slices, said)
}

/// What is asked of the cluster for each Service.
struct Known<'c> {
    /// By namespace, and by a label and its value.
    pods: BTreeMap<[&'c str; 3], Vec<&'c Pod>>,
    nodes: BTreeMap<&'c str, &'c Node>,
    zones: Zones,
}

impl<'c> Known<'c> {
    fn new(cluster: &'c Manifests) -> Self {
        let mut pods: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pod in &cluster.pods {
            for (key, value) in pod.meta.labels.iter() {
                let place = [&*pod.meta.namespace, key, &*value.value];
                pods.entry(place).or_default().push(pod);
            }
        }
        let nodes = cluster.nodes.iter();
        Self {
            pods,
            nodes: nodes.map(|node| (&*node.meta.name, node)).collect(),
            zones: Zones::of(&cluster.nodes),
        }
    }

    fn selected(&self, service: &Service) -> Vec<&'c Pod> {
        let Some((key, value)) = service.selector.iter().next() else {
            return Vec::new();
        };
        let place = [&*service.meta.namespace, key, &*value.value];
        let found = self.pods.get(&place).into_iter().flatten().copied();
        found
            .filter(|p| service.selector.select(&p.meta.labels))
            .collect()
    }

    fn node(&self, pod: &Pod) -> Option<&'c Node> {
        let name = pod.spec.node_name.as_ref()?;
        self.nodes.get(&*name.value).copied()
    }

    /// Whether a Pod is an endpoint (`ShouldPodBeInEndpoints`): not once it has ended, nor while its node is not there,
    /// unless the Service wants Pods that are not ready as well. Where no nodes are told of, all are there.
    fn belongs(&self, pod: &Pod, service: &Service) -> bool {
        let phase = pod.phase.as_ref().map(|p| &*p.value);
        let there = self.nodes.is_empty() || self.node(pod).is_some();
        !matches!(phase, Some("Succeeded" | "Failed"))
            && (there || service.publish_not_ready_addresses.is_some())
    }
}

/// Those of its cluster IPs; a headless Service may have Pods of either.
fn families(service: &Service) -> Vec<IpFamily> {
    let wanted = |f: &IpFamily| service.headless || service.cluster_ip(*f).is_some();
    IpFamily::ALL.into_iter().filter(wanted).collect()
}

/// A name that no Pod's container has leaves the port without endpoints.
fn check_names(service: &Service, pods: &[&Pod], said: &mut Vec<Diagnostic>) {
    for port in &service.ports {
        if let TargetPort::Name(name) = &port.target.value
            && !pods.is_empty()
            && pods.iter().all(|pod| find_port(pod, port).is_none())
        {
            let say = say!(
                "control/no-such-port",
                name = name,
                service = service.meta.full_name()
            );
            said.push(Diagnostic::warning(port.target.span, say));
        }
    }
}

/// The number that a Service port stands for in a Pod (`pkg/api/v1/pod/util.go`, `FindPort`).
fn find_port(pod: &Pod, port: &Port) -> Option<u16> {
    match &port.target.value {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let wanted = |p: &&ContainerPort| {
                p.name.as_deref() == Some(&**name) && p.protocol == port.protocol
            };
            let mut ports = pod.spec.containers.iter().flat_map(|c| &c.ports);
            ports.find(wanted).map(|p| p.port.value)
        }
    }
}

/// Name, number and protocol of each port: Pods that differ in them go to slices of their own.
type PortMap = Vec<(Box<str>, u16, Protocol)>;

fn of_family(
    service: &Service,
    pods: &[&Pod],
    known: &Known<'_>,
    family: IpFamily,
) -> Vec<EndpointSlice> {
    let mut by_ports: BTreeMap<PortMap, Vec<Endpoint>> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| known.belongs(pod, service)) {
        let Some(address) = pod.ips.iter().find(|ip| IpFamily::of(ip.value) == family) else {
            continue;
        };
        let ports = service.ports.iter();
        let ports = ports
            .filter_map(|port| Some((port.name.clone(), find_port(pod, port)?, port.protocol)))
            .collect();
        let endpoint = endpoint(service, pod, known.node(pod), *address);
        by_ports.entry(ports).or_default().push(endpoint);
    }
    let mut slices = Vec::new();
    for (ports, endpoints) in by_ports {
        for endpoints in endpoints.chunks(MOST) {
            let number = slices.len();
            slices.push(slice(service, family, &ports, endpoints, number));
        }
    }
    if slices.is_empty() {
        // A place is held.
        slices.push(slice(service, family, &PortMap::new(), &[], 0));
    }
    slices
}

/// `podToEndpoint`, with the hints of `trafficDistribution` (`k8s.io/endpointslice/trafficdist`), which an annotation that
/// asks for others takes the place of.
fn endpoint(
    service: &Service,
    pod: &Pod,
    node: Option<&Node>,
    address: Spanned<std::net::IpAddr>,
) -> Endpoint {
    let serving = pod.ready.is_some_and(|r| r.value);
    let terminating = pod.meta.deletion.is_some();
    let ready = service.publish_not_ready_addresses.is_some() || (serving && !terminating);
    let node_name = pod.spec.node_name.as_ref().map(|n| &*n.value);
    let zone = node.and_then(|n| n.zone()).filter(|z| !z.value.is_empty());
    let zone = zone.map(|z| z.value.clone());
    let distribution = service.traffic_distribution.as_ref().map(|d| &*d.value);
    let distribution = distribution.filter(|_| ready && zones::asked(service).is_none());
    let by_node = distribution == Some("PreferSameNode");
    let by_zone = by_node || matches!(distribution, Some("PreferClose" | "PreferSameZone"));
    Endpoint {
        address: Some(address),
        more_addresses: Vec::new(),
        ready,
        serving,
        terminating,
        zone_hints: zone.iter().filter(|_| by_zone).cloned().collect(),
        node_hints: node_name
            .filter(|_| by_node)
            .map(Into::into)
            .into_iter()
            .collect(),
        node_name: node_name.map(Into::into),
        zone,
        target: Some(pod.meta.name.clone()),
        span: pod.meta.span,
    }
}

fn slice(
    service: &Service,
    family: IpFamily,
    ports: &PortMap,
    endpoints: &[Endpoint],
    number: usize,
) -> EndpointSlice {
    let family_name = match family {
        IpFamily::V4 => "",
        IpFamily::V6 => "ipv6-",
    };
    // The real controller draws five letters.
    let name = format!("{}-{family_name}{number:05}", service.meta.name);
    let mut labels = vec![
        (
            "endpointslice.kubernetes.io/managed-by",
            "endpointslice-controller.k8s.io",
        ),
        ("kubernetes.io/service-name", &*service.meta.name),
    ];
    if service.headless {
        labels.push(("service.kubernetes.io/headless", ""));
    }
    let own = service
        .meta
        .labels
        .iter()
        .map(|(key, value)| (key, &*value.value));
    let span = service.meta.span;
    let port_span = |name: &str| {
        let port = service.ports.iter().find(|p| *p.name == *name);
        port.map_or(span, |p| p.span)
    };
    EndpointSlice {
        service: Some(Spanned::new(
            service.meta.name.clone(),
            service.meta.name_span,
        )),
        meta: Meta {
            name: name.into(),
            namespace: service.meta.namespace.clone(),
            labels: labels.into_iter().chain(own).collect::<Labels>(),
            span,
            name_span: service.meta.name_span,
            ..Meta::default()
        },
        address_type: match family {
            IpFamily::V4 => AddressType::V4,
            IpFamily::V6 => AddressType::V6,
        },
        ports: ports
            .iter()
            .map(|(name, number, protocol)| EndpointPort {
                name: name.clone(),
                port: Some(Spanned::new(*number, port_span(name))),
                protocol: *protocol,
                span: port_span(name),
            })
            .collect(),
        endpoints: endpoints.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read;
    use crate::text::FileId;

    /// Each slice as `name ports: endpoints`, then what was said.
    fn made(text: &str) -> Vec<String> {
        let mut cluster = Manifests::default();
        let said = read(text, FileId(0), &mut cluster);
        assert_eq!(said, []);
        let (slices, said) = make(&cluster);
        let slice = |s: &EndpointSlice| {
            let ports = s.ports.iter();
            let ports: Vec<_> = ports
                .map(|p| format!("{}={}/{}", p.name, p.port.unwrap().value, p.protocol.name()))
                .collect();
            let endpoint = |e: &Endpoint| {
                let flag = |on, letter| if on { letter } else { "-" };
                format!(
                    "{} {}{}{}{}",
                    e.address.unwrap().value,
                    flag(e.ready, "R"),
                    flag(e.serving, "S"),
                    flag(e.terminating, "T"),
                    e.zone_hints
                        .iter()
                        .map(|z| format!(" {z}"))
                        .collect::<String>(),
                )
            };
            let endpoints: Vec<_> = s.endpoints.iter().map(endpoint).collect();
            format!(
                "{} {}: {}",
                s.meta.name,
                ports.join(" "),
                endpoints.join(", ")
            )
        };
        let said = said.iter().map(|d| d.code().to_string());
        slices.iter().map(slice).chain(said).collect()
    }

    const SERVICE: &str = "\
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.96.0.1, selector: {app: web}, \
ports: [{port: 80, targetPort: http}]}}
";

    fn pod(name: &str, ip: &str, port: &str, more: &str, ready: &str) -> String {
        format!(
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: web}}{more}}}, spec: {{nodeName: n1, containers: [{{name: c, ports: [{port}]}}]}}, status: {{phase: Running, podIP: {ip}, conditions: [{{type: Ready, status: '{ready}'}}]}}}}\n"
        )
    }

    #[test]
    fn pods_with_other_numbers_for_a_name_have_slices_of_their_own() {
        let text = [
            SERVICE.to_string(),
            pod(
                "a",
                "10.0.0.1",
                "{name: http, containerPort: 8080}",
                "",
                "True",
            ),
            pod(
                "b",
                "10.0.0.2",
                "{name: http, containerPort: 9090}",
                "",
                "True",
            ),
            pod(
                "c",
                "10.0.0.3",
                "{name: http, containerPort: 8080}",
                "",
                "False",
            ),
            pod(
                "d",
                "10.0.0.4",
                "{name: http, containerPort: 8080, protocol: UDP}",
                "",
                "True",
            ),
        ];
        assert_eq!(
            made(&text.concat()),
            [
                "web-00000 : 10.0.0.4 RS-",
                "web-00001 =8080/tcp: 10.0.0.1 RS-, 10.0.0.3 ---",
                "web-00002 =9090/tcp: 10.0.0.2 RS-",
            ]
        );
    }

    #[test]
    fn a_pod_that_is_deleted_serves_but_is_not_ready() {
        let deleted = ", deletionTimestamp: '2026-01-01T00:00:00Z'";
        let port = "{name: http, containerPort: 80}";
        let text = [
            SERVICE.to_string(),
            pod("a", "10.0.0.1", port, deleted, "True"),
        ]
        .concat();
        assert_eq!(made(&text), ["web-00000 =80/tcp: 10.0.0.1 -ST"]);
        let published = text.replace(
            "spec: {clusterIP",
            "spec: {publishNotReadyAddresses: true, clusterIP",
        );
        assert_eq!(made(&published), ["web-00000 =80/tcp: 10.0.0.1 RST"]);
    }

    #[test]
    fn traffic_distribution_makes_hints() {
        let node = "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {topology.kubernetes.io/zone: z1}}}\n---\n";
        let service = SERVICE.replace("spec: {", "spec: {trafficDistribution: PreferClose, ");
        let port = "{name: http, containerPort: 80}";
        let text = [node, &service, &pod("a", "10.0.0.1", port, "", "True")].concat();
        assert_eq!(made(&text), ["web-00000 =80/tcp: 10.0.0.1 RS- z1"]);
    }

    #[test]
    fn selectors_and_names_that_find_nothing_are_said() {
        assert_eq!(
            made(SERVICE),
            ["web-00000 : ", "control/selects-nothing"],
            "a place is held"
        );
        let other = pod(
            "a",
            "10.0.0.1",
            "{name: web, containerPort: 80}",
            "",
            "True",
        );
        assert_eq!(
            made(&[SERVICE, &other].concat()),
            ["web-00000 : 10.0.0.1 RS-", "control/no-such-port"]
        );
    }
}
