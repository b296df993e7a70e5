//! Listeners of Gateways and ListenerSets, each as a Gateway of Istio's with one server.
//! Source: `gateway_collection.go`, `buildListener` of `conversion.go`.

use super::super::message::{Ask, Message};
use super::super::object::Object;
use super::{Known, Parent, at, derived, or, selects};
use crate::say;
use crate::text::Diagnostic;
use crate::yaml::Node;

const CONTROLLER: &str = "istio.io/gateway-controller";

pub(super) fn convert(api: &Known, log: &mut Vec<Diagnostic>) -> (Vec<Object>, Vec<Parent>) {
    let mut gateways = Vec::new();
    let mut parents = Vec::new();
    let sets: Vec<&Object> = api.of("ListenerSet").collect();
    for object in api.of("Gateway").filter(|o| is_ours(api, o)) {
        let Some(services) = services(api, object, log).map(|all| all.join(",")) else {
            continue;
        };
        let mut sources = vec![object];
        sources.extend(sets.iter().filter(|s| belongs(api, s, object)));
        for source in sources {
            for listener in source.spec.each("listeners") {
                let made = server(api, object, source, listener, log);
                let Some((server, parent)) = made else {
                    continue;
                };
                let spec = Message::new(listener.span).list("servers", vec![server]);
                let name = parent.name.split_once('/').map_or("", |(_, n)| n);
                let mut gateway = derived(source, "Gateway", name.to_string(), spec.end());
                gateway.span = listener.span;
                gateway.annotations = vec![
                    (
                        "internal.istio.io/parents".into(),
                        format!(
                            "{}/{}/{}.{}",
                            source.kind, source.name, parent.section, source.namespace
                        ),
                    ),
                    ("internal.istio.io/gateway-service".into(), services.clone()),
                    (
                        "internal.istio.io/parent-namespace".into(),
                        object.namespace.clone(),
                    ),
                ];
                gateways.push(gateway);
                parents.push(parent);
            }
        }
    }
    (gateways, parents)
}

/// Whether its class is one whose gateways istiod runs. The class `istio` is there without being written.
pub(super) fn is_ours(api: &Known, gateway: &Object) -> bool {
    let class = gateway.spec.text("gatewayClassName");
    match api.of("GatewayClass").find(|c| c.name == class) {
        Some(class) => class.spec.text("controllerName") == CONTROLLER,
        None => class == "istio",
    }
}

/// Whether istiod makes a gateway's Deployment and Service (`IsManaged`): not where it names others.
pub(super) fn is_managed(gateway: &Object) -> bool {
    match gateway.spec.each("addresses") {
        [] => true,
        [one] => or(one, "type", "IPAddress") == "IPAddress",
        _ => false,
    }
}

/// What they are called (`GetDefaultName`).
pub(super) fn service_name(gateway: &Object) -> String {
    let class = gateway.spec.text("gatewayClassName");
    let given = gateway.annotation("gateway.istio.io/name-override");
    given.map_or_else(|| format!("{}-{class}", gateway.name), str::to_string)
}

/// The Services of a gateway: the one that istiod makes for it, or those that it names (`extractGatewayServices`). None
/// where it names nothing but addresses that istiod can't bind to.
fn services(api: &Known, gateway: &Object, log: &mut Vec<Diagnostic>) -> Option<Vec<String>> {
    let full = |name: &str| format!("{name}.{}.svc.{}", gateway.namespace, api.mesh.domain);
    if is_managed(gateway) {
        return Some(vec![full(&service_name(gateway))]);
    }
    let addresses = gateway.spec.each("addresses");
    let (named, skipped): (Vec<&Node>, Vec<&Node>) = addresses
        .iter()
        .partition(|a| or(a, "type", "IPAddress") == "Hostname");
    if let Some(first) = skipped.first() {
        let values: Vec<&str> = skipped.iter().map(|a| a.text("value")).collect();
        let message = say!(
            "istio/gateway-address-skipped",
            name = &gateway.name,
            values = values.join(", ")
        );
        log.push(Diagnostic::warning(first.span, message));
    }
    let host = |a: &Node| match a.text("value") {
        host if host.contains('.') => host.to_string(),
        name => full(name),
    };
    (!named.is_empty()).then(|| named.into_iter().map(host).collect())
}

/// Whether a ListenerSet adds to a gateway, which must let it.
pub(super) fn belongs(api: &Known, set: &Object, gateway: &Object) -> bool {
    let Some(parent) = set.spec.get("parentRef") else {
        return false;
    };
    let named = or(parent, "kind", "Gateway") == "Gateway"
        && parent.text("name") == gateway.name
        && or(parent, "namespace", &set.namespace) == gateway.namespace;
    let allowed = gateway.spec.get("allowedListeners");
    let Some(allowed) = allowed.and_then(|a| a.get("namespaces")).filter(|_| named) else {
        return false;
    };
    match or(allowed, "from", "Selector") {
        "All" => true,
        "Same" => set.namespace == gateway.namespace,
        "Selector" => allowed
            .get("selector")
            .zip(api.labels(&set.namespace))
            .is_some_and(|(selector, labels)| selects(selector, &labels)),
        _ => false,
    }
}

