use std::sync::Arc;

use super::devices;
use super::facts::Facts;
use super::nat;
use super::network::{self, BRIDGE, NodeNetwork, gateway, pods_on, veth};
use super::pod::sockets;
use super::sheet::Sheet;
use super::{Cluster, Generated, Plan, STAGE};
use crate::conntrack::{ConnectionId, Conntrack};
use crate::control::kube_proxy::{HostFacts, Lines, Proxier, Version, View, iptables, nftables};
use crate::manifest::{IpFamily, Manifests, Node, Plugin, PodRoutes, ProxyMode};
use crate::net::Mac;
use crate::say;
use crate::text::{Diagnostic, Later, Pace, Span};

use super::facts::mac_of;

/// The files of a node, by its place among the objects.
pub(super) fn files(
    plan: &Arc<Plan>,
    at: usize,
    files: &mut Vec<Generated>,
    said: &mut Vec<Diagnostic>,
) {
    let (objects, facts) = (&*plan.objects, &plan.facts);
    let Some(node) = objects.nodes.get(at) else {
        return;
    };
    if node.ip(IpFamily::V4).is_none() {
        let say = say!("control/node-without-address", node = node.meta.name);
        said.push(Diagnostic::error(node.meta.name_span, say));
        return;
    }
    if let Some(span) = node.silent {
        let say = say!("control/node-silent", node = node.meta.name);
        said.push(Diagnostic::note(span, say));
    }
    let folder = format!("nodes/{}", node.meta.name);
    let mut put = |maker: &'static str, file: &str, sheet: Later<Sheet>| {
        files.push(Generated {
            name: format!("{folder}/{file}"),
            maker,
            sheet,
        });
    };
    let network = plan.of_node(at, |plan, node| {
        NodeNetwork::new(&plan.objects, &plan.facts, node)
    });
    let of_network = |make: fn(&NodeNetwork) -> Sheet| {
        let network = network.clone();
        Later::new(move || make(&network))
    };
    let addrs = of_network(|network| {
        let mut sheet = Sheet::default();
        devices::print(&network.devices, &mut sheet);
        sheet
    });
    put("CNI", "ip-addr.txt", addrs);
    let routes = of_network(|network| listed(&network.routes));
    put("CNI", "ip-route.txt", routes);
    if network::has_neighbours(objects, facts, node) {
        let neighbours = of_network(|network| listed(&network.neighbours));
        put("CNI", "ip-neigh.txt", neighbours);
    }
    if facts.env.plugin.value == Plugin::Bridge {
        let bridge = |plan: &Plan, node: &Node| brctl(&plan.objects, &plan.facts, node);
        put("CNI", "brctl-show.txt", plan.of_node(at, bridge));
    }
    let sysctls = plan.of_node(at, {
        let network = network.clone();
        move |plan, _| sysctl(&plan.facts, &network)
    });
    put("kubelet", "sysctl.txt", sysctls);
    let sockets = |plan: &Plan, node: &Node| node_sockets(&plan.objects, &plan.facts, node);
    put("kubelet", "ss.txt", plan.of_node(at, sockets));
    let host = HostFacts::new(Vec::new());
    let proxier = proxier(facts, node, &host);
    if at == 0 {
        said.extend(proxier.check());
    }
    // kube-proxy runs twice, once for each family, and neither knows of the other (`proxy/metaproxier`).
    for family in facts.families(node) {
        let file = match family {
            IpFamily::V4 => "iptables-save.txt",
            IpFamily::V6 => "ip6tables-save.txt",
        };
        let (maker, sheet) = match proxier.mode {
            ProxyMode::Iptables => {
                let rules = move |plan: Arc<Plan>, network: Later<_>, pace: Pace| async move {
                    iptables_save(&plan, at, &network, family, &pace).await
                };
                ("kube-proxy", plan.of_node_along(&network, rules))
            }
            ProxyMode::Nftables | ProxyMode::Ipvs => {
                let rules =
                    move |plan: &Plan, node: &Node| nat::more(plan, node, family, empty_nat());
                ("CNI", plan.of_node(at, rules))
            }
        };
        put(maker, file, sheet);
    }
    if proxier.mode == ProxyMode::Nftables {
        let rules = move |plan: Arc<Plan>, network: Later<_>, pace: Pace| async move {
            nft_ruleset(&plan, at, &network, &pace).await
        };
        let rules = plan.of_node_along(&network, rules);
        put("kube-proxy", "nft-ruleset.txt", rules);
    }
    let vxlan = facts.env.routes;
    if at == 0 && facts.v6.is_some() && vxlan.value == PodRoutes::Vxlan {
        let say = say!("control/no-vxlan-of-ipv6");
        said.push(Diagnostic::warning(vxlan.span, say));
    }
}

