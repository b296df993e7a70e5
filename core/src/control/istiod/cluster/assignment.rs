//! A cluster's endpoints, by place and priority. Source: `pilot/pkg/xds/endpoints/`,
//! `pilot/pkg/networking/core/loadbalancer/loadbalancer.go`.

use std::collections::BTreeMap;

use super::{Made, Policy, enabled, pipe};
use crate::control::istiod::authn::Mode;
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::service::{Endpoint, Locality, Resolution};
use crate::control::istiod::world::World;
use crate::yaml::Node;

impl Made<'_> {
    pub(super) fn assignment(&self, labels: &BTreeMap<String, String>, policy: &Policy) -> Node {
        let mut groups: BTreeMap<Locality, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in self.service.called() {
            let subset = labels
                .iter()
                .all(|(k, v)| endpoint.labels.get(k) == Some(v));
            if subset && endpoint.ports.contains_key(&self.port.name) {
                groups
                    .entry(endpoint.locality.clone())
                    .or_default()
                    .push(endpoint);
            }
        }
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(locality, endpoints)| Group {
                weight: endpoints.iter().map(|e| e.weight).sum(),
                locality,
                endpoints,
                priority: 0,
            })
            .collect();
        let setting = self.locality_setting(policy);
        let on = setting.map_or(self.world.mesh.locality_load_balancing, enabled);
        if on {
            let here = Locality::parse(&self.proxy.locality);
            let distribute = setting.filter(|s| s.get("distribute").is_some());
            match distribute {
                Some(setting) => by_weights(&mut groups, &here, setting.each("distribute")),
                None if policy.outlier.is_some() => {
                    let wanted: Vec<&str> = setting
                        .map(|s| s.texts("failoverPriority"))
                        .unwrap_or_default();
                    let failover = setting.map_or(&[][..], |s| s.each("failover"));
                    if wanted.is_empty() {
                        by_distance(&mut groups, &here, failover);
                    } else {
                        groups = by_labels(groups, &self.proxy.labels, &wanted);
                    }
                }
                None => {}
            }
        }
        let endpoints = groups.iter().map(|g| self.group(g, policy)).collect();
        Message::new(self.span)
            .str("clusterName", &self.name)
            .list("endpoints", endpoints)
            .end()
    }

    fn group(&self, group: &Group, policy: &Policy) -> Node {
        let dns =
            self.service.resolution != Resolution::Endpoints && !World::is_headless(self.service);
        let endpoints = group.endpoints.iter().map(|e| {
            let port = e
                .ports
                .get(&self.port.name)
                .copied()
                .unwrap_or(self.port.number);
            let address = match e.address.strip_prefix("unix://") {
                Some(path) => pipe(path, e.span),
                None => {
                    let socket = Message::new(e.span)
                        .str("address", &e.address)
                        .int("portValue", port);
                    Message::new(e.span).message("socketAddress", socket)
                }
            };
            let mut out = Message::new(e.span)
                .message("endpoint", Message::new(e.span).message("address", address));
            if !dns {
                out = out.str("healthStatus", "HEALTHY");
            }
            let encrypted = || {
                let (root, namespace) = (&self.world.mesh.root_namespace, &self.service.namespace);
                let (mode, _) = self.world.peers.mode(root, namespace, &e.labels, port);
                mode != Mode::Disable
            };
            let mutual = || policy.says_mutual(self.port).unwrap_or_else(encrypted);
            if e.has_sidecar() && mutual() {
                let labels = Message::new(e.span).str("tlsMode", "istio");
                let filters = Message::new(e.span).message("envoy.transport_socket_match", labels);
                let metadata = Message::new(e.span).message("filterMetadata", filters);
                out = out.message("metadata", metadata);
            }
            out.int("loadBalancingWeight", e.weight).end()
        });
        let mut locality = Message::new(self.span);
        for (key, value) in [
            ("region", &group.locality.region),
            ("zone", &group.locality.zone),
            ("subZone", &group.locality.subzone),
        ] {
            if !value.is_empty() {
                locality = locality.str(key, value);
            }
        }
        let mut out = Message::new(self.span)
            .message("locality", locality)
            .list("lbEndpoints", endpoints.collect());
        if group.weight > 0 {
            out = out.int("loadBalancingWeight", group.weight);
        }
        if group.priority > 0 {
            out = out.int("priority", group.priority);
        }
        out.end()
    }
}
#[derive(Clone, Debug)]
struct Group<'w> {
    locality: Locality,
    endpoints: Vec<&'w Endpoint>,
    weight: u32,
    priority: u32,
}

