use std::net::IpAddr;

use super::{Account, Considered, Forwarding, Listener, LoadBalancer, Occasion, Verdict};
use crate::net::{Coins, Icmp, Packet, Protocol, Transport};

/// What a balancer remembers between packets.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// How many new connections each listener has seen.
    turns: Vec<u64>,
    flows: Vec<Flow>,
    /// Chance, where a script takes the place of turns.
    pub coins: Option<Coins>,
}

/// A connection that was passed on.
#[derive(Clone, Copy, Debug)]
struct Flow {
    protocol: Protocol,
    client: (IpAddr, u16),
    /// What the client speaks to.
    front: (IpAddr, u16),
    /// Whom the backend answers to: the client, or the balancer itself.
    near: (IpAddr, u16),
    /// What the backend is spoken to as: itself, or the front.
    far: (IpAddr, u16),
    listener: u16,
    backend: u16,
    /// The backend itself, whatever becomes of the lists.
    via: IpAddr,
}

/// What is to happen with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handling {
    /// None of the balancer's business: it is routed like any other.
    Pass,
    /// Sent on as rewritten. `next_hop` replaces the route's own; without one the packet's destination decides.
    Forward {
        account: Account,
        packet: Packet,
        next_hop: Option<IpAddr>,
    },
    /// Nobody to give it to: dropped without a word.
    Drop(Account),
}

impl LoadBalancer {
    pub fn handle(&self, state: &mut State, packet: &Packet) -> Handling {
        if let Transport::Icmp(Icmp {
            gateway: None,
            target: None,
            about: Some(about),
            ..
        }) = &packet.transport
            && let Some(handling) = self.error(state, packet, about)
        {
            return handling;
        }
        if let Some(flow) = state.flows.iter().find(|f| f.answers(packet)) {
            // A destination that was kept comes back as the front already: the router has nothing to undo.
            if self.forwarding(flow.listener) == Forwarding::KeepDestination {
                return Handling::Pass;
            }
            let packet = rewritten(packet, flow.front, flow.client);
            return flow.forward(Occasion::Answer, packet, None);
        }
        if !self.owns(packet.dst) {
            return Handling::Pass;
        }
        if let Some(flow) = state.flows.iter().find(|f| f.asks(packet)) {
            return self.onward(flow, Occasion::Known, packet, Vec::new());
        }
        let Some((at, listener)) = self.listener(packet) else {
            return Handling::Drop(Account {
                occasion: Occasion::Stray,
                listener: None,
                backend: None,
                considered: Vec::new(),
            });
        };
        self.open(state, packet, at, listener)
    }

    /// An ICMP error that the balancer itself makes about what it passed on says what the client sent, as the front (kernel
    /// `nf_nat_icmp_reply_translation` in POSTROUTING). `None`: the packet stays as it is.
    pub fn own_error(&self, state: &State, packet: &Packet) -> Option<(Account, Packet)> {
        let Transport::Icmp(Icmp {
            gateway: None,
            target: None,
            about: Some(about),
            ..
        }) = &packet.transport
        else {
            return None;
        };
        match self.error(state, packet, about)? {
            Handling::Forward {
                account, packet, ..
            } => Some((account, packet)),
            Handling::Pass | Handling::Drop(_) => None,
        }
    }

    fn listener(&self, packet: &Packet) -> Option<(u16, &Listener)> {
        let at = self.listeners.iter().position(|l| {
            l.addr == packet.dst
                && l.protocol == packet.protocol()
                && packet.dport() == Some(l.port)
        })?;
        Some((u16::try_from(at).ok()?, self.listeners.get(at)?))
    }

