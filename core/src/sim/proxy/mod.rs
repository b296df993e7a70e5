//! Proxies on hosts: a connection comes to an Envoy's socket, and another leaves. `http` passes requests on, `relay` bytes,
//! `account` writes down what was decided.

mod account;
mod http;
mod relay;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use self::http::Passage;
use self::relay::Relay;
use super::engine::{Author, Sim};
use super::flows::{Ask, Open};
use super::output::SendOptions;
use super::skb::Skb;
use super::talk::Ends;
use crate::conntrack::{Tuple, ZoneId};
use crate::envoy::{
    Asks, Config, Connection, FilterChain, Listener, Memory, Terminal, Unknown, judge,
};
use crate::net::{IpFamily, Packet, Protocol, TcpFlags, Transport};
use crate::netfilter::SocketOwner;
use crate::netfilter::walk::CannotTell;
use crate::topology::HostId;
use crate::trace::{
    Account, Action, Answer, ChainAt, Content, Drop, Journey, Maker, Part, Payload, Proxied, Stage,
    Tls,
};

/// What a segment says, beside its headers.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub payload: Payload,
    /// Of a response: who made it.
    pub by: Option<Author>,
}

impl Message {
    pub fn of(content: Content) -> Self {
        Self {
            payload: Payload::plain(content),
            by: None,
        }
    }
}

/// The proxies of a run: connections and requests on their way through them, and what they remember between requests.
#[derive(Default)]
pub(super) struct Proxies<'w> {
    downs: Vec<Down<'w>>,
    under_way: Vec<Passage<'w>>,
    relays: Vec<Relay>,
    memories: BTreeMap<HostId, Memory>,
    /// Connections to listeners that want to see first bytes: the segment that opened each, and its socket.
    silent: Vec<(HostId, Skb, Open)>,
}

impl Proxies<'_> {
    /// Gives up what is under way; what the proxies remember stays.
    pub fn forget(&mut self) {
        self.downs.clear();
        self.under_way.clear();
        self.relays.clear();
        self.silent.clear();
    }
}

/// A connection that a listener took.
#[derive(Clone)]
struct Down<'w> {
    host: HostId,
    ends: Ends,
    config: &'w Config,
    chain: Option<&'w FilterChain>,
    /// As far as connections go.
    account: Account,
    relay: Option<usize>,
}

/// Who Istio's proxy runs as: a user of its own (`ENVOY_UID` of istio-iptables), but root where it has sockets that only root
/// may open (`injection-template.yaml`, `$tproxy`). Its group is the same.
pub(super) fn owner(config: Option<&Config>) -> SocketOwner {
    let transparent = config.is_some_and(|c| c.listeners.iter().any(|l| l.transparent));
    SocketOwner {
        uid: if transparent { 0 } else { 1337 },
        gid: 1337,
    }
}

/// Whom a connection to an endpoint comes from.
#[derive(Clone, Copy, Default)]
struct Source {
    address: Option<IpAddr>,
    port: Option<u16>,
    mark: u32,
    /// It need not be the host's own.
    any: bool,
}

impl Source {
    /// As a cluster says.
    fn of_cluster(bind: Option<IpAddr>) -> Self {
        Self {
            address: bind,
            ..Self::default()
        }
    }
}

/// Istio's `connectTimeout`, in milliseconds.
const CONNECT_TIMEOUT: u64 = 10_000;

impl<'w> Sim<'w> {
    /// Data has come to a socket that a listener's host took. False: nobody proxies here.
    pub(super) fn proxy_heard(
        &mut self,
        at: HostId,
        skb: &Skb,
        open: &Open,
        message: &Message,
    ) -> bool {
        let ends = (open.local, open.remote);
        let known = |d: &Down| d.host == at && d.ends == ends;
        let down = match self.proxies.downs.iter().position(known) {
            Some(down) => down,
            None if self.is_unknown(at, skb, open) => return true,
            None => match self.accept(at, skb, open, Some(message)) {
                Some(down) => down,
                None => return false,
            },
        };
        self.down_heard(down, skb, open, message);
        true
    }

