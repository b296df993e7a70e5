//! One machine from its texts.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::texts::HostTexts;
use crate::link::read::{Device, DeviceKind, Name};
use crate::net::{IfaceName, IpFamily, Mac, Masked};
use crate::netfilter::ipset::{Kind, Part};
use crate::netfilter::{Ruleset, Table, nft};
use crate::route::{NextHop, Route, RouteKind, Scope, TableId};
use crate::say;
use crate::text::{Diagnostic, Later, Span};
use crate::topology::{FdbEntry, Host, IfaceAddr, IfaceKind, Interface, Neighbour, Vxlan};

/// iptables-nft keeps its rules in tables of nftables: where both print them, they are there once. Which tables these are says
/// `nft` above them, but as a warning, which a file of its output lacks (nftables `src/rule.c`, `table_print`), and
/// `iptables-save` for all of a family.
fn without_iptables(host: &mut Host, whole: &[IpFamily], diagnostics: &mut Vec<Diagnostic>) {
    // Controllers write no table twice, and theirs are not looked at here.
    let listed = |t: &nft::Table| t.of_iptables || !whole.is_empty();
    if !host.nft.is_made() || !host.nft.tables.iter().any(listed) {
        return;
    }
    let iptables = &host.iptables;
    let saved = |table: &nft::Table| {
        iptables.tables.iter().find(|saved| {
            let family = match table.family {
                nft::Family::Ip => IpFamily::V4,
                nft::Family::Ip6 => IpFamily::V6,
                _ => return false,
            };
            let of_iptables = table.of_iptables || whole.contains(&family);
            of_iptables && saved.family == family && saved.name.to_string() == *table.name
        })
    };
    // What was read is shared with the next run, and long.
    if !host.nft.tables.iter().any(|table| saved(table).is_some()) {
        return;
    }
    let mut rules = nft::Ruleset::clone(&host.nft);
    rules.tables.retain(|table| {
        let same = saved(table);
        if let Some(saved) = same {
            let said = say!("texts/table-of-iptables", table = table.name);
            let said = Diagnostic::note(table.span, said);
            diagnostics.push(said.label(saved.span, say!("texts/first-here")));
        }
        same.is_none()
    });
    host.nft = rules.into();
}