    /// The first packet of a connection.
    fn open(&self, state: &mut State, packet: &Packet, at: u16, listener: &Listener) -> Handling {
        let wanted = self.listeners.len().max(usize::from(at) + 1);
        state.turns.resize(wanted.max(state.turns.len()), 0);
        let mut turn = state.turns.get(usize::from(at)).copied().unwrap_or(0);
        if let Some(coins) = &mut state.coins {
            coins.at = listener.span;
            turn = listener.tossed(coins).unwrap_or(turn);
        }
        let verdicts = listener.choose(packet.src, turn);
        let considered: Vec<_> = (0..)
            .zip(&verdicts)
            .map(|(backend, verdict)| Considered {
                backend,
                verdict: *verdict,
            })
            .collect();
        let chosen = considered.iter().find(|c| c.verdict == Verdict::Chosen);
        let backend = chosen.and_then(|c| {
            let backend = listener.backends.get(usize::from(c.backend))?;
            Some((c.backend, backend))
        });
        let Some((number, backend)) = backend else {
            return Handling::Drop(Account {
                occasion: Occasion::New,
                listener: Some(at),
                backend: None,
                considered,
            });
        };
        if let Some(turns) = state.turns.get_mut(usize::from(at)) {
            *turns += 1;
        }
        let client = (packet.src, packet.sport().unwrap_or(0));
        let front = (packet.dst, packet.dport().unwrap_or(0));
        let forwarding = self.forwarding(at);
        let far = match forwarding {
            Forwarding::KeepDestination => front,
            _ => (backend.addr, backend.port),
        };
        let near = match forwarding {
            Forwarding::FullNat { source } => (
                source,
                state.free_port(listener.protocol, source, client.1, far),
            ),
            _ => client,
        };
        let flow = Flow {
            protocol: listener.protocol,
            client,
            front,
            near,
            far,
            listener: at,
            backend: number,
            via: backend.addr,
        };
        state.flows.push(flow);
        self.onward(&flow, Occasion::New, packet, considered)
    }

    /// To the backend.
    fn onward(
        &self,
        flow: &Flow,
        occasion: Occasion,
        packet: &Packet,
        considered: Vec<Considered>,
    ) -> Handling {
        let next_hop = match self.forwarding(flow.listener) {
            Forwarding::KeepDestination => Some(flow.via),
            _ => None,
        };
        Handling::Forward {
            account: flow.account(occasion, considered),
            packet: rewritten(packet, flow.near, flow.far),
            next_hop,
        }
    }

    /// An ICMP error about a packet of a connection goes the connection's way, its contents translated alike (RFC 5508,
    /// section 4.2; kernel `nf_nat_icmp_reply_translation`).
    fn error(&self, state: &State, packet: &Packet, about: &Packet) -> Option<Handling> {
        let rewrites = |f: &&Flow| self.forwarding(f.listener) != Forwarding::KeepDestination;
        // About what the balancer sent to a backend: for the client, as if it came from the front.
        let sent = |f: &&Flow| f.matches(about, f.near, f.far);
        if let Some(flow) = state.flows.iter().filter(rewrites).find(sent) {
            let mut error = packet.clone();
            (error.src, error.dst) = (flow.front.0, flow.client.0);
            set_about(&mut error, rewritten(about, flow.client, flow.front));
            return Some(flow.forward(Occasion::Answer, error, None));
        }
        // About what it sent to a client: for the backend.
        let answered = |f: &&Flow| f.matches(about, f.front, f.client);
        let flow = state.flows.iter().filter(rewrites).find(answered)?;
        let mut error = packet.clone();
        if error.src == flow.client.0 {
            error.src = flow.near.0;
        }
        error.dst = flow.far.0;
        set_about(&mut error, rewritten(about, flow.far, flow.near));
        Some(flow.forward(Occasion::Known, error, None))
    }
}

impl Flow {
    fn asks(&self, packet: &Packet) -> bool {
        self.matches(packet, self.client, self.front)
    }

    fn answers(&self, packet: &Packet) -> bool {
        self.matches(packet, self.far, self.near)
    }

    fn matches(&self, packet: &Packet, src: (IpAddr, u16), dst: (IpAddr, u16)) -> bool {
        packet.protocol() == self.protocol
            && (packet.src, packet.dst) == (src.0, dst.0)
            && (packet.sport(), packet.dport()) == (Some(src.1), Some(dst.1))
    }

