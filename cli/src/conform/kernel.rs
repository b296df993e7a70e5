//! The kernel's cases: one host, packets sent into it one after the other, and what it did with each. All that is answered is
//! read off the trace and the connection table.

use std::net::IpAddr;

use super::described::{connection, number, packet_json, packet_of, protocol};
use northsouth::net::{IfaceName, IpFamily, Mac};
use northsouth::netfilter::walk::{StepAction, StepKind, TableRef};
use northsouth::netfilter::{SocketOwner, ipset, nft, save};
use northsouth::route::{self, PolicyRule};
use northsouth::sim::{SendOptions, Sim};
use northsouth::text::FileId;
use northsouth::topology::{
    Beyond, End, Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, Link, Service, Socket,
    World,
};
use northsouth::trace::{Action, Drop, Journey, Part, RuleStep};
use serde_json::{Map, Value, json};

const NODE: HostId = HostId(0);

/// Runs whose answers are given where chance decides.
const SEED: u64 = 1;

/// The answer to one case.
pub fn answer(recording: &Value) -> Value {
    let case = recording.get("case").unwrap_or(recording);
    let world = world(case);
    let mut run = Run {
        sim: Sim::new(&world, SEED),
        world: &world,
        sent: Vec::new(),
    };
    let packets = case["packets"].as_array().into_iter().flatten();
    let mut packets: Vec<Value> = packets
        .enumerate()
        .map(|(index, packet)| run.packet(index, packet))
        .collect();
    if case["nft"].is_string() {
        packets.iter_mut().for_each(untell);
    }
    json!({ "result": { "packets": packets } })
}

/// nftables' trace, from which its cases were recorded, tells neither that a drop was a refusal nor what an ICMP error is about.
fn untell(packet: &mut Value) {
    if packet["disposition"] == "rejected" {
        packet["disposition"] = "dropped".into();
    }
    let forget = |pkt: Option<&mut Value>| {
        if let Some(Value::Object(pkt)) = pkt {
            pkt.remove("inner");
        }
    };
    forget(packet.get_mut("pkt"));
    for hook in packet["hooks"].as_array_mut().into_iter().flatten() {
        forget(hook.get_mut("pkt_in"));
        forget(hook.get_mut("pkt_out"));
    }
    if let Some(made) = packet.get_mut("generated").and_then(Value::as_array_mut) {
        made.iter_mut().for_each(untell);
    }
}

fn world(case: &Value) -> World {
    let mut host = Host::new("node", HostKind::Node);
    let mut links = Vec::new();
    let silent: Vec<IpAddr> = addresses(&case["arp_silent"]).collect();
    for (at, described) in case["interfaces"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = described["name"].as_str().unwrap_or_default();
        let iface = interface(described, name, at);
        if iface.is_loopback() {
            host.interfaces[0] = iface;
            continue;
        }
        if !iface.is_bridge() {
            let beyond = if iface.master.is_some() {
                let peers = addresses(&described["peer_ips"]);
                Beyond::Only(peers.filter(|p| !silent.contains(p)).collect())
            } else {
                Beyond::Everything {
                    silent: silent.clone(),
                }
            };
            links.push(Link {
                ends: vec![End {
                    host: NODE,
                    iface: iface.name.clone(),
                }],
                beyond,
            });
        }
        host.interfaces.push(iface);
    }
    let lines = |list: &Value| {
        let lines = list.as_array().into_iter().flatten();
        lines
            .filter_map(Value::as_str)
            .map(|l| format!("{l}\n"))
            .collect::<String>()
    };
    host.routes = route::read::routes(&lines(&case["routes"]), FileId(0))
        .0
        .into();
    let rules = lines(&case["rules"]);
    if !rules.is_empty() {
        let mut rules = route::read::rules(&rules, FileId(0)).0;
        for default in PolicyRule::defaults(IpFamily::V4) {
            if !rules.iter().any(|r| r.pref == default.pref) {
                rules.push(default);
            }
        }
        host.rules = Some(rules);
    }
    for (key, value) in case["sysctls"].as_object().into_iter().flatten() {
        host.sysctls.set(key, value.as_str().unwrap_or_default());
    }
    host.iptables = save::read(case["iptables"].as_str().unwrap_or_default(), FileId(0))
        .0
        .into();
    host.sets = ipset::read(case["ipsets"].as_str().unwrap_or_default(), FileId(0))
        .0
        .into();
    let sockets: Vec<_> = case["listeners"]
        .as_array()
        .into_iter()
        .flatten()
        .map(socket)
        .collect();
    host.sockets = sockets.into();
    host.nft = nft::read(case["nft"].as_str().unwrap_or_default(), FileId(0))
        .0
        .into();
    World {
        hosts: vec![host],
        links,
    }
}

