//! The mesh: which Pods have a proxy, what istiod tells each, and what istio-iptables sets up around it.

mod injection;
mod settings;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::istio_iptables::{Capture, Mode, TPROXY_TABLE};
use super::istiod::{self, Proxy, ProxyKind, World};
use crate::envoy::{Config, Resources};
use crate::manifest::{Manifests, Pod};
use crate::net::{IpFamily, Protocol};
use crate::netfilter::{print, save};
use crate::route::PolicyRule;
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Span};
use crate::topology::{Service, Socket};
use crate::yaml::Node;

pub use injection::proxy_of;
pub use settings::{Settings, reads};

/// A Pod's proxy and all that is made for it.
#[derive(Clone, Debug)]
pub struct PodProxy {
    pub namespace: Box<str>,
    pub pod: Box<str>,
    pub kind: ProxyKind,
    /// What istiod sent, and what Envoy took of it.
    pub config: Arc<Config>,
    /// Of a sidecar: what of the Pod's traffic goes through it.
    pub capture: Option<Capture>,
    /// The Pod.
    pub span: Span,
}

/// As the injecting webhook changes Pods: who has a sidecar says so in a label, by which istiod knows whom to call with mTLS
/// (`pkg/kube/inject`, label `security.istio.io/tlsMode`).
pub fn inject(objects: &mut Manifests) {
    let sidecar = |pod: &Pod, objects: &Manifests| {
        proxy_of(pod, &objects.namespaces) == Some(ProxyKind::Sidecar)
    };
    let with: Vec<bool> = objects.pods.iter().map(|p| sidecar(p, objects)).collect();
    for (pod, has) in objects.pods.iter_mut().zip(with) {
        if has {
            let span = pod.meta.name_span;
            let labels = &mut pod.meta.labels;
            labels.insert("security.istio.io/tlsMode", "istio", span);
        }
    }
}

/// Gateways that istiod runs by itself, as Gateway API has it; not where machines are told by dumps.
pub fn deploy(objects: &mut Manifests) -> Vec<Diagnostic> {
    if objects.nodes.is_empty() {
        return Vec::new();
    }
    let settings = Settings::read(objects, &mut Vec::new());
    istiod::deploy_gateways(objects, &settings.mesh)
}

/// What a proxy's configuration takes, in bytes that could be read meanwhile: of a large mesh, it is long.
const PROXY: usize = 1 << 20;

/// What istiod and the sidecars' set-up make of the manifests.
pub async fn build(objects: &Manifests, pace: &Pace) -> (Vec<PodProxy>, Vec<Diagnostic>) {
    let mut said = settings::not_modelled(objects);
    let verdicts = istiod::validate(objects);
    said.extend(verdicts.iter().flat_map(istiod::Verdict::diagnostics));
    let kinds = objects.pods.iter().map(|pod| {
        let kind = proxy_of(pod, &objects.namespaces)?;
        (!pod.ips.is_empty()).then_some((pod, kind))
    });
    let pods: Vec<_> = kinds.flatten().collect();
    if pods.is_empty() || !is_there(objects) {
        return (Vec::new(), said);
    }
    let settings = Settings::read(objects, &mut said);
    let (world, log) = World::new(objects, settings.mesh, &refused(&verdicts));
    said.extend(log);
    let mut proxies = Vec::new();
    let mut last: Option<(Resources, Arc<Config>)> = None;
    for (pod, kind) in pods {
        pace.went(PROXY).await;
        let capture = match kind {
            ProxyKind::Sidecar => capture(pod, settings.node.as_ref(), &mut said),
            ProxyKind::Router => None,
        };
        let Some(proxy) = proxy(objects, pod, kind, capture.as_ref()) else {
            continue;
        };
        let (resources, log) = istiod::configuration(&world, &proxy);
        said.extend(log);
        let identity = Some(proxy.identity(&world));
        // A Deployment's replicas are mostly told the same.
        let same = last.take_if(|(told, config)| *told == resources && config.identity == identity);
        let (_, config) = last.insert(same.unwrap_or_else(|| {
            let (config, more) = Config::read(&resources);
            said.extend(more);
            (resources, Arc::new(Config { identity, ..config }))
        }));
        proxies.push(PodProxy {
            namespace: pod.meta.namespace.clone(),
            pod: pod.meta.name.clone(),
            kind,
            config: config.clone(),
            capture,
            span: pod.meta.name_span,
        });
    }
    // Of a match that the webhook calls unused, Envoy says the same of the route made of it.
    let findings = verdicts.iter().flat_map(|v| &v.findings);
    let unused: Vec<Span> = findings
        .filter(|f| f.is_unreachable())
        .map(|f| f.span)
        .collect();
    said.retain(|d| d.code() != "envoy/route-shadowed" || !unused.contains(&d.span));
    // Several proxies have the same to be said of them.
    let mut seen: BTreeMap<Span, Vec<Diagnostic>> = BTreeMap::new();
    said.retain(|one| {
        let there = seen.entry(one.span).or_default();
        let new = !there.contains(one);
        there.extend(new.then(|| one.clone()));
        new
    });
    (proxies, said)
}

