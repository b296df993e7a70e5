//! A Service port's rules up to 1.23: KUBE-SVC for all endpoints, KUBE-FW before a load balancer's address, KUBE-XLB for the
//! node's own endpoints under policy Local, KUBE-MARK-DROP (kubelet's chain) for what is left over.

use std::net::IpAddr;

use super::address;
use super::policy::health_check;
use super::writer::{EndpointChain, PortText, Writer};
use crate::control::kube_proxy::version::Chains;
use crate::control::kube_proxy::{Field, Origin, ServicePort, Short};
use crate::manifest::IpFamily;

struct Names {
    service: Short<25>,
    local: Short<25>,
    firewall: Short<25>,
}

pub(super) fn port(w: &mut Writer<'_, '_>, port: &ServicePort<'_>, at: u32) {
    let text = PortText::new(port);
    let names = Names {
        service: text.chain("KUBE-SVC-"),
        local: text.chain("KUBE-XLB-"),
        firewall: text.chain("KUBE-FW-"),
    };
    let mark_in_service = w.dialect.chains == Chains::FwXlbMarkInSvc;
    let endpoints = text.chains(port, &port.endpoints.cluster);
    if mark_in_service {
        for endpoint in &endpoints {
            w.nat_chain(Origin::endpoint(at, endpoint.0), endpoint.1.as_str());
            w.endpoint(&text, (port, at), endpoint);
        }
    }
    if port.endpoints.any {
        w.nat_chain(Origin::port(at, Field::ClusterIp), names.service.as_str());
    }
    if port.external_local {
        w.nat_chain(
            Origin::port(at, Field::ExternalTrafficPolicy),
            names.local.as_str(),
        );
    }
    cluster_ip(w, port, at, &text, &names);
    external_ips(w, port, at, &text, &names);
    load_balancers(w, port, at, &text, &names);
    node_port(w, port, at, &text, &names);
    if w.dialect.health_check_rules {
        health_check(w, port, at, &text);
    }
    if !port.endpoints.any {
        return;
    }
    if mark_in_service {
        w.balance(&text, (port, at), names.service.as_str(), &endpoints);
    } else {
        for endpoint in &endpoints {
            w.nat_chain(Origin::endpoint(at, endpoint.0), endpoint.1.as_str());
        }
        w.affinity(&text, (port, at), names.service.as_str(), &endpoints);
        for (i, endpoint) in endpoints.iter().enumerate() {
            w.share(&text, (port, at), names.service.as_str(), &endpoints, i);
            w.endpoint(&text, (port, at), endpoint);
        }
    }
    if port.external_local {
        let own = text.chains(port, &port.endpoints.local);
        local_chain(w, port, at, &text, &names, &own);
    }
}

/// A comment and the packets it is about: ` -m comment --comment "…" -m tcp -p tcp -d … --dport …`
fn to_address(w: &Writer<'_, '_>, text: &PortText<'_>, what: &str, ip: IpAddr) -> String {
    let ip = address(ip, w.dialect.host_prefix);
    [
        " -m comment --comment \"",
        text.name,
        what,
        "\"",
        text.protocol,
        " -d ",
        &ip,
        " --dport ",
        text.port.as_str(),
    ]
    .concat()
}

fn reject(w: &mut Writer<'_, '_>, origin: Origin, chain: &str, text: &PortText<'_>, ip: IpAddr) {
    let matches = to_address(w, text, " has no endpoints", ip);
    w.filter(origin, &["-A ", chain, &matches, " -j REJECT"]);
}

fn cluster_ip(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    names: &Names,
) {
    let origin = Origin::port(at, Field::ClusterIp).and(Field::InternalTrafficPolicy);
    if !port.endpoints.any {
        return reject(w, origin, "KUBE-SERVICES", text, port.cluster_ip);
    }
    let matches = to_address(w, text, " cluster IP", port.cluster_ip);
    let chain = match w.dialect.chains {
        Chains::FwXlb => "KUBE-SERVICES",
        _ => names.service.as_str(),
    };
    if w.view.proxier.masquerade().all.value {
        let origin = origin.and(Field::MasqueradeAll);
        w.nat(origin, &["-A ", chain, &matches, " -j KUBE-MARK-MASQ"]);
    } else if let Some(local) = w.local.clone() {
        let origin = origin.and(Field::DetectLocal);
        w.nat(
            origin,
            &["-A ", chain, &matches, " !", &local, " -j KUBE-MARK-MASQ"],
        );
    }
    w.nat(
        origin,
        &["-A KUBE-SERVICES", &matches, " -j ", names.service.as_str()],
    );
}

