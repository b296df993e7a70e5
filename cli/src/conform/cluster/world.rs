use std::collections::BTreeMap;
use std::net::IpAddr;

use northsouth::control::istiod::{self, MeshConfig, Proxy, ProxyKind};
use northsouth::control::kube_proxy::{HostFacts, Proxier, Version, View, iptables, nftables};
use northsouth::envoy::Config;
use northsouth::load_balancer::{Backend, Forwarding, Health, Listener, LoadBalancer, Scheduler};
use northsouth::manifest::{self, IpFamily, KubeProxyConfiguration, Manifests, ProxyMode};
use northsouth::net::{Mac, Protocol};
use northsouth::netfilter::{nft, save};
use northsouth::route::{Route, read};
use northsouth::text::FileId;
use northsouth::topology::{
    End, Host, HostKind, IfaceAddr, IfaceKind, Interface, Link, Service, Socket, Vxlan, World,
};
use serde_json::Value;

/// The recorded clusters' range of ClusterIPs.
const SERVICES: &str = "172.21.0.0/16";

/// Joins machines as the recordings' readme describes them.
pub(super) fn world(scenario: &Value) -> World {
    let mut build = Build {
        scenario,
        world: World::default(),
    };
    build.front();
    build.vpc();
    for node in list(&scenario["topology"]["nodes"]) {
        build.node(node);
    }
    for pod in list(&scenario["topology"]["pods"]) {
        build.pod(pod);
    }
    build.gateways();
    build.world
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The first address of a prefix, and its length.
fn first_of(prefix: &str) -> Option<(IpAddr, IpAddr, u8)> {
    let (base, length) = prefix.split_once('/')?;
    let base: std::net::Ipv4Addr = base.parse().ok()?;
    let first = std::net::Ipv4Addr::from(base.to_bits() + 1);
    Some((base.into(), first.into(), length.parse().ok()?))
}

struct Build<'s> {
    scenario: &'s Value,
    world: World,
}

