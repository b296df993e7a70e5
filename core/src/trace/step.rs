use super::{Action, Step};
use crate::netfilter::walk::{StepAction, StepKind};

impl Step {
    /// Of little interest to one who only wants to know where the packet goes: a hook's beginning, a policy that accepts,
    /// the end of a chain, what was known already.
    pub fn is_minor(&self) -> bool {
        match &self.action {
            Action::Hook(_) | Action::Confirmed(_) => true,
            Action::SourceChecked(check) => check.passed,
            Action::Resolved(neighbour) => neighbour.known,
            Action::Rule(rule) => rule
                .step()
                .is_some_and(|s| s.kind != StepKind::Rule && s.action != StepAction::Drop),
            _ => false,
        }
    }

    /// How deep in chains that called each other, from 1 for a built-in one; 0 outside of rules.
    pub fn depth(&self) -> usize {
        let Action::Rule(rule) = &self.action else {
            return 0;
        };
        let before = rule.visit.traversal.steps.iter().take(rule.at as usize);
        let deeper = |depth: usize, step: &crate::netfilter::walk::Step| match step.action {
            StepAction::Jump => depth + 1,
            StepAction::Return => depth.saturating_sub(1).max(1),
            _ => depth,
        };
        before.fold(1, deeper)
    }
}
