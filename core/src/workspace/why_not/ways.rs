//! What it would take: other packets and changed lines, each tried.

use std::net::IpAddr;

use super::reached::callers;
use super::{MOST_WAYS, Verdict};
use crate::net::{IpFamily, Masked, Protocol};
use crate::netfilter::matches::PortSide;
use crate::netfilter::walk::TableRef;
use crate::netfilter::{ChainId, Match, Rule, TableName, nft};
use crate::sim;
use crate::text::{File, FileId, Outcome, Reason, Span};
use crate::topology::{Host, HostKind, World};
use crate::trace::Trace;
use crate::workspace::subject::{steps, took};
use crate::workspace::{
    HttpRequest, Probe, ProbeKind, Run, Subject, SubjectKind, Workspace, run as run_again,
};
use crate::yaml::{self, Node};

/// How many walks of other packets, and how many readings of changed files, are tried.
const PACKETS: usize = 240;
const LINES: usize = 24;
/// As many seeds stand for chance.
const SEEDS: u64 = 16;
/// How far back the criteria of rules that jump are taken in.
const DEPTH: u32 = 6;

/// A change after which the packet takes the subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// The same packet: chance decides, and with this seed it goes there.
    Seed(u64),
    /// Another packet.
    Probe(Box<Probe>),
    /// Another text of one line; empty where the line goes.
    Line { span: Span, text: String },
}

impl Way {
    /// The workspace with the change. `run` is the run of the workspace before it.
    pub fn apply(&self, workspace: &Workspace, run: &Run) -> Workspace {
        let mut changed = workspace.clone();
        match self {
            Way::Seed(seed) => changed.seed = *seed,
            Way::Probe(probe) => changed.probe.clone_from(probe),
            Way::Line { span, text } => {
                let at = span.file.index();
                if let Some(file) = run.files.get(at) {
                    let file = edited(file, *span, text);
                    match changed.files.get_mut(at) {
                        Some(place) => *place = file,
                        // One that a controller makes becomes the user's own.
                        None => changed.files.push(file),
                    }
                }
            }
        }
        changed
    }
}

fn edited(file: &File, span: Span, text: &str) -> File {
    let mut whole = file.text.to_string();
    if whole.get(span.range()).is_some() {
        whole.replace_range(span.range(), text);
    }
    File::new(&file.name, &whole)
}

pub(super) fn find(
    workspace: &Workspace,
    run: &Run,
    subject: &Subject,
    verdict: &Verdict,
) -> (Vec<Way>, u32) {
    let mut tried = 0;
    let mut ways = Vec::new();
    for seed in 1..=SEEDS {
        if seed == workspace.seed {
            continue;
        }
        tried += 1;
        let walk = sim::outcome(&run.world, &workspace.probe, seed);
        if walk.is_some_and(|(trace, _)| takes(&run.world, &trace, subject.span)) {
            ways.push(Way::Seed(seed));
            break;
        }
    }
    let mut found = 0;
    let mut level = None;
    for (differences, probe) in packets(workspace, run, subject) {
        if found == MOST_WAYS || level.is_some_and(|l| differences > l) {
            break;
        }
        tried += 1;
        let walk = sim::outcome(&run.world, &probe, workspace.seed);
        if walk.is_some_and(|(trace, _)| takes(&run.world, &trace, subject.span)) {
            level = Some(differences);
            found += 1;
            ways.push(Way::Probe(Box::new(probe)));
        }
    }
    found = 0;
    for way in lines(run, subject, verdict) {
        if found == MOST_WAYS {
            break;
        }
        tried += 1;
        if leads(workspace, run, subject, &way) {
            found += 1;
            ways.push(way);
        }
    }
    (ways, tried)
}

fn takes(world: &World, trace: &Trace, span: Span) -> bool {
    steps(trace).any(|(_, host, step)| took(world, host, step, span))
}

