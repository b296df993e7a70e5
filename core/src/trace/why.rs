//! Why a step happened, made when someone looks.

use super::considered::Told;
use super::{Action, Considered, Neighbour, RuleStep, Step, SwitchOutcome, Switching, considered};
use crate::netfilter::walk::TableRef;
use crate::netfilter::{self, Context};
use crate::say;
use crate::text::{Outcome, Reason, Say, Span, Why};
use crate::topology::{Host, HostId, HostView, World};

/// What held and what was passed over, each with the text that asked. Empty where a step has no choice in it.
pub fn why(world: &World, at: HostId, step: &Step) -> Why {
    let Some(host) = world.host(at) else {
        return Why::default();
    };
    match &step.action {
        Action::Balanced(account) => match &host.balancer {
            Some(balancer) => balancer.why(account),
            None => Why::default(),
        },
        Action::Rule(rule) => rule_why(host, rule),
        Action::Routed(routing) => host.fib(0).why(&routing.flow, &routing.answer),
        Action::SourceChecked(check) => host.fib(0).why(&check.flow, &check.back),
        Action::Bridged(switching) => decided(host, switching),
        Action::Resolved(neighbour) => match neighbour.lost(world) {
            Some(lost) => Why {
                decided: vec![lost.reason(world)],
                passed_over: Vec::new(),
            },
            None => resolved(host, neighbour),
        },
        Action::Proxied(said) => proxied(considered(world, at, said)),
        _ => Why::default(),
    }
}

/// The text that decided a step.
pub fn span(world: &World, at: HostId, step: &Step) -> Option<Span> {
    let host = world.host(at)?;
    match &step.action {
        Action::Rule(rule) => {
            let done = rule.step()?;
            let at = done.index as usize;
            match rule.table() {
                TableRef::Iptables(family, name) => {
                    let chain = host.iptables.table(family, name)?.chain(done.chain)?;
                    Some(chain.rules.get(at).map_or(chain.span, |r| r.span))
                }
                TableRef::Nft(table) => {
                    let chain = host.nft.table(table)?.chain(done.chain)?;
                    Some(chain.rules.get(at).map_or(chain.span, |r| r.span))
                }
            }
        }
        Action::Routed(routing) => match &routing.answer {
            Ok(found) => found.route.span,
            Err(no_way) => no_way.route.as_ref()?.span,
        },
        Action::Proxied(said) => {
            let told = Told {
                config: host.envoy.as_deref()?,
                account: &said.account,
            };
            told.span(said.stage)
        }
        _ => why(world, at, step).decided.iter().find_map(|r| r.span),
    }
}

/// The rule's criteria, asked again of the packet as it came to the step.
fn rule_why(host: &Host, rule: &RuleStep) -> Why {
    let visit = &rule.visit;
    let fib = host.fib(0);
    let view = HostView { host, fib: &fib };
    let mut tracked = visit.tracked.clone();
    let (mut packet, mut mark) = (visit.before.packet.clone(), visit.before.mark);
    let mut packet_type = visit.packet_type;
    let earlier = visit.traversal.steps.get(..rule.at as usize);
    if let Some(last) = earlier.and_then(|s| s.last()) {
        mark = last.mark;
        (packet.ttl, packet.tos) = (last.ttl, last.tos);
        packet_type = last.packet_type;
        if let (Some(connection), Some(ct_mark)) = (&mut tracked.connection, last.ct_mark) {
            connection.mark = ct_mark;
        }
    }
    let ctx = Context {
        hook: visit.hook,
        packet,
        mark,
        tracked,
        in_iface: visit.before.in_iface.as_ref().map(|i| i.as_str()),
        out_iface: visit.before.out_iface.as_ref().map(|i| i.as_str()),
        physin: visit.physin.as_ref().map(|i| i.as_str()),
        physout: visit.physout.as_ref().map(|i| i.as_str()),
        src_mac: visit.src_mac,
        frame: None,
        packet_type,
        owner: visit.owner,
        kernel_socket: visit.kernel_socket,
        env: &view,
        now: visit.now,
    };
    netfilter::why(
        &host.iptables,
        &host.nft,
        &visit.traversal,
        rule.at as usize,
        &ctx,
    )
}

/// Of a proxy's candidates: the one that held, or all that did not.
fn proxied(all: Vec<Considered>) -> Why {
    let reason = |c: Considered| Reason {
        outcome: c.outcome,
        text: c.name,
        say: c.say,
        span: c.span,
        children: Vec::new(),
    };
    let (decided, passed_over): (Vec<_>, Vec<_>) = all
        .into_iter()
        .map(reason)
        .partition(|r| r.outcome == Outcome::Held);
    if decided.is_empty() && passed_over.len() == 1 {
        return Why {
            decided: passed_over,
            passed_over: Vec::new(),
        };
    }
    Why {
        decided,
        passed_over,
    }
}

fn one(outcome: Outcome, say: Say, span: Option<Span>) -> Why {
    Why {
        decided: vec![Reason {
            outcome,
            text: String::new(),
            say,
            span,
            children: Vec::new(),
        }],
        passed_over: Vec::new(),
    }
}

fn decided(host: &Host, switching: &Switching) -> Why {
    let span = |name: &crate::net::IfaceName| host.interface(name.as_str()).and_then(|i| i.span);
    let (bridge, mac) = (&switching.bridge, switching.dst_mac);
    match &switching.outcome {
        SwitchOutcome::Up => one(
            Outcome::Held,
            say!("link/own-address", bridge = bridge, mac = mac),
            span(bridge),
        ),
        SwitchOutcome::Port(port) => one(
            Outcome::Held,
            say!("link/learnt", bridge = bridge, mac = mac, port = port),
            span(port),
        ),
        SwitchOutcome::NoHairpin(port) => one(
            Outcome::Failed,
            say!("link/no-hairpin", port = port),
            span(port),
        ),
        SwitchOutcome::Flood => one(
            Outcome::Failed,
            say!("link/not-learnt", bridge = bridge, mac = mac),
            span(bridge),
        ),
    }
}

fn resolved(host: &Host, neighbour: &Neighbour) -> Why {
    let (addr, dev) = (neighbour.addr, &neighbour.dev);
    let line = host
        .neighbours
        .iter()
        .find(|n| n.addr == addr && n.dev == *dev);
    match (neighbour.mac, line) {
        (Some(_), Some(line)) => one(
            Outcome::Held,
            say!("link/in-neighbours", addr = addr, dev = dev),
            line.span,
        ),
        (Some(_), None) if neighbour.known => one(
            Outcome::Held,
            say!("link/heard", addr = addr, dev = dev),
            None,
        ),
        (Some(_), None) => one(
            Outcome::Held,
            match addr.is_ipv6() {
                true => say!("link/answered6", addr = addr, dev = dev),
                false => say!("link/answered", addr = addr, dev = dev),
            },
            None,
        ),
        (None, _) => one(
            Outcome::Failed,
            match addr.is_ipv6() {
                true => say!("link/nobody-answered6", addr = addr, dev = dev),
                false => say!("link/nobody-answered", addr = addr, dev = dev),
            },
            None,
        ),
    }
}
