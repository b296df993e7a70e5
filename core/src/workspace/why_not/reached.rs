//! Where a walk left before it came to a subject.

use crate::net::IpFamily;
use crate::netfilter::nft::{Lead, SetId, TableId};
use crate::netfilter::targets::Target;
use crate::netfilter::walk::{StepAction, StepKind, TableRef};
use crate::netfilter::{ChainId, TableName};
use crate::say;
use crate::text::{Outcome, Reason, Say, Span};
use crate::topology::{Host, HostId};
use crate::trace::{Action, RuleStep};
use crate::workspace::subject::{passed_over, steps, took};
use crate::workspace::{Run, Subject, SubjectKind};

/// How far back jumps are followed, and how many rules that jump are told of.
const DEPTH: u32 = 6;
const CALLERS: usize = 4;

pub(super) fn explain(run: &Run, subject: &Subject) -> Vec<Reason> {
    let id = subject.kind.host();
    let Some(host) = run.world.host(id) else {
        return Vec::new();
    };
    if !steps(&run.trace).any(|(_, at, _)| at == id) {
        return vec![not_visited(run, host)];
    }
    match subject.kind {
        SubjectKind::Rule {
            table,
            chain,
            index,
            ..
        } => rule(run, id, host, table, chain, index, DEPTH),
        SubjectKind::Element { table, set, .. } => {
            element(run, (id, host), table, set as usize, DEPTH)
        }
        SubjectKind::Route { .. } => route(run, id, host),
        SubjectKind::Backend { .. } | SubjectKind::Asked { .. } => {
            vec![failed(say!("why-not/not-asked", host = host.name), None)]
        }
    }
}

fn failed(say: Say, span: Option<Span>) -> Reason {
    Reason {
        outcome: Outcome::Failed,
        text: String::new(),
        say,
        span,
        children: Vec::new(),
    }
}

/// The packet never came to the host: where did it end?
fn not_visited(run: &Run, host: &Host) -> Reason {
    let request = run.trace.journeys.first();
    let last = request.and_then(|j| j.hops.last());
    let last = last.and_then(|h| run.world.host(h.host));
    let end = request.map(|j| j.disposition.say());
    match (last, end) {
        (Some(last), Some(end)) => {
            let said =
                say!("why-not/host-not-visited", host = host.name, last = last.name, end => end);
            failed(said, None)
        }
        _ => failed(say!("why-not/no-walk", host = host.name), None),
    }
}

fn route(run: &Run, id: HostId, host: &Host) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (_, at, step) in steps(&run.trace) {
        let Action::Routed(routing) = &step.action else {
            continue;
        };
        if at != id {
            continue;
        }
        let Ok(found) = &routing.answer else {
            continue;
        };
        let route = &found.route;
        let said = say!(
            "why-not/other-table",
            table = route.table,
            dst = routing.flow.dst,
            route = route
        );
        reasons.push(failed(said, route.span));
        break;
    }
    if reasons.is_empty() {
        reasons.push(failed(say!("why-not/not-routed", host = host.name), None));
    }
    reasons
}

/// A rule that was never asked: its chain was left before it, or never entered.
fn rule(
    run: &Run,
    id: HostId,
    host: &Host,
    table: TableRef,
    chain: ChainId,
    index: u32,
    depth: u32,
) -> Vec<Reason> {
    let in_table = || visits(run, id, table);
    if in_table().next().is_none() {
        let said = say!(
            "why-not/table-not-visited",
            table = table_name(host, table),
            host = host.name
        );
        return vec![failed(said, None)];
    }
    // Rules of the chain that acted before: the last of them that did not come back.
    let name = chain_name(host, table, chain);
    let left = in_table()
        .filter_map(RuleStep::step)
        .filter(|s| s.chain == chain && s.kind == StepKind::Rule && s.index < index)
        .filter(|s| s.action != StepAction::Continue)
        .max_by_key(|s| s.index);
    if let Some(step) = left {
        let span = rule_span(host, table, chain, step.index);
        let text = span.map_or("", |s| run.line_of(s));
        let number = step.index + 1;
        let said = say!(
            "why-not/left-before",
            chain = name,
            number = number,
            rule = text
        );
        return vec![failed(said, span)];
    }
    if depth == 0 {
        return Vec::new();
    }
    not_entered(run, id, host, table, chain, depth)
}

/// Nobody jumped to the chain: why did none of those that could?
fn not_entered(
    run: &Run,
    id: HostId,
    host: &Host,
    table: TableRef,
    chain: ChainId,
    depth: u32,
) -> Vec<Reason> {
    let name = chain_name(host, table, chain);
    let leads: Vec<Lead> = match table {
        TableRef::Iptables(family, name) => {
            let callers = callers(host, (family, name), chain).into_iter();
            callers.map(|(from, at, _)| Lead::Rule(from, at)).collect()
        }
        TableRef::Nft(id) => {
            let found = host.nft.table(id).map(|t| t.leads_to(chain));
            found.unwrap_or_default()
        }
    };
    if leads.is_empty() {
        return vec![failed(say!("why-not/no-jump", chain = name), None)];
    }
    let reasons = leads.into_iter().take(CALLERS).map(|lead| match lead {
        Lead::Rule(from, at) => caller(run, (id, host), table, (from, at), depth),
        Lead::Element(set, at) => Reason {
            children: nft_table(table).map_or_else(Vec::new, |table| {
                element(run, (id, host), table, set, depth - 1)
            }),
            ..leading(run, host, table, set, at)
        },
    });
    reasons.collect()
}