/// Whether the walk takes the subject after a line was changed, wherever it stands then.
fn leads(workspace: &Workspace, run: &Run, subject: &Subject, way: &Way) -> bool {
    let Way::Line { span, text } = way else {
        return false;
    };
    let again = run_again(&way.apply(workspace, run));
    let name = run.files.get(subject.span.file.index()).map(|f| &f.name);
    let Some(at) = again.files.iter().position(|f| Some(&f.name) == name) else {
        return false;
    };
    let mut moved = subject.span;
    moved.file = FileId::at(at);
    if span.file == subject.span.file && span.end <= subject.span.start {
        let grown = moved.start + text.len() as u32;
        moved.start = grown.saturating_sub(span.end - span.start);
    }
    takes(&again.world, &again.trace, moved)
}

/// What the criteria on the way to a subject ask for.
#[derive(Default)]
struct Wanted {
    sources: Vec<Masked>,
    addrs: Vec<IpAddr>,
    ports: Vec<u16>,
    kinds: Vec<ProbeKind>,
    senders: Vec<String>,
}

impl Wanted {
    fn addr(&mut self, world: &World, of: Masked) {
        let addr = match of.length() {
            Some(32 | 128) => Some(of.addr),
            // One that is nobody's, and one that is somebody's.
            _ => {
                add(&mut self.addrs, free(world, of));
                addresses(world).find(|a| of.contains(*a))
            }
        };
        add(&mut self.addrs, addr);
    }

    fn protocol(&mut self, protocol: Protocol) {
        let kind = match protocol {
            Protocol::TCP => ProbeKind::TcpConnect,
            Protocol::UDP => ProbeKind::Udp,
            Protocol::ICMP => ProbeKind::IcmpEcho,
            _ => return,
        };
        add(&mut self.kinds, Some(kind));
    }

    fn rule(&mut self, world: &World, rule: &Rule) {
        let header = &rule.header;
        for (mask, out) in [(&header.dst, true), (&header.src, false)] {
            match mask.as_ref().filter(|m| !m.inverted) {
                Some(mask) if out => self.addr(world, mask.value),
                Some(mask) => add(&mut self.sources, Some(mask.value)),
                None => {}
            }
        }
        if let Some(protocol) = header.protocol.filter(|p| !p.inverted) {
            self.protocol(protocol.value);
        }
        for m in &rule.matches {
            let port = match m {
                Match::Tcp(tcp) => tcp.dport,
                Match::Udp { dport, .. } | Match::Sctp { dport, .. } => *dport,
                Match::Multiport(multi) if !multi.inverted && multi.side != PortSide::Source => {
                    for range in &multi.ports {
                        add(&mut self.ports, Some(range.low));
                    }
                    None
                }
                _ => None,
            };
            add(
                &mut self.ports,
                port.filter(|p| !p.inverted).map(|p| p.value.low),
            );
        }
    }

    /// The criteria of a rule and of those whose jumps lead to it.
    fn chain(
        &mut self,
        world: &World,
        host: &Host,
        (family, table): (IpFamily, TableName),
        chain: ChainId,
        depth: u32,
    ) {
        if depth == 0 {
            return;
        }
        for (from, at, _) in callers(host, (family, table), chain) {
            let chain = host
                .iptables
                .table(family, table)
                .and_then(|t| t.chain(from));
            if let Some(rule) = chain.and_then(|c| c.rules.get(at as usize)) {
                self.rule(world, rule);
            }
            self.chain(world, host, (family, table), from, depth - 1);
        }
    }
}

impl Wanted {
    fn endpoint(&mut self, endpoint: nft::Endpoint) {
        add(&mut self.addrs, endpoint.addr);
        add(&mut self.ports, endpoint.port);
        endpoint.protocol.into_iter().for_each(|p| self.protocol(p));
    }

    /// The keys of the elements that lead to a chain of nftables, and to those whose jumps lead there.
    fn nft_chain(&mut self, table: &nft::Table, chain: ChainId, depth: u32) {
        if depth == 0 {
            return;
        }
        for lead in table.leads_to(chain) {
            match lead {
                nft::Lead::Rule(from, _) => self.nft_chain(table, from, depth - 1),
                nft::Lead::Element(set, at) => {
                    let set = table.sets.get(set);
                    if let Some((set, element)) = set.and_then(|s| Some((s, s.elements.get(at)?))) {
                        self.endpoint(set.endpoint(element));
                    }
                }
            }
        }
    }
}