/// A listener as a server, and as what routes can be attached to. None where istiod would not use it.
fn server(
    api: &Known,
    gateway: &Object,
    source: &Object,
    listener: &Node,
    log: &mut Vec<Diagnostic>,
) -> Option<(Node, Parent)> {
    let section = listener.text("name");
    let mut refused = |reason: String| {
        let (kind, name) = (source.kind, &source.name);
        let message = say!(
            "istio/listener-refused",
            kind = kind,
            name = name,
            listener = section,
            reason = reason
        );
        log.push(Diagnostic::warning(listener.span, message));
    };
    let protocol = listener.text("protocol");
    let port = match (listener.number("port"), protocol) {
        (0, "HTTP") => 80,
        (0, "HTTPS") => 443,
        (0, _) => {
            refused(format!("protocol {protocol} requires a port to be set"));
            return None;
        }
        (port, _) => port,
    };
    match protocol {
        "HTTP" | "HTTPS" | "TLS" => {}
        "TCP" if api.mesh.alpha_gateway_api => {}
        "TCP" => {
            refused(format!(
                "protocol {protocol:?} is supported, but only when PILOT_ENABLE_ALPHA_GATEWAY_API=true is configured"
            ));
            return None;
        }
        "HBONE" => {
            refused(format!(
                "protocol {protocol:?} is only supported for waypoint proxies"
            ));
            return None;
        }
        _ => {
            refused(format!("protocol {protocol:?} is unsupported"));
            return None;
        }
    }
    let tls = match tls(api, gateway, source, listener, port) {
        Ok(tls) => tls,
        Err(reason) => {
            refused(reason);
            return None;
        }
    };
    let hostname = listener.text("hostname");
    let hosts = hosts(api, source, listener);
    let place = Message::new(listener.span)
        .str("name", "default")
        .int("number", port)
        .str("protocol", protocol);
    let server = Message::new(listener.span)
        .message("port", place)
        .strings("hosts", &hosts)
        .maybe("tls", tls);
    let parent = Parent {
        name: format!(
            "{}/{}~istio-autogenerated-k8s-gateway~{section}",
            source.namespace, source.name
        ),
        of: (
            source.kind.to_string(),
            source.namespace.clone(),
            source.name.clone(),
        ),
        section: section.to_string(),
        port,
        protocol: protocol.to_string(),
        hosts,
        hostname: hostname.to_string(),
        kinds: kinds(listener),
    };
    Some((server.end(), parent))
}

/// `namespace/host` for each namespace whose routes the listener takes.
fn hosts(api: &Known, source: &Object, listener: &Node) -> Vec<String> {
    let host = or(listener, "hostname", "*");
    let routes = listener.get("allowedRoutes");
    let namespaces = routes.and_then(|r| r.get("namespaces"));
    let mut allowed: Vec<String> = match namespaces.map_or("Same", |n| or(n, "from", "Same")) {
        "Same" => vec![source.namespace.clone()],
        "All" => vec!["*".into()],
        _ => match namespaces.and_then(|n| n.get("selector")) {
            None => vec!["*".into()],
            Some(selector) => {
                let known = &api.manifests.namespaces;
                let names = known.iter().map(|n| n.meta.name.to_string());
                let chosen = |n: &String| api.labels(n).is_some_and(|l| selects(selector, &l));
                names.filter(chosen).collect()
            }
        },
    };
    allowed.sort();
    if allowed.is_empty() {
        allowed.push("~".into());
    }
    allowed.iter().map(|ns| format!("{ns}/{host}")).collect()
}

fn kinds(listener: &Node) -> Vec<&'static str> {
    let terminates = listener
        .get("tls")
        .is_some_and(|t| or(t, "mode", "Terminate") == "Terminate");
    let mut kinds = match listener.text("protocol") {
        "HTTP" | "HTTPS" => vec!["HTTPRoute", "GRPCRoute"],
        "TCP" => vec!["TCPRoute"],
        "TLS" if terminates => vec!["TLSRoute", "TCPRoute"],
        "TLS" => vec!["TLSRoute"],
        _ => Vec::new(),
    };
    let routes = listener.get("allowedRoutes");
    let wanted = routes.map_or(&[][..], |r| r.each("kinds"));
    if !wanted.is_empty() {
        kinds.retain(|kind| {
            let same =
                |w: &Node| w.text("kind") == *kind && or(w, "group", super::GROUP) == super::GROUP;
            wanted.iter().any(same)
        });
    }
    kinds
}