/// What `istioctl analyze` says of the objects.
pub fn analyze(objects: &Manifests) -> Vec<istiod::Message> {
    let settings = Settings::read(objects, &mut Vec::new());
    istiod::analyze(objects, settings.mesh)
}

/// Whether some object speaks to istiod: without one, a container named `istio-proxy` is a container like others.
fn is_there(objects: &Manifests) -> bool {
    let speaks = |o: &crate::manifest::Other| {
        let group = o.api_version.split('/').next().unwrap_or("");
        group.ends_with("istio.io")
            || group == "gateway.networking.k8s.io"
            || &*o.kind == "Ingress"
            || (&*o.kind, &*o.name) == ("ConfigMap", "istio")
    };
    let injected = |n: &crate::manifest::Namespace| n.meta.labels.get("istio-injection").is_some();
    objects.others.iter().any(speaks) || objects.namespaces.iter().any(injected)
}

/// What istiod told one of these proxies, as it told it. `None`: the objects are not those that it was made of.
pub fn told(objects: &Manifests, to: &PodProxy) -> Option<Resources> {
    let pod = objects.pods.iter().find(|pod| to.is_of(pod))?;
    let settings = Settings::read(objects, &mut Vec::new());
    let refused = refused(&istiod::validate(objects));
    let (world, _) = World::new(objects, settings.mesh, &refused);
    let proxy = proxy(objects, pod, to.kind, to.capture.as_ref())?;
    Some(istiod::configuration(&world, &proxy).0)
}

/// The objects that the API server does not take, by kind, namespace and name.
fn refused(verdicts: &[istiod::Verdict]) -> Vec<(&'static str, String, String)> {
    let refused = verdicts.iter().filter(|v| v.error.is_some());
    refused
        .map(|v| (v.kind, v.namespace.clone(), v.name.clone()))
        .collect()
}

fn proxy(
    objects: &Manifests,
    pod: &Pod,
    kind: ProxyKind,
    capture: Option<&Capture>,
) -> Option<Proxy> {
    let proxy = Proxy::of_pod(objects, &pod.meta.namespace, &pod.meta.name, kind)?;
    Some(Proxy {
        transparent: capture.is_some_and(|c| c.mode == Mode::Tproxy),
        ..proxy
    })
}

fn capture(pod: &Pod, mesh: Option<&Node>, said: &mut Vec<Diagnostic>) -> Option<Capture> {
    let annotation = |key: &str| pod.meta.annotations.get(key).map(|v| &*v.value);
    let made = Capture::of_pod(annotation, mesh, &[], false);
    let checked = made.and_then(|capture| match capture {
        Some(capture) => capture.rules().map(|_| Some(capture)),
        None => Ok(None),
    });
    checked.unwrap_or_else(|bad| {
        let span = pod.meta.annotations.span().unwrap_or(pod.meta.name_span);
        let say = say!("istio/bad-capture", pod = pod.meta.name, reason = bad.0);
        said.push(Diagnostic::error(span, say));
        None
    })
}

/// Sockets that every proxy has whatever it is told: Prometheus and health, and those of the agent beside it.
const OWN: [(u16, &str); 3] = [(15020, "pilot-agent"), (15021, "envoy"), (15090, "envoy")];

