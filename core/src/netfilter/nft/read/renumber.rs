//! Takes deleted tables, chains and sets out and numbers what is left in the order of its making.

use super::Draft;
use crate::netfilter::ChainId;
use crate::netfilter::nft::{
    Data, Expr, Right, Ruleset, Set, SetId, SetRef, Statement, Table, Verdict,
};
use crate::say;
use crate::text::Diagnostic;

/// What the kernel lets a set grow to that rules put elements into (`net/netfilter/nft_dynset.c`).
const DYNAMIC_SIZE: u32 = 65_535;

/// Old numbers to new ones; `None` where it was deleted.
struct Numbers {
    chains: Vec<Option<ChainId>>,
    sets: Vec<Option<SetId>>,
}

pub(super) fn finish(drafts: Vec<Draft>) -> (Ruleset, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let live = drafts.into_iter().filter(|d| !d.deleted);
    let tables = live
        .map(|draft| renumber(draft, &mut diagnostics))
        .collect();
    (Ruleset { tables }, diagnostics)
}

fn renumber(draft: Draft, diagnostics: &mut Vec<Diagnostic>) -> Table {
    let Draft {
        mut table,
        chains,
        sets,
        ..
    } = draft;
    let mut numbers = Numbers {
        chains: vec![None; table.chains.len()],
        sets: vec![None; table.sets.len()],
    };
    mark(
        &mut numbers.chains,
        chains.into_values().map(|c| c.0),
        ChainId,
    );
    mark(&mut numbers.sets, sets.into_values().map(|s| s.0), SetId);
    keep_live(&mut table.chains, &numbers.chains);
    keep_live(&mut table.sets, &numbers.sets);
    for chain in &mut table.chains {
        chain.rules.retain_mut(|rule| {
            let whole = rule.statements.iter_mut().all(|s| numbers.statement(s));
            if !whole {
                diagnostics.push(Diagnostic::error(rule.span, say!("nft/names-deleted")));
            }
            whole
        });
    }
    for set in updated(&table) {
        if let Some(set) = table.sets.get_mut(set.0 as usize) {
            set.size.get_or_insert(DYNAMIC_SIZE);
        }
    }
    for set in &mut table.sets {
        set.elements.retain_mut(|element| {
            let whole = numbers.data(&mut element.data);
            if !whole {
                diagnostics.push(Diagnostic::error(element.span, say!("nft/names-deleted")));
            }
            whole
        });
    }
    diagnostics.extend(super::loops::find(&table));
    table
}

/// The sets that rules put elements into.
fn updated(table: &Table) -> Vec<SetId> {
    let statements = table
        .chains
        .iter()
        .flat_map(|c| &c.rules)
        .flat_map(|r| &r.statements);
    let sets = statements.filter_map(|s| match s {
        Statement::Update(update) => Some(update.set),
        _ => None,
    });
    sets.collect()
}

fn mark<T: Copy>(numbers: &mut [Option<T>], live: impl Iterator<Item = u32>, id: fn(u32) -> T) {
    let mut live: Vec<u32> = live.collect();
    live.sort_unstable();
    for (new, old) in (0..).zip(live) {
        if let Some(number) = numbers.get_mut(old as usize) {
            *number = Some(id(new));
        }
    }
}

fn keep_live<T, N>(all: &mut Vec<T>, numbers: &[Option<N>]) {
    let mut at = 0;
    all.retain(|_| {
        at += 1;
        numbers.get(at - 1).is_some_and(Option::is_some)
    });
}

impl Numbers {
    /// Renumbers; false where something deleted is named.
    fn statement(&self, statement: &mut Statement) -> bool {
        match statement {
            Statement::Match(relation) => {
                self.expr(&mut relation.left)
                    && match &mut relation.right {
                        Right::Set(set) => self.set_ref(set),
                        _ => true,
                    }
            }
            Statement::Vmap(key, map) => self.expr(key) && self.set_ref(map),
            Statement::Verdict(verdict) => self.verdict(verdict),
            Statement::Set(_, value) => self.expr(value),
            Statement::Nat(nat) => [&mut nat.addr, &mut nat.port]
                .into_iter()
                .flatten()
                .all(|e| self.expr(e)),
            Statement::Tproxy(t) => [&mut t.addr, &mut t.port]
                .into_iter()
                .flatten()
                .all(|e| self.expr(e)),
            Statement::Update(update) => {
                self.set(&mut update.set)
                    && self.expr(&mut update.key)
                    && update.data.as_mut().is_none_or(|data| self.expr(data))
            }
            _ => true,
        }
    }

    fn expr(&self, expr: &mut Expr) -> bool {
        match expr {
            Expr::Map(key, map) => self.expr(key) && self.set_ref(map),
            Expr::Concat(parts) => parts.iter_mut().all(|p| self.expr(p)),
            Expr::Bitwise { left: inner, .. }
            | Expr::Shift { left: inner, .. }
            | Expr::Jhash { of: inner, .. } => self.expr(inner),
            _ => true,
        }
    }

    fn set_ref(&self, set: &mut SetRef) -> bool {
        match set {
            SetRef::Named(id) => self.set(id),
            SetRef::Anonymous(set) => self.anonymous(set),
        }
    }

    fn anonymous(&self, set: &mut Set) -> bool {
        set.elements.iter_mut().all(|e| self.data(&mut e.data))
    }

    fn set(&self, id: &mut SetId) -> bool {
        self.sets
            .get(id.0 as usize)
            .copied()
            .flatten()
            .map(|new| *id = new)
            .is_some()
    }

    fn data(&self, data: &mut Option<Data>) -> bool {
        match data {
            Some(Data::Verdict(verdict)) => self.verdict(verdict),
            _ => true,
        }
    }

    fn verdict(&self, verdict: &mut Verdict) -> bool {
        match verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => self
                .chains
                .get(chain.0 as usize)
                .copied()
                .flatten()
                .map(|new| *chain = new)
                .is_some(),
            _ => true,
        }
    }
}
