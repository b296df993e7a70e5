use std::net::SocketAddr;

use super::super::engine::{Author, Event, Sim};
use super::super::flows::{Ask, Open};
use super::super::skb::Skb;
use super::super::talk::Ends;
use super::{CONNECT_TIMEOUT, Message, Source, account};
use crate::envoy::{Asks, Dice, Exchange, Hcm, Outcome};
use crate::net::{HttpVersion, Request, Response};
use crate::topology::HostId;
use crate::trace::{Account, Content, Stage, Tls};

/// A request on its way through a proxy.
pub(super) struct Passage<'w> {
    pub host: HostId,
    down: usize,
    exchange: Exchange<'w>,
    /// The segment that brought the request, and the socket that took it.
    asked: Skb,
    socket: Open,
    /// The segment that moved it last: what is decided now is decided over it.
    here: Skb,
    /// The connection of the attempt that waits.
    upstream: Option<Ends>,
    /// The last one, for the log.
    last: Option<Ends>,
    attempts: usize,
    began: u64,
    attempt_began: u64,
    /// Of the answer that came: who made it.
    by: Option<Author>,
}

impl<'w> Sim<'w> {
    /// A connection manager has a request.
    pub(super) fn proxy_request(
        &mut self,
        down: usize,
        hcm: &'w Hcm,
        skb: &Skb,
        open: &Open,
        request: &Request,
    ) {
        let mut dice = Dice::new(self.random.next_u64());
        let Some(known) = self.proxies.downs.get(down) else {
            return;
        };
        let Some(chain) = known.chain else { return };
        let (host, config) = (known.host, known.config);
        let connection = known.account.connection.clone();
        let memory = self.proxies.memories.entry(host).or_default();
        memory.time = self.began.map(|began| began.after(self.now));
        let request = request.clone();
        dice.coins = self.coins.take();
        let mut exchange = Exchange::begin(config, chain, hcm, &connection, request, memory, dice);
        self.coins = exchange.dice.coins.take();
        let delayed = exchange.delayed;
        let unknown = exchange.unknown.clone();
        let stages = account::stages(&exchange);
        let at = self.proxies.under_way.len();
        self.proxies.under_way.push(Passage {
            host,
            down,
            exchange,
            asked: skb.clone(),
            socket: open.clone(),
            here: skb.clone(),
            upstream: None,
            last: None,
            attempts: 0,
            began: self.now,
            attempt_began: self.now,
            by: None,
        });
        if let Some(account) = self.account(at) {
            self.decided(host, skb, &account, &stages);
        }
        if let Some(what) = unknown {
            let stage = match what.asks {
                Asks::Route => Stage::Route,
                Asks::Token => Stage::Token,
                Asks::Access => Stage::Access,
                Asks::Filter => Stage::Filter,
            };
            return self.cannot_tell(host, skb, stage, what);
        }
        if delayed > 0 {
            return self.after(delayed, Event::Resume { passage: at });
        }
        self.advance(at);
    }

    fn account(&self, passage: usize) -> Option<Account> {
        let passage = self.proxies.under_way.get(passage)?;
        let down = self.proxies.downs.get(passage.down)?;
        let mut account = account::of(&down.account, down.config, &passage.exchange);
        if let Some(answer) = &mut account.answer {
            answer.log = account::log(&account::Logged {
                exchange: &passage.exchange,
                connection: &down.account.connection,
                run: self.began.unwrap_or_default(),
                began: passage.began,
                now: self.now,
                waited: self.now.saturating_sub(passage.attempt_began),
                local: passage.last.map(|ends| ends.0),
            });
        }
        Some(account)
    }

    /// Attempts until one has to be waited for, or there is an answer.
    pub(in super::super) fn advance(&mut self, at: usize) {
        while let Some(outcome) = self.proceed(at) {
            self.tell(at, outcome);
            if self.recorder.is_full() {
                break;
            }
        }
    }

