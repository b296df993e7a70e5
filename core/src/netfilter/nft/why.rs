//! Why a base chain did what it did: its rules asked again, with what chance and memory said then.

use super::act::Flow;
use super::eval::{Got, Miss};
use super::print;
use super::walk::{Run, Source};
use super::{
    BaseRef, Chain, Expr, ObjectKind, Op, Relation, Right, Rule, Ruleset, Shared, Statement, Table,
    TableId,
};
use crate::netfilter::walk::{StepKind, Traversal};
use crate::netfilter::{Context, Policy};
use crate::say;
use crate::text::{Outcome, Reason, Say, Why};

/// As [`crate::netfilter::why`], for nftables.
pub(in crate::netfilter) fn why(
    rules: &Ruleset,
    id: TableId,
    traversal: &Traversal,
    index: usize,
    ctx: &Context,
) -> Why {
    let found = traversal.steps.get(index).zip(rules.table(id));
    let Some((step, table, chain)) = found.and_then(|(s, t)| Some((s, t, t.chain(s.chain)?)))
    else {
        return Why::default();
    };
    let at = BaseRef {
        table: id,
        chain: step.chain,
    };
    let mut run = Run::new(table, at, Source::Replay(&traversal.remembered));
    let mut ctx = ctx.clone();
    let mut reasons = |number: u32, ctx: &mut Context| {
        run.turn_to(step.chain, number, index as u32);
        chain
            .rules
            .get(number as usize)
            .map(|rule| (rule, of_rule(&mut run, rule, table, ctx)))
    };
    let mut passed_over = Vec::new();
    for number in step.passed_from..step.index {
        if let Some((rule, children)) = reasons(number, &mut ctx) {
            let failed = children.iter().find(|r| r.outcome == Outcome::Failed);
            let say = failed.map_or_else(|| say!("why/passed-over"), |r| r.say.clone());
            passed_over.push(Reason {
                children,
                ..reason(Outcome::Failed, print::rule(rule, table), say, rule)
            });
        }
    }
    let decided = match step.kind {
        StepKind::Rule => match reasons(step.index, &mut ctx) {
            Some((rule, children)) if children.is_empty() => {
                vec![reason(
                    Outcome::Held,
                    String::new(),
                    say!("why/unconditional"),
                    rule,
                )]
            }
            Some((_, children)) => children,
            None => Vec::new(),
        },
        StepKind::Policy | StepKind::Return => vec![end(chain)],
    };
    Why {
        decided,
        passed_over,
    }
}

fn end(chain: &Chain) -> Reason {
    let say = match chain.base.map(|b| b.policy) {
        Some(Policy::Drop) => say!("why/policy", chain = chain.name, policy = "drop"),
        Some(Policy::Accept) => say!("why/policy", chain = chain.name, policy = "accept"),
        None => say!("why/end-of-chain", chain = chain.name),
    };
    Reason {
        outcome: Outcome::Held,
        text: String::new(),
        say,
        span: Some(chain.span),
        children: Vec::new(),
    }
}

fn reason(outcome: Outcome, text: String, say: Say, rule: &Rule) -> Reason {
    Reason {
        outcome,
        text,
        say,
        span: Some(rule.span),
        children: Vec::new(),
    }
}

/// A reason for each question of a rule; what it does along the way is done to `ctx`.
fn of_rule(run: &mut Run, rule: &Rule, table: &Table, ctx: &mut Context) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut decided = false;
    for (index, statement) in rule.statements.iter().enumerate() {
        let text = || print::statement(statement, table);
        if decided {
            if asks(statement) {
                reasons.push(reason(
                    Outcome::NotTried,
                    text(),
                    say!("why/not-tried"),
                    rule,
                ));
            }
            continue;
        }
        run.turn_to_statement(index);
        let has = run.again(|run| has(run, statement, ctx));
        let element = run.again(|run| element(run, statement, table, ctx));
        let flow = run.statement(statement, rule.span, ctx);
        let cannot_tell = matches!(
            &flow,
            Flow::End(crate::netfilter::walk::Verdict::CannotTell(_))
        );
        let failed = matches!(flow, Flow::Break);
        decided = failed || cannot_tell;
        if cannot_tell {
            reasons.push(reason(
                Outcome::CannotTell,
                text(),
                say!("why/not-modelled", name = text()),
                rule,
            ));
        } else if asks(statement) || failed {
            let outcome = if failed {
                Outcome::Failed
            } else {
                Outcome::Held
            };
            reasons.push(Reason {
                children: Vec::from_iter(element),
                ..reason(
                    outcome,
                    text(),
                    sentence(statement, has, failed, table),
                    rule,
                )
            });
        }
    }
    reasons
}

