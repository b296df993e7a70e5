//! Where a node's rules differ from what kube-proxy would program.

use std::collections::BTreeMap;

use crate::control::kube_proxy::Version;
use crate::net::IpFamily;
use crate::netfilter::{self, nft, print};
use crate::say;
use crate::text::{Edit, FileId, Say, Span, diff};
use crate::workspace::{FileKind, HostFile, Run};

/// A chain of kube-proxy's, as it is and as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The node's file, by its place in the run.
    pub file: usize,
    /// `nat KUBE-SERVICES`
    pub chain: String,
    pub lines: Vec<DriftLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftLine {
    /// `Gone`: kube-proxy would have it and the node does not. `New`: the other way round.
    pub edit: Edit,
    pub text: String,
    /// In the node's file.
    pub span: Option<Span>,
}

/// What kube-proxy writes in iptables mode, a text a family.
const SAVED: [(HostFile, IpFamily); 2] = [
    (HostFile::IptablesSave, IpFamily::V4),
    (HostFile::Ip6tablesSave, IpFamily::V6),
];

/// Chains of a text by table and name: their rules in one spelling, each with its place.
type Chains = BTreeMap<(String, String), Vec<(String, Span)>>;

/// The chains that differ, of every node file of people's own that kube-proxy would write otherwise.
pub fn drift(run: &Run) -> Vec<Drift> {
    let mut all = Vec::new();
    for (at, file) in run.files.iter().enumerate() {
        let FileKind::Host(_, kind) = FileKind::of(&file.name) else {
            continue;
        };
        if !SAVED.iter().any(|(saved, _)| *saved == kind) && kind != HostFile::NftRuleset {
            continue;
        }
        let Some(made) = run.generated(at) else {
            continue;
        };
        if !made.is(file) {
            let id = FileId::at(at);
            let (is, would) = (
                chains(kind, &file.text, id),
                chains(kind, made.sheet.text(), id),
            );
            compare(at, &is, &would, &mut all);
        }
    }
    all
}

fn compare(file: usize, is: &Chains, would: &Chains, all: &mut Vec<Drift>) {
    let names = is
        .keys()
        .chain(would.keys())
        .collect::<std::collections::BTreeSet<_>>();
    for name in names {
        let rules = |of: &Chains| -> String {
            let rules = of.get(name).into_iter().flatten();
            rules.map(|(text, _)| format!("{text}\n")).collect()
        };
        let (mine, made) = (rules(is), rules(would));
        if mine == made {
            continue;
        }
        let lines = diff(&made, &mine)
            .into_iter()
            .filter(|l| l.edit != Edit::Same)
            .map(|line| {
                let at = line.after.and_then(|n| n.checked_sub(1));
                let span = at.and_then(|at| Some(is.get(name)?.get(at as usize)?.1));
                DriftLine {
                    edit: line.edit,
                    text: line.text.to_string(),
                    span,
                }
            });
        all.push(Drift {
            file,
            chain: format!("{} {}", name.0, name.1),
            lines: lines.collect(),
        });
    }
}

/// Only those that are kube-proxy's: kubelet, the plugin and people have chains of their own.
fn chains(kind: HostFile, text: &str, file: FileId) -> Chains {
    let mut all = Chains::new();
    match kind {
        HostFile::NftRuleset => {
            let (rules, _) = nft::read(text, file);
            for table in rules.tables.iter().filter(|t| &*t.name == "kube-proxy") {
                for chain in &table.chains {
                    let rules = chain
                        .rules
                        .iter()
                        .map(|r| (nft::print_rule(r, table), r.span));
                    all.insert(
                        ("kube-proxy".to_string(), chain.name.to_string()),
                        rules.collect(),
                    );
                }
            }
        }
        _ => {
            let family = SAVED.iter().find(|(saved, _)| *saved == kind);
            let family = family.map_or(IpFamily::V4, |(_, family)| *family);
            let (rules, _) = netfilter::save::read_of(family, text, file);
            for table in &rules.tables {
                let own = |name: &str| {
                    let other = [
                        "KUBE-FIREWALL",
                        "KUBE-KUBELET-CANARY",
                        "KUBE-MARK-DROP",
                        "KUBE-PROXY-CANARY",
                    ];
                    name.starts_with("KUBE-") && !other.contains(&name)
                };
                for chain in table.chains.iter().filter(|c| own(&c.name)) {
                    let rules = chain
                        .rules
                        .iter()
                        .map(|r| (print::rule(table, chain, r), r.span));
                    all.insert(
                        (table.name.name().to_string(), chain.name.to_string()),
                        rules.collect(),
                    );
                }
            }
        }
    }
    all.retain(|_, rules| !rules.is_empty());
    // kube-proxy goes through the Services in no particular order.
    let unordered = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES"];
    for ((_, name), rules) in &mut all {
        if unordered.contains(&name.as_str()) {
            rules.sort();
        }
    }
    all
}

