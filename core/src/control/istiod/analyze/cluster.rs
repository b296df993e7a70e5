//! DestinationRules, Sidecars, and what Kubernetes' own objects mean to the mesh.

use std::collections::BTreeMap;

use super::{Analysis, Level, Message, pairs, selector, written};
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::control::istiod::service::{Protocol, labels_in_place};
use crate::manifest::{Namespace, ServiceType, TargetPort};

pub(super) fn check(analysis: &mut Analysis<'_>) {
    let manifests = analysis.manifests;
    let pods = manifests.pods.iter();
    let pods: Vec<_> = pods.map(|pod| labels_in_place(pod, manifests)).collect();
    for object in analysis.all("DestinationRule") {
        destination_rule(analysis, object, &pods);
    }
    sidecars(analysis);
    for namespace in &analysis.manifests.namespaces {
        injection(analysis, namespace);
    }
    port_names(analysis);
}

/// `pods` are the labels of each, with those for its place.
fn destination_rule(
    analysis: &mut Analysis<'_>,
    object: &Object,
    pods: &[BTreeMap<String, String>],
) {
    let (spec, name) = (&object.spec, object.spec.text("host"));
    let full = format!("{}/{}", object.namespace, object.name);
    match analysis.service(name, object) {
        None => {
            let text = format!(
                "The host {name} defined in the DestinationRule does not match any services in the mesh."
            );
            analysis.say(Level::Warning, "IST0174", object, spec.span, text);
        }
        Some(service) => {
            for subset in spec.each("subsets") {
                let mut labels = service.selector.clone();
                labels.extend(selector(subset, "labels"));
                let all = |pod: &&BTreeMap<_, _>| labels.iter().all(|(k, v)| pod.get(k) == Some(v));
                if !pods.iter().any(|pod| all(&pod)) {
                    let text = format!(
                        "The Subset {} defined in the DestinationRule does not select any pods. Which may lead to 503 UH (NoHealthyUpstream).",
                        subset.text("name")
                    );
                    analysis.say(Level::Error, "IST0173", object, subset.span, text);
                }
            }
        }
    }
    let Some(policy) = spec.get("trafficPolicy") else {
        return;
    };
    let selected = spec.get("workloadSelector").is_some();
    let ports = policy.each("portLevelSettings").iter();
    for (level, of_port) in std::iter::once((policy, false)).chain(ports.map(|p| (p, true))) {
        let Some(tls) = level.get("tls") else {
            continue;
        };
        let mode = tls.text("mode");
        let verified = !tls.text("caCertificates").is_empty()
            || !tls.text("credentialName").is_empty() && selected;
        if verified || !matches!(mode, "SIMPLE" | "MUTUAL") {
            continue;
        }
        let mut text = format!(
            "DestinationRule {full} in namespace {} has TLS mode set to {mode} but no caCertificates are set to validate server identity for host: {name}",
            object.namespace
        );
        let code = match of_port {
            true => "IST0129",
            false => "IST0128",
        };
        if of_port {
            let port = level.get("port").map_or(0, |p| p.number("number"));
            text.push_str(&format!(" at port number:{port}"));
        }
        analysis.say(Level::Warning, code, object, tls.span, text);
    }
}

/// Two Sidecars for one pod, or for one namespace.
fn sidecars(analysis: &mut Analysis<'_>) {
    let mut of_namespace: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
    let mut of_pod: BTreeMap<(&str, &str), Vec<&Object>> = BTreeMap::new();
    for object in analysis.all("Sidecar") {
        let policy = object.spec.get("outboundTrafficPolicy");
        if let Some(proxy) = policy.and_then(|p| p.get("egressProxy")) {
            let text = "Deprecated: OutboundTrafficPolicy.EgressProxy ignored";
            analysis.say(Level::Warning, "IST0002", object, proxy.span, text.into());
        }
        let chosen = object.spec.get("workloadSelector");
        let labels = chosen.map(|c| selector(c, "labels")).unwrap_or_default();
        let Some(chosen) = chosen.filter(|_| !labels.is_empty()) else {
            of_namespace
                .entry(&object.namespace)
                .or_default()
                .push(object);
            continue;
        };
        let pods = analysis.pods(pairs(&labels), Some(&object.namespace));
        if pods.is_empty() {
            analysis.not_found(object, chosen.span, "selector", &written(&labels));
        }
        for pod in pods {
            let key = (&*pod.meta.namespace, &*pod.meta.name);
            of_pod.entry(key).or_default().push(object);
        }
    }
    let names = |all: &[&Object]| {
        let mut names: Vec<_> = all.iter().map(|o| o.name.as_str()).collect();
        names.sort_unstable();
        format!("[{}]", names.join(" "))
    };
    for (namespace, all) in of_namespace.iter().filter(|(_, all)| all.len() > 1) {
        for object in all {
            let text = format!(
                "The Sidecars {} in namespace {namespace:?} have no workload selector, which can lead to undefined behavior.",
                names(all)
            );
            analysis.say(Level::Error, "IST0111", object, object.span, text);
        }
    }
    for ((namespace, pod), all) in of_pod.iter().filter(|(_, all)| all.len() > 1) {
        for object in all {
            let text = format!(
                "The Sidecars {} in namespace {namespace:?} select the same workload pod {:?}, which can lead to undefined behavior.",
                names(all),
                format!("{namespace}/{pod}")
            );
            analysis.say(Level::Error, "IST0110", object, object.span, text);
        }
    }
}