fn asks(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Match(_)
            | Statement::Vmap(..)
            | Statement::Limit(_)
            | Statement::Quota(_)
            | Statement::Shared(Shared::Limit | Shared::Quota, _)
    )
}

/// The packet's value for what is asked, as nft would print it.
fn has(run: &mut Run, statement: &Statement, ctx: &Context) -> Got<String> {
    let expr = match statement {
        Statement::Match(relation) => &relation.left,
        Statement::Vmap(key, _) => key,
        _ => return Err(Miss::Break),
    };
    let key = run.key(expr, ctx)?;
    Ok(print::values(key.parts(), &expr.types()))
}

/// The element of a named set or map that has what is asked. What rules or time change is not told so.
fn element(run: &mut Run, statement: &Statement, table: &Table, ctx: &Context) -> Option<Reason> {
    let (expr, of) = match statement {
        Statement::Match(relation) => match &relation.right {
            Right::Set(set) => (&relation.left, set),
            _ => return None,
        },
        Statement::Vmap(key, map) => (&**key, map),
        _ => return None,
    };
    let set = of
        .of(table)
        .filter(|s| !s.name.is_empty() && !s.changes())?;
    let key = run.key(expr, ctx).ok()?;
    let found = set.find(key.parts())?;
    Some(Reason {
        outcome: Outcome::Held,
        text: String::new(),
        say: say!("nft/element", set = set.name),
        span: Some(found.span),
        children: Vec::new(),
    })
}

fn sentence(statement: &Statement, has: Got<String>, failed: bool, table: &Table) -> Say {
    let name = |expr: &Expr| say!("field/ct-addr", name = print::expression(expr, table));
    match (statement, has) {
        (Statement::Match(relation), Ok(has)) => {
            let Relation { left, op, right } = &**relation;
            let field = name(left);
            let wanted = match right {
                Right::Set(set) => print::set_ref(set, table),
                right => print::right(right, left, *op),
            };
            match (failed, op) {
                (false, _) => say!("why/held", field => field, has = has),
                (true, Op::Ne | Op::NoneOf) => {
                    say!("why/failed-not", field => field, has = has, wanted = wanted)
                }
                (true, Op::Lt) => {
                    say!("why/failed", field => field, has = has, wanted = format!("< {wanted}"))
                }
                (true, Op::Gt) => {
                    say!("why/failed", field => field, has = has, wanted = format!("> {wanted}"))
                }
                (true, Op::Le) => {
                    say!("why/failed", field => field, has = has, wanted = format!("<= {wanted}"))
                }
                (true, Op::Ge) => {
                    say!("why/failed", field => field, has = has, wanted = format!(">= {wanted}"))
                }
                (true, _) => say!("why/failed", field => field, has = has, wanted = wanted),
            }
        }
        (Statement::Vmap(key, map), Ok(has)) => {
            let (field, map) = (name(key), print::set_ref(map, table));
            if failed {
                say!("nft/not-in-map", field => field, has = has, map = map)
            } else {
                say!("nft/in-map", field => field, has = has, map = map)
            }
        }
        (Statement::Match(relation), Err(_)) => say!("nft/has-none", field => name(&relation.left)),
        (Statement::Vmap(key, _), Err(_)) => say!("nft/has-none", field => name(key)),
        (Statement::Limit(_) | Statement::Shared(Shared::Limit, _), _) => {
            let has = if failed {
                say!("nft/limit-no")
            } else {
                say!("nft/limit-yes")
            };
            say!("why/held-said", field => say!("field/rate"), has => has)
        }
        (Statement::Quota(quota), _) => spent(failed == quota.over),
        (Statement::Shared(Shared::Quota, name), _) => {
            let quota = table.object(Shared::Quota, name).map(|o| &o.kind);
            let over = matches!(quota, Some(ObjectKind::Quota(quota)) if quota.over);
            spent(failed == over)
        }
        (other, _) => say!("nft/does-not-apply", text = print::statement(other, table)),
    }
}

fn spent(left: bool) -> Say {
    let has = match left {
        true => say!("nft/quota-left"),
        false => say!("nft/quota-spent"),
    };
    say!("why/held-said", field => say!("field/quota"), has => has)
}
