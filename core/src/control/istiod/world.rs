//! What istiod knows, and who asks it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::authn::Policies;
use super::destination_rule::{Rule, Rules};
use super::mesh::MeshConfig;
use super::object::{Object, sort_by_age};
use super::request_authn::Tokens;
use super::service::{
    Locality, Port, Protocol, Resolution, Service, exported, named_ports, node_of, placed, pod,
    services,
};
use super::{authz, gateway_api, ingress, sidecar, virtual_service};
use crate::manifest::{Manifests, Other, Pod, TargetPort};
use crate::text::{Diagnostic, FileId};
use crate::yaml;

/// Everything that istiod has read, in the form that proxies' configurations are made of.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) mesh: MeshConfig,
    /// Oldest first.
    pub(super) services: Vec<Service>,
    pub(super) virtual_services: Vec<Object>,
    pub(super) gateways: Vec<Object>,
    pub(super) sidecars: Vec<Object>,
    pub(super) peers: Policies,
    pub(super) access: authz::Policies,
    pub(super) tokens: Tokens,
    rules: Rules,
    by_host: BTreeMap<String, Vec<usize>>,
    /// Pods' ports by their names, by namespace and address.
    pod_ports: BTreeMap<(String, IpAddr), BTreeMap<String, u16>>,
}

/// A proxy that asks for its configuration.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub kind: ProxyKind,
    pub namespace: String,
    /// Empty: `default`.
    pub service_account: String,
    pub labels: BTreeMap<String, String>,
    pub addresses: Vec<IpAddr>,
    /// Region, zone, subzone, parted by `/`; from its pod's node where it is empty.
    pub locality: String,
    /// Of a gateway: proxies in front that may say whom a request comes from, where its own settings count over the mesh's.
    pub trusted_proxies: Option<i64>,
    /// TPROXY brings it what it is to take (`InterceptionTproxy`).
    pub transparent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// A gateway.
    Router,
    Sidecar,
}

/// The kinds that istiod reads, by their API groups.
const KINDS: [(&str, &str); 18] = [
    ("networking.istio.io/", "VirtualService"),
    ("networking.istio.io/", "Gateway"),
    ("networking.istio.io/", "DestinationRule"),
    ("networking.istio.io/", "ServiceEntry"),
    ("networking.istio.io/", "Sidecar"),
    ("networking.istio.io/", "WorkloadEntry"),
    ("security.istio.io/", "AuthorizationPolicy"),
    ("security.istio.io/", "PeerAuthentication"),
    ("security.istio.io/", "RequestAuthentication"),
    ("networking.k8s.io/", "Ingress"),
    ("gateway.networking.k8s.io/", "GatewayClass"),
    ("gateway.networking.k8s.io/", "Gateway"),
    ("gateway.networking.k8s.io/", "HTTPRoute"),
    ("gateway.networking.k8s.io/", "GRPCRoute"),
    ("gateway.networking.k8s.io/", "ListenerSet"),
    ("gateway.networking.k8s.io/", "TLSRoute"),
    ("gateway.networking.k8s.io/", "TCPRoute"),
    ("gateway.networking.k8s.io/", "ReferenceGrant"),
];

/// Whether istiod reads such an object, and it has a part in what is made.
pub fn reads(other: &Other) -> bool {
    kind_of(other).is_some()
}

fn kind_of(other: &Other) -> Option<&'static (&'static str, &'static str)> {
    KINDS
        .iter()
        .find(|(group, kind)| other.kind.as_ref() == *kind && other.api_version.starts_with(group))
}

/// The objects of `manifests` that istiod reads, with `true` for Gateway API's.
pub(super) fn objects(manifests: &Manifests) -> Vec<(Object, bool)> {
    let mut all = Vec::new();
    for (at, other) in manifests.others.iter().enumerate() {
        if let Some((group, kind)) = kind_of(other)
            && let Some(object) = Object::read(other, kind, at)
        {
            all.push((object, group.starts_with("gateway.")));
        }
    }
    all
}

