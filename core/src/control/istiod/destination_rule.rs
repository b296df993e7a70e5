//! DestinationRules: which one holds for a service as a proxy sees it.
//! Source: `pilot/pkg/model/push_context.go` `setDestinationRules`, `destinationRule`; `destination_rule.go`.

use std::collections::BTreeMap;

use super::host;
use super::mesh::MeshConfig;
use super::message::{Ask, list};
use super::object::{Object, sort_by_age};
use super::service::Service;
use super::virtual_service::set;
use crate::yaml::Node;

/// Rules for one host that became one.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) namespace: String,
    pub(super) spec: Node,
    /// As they say it; empty where they do not.
    export_to: Vec<String>,
    selector: BTreeMap<String, String>,
}

type ByHost = BTreeMap<String, Vec<Rule>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    local: BTreeMap<String, ByHost>,
    exported: BTreeMap<String, ByHost>,
    root_local: ByHost,
}

impl Rules {
    pub(super) fn new(objects: &[Object], mesh: &MeshConfig) -> Self {
        let mut rules = Rules::default();
        let mut sorted = objects.to_vec();
        sort_by_age(&mut sorted);
        // Those for chosen workloads come first.
        sorted.sort_by_key(|o| o.spec.get("workloadSelector").is_none());
        for object in &sorted {
            let name = host::resolve(object.spec.text("host"), &object.namespace, &mesh.domain);
            let selector = object.spec.get("workloadSelector");
            let labels: BTreeMap<String, String> = selector
                .map(|s| s.sorted("matchLabels"))
                .unwrap_or_default()
                .iter()
                .map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
                .collect();
            let export_to: Vec<String> = match selector {
                Some(_) => vec![".".into()],
                None => object
                    .spec
                    .texts("exportTo")
                    .into_iter()
                    .map(str::to_string)
                    .collect(),
            };
            let rule = Rule {
                namespace: object.namespace.clone(),
                spec: object.spec.clone(),
                export_to: export_to.clone(),
                selector: labels,
            };
            let to = |t: &str| export_to.iter().any(|e| e == t);
            if export_to.is_empty() || to("*") || to(".") || to(&object.namespace) {
                let here = rules.local.entry(object.namespace.clone()).or_default();
                merge(here.entry(name.clone()).or_default(), rule.clone());
            }
            let private = if export_to.is_empty() {
                mesh.destination_rule_export_to.iter().any(|e| e == ".")
            } else {
                export_to.len() == 1 && (to(".") || to(&object.namespace))
            };
            if !private {
                let here = rules.exported.entry(object.namespace.clone()).or_default();
                merge(here.entry(name).or_default(), rule);
            } else if object.namespace == mesh.root_namespace {
                merge(rules.root_local.entry(name).or_default(), rule);
            }
        }
        rules
    }

    /// The rule for a service: of the client's namespace, of the service's, of the root namespace.
    pub(super) fn of(
        &self,
        service: &Service,
        client: &str,
        labels: &BTreeMap<String, String>,
        mesh: &MeshConfig,
    ) -> Option<&Rule> {
        let found = self.candidates(service, client, mesh);
        let mut general = None;
        for rule in found {
            if rule.selector.is_empty() {
                general = Some(rule);
            } else if rule.namespace == client
                && rule.selector.iter().all(|(k, v)| labels.get(k) == Some(v))
            {
                return Some(rule);
            }
        }
        general
    }

    fn candidates(&self, service: &Service, client: &str, mesh: &MeshConfig) -> Vec<&Rule> {
        let own = match client == mesh.root_namespace {
            true => Some(&self.root_local),
            false => self.local.get(client),
        };
        if let Some(rules) = own.and_then(|h| best(h, &service.hostname)) {
            return rules.iter().collect();
        }
        for namespace in [service.namespace.as_str(), mesh.root_namespace.as_str()] {
            let here = self.exported.get(namespace);
            let Some(rules) = here.and_then(|h| best(h, &service.hostname)) else {
                continue;
            };
            let visible = rules.iter().filter(|r| {
                r.export_to.is_empty() || r.export_to.iter().any(|e| e == "*" || e == client)
            });
            let visible: Vec<_> = visible.collect();
            if !visible.is_empty() {
                return visible;
            }
        }
        Vec::new()
    }
}

fn best<'r>(rules: &'r ByHost, hostname: &str) -> Option<&'r Vec<Rule>> {
    let name = host::most_specific(hostname, rules.keys().map(String::as_str))?;
    rules.get(name)
}

/// A later rule adds the subsets that the earlier lacks, and its policy if that has none.
fn merge(known: &mut Vec<Rule>, rule: Rule) {
    let mut separate = true;
    for earlier in known.iter_mut() {
        let same_reach = {
            let (mut a, mut b) = (earlier.export_to.clone(), rule.export_to.clone());
            a.sort();
            b.sort();
            a == b
        };
        if !same_reach || earlier.selector != rule.selector {
            continue;
        }
        separate = false;
        let mut subsets = earlier.spec.each("subsets").to_vec();
        for subset in rule.spec.each("subsets") {
            if subsets
                .iter()
                .all(|s| s.text("name") != subset.text("name"))
            {
                subsets.push(subset.clone());
            }
        }
        let span = rule.spec.span;
        if !subsets.is_empty() {
            set(&mut earlier.spec, "subsets", list(subsets, span));
        }
        if let (None, Some(policy)) = (
            earlier.spec.get("trafficPolicy"),
            rule.spec.get("trafficPolicy"),
        ) {
            let policy = policy.clone();
            set(&mut earlier.spec, "trafficPolicy", policy);
        }
    }
    if separate {
        known.push(rule);
    }
}

impl Rule {
    pub(super) fn subset(&self, name: &str) -> Option<&Node> {
        self.spec
            .each("subsets")
            .iter()
            .find(|s| s.text("name") == name)
    }

    /// The consistent hash for a destination: of the subset's port, the subset, the port, the rule.
    pub(super) fn hash(&self, port: Option<i64>, subset: &str) -> Option<&Node> {
        fn of(policy: Option<&Node>) -> Option<&Node> {
            policy?.get("loadBalancer")?.get("consistentHash")
        }
        fn of_port(policy: Option<&Node>, port: Option<i64>) -> Option<&Node> {
            let settings = policy?.each("portLevelSettings");
            let found = settings
                .iter()
                .find(|s| s.get("port").map(|p| p.number("number")) == port);
            of(found.filter(|_| port.is_some()))
        }
        let own = self.spec.get("trafficPolicy");
        let sub = self.subset(subset).and_then(|s| s.get("trafficPolicy"));
        of_port(sub, port)
            .or_else(|| of(sub))
            .or_else(|| of_port(own, port))
            .or_else(|| of(own))
    }
}
