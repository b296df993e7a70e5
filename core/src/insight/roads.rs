//! How new connections are shared out among those who may take them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::net::Chance;
use crate::say;
use crate::sim::{self, End, Road};
use crate::text::{Say, Span};
use crate::topology::{HostId, World};
use crate::trace::Disposition;
use crate::workspace::{Run, Workspace};

/// All ends of new connections like the probe's.
#[derive(Clone, Debug)]
pub struct Shares {
    /// The likeliest first; those who get nothing last.
    pub shares: Vec<Share>,
    /// Those who pass connections on before they end, such as a gateway's pods, each with the chance to be on the way.
    pub through: Vec<(String, Chance)>,
    /// Every road, in the order of their forks.
    pub roads: Vec<Road>,
    /// The chance of roads that were not walked, as there are too many.
    pub rest: Chance,
    /// How many connections were made for [`Share::count`].
    pub connections: u32,
}

/// A way for a connection to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The host where it ends; for one that gets nothing the address too.
    pub name: String,
    /// `None` for an endpoint that no road leads to.
    pub end: Option<End>,
    /// Whom the receiver believes to speak to, where that differs from road to road.
    pub peers: Vec<IpAddr>,
    pub chance: Chance,
    /// How many of the connections made ended so.
    pub count: u32,
    /// Its roads, by their places in [`Shares::roads`].
    pub roads: Vec<usize>,
    /// The endpoint in its slice, where no road leads there.
    pub span: Option<Span>,
}

impl Share {
    /// Whether it is a program that takes connections, or one that should.
    pub fn serves(&self) -> bool {
        let end = self.end.as_ref();
        end.is_none_or(|e| e.disposition == Disposition::Delivered)
    }

    /// What becomes of such a connection, where that is not plain arrival.
    pub fn trouble(&self) -> Option<Say> {
        match &self.end {
            None => Some(say!("insight/no-road")),
            Some(End {
                status: Some(status),
                ..
            }) => Some(say!(
                "trace/end-answered-by",
                host = self.name,
                status = status
            )),
            Some(end) if end.disposition != Disposition::Delivered => Some(end.disposition.say()),
            Some(end) if !end.answered => Some(say!("insight/unanswered")),
            Some(_) => None,
        }
    }
}

impl Shares {
    /// What is worth saying of them: unequal shares, roads that end badly, roads left out.
    pub fn remarks(&self) -> Vec<Say> {
        let mut said = Vec::new();
        let serving = || self.shares.iter().filter(|s| s.serves());
        let most = serving().max_by_key(|s| s.chance.parts(u32::MAX));
        let least = serving().min_by_key(|s| s.chance.parts(u32::MAX));
        if let (Some(most), Some(least)) = (most, least)
            && most.chance != least.chance
        {
            said.push(say!(
                "insight/uneven",
                most = most.name,
                much = most.chance,
                least = least.name,
                little = least.chance
            ));
        }
        let lost = self.shares.iter().filter(|s| {
            let end = s.end.as_ref();
            end.is_some_and(|e| !e.answered)
        });
        let lost = lost.fold(Chance::NEVER, |sum, s| sum.or(s.chance));
        if !lost.is_never() && self.shares.len() > 1 {
            said.push(say!("insight/lost", chance = lost));
        }
        if !self.rest.is_never() {
            said.push(say!("insight/not-walked", chance = self.rest));
        }
        said
    }
}

