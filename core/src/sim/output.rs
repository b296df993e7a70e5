use std::net::IpAddr;

use super::deliver::unmodelled;
use super::engine::{Event, Sim};
use super::errors::Problem;
use super::routing::{OutFlow, flow_of};
use super::skb::{Inner, Skb};
use crate::net::{IfaceName, Mac, Packet, Protocol, Transport};
use crate::netfilter::walk::CannotTell;
use crate::netfilter::{Hook, SocketOwner};
use crate::route::{Flow, RouteError};
use crate::topology::{Beyond, End, HostId, IfaceKind, Vxlan};
use crate::trace::{Action, Drop, Egress, Maker, Occasion, Part, Role};

const BROADCAST: Mac = Mac([0xff; 6]);

/// What a socket asks of the packets that it sends.
#[derive(Clone, Debug, Default)]
pub struct SendOptions {
    pub mark: u32,
    pub owner: Option<SocketOwner>,
    /// SO_BINDTODEVICE
    pub oif: Option<IfaceName>,
    /// IP_TRANSPARENT: the source need not be the host's own.
    pub any_source: bool,
    /// IP_HDRINCL: the sender writes the IP header itself.
    pub own_header: bool,
}

impl Sim<'_> {
    /// Sends a packet of the host's own. Its source is chosen where it is unspecified; `Err` where there is no way.
    pub(super) fn send(
        &mut self,
        at: HostId,
        journey: u32,
        mut packet: Packet,
        options: &SendOptions,
        maker: Maker,
    ) -> Result<(), RouteError> {
        let mut flow = Flow {
            oif: options.oif.clone(),
            uid: Some(options.owner.map_or(0, |o| o.uid)),
            ..flow_of(&packet, options.mark)
        };
        flow.src = flow.src.filter(|s| !s.is_unspecified());
        if options.own_header {
            // The kernel does not look into what the sender wrote (`raw_sendmsg`).
            (flow.protocol, flow.sport, flow.dport, flow.tos) = (Some(Protocol::RAW), 0, 0, 0);
        }
        let wanted = OutFlow {
            flow: flow.clone(),
            any_source: options.any_source,
        };
        let mut answer = None;
        let routed = self.route_output(at, wanted, &mut answer);
        if let Ok((_, source)) = &routed {
            packet.src = *source;
            if packet.dst.is_unspecified() && !options.own_header {
                packet.dst = *source;
            }
        }
        let mut skb = Skb::new(journey, packet);
        skb.mark = options.mark;
        (skb.owner, skb.kernel_socket) = (options.owner, options.owner.is_none());
        skb.bound = options.oif.clone();
        skb.by_icmp = maker == Maker::EchoReply;
        self.step(at, &skb, Part::Process, Action::Sent(maker));
        self.routed(at, &skb, flow, Occasion::Output, answer, routed.is_ok());
        match routed {
            Ok((dst, _)) => {
                skb.dst = Some(dst);
                self.local_out(at, skb);
                Ok(())
            }
            Err(error) => {
                self.drop(at, &skb, Part::Routing, Drop::NoRoute);
                Err(error)
            }
        }
    }

    /// Kernel `ip_local_out`.
    pub(super) fn local_out(&mut self, at: HostId, mut skb: Skb) {
        skb.out_iface = skb.dst.as_ref().map(|d| d.dev.clone());
        if self.hook(at, Hook::Output, &mut skb) {
            self.ip_output(at, skb);
        }
    }

    /// Kernel `ip_output` and `ip_mc_output`.
    pub(super) fn ip_output(&mut self, at: HostId, mut skb: Skb) {
        let Some(dst) = skb.dst.clone() else { return };
        skb.out_iface = Some(dst.dev.clone());
        if dst.local && (dst.broadcast || dst.multicast) && dst.dev.as_str() != "lo" {
            // The host is among those addressed: a copy comes back to it.
            let mut copy = skb.clone();
            if self.hook(at, Hook::Postrouting, &mut copy) {
                copy.in_iface = Some(dst.dev.clone());
                copy.out_iface = None;
                (copy.owner, copy.kernel_socket) = (None, false);
                if self.hook(at, Hook::Prerouting, &mut copy) {
                    self.after_prerouting(at, copy, None);
                }
            }
        }
        if !self.hook(at, Hook::Postrouting, &mut skb) {
            return;
        }
        self.transmit(at, skb);
    }

    /// Kernel `ip_finish_output2`: to the next machine's hardware address.
    fn transmit(&mut self, at: HostId, mut skb: Skb) {
        let (Some(host), Some(dst)) = (self.host(at), skb.dst.clone()) else {
            return;
        };
        let dev = dst.dev;
        let Some(iface) = host.interface(dev.as_str()) else {
            return;
        };
        if iface.is_loopback() {
            let egress = Egress {
                iface: dev.clone(),
                nexthop: None,
                dst_mac: iface.mac,
                beyond: false,
            };
            self.step(at, &skb, Part::Interface(dev.clone()), Action::Left(egress));
            skb.dst_mac = iface.mac;
            let skb = Box::new(skb);
            let arrive = Event::Arrive {
                host: at,
                iface: dev,
                skb,
            };
            return self.after(0, arrive);
        }
        if !iface.up {
            return self.drop(at, &skb, Part::Interface(dev), Drop::InterfaceDown);
        }
        if let Some(theirs) = host.ebpf() {
            let (part, what) = (Part::Interface(dev), unmodelled("eBPF", theirs));
            return self.drop(at, &skb, part, Drop::CannotTell(what));
        }
        if iface.unmodelled.is_some() {
            // Such a device need not ask for a neighbour.
            return self.emit(at, &dev, None, skb);
        }
        skb.src_mac = iface.mac;
        let (mac, nexthop) = if dst.broadcast {
            (BROADCAST, None)
        } else if dst.multicast {
            (Mac::of_group(skb.packet.dst), None)
        } else {
            let next = dst.gateway.unwrap_or(skb.packet.dst);
            match self.neighbour(at, &dev, next, &skb) {
                Some(hop) => (hop.mac, Some(next)),
                None => return,
            }
        };
        skb.dst_mac = mac;
        match &iface.kind {
            IfaceKind::Bridge => self.bridge_send(at, &dev, nexthop, skb),
            IfaceKind::Vxlan(vxlan) => self.encapsulate(at, &dev, vxlan, nexthop, skb),
            IfaceKind::Device | IfaceKind::Loopback => self.emit(at, &dev, nexthop, skb),
        }
    }

    /// Puts a frame on the segment of an interface.
    /// What decides whether a request leaves a pod, or a node lets it in: of answers it is known, and what the node itself asks
    /// of its pods is let in (Calico `felix/rules/static.go`, `felix/rules/endpoints.go`).
    fn guard(&self, at: HostId, skb: &Skb, takers: &[&End]) -> Option<CannotTell> {
        let journey = self.recorder.journeys.get(skb.journey as usize)?;
        let discovers = skb.packet.protocol() == Protocol::ICMPV6
            && matches!(&skb.packet.transport, Transport::Icmp(i) if (133..=137).contains(&i.kind));
        if journey.role != Role::Request || discovers {
            return None;
        }
        if let Some(what) = self.host(at).and_then(|h| h.guard.egress.as_ref()) {
            return Some(what.clone());
        }
        let here = journey.hops.first().is_some_and(|hop| hop.host == at);
        let mut hosts = takers.iter().filter_map(|end| self.host(end.host));
        let what = hosts.find_map(|h| h.guard.ingress.as_ref());
        what.filter(|_| !here).cloned()
    }

    pub(super) fn emit(&mut self, at: HostId, dev: &IfaceName, nexthop: Option<IpAddr>, skb: Skb) {
        let part = Part::Interface(dev.clone());
        let world = self.world;
        let iface = self.host(at).and_then(|h| h.interface(dev.as_str()));
        if let Some((iface, kind)) = iface.and_then(|i| Some((i, i.unmodelled.as_ref()?))) {
            let what = unmodelled(kind, iface);
            return self.drop(at, &skb, part, Drop::CannotTell(what));
        }
        let link = world.link_of(at, dev);
        let broadcast = skb.dst_mac.0[0] & 1 == 1;
        let takers: Vec<_> = link
            .iter()
            .flat_map(|(_, link)| &link.ends)
            .filter(|end| !(end.host == at && end.iface == *dev))
            .filter_map(|end| {
                let iface = self.host(end.host)?.interface(end.iface.as_str())?;
                (broadcast || iface.master.is_some() || iface.mac == skb.dst_mac).then_some(end)
            })
            .collect();
        if let Some(what) = self.guard(at, &skb, &takers) {
            return self.drop(at, &skb, part, Drop::CannotTell(what));
        }
        let beyond = link.is_some_and(|(_, l)| l.beyond != Beyond::Nothing)
            && (takers.is_empty() || broadcast);
        let egress = Egress {
            iface: dev.clone(),
            nexthop,
            dst_mac: skb.dst_mac,
            beyond,
        };
        self.step(at, &skb, part.clone(), Action::Left(egress));
        if takers.is_empty() && !beyond {
            return self.drop(at, &skb, part, Drop::Nobody);
        }
        if let Some((_, link)) = link.filter(|_| beyond) {
            self.heard_beyond(link, &skb);
        }
        for end in takers {
            let arrive = Event::Arrive {
                host: end.host,
                iface: end.iface.clone(),
                skb: Box::new(skb.clone()),
            };
            self.after(0, arrive);
        }
    }

    /// Kernel `vxlan_xmit`: the frame travels on in a UDP datagram of the host's own.
    fn encapsulate(
        &mut self,
        at: HostId,
        dev: &IfaceName,
        vxlan: &Vxlan,
        nexthop: Option<IpAddr>,
        skb: Skb,
    ) {
        let part = Part::Interface(dev.clone());
        let egress = Egress {
            iface: dev.clone(),
            nexthop,
            dst_mac: skb.dst_mac,
            beyond: false,
        };
        self.step(at, &skb, part.clone(), Action::Left(egress));
        // What its own table says counts; without a line there, who has the address in the model.
        let own = self.host(at).and_then(|h| h.remote(dev, skb.dst_mac));
        let Some(to) = own.or_else(|| self.world.vtep(at, dev, skb.dst_mac)) else {
            return self.drop(at, &skb, part, Drop::Nobody);
        };
        let to_be_sent = Packet {
            src: vxlan.local,
            dst: to,
            ttl: 64,
            tos: 0,
            transport: Transport::Udp {
                // The kernel hashes the inner flow into the source port, so that paths can tell flows apart.
                sport: 32768 + (skb.packet.sport().unwrap_or(0) % 28232),
                dport: vxlan.port,
            },
            payload: u16::try_from(skb.packet.length() + 22).unwrap_or(u16::MAX),
        };
        let mut outer = Skb::new(skb.journey, to_be_sent);
        outer.inner = Some(Box::new(Inner {
            vni: vxlan.vni,
            packet: skb.packet,
            src_mac: skb.src_mac,
            dst_mac: skb.dst_mac,
        }));
        outer.mark = skb.mark;
        let vni = vxlan.vni;
        self.step(at, &outer, part.clone(), Action::Encapsulated { vni, to });
        let flow = Flow {
            src: Some(outer.packet.src),
            mark: outer.mark,
            ..Flow::to(to)
        };
        let wanted = OutFlow {
            flow: flow.clone(),
            any_source: true,
        };
        let mut answer = None;
        let routed = self.route_output(at, wanted, &mut answer);
        self.routed(at, &outer, flow, Occasion::Output, answer, routed.is_ok());
        match routed {
            Ok((dst, _)) => {
                outer.dst = Some(dst);
                self.local_out(at, outer);
            }
            Err(_) => self.drop(at, &outer, part, Drop::NoRoute),
        }
    }

    /// The wait for a neighbour is over (kernel `ipv4_link_failure`, `ndisc_error_report`).
    pub(super) fn unreachable(&mut self, at: HostId, skb: &Skb) {
        self.icmp_error(at, skb, Problem::HostUnreachable, Maker::IcmpError);
    }
}
