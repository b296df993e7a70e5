//! What came of a probe, as goals look at it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::sim::{Probe, ProbeKind};
use crate::topology::World;
use crate::trace::{Action, Disposition, Hop, Journey, Maker, Role, StepAt, Trace, answered};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub end: Disposition,
    /// The sender got an answer.
    pub answered: bool,
    /// The machines whose processes took a packet of the request's, in order, each once.
    pub reached: Vec<Arc<str>>,
    /// What the sender was answered, where it speaks HTTP.
    pub status: Option<u16>,
}

impl Outcome {
    pub fn of(world: &World, probe: &Probe, trace: &Trace) -> Outcome {
        let mut reached: Vec<Arc<str>> = Vec::new();
        for (_, hop) in arrivals(trace) {
            if let Some(host) = world.host(hop.host)
                && !reached.contains(&host.name)
            {
                reached.push(host.name.clone());
            }
        }
        let there = matches!(
            trace.disposition,
            Disposition::Delivered | Disposition::Answered
        );
        let answered = there && answered(&trace.journeys);
        let http = matches!(probe.kind, ProbeKind::Http(_));
        Outcome {
            end: trace.disposition,
            answered,
            reached,
            status: if http && answered {
                status(trace)
            } else {
                None
            },
        }
    }
}

/// The request's journeys that a process took, each with the hop where it did.
pub(super) fn arrivals(trace: &Trace) -> impl Iterator<Item = (StepAt, &Hop)> {
    let journeys = (0..).zip(&trace.journeys);
    journeys.filter_map(|(journey, j)| {
        let hop = j.hops.last()?;
        let step = hop
            .steps
            .iter()
            .rposition(|s| matches!(s.action, Action::Delivered(_)))?;
        let at = StepAt {
            journey,
            hop: (j.hops.len() - 1) as u32,
            step: step as u32,
        };
        (j.role == Role::Request).then_some((at, hop))
    })
}

/// The source that the packet had when a process of a machine took it; of the last that fits.
pub(super) fn source(
    world: &World,
    trace: &Trace,
    fits: impl Fn(&str) -> bool,
) -> Option<(StepAt, IpAddr)> {
    let mut found = None;
    for (at, hop) in arrivals(trace) {
        let step = hop.steps.get(at.step as usize);
        if world.host(hop.host).is_some_and(|h| fits(&h.name))
            && let Some(step) = step
        {
            found = Some((at, step.after.packet.src));
        }
    }
    found
}

/// The status of the last word of the first proxy that speaks HTTP; without a proxy, 200 where a process answered.
fn status(trace: &Trace) -> Option<u16> {
    let hops = || trace.journeys.iter().flat_map(|j| &j.hops);
    let said = |hop: &Hop| {
        let mut steps = hop.steps.iter().rev();
        steps.find_map(|s| match &s.action {
            Action::Proxied(said) => said.account.answer.as_ref().map(|a| a.status),
            _ => None,
        })
    };
    let proxies = |hop: &&Hop| {
        hop.steps.iter().any(|s| match &s.action {
            Action::Proxied(said) => said.account.request.is_some(),
            _ => false,
        })
    };
    if let Some(first) = hops().find(proxies) {
        let same = hops().filter(|h| h.host == first.host);
        return same.filter_map(said).next_back();
    }
    let spoke = |j: &Journey| {
        let made = j.hops.first().and_then(|h| h.steps.first());
        let by_process = made.is_some_and(|s| matches!(s.action, Action::Sent(Maker::Process(_))));
        by_process && j.role == Role::Reply && j.packet.packet.payload > 0
    };
    trace.journeys.iter().any(spoke).then_some(200)
}

/// Where to look at a walk that went wrong: the last step of the first packet that was lost, else of the last packet.
pub(super) fn trouble(trace: &Trace) -> Option<StepAt> {
    let lost = |j: &Journey| j.disposition != Disposition::Delivered;
    let journey = trace.journeys.iter().position(lost);
    let journey = journey.or(trace.journeys.len().checked_sub(1))?;
    let hops = &trace.journeys.get(journey)?.hops;
    let hop = hops.iter().rposition(|h| !h.steps.is_empty())?;
    let step = hops.get(hop)?.steps.len().checked_sub(1)?;
    Some(StepAt {
        journey: journey as u32,
        hop: hop as u32,
        step: step as u32,
    })
}
