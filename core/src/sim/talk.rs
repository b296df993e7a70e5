use std::net::IpAddr;
use std::sync::Arc;

use super::deliver::segment;
use super::engine::Sim;
use super::flows::{Open, Stage};
use super::output::SendOptions;
use super::skb::Skb;
use super::{Probe, ProbeKind};
use crate::net::{Icmp, Packet, Protocol, TcpFlags, Transport};
use crate::topology::{HostId, Service, Socket};
use crate::trace::{Action, Delivery, Disposition, Maker, Part, Role, Trace};

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
            ProbeKind::Http(request) => Some(request.length()),
            _ => None,
        };
        self.start(at, packet, request, &SendOptions::default());
        self.run_until(u64::MAX);
        Some(())
    }

    /// Opens a socket and sends its first packet.
    pub fn start(
        &mut self,
        at: HostId,
        packet: Packet,
        request: Option<u16>,
        options: &SendOptions,
    ) {
        let process: Arc<str> = "probe".into();
        let journey = self.recorder.begin(Role::Request, None, &packet);
        // The socket has to know its own address before the first answer comes, which is never before the queue runs.
        let sent = self.send(
            at,
            journey,
            packet,
            options,
            Maker::Process(process.clone()),
        );
        if sent.is_err() {
            return;
        }
        let Some(first) = self
            .recorder
            .journeys
            .get(journey as usize)
            .and_then(|j| j.hops.first()?.steps.first())
            .map(|s| s.after.packet.clone())
        else {
            return;
        };
        let stage = match first.protocol() {
            Protocol::TCP => Stage::SynSent,
            _ => Stage::Bound,
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
                request: request.unwrap_or(0),
                listener: None,
            });
        }
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
