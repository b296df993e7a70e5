//! Which rule decided what a later step carries out.

use super::{Action, Drop, Hop, StepAt, Trace};
use crate::conntrack::{ConnectionId, Direction, Manip};
use crate::netfilter::walk::{StepKind, Verdict};

impl Trace {
    /// The step of the rule or policy that decided what the one at `at` does: of a packet that a table dropped or refused,
    /// of a translation, and of each packet that is rewritten for a translated connection, whose rule was asked for the
    /// connection's first packet only (kernel `nf_nat_inet_fn`). `None` where a step decides by itself, or nobody decided.
    pub fn decided(&self, at: StepAt) -> Option<StepAt> {
        let hop = self.hop(at)?;
        match &hop.steps.get(at.step as usize)?.action {
            Action::Dropped(Drop::Rule { .. } | Drop::Rejected { .. }) => ruled(hop, at, false),
            Action::NatDecided(_) => ruled(hop, at, true),
            Action::Translated {
                connection,
                direction,
                manip,
            } => {
                let wanted = match direction {
                    Direction::Original => *manip,
                    Direction::Reply => manip.other(),
                };
                let made = self.translation(at, *connection, wanted)?;
                ruled(self.hop(made)?, made, true)
            }
            _ => None,
        }
    }

    fn hop(&self, at: StepAt) -> Option<&Hop> {
        let journey = self.journeys.get(at.journey as usize)?;
        journey.hops.get(at.hop as usize)
    }

    /// Where, on the same host and before, a connection's translation was decided.
    fn translation(&self, at: StepAt, connection: ConnectionId, manip: Manip) -> Option<StepAt> {
        let host = self.hop(at)?.host;
        let mut found = None;
        for (j, journey) in (0..=at.journey).zip(&self.journeys) {
            for (h, hop) in (0..).zip(&journey.hops).filter(|(_, hop)| hop.host == host) {
                let mut own = false;
                for (s, step) in (0..).zip(&hop.steps) {
                    let here = StepAt {
                        journey: j,
                        hop: h,
                        step: s,
                    };
                    if here >= at {
                        return found;
                    }
                    match &step.action {
                        Action::Tracked(tracking) => own = tracking.connection == Some(connection),
                        Action::NatDecided(made) if own && made.manip == manip => {
                            found = Some(here);
                        }
                        _ => {}
                    }
                }
            }
        }
        found
    }
}

/// The last rule or policy before a step; where `nat`, one that wanted a translation.
fn ruled(hop: &Hop, at: StepAt, nat: bool) -> Option<StepAt> {
    let before = hop.steps.get(..at.step as usize)?;
    let is_rule = |action: &Action| matches!(action, Action::Rule(_));
    let last = before.iter().rposition(|step| is_rule(&step.action))?;
    let Action::Rule(rule) = &before[last].action else {
        return None;
    };
    let wants = matches!(rule.visit.traversal.verdict, Verdict::Nat(_))
        && rule.step().is_some_and(|s| s.kind == StepKind::Rule);
    (!nat || wants).then_some(StepAt {
        step: last as u32,
        ..at
    })
}
