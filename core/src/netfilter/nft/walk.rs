//! A packet's way through one base chain (kernel `net/netfilter/nf_tables_core.c`, `nft_do_chain`).

use std::net::IpAddr;

use super::act::Flow;
use super::eval::{Got, Miss};
use super::state::Place;
use super::{BaseRef, Rule, Ruleset, SetId, State, Table, TableId, Value, Verdict};
use crate::netfilter::walk::{
    self, CannotTell, Remembered, Step, StepAction, StepKind, TableRef, Traversal,
};
use crate::netfilter::{ChainId, Context, Policy};
use crate::say;
use crate::text::Lang;

/// Jumps within jumps that the kernel allows (`NFT_JUMP_STACK_SIZE`).
const MOST_DEPTH: usize = 16;
/// Chain visits after which a walk is given up: a loop, which the kernel would not have loaded.
const MOST_VISITS: u32 = 1 << 13;

/// Walks a packet through a base chain. `None` where there is no such chain.
pub fn traverse(
    rules: &Ruleset,
    at: BaseRef,
    ctx: &mut Context,
    state: &mut State,
) -> Option<Traversal> {
    let table = rules.table(at.table)?;
    let policy = table.chain(at.chain)?.base?.policy;
    let mut remembered = Vec::new();
    let mut walk = Walk {
        run: Run::new(
            table,
            at,
            Source::Live {
                state,
                remembered: &mut remembered,
            },
        ),
        base: at.chain,
        policy,
        steps: Vec::new(),
        tproxy: None,
    };
    let mut verdict = walk.run(ctx);
    if let (walk::Verdict::Accept, Some((addr, port))) = (&verdict, walk.tproxy) {
        verdict = walk::Verdict::Tproxy { addr, port };
    }
    let steps = walk.steps;
    Some(Traversal {
        table: TableRef::Nft(at.table),
        steps,
        verdict,
        remembered,
    })
}

struct Walk<'r, 's> {
    run: Run<'r, 's>,
    base: ChainId,
    policy: Policy,
    steps: Vec<Step>,
    tproxy: Option<(IpAddr, u16)>,
}

/// Asks the statements of one rule after the other. Live, chances are taken and memories move on; afterwards the same is
/// played again from what was remembered.
pub(super) struct Run<'r, 's> {
    pub table: &'r Table,
    pub here: Place,
    pub step: u32,
    source: Source<'s>,
    drawn: u16,
}

pub(super) enum Source<'s> {
    Live {
        state: &'s mut State,
        remembered: &'s mut Vec<Remembered>,
    },
    Replay(&'s [Remembered]),
}

/// What rules have done to an element.
pub(super) enum Change {
    None,
    Added(Vec<Value>),
    Deleted,
}

#[derive(Clone, Copy)]
struct Visit {
    chain: ChainId,
    at: u32,
    passed_from: u32,
}

impl<'r, 's> Run<'r, 's> {
    pub fn new(table: &'r Table, at: BaseRef, source: Source<'s>) -> Self {
        let here = Place {
            table: at.table,
            chain: at.chain,
            rule: 0,
            statement: 0,
            part: 0,
        };
        Self {
            table,
            here,
            step: 0,
            source,
            drawn: 0,
        }
    }

    /// Turns to a rule.
    pub fn turn_to(&mut self, chain: ChainId, rule: u32, step: u32) {
        self.here = Place {
            chain,
            rule,
            statement: 0,
            part: 0,
            ..self.here
        };
        self.step = step;
        self.drawn = 0;
    }

    /// Turns to a statement of the rule.
    pub fn turn_to_statement(&mut self, index: usize) {
        self.here.statement = index as u16;
        self.here.part = 0;
    }

    /// A place of its own for each thing in a statement that keeps something.
    pub fn place(&mut self) -> Place {
        let place = self.here;
        self.here.part += 1;
        place
    }

    /// Does something after which draws begin again where they were.
    pub fn again<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let (here, drawn) = (self.here, self.drawn);
        let found = look(self);
        (self.here, self.drawn) = (here, drawn);
        found
    }

    /// A number that chance or memory gives: taken once, remembered afterwards.
    pub fn draw(&mut self, take: impl FnOnce(&mut State) -> u32) -> Got<u32> {
        let index = self.drawn;
        self.drawn += 1;
        match &mut self.source {
            Source::Live { state, remembered } => {
                let value = take(state);
                remembered.push(Remembered {
                    step: self.step,
                    rule: self.here.rule,
                    index,
                    value,
                });
                Ok(value)
            }
            Source::Replay(remembered) => {
                let same = |r: &&Remembered| {
                    r.step == self.step && r.rule == self.here.rule && r.index == index
                };
                remembered
                    .iter()
                    .find(same)
                    .map(|r| r.value)
                    .ok_or(Miss::Break)
            }
        }
    }

    /// The memory, where it may be changed.
    pub fn state(&mut self) -> Option<&mut State> {
        match &mut self.source {
            Source::Live { state, .. } => Some(state),
            Source::Replay(_) => None,
        }
    }

    pub fn changed_element(&mut self, set: SetId, key: &[Value], now: u64) -> Change {
        let table: TableId = self.here.table;
        let mut data = Vec::new();
        let drawn = self.draw(|state| {
            let found = state.elements.get(&(table, set)).and_then(|s| s.get(key));
            match found {
                Some(element) if element.lives(now) => {
                    data.clone_from(&element.data);
                    1
                }
                Some(element) if element.deleted => 2,
                _ => 0,
            }
        });
        match drawn {
            Ok(1) => Change::Added(data),
            Ok(2) => Change::Deleted,
            _ => Change::None,
        }
    }
}