    /// A connection is there and its client has said nothing yet. A TCP proxy that has to see nothing of it connects at once.
    pub(super) fn proxy_opened(&mut self, at: HostId, skb: &Skb, open: &Open) {
        let config = self.host(at).and_then(|h| h.envoy.as_deref());
        let (Some(config), Some((_, port))) = (config, open.listener) else {
            return;
        };
        let destination = self.original_destination(at, open);
        let Some((_, listener)) = listener(config, port, destination) else {
            return;
        };
        // What its filters do with the first bytes is told when they come.
        if listener.not_modelled.is_some() {
            return;
        }
        if listener.inspects_tls || listener.inspects_http {
            self.proxies.silent.push((at, skb.clone(), open.clone()));
            return;
        }
        let acceptance = listener.accept(&connection(open, destination, None));
        if let Some(FilterChain {
            end: Terminal::Tcp(tcp),
            tls: None,
            ..
        }) = acceptance.chain
            && let Some(down) = self.accept(at, skb, open, None)
        {
            self.begin_relay(down, tcp, skb, open);
        }
    }

    /// Says of connections that nobody spoke over why their listeners did not go on.
    pub(super) fn tell_silent(&mut self) {
        for (at, skb, open) in std::mem::take(&mut self.proxies.silent) {
            let ends = (open.local, open.remote);
            let spoke = |d: &Down| d.host == at && d.ends == ends;
            let config = self.host(at).and_then(|h| h.envoy.as_deref());
            let (Some(config), Some((_, port))) = (config, open.listener) else {
                continue;
            };
            let destination = self.original_destination(at, &open);
            let Some((index, _)) = listener(config, port, destination) else {
                continue;
            };
            if self.proxies.downs.iter().any(spoke) {
                continue;
            }
            let account = Account {
                port,
                listener: Some(position(index)),
                waits: true,
                ..account::blank(connection(&open, destination, None))
            };
            self.decided(at, &skb, &account, &[Stage::Listener]);
        }
    }

    /// Whether a filter of a connection's listener is not modelled, which ends what can be told.
    fn is_unknown(&mut self, at: HostId, skb: &Skb, open: &Open) -> bool {
        let config = self.host(at).and_then(|h| h.envoy.as_deref());
        let (Some(config), Some((_, port))) = (config, open.listener) else {
            return false;
        };
        let destination = self.original_destination(at, open);
        let found = listener(config, port, destination);
        let Some((name, span)) = found.and_then(|(_, l)| l.not_modelled.clone()) else {
            return false;
        };
        let what = Unknown {
            what: name,
            span,
            asks: Asks::Filter,
        };
        self.cannot_tell(at, skb, Stage::Listener, what);
        true
    }

    /// A listener looks at a connection's first bytes. `None`: no listener of Envoy's has this socket.
    fn accept(
        &mut self,
        at: HostId,
        skb: &Skb,
        open: &Open,
        said: Option<&Message>,
    ) -> Option<usize> {
        let config = self.host(at)?.envoy.as_deref()?;
        let (_, port) = open.listener?;
        let destination = self.original_destination(at, open);
        let (index, listener) = listener(config, port, destination)?;
        let connection = connection(open, destination, said);
        let acceptance = listener.accept(&connection);
        let chain = acceptance.chain.map(|chain| {
            let is = |c: &FilterChain| std::ptr::eq(c, chain);
            match listener.chains.iter().position(is) {
                Some(at) if !acceptance.by_default => (ChainAt::At(position(at)), chain),
                _ => (ChainAt::Default, chain),
            }
        });
        let passed = acceptance.passed_over.iter();
        let passed = passed.map(|(at, miss)| (position(*at), *miss)).collect();
        let account = Account {
            port,
            listener: Some(position(index)),
            chain: chain.map(|(at, _)| at),
            chains_passed: passed,
            ..account::blank(connection)
        };
        let chain = chain.map(|(_, chain)| chain);
        self.decided(at, skb, &account, &[Stage::Listener, Stage::FilterChain]);
        self.proxies.downs.push(Down {
            host: at,
            ends: (open.local, open.remote),
            config,
            chain,
            account,
            relay: None,
        });
        Some(self.proxies.downs.len() - 1)
    }

