//! What stands in an open place.

mod envoy;

use std::collections::BTreeMap;
use std::sync::Arc;

use northsouth::netfilter::Hook;
use northsouth::sim::ProbeKind;
use northsouth::text::{Outcome, Reason, Span};
use northsouth::topology::{Host, HostId, IfaceName, Socket, World};
use northsouth::trace::{Action, Part, RuleStep, SwitchOutcome};

use super::chains::{Met, TableView};
use super::explanation::{brief, written};
use super::{carries_out, chains, host_name, part_name, reasoned, short_name, step, tables, tag};
use crate::i18n::Words;
use crate::state::{Level, Place, State};
use crate::view_model::drawer::{Card, Drawer, Line};
use crate::view_model::walk::{Moment, step as step_at};

use envoy::envoy;

/// A card without rules shows at most so many lines.
const MOST_LINES: usize = 7;

pub fn drawer(state: &State, open: &Place, words: &Words) -> Drawer {
    let Some(host) = state.run.world.host(open.host) else {
        return Drawer::default();
    };
    let here = state.walk.moments.get(state.cursor);
    let here = here.filter(|m| m.place == *open);
    let name = host_name(&state.run.world, open.host);
    let near = here.filter(|_| state.zoom.level == Level::Rule);
    if let Some(drawer) = near.and_then(|m| close_up(state, m, words)) {
        return drawer;
    }
    let mut drawer = match (&open.part, here) {
        (Part::Hook(hook), Some(moment)) => at_hook(state, host, *hook, moment, words),
        (Part::Hook(hook), None) => hook_standing(state, host, *hook, words),
        (Part::Bridge(name), Some(moment)) => switched(state, name, moment),
        (Part::Envoy(_), Some(moment)) => envoy(state, moment, words).unwrap_or_default(),
        (_, Some(moment)) => {
            decided(state, moment, words).unwrap_or_else(|| standing(state, host, open, words))
        }
        (_, None) => standing(state, host, open, words),
    };
    if drawer.title.is_empty() {
        drawer.title = words.open_place(&part_name(&open.part, words), &name);
    }
    if here.is_some() {
        drawer.tag = tag(state);
    }
    drawer
}

/// What decided the step at hand with all that it asked, and below it what was passed over and why.
fn close_up(state: &State, moment: &Moment, words: &Words) -> Option<Drawer> {
    let reasoned = reasoned(state)?;
    let why = step::why(&state.run, reasoned);
    let lang = state.settings.lang;
    let place = chains::place(state, reasoned, words);
    let span = step::span(&state.run, reasoned);
    let mut deciding = Card {
        title: place.get(1..).unwrap_or_default().join(" · "),
        current: true,
        reached: true,
        ..Card::default()
    };
    if deciding.title.is_empty() {
        deciding.title = part_name(&moment.place.part, words);
    }
    if let Some(span) = span.filter(|_| !place.is_empty()) {
        deciding.lines.push(Line {
            text: brief(written(&state.run, span)),
            current: true,
            ..Line::default()
        });
    }
    let add = |lines: &mut Vec<Line>, reason: &Reason| {
        let failed = reason
            .children
            .iter()
            .find(|c| c.outcome == Outcome::Failed);
        let text = match (reason.text.is_empty(), reason.span) {
            (true, Some(span)) => brief(written(&state.run, span)),
            _ => reason.text.clone(),
        };
        let asked = failed.map(|f| format!("{}: ", f.text)).unwrap_or_default();
        let said = format!("{asked}{}", reason.say.text(lang));
        // Where no text asked, what is said stands alone.
        let alone = text.is_empty();
        lines.push(Line {
            text: if alone { said.clone() } else { text },
            outcome: Some(reason.outcome),
            ..Line::default()
        });
        lines.extend((!alone).then(|| Line {
            text: format!("  {said}"),
            note: true,
            ..Line::default()
        }));
    };
    for reason in &why.decided {
        add(&mut deciding.lines, reason);
    }
    let mut passed = Card {
        title: words.passed_over.to_string(),
        reached: true,
        ..Card::default()
    };
    for reason in why.passed_over.iter().rev().take(MOST_LINES).rev() {
        add(&mut passed.lines, reason);
    }
    if why.passed_over.len() > MOST_LINES {
        passed
            .lines
            .insert(0, more(words, why.passed_over.len() - MOST_LINES));
    }
    let cards: Vec<Card> = [deciding, passed]
        .into_iter()
        .filter(|c| !c.lines.is_empty())
        .collect();
    if cards.is_empty() {
        return None;
    }
    let name = host_name(&state.run.world, moment.place.host);
    Some(Drawer {
        title: words.open_place(&part_name(&moment.place.part, words), &name),
        cards,
        wide: true,
        tag: tag(state),
    })
}

