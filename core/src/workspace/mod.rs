//! What users own: named files, a probe, a seed. All the rest is computed from it by [`run`].
//!
//! [`FileKind`] says what each file is; [`world`] joins what they say into a [`World`]; the walk is `sim`'s.

mod ahead;
mod assist;
mod build;
mod coverage;
mod gather;
mod generated;
mod guard;
mod health;
mod kind;
mod machine;
mod memory;
mod mesh;
mod own;
mod pods;
mod probe;
mod scenario;
mod scores;
mod send;
mod subject;
mod texts;
mod why_not;

pub use ahead::{Ahead, Ran};
pub use assist::{Candidate, Completion, Line, complete, definition, describe};
pub use coverage::{Coverage, Covered, coverage, probes};
pub use gather::gather;
pub use generated::{Expanded, expand};
pub use kind::{FileKind, HostFile, Place};
pub use probe::{parse as parse_probe, parse_headers};
pub use scenario::{DEFAULT, Group, Scenario, parse as parse_scenario, scenarios};
pub use scores::{Missed, Part as ScorePart, Suite, misses, scores};
pub use subject::{Subject, SubjectKind};
pub use why_not::{Verdict, Way, WhyNot, nothing_here, why_not};

use std::sync::{Arc, OnceLock};

use crate::control::cluster::{Cluster, Generated};
use crate::load_balancer::Forwarding;
use crate::manifest::Manifests;
use crate::netfilter::RuleId;
use crate::say;
use crate::sim;
use crate::sim::After;
pub use crate::sim::{HttpRequest, Probe, ProbeKind};
use crate::text::{Diagnostic, File, Later, Pace, Say, at_once};
use crate::topology::{Host, HostId, World};
use crate::trace::{Disposition, Trace};
use generated::expand_along;
use memory::Memory;

/// Files in the formats of the real tools, and who sends what. A file's place and name tell what it is, see [`FileKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub files: Vec<File>,
    pub probe: Probe,
    pub seed: u64,
}

/// All that was computed from a workspace.
#[derive(Clone, Debug)]
pub struct Run {
    pub world: Arc<World>,
    pub diagnostics: Vec<Diagnostic>,
    /// The workspace's own, then those that its manifests make. Spans count them by these places.
    pub files: Vec<File>,
    /// What the controllers make of the manifests, where there are some.
    pub cluster: Option<Arc<Cluster>>,
    /// Without journeys where the probe was refused.
    pub trace: Trace,
    /// How many packets each rule counted, where there were some.
    counted: Vec<((HostId, RuleId), u64)>,
    /// What the run left behind on the machines, and what was asked for: another run comes to the same.
    after: OnceLock<After>,
    asked: (Probe, u64),
    /// Why the probe could not be sent at all.
    pub refused: Option<Say>,
    memory: Memory,
}

impl Run {
    /// Before anything was read and sent: its files are known, and no machines.
    pub fn unread(workspace: &Workspace) -> Run {
        Run {
            world: Arc::default(),
            diagnostics: Vec::new(),
            files: workspace.files.clone(),
            cluster: None,
            trace: nothing(),
            counted: Vec::new(),
            after: OnceLock::new(),
            asked: (workspace.probe.clone(), workspace.seed),
            refused: None,
            memory: Memory::default(),
        }
    }

    /// Whether this workspace's machines are those of this run.
    fn has_read(&self, workspace: &Workspace) -> bool {
        let Some((own, seed)) = self.memory.read else {
            return false;
        };
        let files = self.files.get(..own);
        seed == workspace.seed && files.is_some_and(|files| files == workspace.files)
    }

    /// What was read, before anything was sent.
    fn unsent(&self) -> Run {
        Run {
            world: self.world.clone(),
            diagnostics: self.diagnostics.clone(),
            files: self.files.clone(),
            cluster: self.cluster.clone(),
            trace: nothing(),
            counted: Vec::new(),
            after: OnceLock::new(),
            asked: self.asked.clone(),
            refused: None,
            memory: self.memory.clone(),
        }
    }

    /// What a controller makes in the place of a file, which is the file itself where that is nobody's own.
    pub fn generated(&self, file: usize) -> Option<&Generated> {
        let name = &self.files.get(file)?.name;
        let mut made = self.cluster.as_ref()?.files.iter();
        made.find(|made| *made.name == **name)
    }

    /// How many of the run's packets a rule counted.
    pub fn counted(&self, host: HostId, rule: RuleId) -> u64 {
        let found = self.counted.iter().find(|c| c.0 == (host, rule));
        found.map_or(0, |(_, packets)| *packets)
    }