    fn account(&self, occasion: Occasion, considered: Vec<Considered>) -> Account {
        Account {
            occasion,
            listener: Some(self.listener),
            backend: Some(self.backend),
            considered,
        }
    }

    fn forward(&self, occasion: Occasion, packet: Packet, next_hop: Option<IpAddr>) -> Handling {
        Handling::Forward {
            account: self.account(occasion, Vec::new()),
            packet,
            next_hop,
        }
    }
}

impl State {
    /// The client's own port, or the next one that no connection to this backend has.
    fn free_port(
        &self,
        protocol: Protocol,
        source: IpAddr,
        wanted: u16,
        far: (IpAddr, u16),
    ) -> u16 {
        let taken = |port: u16| {
            self.flows
                .iter()
                .any(|f| f.protocol == protocol && f.near == (source, port) && f.far == far)
        };
        let after = (wanted..=u16::MAX).chain(1024..wanted.max(1024));
        after.into_iter().find(|p| !taken(*p)).unwrap_or(wanted)
    }
}

fn rewritten(packet: &Packet, src: (IpAddr, u16), dst: (IpAddr, u16)) -> Packet {
    let mut packet = packet.clone();
    (packet.src, packet.dst) = (src.0, dst.0);
    if let Transport::Tcp { sport, dport, .. }
    | Transport::Udp { sport, dport }
    | Transport::Sctp { sport, dport } = &mut packet.transport
    {
        (*sport, *dport) = (src.1, dst.1);
    }
    packet
}

