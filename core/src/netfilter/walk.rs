//! A packet's way through one table at one hook, rule by rule as the kernel does it (`ipt_do_table` in
//! `net/ipv4/netfilter/ip_tables.c`, and `ip6t_do_table`, its like).

use std::net::IpAddr;

use serde::Serialize;

use super::matches::{self, PacketType, Tester};
use super::nft::TableId;
use super::state::Criterion;
use super::targets::{NatRange, RejectWith, Target};
use super::{ChainId, Context, Policy, Rule, RuleId, Ruleset, State, Table, TableName};
use crate::net::IpFamily;
use crate::text::Span;

/// Chain visits after which a walk is given up: a loop, which the kernel would not have loaded.
const MOST_VISITS: u32 = 1 << 13;

/// What one table did with a packet at one hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traversal {
    pub table: TableRef,
    /// Every rule that matched, every end of a chain, in order.
    pub steps: Vec<Step>,
    pub verdict: Verdict,
    /// How the matches went whose answer depends on more than the packet, for who asks why later.
    pub remembered: Vec<Remembered>,
}

/// A table of iptables, ip6tables or nftables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum TableRef {
    Iptables(IpFamily, TableName),
    Nft(TableId),
}

/// How a match went whose answer depends on more than the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// The step it led to or stands before, by its position in the traversal.
    pub step: u32,
    pub rule: u32,
    /// Which of the rule's matches.
    pub index: u16,
    /// 0 where it did not hold; the number drawn, where one was.
    pub value: u32,
}

/// A rule that matched, or the end of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub chain: ChainId,
    /// The rule's position from 0; one past the last rule where the chain ended.
    pub index: u32,
    pub kind: StepKind,
    pub action: StepAction,
    /// The first of the rules that were tested and did not match before this one, in this visit of the chain; `index`
    /// where there was none.
    pub passed_from: u32,
    /// After the step.
    pub mark: u32,
    pub ct_mark: Option<u32>,
    pub ttl: u8,
    pub tos: u8,
    pub packet_type: PacketType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum StepKind {
    Rule,
    /// The built-in chain's policy.
    Policy,
    /// The end of a user's chain.
    Return,
}

/// What a step did with the packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum StepAction {
    Jump,
    Goto,
    Accept,
    Drop,
    Return,
    Continue,
    CannotTell,
}

/// What a table says about a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    Accept,
    Drop,
    /// Dropped, and the sender is told.
    Reject(RejectWith),
    /// Accepted once the connection is translated so; conntrack may find that it can't, and then the packet is dropped.
    Nat(NatRequest),
    /// Accepted, and given to the local socket for this address and port.
    Tproxy {
        addr: IpAddr,
        port: u16,
    },
    /// The packet had to be tested by, or given to, what is not modelled.
    CannotTell(CannotTell),
}

/// What is not modelled, as written, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CannotTell {
    pub text: Box<str>,
    pub span: Span,
}

/// A translation that a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NatRequest {
    pub kind: NatKind,
    /// Addresses are given but for MASQUERADE, and for DNAT and SNAT of ports alone.
    pub range: NatRange,
}

/// The target that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum NatKind {
    Dnat,
    Snat,
    Masquerade,
    Redirect,
    /// Of the destination in PREROUTING and OUTPUT, of the source in INPUT and POSTROUTING.
    Netmap,
}

/// What a target did.
pub(super) enum Effect {
    Continue,
    End(Verdict),
}

/// Walks a packet through the built-in chain of `table` of its family, at its hook. `None` where the table was never loaded or
/// has no chain there: the packet passes.
pub fn traverse(
    rules: &Ruleset,
    table: TableName,
    ctx: &mut Context,
    state: &mut State,
) -> Option<Traversal> {
    let table = rules.table(IpFamily::of(ctx.packet.dst), table)?;
    let base = table.find_builtin(ctx.hook)?;
    let mut walk = Walk {
        table,
        state,
        steps: Vec::new(),
        remembered: Vec::new(),
    };
    let verdict = walk.run(base, ctx);
    Some(Traversal {
        table: TableRef::Iptables(table.family, table.name),
        steps: walk.steps,
        verdict,
        remembered: walk.remembered,
    })
}

struct Walk<'r, 's> {
    table: &'r Table,
    state: &'s mut State,
    steps: Vec<Step>,
    remembered: Vec<Remembered>,
}

/// A visit of a chain: where in it the walk is, and the first rule passed over since the last that matched.
#[derive(Clone, Copy)]
struct Visit {
    chain: ChainId,
    at: u32,
    passed_from: u32,
}

