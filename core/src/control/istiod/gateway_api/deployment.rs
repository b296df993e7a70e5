//! The Deployment and the Service that istiod makes for a Gateway.
//! Source: `pilot/pkg/config/kube/gatewaycommon/deploymentcontroller.go`, `files/kube-gateway.yaml` of its chart.

use std::collections::BTreeMap;

use super::super::mesh::MeshConfig;
use super::super::message::Ask;
use super::super::object::Object;
use super::listener::{belongs, is_managed, is_ours, service_name};
use super::{Known, at};
use crate::manifest::{
    Container, Labels, Manifests, Meta, PodSpec, Port, Protocol, Selector, Service, ServiceType,
    Spanned, TargetPort, Workload, WorkloadKind,
};
use crate::say;
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;

const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Where the readiness of Istio's proxies is asked for.
const STATUS_PORT: u16 = 15021;

/// Adds for each Gateway what it lacks of a Deployment and a Service.
pub(in crate::control::istiod) fn deploy(
    objects: &[Object],
    mesh: &MeshConfig,
    manifests: &mut Manifests,
) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let (mut services, mut workloads) = (Vec::new(), Vec::new());
    let known = Known {
        objects,
        entries: &[],
        services: &[],
        manifests,
        mesh,
    };
    let ours = known.of("Gateway").filter(|o| is_ours(&known, o));
    for gateway in ours.filter(|o| is_managed(o)) {
        let Some(kind) = service_type(gateway, &mut said) else {
            continue;
        };
        let made = Made::of(gateway);
        // What others wrote stays theirs (`canManage`).
        let named = |meta: &Meta| *meta.namespace == *gateway.namespace && *meta.name == *made.name;
        if !manifests.services.iter().any(|s| named(&s.meta)) {
            services.push(made.service(&known, kind));
        }
        let runs = manifests.pods.iter().any(|p| {
            let of = p.meta.labels.get(GATEWAY_NAME);
            *p.meta.namespace == *gateway.namespace && of.is_some_and(|v| *v.value == *gateway.name)
        });
        if !runs && !manifests.workloads.iter().any(|w| named(&w.meta)) {
            workloads.push(made.workload());
        }
    }
    manifests.services.extend(services);
    manifests.workloads.extend(workloads);
    said
}

/// None where the API server would refuse the Service.
fn service_type(gateway: &Object, said: &mut Vec<Diagnostic>) -> Option<ServiceType> {
    let asked = gateway.annotation("networking.istio.io/service-type");
    match asked.unwrap_or("LoadBalancer") {
        "LoadBalancer" => Some(ServiceType::LoadBalancer),
        "NodePort" => Some(ServiceType::NodePort),
        "ClusterIP" => Some(ServiceType::ClusterIp),
        other => {
            let say = say!(
                "istio/gateway-service-type",
                name = gateway.name,
                kind = other
            );
            said.push(Diagnostic::warning(gateway.span, say));
            None
        }
    }
}

struct Made<'a> {
    gateway: &'a Object,
    name: String,
    labels: BTreeMap<String, String>,
}

impl<'a> Made<'a> {
    fn of(gateway: &'a Object) -> Self {
        let class = gateway.spec.text("gatewayClassName");
        let infrastructure = gateway.spec.get("infrastructure");
        let given = infrastructure.and_then(|i| i.get("labels"));
        let mut labels: BTreeMap<String, String> = match given {
            Some(given) => given
                .entries()
                .iter()
                .map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
                .collect(),
            None => gateway.labels.iter().cloned().collect(),
        };
        labels.retain(|key, _| !key.starts_with("gateway.networking.k8s.io/"));
        let mut put = |key: &str, value: &str| labels.insert(key.into(), value.into());
        put(GATEWAY_NAME, &gateway.name);
        put("gateway.networking.k8s.io/gateway-class-name", class);
        let ambient = "istio.io/dataplane-mode";
        labels.entry(ambient.into()).or_insert("none".into());
        Self {
            gateway,
            name: service_name(gateway),
            labels,
        }
    }