impl World {
    /// Reads all objects that validation lets in. `refused` names those that it does not, as kind, namespace and name.
    pub fn new(
        manifests: &Manifests,
        mesh: MeshConfig,
        refused: &[(&str, String, String)],
    ) -> (Self, Vec<Diagnostic>) {
        let mut log = Vec::new();
        let mut all = objects(manifests);
        all.retain(|(o, _)| {
            !refused
                .iter()
                .any(|(kind, ns, name)| *kind == o.kind && *ns == o.namespace && *name == o.name)
        });
        let (of_gateway_api, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, api)| *api);
        let of_gateway_api: Vec<Object> = of_gateway_api.into_iter().map(|(o, _)| o).collect();
        let mut by_kind: BTreeMap<&str, Vec<Object>> = BTreeMap::new();
        for (object, _) in rest {
            by_kind.entry(object.kind).or_default().push(object);
        }
        let mut of = |kind: &str| by_kind.remove(kind).unwrap_or_default();
        let entries = of("ServiceEntry");
        let services = services(manifests, &entries, &of("WorkloadEntry"), &mesh);
        let mut gateways = of("Gateway");
        let mut written = of("VirtualService");
        let (more_gateways, more) = ingress::convert(&of("Ingress"), &services, &mesh);
        gateways.extend(more_gateways);
        written.extend(more);
        let known = gateway_api::Known {
            objects: &of_gateway_api,
            entries: &entries,
            services: &services,
            manifests,
            mesh: &mesh,
        };
        let (more_gateways, more) = gateway_api::convert(&known, &mut log);
        gateways.extend(more_gateways);
        written.extend(more);
        sort_by_age(&mut gateways);
        let virtual_services = virtual_service::merged(written, &mesh, &mut log);
        let mut by_host: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, service) in services.iter().enumerate() {
            by_host
                .entry(service.hostname.clone())
                .or_default()
                .push(at);
        }
        let world = Self {
            rules: Rules::new(&of("DestinationRule"), &mesh),
            sidecars: of("Sidecar"),
            peers: Policies::new(of("PeerAuthentication")),
            tokens: Tokens::new(of("RequestAuthentication")),
            access: authz::Policies::new(of("AuthorizationPolicy")),
            mesh,
            services,
            virtual_services,
            gateways,
            by_host,
            pod_ports: pod_ports(manifests),
        };
        log.extend(sidecar::left_out(&world.sidecars));
        world.access.log(&world, &mut log);
        world.tokens.log(&mut log);
        (world, log)
    }

    /// The services that a proxy knows, one a host: its own namespace's before others', Kubernetes' before others.
    pub(super) fn services_for<'w>(&'w self, namespace: &str) -> Vec<&'w Service> {
        let mut out: Vec<&Service> = Vec::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let visible = self
            .services
            .iter()
            .filter(|s| s.visible_in(namespace, &self.mesh));
        for service in visible {
            match seen.get(service.hostname.as_str()) {
                None => {
                    seen.insert(&service.hostname, out.len());
                    out.push(service);
                }
                Some(at) => {
                    let Some(known) = out.get_mut(*at) else {
                        continue;
                    };
                    if service.kubernetes && !known.kubernetes {
                        *known = service;
                    }
                }
            }
        }
        out
    }

    /// A service by its host, as a proxy sees it.
    pub(super) fn service(&self, hostname: &str, proxy: &Proxy) -> Option<&Service> {
        let found = self
            .by_host
            .get(hostname)?
            .iter()
            .filter_map(|at| self.services.get(*at));
        let mut visible: Vec<&Service> = found
            .filter(|s| s.visible_in(&proxy.namespace, &self.mesh))
            .collect();
        visible.sort_by_key(|s| (!s.kubernetes, s.namespace != proxy.namespace));
        visible.first().copied()
    }

    /// The service that a VirtualService means: of its own namespace first.
    pub(super) fn service_of(
        &self,
        hostname: &str,
        vs: &Object,
        proxy: &Proxy,
    ) -> Option<&Service> {
        let found = self
            .by_host
            .get(hostname)?
            .iter()
            .filter_map(|at| self.services.get(*at));
        let mut own = found
            .filter(|s| s.namespace == vs.namespace && s.visible_in(&proxy.namespace, &self.mesh));
        own.next().or_else(|| self.service(hostname, proxy))
    }

    pub(super) fn rule(&self, service: &Service, proxy: &Proxy) -> Option<&Rule> {
        self.rules
            .of(service, &proxy.namespace, &proxy.labels, &self.mesh)
    }

    /// The VirtualServices bound to a gateway (or `mesh`) that a proxy's namespace sees: those kept to it first, then
    /// those exported to it, then the public ones.
    pub(super) fn virtual_services_for(&self, namespace: &str, gateway: &str) -> Vec<&Object> {
        let mut tiers: [Vec<&Object>; 4] = Default::default();
        for vs in &self.virtual_services {
            let bound = super::message::Ask::texts(&vs.spec, "gateways");
            let ours = if bound.is_empty() {
                gateway == "mesh"
            } else {
                bound.contains(&gateway)
            };
            if !ours {
                continue;
            }
            let own = super::message::Ask::texts(&vs.spec, "exportTo");
            let to: Vec<String> = match own.is_empty() {
                true => self.mesh.virtual_service_export_to.clone(),
                false => own.into_iter().map(str::to_string).collect(),
            };
            let tier = if to.iter().any(|t| t == "*") {
                let api = vs.semantics == super::object::Semantics::GatewayApi;
                if api && vs.namespace == namespace {
                    2
                } else {
                    3
                }
            } else if !exported(&to, &vs.namespace, namespace) || to.iter().any(|t| t == "~") {
                continue;
            } else if vs.namespace == namespace {
                0
            } else {
                1
            };
            if let Some(tier) = tiers.get_mut(tier) {
                tier.push(vs);
            }
        }
        tiers.concat()
    }

    /// The services whose pods the proxy is one of (`GetProxyServiceTargets`): of Kubernetes' those that select it, and only
    /// where there is none those that have its address.
    pub(super) fn services_in_front(&self, proxy: &Proxy) -> Vec<&Service> {
        let own = self
            .services
            .iter()
            .filter(|s| s.namespace == proxy.namespace);
        let any = own.clone().any(|s| s.selects(&proxy.labels));
        let in_front = |s: &&Service| match s.kubernetes && any {
            true => s.selects(&proxy.labels),
            false => s.endpoint_at(&proxy.addresses).is_some(),
        };
        own.filter(in_front).collect()
    }

    /// The ports of a service in front of a proxy, each with the pod's behind it. Of two of one protocol with the same port
    /// behind them Kubernetes' services have the first (`GetProxyServiceTargetsByPod`).
    pub(super) fn targets<'s>(&self, service: &'s Service, proxy: &Proxy) -> Vec<(&'s Port, u16)> {
        let endpoint = service.endpoint_at(&proxy.addresses);
        let told = |port: &Port| endpoint.and_then(|e| e.ports.get(&port.name).copied());
        let selects = service.kubernetes && service.selects(&proxy.labels);
        let mut out: Vec<(&Port, u16)> = Vec::new();
        for port in &service.ports {
            let target = match &port.target {
                TargetPort::Number(number) if selects => Some(*number),
                TargetPort::Name(name) if selects => {
                    self.pod_port(proxy, name).or_else(|| told(port))
                }
                _ => told(port),
            };
            let Some(target) = target else {
                continue;
            };
            let known = |(p, t): &(&Port, u16)| (p.protocol, *t) == (port.protocol, target);
            if !service.kubernetes || !out.iter().any(known) {
                out.push((port, target));
            }
        }
        out
    }

    /// A port of a proxy's pod by its name (`FindPort`).
    fn pod_port(&self, proxy: &Proxy, name: &str) -> Option<u16> {
        proxy.addresses.iter().find_map(|address| {
            let of = (proxy.namespace.clone(), *address);
            self.pod_ports.get(&of)?.get(name).copied()
        })
    }

    /// Whether a service's port gets a cluster.
    pub(super) fn has_cluster(port: &super::service::Port) -> bool {
        port.protocol != Protocol::Udp
    }

    pub(super) fn is_headless(service: &Service) -> bool {
        service.kubernetes && service.resolution == Resolution::Passthrough
    }
}

