//! What services select as endpoints: WorkloadEntries, and for ServiceEntries Pods too. Source:
//! `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `…/kube/controller/controller.go`, `…/pod.go`.

use std::collections::BTreeMap;

use super::place::{augmented, labels, node_of, placed, said_locality};
use super::{Endpoint, Locality, Port, tls_mode};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::manifest::{Manifests, Pod, Protocol, TargetPort};
use crate::text::Span;
use crate::yaml::Node;

/// An endpoint before it is known of which service (`WorkloadInstance`).
pub(super) struct Workload {
    pub(super) namespace: String,
    name: String,
    address: String,
    /// Its own ports by their names.
    ports: BTreeMap<String, u16>,
    labels: BTreeMap<String, String>,
    locality: Locality,
    weight: u32,
    tls_mode: String,
    span: Span,
}

/// The WorkloadEntries that are healthy, in their order. Of their labels those of the object count more.
pub(super) fn entries(objects: &[Object]) -> Vec<Workload> {
    let made = objects.iter().filter(|o| is_healthy(o)).map(|object| {
        let mut labels = texts(&object.spec, "labels");
        labels.extend(object.labels.clone());
        Workload {
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            ..Workload::written(&object.spec, labels, object.span)
        }
    });
    ordered(made.collect())
}

/// One that is probed is healthy only once a probe has said so (`isHealthy`).
fn is_healthy(entry: &Object) -> bool {
    let probed = entry.annotation("proxy.istio.io/health-checks-enabled");
    // What Go takes for true (`strconv.ParseBool`).
    let is_true = |v: &str| matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True");
    !probed.is_some_and(is_true) || entry.condition("Healthy") == Some("True")
}

/// The Pods that are ready, in their order.
pub(super) fn pods(manifests: &Manifests) -> Vec<Workload> {
    let ready = manifests.pods.iter().filter(|p| is_ready(p));
    ordered(ready.filter_map(|p| Workload::pod(p, manifests)).collect())
}

/// A Pod's ports for TCP that have names; of two the first.
pub(in crate::control::istiod) fn named_ports(pod: &Pod) -> BTreeMap<String, u16> {
    let mut ports = BTreeMap::new();
    for port in pod.spec.containers.iter().flat_map(|c| &c.ports) {
        let name = port.name.as_ref();
        if let Some(name) = name.filter(|_| port.protocol == Protocol::Tcp) {
            ports.entry(name.to_string()).or_insert(port.port.value);
        }
    }
    ports
}

fn ordered(mut all: Vec<Workload>) -> Vec<Workload> {
    all.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    all
}

/// `shouldPodBeInEndpoints`, `IsPodReady`.
fn is_ready(pod: &Pod) -> bool {
    let phase = pod.phase.as_ref().map(|p| &*p.value);
    !matches!(phase, Some("Succeeded" | "Failed"))
        && pod.meta.deletion.is_none()
        && pod.ready.as_ref().is_some_and(|r| r.value)
}

impl Workload {
    /// What a ServiceEntry without endpoints has: its own host.
    pub(super) fn named(host: &str, span: Span) -> Self {
        Self {
            namespace: String::new(),
            name: String::new(),
            address: host.to_string(),
            ports: BTreeMap::new(),
            labels: BTreeMap::new(),
            locality: Locality::default(),
            weight: 1,
            tls_mode: tls_mode(&BTreeMap::new(), false),
            span,
        }
    }

    /// As a WorkloadEntry's `spec`, or one of a ServiceEntry's `endpoints`, says.
    pub(super) fn written(spec: &Node, labels: BTreeMap<String, String>, span: Span) -> Self {
        let locality = match spec.text("locality") {
            "" => said_locality(&labels).unwrap_or_default(),
            said => Locality::parse(said),
        };
        let number = |node: &Node| node.int().and_then(|n| u16::try_from(n).ok());
        let ports = spec.sorted("ports").into_iter();
        let ports = ports.filter_map(|e| Some((e.key.to_string(), number(&e.value)?)));
        let weight = u32::try_from(spec.number("weight")).unwrap_or(0);
        Self {
            namespace: String::new(),
            name: String::new(),
            address: spec.text("address").to_string(),
            ports: ports.filter(|(_, port)| *port > 0).collect(),
            tls_mode: tls_mode(&labels, !spec.text("serviceAccount").is_empty()),
            labels: augmented(labels, &locality, None),
            locality,
            weight: weight.max(1),
            span,
        }
    }

