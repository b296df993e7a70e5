//! The record of a walk: plain data, and all that a view may draw.
//!
//! A [`Trace`] is a probe's journeys in the order in which they happened: the first packet, its answer, and what follows.
//! A [`Journey`] is one packet's way over machines, a [`Hop`] its visit to one machine, a [`Step`] one thing that happened to
//! it there. Each step says what it did ([`Action`]), what changed ([`Change`]), and, when someone asks, why ([`Why`](crate::text::Why)).

mod access;
mod action;
mod asked;
mod change;
mod compare;
mod considered;
mod decided;
mod detail;
mod disposition;
mod fidelity;
mod find;
mod meaning;
mod payload;
mod print;
mod proxy;
mod sighting;
mod step;
mod tell;
mod why;

pub use action::{
    Action, Delivery, Drop, Egress, HookVisit, Maker, Neighbour, Occasion, Program, RouteOutcome,
    Routing, RuleStep, SourceCheck, SwitchOutcome, Switching, TableVisit, Tracking,
};
pub use change::{Change, Field, Snapshot};
pub use compare::{Comparison, How, Pair, compare};
pub use considered::{Considered, considered};
pub use detail::Detail;
pub use disposition::Disposition;
pub use fidelity::{Fidelity, depends_on, fidelity, modelled};
pub use find::{Query, StepAt, alike};
pub use meaning::meaning;
pub use payload::{Content, Payload};
pub use print::{Style, print, summary};
pub use proxy::{Account, Answer, ChainAt, Chosen, Proxied, Stage, Tls};
pub use sighting::{Sighting, sightings};
pub use tell::tell;
pub use why::{span, why};

use serde::Serialize;

use crate::netfilter::Hook;
use crate::say;
use crate::text::Say;
use crate::topology::{HostId, IfaceName, World};

/// What became of a probe, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    pub disposition: Disposition,
    /// The proxy that answered the probe by itself, and with which status; 0 where it ended the connection.
    pub ended_by: Option<(HostId, u16)>,
    pub journeys: Vec<Journey>,
}

impl Trace {
    /// How it ended, with the name of the proxy where one ended it.
    pub fn ending(&self, world: &World) -> Say {
        let name = |id| world.host(id).map_or("", |h| &*h.name);
        match self.ended_by {
            Some((by, 0)) => say!("trace/end-closed-by", host = name(by)),
            Some((by, status)) => {
                say!("trace/end-answered-by", status = status, host = name(by))
            }
            None => self.disposition.say(),
        }
    }
}

/// One packet from where it was made to where it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Journey {
    pub role: Role,
    /// The journey that this one answers, by its position in the trace.
    pub cause: Option<u32>,
    /// The packet as its sender made it.
    pub packet: Snapshot,
    /// What it carries, where that is known.
    pub payload: Option<Payload>,
    pub hops: Vec<Hop>,
    pub disposition: Disposition,
}

/// The answers to the first packet.
fn answers(journeys: &[Journey]) -> impl Iterator<Item = &Journey> {
    let answers = |j: &&Journey| j.role == Role::Reply && j.cause == Some(0);
    journeys.iter().filter(answers)
}

/// Whether the first packet's sender took an answer. One from a stranger is refused, and the refusal is delivered as well.
pub fn answered(journeys: &[Journey]) -> bool {
    let home = journeys
        .first()
        .and_then(|j| j.hops.first())
        .map(|h| h.host);
    let taken = |j: &Journey| {
        j.disposition == Disposition::Delivered && j.hops.last().map(|h| h.host) == home
    };
    answers(journeys).any(taken)
}

/// How the first packet's answer ended that its sender did not take; `None` where there was none.
pub fn lost_answer(journeys: &[Journey]) -> Option<Disposition> {
    let lost = answers(journeys).find(|j| j.disposition != Disposition::Delivered);
    Some(match lost?.disposition {
        Disposition::NothingListens => Disposition::AnswerRefused,
        other => other,
    })
}

/// What a packet is in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Role {
    /// From the probe's sender.
    Request,
    /// From whom the request reached.
    Reply,
    /// Made by a host on the way: an ICMP error or a RST.
    Error,
}

/// A packet's visit to one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    pub host: HostId,
    pub steps: Vec<Step>,
}

/// One thing that happened to a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub part: Part,
    pub action: Action,
    /// The fields that this step changed, and only those.
    pub changes: Vec<Change>,
    /// The packet and what the host knows of it, after this step.
    pub after: Snapshot,
}

/// Where in a machine: what a map draws and a drawer opens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Part {
    Process,
    Interface(IfaceName),
    Hook(Hook),
    Conntrack,
    Routing,
    Neighbour,
    Bridge(IfaceName),
    Balancer,
    /// A decision of the Envoy of this host.
    Envoy(Stage),
}

/// A layer of the way, for grouping and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Layer {
    Endpoint,
    LoadBalancer,
    Netfilter,
    Routing,
    Link,
    Envoy,
}
