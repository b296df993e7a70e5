//! What rules mean, in plain words: what each target and match does, and why it matters on a Kubernetes node.

mod chain;
mod matched;
mod nftables;
mod target;

pub use chain::chain;

use super::walk::{StepKind, TableRef, Traversal};
use super::{Ruleset, Table, Target, nft};
use crate::text::Say;

/// What a step of a traversal means: of a rule its target first, then what it asks; nothing of a policy or a chain's end.
pub fn meaning(
    rules: &Ruleset,
    nftables: &nft::Ruleset,
    traversal: &Traversal,
    index: usize,
) -> Vec<Say> {
    let found = traversal
        .steps
        .get(index)
        .filter(|s| s.kind == StepKind::Rule);
    let Some(step) = found else { return Vec::new() };
    let at = step.index as usize;
    match traversal.table {
        TableRef::Iptables(family, name) => {
            let table = rules.table(family, name);
            let rule = table.and_then(|t| Some((t, t.chain(step.chain)?.rules.get(at)?)));
            rule.map_or_else(Vec::new, |(table, rule)| {
                let asked = rule.matches.iter().filter_map(|m| m.meaning());
                rule.target
                    .meaning(table)
                    .into_iter()
                    .chain(asked)
                    .collect()
            })
        }
        TableRef::Nft(id) => {
            let table = nftables.table(id);
            let rule = table.and_then(|t| Some((t, t.chain(step.chain)?.rules.get(at)?)));
            rule.map_or_else(Vec::new, |(table, rule)| nftables::of_rule(rule, table))
        }
    }
}

impl Target {
    /// The chain that it names, where it jumps.
    fn leads_to<'t>(&self, table: &'t Table) -> Option<&'t str> {
        match self {
            Target::Jump(chain) | Target::Goto(chain) => table.chain(*chain).map(|c| &*c.name),
            _ => None,
        }
    }
}