impl Build<'_> {
    fn network(&self) -> &str {
        text(&self.scenario["topology"], "podNetwork")
    }

    fn routed(&self) -> bool {
        self.scenario["topology"]["podKind"] == "routed"
    }

    fn add(&mut self, host: Host) {
        self.world.hosts.push(host);
    }

    fn join(&mut self, a: (&str, &str), b: (&str, &str)) {
        let end = |(host, iface): (&str, &str)| {
            let host = self.world.find(host)?;
            Some(End {
                host,
                iface: iface.into(),
            })
        };
        if let (Some(a), Some(b)) = (end(a), end(b)) {
            self.world.links.push(Link {
                ends: vec![a, b],
                beyond: Default::default(),
            });
        }
    }

    /// The client and the load balancer.
    fn front(&mut self) {
        let addrs: Vec<String> = list(&self.scenario["topology"]["client"]["eth0"])
            .filter_map(Value::as_str)
            .map(|a| format!("{a}/24"))
            .collect();
        let mut client = machine("client", HostKind::Client);
        client.interfaces.push(device("client", "eth0", &addrs));
        routes(
            &mut client,
            "default via 203.0.113.1 dev eth0\n203.0.113.0/24 dev eth0 scope link src 203.0.113.9\n",
        );
        self.add(client);

        let slb = &self.scenario["topology"]["slb"];
        let mut host = machine("slb", HostKind::LoadBalancer);
        for name in ["front", "back"] {
            let addrs = [text(slb, name).to_string()];
            host.interfaces.push(device("slb", name, &addrs));
        }
        routes(
            &mut host,
            "default via 192.168.0.253 dev back\n203.0.113.0/24 dev front scope link src 203.0.113.1\n192.168.0.0/24 dev back scope link src 192.168.0.100\n",
        );
        // With full NAT it writes its own address as the source before it asks its routes.
        host.sysctls.set("net.ipv4.conf.all.accept_local", "1");
        host.balancer = balancer(&self.scenario["lb"]);
        self.add(host);
        self.join(("client", "eth0"), ("slb", "front"));
    }

    fn vpc(&mut self) {
        let topology = &self.scenario["topology"];
        let mut host = machine("vpc", HostKind::Router);
        host.sysctls.bridge_nf = false;
        let router = text(topology, "vpcRouter");
        let mut br0 = device("vpc", "br0", &[format!("{router}/24")]);
        br0.kind = IfaceKind::Bridge;
        host.interfaces.push(br0);
        let nodes: Vec<&str> = list(&topology["nodes"]).map(|n| text(n, "name")).collect();
        let ports = std::iter::once("slb").chain(nodes.iter().copied());
        for name in ports.clone() {
            let mut port = device("vpc", &format!("v-{name}"), &[]);
            port.master = Some("br0".into());
            host.interfaces.push(port);
        }
        let mut lines = format!(
            "192.168.0.0/24 dev br0 scope link src {router}\n203.0.113.0/24 via 192.168.0.100 dev br0\n"
        );
        let mut vips: Vec<&str> = list(&self.scenario["lb"]["frontends"])
            .map(|f| text(f, "vip"))
            .collect();
        vips.dedup();
        for vip in vips {
            lines += &format!("{vip} via 192.168.0.100 dev br0\n");
        }
        if self.network() == "vpc" {
            let dropped: Vec<&str> = list(&self.scenario["dropVpcRoutes"])
                .filter_map(Value::as_str)
                .collect();
            for node in list(&topology["nodes"]).filter(|n| !dropped.contains(&text(n, "name"))) {
                lines += &format!(
                    "{} via {} dev br0\n",
                    text(node, "podCIDR"),
                    text(node, "ip")
                );
            }
        }
        for line in list(&self.scenario["vpcRoutes"]).filter_map(Value::as_str) {
            let nowhere = ["blackhole", "unreachable", "prohibit", "throw"];
            let whole = line.contains(" dev ") || nowhere.iter().any(|kind| line.starts_with(kind));
            let dev = if whole { "" } else { " dev br0" };
            lines += &format!(
                "{line}{dev}
"
            );
        }
        routes(&mut host, &lines);
        self.add(host);
        self.join(("slb", "back"), ("vpc", "v-slb"));
    }

    fn node(&mut self, described: &Value) {
        let (name, ip) = (text(described, "name"), text(described, "ip"));
        let mut host = machine(name, HostKind::Node);
        host.interfaces
            .push(device(name, "eth0", &[format!("{ip}/24")]));
        let cidr = text(described, "podCIDR");
        let mut lines = format!(
            "default via 192.168.0.253 dev eth0\n192.168.0.0/24 dev eth0 proto kernel scope link src {ip}\n"
        );
        let Some((base, first, length)) = first_of(cidr) else {
            return;
        };
        let pods: Vec<&Value> = list(&self.scenario["topology"]["pods"])
            .filter(|p| text(p, "node") == name && p["hostNetwork"] != true)
            .collect();
        if self.routed() {
            lines += &format!("blackhole {cidr}\n");
        } else {
            let mut cni0 = device(name, "cni0", &[format!("{first}/{length}")]);
            cni0.kind = IfaceKind::Bridge;
            host.interfaces.push(cni0);
            lines += &format!("{cidr} dev cni0 proto kernel scope link src {first}\n");
        }
        for pod in pods {
            let mut port = device(name, &self.port_of(text(pod, "name")), &[]);
            if self.routed() {
                lines += &format!("{} dev {} scope link\n", text(pod, "ip"), port.name);
                host.sysctls
                    .set(&format!("net.ipv4.conf.{}.proxy_arp", port.name), "1");
            } else {
                port.master = Some("cni0".into());
                port.hairpin = true;
            }
            host.interfaces.push(port);
        }
        if self.network() == "vxlan" {
            let mut flannel = device(name, "flannel.1", &[format!("{base}/32")]);
            flannel.kind = IfaceKind::Vxlan(Vxlan {
                vni: 1,
                local: ip.parse().unwrap_or(base),
                port: 8472,
            });
            host.interfaces.push(flannel);
        }
        for other in list(&self.scenario["topology"]["nodes"]).filter(|n| text(n, "name") != name) {
            let (cidr, via) = (text(other, "podCIDR"), text(other, "ip"));
            match (self.network(), first_of(cidr)) {
                ("hostgw", _) => lines += &format!("{cidr} via {via} dev eth0\n"),
                ("vxlan", Some((base, _, _))) => {
                    lines += &format!("{cidr} via {base} dev flannel.1 onlink\n");
                }
                _ => {}
            }
        }
        routes(&mut host, &lines);
        for line in list(&self.scenario["nodeRoutes"][name]).filter_map(Value::as_str) {
            let line = line.strip_prefix("ip ").unwrap_or(line);
            let Some((command, route)) = line
                .strip_prefix("route ")
                .and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let new = read::routes(&format!("{route}\n"), FileId(0)).0;
            if command != "append" {
                let same = |r: &Route, n: &Route| (r.dst, r.table) == (n.dst, n.table);
                host.routes
                    .change(|all| all.retain(|r| !new.iter().any(|n| same(r, n))));
            }
            if command != "del" {
                host.routes.change(|all| all.extend(new));
            }
        }
        if self.scenario["kubeProxy"]["mode"] != "nftables" {
            host.sysctls.set("net.ipv4.conf.all.route_localnet", "1");
        }
        host.sysctls.bridge_nf = self.scenario["bridgeNf"] != false;
        for (key, value) in self.scenario["sysctls"][name]
            .as_object()
            .into_iter()
            .flatten()
        {
            let value = value.as_str().map_or(value.to_string(), str::to_string);
            host.sysctls.set(key, &value);
        }
        self.rules(name, &mut host);
        host.conntrack = true.into();
        self.add(host);
        self.join((name, "eth0"), ("vpc", &format!("v-{name}")));
    }

    /// Device names are cut at 15 characters.
    fn port_of(&self, pod: &str) -> String {
        let prefix = if self.routed() { "cali" } else { "veth" };
        format!("{prefix}-{pod}").chars().take(15).collect()
    }

    fn pod(&mut self, described: &Value) {
        let (name, node) = (text(described, "name"), text(described, "node"));
        let sockets: Vec<Socket> = list(&described["listen"])
            .filter_map(|l| {
                let (port, protocol) = l.as_str()?.split_once('/')?;
                Some(Socket {
                    protocol: if protocol == "udp" {
                        Protocol::UDP
                    } else {
                        Protocol::TCP
                    },
                    addr: IpAddr::from([0, 0, 0, 0]),
                    port: port.parse().ok()?,
                    transparent: false,
                    process: name.into(),
                    service: Service::Answers,
                    span: None,
                })
            })
            .collect();
        if described["hostNetwork"] == true {
            let found = self.world.hosts.iter_mut().find(|h| &*h.name == node);
            if let Some(host) = found {
                host.sockets.change(|all| all.extend(sockets));
            }
            return;
        }
        let mut nodes = list(&self.scenario["topology"]["nodes"]);
        let cidr = nodes
            .find(|n| text(n, "name") == node)
            .map_or("", |n| text(n, "podCIDR"));
        let (ip, Some((_, first, length))) = (text(described, "ip"), first_of(cidr)) else {
            return;
        };
        let mut host = machine(name, HostKind::Pod);
        host.node = Some(node.into());
        host.sockets = sockets.into();
        if self.routed() {
            host.interfaces
                .push(device(name, "eth0", &[format!("{ip}/32")]));
            routes(
                &mut host,
                "default via 169.254.1.1 dev eth0\n169.254.1.1 dev eth0 scope link\n",
            );
        } else {
            host.interfaces
                .push(device(name, "eth0", &[format!("{ip}/{length}")]));
            routes(
                &mut host,
                &format!(
                    "default via {first} dev eth0\n172.20.0.0/16 via {first} dev eth0\n{cidr} dev eth0 proto kernel scope link src {ip}\n"
                ),
            );
        }
        self.add(host);
        let port = self.port_of(name);
        self.join((name, "eth0"), (node, &port));
    }

    /// Envoy in the gateways' pods, with what istiod gives each.
    fn gateways(&mut self) {
        let pods = list(&self.scenario["topology"]["pods"]);
        let gateways: Vec<&Value> = pods.filter(|p| p["envoy"] == true).collect();
        if gateways.is_empty() {
            return;
        }
        let objects = self.objects("");
        let verdicts = istiod::validate(&objects);
        let refused = verdicts.iter().filter(|v| v.error.is_some());
        let refused: Vec<_> = refused
            .map(|v| (v.kind, v.namespace.clone(), v.name.clone()))
            .collect();
        let (mesh, _) = istiod::World::new(&objects, MeshConfig::default(), &refused);
        for gateway in gateways {
            let name = text(gateway, "name");
            let labels = gateway["labels"].as_object().into_iter().flatten();
            let proxy = Proxy {
                kind: ProxyKind::Router,
                namespace: "default".into(),
                labels: labels
                    .map(|(k, v)| (k.clone(), v.as_str().unwrap_or("").to_string()))
                    .collect(),
                addresses: text(gateway, "ip").parse().into_iter().collect(),
                locality: String::new(),
                service_account: String::new(),
                trusted_proxies: None,
                transparent: false,
            };
            let (resources, _) = istiod::configuration(&mesh, &proxy.in_place(&objects));
            let (config, _) = Config::read(&resources);
            if let Some(host) = self.world.hosts.iter_mut().find(|h| &*h.name == name) {
                host.envoy = Some(config.into());
            }
        }
    }

    /// The manifests, with one more document.
    fn objects(&self, more: &str) -> Manifests {
        let mut objects = Manifests::default();
        let documents = format!("{}\n---\n{more}", text(self.scenario, "manifests"));
        manifest::read(&documents, FileId(0), &mut objects);
        objects
    }

    /// kube-proxy's rules for a node, among those that were there before.
    fn rules(&self, name: &str, host: &mut Host) {
        let kube = &self.scenario["kubeProxy"];
        let fields = kube["config"].as_object().into_iter().flatten();
        let config: String = fields.map(|(k, v)| format!("{k}: {v}\n")).collect();
        let objects = self.objects(&format!(
            "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n{config}"
        ));
        let fallback = KubeProxyConfiguration::new(Default::default());
        let config = objects.kube_proxy.first().unwrap_or(&fallback);
        let Some(node) = objects.nodes.iter().find(|n| *n.meta.name == *name) else {
            return;
        };
        let addresses = host
            .interfaces
            .iter()
            .flat_map(|i| &i.addrs)
            .map(|a| a.addr);
        let facts = HostFacts {
            random_fully: true,
            service_cidrs: SERVICES.parse().into_iter().collect(),
            ..HostFacts::new(addresses.collect())
        };
        let version = Version::ALL
            .into_iter()
            .find(|v| v.name() == text(kube, "version"))
            .unwrap_or(Version::V1_36);
        let nftables = text(kube, "mode") == "nftables";
        let proxier = Proxier {
            version,
            mode: if nftables {
                ProxyMode::Nftables
            } else {
                ProxyMode::Iptables
            },
            config,
            node,
            host: &facts,
        };
        let view = View::new(
            &objects.services,
            &objects.endpoint_slices,
            proxier,
            IpFamily::V4,
        );
        let before = &self.scenario["rules"][name];
        if nftables {
            let made = nftables::rules(&view).commands().text().to_string();
            host.nft = nft::read(&made, FileId(0)).0.into();
            return;
        }
        let made = iptables::rules(&view).text().to_string();
        let mut tables = Tables::default();
        for part in [text(before, "base"), &made, text(before, "extra")] {
            tables.restore(part);
        }
        host.iptables = save::read(&tables.print(), FileId(0)).0.into();
    }
}

