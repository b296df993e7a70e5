use std::net::IpAddr;
use std::sync::Arc;

use ipnetwork::IpNetwork;

use super::devices::{self, Device, Kind};
use super::facts::{Facts, has_network, link_local_route, mac_of, on_link, pod_folder};
use super::network::{LINK_LOCAL_GATEWAY, POD_DEVICE, gateway};
use super::node::listening;
use super::sheet::Sheet;
use super::{Generated, Plan};
use crate::control::istiod::ProxyKind;
use crate::control::mesh::PodProxy;
use crate::manifest::{IpFamily, Manifests, Plugin, Pod, PodRoutes, Spanned, TargetPort};
use crate::net::Mac;
use crate::text::{Later, Span};
use crate::topology::Socket;

/// Where a Pod is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The Pod and its node, by their places among the objects.
    pub pod: usize,
    pub node: usize,
    /// How many of its node's Pods stand before it.
    pub before: usize,
}

/// A Pod that has a network of its own.
pub(super) struct Placed<'a> {
    pod: &'a Pod,
    ip: Spanned<IpAddr>,
    /// Of its node's Pods.
    net: Spanned<IpNetwork>,
    /// The same of IPv6.
    v6: Option<(Spanned<IpAddr>, Spanned<IpNetwork>)>,
    before: usize,
}

impl Plan {
    pub(super) fn placed(&self, place: Place) -> Option<Placed<'_>> {
        let pod = self.objects.pods.get(place.pod)?;
        let node = self.objects.nodes.get(place.node)?;
        let of = |v6: bool| pod.ips.iter().find(|ip| ip.value.is_ipv6() == v6).copied();
        let net6 = node.pod_cidr(IpFamily::V6).copied();
        has_network(pod).then_some(Placed {
            pod,
            ip: of(false)?,
            net: *node.pod_cidr(IpFamily::V4)?,
            v6: of(true).zip(net6.filter(|_| self.facts.v6.is_some())),
            before: place.before,
        })
    }
}

/// The files of a Pod, which is somewhere or not.
pub(super) fn files(
    plan: &Arc<Plan>,
    pod: &Pod,
    place: Option<Place>,
    proxy: Option<&PodProxy>,
    files: &mut Vec<Generated>,
) {
    captured(pod, proxy, files);
    let Some((place, _)) = place.and_then(|p| Some((p, plan.placed(p)?))) else {
        return;
    };
    let folder = pod_folder(pod);
    let mut put = |maker: &'static str, file: &str, sheet: Later<Sheet>| {
        files.push(Generated {
            name: format!("{folder}/{file}"),
            maker,
            sheet,
        });
    };
    let addrs = plan.of_pod(place, |plan, placed| addrs(&plan.facts, placed));
    put("CNI", "ip-addr.txt", addrs);
    let transparent = proxy.and_then(PodProxy::transparent_routes);
    let (rules, first) = transparent.unzip();
    if let Some(rules) = rules {
        put("istio-init", "ip-rule.txt", lines(pod, &rules).into());
    }
    let routes = plan.of_pod(place, |plan, placed| routes(&plan.facts, placed, first));
    put("CNI", "ip-route.txt", routes);
    let of_proxy = proxy.map(PodProxy::sockets).unwrap_or_default();
    // What a gateway's Services and ports promise is there only once its Envoy listens.
    let promises = proxy.is_none_or(|p| p.kind == ProxyKind::Sidecar);
    let listed = plan.of_pod(place, move |plan, placed| {
        listed(plan, placed, &of_proxy, promises)
    });
    put("kubelet", "ss.txt", listed);
}

fn addrs(facts: &Facts, placed: &Placed<'_>) -> Sheet {
    let Placed { ip, net, v6, .. } = placed;
    let bridged = facts.env.plugin.value == Plugin::Bridge;
    // The node's end comes behind its card, the bridge and perhaps a VXLAN device.
    let vxlan = facts.env.routes.value == PodRoutes::Vxlan;
    let mac = mac_of(ip.value);
    let mut addrs = vec![(ip.value, if bridged { net.value.prefix() } else { 32 })];
    if let Some((ip, net)) = v6 {
        addrs.push((ip.value, if bridged { net.value.prefix() } else { 128 }));
        addrs.push((mac.link_local().into(), 64));
    }
    let mut sheet = Sheet::default();
    devices::print(
        &[Device {
            index: POD_DEVICE,
            name: "eth0".into(),
            kind: Kind::Veth {
                peer: 3 + usize::from(bridged) + usize::from(vxlan) + placed.before,
                namespace: 0,
            },
            mac,
            mtu: facts.pod_mtu(),
            addrs,
            master: None,
            up: true,
            span: ip.span,
        }],
        &mut sheet,
    );
    sheet
}

