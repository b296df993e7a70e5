//! What the network's plugins have in table nat beside kube-proxy's rules.

use super::Plan;
use super::facts::Facts;
use super::portmap;
use super::sheet::Sheet;
use crate::manifest::{IpFamily, Node};

/// Rules of a plugin, each with what it comes from.
#[derive(Default)]
pub(super) struct Nat {
    pub chains: Sheet,
    /// Put before those that POSTROUTING has.
    pub first: Sheet,
    /// Put behind those that their chains have.
    pub last: Sheet,
}

/// A text as iptables-save prints it, with the rules of the plugins.
pub(super) fn more(plan: &Plan, node: &Node, family: IpFamily, rules: Sheet) -> Sheet {
    let mut nat = Nat::default();
    portmap::forward(&plan.objects, &plan.facts, (node, family), &mut nat);
    masquerade(&plan.facts, node, family, &mut nat);
    nat.into(rules)
}

/// flannel's rules for `--ip-masq` (flannel `pkg/ip/iptables.go`, `masqRules`).
fn masquerade(facts: &Facts, node: &Node, family: IpFamily, nat: &mut Nat) {
    let (true, Some(own), Some(pods)) = (
        facts.env.masquerade.value,
        node.pod_cidr(family),
        facts.pods_of(family),
    ) else {
        return;
    };
    let (own, sources) = (own.value, [facts.env.masquerade.span, own.span]);
    let multicast = match family {
        IpFamily::V4 => "224.0.0.0/4",
        IpFamily::V6 => "ff00::/8",
    };
    for rule in [
        format!("-s {pods} -d {pods} -j RETURN"),
        format!("-s {pods} ! -d {multicast} -j MASQUERADE"),
        format!("! -s {pods} -d {own} -j RETURN"),
        format!("! -s {pods} -d {pods} -j MASQUERADE"),
    ] {
        nat.last.line(&sources, format!("-A POSTROUTING {rule}"));
    }
}

impl Nat {
    fn into(self, rules: Sheet) -> Sheet {
        if self.last.text().is_empty() {
            return rules;
        }
        let mut out = Sheet::default();
        let mut table = "";
        // In the order of their places.
        let mut left = [Some(self.chains), Some(self.first), Some(self.last)];
        for (at, line) in rules.text().lines().enumerate() {
            if let Some(name) = line.strip_prefix('*') {
                table = name;
            } else if table == "nat" && !line.starts_with(':') {
                let end = line == "COMMIT";
                let reached = [true, end || line.starts_with("-A POSTROUTING "), end];
                for (sheet, _) in left.iter_mut().zip(reached).filter(|(_, reached)| *reached) {
                    out.extend(&sheet.take().unwrap_or_default());
                }
            }
            out.line(rules.sources(at), line);
        }
        out
    }
}