/// What `iptables-restore --noflush` makes of texts one after the other.
#[derive(Default)]
struct Tables(BTreeMap<String, Vec<(String, String, Vec<String>)>>);

impl Tables {
    fn restore(&mut self, text: &str) {
        let mut table = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('*') {
                table = name.to_string();
                continue;
            }
            let chains = self.0.entry(table.clone()).or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if let Some(declared) = line.strip_prefix(':') {
                let name = declared.split_whitespace().next().unwrap_or_default();
                let policy = words.get(1).copied().unwrap_or("-");
                match chains.iter_mut().find(|(n, _, _)| n == name) {
                    Some((_, _, rules)) if policy == "-" => rules.clear(),
                    Some(_) => {}
                    None => chains.push((name.into(), policy.into(), Vec::new())),
                }
            } else if let ["-A" | "-I", name, ..] = words[..] {
                if !chains.iter().any(|(n, _, _)| n == name) {
                    chains.push((name.into(), "ACCEPT".into(), Vec::new()));
                }
                if let Some((_, _, rules)) = chains.iter_mut().find(|(n, _, _)| n == name) {
                    let rule = line.replacen("-I ", "-A ", 1);
                    match words[0] {
                        "-I" => rules.insert(0, rule),
                        _ => rules.push(rule),
                    }
                }
            } else if let ["-X", name, ..] = words[..] {
                chains.retain(|(n, _, _)| n != name);
            }
        }
    }

    fn print(&self) -> String {
        let mut out = String::new();
        for (table, chains) in self.0.iter().filter(|(_, c)| !c.is_empty()) {
            out += &format!("*{table}\n");
            for (name, policy, _) in chains {
                out += &format!(":{name} {policy} [0:0]\n");
            }
            for rule in chains.iter().flat_map(|(_, _, rules)| rules) {
                out += &format!("{rule}\n");
            }
            out += "COMMIT\n";
        }
        out
    }
}