    /// At its first address, whatever its others.
    fn pod(pod: &Pod, manifests: &Manifests) -> Option<Self> {
        let ip = pod.ips.first()?;
        let own = labels(&pod.meta.labels);
        let (locality, labels) = placed(own, node_of(pod), manifests);
        Some(Self {
            namespace: pod.meta.namespace.to_string(),
            name: pod.meta.name.to_string(),
            address: ip.value.to_string(),
            ports: named_ports(pod),
            tls_mode: tls_mode(&labels, false),
            labels,
            locality,
            weight: 1,
            span: ip.span,
        })
    }

    pub(super) fn is_selected<'s>(
        &self,
        mut selector: impl Iterator<Item = (&'s str, &'s str)>,
    ) -> bool {
        selector.all(|(k, v)| self.labels.get(k).is_some_and(|l| l == v))
    }

    /// It has no IP address, so that only services found by DNS can have it (`DNSServiceEntryOnly`).
    pub(super) fn has_name_only(&self) -> bool {
        let ip = self.address.parse::<std::net::IpAddr>();
        !self.address.is_empty() && ip.is_err()
    }

    /// Of a service with these ports.
    pub(super) fn endpoint(&self, ports: &[Port]) -> Endpoint {
        let at = ports.iter().map(|p| (p.name.clone(), self.port(p)));
        Endpoint {
            address: self.address.clone(),
            ports: at.filter_map(|(name, port)| Some((name, port?))).collect(),
            labels: self.labels.clone(),
            locality: self.locality.clone(),
            weight: self.weight,
            tls_mode: self.tls_mode.clone(),
            span: self.span,
        }
    }

    /// Its own of the name that the service's port has, or the number that the service knows; where `targetPort` is a name,
    /// its own of that name or none.
    fn port(&self, port: &Port) -> Option<u16> {
        let own = |name: &str| self.ports.get(name).copied();
        match &port.target {
            TargetPort::Number(number) => own(&port.name).or(Some(*number)),
            TargetPort::Name(name) => own(name),
        }
    }
}