    /// What the run left behind on the machines.
    pub fn after(&self) -> &After {
        self.after.get_or_init(|| {
            let (probe, seed) = &self.asked;
            let again = sim::outcome(&self.world, probe, *seed);
            again.map_or_else(After::default, |(_, after)| after)
        })
    }

    /// Of this workspace, without what can be made again when someone asks: a run after this one reads all texts.
    pub fn slim(self, workspace: &Workspace) -> Self {
        let cluster = self.cluster.map(|cluster| {
            let files = workspace.files.clone();
            let objects = Later::new(move || {
                let again = expand(&files).cluster.unwrap_or_default();
                Manifests::clone(&again.objects)
            });
            Arc::new(Cluster {
                objects,
                ..Cluster::clone(&cluster)
            })
        });
        let again = {
            let files = self.files.clone();
            Later::new(move || world(&files).0)
        };
        let mut world = Arc::unwrap_or_clone(self.world);
        let hops = || self.trace.journeys.iter().flat_map(|j| &j.hops);
        for (id, host) in (0..).map(HostId).zip(&mut world.hosts) {
            if hops().all(|hop| hop.host != id) {
                host.iptables = of_host(&again, id, |host| &host.iptables);
                host.conntrack = of_host(&again, id, |host| &host.conntrack);
            }
        }
        Self {
            world: world.into(),
            cluster,
            after: OnceLock::new(),
            memory: Memory::default(),
            ..self
        }
    }
}

/// What a host of a world has, when someone looks.
fn of_host<T>(world: &Later<World>, id: HostId, of: fn(&Host) -> &Later<T>) -> Later<T>
where
    T: Clone + Default + Send + Sync + 'static,
{
    let world = world.clone();
    Later::new(move || {
        world
            .host(id)
            .map_or_else(T::default, |host| T::clone(of(host)))
    })
}

/// Reads the files, lets the load balancer check its backends, and plays the probe.
pub fn run(workspace: &Workspace) -> Run {
    at_once(run_along(workspace, None, &Pace::AT_ONCE))
}

/// The same of a workspace that is mostly as it was, in less time.
pub fn run_after(before: &Run, workspace: &Workspace) -> Run {
    at_once(run_along(workspace, Some(before), &Pace::AT_ONCE))
}

/// What a stage after the reading may take, where it can pause before it only.
const STAGE: usize = 1 << 20;

async fn run_along(workspace: &Workspace, before: Option<&Run>, pace: &Pace) -> Run {
    let run = match before.filter(|before| before.has_read(workspace)) {
        Some(before) => before.unsent(),
        None => read_along(workspace, before, pace).await,
    };
    let outcome = send::outcome(&run.world, &workspace.probe, workspace.seed, pace).await;
    let refused = match &outcome {
        Some(_) => None,
        None => Some(say!("texts/no-such-sender", name = workspace.probe.from)),
    };
    let (trace, after) = outcome.unwrap_or_else(|| (nothing(), After::default()));
    Run {
        trace,
        counted: after.counted().collect(),
        after: after.into(),
        asked: (workspace.probe.clone(), workspace.seed),
        refused,
        ..run
    }
}

/// All that comes before the probe.
async fn read_along(workspace: &Workspace, before: Option<&Run>, pace: &Pace) -> Run {
    let mut memory = before.map(|b| b.memory.next()).unwrap_or_default();
    let all = expand_along(&workspace.files, &mut memory, pace).await;
    let mut diagnostics = all.diagnostics;
    pace.went(STAGE).await;
    let cluster = all.cluster.as_deref();
    let (mut world, said) = read(&all.files, cluster, &mut memory, before, pace).await;
    diagnostics.extend(said);
    let health = health::check(&mut world, workspace.seed, &mut diagnostics, pace);
    health.await;
    pace.went(STAGE).await;
    Run {
        world: world.into(),
        diagnostics,
        files: all.files,
        cluster: all.cluster,
        memory: memory.done((workspace.files.len(), workspace.seed)),
        ..Run::unread(workspace)
    }
}

fn nothing() -> Trace {
    Trace {
        disposition: Disposition::CannotTell,
        ended_by: None,
        journeys: Vec::new(),
    }
}

