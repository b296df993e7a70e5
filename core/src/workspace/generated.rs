//! What a cluster's controllers add to the files of a workspace.

use std::sync::Arc;

use super::FileKind;
use super::memory::Memory;
use crate::control::cluster::{self, Cluster};
use crate::manifest::{self, Manifests};
use crate::text::{Diagnostic, File, FileId, Pace, Text, at_once};
use crate::yaml;

/// All files that there are: people's own first, each where it was, then those that the controllers make of the manifests.
/// A file that people have of their own stands for the one that would be made.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    pub files: Vec<File>,
    /// `None` where there are no manifests.
    pub cluster: Option<Arc<Cluster>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// What some manifests came to.
#[derive(Debug)]
pub(super) struct Built {
    /// Each with its place.
    manifests: Vec<(FileId, Text)>,
    cluster: Arc<Cluster>,
    said: Vec<Diagnostic>,
}

pub fn expand(own: &[File]) -> Expanded {
    at_once(expand_along(own, &mut Memory::default(), &Pace::AT_ONCE))
}

pub(super) async fn expand_along(own: &[File], memory: &mut Memory, pace: &Pace) -> Expanded {
    let mut files = own.to_vec();
    let manifests = manifests(own);
    if manifests.is_empty() {
        return Expanded {
            files,
            ..Expanded::default()
        };
    }
    let known = memory.built.take();
    let built = match known.filter(|known| known.manifests == manifests) {
        Some(known) => {
            memory.yaml.keep_all();
            known
        }
        None => Arc::new(build(manifests, &mut memory.yaml, pace).await),
    };
    memory.built = Some(built.clone());
    let cluster = built.cluster.clone();
    let made = cluster.files.iter();
    let made = made.filter(|made| own.iter().all(|file| *file.name != *made.name));
    files.extend(made.map(|made| File {
        name: (&*made.name).into(),
        text: Text::made(&made.sheet),
    }));
    Expanded {
        files,
        diagnostics: built.said.clone(),
        cluster: Some(cluster),
    }
}

impl Built {
    /// Whether these files have the same manifests.
    pub fn is_of(&self, own: &[File]) -> bool {
        self.manifests == manifests(own)
    }
}

fn manifests(own: &[File]) -> Vec<(FileId, Text)> {
    let manifests = (0..)
        .map(FileId)
        .zip(own)
        .filter(|(_, file)| FileKind::of(&file.name) == FileKind::Manifests);
    manifests
        .map(|(at, file)| (at, file.text.clone()))
        .collect()
}

async fn build(manifests: Vec<(FileId, Text)>, memory: &mut yaml::Memory, pace: &Pace) -> Built {
    let mut objects = Manifests::default();
    let mut said = Vec::new();
    for (at, text) in &manifests {
        let read = manifest::read_along(text, *at, &mut objects, Some(memory), pace);
        said.extend(read.await);
    }
    let (cluster, more) = cluster::build_along(objects, pace).await;
    said.extend(more);
    Built {
        manifests,
        cluster: cluster.into(),
        said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "\
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}}
";

    #[test]
    fn a_file_of_ones_own_stands_for_the_one_that_would_be_made() {
        let cluster = File::new("cluster.yaml", CLUSTER);
        let made = expand(std::slice::from_ref(&cluster));
        let names: Vec<_> = made.files.iter().map(|f| &*f.name).collect();
        assert!(names.contains(&"nodes/n1/ip-route.txt"), "{names:?}");
        assert!(names.contains(&"pods/a/ss.txt"), "{names:?}");
        let route = File::new(
            "nodes/n1/ip-route.txt",
            "default via 192.168.0.9 dev eth0\n",
        );
        let taken = expand(&[cluster, route.clone()]);
        assert_eq!(taken.files.len(), made.files.len());
        assert_eq!(taken.files[1], route);
        let [taken, made] = [taken, made].map(|all| {
            let files = all.cluster.map(|cluster| cluster.files.clone());
            (all.files, files)
        });
        assert_eq!(taken.1, made.1, "what the controllers would make");
        let routes = taken.0.iter().filter(|f| *f.name == *route.name);
        assert_eq!(routes.count(), 1);
    }

    #[test]
    fn without_manifests_nothing_is_made() {
        let file = File::new("nodes/n1/ip-route.txt", "");
        assert_eq!(expand(std::slice::from_ref(&file)).files, [file]);
    }
}
