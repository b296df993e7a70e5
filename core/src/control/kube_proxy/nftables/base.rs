use super::table::{Chain, Element, Key, Set, SetKind, Table};
use crate::control::kube_proxy::proxier::DetectBy;
use crate::control::kube_proxy::{Field, NodePorts, Origin, View};
use crate::manifest::IpFamily;

/// Filtering by the destination as it was comes before DNAT, at -110; REJECT may only stand in input, forward and output.
const BASE_CHAINS: [(&str, &str); 8] = [
    (
        "filter-prerouting-pre-dnat",
        "type filter hook prerouting priority -110",
    ),
    (
        "filter-output-pre-dnat",
        "type filter hook output priority -110",
    ),
    ("filter-input", "type filter hook input priority 0"),
    ("filter-forward", "type filter hook forward priority 0"),
    ("filter-output", "type filter hook output priority 0"),
    ("nat-prerouting", "type nat hook prerouting priority -100"),
    ("nat-output", "type nat hook output priority -100"),
    ("nat-postrouting", "type nat hook postrouting priority 100"),
];

const JUMPS: [(&str, &str); 11] = [
    ("filter-input", "ct state new jump nodeport-endpoints-check"),
    ("filter-input", "ct state new jump service-endpoints-check"),
    (
        "filter-forward",
        "ct state new jump service-endpoints-check",
    ),
    ("filter-forward", "ct state new jump cluster-ips-check"),
    ("filter-output", "ct state new jump service-endpoints-check"),
    ("filter-output", "ct state new jump cluster-ips-check"),
    (
        "filter-prerouting-pre-dnat",
        "ct state new jump firewall-check",
    ),
    ("filter-output-pre-dnat", "ct state new jump firewall-check"),
    ("nat-output", "jump services"),
    ("nat-prerouting", "jump services"),
    ("nat-postrouting", "jump masquerading"),
];

/// What every node has (`setupNFTables`).
pub(super) fn fill(table: &mut Table, view: &View<'_>) {
    let ip = table.ip();
    for (name, hook) in BASE_CHAINS {
        let chain = Chain {
            hook,
            ..Chain::default()
        };
        table.chains.insert(name.to_string(), chain);
    }
    for (chain, rule) in JUMPS {
        table.rule(chain, Origin::FRAME, rule.to_string());
    }
    table.chains.insert(
        "reject-chain".to_string(),
        Chain {
            comment: "helper for @no-endpoint-services / @no-endpoint-nodeports",
            ..Chain::default()
        },
    );
    table.rule("reject-chain", Origin::FRAME, "reject".to_string());
    for (name, kind, comment) in [
        ("cluster-ips", SetKind::Address, "Active ClusterIPs"),
        (
            "hairpin-connections",
            SetKind::Hairpin,
            "service hairpin connections",
        ),
    ] {
        table.sets.insert(name.to_string(), Set::new(kind, comment));
    }
    for (name, kind, comment) in [
        (
            "service-ips",
            SetKind::Services,
            "ClusterIP, ExternalIP and LoadBalancer IP traffic",
        ),
        ("service-nodeports", SetKind::NodePorts, "NodePort traffic"),
        (
            "no-endpoint-services",
            SetKind::Services,
            "vmap to drop or reject packets to services with no endpoints",
        ),
        (
            "no-endpoint-nodeports",
            SetKind::NodePorts,
            "vmap to drop or reject packets to service nodeports with no endpoints",
        ),
        (
            "firewall-ips",
            SetKind::Services,
            "destinations that are subject to LoadBalancerSourceRanges",
        ),
    ] {
        table.maps.insert(name.to_string(), Set::new(kind, comment));
    }
    masquerading(table, view);
    cluster_ips_check(table, view);
    for (chain, map) in [
        ("service-endpoints-check", "no-endpoint-services"),
        ("firewall-check", "firewall-ips"),
        ("services", "service-ips"),
    ] {
        if chain == "services" {
            mark_for_masquerade(table, view);
        }
        let rule = format!("{ip} daddr . meta l4proto . th dport vmap @{map}");
        table.rule(chain, Origin::FRAME, rule);
    }
    node_ports(table, view);
}

