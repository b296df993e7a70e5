use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::engine::{Event, Sim};
use super::flows::Open;
use super::output::SendOptions;
use super::skb::Skb;
use crate::conntrack::{Tuple, ZoneId};
use crate::envoy::{
    Config, Connection, Exchange, FilterChain, Listener, Memory, Outcome, Terminal,
};
use crate::net::{Packet, Protocol, Request, Response, TcpFlags, Transport};
use crate::netfilter::SocketOwner;
use crate::topology::HostId;
use crate::trace::{Action, Journey, Maker, Part, Proxied};

/// What a segment's bytes say, beside its headers.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Request(Request),
    Response(Response),
}

/// The proxies of a run: requests on their way through them, and what they remember between requests.
#[derive(Default)]
pub(super) struct Proxies<'w> {
    under_way: Vec<Passage<'w>>,
    memories: BTreeMap<HostId, Memory>,
}

impl Proxies<'_> {
    /// Gives up the requests under way; what the proxies remember stays.
    pub fn forget(&mut self) {
        self.under_way.clear();
    }
}

/// A request on its way through a proxy.
struct Passage<'w> {
    host: HostId,
    listener: String,
    exchange: Exchange<'w>,
    /// The segment that brought the request, and the socket that took it.
    asked: Skb,
    socket: Open,
    /// The connection of the attempt that waits: its own end and the other.
    upstream: Option<((IpAddr, u16), (IpAddr, u16))>,
    attempts: usize,
    began: u64,
}

/// Who Istio's proxy runs as (`ENVOY_UID` of istio-iptables).
const OWNER: SocketOwner = SocketOwner {
    uid: 1337,
    gid: 1337,
};

/// Istio's `connectTimeout`, in milliseconds.
const CONNECT_TIMEOUT: u64 = 10_000;

