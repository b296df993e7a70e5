use std::net::IpAddr;

use super::engine::Sim;
use super::errors::Problem;
use super::output::SendOptions;
use super::routing::OutFlow;
use super::skb::{Ct, Skb};
use crate::conntrack::{CtState, Direction};
use crate::net::{Icmp, IpFamily, Packet, TcpFlags, Transport};
use crate::netfilter::targets::RejectWith;
use crate::route::Flow;
use crate::topology::HostId;
use crate::trace::{Action, Drop, Maker, Occasion, Part, Role};

impl Sim<'_> {
    /// Answers a packet that a rule refused (kernel `net/ipv4/netfilter/ipt_REJECT.c`, `net/ipv6/netfilter/ip6t_REJECT.c`).
    pub(super) fn reject(&mut self, at: HostId, skb: &Skb, with: RejectWith) {
        match with {
            RejectWith::TcpReset => self.reject_by_reset(at, skb),
            with => self.icmp_error(at, skb, Problem::Rejected(with), Maker::Reject(with)),
        }
    }

    /// Kernel `nf_send_reset`.
    fn reject_by_reset(&mut self, at: HostId, skb: &Skb) {
        let Some(packet) = reset_for(&skb.packet, self.ttl(at, &skb.packet)) else {
            return;
        };
        let to_many = |d: &super::skb::Dst| d.broadcast || d.multicast;
        if skb.dst.as_ref().is_some_and(to_many) {
            return;
        }
        let journey = self.recorder.begin(Role::Error, Some(skb.journey), &packet);
        let mut reset = Skb::new(journey, packet);
        reset.mark = self.reflected(at, skb);
        reset.ct = attached(skb);
        let maker = Maker::Reject(RejectWith::TcpReset);
        self.step(at, &reset, Part::Process, Action::Sent(maker));
        let Ok(dst) = self.route_harder(at, &reset) else {
            return self.drop(at, &reset, Part::Routing, Drop::NoRoute);
        };
        let now = self.now;
        if let (Some(id), Some(state)) = (skb.ct.connection, self.state(at)) {
            state.conntrack.close(id, now);
        }
        if let Some(bridge) = &skb.bridge {
            // As if its destination had sent it: out of the port where the segment came in, past netfilter.
            let port = bridge.physin.clone();
            reset.src_mac = skb.dst_mac;
            reset.dst_mac = skb.src_mac;
            return self.emit(at, &port, None, reset);
        }
        reset.dst = Some(dst);
        self.local_out(at, reset);
    }

    /// What a packet begins with that answers another.
    pub(super) fn ttl(&self, at: HostId, to: &Packet) -> u8 {
        let family = IpFamily::of(to.dst);
        self.host(at).map_or(64, |h| h.ttl(family))
    }

    /// IP4_REPLY_MARK, IP6_REPLY_MARK
    pub(super) fn reflected(&self, at: HostId, skb: &Skb) -> u32 {
        let reflects = self.host(at).is_some_and(|host| match skb.packet.dst {
            IpAddr::V4(_) => host.sysctls.fwmark_reflect,
            IpAddr::V6(_) => host.sysctls.fwmark_reflect6,
        });
        if reflects { skb.mark } else { 0 }
    }

    /// Sends a packet that belongs to the connection of the one that caused it (kernel `nf_ct_attach`).
    pub(super) fn send_attached(
        &mut self,
        at: HostId,
        cause: &Skb,
        mut packet: Packet,
        mark: u32,
        maker: Maker,
    ) {
        let source = Some(packet.src).filter(|s| !s.is_unspecified());
        let flow = Flow {
            src: source,
            mark,
            protocol: Some(packet.protocol()),
            tos: packet.tos & 0xfc,
            uid: Some(0),
            ..Flow::to(packet.dst)
        };
        let wanted = OutFlow {
            flow: flow.clone(),
            any_source: false,
        };
        let mut answer = None;
        let Ok((dst, source)) = self.route_output(at, wanted, &mut answer) else {
            return;
        };
        packet.src = source;
        let journey = self
            .recorder
            .begin(Role::Error, Some(cause.journey), &packet);
        let mut skb = Skb::new(journey, packet);
        skb.mark = mark;
        skb.ct = attached(cause);
        (skb.by_icmp, skb.kernel_socket) = (true, true);
        self.step(at, &skb, Part::Process, Action::Sent(maker));
        self.routed(at, &skb, flow, Occasion::Output, answer, true);
        skb.dst = Some(dst);
        let balancer = self.host(at).and_then(|h| h.balancer.as_ref());
        if let (Some(balancer), Some(state)) = (balancer, self.state(at))
            && let Some((account, packet)) = balancer.own_error(&state.balancer, &skb.packet)
        {
            skb.packet = packet;
            self.step(
                at,
                &skb,
                Part::Balancer,
                Action::Balanced(Box::new(account)),
            );
        }
        self.local_out(at, skb);
    }

    /// Tells the sender of a shorter way (kernel `ip_rt_send_redirect`).
    pub(super) fn send_redirect(&mut self, at: HostId, skb: &Skb) {
        let src = skb.packet.src;
        let Some(state) = self.state(at) else { return };
        if state.redirected.contains(&src) {
            return;
        }
        state.redirected.push(src);
        self.icmp_error(at, skb, Problem::ShorterWay, Maker::Redirect);
    }

    /// No socket wants the segment (kernel `tcp_v4_send_reset`). `any_source`: a transparent one has it, and refuses it.
    pub(super) fn send_reset(&mut self, at: HostId, skb: &Skb, any_source: bool) {
        let to_host = skb
            .dst
            .as_ref()
            .is_some_and(|d| d.local && !d.broadcast && !d.multicast);
        let Some(mut packet) =
            reset_for(&skb.packet, self.ttl(at, &skb.packet)).filter(|_| to_host)
        else {
            return;
        };
        packet.tos = skb.packet.tos;
        let mark = self.reflected(at, skb);
        let options = SendOptions {
            mark,
            any_source,
            ..SendOptions::default()
        };
        self.answer(at, skb, packet, &options, Role::Reply, Maker::Reset);
    }

    /// Sends an answer to a packet. Gives the journey's position in the trace.
    pub(super) fn answer(
        &mut self,
        at: HostId,
        skb: &Skb,
        packet: Packet,
        options: &SendOptions,
        role: Role,
        maker: Maker,
    ) -> u32 {
        let journey = self.recorder.begin(role, Some(skb.journey), &packet);
        // Without a way back there is no answer, which the journey tells.
        let _ = self.send(at, journey, packet, options, maker);
        journey
    }

    /// Kernel `icmp_echo` and `icmpv6_echo_reply`.
    pub(super) fn echo(&mut self, at: HostId, skb: &Skb) {
        let Transport::Icmp(icmp) = &skb.packet.transport else {
            return;
        };
        let many = skb.dst.as_ref().is_some_and(|d| d.broadcast || d.multicast);
        let packet = Packet {
            src: if many {
                IpFamily::of(skb.packet.dst).unspecified()
            } else {
                skb.packet.dst
            },
            dst: skb.packet.src,
            ttl: self.ttl(at, &skb.packet),
            tos: skb.packet.tos,
            transport: Transport::Icmp(Icmp {
                kind: match skb.packet.dst {
                    IpAddr::V4(_) => 0,
                    IpAddr::V6(_) => 129,
                },
                code: icmp.code,
                id: icmp.id,
                gateway: None,
                target: None,
                about: None,
            }),
            payload: skb.packet.payload,
        };
        let mark = self.reflected(at, skb);
        let options = SendOptions {
            mark,
            ..SendOptions::default()
        };
        self.answer(at, skb, packet, &options, Role::Reply, Maker::EchoReply);
    }
}