fn set_about(error: &mut Packet, about: Packet) {
    if let Transport::Icmp(icmp) = &mut error.transport {
        icmp.about = Some(Box::new(about));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TcpFlags;
    use crate::text::Span;

    use super::super::{Backend, Health, Scheduler};

    fn balancer(forwarding: Forwarding) -> LoadBalancer {
        let backend = |name: &str, addr: &str| Backend {
            name: name.into(),
            addr: addr.parse().unwrap(),
            port: 31061,
            weight: 100,
            health: Health::Unchecked,
            span: Span::default(),
        };
        LoadBalancer {
            forwarding,
            listeners: vec![Listener {
                addr: "182.92.251.227".parse().unwrap(),
                port: 80,
                protocol: Protocol::TCP,
                scheduler: Scheduler::RoundRobin,
                forwarding: None,
                fail_open: false,
                check: None,
                backends: vec![
                    backend("work001", "192.168.0.17"),
                    backend("work002", "192.168.0.18"),
                ],
                span: Span::default(),
            }],
        }
    }

    fn packet(text: &str) -> Packet {
        let (src, dst) = text.split_once(" > ").unwrap();
        let end = |s: &str| -> std::net::SocketAddr { s.parse().unwrap() };
        let (src, dst) = (end(src), end(dst));
        Packet {
            src: src.ip(),
            dst: dst.ip(),
            ttl: 64,
            tos: 0,
            transport: Transport::Tcp {
                sport: src.port(),
                dport: dst.port(),
                flags: TcpFlags::SYN,
            },
            payload: 0,
        }
    }

    fn ends(packet: &Packet) -> String {
        format!(
            "{}:{} > {}:{}",
            packet.src,
            packet.sport().unwrap(),
            packet.dst,
            packet.dport().unwrap()
        )
    }

    /// What comes out for what goes in; the next hop behind `via`.
    fn out(balancer: &LoadBalancer, state: &mut State, text: &str) -> String {
        match balancer.handle(state, &packet(text)) {
            Handling::Pass => "pass".to_string(),
            Handling::Drop(account) => balancer.tell(&account).key.to_string(),
            Handling::Forward {
                packet, next_hop, ..
            } => match next_hop {
                Some(hop) => format!("{} via {hop}", ends(&packet)),
                None => ends(&packet),
            },
        }
    }

    #[test]
    fn rewriting_the_destination_is_undone_for_the_answer() {
        let (lb, mut state) = (balancer(Forwarding::RewriteDestination), State::default());
        let mut out = |text| out(&lb, &mut state, text);
        assert_eq!(
            out("203.0.113.9:40000 > 182.92.251.227:80"),
            "203.0.113.9:40000 > 192.168.0.17:31061"
        );
        assert_eq!(
            out("203.0.113.9:40001 > 182.92.251.227:80"),
            "203.0.113.9:40001 > 192.168.0.18:31061"
        );
        assert_eq!(
            out("192.168.0.17:31061 > 203.0.113.9:40000"),
            "182.92.251.227:80 > 203.0.113.9:40000"
        );
        assert_eq!(
            out("203.0.113.9:40000 > 182.92.251.227:80"),
            "203.0.113.9:40000 > 192.168.0.17:31061",
            "a known connection stays where it is"
        );
    }

    #[test]
    fn full_nat_speaks_in_its_own_name_and_never_twice_with_one_port() {
        let source = "192.168.0.100".parse().unwrap();
        let (lb, mut state) = (balancer(Forwarding::FullNat { source }), State::default());
        let mut out = |text| out(&lb, &mut state, text);
        assert_eq!(
            out("203.0.113.9:40000 > 182.92.251.227:80"),
            "192.168.0.100:40000 > 192.168.0.17:31061"
        );
        out("203.0.113.8:1 > 182.92.251.227:80");
        assert_eq!(
            out("203.0.113.77:40000 > 182.92.251.227:80"),
            "192.168.0.100:40001 > 192.168.0.17:31061"
        );
        assert_eq!(
            out("192.168.0.17:31061 > 192.168.0.100:40001"),
            "182.92.251.227:80 > 203.0.113.77:40000"
        );
    }

    #[test]
    fn a_kept_destination_goes_to_the_node_as_next_hop() {
        let (lb, mut state) = (balancer(Forwarding::KeepDestination), State::default());
        let mut out = |text| out(&lb, &mut state, text);
        assert_eq!(
            out("203.0.113.9:40000 > 182.92.251.227:80"),
            "203.0.113.9:40000 > 182.92.251.227:80 via 192.168.0.17"
        );
        assert_eq!(out("182.92.251.227:80 > 203.0.113.9:40000"), "pass");
    }

    #[test]
    fn other_ports_of_its_addresses_are_dropped_and_other_addresses_pass() {
        let (mut lb, mut state) = (balancer(Forwarding::RewriteDestination), State::default());
        assert_eq!(
            out(&lb, &mut state, "203.0.113.9:1 > 182.92.251.227:81"),
            "load_balancer/stray"
        );
        assert_eq!(
            out(&lb, &mut state, "203.0.113.9:1 > 192.168.0.17:31061"),
            "pass"
        );
        for backend in &mut lb.listeners[0].backends {
            backend.weight = 0;
        }
        assert_eq!(
            out(&lb, &mut state, "203.0.113.9:2 > 182.92.251.227:80"),
            "load_balancer/no-backend"
        );
    }

    #[test]
    fn an_error_about_a_connection_comes_from_the_front() {
        let (lb, mut state) = (balancer(Forwarding::RewriteDestination), State::default());
        out(&lb, &mut state, "203.0.113.9:40000 > 182.92.251.227:80");
        let mut error = packet("192.168.0.17:1 > 203.0.113.9:1");
        error.transport = Transport::Icmp(Icmp {
            kind: 3,
            code: 3,
            id: 0,
            gateway: None,
            target: None,
            about: Some(Box::new(packet("203.0.113.9:40000 > 192.168.0.17:31061"))),
        });
        let Handling::Forward { packet, .. } = lb.handle(&mut state, &error) else {
            panic!("passed on")
        };
        assert_eq!(packet.src.to_string(), "182.92.251.227");
        let Transport::Icmp(icmp) = packet.transport else {
            panic!("still ICMP")
        };
        assert_eq!(
            ends(&icmp.about.unwrap()),
            "203.0.113.9:40000 > 182.92.251.227:80"
        );
    }
}