/// The table that the packet is in at a hook, or was in last.
fn at_hook(state: &State, host: &Host, hook: Hook, now: &Moment, words: &Words) -> Drawer {
    let moments = &state.walk.moments;
    let cursor = state.cursor;
    let same = |m: &Moment| {
        m.place == now.place
            && m.position.hop == now.position.hop
            && m.position.journey == now.position.journey
    };
    let rule_at = |at: usize| {
        let moment = moments.get(at).filter(|m| same(m))?;
        match &step_at(&state.run.trace, moment.position)?.action {
            Action::Rule(rule) => Some(rule),
            _ => None,
        }
    };
    let now_step = now;
    let carried_out = carries_out(state);
    // On a step between tables: the one before it, else the one that follows.
    let before = (0..=cursor)
        .rev()
        .take_while(|at| moments.get(*at).is_some_and(same));
    let after = (cursor..moments.len()).take_while(|at| moments.get(*at).is_some_and(same));
    let found = before
        .into_iter()
        .find_map(|at| Some((rule_at(at)?, at == cursor || carried_out == Some(at))));
    let (rule, now) = match found {
        Some((rule, at_it)) => (
            rule,
            if at_it {
                rule.at as usize
            } else {
                usize::MAX - 1
            },
        ),
        None => match after.into_iter().find_map(rule_at) {
            Some(rule) => (rule, usize::MAX),
            None => return hook_standing(state, host, hook, words),
        },
    };
    let Some(table) = chains::table_of(host, rule) else {
        return Drawer::default();
    };
    // Nothing of it is reached yet.
    let ahead = now == usize::MAX;
    let met = Met {
        run: &state.run,
        table,
        traversal: &rule.visit.traversal,
        now,
        failed: failed(state, rule),
    };
    let mut cards = chains::cards(&met, words);
    if state.predict {
        cards.retain(|card| card.reached);
    }
    if ahead {
        for card in &mut cards {
            card.reached = false;
            card.lines.iter_mut().for_each(|line| line.outcome = None);
        }
    }
    cards.extend(set_at_work(state, table, now_step, words));
    Drawer {
        title: words.table_at_hook(&table.name(), hook.name()),
        cards,
        ..Drawer::default()
    }
}

/// The named set or map in which the rule at hand found the packet, with the element.
fn set_at_work(state: &State, table: TableView, moment: &Moment, words: &Words) -> Option<Card> {
    let why = step::why(&state.run, moment);
    let mut elements = why
        .decided
        .iter()
        .flat_map(|r| &r.children)
        .filter_map(|r| r.span);
    let (set, found) = elements.find_map(|span| Some((table.set_with(span)?, span)))?;
    let at = set.elements.iter().position(|e| e.span == found)?;
    let from = at
        .saturating_sub(MOST_LINES / 2)
        .min(set.elements.len().saturating_sub(MOST_LINES));
    let shown = set.elements.iter().skip(from).take(MOST_LINES);
    let mut lines: Vec<Line> = shown
        .map(|e| Line {
            text: written(&state.run, e.span)
                .trim_end_matches(',')
                .to_string(),
            outcome: Some(match e.span == found {
                true => Outcome::Held,
                false => Outcome::Failed,
            }),
            current: e.span == found,
            span: Some(e.span),
            ..Line::default()
        })
        .collect();
    let rest = set.elements.len() - lines.len();
    if rest > 0 {
        lines.push(more(words, rest));
    }
    Some(Card {
        title: format!("@{}", set.name),
        lines,
        reached: true,
        aside: true,
        ..Card::default()
    })
}

/// What each rule that was passed over in a visit wanted and did not get.
fn failed(state: &State, rule: &RuleStep) -> BTreeMap<Span, String> {
    let mut failed = BTreeMap::new();
    for moment in &state.walk.moments {
        let step = step_at(&state.run.trace, moment.position);
        let Some(Action::Rule(of)) = step.map(|s| &s.action) else {
            continue;
        };
        if !Arc::ptr_eq(&of.visit, &rule.visit) {
            continue;
        }
        for reason in step::why(&state.run, moment).passed_over {
            let criterion = reason
                .children
                .iter()
                .find(|c| c.outcome == Outcome::Failed);
            if let (Some(span), Some(criterion)) = (reason.span, criterion) {
                failed.insert(span, criterion.text.clone());
            }
        }
    }
    failed
}

fn hook_standing(state: &State, host: &Host, hook: Hook, words: &Words) -> Drawer {
    let chains = tables::at_hook(host, hook).into_iter();
    let cards: Vec<Card> = chains
        .map(|(table, chain)| chains::standing(&state.run, table, chain, words))
        .collect();
    if cards.is_empty() {
        return one_card(words.no_rules, Vec::new());
    }
    Drawer {
        cards,
        ..Drawer::default()
    }
}