/// Envoy's administration listens on these and answers nobody outside.
const LOCAL: [u16; 2] = [15000, 15004];

impl PodProxy {
    pub fn is_of(&self, pod: &Pod) -> bool {
        self.namespace == pod.meta.namespace && self.pod == pod.meta.name
    }

    /// Where the proxy listens.
    pub fn sockets(&self) -> Vec<Socket> {
        let mut all = sockets(&self.config);
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        all.extend(OWN.map(|(port, process)| socket(any, port, process, self.span)));
        all
    }

    /// What `iptables-save` prints in the Pod; none where nothing is caught.
    pub fn rules(&self) -> Option<String> {
        let rules = self.capture.as_ref()?.rules().ok()?;
        let (ruleset, _) = save::read(&rules.ipv4, FileId(0));
        Some(print::save(&ruleset, false))
    }

    /// What `ip rule` prints, and what `ip route` has more: with TPROXY, marked packets are local.
    pub fn transparent_routes(&self) -> Option<(String, String)> {
        let capture = self.capture.as_ref()?;
        if capture.mode != Mode::Tproxy {
            return None;
        }
        let mark = capture.mark;
        let mut rules = String::new();
        for rule in PolicyRule::defaults(IpFamily::V4) {
            if rule.pref == 32766 {
                let line = format!("32765:\tfrom all fwmark {mark:#x} lookup {TPROXY_TABLE}\n");
                rules.push_str(&line);
            }
            rules.push_str(&format!("{rule}\n"));
        }
        let route = format!("local default dev lo table {TPROXY_TABLE} scope host");
        Some((rules, route))
    }
}

/// The sockets of an Envoy's listeners.
pub fn sockets(config: &Config) -> Vec<Socket> {
    let bound = config.listeners.iter().filter(|l| l.binds);
    bound
        .map(|l| Socket {
            transparent: l.transparent,
            ..socket(l.address, l.port, "envoy", l.span)
        })
        .collect()
}

/// Whether a socket of an Envoy is there whatever it is told.
pub fn is_own_socket(port: u16) -> bool {
    LOCAL.contains(&port) || OWN.iter().any(|(own, _)| *own == port)
}

