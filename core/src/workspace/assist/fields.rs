//! The fields of the Gateway API’s objects and of our own small files, as [`docs::fields`](super::docs::fields) has those of others.

use super::docs::Field;
use crate::say;

/// By kind and place: `k8s:HTTPRoute/spec/rules`.
pub(super) fn gateway_api(path: &str) -> &'static [Field] {
    match path {
        "k8s:Gateway/spec" => &[
            ("gatewayClassName", || {
                say!("assist/field-k8s-gateway-spec-gatewayclassname")
            }),
            ("listeners", || {
                say!("assist/field-k8s-gateway-spec-listeners")
            }),
            ("addresses", || {
                say!("assist/field-k8s-gateway-spec-addresses")
            }),
        ],
        "k8s:Gateway/spec/listeners" => &[
            ("name", || {
                say!("assist/field-k8s-gateway-spec-listeners-name")
            }),
            ("port", || {
                say!("assist/field-k8s-gateway-spec-listeners-port")
            }),
            ("protocol", || {
                say!("assist/field-k8s-gateway-spec-listeners-protocol")
            }),
            ("hostname", || {
                say!("assist/field-k8s-gateway-spec-listeners-hostname")
            }),
            ("tls", || {
                say!("assist/field-k8s-gateway-spec-listeners-tls")
            }),
            ("allowedRoutes", || {
                say!("assist/field-k8s-gateway-spec-listeners-allowedroutes")
            }),
        ],
        "k8s:Gateway/spec/listeners/tls" => &[
            ("mode", || {
                say!("assist/field-k8s-gateway-spec-listeners-tls-mode")
            }),
            ("certificateRefs", || {
                say!("assist/field-k8s-gateway-spec-listeners-tls-certificaterefs")
            }),
        ],
        "k8s:Gateway/spec/listeners/allowedRoutes" => &[
            ("namespaces", || {
                say!("assist/field-k8s-gateway-spec-listeners-allowedroutes-namespaces")
            }),
            ("kinds", || {
                say!("assist/field-k8s-gateway-spec-listeners-allowedroutes-kinds")
            }),
        ],
        "k8s:HTTPRoute/spec" => &[
            ("parentRefs", || {
                say!("assist/field-k8s-httproute-spec-parentrefs")
            }),
            ("hostnames", || {
                say!("assist/field-k8s-httproute-spec-hostnames")
            }),
            ("rules", || say!("assist/field-k8s-httproute-spec-rules")),
        ],
        "k8s:HTTPRoute/spec/parentRefs" => &[
            ("name", || {
                say!("assist/field-k8s-httproute-spec-parentrefs-name")
            }),
            ("namespace", || {
                say!("assist/field-k8s-httproute-spec-parentrefs-namespace")
            }),
            ("sectionName", || {
                say!("assist/field-k8s-httproute-spec-parentrefs-sectionname")
            }),
            ("port", || {
                say!("assist/field-k8s-httproute-spec-parentrefs-port")
            }),
        ],
        "k8s:HTTPRoute/spec/rules" => &[
            ("matches", || {
                say!("assist/field-k8s-httproute-spec-rules-matches")
            }),
            ("filters", || {
                say!("assist/field-k8s-httproute-spec-rules-filters")
            }),
            ("backendRefs", || {
                say!("assist/field-k8s-httproute-spec-rules-backendrefs")
            }),
            ("timeouts", || {
                say!("assist/field-k8s-httproute-spec-rules-timeouts")
            }),
        ],
        "k8s:HTTPRoute/spec/rules/matches" => &[
            ("path", || {
                say!("assist/field-k8s-httproute-spec-rules-matches-path")
            }),
            ("headers", || {
                say!("assist/field-k8s-httproute-spec-rules-matches-headers")
            }),
            ("queryParams", || {
                say!("assist/field-k8s-httproute-spec-rules-matches-queryparams")
            }),
            ("method", || {
                say!("assist/field-k8s-httproute-spec-rules-matches-method")
            }),
        ],
        "k8s:HTTPRoute/spec/rules/matches/path" => &[
            ("type", || {
                say!("assist/field-k8s-httproute-spec-rules-matches-path-type")
            }),
            ("value", || {
                say!("assist/field-k8s-httproute-spec-rules-matches-path-value")
            }),
        ],
        "k8s:HTTPRoute/spec/rules/filters" => &[("type", || {
            say!("assist/field-k8s-httproute-spec-rules-filters-type")
        })],
        "k8s:HTTPRoute/spec/rules/backendRefs" => &[
            ("name", || {
                say!("assist/field-k8s-httproute-spec-rules-backendrefs-name")
            }),
            ("namespace", || {
                say!("assist/field-k8s-httproute-spec-rules-backendrefs-namespace")
            }),
            ("port", || {
                say!("assist/field-k8s-httproute-spec-rules-backendrefs-port")
            }),
            ("weight", || {
                say!("assist/field-k8s-httproute-spec-rules-backendrefs-weight")
            }),
        ],
        _ => &[],
    }
}