fn nft_table(table: TableRef) -> Option<TableId> {
    match table {
        TableRef::Nft(id) => Some(id),
        TableRef::Iptables(..) => None,
    }
}

/// A rule that would have sent the packet on: why did it not?
fn caller(
    run: &Run,
    (id, host): (HostId, &Host),
    table: TableRef,
    (from, at): (ChainId, u32),
    depth: u32,
) -> Reason {
    let span = rule_span(host, table, from, at);
    let asked = span.and_then(|span| {
        steps(&run.trace)
            .filter(|(_, host, _)| *host == id)
            .find_map(|(_, host, step)| passed_over(&run.world, host, step, span))
    });
    asked.unwrap_or_else(|| Reason {
        outcome: Outcome::NotTried,
        text: span.map_or("", |s| run.line_of(s)).to_string(),
        say: say!(
            "why-not/caller-not-asked",
            chain = chain_name(host, table, from)
        ),
        span,
        children: rule(run, id, host, table, from, at, depth.saturating_sub(1)),
    })
}

/// An element of a map that leads to a chain.
fn leading(run: &Run, host: &Host, table: TableRef, set: usize, at: usize) -> Reason {
    let table = nft_table(table).and_then(|id| host.nft.table(id));
    let set = table.and_then(|t| t.sets.get(set));
    let span = set.and_then(|s| s.elements.get(at)).map(|e| e.span);
    Reason {
        outcome: Outcome::NotTried,
        text: span.map_or("", |s| run.line_of(s)).to_string(),
        say: say!("why-not/element-leads", set = set.map_or("", |s| &*s.name)),
        span,
        children: Vec::new(),
    }
}

/// An element that no packet found: its set was not looked into, or for another key.
fn element(
    run: &Run,
    (id, host): (HostId, &Host),
    table: TableId,
    set_at: usize,
    depth: u32,
) -> Vec<Reason> {
    let found = host.nft.table(table);
    let Some((nft, set)) = found.and_then(|t| Some((t, t.sets.get(set_at)?))) else {
        return Vec::new();
    };
    let rules = nft.looks_into(SetId(u32::try_from(set_at).unwrap_or(u32::MAX)));
    if rules.is_empty() {
        return vec![failed(say!("why-not/set-unused", set = set.name), None)];
    }
    if depth == 0 {
        return Vec::new();
    }
    let reasons = rules.into_iter().take(CALLERS).map(|(from, at)| {
        let table = TableRef::Nft(table);
        let span = rule_span(host, table, from, at);
        let held = span.is_some_and(|span| {
            let mut here = steps(&run.trace).filter(|(_, host, _)| *host == id);
            here.any(|(_, host, step)| took(&run.world, host, step, span))
        });
        match held {
            true => Reason {
                text: span.map_or("", |s| run.line_of(s)).to_string(),
                ..failed(say!("why-not/other-element", set = set.name), span)
            },
            false => caller(run, (id, host), table, (from, at), depth),
        }
    });
    reasons.collect()
}

/// The rules that send packets to a chain: their chain, position and place.
pub(super) fn callers(
    host: &Host,
    (family, table): (IpFamily, TableName),
    to: ChainId,
) -> Vec<(ChainId, u32, Span)> {
    let mut found = Vec::new();
    for (chain_at, chain) in host
        .iptables
        .table(family, table)
        .iter()
        .flat_map(|t| t.chains.iter().enumerate())
    {
        for (index, rule) in chain.rules.iter().enumerate() {
            if matches!(rule.target, Target::Jump(c) | Target::Goto(c) if c == to) {
                found.push((ChainId(chain_at as u32), index as u32, rule.span));
            }
        }
    }
    found
}

/// All steps of traversals of a table on a host.
fn visits(run: &Run, id: HostId, table: TableRef) -> impl Iterator<Item = &RuleStep> {
    steps(&run.trace).filter_map(move |(_, host, step)| match &step.action {
        Action::Rule(rule) if host == id && rule.table() == table => Some(rule),
        _ => None,
    })
}

fn table_name(host: &Host, table: TableRef) -> String {
    match table {
        TableRef::Iptables(_, name) => name.name().to_string(),
        TableRef::Nft(id) => host
            .nft
            .table(id)
            .map(|t| t.name.to_string())
            .unwrap_or_default(),
    }
}

fn chain_name(host: &Host, table: TableRef, chain: ChainId) -> String {
    let name = match table {
        TableRef::Iptables(family, name) => {
            let chain = host
                .iptables
                .table(family, name)
                .and_then(|t| t.chain(chain));
            chain.map(|c| c.name.to_string())
        }
        TableRef::Nft(id) => {
            let chain = host.nft.table(id).and_then(|t| t.chain(chain));
            chain.map(|c| c.name.to_string())
        }
    };
    name.unwrap_or_default()
}

fn rule_span(host: &Host, table: TableRef, chain: ChainId, index: u32) -> Option<Span> {
    let at = index as usize;
    match table {
        TableRef::Iptables(family, name) => {
            let chain = host.iptables.table(family, name)?.chain(chain)?;
            Some(chain.rules.get(at)?.span)
        }
        TableRef::Nft(id) => Some(host.nft.table(id)?.chain(chain)?.rules.get(at)?.span),
    }
}
