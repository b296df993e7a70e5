//! Why a table did what it did: made from a [`Traversal`] when someone looks.

use super::matches::{self, Explainer};
use super::walk::{Step, StepKind, TableRef, Traversal};
use super::{Context, Policy, Ruleset, nft, print};
use crate::say;
use crate::text::{Outcome, Reason, Why};

/// Why step `index` of a traversal happened: the criteria of its rule, and for each rule tested and passed over before it in
/// that chain, which criterion failed. `ctx` is the packet as it came to the step.
pub fn why(
    rules: &Ruleset,
    nftables: &nft::Ruleset,
    traversal: &Traversal,
    index: usize,
    ctx: &Context,
) -> Why {
    let table = match traversal.table {
        TableRef::Iptables(family, name) => rules.table(family, name),
        TableRef::Nft(table) => return nft::why(nftables, table, traversal, index, ctx),
    };
    let (Some(step), Some(table)) = (traversal.steps.get(index), table) else {
        return Why::default();
    };
    let Some(chain) = table.chain(step.chain) else {
        return Why::default();
    };
    let rule_reasons = |at: u32| {
        chain.rules.get(at as usize).map(|rule| {
            let mut explainer = Explainer::new(at, rule.span, &traversal.remembered, index as u32);
            matches::rule_holds(rule, ctx, &mut explainer);
            (rule, explainer.reasons)
        })
    };
    let passed = (step.passed_from..step.index)
        .filter_map(rule_reasons)
        .map(|(rule, children)| {
            let failed = children.iter().find(|r| r.outcome == Outcome::Failed);
            let say = failed.map_or_else(|| say!("why/passed-over"), |r| r.say.clone());
            Reason {
                outcome: Outcome::Failed,
                text: print::rule(table, chain, rule),
                say,
                span: Some(rule.span),
                children,
            }
        });
    let decided = match step.kind {
        StepKind::Rule => match rule_reasons(step.index) {
            Some((rule, reasons)) if reasons.is_empty() => vec![Reason {
                outcome: Outcome::Held,
                text: String::new(),
                say: say!("why/unconditional"),
                span: Some(rule.span),
                children: Vec::new(),
            }],
            Some((_, reasons)) => reasons,
            None => Vec::new(),
        },
        StepKind::Policy | StepKind::Return => {
            vec![end_of_chain(step, chain.policy, &chain.name, chain.span)]
        }
    };
    Why {
        decided,
        passed_over: passed.collect(),
    }
}

fn end_of_chain(
    step: &Step,
    policy: Option<Policy>,
    chain: &str,
    span: crate::text::Span,
) -> Reason {
    let say = match (step.kind, policy) {
        (StepKind::Policy, Some(Policy::Drop)) => {
            say!("why/policy", chain = chain, policy = "DROP")
        }
        (StepKind::Policy, _) => say!("why/policy", chain = chain, policy = "ACCEPT"),
        _ => say!("why/end-of-chain", chain = chain),
    };
    Reason {
        outcome: Outcome::Held,
        text: String::new(),
        say,
        span: Some(span),
        children: Vec::new(),
    }
}