/// What was decided at this place last: the lines compared, the chosen one among them. In the order in which they stand.
fn decided(state: &State, moment: &Moment, words: &Words) -> Option<Drawer> {
    let here = |m: &&Moment| m.place == moment.place && m.position.hop == moment.position.hop;
    let moments = state.walk.moments.get(..=state.cursor)?.iter().rev();
    let of_journey = moments.take_while(|m| m.position.journey == moment.position.journey);
    let whys = of_journey.filter(here).map(|m| step::why(&state.run, m));
    let mut whys = whys.skip_while(|why| why.decided.is_empty() && why.passed_over.is_empty());
    let why = whys.next()?;
    let lang = state.settings.lang;
    let mut rows: Vec<(&Reason, bool)> = why.passed_over.iter().map(|r| (r, false)).collect();
    rows.extend(why.decided.iter().map(|r| (r, true)));
    rows.sort_by_key(|(r, _)| r.span.map(|s| (s.file, s.start)));
    let mut lines: Vec<Line> = Vec::new();
    for (reason, chosen) in &rows {
        let text = match reason.span {
            Some(span) if reason.text.is_empty() => brief(written(&state.run, span)),
            _ => reason.text.clone(),
        };
        let text = if text.is_empty() {
            reason.say.text(lang)
        } else {
            text
        };
        lines.push(Line {
            text: short_route(text.lines().next().unwrap_or("").trim()),
            outcome: Some(reason.outcome),
            span: reason.span,
            current: *chosen && reason.outcome == Outcome::Held,
            ..Line::default()
        });
    }
    lines.truncate(MOST_LINES);
    if rows.len() > MOST_LINES {
        lines.push(more(words, rows.len() - MOST_LINES));
    }
    Some(Drawer {
        cards: vec![Card {
            title: part_name(&moment.place.part, words),
            lines,
            current: true,
            reached: true,
            ..Card::default()
        }],
        ..Drawer::default()
    })
}

/// A place as it stands.
fn standing(state: &State, host: &Host, open: &Place, words: &Words) -> Drawer {
    let written = |span| brief(written(&state.run, span));
    let lines: Vec<String> = match &open.part {
        Part::Routing => {
            let routes = host.routes.iter().filter_map(|r| r.span);
            routes.map(|span| short_route(&written(span))).collect()
        }
        Part::Neighbour => {
            let known = host.neighbours.iter();
            known
                .map(|n| format!("{} dev {} lladdr {}", n.addr, n.dev, n.mac))
                .collect()
        }
        Part::Process if *host.name == *state.workspace.probe.from => vec![sends(state)],
        Part::Process => {
            let sockets = host.sockets.iter();
            sockets.map(socket).collect()
        }
        Part::Interface(name) => {
            let iface = host.interface(name.as_str());
            let addrs = iface.iter().flat_map(|i| &i.addrs);
            let mut lines: Vec<String> =
                addrs.map(|a| format!("{}/{}", a.addr, a.length)).collect();
            if let Some(iface) = iface {
                lines.push(format!("MAC {}", iface.mac));
                lines.push(format!("MTU {}", iface.mtu));
                lines.extend(iface.master.as_ref().map(|m| words.port_of(m.as_str())));
            }
            lines
        }
        Part::Bridge(name) => {
            let ports = ports(&state.run.world, open.host, name);
            ports.into_iter().map(|(_, text)| text).collect()
        }
        Part::Balancer => {
            let listeners = host.balancer.iter().flat_map(|b| &b.listeners);
            listeners
                .flat_map(|l| {
                    let backends = l.backends.iter();
                    backends.map(move |b| {
                        format!("{}:{} → {} {}:{}", l.addr, l.port, b.name, b.addr, b.port)
                    })
                })
                .collect()
        }
        Part::Conntrack | Part::Hook(_) | Part::Envoy(_) => Vec::new(),
    };
    if lines.is_empty() {
        return one_card(words.nothing_here, Vec::new());
    }
    let rest = lines.len().saturating_sub(MOST_LINES);
    let taken = taker(state, host, open);
    let mut lines: Vec<Line> = lines
        .into_iter()
        .take(MOST_LINES)
        .map(|text| {
            let current = taken.as_ref() == Some(&text);
            Line {
                text,
                outcome: current.then_some(Outcome::Held),
                current,
                ..Line::default()
            }
        })
        .collect();
    if rest > 0 {
        lines.push(more(words, rest));
    }
    one_card(&part_name(&open.part, words), lines)
}

