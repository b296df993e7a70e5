use crate::net::Packet;
use crate::topology::HostId;
use crate::trace::{
    Action, Change, Disposition, Drop, Field, Hop, Journey, Part, Payload, Role, Snapshot, Step,
};

use super::skb::Skb;

/// Writes the trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    pub journeys: Vec<Journey>,
    steps: u32,
}

/// Steps after which a run is given up.
const MOST_STEPS: u32 = 20_000;

impl Recorder {
    pub fn begin(&mut self, role: Role, cause: Option<u32>, packet: &Packet) -> u32 {
        self.journeys.push(Journey {
            role,
            cause,
            packet: Snapshot {
                packet: packet.clone(),
                mark: 0,
                in_iface: None,
                out_iface: None,
                ct_state: None,
            },
            payload: None,
            hops: Vec::new(),
            disposition: Disposition::Loop,
        });
        (self.journeys.len() - 1) as u32
    }

    /// What the journey's packet carries.
    pub fn carries(&mut self, journey: u32, payload: &Payload) {
        if let Some(journey) = self.journeys.get_mut(journey as usize) {
            journey.payload = Some(payload.clone());
        }
    }

    pub fn is_full(&self) -> bool {
        self.steps >= MOST_STEPS
    }

    /// A new visit to a machine.
    pub fn enter(&mut self, journey: u32, host: HostId) {
        if let Some(journey) = self.journeys.get_mut(journey as usize) {
            journey.hops.push(Hop {
                host,
                steps: Vec::with_capacity(16),
            });
        }
    }

    pub fn step(&mut self, host: HostId, skb: &Skb, part: Part, action: Action) {
        self.step_with(host, skb.journey, part, action, skb.snapshot());
    }

    pub fn step_with(
        &mut self,
        host: HostId,
        journey: u32,
        part: Part,
        action: Action,
        after: Snapshot,
    ) {
        self.steps = self.steps.saturating_add(1);
        let Some(journey) = self.journeys.get_mut(journey as usize) else {
            return;
        };
        // What goes to many has arrived when one has taken it.
        let taken =
            journey.disposition == Disposition::Delivered && after.packet.dst.is_multicast();
        if let Some(end) = disposition(&action).filter(|_| !taken) {
            journey.disposition = end;
        }
        let before = journey.hops.iter().rev().find_map(|h| h.steps.last());
        let changes = changes(before.map_or(&journey.packet, |s| &s.after), &after);
        if journey.hops.last().is_none_or(|h| h.host != host) {
            journey.hops.push(Hop {
                host,
                steps: Vec::with_capacity(16),
            });
        }
        if let Some(hop) = journey.hops.last_mut() {
            hop.steps.push(Step {
                part,
                action,
                changes,
                after,
            });
        }
    }
}

/// How an action ends a journey.
fn disposition(action: &Action) -> Option<Disposition> {
    Some(match action {
        Action::Delivered(_) | Action::KernelTook => Disposition::Delivered,
        Action::NothingListens => Disposition::NothingListens,
        Action::Left(egress) if egress.beyond => Disposition::Left,
        Action::Looped => Disposition::Loop,
        Action::Dropped(drop) => match drop {
            Drop::Rejected { .. } => Disposition::Rejected,
            Drop::MartianSource | Drop::OwnSource | Drop::RpFilter => Disposition::RefusedSource,
            Drop::NoRoute | Drop::NotForwarding => Disposition::NoRoute,
            Drop::Ttl => Disposition::TtlExceeded,
            Drop::NoNeighbour => Disposition::NoNeighbour,
            Drop::NoBackend => Disposition::NoBackend,
            Drop::CannotTell(_) => Disposition::CannotTell,
            _ => Disposition::Dropped,
        },
        _ => return None,
    })
}

fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let mut all = Vec::new();
    let mut note = |field, changed: bool, texts: &dyn Fn() -> (String, String)| {
        if changed {
            let (before, after) = texts();
            all.push(Change {
                field,
                before,
                after,
            });
        }
    };
    let (a, b) = (&before.packet, &after.packet);
    let port = |p: Option<u16>| p.map(|p| p.to_string()).unwrap_or_default();
    let name =
        |i: &Option<crate::net::IfaceName>| i.as_ref().map(|i| i.to_string()).unwrap_or_default();
    let text = |a: &dyn ToString, b: &dyn ToString| (a.to_string(), b.to_string());
    note(Field::Source, a.src != b.src, &|| text(&a.src, &b.src));
    note(Field::SourcePort, a.sport() != b.sport(), &|| {
        (port(a.sport()), port(b.sport()))
    });
    note(Field::Destination, a.dst != b.dst, &|| text(&a.dst, &b.dst));
    note(Field::DestinationPort, a.dport() != b.dport(), &|| {
        (port(a.dport()), port(b.dport()))
    });
    note(Field::Ttl, a.ttl != b.ttl, &|| text(&a.ttl, &b.ttl));
    note(Field::Tos, a.tos != b.tos, &|| text(&a.tos, &b.tos));
    note(Field::Mark, before.mark != after.mark, &|| {
        (format!("{:#x}", before.mark), format!("{:#x}", after.mark))
    });
    note(
        Field::InInterface,
        before.in_iface != after.in_iface,
        &|| (name(&before.in_iface), name(&after.in_iface)),
    );
    note(
        Field::OutInterface,
        before.out_iface != after.out_iface,
        &|| (name(&before.out_iface), name(&after.out_iface)),
    );
    note(
        Field::ConntrackState,
        before.ct_state != after.ct_state,
        &|| {
            let label = |s: Option<&str>| s.unwrap_or_default().to_string();
            (label(before.ct_state), label(after.ct_state))
        },
    );
    all
}
