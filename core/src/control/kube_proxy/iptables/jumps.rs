use crate::control::kube_proxy::Version;

/// A rule of a built-in chain that kube-proxy makes sure of before each full sync, at the chain's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    pub table: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    /// With a blank before them.
    pub arguments: &'static str,
}

/// In the order in which they are made: each is put before those already in its chain (`iptablesJumpChains`). Those to
/// KUBE-FIREWALL are kubelet's until 1.27, when kube-proxy began to make them as well.
pub fn jumps(version: Version) -> Vec<Jump> {
    let with_firewall = version >= Version::V1_25;
    let with_node_ports = version >= Version::V1_23;
    JUMPS
        .into_iter()
        .filter(|jump| match (jump.to, jump.from) {
            ("KUBE-EXTERNAL-SERVICES", "FORWARD") | ("KUBE-NODEPORTS", _) => with_node_ports,
            ("KUBE-SERVICES", "INPUT") => !with_node_ports,
            ("KUBE-PROXY-FIREWALL", _) => with_firewall,
            _ => true,
        })
        .collect()
}

/// The rules of kubelet's own chains, with their tables: until 1.27 it dropped marked packets for kube-proxy (Kubernetes
/// `pkg/kubelet/kubelet_network_linux.go`); from 1.19 on it keeps others from reaching 127.0.0.1.
pub(super) fn kubelet(version: Version) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut rules = Vec::new();
    if version < Version::V1_30 {
        rules.push((
            "nat",
            "KUBE-MARK-DROP",
            " -j MARK --set-xmark 0x8000/0x8000",
        ));
        rules.push(("filter", "KUBE-FIREWALL", DROP_MARKED));
    }
    if (Version::V1_23..Version::V1_30).contains(&version) {
        rules.push(("filter", "KUBE-FIREWALL", DROP_LOCALNET));
    }
    rules
}

const DROP_MARKED: &str = " -m comment --comment \"kubernetes firewall for dropping marked packets\" -m mark --mark 0x8000/0x8000 -j DROP";
const DROP_LOCALNET: &str = " ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";

const fn filter(from: &'static str, to: &'static str, arguments: &'static str) -> Jump {
    Jump {
        table: "filter",
        from,
        to,
        arguments,
    }
}

const fn nat(from: &'static str, to: &'static str, arguments: &'static str) -> Jump {
    Jump {
        table: "nat",
        from,
        to,
        arguments,
    }
}

const EXTERNAL: &str = " -m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\"";
const SERVICES: &str =
    " -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\"";
const FIREWALL: &str =
    " -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\"";
const HEALTH: &str = " -m comment --comment \"kubernetes health check service ports\"";
const FORWARD: &str = " -m comment --comment \"kubernetes forwarding rules\"";
const PORTALS: &str = " -m comment --comment \"kubernetes service portals\"";
const POSTROUTING: &str = " -m comment --comment \"kubernetes postrouting rules\"";

const JUMPS: [Jump; 15] = [
    filter("INPUT", "KUBE-EXTERNAL-SERVICES", EXTERNAL),
    filter("FORWARD", "KUBE-EXTERNAL-SERVICES", EXTERNAL),
    filter("INPUT", "KUBE-NODEPORTS", HEALTH),
    filter("FORWARD", "KUBE-SERVICES", SERVICES),
    filter("OUTPUT", "KUBE-SERVICES", SERVICES),
    filter("INPUT", "KUBE-SERVICES", SERVICES),
    filter("FORWARD", "KUBE-FORWARD", FORWARD),
    filter("INPUT", "KUBE-PROXY-FIREWALL", FIREWALL),
    filter("OUTPUT", "KUBE-PROXY-FIREWALL", FIREWALL),
    filter("FORWARD", "KUBE-PROXY-FIREWALL", FIREWALL),
    nat("OUTPUT", "KUBE-SERVICES", PORTALS),
    nat("PREROUTING", "KUBE-SERVICES", PORTALS),
    nat("POSTROUTING", "KUBE-POSTROUTING", POSTROUTING),
    filter("INPUT", "KUBE-FIREWALL", ""),
    filter("OUTPUT", "KUBE-FIREWALL", ""),
];
