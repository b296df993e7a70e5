//! What words mean, in a line.

use crate::say;
use crate::text::Say;

/// A match of iptables. `None` for one that the model does not follow.
pub(super) fn a_match(name: &str) -> Option<Say> {
    Some(match name {
        "comment" => say!("assist/match-comment"),
        "tcp" => say!("assist/match-tcp"),
        "udp" => say!("assist/match-udp"),
        "addrtype" => say!("assist/match-addrtype"),
        "conntrack" => say!("assist/match-conntrack"),
        "statistic" => say!("assist/match-statistic"),
        "mark" => say!("assist/match-mark"),
        "recent" => say!("assist/match-recent"),
        "set" => say!("assist/match-set"),
        "multiport" => say!("assist/match-multiport"),
        "icmp" => say!("assist/match-icmp"),
        "sctp" => say!("assist/match-sctp"),
        "state" => say!("assist/match-state"),
        "connmark" => say!("assist/match-connmark"),
        "limit" => say!("assist/match-limit"),
        "hashlimit" => say!("assist/match-hashlimit"),
        "iprange" => say!("assist/match-iprange"),
        "length" => say!("assist/match-length"),
        "ttl" => say!("assist/match-ttl"),
        "tos" => say!("assist/match-tos"),
        "dscp" => say!("assist/match-dscp"),
        "owner" => say!("assist/match-owner"),
        "physdev" => say!("assist/match-physdev"),
        "pkttype" => say!("assist/match-pkttype"),
        "mac" => say!("assist/match-mac"),
        "socket" => say!("assist/match-socket"),
        "rpfilter" => say!("assist/match-rpfilter"),
        "policy" => say!("assist/match-policy"),
        "quota" => say!("assist/match-quota"),
        _ => return None,
    })
}

/// A target of iptables.
pub(super) fn target(name: &str) -> Option<Say> {
    Some(match name {
        "ACCEPT" => say!("assist/target-ACCEPT"),
        "DROP" => say!("assist/target-DROP"),
        "RETURN" => say!("assist/target-RETURN"),
        "REJECT" => say!("assist/target-REJECT"),
        "DNAT" => say!("assist/target-DNAT"),
        "SNAT" => say!("assist/target-SNAT"),
        "MASQUERADE" => say!("assist/target-MASQUERADE"),
        "REDIRECT" => say!("assist/target-REDIRECT"),
        "NETMAP" => say!("assist/target-NETMAP"),
        "MARK" => say!("assist/target-MARK"),
        "CONNMARK" => say!("assist/target-CONNMARK"),
        "CT" => say!("assist/target-CT"),
        "NOTRACK" => say!("assist/target-NOTRACK"),
        "LOG" => say!("assist/target-LOG"),
        "NFLOG" => say!("assist/target-NFLOG"),
        "TPROXY" => say!("assist/target-TPROXY"),
        "TTL" => say!("assist/target-TTL"),
        "TCPMSS" => say!("assist/target-TCPMSS"),
        "TRACE" => say!("assist/target-TRACE"),
        "SET" => say!("assist/target-SET"),
        "TOS" => say!("assist/target-TOS"),
        "DSCP" => say!("assist/target-DSCP"),
        "CHECKSUM" => say!("assist/target-CHECKSUM"),
        "CLASSIFY" => say!("assist/target-CLASSIFY"),
        _ => return None,
    })
}

/// The targets that are no extensions.
pub(super) const STANDARD: [&str; 3] = ["ACCEPT", "DROP", "RETURN"];

/// An option of iptables itself.
pub(super) fn option(name: &str) -> Option<Say> {
    Some(match name {
        "-A" => say!("assist/option-dash-append"),
        "-s" => say!("assist/option-dash-s"),
        "-d" => say!("assist/option-dash-d"),
        "-i" => say!("assist/option-dash-i"),
        "-o" => say!("assist/option-dash-o"),
        "-p" => say!("assist/option-dash-p"),
        "-m" => say!("assist/option-dash-m"),
        "-j" => say!("assist/option-dash-j"),
        "-g" => say!("assist/option-dash-g"),
        "-f" => say!("assist/option-dash-f"),
        "!" => say!("assist/option-not"),
        _ => return None,
    })
}