fn external_ips(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    names: &Names,
) {
    for (item, ip) in &port.external_ips {
        let origin = Origin::port(at, Field::ExternalIp(*item));
        if !port.endpoints.any {
            reject(w, origin, "KUBE-EXTERNAL-SERVICES", text, *ip);
            continue;
        }
        let matches = to_address(w, text, " external IP", *ip);
        if w.dialect.chains == Chains::FwXlb {
            // From elsewhere, or to an address that this machine has: not from a container by a bridge.
            w.nat(
                origin,
                &["-A KUBE-SERVICES", &matches, " -j KUBE-MARK-MASQ"],
            );
            for only in [
                " -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL",
                " -m addrtype --dst-type LOCAL",
            ] {
                w.nat(
                    origin,
                    &[
                        "-A KUBE-SERVICES",
                        &matches,
                        only,
                        " -j ",
                        names.service.as_str(),
                    ],
                );
            }
            continue;
        }
        let origin = origin.and(Field::ExternalTrafficPolicy);
        let mut chain = names.local.as_str();
        if !port.external_local {
            chain = names.service.as_str();
            let not_local = w.local.as_ref().map(|local| [" !", local].concat());
            let not_local = not_local.unwrap_or_default();
            w.nat(
                origin,
                &["-A ", chain, &matches, &not_local, " -j KUBE-MARK-MASQ"],
            );
        }
        w.nat(origin, &["-A KUBE-SERVICES", &matches, " -j ", chain]);
    }
}

fn load_balancers(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    names: &Names,
) {
    let node_ip = w.view.proxier.node_ip(w.view.family);
    for (item, ip) in &port.vips {
        let origin = Origin::port(at, Field::Ingress(*item));
        if !port.endpoints.any {
            let chain = match w.dialect.chains {
                Chains::FwXlb => "KUBE-SERVICES",
                _ => "KUBE-EXTERNAL-SERVICES",
            };
            reject(w, origin, chain, text, *ip);
            continue;
        }
        w.nat_chain(origin, names.firewall.as_str());
        let matches = to_address(w, text, " loadbalancer IP", *ip);
        w.nat(
            origin,
            &[
                "-A KUBE-SERVICES",
                &matches,
                " -j ",
                names.firewall.as_str(),
            ],
        );
        let head = [
            "-A ",
            names.firewall.as_str(),
            " -m comment --comment \"",
            text.name,
            " loadbalancer IP\"",
        ]
        .concat();
        let policy = origin.and(Field::ExternalTrafficPolicy);
        let mut chain = names.local.as_str();
        if !port.external_local {
            chain = names.service.as_str();
            w.nat(policy, &[&head, " -j KUBE-MARK-MASQ"]);
        }
        if port.source_ranges.is_empty() {
            w.nat(policy, &[&head, " -j ", chain]);
        }
        let mut node = None;
        for (item, range) in &port.source_ranges {
            let origin = Origin::port(at, Field::SourceRange(*item));
            w.nat(origin, &[&head, " -s ", &range.text, " -j ", chain]);
            if range.net.contains(node_ip) {
                node = Some(origin);
            }
        }
        // The node's own requests loop back from the load balancer's address.
        if let Some(origin) = node {
            let source = address(*ip, w.dialect.host_prefix);
            w.nat(origin, &[&head, " -s ", &source, " -j ", chain]);
        }
        w.nat(origin, &[&head, " -j KUBE-MARK-DROP"]);
    }
}