/// Whether a listener that passes TLS through is the way in from other networks of the mesh (`IsAutoPassthrough`).
fn between_networks(source: &Object, options: Option<&Node>, port: i64) -> bool {
    let asked = options.map_or("", |o| o.text("gateway.istio.io/listener-protocol"));
    let usual = source.label("networking.istio.io/gatewayPort");
    asked == "auto-passthrough"
        || source.label("topology.istio.io/network").is_some()
            && usual.unwrap_or("15443") == port.to_string()
}

/// `buildTLS`. That a Secret is not among the objects is no reason to refuse it: few people hand them out.
fn tls(
    api: &Known,
    gateway: &Object,
    source: &Object,
    listener: &Node,
    port: i64,
) -> Result<Option<Node>, String> {
    let Some(tls) = listener.get("tls") else {
        return Ok(None);
    };
    let out = Message::new(tls.span).bool("httpsRedirect", false);
    let options = tls.get("options");
    if or(tls, "mode", "Terminate") == "Passthrough" {
        let mode = match between_networks(source, options, port) {
            true => "AUTO_PASSTHROUGH",
            false => "PASSTHROUGH",
        };
        return Ok(Some(out.str("mode", mode).end()));
    }
    let asked = options.map_or("", |o| o.text("gateway.istio.io/tls-terminate-mode"));
    let mut mode = match asked {
        "ISTIO_MUTUAL" => return Ok(Some(out.str("mode", "ISTIO_MUTUAL").end())),
        "ISTIO_SIMPLE" => {
            let out = out.str("credentialName", "builtin://");
            return Ok(Some(out.str("mode", "SIMPLE").end()));
        }
        "MUTUAL" | "OPTIONAL_MUTUAL" => asked,
        _ => "SIMPLE",
    };
    let namespace = &source.namespace;
    let certificates = tls.each("certificateRefs");
    if certificates.len() > 2 {
        return Err("TLS mode can only support up to 2 server certificates".into());
    }
    let (mut names, mut reasons) = (Vec::new(), Vec::new());
    for certificate in certificates {
        let name = certificate.text("name");
        let of = or(certificate, "namespace", namespace);
        if or(certificate, "kind", "Secret") != "Secret" || !certificate.text("group").is_empty() {
            let (group, kind) = (certificate.text("group"), certificate.text("kind"));
            reasons.push(format!(
                "invalid certificate reference {group}/{kind}/{name}.{of}, only secret is allowed"
            ));
        } else if of != namespace && !api.granted(source.kind, namespace, "Secret", of, name) {
            reasons.push(format!(
                "certificateRef {name}/{of} not accessible to a Gateway in namespace {namespace:?} (missing a ReferenceGrant?)"
            ));
        } else {
            names.push(format!("kubernetes-gateway://{of}/{name}"));
        }
    }
    if names.is_empty() {
        return match reasons.as_slice() {
            [] => Ok(Some(out.str("mode", mode).end())),
            reasons => Err(reasons.join("; ")),
        };
    }
    let frontend = gateway.spec.get("tls").and_then(|t| t.get("frontend"));
    let by_port = frontend.map_or(&[][..], |f| f.each("perPort"));
    let of_port = by_port.iter().find(|p| p.number("port") == port);
    let settings = match of_port {
        Some(of_port) => of_port.get("tls"),
        None => frontend.and_then(|f| f.get("default")),
    };
    let validation = settings.and_then(|s| s.get("validation"));
    let authorities = validation.map_or(&[][..], |v| v.each("caCertificateRefs"));
    let mut out = match names.as_slice() {
        [one] => out.str("credentialName", one),
        more => out.strings("credentialNames", more),
    };
    match authorities {
        [] => {}
        [one] => {
            let of = or(one, "namespace", namespace);
            let (kind, name) = (one.text("kind"), one.text("name"));
            let scheme = match kind {
                "ConfigMap" => "configmap",
                "Secret" => "kubernetes-gateway",
                _ => {
                    return Err(format!(
                        "invalid CA certificate reference {}/{kind}/{name}.{of}, only secret and configmap are allowed",
                        one.text("group")
                    ));
                }
            };
            if of != namespace && !api.granted(source.kind, namespace, kind, of, name) {
                return Err(format!(
                    "caCertificateRef {of}/{name} not accessible to a Gateway in namespace {namespace:?} (missing a ReferenceGrant?)"
                ));
            }
            mode = if asked == "OPTIONAL_MUTUAL" {
                asked
            } else {
                "MUTUAL"
            };
            out = out.str(
                "caCertCredentialName",
                format!("{scheme}://{of}/{name}-cacert"),
            );
        }
        _ => return Err("only one caCertificateRef is supported".into()),
    }
    let span = at(tls, "mode");
    let mode = super::super::message::string(mode, span);
    Ok(Some(out.node("mode", mode).end()))
}
