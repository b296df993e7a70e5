use super::target::{leads_to, mark};
use crate::netfilter::matches::Bits;
use crate::netfilter::nft::{
    CtKey, Expr, Meta, NatKind, Reject, Rule, Shared, Statement, Table, Target, Verdict,
};
use crate::say;
use crate::text::Say;

/// What a rule's statements do, then what they ask.
pub(super) fn of_rule(rule: &Rule, table: &Table) -> Vec<Say> {
    let done = rule.statements.iter().filter_map(|s| does(s, table));
    let asked = rule.statements.iter().filter_map(asks);
    done.chain(asked).collect()
}

fn does(statement: &Statement, table: &Table) -> Option<Say> {
    let to = |e: &Option<Expr>| e.as_ref().map_or_else(String::new, |e| e.text(table));
    Some(match statement {
        Statement::Verdict(verdict) => match verdict {
            Verdict::Accept => say!("meaning-nft/accept"),
            Verdict::Drop => say!("meaning-target/drop"),
            Verdict::Continue => say!("meaning-nft/continue"),
            Verdict::Return => say!("meaning-target/return"),
            Verdict::Jump(chain) => leads_to(&table.chain(*chain)?.name, false),
            Verdict::Goto(chain) => leads_to(&table.chain(*chain)?.name, true),
        },
        Statement::Vmap(..) => say!("meaning-nft/vmap"),
        Statement::Counter(_) | Statement::Shared(Shared::Counter, _) => {
            say!("meaning-nft/counter")
        }
        Statement::Limit(_) | Statement::Shared(Shared::Limit, _) => say!("meaning-match/limit"),
        Statement::Quota(_) | Statement::Shared(Shared::Quota, _) => say!("meaning-nft/quota"),
        Statement::Shared(..) => return None,
        Statement::Log(_) => say!("meaning-target/log"),
        Statement::Set(Target::Meta(Meta::Mark), value) => match &**value {
            Expr::Bitwise { left, mask, xor } if **left == Expr::Meta(Meta::Mark) => mark(Bits {
                value: *xor as u32,
                mask: !(*mask as u32),
            }),
            Expr::Value(value, _) => mark(Bits {
                value: *value as u32,
                mask: u32::MAX,
            }),
            Expr::Ct(CtKey::Mark, _) => say!("meaning-target/connmark-restore"),
            _ => say!("meaning-nft/set"),
        },
        Statement::Set(Target::CtMark, _) => say!("meaning-target/connmark-save"),
        Statement::Set(..) => say!("meaning-nft/set"),
        Statement::Nat(nat) => match nat.kind {
            NatKind::Dnat if matches!(nat.addr, Some(Expr::Map(..))) => {
                say!("meaning-nft/dnat-map")
            }
            NatKind::Dnat => {
                let port = nat
                    .port
                    .as_ref()
                    .map_or_else(String::new, |p| format!(":{}", p.text(table)));
                say!(
                    "meaning-target/dnat",
                    to = format!("{}{port}", to(&nat.addr))
                )
            }
            NatKind::Snat => say!("meaning-target/snat", to = to(&nat.addr)),
            NatKind::Masquerade => say!("meaning-target/masquerade"),
            NatKind::Redirect if nat.port.is_some() => {
                say!("meaning-target/redirect-port", ports = to(&nat.port))
            }
            NatKind::Redirect => say!("meaning-target/redirect"),
        },
        Statement::Reject(Reject::TcpReset) => say!("meaning-target/reject-reset"),
        Statement::Reject(_) => say!("meaning-target/reject"),
        Statement::Notrack => say!("meaning-target/notrack"),
        Statement::Update(_) => say!("meaning-nft/update"),
        Statement::Tproxy(t) => say!("meaning-target/tproxy", port = to(&t.port)),
        Statement::Unsupported(what) => say!("meaning-target/unsupported", name = what.name),
        Statement::Match(_) => return None,
    })
}

fn asks(statement: &Statement) -> Option<Say> {
    let Statement::Match(relation) = statement else {
        return None;
    };
    Some(match &relation.left {
        Expr::Ct(CtKey::State, _) => say!("meaning-match/ctstate"),
        Expr::Ct(CtKey::Mark, _) => say!("meaning-match/connmark"),
        Expr::Ct(..) => say!("meaning-match/conntrack"),
        Expr::Fib(_) => say!("meaning-nft/fib"),
        Expr::Meta(Meta::Mark) | Expr::Bitwise { .. } => say!("meaning-match/mark"),
        Expr::Meta(Meta::Skuid | Meta::Skgid) => say!("meaning-match/owner"),
        Expr::Numgen { .. } => say!("meaning-nft/numgen"),
        _ => return None,
    })
}
