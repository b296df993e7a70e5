//! How near the model is to the real thing, step by step.

use super::{Action, Drop, Step, Trace};
use crate::say;
use crate::text::Say;

/// How near. The order is from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fidelity {
    /// As the real thing does it, held by recordings of the real thing.
    Exact,
    /// In the same way, with what nobody can know from texts left out or simplified.
    Approximate,
    /// Not modelled: the walk ends in "cannot tell".
    NotModelled,
}

impl Fidelity {
    pub const ALL: [Fidelity; 3] = [
        Fidelity::Exact,
        Fidelity::Approximate,
        Fidelity::NotModelled,
    ];

    pub fn say(self) -> Say {
        match self {
            Fidelity::Exact => say!("fidelity/exact"),
            Fidelity::Approximate => say!("fidelity/approximate"),
            Fidelity::NotModelled => say!("fidelity/not-modelled"),
        }
    }
}

/// A step's fidelity, and in a sentence what it rests on or what it leaves out.
pub fn fidelity(step: &Step) -> (Fidelity, Say) {
    use Fidelity::{Approximate, Exact, NotModelled};
    match &step.action {
        Action::Dropped(Drop::CannotTell(what)) => {
            (NotModelled, say!("fidelity/cannot-tell", text = what.text))
        }
        Action::Hook(_)
        | Action::Rule(_)
        | Action::NatDecided(_)
        | Action::Translated { .. }
        | Action::Dropped(_)
        | Action::TtlDecremented => (Exact, say!("fidelity/netfilter")),
        Action::Tracked(_) | Action::Confirmed(_) => (Exact, say!("fidelity/conntrack")),
        Action::Routed(_) | Action::SourceChecked(_) => (Exact, say!("fidelity/routing")),
        Action::Bridged(_) | Action::Arrived | Action::Left(_) => (Exact, say!("fidelity/link")),
        Action::Sent(_) | Action::Delivered(_) | Action::NothingListens | Action::KernelTook => {
            (Exact, say!("fidelity/socket"))
        }
        Action::Resolved(n) if n.addr.is_ipv6() => (Approximate, say!("fidelity/neighbour6")),
        Action::Resolved(_) => (Approximate, say!("fidelity/neighbour")),
        Action::Balanced(_) => (Approximate, say!("fidelity/balancer")),
        Action::Encapsulated { .. } | Action::Decapsulated { .. } => {
            (Approximate, say!("fidelity/vxlan"))
        }
        Action::Looped => (Approximate, say!("fidelity/looped")),
        // Envoy's own steps.
        _ => (Exact, say!("fidelity/envoy")),
    }
}

/// What a whole walk depends on that is not exact, each said once with the number of its steps, worst first.
pub fn depends_on(trace: &Trace) -> Vec<(Fidelity, Say, u32)> {
    let mut found: Vec<(Fidelity, Say, u32)> = Vec::new();
    let hops = trace.journeys.iter().flat_map(|j| &j.hops);
    for step in hops.flat_map(|h| &h.steps) {
        let (how, said) = fidelity(step);
        if how == Fidelity::Exact {
            continue;
        }
        match found.iter_mut().find(|(_, s, _)| *s == said) {
            Some((.., count)) => *count += 1,
            None => found.push((how, said, 1)),
        }
    }
    found.sort_by_key(|(how, ..)| std::cmp::Reverse(*how));
    found
}

/// Each kind of step by its name, its fidelity, and what that rests on.
pub fn modelled() -> Vec<(Say, Fidelity, Say)> {
    use Fidelity::{Approximate, Exact};
    vec![
        (
            say!("fidelity/name-netfilter"),
            Exact,
            say!("fidelity/netfilter"),
        ),
        (
            say!("fidelity/name-conntrack"),
            Exact,
            say!("fidelity/conntrack"),
        ),
        (
            say!("fidelity/name-routing"),
            Exact,
            say!("fidelity/routing"),
        ),
        (say!("fidelity/name-link"), Exact, say!("fidelity/link")),
        (say!("fidelity/name-socket"), Exact, say!("fidelity/socket")),
        (say!("fidelity/name-envoy"), Exact, say!("fidelity/envoy")),
        (
            say!("fidelity/name-neighbour"),
            Approximate,
            say!("fidelity/neighbour"),
        ),
        (
            say!("fidelity/name-neighbour6"),
            Approximate,
            say!("fidelity/neighbour6"),
        ),
        (
            say!("fidelity/name-balancer"),
            Approximate,
            say!("fidelity/balancer"),
        ),
        (
            say!("fidelity/name-vxlan"),
            Approximate,
            say!("fidelity/vxlan"),
        ),
    ]
}