/// What a node's kube-proxy and its network write. `None`: there is no such node.
async fn iptables_save(
    plan: &Plan,
    at: usize,
    network: &NodeNetwork,
    family: IpFamily,
    pace: &Pace,
) -> Option<Sheet> {
    let node = plan.objects.nodes.get(at)?;
    let host = host(&plan.facts, network);
    let proxier = proxier(&plan.facts, node, &host);
    let view = plan.view(proxier, family);
    pace.went(STAGE).await;
    let rules = iptables::rules_along(&view, pace).await;
    pace.went(STAGE).await;
    let rules = rules.save(proxier.version);
    pace.went(STAGE).await;
    let mut sheet = Sheet::default();
    trace(&view, &rules, &mut sheet, pace).await;
    Some(nat::more(plan, node, family, sheet))
}

async fn nft_ruleset(plan: &Plan, at: usize, network: &NodeNetwork, pace: &Pace) -> Option<Sheet> {
    let node = plan.objects.nodes.get(at)?;
    let host = host(&plan.facts, network);
    let proxier = proxier(&plan.facts, node, &host);
    let mut sheet = Sheet::default();
    for family in plan.facts.families(node) {
        let view = plan.view(proxier, family);
        pace.went(STAGE).await;
        let rules = nftables::rules_along(&view, pace).await;
        pace.went(STAGE).await;
        trace(&view, &rules.listing(), &mut sheet, pace).await;
    }
    Some(sheet)
}

impl Plan {
    fn view<'a>(&'a self, proxier: Proxier<'a>, family: IpFamily) -> View<'a> {
        let (services, slices) = (&self.objects.services, &self.objects.endpoint_slices);
        View::new(services, slices, proxier, family)
    }
}

impl Cluster {
    /// Deletes from a node's connections what its kube-proxy does, now that the objects are these.
    pub fn clean(&self, node: &str, conntrack: &mut Conntrack, now: u64) {
        let objects = &self.objects;
        let Some(node) = objects.nodes.iter().find(|n| *n.meta.name == *node) else {
            return;
        };
        let facts = Facts::new(objects, &mut Vec::new());
        let host = host(&facts, &NodeNetwork::new(objects, &facts, node));
        let proxier = proxier(&facts, node, &host);
        let (services, slices) = (&objects.services, &objects.endpoint_slices);
        for family in facts.families(node) {
            let view = View::new(services, slices, proxier, family);
            let listed = conntrack.listed(now);
            let gone: Vec<ConnectionId> = listed
                .filter(|(_, connection)| IpFamily::of(connection.orig.dst) == family)
                .filter_map(|(id, connection)| view.forgets(connection).then_some(id))
                .collect();
            for id in gone {
                conntrack.end(id);
            }
        }
    }
}

pub(super) fn proxier<'a>(facts: &'a Facts, node: &'a Node, host: &'a HostFacts) -> Proxier<'a> {
    let mode = facts.proxy.mode.map_or(ProxyMode::Iptables, |m| m.value);
    Proxier {
        version: match mode {
            // The only release whose rules are known.
            ProxyMode::Nftables => Version::V1_36,
            ProxyMode::Iptables | ProxyMode::Ipvs => facts.version,
        },
        mode,
        config: &facts.proxy,
        node,
        host,
    }
}

pub(super) fn host(facts: &Facts, network: &NodeNetwork) -> HostFacts {
    let own = network
        .devices
        .iter()
        .flat_map(|d| d.addrs.iter().map(|(ip, _)| *ip));
    let loopback = IpFamily::V4.loopback();
    let loopback6 = facts.v6.map(|_| IpFamily::V6.loopback());
    let loopbacks = [loopback].into_iter().chain(loopback6);
    HostFacts {
        conntrack_tcp_liberal: facts.proxy.tcp_be_liberal.is_some_and(|l| l.value),
        ..HostFacts::new(loopbacks.chain(own).collect())
    }
}

fn listed(lines: &[(String, Vec<Span>)]) -> Sheet {
    let mut sheet = Sheet::default();
    for (line, sources) in lines {
        sheet.line(sources, line);
    }
    sheet
}

async fn trace(view: &View<'_>, lines: &Lines, sheet: &mut Sheet, pace: &Pace) {
    for (line, origin) in lines.text().lines().zip(lines.origins()) {
        sheet.line(&view.spans(*origin), line);
        pace.went(line.len() / 8).await;
    }
}

fn empty_nat() -> Sheet {
    let mut sheet = Sheet::default();
    for line in [
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":INPUT ACCEPT [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        ":POSTROUTING ACCEPT [0:0]",
        "COMMIT",
    ] {
        sheet.line(&[], line);
    }
    sheet
}