fn machine(name: &str, kind: HostKind) -> Host {
    let mut host = Host::new(name, kind);
    host.conntrack = false.into();
    host.sysctls
        .set("net.ipv4.neigh.default.retrans_time_ms", "80");
    host
}

fn device(host: &str, name: &str, addrs: &[String]) -> Interface {
    let mut iface = Interface::new(name, IfaceKind::Device);
    // Any number will do that no other interface has.
    let hash = host
        .bytes()
        .chain([0])
        .chain(name.bytes())
        .fold(17u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    let [a, b, c, d] = hash.to_be_bytes();
    iface.mac = Mac([6, 1, a, b, c, d]);
    iface.addrs = addrs
        .iter()
        .filter_map(|a| {
            let (addr, length) = a.split_once('/')?;
            Some(IfaceAddr::new(addr.parse().ok()?, length.parse().ok()?))
        })
        .collect();
    iface
}

fn routes(host: &mut Host, lines: &str) {
    host.routes = read::routes(lines, FileId(0)).0.into();
}

fn balancer(lb: &Value) -> Option<LoadBalancer> {
    let forwarding = match lb["mode"].as_str()? {
        "dsr" => Forwarding::KeepDestination,
        "fullnat" => Forwarding::FullNat {
            source: IpAddr::from([192, 168, 0, 100]),
        },
        _ => Forwarding::RewriteDestination,
    };
    let backend = |b: &Value| {
        Some(Backend {
            name: text(b, "node").into(),
            addr: text(b, "ip").parse().ok()?,
            port: b["port"].as_u64()? as u16,
            weight: 1,
            health: match b["healthy"] == false {
                true => Health::Unhealthy,
                false => Health::Healthy,
            },
            span: Default::default(),
        })
    };
    let listener = |f: &Value| {
        Some(Listener {
            addr: text(f, "vip").parse().ok()?,
            port: f["port"].as_u64()? as u16,
            protocol: match f["proto"] == "udp" {
                true => Protocol::UDP,
                false => Protocol::TCP,
            },
            scheduler: Scheduler::RoundRobin,
            forwarding: None,
            fail_open: false,
            check: None,
            backends: list(&f["backends"]).filter_map(backend).collect(),
            span: Default::default(),
        })
    };
    Some(LoadBalancer {
        forwarding,
        listeners: list(&lb["frontends"]).filter_map(listener).collect(),
    })
}
