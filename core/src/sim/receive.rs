use std::net::IpAddr;

use super::deliver::unmodelled;
use super::engine::Sim;
use super::errors::Problem;
use super::routing6::refused_at_once;
use super::skb::{Ct, Input, Refusal, Skb};
use crate::load_balancer::Handling;
use crate::net::{IfaceName, Mac};
use crate::netfilter::Hook;
use crate::netfilter::matches::PacketType;
use crate::route::RouteError;
use crate::topology::HostId;
use crate::trace::{Action, Drop, Maker, Part};

impl Sim<'_> {
    /// A frame comes in by an interface.
    pub(super) fn receive(&mut self, at: HostId, iface: &IfaceName, mut skb: Skb) {
        let Some(host) = self.host(at) else { return };
        let Some(device) = host.interface(iface.as_str()) else {
            return;
        };
        self.recorder.enter(skb.journey, at);
        skb.out_iface = None;
        skb.in_iface = Some(iface.clone());
        (skb.owner, skb.kernel_socket) = (None, false);
        skb.by_icmp = false;
        skb.bound = None;
        if !device.is_loopback() {
            // What another namespace knew of the packet stays there (kernel `skb_scrub_packet`).
            skb.mark = 0;
            skb.ct = Ct::default();
            skb.socket = None;
            skb.dst = None;
            skb.bridge = None;
        }
        self.step(at, &skb, Part::Interface(iface.clone()), Action::Arrived);
        if !device.up {
            let part = Part::Interface(iface.clone());
            return self.drop(at, &skb, part, Drop::InterfaceDown);
        }
        if let Some(theirs) = host.ebpf().filter(|_| !device.is_loopback()) {
            // At the device's ingress, before a bridge or IP see it.
            let (part, what) = (Part::Interface(iface.clone()), unmodelled("eBPF", theirs));
            return self.drop(at, &skb, part, Drop::CannotTell(what));
        }
        skb.packet_type = packet_type(skb.dst_mac);
        if let Some(bridge) = &device.master {
            return self.bridge_receive(at, bridge, iface, skb);
        }
        let ours = device.is_loopback() || skb.dst_mac == device.mac;
        if skb.packet_type == PacketType::Unicast && !ours {
            let part = Part::Interface(iface.clone());
            return self.drop(at, &skb, part, Drop::OtherMachine);
        }
        self.ip_receive(at, skb);
    }

    /// Kernel `ip_rcv` and `ipv6_rcv`.
    pub(super) fn ip_receive(&mut self, at: HostId, mut skb: Skb) {
        if let (IpAddr::V6(src), IpAddr::V6(dst)) = (skb.packet.src, skb.packet.dst) {
            let outside = skb.in_iface.as_ref().is_some_and(|i| i.as_str() != "lo");
            if let Some(why) = refused_at_once(src, dst, outside) {
                return self.drop(at, &skb, Part::Routing, why);
            }
        }
        let toward = match self.balance(at, &mut skb) {
            Ok(toward) => toward,
            Err(()) => return,
        };
        if !self.hook(at, Hook::Prerouting, &mut skb) {
            return;
        }
        self.after_prerouting(at, skb, toward);
    }

    /// Kernel `ip_rcv_finish`.
    pub(super) fn after_prerouting(&mut self, at: HostId, mut skb: Skb, toward: Option<IpAddr>) {
        if skb.dst.is_none() {
            match self.route_input(at, &skb, toward) {
                Ok(dst) => skb.dst = Some(dst),
                Err(why) => return self.drop(at, &skb, Part::Routing, why),
            }
        }
        match skb.dst.as_ref().map(|d| d.input) {
            Some(Input::Deliver) => self.local_deliver(at, skb),
            Some(Input::Forward) => self.forward(at, skb),
            Some(Input::Error(error, refusal)) => self.refuse(at, &skb, error, refusal),
            Some(Input::None) | None => self.drop(at, &skb, Part::Routing, Drop::NoRoute),
        }
    }

    /// A load balancer takes what is its business. `Err`: the packet ends here.
    fn balance(&mut self, at: HostId, skb: &mut Skb) -> Result<Option<IpAddr>, ()> {
        let Some(balancer) = self.host(at).and_then(|h| h.balancer.as_ref()) else {
            return Ok(None);
        };
        let coins = self.coins.take();
        let Some(state) = self.state(at) else {
            return Ok(None);
        };
        state.balancer.coins = coins;
        let handling = balancer.handle(&mut state.balancer, &skb.packet);
        self.coins = state.balancer.coins.take();
        match handling {
            Handling::Pass => Ok(None),
            Handling::Forward {
                account,
                packet,
                next_hop,
            } => {
                skb.packet = packet;
                self.step(at, skb, Part::Balancer, Action::Balanced(Box::new(account)));
                Ok(next_hop)
            }
            Handling::Drop(account) => {
                self.step(at, skb, Part::Balancer, Action::Balanced(Box::new(account)));
                self.drop(at, skb, Part::Balancer, Drop::NoBackend);
                Err(())
            }
        }
    }

    /// Kernel `ip_error`.
    fn refuse(&mut self, at: HostId, skb: &Skb, error: RouteError, refusal: Refusal) {
        if refusal == Refusal::NotForwarding {
            return self.drop(at, skb, Part::Routing, Drop::NotForwarding);
        }
        self.drop(at, skb, Part::Routing, Drop::NoRoute);
        if error == RouteError::Invalid {
            return;
        }
        let (sender, now) = (skb.packet.src, self.now);
        if self.state(at).is_some_and(|s| s.may_tell(sender, now)) {
            self.icmp_error(at, skb, Problem::NoRoute(error), Maker::IcmpError);
        }
    }

    /// Kernel `ip_forward` and `ip6_forward`.
    fn forward(&mut self, at: HostId, mut skb: Skb) {
        let forwards = self.host(at).is_some_and(|h| h.sysctls.forwarding6);
        if skb.packet.dst.is_ipv6() && !forwards {
            return self.drop(at, &skb, Part::Routing, Drop::NotForwarding);
        }
        if skb.packet_type != PacketType::Unicast {
            return self.drop(at, &skb, Part::Routing, Drop::OtherMachine);
        }
        if skb.socket.is_some() {
            return self.drop(at, &skb, Part::Routing, Drop::SocketAttached);
        }
        if skb.packet.ttl <= 1 {
            self.drop(at, &skb, Part::Routing, Drop::Ttl);
            return self.icmp_error(at, &skb, Problem::TimeExceeded, Maker::IcmpError);
        }
        if skb.packet.dst.is_ipv6() {
            self.redirect6(at, &skb);
        }
        skb.packet.ttl -= 1;
        self.step(at, &skb, Part::Routing, Action::TtlDecremented);
        if skb.dst.as_ref().is_some_and(|d| d.redirect) {
            self.send_redirect(at, &skb);
        }
        skb.out_iface = skb.dst.as_ref().map(|d| d.dev.clone());
        if self.hook(at, Hook::Forward, &mut skb) {
            self.ip_output(at, skb);
        }
    }
}

pub(super) fn packet_type(mac: Mac) -> PacketType {
    match mac.0 {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => PacketType::Broadcast,
        [first, ..] if first & 1 == 1 => PacketType::Multicast,
        _ => PacketType::Unicast,
    }
}