/// As `brctl show` prints it: the ports by name.
fn brctl(objects: &Manifests, facts: &Facts, node: &Node) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.line(&[], "bridge name\tbridge id\t\tSTP enabled\tinterfaces");
    let Some(net) = node.pod_cidr(IpFamily::V4) else {
        return sheet;
    };
    let mut ports: Vec<_> = pods_on(objects, node)
        .map(|pod| (veth(pod, facts.env.plugin.value), pod.meta.span))
        .collect();
    ports.sort();
    let Mac(mac) = mac_of(gateway(net.value));
    let id: String = mac.iter().map(|b| format!("{b:02x}")).collect();
    let head = format!("{BRIDGE}\t\t8000.{id}\tno");
    let mut ports = ports.into_iter();
    match ports.next() {
        Some((port, span)) => sheet.line(&[span, net.span], format!("{head}\t\t{port}")),
        None => sheet.line(&[net.span], head),
    }
    for (port, span) in ports {
        sheet.line(&[span], format!("\t\t\t\t\t\t\t{port}"));
    }
    sheet
}

fn sysctl(facts: &Facts, network: &NodeNetwork) -> Sheet {
    let mut sheet = Sheet::default();
    let bridge = facts.env.plugin.value == Plugin::Bridge;
    // kube-proxy's own, for NodePorts at 127.0.0.1.
    let mode = facts.proxy.mode.map_or(ProxyMode::Iptables, |m| m.value);
    let localnet = mode == ProxyMode::Iptables && facts.proxy.localhost_node_ports.value;
    for (line, source) in [
        (
            format!("net.bridge.bridge-nf-call-iptables = {}", u8::from(bridge)),
            facts.env.plugin.span,
        ),
        ("net.ipv4.conf.all.forwarding = 1".into(), facts.env.span),
        (
            format!("net.ipv4.conf.all.route_localnet = {}", u8::from(localnet)),
            facts.proxy.localhost_node_ports.span,
        ),
        ("net.ipv4.conf.all.rp_filter = 0".into(), facts.env.span),
        ("net.ipv4.conf.default.rp_filter = 0".into(), facts.env.span),
        ("net.ipv4.ip_forward = 1".into(), facts.env.span),
    ] {
        sheet.line(&[source], line);
    }
    if facts.v6.is_some() {
        let bridged = format!("net.bridge.bridge-nf-call-ip6tables = {}", u8::from(bridge));
        sheet.line(&[facts.env.plugin.span], bridged);
        let forwarding = "net.ipv6.conf.all.forwarding = 1";
        sheet.line(&[facts.env.span], forwarding);
    }
    if let Some(liberal) = facts.proxy.tcp_be_liberal.filter(|l| l.value) {
        let line = "net.netfilter.nf_conntrack_tcp_be_liberal = 1";
        sheet.line(&[liberal.span], line);
    }
    for line in &network.sysctls {
        sheet.line(&[facts.env.plugin.span], line);
    }
    sheet
}

/// kubelet, kube-proxy with the ports that it holds or answers at, and Pods on the node's network.
fn node_sockets(objects: &Manifests, facts: &Facts, node: &Node) -> Sheet {
    let mut all = vec![
        ("tcp", 10_250, "kubelet", node.meta.span),
        ("tcp", 10_256, "kube-proxy", facts.proxy.span),
    ];
    for service in &objects.services {
        if let Some(check) = &service.health_check_node_port {
            all.push(("tcp", check.value, "kube-proxy", check.span));
        }
        for port in &service.ports {
            // Until 1.23 it bound every NodePort, so that no other process could take it.
            if let Some(number) = port.node_port.filter(|_| facts.version <= Version::V1_23) {
                all.push((
                    port.protocol.name(),
                    number.value,
                    "kube-proxy",
                    number.span,
                ));
            }
        }
    }
    let here = |p: &&crate::manifest::Pod| {
        let on = p
            .spec
            .node_name
            .as_ref()
            .is_some_and(|n| n.value == node.meta.name);
        p.spec.host_network && on
    };
    for pod in objects.pods.iter().filter(here) {
        all.extend(sockets(objects, facts, pod));
    }
    listening(&all, facts.v6.is_some())
}

/// What `ss -lntup` prints of sockets at all addresses: of IPv4, or of both families.
pub(super) fn listening(all: &[(&str, u16, &str, Span)], both: bool) -> Sheet {
    let any = if both { "*" } else { "0.0.0.0" };
    let mut sheet = Sheet::default();
    sheet.line(
        &[],
        "Netid  State   Recv-Q  Send-Q  Local Address:Port   Peer Address:Port  Process",
    );
    for (pid, (protocol, port, process, span)) in (1_000..).zip(all) {
        let (state, queue) = match *protocol {
            "udp" => ("UNCONN", "0  "),
            _ => ("LISTEN", "128"),
        };
        let local = format!("{any}:{port}");
        let peer = format!("{any}:*");
        sheet.line(
            &[*span],
            format!(
                "{protocol:<5}  {state:<6}  0       {queue}     {local:>18}  {peer:>17}  users:((\"{process}\",pid={pid},fd=3))"
            ),
        );
    }
    sheet
}