/// What a packet made in answer inherits: the connection, the other way round (kernel `nf_conntrack_attach`). To one that is
/// not tracked it answers without a connection, yet as one that is spoken for: no `CT` stops conntrack from looking at it.
fn attached(skb: &Skb) -> Ct {
    if skb.ct.connection.is_none() && skb.ct.state != Some(CtState::Untracked) {
        return Ct::default();
    }
    Ct {
        state: Some(CtState::Related),
        direction: match skb.ct.direction {
            Direction::Original => Direction::Reply,
            Direction::Reply => Direction::Original,
        },
        connection: skb.ct.connection,
        zone: None,
    }
}

/// The RST for a segment; none for a RST (RFC 9293, 3.10.7.1).
fn reset_for(packet: &Packet, ttl: u8) -> Option<Packet> {
    let Transport::Tcp {
        sport,
        dport,
        flags,
    } = packet.transport
    else {
        return None;
    };
    if flags.has(TcpFlags::RST) {
        return None;
    }
    let flags = if flags.has(TcpFlags::ACK) {
        TcpFlags::RST
    } else {
        TcpFlags::RST | TcpFlags::ACK
    };
    Some(Packet {
        src: packet.dst,
        dst: packet.src,
        ttl,
        tos: 0,
        transport: Transport::Tcp {
            sport: dport,
            dport: sport,
            flags,
        },
        payload: 0,
    })
}
