//! A Service port's rules from 1.24 on: KUBE-EXT for what comes from outside, KUBE-SVC for all endpoints, KUBE-SVL for the
//! node's own, KUBE-FW for source ranges.

use super::writer::{PortText, Writer};
use crate::control::kube_proxy::{Field, Origin, ServicePort, Short};

/// The names of a port's chains, and which of them it has.
struct Plan {
    cluster: Short<25>,
    local: Short<25>,
    external: Short<25>,
    firewall: Short<25>,
    uses_cluster: bool,
    uses_local: bool,
    uses_external: bool,
    uses_firewall: bool,
    /// Whether cluster IP and external addresses have endpoints under their policies.
    internal_endpoints: bool,
    external_endpoints: bool,
}

impl Plan {
    fn new(port: &ServicePort<'_>, text: &PortText) -> Self {
        let endpoints = &port.endpoints;
        let none_here = endpoints.local.is_empty();
        Self {
            cluster: text.chain("KUBE-SVC-"),
            local: text.chain("KUBE-SVL-"),
            external: text.chain("KUBE-EXT-"),
            firewall: text.chain("KUBE-FW-"),
            uses_cluster: !endpoints.cluster.is_empty() && port.uses_cluster(),
            uses_local: !none_here && port.uses_local(),
            uses_external: endpoints.any && port.externally_accessible(),
            uses_firewall: endpoints.any && !port.vips.is_empty() && !port.source_ranges.is_empty(),
            internal_endpoints: endpoints.any && !(port.internal_local && none_here),
            external_endpoints: endpoints.any && !(port.external_local && none_here),
        }
    }

    fn internal(&self, port: &ServicePort<'_>) -> &str {
        match port.internal_local {
            true => self.local.as_str(),
            false => self.cluster.as_str(),
        }
    }
}

pub(super) fn port(w: &mut Writer<'_, '_>, port: &ServicePort<'_>, at: u32) {
    let text = PortText::new(port);
    let plan = Plan::new(port, &text);
    cluster_ip(w, port, at, &text, &plan);
    external_addresses(w, port, at, &text, &plan);
    node_port(w, port, at, &text, &plan);
    health_check(w, port, at, &text);
    internal_chain(w, port, at, &text, &plan);
    external_chain(w, port, at, &text, &plan);
    firewall_chain(w, port, at, &text, &plan);
    let reachable = text.chains(port, &port.endpoints.reachable);
    for (used, chain, places) in [
        (
            plan.uses_cluster,
            plan.cluster.as_str(),
            &port.endpoints.cluster,
        ),
        (plan.uses_local, plan.local.as_str(), &port.endpoints.local),
    ] {
        if !used {
            continue;
        }
        w.nat_chain(Origin::port(at, Field::ClusterIp), chain);
        // Mostly all that are reachable, whose names are known by now.
        if *places == port.endpoints.reachable {
            w.balance(&text, (port, at), chain, &reachable);
        } else {
            w.balance(&text, (port, at), chain, &text.chains(port, places));
        }
    }
    for endpoint in &reachable {
        w.nat_chain(Origin::endpoint(at, endpoint.0), endpoint.1.as_str());
        w.endpoint(&text, (port, at), endpoint);
    }
}

/// What becomes of packets that have no endpoint: all of them, or those that a policy Local keeps from the others'.
fn refusal(any: bool) -> (&'static str, &'static str) {
    match any {
        false => (" has no endpoints\"", " -j REJECT"),
        true => (" has no local endpoints\"", " -j DROP"),
    }
}

fn cluster_ip(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    plan: &Plan,
) {
    let origin = Origin::port(at, Field::ClusterIp).and(Field::InternalTrafficPolicy);
    let ip = &text.cluster_ip;
    const COMMENT: &str = "-A KUBE-SERVICES -m comment --comment \"";
    if plan.internal_endpoints {
        w.nat(
            origin,
            &[
                COMMENT,
                text.name,
                " cluster IP\"",
                text.protocol,
                " -d ",
                ip,
                " --dport ",
                text.port.as_str(),
                " -j ",
                plan.internal(port),
            ],
        );
    } else {
        let (why, target) = refusal(port.endpoints.any);
        w.filter(
            origin,
            &[
                COMMENT,
                text.name,
                why,
                text.protocol,
                " -d ",
                ip,
                " --dport ",
                text.port.as_str(),
                target,
            ],
        );
    }
}