pub(super) const OPTIONS: [&str; 11] = [
    "-A", "-s", "-d", "-i", "-o", "-p", "-m", "-j", "-g", "-f", "!",
];

/// A word of `ip route`.
pub(super) fn route(name: &str) -> Option<Say> {
    Some(match name {
        "default" => say!("assist/route-default"),
        "via" => say!("assist/route-via"),
        "dev" => say!("assist/route-dev"),
        "src" => say!("assist/route-src"),
        "proto" => say!("assist/route-proto"),
        "scope" => say!("assist/route-scope"),
        "metric" => say!("assist/route-metric"),
        "table" => say!("assist/route-table"),
        "mtu" => say!("assist/route-mtu"),
        "onlink" => say!("assist/route-onlink"),
        "nexthop" => say!("assist/route-nexthop"),
        "blackhole" => say!("assist/route-blackhole"),
        "unreachable" => say!("assist/route-unreachable"),
        _ => return None,
    })
}

pub(super) const ROUTE: [&str; 13] = [
    "default",
    "via",
    "dev",
    "src",
    "proto",
    "scope",
    "metric",
    "table",
    "mtu",
    "onlink",
    "nexthop",
    "blackhole",
    "unreachable",
];

/// A field, and what it is for.
pub(super) type Field = (&'static str, fn() -> Say);

/// The fields of an object at a path, without the places in lists: `Service/spec/ports`.
pub(super) fn fields(path: &str) -> &'static [Field] {
    match path {
        "" => &[
            ("apiVersion", || say!("assist/field-object-apiversion")),
            ("kind", || say!("assist/field-object-kind")),
            ("metadata", || say!("assist/field-object-metadata")),
            ("spec", || say!("assist/field-object-spec")),
            ("status", || say!("assist/field-object-status")),
        ],
        "metadata" => &[
            ("name", || say!("assist/field-metadata-name")),
            ("namespace", || say!("assist/field-metadata-namespace")),
            ("labels", || say!("assist/field-metadata-labels")),
            ("annotations", || say!("assist/field-metadata-annotations")),
        ],
        "Service/spec" => &[
            ("type", || say!("assist/field-service-spec-type")),
            ("selector", || say!("assist/field-service-spec-selector")),
            ("ports", || say!("assist/field-service-spec-ports")),
            ("clusterIP", || say!("assist/field-service-spec-clusterip")),
            ("externalTrafficPolicy", || {
                say!("assist/field-service-spec-externaltrafficpolicy")
            }),
            ("internalTrafficPolicy", || {
                say!("assist/field-service-spec-internaltrafficpolicy")
            }),
            ("sessionAffinity", || {
                say!("assist/field-service-spec-sessionaffinity")
            }),
            ("externalIPs", || {
                say!("assist/field-service-spec-externalips")
            }),
            ("loadBalancerSourceRanges", || {
                say!("assist/field-service-spec-loadbalancersourceranges")
            }),
            ("healthCheckNodePort", || {
                say!("assist/field-service-spec-healthchecknodeport")
            }),
            ("ipFamilies", || {
                say!("assist/field-service-spec-ipfamilies")
            }),
        ],
        "Service/spec/ports" => &[
            ("name", || say!("assist/field-service-spec-ports-name")),
            ("port", || say!("assist/field-service-spec-ports-port")),
            ("targetPort", || {
                say!("assist/field-service-spec-ports-targetport")
            }),
            ("nodePort", || {
                say!("assist/field-service-spec-ports-nodeport")
            }),
            ("protocol", || {
                say!("assist/field-service-spec-ports-protocol")
            }),
            ("appProtocol", || {
                say!("assist/field-service-spec-ports-appprotocol")
            }),
        ],
        "Gateway/spec" => &[
            ("selector", || say!("assist/field-gateway-spec-selector")),
            ("servers", || say!("assist/field-gateway-spec-servers")),
        ],
        "Gateway/spec/servers" => &[
            ("port", || say!("assist/field-gateway-spec-servers-port")),
            ("hosts", || say!("assist/field-gateway-spec-servers-hosts")),
            ("tls", || say!("assist/field-gateway-spec-servers-tls")),
        ],
        "Gateway/spec/servers/tls" => &[
            ("mode", || {
                say!("assist/field-gateway-spec-servers-tls-mode")
            }),
            ("credentialName", || {
                say!("assist/field-gateway-spec-servers-tls-credentialname")
            }),
            ("httpsRedirect", || {
                say!("assist/field-gateway-spec-servers-tls-httpsredirect")
            }),
        ],
        "VirtualService/spec" => &[
            ("hosts", || say!("assist/field-virtualservice-spec-hosts")),
            ("gateways", || {
                say!("assist/field-virtualservice-spec-gateways")
            }),
            ("http", || say!("assist/field-virtualservice-spec-http")),
            ("tls", || say!("assist/field-virtualservice-spec-tls")),
            ("tcp", || say!("assist/field-virtualservice-spec-tcp")),
            ("exportTo", || {
                say!("assist/field-virtualservice-spec-exportto")
            }),
        ],
        "VirtualService/spec/http" => &[
            ("name", || {
                say!("assist/field-virtualservice-spec-http-name")
            }),
            ("match", || {
                say!("assist/field-virtualservice-spec-http-match")
            }),
            ("route", || {
                say!("assist/field-virtualservice-spec-http-route")
            }),
            ("redirect", || {
                say!("assist/field-virtualservice-spec-http-redirect")
            }),
            ("rewrite", || {
                say!("assist/field-virtualservice-spec-http-rewrite")
            }),
            ("timeout", || {
                say!("assist/field-virtualservice-spec-http-timeout")
            }),
            ("retries", || {
                say!("assist/field-virtualservice-spec-http-retries")
            }),
            ("fault", || {
                say!("assist/field-virtualservice-spec-http-fault")
            }),
            ("mirror", || {
                say!("assist/field-virtualservice-spec-http-mirror")
            }),
            ("headers", || {
                say!("assist/field-virtualservice-spec-http-headers")
            }),
            ("corsPolicy", || {
                say!("assist/field-virtualservice-spec-http-corspolicy")
            }),
            ("delegate", || {
                say!("assist/field-virtualservice-spec-http-delegate")
            }),
        ],
        "VirtualService/spec/http/match" => &[
            ("uri", || {
                say!("assist/field-virtualservice-spec-http-match-uri")
            }),
            ("scheme", || {
                say!("assist/field-virtualservice-spec-http-match-scheme")
            }),
            ("method", || {
                say!("assist/field-virtualservice-spec-http-match-method")
            }),
            ("authority", || {
                say!("assist/field-virtualservice-spec-http-match-authority")
            }),
            ("headers", || {
                say!("assist/field-virtualservice-spec-http-match-headers")
            }),
            ("queryParams", || {
                say!("assist/field-virtualservice-spec-http-match-queryparams")
            }),
            ("port", || {
                say!("assist/field-virtualservice-spec-http-match-port")
            }),
            ("sourceLabels", || {
                say!("assist/field-virtualservice-spec-http-match-sourcelabels")
            }),
            ("gateways", || {
                say!("assist/field-virtualservice-spec-http-match-gateways")
            }),
            ("ignoreUriCase", || {
                say!("assist/field-virtualservice-spec-http-match-ignoreuricase")
            }),
        ],
        "VirtualService/spec/http/route" => &[
            ("destination", || {
                say!("assist/field-virtualservice-spec-http-route-destination")
            }),
            ("weight", || {
                say!("assist/field-virtualservice-spec-http-route-weight")
            }),
            ("headers", || {
                say!("assist/field-virtualservice-spec-http-route-headers")
            }),
        ],
        "VirtualService/spec/http/route/destination" => &[
            ("host", || {
                say!("assist/field-virtualservice-spec-http-route-destination-host")
            }),
            ("subset", || {
                say!("assist/field-virtualservice-spec-http-route-destination-subset")
            }),
            ("port", || {
                say!("assist/field-virtualservice-spec-http-route-destination-port")
            }),
        ],
        "DestinationRule/spec" => &[
            ("host", || say!("assist/field-destinationrule-spec-host")),
            ("trafficPolicy", || {
                say!("assist/field-destinationrule-spec-trafficpolicy")
            }),
            ("subsets", || {
                say!("assist/field-destinationrule-spec-subsets")
            }),
            ("exportTo", || {
                say!("assist/field-destinationrule-spec-exportto")
            }),
        ],
        "DestinationRule/spec/subsets" => &[
            ("name", || {
                say!("assist/field-destinationrule-spec-subsets-name")
            }),
            ("labels", || {
                say!("assist/field-destinationrule-spec-subsets-labels")
            }),
            ("trafficPolicy", || {
                say!("assist/field-destinationrule-spec-subsets-trafficpolicy")
            }),
        ],
        "DestinationRule/spec/trafficPolicy" => &[
            ("loadBalancer", || {
                say!("assist/field-destinationrule-spec-trafficpolicy-loadbalancer")
            }),
            ("connectionPool", || {
                say!("assist/field-destinationrule-spec-trafficpolicy-connectionpool")
            }),
            ("outlierDetection", || {
                say!("assist/field-destinationrule-spec-trafficpolicy-outlierdetection")
            }),
            ("tls", || {
                say!("assist/field-destinationrule-spec-trafficpolicy-tls")
            }),
        ],
        "EndpointSlice" => &[
            ("addressType", || {
                say!("assist/field-endpointslice-addresstype")
            }),
            ("endpoints", || say!("assist/field-endpointslice-endpoints")),
            ("ports", || say!("assist/field-endpointslice-ports")),
        ],
        "EndpointSlice/endpoints" => &[
            ("addresses", || {
                say!("assist/field-endpointslice-endpoints-addresses")
            }),
            ("conditions", || {
                say!("assist/field-endpointslice-endpoints-conditions")
            }),
            ("nodeName", || {
                say!("assist/field-endpointslice-endpoints-nodename")
            }),
            ("targetRef", || {
                say!("assist/field-endpointslice-endpoints-targetref")
            }),
        ],
        "RequestAuthentication/spec" => &[
            ("selector", || {
                say!("assist/field-requestauthentication-spec-selector")
            }),
            ("jwtRules", || {
                say!("assist/field-requestauthentication-spec-jwtrules")
            }),
        ],
        "RequestAuthentication/spec/jwtRules" => &[
            ("issuer", || {
                say!("assist/field-requestauthentication-spec-jwtrules-issuer")
            }),
            ("audiences", || {
                say!("assist/field-requestauthentication-spec-jwtrules-audiences")
            }),
            ("jwks", || {
                say!("assist/field-requestauthentication-spec-jwtrules-jwks")
            }),
            ("jwksUri", || {
                say!("assist/field-requestauthentication-spec-jwtrules-jwksuri")
            }),
            ("fromHeaders", || {
                say!("assist/field-requestauthentication-spec-jwtrules-fromheaders")
            }),
            ("fromParams", || {
                say!("assist/field-requestauthentication-spec-jwtrules-fromparams")
            }),
            ("fromCookies", || {
                say!("assist/field-requestauthentication-spec-jwtrules-fromcookies")
            }),
            ("forwardOriginalToken", || {
                say!("assist/field-requestauthentication-spec-jwtrules-forwardoriginaltoken")
            }),
            ("outputClaimToHeaders", || {
                say!("assist/field-requestauthentication-spec-jwtrules-outputclaimtoheaders")
            }),
            ("outputPayloadToHeader", || {
                say!("assist/field-requestauthentication-spec-jwtrules-outputpayloadtoheader")
            }),
        ],
        "Sidecar/spec" => &[
            ("workloadSelector", || {
                say!("assist/field-sidecar-spec-workloadselector")
            }),
            ("ingress", || say!("assist/field-sidecar-spec-ingress")),
            ("egress", || say!("assist/field-sidecar-spec-egress")),
            ("outboundTrafficPolicy", || {
                say!("assist/field-sidecar-spec-outboundtrafficpolicy")
            }),
        ],
        _ => super::fields::gateway_api(path),
    }
}