/// The machines that a workspace's files describe, and all that is to be said of the files.
pub fn world(files: &[File]) -> (World, Vec<Diagnostic>) {
    let all = expand(files);
    let mut diagnostics = all.diagnostics;
    let mut memory = Memory::default();
    let cluster = all.cluster.as_deref();
    let (world, said) = at_once(read(&all.files, cluster, &mut memory, None, &Pace::AT_ONCE));
    diagnostics.extend(said);
    (world, diagnostics)
}

/// The same, with the load balancer's findings about its backends.
pub fn healthy_world(files: &[File], seed: u64) -> (World, Vec<Diagnostic>) {
    let (mut world, mut diagnostics) = world(files);
    let health = health::check(&mut world, seed, &mut diagnostics, &Pace::AT_ONCE);
    at_once(health);
    (world, diagnostics)
}

async fn read(
    files: &[File],
    cluster: Option<&Cluster>,
    memory: &mut Memory,
    before: Option<&Run>,
    pace: &Pace,
) -> (World, Vec<Diagnostic>) {
    let (texts, mut diagnostics) = texts::read(files, memory, before, pace).await;
    pace.went(STAGE).await;
    let (mut world, more) = build::world(texts, pace).await;
    if let Some(cluster) = cluster {
        guard::set(&mut world, &cluster.guarded);
    }
    mesh::program(&mut world, cluster.map_or(&[], |c| &c.proxies));
    diagnostics.extend(more);
    pace.went(STAGE).await;
    (world, diagnostics)
}

impl Workspace {
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|f| &*f.name == name)
    }

    /// How the load balancer's file says that it forwards.
    pub fn forwarding(&self) -> Option<&str> {
        let mut files = self.files.iter();
        let file = files.find(|f| FileKind::of(&f.name) == FileKind::LoadBalancer)?;
        file.text.get(own::forwarding_span(&file.text)?)
    }

    /// Writes another forwarding mode into the load balancer's file, as a user would. `None`: the file is missing, or has
    /// no `forwarding`.
    pub fn with_forwarding(&self, name: &str) -> Option<Workspace> {
        let at = self
            .files
            .iter()
            .position(|f| FileKind::of(&f.name) == FileKind::LoadBalancer)?;
        let mut changed = self.clone();
        let file = changed.files.get_mut(at)?;
        let range = own::forwarding_span(&file.text)?;
        let mut text = file.text.to_string();
        text.replace_range(range, name);
        file.text = text.into();
        Some(changed)
    }
}

/// The names of the forwarding modes, as the load balancer's file writes them.
pub fn forwarding_names() -> [&'static str; 3] {
    let source = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
    [
        Forwarding::KeepDestination,
        Forwarding::RewriteDestination,
        Forwarding::FullNat { source },
    ]
    .map(Forwarding::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slim_run_lacks_is_made_again() {
        let workspace = Scenario::find(DEFAULT).and_then(|s| s.workspace()).unwrap();
        let fresh = run(&workspace);
        let slim = fresh.clone().slim(&workspace);
        let objects = |run: &Run| run.cluster.as_ref().unwrap().objects.clone();
        assert!(!objects(&slim).is_made());
        assert_eq!(objects(&slim), objects(&fresh));
        assert!(slim.after.get().is_none());
        let rules = |run: &Run| {
            run.world
                .hosts
                .iter()
                .map(|h| h.iptables.clone())
                .collect::<Vec<_>>()
        };
        assert!(!rules(&slim).iter().all(Later::is_made));
        assert_eq!(rules(&slim), rules(&fresh));
        assert_eq!(
            format!("{:?}", slim.after()),
            format!("{:?}", fresh.after())
        );
    }

    #[test]
    fn an_edit_comes_to_the_same_as_a_fresh_start() {
        let scenario = Scenario::find("manifests-1-36-iptables");
        let mut workspace = scenario.and_then(|s| s.workspace()).unwrap();
        let mut before = run(&workspace);
        for (from, to) in [("name: ", "name:  "), ("80", "81"), ("80", "8080")] {
            for file in &mut workspace.files {
                *file = File::new(&file.name, &file.text.replacen(from, to, 1));
            }
            let (after, fresh) = (run_after(&before, &workspace), run(&workspace));
            assert_eq!(after.files, fresh.files);
            let [made, anew] = [&after, &fresh].map(|run| {
                let cluster = run.cluster.as_ref().unwrap();
                (&cluster.objects, &cluster.files)
            });
            assert_eq!(made, anew);
            assert_eq!(after.diagnostics, fresh.diagnostics);
            assert_eq!(after.trace, fresh.trace);
            before = after;
        }
    }
}
