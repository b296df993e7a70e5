use std::net::IpAddr;

use super::after::After;
use super::routing::OutFlow;
use super::skb::{Dst, Input, Refusal, Skb};
use crate::net::{IfaceName, IpFamily, Packet, Transport};
use crate::route::{Flow, Found, RouteError};
use crate::topology::{HostId, World};
use crate::trace::{Action, Drop, Role};

/// Where a host would send a packet, or why not: what `ip route get` prints (kernel `inet_rtm_getroute`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayOut {
    pub dev: IfaceName,
    pub gateway: Option<IpAddr>,
    /// The address that the host's own packet takes; none for a packet that came in.
    pub source: Option<IpAddr>,
    pub local: bool,
    pub broadcast: bool,
    pub multicast: bool,
    /// The line that decided; none where no table was asked.
    pub found: Option<Found>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoWayOut {
    /// A table or rule said so, or none knew a way.
    Error(RouteError),
    /// The packet may not have come in so.
    Refused(Drop),
}

/// Asks a host's routes as they stand after a run. With `flow.iif` for a packet that came in by that interface, else for one
/// of the host's own.
pub fn way_out(world: &World, after: &After, at: HostId, flow: &Flow) -> Result<WayOut, NoWayOut> {
    let mut sim = after.again(world);
    let Some(iif) = flow.iif.clone() else {
        let wanted = OutFlow {
            flow: flow.clone(),
            any_source: false,
        };
        let mut answer = None;
        let routed = sim.route_output(at, wanted, &mut answer);
        let (dst, source) = routed.map_err(NoWayOut::Error)?;
        return Ok(way(dst, Some(source), answer.and_then(Result::ok)));
    };
    let packet = Packet {
        src: flow.src.unwrap_or(IpFamily::of(flow.dst).unspecified()),
        dst: flow.dst,
        ttl: 64,
        tos: flow.tos,
        transport: Transport::Other(flow.protocol.unwrap_or(crate::net::Protocol(0))),
        payload: 0,
    };
    let journey = sim.recorder.begin(Role::Request, None, &packet);
    let mut skb = Skb::new(journey, packet);
    skb.mark = flow.mark;
    skb.in_iface = Some(iif);
    let dst = sim.route_input(at, &skb, None).map_err(NoWayOut::Refused)?;
    match dst.input {
        Input::Error(_, Refusal::NotForwarding) => {
            Err(NoWayOut::Error(RouteError::HostUnreachable))
        }
        Input::Error(error, Refusal::NoRoute) => Err(NoWayOut::Error(error)),
        Input::Deliver | Input::Forward | Input::None => {
            let journeys = &sim.recorder.journeys;
            let mut steps = journeys.iter().flat_map(|j| &j.hops).flat_map(|h| &h.steps);
            let found = steps.find_map(|s| match &s.action {
                Action::Routed(routing) => routing.answer.clone().ok(),
                _ => None,
            });
            Ok(way(dst, None, found))
        }
    }
}

fn way(dst: Dst, source: Option<IpAddr>, found: Option<Found>) -> WayOut {
    WayOut {
        dev: dst.dev,
        gateway: dst.gateway,
        source,
        local: dst.local,
        broadcast: dst.broadcast,
        multicast: dst.multicast,
        found,
    }
}