impl Walk<'_, '_> {
    fn run(&mut self, base: ChainId, ctx: &mut Context) -> Verdict {
        let mut callers: Vec<Visit> = Vec::new();
        let mut here = Visit {
            chain: base,
            at: 0,
            passed_from: 0,
        };
        let mut visits = 0;
        loop {
            let Some(chain) = self.table.chain(here.chain) else {
                return Verdict::Accept;
            };
            let Some(rule) = chain.rules.get(here.at as usize) else {
                // Past the last rule: back to the caller. Only the bottom of the stack has a policy, and a goto has replaced it.
                let Some(caller) = callers.pop() else {
                    if here.chain != base {
                        self.step(here, StepKind::Return, StepAction::Return, ctx);
                        here = self.end_of(base);
                    }
                    return self.policy(here, ctx);
                };
                self.step(here, StepKind::Return, StepAction::Return, ctx);
                here = caller;
                continue;
            };
            let id = RuleId {
                family: self.table.family,
                table: self.table.name,
                chain: here.chain,
                index: here.at,
            };
            let (step, at) = (self.steps.len() as u32, Criterion { rule: id, index: 0 });
            if let Some(coins) = &mut self.state.coins {
                coins.at = rule.span;
            }
            let mut tester = Tester {
                state: self.state,
                remembered: &mut self.remembered,
                step,
                at,
                mark: None,
                unknown: None,
            };
            let held = matches::rule_holds(rule, ctx, &mut tester);
            let (mark, unknown) = (tester.mark, tester.unknown);
            ctx.mark = mark.unwrap_or(ctx.mark);
            if let Some(unknown) = unknown {
                self.step(here, StepKind::Rule, StepAction::CannotTell, ctx);
                return Verdict::CannotTell(unknown);
            }
            if !held {
                here.at += 1;
                continue;
            }
            self.state.rules.entry(id).or_default().count(ctx.length());
            let next = Visit {
                at: here.at + 1,
                passed_from: here.at + 1,
                ..here
            };
            match &rule.target {
                Target::Jump(to) | Target::Goto(to) => {
                    visits += 1;
                    if visits > MOST_VISITS {
                        self.step(here, StepKind::Rule, StepAction::CannotTell, ctx);
                        return Verdict::CannotTell(looping(rule));
                    }
                    if matches!(rule.target, Target::Jump(_)) {
                        self.step(here, StepKind::Rule, StepAction::Jump, ctx);
                        callers.push(next);
                    } else {
                        self.step(here, StepKind::Rule, StepAction::Goto, ctx);
                    }
                    here = Visit {
                        chain: *to,
                        at: 0,
                        passed_from: 0,
                    };
                }
                Target::Return => {
                    self.step(here, StepKind::Rule, StepAction::Return, ctx);
                    here = match callers.pop() {
                        Some(caller) => caller,
                        None => return self.policy(self.end_of(base), ctx),
                    };
                }
                target => match target.apply(ctx, self.state) {
                    Effect::Continue => {
                        self.step(here, StepKind::Rule, StepAction::Continue, ctx);
                        here = next;
                    }
                    Effect::End(verdict) => {
                        let action = match verdict {
                            Verdict::Accept | Verdict::Nat(_) | Verdict::Tproxy { .. } => {
                                StepAction::Accept
                            }
                            Verdict::Drop | Verdict::Reject(_) => StepAction::Drop,
                            Verdict::CannotTell(_) => StepAction::CannotTell,
                        };
                        self.step(here, StepKind::Rule, action, ctx);
                        return verdict;
                    }
                },
            }
        }
    }

    fn policy(&mut self, at: Visit, ctx: &Context) -> Verdict {
        let policy = self
            .table
            .chain(at.chain)
            .and_then(|c| c.policy)
            .unwrap_or(Policy::Accept);
        let (action, verdict) = match policy {
            Policy::Accept => (StepAction::Accept, Verdict::Accept),
            Policy::Drop => (StepAction::Drop, Verdict::Drop),
        };
        self.state
            .policies
            .entry((self.table.family, self.table.name, at.chain))
            .or_default()
            .count(ctx.length());
        self.step(at, StepKind::Policy, action, ctx);
        verdict
    }

    /// The policy's place, come to without passing over rules.
    fn end_of(&self, chain: ChainId) -> Visit {
        let at = self.table.chain(chain).map_or(0, |c| c.rules.len() as u32);
        Visit {
            chain,
            at,
            passed_from: at,
        }
    }

    fn step(&mut self, at: Visit, kind: StepKind, action: StepAction, ctx: &Context) {
        self.steps.push(Step {
            chain: at.chain,
            index: at.at,
            kind,
            action,
            passed_from: at.passed_from,
            mark: ctx.mark,
            ct_mark: ctx.tracked.connection.as_ref().map(|c| c.mark),
            ttl: ctx.packet.ttl,
            tos: ctx.packet.tos,
            packet_type: ctx.packet_type,
        });
    }
}

fn looping(rule: &Rule) -> CannotTell {
    CannotTell {
        text: "jump loop".into(),
        span: rule.span,
    }
}
