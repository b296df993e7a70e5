//! Whole clusters: probes sent through machines that are joined as in the recording, each as often and with as many seeds as
//! it takes to see the ways that chance may choose.

mod rows;
mod told;
mod world;

use std::collections::BTreeSet;
use std::net::IpAddr;

use northsouth::conntrack::Connection;
use northsouth::net::{Packet, Request, TcpFlags, Transport};
use northsouth::sim::{SendOptions, Sim};
use northsouth::topology::{HostId, HostKind, World};
use serde_json::{Value, json};
use told::{Attempt, conntrack};
use world::{list, world};

/// Runs of a scenario from its beginning, each with chances of its own: at most so many, and no more once so many showed
/// nothing new.
const RUNS: u64 = 24;
const NOTHING_NEW: u64 = 9;
const ATTEMPTS: u64 = 8;
/// So many equal failures end a probe that does not say how often it is tried.
const ENOUGH: usize = 3;
/// How long an asker waits for an answer, and how long an attempt with an answer takes, in milliseconds.
const PATIENCE: u64 = 400;
const ANSWERED: u64 = 30;
/// The same for a page.
const PAGE: u64 = 15_000;

pub(super) fn answer(recording: &Value) -> Value {
    let scenario = recording.get("scenario").unwrap_or(recording);
    let world = world(scenario);
    let pods = list(&scenario["topology"]["pods"]).filter(|p| p["envoy"] == true);
    let gateways = pods.filter_map(|p| Some(p["name"].as_str()?.to_string()));
    let gateways: BTreeSet<String> = gateways.collect();
    let probes: Vec<&Value> = list(&scenario["probes"]).collect();
    let pace = scenario["pace"].as_f64().unwrap_or(0.0) * 1000.0;
    let mut ways: Vec<Vec<Value>> = vec![Vec::new(); probes.len()];
    let mut newest = 0;
    for seed in 0..RUNS {
        if seed > newest + NOTHING_NEW {
            break;
        }
        let mut run = Run {
            sim: Sim::new(&world, seed),
            world: &world,
            gateways: &gateways,
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
                    newest = seed;
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
    gateways: &'w BTreeSet<String>,
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
        let request = request(&probe["http"]);
        let http = request.is_some();
        self.sim.dial(at, packet, request, &SendOptions::default());
        let patience = if http { PAGE } else { PATIENCE };
        self.sim.run_until(begun + patience);
        let nodes: Vec<HostId> = self.nodes().collect();
        let mut new = Vec::new();
        for (node, known) in nodes.into_iter().zip(known) {
            let name = self.world.host(node).map_or("", |h| &*h.name);
            new.push((name, self.entries(node, begun).split_off(known)));
        }
        let conntrack = conntrack(new.into_iter(), sport);
        let shown = |every| {
            let attempt = Attempt {
                world: self.world,
                gateways: self.gateways,
                journeys: self.sim.journeys(),
                at,
                sport,
                udp,
                http,
                every,
            };
            let mut told = attempt.told();
            told.insert("conntrack".into(), conntrack.clone().into());
            Value::Object(told)
        };
        let (told, bridged) = (shown(true), shown(false));
        let waited = match told["outcome"] == "timeout" {
            true => patience,
            false => ANSWERED,
        };
        self.sim.now = self.sim.now.max(begun + waited);
        Some(Way { told, bridged })
    }

    fn nodes(&self) -> impl Iterator<Item = HostId> + use<> {
        let of_kind = |(at, h): (usize, &northsouth::topology::Host)| {
            (h.kind == HostKind::Node).then_some(HostId::at(at))
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
}

fn request(http: &Value) -> Option<Request> {
    let word = |key: &str| http[key].as_str().map(str::to_string);
    let headers = http["headers"].as_object().into_iter().flatten();
    Some(Request {
        method: word("method").unwrap_or_else(|| "GET".into()),
        authority: word("host")?,
        path: word("path")?,
        headers: headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_string()))
            .collect(),
        body: 0,
    })
}
