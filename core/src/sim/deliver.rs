use std::net::IpAddr;

use super::engine::Sim;
use super::errors::Problem;
use super::flows::{Hit, Open, Stage};
use super::output::SendOptions;
use super::skb::{Ct, Skb};
use crate::net::{Mac, NODE_PORTS, Packet, Protocol, TcpFlags, Transport};
use crate::netfilter::walk::CannotTell;
use crate::netfilter::{Hook, SocketOwner};
use crate::topology::{HostId, IfaceKind, Interface, Socket};
use crate::trace::{Action, Delivery, Drop, Maker, Part, Program, Role};

impl Sim<'_> {
    /// Kernel `ip_local_deliver`.
    pub(super) fn local_deliver(&mut self, at: HostId, mut skb: Skb) {
        if !self.hook(at, Hook::Input, &mut skb) {
            return;
        }
        if skb.inner.is_some() && self.decapsulate(at, &skb) {
            return;
        }
        if let Some(what) = self.may_be_taken(at, &skb) {
            return self.drop(at, &skb, Part::Hook(Hook::Input), Drop::CannotTell(what));
        }
        match skb.packet.transport.clone() {
            Transport::Tcp { flags, .. } => self.tcp(at, &skb, flags),
            Transport::Udp { .. } => self.udp(at, &skb),
            Transport::Icmp(icmp) => {
                self.step(at, &skb, Part::Process, Action::KernelTook);
                let Some(host) = self.host(at) else { return };
                let many = skb.dst.as_ref().is_some_and(|d| d.broadcast || d.multicast);
                let (echo, unreachable, ignored) = match skb.packet.dst {
                    IpAddr::V4(_) => {
                        let all = host.sysctls.ignore_echo;
                        (8, 3, all || (many && host.sysctls.ignore_broadcast_echo))
                    }
                    IpAddr::V6(_) => (128, 1, host.sysctls.ignore_echo6),
                };
                if icmp.kind == echo && !ignored {
                    self.echo(at, &skb);
                }
                if skb.packet.dst.is_ipv6() {
                    self.discover(at, &skb, &icmp);
                }
                if let Some(about) = icmp.about.as_ref().filter(|_| icmp.kind == unreachable) {
                    self.tcp_error(at, &skb, about);
                }
            }
            Transport::Sctp { .. } | Transport::Other(_) => {
                self.step(at, &skb, Part::Process, Action::NothingListens);
                self.icmp_error(at, &skb, Problem::ProtocolUnreachable, Maker::IcmpError);
            }
        }
    }

    /// What is for a Service may go elsewhere than to who waits here, and no file tells where: IPVS takes it behind the rules
    /// that filter (kernel `net/netfilter/ipvs/ip_vs_core.c`, `ip_vs_ops4`), eBPF where the host itself connects (Cilium
    /// `bpf/bpf_sock.c`, Calico `felix/bpf-gpl/connect_balancer.c`). Any port of IPVS's addresses may be one, any NodePort, and
    /// whatever nothing here waits for.
    fn may_be_taken(&mut self, at: HostId, skb: &Skb) -> Option<CannotTell> {
        let host = self.host(at)?;
        let (what, device) = match host.ebpf() {
            Some(device) => ("eBPF", device),
            None => ("IPVS", host.interface(host.ipvs.as_ref()?.as_str())?),
        };
        let port = skb.packet.dport()?;
        let own = device.addrs.iter().any(|a| a.addr == skb.packet.dst);
        let taken = what == "IPVS" && own || NODE_PORTS.contains(&port);
        if !taken && self.socket_for(at, skb).is_some() {
            return None;
        }
        Some(unmodelled(what, device))
    }

    fn delivered(
        &mut self,
        at: HostId,
        skb: &Skb,
        process: Program,
        socket: Option<(IpAddr, u16)>,
    ) {
        let delivery = Delivery { process, socket };
        self.step(at, skb, Part::Process, Action::Delivered(delivery));
    }

    /// The socket that a packet finds: the one TPROXY chose, or that of its addresses.
    fn socket_for(&mut self, at: HostId, skb: &Skb) -> Option<Hit> {
        let host = self.host(at)?;
        let state = self.state(at)?;
        let found = state.flows.find(host, &skb.packet);
        if let Some((addr, port)) = skb.socket
            && found.as_ref().is_none_or(|f| f.open.is_none())
        {
            let at = host.listening(skb.packet.protocol(), addr, port)?;
            return Some(Hit {
                open: None,
                listening: Some(at),
                transparent: true,
                wildcard: false,
            });
        }
        found
    }

    fn udp(&mut self, at: HostId, skb: &Skb) {
        match self.socket_for(at, skb) {
            Some(Hit {
                open: Some(open), ..
            }) => {
                let process = self
                    .state(at)
                    .and_then(|s| s.flows.open.get(open))
                    .map(|o| o.process.clone());
                if let Some(process) = process {
                    self.delivered(at, skb, process, None);
                }
            }
            Some(Hit {
                listening: Some(socket),
                ..
            }) => {
                let Some(socket) = self.host(at).and_then(|h| h.sockets.get(socket)) else {
                    return;
                };
                let process = Program::Named(socket.process.clone());
                self.delivered(at, skb, process, Some((socket.addr, socket.port)));
                self.udp_answer(at, skb, socket);
            }
            _ => {
                self.step(at, skb, Part::Process, Action::NothingListens);
                // UDP has let the packet's connection go before it answers (kernel `__udp4_lib_rcv`).
                let mut bare = skb.clone();
                bare.ct = Ct::default();
                self.icmp_error(at, &bare, Problem::PortUnreachable, Maker::IcmpError);
            }
        }
    }

    fn tcp(&mut self, at: HostId, skb: &Skb, flags: TcpFlags) {
        match self.socket_for(at, skb) {
            Some(Hit {
                open: Some(open), ..
            }) => self.tcp_open(at, skb, open, flags),
            Some(Hit {
                listening: Some(socket),
                ..
            }) => {
                let Some(socket) = self.host(at).and_then(|h| h.sockets.get(socket)) else {
                    return;
                };
                self.tcp_listen(at, skb, socket, flags);
            }
            _ => {
                self.not_accepted(at, skb);
                self.step(at, skb, Part::Process, Action::NothingListens);
                self.send_reset(at, skb, false);
            }
        }
    }

    /// A segment for a listening socket (RFC 9293, 3.10.7.2).
    fn tcp_listen(&mut self, at: HostId, skb: &Skb, socket: &Socket, flags: TcpFlags) {
        let fresh = flags.has(TcpFlags::SYN)
            && !flags.has(TcpFlags::ACK)
            && !flags.has(TcpFlags::RST)
            && !flags.has(TcpFlags::FIN);
        if !fresh {
            self.step(at, skb, Part::Process, Action::NothingListens);
            if flags.has(TcpFlags::ACK) {
                self.send_reset(at, skb, socket.transparent);
            }
            return;
        }
        let process = Program::Named(socket.process.clone());
        self.delivered(at, skb, process.clone(), Some((socket.addr, socket.port)));
        let (Some(sport), Some(dport)) = (skb.packet.sport(), skb.packet.dport()) else {
            return;
        };
        let owner = self.owner_of(at, socket);
        let open = Open {
            protocol: Protocol::TCP,
            local: (skb.packet.dst, dport),
            remote: (skb.packet.src, sport),
            stage: Stage::SynReceived,
            transparent: socket.transparent,
            mark: 0,
            process,
            ask: None,
            owner: Some(owner),
            listener: Some((socket.addr, socket.port)),
            repeated: None,
        };
        let packet = segment(&skb.packet, self.ttl(at, &skb.packet), TcpFlags::SYN_ACK, 0);
        let options = SendOptions {
            any_source: socket.transparent,
            owner: Some(owner),
            ..SendOptions::default()
        };
        let journey = self.recorder.begin(Role::Reply, Some(skb.journey), &packet);
        let sent = self.send(at, journey, packet, &options, Maker::Tcp);
        // Whom it cannot answer it does not remember (kernel `tcp_conn_request`).
        if let (Ok(()), Some(state)) = (sent, self.state(at)) {
            state.flows.open.push(open);
        }
    }

    /// Who runs the process: Envoy has a user of its own, all else is root's.
    pub(super) fn owner_of(&self, at: HostId, socket: &Socket) -> SocketOwner {
        match &*socket.process {
            "envoy" => super::proxy::owner(self.host(at).and_then(|h| h.envoy.as_deref())),
            _ => SocketOwner::default(),
        }
    }

    /// A VXLAN device takes the frame out (kernel `vxlan_rcv`).
    fn decapsulate(&mut self, at: HostId, skb: &Skb) -> bool {
        let (Some(inner), Some(host)) = (&skb.inner, self.host(at)) else {
            return false;
        };
        let device = host.interfaces.iter().find(|i| {
            matches!(&i.kind, IfaceKind::Vxlan(v)
                if v.vni == inner.vni && Some(v.port) == skb.packet.dport())
        });
        let Some(device) = device else { return false };
        let mut frame = Skb::new(skb.journey, inner.packet.clone());
        frame.src_mac = inner.src_mac;
        frame.dst_mac = inner.dst_mac;
        frame.in_iface = Some(device.name.clone());
        let part = Part::Interface(device.name.clone());
        let vni = inner.vni;
        self.step(at, &frame, part.clone(), Action::Decapsulated { vni });
        if frame.dst_mac != device.mac && frame.dst_mac != Mac([0xff; 6]) {
            self.drop(at, &frame, part, crate::trace::Drop::OtherMachine);
            return true;
        }
        self.ip_receive(at, frame);
        true
    }
}

/// A segment that answers another.
pub(super) fn segment(to: &Packet, ttl: u8, flags: TcpFlags, payload: u16) -> Packet {
    Packet {
        src: to.dst,
        dst: to.src,
        ttl,
        tos: 0,
        transport: Transport::Tcp {
            sport: to.dport().unwrap_or(0),
            dport: to.sport().unwrap_or(0),
            flags,
        },
        payload,
    }
}

/// What decides at such a device, or on a host with it, and is not modelled.
pub(super) fn unmodelled(what: &str, device: &Interface) -> CannotTell {
    CannotTell {
        text: format!("{what} ({})", device.name).into(),
        span: device.span.unwrap_or_default(),
    }
}
