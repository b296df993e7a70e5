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
mod tests;
