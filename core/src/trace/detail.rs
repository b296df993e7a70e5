//! What can be asked of a step, as a short text: for questions whose answer the model computes.

use super::considered::Told;
use super::find::{StepAt, chain_name};
use super::{Action, Content, Field, Journey, Snapshot, Step, Trace};
use crate::net::Request;
use crate::topology::World;

/// Something about a step, or about how it all ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A field of the packet.
    Field(Field),
    /// The name of the machine.
    Host,
    /// The chain that the rule is in.
    Chain,
    /// The chain that the rule sends the packet to.
    Target,
    /// The number of the rule in its chain, from 1.
    Number,
    /// Who took the packet.
    Process,
    /// The address to which the packet is sent next.
    NextHop,
    /// What Envoy answered, or passed on.
    Status,
    /// Of the request that the packet carries, where no TLS hides it.
    Path,
    Authority,
    /// Envoy's virtual host, route, cluster, endpoint, flags and details.
    VirtualHost,
    Route,
    Cluster,
    Endpoint,
    Flags,
    Details,
    /// How the packet of this step ended: `delivered`, `dropped`, …
    End,
}

impl Detail {
    pub const ALL: [(&'static str, Detail); 16] = [
        ("host", Detail::Host),
        ("chain", Detail::Chain),
        ("target", Detail::Target),
        ("number", Detail::Number),
        ("process", Detail::Process),
        ("next-hop", Detail::NextHop),
        ("status", Detail::Status),
        ("path", Detail::Path),
        ("authority", Detail::Authority),
        ("virtual-host", Detail::VirtualHost),
        ("route", Detail::Route),
        ("cluster", Detail::Cluster),
        ("endpoint", Detail::Endpoint),
        ("flags", Detail::Flags),
        ("details", Detail::Details),
        ("end", Detail::End),
    ];

    pub fn from_name(name: &str) -> Option<Detail> {
        let other = || {
            Detail::ALL
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, d)| *d)
        };
        Field::from_name(name).map(Detail::Field).or_else(other)
    }

    /// Every name, for who wrote another.
    pub fn names() -> String {
        let fields = Field::ALL.iter().map(|f| f.name());
        let others = Detail::ALL.iter().map(|(name, _)| *name);
        fields.chain(others).collect::<Vec<_>>().join(", ")
    }

    /// `None` where the step has no such thing.
    pub fn of(self, world: &World, trace: &Trace, at: StepAt) -> Option<String> {
        let journey = trace.journeys.get(at.journey as usize)?;
        let hop = journey.hops.get(at.hop as usize)?;
        let step = hop.steps.get(at.step as usize)?;
        let host = world.host(hop.host)?;
        let said = match &step.action {
            Action::Proxied(said) => Some(Told {
                config: host.envoy.as_deref()?,
                account: &said.account,
            }),
            _ => None,
        };
        let answer = said.as_ref().and_then(|s| s.account.answer.as_ref());
        let text = match (self, &step.action) {
            (Detail::Field(field), _) => field.of(&step.after)?,
            (Detail::Host, _) => host.name.to_string(),
            (Detail::Chain, Action::Rule(rule)) => chain_name(host, rule, rule.at)?.to_string(),
            (Detail::Target, Action::Rule(rule)) => {
                chain_name(host, rule, rule.at.checked_add(1)?)?.to_string()
            }
            (Detail::Number, Action::Rule(rule)) => (rule.step()?.index + 1).to_string(),
            (Detail::NextHop, _) => next_hop(step)?,
            (Detail::Process, Action::Delivered(delivery)) => delivery.process.name().to_string(),
            (Detail::Status, _) => answer.filter(|a| a.status > 0)?.status.to_string(),
            (Detail::Path, _) => carried(journey)?.path.clone(),
            (Detail::Authority, _) => carried(journey)?.authority.clone(),
            (Detail::VirtualHost, _) => said?.vhost()?.name.clone(),
            (Detail::Route, _) => said?.route()?.name.clone(),
            (Detail::Cluster, _) => said?.account.cluster.clone(),
            (Detail::Endpoint, _) => said?.account.endpoint.as_ref()?.address.clone(),
            (Detail::Flags, _) => answer?.flags.join(","),
            (Detail::Details, _) => answer?.details.clone(),
            (Detail::End, _) => journey.disposition.name().to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

/// The request in a journey, as who is on the way can read it.
fn carried(journey: &Journey) -> Option<&Request> {
    match &journey.payload.as_ref().filter(|p| p.tls == 0)?.content {
        Content::Request { request, .. } => Some(request),
        _ => None,
    }
}

fn next_hop(step: &Step) -> Option<String> {
    match &step.action {
        Action::Left(egress) => Some(egress.nexthop?.to_string()),
        Action::Resolved(neighbour) => Some(neighbour.addr.to_string()),
        _ => None,
    }
}

impl Field {
    /// The field's value as people write it; `None` where the packet has none.
    pub fn of(self, snapshot: &Snapshot) -> Option<String> {
        let packet = &snapshot.packet;
        Some(match self {
            Field::Source => packet.src.to_string(),
            Field::Destination => packet.dst.to_string(),
            Field::SourcePort => packet.sport()?.to_string(),
            Field::DestinationPort => packet.dport()?.to_string(),
            Field::Ttl => packet.ttl.to_string(),
            Field::Tos => packet.tos.to_string(),
            Field::Mark => format!("{:#x}", snapshot.mark),
            Field::InInterface => snapshot.in_iface.as_ref()?.to_string(),
            Field::OutInterface => snapshot.out_iface.as_ref()?.to_string(),
            Field::ConntrackState => snapshot.ct_state?.to_string(),
        })
    }
}
