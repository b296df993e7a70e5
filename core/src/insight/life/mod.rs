//! A cluster's life: what people and accidents do to it, as changes of its manifests that keep the rest of the text, and what
//! comes of them.

mod changes;
mod written;

pub use changes::{Changes, changes, ending, way};

use std::collections::BTreeMap;

use crate::control::workloads::makes_pods;
use crate::say;
use crate::text::{File, FileId, Say};
use crate::workspace::{FileKind, Run, Workspace};
use crate::yaml::edit::{self, Edit};
use crate::yaml::{self, Node};
use written::Written;

/// Something that happens to a cluster. Names are `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    DeletePod(String),
    /// Its readiness probe fails, or succeeds again.
    SetReady {
        pod: String,
        ready: bool,
    },
    /// No new Pods, and those that there are go; or new ones may come again.
    Drain {
        node: String,
        back: bool,
    },
    /// Its kubelet is heard of no more; or is again.
    Stop {
        node: String,
        back: bool,
    },
    /// The load balancer's check of a node fails, or succeeds again.
    FailCheck {
        node: String,
        back: bool,
    },
    Scale {
        workload: String,
        replicas: u32,
    },
}

impl Operation {
    pub fn say(&self) -> Say {
        match self {
            Operation::DeletePod(pod) => say!("insight/delete-pod", pod = pod),
            Operation::SetReady { pod, ready: false } => say!("insight/unready", pod = pod),
            Operation::SetReady { pod, ready: true } => say!("insight/ready", pod = pod),
            Operation::Drain { node, back: false } => say!("insight/drain", node = node),
            Operation::Drain { node, back: true } => say!("insight/uncordon", node = node),
            Operation::Stop { node, back: false } => say!("insight/stop", node = node),
            Operation::Stop { node, back: true } => say!("insight/start", node = node),
            Operation::FailCheck { node, back: false } => say!("insight/fail-check", node = node),
            Operation::FailCheck { node, back: true } => say!("insight/pass-check", node = node),
            Operation::Scale { workload, replicas } => {
                say!("insight/scale", workload = workload, replicas = replicas)
            }
        }
    }
}

