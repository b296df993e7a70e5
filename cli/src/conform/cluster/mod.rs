//! Whole clusters: probes sent through machines that are joined as in the recording, each as often and with as many seeds as
//! it takes to see the ways that chance may choose.

mod rows;
mod world;

use std::net::IpAddr;

use northsouth::conntrack::Connection;
use northsouth::net::{Packet, TcpFlags, Transport};
use northsouth::netfilter::Hook;
use northsouth::sim::{SendOptions, Sim};
use northsouth::topology::{HostId, HostKind, World};
use northsouth::trace::{Action, Drop, Journey, Part};
use rows::{first_packet, kind, port_text, rows, table};
use serde_json::{Map, Value, json};
use world::{list, world};

/// Runs of a scenario from its beginning, each with chances of its own.
const RUNS: u64 = 12;
const ATTEMPTS: u64 = 8;
/// So many equal failures end a probe that does not say how often it is tried.
const ENOUGH: usize = 3;
/// How long an asker waits for an answer, and how long an attempt with an answer takes, in milliseconds.
const PATIENCE: u64 = 400;
const ANSWERED: u64 = 30;

pub(super) fn answer(recording: &Value) -> Value {
    let scenario = recording.get("scenario").unwrap_or(recording);
    let world = world(scenario);
    let probes: Vec<&Value> = list(&scenario["probes"]).collect();
    let pace = scenario["pace"].as_f64().unwrap_or(0.0) * 1000.0;
    let mut ways: Vec<Vec<Value>> = vec![Vec::new(); probes.len()];
    for seed in 0..RUNS {
        let mut run = Run {
            sim: Sim::new(&world, seed),
            world: &world,
            port: 20_000,
            pace: pace as u64,
        };
        for (ways, probe) in ways.iter_mut().zip(&probes) {
            let asked = probe["repeat"].as_u64();
            let mut failures: Vec<Value> = Vec::new();
            // Whether a bridge's own device showed the frame depends on the packet before; the first tells for all.
            let mut seen: Vec<Value> = Vec::new();
            for _ in 0..asked.unwrap_or(ATTEMPTS) {
                if asked.is_none() && failures.len() == ENOUGH {
                    break;
                }
                let Some(Way { told, bridged }) = run.attempt(probe) else {
                    continue;
                };
                failures.retain(|f| *f == told);
                if told["outcome"] != "ok" {
                    failures.push(told.clone());
                }
                if seen.contains(&bridged) {
                    continue;
                }
                seen.push(bridged);
                if !ways.contains(&told) {
                    ways.push(told);
                }
            }
        }
    }
    let probes: Vec<Value> = ways
        .into_iter()
        .enumerate()
        .map(|(probe, variants)| json!({ "probe": probe, "variants": variants }))
        .collect();
    json!({ "result": { "probes": probes } })
}

struct Run<'w> {
    sim: Sim<'w>,
    world: &'w World,
    port: u16,
    /// Milliseconds before each attempt.
    pace: u64,
}

/// What an attempt showed.
struct Way {
    told: Value,
    /// The same without what a bridge's own device shows of frames from port to port.
    bridged: Value,
}

