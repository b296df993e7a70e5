//! Two walks side by side: what happened in both, and where they part.

use std::collections::BTreeMap;

use super::find::action_name;
use super::{Action, Part, Role, RuleStep, Step, StepAt, Trace, tell};
use crate::netfilter::walk::TableRef;
use crate::netfilter::{self, nft};
use crate::text::{Say, changed};
use crate::topology::{Host, World};

/// A line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub how: How,
    pub before: Option<StepAt>,
    pub after: Option<StepAt>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// The same thing happened to the same packet.
    Same,
    /// The same kind of thing happened at the same place, with another outcome or another packet.
    Changed,
    /// In the first walk only.
    Gone,
    /// In the second walk only.
    New,
}

/// Both walks in order, and the position of the first pair that is not the same; `None` where all are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub pairs: Vec<Pair>,
    pub parting: Option<usize>,
}

/// Aligns two walks by where each step happened and what kind of step it is, with the fewest steps left alone. A rule is
/// known by its text, so that one that only moved is the same rule.
pub fn compare(before: (&World, &Trace), after: (&World, &Trace)) -> Comparison {
    let (old, new) = (steps(before), steps(after));
    let mut numbers = BTreeMap::new();
    let mut numbered = |steps: &[Placed]| -> Vec<u32> {
        let mut of = |step: &Placed| {
            let next = numbers.len() as u32;
            *numbers.entry(step.key.clone()).or_insert(next)
        };
        steps.iter().map(&mut of).collect()
    };
    let (a, b) = (numbered(&old), numbered(&new));
    let (gone, come) = changed(&a, &b);
    let mut pairs = Vec::with_capacity(new.len());
    let (mut i, mut j) = (0, 0);
    loop {
        let pair = match (old.get(i), new.get(j)) {
            (None, None) => break,
            (Some(old), _) if gone.get(i) == Some(&true) => {
                i += 1;
                pair(How::Gone, Some(old), None)
            }
            (_, Some(new)) if come.get(j) == Some(&true) => {
                j += 1;
                pair(How::New, None, Some(new))
            }
            (Some(old), Some(new)) => {
                (i, j) = (i + 1, j + 1);
                let same = old.said == new.said
                    && old.step.changes == new.step.changes
                    && old.step.after == new.step.after;
                pair(
                    if same { How::Same } else { How::Changed },
                    Some(old),
                    Some(new),
                )
            }
            // One is at its end where the other goes on, which the alignment has marked.
            (Some(old), None) => {
                i += 1;
                pair(How::Gone, Some(old), None)
            }
            (None, Some(new)) => {
                j += 1;
                pair(How::New, None, Some(new))
            }
        };
        pairs.push(pair);
    }
    let parting = pairs.iter().position(|p| p.how != How::Same);
    Comparison { pairs, parting }
}

fn pair(how: How, before: Option<&Placed<'_>>, after: Option<&Placed<'_>>) -> Pair {
    Pair {
        how,
        before: before.map(|s| s.at),
        after: after.map(|s| s.at),
    }
}

struct Placed<'a> {
    at: StepAt,
    key: Key,
    step: &'a Step,
    said: Said,
}

/// What must agree for two steps to stand side by side.
type Key = (u8, String, Part, &'static str, String);

/// What must agree for them to be the same.
#[derive(PartialEq)]
enum Said {
    Rule(String),
    Say(Say),
}

fn steps<'a>((world, trace): (&World, &'a Trace)) -> Vec<Placed<'a>> {
    let mut all = Vec::new();
    for (journey_at, journey) in trace.journeys.iter().enumerate() {
        for (hop_at, hop) in journey.hops.iter().enumerate() {
            let host = world.host(hop.host);
            let name = host.map(|h| h.name.to_string()).unwrap_or_default();
            for (step_at, step) in hop.steps.iter().enumerate() {
                let rule = match &step.action {
                    Action::Rule(rule) => rule_text(host, rule),
                    _ => None,
                };
                let place = rule.as_ref().map(|(chain, _)| chain.clone());
                let said = match rule {
                    Some((_, text)) => Said::Rule(text),
                    None => Said::Say(tell(world, hop.host, step)),
                };
                all.push(Placed {
                    at: StepAt {
                        journey: journey_at as u32,
                        hop: hop_at as u32,
                        step: step_at as u32,
                    },
                    key: (
                        role(journey.role),
                        name.clone(),
                        step.part.clone(),
                        action_name(&step.action),
                        place.unwrap_or_default(),
                    ),
                    step,
                    said,
                });
            }
        }
    }
    all
}

/// The table and chain of a step of a traversal, and its rule as the tool prints it, or what ended the chain.
fn rule_text(host: Option<&Host>, rule: &RuleStep) -> Option<(String, String)> {
    let (host, step) = (host?, rule.step()?);
    let at = step.index as usize;
    let (table, chain, text) = match rule.table() {
        TableRef::Iptables(family, name) => {
            let table = host.iptables.table(family, name)?;
            let chain = table.chain(step.chain)?;
            let text = chain
                .rules
                .get(at)
                .map(|r| netfilter::print::rule(table, chain, r));
            (name.name().to_string(), chain.name.to_string(), text)
        }
        TableRef::Nft(id) => {
            let table = host.nft.table(id)?;
            let chain = table.chain(step.chain)?;
            let text = chain.rules.get(at).map(|r| nft::print_rule(r, table));
            (table.name.to_string(), chain.name.to_string(), text)
        }
    };
    let text = text.unwrap_or_else(|| format!("{:?} {:?}", step.kind, step.action));
    Some((format!("{table} {chain}"), text))
}

fn role(role: Role) -> u8 {
    match role {
        Role::Request => 0,
        Role::Reply => 1,
        Role::Error => 2,
    }
}