fn addresses(list: &Value) -> impl Iterator<Item = IpAddr> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|a| a.as_str()?.parse().ok())
}

fn interface(described: &Value, name: &str, at: usize) -> Interface {
    let kind = match described["type"].as_str() {
        Some("bridge") => IfaceKind::Bridge,
        _ if name == "lo" => IfaceKind::Loopback,
        _ => IfaceKind::Device,
    };
    let mut iface = Interface::new(name, kind);
    if name != "lo" {
        iface.mac = Mac([2, 1, 0, 0, 0, at as u8]);
    }
    let addrs = described["addrs"].as_array().into_iter().flatten();
    iface.addrs = addrs
        .filter_map(|a| {
            let (addr, length) = a.as_str()?.split_once('/')?;
            Some(IfaceAddr::new(addr.parse().ok()?, length.parse().ok()?))
        })
        .collect();
    iface.master = described["master"].as_str().map(IfaceName::from);
    iface.hairpin = described["hairpin"] == true;
    iface.up = described["up"] != false;
    if let Some(mtu) = described["mtu"].as_u64() {
        iface.mtu = mtu as u16;
    }
    iface
}

fn socket(described: &Value) -> Socket {
    let addr = described["addr"].as_str().and_then(|a| a.parse().ok());
    Socket {
        protocol: protocol(described),
        addr: addr.unwrap_or(IpAddr::from([0; 4])),
        port: number(described, "port").unwrap_or(0) as u16,
        transparent: described["transparent"] == true,
        process: "listener".into(),
        service: Service::Silent,
        span: None,
    }
}

/// A case under way.
struct Run<'w> {
    sim: Sim<'w>,
    world: &'w World,
    /// What became of each packet.
    sent: Vec<Option<Value>>,
}

