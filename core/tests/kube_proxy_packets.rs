//! Packets through kube-proxy's rules: the model's netfilter gives each one the ways that kube-proxy's own tracers say it has
//! (`conformance/kube-proxy/*/packets.txt`).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use northsouth::control::kube_proxy::{HostFacts, Proxier, Version, View, iptables, nftables};
use northsouth::manifest::{
    self, IpFamily, KubeProxyConfiguration, Manifests, Node, ProxyMode, parse_cidr,
};
use northsouth::net::{Mac, Packet, TcpFlags, Transport};
use northsouth::netfilter::{nft, save};
use northsouth::route;
use northsouth::sim::{SendOptions, Sim};
use northsouth::text::FileId;
use northsouth::topology::{
    Beyond, End, Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, Link, World,
};
use northsouth::trace::Disposition;
use northsouth::yaml;

const NODE: HostId = HostId(0);
/// Towards other machines, and towards the node's own pods.
const CARD: &str = "eth0";
const PODS: &str = "cni0";

struct Case {
    cluster: Manifests,
    spec: yaml::Node,
    node: Node,
}

impl Case {
    fn read(folder: &Path) -> Case {
        let text = std::fs::read_to_string(folder.join("input.yaml")).unwrap();
        let mut cluster = Manifests::default();
        manifest::read(&text, FileId(0), &mut cluster);
        let oracle = cluster.others.iter().find(|o| &*o.kind == "OracleCase");
        let spec = oracle.unwrap().node.field("spec").unwrap().clone();
        let name = spec.field("nodeName").unwrap().str().unwrap().to_string();
        let named = |n: &&Node| *n.meta.name == *name;
        let node = cluster.nodes.iter().find(named).unwrap().clone();
        Case {
            cluster,
            spec,
            node,
        }
    }

    fn addresses(&self) -> Vec<(IpAddr, u8)> {
        let list = self.spec.field("hostAddresses").unwrap().items().iter();
        list.map(|a| {
            let (addr, length) = a.str().unwrap().split_once('/').unwrap();
            (addr.parse().unwrap(), length.parse().unwrap())
        })
        .collect()
    }

    fn is_pod(&self, addr: IpAddr) -> bool {
        let mut own = self.node.pod_cidrs.iter();
        own.any(|net| net.value.contains(addr))
    }

    /// The node with the rules of a mode.
    fn world(&self, mode: ProxyMode, family: IpFamily) -> World {
        let flag = |key| self.spec.field(key).and_then(|n| n.bool());
        let cidrs = self.spec.field("serviceCIDRs").map(|n| n.items());
        let cidrs = cidrs.unwrap_or_default().iter();
        let facts = HostFacts {
            conntrack_tcp_liberal: flag("conntrackTCPBeLiberal").unwrap_or(false),
            service_cidrs: cidrs.filter_map(|c| parse_cidr(c.str()?)).collect(),
            ..HostFacts::new(self.addresses().iter().map(|(ip, _)| *ip).collect())
        };
        let config = KubeProxyConfiguration::new(Default::default());
        let proxier = Proxier {
            version: Version::V1_36,
            mode,
            config: self.cluster.kube_proxy.first().unwrap_or(&config),
            node: &self.node,
            host: &facts,
        };
        let (services, slices) = (&self.cluster.services, &self.cluster.endpoint_slices);
        let view = View::new(services, slices, proxier, family);
        let mut host = Host::new("node", HostKind::Node);
        let mut card = Interface::new(CARD, IfaceKind::Device);
        let mut pods = Interface::new(PODS, IfaceKind::Device);
        (card.mac, pods.mac) = (Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]));
        let mut routes = format!("default dev {CARD}\n");
        for (ip, length) in self.addresses() {
            let iface = match self.is_pod(ip) {
                _ if ip.is_loopback() => continue,
                true => &mut pods,
                false => &mut card,
            };
            iface.addrs.push(IfaceAddr::new(ip, length));
        }
        for net in &self.node.pod_cidrs {
            routes.push_str(&format!("{} dev {PODS}\n", net.value));
        }
        for name in [CARD, PODS] {
            host.sysctls
                .set(&format!("net.ipv4.conf.{name}.rp_filter"), "0");
            host.sysctls
                .set(&format!("net.ipv4.conf.{name}.route_localnet"), "1");
        }
        host.sysctls.set("net.ipv4.conf.all.rp_filter", "0");
        host.sysctls.set("net.ipv4.ip_forward", "1");
        host.interfaces.extend([card, pods]);
        host.routes = route::read::routes(&routes, FileId(0)).0.into();
        match mode {
            ProxyMode::Nftables => {
                let text = nftables::rules(&view).listing();
                let (rules, said) = nft::read(text.text(), FileId(0));
                assert_eq!(said, []);
                host.nft = rules.into();
            }
            _ => {
                let text = iptables::rules(&view).save(Version::V1_36);
                let (rules, said) = save::read(text.text(), FileId(0));
                assert_eq!(said, []);
                host.iptables = rules.into();
            }
        }
        host.conntrack = true.into();
        let link = |name: &str| Link {
            ends: vec![End {
                host: NODE,
                iface: name.into(),
            }],
            beyond: Beyond::Everything { silent: Vec::new() },
        };
        World {
            hosts: vec![host],
            links: [CARD, PODS].map(link).to_vec(),
        }
    }

    /// One way of a packet: where it was sent on to, or how it ended; and whether its source was marked to be changed.
    fn way(&self, world: &World, sent: &Sent, seed: u64) -> (String, bool) {
        let mut sim = Sim::new(world, seed);
        let packet = sent.packet();
        let local = self.addresses().iter().any(|(ip, _)| *ip == sent.src);
        if local {
            sim.send_raw(NODE, packet, &SendOptions::default());
        } else {
            let name = if self.is_pod(sent.src) { PODS } else { CARD };
            let to = world.host(NODE).unwrap().interface(name).unwrap();
            sim.inject(NODE, &to.name, packet, Mac([2, 9, 9, 9, 9, 9]), to.mac);
        }
        sim.run_until(u64::MAX / 2);
        let journey = &sim.journeys()[0];
        let steps = journey.hops.iter().flat_map(|h| &h.steps);
        let masq = steps
            .clone()
            .any(|s| s.after.mark != 0 || s.after.packet.src != sent.src);
        let last = steps.last().map(|s| &s.after.packet);
        let dst = last.map(|p| SocketAddr::new(p.dst, p.dport().unwrap_or(0)));
        let end = match journey.disposition {
            Disposition::Dropped => "DROP".to_string(),
            Disposition::Rejected => "REJECT".to_string(),
            Disposition::CannotTell => "?".to_string(),
            _ => dst
                .filter(|d| *d != sent.dst)
                .map_or("-".into(), |d| d.to_string()),
        };
        (end, masq)
    }
}

