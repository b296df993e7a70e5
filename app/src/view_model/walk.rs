//! The trace's steps in one row, as time runs.

use northsouth::net::IpFamily;
use northsouth::trace::{Field, Journey, Layer, Part, Role, Snapshot, Step, StepAt, Trace};
use northsouth::workspace::Run;

use super::explain;
use crate::state::{Place, Position};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    /// Of the probe's packets.
    pub family: IpFamily,
    pub moments: Vec<Moment>,
}

/// A step with where and when it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    pub position: Position,
    pub place: Place,
    pub role: Role,
    pub layer: Layer,
    /// Of little interest to one who reads along.
    pub minor: bool,
    /// What changed, by the fields' order.
    pub changed: Vec<Field>,
    /// How deep in chains that called each other; 0 outside of chains.
    pub depth: usize,
}

impl Walk {
    pub fn of(run: &Run) -> Self {
        let mut moments = Vec::new();
        for (journey_at, journey) in run.trace.journeys.iter().enumerate() {
            for (hop_at, hop) in journey.hops.iter().enumerate() {
                for (step_at, step) in hop.steps.iter().enumerate() {
                    moments.push(Moment {
                        position: Position {
                            journey: journey_at,
                            hop: hop_at,
                            step: step_at,
                        },
                        place: Place {
                            host: hop.host,
                            part: step.part.clone(),
                        },
                        role: journey.role,
                        layer: layer_of(&step.part),
                        minor: explain::is_minor(step),
                        changed: step.changes.iter().map(|c| c.field).collect(),
                        depth: explain::depth(step),
                    });
                }
            }
        }
        let asked = run.trace.journeys.first();
        Self {
            family: asked.map_or(IpFamily::V4, |j| IpFamily::of(j.packet.packet.dst)),
            moments,
        }
    }

    /// A step of the trace in the row of all steps.
    pub fn find(&self, at: StepAt) -> Option<usize> {
        self.moments.iter().position(|m| m.position.at() == at)
    }

    pub fn len(&self) -> usize {
        self.moments.len()
    }

    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }
}

/// The layer that a part belongs to.
pub fn layer_of(part: &Part) -> Layer {
    match part {
        Part::Process => Layer::Endpoint,
        Part::Interface(_) | Part::Bridge(_) => Layer::Link,
        Part::Hook(_) | Part::Conntrack => Layer::Netfilter,
        Part::Routing | Part::Neighbour => Layer::Routing,
        Part::Balancer => Layer::LoadBalancer,
        Part::Envoy(_) => Layer::Envoy,
    }
}

/// A layer's name in style sheets.
pub fn layer_class(layer: Layer) -> &'static str {
    match layer {
        Layer::Endpoint => "endpoint",
        Layer::LoadBalancer => "balancer",
        Layer::Netfilter => "netfilter",
        Layer::Routing => "routing",
        Layer::Link => "link",
        Layer::Envoy => "envoy",
    }
}

pub fn journey(trace: &Trace, at: Position) -> Option<&Journey> {
    trace.journeys.get(at.journey)
}

pub fn step(trace: &Trace, at: Position) -> Option<&Step> {
    let hop = journey(trace, at)?.hops.get(at.hop)?;
    hop.steps.get(at.step)
}

/// The packet as it was before a step.
pub fn before(trace: &Trace, at: Position) -> Option<&Snapshot> {
    let journey = journey(trace, at)?;
    let hop = journey.hops.get(at.hop)?;
    let in_hop = at.step.checked_sub(1).and_then(|last| hop.steps.get(last));
    let before_hop = || {
        let hops = journey.hops.get(..at.hop)?;
        hops.iter().rev().find_map(|hop| hop.steps.last())
    };
    let last = in_hop.or_else(before_hop);
    Some(last.map_or(&journey.packet, |step| &step.after))
}
