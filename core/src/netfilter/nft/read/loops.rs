//! Jumps that go round in circles, which the kernel refuses to load (`net/netfilter/nf_tables_api.c`, `nft_chain_validate`).

use crate::netfilter::nft::{Data, Set, SetRef, Statement, Table, Verdict};
use crate::say;
use crate::text::{Diagnostic, Span};

/// A diagnostic for each jump that closes a circle.
pub(super) fn find(table: &Table) -> Vec<Diagnostic> {
    let jumps: Vec<Vec<(usize, Span)>> =
        (0..table.chains.len()).map(|at| from(table, at)).collect();
    let mut seen = vec![false; jumps.len()];
    let mut diagnostics = Vec::new();
    for start in 0..jumps.len() {
        // The way that is being followed: chains, and which of their jumps is next.
        let mut way = vec![(start, 0)];
        while let Some((chain, next)) = way.last_mut() {
            let chain = *chain;
            let jump = jumps
                .get(chain)
                .and_then(|j| j.get(*next))
                .filter(|_| !seen[chain]);
            *next += 1;
            let Some((to, span)) = jump else {
                seen[chain] = true;
                way.pop();
                continue;
            };
            match way.iter().position(|(c, _)| c == to) {
                Some(at) => {
                    let names = way[at..].iter().map(|(c, _)| *c).chain([*to]);
                    let names: Vec<_> = names
                        .filter_map(|c| table.chains.get(c))
                        .map(|c| &*c.name)
                        .collect();
                    diagnostics.push(Diagnostic::error(
                        *span,
                        say!("nft/loop", chains = names.join(" → ")),
                    ));
                }
                None if !seen.get(*to).copied().unwrap_or(true) => way.push((*to, 0)),
                None => {}
            }
        }
    }
    diagnostics
}

/// The chains that a chain's rules lead to, each with its rule.
fn from(table: &Table, chain: usize) -> Vec<(usize, Span)> {
    let mut out = Vec::new();
    for rule in table.chains.get(chain).into_iter().flat_map(|c| &c.rules) {
        for statement in &rule.statements {
            match statement {
                Statement::Verdict(verdict) => {
                    out.extend(leads_to(verdict).map(|to| (to, rule.span)))
                }
                Statement::Vmap(_, SetRef::Anonymous(map)) => {
                    out.extend(of_map(map).map(|to| (to, rule.span)))
                }
                Statement::Vmap(_, SetRef::Named(id)) => {
                    let map = table.set(*id);
                    out.extend(map.into_iter().flat_map(of_map).map(|to| (to, rule.span)));
                }
                _ => {}
            }
        }
    }
    out
}

fn of_map(map: &Set) -> impl Iterator<Item = usize> {
    map.elements.iter().filter_map(|e| match &e.data {
        Some(Data::Verdict(verdict)) => leads_to(verdict),
        _ => None,
    })
}

fn leads_to(verdict: &Verdict) -> Option<usize> {
    match verdict {
        Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain.0 as usize),
        _ => None,
    }
}