/// The release whose rules come nearest to those of the nodes' own files, where it is not the one that the manifests name.
pub fn nearest(run: &Run) -> Option<(Version, Say)> {
    let cluster = run.cluster.as_ref()?;
    let (mut best, mut named) = (None::<(usize, Version)>, None);
    for version in Version::ALL {
        let mut differing = 0;
        let names = cluster.objects.nodes.iter().map(|n| &n.meta.name);
        let texts = names
            .enumerate()
            .flat_map(|node| SAVED.map(|saved| (node, saved)));
        for ((node, name), (kind, family)) in texts {
            let path = format!("nodes/{name}/{}", kind.file_name());
            let made = || cluster.files.iter().find(|m| m.name == path);
            let own = |f: &&crate::text::File| {
                *f.name == *path && made().is_none_or(|m| m.sheet.text() != &*f.text)
            };
            let Some(file) = run.files.iter().find(own) else {
                continue;
            };
            let would = cluster.rules_of(node, version, family)?;
            let (is, would) = (
                chains(kind, &file.text, FileId(0)),
                chains(kind, &would, FileId(0)),
            );
            let mut found = Vec::new();
            compare(0, &is, &would, &mut found);
            differing += 1 + found.iter().map(|d| d.lines.len()).sum::<usize>();
        }
        if version == cluster.version() && differing > 0 {
            named = Some(differing);
        }
        if differing > 0 && best.is_none_or(|(least, _)| differing <= least) {
            best = Some((differing, version));
        }
    }
    let (least, version) = best?;
    if named.is_some_and(|named| named <= least) {
        return None;
    }
    let say = say!(
        "insight/nearest",
        version = version.name(),
        named = cluster.version().name()
    );
    Some((version, say))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::File;
    use crate::workspace::{Scenario, Workspace, run};

    const NODE: &str = "nodes/work001/iptables-save.txt";

    /// The scenario with the node's rules as they were generated, changed.
    fn pasted(scenario: &str, change: impl Fn(&str) -> String) -> Run {
        pasted_at(NODE, scenario, change)
    }

    fn pasted_at(path: &str, scenario: &str, change: impl Fn(&str) -> String) -> Run {
        let workspace = Scenario::find(scenario).unwrap().workspace().unwrap();
        let made = run(&workspace);
        let text = made.files.iter().find(|f| &*f.name == path).unwrap();
        let mut files = workspace.files.clone();
        files.push(File::new(path, &change(&text.text)));
        run(&Workspace { files, ..workspace })
    }

    #[test]
    fn rules_that_only_look_different_do_not_drift() {
        let run = pasted("policy-cluster", |text| {
            let counted: Vec<String> = text
                .lines()
                .map(|l| match l.starts_with("-A") {
                    true => format!("[12:720] {l}"),
                    false => l.replace("[0:0]", "[7:420]"),
                })
                .collect();
            counted.join("\n") + "\n"
        });
        assert_eq!(drift(&run), []);
    }

    #[test]
    fn a_rule_that_is_missing_and_one_too_many_are_told() {
        let run = pasted("policy-cluster", |text| {
            let mark = text
                .lines()
                .find(|l| l.contains("--dport 80") && l.contains("-A KUBE-SERVICES"))
                .unwrap();
            text.replace(
                &format!("{mark}\n"),
                "-A KUBE-SERVICES -d 10.96.0.99/32 -j RETURN\n",
            )
        });
        let found = drift(&run);
        let told: Vec<_> = found.iter().map(|d| (&*d.chain, d.lines.len())).collect();
        assert!(told.contains(&("nat KUBE-SERVICES", 2)), "{told:?}");
    }

    #[test]
    fn rules_of_ipv6_drift_as_well() {
        let path = "nodes/work001/ip6tables-save.txt";
        let same = pasted_at(path, "dual-stack", |text| text.replace("[0:0]", "[7:420]"));
        assert_eq!(drift(&same), []);
        let run = pasted_at(path, "dual-stack", |text| {
            text.replace("2001:db8:51::50", "2001:db8:51::51")
        });
        let found = drift(&run);
        let told: Vec<_> = found.iter().map(|d| (&*d.chain, d.lines.len())).collect();
        assert_eq!(told, [("nat KUBE-SERVICES", 2)]);
        assert_eq!(&*run.files[found[0].file].name, path);
    }

    #[test]
    fn a_service_of_both_families_is_spoken_of_twice() {
        let run = pasted("dual-stack", str::to_string);
        let all = run.cluster.as_ref().unwrap().dialects(0, 0);
        let tools: Vec<_> = all.iter().map(|d| d.tool()).collect();
        assert_eq!(
            tools[tools.len() - 4..],
            ["iptables", "ip6tables", "nftables", "nftables ip6"]
        );
        assert!(all.iter().all(|d| d.sheet.text().contains("web")));
    }

    #[test]
    fn the_release_that_speaks_so_is_found() {
        let old = pasted("policy-cluster", |_| {
            let workspace = Scenario::find("policy-cluster")
                .unwrap()
                .workspace()
                .unwrap();
            let mut files = workspace.files.clone();
            for file in &mut files {
                file.text = file.text.replace("v1.36.0", "v1.23.3").into();
            }
            let run = run(&Workspace { files, ..workspace });
            run.files
                .iter()
                .find(|f| &*f.name == NODE)
                .unwrap()
                .text
                .to_string()
        });
        assert_eq!(nearest(&old).unwrap().0, Version::V1_23);
        assert_eq!(nearest(&pasted("policy-cluster", str::to_string)), None);
    }
}