/// External IPs and load balancers.
fn external_addresses(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    plan: &Plan,
) {
    let refuse = |w: &mut Writer<'_, '_>, origin: Origin, ip: &str| {
        if !plan.external_endpoints {
            let (why, target) = refusal(port.endpoints.any);
            w.filter(
                origin.and(Field::ExternalTrafficPolicy),
                &[
                    "-A KUBE-EXTERNAL-SERVICES -m comment --comment \"",
                    text.name,
                    why,
                    text.protocol,
                    " -d ",
                    ip,
                    " --dport ",
                    text.port.as_str(),
                    target,
                ],
            );
        }
    };
    let take = |w: &mut Writer<'_, '_>, origin: Origin, kind: &str, ip: &str, chain: &str| {
        if port.endpoints.any {
            w.nat(
                origin,
                &[
                    "-A KUBE-SERVICES -m comment --comment \"",
                    text.name,
                    kind,
                    text.protocol,
                    " -d ",
                    ip,
                    " --dport ",
                    text.port.as_str(),
                    " -j ",
                    chain,
                ],
            );
        }
    };
    for (item, ip) in &port.external_ips {
        let (origin, ip) = (Origin::port(at, Field::ExternalIp(*item)), ip.to_string());
        take(w, origin, " external IP\"", &ip, plan.external.as_str());
        refuse(w, origin, &ip);
    }
    let vips = || {
        let of = |(item, ip): &(u16, std::net::IpAddr)| (Field::Ingress(*item), ip.to_string());
        port.vips.iter().map(of)
    };
    for (field, ip) in vips() {
        let origin = Origin::port(at, field);
        let chain = match plan.uses_firewall {
            true => plan.firewall.as_str(),
            false => plan.external.as_str(),
        };
        take(w, origin, " loadbalancer IP\"", &ip, chain);
        if plan.uses_firewall {
            w.filter(
                origin.and(Field::SourceRange(0)),
                &[
                    "-A KUBE-PROXY-FIREWALL -m comment --comment \"",
                    text.name,
                    " traffic not accepted by ",
                    plan.firewall.as_str(),
                    "\"",
                    text.protocol,
                    " -d ",
                    &ip,
                    " --dport ",
                    text.port.as_str(),
                    " -j DROP",
                ],
            );
        }
    }
    for (field, ip) in vips() {
        refuse(w, Origin::port(at, field), &ip);
    }
}

fn node_port(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    plan: &Plan,
) {
    let Some(number) = port.node_port() else {
        return;
    };
    if w.dialect.node_port_needs_address && w.opens_no_node_port() {
        return;
    }
    let origin = Origin::port(at, Field::NodePort);
    let number = number.to_string();
    if port.endpoints.any {
        let head = [
            "-A KUBE-NODEPORTS -m comment --comment ",
            text.name,
            text.protocol,
        ]
        .concat();
        if w.dialect.nfacct && w.localhost && w.view.proxier.host.nfacct {
            w.nat(
                origin.and(Field::LocalhostNodePorts),
                &[
                    &head,
                    " -d 127.0.0.0/8 --dport ",
                    &number,
                    " -m nfacct --nfacct-name localhost_nps_accepted_pkts -j ",
                    plan.external.as_str(),
                ],
            );
        }
        w.nat(
            origin,
            &[&head, " --dport ", &number, " -j ", plan.external.as_str()],
        );
    }
    if !plan.external_endpoints {
        let (why, target) = refusal(port.endpoints.any);
        w.filter(
            origin.and(Field::ExternalTrafficPolicy),
            &[
                "-A KUBE-EXTERNAL-SERVICES -m comment --comment \"",
                text.name,
                why,
                " -m addrtype --dst-type LOCAL",
                text.protocol,
                " --dport ",
                &number,
                target,
            ],
        );
    }
}

/// Whether or not the node has endpoints: the answer at this port tells the load balancer.
pub(super) fn health_check(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
) {
    let Some(number) = port.health_check_node_port else {
        return;
    };
    w.filter(
        Origin::port(at, Field::HealthCheckNodePort),
        &[
            "-A KUBE-NODEPORTS -m comment --comment \"",
            text.name,
            " health check node port\" -m tcp -p tcp --dport ",
            &number.to_string(),
            " -j ACCEPT",
        ],
    );
}