fn masquerading(table: &mut Table, view: &View<'_>) {
    let (ip, mark) = (table.ip(), view.proxier.mark());
    table.rule(
        "masquerading",
        Origin::config(Field::MasqueradeBit),
        format!("mark and {mark} != 0 mark set mark xor {mark} masquerade fully-random"),
    );
    table.rule(
        "masquerading",
        Origin::FRAME,
        format!(
            "ct status dnat {ip} saddr . {ip} daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random"
        ),
    );
}

fn cluster_ips_check(table: &mut Table, view: &View<'_>) {
    let ip = table.ip();
    table.rule(
        "cluster-ips-check",
        Origin::FRAME,
        format!(
            "{ip} daddr @cluster-ips reject comment \"Reject traffic to invalid ports of ClusterIPs\""
        ),
    );
    let nets = view.proxier.host.service_cidrs.iter();
    let nets: Vec<String> = nets
        .filter(|net| IpFamily::of_net(**net) == view.family)
        .map(|net| net.to_string())
        .collect();
    if !nets.is_empty() {
        table.rule(
            "cluster-ips-check",
            Origin::FRAME,
            format!(
                "{ip} daddr {{ {} }} drop comment \"Drop traffic to unallocated ClusterIPs\"",
                nets.join(",")
            ),
        );
    }
}

/// Source NAT at cluster IPs for whoever is not a pod, or for all.
fn mark_for_masquerade(table: &mut Table, view: &View<'_>) {
    let (ip, mark) = (table.ip(), view.proxier.mark());
    if view.proxier.masquerade().all.value {
        table.rule(
            "services",
            Origin::config(Field::MasqueradeAll),
            format!(
                "{ip} daddr @cluster-ips mark set mark or {mark} comment \"masquerade all clusterIP traffic\""
            ),
        );
    } else if let Some(not_local) = local_match(view, " !=") {
        table.rule(
            "services",
            Origin::config(Field::DetectLocal),
            format!(
                "{ip} daddr @cluster-ips {not_local} mark set mark or {mark} comment \"masquerade clusterIP traffic from outside cluster\""
            ),
        );
    }
}

/// `ip saddr 10.244.0.0/16`, with ` !=` for the contrary.
pub(super) fn local_match(view: &View<'_>, not: &str) -> Option<String> {
    let ip = match view.family {
        IpFamily::V4 => "ip",
        IpFamily::V6 => "ip6",
    };
    Some(match view.proxier.detector(view.family)?.by {
        DetectBy::Cidr(net) => format!("{ip} saddr{not} {net}"),
        DetectBy::Interface(name) => format!("iifname{not} {name}"),
        DetectBy::Prefix(prefix) => format!("iifname{not} {prefix}*"),
    })
}

/// Never at loopback addresses: nftables mode does not set route_localnet.
fn node_ports(table: &mut Table, view: &View<'_>) {
    let ip = table.ip();
    let origin = Origin::config(Field::NodePortAddresses);
    let loopback = match view.family {
        IpFamily::V4 => "127.0.0.0/8",
        IpFamily::V6 => "::1",
    };
    let (check, services) = match view.proxier.node_ports(view.family) {
        NodePorts::All => {
            let not_loopback = format!("{ip} daddr != {loopback}");
            (
                not_loopback.clone(),
                format!("fib daddr type local {not_loopback}"),
            )
        }
        NodePorts::Only(addresses) => {
            let set = Set {
                origin,
                ..Set::new(SetKind::Address, "IPs that accept NodePort traffic")
            };
            table.sets.insert("nodeport-ips".to_string(), set);
            for address in addresses.iter().filter(|ip| !ip.is_loopback()) {
                let element = Element {
                    key: Key {
                        ip: Some(*address),
                        port: None,
                    },
                    comment: None,
                    value: None,
                    origin,
                };
                table.element("nodeport-ips", element);
            }
            let rule = format!("{ip} daddr @nodeport-ips");
            (rule.clone(), rule)
        }
    };
    for (chain, matches, map) in [
        ("nodeport-endpoints-check", check, "no-endpoint-nodeports"),
        ("services", services, "service-nodeports"),
    ] {
        let rule = format!("{matches} meta l4proto . th dport vmap @{map}");
        table.rule(chain, origin, rule);
    }
}