/// Every end of the workspace's probe with its exact chance, and how so many connections with its seed really end. `None`
/// where nobody has the sender's name.
pub fn shares(workspace: &Workspace, run: &Run, connections: u32) -> Option<Shares> {
    let (world, probe, seed) = (&run.world, &workspace.probe, workspace.seed);
    let found = sim::roads(world, probe, seed)?;
    let mut shares: Vec<Share> = Vec::new();
    let slot = |shares: &mut Vec<Share>, end: &End| -> usize {
        let known = shares
            .iter()
            .position(|s| s.end.as_ref().is_some_and(|e| alike(e, end)));
        known.unwrap_or_else(|| {
            shares.push(Share {
                name: name(world, end.host),
                end: Some(end.clone()),
                peers: Vec::new(),
                chance: Chance::NEVER,
                count: 0,
                roads: Vec::new(),
                span: None,
            });
            shares.len() - 1
        })
    };
    for (at, road) in found.roads.iter().enumerate() {
        let to = slot(&mut shares, &road.end);
        if let Some(share) = shares.get_mut(to) {
            share.chance = share.chance.or(road.chance);
            share.roads.push(at);
            if !share.peers.contains(&road.end.peer) {
                share.peers.push(road.end.peer);
            }
        }
    }
    for (end, count) in sim::tally(world, probe, seed, connections)? {
        let to = slot(&mut shares, &end);
        if let Some(share) = shares.get_mut(to) {
            share.count += count;
        }
    }
    shares.sort_by_key(|s| std::cmp::Reverse(s.chance.parts(u32::MAX)));
    let mut through: Vec<(HostId, Chance)> = Vec::new();
    for road in &found.roads {
        for host in road.taken.iter().filter(|h| **h != road.end.host) {
            match through.iter_mut().find(|(h, _)| h == host) {
                Some((_, chance)) => *chance = chance.or(road.chance),
                None => through.push((*host, road.chance)),
            }
        }
    }
    through.sort_by_key(|(_, chance)| std::cmp::Reverse(chance.parts(u32::MAX)));
    let taken = found.roads.iter().flat_map(|r| &r.taken).copied().collect();
    let passed_over = passed_over(run, &taken);
    shares.extend(passed_over);
    Some(Shares {
        shares,
        through: through
            .into_iter()
            .map(|(host, chance)| (name(world, host), chance))
            .collect(),
        roads: found.roads,
        rest: found.rest,
        connections,
    })
}

fn alike(a: &End, b: &End) -> bool {
    (a.disposition, a.host, &a.process, a.answered, a.status)
        == (b.disposition, b.host, &b.process, b.answered, b.status)
}

fn name(world: &World, host: HostId) -> String {
    world
        .host(host)
        .map_or_else(String::new, |h| h.name.to_string())
}

