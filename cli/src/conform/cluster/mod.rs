//! Whole clusters: probes sent through machines that are joined as in the recording, each as often and with as many seeds as
//! it takes to see the ways that chance may choose.

mod world;

use std::net::IpAddr;

use northsouth::conntrack::{Connection, StatusBits};
use northsouth::net::{IfaceName, Packet, Protocol, TcpFlags, Transport};
use northsouth::netfilter::Hook;
use northsouth::sim::{SendOptions, Sim};
use northsouth::topology::{HostId, HostKind, World};
use northsouth::trace::{Action, Drop, Journey, Part, SwitchOutcome};
use serde_json::{Map, Value, json};
use world::{list, world};

/// Runs of a scenario from its beginning, each with chances of its own.
const RUNS: u64 = 12;
const ATTEMPTS: u64 = 8;

pub(super) fn answer(recording: &Value) -> Value {
    let scenario = recording.get("scenario").unwrap_or(recording);
    let world = world(scenario);
    let probes: Vec<&Value> = list(&scenario["probes"]).collect();
    let mut ways: Vec<Vec<Value>> = vec![Vec::new(); probes.len()];
    for seed in 0..RUNS {
        let mut run = Run {
            sim: Sim::new(&world, seed),
            world: &world,
            port: 20_000,
        };
        for (ways, probe) in ways.iter_mut().zip(&probes) {
            let repeat = probe["repeat"].as_u64().unwrap_or(ATTEMPTS);
            for _ in 0..repeat {
                if let Some(way) = run.attempt(probe)
                    && !ways.contains(&way)
                {
                    ways.push(way);
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
}

/// A machine's row of a walk.
type Row = Value;

impl Run<'_> {
    fn attempt(&mut self, probe: &Value) -> Option<Value> {
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
        let first = self.sim.journeys().len();
        let begun = self.sim.now;
        let known: Vec<usize> = self.nodes().map(|n| self.entries(n, begun).len()).collect();
        self.sim.dial(at, packet, None, &SendOptions::default());
        // Long enough for a neighbour that does not answer, and for the rates that the kernel keeps.
        let end = self.sim.now + 6000;
        self.sim.run_until(end);
        self.sim.now = end;
        Some(self.told(at, first, sport, udp, (begun, &known)))
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
        first: usize,
        sport: u16,
        udp: bool,
        (begun, known): (u64, &[usize]),
    ) -> Value {
        let journeys = &self.sim.journeys()[first..];
        let Some(asked) = journeys.first() else {
            return json!({});
        };
        let answers: Vec<&Journey> = journeys
            .iter()
            .skip(1)
            .filter(|j| j.cause == Some(first as u32))
            .collect();
        // Who is refused by his own host sees no packet.
        let refused = refused_here(asked, at, udp);
        let reply = answers
            .iter()
            .filter(|_| refused.is_none())
            .find(|j| !self.rows(j, sport).is_empty());
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
        out.insert("walk".into(), self.rows(asked, sport).into());
        out.insert(
            "reply".into(),
            reply.map_or_else(Vec::new, |j| self.rows(j, sport)).into(),
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
            let new: Vec<Value> = self
                .entries(node, begun)
                .iter()
                .skip(*known)
                // The tunnel's own datagrams are not told of.
                .filter(|c| c.orig.dport != 8472)
                .map(|c| entry(c, sport))
                .collect();
            if let (false, Some(host)) = (new.is_empty(), self.world.host(node)) {
                conntrack.insert(host.name.to_string(), new.into());
            }
        }
        out.insert("conntrack".into(), conntrack.into());
        Value::Object(out)
    }

    /// The packet on every interface, as a capture there shows it.
    fn rows(&self, journey: &Journey, sport: u16) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut inner: Option<Packet> = None;
        for hop in &journey.hops {
            let name = self.world.host(hop.host).map_or("", |h| &*h.name);
            let mut last: Option<&Packet> = None;
            for step in &hop.steps {
                let seen: Option<(&IfaceName, &str)> = match &step.action {
                    Action::Arrived => step.after.in_iface.as_ref().map(|i| (i, "in")),
                    Action::Left(egress) => Some((&egress.iface, "out")),
                    Action::Bridged(switching) => match (&switching.outcome, &switching.from) {
                        (SwitchOutcome::Up, Some(_)) => Some((&switching.bridge, "in")),
                        (_, None) => Some((&switching.bridge, "out")),
                        _ => None,
                    },
                    Action::Encapsulated { .. } => {
                        inner = last.cloned();
                        None
                    }
                    Action::Decapsulated { .. } => {
                        inner = None;
                        step.after.in_iface.as_ref().map(|i| (i, "in"))
                    }
                    _ => None,
                };
                last = Some(&step.after.packet);
                if let Some((iface, way)) = seen {
                    let packet = &step.after.packet;
                    let mut row = row(name, iface, way, inner.as_ref().unwrap_or(packet), sport);
                    if let (Some(_), Some(row)) = (&inner, row.as_array_mut()) {
                        let outer =
                            format!("vxlan {}>{} ttl {}", packet.src, packet.dst, packet.ttl);
                        row.push(outer.into());
                    }
                    rows.push(row);
                }
            }
        }
        rows
    }
}

fn first_packet(journey: &Journey) -> Packet {
    let first = journey.hops.first().and_then(|h| h.steps.first());
    first.map_or_else(|| journey.packet.packet.clone(), |s| s.after.packet.clone())
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

fn kind(packet: &Packet) -> String {
    match &packet.transport {
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::RST) => "RST".into(),
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::SYN_ACK) => "SYN-ACK".into(),
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::SYN) => "SYN".into(),
        Transport::Tcp { .. } => "ACK".into(),
        Transport::Icmp(icmp) => format!("icmp {}/{}", icmp.kind, icmp.code),
        _ => "udp".into(),
    }
}