/// The tables of both families, and those of listings where nothing else has them.
fn iptables(
    saved: [Option<Later<Ruleset>>; 2],
    listed: Vec<Table>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Later<Ruleset> {
    let saved = match saved {
        [Some(one), None] | [None, Some(one)] => one,
        [None, None] => Later::default(),
        [Some(four), Some(six)] => Later::along(move |pace| {
            let (four, six) = (four.clone(), six.clone());
            Box::pin(async move {
                four.make_along(&pace).await;
                six.make_along(&pace).await;
                let mut both = Ruleset::clone(&four);
                both.tables.extend(six.tables.iter().cloned());
                both
            })
        }),
    };
    if listed.is_empty() {
        return saved;
    }
    let mut all = Ruleset::clone(&saved);
    for table in listed {
        match all.table(table.family, table.name) {
            Some(saved) => {
                let said = say!("texts/table-twice", table = table.name);
                let said = Diagnostic::warning(table.span, said);
                diagnostics.push(said.label(saved.span, say!("texts/first-here")));
            }
            None => all.tables.push(table),
        }
    }
    all.into()
}

/// A node or pod as far as its own texts tell.
pub fn machine(mut host: Host, texts: HostTexts, diagnostics: &mut Vec<Diagnostic>) -> Host {
    let saved = [texts.iptables, texts.ip6tables];
    host.iptables = iptables(saved, texts.listed, diagnostics);
    host.nft = texts.nft.unwrap_or_default();
    without_iptables(&mut host, &texts.nf_tables, diagnostics);
    host.sets = texts.sets.unwrap_or_default();
    host.sysctls = texts.sysctls.unwrap_or_default();
    host.sockets = texts.sockets.unwrap_or_default();
    host.envoy = texts.envoy;
    host.rules = texts.rules;
    host.rules6 = texts.rules6;
    let routes = texts.routes;
    match texts.devices {
        Some(devices) => add_devices(&mut host, devices),
        None => {
            guess_devices(&mut host, routes.as_deref().map_or(&[], Vec::as_slice));
            guess_ipvs(&mut host);
        }
    }
    guess_vxlan(&mut host, routes.as_ref(), diagnostics);
    let bridges = texts.bridges.unwrap_or_default();
    for bridge in &bridges {
        let ports: Vec<_> = bridge.ports.iter().collect();
        make_bridge(&mut host, &bridge.name);
        if let Some(iface) = named(&mut host, &bridge.name.text)
            && let Some(mac) = bridge_mac(&bridge.id.text)
            && iface.mac == Mac::default()
        {
            iface.mac = mac;
        }
        enslave(&mut host, &bridge.name, &ports, diagnostics);
    }
    for port in texts.ports.iter().flatten() {
        make_bridge(&mut host, &port.master);
        enslave(&mut host, &port.master, &[&port.name], diagnostics);
        if let Some(iface) = named(&mut host, &port.name.text) {
            iface.hairpin = port.hairpin.unwrap_or(iface.hairpin);
        }
    }
    if !bridges.is_empty() {
        left_out(&mut host, &bridges, diagnostics);
    }
    host.ipvs = has_ipvs(&host).map(|d| d.name.clone());
    if !texts.made[0] {
        let about = |d: &Interface, said| Diagnostic::warning(d.span.unwrap_or_default(), said);
        let ipvs = has_ipvs(&host).map(|d| {
            let said = say!("texts/ipvs", dev = d.name, host = host.name);
            about(d, said)
        });
        let ebpf = host.ebpf().map(|d| {
            let said = say!("texts/ebpf", dev = d.name, host = host.name);
            about(d, said)
        });
        diagnostics.extend([ipvs, ebpf].into_iter().flatten());
    }
    host.neighbours = texts
        .neighbours
        .into_iter()
        .filter_map(|n| {
            Some(Neighbour {
                addr: n.addr,
                dev: (&*n.dev.text).into(),
                mac: n.mac?,
                permanent: n.permanent,
                span: Some(n.span),
            })
        })
        .collect();
    host.fdb = texts
        .fdb
        .into_iter()
        // Addresses of the devices themselves, and groups, are known without.
        .filter(|e| e.dst.is_some() || !e.permanent && e.master.is_some())
        .map(|e| FdbEntry {
            mac: e.mac,
            dev: (&*e.dev.text).into(),
            to: e.dst,
            span: Some(e.span),
        })
        .collect();
    host.routes = match routes {
        Some(routes) if texts.made == [true, true] => routes,
        Some(routes) => checked_routes(&host, &routes, diagnostics).into(),
        None => connected(&host).into(),
    };
    host
}

fn named<'h>(host: &'h mut Host, name: &str) -> Option<&'h mut Interface> {
    host.interfaces.iter_mut().find(|i| i.name.as_str() == name)
}

fn add_devices(host: &mut Host, devices: Vec<Device>) {
    let masters: Vec<_> = devices
        .iter()
        .filter_map(|d| d.master.clone())
        .map(|m| m.text)
        .collect();
    for device in devices {
        let is_master = masters.contains(&device.name.text);
        let mut iface = Interface::new(&device.name.text, kind(&device, is_master));
        iface.mac = device.mac.unwrap_or_default();
        iface.up = device.up;
        if let Some(mtu) = device.mtu {
            iface.mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        }
        if let Some(DeviceKind::Other(kind)) = device.kind.as_ref().filter(|k| k.is_unmodelled()) {
            iface.unmodelled = Some(kind.clone());
        }
        iface.master = device.master.map(|m| (&*m.text).into());
        // As the CNI's bridge plugin sets it for the veths it makes; `bridge -d link` tells.
        iface.hairpin = device.hairpin.unwrap_or(iface.master.is_some());
        iface.span = Some(device.span);
        iface.addrs = device
            .addresses
            .iter()
            .map(|a| IfaceAddr {
                scope: match &*a.scope {
                    "host" => Scope::Host,
                    "link" => Scope::Link,
                    "site" => Scope::Site,
                    _ => Scope::Global,
                },
                noprefixroute: a.noprefixroute,
                span: Some(a.span),
                ..IfaceAddr::new(a.addr, a.length)
            })
            .collect();
        match named(host, &device.name.text) {
            Some(known) => *known = iface,
            None => host.interfaces.push(iface),
        }
    }
}

fn kind(device: &Device, is_master: bool) -> IfaceKind {
    match device.kind {
        Some(DeviceKind::Vxlan { id, local, port }) => IfaceKind::Vxlan(Vxlan {
            vni: id,
            local: local.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port,
        }),
        Some(DeviceKind::Bridge) => IfaceKind::Bridge,
        _ if is_master => IfaceKind::Bridge,
        _ if &*device.name.text == "lo" => IfaceKind::Loopback,
        _ => IfaceKind::Device,
    }
}