fn node_port(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    names: &Names,
) {
    let Some(number) = port.node_port() else {
        return;
    };
    if w.dialect.node_port_needs_address && w.opens_no_node_port() {
        return;
    }
    let origin = Origin::port(at, Field::NodePort);
    let number = number.to_string();
    if !port.endpoints.any {
        return w.filter(
            origin,
            &[
                "-A KUBE-EXTERNAL-SERVICES -m comment --comment \"",
                text.name,
                " has no endpoints\" -m addrtype --dst-type LOCAL",
                text.protocol,
                " --dport ",
                &number,
                " -j REJECT",
            ],
        );
    }
    let matches = [
        " -m comment --comment ",
        text.name,
        text.protocol,
        " --dport ",
        &number,
    ]
    .concat();
    let origin = origin.and(Field::ExternalTrafficPolicy);
    if port.external_local {
        // The kernel drops answers to 127.0.0.1 as martians unless the source is changed.
        let loopback = match w.view.family {
            IpFamily::V4 => " -s 127.0.0.0/8 -j KUBE-MARK-MASQ",
            IpFamily::V6 => " -s ::1/128 -j KUBE-MARK-MASQ",
        };
        w.nat(origin, &["-A KUBE-NODEPORTS", &matches, loopback]);
        w.nat(
            origin,
            &["-A KUBE-NODEPORTS", &matches, " -j ", names.local.as_str()],
        );
    } else {
        let chain = match w.dialect.chains {
            Chains::FwXlb => "KUBE-NODEPORTS",
            _ => names.service.as_str(),
        };
        w.nat(origin, &["-A ", chain, &matches, " -j KUBE-MARK-MASQ"]);
        w.nat(
            origin,
            &[
                "-A KUBE-NODEPORTS",
                &matches,
                " -j ",
                names.service.as_str(),
            ],
        );
    }
}

/// KUBE-XLB: pods go to all endpoints, so does the node itself from 1.15 on, all others to the node's own endpoints.
fn local_chain(
    w: &mut Writer<'_, '_>,
    port: &ServicePort<'_>,
    at: u32,
    text: &PortText<'_>,
    names: &Names,
    own: &[EndpointChain],
) {
    let origin = Origin::port(at, Field::ExternalTrafficPolicy);
    let chain = names.local.as_str();
    if let Some(local) = w.local.clone() {
        w.nat(
            origin.and(Field::DetectLocal),
            &[
                "-A ", chain,
                " -m comment --comment \"Redirect pods trying to reach external loadbalancer VIP to clusterIP\"",
                &local, " -j ", names.service.as_str(),
            ],
        );
    }
    if w.dialect.local_short_circuit {
        for (what, where_to, target) in [
            ("masquerade", " LB IP\"", "KUBE-MARK-MASQ"),
            ("route", " LB IP to service chain\"", names.service.as_str()),
        ] {
            w.nat(
                origin,
                &[
                    "-A ",
                    chain,
                    " -m comment --comment \"",
                    what,
                    " LOCAL traffic for ",
                    text.name,
                    where_to,
                    " -m addrtype --src-type LOCAL -j ",
                    target,
                ],
            );
        }
    }
    if own.is_empty() {
        return w.nat(
            origin,
            &[
                "-A ",
                chain,
                " -m comment --comment \"",
                text.name,
                " has no local endpoints\" -j KUBE-MARK-DROP",
            ],
        );
    }
    if w.dialect.chains == Chains::FwXlbMarkInSvc {
        return w.balance(text, (port, at), chain, own);
    }
    if let Some(affinity) = &port.service.session_affinity {
        let seconds = affinity.value.to_string();
        for (number, to) in own {
            w.nat(
                Origin::endpoint(at, *number).and(Field::SessionAffinity),
                &[
                    "-A ",
                    chain,
                    " -m comment --comment ",
                    text.name,
                    " -m recent --name ",
                    to.as_str(),
                    " --rcheck --seconds ",
                    &seconds,
                    " --reap -j ",
                    to.as_str(),
                ],
            );
        }
    }
    for (i, (number, to)) in own.iter().enumerate() {
        let chance = w.chance(own.len() - i);
        w.nat(
            Origin::endpoint(at, *number),
            &[
                "-A ",
                chain,
                " -m comment --comment \"Balancing rule ",
                &i.to_string(),
                " for ",
                text.name,
                "\"",
                &chance,
                " -j ",
                to.as_str(),
            ],
        );
    }
}