    fn down_heard(&mut self, down: usize, skb: &Skb, open: &Open, message: &Message) {
        let Some(known) = self.proxies.downs.get(down) else {
            return;
        };
        let at = known.host;
        let Some(chain) = known.chain else {
            return self.close(at, skb, open);
        };
        let ends_tls = matches!(known.account.tls, Tls::Ended { .. });
        let outer = message.payload.tls == 0;
        match (&message.payload.content, &chain.tls) {
            (Content::Hello(hello), Some(tls)) if outer => {
                if tls.requires_client_certificate && !hello.certificate {
                    self.tls(down, skb, Tls::NoCertificate);
                    return self.close(at, skb, open);
                }
                // The server's order counts (`ContextImpl::parseAndSelectAlpn`).
                let both = tls.alpn.iter().find(|a| hello.alpn.contains(a));
                let alpn = both.cloned().unwrap_or_default();
                self.tls(down, skb, Tls::Ended { alpn: alpn.clone() });
                self.speak(at, skb, open, Message::of(Content::Shake(alpn)));
            }
            (_, Some(_)) if outer && !ends_tls => {
                self.tls(down, skb, Tls::NotSpoken);
                self.close(at, skb, open);
            }
            _ if self.kept_out(down, chain, skb, open) => {}
            (content, _) => match (&chain.end, content) {
                (Terminal::Http(hcm), Content::Request { request, .. }) => {
                    self.proxy_request(down, hcm, skb, open, request);
                }
                // What is no HTTP/1 is answered in the clear, which who speaks TLS cannot read.
                (Terminal::Http(_), _) => {
                    self.refuse_bytes(down, skb);
                    self.close(at, skb, open);
                }
                (Terminal::Tcp(tcp), content) => {
                    if outer && matches!(content, Content::Hello(_)) {
                        self.tls(down, skb, Tls::Passed);
                    }
                    self.relay(down, tcp, skb, open, message);
                }
                (Terminal::Other(name), _) => {
                    let what = Unknown {
                        what: name.clone(),
                        span: chain.span,
                        asks: Asks::Filter,
                    };
                    self.cannot_tell(at, skb, Stage::FilterChain, what);
                }
            },
        }
    }

    /// Asks the network filters about a connection's first bytes. True: they end it, or whether they do cannot be told.
    fn kept_out(&mut self, down: usize, chain: &'w FilterChain, skb: &Skb, open: &Open) -> bool {
        let Some(known) = self.proxies.downs.get_mut(down) else {
            return true;
        };
        if chain.filters.is_empty() || !known.account.access.is_empty() {
            return false;
        }
        let judgement = judge(chain, &known.account.connection);
        known.account.access = judgement.access;
        let (at, mut account) = (known.host, known.account.clone());
        self.decided(at, skb, &account, &[Stage::Access]);
        if let Some(what) = judgement.unknown {
            self.cannot_tell(at, skb, Stage::Access, what);
            return true;
        }
        let Some(details) = judgement.denied else {
            return false;
        };
        account.answer = Some(Answer {
            status: 0,
            own: true,
            location: None,
            flags: Vec::new(),
            details,
            log: String::new(),
        });
        self.decided(at, skb, &account, &[Stage::Answer]);
        self.close(at, skb, open);
        true
    }

    /// Ends a turn of which it cannot be told how it goes on.
    fn cannot_tell(&mut self, at: HostId, skb: &Skb, stage: Stage, what: Unknown) {
        let what = CannotTell {
            text: what.what.into(),
            span: what.span,
        };
        self.drop(at, skb, Part::Envoy(stage), Drop::CannotTell(what));
    }

    /// What becomes of a connection's TLS.
    fn tls(&mut self, down: usize, skb: &Skb, tls: Tls) {
        let Some(known) = self.proxies.downs.get_mut(down) else {
            return;
        };
        known.account.tls = tls;
        let (at, account) = (known.host, known.account.clone());
        self.decided(at, skb, &account, &[Stage::Tls]);
    }

    /// Steps for what a turn came to.
    fn decided(&mut self, at: HostId, skb: &Skb, account: &Account, stages: &[Stage]) {
        let account = std::sync::Arc::new(account.clone());
        for stage in stages {
            let said = Proxied {
                stage: *stage,
                account: account.clone(),
            };
            self.step(at, skb, Part::Envoy(*stage), Action::Proxied(said));
        }
    }

    /// Ends a connection of Envoy's own accord.
    fn close(&mut self, at: HostId, skb: &Skb, open: &Open) {
        let fin = TcpFlags::FIN | TcpFlags::ACK;
        let maker = Maker::Process(open.process.clone());
        let journey = self.say(at, skb, fin, 0, maker, open);
        self.closers.insert(journey, at);
    }

    /// Where the client wanted to go before REDIRECT brought it here (SO_ORIGINAL_DST).
    fn original_destination(&mut self, at: HostId, open: &Open) -> (IpAddr, u16) {
        let now = self.now;
        let answer = Tuple {
            src: open.local.0,
            dst: open.remote.0,
            protocol: Protocol::TCP,
            sport: open.local.1,
            dport: open.remote.1,
        };
        let entry = self.state(at).and_then(|s| {
            let (id, _) = s.conntrack.find(&answer, ZoneId::default(), now)?;
            s.conntrack.get(id)
        });
        entry.map_or(open.local, |c| (c.orig.dst, c.orig.dport))
    }