/// Devices known by their names to be tunnels, and of which kind: the kernel's own, Calico's and flannel's for WireGuard
/// (kernel `net/ipv4/ipip.c`, `sit.c`, `ip_gre.c`, `net/ipv6/ip6_tunnel.c`; Calico `felix/config`; flannel
/// `pkg/backend/wireguard`).
const TUNNELS: [(&str, &str); 8] = [
    ("tunl0", "ipip"),
    ("sit0", "sit"),
    ("gre0", "gre"),
    ("ip6tnl0", "ip6tnl"),
    ("wireguard.cali", "wireguard"),
    ("wg-v6.cali", "wireguard"),
    ("flannel-wg", "wireguard"),
    ("flannel-wg-v6", "wireguard"),
];

/// Without `ip addr`, the routes name the devices; those that the kernel made of addresses (`proto kernel … src`) tell
/// these as well.
fn guess_devices(host: &mut Host, routes: &[Route]) {
    for route in routes {
        for dev in route.hops.iter().filter_map(|h| h.dev.as_ref()) {
            if host.interface(dev.as_str()).is_none() {
                let mut iface = Interface::new(dev.as_str(), IfaceKind::Device);
                let tunnel = TUNNELS.iter().find(|(name, _)| *name == dev.as_str());
                iface.unmodelled = tunnel.map(|(_, kind)| (*kind).into());
                iface.span = route.span;
                host.interfaces.push(iface);
            }
            let (Some(source), Some(length)) = (route.source, route.dst.length()) else {
                continue;
            };
            if route.protocol.as_deref() == Some("kernel")
                && route.dst.contains(source)
                && let Some(iface) = named(host, dev.as_str())
                && !iface.addrs.iter().any(|a| a.addr == source)
            {
                iface.addrs.push(IfaceAddr {
                    span: route.span,
                    ..IfaceAddr::new(source, length)
                });
            }
        }
    }
}

/// Only `ip -d` prints what a VXLAN device is; flannel's and Calico's are known by their names (flannel
/// `pkg/backend/vxlan/vxlan.go`, Calico `felix/config`).
fn guess_vxlan(
    host: &mut Host,
    routes: Option<&Later<Vec<Route>>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let known = |iface: &Interface| {
        if iface.kind != IfaceKind::Device || iface.unmodelled.is_some() {
            return None;
        }
        let name = iface.name.as_str();
        match name.strip_prefix("flannel.").map(str::parse) {
            Some(Ok(vni)) => Some((vni, 8472)),
            _ => (name == "vxlan.calico").then_some((4096, 4789)),
        }
    };
    // Where there is none the routes need not be made.
    if !host.interfaces.iter().any(|i| known(i).is_some()) {
        return;
    }
    let routes = routes.map_or(&[][..], |r| r.as_slice());
    let Some(local) = vxlan_source(host, routes) else {
        return;
    };
    for iface in &mut host.interfaces {
        let Some((vni, port)) = known(iface) else {
            continue;
        };
        let name = iface.name.as_str();
        let said = say!("texts/vxlan-derived", dev = name, vni = vni, port = port);
        diagnostics.push(Diagnostic::note(iface.span.unwrap_or_default(), said));
        iface.kind = IfaceKind::Vxlan(Vxlan { vni, local, port });
    }
}

/// What a VXLAN device sends from: the address of the default route's device (flannel `pkg/ipmatch/match.go`), however small
/// its network is, or else a card's in a network.
fn vxlan_source(host: &Host, routes: &[Route]) -> Option<IpAddr> {
    let defaults = routes.iter().filter(|r| {
        let everywhere = r.dst.addr.is_ipv4() && r.dst.length() == Some(0);
        everywhere && r.kind == RouteKind::Unicast && r.table == TableId::MAIN
    });
    let of_default = defaults.min_by_key(|r| r.metric).and_then(|route| {
        let dev = route.hops.first()?.dev.as_ref()?;
        let mut addrs = host.interface(dev.as_str())?.addrs.iter();
        addrs.find(|a| a.addr.is_ipv4())
    });
    let cards = host
        .interfaces
        .iter()
        .filter(|i| i.kind == IfaceKind::Device);
    let mut addrs = cards
        .flat_map(|i| &i.addrs)
        .filter(|a| a.addr.is_ipv4() && a.length < 32);
    of_default.or_else(|| addrs.next()).map(|a| a.addr)
}

