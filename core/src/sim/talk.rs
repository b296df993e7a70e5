use std::net::IpAddr;

use super::deliver::segment;
use super::engine::{Author, Ending, Event, Sim};
use super::flows::{Ask, Open, Stage};
use super::output::SendOptions;
use super::proxy::Message;
use super::record::Recorder;
use super::skb::Skb;
use super::{Probe, ProbeKind};
use crate::conntrack::Conntrack;
use crate::net::{
    HttpVersion, Icmp, IfaceName, IpFamily, Mac, Packet, Protocol, Request, Response, TcpFlags,
    Transport,
};
use crate::netfilter::{self, SocketOwner};
use crate::topology::{HostId, Service, Socket};
use crate::trace::{
    Action, Content, Delivery, Disposition, Journey, Maker, Part, Payload, Program, Role, Trace,
    answered, lost_answer,
};

/// A socket's own end and the other.
pub(super) type Ends = ((IpAddr, u16), (IpAddr, u16));

impl Sim<'_> {
    /// Plays a probe from its first packet to the last answer. `None`: nobody has that name.
    pub fn probe(&mut self, probe: &Probe) -> Option<()> {
        let at = self.world.find(&probe.from)?;
        let host = self.host(at)?;
        let sport = self.free_port(at, (probe.to, probe.port));
        let family = IpFamily::of(probe.to);
        let zero = family.unspecified();
        let (transport, payload) = match &probe.kind {
            ProbeKind::TcpConnect | ProbeKind::Http(_) => (
                Transport::Tcp {
                    sport,
                    dport: probe.port,
                    flags: TcpFlags::SYN,
                },
                0,
            ),
            ProbeKind::Udp => (
                Transport::Udp {
                    sport,
                    dport: probe.port,
                },
                32,
            ),
            ProbeKind::IcmpEcho => (
                Transport::Icmp(Icmp {
                    kind: match family {
                        IpFamily::V4 => 8,
                        IpFamily::V6 => 128,
                    },
                    code: 0,
                    id: sport,
                    gateway: None,
                    target: None,
                    about: None,
                }),
                56,
            ),
        };
        let packet = Packet {
            src: zero,
            dst: probe.to,
            ttl: host.ttl(family),
            tos: 0,
            transport,
            payload,
        };
        if let ProbeKind::Http(http) = &probe.kind {
            self.began = http.time;
        }
        let ask = match &probe.kind {
            ProbeKind::Http(http) => Some(Ask {
                hello: http.tls.clone(),
                request: Some((http.head(), http.version)),
            }),
            _ => None,
        };
        let options = SendOptions {
            owner: Some(SocketOwner::default()),
            ..SendOptions::default()
        };
        let (_, ends) = self.connect(at, packet, None, Program::Probe, ask, &options);
        self.probed = ends.map(|ends| (at, ends));
        self.run_until(u64::MAX);
        self.tell_silent();
        Some(())
    }

    /// A port for a new connection: from a place that chance chooses on, the first that none to the same far end has (kernel
    /// `__inet_hash_connect`, which tries every other one).
    pub(super) fn free_port(&mut self, at: HostId, remote: (IpAddr, u16)) -> u16 {
        let ports = self.host(at).map(|h| h.sysctls.local_ports);
        let (low, high) = ports.unwrap_or((32768, 60999));
        let span = u32::from(high.saturating_sub(low)) + 1;
        let first = self.random.below(span);
        let Some(state) = self.state(at) else {
            return low;
        };
        let open = &state.flows.open;
        let taken = |port: u16| open.iter().any(|o| o.local.1 == port && o.remote == remote);
        let port = |n: u32| low.saturating_add(((first + n) % span) as u16);
        let free = (0..span).step_by(2).map(port).find(|p| !taken(*p));
        free.unwrap_or(port(0))
    }

    /// Opens a socket of a program and sends its first packet; what it asks follows once it is connected.
    pub fn dial(
        &mut self,
        at: HostId,
        packet: Packet,
        request: Option<Request>,
        options: &SendOptions,
    ) -> u32 {
        let options = SendOptions {
            owner: options.owner.or(Some(SocketOwner::default())),
            ..options.clone()
        };
        let ask = request.map(|request| Ask {
            hello: None,
            request: Some((request, HttpVersion::Http1)),
        });
        self.connect(at, packet, None, Program::Probe, ask, &options)
            .0
    }

    /// Opens a socket and sends its first packet. Gives the journey's position in the trace, and the socket's two ends where
    /// the packet found a way.
    pub(super) fn connect(
        &mut self,
        at: HostId,
        packet: Packet,
        cause: Option<u32>,
        process: Program,
        ask: Option<Ask>,
        options: &SendOptions,
    ) -> (u32, Option<Ends>) {
        let stage = match packet.protocol() {
            Protocol::UDP => Stage::Bound,
            _ => Stage::SynSent,
        };
        let journey = self.recorder.begin(Role::Request, cause, &packet);
        let maker = Maker::Process(process.clone());
        let sent = self.send(at, journey, packet, options, maker);
        let ends = match sent {
            Ok(()) => self.open(at, journey, stage, ask, process, options),
            Err(_) => None,
        };
        (journey, ends)
    }

    /// The socket that a journey's first packet came from. It is there before the first answer, which can't come before the
    /// queue runs.
    fn open(
        &mut self,
        at: HostId,
        journey: u32,
        stage: Stage,
        ask: Option<Ask>,
        process: Program,
        options: &SendOptions,
    ) -> Option<Ends> {
        let journey = self.recorder.journeys.get(journey as usize)?;
        let first = &journey.hops.first()?.steps.first()?.after.packet;
        let open = Open {
            protocol: first.protocol(),
            local: (first.src, first.sport()?),
            remote: (first.dst, first.dport()?),
            stage,
            transparent: options.any_source,
            mark: options.mark,
            process,
            ask,
            owner: options.owner,
            listener: None,
            repeated: None,
        };
        let ends = (open.local, open.remote);
        self.state(at)?.flows.open.push(open);
        Some(ends)
    }

    /// Sends a packet as a raw socket of a host does: what comes back is taken and not answered. Gives the journey's position
    /// in the trace.
    pub fn send_raw(&mut self, at: HostId, packet: Packet, options: &SendOptions) -> u32 {
        let stage = match packet.protocol() {
            Protocol::UDP => Stage::Bound,
            _ => Stage::Raw,
        };
        let journey = self.recorder.begin(Role::Request, None, &packet);
        let process = Program::Probe;
        let maker = Maker::Process(process.clone());
        if self.send(at, journey, packet, options, maker).is_ok() {
            self.open(at, journey, stage, None, process, options);
        }
        journey
    }

    /// Puts a frame before an interface of a host, as if its segment had brought it. Gives the journey's position in the trace.
    pub fn inject(
        &mut self,
        at: HostId,
        iface: &IfaceName,
        packet: Packet,
        src_mac: Mac,
        dst_mac: Mac,
    ) -> u32 {
        let journey = self.recorder.begin(Role::Request, None, &packet);
        let mut skb = Skb::new(journey, packet);
        (skb.src_mac, skb.dst_mac) = (src_mac, dst_mac);
        let arrive = Event::Arrive {
            host: at,
            iface: iface.clone(),
            skb: Box::new(skb),
        };
        self.after(0, arrive);
        journey
    }

    /// Forgets what was recorded and what is still under way; the hosts keep what they hold.
    pub fn forget(&mut self) {
        self.recorder = Recorder::default();
        self.messages.clear();
        self.proxies.forget();
        self.closers.clear();
        (self.probed, self.ending) = (None, None);
        self.still();
    }

    /// What was recorded so far.
    pub fn journeys(&self) -> &[Journey] {
        &self.recorder.journeys
    }

    /// A host's connection tracking table.
    pub fn conntrack(&mut self, at: HostId) -> Option<&Conntrack> {
        self.state(at).map(|s| &s.conntrack)
    }

    /// What a host's rules have counted and remember.
    pub fn netfilter(&mut self, at: HostId) -> Option<&netfilter::State> {
        self.state(at).map(|s| &s.netfilter)
    }

    /// A segment for a socket that talks to its sender.
    pub(super) fn tcp_open(&mut self, at: HostId, skb: &Skb, open: usize, flags: TcpFlags) {
        let Some(socket) = self.state(at).and_then(|s| s.flows.open.get(open)).cloned() else {
            return;
        };
        let delivery = Delivery {
            process: socket.process.clone(),
            socket: socket.listener,
        };
        self.step(at, skb, Part::Process, Action::Delivered(delivery));
        if socket.stage == Stage::Raw {
            return;
        }
        if flags.has(TcpFlags::RST) {
            if let Some(state) = self.state(at) {
                state.flows.open.remove(open);
            }
            self.hung_up(at, skb, &socket);
            return self.upstream_refused(at, skb, &socket);
        }
        let data = skb.packet.payload > 0;
        match socket.stage {
            Stage::SynSent if flags.has(TcpFlags::SYN_ACK) => {
                self.set_stage(at, open, Stage::Established);
                self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, &socket);
                self.connected(at, skb, &socket);
            }
            // The same SYN again gets the same answer, twice a second at most (kernel `tcp_check_req`).
            Stage::SynReceived if flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK) => {
                const APART: u64 = 500;
                let now = self.now;
                if socket.repeated.is_some_and(|at| now < at + APART) {
                    return;
                }
                if let Some(open) = self.state(at).and_then(|s| s.flows.open.get_mut(open)) {
                    open.repeated = Some(now);
                }
                self.say(at, skb, TcpFlags::SYN_ACK, 0, Maker::Tcp, &socket);
            }
            Stage::SynReceived | Stage::Established if !flags.has(TcpFlags::SYN) => {
                self.set_stage(at, open, Stage::Established);
                let fresh = socket.stage == Stage::SynReceived;
                if data {
                    self.heard(at, skb, &socket);
                } else if fresh && !flags.has(TcpFlags::FIN) {
                    self.proxy_opened(at, skb, &socket);
                } else if flags.has(TcpFlags::FIN) {
                    self.hung_up(at, skb, &socket);
                    self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, &socket);
                }
            }
            _ => {}
        }
    }

    /// A connection is there: its client begins to speak.
    fn connected(&mut self, at: HostId, skb: &Skb, socket: &Open) {
        let Some(ask) = &socket.ask else { return };
        match &ask.hello {
            Some(hello) => {
                let content = Content::Hello(hello.clone());
                self.speak(at, skb, socket, Message::of(content));
            }
            None => self.asks(at, skb, socket, None),
        }
    }

    /// A client asks, or passes on what waits. `agreed`: the protocol agreed on, over TLS.
    fn asks(&mut self, at: HostId, skb: &Skb, socket: &Open, agreed: Option<&str>) {
        let request = socket.ask.as_ref().and_then(|a| a.request.clone());
        let Some((request, version)) = request else {
            return self.relay_is_ready(at, skb, socket);
        };
        let version = agreed.map_or(version, HttpVersion::agreed);
        let mut message = Message::of(Content::Request { request, version });
        if agreed.is_some() {
            message.payload = message.payload.wrapped();
        }
        self.speak(at, skb, socket, message);
    }

    /// Sends data over a connection, to whom a segment came from.
    pub(super) fn speak(&mut self, at: HostId, to: &Skb, socket: &Open, message: Message) {
        let maker = Maker::Process(socket.process.clone());
        let flags = TcpFlags::PSH | TcpFlags::ACK;
        let size = message.payload.length();
        // It is there before it arrives, which is not before the queue runs.
        let journey = self.say(at, to, flags, size, maker, socket);
        self.recorder.carries(journey, &message.payload);
        self.messages.insert(journey, message);
    }

    /// Data has come.
    fn heard(&mut self, at: HostId, skb: &Skb, socket: &Open) {
        let Some(message) = self.messages.remove(&skb.journey) else {
            self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, socket);
            return;
        };
        if socket.listener.is_some() {
            if !self.proxy_heard(at, skb, socket, &message) && self.answers(at, socket) {
                self.serve(at, skb, socket, message);
            }
            return;
        }
        let hello = socket.ask.as_ref().and_then(|a| a.hello.as_ref());
        match message.payload.content {
            Content::Shake(alpn) if message.payload.tls == 0 && hello.is_some() => {
                self.asks(at, skb, socket, Some(&alpn));
            }
            _ if self.relay_back(at, skb, socket, &message) => {}
            Content::Response(response) => {
                self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, socket);
                if self.is_probe(at, socket) {
                    let status = response.status;
                    self.ending = message.by.map(|by| Ending { by, status });
                }
                self.upstream_answered(at, skb, socket, &response, message.by);
            }
            _ => {
                self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, socket);
            }
        }
    }

    /// An application answers. It is taken to speak TLS with those who do.
    fn serve(&mut self, at: HostId, skb: &Skb, socket: &Open, message: Message) {
        let content = match message.payload.content {
            Content::Hello(hello) => {
                Content::Shake(hello.alpn.first().cloned().unwrap_or_default())
            }
            Content::Request { .. } => Content::Response(Response {
                status: 200,
                ..Response::default()
            }),
            Content::Shake(_) | Content::Response(_) => return,
        };
        let tls = message.payload.tls;
        let payload = Payload { tls, content };
        let by = Some(Author {
            host: at,
            proxy: false,
        });
        self.speak(at, skb, socket, Message { payload, by });
    }

    fn is_probe(&self, at: HostId, socket: &Open) -> bool {
        self.probed == Some((at, (socket.local, socket.remote)))
    }

    /// The other end is gone before it answered.
    fn hung_up(&mut self, at: HostId, skb: &Skb, socket: &Open) {
        let by = self.closers.remove(&skb.journey);
        if let Some(by) = by
            && self.is_probe(at, socket)
            && self.ending.is_none()
        {
            let by = Author {
                host: by,
                proxy: true,
            };
            self.ending = Some(Ending { by, status: 0 });
        }
        self.upstream_broken(at, skb, socket, by);
    }

    /// An ICMP error about a connection that is being opened ends the attempt (kernel `tcp_v4_err`).
    pub(super) fn tcp_error(&mut self, at: HostId, skb: &Skb, about: &Packet) {
        let (Some(sport), Some(dport)) = (about.sport(), about.dport()) else {
            return;
        };
        let Some(state) = self.state(at) else { return };
        let open = state.flows.open.iter().position(|o| {
            o.stage == Stage::SynSent
                && o.protocol == about.protocol()
                && o.local == (about.src, sport)
                && o.remote == (about.dst, dport)
        });
        if let Some(open) = open {
            let socket = state.flows.open.remove(open);
            self.upstream_refused(at, skb, &socket);
        }
    }

    fn answers(&self, at: HostId, open: &Open) -> bool {
        let sockets = self.host(at).map_or(&[][..], |h| &h.sockets[..]);
        sockets.iter().any(|s| {
            s.protocol == open.protocol
                && Some((s.addr, s.port)) == open.listener
                && s.service == Service::Answers
        })
    }

    fn set_stage(&mut self, at: HostId, open: usize, stage: Stage) {
        if let Some(open) = self.state(at).and_then(|s| s.flows.open.get_mut(open)) {
            open.stage = stage;
        }
    }

    /// Sends a segment to whom another came from. Gives the journey's position in the trace.
    pub(super) fn say(
        &mut self,
        at: HostId,
        to: &Skb,
        flags: TcpFlags,
        payload: u16,
        maker: Maker,
        open: &Open,
    ) -> u32 {
        let packet = segment(&to.packet, self.ttl(at, &to.packet), flags, payload);
        let role = match open.listener {
            Some(_) => Role::Reply,
            None => Role::Request,
        };
        let options = SendOptions {
            mark: open.mark,
            any_source: open.transparent,
            owner: open.owner,
            ..SendOptions::default()
        };
        self.answer(at, to, packet, &options, role, maker)
    }

    pub(super) fn udp_answer(&mut self, at: HostId, skb: &Skb, socket: &Socket) {
        let many = skb.dst.as_ref().is_some_and(|d| d.broadcast || d.multicast);
        if socket.service != Service::Answers || many {
            return;
        }
        let (Some(sport), Some(dport)) = (skb.packet.sport(), skb.packet.dport()) else {
            return;
        };
        let packet = Packet {
            src: skb.packet.dst,
            dst: skb.packet.src,
            ttl: self.ttl(at, &skb.packet),
            tos: 0,
            transport: Transport::Udp {
                sport: dport,
                dport: sport,
            },
            payload: skb.packet.payload,
        };
        let maker = Maker::Process(Program::Named(socket.process.clone()));
        let options = SendOptions {
            any_source: socket.transparent,
            owner: Some(self.owner_of(at, socket)),
            ..SendOptions::default()
        };
        self.answer(at, skb, packet, &options, Role::Reply, maker);
    }

    /// What was recorded, and how it ended for who asked.
    pub fn into_trace(self) -> Trace {
        let journeys = self.recorder.journeys;
        // An answer that came back decides; without one, how the last of the asker's packets ended.
        let asked = journeys.iter().rev().find(|j| j.role == Role::Request);
        let request = asked.map_or(Disposition::CannotTell, |j| j.disposition);
        let disposition = match request {
            Disposition::Delivered if answered(&journeys) => Disposition::Delivered,
            Disposition::Delivered => lost_answer(&journeys).unwrap_or(request),
            other => other,
        };
        Trace {
            disposition: self.ending.map_or(disposition, Ending::disposition),
            ended_by: self
                .ending
                .filter(|e| e.by.proxy)
                .map(|e| (e.by.host, e.status)),
            journeys,
        }
    }
}