fn add<T: PartialEq>(to: &mut Vec<T>, value: Option<T>) {
    if let Some(value) = value.filter(|v| !to.contains(v) && to.len() < 8) {
        to.push(value);
    }
}

fn addresses(world: &World) -> impl Iterator<Item = IpAddr> {
    let interfaces = world.hosts.iter().flat_map(|h| &h.interfaces);
    interfaces.flat_map(|i| i.addrs.iter().map(|a| a.addr))
}

/// The first address of a network that a host may have and none has.
fn free(world: &World, of: Masked) -> Option<IpAddr> {
    let nth = |n: u8| match of.addr {
        IpAddr::V4(a) => IpAddr::V4((a.to_bits() | u32::from(n)).into()),
        IpAddr::V6(a) => IpAddr::V6((a.to_bits() | u128::from(n)).into()),
    };
    (2..=255)
        .map(nth)
        .find(|a| of.contains(*a) && addresses(world).all(|b| b != *a))
}

/// Other probes, those that differ least first, each with the number of its differences.
fn packets(workspace: &Workspace, run: &Run, subject: &Subject) -> Vec<(u32, Probe)> {
    let world = &run.world;
    let now = &workspace.probe;
    let wanted = wanted(run, subject);
    let mut senders = vec![now.from.clone()];
    for name in wanted.senders {
        add(&mut senders, Some(name));
    }
    let mut addrs = vec![now.to];
    let mut ports = vec![now.port];
    let mut kinds: Vec<(u32, ProbeKind)> = vec![(0, now.kind.clone())];
    // What an Envoy looks at: host, path and headers that some manifest asks for.
    if let (ProbeKind::Http(request), SubjectKind::Asked { .. }) = (&now.kind, subject.kind) {
        kinds.extend(requests(run, request));
    }
    for addr in wanted.addrs {
        add(&mut addrs, Some(addr));
    }
    for port in wanted.ports {
        add(&mut ports, Some(port));
    }
    for kind in wanted.kinds {
        // A request over TCP is TCP already.
        let tcp = matches!(
            (&kind, &now.kind),
            (ProbeKind::TcpConnect, ProbeKind::Http(_))
        );
        if !tcp && kind != now.kind {
            kinds.push((1, kind));
        }
    }
    let mut all = Vec::new();
    for from in &senders {
        for to in &addrs {
            for port in &ports {
                for (other, kind) in &kinds {
                    let differences = u32::from(*from != now.from)
                        + u32::from(*to != now.to)
                        + u32::from(*port != now.port)
                        + other;
                    let probe = Probe {
                        from: from.clone(),
                        to: *to,
                        port: *port,
                        kind: kind.clone(),
                    };
                    if differences > 0 && world.find(from).is_some() {
                        all.push((differences, probe));
                    }
                }
            }
        }
    }
    all.sort_by_key(|(differences, _)| *differences);
    all.truncate(PACKETS);
    all
}

