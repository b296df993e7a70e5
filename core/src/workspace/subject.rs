//! What stands at a place of a text and can take a packet: a rule, a route, a backend, a line of an Envoy's manifest.

use std::collections::BTreeSet;

use super::Run;
use crate::netfilter::ChainId;
use crate::netfilter::nft::TableId;
use crate::netfilter::walk::TableRef;
use crate::text::{FileId, Reason, Span};
use crate::topology::{Host, HostId, World};
use crate::trace::{self, Step, StepAt, Trace};

/// Something that may take packets, and where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    pub span: Span,
    pub kind: SubjectKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// A rule of a chain, by its position from 0.
    Rule {
        host: HostId,
        table: TableRef,
        chain: ChainId,
        index: u32,
    },
    /// An element of a named set or map of nftables, by the set's position.
    Element {
        host: HostId,
        table: TableId,
        set: u32,
    },
    Route {
        host: HostId,
    },
    /// A backend of a load balancer.
    Backend {
        host: HostId,
    },
    /// What a step of this run asked, such as a route of an Envoy.
    Asked {
        host: HostId,
    },
}

impl SubjectKind {
    pub fn host(self) -> HostId {
        match self {
            SubjectKind::Rule { host, .. }
            | SubjectKind::Element { host, .. }
            | SubjectKind::Route { host }
            | SubjectKind::Backend { host }
            | SubjectKind::Asked { host } => host,
        }
    }
}

impl Run {
    /// All rules, elements, routes and backends that are written somewhere, host by host; last the routes of Envoys, which
    /// many of them share: each once, of one that the walk comes to where there is one.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut all = Vec::new();
        for (at, host) in self.world.hosts.iter().enumerate() {
            of_host(HostId::at(at), host, &mut all);
        }
        let visited: BTreeSet<HostId> = steps(&self.trace).map(|(_, host, _)| host).collect();
        let mut envoys: Vec<(HostId, &Host)> = (0..).map(HostId).zip(&self.world.hosts).collect();
        envoys.retain(|(_, host)| host.envoy.is_some());
        envoys.sort_by_key(|(id, _)| !visited.contains(id));
        let mut written = BTreeSet::new();
        for (id, host) in envoys {
            let configs = host.envoy.iter().flat_map(|config| config.routes.values());
            let hosts = configs.flat_map(|config| &config.virtual_hosts);
            for route in hosts.flat_map(|host| &host.routes) {
                let span = route.span;
                if span.start < span.end && written.insert((span.file, span.start)) {
                    all.push(Subject {
                        span,
                        kind: SubjectKind::Asked { host: id },
                    });
                }
            }
        }
        all
    }

    /// The first line of what stands there.
    pub fn subject_text(&self, subject: &Subject) -> &str {
        self.line_of(subject.span)
    }

    pub(super) fn line_of(&self, span: Span) -> &str {
        let file = self.files.get(span.file.index());
        let text = file.map_or("", |f| f.slice(span));
        text.lines().next().unwrap_or_default().trim()
    }

    /// What stands at a byte of a file. `None` where nothing there takes packets.
    pub fn subject_at(&self, file: FileId, offset: u32) -> Option<Subject> {
        let here = |span: Span| span.file == file && (span.start..=span.end).contains(&offset);
        let known = self.subjects().into_iter().filter(|s| here(s.span));
        let smallest = known.min_by_key(|s| s.span.end - s.span.start);
        smallest.or_else(|| {
            let mut found: Option<Subject> = None;
            for (_, host, step) in steps(&self.trace) {
                let why = trace::why(&self.world, host, step);
                for reason in why.decided.iter().chain(&why.passed_over) {
                    let Some(span) = reason.span.filter(|s| here(*s)) else {
                        continue;
                    };
                    let size = span.end - span.start;
                    if found
                        .as_ref()
                        .is_none_or(|f| size < f.span.end - f.span.start)
                    {
                        found = Some(Subject {
                            span,
                            kind: SubjectKind::Asked { host },
                        });
                    }
                }
            }
            found
        })
    }
}