/// Where the addresses of Services are that IPVS serves: kube-proxy's device, or kube-router's
/// (Kubernetes `pkg/proxy/ipvs`, kube-router `pkg/controllers/proxy`).
fn has_ipvs(host: &Host) -> Option<&Interface> {
    let is = |i: &&Interface| matches!(i.name.as_str(), "kube-ipvs0" | "kube-dummy-if");
    host.interfaces.iter().find(is)
}

/// Without `ip addr`, the sets of kube-proxy's IPVS mode tell which addresses its device has (Kubernetes
/// `pkg/proxy/ipvs/ipset.go`).
fn guess_ipvs(host: &mut Host) {
    const OF_SERVICES: [&str; 3] = ["CLUSTER-IP", "EXTERNAL-IP", "LOAD-BALANCER"];
    let mut addrs: BTreeMap<IpAddr, Span> = BTreeMap::new();
    for set in &host.sets.sets {
        let name = set.name.strip_prefix("KUBE-").unwrap_or("");
        let name = name.strip_prefix("6-").unwrap_or(name);
        if let (true, Kind::Of { members, .. }) = (OF_SERVICES.contains(&name), &set.kind) {
            addrs.extend(members.iter().filter_map(|m| match m.parts.first() {
                Some(Part::Net(net)) => Some((net.addr, set.span)),
                _ => None,
            }));
        }
    }
    if addrs.is_empty() || has_ipvs(host).is_some() {
        return;
    }
    let mut device = Interface::new("kube-ipvs0", IfaceKind::Device);
    device.span = addrs.values().next().copied();
    device.addrs = (addrs.iter())
        .map(|(addr, span)| IfaceAddr {
            span: Some(*span),
            ..IfaceAddr::new(*addr, IpFamily::of(*addr).bits())
        })
        .collect();
    host.interfaces.push(device);
}

fn make_bridge(host: &mut Host, name: &Name) {
    match named(host, &name.text) {
        Some(iface) => iface.kind = IfaceKind::Bridge,
        None => {
            let mut iface = Interface::new(&name.text, IfaceKind::Bridge);
            iface.span = Some(name.span);
            host.interfaces.push(iface);
        }
    }
}

/// What a bridge's listing says counts, whatever `ip addr` has.
fn enslave(host: &mut Host, bridge: &Name, ports: &[&Name], diagnostics: &mut Vec<Diagnostic>) {
    let with_addresses = host
        .interfaces
        .iter()
        .any(|i| i.name.as_str() != "lo" && i.master.is_some());
    for port in ports {
        match named(host, &port.text) {
            Some(iface) => {
                if let Some(master) = &iface.master
                    && master.as_str() != &*bridge.text
                {
                    let mut said = Diagnostic::warning(
                        port.span,
                        say!(
                            "texts/port-of-another",
                            port = port.text,
                            bridge = bridge.text,
                            other = master
                        ),
                    );
                    if let Some(span) = iface.span {
                        said = said.label(span, say!("texts/said-here"));
                    }
                    diagnostics.push(said);
                }
                if iface.master.is_none() {
                    iface.hairpin = true;
                }
                iface.master = Some((&*bridge.text).into());
            }
            None => {
                if with_addresses {
                    diagnostics.push(Diagnostic::warning(
                        port.span,
                        say!(
                            "texts/port-without-device",
                            port = port.text,
                            host = host.name
                        ),
                    ));
                }
                let mut iface = Interface::new(&port.text, IfaceKind::Device);
                iface.master = Some((&*bridge.text).into());
                iface.hairpin = true;
                iface.span = Some(port.span);
                host.interfaces.push(iface);
            }
        }
    }
}

/// Ports that `ip addr` has and `brctl show` does not are no ports.
fn left_out(
    host: &mut Host,
    bridges: &[crate::link::read::Brctl],
    diagnostics: &mut Vec<Diagnostic>,
) {
    for iface in &mut host.interfaces {
        let Some(master) = &iface.master else {
            continue;
        };
        let Some(bridge) = bridges.iter().find(|b| &*b.name.text == master.as_str()) else {
            continue;
        };
        if bridge.ports.iter().any(|p| &*p.text == iface.name.as_str()) {
            continue;
        }
        let mut said = Diagnostic::warning(
            bridge.name.span,
            say!(
                "texts/port-left-out",
                port = iface.name,
                bridge = bridge.name.text
            ),
        );
        if let Some(span) = iface.span {
            said = said.label(span, say!("texts/said-here"));
        }
        diagnostics.push(said);
        iface.master = None;
    }
}

