//! Topology hints for Services that ask for them by annotation: each zone gets as many of the endpoints as it has of the
//! cluster's CPU (`k8s.io/endpointslice/topologycache`).

use std::collections::BTreeMap;

use crate::manifest::{Endpoint, Node, Service, Spanned};
use crate::say;
use crate::text::{Diagnostic, Say};

/// No endpoint may get more load than this above its share (`overloadThreshold`).
const OVERLOAD: f64 = 0.2;

/// The share of the cluster's CPU that each zone has; empty where that cannot be told, or where there is one zone only.
/// In doubles, as the controller counts: what it rounds up depends on them. The few operations on them give the same bits
/// on every machine.
#[derive(Debug, Default)]
pub(super) struct Zones(BTreeMap<Box<str>, f64>);

struct Allocation {
    minimum: usize,
    desired: f64,
}

/// The annotation that asks for hints (`hintsEnabled`); the older of its two names goes first.
pub(super) fn asked(service: &Service) -> Option<&Spanned<Box<str>>> {
    let annotations = &service.meta.annotations;
    let old = annotations.get("service.kubernetes.io/topology-aware-hints");
    old.or_else(|| annotations.get("service.kubernetes.io/topology-mode"))
        .filter(|mode| matches!(&*mode.value, "Auto" | "auto"))
}

impl Zones {
    /// `SetNodes`. One node that does not tell its zone or its CPU is enough to have none.
    pub fn of(nodes: &[Node]) -> Self {
        let role = |node: &Node, role| {
            let label = format!("node-role.kubernetes.io/{role}");
            node.meta.labels.get(&label).is_some()
        };
        let counts = |node: &&Node| {
            let control = role(node, "control-plane") || role(node, "master");
            !control && node.ready.is_none_or(|ready| ready.value)
        };
        let mut cpu: BTreeMap<Box<str>, u64> = BTreeMap::new();
        for node in nodes.iter().filter(counts) {
            let zone = node.zone().filter(|zone| !zone.value.is_empty());
            let own = node.cpu.filter(|cpu| cpu.value > 0);
            let (Some(zone), Some(own)) = (zone, own) else {
                return Self::default();
            };
            let sum = cpu.entry(zone.value.clone()).or_default();
            *sum = sum.saturating_add(own.value);
        }
        if cpu.len() < 2 {
            return Self::default();
        }
        let milli = |nano: u64| nano.div_ceil(1_000_000) as f64;
        let total = milli(cpu.values().fold(0, |sum, own| sum.saturating_add(*own)));
        let share = |(zone, own)| (zone, milli(own) / total);
        Self(cpu.into_iter().map(share).collect())
    }

    /// `AddHints`, of the endpoints of one family. Where it gives none, it says why.
    pub fn hint(&self, service: &Service, endpoints: &mut [&mut Endpoint]) -> Option<Diagnostic> {
        let mode = asked(service)?;
        let name = service.meta.full_name();
        match self.try_hint(&name, endpoints) {
            Err(why) => {
                for endpoint in endpoints {
                    endpoint.zone_hints.clear();
                }
                Some(Diagnostic::warning(mode.span, why))
            }
            Ok(0) => None,
            Ok(moved) => {
                let say = say!("control/hints-moved", count = moved, service = name);
                Some(Diagnostic::note(mode.span, say))
            }
        }
    }

    /// How many of the endpoints are for another zone than their own.
    fn try_hint(&self, service: &str, endpoints: &mut [&mut Endpoint]) -> Result<usize, Say> {
        let ready = endpoints.iter().filter(|e| e.ready).count();
        let allocations = self.allocations(service, ready)?;
        let mut given: BTreeMap<Box<str>, usize> = BTreeMap::new();
        for endpoint in endpoints.iter_mut().filter(|e| e.ready) {
            let zone = endpoint.zone.clone().filter(|zone| !zone.is_empty());
            let zone = zone.ok_or_else(|| say!("control/hints-no-zone", service = service))?;
            *given.entry(zone.clone()).or_default() += 1;
            endpoint.zone_hints = vec![zone];
        }
        let (mut giving, mut receiving) = exchange(&allocations, &given);
        let mut moved = 0;
        for endpoint in endpoints.iter_mut().filter(|e| e.ready) {
            let gives = endpoint.zone.as_ref().and_then(|z| giving.get_mut(z));
            // The real one takes both as a Go map happens to have them.
            let takes = receiving.iter_mut().find(|(_, left)| **left > 0);
            if let (Some(gives), Some((zone, left))) = (gives.filter(|left| **left > 0), takes) {
                endpoint.zone_hints = vec![zone.clone()];
                *gives -= 1;
                *left -= 1;
                moved += 1;
            }
        }
        Ok(moved)
    }

    /// `getAllocations`.
    fn allocations(
        &self,
        service: &str,
        endpoints: usize,
    ) -> Result<BTreeMap<Box<str>, Allocation>, Say> {
        let zones = self.0.len();
        if zones == 0 {
            return Err(say!("control/hints-node-info", service = service));
        }
        if zones > endpoints {
            return Err(say!(
                "control/hints-too-few",
                service = service,
                endpoints = endpoints,
                zones = zones
            ));
        }
        let of = |zone: &str, share: f64| {
            let desired = share * endpoints as f64;
            let minimum = (desired * (1.0 / (1.0 + OVERLOAD))).ceil();
            let allocation = Allocation {
                minimum: minimum as usize,
                desired: desired.max(minimum),
            };
            (zone.into(), allocation)
        };
        let shares = self.0.iter();
        let allocations: BTreeMap<_, _> = shares.map(|(zone, share)| of(zone, *share)).collect();
        if allocations.values().map(|a| a.minimum).sum::<usize>() > endpoints {
            return Err(say!(
                "control/hints-overload",
                service = service,
                endpoints = endpoints,
                zones = zones
            ));
        }
        Ok(allocations)
    }
}

/// How many endpoints each zone gives to others, and how many it gets (`getGivingAndReceivingZones`).
type Moves = BTreeMap<Box<str>, usize>;

fn exchange(
    allocations: &BTreeMap<Box<str>, Allocation>,
    given: &BTreeMap<Box<str>, usize>,
) -> (Moves, Moves) {
    let (mut over, mut under) = (BTreeMap::new(), BTreeMap::new());
    for (zone, allocation) in allocations {
        let has = given.get(zone).copied().unwrap_or_default() as f64;
        if has > allocation.desired {
            over.insert(zone.clone(), has - allocation.desired);
        } else if has < allocation.desired {
            under.insert(zone.clone(), allocation.desired - has);
        }
    }
    let (mut giving, mut receiving) = (Moves::new(), Moves::new());
    while let (Some((from, more)), Some((to, less))) = (most(&mut over), most(&mut under)) {
        if (*more < 1.0 && *less < 1.0) || *more < 0.5 || *less < 0.5 {
            break;
        }
        *giving.entry(from.into()).or_default() += 1;
        *receiving.entry(to.into()).or_default() += 1;
        *more -= 1.0;
        *less -= 1.0;
    }
    (giving, receiving)
}

/// The first with the most, if that is anything (`getMost`).
fn most(zones: &mut BTreeMap<Box<str>, f64>) -> Option<(&str, &mut f64)> {
    let mut most: Option<(&str, &mut f64)> = None;
    for (zone, number) in zones.iter_mut() {
        if *number > most.as_ref().map_or(0.0, |(_, n)| **n) {
            most = Some((zone, number));
        }
    }
    most
}