/// Source NAT at the cluster IP for whoever is not a pod: the answer must come back this way.
fn internal_chain(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    plan: &Plan,
) {
    if !plan.internal_endpoints {
        return;
    }
    let (field, not_local) = if w.view.proxier.masquerade().all.value {
        (Field::MasqueradeAll, String::new())
    } else if let Some(not_local) = &w.not_local {
        (Field::DetectLocal, not_local.clone())
    } else {
        return;
    };
    let ip = &text.cluster_ip;
    w.nat(
        Origin::port(at, Field::ClusterIp).and(field),
        &[
            "-A ",
            plan.internal(port),
            " -m comment --comment \"",
            text.name,
            " cluster IP\"",
            text.protocol,
            " -d ",
            ip,
            " --dport ",
            text.port.as_str(),
            &not_local,
            " -j KUBE-MARK-MASQ",
        ],
    );
}

fn external_chain(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    plan: &Plan,
) {
    if !plan.uses_external {
        return;
    }
    let origin = Origin::port(at, Field::ExternalTrafficPolicy);
    w.nat_chain(origin, plan.external.as_str());
    let rule = |w: &mut Writer<'_, '_>, origin, comment: &str, matches: &str, target: &str| {
        w.nat(
            origin,
            &[
                "-A ",
                plan.external.as_str(),
                " -m comment --comment \"",
                comment,
                text.name,
                " external destinations\"",
                matches,
                " -j ",
                target,
            ],
        );
    };
    if !port.external_local {
        rule(w, origin, "masquerade traffic for ", "", "KUBE-MARK-MASQ");
    } else {
        if let Some(local) = w.local.clone() {
            let origin = origin.and(Field::DetectLocal);
            rule(w, origin, "pod traffic for ", &local, plan.cluster.as_str());
        }
        const NODE: &str = " -m addrtype --src-type LOCAL";
        rule(
            w,
            origin,
            "masquerade LOCAL traffic for ",
            NODE,
            "KUBE-MARK-MASQ",
        );
        rule(
            w,
            origin,
            "route LOCAL traffic for ",
            NODE,
            plan.cluster.as_str(),
        );
    }
    if plan.external_endpoints {
        let chain = match port.external_local {
            true => plan.local.as_str(),
            false => plan.cluster.as_str(),
        };
        w.nat(origin, &["-A ", plan.external.as_str(), " -j ", chain]);
    }
}

/// What comes to the chain's end was not let in, keeps its destination, and meets KUBE-PROXY-FIREWALL.
fn firewall_chain(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    plan: &Plan,
) {
    if !plan.uses_firewall {
        return;
    }
    w.nat_chain(
        Origin::port(at, Field::SourceRange(0)),
        plan.firewall.as_str(),
    );
    let node_ip = w.view.proxier.node_ip(w.view.family);
    let allow = |w: &mut Writer<'_, '_>, origin: Origin, source: &str| {
        w.nat(
            origin,
            &[
                "-A ",
                plan.firewall.as_str(),
                " -m comment --comment \"",
                text.name,
                " loadbalancer IP\" -s ",
                source,
                " -j ",
                plan.external.as_str(),
            ],
        );
    };
    let as_written = w.dialect.ranges_as_written;
    let mut node = None;
    for (item, range) in &port.source_ranges {
        let origin = Origin::port(at, Field::SourceRange(*item));
        let net = range.net.to_string();
        allow(w, origin, if as_written { &range.text } else { &net });
        if range.net.contains(node_ip) {
            node = Some(origin);
        }
    }
    // A node that has the load balancer's address as its own sends from it.
    if let Some(origin) = node {
        for (item, ip) in &port.vips {
            allow(w, origin.and(Field::Ingress(*item)), &ip.to_string());
        }
    }
    if w.dialect.firewall_note {
        w.nat(
            Origin::port(at, Field::SourceRange(0)),
            &[
                "-A ",
                plan.firewall.as_str(),
                " -m comment --comment \"other traffic to ",
                text.name,
                " will be dropped by KUBE-PROXY-FIREWALL\"",
            ],
        );
    }
}