/// The address in a bridge's id: `8000.0a58ac140181`.
fn bridge_mac(id: &str) -> Option<Mac> {
    let (_, digits) = id.split_once('.')?;
    let mut bytes = [0; 6];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(Mac(bytes))
}

/// Routes whose device is there; what the kernel would have refused is said.
fn checked_routes(host: &Host, routes: &[Route], diagnostics: &mut Vec<Diagnostic>) -> Vec<Route> {
    let mut kept = Vec::new();
    for route in routes.iter().filter(|r| !made_of_address(host, r)) {
        let span = route.span.unwrap_or_default();
        let missing = route
            .hops
            .iter()
            .filter_map(|h| h.dev.as_ref())
            .find(|dev| host.interface(dev.as_str()).is_none());
        if let Some(dev) = missing {
            diagnostics.push(Diagnostic::error(
                span,
                say!("texts/route-dev-missing", dev = dev, host = host.name),
            ));
            continue;
        }
        if let Some(source) = route.source
            && host.owner_of(source).is_none()
            && route.table != TableId::LOCAL
        {
            diagnostics.push(Diagnostic::warning(
                span,
                say!(
                    "texts/route-source-missing",
                    addr = source,
                    host = host.name
                ),
            ));
        }
        kept.push(route.clone());
    }
    kept
}

/// A line of table local that the host has anyway, as the kernel makes it of each address; `table all` lists those too.
fn made_of_address(host: &Host, route: &Route) -> bool {
    let by_kernel = route.table == TableId::LOCAL && route.protocol.as_deref() == Some("kernel");
    let dst = route.dst.addr;
    let broadcast = |a: &IfaceAddr| a.broadcast().map(IpAddr::from) == Some(dst);
    by_kernel
        && (dst.is_loopback()
            || route.kind == RouteKind::Anycast
            || dst.is_multicast()
            || route.source.is_some_and(|s| s.is_loopback())
            || host.owner_of(dst).is_some()
            || host.interfaces.iter().flat_map(|i| &i.addrs).any(broadcast))
}

/// The routes that the kernel makes of addresses (`fib_add_ifaddr`).
pub fn connected(host: &Host) -> Vec<Route> {
    let mut routes = Vec::new();
    for iface in host.interfaces.iter().filter(|i| i.up && !i.is_loopback()) {
        for addr in &iface.addrs {
            let full = if addr.addr.is_ipv4() { 32 } else { 128 };
            if let Some(subnet) = addr
                .subnet()
                .filter(|_| addr.length < full && !addr.noprefixroute)
            {
                routes.push(onlink(subnet, &iface.name, addr));
            }
        }
    }
    routes
}

pub fn onlink(dst: Masked, dev: &IfaceName, addr: &IfaceAddr) -> Route {
    // Of IPv6: `IP6_RT_PRIO_ADDRCONF`, and the source is chosen for each destination.
    let v4 = dst.addr.is_ipv4();
    Route {
        table: TableId::MAIN,
        kind: RouteKind::Unicast,
        dst,
        tos: 0,
        metric: if v4 { 0 } else { 256 },
        scope: Scope::Link,
        protocol: Some("kernel".into()),
        source: Some(addr.addr).filter(|_| v4),
        hops: vec![NextHop {
            dev: Some(dev.clone()),
            ..NextHop::default()
        }],
        mtu: None,
        span: addr.span,
    }
}

/// `PREFIX via GATEWAY dev DEV`
pub fn by_gateway(dst: Masked, gateway: IpAddr, dev: &str, span: Option<Span>) -> Route {
    Route {
        table: TableId::MAIN,
        kind: RouteKind::Unicast,
        dst,
        tos: 0,
        metric: if dst.addr.is_ipv4() { 0 } else { 1024 },
        scope: Scope::Global,
        protocol: None,
        source: None,
        hops: vec![NextHop {
            gateway: Some(gateway),
            dev: Some(dev.into()),
            ..NextHop::default()
        }],
        mtu: None,
        span,
    }
}

/// All addresses of a gateway's family.
pub fn everywhere(gateway: IpAddr) -> Masked {
    let any = IpFamily::of(gateway).unspecified();
    Masked {
        addr: any,
        mask: any,
    }
}
