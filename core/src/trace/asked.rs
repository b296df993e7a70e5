//! The packets that it took to ask for a neighbour, and where they were lost.

use super::why::why;
use super::{Action, Drop, Journey, Neighbour, Part, Role, Step, tell};
use crate::netfilter::walk::CannotTell;
use crate::say;
use crate::text::{Outcome, Reason, Say};
use crate::topology::{Host, HostId, World};

/// Where a question, or its answer, went no further.
pub(super) struct Lost<'n> {
    role: Role,
    host: HostId,
    /// What dropped it, and before it the rule that said so.
    end: &'n Step,
    rule: Option<&'n Step>,
}

impl Neighbour {
    /// Of a neighbour that stayed unknown: what kept the last answer from coming back, or the last question from its owner.
    /// All on a segment hear a question; what others do with it is of no matter.
    pub(super) fn lost(&self, world: &World) -> Option<Lost<'_>> {
        if self.mac.is_some() {
            return None;
        }
        let last = |role| {
            let of_role = self.asked.iter().filter(move |j| j.role == role);
            of_role.rev().map(ends).find(|ends| !ends.is_empty())
        };
        if let Some(ends) = last(Role::Reply) {
            return ends.into_iter().next_back();
        }
        let asker = self.asked.first()?.hops.first()?.host;
        let owns = |host: &Host| host.owner_of(self.addr).is_some();
        let matters =
            |lost: &Lost<'_>| lost.host == asker || world.host(lost.host).is_some_and(owns);
        let mut ends = last(Role::Request)?;
        let at = ends.iter().position(matters).unwrap_or(0);
        Some(ends.swap_remove(at))
    }

    /// What is not modelled that an answer depends on.
    pub(crate) fn cannot_tell(&self, world: &World) -> Option<CannotTell> {
        match &self.lost(world)?.end.action {
            Action::Dropped(Drop::CannotTell(what)) => Some(what.clone()),
            _ => None,
        }
    }
}

impl Step {
    /// What happened to the packets that asked for a neighbour at this step, each step with its host.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (HostId, &Step)> {
        let asked: &[Journey] = match &self.action {
            Action::Resolved(neighbour) => &neighbour.asked,
            _ => &[],
        };
        let hops = asked.iter().flat_map(|j| &j.hops);
        hops.flat_map(|hop| hop.steps.iter().map(move |step| (hop.host, step)))
    }
}

impl Lost<'_> {
    pub(super) fn tell(&self, world: &World, neighbour: &Neighbour) -> Say {
        let (addr, dev) = (neighbour.addr, &neighbour.dev);
        let host = world.host(self.host).map_or("", |h| &*h.name);
        let at = match &self.end.part {
            Part::Hook(hook) => hook.name(),
            _ => "ndisc_rcv",
        };
        match self.role {
            Role::Request => {
                say!(
                    "trace/question-lost",
                    addr = addr,
                    dev = dev,
                    host = host,
                    at = at
                )
            }
            _ => say!(
                "trace/answer-lost",
                addr = addr,
                dev = dev,
                host = host,
                at = at
            ),
        }
    }

    /// The rule that stopped it with its own reasons.
    pub(super) fn reason(&self, world: &World) -> Reason {
        let step = self.rule.unwrap_or(self.end);
        let own = why(world, self.host, step);
        Reason {
            outcome: Outcome::Failed,
            text: String::new(),
            say: tell(world, self.host, step),
            span: super::span(world, self.host, step),
            children: own.decided,
        }
    }
}

/// Where copies of a packet were dropped by netfilter or by who it was for, in their order.
fn ends(journey: &Journey) -> Vec<Lost<'_>> {
    let mut all = Vec::new();
    for hop in &journey.hops {
        for (at, end) in hop.steps.iter().enumerate() {
            let here = matches!(end.part, Part::Hook(_) | Part::Neighbour);
            if !here || !matches!(end.action, Action::Dropped(_)) {
                continue;
            }
            let before = at.checked_sub(1).and_then(|at| hop.steps.get(at));
            all.push(Lost {
                role: journey.role,
                host: hop.host,
                end,
                rule: before.filter(|s| matches!(s.action, Action::Rule(_))),
            });
        }
    }
    all
}