    fn meta(&self, labels: Labels) -> Meta {
        let span = self.gateway.span;
        Meta {
            name: self.name.as_str().into(),
            namespace: self.gateway.namespace.as_str().into(),
            labels,
            owner: None,
            span,
            name_span: span,
            ..Meta::default()
        }
    }

    fn selector(&self) -> Labels {
        Labels::from_iter([(GATEWAY_NAME, self.gateway.name.as_str())])
    }

    fn labelled(&self, more: &[(&str, &str)]) -> Labels {
        let own = self.labels.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        more.iter().copied().chain(own).collect()
    }

    fn workload(&self) -> Workload {
        let span = self.gateway.span;
        let managed = ("gateway.istio.io/managed", "istio.io-gateway-controller");
        let of_pods = [
            managed,
            ("sidecar.istio.io/inject", "false"),
            ("service.istio.io/canonical-name", self.name.as_str()),
            ("service.istio.io/canonical-revision", "latest"),
        ];
        let proxy = Container {
            name: "istio-proxy".into(),
            args: vec!["proxy".into(), "router".into()],
            ports: Vec::new(),
            span,
        };
        Workload {
            kind: WorkloadKind::Deployment,
            meta: self.meta(self.labelled(&[managed])),
            replicas: Spanned::new(1, span),
            selector: Selector {
                match_labels: self.selector(),
            },
            template_meta: Meta {
                labels: self.labelled(&of_pods),
                span,
                name_span: span,
                ..Meta::default()
            },
            template: PodSpec {
                containers: vec![proxy],
                ..PodSpec::default()
            },
        }
    }

    fn service(&self, known: &Known, kind: ServiceType) -> Service {
        Service {
            ports: ports(known, self.gateway),
            selector: self.selector(),
            ..Service::of(kind, self.meta(self.labelled(&[])))
        }
    }
}

/// One for each port that a listener asks for, by the name of the first that does (`extractServicePorts`).
fn ports(known: &Known, gateway: &Object) -> Vec<Port> {
    let mut made = vec![port("status-port".into(), STATUS_PORT, "tcp", gateway.span)];
    let sets = known.of("ListenerSet");
    let sets: Vec<&Object> = sets.filter(|s| belongs(known, s, gateway)).collect();
    let own = gateway.spec.each("listeners").iter();
    let more = sets.iter().flat_map(|s| s.spec.each("listeners"));
    for listener in own.chain(more) {
        let number = u16::try_from(listener.number("port")).unwrap_or(0);
        let again = made.iter().skip(1).any(|p| p.port.value == number);
        if number == 0 || again {
            continue;
        }
        let protocol = listener.text("protocol").to_ascii_lowercase();
        let name = unique(listener, number, &made);
        made.push(port(name, number, &protocol, at(listener, "port")));
    }
    made
}

fn port(name: String, number: u16, protocol: &str, span: Span) -> Port {
    Port {
        name: name.into(),
        protocol: Protocol::Tcp,
        app_protocol: Some(protocol.into()),
        port: Spanned::new(number, span),
        target: Spanned::new(TargetPort::Number(number), span),
        node_port: None,
        span,
    }
}

/// The listener's name as a port may have it; with the port's number where another has it (`uniquePortName`).
fn unique(listener: &Node, number: u16, made: &[Port]) -> String {
    const LONGEST: usize = 63;
    let name = listener.text("name").replace('.', "-");
    let cut = |length: usize| name.chars().take(length).collect::<String>();
    let mut candidate = cut(LONGEST);
    let mut suffix = format!("-{number}");
    while made.iter().any(|p| *p.name == *candidate) {
        candidate = cut(LONGEST.saturating_sub(suffix.len())) + &suffix;
        suffix.push('x');
    }
    candidate
}
