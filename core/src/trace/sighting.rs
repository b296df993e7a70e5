use super::{Action, Journey, Part, SwitchOutcome};
use crate::net::{IfaceName, Mac, Packet};
use crate::topology::HostId;

/// A packet at an interface, where a capture sees it.
#[derive(Clone, Debug)]
pub struct Sighting<'a> {
    pub host: HostId,
    pub iface: &'a IfaceName,
    pub comes: bool,
    pub packet: &'a Packet,
    /// What it carries wrapped: the VXLAN network, and the packet inside.
    pub wrapped: Option<(u32, &'a Packet)>,
    /// Of the frame, where the packet leaves in one.
    pub dst_mac: Option<Mac>,
}

/// A journey's packet at each interface that it passes, in order, and before it those that asked for its next machine.
pub fn sightings(journey: &Journey) -> Vec<Sighting<'_>> {
    let mut all = Vec::new();
    see(journey, &mut all);
    all
}

fn see<'a>(journey: &'a Journey, all: &mut Vec<Sighting<'a>>) {
    let (mut wrapped, mut before) = (None, &journey.packet.packet);
    for hop in &journey.hops {
        for step in &hop.steps {
            let packet = &step.after.packet;
            match &step.action {
                Action::Encapsulated { vni, .. } => wrapped = Some((*vni, before)),
                Action::Decapsulated { .. } => wrapped = None,
                Action::Resolved(neighbour) => neighbour.asked.iter().for_each(|j| see(j, all)),
                _ => {}
            }
            before = packet;
            let mut dst_mac = None;
            let (iface, comes) = match (&step.action, &step.part) {
                (Action::Arrived, Part::Interface(iface)) => (iface, true),
                // libpcap drops what it would see twice on lo.
                (Action::Left(egress), _) if egress.iface.as_str() != "lo" => {
                    dst_mac = Some(egress.dst_mac);
                    (&egress.iface, false)
                }
                (Action::Bridged(switching), _) => match (&switching.from, &switching.outcome) {
                    (None, _) => {
                        dst_mac = Some(switching.dst_mac);
                        (&switching.bridge, false)
                    }
                    (Some(_), SwitchOutcome::Up) => (&switching.bridge, true),
                    _ => continue,
                },
                _ => continue,
            };
            all.push(Sighting {
                host: hop.host,
                iface,
                comes,
                packet,
                wrapped,
                dst_mac,
            });
        }
    }
}