impl Run<'_> {
    fn attempt(&mut self, probe: &Value) -> Option<Way> {
        let from = probe["from"].as_str()?;
        let (name, source) = match from.split_once(':') {
            Some((_, name)) => (name, [0, 0, 0, 0]),
            None if from == "client2" => ("client", [203, 0, 113, 77]),
            None => ("client", [0, 0, 0, 0]),
        };
        let at = self.world.find(name)?;
        let (to, port) = probe["to"].as_str()?.rsplit_once(':')?;
        let (to, port): (IpAddr, u16) = (to.parse().ok()?, port.parse().ok()?);
        let udp = probe["proto"] == "udp";
        self.port += 1;
        let (sport, dport) = (self.port, port);
        let packet = Packet {
            src: source.into(),
            dst: to,
            ttl: 64,
            tos: 0,
            transport: match udp {
                true => Transport::Udp { sport, dport },
                false => Transport::Tcp {
                    sport,
                    dport,
                    flags: TcpFlags::SYN,
                },
            },
            payload: if udp { 8 } else { 0 },
        };
        self.sim.forget();
        self.sim.now += self.pace;
        let begun = self.sim.now;
        let known: Vec<usize> = self.nodes().map(|n| self.entries(n, begun).len()).collect();
        self.sim.dial(at, packet, None, &SendOptions::default());
        self.sim.run_until(begun + PATIENCE);
        let told = self.told(at, sport, udp, (begun, &known), true);
        let bridged = self.told(at, sport, udp, (begun, &known), false);
        let waited = match told["outcome"] == "timeout" {
            true => PATIENCE,
            false => ANSWERED,
        };
        self.sim.now = self.sim.now.max(begun + waited);
        Some(Way { told, bridged })
    }

    fn nodes(&self) -> impl Iterator<Item = HostId> + use<> {
        let of_kind = |(at, h): (usize, &northsouth::topology::Host)| {
            (h.kind == HostKind::Node).then_some(HostId(at as u16))
        };
        let nodes: Vec<HostId> = self
            .world
            .hosts
            .iter()
            .enumerate()
            .filter_map(of_kind)
            .collect();
        nodes.into_iter()
    }

    fn entries(&mut self, node: HostId, at: u64) -> Vec<Connection> {
        let table = self.sim.conntrack(node);
        table.map_or_else(Vec::new, |t| t.listed(at).map(|(_, c)| c.clone()).collect())
    }

    fn told(
        &mut self,
        at: HostId,
        sport: u16,
        udp: bool,
        (begun, known): (u64, &[usize]),
        every: bool,
    ) -> Value {
        let journeys = self.sim.journeys();
        let shown = |j: &Journey| rows(self.world, j, sport, every);
        let Some(asked) = journeys.first() else {
            return json!({});
        };
        let answers: Vec<&Journey> = journeys
            .iter()
            .skip(1)
            .filter(|j| j.cause == Some(0))
            .collect();
        // Who is refused by his own host sees no packet.
        let refused = refused_here(asked, at, udp);
        let reply = answers
            .iter()
            .filter(|_| refused.is_none())
            .find(|j| !shown(j).is_empty());
        let came_back = |j: &&&Journey| {
            let last = j.hops.last();
            last.is_some_and(|h| h.host == at)
                && matches!(j.disposition, northsouth::trace::Disposition::Delivered)
        };
        let back = reply.filter(came_back).map(|j| kind(&first_packet(j)));
        let mut out = Map::new();
        let (outcome, errno) = match back.as_deref() {
            Some("SYN-ACK" | "udp") => ("ok", None),
            Some("RST") => ("refused", Some("ECONNREFUSED")),
            Some(icmp) => {
                let code = icmp.trim_start_matches("icmp ");
                out.insert("icmp".into(), code.into());
                let errno = match code {
                    "3/3" => "ECONNREFUSED",
                    "3/0" => "ENETUNREACH",
                    _ => "EHOSTUNREACH",
                };
                ("unreachable", Some(errno))
            }
            None => match refused {
                Some(errno) => ("send-error", Some(errno)),
                None => ("timeout", Some("ETIMEDOUT")),
            },
        };
        out.insert("outcome".into(), outcome.into());
        if let Some(errno) = errno {
            out.insert("errno".into(), errno.into());
        }
        out.insert("walk".into(), shown(asked).into());
        out.insert(
            "reply".into(),
            reply.map_or_else(Vec::new, |j| shown(j)).into(),
        );
        if let Some(reply) = reply {
            out.insert("reply_kind".into(), kind(&first_packet(reply)).into());
        }
        for step in asked.hops.iter().flat_map(|h| &h.steps) {
            match &step.action {
                Action::Delivered(delivery) if outcome == "ok" => {
                    let p = &step.after.packet;
                    let own = |port: Option<u16>| port_text(port, sport);
                    out.insert("pod".into(), (*delivery.process).into());
                    let local = format!("{}:{}", p.dst, p.dport().unwrap_or(0));
                    out.insert("pod_local".into(), local.into());
                    let peer = format!("{}:{}", p.src, own(p.sport()));
                    out.insert("pod_peer".into(), peer.into());
                }
                Action::Balanced(account) => {
                    let balancer = self
                        .world
                        .find("slb")
                        .and_then(|h| self.world.host(h)?.balancer.as_ref());
                    let backend = balancer.and_then(|b| {
                        let listener = b.listeners.get(usize::from(account.listener?))?;
                        listener.backends.get(usize::from(account.backend?))
                    });
                    if let Some(backend) = backend.filter(|b| self.world.find(&b.name).is_some()) {
                        out.insert("lb_backend".into(), (*backend.name).into());
                    }
                }
                _ => {}
            }
        }
        let mut conntrack = Map::new();
        let nodes: Vec<HostId> = self.nodes().collect();
        for (node, known) in nodes.into_iter().zip(known) {
            let entries = self.entries(node, begun);
            // The tunnel's own datagrams are not told of.
            let new = entries.iter().skip(*known);
            let new = table(new.filter(|c| c.orig.dport != 8472), sport);
            if let (true, Some(host)) = (new[0].is_array(), self.world.host(node)) {
                conntrack.insert(host.name.to_string(), new);
            }
        }
        out.insert("conntrack".into(), conntrack.into());
        Value::Object(out)
    }
}

/// The error that the sender's own call gives at once.
fn refused_here(asked: &Journey, at: HostId, udp: bool) -> Option<&'static str> {
    let last = asked.hops.last().filter(|h| h.host == at)?;
    let step = last.steps.last()?;
    match (&step.action, &step.part) {
        (Action::Dropped(Drop::Rejected { .. }), Part::Hook(Hook::Output)) if udp => Some("EPERM"),
        (Action::Dropped(Drop::Rejected { .. }), Part::Hook(Hook::Output)) => Some("ECONNREFUSED"),
        (Action::Dropped(Drop::Rule { .. }), Part::Hook(Hook::Output)) if udp => Some("EPERM"),
        (Action::Dropped(Drop::NoRoute), _) => Some("ENETUNREACH"),
        (Action::Dropped(Drop::NoNeighbour), _) => Some("EHOSTUNREACH"),
        _ => None,
    }
}