impl Proxy {
    /// The proxy of a pod.
    pub fn of_pod(
        manifests: &Manifests,
        namespace: &str,
        name: &str,
        kind: ProxyKind,
    ) -> Option<Self> {
        let pod = manifests
            .pods
            .iter()
            .find(|p| &*p.meta.name == name && &*p.meta.namespace == namespace)?;
        Some(
            Self {
                kind,
                namespace: namespace.to_string(),
                service_account: pod.spec.service_account.to_string(),
                labels: pod
                    .meta
                    .labels
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.value.to_string()))
                    .collect(),
                addresses: pod.ips.iter().map(|i| i.value).collect(),
                locality: String::new(),
                trusted_proxies: trusted_proxies(pod),
                transparent: false,
            }
            .in_place(manifests),
        )
    }

    /// Who it is to its peers (`spiffe.Identity`).
    pub fn identity(&self, world: &World) -> String {
        let (domain, namespace) = (&world.mesh.trust_domain, &self.namespace);
        let account = match self.service_account.as_str() {
            "" => "default",
            account => account,
        };
        format!("spiffe://{domain}/ns/{namespace}/sa/{account}")
    }

    /// With its locality, from the node of the pod that has its address, and the labels that say so (`setTopologyLabels`).
    pub fn in_place(mut self, manifests: &Manifests) -> Self {
        let pod = self.addresses.iter().find_map(|ip| pod(manifests, *ip));
        let (found, labels) = placed(self.labels, pod.and_then(node_of), manifests);
        self.labels = labels;
        if self.locality.is_empty() {
            let Locality {
                region,
                zone,
                subzone,
            } = found;
            self.locality = format!("{region}/{zone}/{subzone}");
        }
        self
    }
}

fn pod_ports(manifests: &Manifests) -> BTreeMap<(String, IpAddr), BTreeMap<String, u16>> {
    let mut all: BTreeMap<_, BTreeMap<String, u16>> = BTreeMap::new();
    for pod in &manifests.pods {
        for ip in &pod.ips {
            let known = all.entry((pod.meta.namespace.to_string(), ip.value));
            // On a node's network several have its address.
            let known = known.or_default();
            for (name, port) in named_ports(pod) {
                known.entry(name).or_insert(port);
            }
        }
    }
    all
}

/// What the annotation `proxy.istio.io/config`, a ProxyConfig as a text, says of the way to a gateway.
fn trusted_proxies(pod: &Pod) -> Option<i64> {
    let text = pod.meta.annotations.get("proxy.istio.io/config")?;
    let (documents, _) = yaml::read(&text.value, FileId(0));
    let number = documents
        .first()?
        .at(&["gatewayTopology", "numTrustedProxies"])?;
    number.int()
}
