//! What becomes of a connection that was there before the world changed.

use super::after::After;
use super::host::HostState;
use super::output::SendOptions;
use crate::net::{Packet, TcpFlags, Transport};
use crate::netfilter::SocketOwner;
use crate::topology::{HostId, World};
use crate::trace::{Journey, Maker, Program, Role, Trace};

/// Bytes of the packet that is sent once more.
const PAYLOAD: u16 = 1;

/// Sends one more packet of a run's connection, now that the machines are those of another world: each host of the same name
/// keeps its connection table and what it counts of ICMP errors, the load balancer its connections; addresses of neighbours
/// are asked for again. `None` where there was no connection, or its sender is gone.
pub fn follow(world: &World, trace: &Trace, after: &After, now: &World) -> Option<Trace> {
    let asked = trace.journeys.first()?;
    let home = world.host(asked.hops.first()?.host)?;
    let at = now.find(&home.name)?;
    let packet = further(asked)?;
    let mut sim = after.again(now);
    for (id, host) in (0..).map(HostId).zip(&world.hosts) {
        let (Some(old), Some(new)) = (after.host(id), now.find(&host.name)) else {
            continue;
        };
        if let Some(state) = sim.state(new) {
            keep(state, old);
        }
    }
    sim.now = after.now;
    let journey = sim.recorder.begin(Role::Request, None, &packet);
    let options = SendOptions {
        owner: Some(SocketOwner::default()),
        ..SendOptions::default()
    };
    // A host that has no way says so in the trace.
    let _ = sim.send(
        at,
        journey,
        packet,
        &options,
        Maker::Process(Program::Probe),
    );
    sim.run_until(u64::MAX);
    Some(sim.finish().0)
}

/// What a host has in its memory, not in its files.
fn keep(state: &mut HostState, old: &HostState) {
    state.conntrack = old.conntrack.clone();
    state.flows = old.flows.clone();
    state.balancer = old.balancer.clone();
    state.allowances = old.allowances.clone();
}

/// The next packet of the sender's, as it was first sent.
fn further(asked: &Journey) -> Option<Packet> {
    let first = asked.hops.first()?.steps.first()?;
    let mut packet = first.after.packet.clone();
    match &mut packet.transport {
        Transport::Tcp { flags, .. } => *flags = TcpFlags::PSH | TcpFlags::ACK,
        Transport::Udp { .. } => {}
        _ => return None,
    }
    packet.payload = PAYLOAD;
    Some(packet)
}
