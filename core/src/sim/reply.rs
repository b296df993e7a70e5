use std::net::IpAddr;

use super::engine::Sim;
use super::host::select_address;
use super::output::SendOptions;
use super::routing::OutFlow;
use super::skb::{Ct, Skb};
use crate::conntrack::{CtState, Direction};
use crate::net::{Icmp, Packet, Protocol, TcpFlags, Transport};
use crate::netfilter::matches::PacketType;
use crate::netfilter::targets::RejectWith;
use crate::route::{Flow, Scope};
use crate::topology::HostId;
use crate::trace::{Action, Drop, Maker, Occasion, Part, Role};

/// IPTOS_PREC_INTERNETCONTROL
const ERROR_TOS: u8 = 0xc0;

impl Sim<'_> {
    /// Answers a packet that a rule refused (kernel `net/ipv4/netfilter/ipt_REJECT.c`).
    pub(super) fn reject(&mut self, at: HostId, skb: &Skb, with: RejectWith) {
        let code = match with {
            RejectWith::NetUnreachable => 0,
            RejectWith::HostUnreachable => 1,
            RejectWith::ProtoUnreachable => 2,
            RejectWith::PortUnreachable => 3,
            RejectWith::NetProhibited => 9,
            RejectWith::HostProhibited => 10,
            RejectWith::AdminProhibited => 13,
            RejectWith::TcpReset => return self.reject_by_reset(at, skb),
            _ => return,
        };
        self.icmp_error(at, skb, 3, code, Maker::Reject(with));
    }

    /// Kernel `nf_send_reset`.
    fn reject_by_reset(&mut self, at: HostId, skb: &Skb) {
        let Some(packet) = reset_for(&skb.packet, self.ttl(at)) else {
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

    fn ttl(&self, at: HostId) -> u8 {
        self.host(at).map_or(64, |h| h.sysctls.ttl)
    }

    /// IP4_REPLY_MARK
    fn reflected(&self, at: HostId, skb: &Skb) -> u32 {
        match self.host(at) {
            Some(host) if host.sysctls.fwmark_reflect => skb.mark,
            _ => 0,
        }
    }

    /// Tells a packet's sender what went wrong (kernel `__icmp_send`).
    pub(super) fn icmp_error(&mut self, at: HostId, skb: &Skb, kind: u8, code: u8, maker: Maker) {
        let Some(host) = self.host(at) else { return };
        let about = &skb.packet;
        if skb.packet_type != PacketType::Unicast || about.src.is_ipv6() || skb.by_icmp {
            return;
        }
        if skb.dst.as_ref().is_some_and(|d| d.broadcast || d.multicast) {
            return;
        }
        // No error about an error.
        if let Transport::Icmp(icmp) = &about.transport
            && (matches!(icmp.kind, 3 | 4 | 5 | 11 | 12) || icmp.kind > 18)
        {
            return;
        }
        let local = skb.dst.as_ref().is_some_and(|d| d.local);
        let source = if local {
            Some(about.dst)
        } else if host.sysctls.icmp_inbound_address {
            skb.in_iface
                .as_ref()
                .and_then(|i| select_address(host, i.as_str(), Some(about.src), Scope::Link))
        } else {
            None
        };
        let gateway = skb
            .dst
            .as_ref()
            .filter(|_| kind == 5)
            .map(|d| d.gateway.unwrap_or(about.dst));
        let packet = Packet {
            src: source.unwrap_or(IpAddr::from([0; 4])),
            dst: about.src,
            ttl: host.sysctls.ttl,
            tos: (about.tos & 0x1e) | ERROR_TOS,
            transport: Transport::Icmp(Icmp {
                kind,
                code,
                id: 0,
                gateway,
                about: Some(Box::new(about.clone())),
            }),
            payload: u16::try_from(about.length().min(548)).unwrap_or(548),
        };
        let mark = self.reflected(at, skb);
        self.send_attached(at, skb, packet, mark, maker);
    }

    /// Sends a packet that belongs to the connection of the one that caused it (kernel `nf_ct_attach`).
    fn send_attached(
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
            protocol: Some(Protocol::ICMP),
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
        self.icmp_error(at, skb, 5, 1, Maker::Redirect);
    }

    /// No socket wants the segment (kernel `tcp_v4_send_reset`). `any_source`: a transparent one has it, and refuses it.
    pub(super) fn send_reset(&mut self, at: HostId, skb: &Skb, any_source: bool) {
        let to_host = skb
            .dst
            .as_ref()
            .is_some_and(|d| d.local && !d.broadcast && !d.multicast);
        let Some(mut packet) = reset_for(&skb.packet, self.ttl(at)).filter(|_| to_host) else {
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

    /// Kernel `icmp_echo`.
    pub(super) fn echo(&mut self, at: HostId, skb: &Skb) {
        let Transport::Icmp(icmp) = &skb.packet.transport else {
            return;
        };
        let many = skb.dst.as_ref().is_some_and(|d| d.broadcast || d.multicast);
        let packet = Packet {
            src: if many {
                IpAddr::from([0; 4])
            } else {
                skb.packet.dst
            },
            dst: skb.packet.src,
            ttl: self.ttl(at),
            tos: skb.packet.tos,
            transport: Transport::Icmp(Icmp {
                kind: 0,
                code: icmp.code,
                id: icmp.id,
                gateway: None,
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

/// What a packet made in answer inherits: the connection, the other way round (kernel `nf_conntrack_attach`).
fn attached(skb: &Skb) -> Ct {
    match skb.ct.connection {
        Some(connection) => Ct {
            state: Some(CtState::Related),
            direction: match skb.ct.direction {
                Direction::Original => Direction::Reply,
                Direction::Reply => Direction::Original,
            },
            connection: Some(connection),
            zone: None,
        },
        None => Ct::default(),
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
