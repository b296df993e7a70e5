use super::{
    Data, Element, ObjectKind, Place, Quota, Ruleset, Set, SetId, State, Statement, TableId, Value,
};
use crate::netfilter::matches::Range;
use crate::netfilter::{ChainId, Counters};

/// The rules as `nft list ruleset` prints them at a moment (milliseconds on the host's clock): what was counted since they
/// were loaded added to their counters, and the elements that rules added or took out.
pub fn after(rules: &Ruleset, state: &State, now: u64) -> Ruleset {
    let mut rules = rules.clone();
    for (table, t) in (0..).map(TableId).zip(&mut rules.tables) {
        for (chain, c) in (0..).map(ChainId).zip(&mut t.chains) {
            for (rule, r) in (0..).zip(&mut c.rules) {
                for (statement, s) in (0..).zip(&mut r.statements) {
                    let place = Place {
                        table,
                        chain,
                        rule,
                        statement,
                        part: 0,
                    };
                    match s {
                        Statement::Counter(count) => {
                            if let Some(more) = state.counters.get(&place) {
                                add(count, more);
                            }
                        }
                        Statement::Quota(quota) => {
                            spend(quota, state.quotas.get(&place));
                        }
                        _ => {}
                    }
                }
            }
        }
        for object in &mut t.objects {
            let key = (table, object.name.clone());
            match &mut object.kind {
                ObjectKind::Counter(count) => {
                    if let Some(more) = state.named_counters.get(&key) {
                        add(count, more);
                    }
                }
                ObjectKind::Quota(quota) => {
                    spend(quota, state.named_quotas.get(&key));
                }
                _ => {}
            }
        }
        for (id, set) in (0..).map(SetId).zip(&mut t.sets) {
            elements(set, state, (table, id), now);
        }
    }
    rules
}

fn spend(quota: &mut Quota, came: Option<&u64>) {
    let came = came.copied().unwrap_or(0);
    quota.used = quota.used.saturating_add(came).min(quota.bytes);
}

fn add(to: &mut Counters, more: &Counters) {
    to.packets = to.packets.saturating_add(more.packets);
    to.bytes = to.bytes.saturating_add(more.bytes);
}

fn elements(set: &mut Set, state: &State, at: (TableId, SetId), now: u64) {
    for (key, changed) in state.elements.get(&at).into_iter().flatten() {
        let one = |value: &Value| Range {
            low: *value,
            high: *value,
        };
        let key: Vec<_> = key.iter().map(one).collect();
        set.elements.retain(|e| e.key != key);
        if !changed.lives(now) {
            continue;
        }
        let data = changed.data.iter().map(one).collect::<Vec<_>>();
        set.elements.push(Element {
            key,
            data: (!data.is_empty()).then_some(Data::Values(data)),
            timeout: None,
            expires: changed.expires.map(|end| end.saturating_sub(now)),
            comment: None,
            span: set.span,
        });
    }
}