fn socket(socket: &Socket) -> String {
    let Socket {
        protocol,
        addr,
        port,
        process,
        ..
    } = socket;
    format!("{protocol} {addr}:{port} {process}")
}

/// The socket that takes the packet at the step at hand, as its place lists it.
fn taker(state: &State, host: &Host, open: &Place) -> Option<String> {
    let moment = state.walk.moments.get(state.cursor)?;
    let step = step_at(&state.run.trace, moment.position).filter(|_| moment.place == *open)?;
    let Action::Delivered(delivery) = &step.action else {
        return None;
    };
    let (addr, port) = delivery.socket?;
    let taker = host.sockets.iter();
    taker
        .filter(|s| s.addr == addr && s.port == port)
        .map(socket)
        .next()
}

fn one_card(title: &str, lines: Vec<Line>) -> Drawer {
    Drawer {
        cards: vec![Card {
            title: title.to_string(),
            lines,
            reached: true,
            ..Card::default()
        }],
        ..Drawer::default()
    }
}

fn more(words: &Words, count: usize) -> Line {
    Line {
        text: words.more(count),
        note: true,
        ..Line::default()
    }
}

/// What the probe's sender sends, as a person would write it.
fn sends(state: &State) -> String {
    let probe = &state.workspace.probe;
    let to = match (probe.to, probe.port) {
        (to, 0) => to.to_string(),
        (std::net::IpAddr::V6(to), port) => format!("[{to}]:{port}"),
        (to, port) => format!("{to}:{port}"),
    };
    match &probe.kind {
        ProbeKind::TcpConnect => format!("TCP connect {to}"),
        ProbeKind::Udp => format!("UDP {to}"),
        ProbeKind::IcmpEcho => format!("ping {}", probe.to),
        ProbeKind::Http(http) => {
            let host = if http.host.is_empty() {
                &to
            } else {
                &http.host
            };
            let scheme = if http.tls.is_some() { "https" } else { "http" };
            format!("{} {scheme}://{host}{}", http.method, http.path)
        }
    }
}

/// A route without what decides nothing here: who put it there, and how far it reaches.
fn short_route(line: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        if matches!(word, "proto" | "scope") {
            words.next();
        } else {
            out.push(word);
        }
    }
    out.join(" ")
}

/// A bridge's ports with who is behind each, those first of which that is known.
pub(super) fn ports(world: &World, id: HostId, bridge: &IfaceName) -> Vec<(IfaceName, String)> {
    let Some(host) = world.host(id) else {
        return Vec::new();
    };
    let ports = host
        .interfaces
        .iter()
        .filter(|i| i.master.as_ref() == Some(bridge));
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for port in ports {
        let ends = world.link_of(id, &port.name).map(|(_, link)| &link.ends);
        let mut others = ends.into_iter().flatten().filter(|end| end.host != id);
        let peer = others.next().and_then(|end| {
            let peer = world.host(end.host)?;
            let mac = peer.interface(end.iface.as_str())?.mac;
            Some(format!("{mac} {} {}", port.name, short_name(&peer.name)))
        });
        match peer {
            Some(text) => known.push((port.name.clone(), text)),
            None => unknown.push((port.name.clone(), port.name.to_string())),
        }
    }
    known.append(&mut unknown);
    known
}

/// A bridge that looks at the packet's frame, and the port that it chose.
fn switched(state: &State, bridge: &IfaceName, moment: &Moment) -> Drawer {
    let step = step_at(&state.run.trace, moment.position);
    let chosen = match step.map(|s| &s.action) {
        Some(Action::Bridged(switching)) => match &switching.outcome {
            SwitchOutcome::Port(port) => Some(port.clone()),
            SwitchOutcome::Up => Some(bridge.clone()),
            _ => None,
        },
        _ => None,
    };
    let world = &state.run.world;
    let mut rows = ports(world, moment.place.host, bridge);
    let own = world
        .host(moment.place.host)
        .and_then(|h| h.interface(bridge.as_str()));
    if let Some(own) = own {
        rows.insert(0, (bridge.clone(), format!("{} {bridge}", own.mac)));
    }
    rows.sort_by_key(|(port, _)| Some(port) != chosen.as_ref());
    let rest = rows.len().saturating_sub(MOST_LINES);
    let mut lines: Vec<Line> = rows
        .into_iter()
        .take(MOST_LINES)
        .map(|(port, text)| {
            let current = Some(&port) == chosen.as_ref();
            Line {
                text,
                outcome: current.then_some(Outcome::Held),
                current,
                ..Line::default()
            }
        })
        .collect();
    if rest > 0 {
        let words = crate::i18n::words(state.settings.lang);
        lines.push(more(words, rest));
    }
    one_card(bridge.as_str(), lines)
}