struct Sent {
    src: IpAddr,
    protocol: String,
    dst: SocketAddr,
}

impl Sent {
    fn packet(&self) -> Packet {
        let (sport, dport) = (40_000, self.dst.port());
        Packet {
            src: self.src,
            dst: self.dst.ip(),
            ttl: 64,
            tos: 0,
            transport: match &*self.protocol {
                "udp" => Transport::Udp { sport, dport },
                "sctp" => Transport::Sctp { sport, dport },
                _ => Transport::Tcp {
                    sport,
                    dport,
                    flags: TcpFlags::SYN,
                },
            },
            payload: 0,
        }
    }
}

fn folders() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/kube-proxy");
    let entries = std::fs::read_dir(corpus).unwrap();
    let mut folders: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    folders.retain(|f| f.join("input.yaml").exists());
    folders.sort();
    folders
}

#[test]
fn packets_go_where_kube_proxys_tracers_say() {
    let (mut right, mut all, mut wrong) = ([0, 0], [0, 0], Vec::new());
    for folder in folders() {
        let case = Case::read(&folder);
        for (file, family) in [
            ("packets.txt", IpFamily::V4),
            ("packets.v4.txt", IpFamily::V4),
        ] {
            let Ok(lines) = std::fs::read_to_string(folder.join(file)) else {
                continue;
            };
            if lines.contains("[fd") {
                continue;
            }
            let worlds = [ProxyMode::Iptables, ProxyMode::Nftables].map(|m| case.world(m, family));
            for line in lines.lines() {
                let mut parts = line.split(" | ");
                let words: Vec<_> = parts.next().unwrap().split(' ').collect();
                let sent = Sent {
                    src: words[1].parse().unwrap(),
                    protocol: words[2].to_string(),
                    dst: words[3].parse().unwrap(),
                };
                let told: Vec<_> = parts.collect();
                for (at, world) in worlds.iter().enumerate() {
                    let wanted = told.get(at).or(told.first()).unwrap();
                    if wanted.starts_with('?') {
                        continue;
                    }
                    let (ends, masq) = match wanted.strip_suffix(" masq") {
                        Some(ends) => (ends, true),
                        None => (*wanted, false),
                    };
                    // A rule that accepts a health check changes nothing.
                    let ends = ends.replace("ACCEPT", "-");
                    let ends: BTreeSet<&str> = ends.split(' ').collect();
                    let tries = 1 + 12 * (ends.len() as u64 - 1);
                    let ways: BTreeSet<_> = (0..tries).map(|s| case.way(world, &sent, s)).collect();
                    let seen: BTreeSet<&str> = ways.iter().map(|(end, _)| &**end).collect();
                    let marked = ways.iter().any(|(_, masq)| *masq);
                    // nftables' tracer looks at the first endpoint only where a source meets itself.
                    let own = words[0] == "own-endpoint" && at == 1;
                    let refused = seen.iter().all(|e| matches!(*e, "DROP" | "REJECT"));
                    let good = seen == ends && (marked == masq || own || refused);
                    all[at] += 1;
                    right[at] += usize::from(good);
                    if !good {
                        let name = folder.file_name().unwrap().to_str().unwrap();
                        wrong.push(format!("{name} {at}: {line}: {ways:?}"));
                    }
                }
            }
        }
    }
    for (at, part) in ["traces-iptables", "traces-nftables"].iter().enumerate() {
        println!("kube-proxy/{part}: {} of {}", right[at], all[at]);
    }
    assert!(all[0] >= 700, "packets are missing");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
