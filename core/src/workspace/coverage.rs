//! Which rules and routes a set of probes reaches, and which no packet can reach.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::subject::{passed_over_all, steps, took_all};
use super::{Probe, ProbeKind, Run, Subject};
use crate::net::{IpFamily, Masked, Protocol};
use crate::netfilter::nft::{self, Statement};
use crate::netfilter::targets::Target;
use crate::netfilter::{Header, Match, Not, Rule};
use crate::say;
use crate::sim;
use crate::text::{Say, Span};
use crate::topology::{Host, HostKind, World};
use crate::trace::Disposition;

/// So many probes are made of a workspace at most.
const MOST: usize = 120;

/// What probes reach of a workspace's texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Each probe, and what became of it; `None` where its sender is not there.
    pub probes: Vec<(Probe, Option<Disposition>)>,
    /// Every rule, route and backend that is written, host by host.
    pub lines: Vec<Covered>,
}

/// A rule, route or backend, and who reached it.
#[derive(Clone, Debug, PartialEq)]
pub struct Covered {
    pub subject: Subject,
    /// The probes whose packets took it, by their positions.
    pub taken: Vec<u32>,
    /// Some packet was tested against it.
    pub asked: bool,
    /// The rule or route before it that takes whatever it would take: nothing ever comes to it.
    pub shadowed_by: Option<Span>,
}

impl Covered {
    /// What became of the line, of so many probes.
    pub fn say(&self, run: &Run, probes: usize) -> Say {
        if let Some(by) = self.shadowed_by {
            return say!("coverage/shadowed", by = run.line_of(by));
        }
        match (self.taken.len(), self.asked) {
            (0, false) => say!("coverage/never"),
            (0, true) => say!("coverage/asked"),
            (count, _) => say!("coverage/taken", count = count, all = probes),
        }
    }
}

impl Coverage {
    /// How many lines were taken by some probe, and how many there are.
    pub fn score(&self) -> (usize, usize) {
        let taken = self.lines.iter().filter(|l| !l.taken.is_empty()).count();
        (taken, self.lines.len())
    }
}

/// Sends each probe by itself over the run's machines and notes which lines took its packets, answers included.
pub fn coverage(run: &Run, probes: &[Probe], seed: u64) -> Coverage {
    let mut taken: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
    let mut asked: BTreeSet<(u32, u32)> = BTreeSet::new();
    let place = |span: Span| (span.file.0, span.start);
    let mut endings = Vec::new();
    for (at, probe) in probes.iter().enumerate() {
        let walk = sim::outcome(&run.world, probe, seed);
        endings.push((probe.clone(), walk.as_ref().map(|(t, _)| t.disposition)));
        for (_, host, step) in walk.iter().flat_map(|(trace, _)| steps(trace)) {
            for span in took_all(&run.world, host, step) {
                let by = taken.entry(place(span)).or_default();
                if by.last() != Some(&(at as u32)) {
                    by.push(at as u32);
                }
            }
            asked.extend(passed_over_all(&run.world, host, step).map(place));
        }
    }
    let shadows = shadows(&run.world);
    let lines = run.subjects().into_iter().map(|subject| {
        let at = place(subject.span);
        let taken = taken.get(&at).cloned().unwrap_or_default();
        Covered {
            asked: !taken.is_empty() || asked.contains(&at),
            taken,
            shadowed_by: shadows.get(&at).copied(),
            subject,
        }
    });
    Coverage {
        lines: lines.collect(),
        probes: endings,
    }
}

