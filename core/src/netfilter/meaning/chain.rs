use crate::say;
use crate::text::Say;

/// What a well-known chain is for: kube-proxy's (`pkg/proxy/iptables/proxier.go`, `pkg/proxy/nftables/proxier.go`),
/// istio-iptables', Docker's. `None` for others.
pub fn chain(name: &str) -> Option<Say> {
    let whole = match name {
        "KUBE-SERVICES" | "services" => Some(say!("meaning-chain/services")),
        "KUBE-NODEPORTS" => Some(say!("meaning-chain/node-ports")),
        "KUBE-EXTERNAL-SERVICES" => Some(say!("meaning-chain/external-services")),
        "KUBE-POSTROUTING" | "masquerading" => Some(say!("meaning-chain/postrouting")),
        "KUBE-MARK-MASQ" | "mark-for-masquerade" => Some(say!("meaning-chain/mark-masq")),
        "KUBE-MARK-DROP" => Some(say!("meaning-chain/mark-drop")),
        "KUBE-FIREWALL" => Some(say!("meaning-chain/firewall")),
        "KUBE-PROXY-FIREWALL" | "firewall-check" => Some(say!("meaning-chain/proxy-firewall")),
        "KUBE-FORWARD" => Some(say!("meaning-chain/forward")),
        "KUBE-PROXY-CANARY" | "KUBE-KUBELET-CANARY" => Some(say!("meaning-chain/canary")),
        "nodeport-endpoints-check" | "service-endpoints-check" => {
            Some(say!("meaning-chain/endpoints-check"))
        }
        "cluster-ips-check" => Some(say!("meaning-chain/cluster-ips-check")),
        "reject-chain" => Some(say!("meaning-chain/reject")),
        "DOCKER" => Some(say!("meaning-chain/docker")),
        "DOCKER-USER" => Some(say!("meaning-chain/docker-user")),
        "ISTIO_INBOUND" => Some(say!("meaning-chain/istio-inbound")),
        "ISTIO_IN_REDIRECT" => Some(say!("meaning-chain/istio-in-redirect")),
        "ISTIO_OUTPUT" => Some(say!("meaning-chain/istio-output")),
        "ISTIO_REDIRECT" => Some(say!("meaning-chain/istio-redirect")),
        "ISTIO_TPROXY" => Some(say!("meaning-chain/istio-tproxy")),
        "ISTIO_DIVERT" => Some(say!("meaning-chain/istio-divert")),
        _ => None,
    };
    whole.or_else(|| {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|p| name.starts_with(p));
        if begins(&["KUBE-SVC-", "service-"]) {
            Some(say!("meaning-chain/service"))
        } else if begins(&["KUBE-SVL-", "local-"]) {
            Some(say!("meaning-chain/local"))
        } else if begins(&["KUBE-SEP-", "endpoint-"]) {
            Some(say!("meaning-chain/endpoint"))
        } else if begins(&["KUBE-FW-", "firewall-"]) {
            Some(say!("meaning-chain/load-balancer"))
        } else if begins(&["KUBE-XLB-", "KUBE-EXT-", "external-"]) {
            Some(say!("meaning-chain/external"))
        } else {
            None
        }
    })
}
