use serde::Serialize;

use super::{Backend, Health, Listener, LoadBalancer};
use crate::say;
use crate::text::{Outcome, Reason, Say, Why};

/// What the balancer did with a packet and why. Indices are those of its own lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub occasion: Occasion,
    /// `None`: no listener has the packet's address, port and protocol.
    pub listener: Option<u16>,
    /// The backend whose connection it is.
    pub backend: Option<u16>,
    /// Of a new connection: every backend and how it fared.
    pub considered: Vec<Considered>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Occasion {
    /// The first packet of a connection.
    New,
    /// A further packet of the client's.
    Known,
    /// From the backend, back to the client.
    Answer,
    /// For one of its addresses, but for no listener.
    Stray,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Considered {
    pub backend: u16,
    pub verdict: Verdict,
}

/// How a backend fared when a new connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    Chosen,
    /// It could have been chosen.
    Eligible,
    Unhealthy,
    SaidUnhealthy,
    NoWeight,
    /// Turn `turn` of `period`, from 1, is another's.
    NotItsTurn {
        turn: u64,
        period: u64,
    },
    /// The client's address hashes to a bucket of another's.
    OtherBucket {
        bucket: u64,
    },
}

impl Verdict {
    /// What can be said before the scheduler is asked.
    pub(super) fn outright(listener: &Listener, backend: &Backend) -> Self {
        match backend.health {
            _ if listener.eligible(backend) => Verdict::Eligible,
            Health::Unhealthy => Verdict::Unhealthy,
            Health::SaidUnhealthy => Verdict::SaidUnhealthy,
            _ if backend.weight == 0 => Verdict::NoWeight,
            _ => Verdict::Eligible,
        }
    }

    pub fn say(self) -> Say {
        match self {
            Verdict::Chosen => say!("load_balancer/chosen"),
            Verdict::Eligible => say!("load_balancer/eligible"),
            Verdict::Unhealthy => say!("load_balancer/unhealthy"),
            Verdict::SaidUnhealthy => say!("load_balancer/said-unhealthy"),
            Verdict::NoWeight => say!("load_balancer/no-weight"),
            Verdict::NotItsTurn { turn, period } => {
                say!("load_balancer/not-its-turn", turn = turn, period = period)
            }
            Verdict::OtherBucket { bucket } => {
                say!("load_balancer/other-bucket", bucket = bucket)
            }
        }
    }
}

impl LoadBalancer {
    /// What it did, in a sentence.
    pub fn tell(&self, account: &Account) -> Say {
        let named = |at: Option<u16>| {
            let listener = self.listeners.get(usize::from(account.listener?))?;
            let backend = listener.backends.get(usize::from(at?))?;
            Some((listener, backend))
        };
        match (account.occasion, named(account.backend)) {
            (Occasion::Stray, _) => say!("load_balancer/stray"),
            (Occasion::New, Some((listener, backend))) => say!(
                "load_balancer/new",
                backend = backend.name,
                addr = backend.addr,
                port = backend.port,
                scheduler = listener.scheduler.name()
            ),
            (Occasion::Known, Some((_, backend))) => {
                say!("load_balancer/known", backend = backend.name)
            }
            (Occasion::Answer, Some((_, backend))) => {
                say!("load_balancer/answer", backend = backend.name)
            }
            (_, None) => say!("load_balancer/no-backend"),
        }
    }

    /// The backends of a new connection: the one that took it, and why the others did not.
    pub fn why(&self, account: &Account) -> Why {
        let mut why = Why::default();
        let listener = account
            .listener
            .and_then(|at| self.listeners.get(usize::from(at)));
        let Some(listener) = listener else {
            return why;
        };
        for considered in &account.considered {
            let Some(backend) = listener.backends.get(usize::from(considered.backend)) else {
                continue;
            };
            let chosen = considered.verdict == Verdict::Chosen;
            let reason = Reason {
                outcome: if chosen {
                    Outcome::Held
                } else {
                    Outcome::Failed
                },
                text: format!("{} {}:{}", backend.name, backend.addr, backend.port),
                say: considered.verdict.say(),
                span: Some(backend.span),
                children: Vec::new(),
            };
            if chosen {
                why.decided.push(reason);
            } else {
                why.passed_over.push(reason);
            }
        }
        why
    }
}