fn socket(addr: IpAddr, port: u16, process: &str, span: Span) -> Socket {
    Socket {
        protocol: Protocol::TCP,
        addr,
        port,
        transparent: false,
        process: process.into(),
        service: Service::Answers,
        span: (span != Span::default()).then_some(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::text::at_once;

    /// What is said of a mesh with these objects beside a Service and a Pod that has a proxy.
    fn said(more: &str) -> (Vec<PodProxy>, Vec<&'static str>) {
        let text = format!(
            "apiVersion: v1
kind: Namespace
metadata: {{name: default, labels: {{istio-injection: enabled}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: 10.96.0.1, selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web-1, labels: {{app: web}}}}
spec: {{containers: [{{name: a, image: a}}]}}
status: {{podIP: 10.244.1.2, conditions: [{{type: Ready, status: 'True'}}]}}
---
{more}
"
        );
        let mut objects = Manifests::default();
        manifest::read(&text, FileId(0), &mut objects);
        let (proxies, said) = at_once(build(&objects, &Pace::AT_ONCE));
        (proxies, said.iter().map(Diagnostic::code).collect())
    }

    #[test]
    fn a_match_that_nothing_reaches_is_told_once() {
        let routes = |later: &str| {
            let to = "route: [{destination: {host: web}}]";
            let text = format!(
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{hosts: [web], http: [{{match: [{{uri: {{prefix: /a}}}}], {to}}}, {{match: [{later}], {to}}}]}}"
            );
            said(&text).1
        };
        // The webhook compares prefixes that ask for the same headers; Envoy's routes tell of the others.
        assert_eq!(routes("{uri: {prefix: /ab}}"), ["istio/warned"]);
        let headers = "{uri: {prefix: /ab}, headers: {x: {exact: y}}}";
        assert_eq!(routes(headers), ["envoy/route-shadowed"]);
        assert!(routes("{uri: {prefix: /b}}").is_empty());
    }

    #[test]
    fn policies_for_waypoints_are_said_to_be_not_modelled() {
        let policy = |kind: &str, target: &str| {
            let text = format!(
                "apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: p}}\nspec: {{targetRefs: [{target}]}}"
            );
            said(&text).1
        };
        for kind in ["AuthorizationPolicy", "RequestAuthentication"] {
            let service = "{group: '', kind: Service, name: web}";
            assert_eq!(policy(kind, service), ["istio/not-modelled"], "{kind}");
            let gateway = "{group: gateway.networking.k8s.io, kind: Gateway, name: g}";
            assert!(policy(kind, gateway).is_empty(), "{kind}");
        }
    }

    #[test]
    fn a_proxy_header_is_said_to_be_not_modelled_wherever_it_is_asked_for() {
        let mesh = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'defaultConfig: {gatewayTopology: {proxyProtocol: {}}}'}";
        assert_eq!(said(mesh).1, ["istio/not-modelled"]);
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: gateway, annotations: {proxy.istio.io/config: '{gatewayTopology: {proxyProtocol: {}}}'}}\nspec: {containers: [{name: a, image: a}]}";
        assert_eq!(said(pod).1, ["istio/not-modelled"]);
        assert!(
            said(&pod.replace("proxyProtocol: {}", "numTrustedProxies: 1"))
                .1
                .is_empty()
        );
    }

    #[test]
    fn peer_authentication_speaks_of_ports_that_no_service_has() {
        let policy = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p}\nspec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {80: {mode: DISABLE}, 9000: {mode: DISABLE}}}";
        let (proxies, _) = said(policy);
        let listeners = &proxies[0].config.listeners;
        let inbound = listeners.iter().find(|l| l.name == "virtualInbound");
        let chains = inbound.unwrap().chains.iter();
        let of_9000: Vec<_> = chains
            .filter(|c| c.condition.destination_port == Some(9000))
            .map(|c| (c.name.as_str(), c.condition.transport.as_str()))
            .collect();
        let plain = [
            ("virtualInbound-catchall-http", "raw_buffer"),
            ("virtualInbound", "raw_buffer"),
        ];
        assert_eq!(of_9000, plain);
    }

    /// Of a listener the conditions of its chains with the clusters behind them; the default chain last.
    fn chains(proxies: &[PodProxy], name: &str) -> Vec<String> {
        let listeners = proxies[0].config.listeners.iter();
        let found = listeners.filter(|l| l.name == name);
        let all = found.flat_map(|l| l.chains.iter().chain(&l.default_chain));
        let told = all.map(|chain| {
            let networks = chain.condition.destinations.iter().map(ToString::to_string);
            let wanted: Vec<String> = networks
                .chain(chain.condition.server_names.clone())
                .collect();
            let end = match &chain.end {
                crate::envoy::Terminal::Tcp(tcp) => tcp.clusters[0].0.clone(),
                crate::envoy::Terminal::Http(_) => "http".to_string(),
                crate::envoy::Terminal::Other(name) => name.clone(),
            };
            format!("{} > {end}", wanted.join(" "))
        });
        told.collect()
    }

    fn entry(name: &str, host: &str, addresses: &str, port: &str, more: &str) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: {name}}}\nspec: {{hosts: [{host}], addresses: [{addresses}], ports: [{port}], {more}}}\n"
        )
    }

    #[test]
    fn services_of_one_port_are_told_apart_by_where_they_are_and_by_name() {
        let tcp = "{number: 9000, name: tcp, protocol: TCP}";
        let tls = "{number: 8443, name: tls, protocol: TLS}";
        let all = [
            entry(
                "a",
                "a.example.com",
                "10.9.0.0/16, 10.10.0.7/32",
                tcp,
                "resolution: NONE",
            ),
            entry("b", "b.example.com", "10.8.0.0/16", tcp, "resolution: NONE"),
            entry("c", "c.example.com", "", tls, "resolution: DNS"),
            entry("d", "d.example.com", "", tls, "resolution: DNS"),
        ];
        let (proxies, _) = said(&all.concat());
        let of = |name: &str| chains(&proxies, name);
        let (a, b) = (
            "outbound|9000||a.example.com",
            "outbound|9000||b.example.com",
        );
        let by_network = [
            format!("10.9.0.0/16 > {a}"),
            format!("10.8.0.0/16 > {b}"),
            " > PassthroughCluster".to_string(),
        ];
        assert_eq!(of("0.0.0.0_9000"), by_network);
        assert_eq!(of("10.10.0.7_9000"), [format!(" > {a}")]);
        let by_name = [
            "c.example.com > outbound|8443||c.example.com",
            "d.example.com > outbound|8443||d.example.com",
            " > PassthroughCluster",
        ];
        assert_eq!(of("0.0.0.0_8443"), by_name);
        // What is no HTTP goes on past the routes of the port.
        assert_eq!(of("0.0.0.0_80"), [" > http", " > PassthroughCluster"]);
    }

    #[test]
    fn tcp_and_http_on_one_port_are_told_apart_by_the_bytes() {
        let tcp = "{number: 80, name: tcp, protocol: TCP}";
        let (proxies, _) = said(&entry("t", "t.example.com", "", tcp, "resolution: DNS"));
        let mixed = [" > http", " > outbound|80||t.example.com"];
        assert_eq!(chains(&proxies, "0.0.0.0_80"), mixed);
    }

    #[test]
    fn a_sidecar_says_where_its_app_is_and_what_it_calls() {
        let text = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\nspec: {workloadSelector: {labels: {app: web}}, ingress: [{port: {number: 9080, protocol: HTTP, name: http}, defaultEndpoint: '127.0.0.1:8080'}, {port: {number: 9090, protocol: TCP, name: tcp}, captureMode: NONE}], egress: [{port: {number: 80, protocol: TCP, name: tcp}, bind: 127.0.0.1, captureMode: NONE, hosts: ['*/*']}]}";
        let (proxies, _) = said(text);
        let config = &proxies[0].config;
        let to = |name: &str| {
            let endpoints = config.clusters[name].assignment.endpoints.iter();
            endpoints.map(|e| e.address.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(to("inbound|9080||"), ["127.0.0.1:8080"]);
        assert!(to("inbound|9090||").is_empty());
        // Of the Service's own port the Sidecar says nothing.
        assert!(!config.clusters.contains_key("inbound|80||"));
        let straight = [" > outbound|80||web.default.svc.cluster.local"];
        assert_eq!(chains(&proxies, "127.0.0.1_80"), straight);
        assert!(chains(&proxies, "0.0.0.0_80").is_empty());
        let own = proxies[0].sockets();
        let at = |address: &str, port: u16| {
            let address: IpAddr = address.parse().unwrap();
            own.iter().any(|s| s.addr == address && s.port == port)
        };
        assert!(at("127.0.0.1", 80) && at("10.244.1.2", 9090));
    }

    #[test]
    fn workloads_outside_of_the_cluster_are_endpoints_of_who_selects_them() {
        let workload = |name: &str, more: &str| {
            format!(
                "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {{name: {name}, labels: {{app: web}}}}\nspec: {{{more}}}\n"
            )
        };
        let tcp = "{number: 90, name: tcp, protocol: TCP}";
        let more = "resolution: STATIC, workloadSelector: {labels: {app: web}}";
        let all = [
            workload("vm-1", "address: 10.1.0.1, ports: {tcp: 9090}"),
            workload("vm-2", "address: 10.1.0.2, labels: {app: other}"),
            entry("e", "e.example.com", "10.7.0.1", tcp, more),
        ];
        let (proxies, said) = said(&all.concat());
        assert!(said.is_empty(), "{said:?}");
        let to = |name: &str| {
            let endpoints = proxies[0].config.clusters[name].assignment.endpoints.iter();
            endpoints.map(|e| e.address.clone()).collect::<Vec<_>>()
        };
        let of_entry = ["10.244.1.2:90", "10.1.0.1:9090", "10.1.0.2:90"];
        assert_eq!(to("outbound|90||e.example.com"), of_entry);
        let of_service = to("outbound|80||web.default.svc.cluster.local");
        assert!(of_service.ends_with(&["10.1.0.1:80".into(), "10.1.0.2:80".into()]));
    }

    #[test]
    fn what_is_not_modelled_of_the_gateway_api_is_said() {
        let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: p}\nspec: {}";
        assert_eq!(said(text).1, ["istio/not-modelled"]);
    }
}