/// By file and place: `balancer/listeners`.
pub(super) fn own(path: &str) -> &'static [Field] {
    match path {
        "client" => &[
            ("name", || say!("assist/field-client-name")),
            ("address", || say!("assist/field-client-address")),
            ("address6", || say!("assist/field-client-address6")),
            ("gateway", || say!("assist/field-client-gateway")),
            ("gateway6", || say!("assist/field-client-gateway6")),
        ],
        "balancer" => &[
            ("name", || say!("assist/field-balancer-name")),
            ("outside", || say!("assist/field-balancer-outside")),
            ("outside6", || say!("assist/field-balancer-outside6")),
            ("inside", || say!("assist/field-balancer-inside")),
            ("inside6", || say!("assist/field-balancer-inside6")),
            ("gateway", || say!("assist/field-balancer-gateway")),
            ("gateway6", || say!("assist/field-balancer-gateway6")),
            ("forwarding", || say!("assist/field-balancer-forwarding")),
            ("listeners", || say!("assist/field-balancer-listeners")),
        ],
        "balancer/listeners" => &[
            ("address", || {
                say!("assist/field-balancer-listeners-address")
            }),
            ("port", || say!("assist/field-balancer-listeners-port")),
            ("protocol", || {
                say!("assist/field-balancer-listeners-protocol")
            }),
            ("scheduler", || {
                say!("assist/field-balancer-listeners-scheduler")
            }),
            ("forwarding", || {
                say!("assist/field-balancer-listeners-forwarding")
            }),
            ("failOpen", || {
                say!("assist/field-balancer-listeners-failopen")
            }),
            ("healthCheck", || {
                say!("assist/field-balancer-listeners-healthcheck")
            }),
            ("backends", || {
                say!("assist/field-balancer-listeners-backends")
            }),
        ],
        "balancer/listeners/healthCheck" => &[("port", || {
            say!("assist/field-balancer-listeners-healthcheck-port")
        })],
        "balancer/listeners/backends" => &[
            ("address", || {
                say!("assist/field-balancer-listeners-backends-address")
            }),
            ("port", || {
                say!("assist/field-balancer-listeners-backends-port")
            }),
            ("node", || {
                say!("assist/field-balancer-listeners-backends-node")
            }),
            ("weight", || {
                say!("assist/field-balancer-listeners-backends-weight")
            }),
            ("healthy", || {
                say!("assist/field-balancer-listeners-backends-healthy")
            }),
        ],
        "vpc" => &[
            ("name", || say!("assist/field-vpc-name")),
            ("router", || say!("assist/field-vpc-router")),
            ("router6", || say!("assist/field-vpc-router6")),
            ("routes", || say!("assist/field-vpc-routes")),
        ],
        "vpc/routes" => &[
            ("to", || say!("assist/field-vpc-routes-to")),
            ("via", || say!("assist/field-vpc-routes-via")),
        ],
        _ => &[],
    }
}
