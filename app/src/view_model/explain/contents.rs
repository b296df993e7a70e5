//! What stands in an open place.

use northsouth::netfilter::{Hook, TableName};
use northsouth::sim::ProbeKind;
use northsouth::text::{Outcome, Reason};
use northsouth::topology::Host;
use northsouth::trace::{Action, Part};

use super::explanation::{brief, written};
use super::{chains, host_name, part_name, step, tag};
use crate::i18n::Words;
use crate::state::{Place, State};
use crate::view_model::drawer::{Card, Drawer, Line};
use crate::view_model::walk::{Moment, step as step_at};

/// A card without rules shows at most so many lines.
const MOST_LINES: usize = 9;

pub fn drawer(state: &State, open: &Place, words: &Words) -> Drawer {
    let Some(host) = state.run.world.host(open.host) else {
        return Drawer::default();
    };
    let here = state.walk.moments.get(state.cursor);
    let here = here.filter(|m| m.place == *open);
    let name = host_name(&state.run.world, open.host);
    let mut drawer = match (&open.part, here) {
        (Part::Hook(hook), Some(moment)) => at_hook(state, host, *hook, moment, words),
        (Part::Hook(hook), None) => hook_standing(state, host, *hook, words),
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
    // On a step between tables: the one before it, else the one that follows.
    let before = (0..=cursor)
        .rev()
        .take_while(|at| moments.get(*at).is_some_and(same));
    let after = (cursor..moments.len()).take_while(|at| moments.get(*at).is_some_and(same));
    let found = before
        .into_iter()
        .find_map(|at| Some((rule_at(at)?, at == cursor)));
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
    let mut cards = chains::cards(&state.workspace, table, &rule.visit.traversal, now, words);
    if ahead {
        for card in &mut cards {
            card.reached = false;
            card.lines.iter_mut().for_each(|line| line.outcome = None);
        }
    }
    Drawer {
        title: words.table_at_hook(table.name.name(), hook.name()),
        cards,
        tag: None,
    }
}

fn hook_standing(state: &State, host: &Host, hook: Hook, words: &Words) -> Drawer {
    let cards: Vec<Card> = TableName::ALL
        .into_iter()
        .filter(|name| name.hooks().contains(&hook))
        .filter_map(|name| {
            let table = host.iptables.table(name)?;
            let chain = table.chains.iter().find(|c| &*c.name == hook.name())?;
            Some(chains::standing(&state.workspace, table, chain, words))
        })
        .collect();
    if cards.is_empty() {
        return one_card(words.no_rules, Vec::new());
    }
    Drawer {
        cards,
        ..Drawer::default()
    }
}

/// What the step at hand was decided by: the lines compared, the chosen one among them. In the order in which they stand.
fn decided(state: &State, moment: &Moment, words: &Words) -> Option<Drawer> {
    let why = step::why(&state.run, moment);
    let lang = state.settings.lang;
    let mut rows: Vec<(&Reason, bool)> = why.passed_over.iter().map(|r| (r, false)).collect();
    rows.extend(why.decided.iter().map(|r| (r, true)));
    rows.sort_by_key(|(r, _)| r.span.map(|s| (s.file, s.start)));
    if rows.is_empty() {
        return None;
    }
    let mut lines: Vec<Line> = Vec::new();
    for (reason, chosen) in &rows {
        let text = match reason.span {
            Some(span) if reason.text.is_empty() => brief(written(&state.workspace, span)),
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
            current: *chosen && reason.outcome == Outcome::Held,
            note: false,
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
        }],
        ..Drawer::default()
    })
}

/// A place as it stands.
fn standing(state: &State, host: &Host, open: &Place, words: &Words) -> Drawer {
    let written = |span| brief(written(&state.workspace, span));
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
            sockets
                .map(|s| format!("{} {}:{} {}", s.protocol, s.addr, s.port, s.process))
                .collect()
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
            let ports = host.interfaces.iter();
            let ports = ports.filter(|i| i.master.as_ref() == Some(name));
            ports.map(|p| p.name.to_string()).collect()
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
        Part::Conntrack | Part::Hook(_) => Vec::new(),
    };
    if lines.is_empty() {
        return one_card(words.nothing_here, Vec::new());
    }
    let rest = lines.len().saturating_sub(MOST_LINES);
    let mut lines: Vec<Line> = lines
        .into_iter()
        .take(MOST_LINES)
        .map(|text| Line {
            text,
            ..Line::default()
        })
        .collect();
    if rest > 0 {
        lines.push(more(words, rest));
    }
    one_card(&part_name(&open.part, words), lines)
}

fn one_card(title: &str, lines: Vec<Line>) -> Drawer {
    Drawer {
        cards: vec![Card {
            title: title.to_string(),
            lines,
            current: false,
            reached: true,
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
            format!("{} http://{host}{}", http.method, http.path)
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