/// Endpoints of the Services that were reached, to which no road leads.
fn passed_over(run: &Run, taken: &BTreeSet<HostId>) -> Vec<Share> {
    let mut over = Vec::new();
    let Some(cluster) = &run.cluster else {
        return over;
    };
    let slices = &cluster.objects.endpoint_slices;
    let host_of = |ip: IpAddr| {
        let mut hosts = run.world.hosts.iter();
        let at = hosts.position(|h| {
            h.interfaces
                .iter()
                .any(|i| i.addrs.iter().any(|a| a.addr == ip))
        })?;
        Some(HostId::at(at))
    };
    let reached = |host: Option<HostId>| host.is_some_and(|h| taken.contains(&h));
    let address = |e: &crate::manifest::Endpoint| e.address.map(|a| a.value);
    let asked = |slice: &&crate::manifest::EndpointSlice| {
        let mut endpoints = slice.endpoints.iter();
        endpoints.any(|e| {
            address(e)
                .and_then(host_of)
                .is_some_and(|h| reached(Some(h)))
        })
    };
    for slice in slices.iter().filter(asked) {
        let same = |other: &&crate::manifest::EndpointSlice| {
            let names = |s: &crate::manifest::EndpointSlice| {
                (
                    s.meta.namespace.clone(),
                    s.service.as_ref().map(|n| n.value.clone()),
                )
            };
            names(other) == names(slice)
        };
        for endpoint in slices.iter().filter(same).flat_map(|s| &s.endpoints) {
            let Some(ip) = address(endpoint) else {
                continue;
            };
            let host = host_of(ip);
            let span = Some(endpoint.span);
            if reached(host) || over.iter().any(|s: &Share| s.span == span) {
                continue;
            }
            let name = host.map_or_else(String::new, |h| name(&run.world, h) + " ");
            over.push(Share {
                name: format!("{name}{ip}"),
                end: None,
                peers: Vec::new(),
                chance: Chance::NEVER,
                count: 0,
                roads: Vec::new(),
                span,
            });
        }
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;
    use crate::workspace::{Scenario, parse_probe, run};

    fn told(scenario: &str, change: (&str, &str), probe: &str) -> Vec<String> {
        let mut workspace = Scenario::find(scenario).unwrap().workspace().unwrap();
        for file in &mut workspace.files {
            file.text = file.text.replace(change.0, change.1).into();
        }
        workspace.probe = parse_probe(probe).unwrap();
        let run = run(&workspace);
        let shares = shares(&workspace, &run, 60).unwrap();
        let total = shares.shares.iter().map(|s| s.count).sum::<u32>();
        assert_eq!(total, 60);
        let mut lines: Vec<String> = shares
            .shares
            .iter()
            .map(|s| {
                let trouble = s.trouble().map(|t| format!(", {}", t.text(Lang::En)));
                format!("{} {}{}", s.name, s.chance, trouble.unwrap_or_default())
            })
            .collect();
        lines.extend(shares.remarks().iter().map(|s| s.text(Lang::En)));
        lines
    }

    const THIRD: (&str, &str) = (
        "---\n{apiVersion: v1, kind: Pod, metadata: {name: web-b",
        "---\n{apiVersion: v1, kind: Pod, metadata: {name: web-c, labels: {app: web}}, spec: {nodeName: work002, containers: [{name: web}]}, status: {podIP: 172.20.2.9}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: web-b",
    );

    #[test]
    fn under_policy_cluster_every_endpoint_has_the_same_share() {
        let lines = told("policy-cluster", THIRD, "client tcp 182.92.251.227:80");
        assert_eq!(lines, ["web-a 1/3", "web-b 1/3", "web-c 1/3"]);
    }

    #[test]
    fn under_policy_local_the_balancer_shares_by_nodes() {
        let mut workspace = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        for file in &mut workspace.files {
            let text = file
                .text
                .replace(THIRD.0, THIRD.1)
                .replace("Policy: Cluster", "Policy: Local");
            file.text = text.into();
        }
        let run = run(&workspace);
        let shares = shares(&workspace, &run, 0).unwrap();
        let chances: Vec<_> = shares
            .shares
            .iter()
            .map(|s| format!("{} {}", s.name, s.chance))
            .collect();
        assert_eq!(chances, ["web-a 1/2", "web-b 1/4", "web-c 1/4"]);
        assert_eq!(shares.remarks()[0].key, "insight/uneven");
    }

    #[test]
    fn an_answer_that_takes_the_short_way_is_a_lost_share() {
        let lines = told(
            "answer-past-the-nat",
            ("", ""),
            "shop tcp 192.168.0.18:31061",
        );
        assert_eq!(lines[0], "web-a 1/2, nobody gets an answer");
        assert_eq!(lines[1], "web-b 1/2");
        assert_eq!(lines.len(), 3, "{lines:?}");
    }

    #[test]
    fn nftables_counts_its_map_as_iptables_its_rules() {
        let lines = told(
            "manifests-1-36-nftables",
            ("Policy: Local", "Policy: Cluster"),
            "client tcp 182.92.251.227:80",
        );
        assert!(lines.iter().all(|l| l.ends_with(" 1/2")), "{lines:?}");
    }

    const SHOP: &str = "client http GET http://shop.example.com/ at 198.51.100.10:80";

    #[test]
    fn the_weights_of_a_route_are_exact_chances() {
        let lines = told("canary-weight", ("", ""), SHOP);
        assert_eq!(lines[..2], ["web-v1 9/10", "web-v2 1/10"]);
        let none = told("canary-weight", ("weight: 10\n", "weight: 0\n"), SHOP);
        assert_eq!(none[0], "web-v1 1");
        assert!(none[1].starts_with("web-v2 10.244.1.12 0"), "{none:?}");
    }

    #[test]
    fn a_gateways_pods_are_on_the_way_and_not_its_end() {
        let workspace = Scenario::find("article").unwrap().workspace().unwrap();
        let run = run(&workspace);
        let shares = shares(&workspace, &run, 0).unwrap();
        let through = shares.through.iter().map(|(n, c)| format!("{n} {c}"));
        let through: Vec<_> = through.collect();
        assert_eq!(
            through,
            [
                "istio-ingressgateway-84b4868f6b-9xnts 1/2",
                "istio-ingressgateway-84b4868f6b-qxz5t 1/2"
            ]
        );
        assert_eq!(shares.shares[0].chance, Chance::ALWAYS);
    }

    #[test]
    fn a_fault_of_some_percent_is_a_road_that_the_proxy_ends() {
        let ten = (
            "abort: {percentage: {value: 100}",
            "abort: {percentage: {value: 2.5}",
        );
        let lines = told("fault", ten, &SHOP.replace(".com/", ".com/pay"));
        assert_eq!(lines[0], "web-v1 39/40");
        assert_eq!(
            lines[1],
            "ingressgateway 1/40, ingressgateway answers 503 by itself"
        );
    }

    #[test]
    fn a_retry_passes_over_the_endpoint_that_failed() {
        // Each of four attempts may find the broken one: the first one time in two, the others only with all of six draws.
        let lines = told("retry", ("", ""), SHOP);
        assert_eq!(lines[0], "web-v1 524287/524288");
    }

    /// The roads of the article's probe, whose nodes have these rules as well.
    fn with_rules(rules: &str) -> Shares {
        let mut workspace = Scenario::find("article").unwrap().workspace().unwrap();
        for node in ["work001", "work002"] {
            workspace.files.push(crate::text::File::new(
                &format!("nodes/{node}/nft-ruleset.txt"),
                &format!(
                    "table ip t {{\n chain c {{\n  type filter hook prerouting priority 0\n{rules} }}\n}}\n"
                ),
            ));
        }
        let run = run(&workspace);
        let notes = |d: &crate::text::Diagnostic| d.severity == crate::text::Severity::Note;
        assert!(run.diagnostics.iter().all(notes), "{:?}", run.diagnostics);
        shares(&workspace, &run, 0).unwrap()
    }

    fn walked(shares: &Shares) -> Chance {
        let roads = shares.roads.iter();
        roads.fold(Chance::NEVER, |sum, road| sum.or(road.chance))
    }

    #[test]
    fn a_coin_with_too_many_sides_leaves_roads_that_are_not_walked() {
        let shares = with_rules("  ip saddr 203.0.113.9 numgen random mod 10000 < 5000 drop\n");
        assert!(!shares.rest.is_never());
        assert_eq!(walked(&shares).or(shares.rest), Chance::ALWAYS);
    }

    #[test]
    fn what_too_many_coins_leave_is_counted() {
        let shares =
            with_rules(&"  ip saddr 203.0.113.9 numgen random mod 4 == 3 drop\n".repeat(9));
        assert_eq!(shares.roads.len(), 600);
        assert_eq!(walked(&shares).or(shares.rest), Chance::ALWAYS);
    }

    #[test]
    fn an_old_kube_proxy_rounds_its_probabilities() {
        let three = ("replicas: 2", "replicas: 3");
        let mut workspace = Scenario::find("manifests-1-14")
            .unwrap()
            .workspace()
            .unwrap();
        for file in &mut workspace.files {
            let text = file
                .text
                .replace(three.0, three.1)
                .replace("Policy: Local", "Policy: Cluster");
            file.text = text.into();
        }
        let run = run(&workspace);
        let shares = shares(&workspace, &run, 0).unwrap();
        let first: Vec<_> = shares.shares.iter().map(|s| s.chance.percent()).collect();
        assert_eq!(first, ["33.33 %", "33.33 %", "33.33 %"]);
        assert_eq!(shares.remarks().len(), 1, "0.33333 is not a third");
    }
}
