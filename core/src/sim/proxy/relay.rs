use std::net::SocketAddr;

use super::super::engine::{Event, Sim};
use super::super::flows::{Ask, Open};
use super::super::skb::Skb;
use super::super::talk::Ends;
use super::{CONNECT_TIMEOUT, Message, position};
use crate::envoy::{Dice, Discovery, How, Pick, TcpProxy, Wish};
use crate::topology::HostId;
use crate::trace::{Account, Answer, Chosen, Stage, Tls};

/// Bytes that are passed on between two connections.
pub(super) struct Relay {
    host: HostId,
    /// The segment that came first, and the socket that took it.
    asked: Skb,
    socket: Open,
    account: Account,
    up: Option<Ends>,
    /// A segment from there, once there was one.
    heard: Option<(Skb, Open)>,
    waiting: Vec<Message>,
}

impl Sim<'_> {
    /// A TCP proxy has bytes from its client.
    pub(super) fn relay(
        &mut self,
        down: usize,
        tcp: &TcpProxy,
        skb: &Skb,
        open: &Open,
        message: &Message,
    ) {
        let Some(known) = self.proxies.downs.get(down) else {
            return;
        };
        let mut message = message.clone();
        if matches!(known.account.tls, Tls::Ended { .. }) {
            message.payload.tls = message.payload.tls.saturating_sub(1);
        }
        let at = match known.relay {
            Some(at) => at,
            None => match self.begin_relay(down, tcp, skb, open) {
                Some(at) => at,
                None => return,
            },
        };
        let Some(relay) = self.proxies.relays.get_mut(at) else {
            return;
        };
        relay.waiting.push(message);
        if let Some((skb, socket)) = relay.heard.clone() {
            self.flush(at, &skb, &socket);
        }
    }

    /// Chooses an endpoint and connects to it.
    pub(super) fn begin_relay(
        &mut self,
        down: usize,
        tcp: &TcpProxy,
        skb: &Skb,
        open: &Open,
    ) -> Option<usize> {
        let mut dice = Dice::new(self.random.next_u64());
        let known = self.proxies.downs.get(down)?;
        let (host, config) = (known.host, known.config);
        let mut account = known.account.clone();
        dice.coins = self.coins.take();
        account.cluster = tcp.pick(&mut dice).unwrap_or("").to_string();
        account.clusters = tcp.clusters.clone();
        let memory = self.proxies.memories.entry(host).or_default();
        let cluster = config.clusters.get(&account.cluster);
        let mut flag = "NC";
        let mut bind = None;
        if let Some(cluster) = cluster {
            bind = cluster.bind;
            flag = "UH";
            let to = account.connection.destination;
            let picked = match cluster.discovery {
                Discovery::OriginalDst => Ok((None, SocketAddr::new(to.0, to.1).to_string())),
                _ => cluster
                    .pick(&Wish::default(), memory, &mut dice)
                    .map(|pick| {
                        let endpoint = cluster.assignment.endpoints.get(pick.endpoint);
                        let address = endpoint.map(|e| e.address.clone());
                        (Some(pick), address.unwrap_or_default())
                    }),
            };
            match picked {
                Ok((pick, address)) => {
                    account.attempt = 1;
                    account.endpoint = Some(chosen(pick, address, |at| {
                        let endpoint = at.and_then(|at| cluster.assignment.endpoints.get(at));
                        cluster.hello(endpoint).cloned()
                    }));
                }
                Err(why) => account.no_host = Some(why),
            }
        }
        self.coins = dice.coins.take();
        let stages: &[Stage] = match cluster {
            Some(_) => &[Stage::Cluster, Stage::Endpoint],
            None => &[Stage::Cluster],
        };
        self.decided(host, skb, &account, stages);
        let hello = account.endpoint.as_ref().and_then(|e| e.hello.clone());
        let address = account.endpoint.as_ref().map(|e| e.address.parse().ok());
        let at = self.proxies.relays.len();
        self.proxies.relays.push(Relay {
            host,
            asked: skb.clone(),
            socket: open.clone(),
            account,
            up: None,
            heard: None,
            waiting: Vec::new(),
        });
        if let Some(known) = self.proxies.downs.get_mut(down) {
            known.relay = Some(at);
        }
        let ask = Ask {
            hello,
            request: None,
        };
        let up = match address {
            Some(Some(to)) => self.dial_upstream(host, skb, open, to, self.source(down, bind), ask),
            Some(None) => None,
            None => {
                self.end_relay(at, flag);
                return None;
            }
        };
        if up.is_none() {
            self.end_relay(at, "UF");
            return None;
        }
        self.proxies.relays.get_mut(at)?.up = up;
        self.after(CONNECT_TIMEOUT, Event::NoRelay { relay: at });
        Some(at)
    }

    fn relay_of(&self, at: HostId, open: &Open) -> Option<usize> {
        let ends = Some((open.local, open.remote));
        let mut all = self.proxies.relays.iter();
        all.position(|r| r.host == at && r.up == ends)
    }

    /// The connection to the endpoint is there, TLS and all.
    pub(in super::super) fn relay_is_ready(&mut self, at: HostId, skb: &Skb, socket: &Open) {
        let Some(relay) = self.relay_of(at, socket) else {
            return;
        };
        self.flush(relay, skb, socket);
    }

    fn flush(&mut self, at: usize, skb: &Skb, socket: &Open) {
        let Some(relay) = self.proxies.relays.get_mut(at) else {
            return;
        };
        relay.heard = Some((skb.clone(), socket.clone()));
        let host = relay.host;
        let tls = relay
            .account
            .endpoint
            .as_ref()
            .is_some_and(|e| e.hello.is_some());
        for mut message in std::mem::take(&mut relay.waiting) {
            if tls {
                message.payload = message.payload.wrapped();
            }
            self.speak(host, skb, socket, message);
        }
    }

    /// Bytes have come back. False: nobody passes this socket's bytes on.
    pub(in super::super) fn relay_back(
        &mut self,
        at: HostId,
        skb: &Skb,
        socket: &Open,
        message: &Message,
    ) -> bool {
        let Some(relay) = self.relay_of(at, socket) else {
            return false;
        };
        let Some(relay) = self.proxies.relays.get_mut(relay) else {
            return false;
        };
        relay.heard = Some((skb.clone(), socket.clone()));
        let mut message = message.clone();
        if relay
            .account
            .endpoint
            .as_ref()
            .is_some_and(|e| e.hello.is_some())
        {
            message.payload.tls = message.payload.tls.saturating_sub(1);
        }
        if matches!(relay.account.tls, Tls::Ended { .. }) {
            message.payload = message.payload.wrapped();
        }
        let (asked, socket) = (relay.asked.clone(), relay.socket.clone());
        self.speak(at, &asked, &socket, message);
        true
    }

    pub(super) fn relay_refused(&mut self, at: HostId, open: &Open) {
        if let Some(relay) = self.relay_of(at, open) {
            self.end_relay(relay, "UF");
        }
    }

    /// The wait for a connection is over.
    pub(in super::super) fn no_relay(&mut self, at: usize) {
        let relay = self.proxies.relays.get(at);
        if relay.is_some_and(|r| r.up.is_some() && r.heard.is_none()) {
            self.end_relay(at, "UF");
        }
    }

    /// Nothing more to pass on: the client's connection ends too.
    fn end_relay(&mut self, at: usize, flag: &'static str) {
        let Some(relay) = self.proxies.relays.get_mut(at) else {
            return;
        };
        relay.up = None;
        relay.account.answer = Some(Answer {
            status: 0,
            own: true,
            location: None,
            flags: vec![flag],
            details: String::new(),
            log: String::new(),
        });
        let (host, account) = (relay.host, relay.account.clone());
        let (asked, socket) = (relay.asked.clone(), relay.socket.clone());
        self.decided(host, &asked, &account, &[Stage::Answer]);
        self.close(host, &asked, &socket);
    }

    /// The bytes are not HTTP: 400, which who speaks TLS cannot read.
    pub(super) fn refuse_bytes(&mut self, down: usize, skb: &Skb) {
        let Some(known) = self.proxies.downs.get(down) else {
            return;
        };
        let (host, mut account) = (known.host, known.account.clone());
        account.answer = Some(Answer {
            status: 400,
            own: true,
            location: None,
            flags: vec!["DPE"],
            details: "http1.codec_error".into(),
            log: String::new(),
        });
        self.decided(host, skb, &account, &[Stage::Answer]);
    }
}

fn chosen(
    pick: Option<Pick>,
    address: String,
    hello: impl Fn(Option<usize>) -> Option<crate::envoy::ClientHello>,
) -> Chosen {
    let at = pick.as_ref().map(|p| p.endpoint);
    let odds = pick.iter().flat_map(|p| &p.odds);
    Chosen {
        address,
        at: at.map(position),
        odds: odds.map(|(at, w)| (position(*at), *w)).collect(),
        panic: pick.as_ref().is_some_and(|p| p.panic),
        how: pick.map_or(How::InTurn, |p| p.how),
        hello: hello(at),
        request: None,
    }
}