/// Probes that a workspace suggests: to every address and port where a load balancer, a rule or a socket waits, from the
/// client, a node and a pod.
pub fn probes(run: &Run) -> Vec<Probe> {
    let world = &run.world;
    let mut targets: Vec<(IpAddr, u16, Protocol)> = Vec::new();
    let mut add = |addr: IpAddr, port: u16, protocol: Protocol| {
        let target = (addr, port, protocol);
        if !addr.is_loopback() && !addr.is_unspecified() && !targets.contains(&target) {
            targets.push(target);
        }
    };
    for listener in world
        .hosts
        .iter()
        .filter_map(|h| h.balancer.as_ref())
        .flat_map(|b| &b.listeners)
    {
        add(listener.addr, listener.port, listener.protocol);
    }
    for host in &world.hosts {
        let own = host
            .interfaces
            .iter()
            .flat_map(|i| &i.addrs)
            .map(|a| a.addr);
        let of = |family| {
            let mut all = own.clone().filter(|a| IpFamily::of(*a) == family);
            all.find(|a| !a.is_loopback() && !is_link_local(*a))
        };
        let (own, own6) = (of(IpFamily::V4), of(IpFamily::V6));
        for table in &host.iptables.tables {
            let own = match table.family {
                IpFamily::V4 => own,
                IpFamily::V6 => own6,
            };
            for rule in table.chains.iter().flat_map(|c| &c.rules) {
                let Some((port, protocol)) = port_of(rule) else {
                    continue;
                };
                match &rule.header.dst {
                    Some(dst) if !dst.inverted && matches!(dst.value.length(), Some(32 | 128)) => {
                        add(dst.value.addr, port, protocol);
                    }
                    None => {
                        if let Some(own) = own {
                            add(own, port, protocol);
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        for set in host.nft.tables.iter().flat_map(|t| &t.sets) {
            for endpoint in set.elements.iter().map(|e| set.endpoint(e)) {
                if let (Some(port), Some(addr)) = (endpoint.port, endpoint.addr.or(own)) {
                    add(addr, port, endpoint.protocol.unwrap_or(Protocol::TCP));
                }
            }
        }
        for socket in host.sockets.iter() {
            if let Some(addr) =
                own.filter(|_| host.kind == HostKind::Pod && socket.addr.is_unspecified())
            {
                add(addr, socket.port, socket.protocol);
            }
        }
    }
    let mut all = Vec::new();
    for (to, port, protocol) in targets {
        for from in senders(world, to) {
            let kind = match protocol {
                Protocol::UDP => ProbeKind::Udp,
                _ => ProbeKind::TcpConnect,
            };
            all.push(Probe {
                from: from.name.to_string(),
                to,
                port,
                kind,
            });
        }
    }
    all.truncate(MOST);
    all
}

fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local())
}

/// One client, one node and one pod, none of them with the address itself.
fn senders(world: &World, to: IpAddr) -> impl Iterator<Item = &Host> {
    let kinds = [HostKind::Client, HostKind::Node, HostKind::Pod];
    kinds.into_iter().filter_map(move |kind| {
        let other = |h: &&Host| {
            let mut addrs = h.interfaces.iter().flat_map(|i| &i.addrs);
            h.kind == kind && !addrs.any(|a| a.addr == to)
        };
        world.hosts.iter().find(other)
    })
}

fn port_of(rule: &Rule) -> Option<(u16, Protocol)> {
    let plain = |p: &Option<Not<crate::netfilter::matches::Range<u16>>>| {
        p.filter(|p| !p.inverted).map(|p| p.value.low)
    };
    rule.matches.iter().find_map(|m| match m {
        Match::Tcp(tcp) => Some((plain(&tcp.dport)?, Protocol::TCP)),
        Match::Udp { dport, .. } => Some((plain(dport)?, Protocol::UDP)),
        _ => None,
    })
}

/// Rules behind one that takes all that they could take, and routes behind a better one for the same prefix.
fn shadows(world: &World) -> BTreeMap<(u32, u32), Span> {
    let mut found = BTreeMap::new();
    for host in &world.hosts {
        for table in &host.iptables.tables {
            for chain in &table.chains {
                // Those that end the chain's walk, so far.
                let mut ending: Vec<&Rule> = Vec::new();
                for rule in &chain.rules {
                    if let Some(by) = ending.iter().find(|by| covers(by, rule)) {
                        found.insert((rule.span.file.0, rule.span.start), by.span);
                    } else if ends(&rule.target) && only_of_packet(rule) && ending.len() < 64 {
                        ending.push(rule);
                    }
                }
            }
        }
        for chain in host.nft.tables.iter().flat_map(|t| &t.chains) {
            let mut ending: Vec<&nft::Rule> = Vec::new();
            for rule in &chain.rules {
                let covers = |by: &&&nft::Rule| {
                    let mut asked = by
                        .statements
                        .iter()
                        .filter(|s| matches!(s, Statement::Match(_)));
                    asked.all(|s| rule.statements.contains(s))
                };
                if let Some(by) = ending.iter().find(covers) {
                    found.insert((rule.span.file.0, rule.span.start), by.span);
                } else if nft_ends(rule) && ending.len() < 64 {
                    ending.push(rule);
                }
            }
        }
        let configs = host.envoy.iter().flat_map(|config| config.routes.values());
        for routes in configs.flat_map(|c| &c.virtual_hosts).map(|h| &h.routes) {
            let all = routes.iter().position(|r| r.condition.is_catch_all());
            for (by, route) in all.into_iter().flat_map(|at| {
                let by = routes.get(at);
                routes
                    .iter()
                    .skip(at + 1)
                    .filter_map(move |r| Some((by?, r)))
            }) {
                found.insert((route.span.file.0, route.span.start), by.span);
            }
        }
        for (at, route) in host.routes.iter().enumerate() {
            let better = host.routes.iter().enumerate().find(|(other, better)| {
                *other != at
                    && (better.table, better.dst, better.tos) == (route.table, route.dst, route.tos)
                    && (better.metric, *other) < (route.metric, at)
            });
            if let (Some(span), Some((_, better))) = (route.span, better) {
                found.insert((span.file.0, span.start), better.span.unwrap_or(span));
            }
        }
    }
    found
}

/// No rule of the chain comes after a match, and what it asks, of the packet's headers alone, is the same for all rules.
fn nft_ends(rule: &nft::Rule) -> bool {
    let mut ends = false;
    rule.statements.iter().all(|statement| match statement {
        Statement::Match(relation) => matches!(relation.left, nft::Expr::Field(_)),
        Statement::Counter(_) | Statement::Log(_) => true,
        Statement::Shared(shared, _) => *shared == nft::Shared::Counter,
        Statement::Verdict(verdict) => {
            use nft::Verdict::{Accept, Drop, Goto, Return};
            ends |= matches!(verdict, Accept | Drop | Return | Goto(_));
            true
        }
        Statement::Reject(_) => {
            ends = true;
            true
        }
        _ => false,
    }) && ends
}

/// No rule of the chain comes after a match.
fn ends(target: &Target) -> bool {
    matches!(
        target,
        Target::Accept
            | Target::Drop
            | Target::Return
            | Target::Goto(_)
            | Target::Reject(_)
            | Target::Dnat(_)
            | Target::Snat(_)
            | Target::Masquerade { .. }
            | Target::Redirect { .. }
    )
}

/// Asks the packet alone, and not chance, time or a count.
fn only_of_packet(rule: &Rule) -> bool {
    rule.matches.iter().all(|m| {
        matches!(
            m,
            Match::Comment(_)
                | Match::Tcp(_)
                | Match::Udp { .. }
                | Match::Sctp { .. }
                | Match::Icmp(_)
                | Match::Icmp6(_)
                | Match::Multiport(_)
        )
    })
}

/// Whatever the second takes, the first takes: each of its criteria is one of the second's, or is wider.
fn covers(first: &Rule, second: &Rule) -> bool {
    let (a, b) = (&first.header, &second.header);
    header_covers(a, b)
        && first.matches.iter().all(|m| match m {
            Match::Comment(_) => true,
            Match::Tcp(tcp)
                if tcp.sport.is_none()
                    && tcp.dport.is_none()
                    && tcp.flags.is_none()
                    && tcp.option.is_none() =>
            {
                true
            }
            m => second.matches.contains(m),
        })
}

fn header_covers(a: &Header, b: &Header) -> bool {
    fn same<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
        a.is_none() || a == b
    }
    fn wider(a: &Option<Not<Masked>>, b: &Option<Not<Masked>>) -> bool {
        match (a, b) {
            (None, _) => true,
            (Some(a), Some(b)) if !a.inverted && !b.inverted => {
                a.value.length() <= b.value.length()
                    && a.value.contains(b.value.addr)
                    && a.value.length().is_some()
                    && b.value.length().is_some()
            }
            (a, b) => a == b,
        }
    }
    wider(&a.src, &b.src)
        && wider(&a.dst, &b.dst)
        && same(&a.in_iface, &b.in_iface)
        && same(&a.out_iface, &b.out_iface)
        && same(&a.protocol, &b.protocol)
        && same(&a.fragment, &b.fragment)
}

#[cfg(test)]
mod tests {
    use crate::text::File;
    use crate::workspace::{DEFAULT, Scenario, SubjectKind, run};

    use super::*;

    fn article(edit: impl Fn(&str) -> String) -> Run {
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        for file in &mut workspace.files {
            if &*file.name == "nodes/work001/iptables-save.txt" {
                *file = File::new(&file.name, &edit(&file.text));
            }
        }
        run(&workspace)
    }

    fn line<'a>(run: &Run, coverage: &'a Coverage, text: &str) -> &'a Covered {
        let found = coverage
            .lines
            .iter()
            .find(|l| run.subject_text(&l.subject).contains(text));
        found.unwrap_or_else(|| panic!("no line with {text}"))
    }

    #[test]
    fn the_probes_of_a_workspace_reach_the_rules_of_its_service() {
        let run = article(str::to_string);
        let probes = probes(&run);
        assert!(probes.iter().any(|p| p.port == 31061), "the node's port");
        let coverage = coverage(&run, &probes, 1);
        assert!(
            !line(&run, &coverage, "-A KUBE-SEP-EW7YLHH65NRUVIFQ -p tcp")
                .taken
                .is_empty()
        );
        let drop = line(&run, &coverage, "-A KUBE-MARK-DROP");
        assert!(drop.taken.is_empty() && drop.shadowed_by.is_none());
        let (taken, all) = coverage.score();
        assert!(0 < taken && taken < all);
    }

    #[test]
    fn the_elements_of_maps_and_the_routes_of_envoys_are_lines_too() {
        let workspace = Scenario::find("manifests-1-36-nftables")
            .unwrap()
            .workspace()
            .unwrap();
        let nodes = run(&workspace);
        let measured = coverage(&nodes, &probes(&nodes), 1);
        let taken = |l: &&Covered| {
            matches!(l.subject.kind, SubjectKind::Element { .. }) && !l.taken.is_empty()
        };
        assert!(measured.lines.iter().any(|l| taken(&l)));
        let workspace = Scenario::find("canary-header")
            .unwrap()
            .workspace()
            .unwrap();
        let mesh = run(&workspace);
        let measured = coverage(&mesh, std::slice::from_ref(&workspace.probe), 1);
        let everybody = measured.lines.iter().filter(|l| {
            mesh.subject_text(&l.subject).contains("everybody")
                && !l.subject.span.range().is_empty()
        });
        assert_eq!(everybody.count(), 1, "many proxies have the route");
    }

    #[test]
    fn a_route_of_envoys_behind_one_that_takes_all_is_shadowed() {
        let dump = r#"{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","dynamic_route_configs":[{"route_config":
{"@type":"type.googleapis.com/envoy.config.route.v3.RouteConfiguration","name":"80","virtual_hosts":[{"name":"h","domains":["*"],"routes":[
{"name":"first","match":{"prefix":"/"},"direct_response":{"status":200}},
{"name":"second","match":{"prefix":"/x"},"direct_response":{"status":404}}]}]}}]}]}"#;
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        let name = "pods/istio-ingressgateway-84b4868f6b-9xnts/config-dump.json";
        workspace.files.push(File::new(name, dump));
        let run = run(&workspace);
        let coverage = coverage(&run, &[], 1);
        assert!(line(&run, &coverage, "\"second\"").shadowed_by.is_some());
        assert!(line(&run, &coverage, "\"first\"").shadowed_by.is_none());
    }

    #[test]
    fn a_rule_of_nftables_behind_one_that_takes_all_is_shadowed() {
        let rules = "table ip filter {\n  chain forward {\n    type filter hook forward priority filter; policy accept;\n    ip daddr 10.0.0.1 accept\n    ip daddr 10.0.0.1 tcp dport 80 drop\n    ip daddr 10.0.0.2 drop\n  }\n}\n";
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        workspace
            .files
            .push(File::new("nodes/work001/nft-ruleset.txt", rules));
        let run = run(&workspace);
        let coverage = coverage(&run, &[], 1);
        assert!(
            line(&run, &coverage, "tcp dport 80 drop")
                .shadowed_by
                .is_some()
        );
        assert!(line(&run, &coverage, "10.0.0.2 drop").shadowed_by.is_none());
    }

    #[test]
    fn a_rule_behind_a_wider_one_that_ends_the_chain_is_shadowed() {
        let run = article(|text| {
            let at = text.find("-A FORWARD").unwrap();
            let line = text[..at].rfind('\n').unwrap() + 1;
            let more = "[0:0] -A FORWARD -d 10.0.0.0/8 -j ACCEPT\n[0:0] -A FORWARD -d 10.1.0.0/16 -p tcp -j DROP\n";
            format!("{}{more}{}", &text[..line], &text[line..])
        });
        let coverage = coverage(&run, &[], 1);
        assert!(
            line(&run, &coverage, "-d 10.1.0.0/16")
                .shadowed_by
                .is_some()
        );
        assert!(line(&run, &coverage, "-d 10.0.0.0/8").shadowed_by.is_none());
    }
}
