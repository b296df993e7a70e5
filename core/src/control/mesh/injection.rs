use crate::control::istiod::ProxyKind;
use crate::manifest::{Namespace, Pod};

const PROXY: &str = "istio-proxy";

/// The proxy that a Pod has or is given: what its container `istio-proxy` is told to be, or what the webhook injects
/// (Istio `pkg/kube/inject/inject.go` `injectRequired`, `webhook.go`; the charts' `objectSelector` and `namespaceSelector`).
pub fn proxy_of(pod: &Pod, namespaces: &[Namespace]) -> Option<ProxyKind> {
    let annotation = |key: &str| pod.meta.annotations.get(key).map(|v| &*v.value);
    let template = annotation("inject.istio.io/templates").unwrap_or("");
    let gateway = template.split(',').any(|t| t.trim() == "gateway");
    let containers = &pod.spec.containers;
    if let Some(proxy) = containers.iter().find(|c| &*c.name == PROXY) {
        let told = |role: &str| proxy.args.iter().any(|a| &**a == role);
        let alone = containers.len() == 1 && !told("sidecar");
        return Some(match gateway || told("router") || alone {
            true => ProxyKind::Router,
            false => ProxyKind::Sidecar,
        });
    }
    if pod.spec.host_network {
        return None;
    }
    let wanted = pod.meta.labels.get("sidecar.istio.io/inject");
    let wanted = wanted
        .map(|v| &*v.value)
        .or(annotation("sidecar.istio.io/inject"));
    let namespace = namespaces
        .iter()
        .find(|n| n.meta.name == pod.meta.namespace);
    let labels = namespace.map(|n| &n.meta.labels);
    let of_namespace = |key: &str| labels.and_then(|l| l.get(key)).map(|v| &*v.value);
    let enabled = match of_namespace("istio-injection") {
        Some(value) => value == "enabled",
        None => {
            of_namespace("istio.io/rev").is_some() || pod.meta.labels.get("istio.io/rev").is_some()
        }
    };
    let injected = match wanted {
        Some("true" | "y" | "yes" | "on") => of_namespace("istio-injection") != Some("disabled"),
        Some("false" | "n" | "no" | "off") => false,
        _ => enabled,
    };
    injected.then_some(match gateway {
        true => ProxyKind::Router,
        false => ProxyKind::Sidecar,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Manifests};
    use crate::text::FileId;

    fn of(namespace: &str, pod: &str) -> Option<ProxyKind> {
        let text = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: default, labels: {namespace}}}}}\n---\n\
             {{apiVersion: v1, kind: Pod, {pod}}}\n"
        );
        let mut objects = Manifests::default();
        manifest::read(&text, FileId(0), &mut objects);
        proxy_of(objects.pods.first().unwrap(), &objects.namespaces)
    }

    #[test]
    fn a_pod_has_the_proxy_that_its_container_is_or_that_is_injected() {
        let app = "spec: {containers: [{name: app}]}";
        let plain = format!("metadata: {{name: a}}, {app}");
        assert_eq!(of("{}", &plain), None);
        assert_eq!(
            of("{istio-injection: enabled}", &plain),
            Some(ProxyKind::Sidecar)
        );
        let not =
            format!("metadata: {{name: a, labels: {{sidecar.istio.io/inject: 'false'}}}}, {app}");
        assert_eq!(of("{istio-injection: enabled}", &not), None);
        let alone = "metadata: {name: a}, spec: {containers: [{name: istio-proxy}]}";
        assert_eq!(of("{}", alone), Some(ProxyKind::Router));
        let beside = "metadata: {name: a}, spec: {containers: [{name: app}, {name: istio-proxy, args: [proxy, sidecar]}]}";
        assert_eq!(of("{}", beside), Some(ProxyKind::Sidecar));
        let native = "metadata: {name: a}, spec: {initContainers: [{name: istio-proxy, restartPolicy: Always}], containers: [{name: app}]}";
        assert_eq!(of("{}", native), Some(ProxyKind::Sidecar));
    }
}