/// A map of texts.
pub(super) fn texts(spec: &Node, field: &str) -> BTreeMap<String, String> {
    let all = spec.sorted(field).into_iter();
    all.map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Service, services};
    use crate::control::istiod::mesh::MeshConfig;
    use crate::control::istiod::world::objects;
    use crate::manifest::{self, Manifests};
    use crate::text::FileId;

    /// The endpoints of the only service that these objects make, each with its ports by name.
    fn endpoints(text: &str) -> Vec<String> {
        let mut manifests = Manifests::default();
        manifest::read(text, FileId(0), &mut manifests);
        let all: Vec<_> = objects(&manifests).into_iter().map(|(o, _)| o).collect();
        let (entries, workloads): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|o| o.kind == "ServiceEntry");
        let mut made = services(&manifests, &entries, &workloads, &MeshConfig::default());
        let made: Service = made.remove(0);
        let told = made.endpoints.into_iter().map(|e| {
            let ports = e.ports.iter().map(|(name, port)| format!(" {name}={port}"));
            e.address + &ports.collect::<String>()
        });
        told.collect()
    }

    fn service(spec: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {{app: web}}, {spec}}}\n"
        )
    }

    fn entry(name: &str, spec: &str) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: {name}, labels: {{app: web}}}}\nspec: {{{spec}}}\n"
        )
    }

    fn service_entry(spec: &str) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: e}}\nspec: {{hosts: [e.com], ports: [{{number: 90, name: tcp, protocol: TCP, targetPort: 9000}}], {spec}}}\n"
        )
    }

    fn pod(name: &str, more: &str) -> String {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: web}}}}\nspec: {{containers: [{{name: a, ports: [{{name: tcp, containerPort: 9100}}]}}]}}\nstatus: {{{more}}}\n"
        )
    }

    const READY: &str = "conditions: [{type: Ready, status: 'True'}]";

    #[test]
    fn a_named_target_port_is_looked_up_by_its_own_name() {
        let ports = "clusterIP: 10.96.0.1, ports: [{name: http, port: 80, targetPort: web}]";
        let of_target = entry("a", "address: 10.1.0.1, ports: {web: 8080, http: 1}");
        let of_port = entry("b", "address: 10.1.0.2, ports: {http: 8080}");
        let text = service(ports) + &of_target + &of_port;
        assert_eq!(endpoints(&text), ["10.1.0.1 http=8080", "10.1.0.2"]);
        let number = service(&ports.replace(": web", ": 8000"));
        let text = number + &of_port + &entry("c", "address: 10.1.0.3");
        assert_eq!(
            endpoints(&text),
            ["10.1.0.2 http=8080", "10.1.0.3 http=8000"]
        );
    }

    #[test]
    fn a_service_without_an_address_has_no_workload_entries() {
        let address = entry("a", "address: 10.1.0.1");
        let headless = service("clusterIP: None, ports: [{name: http, port: 80}]");
        assert!(endpoints(&(headless + &address)).is_empty());
        // Nor has any those that have no IP address.
        let service = service("clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]");
        let named = entry("b", "address: vm.example.com");
        assert_eq!(
            endpoints(&(service + &address + &named)),
            ["10.1.0.1 http=80"]
        );
    }

    #[test]
    fn workloads_known_by_name_are_for_services_found_by_dns() {
        let selects = |resolution: &str| {
            let more =
                format!("resolution: {resolution}, workloadSelector: {{labels: {{app: web}}}}");
            let named = entry("b", "address: vm.example.com");
            endpoints(&(service_entry(&more) + &named + &entry("a", "address: 10.1.0.1")))
        };
        assert_eq!(selects("STATIC"), ["10.1.0.1 tcp=9000"]);
        let both = ["10.1.0.1 tcp=9000", "vm.example.com tcp=9000"];
        assert_eq!(selects("DNS"), both);
    }

    #[test]
    fn a_service_entry_takes_ready_pods_at_the_port_of_its_name() {
        let more = "resolution: STATIC, workloadSelector: {labels: {app: web}}";
        let ips = "podIP: 10.244.0.1, podIPs: [{ip: 10.244.0.1}, {ip: 'fd00::1'}]";
        let text = [
            service_entry(more),
            pod("b", &format!("{ips}, {READY}")),
            pod("c", "podIP: 10.244.0.2"),
            pod(
                "d",
                &format!("podIP: 10.244.0.3, phase: Succeeded, {READY}"),
            ),
            pod("a", &format!("podIP: 10.244.0.4, {READY}")),
        ];
        let ready = ["10.244.0.4 tcp=9100", "10.244.0.1 tcp=9100"];
        assert_eq!(endpoints(&text.concat()), ready);
    }

    #[test]
    fn a_workload_that_is_probed_is_called_once_it_is_healthy() {
        let more = "resolution: STATIC, workloadSelector: {labels: {app: web}}";
        let entry = |probed: &str, conditions: &str| {
            let annotated = format!(
                "{{name: a, annotations: {{proxy.istio.io/health-checks-enabled: '{probed}'}}, labels"
            );
            let entry = entry("a", "address: 10.1.0.1").replace("{name: a, labels", &annotated);
            let status = format!("status: {{conditions: [{conditions}]}}\n");
            let of_entry = endpoints(&(service_entry(more) + &entry + &status));
            let ports = "clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]";
            let of_service = endpoints(&(service(ports) + &entry + &status));
            assert_eq!(of_entry.len(), of_service.len());
            !of_entry.is_empty()
        };
        let healthy =
            |status: &str| format!("{{type: Other}}, {{type: Healthy, status: '{status}'}}");
        assert!(entry("true", &healthy("True")));
        assert!(!entry("true", &healthy("False")) && !entry("1", &healthy("Unknown")));
        // Until a probe has come back, it is not.
        assert!(!entry("true", ""));
        assert!(entry("false", &healthy("False")) && entry("yes", &healthy("False")));
    }

    #[test]
    fn an_endpoint_has_its_own_port_or_the_target_port() {
        let more = "resolution: STATIC, endpoints: [{address: 10.1.0.1, ports: {tcp: 8080}}, {address: 10.1.0.2}, {address: 10.1.0.3, ports: {other: 1}}]";
        let of_target = [
            "10.1.0.1 tcp=8080",
            "10.1.0.2 tcp=9000",
            "10.1.0.3 tcp=9000",
        ];
        assert_eq!(endpoints(&service_entry(more)), of_target);
    }
}