/// `first` is istio-init's.
fn routes(facts: &Facts, placed: &Placed<'_>, first: Option<String>) -> Sheet {
    let Placed { ip, net, v6, .. } = placed;
    let bridged = facts.env.plugin.value == Plugin::Bridge;
    let mut routes = Sheet::default();
    let sources: &[Span] = &[ip.span, net.span, facts.env.plugin.span];
    if bridged {
        let (own, gateway) = (net.value, gateway(net.value));
        let (base, length) = (own.network(), own.prefix());
        routes.line(sources, format!("default via {gateway} dev eth0"));
        routes.line(sources, format!("{} via {gateway} dev eth0", facts.pods));
        routes.line(
            sources,
            format!(
                "{base}/{length} dev eth0 proto kernel scope link src {}",
                ip.value
            ),
        );
    } else {
        routes.line(
            sources,
            format!("default via {LINK_LOCAL_GATEWAY} dev eth0"),
        );
        routes.line(sources, format!("{LINK_LOCAL_GATEWAY} dev eth0 scope link"));
    }
    if let Some((ip, net)) = v6 {
        let sources = [ip.span, net.span, facts.env.plugin.span];
        if bridged {
            routes.line(&sources, on_link(net.value, "eth0"));
        }
        routes.line(&sources, link_local_route("eth0"));
        let gateway = match bridged {
            true => gateway(net.value),
            // The node's end, whose hardware address is the same for all Pods.
            false => Mac([0xee; 6]).link_local().into(),
        };
        let line = format!("default via {gateway} dev eth0 metric 1024 pref medium");
        routes.line(&sources, line);
    }
    if let Some(route) = first {
        routes.line(&[placed.pod.meta.name_span], route);
    }
    routes
}

/// A proxy's sockets, and those of applications where the Pod's ports and its Services can promise them.
fn listed(plan: &Plan, placed: &Placed<'_>, of_proxy: &[Socket], promises: bool) -> Sheet {
    let pod = placed.pod;
    let of = |s: &Socket| s.span.unwrap_or(pod.meta.name_span);
    let mut all: Vec<_> = of_proxy
        .iter()
        .map(|s| ("tcp", s.port, &*s.process, of(s)))
        .collect();
    if promises {
        let taken = |port: u16| of_proxy.iter().any(|s| s.port == port);
        let of_apps = sockets(&plan.objects, &plan.facts, pod).into_iter();
        all.extend(of_apps.filter(|(_, port, ..)| !taken(*port)));
    }
    listening(&all, placed.v6.is_some())
}

/// What istio-iptables programs.
fn captured(pod: &Pod, proxy: Option<&PodProxy>, files: &mut Vec<Generated>) {
    if let Some(rules) = proxy.and_then(PodProxy::rules) {
        files.push(Generated {
            name: format!("{}/iptables-save.txt", pod_folder(pod)),
            maker: "istio-init",
            sheet: lines(pod, &rules).into(),
        });
    }
}

fn lines(pod: &Pod, text: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let span = pod.meta.annotations.span().unwrap_or(pod.meta.name_span);
    for line in text.lines() {
        sheet.line(&[span], line);
    }
    sheet
}

/// Where a Pod listens: the ports that its containers name, and the numbers that Services reach it by.
pub(super) fn sockets<'a>(
    objects: &'a Manifests,
    facts: &Facts,
    pod: &'a Pod,
) -> Vec<(&'static str, u16, &'a str, Span)> {
    let mut all: Vec<(&'static str, u16, &str, Span)> = Vec::new();
    let mut add = |protocol, port, process, span| {
        if !all.iter().any(|(p, n, ..)| (*p, *n) == (protocol, port)) {
            all.push((protocol, port, process, span));
        }
    };
    let is_app = |c: &&crate::manifest::Container| &*c.name != "istio-proxy";
    // A container of that name alone is what it is called.
    let alone = !pod.spec.containers.iter().any(|c| is_app(&c));
    let apps = || pod.spec.containers.iter().filter(|c| alone || is_app(c));
    for container in apps() {
        for port in &container.ports {
            add(
                port.protocol.name(),
                port.port.value,
                &*container.name,
                port.span,
            );
        }
    }
    let process = apps().next().map_or("app", |c| &*c.name);
    for service in facts.selecting(objects, pod) {
        for port in &service.ports {
            if let TargetPort::Number(number) = port.target.value {
                add(port.protocol.name(), number, process, port.target.span);
            }
        }
    }
    all
}
