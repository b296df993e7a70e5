//! Runs of workspaces with long texts, ahead of the moment that they are wanted.

use std::rc::Rc;

use super::texts::MADE;
use super::{FileKind, HostFile, Run, Workspace, run_along};
use crate::text::{File, FileId, Stretches};

/// From so many bytes on, what is to be read takes long enough to be noticed.
const LONG: usize = 256 * 1024;
/// The same of a node's rules, which a walk may meet.
const LONG_RULES: usize = 2 * 1024 * 1024;

/// A workspace's run that is made a stretch at a time.
pub struct Ahead {
    run: Stretches<Ran>,
    /// Bytes that are to be read.
    all: usize,
}

/// A run that was made ahead.
#[derive(Clone, Debug)]
pub struct Ran(Rc<(Workspace, Rc<Run>)>);

/// Two are the same when they are one.
impl PartialEq for Ran {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Ran {
    /// The run of this workspace, if it is that.
    pub fn of(&self, workspace: &Workspace) -> Option<Rc<Run>> {
        let (made, run) = &*self.0;
        (made == workspace).then(|| run.clone())
    }
}

impl Ahead {
    /// What [`run_after`](super::run_after) makes; `None` where that takes no time worth telling.
    pub fn of(before: &Rc<Run>, workspace: &Workspace) -> Option<Box<Ahead>> {
        if before.has_read(workspace) {
            let rules = before.cluster.as_ref().map_or(0, |c| c.rules_to_be_made());
            return (rules > LONG_RULES).then(|| Self::after(before, workspace, rules));
        }
        let built = before.memory.built.as_ref();
        let built = built.is_some_and(|built| built.is_of(&workspace.files));
        let texts: usize = (0..)
            .zip(&workspace.files)
            .map(|(at, file)| weight(before, built, at, file))
            .sum();
        // There may be as many machines again.
        let all = texts + before.files.len() * MADE;
        (all >= LONG).then(|| Self::after(before, workspace, all))
    }

    fn after(before: &Rc<Run>, workspace: &Workspace, all: usize) -> Box<Ahead> {
        let (before, workspace) = (before.clone(), workspace.clone());
        let run = Stretches::new(async move |pace| {
            let run = run_along(&workspace, Some(&before), &pace).await;
            Ran(Rc::new((workspace, Rc::new(run))))
        });
        Box::new(Ahead { run, all })
    }

    /// Goes on for about as long as it takes to read so many bytes; the run when that was the rest.
    pub fn go_on(mut self: Box<Self>, bytes: usize) -> Result<Ran, Box<Ahead>> {
        match self.run.go_on(bytes) {
            Ok(ran) => Ok(ran),
            Err(run) => {
                self.run = run;
                Err(self)
            }
        }
    }

    /// How much is read, of a hundred.
    pub fn percent(&self) -> u8 {
        (self.run.read() * 100 / self.all.max(1)).min(100) as u8
    }
}

/// How many bytes of a file a run after another reads; `built` says whether the manifests are as they were.
fn weight(before: &Run, built: bool, at: u32, file: &File) -> usize {
    let (memory, text, id) = (&before.memory, &file.text, FileId(at));
    let (known, passes) = match FileKind::of(&file.name) {
        // Where one is another, the objects of all are made anew.
        FileKind::Manifests => (built, 1),
        FileKind::Host(_, HostFile::IptablesSave) => (memory.rules.has(text, id), 1),
        FileKind::Host(_, HostFile::Ip6tablesSave) => (memory.rules6.has(text, id), 1),
        FileKind::Host(_, HostFile::NftRuleset) => (memory.nft.has(text, id), 2),
        FileKind::Host(_, HostFile::IpsetSave) => (memory.sets.has(text, id), 1),
        FileKind::Host(_, HostFile::ConfigDump) => (memory.envoy.has(text, id), 1),
        // Read in one go: nobody's are long.
        _ => (true, 0),
    };
    if known { 0 } else { passes * text.len() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::topology::Host;
    use crate::workspace::{Scenario, run, run_after};

    fn host(run: &Run) -> &Host {
        let id = run.world.find("work001").unwrap();
        run.world.host(id).unwrap()
    }

    #[test]
    fn a_run_made_ahead_is_the_run_and_an_edit_elsewhere_reads_nothing_again() {
        let scenario = Scenario::find("article").and_then(|s| s.workspace());
        let article = scenario.unwrap();
        let before = Rc::new(run(&article));
        assert!(Ahead::of(&before, &article).is_none(), "short texts");
        let rules = article.file("nodes/work001/iptables-save.txt").unwrap();
        let rules = format!("{}{}", rules.text, "# as long as a dump\n".repeat(20_000));
        let elements: String = (0..20_000)
            .map(|at| format!("10.{}.{}.1 . 80 : accept,\n", at >> 8, at & 255))
            .collect();
        let map = format!(
            "table ip t {{\nmap m {{\ntype ipv4_addr . inet_service : verdict\nelements = {{ {elements} }}\n}}\n}}\n"
        );
        let set = (0..20_000).map(|at| format!("add a 10.{}.{}.1\n", at >> 8, at & 255));
        let sets = format!("create a hash:ip family inet\n{}", set.collect::<String>());
        let objects = (0..6_000)
            .map(|at| format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n{at}}}\n"));
        let dump = format!(
            "{{\"configs\": [{}]}}",
            "{\"a\": 1}, ".repeat(40_000) + "{}"
        );
        for (name, text) in [
            ("nodes/work001/iptables-save.txt", rules),
            ("nodes/work001/nft-ruleset.txt", map),
            ("nodes/work001/ipset-save.txt", sets),
            ("nodes/work001/config-dump.json", dump),
            ("manifests/many.yaml", objects.collect()),
        ] {
            let mut workspace = article.clone();
            workspace.files.retain(|f| &*f.name != name);
            workspace.files.push(File::new(name, &text));
            let mut ahead = Ahead::of(&before, &workspace).unwrap();
            let mut percents = Vec::new();
            let ran = loop {
                percents.push(ahead.percent());
                match ahead.go_on(100_000) {
                    Ok(ran) => break ran,
                    Err(more) => ahead = more,
                }
            };
            assert_eq!(percents[0], 0);
            assert!(
                percents.is_sorted() && percents.len() > 3,
                "{name} {percents:?}"
            );
            assert!(percents.last() > Some(&90), "{name}");
            assert!(ran.of(&article).is_none());
            let (ran, fresh) = (ran.of(&workspace).unwrap(), run(&workspace));
            assert_eq!(ran.trace, fresh.trace);
            assert_eq!(ran.diagnostics, fresh.diagnostics, "{name}");
            let [one, two] = [&ran, &fresh].map(|run| {
                let cluster = run.cluster.as_ref();
                cluster.map(|c| (c.objects.clone(), c.files.clone()))
            });
            assert_eq!(one, two);
            workspace.seed += 1;
            let again = run_after(&ran, &workspace);
            let (one, two) = (host(&ran), host(&again));
            assert!(match name.rsplit('/').next() {
                Some("nft-ruleset.txt") => one.nft.is(&two.nft),
                Some("ipset-save.txt") => Arc::ptr_eq(&one.sets, &two.sets),
                Some("config-dump.json") => {
                    let proxies = one.envoy.as_ref().zip(two.envoy.as_ref());
                    proxies.is_some_and(|(a, b)| Arc::ptr_eq(a, b))
                }
                _ => one.iptables.is(&two.iptables),
            });
            assert!(Ahead::of(&ran, &workspace).is_none(), "{name}");
        }
    }
}
