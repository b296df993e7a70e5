use std::net::IpAddr;

use super::deliver::unmodelled;
use super::engine::Sim;
use super::receive::packet_type;
use super::skb::{BridgeInfo, Dst, Input, Skb};
use crate::net::IfaceName;
use crate::netfilter::Hook;
use crate::netfilter::matches::PacketType;
use crate::topology::HostId;
use crate::trace::{Action, Drop, Part, SwitchOutcome, Switching};

impl Sim<'_> {
    /// A frame comes in by a port of a bridge (kernel `br_handle_frame`, `br_nf_pre_routing`).
    pub(super) fn bridge_receive(
        &mut self,
        at: HostId,
        bridge: &IfaceName,
        port: &IfaceName,
        mut skb: Skb,
    ) {
        let Some(host) = self.host(at) else { return };
        let (Some(device), src_mac) = (host.interface(bridge.as_str()), skb.src_mac) else {
            return;
        };
        if let Some(kind) = &device.unmodelled {
            let what = unmodelled(kind, device);
            return self.drop(
                at,
                &skb,
                Part::Bridge(bridge.clone()),
                Drop::CannotTell(what),
            );
        }
        if let Some(state) = self.state(at) {
            state.fdb.insert((bridge.clone(), src_mac), port.clone());
        }
        skb.in_iface = Some(bridge.clone());
        let (mut routed, mut through) = (false, false);
        let asks = match skb.packet.dst {
            IpAddr::V4(_) => host.sysctls.bridge_nf,
            IpAddr::V6(_) => host.sysctls.bridge_nf6,
        };
        if asks {
            skb.bridge = Some(BridgeInfo {
                physin: port.clone(),
                physout: None,
            });
            // The frame has no route of its own: netfilter is shown the bridge (kernel `br_netfilter_rtable_init`).
            skb.dst = Some(Dst::of_bridge(bridge));
            let dst = skb.packet.dst;
            if !self.hook(at, Hook::Prerouting, &mut skb) {
                return;
            }
            if skb.packet.dst != dst {
                // netfilter gave it another destination: on this bridge it is still switched, elsewhere it is routed.
                match self.route_input(at, &skb, None) {
                    Err(why) => return self.drop(at, &skb, Part::Routing, why),
                    Ok(to) if to.input == Input::Forward && to.dev == *bridge => {
                        let next = to.gateway.unwrap_or(skb.packet.dst);
                        skb.dst = Some(to);
                        let Some(hop) = self.neighbour(at, bridge, next, &skb) else {
                            return;
                        };
                        skb.dst_mac = hop.mac;
                        through = !hop.ready;
                    }
                    Ok(to) => {
                        routed = true;
                        skb.dst = Some(to);
                        skb.dst_mac = device.mac;
                        skb.packet_type = PacketType::Unicast;
                    }
                }
            }
        }
        let outcome = self.switch(at, bridge, Some(port), &skb);
        let switching = Switching {
            bridge: bridge.clone(),
            from: Some(port.clone()),
            through,
            dst_mac: skb.dst_mac,
            outcome: outcome.clone(),
        };
        let part = Part::Bridge(bridge.clone());
        self.step(at, &skb, part.clone(), Action::Bridged(switching));
        match outcome {
            SwitchOutcome::Up => {
                skb.dst = skb.dst.filter(|_| routed);
                self.pass_up(at, skb);
            }
            SwitchOutcome::Port(out) => self.bridge_forward(at, bridge, &out, skb),
            SwitchOutcome::NoHairpin(_) => self.drop(at, &skb, part, Drop::NoHairpin),
            SwitchOutcome::Flood => {
                for out in self.ports(at, bridge, Some(port)) {
                    self.bridge_forward(at, bridge, &out, skb.clone());
                }
                if packet_type(skb.dst_mac) != PacketType::Unicast {
                    skb.dst = None;
                    self.pass_up(at, skb);
                }
            }
        }
    }

    /// Kernel `br_pass_frame_up`: PREROUTING is over if the bridge asked for it (`ip_sabotage_in`). netfilter goes on knowing
    /// the port.
    fn pass_up(&mut self, at: HostId, skb: Skb) {
        match skb.bridge {
            Some(_) => self.after_prerouting(at, skb, None),
            None => self.ip_receive(at, skb),
        }
    }

    /// Kernel `br_handle_frame_finish`: where a bridge sends a frame.
    fn switch(
        &mut self,
        at: HostId,
        bridge: &IfaceName,
        from: Option<&IfaceName>,
        skb: &Skb,
    ) -> SwitchOutcome {
        let mac = skb.dst_mac;
        if packet_type(mac) != PacketType::Unicast {
            return SwitchOutcome::Flood;
        }
        let Some(host) = self.host(at) else {
            return SwitchOutcome::Flood;
        };
        let own = host
            .interfaces
            .iter()
            .any(|i| i.mac == mac && (i.name == *bridge || i.master.as_ref() == Some(bridge)));
        if own && from.is_some() {
            return SwitchOutcome::Up;
        }
        let key = (bridge.clone(), mac);
        let known = self.state(at).and_then(|s| s.fdb.get(&key)).cloned();
        // Asked by ARP before, the owner of an address is known even where no frame of its was seen in this run.
        let port = known.or_else(|| self.world.port_of(at, bridge, mac));
        match port {
            Some(port) if Some(&port) == from && !hairpin(host, &port) => {
                SwitchOutcome::NoHairpin(port)
            }
            Some(port) => SwitchOutcome::Port(port),
            None => SwitchOutcome::Flood,
        }
    }

    fn ports(&self, at: HostId, bridge: &IfaceName, but: Option<&IfaceName>) -> Vec<IfaceName> {
        let Some(host) = self.host(at) else {
            return Vec::new();
        };
        let ports = host.interfaces.iter().filter(|i| {
            i.up && i.master.as_ref() == Some(bridge) && (Some(&i.name) != but || i.hairpin)
        });
        ports.map(|i| i.name.clone()).collect()
    }

    /// From port to port (kernel `__br_forward`, `br_nf_forward`, `br_nf_post_routing`).
    fn bridge_forward(&mut self, at: HostId, bridge: &IfaceName, out: &IfaceName, mut skb: Skb) {
        if let Some(info) = &mut skb.bridge {
            info.physout = Some(out.clone());
            skb.out_iface = Some(bridge.clone());
            if !self.hook(at, Hook::Forward, &mut skb) {
                return;
            }
            skb.in_iface = None;
            if !self.hook(at, Hook::Postrouting, &mut skb) {
                return;
            }
        }
        self.emit(at, out, None, skb);
    }

    /// The host's own frame, or one that it routed, leaves by a bridge (kernel `br_dev_xmit`).
    pub(super) fn bridge_send(
        &mut self,
        at: HostId,
        bridge: &IfaceName,
        nexthop: Option<IpAddr>,
        skb: Skb,
    ) {
        let outcome = self.switch(at, bridge, None, &skb);
        let switching = Switching {
            bridge: bridge.clone(),
            from: None,
            through: false,
            dst_mac: skb.dst_mac,
            outcome: outcome.clone(),
        };
        let part = Part::Bridge(bridge.clone());
        self.step(at, &skb, part, Action::Bridged(switching));
        match outcome {
            SwitchOutcome::Port(out) => self.emit(at, &out, nexthop, skb),
            _ => {
                for out in self.ports(at, bridge, None) {
                    self.emit(at, &out, nexthop, skb.clone());
                }
            }
        }
    }
}

fn hairpin(host: &crate::topology::Host, port: &IfaceName) -> bool {
    host.interface(port.as_str()).is_some_and(|i| i.hairpin)
}
