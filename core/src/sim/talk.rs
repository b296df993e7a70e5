use std::net::IpAddr;
use std::sync::Arc;

use super::deliver::segment;
use super::engine::{Event, Sim};
use super::flows::{Open, Stage};
use super::output::SendOptions;
use super::skb::Skb;
use super::{Probe, ProbeKind};
use crate::conntrack::Conntrack;
use crate::net::{Icmp, IfaceName, Mac, Packet, Protocol, TcpFlags, Transport};
use crate::netfilter;
use crate::topology::{HostId, Service, Socket};
use crate::trace::{Action, Delivery, Disposition, Journey, Maker, Part, Role, Trace};

/// Bytes of an answer's body and head, where no real server makes one.
const ANSWER: u16 = 200;

impl Sim<'_> {
    /// Plays a probe from its first packet to the last answer. `None`: nobody has that name.
    pub fn probe(&mut self, probe: &Probe) -> Option<()> {
        let at = self.world.find(&probe.from)?;
        let host = self.host(at)?;
        let (low, high) = host.sysctls.local_ports;
        let span = u32::from(high - low) + 1;
        let sport = low.saturating_add(self.random.below(span) as u16);
        let zero = IpAddr::from([0; 4]);
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
                    kind: 8,
                    code: 0,
                    id: sport,
                    gateway: None,
                    about: None,
                }),
                56,
            ),
        };
        let packet = Packet {
            src: zero,
            dst: probe.to,
            ttl: host.sysctls.ttl,
            tos: 0,
            transport,
            payload,
        };
        let request = match &probe.kind {
            ProbeKind::Http(request) => request.length(),
            _ => 0,
        };
        self.start(at, packet, Some(request), &SendOptions::default());
        self.run_until(u64::MAX);
        Some(())
    }

    /// Opens a socket and sends its first packet. Gives the journey's position in the trace.
    pub(super) fn start(
        &mut self,
        at: HostId,
        packet: Packet,
        request: Option<u16>,
        options: &SendOptions,
    ) -> u32 {
        let journey = self.recorder.begin(Role::Request, None, &packet);
        let process: Arc<str> = "probe".into();
        // The socket is there before the first answer, which can't come before the queue runs.
        let sent = self.send(
            at,
            journey,
            packet,
            options,
            Maker::Process(process.clone()),
        );
        let stage = match request {
            Some(_) => Stage::SynSent,
            None => Stage::Raw,
        };
        if sent.is_ok() {
            self.open(at, journey, stage, request.unwrap_or(0), process);
        }
        journey
    }

    /// The socket that a journey's first packet came from.
    fn open(&mut self, at: HostId, journey: u32, stage: Stage, request: u16, process: Arc<str>) {
        let journey = self.recorder.journeys.get(journey as usize);
        let first = journey.and_then(|j| j.hops.first()?.steps.first());
        let Some(first) = first.map(|s| s.after.packet.clone()) else {
            return;
        };
        let stage = match first.protocol() {
            Protocol::UDP => Stage::Bound,
            _ => stage,
        };
        let (Some(sport), Some(dport)) = (first.sport(), first.dport()) else {
            return;
        };
        if let Some(state) = self.state(at) {
            state.flows.open.push(Open {
                protocol: first.protocol(),
                local: (first.src, sport),
                remote: (first.dst, dport),
                stage,
                transparent: false,
                process,
                request,
                listener: None,
            });
        }
    }

    /// Sends a packet as a raw socket of a host does: what comes back is taken and not answered. Gives the journey's position
    /// in the trace.
    pub fn send_raw(&mut self, at: HostId, packet: Packet, options: &SendOptions) -> u32 {
        self.start(at, packet, None, options)
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
            return;
        }
        let data = skb.packet.payload > 0;
        match socket.stage {
            Stage::SynSent if flags.has(TcpFlags::SYN_ACK) => {
                self.set_stage(at, open, Stage::Established);
                self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, &socket);
                if socket.request > 0 {
                    let maker = Maker::Process(socket.process.clone());
                    self.say(
                        at,
                        skb,
                        TcpFlags::PSH | TcpFlags::ACK,
                        socket.request,
                        maker,
                        &socket,
                    );
                }
            }
            Stage::SynReceived | Stage::Established if !flags.has(TcpFlags::SYN) => {
                self.set_stage(at, open, Stage::Established);
                if data && socket.listener.is_some() && self.answers(at, &socket) {
                    let maker = Maker::Process(socket.process.clone());
                    self.say(
                        at,
                        skb,
                        TcpFlags::PSH | TcpFlags::ACK,
                        ANSWER,
                        maker,
                        &socket,
                    );
                } else if data || flags.has(TcpFlags::FIN) {
                    self.say(at, skb, TcpFlags::ACK, 0, Maker::Tcp, &socket);
                }
            }
            _ => {}
        }
    }

    fn answers(&self, at: HostId, open: &Open) -> bool {
        let sockets = self.host(at).map_or(&[][..], |h| &h.sockets);
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

    fn say(
        &mut self,
        at: HostId,
        to: &Skb,
        flags: TcpFlags,
        payload: u16,
        maker: Maker,
        open: &Open,
    ) {
        let ttl = self.host(at).map_or(64, |h| h.sysctls.ttl);
        let packet = segment(&to.packet, ttl, flags, payload);
        let role = match open.listener {
            Some(_) => Role::Reply,
            None => Role::Request,
        };
        self.answer(at, to, packet, 0, open.transparent, role, maker);
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
            ttl: self.host(at).map_or(64, |h| h.sysctls.ttl),
            tos: 0,
            transport: Transport::Udp {
                sport: dport,
                dport: sport,
            },
            payload: skb.packet.payload,
        };
        let maker = Maker::Process(socket.process.clone());
        let any = socket.transparent;
        self.answer(at, skb, packet, 0, any, Role::Reply, maker);
    }

    /// What was recorded, and how it ended for who asked.
    pub fn into_trace(self) -> Trace {
        let journeys = self.recorder.journeys;
        // An answer that came back decides; without one, how the last of the asker's packets ended.
        let back = journeys
            .iter()
            .any(|j| j.role == Role::Reply && j.disposition == Disposition::Delivered);
        let last = |wanted: &dyn Fn(Role) -> bool| {
            journeys
                .iter()
                .rev()
                .find(|j| wanted(j.role))
                .map(|j| j.disposition)
        };
        let lost_answer = journeys
            .iter()
            .find(|j| j.role == Role::Reply && j.disposition != Disposition::Delivered)
            .map(|j| j.disposition);
        let request = last(&|r| r == Role::Request).unwrap_or(Disposition::CannotTell);
        let disposition = match request {
            Disposition::Delivered if back => Disposition::Delivered,
            Disposition::Delivered => lost_answer.unwrap_or(request),
            other => other,
        };
        Trace {
            disposition,
            journeys,
        }
    }
}