/// What an operation happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of<'a> {
    Workload(&'a str),
    Pod(&'a str),
    Node(&'a str),
}

impl Operation {
    pub fn of(&self) -> Of<'_> {
        match self {
            Operation::Scale { workload, .. } => Of::Workload(workload),
            Operation::DeletePod(pod) | Operation::SetReady { pod, .. } => Of::Pod(pod),
            Operation::Drain { node, .. }
            | Operation::Stop { node, .. }
            | Operation::FailCheck { node, .. } => Of::Node(node),
        }
    }
}

/// What can happen to the workspace's cluster, in the order of its objects.
pub fn operations(workspace: &Workspace, run: &Run) -> Vec<Operation> {
    let written = Written::read(workspace);
    let mut all = Vec::new();
    let objects = &written.objects;
    for workload in objects.workloads.iter().filter(|w| makes_pods(w, objects)) {
        let (name, now) = (workload.meta.full_name(), workload.replicas.value);
        for replicas in [now.checked_add(1), now.checked_sub(1)]
            .into_iter()
            .flatten()
        {
            let workload = name.clone();
            all.push(Operation::Scale { workload, replicas });
        }
    }
    for pod in &written.objects.pods {
        let name = pod.meta.full_name();
        all.push(Operation::DeletePod(name.clone()));
        let ready = pod.ready.is_some_and(|r| !r.value);
        all.push(Operation::SetReady { pod: name, ready });
    }
    for node in &written.objects.nodes {
        let name = || node.meta.name.to_string();
        let back = node.unschedulable.is_some();
        all.push(Operation::Drain { node: name(), back });
        let back = node.ready.is_some_and(|r| !r.value);
        all.push(Operation::Stop { node: name(), back });
    }
    let balancer = run
        .files
        .iter()
        .find(|f| FileKind::of(&f.name) == FileKind::LoadBalancer);
    let documents = balancer.map(|f| yaml::read(&f.text, FileId(0)).0);
    let checks = checks(documents.as_deref().unwrap_or_default());
    for node in &written.objects.nodes {
        if let Some(backends) = checks.get(&*node.meta.name) {
            let failed = |b: &&Node| b.field("healthy").and_then(Node::bool) == Some(false);
            all.push(Operation::FailCheck {
                node: node.meta.name.to_string(),
                back: backends.iter().all(failed),
            });
        }
    }
    all
}

/// The workspace in which it has happened. `None`: the manifests have no such object any more.
pub fn perform(workspace: &Workspace, run: &Run, operation: &Operation) -> Option<Workspace> {
    let mut written = Written::read(workspace);
    match operation {
        Operation::DeletePod(pod) => written.delete_pod(pod)?,
        Operation::SetReady { pod, ready } => written.set_ready(pod, *ready)?,
        Operation::Drain { node, back } => written.drain(node, *back)?,
        Operation::Stop { node, back } => written.stop(node, *back)?,
        Operation::Scale { workload, replicas } => written.scale(workload, *replicas)?,
        Operation::FailCheck { node, back } => return fail_check(workspace, run, node, *back),
    }
    let mut changed = workspace.clone();
    for (at, file) in changed.files.iter_mut().enumerate() {
        let edits: Vec<Edit> = written
            .edits
            .iter()
            .filter(|(of, _)| of.index() == at)
            .map(|(_, edit)| edit.clone())
            .collect();
        if !edits.is_empty() {
            file.text = edit::apply(&file.text, edits).into();
        }
    }
    Some(changed)
}

/// The backends in a load balancer's file, node by node.
fn checks(documents: &[Node]) -> BTreeMap<&str, Vec<&Node>> {
    let mut all: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    let listeners = documents.first().and_then(|d| d.field("listeners"));
    let backends = listeners.into_iter().flat_map(|l| l.items());
    let backends = backends
        .filter_map(|l| l.field("backends"))
        .flat_map(|b| b.items());
    for backend in backends {
        if let Some(node) = backend.field("node").and_then(Node::str) {
            all.entry(node).or_default().push(backend);
        }
    }
    all
}

/// Nothing in the manifests says so: the load balancer's own file does, which becomes people's own by it.
fn fail_check(workspace: &Workspace, run: &Run, node: &str, back: bool) -> Option<Workspace> {
    let file = run
        .files
        .iter()
        .find(|f| FileKind::of(&f.name) == FileKind::LoadBalancer)?;
    let (documents, _) = yaml::read(&file.text, FileId(0));
    let backends = checks(&documents).remove(node).unwrap_or_default();
    let edits = backends
        .iter()
        .map(|backend| edit::set(&file.text, backend, "healthy", &back.to_string()));
    let text = edit::apply(&file.text, edits.collect());
    let mut changed = workspace.clone();
    match changed.files.iter_mut().find(|f| f.name == file.name) {
        Some(own) => own.text = text.into(),
        None => changed.files.push(File::new(&file.name, &text)),
    }
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Random;
    use crate::text::{Edit as Change, diff};
    use crate::trace::Disposition;
    use crate::workspace::{Scenario, run};

    fn done(scenario: &str, operation: &Operation) -> (Workspace, Run, Workspace, Run) {
        let before = Scenario::find(scenario).unwrap().workspace().unwrap();
        let was = run(&before);
        let offered = operations(&before, &was);
        assert!(offered.contains(operation), "{offered:?}");
        let after = perform(&before, &was, operation).unwrap();
        let is = run(&after);
        (before, was, after, is)
    }

    fn end(run: &Run) -> String {
        let journey = &run.trace.journeys[0];
        let host = run.world.host(journey.hops.last().unwrap().host).unwrap();
        format!("{:?} at {}", journey.disposition, host.name)
    }

    /// Changed lines of the manifests.
    fn edited(before: &Workspace, after: &Workspace) -> usize {
        let text = |w: &Workspace| w.file("cluster.yaml").unwrap().text.to_string();
        let (a, b) = (text(before), text(after));
        diff(&a, &b)
            .iter()
            .filter(|l| l.edit != Change::Same)
            .count()
    }

    #[test]
    fn a_deleted_pod_takes_no_new_connection_and_the_old_one_is_lost() {
        let operation = Operation::DeletePod("default/web-a".into());
        let (before, was, after, is) = done("policy-cluster", &operation);
        assert_eq!(end(&was), "Delivered at web-a");
        assert_eq!(end(&is), "Delivered at web-b");
        assert_eq!(edited(&before, &after), 2);
        let path = ["client", "slb", "vpc", "work001", "vpc", "work002", "web-b"];
        assert_eq!(way(&is.world, &is.trace), path);
        let changes = changes(&was, &is);
        let names: Vec<_> = changes.files.iter().map(|f| &*f.0).collect();
        assert!(
            names.contains(&"nodes/work002/iptables-save.txt"),
            "{names:?}"
        );
        let fate = changes.existing.unwrap();
        assert_eq!(fate.journeys[0].disposition, Disposition::NoNeighbour);
    }

    /// TCP keeps its way, as there is an end that it waits for.
    #[test]
    fn a_datagram_finds_another_pod_when_its_own_is_gone() {
        let mut before = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        for file in &mut before.files {
            let text = file.text.replace("port: 80,", "protocol: UDP, port: 80,");
            let text = text.replace(
                "{containerPort: 8080}",
                "{containerPort: 8080, protocol: UDP}",
            );
            *file = File::new(&file.name, &text);
        }
        before.probe = crate::workspace::parse_probe("client udp 182.92.251.227:80").unwrap();
        let was = run(&before);
        assert_eq!(end(&was), "Delivered at web-a");
        let operation = Operation::DeletePod("default/web-a".into());
        let after = perform(&before, &was, &operation).unwrap();
        let is = run(&after);
        let fate = changes(&was, &is).existing.unwrap();
        let told = ending(&is.world, &fate).unwrap();
        assert_eq!(told.text(crate::text::Lang::En), "web-b: it is delivered");
    }

    #[test]
    fn a_pod_that_is_not_ready_keeps_the_connections_that_it_has() {
        let operation = Operation::SetReady {
            pod: "default/web-a".into(),
            ready: false,
        };
        let (before, was, after, is) = done("policy-cluster", &operation);
        assert_eq!(end(&is), "Delivered at web-b");
        assert_eq!(edited(&before, &after), 2);
        let fate = changes(&was, &is).existing.unwrap();
        assert_eq!(fate.journeys[0].disposition, Disposition::Delivered);
        let last = fate.journeys[0].hops.last().unwrap().host;
        assert_eq!(
            &*is.world.host(last).unwrap().name,
            "web-a",
            "conntrack keeps its NAT"
        );
        let again = Operation::SetReady {
            pod: "default/web-a".into(),
            ready: true,
        };
        assert!(operations(&after, &is).contains(&again));
        assert_eq!(end(&run(&perform(&after, &is, &again).unwrap())), end(&was));
    }

    #[test]
    fn a_drained_node_has_no_pods() {
        let operation = Operation::Drain {
            node: "work001".into(),
            back: false,
        };
        let (.., after, is) = done("policy-cluster", &operation);
        assert_eq!(end(&is), "Delivered at web-b");
        assert!(!after.file("cluster.yaml").unwrap().text.contains("web-a"));
    }

    #[test]
    fn a_node_that_is_heard_of_no_more_fails_the_balancers_check() {
        let operation = Operation::Stop {
            node: "work001".into(),
            back: false,
        };
        let (.., is) = done("policy-local", &operation);
        let balancer = is
            .files
            .iter()
            .find(|f| &*f.name == "load-balancer.yaml")
            .unwrap();
        // The controller leaves it in the pool: it is for the check to find out.
        let own = balancer.text.lines().filter(|l| l.contains("work001"));
        let failed: Vec<bool> = own.map(|l| l.contains("healthy: false")).collect();
        assert_eq!(failed, [true], "{}", balancer.text);
    }

    #[test]
    fn nothing_answers_on_a_stopped_node() {
        let operation = Operation::Stop {
            node: "work001".into(),
            back: false,
        };
        let (_, was, after, is) = done("policy-cluster", &operation);
        assert_eq!(end(&was), "Delivered at web-a");
        assert_eq!(end(&is), "Delivered at web-b");
        let fate = changes(&was, &is).existing.unwrap();
        assert_eq!(fate.journeys[0].disposition, Disposition::NoNeighbour);
        let back = Operation::Stop {
            node: "work001".into(),
            back: true,
        };
        assert_eq!(end(&run(&perform(&after, &is, &back).unwrap())), end(&was));
    }

    #[test]
    fn a_failed_check_turns_the_balancer_away() {
        let operation = Operation::FailCheck {
            node: "work001".into(),
            back: false,
        };
        let (.., after, is) = done("policy-cluster", &operation);
        assert!(
            after.file("load-balancer.yaml").is_some(),
            "it is one's own now"
        );
        let hops = is.trace.journeys[0].hops.iter();
        let names: Vec<_> = hops
            .map(|h| &*is.world.host(h.host).unwrap().name)
            .collect();
        assert!(names.contains(&"work002"), "{names:?}");
        let back = Operation::FailCheck {
            node: "work001".into(),
            back: true,
        };
        assert!(operations(&after, &is).contains(&back));
    }

    #[test]
    fn a_deployment_scales() {
        let operation = Operation::Scale {
            workload: "default/istio-ingressgateway".into(),
            replicas: 3,
        };
        let (before, _, after, is) = done("manifests-1-36-iptables", &operation);
        assert_eq!(is.cluster.unwrap().objects.pods.len(), 3);
        assert_eq!(edited(&before, &after), 2);
    }

    /// Does so many things to a cluster, one after the other, as chance has it.
    fn live(workspace: &Workspace, seed: u64, times: u32) -> Workspace {
        let mut random = Random::new(seed);
        let mut now = workspace.clone();
        for _ in 0..times {
            let run = crate::workspace::run(&now);
            let all = operations(&now, &run);
            let chosen = all.get(random.below(all.len() as u32) as usize);
            if let Some(next) = chosen.and_then(|o| perform(&now, &run, o)) {
                now = next;
            }
        }
        now
    }

    #[test]
    fn whatever_happens_the_text_stays_yaml() {
        for name in ["policy-cluster", "rolling-update", "manifests-1-14"] {
            let start = Scenario::find(name).unwrap().workspace().unwrap();
            for seed in 0..6 {
                let end = live(&start, seed, 5);
                let text = &end.file("cluster.yaml").unwrap().text;
                assert_eq!(yaml::read(text, FileId(0)).1, [], "{text}");
            }
        }
    }
}