fn of_host(id: HostId, host: &Host, out: &mut Vec<Subject>) {
    for table in &host.iptables.tables {
        for (chain_at, chain) in table.chains.iter().enumerate() {
            for (index, rule) in chain.rules.iter().enumerate() {
                out.push(Subject {
                    span: rule.span,
                    kind: SubjectKind::Rule {
                        host: id,
                        table: TableRef::Iptables(table.family, table.name),
                        chain: ChainId(chain_at as u32),
                        index: index as u32,
                    },
                });
            }
        }
    }
    for (table_at, table) in host.nft.tables.iter().enumerate() {
        for (chain_at, chain) in table.chains.iter().enumerate() {
            for (index, rule) in chain.rules.iter().enumerate() {
                out.push(Subject {
                    span: rule.span,
                    kind: SubjectKind::Rule {
                        host: id,
                        table: TableRef::Nft(TableId(table_at as u16)),
                        chain: ChainId(chain_at as u32),
                        index: index as u32,
                    },
                });
            }
        }
        for (set_at, set) in (0..).zip(&table.sets) {
            let elements = set.elements.iter().filter(|e| e.span.start < e.span.end);
            out.extend(elements.map(|element| Subject {
                span: element.span,
                kind: SubjectKind::Element {
                    host: id,
                    table: TableId(table_at as u16),
                    set: set_at,
                },
            }));
        }
    }
    for route in host.routes.iter() {
        if let Some(span) = route.span {
            out.push(Subject {
                span,
                kind: SubjectKind::Route { host: id },
            });
        }
    }
    for listener in host.balancer.iter().flat_map(|b| &b.listeners) {
        for backend in &listener.backends {
            out.push(Subject {
                span: backend.span,
                kind: SubjectKind::Backend { host: id },
            });
        }
    }
}

/// All steps of a walk, each with where it is: those of packets that asked for a neighbour are where it was asked for.
pub(super) fn steps(trace: &Trace) -> impl Iterator<Item = (StepAt, HostId, &Step)> {
    let journeys = trace.journeys.iter().enumerate();
    journeys.flat_map(|(journey_at, journey)| {
        journey
            .hops
            .iter()
            .enumerate()
            .flat_map(move |(hop_at, hop)| {
                hop.steps
                    .iter()
                    .enumerate()
                    .flat_map(move |(step_at, step)| {
                        let at = StepAt {
                            journey: journey_at as u32,
                            hop: hop_at as u32,
                            step: step_at as u32,
                        };
                        let own = std::iter::once((at, hop.host, step));
                        own.chain(step.asked().map(move |(host, step)| (at, host, step)))
                    })
            })
    })
}

/// The texts that decided a step.
pub(super) fn took_all(world: &World, host: HostId, step: &Step) -> Vec<Span> {
    let mut spans: Vec<Span> = trace::span(world, host, step).into_iter().collect();
    match &step.action {
        // A rule's reasons are its criteria, which stand where it does; what they found in a set stands elsewhere.
        trace::Action::Rule(rule) => {
            if matches!(rule.table(), TableRef::Nft(_)) {
                let why = trace::why(world, host, step);
                why.decided
                    .iter()
                    .for_each(|r| found_in_sets(r, &mut spans));
            }
        }
        _ => {
            let why = trace::why(world, host, step);
            spans.extend(why.decided.iter().filter_map(|r| r.span));
        }
    }
    spans
}

fn found_in_sets(reason: &Reason, out: &mut Vec<Span>) {
    for child in &reason.children {
        out.extend(child.span);
        found_in_sets(child, out);
    }
}

/// Whether a step was decided by the text that begins here.
pub(super) fn took(world: &World, host: HostId, step: &Step, span: Span) -> bool {
    let mut all = took_all(world, host, step).into_iter();
    all.any(|s| s.file == span.file && s.start == span.start)
}

/// The texts that a step passed over.
pub(super) fn passed_over_all(
    world: &World,
    host: HostId,
    step: &Step,
) -> impl Iterator<Item = Span> + use<> {
    let why = trace::why(world, host, step);
    why.passed_over.into_iter().filter_map(|r| r.span)
}

/// The reason for which a step passed over the text that begins here.
pub(super) fn passed_over(world: &World, host: HostId, step: &Step, span: Span) -> Option<Reason> {
    let why = trace::why(world, host, step);
    let same = |s: Span| s.file == span.file && s.start == span.start;
    why.passed_over
        .into_iter()
        .find(|r| r.span.is_some_and(same))
}