fn wanted(run: &Run, subject: &Subject) -> Wanted {
    let world = &run.world;
    let mut wanted = Wanted::default();
    let Some(host) = world.host(subject.kind.host()) else {
        return wanted;
    };
    match subject.kind {
        SubjectKind::Rule {
            table: TableRef::Iptables(family, table),
            chain,
            index,
            ..
        } => {
            let found = host
                .iptables
                .table(family, table)
                .and_then(|t| t.chain(chain));
            if let Some(rule) = found.and_then(|c| c.rules.get(index as usize)) {
                wanted.rule(world, rule);
            }
            wanted.chain(world, host, (family, table), chain, DEPTH);
        }
        SubjectKind::Rule {
            table: TableRef::Nft(table),
            chain,
            ..
        } => {
            if let Some(table) = host.nft.table(table) {
                wanted.nft_chain(table, chain, DEPTH);
            }
        }
        SubjectKind::Element { table, set, .. } => {
            let sets = host.nft.table(table).map(|t| &t.sets);
            let set = sets.and_then(|sets| sets.get(set as usize));
            let element = set.and_then(|s| {
                let element = s.elements.iter().find(|e| e.span == subject.span)?;
                Some(s.endpoint(element))
            });
            if let Some(endpoint) = element {
                wanted.endpoint(endpoint);
            }
        }
        SubjectKind::Route { .. } => {
            let here = host.routes.iter().find(|r| r.span == Some(subject.span));
            if let Some(route) = here {
                wanted.addr(world, route.dst);
                // Past what longer prefixes take.
                add(
                    &mut wanted.addrs,
                    "8.8.8.8".parse().ok().filter(|a| route.dst.contains(*a)),
                );
            }
        }
        _ => {}
    }
    // Where the load balancers and the hosts' own sockets listen.
    for listener in world
        .hosts
        .iter()
        .filter_map(|h| h.balancer.as_ref())
        .flat_map(|b| &b.listeners)
    {
        add(&mut wanted.addrs, Some(listener.addr));
        add(&mut wanted.ports, Some(listener.port));
    }
    for interface in &host.interfaces {
        for addr in interface.addrs.iter().filter(|a| !a.addr.is_loopback()) {
            add(&mut wanted.addrs, Some(addr.addr));
        }
    }
    // Who has a source that is asked for, then one of each kind.
    let owns = |h: &Host, masks: &[Masked]| {
        let addrs = h.interfaces.iter().flat_map(|i| &i.addrs);
        addrs
            .into_iter()
            .any(|a| masks.iter().any(|m| m.contains(a.addr)))
    };
    let speaks = |h: &&Host| matches!(h.kind, HostKind::Client | HostKind::Node | HostKind::Pod);
    for other in world
        .hosts
        .iter()
        .filter(speaks)
        .filter(|h| owns(h, &wanted.sources))
    {
        add(&mut wanted.senders, Some(other.name.to_string()));
    }
    add(
        &mut wanted.senders,
        Some(host.name.to_string()).filter(|_| speaks(&host)),
    );
    for kind in [HostKind::Client, HostKind::Node, HostKind::Pod] {
        let one = world.hosts.iter().find(|h| h.kind == kind);
        add(&mut wanted.senders, one.map(|h| h.name.to_string()));
    }
    wanted
}

/// The request with other hosts, paths and headers, each with the number of its differences.
fn requests(run: &Run, now: &HttpRequest) -> Vec<(u32, ProbeKind)> {
    let (mut hosts, mut paths, mut headers) =
        (vec![now.host.clone()], vec![now.path.clone()], vec![None]);
    for file in run.files.iter().filter(|f| f.name.ends_with(".yaml")) {
        for document in yaml::read(&file.text, FileId(0)).0 {
            asks(&document, &mut hosts, &mut paths, &mut headers);
        }
    }
    let mut all = Vec::new();
    if !now.headers.is_empty() {
        let mut bare = now.clone();
        bare.headers.clear();
        all.push((1, ProbeKind::Http(bare)));
    }
    for host in &hosts {
        for path in &paths {
            for header in &headers {
                let mut request = now.clone();
                request.host.clone_from(host);
                request.path.clone_from(path);
                if let Some((name, value)) = header {
                    request.headers.retain(|(n, _)| n != name);
                    request.headers.push((name.clone(), value.clone()));
                }
                let differences = u32::from(*host != now.host)
                    + u32::from(*path != now.path)
                    + u32::from(header.is_some());
                if differences > 0 {
                    all.push((differences, ProbeKind::Http(request)));
                }
            }
        }
    }
    all
}

/// A header's name and value; `None` for none more.
type Header = Option<(String, String)>;

fn fields(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    node.entries().iter().map(|e| (&*e.key, &e.value))
}