/// `applyLocalityWeights`: places that no rule names get nothing.
fn by_weights(groups: &mut [Group], here: &Locality, rules: &[Node]) {
    let Some(rule) = rules.iter().find(|r| here.is_in(r.text("from"))) else {
        return;
    };
    let mut left: Vec<usize> = (0..groups.len()).collect();
    for entry in rule.sorted("to") {
        let share = u64::try_from(entry.value.int().unwrap_or(0)).unwrap_or(0);
        let fits: Vec<usize> = left
            .iter()
            .copied()
            .filter(|at| {
                groups
                    .get(*at)
                    .is_some_and(|g| g.locality.is_in(&entry.key))
            })
            .collect();
        left.retain(|at| !fits.contains(at));
        let total: u64 = fits
            .iter()
            .filter_map(|at| groups.get(*at))
            .map(|g| u64::from(g.weight))
            .sum();
        for at in fits {
            if let Some(group) = groups.get_mut(at) {
                let weight = (u64::from(group.weight) * share).div_ceil(total.max(1));
                if weight > 0 {
                    group.weight = u32::try_from(weight).unwrap_or(u32::MAX);
                }
            }
        }
    }
    for at in left {
        if let Some(group) = groups.get_mut(at) {
            group.endpoints.clear();
        }
    }
}

/// `applyLocalityFailover`: the same zone first, then the same region, then where failover leads.
fn by_distance(groups: &mut [Group], here: &Locality, failover: &[Node]) {
    for group in groups.iter_mut() {
        let there = &group.locality;
        group.priority = if there.region != here.region {
            3
        } else if there.zone != here.zone {
            2
        } else if there.subzone != here.subzone {
            1
        } else {
            0
        };
        if group.priority == 3 {
            let rule = failover.iter().find(|f| f.text("from") == here.region);
            if rule.is_some_and(|r| r.text("to") != there.region) {
                group.priority = 4;
            }
        }
    }
    renumber(groups);
}

/// `applyFailoverPriorities`: the more of the first labels an endpoint shares with the proxy, the sooner.
fn by_labels<'w>(
    groups: Vec<Group<'w>>,
    own: &BTreeMap<String, String>,
    wanted: &[&str],
) -> Vec<Group<'w>> {
    let mut out: Vec<Group> = Vec::new();
    for group in groups {
        let mut split: BTreeMap<u32, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in group.endpoints {
            let differs = wanted.iter().position(|w| {
                let (label, value) = match w.split_once('=') {
                    Some((label, value)) => (label, Some(value)),
                    None => (*w, own.get(*w).map(String::as_str)),
                };
                value.unwrap_or("") != endpoint.labels.get(label).map_or("", String::as_str)
            });
            let priority = differs.map_or(0, |at| wanted.len() - at);
            split
                .entry(u32::try_from(priority).unwrap_or(0))
                .or_default()
                .push(endpoint);
        }
        for (priority, endpoints) in split {
            out.push(Group {
                locality: group.locality.clone(),
                weight: endpoints.iter().map(|e| e.weight).sum(),
                endpoints,
                priority,
            });
        }
    }
    renumber(&mut out);
    out
}

/// Priorities without gaps.
fn renumber(groups: &mut [Group]) {
    let mut used: Vec<u32> = groups.iter().map(|g| g.priority).collect();
    used.sort_unstable();
    used.dedup();
    for group in groups {
        let at = used.iter().position(|p| *p == group.priority).unwrap_or(0);
        group.priority = u32::try_from(at).unwrap_or(0);
    }
}