/// The probe's own port and those that chance drew stand as words.
fn port_text(port: Option<u16>, sport: u16) -> String {
    match port {
        Some(port) if port == sport => "sport".into(),
        _ => "*".into(),
    }
}

fn row(host: &str, iface: &IfaceName, way: &str, packet: &Packet, sport: u16) -> Row {
    let answers = matches!(
        &packet.transport,
        Transport::Tcp { flags, .. } if flags.has(TcpFlags::ACK)
    ) || packet.dport() == Some(sport)
        || (packet.protocol() == Protocol::UDP
            && packet.dport().is_some_and(|p| p >= 1024)
            && packet.sport().is_some_and(|p| p < 20_000));
    let drawn = |port: Option<u16>| port.map(|p| Value::from(port_text(Some(p), sport)));
    let plain = |port: Option<u16>| port.map(Value::from);
    let (s, d) = match answers {
        true => (plain(packet.sport()), drawn(packet.dport())),
        false => (drawn(packet.sport()), plain(packet.dport())),
    };
    json!([
        host,
        iface.as_str(),
        way,
        packet.src.to_string(),
        s,
        packet.dst.to_string(),
        d,
        packet.ttl,
        kind(packet)
    ])
}

fn entry(c: &Connection, sport: u16) -> Value {
    let mut all = vec![
        json!(c.orig.protocol.to_string()),
        json!(c.orig.src.to_string()),
        json!(port_text(Some(c.orig.sport), sport)),
        json!(c.orig.dst.to_string()),
        json!(c.orig.dport),
        json!(c.reply.src.to_string()),
        json!(c.reply.sport),
        json!(c.reply.dst.to_string()),
        json!(port_text(Some(c.reply.dport), sport)),
    ];
    if !c.status.has(StatusBits::SEEN_REPLY) {
        all.push(json!("UNREPLIED"));
    }
    Value::Array(all)
}
