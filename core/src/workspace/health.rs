//! The load balancer's health checks, played before the probe.

use super::send;
use crate::load_balancer::Health;
use crate::say;
use crate::sim::{Probe, ProbeKind};
use crate::text::{Diagnostic, Pace};
use crate::topology::World;
use crate::trace::Disposition;

/// Opens a connection to every backend of a listener that checks, and writes down what came of it. What the checks leave
/// behind on the hosts is forgotten.
pub async fn check(world: &mut World, seed: u64, diagnostics: &mut Vec<Diagnostic>, pace: &Pace) {
    let found = findings(world, seed, diagnostics, pace).await;
    for (host, listener, backend, health) in found {
        let balancer = world.hosts.get_mut(host).and_then(|h| h.balancer.as_mut());
        let backend = balancer
            .and_then(|b| b.listeners.get_mut(listener))
            .and_then(|l| l.backends.get_mut(backend));
        if let Some(backend) = backend {
            backend.health = health;
        }
    }
}

/// Host, listener and backend by their positions, and how the backend is.
async fn findings(
    world: &World,
    seed: u64,
    diagnostics: &mut Vec<Diagnostic>,
    pace: &Pace,
) -> Vec<(usize, usize, usize, Health)> {
    let mut found = Vec::new();
    for (h, host) in world.hosts.iter().enumerate() {
        for (l, listener) in host.balancer.iter().flat_map(|b| &b.listeners).enumerate() {
            let Some(check) = listener.check else {
                continue;
            };
            for (b, backend) in listener.backends.iter().enumerate() {
                if backend.health != Health::Unchecked {
                    continue;
                }
                let probe = Probe {
                    from: host.name.to_string(),
                    to: backend.addr,
                    port: check.port.unwrap_or(backend.port),
                    kind: ProbeKind::TcpConnect,
                };
                let sent = send::outcome(world, &probe, seed, pace).await;
                let end = sent.map(|(trace, _)| trace.disposition);
                let (node, port) = (&backend.name, probe.port);
                let health = match end {
                    Some(Disposition::Delivered) => Health::Healthy,
                    Some(Disposition::CannotTell) | None => {
                        diagnostics.push(Diagnostic::warning(
                            backend.span,
                            say!("texts/check-cannot-tell", node = node, port = port),
                        ));
                        Health::Unchecked
                    }
                    Some(_) => {
                        diagnostics.push(Diagnostic::note(
                            backend.span,
                            say!("texts/check-failed", node = node, port = port),
                        ));
                        Health::Unhealthy
                    }
                };
                found.push((h, l, b, health));
            }
        }
    }
    found
}