impl Run<'_> {
    fn packet(&mut self, index: usize, described: &Value) -> Value {
        let answers = described.get("reply_to").or(described.get("error_to"));
        let injected = match answers {
            None => Some(described.clone()),
            Some(_) => self.answering(described),
        };
        let Some(injected) = injected else {
            self.sent.push(None);
            return json!({
                "index": index,
                "skipped": "the packet it answers never left the node",
            });
        };
        let first = self.sim.journeys().len();
        let kind_out = injected["kind"] == "out";
        if kind_out {
            let owner = injected
                .get("uid")
                .or(injected.get("gid"))
                .map(|_| SocketOwner {
                    uid: number(&injected, "uid").unwrap_or(0) as u32,
                    gid: number(&injected, "gid").unwrap_or(0) as u32,
                });
            let options = SendOptions {
                mark: number(&injected, "mark").unwrap_or(0) as u32,
                owner: Some(owner.unwrap_or_default()),
                oif: injected["oif"].as_str().map(IfaceName::from),
                any_source: false,
                own_header: true,
            };
            self.sim.send_raw(NODE, packet_of(&injected), &options);
        } else {
            let iface = IfaceName::from(injected["iface"].as_str().unwrap_or_default());
            let packet = packet_of(&injected);
            let dst_mac = match injected["dmac_ip"].as_str().and_then(|a| a.parse().ok()) {
                Some(addr) => Mac::made_of(addr),
                None => self.mac_for(&iface),
            };
            let src_mac = Mac::made_of(packet.src);
            self.sim.inject(NODE, &iface, packet, src_mac, dst_mac);
        }
        let now = self.sim.now;
        self.sim.run_until(now);
        let journeys = &self.sim.journeys()[first..];
        let mut result = match journeys.first() {
            Some(journey) => self.result(journey),
            None => json!({}),
        };
        let generated: Vec<Value> = journeys
            .iter()
            .skip(1)
            .filter(|j| was_made(j))
            .map(|j| self.generated(j))
            .collect();
        if !generated.is_empty() {
            result["generated"] = Value::Array(generated);
        }
        result["index"] = index.into();
        let connections: Vec<Value> = self
            .sim
            .conntrack(NODE)
            .map(|t| t.listed(now).map(|(_, c)| connection(c)).collect())
            .unwrap_or_default();
        result["conntrack"] = Value::Array(connections);
        let mut seen = result.clone();
        seen["injected"] = injected;
        self.sent.push(Some(seen));
        result
    }

    fn mac_for(&self, iface: &IfaceName) -> Mac {
        let Some(host) = self.world.host(NODE) else {
            return Mac::default();
        };
        let Some(device) = host.interface(iface.as_str()) else {
            return Mac::default();
        };
        match &device.master {
            Some(bridge) => host
                .interface(bridge.as_str())
                .map_or(device.mac, |b| b.mac),
            None => device.mac,
        }
    }

    /// The packet that answers an earlier one as it left.
    fn answering(&self, described: &Value) -> Option<Value> {
        let of = |key: &str| described[key].as_u64().map(|n| n as usize);
        let is_reply = described.get("reply_to").is_some();
        let earlier = self
            .sent
            .get(of("reply_to").or(of("error_to"))?)?
            .as_ref()?;
        let left = if described["which"] == "gen" {
            let made = earlier["generated"].as_array()?;
            made.iter().find_map(|g| g["out"].get(0))?
        } else {
            earlier["out"].get(0)?
        };
        let pkt = &left["pkt"];
        let mut out = Map::new();
        out.insert("iface".into(), left["iface"].clone());
        out.insert("kind".into(), json!("in"));
        out.insert("dst".into(), pkt["src"].clone());
        out.insert("src".into(), pkt["dst"].clone());
        if is_reply {
            out.insert("proto".into(), pkt["proto"].clone());
            for (to, from) in [
                ("sport", "dport"),
                ("dport", "sport"),
                ("icmp_id", "icmp_id"),
            ] {
                if let Some(value) = pkt.get(from) {
                    out.insert(to.into(), value.clone());
                }
            }
            if pkt["proto"] == "tcp" {
                let flags = if pkt["flags"] == "S" { "SA" } else { "A" };
                out.insert("flags".into(), json!(flags));
            }
            if pkt["proto"] == "icmp" {
                out.insert("icmp_type".into(), json!(0));
            }
        } else {
            out.insert("proto".into(), json!("icmp"));
            let mut inner = pkt.clone();
            if let Some(payload) = earlier["injected"].get("payload") {
                inner["payload"] = payload.clone();
            }
            out.insert("inner".into(), inner);
        }
        for (key, value) in described.as_object()? {
            if !matches!(key.as_str(), "reply_to" | "error_to" | "which") {
                out.insert(key.clone(), value.clone());
            }
        }
        Some(Value::Object(out))
    }

    fn generated(&self, journey: &Journey) -> Value {
        let mut result = self.result(journey);
        let first = journey.hops.first().and_then(|h| h.steps.first());
        if let Some(first) = first {
            result["pkt"] = packet_json(&first.after.packet);
        }
        result
    }

    fn result(&self, journey: &Journey) -> Value {
        let (mut hooks, mut path, mut out) = (Vec::new(), Vec::new(), Vec::new());
        let (mut sent, mut local, mut dropped) = (false, false, None);
        for step in journey.hops.iter().flat_map(|h| &h.steps) {
            match &step.action {
                Action::Sent(_) => sent = true,
                Action::Hook(visit) => hooks.push(HookSeen {
                    name: visit.hook.name(),
                    before: step,
                    physin: visit.physin.as_ref(),
                    physout: visit.physout.as_ref(),
                    ct: None,
                    after: step,
                    survived: true,
                }),
                Action::Tracked(_) => {
                    if let Some(hook) = hooks.last_mut() {
                        hook.ct = step.after.ct_state.map(directed);
                    }
                }
                Action::Rule(rule) => {
                    if let Some(step) = self.rule_step(rule, hooks.len().saturating_sub(1)) {
                        path.push(step);
                    }
                }
                Action::Left(egress) if egress.beyond => {
                    let nexthop = match egress.nexthop {
                        Some(addr) => addr.to_string(),
                        None => named(egress.dst_mac),
                    };
                    out.push(json!({
                        "iface": egress.iface.as_str(),
                        "nexthop": nexthop,
                        "pkt": packet_json(&step.after.packet),
                    }));
                }
                Action::Delivered(_) | Action::KernelTook | Action::NothingListens => local = true,
                Action::Dropped(why) => {
                    // A rule whose translation left no way is recorded as the one that dropped.
                    if let (Drop::NoRoute | Drop::NatFailed, Part::Hook(_), Some(last)) =
                        (why, &step.part, path.last_mut())
                    {
                        last["verdict"] = "drop".into();
                    }
                    dropped = Some((step, why));
                }
                _ => {}
            }
            if let (Part::Hook(_), Some(hook)) = (&step.part, hooks.last_mut()) {
                hook.after = step;
                hook.survived &= !matches!(step.action, Action::Dropped(_));
            }
        }
        let mut result = json!({});
        if !out.is_empty() {
            let how = match (sent, hooks.is_empty()) {
                (true, _) => "sent",
                (false, true) => "switched",
                (false, false) => "forwarded",
            };
            result["disposition"] = how.into();
            result["out"] = Value::Array(out);
        } else if local {
            result["disposition"] = "local".into();
        } else if let Some((step, why)) = dropped {
            let rejected = matches!(why, Drop::Rejected { .. });
            result["disposition"] = if rejected { "rejected" } else { "dropped" }.into();
            result["where"] = match (&step.part, hooks.last()) {
                (Part::Hook(hook), _) => format!("hook:{hook}"),
                (_, Some(last)) => format!("after:{}", last.name),
                (_, None) => "before-netfilter".to_string(),
            }
            .into();
        }
        result["hooks"] = hooks.iter().map(HookSeen::json).collect();
        result["path"] = Value::Array(path);
        result
    }
}

