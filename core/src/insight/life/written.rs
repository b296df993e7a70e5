use std::collections::BTreeMap;
use std::rc::Rc;

use crate::manifest::{self, Manifests, Pod};
use crate::text::{FileId, Span};
use crate::workspace::{FileKind, Workspace};
use crate::yaml::edit::{self, Edit};
use crate::yaml::{self, Node};

/// The manifests as they were written, and what is to change in them.
pub(super) struct Written<'w> {
    workspace: &'w Workspace,
    pub objects: Manifests,
    /// Of each file, what of it was looked at.
    documents: BTreeMap<FileId, Rc<[Node]>>,
    pub edits: Vec<(FileId, Edit)>,
}

impl<'w> Written<'w> {
    pub fn read(workspace: &'w Workspace) -> Self {
        let mut objects = Manifests::default();
        for (at, file) in (0..).zip(&workspace.files) {
            if FileKind::of(&file.name) == FileKind::Manifests {
                manifest::read(&file.text, FileId(at), &mut objects);
            }
        }
        Self {
            workspace,
            objects,
            documents: BTreeMap::new(),
            edits: Vec::new(),
        }
    }

    fn text(&self, file: FileId) -> &'w str {
        let file = self.workspace.files.get(file.index());
        file.map_or("", |f| &*f.text)
    }

    /// Changes the node that stands at a span.
    fn change(
        &mut self,
        span: Span,
        change: impl FnOnce(&str, &Node) -> Option<Edit>,
    ) -> Option<()> {
        let text = self.text(span.file);
        let read = || yaml::read(text, span.file).0.into();
        let documents = self.documents.entry(span.file).or_insert_with(read);
        let edit = change(text, edit::at(documents, span)?)?;
        self.edits.push((span.file, edit));
        Some(())
    }

    fn remove(&mut self, span: Span) {
        let edit = edit::remove(self.text(span.file), span);
        self.edits.push((span.file, edit));
    }

    fn pod(&self, name: &str) -> Option<Pod> {
        let mut pods = self.objects.pods.iter();
        pods.find(|p| p.meta.full_name() == name).cloned()
    }

    /// The endpoints that someone wrote down for a Pod; a controller's follow the Pod by themselves.
    fn endpoints(&self, pod: &Pod) -> Vec<Span> {
        let slices = self.objects.endpoint_slices.iter();
        let slices = slices.filter(|s| s.meta.namespace == pod.meta.namespace);
        // Pods of the host's network share an address.
        let of_pod = |e: &&manifest::Endpoint| match &e.target {
            Some(target) => **target == *pod.meta.name,
            None => e
                .address
                .is_some_and(|a| pod.ips.iter().any(|ip| ip.value == a.value)),
        };
        slices
            .flat_map(|s| &s.endpoints)
            .filter(of_pod)
            .map(|e| e.span)
            .collect()
    }

    pub fn delete_pod(&mut self, name: &str) -> Option<()> {
        let pod = self.pod(name)?;
        self.remove(pod.meta.span);
        for endpoint in self.endpoints(&pod) {
            self.remove(endpoint);
        }
        Some(())
    }

    pub fn set_ready(&mut self, name: &str, ready: bool) -> Option<()> {
        let pod = self.pod(name)?;
        self.condition(pod.meta.span, if ready { "True" } else { "False" })?;
        for endpoint in self.endpoints(&pod) {
            self.change(endpoint, |text, endpoint| {
                let value = format!("{{ready: {ready}, serving: {ready}, terminating: false}}");
                Some(edit::set(text, endpoint, "conditions", &value))
            })?;
        }
        Some(())
    }

    /// The condition Ready in an object's status.
    fn condition(&mut self, object: Span, status: &str) -> Option<()> {
        let status = format!("\"{status}\"");
        let item = format!("{{type: Ready, status: {status}}}");
        self.change(object, |text, object| {
            let Some(now) = object.field("status").filter(|n| !n.is_null()) else {
                return Some(edit::set(
                    text,
                    object,
                    "status",
                    &format!("{{conditions: [{item}]}}"),
                ));
            };
            let Some(conditions) = now.field("conditions").filter(|n| !n.items().is_empty()) else {
                return Some(edit::set(text, now, "conditions", &format!("[{item}]")));
            };
            let ready = |c: &&Node| c.field("type").and_then(Node::str) == Some("Ready");
            Some(match conditions.items().iter().find(ready) {
                Some(ready) => edit::set(text, ready, "status", &status),
                None => edit::put_item(text, conditions, &item),
            })
        })
    }

    fn node(&self, name: &str) -> Option<Span> {
        let mut nodes = self.objects.nodes.iter();
        nodes.find(|n| &*n.meta.name == name).map(|n| n.meta.span)
    }

    fn pods_on(&self, node: &str) -> Vec<Pod> {
        let on = |p: &&Pod| p.spec.node_name.as_ref().is_some_and(|n| &*n.value == node);
        self.objects.pods.iter().filter(on).cloned().collect()
    }

    /// `kubectl drain`: cordons the node and evicts its Pods, which nobody puts elsewhere unless a workload does.
    pub fn drain(&mut self, node: &str, back: bool) -> Option<()> {
        self.change(self.node(node)?, |text, object| {
            let value = (!back).to_string();
            Some(match object.field("spec").filter(|n| !n.is_null()) {
                Some(spec) => edit::set(text, spec, "unschedulable", &value),
                None => edit::set(text, object, "spec", &format!("{{unschedulable: {value}}}")),
            })
        })?;
        for pod in self.pods_on(node).iter().filter(|_| !back) {
            self.delete_pod(&pod.meta.full_name())?;
        }
        Some(())
    }

    /// The node's lease runs out: the node controller says Unknown of it, and its Pods are no longer ready (Kubernetes
    /// `pkg/controller/nodelifecycle`).
    pub fn stop(&mut self, node: &str, back: bool) -> Option<()> {
        self.condition(self.node(node)?, if back { "True" } else { "Unknown" })?;
        for pod in self.pods_on(node) {
            self.set_ready(&pod.meta.full_name(), back)?;
        }
        Some(())
    }

    pub fn scale(&mut self, name: &str, replicas: u32) -> Option<()> {
        let mut workloads = self.objects.workloads.iter();
        let span = workloads.find(|w| w.meta.full_name() == name)?.meta.span;
        self.change(span, |text, object| {
            let spec = object.field("spec")?;
            Some(edit::set(text, spec, "replicas", &replicas.to_string()))
        })
    }
}