    /// The listener's filter counts more than the cluster's setting (`original_src_socket_option.cc`).
    fn source(&self, down: usize, bind: Option<IpAddr>) -> Source {
        let of_client = || {
            let down = self.proxies.downs.get(down)?;
            let listener = usize::try_from(down.account.listener?).ok()?;
            let filter = down.config.listeners.get(listener)?.original_src?;
            let (address, port) = down.account.connection.source;
            Some(Source {
                address: Some(address),
                port: filter.bind_port.then_some(port),
                mark: filter.mark,
                any: true,
            })
        };
        of_client().unwrap_or_else(|| Source::of_cluster(bind))
    }

    /// Opens a connection to an endpoint. `None`: it could not even leave.
    fn dial_upstream(
        &mut self,
        at: HostId,
        asked: &Skb,
        open: &Open,
        to: SocketAddr,
        source: Source,
        mut ask: Ask,
    ) -> Option<Ends> {
        let host = self.host(at)?;
        if let Some(hello) = ask.hello.as_mut().filter(|h| h.certificate) {
            hello.principal = host.envoy.as_ref().and_then(|c| c.identity.clone());
        }
        let family = IpFamily::of(to.ip());
        let free = self.free_port(at, (to.ip(), to.port()));
        let sport = source.port.unwrap_or(free);
        let packet = Packet {
            src: source.address.unwrap_or(family.unspecified()),
            dst: to.ip(),
            ttl: host.ttl(family),
            tos: 0,
            transport: Transport::Tcp {
                sport,
                dport: to.port(),
                flags: TcpFlags::SYN,
            },
            payload: 0,
        };
        let options = SendOptions {
            mark: source.mark,
            any_source: source.any,
            owner: Some(owner(host.envoy.as_deref())),
            ..SendOptions::default()
        };
        let process = open.process.clone();
        let cause = Some(asked.journey);
        let (journey, ends) = self.connect(at, packet, cause, process, Some(ask), &options);
        let journeys = &self.recorder.journeys;
        // A rule on the proxy's own host may have refused it at once.
        let refused = journeys.get(journey as usize).is_some_and(ended);
        ends.filter(|_| !refused)
    }

    /// An upstream has refused the connection, or an error came back.
    pub(super) fn upstream_refused(&mut self, at: HostId, skb: &Skb, open: &Open) {
        self.passage_refused(at, skb, open);
        self.relay_refused(at, open);
    }

    /// No socket takes a packet: where Envoy was to listen and its listener was not accepted, that is why.
    pub(super) fn not_accepted(&mut self, at: HostId, skb: &Skb) {
        let Some(config) = self.host(at).and_then(|h| h.envoy.as_deref()) else {
            return;
        };
        let packet = &skb.packet;
        let (Some(port), Some(sport)) = (packet.dport(), packet.sport()) else {
            return;
        };
        if config.refused_listener(port).is_none() {
            return;
        }
        let connection = Connection {
            source: (packet.src, sport),
            destination: (packet.dst, port),
            direct_source: packet.src,
            tls: None,
            http: String::new(),
        };
        let account = Account {
            port,
            ..account::blank(connection)
        };
        self.decided(at, skb, &account, &[Stage::Listener]);
    }
}

/// A connection as its listener sees it, by what was said first.
fn connection(open: &Open, destination: (IpAddr, u16), said: Option<&Message>) -> Connection {
    let said = said.map(|said| &said.payload).filter(|p| p.tls == 0);
    let (tls, http) = match said.map(|payload| &payload.content) {
        Some(Content::Hello(hello)) => (Some(hello.clone()), ""),
        Some(Content::Request { version, .. }) => match version.alpn() {
            "h2" => (None, "h2c"),
            name => (None, name),
        },
        _ => (None, ""),
    };
    Connection {
        source: open.remote,
        destination,
        direct_source: open.remote.0,
        tls,
        http: http.into(),
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// It got no further than its own host.
fn ended(journey: &Journey) -> bool {
    let last = journey.hops.last().and_then(|h| h.steps.last());
    last.is_some_and(|s| matches!(s.action, Action::Dropped(_)))
}

/// The listener of a port; with `use_original_dst`, the one of the address that the client meant.
fn listener(config: &Config, port: u16, meant: (IpAddr, u16)) -> Option<(usize, &Listener)> {
    let all = || config.listeners.iter().enumerate();
    let bound = all().find(|(_, l)| l.binds && l.port == port)?;
    if !bound.1.use_original_dst {
        return Some(bound);
    }
    let exact = all().find(|(_, l)| (l.address, l.port) == meant);
    let any = || all().find(|(_, l)| l.address.is_unspecified() && l.port == meant.1);
    exact.or_else(any).or(Some(bound))
}