/// The hosts, paths and headers that a manifest names.
fn asks(node: &Node, hosts: &mut Vec<String>, paths: &mut Vec<String>, headers: &mut Vec<Header>) {
    let wanted = |node: &Node| {
        let value = node.field("exact").or_else(|| node.field("prefix"));
        value.and_then(Node::str).map(str::to_string)
    };
    for (name, value) in fields(node) {
        match name {
            "hosts" => {
                for host in value.items().iter().filter_map(Node::str) {
                    add(
                        hosts,
                        Some(host.replace('*', "www")).filter(|h| h.contains('.')),
                    );
                }
            }
            "headers" => {
                for (header, value) in fields(value) {
                    add(
                        headers,
                        wanted(value).map(|v| Some((header.to_string(), v))),
                    );
                }
            }
            _ => add(paths, wanted(value).filter(|v| v.starts_with('/'))),
        }
        asks(value, hosts, paths, headers);
    }
    for item in node.items() {
        asks(item, hosts, paths, headers);
    }
}

/// Lines that could be otherwise: a criterion less where one failed, a line less where it took the packet before.
fn lines(run: &Run, subject: &Subject, verdict: &Verdict) -> Vec<Way> {
    let mut ways = Vec::new();
    match verdict {
        Verdict::Taken(_) => {}
        Verdict::PassedOver(at, reason) => {
            relaxed(run, subject, reason, &mut ways);
            // What the step took instead of it.
            let taken = steps(&run.trace).find(|(step, ..)| step == at);
            let taken =
                taken.and_then(|(_, host, step)| crate::trace::span(&run.world, host, step));
            if let Some(span) = taken.filter(|_| reason.children.is_empty()) {
                ways.extend(without(run, span));
            }
        }
        Verdict::NotReached(reasons) => {
            for reason in reasons {
                relaxed(run, subject, reason, &mut ways);
            }
        }
    }
    ways.dedup();
    ways.truncate(LINES);
    ways
}

fn relaxed(run: &Run, subject: &Subject, reason: &Reason, ways: &mut Vec<Way>) {
    if let Some(span) = reason.span {
        let before = run.line_of(span).to_string();
        let mut failed = reason
            .children
            .iter()
            .filter(|c| c.outcome == Outcome::Failed)
            .peekable();
        if reason.outcome == Outcome::Failed && failed.peek().is_none() && span != subject.span {
            ways.extend(without(run, span));
        }
        for criterion in failed.filter(|c| !c.text.is_empty()) {
            let Some(at) = before.find(&criterion.text) else {
                continue;
            };
            let (head, tail) = before.split_at(at);
            let tail = tail.get(criterion.text.len()..).unwrap_or_default();
            let text = format!("{} {}", head.trim_end(), tail.trim_start());
            ways.push(Way::Line {
                span: line_span(run, span),
                text: text.trim_end().to_string(),
            });
        }
    }
    for child in &reason.children {
        if child.outcome == Outcome::NotTried
            || !child.children.is_empty()
            || reason.outcome == Outcome::NotTried
        {
            relaxed(run, subject, child, ways);
        }
    }
}

/// The first line of a span, as [`Run::line_of`] shows it.
fn line_span(run: &Run, span: Span) -> Span {
    let file = run.files.get(span.file.index());
    let text = file.map_or("", |f| f.slice(span));
    let line = text.lines().next().unwrap_or_default();
    let start = span.start as usize + (line.len() - line.trim_start().len());
    Span::new(span.file, start, start + line.trim().len())
}

/// The line that a rule or route stands on, taken away. Not what stands in the middle of a YAML.
fn without(run: &Run, span: Span) -> Option<Way> {
    let file = run.files.get(span.file.index())?;
    let lines = [".txt"].iter().any(|end| file.name.ends_with(end));
    let text = &file.text;
    let start = text
        .get(..span.start as usize)?
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let end = text
        .get(span.end as usize..)?
        .find('\n')
        .map_or(text.len(), |at| span.end as usize + at + 1);
    lines.then(|| Way::Line {
        span: Span::new(span.file, start, end),
        text: String::new(),
    })
}
