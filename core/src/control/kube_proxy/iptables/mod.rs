//! The rules of iptables mode: what kube-proxy gives to `iptables-restore --noflush --counters` at a full sync, and the
//! jumps from the built-in chains that it makes before.

mod classic;
mod jumps;
mod policy;
mod writer;

use jumps::kubelet;
pub use jumps::{Jump, jumps};

use super::version::Chains;
use super::{Lines, Version, View};
use crate::manifest::IpFamily;
use crate::text::{Pace, at_once};
use writer::Writer;

/// The text for iptables-restore, each line with where it comes from.
#[derive(Clone, Debug)]
pub struct Payload {
    pub filter_chains: Lines,
    pub filter_rules: Lines,
    pub nat_chains: Lines,
    pub nat_rules: Lines,
}

/// `pkg/proxy/iptables/proxier.go`, `syncProxyRules`.
pub fn rules(view: &View<'_>) -> Payload {
    at_once(rules_along(view, &Pace::AT_ONCE))
}

/// The same, pausing on the way.
pub async fn rules_along(view: &View<'_>, pace: &Pace) -> Payload {
    let mut writer = Writer::new(view);
    writer.head();
    for (at, port) in (0..).zip(&view.ports) {
        pace.went(port.work()).await;
        match view.proxier.dialect().chains {
            Chains::FwXlb | Chains::FwXlbMarkInSvc => classic::port(&mut writer, port, at),
            Chains::ExtSvl => policy::port(&mut writer, port, at),
        }
    }
    writer.tail();
    writer.out
}

impl Payload {
    /// As iptables-restore reads it.
    pub fn text(self) -> String {
        let head = [
            "*filter\n",
            self.filter_chains.text(),
            self.filter_rules.text(),
            "COMMIT\n*nat\n",
            self.nat_chains.text(),
        ]
        .concat();
        // By far the longest part stays where it is.
        let mut text = self.nat_rules.into_text();
        text.reserve(head.len() + 8);
        text.insert_str(0, &head);
        text.push_str("COMMIT\n");
        text
    }

    fn sections(&self) -> [(&'static str, &Lines, &Lines); 2] {
        [
            ("filter", &self.filter_chains, &self.filter_rules),
            ("nat", &self.nat_chains, &self.nat_rules),
        ]
    }

    /// A node's whole rules in the form of iptables-save: the built-in chains with the jumps that kube-proxy makes, kubelet's
    /// chains in releases where they are its business, and kube-proxy's own. Each line with where it comes from.
    pub fn save(&self, version: Version) -> Lines {
        let jumps = jumps(version);
        let kubelet = kubelet(version);
        let mut out = Lines::default();
        for (table, chains, rules) in self.sections() {
            let built_in: &[&str] = match table {
                "nat" => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
                _ => &["INPUT", "FORWARD", "OUTPUT"],
            };
            out.frame(&["*", table]);
            for chain in built_in {
                out.frame(&[":", chain, " ACCEPT [0:0]"]);
            }
            let own = || jumps.iter().filter(|j| j.table == table);
            let kubelets = || kubelet.iter().filter(|(t, ..)| *t == table);
            // kube-proxy ensures a chain that it may leave empty.
            let mut ensured: Vec<&str> = kubelets().map(|(_, chain, _)| *chain).collect();
            let mine = |chain: &str| {
                let mut declared = chains.text().lines();
                declared.any(|line| line[1..].split(' ').next() == Some(chain))
            };
            ensured.extend(own().map(|j| j.to).filter(|chain| !mine(chain)));
            ensured.sort_unstable();
            ensured.dedup();
            for chain in ensured {
                out.frame(&[":", chain, " - [0:0]"]);
            }
            out.extend(chains);
            // Each was put before the ones already there.
            for jump in own().rev() {
                out.frame(&["-A ", jump.from, jump.arguments, " -j ", jump.to]);
            }
            for (_, chain, rule) in kubelets() {
                out.frame(&["-A ", chain, rule]);
            }
            out.extend(rules);
            out.frame(&["COMMIT"]);
        }
        out
    }
}

/// The address with the prefix length that older releases write.
fn address(ip: std::net::IpAddr, host_prefix: bool) -> String {
    match (host_prefix, IpFamily::of(ip)) {
        (false, _) => ip.to_string(),
        (true, IpFamily::V4) => format!("{ip}/32"),
        (true, IpFamily::V6) => format!("{ip}/128"),
    }
}