    /// The next attempt, or the answer. Gives the outcome of an attempt that failed at once.
    fn proceed(&mut self, at: usize) -> Option<Outcome> {
        let failed = Some(Outcome::NoConnection { after: 0 });
        let now = self.now;
        let account = self.account(at)?;
        let passage = self.proxies.under_way.get_mut(at)?;
        let host = passage.host;
        let (asked, socket) = (passage.asked.clone(), passage.socket.clone());
        let here = passage.here.clone();
        let Some(attempt) = passage.exchange.waiting() else {
            let response = passage.exchange.answer.clone()?;
            let by = match passage.exchange.local {
                true => Some(Author { host, proxy: true }),
                false => passage.by,
            };
            passage.upstream = None;
            self.decided(host, &here, &account, &[Stage::Answer]);
            let tls = matches!(account.tls, Tls::Ended { .. });
            self.respond(host, &asked, &socket, response, by, tls);
            return None;
        };
        let address = attempt.address.parse::<SocketAddr>().ok();
        let request = attempt.request.clone();
        let endpoint = account.endpoint.as_ref();
        let hello = endpoint.and_then(|e| e.hello.clone());
        let config = self.proxies.downs.get(passage.down)?.config;
        let bind = config.clusters.get(&account.cluster).and_then(|c| c.bind);
        let down = passage.down;
        passage.attempts += 1;
        passage.attempt_began = now;
        let number = passage.attempts;
        let mirrors = match number {
            1 => passage.exchange.mirrors.clone(),
            _ => Vec::new(),
        };
        if number > 1 {
            self.decided(host, &here, &account, &[Stage::Endpoint]);
        }
        for mirror in mirrors {
            let Ok(to) = mirror.address.parse::<SocketAddr>() else {
                continue;
            };
            let cluster = config.clusters.get(&mirror.cluster);
            let hello = cluster.and_then(|c| {
                let endpoints = c.assignment.endpoints.iter();
                c.hello(endpoints.clone().find(|e| e.address == mirror.address))
            });
            let ask = Ask {
                hello: hello.cloned(),
                request: Some((mirror.request, HttpVersion::Http1)),
            };
            self.dial_upstream(host, &here, &socket, to, Source::default(), ask);
        }
        let Some(to) = address else {
            return failed;
        };
        let ask = Ask {
            hello,
            request: Some((request, HttpVersion::Http1)),
        };
        let source = self.source(down, bind);
        let Some(ends) = self.dial_upstream(host, &here, &socket, to, source, ask) else {
            return failed;
        };
        let passage = self.proxies.under_way.get_mut(at)?;
        (passage.upstream, passage.last) = (Some(ends), Some(ends));
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
            passage.exchange.dice.coins = self.coins.take();
            passage.exchange.outcome(outcome, memory);
            self.coins = passage.exchange.dice.coins.take();
        }
    }

    fn told(&mut self, at: usize, outcome: Outcome) {
        self.tell(at, outcome);
        self.advance(at);
    }

    /// Whether an attempt still has neither a connection's answer nor its refusal.
    pub(in super::super) fn waits(&self, at: usize, attempt: usize) -> bool {
        let passage = self.proxies.under_way.get(at);
        passage.is_some_and(|p| p.attempts == attempt && p.upstream.is_some())
    }

    /// The wait for a connection is over.
    pub(in super::super) fn no_connection(&mut self, at: usize) {
        let after = CONNECT_TIMEOUT;
        self.told(at, Outcome::NoConnection { after });
    }

    /// The passage whose attempt this socket is.
    fn passage_of(&self, at: HostId, open: &Open) -> Option<usize> {
        let ends = Some((open.local, open.remote));
        let mut all = self.proxies.under_way.iter();
        all.position(|p| p.host == at && p.upstream == ends)
    }

    /// An upstream has answered.
    pub(in super::super) fn upstream_answered(
        &mut self,
        at: HostId,
        skb: &Skb,
        open: &Open,
        response: &Response,
        by: Option<Author>,
    ) {
        let Some(passage) = self.passage_of(at, open) else {
            return;
        };
        let now = self.now;
        let mut after = 0;
        if let Some(passage) = self.proxies.under_way.get_mut(passage) {
            passage.by = by;
            passage.here = skb.clone();
            after = now.saturating_sub(passage.attempt_began);
        }
        let response = response.clone();
        self.told(passage, Outcome::Answer { response, after });
    }

    /// An upstream has ended the connection before it answered. `by`: as a proxy, which nothing better came of than that.
    pub(in super::super) fn upstream_broken(
        &mut self,
        at: HostId,
        skb: &Skb,
        open: &Open,
        by: Option<HostId>,
    ) {
        if let Some(passage) = self.passage_of(at, open)
            && by.is_some()
        {
            self.moved(passage, skb);
            let began = self.proxies.under_way.get(passage);
            let began = began.map_or(0, |p| p.attempt_began);
            let after = self.now.saturating_sub(began);
            self.told(passage, Outcome::Broken { after });
        }
    }

    fn moved(&mut self, passage: usize, skb: &Skb) {
        if let Some(passage) = self.proxies.under_way.get_mut(passage) {
            passage.here = skb.clone();
        }
    }

    pub(super) fn passage_refused(&mut self, at: HostId, skb: &Skb, open: &Open) {
        if let Some(passage) = self.passage_of(at, open) {
            self.moved(passage, skb);
            self.told(passage, Outcome::Refused);
        }
    }

    /// Sends an answer's head and body.
    fn respond(
        &mut self,
        at: HostId,
        to: &Skb,
        socket: &Open,
        response: Response,
        by: Option<Author>,
        tls: bool,
    ) {
        let mut message = Message::of(Content::Response(response));
        message.by = by;
        if tls {
            message.payload = message.payload.wrapped();
        }
        self.speak(at, to, socket, message);
    }
}
