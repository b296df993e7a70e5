//! What an attempt shows: how it ended, and each packet's way.

use std::collections::BTreeSet;

use northsouth::conntrack::Connection;
use northsouth::net::{Packet, Response, TcpFlags, Transport};
use northsouth::netfilter::Hook;
use northsouth::topology::{HostId, World};
use northsouth::trace::{Action, Content, Disposition, Drop, Journey, Part, Role};
use serde_json::{Map, Value, json};

use super::rows::{first_packet, kind, port_text, rows, table};

/// An attempt, and how it is shown.
pub(super) struct Attempt<'a> {
    pub world: &'a World,
    /// Pods whose process is Envoy.
    pub gateways: &'a BTreeSet<String>,
    pub journeys: &'a [Journey],
    pub at: HostId,
    pub sport: u16,
    pub udp: bool,
    /// It asks for a page.
    pub http: bool,
    /// Whether a bridge's own device shows frames from port to port.
    pub every: bool,
}

/// Who took a connection, the address there and the other end.
struct Taker<'a> {
    process: &'a str,
    packet: &'a Packet,
}

impl Attempt<'_> {
    pub fn told(&self) -> Map<String, Value> {
        let mut out = Map::new();
        let Some(asked) = self.journeys.first() else {
            return out;
        };
        // Who is refused by his own host sees no packet.
        let refused = refused_here(asked, self.at, self.udp);
        let reply = self.reply(0).filter(|_| refused.is_none());
        let back = reply.filter(|j| self.came_back(j));
        let back = back.map(|j| kind(&first_packet(j)));
        let (outcome, errno) = match back.as_deref() {
            Some("SYN-ACK") if self.http && self.response().is_none() => {
                ("timeout", Some("ETIMEDOUT"))
            }
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
        out.insert("walk".into(), self.rows(asked).into());
        let rows = reply.map_or_else(Vec::new, |j| self.rows(j));
        out.insert("reply".into(), rows.into());
        if let Some(reply) = reply {
            out.insert("reply_kind".into(), kind(&first_packet(reply)).into());
        }
        if let Some(taker) = taker(asked).filter(|_| outcome == "ok") {
            match self.gateways.contains(taker.process) {
                true => drop(out.insert("gateway_pod".into(), taker.process.into())),
                false => self.answered(&mut out, &taker),
            }
        }
        if let Some(backend) = self.backend(asked) {
            out.insert("lb_backend".into(), backend.into());
        }
        if let Some(response) = self.response() {
            out.insert("status".into(), response.status.into());
            if let Some(location) = response.headers.first("location") {
                out.insert("location".into(), location.into());
            }
        }
        self.upstream(&mut out);
        out
    }

    fn rows(&self, journey: &Journey) -> Vec<Value> {
        rows(self.world, journey, self.sport, self.every)
    }

    /// The first answer to a packet that is seen anywhere.
    fn reply(&self, to: u32) -> Option<&Journey> {
        let mut answers = self.journeys.iter().filter(|j| j.cause == Some(to));
        answers.find(|j| j.role != Role::Request && !self.rows(j).is_empty())
    }

    fn came_back(&self, journey: &Journey) -> bool {
        let last = journey.hops.last();
        last.is_some_and(|h| h.host == self.at) && journey.disposition == Disposition::Delivered
    }

    fn answered(&self, out: &mut Map<String, Value>, taker: &Taker) {
        let p = taker.packet;
        out.insert("pod".into(), taker.process.into());
        let local = format!("{}:{}", p.dst, p.dport().unwrap_or(0));
        out.insert("pod_local".into(), local.into());
        let peer = format!("{}:{}", p.src, port_text(p.sport(), self.sport));
        out.insert("pod_peer".into(), peer.into());
    }

    /// The node that the load balancer chose.
    fn backend(&self, asked: &Journey) -> Option<&str> {
        let slb = self.world.host(self.world.find("slb")?)?;
        let balancer = slb.balancer.as_ref()?;
        let mut steps = asked.hops.iter().flat_map(|h| &h.steps);
        steps.find_map(|step| {
            let Action::Balanced(account) = &step.action else {
                return None;
            };
            let listener = balancer.listeners.get(usize::from(account.listener?))?;
            let backend = listener.backends.get(usize::from(account.backend?))?;
            self.world.find(&backend.name).map(|_| &*backend.name)
        })
    }

    /// What came back over the asker's connection.
    fn response(&self) -> Option<&Response> {
        let mut back = self.journeys.iter().filter(|j| self.came_back(j));
        back.find_map(|j| match &j.payload.as_ref()?.content {
            Content::Response(response) => Some(response),
            _ => None,
        })
    }

    /// The connections that Envoy opened, in order.
    fn upstream(&self, out: &mut Map<String, Value>) {
        let mut all = Vec::new();
        for (number, journey) in (0..).zip(self.journeys).skip(1) {
            let first = first_packet(journey);
            let opens = matches!(
                first.transport,
                Transport::Tcp { flags, .. } if flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK)
            );
            if journey.role != Role::Request || !opens {
                continue;
            }
            let reply = self.reply(number);
            let kind = reply.map(|j| kind(&first_packet(j)));
            if let Some(taker) = taker(journey).filter(|_| kind.as_deref() == Some("SYN-ACK")) {
                self.answered(out, &taker);
            }
            let rows = reply.map_or_else(Vec::new, |j| self.rows(j));
            all.push(json!({ "walk": self.rows(journey), "reply_kind": kind, "reply": rows }));
        }
        if !all.is_empty() {
            out.insert("upstream".into(), all.into());
        }
    }
}

/// The new connections on each node.
pub(super) fn conntrack<'n>(
    nodes: impl Iterator<Item = (&'n str, Vec<Connection>)>,
    sport: u16,
) -> Map<String, Value> {
    let mut out = Map::new();
    for (node, new) in nodes {
        // The tunnel's own datagrams are not told of.
        let new = table(new.iter().filter(|c| c.orig.dport != 8472), sport);
        if new[0].is_array() {
            out.insert(node.to_string(), new);
        }
    }
    out
}

fn taker(journey: &Journey) -> Option<Taker<'_>> {
    let mut steps = journey.hops.iter().flat_map(|h| &h.steps);
    steps.find_map(|step| match &step.action {
        Action::Delivered(delivery) => Some(Taker {
            process: delivery.process.name(),
            packet: &step.after.packet,
        }),
        _ => None,
    })
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
