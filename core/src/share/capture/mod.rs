//! The packets of a walk at every interface, as a capture that Wireshark opens.

mod frame;
mod pcapng;

use std::collections::BTreeMap;
use std::net::IpAddr;

use frame::Around;

use crate::net::{Mac, Packet, TcpFlags};
use crate::topology::{HostId, IfaceName, World};
use crate::trace::{Sighting, Trace, sightings};

/// Between two sightings. There is no clock: times only tell the order.
const MICROSECONDS: u64 = 1000;

/// A pcapng file with one interface for each of a host's, named `HOST/INTERFACE`. Of a packet that stays the same from an
/// interface to the next both see it.
pub fn capture(world: &World, trace: &Trace) -> Vec<u8> {
    let mut file = pcapng::File::new("Computed by Northsouth. Times only tell the order.");
    let mut known: BTreeMap<(HostId, IfaceName), u32> = BTreeMap::new();
    let seen: Vec<_> = trace.journeys.iter().map(sightings).collect();
    for seen in seen.iter().flatten() {
        let key = (seen.host, seen.iface.clone());
        let next = known.len() as u32;
        known.entry(key).or_insert_with(|| {
            let host = world.host(seen.host).map_or("", |h| &h.name);
            file.interface(&format!("{host}/{}", seen.iface));
            next
        });
    }
    let numbers = Numbers::of(trace);
    let mut at = 0;
    for (index, (journey, seen)) in trace.journeys.iter().zip(&seen).enumerate() {
        let mut macs = (Mac::default(), Mac::default());
        for seen in seen {
            macs = of_frame(world, seen, macs);
            let cause = journey.cause.map_or(index, |cause| cause as usize);
            let around = Around {
                src_mac: macs.0,
                dst_mac: macs.1,
                sequence: numbers.of_journey(index),
                payload: journey.payload.as_ref(),
                wrapped: seen.wrapped,
                about: numbers.of_journey(cause),
            };
            let frame = frame::ethernet(seen.packet, around);
            let interface = known.get(&(seen.host, seen.iface.clone()));
            file.packet(interface.copied().unwrap_or(0), at, seen.comes, &frame);
            at += MICROSECONDS;
        }
    }
    file.finish()
}

/// Source and destination of the frame: where it leaves they are known, and who is next sees the same.
fn of_frame(world: &World, seen: &Sighting<'_>, before: (Mac, Mac)) -> (Mac, Mac) {
    let host = world.host(seen.host);
    let device = host.and_then(|h| h.interface(seen.iface.as_str()));
    match seen.dst_mac {
        // A bridge's port passes on what came to the bridge.
        Some(dst) if device.is_some_and(|i| i.master.is_some()) => (before.0, dst),
        Some(dst) => (device.map(|i| i.mac).unwrap_or_default(), dst),
        None => before,
    }
}

/// TCP's numbers, which the model does not keep: counted from 0 in each direction of a connection.
struct Numbers {
    journeys: Vec<(u32, u32)>,
}

/// Both ends of a packet, its sender's first.
type Ends = ((IpAddr, u16), (IpAddr, u16));

/// A connection as its two hosts know it, and what each has sent.
struct Connection {
    at_client: Ends,
    at_server: Ends,
    sent: [u32; 2],
}

impl Numbers {
    fn of(trace: &Trace) -> Self {
        let mut connections: Vec<Connection> = Vec::new();
        let journeys = trace.journeys.iter().map(|journey| {
            let mut packets = journey
                .hops
                .iter()
                .flat_map(|hop| &hop.steps)
                .map(|step| &step.after.packet)
                .filter(|packet| packet.tcp_flags().is_some());
            // The sender's kernel chooses the source in the first step.
            let Some(first) = packets.next() else {
                return (0, 0);
            };
            let last = packets.next_back().unwrap_or(first);
            let (Some(sent), Some(got)) = (ends(first), ends(last)) else {
                return (0, 0);
            };
            let turned = |(a, b): Ends| (b, a);
            let found = connections
                .iter()
                .position(|c| c.at_client == sent || c.at_server == turned(sent));
            let at = found.unwrap_or(connections.len());
            if found.is_none() {
                connections.push(Connection {
                    at_client: sent,
                    at_server: got,
                    sent: [0, 0],
                });
            }
            let Some(connection) = connections.get_mut(at) else {
                return (0, 0);
            };
            let back = connection.at_client != sent;
            let [client, server] = &mut connection.sent;
            let (own, other) = if back {
                (server, client)
            } else {
                (client, server)
            };
            let numbers = (*own, *other);
            let flags = first.tcp_flags().unwrap_or_default();
            let counts = flags.has(TcpFlags::SYN) || flags.has(TcpFlags::FIN);
            *own = own.wrapping_add(u32::from(first.payload) + u32::from(counts));
            numbers
        });
        Self {
            journeys: journeys.collect(),
        }
    }

    fn of_journey(&self, index: usize) -> (u32, u32) {
        self.journeys.get(index).copied().unwrap_or_default()
    }
}

fn ends(packet: &Packet) -> Option<Ends> {
    Some(((packet.src, packet.sport()?), (packet.dst, packet.dport()?)))
}