impl Run<'_> {
    /// A rule, policy or end of a chain; `nft` numbers rules alone, and calls going on after a chain's end `continue`.
    fn rule_step(&self, rule: &RuleStep, hook: usize) -> Option<Value> {
        let (host, step) = (self.world.host(NODE)?, rule.step()?);
        let (table, chain, nft) = match rule.table() {
            TableRef::Iptables(family, name) => {
                let chain = host.iptables.table(family, name)?.chain(step.chain)?;
                (name.name(), &*chain.name, false)
            }
            TableRef::Nft(table) => {
                let table = host.nft.table(table)?;
                (&*table.name, &*table.chain(step.chain)?.name, true)
            }
        };
        Some(json!({
            "h": hook,
            "hook": rule.visit.hook.name(),
            "table": table,
            "chain": chain,
            "kind": match step.kind {
                StepKind::Rule => "rule",
                StepKind::Policy => "policy",
                StepKind::Return => "return",
            },
            "n": (!nft || step.kind == StepKind::Rule).then_some(step.index + 1),
            "verdict": verdict(step.action),
        }))
    }
}

/// An answer without a way back is not even made, which only the trace tells.
fn was_made(journey: &Journey) -> bool {
    let mut steps = journey.hops.iter().flat_map(|h| &h.steps);
    steps.any(|s| matches!(s.action, Action::Hook(_) | Action::Left(_)))
}

/// A packet at a hook.
struct HookSeen<'t> {
    name: &'static str,
    before: &'t northsouth::trace::Step,
    physin: Option<&'t IfaceName>,
    physout: Option<&'t IfaceName>,
    ct: Option<&'static str>,
    after: &'t northsouth::trace::Step,
    survived: bool,
}

impl HookSeen<'_> {
    fn json(&self) -> Value {
        let name = |i: &Option<IfaceName>| i.as_ref().map(|i| i.as_str().to_string());
        let before = &self.before.after;
        let mut out = json!({
            "hook": self.name,
            "in": name(&before.in_iface),
            "out": name(&before.out_iface),
            "mark_in": before.mark,
            "pkt_in": packet_json(&before.packet),
            "survived": self.survived,
        });
        if let Some(ct) = self.ct {
            out["ct"] = ct.into();
        }
        if let Some(port) = self.physin {
            out["physin"] = port.as_str().into();
        }
        if let Some(port) = self.physout {
            out["physout"] = port.as_str().into();
        }
        if self.survived {
            let after = &self.after.after;
            out["mark_out"] = after.mark.into();
            let changed = packet_json(&after.packet);
            if changed != out["pkt_in"] {
                out["pkt_out"] = changed;
            }
        }
        out
    }
}

/// The recordings name the direction of established connections both ways.
fn directed(state: &'static str) -> &'static str {
    match state {
        "ESTABLISHED" => "ESTABLISHED:original",
        "RELATED" => "RELATED:original",
        other => other,
    }
}

fn verdict(action: StepAction) -> &'static str {
    match action {
        StepAction::Jump => "jump",
        StepAction::Goto => "goto",
        StepAction::Accept => "accept",
        StepAction::Drop => "drop",
        StepAction::Return => "return",
        StepAction::Continue => "continue",
        StepAction::CannotTell => "cannot tell",
    }
}

/// A hardware address as the address it was made of, where it was made of one.
fn named(mac: Mac) -> String {
    match mac.0 {
        [2, 0, a, b, c, d] => IpAddr::from([a, b, c, d]).to_string(),
        _ => mac.to_string(),
    }
}