impl<'w> Sim<'w> {
    /// A request has come to a proxy's socket. False: nobody proxies here.
    pub(super) fn proxy_request(
        &mut self,
        at: HostId,
        skb: &Skb,
        open: &Open,
        request: &Request,
    ) -> bool {
        let Some(config) = self.host(at).and_then(|h| h.envoy.as_deref()) else {
            return false;
        };
        let Some((_, port)) = open.listener else {
            return false;
        };
        let destination = self.original_destination(at, open);
        let Some(listener) = listener(config, port, destination) else {
            return false;
        };
        let connection = Connection {
            source: open.remote,
            destination,
            direct_source: open.remote.0,
            tls: None,
            http: "http/1.1".into(),
        };
        let Some((chain, hcm)) = http_chain(listener, &connection) else {
            let said = Proxied {
                listener: listener.name.clone(),
                ..Proxied::default()
            };
            self.step(at, skb, Part::Process, Action::Proxied(Box::new(said)));
            let fin = TcpFlags::FIN | TcpFlags::ACK;
            let maker = Maker::Process(open.process.clone());
            self.say(at, skb, fin, 0, maker, open);
            return true;
        };
        let seed = self.random.next_u64();
        let memory = self.proxies.memories.entry(at).or_default();
        let exchange = Exchange::begin(
            config,
            chain,
            hcm,
            &connection,
            request.clone(),
            memory,
            seed,
        );
        self.proxies.under_way.push(Passage {
            host: at,
            listener: listener.name.clone(),
            exchange,
            asked: skb.clone(),
            socket: open.clone(),
            upstream: None,
            attempts: 0,
            began: self.now,
        });
        self.advance(self.proxies.under_way.len() - 1);
        true
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

    /// Attempts until one has to be waited for, or there is an answer.
    fn advance(&mut self, at: usize) {
        while let Some(outcome) = self.proceed(at) {
            self.tell(at, outcome);
            if self.recorder.is_full() {
                break;
            }
        }
    }

    /// The next attempt, or the answer. Gives the outcome of an attempt that failed at once.
    fn proceed(&mut self, at: usize) -> Option<Outcome> {
        let now = self.now;
        let failed = Some(Outcome::NoConnection { after: 0 });
        let passage = self.proxies.under_way.get_mut(at)?;
        let host = passage.host;
        let said = Action::Proxied(Box::new(passage.said()));
        let (asked, socket) = (passage.asked.clone(), passage.socket.clone());
        let Some(attempt) = passage.exchange.waiting() else {
            let response = passage.exchange.answer.clone().unwrap_or_default();
            passage.upstream = None;
            self.step(host, &asked, Part::Process, said);
            self.respond(host, &asked, &socket, response);
            return None;
        };
        let address = attempt.address.parse::<SocketAddr>().ok();
        let request = attempt.request.clone();
        passage.attempts += 1;
        passage.began = now;
        let number = passage.attempts;
        self.step(host, &asked, Part::Process, said);
        let Some(to) = address else {
            return failed;
        };
        let ports = self
            .host(host)
            .map_or((32768, 60999), |h| h.sysctls.local_ports);
        let span = u32::from(ports.1.saturating_sub(ports.0)) + 1;
        let packet = Packet {
            src: IpAddr::from([0; 4]),
            dst: to.ip(),
            ttl: self.host(host).map_or(64, |h| h.sysctls.ttl),
            tos: 0,
            transport: Transport::Tcp {
                sport: ports.0.saturating_add(self.random.below(span) as u16),
                dport: to.port(),
                flags: TcpFlags::SYN,
            },
            payload: 0,
        };
        let options = SendOptions {
            owner: Some(OWNER),
            ..SendOptions::default()
        };
        let process = socket.process.clone();
        let cause = Some(asked.journey);
        let (journey, own) = self.connect(host, packet, cause, process, Some(request), &options);
        let Some(ends) = own else {
            return failed;
        };
        // A rule on the proxy's own host may have refused it at once.
        if self
            .recorder
            .journeys
            .get(journey as usize)
            .is_some_and(ended)
        {
            return failed;
        }
        self.proxies.under_way.get_mut(at)?.upstream = Some(ends);
        let event = Event::NoConnection {
            passage: at,
            attempt: number,
        };
        self.after(CONNECT_TIMEOUT, event);
        None
    }

    fn tell(&mut self, at: usize, outcome: Outcome) {
        if let Some(passage) = self.proxies.under_way.get_mut(at) {
            passage.upstream = None;
            let memory = self.proxies.memories.entry(passage.host).or_default();
            passage.exchange.outcome(outcome, memory);
        }
    }

    fn told(&mut self, at: usize, outcome: Outcome) {
        self.tell(at, outcome);
        self.advance(at);
    }

    /// Whether an attempt still has neither a connection's answer nor its refusal.
    pub(super) fn waits(&self, at: usize, attempt: usize) -> bool {
        let passage = self.proxies.under_way.get(at);
        passage.is_some_and(|p| p.attempts == attempt && p.upstream.is_some())
    }

    /// The wait for a connection is over.
    pub(super) fn no_connection(&mut self, at: usize) {
        let after = CONNECT_TIMEOUT;
        self.told(at, Outcome::NoConnection { after });
    }

    /// The passage whose attempt this socket is.
    fn passage_of(&self, at: HostId, open: &Open) -> Option<usize> {
        let ends = Some((open.local, open.remote));
        let mut all = self.proxies.under_way.iter();
        all.position(|p| p.host == at && p.upstream == ends)
    }

    /// An upstream has answered. False: this socket is not a proxy's.
    pub(super) fn upstream_answered(
        &mut self,
        at: HostId,
        open: &Open,
        response: &Response,
    ) -> bool {
        let Some(passage) = self.passage_of(at, open) else {
            return false;
        };
        let began = self.proxies.under_way.get(passage).map_or(0, |p| p.began);
        let outcome = Outcome::Answer {
            response: response.clone(),
            after: self.now.saturating_sub(began),
        };
        self.told(passage, outcome);
        true
    }

    /// An upstream has refused the connection, or an error came back.
    pub(super) fn upstream_refused(&mut self, at: HostId, open: &Open) {
        if let Some(passage) = self.passage_of(at, open) {
            self.told(passage, Outcome::Refused);
        }
    }

    /// Sends an answer's head and body.
    pub(super) fn respond(&mut self, at: HostId, to: &Skb, socket: &Open, response: Response) {
        let maker = Maker::Process(socket.process.clone());
        let flags = TcpFlags::PSH | TcpFlags::ACK;
        let size = response.length();
        let journey = self.say(at, to, flags, size, maker, socket);
        self.messages.insert(journey, Message::Response(response));
    }
}

/// It got no further than its own host.
fn ended(journey: &Journey) -> bool {
    let last = journey.hops.last().and_then(|h| h.steps.last());
    last.is_some_and(|s| matches!(s.action, Action::Dropped(_)))
}

impl Passage<'_> {
    fn said(&self) -> Proxied {
        let exchange = &self.exchange;
        let route = exchange.route.map(|(_, r)| r);
        Proxied {
            listener: self.listener.clone(),
            chain: true,
            vhost: exchange.vhost.map_or_else(String::new, |v| v.name.clone()),
            route: route.map_or_else(String::new, |r| r.name.clone()),
            cluster: exchange.cluster.clone(),
            endpoint: exchange.waiting().map(|a| a.address.clone()),
            status: exchange.answer.as_ref().map(|a| a.status),
            own_answer: exchange.local,
            flags: exchange.flags.iter().map(|f| f.as_str()).collect(),
            details: exchange.details.clone(),
            span: route.map(|r| r.span).or(exchange.vhost.map(|v| v.span)),
        }
    }
}

/// The listener of a port; with `use_original_dst`, the one of the address that the client meant.
fn listener(config: &Config, port: u16, meant: (IpAddr, u16)) -> Option<&Listener> {
    let all = || config.listeners.iter();
    let bound = all().find(|l| l.binds && l.port == port)?;
    if !bound.use_original_dst {
        return Some(bound);
    }
    let exact = all().find(|l| (l.address, l.port) == meant);
    let any = || all().find(|l| l.address.is_unspecified() && l.port == meant.1);
    exact.or_else(any).or(Some(bound))
}

fn http_chain<'c>(
    listener: &'c Listener,
    connection: &Connection,
) -> Option<(&'c FilterChain, &'c crate::envoy::Hcm)> {
    let chain = listener.accept(connection).chain?;
    match &chain.end {
        Terminal::Http(hcm) => Some((chain, hcm)),
        Terminal::Tcp(_) | Terminal::Other(_) => None,
    }
}