impl Walk<'_, '_> {
    fn run(&mut self, ctx: &mut Context) -> walk::Verdict {
        let mut callers: Vec<Visit> = Vec::new();
        let mut here = Visit {
            chain: self.base,
            at: 0,
            passed_from: 0,
        };
        let mut visits = 0;
        loop {
            let table = self.run.table;
            let Some(chain) = table.chain(here.chain) else {
                return walk::Verdict::Accept;
            };
            let Some(rule) = chain.rules.get(here.at as usize) else {
                let caller = callers.pop();
                if here.chain != self.base {
                    self.step(here, StepKind::Return, StepAction::Continue, ctx);
                }
                match caller {
                    Some(caller) => here = caller,
                    None => return self.policy(here, ctx),
                }
                continue;
            };
            self.run
                .turn_to(here.chain, here.at, self.steps.len() as u32);
            let next = Visit {
                at: here.at + 1,
                passed_from: here.at + 1,
                ..here
            };
            let verdict = match self.rule(rule, ctx) {
                Flow::Break => {
                    here.at += 1;
                    continue;
                }
                Flow::Next => Verdict::Continue,
                Flow::Go(verdict) => verdict,
                Flow::End(verdict) => return self.end(here, verdict, ctx),
            };
            match verdict {
                Verdict::Accept => return self.end(here, walk::Verdict::Accept, ctx),
                Verdict::Drop => return self.end(here, walk::Verdict::Drop, ctx),
                Verdict::Continue => {
                    self.step(here, StepKind::Rule, StepAction::Continue, ctx);
                    here = next;
                }
                Verdict::Return => {
                    self.step(here, StepKind::Rule, StepAction::Return, ctx);
                    match callers.pop() {
                        Some(caller) => here = caller,
                        None => return self.policy(here, ctx),
                    }
                }
                Verdict::Jump(to) | Verdict::Goto(to) => {
                    visits += 1;
                    let jump = matches!(verdict, Verdict::Jump(_));
                    if visits > MOST_VISITS || jump && callers.len() >= MOST_DEPTH {
                        let text = say!("nft/jumps-too-deep").text(Lang::En).into();
                        return self.end(
                            here,
                            walk::Verdict::CannotTell(CannotTell {
                                text,
                                span: rule.span,
                            }),
                            ctx,
                        );
                    }
                    if jump {
                        self.step(here, StepKind::Rule, StepAction::Jump, ctx);
                        callers.push(next);
                    } else {
                        self.step(here, StepKind::Rule, StepAction::Goto, ctx);
                    }
                    here = Visit {
                        chain: to,
                        at: 0,
                        passed_from: 0,
                    };
                }
            }
        }
    }

    fn rule(&mut self, rule: &Rule, ctx: &mut Context) -> Flow {
        if let Some(coins) = self.run.state().and_then(|s| s.coins.as_mut()) {
            coins.at = rule.span;
        }
        for (index, statement) in rule.statements.iter().enumerate() {
            self.run.turn_to_statement(index);
            match self.run.statement(statement, rule.span, ctx) {
                Flow::Next => {}
                Flow::End(walk::Verdict::Tproxy { addr, port }) => self.tproxy = Some((addr, port)),
                done => return done,
            }
        }
        Flow::Next
    }

    fn end(&mut self, here: Visit, verdict: walk::Verdict, ctx: &Context) -> walk::Verdict {
        let action = match verdict {
            walk::Verdict::Accept | walk::Verdict::Nat(_) | walk::Verdict::Tproxy { .. } => {
                StepAction::Accept
            }
            walk::Verdict::Drop | walk::Verdict::Reject(_) => StepAction::Drop,
            walk::Verdict::CannotTell(_) => StepAction::CannotTell,
        };
        self.step(here, StepKind::Rule, action, ctx);
        verdict
    }

    fn policy(&mut self, here: Visit, ctx: &Context) -> walk::Verdict {
        let end = self
            .run
            .table
            .chain(self.base)
            .map_or(0, |c| c.rules.len() as u32);
        let passed_from = if here.chain == self.base && here.at == end {
            here.passed_from
        } else {
            end
        };
        let (action, verdict) = match self.policy {
            Policy::Accept => (StepAction::Accept, walk::Verdict::Accept),
            Policy::Drop => (StepAction::Drop, walk::Verdict::Drop),
        };
        self.step(
            Visit {
                chain: self.base,
                at: end,
                passed_from,
            },
            StepKind::Policy,
            action,
            ctx,
        );
        verdict
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