fn injection(analysis: &mut Analysis<'_>, namespace: &Namespace) {
    let name = &*namespace.meta.name;
    let label = |key: &str| namespace.meta.labels.get(key).map(|v| &*v.value);
    if name == "istio-system" {
        return;
    }
    let injection = label("istio-injection");
    let mut said: Vec<String> = Vec::new();
    said.extend(injection.map(|v| format!("istio-injection={v}")));
    if injection.is_none_or(|v| v == "enabled") {
        for key in ["istio.io/rev", "istio.io/dataplane-mode"] {
            said.extend(label(key).map(|v| format!("{key}={v}")));
        }
    }
    let mut say = |level, code, text| {
        analysis.out.push(Message {
            level,
            code,
            kind: "Namespace",
            namespace: String::new(),
            name: name.to_string(),
            span: namespace.meta.name_span,
            text,
        });
    };
    if said.len() > 1 {
        let text = format!(
            "The namespace has more than one type of injection labels [{}], which may lead to undefined behavior. Make sure only one injection label exists.",
            said.join(" ")
        );
        say(Level::Warning, "IST0123", text);
    }
    let ambient = label("istio.io/dataplane-mode") == Some("ambient");
    if !ambient && injection.is_none_or(str::is_empty) && label("istio.io/rev").is_none() {
        let text = format!(
            "The namespace is not enabled for Istio injection. Run 'kubectl label namespace {name} istio-injection=enabled' to enable it, or 'kubectl label namespace {name} istio-injection=disabled' to explicitly mark it as not needing injection."
        );
        say(Level::Info, "IST0102", text);
    }
}

/// Ports whose name does not say what is spoken.
fn port_names(analysis: &mut Analysis<'_>) {
    for service in &analysis.manifests.services {
        let label = |key: &str| service.meta.labels.get(key).map(|v| &*v.value);
        let control_plane = label("istio").is_some() || label("release") == Some("istio");
        let managed = label("gateway.istio.io/managed").is_some_and(|by| {
            matches!(
                by,
                "istio.io-gateway-controller"
                    | "istio.io-mesh-controller"
                    | "istio.io-eastwest-controller"
            )
        });
        if control_plane || managed {
            continue;
        }
        let external = service.kind.value == ServiceType::ExternalName;
        for port in &service.ports {
            let udp = port.protocol == crate::manifest::Protocol::Udp;
            let app = port.app_protocol.as_deref();
            let protocol = Protocol::of_port(&port.name, port.port.value, udp, app);
            let said = protocol == Protocol::Unknown || external && &*port.name == "tcp";
            if !said {
                continue;
            }
            let target = match &port.target.value {
                TargetPort::Number(number) => number.to_string(),
                TargetPort::Name(name) => name.to_string(),
            };
            let (level, code, text) = match external {
                true => (
                    Level::Warning,
                    "IST0150",
                    "Port name for ExternalName service is invalid. Proxy may prevent tcp named ports and unmatched traffic for ports serving TCP protocol from being forwarded correctly".to_string(),
                ),
                false => (
                    Level::Info,
                    "IST0118",
                    format!(
                        "Port name {} (port: {}, targetPort: {target}) doesn't follow the naming convention of Istio port.",
                        port.name, port.port.value
                    ),
                ),
            };
            analysis.out.push(Message {
                level,
                code,
                kind: "Service",
                namespace: service.meta.namespace.to_string(),
                name: service.meta.name.to_string(),
                span: port.port.span,
                text,
            });
        }
    }
}
