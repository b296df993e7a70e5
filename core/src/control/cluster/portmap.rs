//! `hostPort`: what CNI's plugin `portmap` programs, which flannel's and Calico's configurations have behind their own
//! (containernetworking/plugins `plugins/meta/portmap/portmap_iptables.go`, with its default settings).

use std::fmt::Write;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use sha2::{Digest, Sha256};

use super::facts::Facts;
use super::nat::Nat;
use super::network::pods_on;
use crate::manifest::{ContainerPort, IpFamily, Manifests, Node, Plugin, Pod, Protocol, Spanned};
use crate::text::Span;

const DNAT: &str = "CNI-HOSTPORT-DNAT";
const SET_MARK: &str = "CNI-HOSTPORT-SETMARK";
const MASQUERADE: &str = "CNI-HOSTPORT-MASQ";
const MARK: &str = "0x2000/0x2000";
/// As many as the match multiport takes.
const MOST_PORTS: usize = 15;

/// The ports of its node that lead to a Pod. Those of a Pod on the node's network are its own.
pub(super) fn mapped(pod: &Pod) -> impl Iterator<Item = (&ContainerPort, Spanned<u16>)> {
    let on_host = pod.spec.host_network;
    pod.spec.host_ports().filter(move |_| !on_host)
}

/// Chains of the plugin and one of each Pod that has such ports, in the order that the Pods came.
pub(super) fn forward(
    objects: &Manifests,
    facts: &Facts,
    (node, family): (&Node, IpFamily),
    nat: &mut Nat,
) {
    let mut all: Vec<Span> = Vec::new();
    let with = |pod: &&Pod| mapped(pod).next().is_some();
    let pods: Vec<&Pod> = pods_on(objects, node).filter(with).collect();
    for pod in &pods {
        all.extend(mapped(pod).map(|(_, port)| port.span));
    }
    let mut made = Vec::new();
    for pod in pods {
        let ip = pod.ips.iter().find(|ip| IpFamily::of(ip.value) == family);
        let net = node.pod_cidr(family).map(|net| net.value);
        if let Some((ip, net)) = ip.zip(net) {
            let source = match facts.env.plugin.value {
                Plugin::Bridge => format!("{}/{}", net.network(), net.prefix()),
                Plugin::Routed => format!("{}/{}", ip.value, family.bits()),
            };
            made.push((chain_name(facts, pod), pod, ip.value, source));
        }
    }
    if made.is_empty() {
        return;
    }
    let own = made.iter().map(|(name, ..)| &**name);
    for chain in [SET_MARK, MASQUERADE, DNAT].into_iter().chain(own) {
        nat.chains.line(&all, format!(":{chain} - [0:0]"));
    }
    let masquerade = r#"-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j"#;
    nat.first.line(&all, format!("{masquerade} {MASQUERADE}"));
    let mark = r#"-m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark"#;
    for rule in [
        format!("PREROUTING -m addrtype --dst-type LOCAL -j {DNAT}"),
        format!("OUTPUT -m addrtype --dst-type LOCAL -j {DNAT}"),
        format!("{SET_MARK} {mark} {MARK}"),
        format!("{MASQUERADE} -m mark --mark {MARK} -j MASQUERADE"),
    ] {
        nat.last.line(&all, format!("-A {rule}"));
    }
    for (chain, pod, ..) in &made {
        entries(facts, chain, pod, nat);
    }
    for (chain, pod, ip, source) in made {
        for (container, port) in mapped(pod) {
            let host = container.host_ip.map(|ip| ip.value);
            if host.is_none_or(|host| IpFamily::of(host) == family) {
                let sources = [port.span, container.span];
                rules(
                    &chain,
                    (container, port.value),
                    (ip, &source),
                    &sources,
                    nat,
                );
            }
        }
    }
}

/// What leads into a Pod's chain: a rule a protocol, by their names.
fn entries(facts: &Facts, chain: &str, pod: &Pod, nat: &mut Nat) {
    let comment = format!(
        r#"dnat name: \"{}\" id: \"{}\""#,
        network_name(facts),
        container_id(pod)
    );
    for protocol in [Protocol::Sctp, Protocol::Tcp, Protocol::Udp] {
        let of_protocol = mapped(pod).filter(|(c, _)| c.protocol == protocol);
        let ports: Vec<Spanned<u16>> = of_protocol.map(|(_, port)| port).collect();
        for ports in ports.chunks(MOST_PORTS) {
            let list: Vec<String> = ports.iter().map(|p| p.value.to_string()).collect();
            let spans: Vec<Span> = ports.iter().map(|p| p.span).collect();
            let (protocol, list) = (protocol.name(), list.join(","));
            let rule = format!(
                r#"-A {DNAT} -p {protocol} -m comment --comment "{comment}" -m multiport --dports {list} -j {chain}"#
            );
            nat.last.line(&spans, rule);
        }
    }
}

/// Connections from the Pods' network and from the node's 127.0.0.1 are masqueraded, or their answers would not come back.
fn rules(
    chain: &str,
    (container, port): (&ContainerPort, u16),
    (ip, source): (IpAddr, &str),
    sources: &[Span],
    nat: &mut Nat,
) {
    let protocol = container.protocol.name();
    let host = container.host_ip.map(|ip| IpNetwork::from(ip.value));
    let to = host.map_or(String::new(), |host| format!(" -d {host}"));
    let to = format!("{to} -p {protocol} -m {protocol} --dport {port}");
    let localhost = ip.is_ipv4().then_some("127.0.0.1/32");
    for from in [Some(source), localhost].into_iter().flatten() {
        let rule = format!("-A {chain} -s {from}{to} -j {SET_MARK}");
        nat.last.line(sources, rule);
    }
    let target = std::net::SocketAddr::new(ip, container.port.value);
    let rule = format!("-A {chain}{to} -j DNAT --to-destination {target}");
    nat.last.line(sources, rule);
}

/// As the configurations of flannel and Calico call their network.
fn network_name(facts: &Facts) -> &'static str {
    match facts.env.plugin.value {
        Plugin::Bridge => "cbr0",
        Plugin::Routed => "k8s-pod-network",
    }
}

/// Of the Pod's sandbox. A real one is drawn; here the Pod's name tells it.
fn container_id(pod: &Pod) -> String {
    hexadecimal(&pod.meta.full_name())
}

/// The real plugin hashes both names by SHA-512; of a name that is drawn nobody can tell.
fn chain_name(facts: &Facts, pod: &Pod) -> String {
    let hash = hexadecimal(&[network_name(facts), &container_id(pod)].concat());
    let mut name = format!("CNI-DN-{hash}");
    name.truncate(28);
    name
}

fn hexadecimal(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
