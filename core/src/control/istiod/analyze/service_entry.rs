//! ServiceEntries: whether TCP can be told by an address, and whether they agree on what a port speaks.

use std::collections::{BTreeMap, BTreeSet};

use super::{Analysis, Level};
use crate::control::istiod::message::Ask;

pub(super) fn check(analysis: &mut Analysis<'_>) {
    let mut ports: BTreeMap<(&str, &str, i64), Vec<_>> = BTreeMap::new();
    for entry in analysis.all("ServiceEntry") {
        let of_tcp = |p: &&crate::yaml::Node| {
            matches!(&*p.text("protocol").to_ascii_uppercase(), "" | "TCP")
        };
        if entry.spec.field("addresses").is_none() && !analysis.is_allocated(entry) {
            for port in entry.spec.each("ports").iter().filter(of_tcp) {
                let text = "ServiceEntry addresses are required for this protocol.".to_string();
                analysis.say(Level::Warning, "IST0134", entry, port.span, text);
            }
        }
        let exported = entry.spec.texts("exportTo");
        let scopes: BTreeSet<&str> = match exported.is_empty() || exported.contains(&"*") {
            true => ["*"].into(),
            false => {
                let own = |to| {
                    if to == "." {
                        entry.namespace.as_str()
                    } else {
                        to
                    }
                };
                exported.into_iter().map(own).collect()
            }
        };
        for scope in scopes {
            for host in entry.spec.texts("hosts") {
                for port in entry.spec.each("ports") {
                    let key = (scope, host, port.number("number"));
                    ports.entry(key).or_default().push((entry, port));
                }
            }
        }
    }
    let mut said: BTreeSet<(&str, &str)> = BTreeSet::new();
    for ((scope, host, number), own) in &ports {
        let everywhere = ports.get(&("*", *host, *number)).filter(|_| *scope != "*");
        let all: Vec<_> = own.iter().chain(everywhere.into_iter().flatten()).collect();
        let spoken = all
            .iter()
            .map(|(_, p)| p.text("protocol").to_ascii_uppercase());
        let spoken: BTreeSet<String> = spoken.collect();
        if spoken.len() < 2 {
            continue;
        }
        let names = all
            .iter()
            .map(|(e, _)| format!("{}/{}", e.namespace, e.name));
        let names: BTreeSet<String> = names.collect();
        let list = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>().join(", ");
        for (entry, port) in all {
            if !said.insert((&entry.namespace, &entry.name)) {
                continue;
            }
            let text = format!(
                "Multiple ServiceEntries ({}) define the same host {host:?} and port {number} with conflicting protocols ({}).",
                list(&names),
                list(&spoken)
            );
            analysis.say(Level::Warning, "IST0177", entry, port.span, text);
        }
    }
}
