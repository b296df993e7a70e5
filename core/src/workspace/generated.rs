//! What a cluster's controllers add to the files of a workspace.

use super::FileKind;
use crate::control::cluster::{self, Cluster};
use crate::manifest::{self, Manifests};
use crate::text::{Diagnostic, File, FileId};
use crate::yaml::Memory;

/// All files that there are: people's own first, each where it was, then those that the controllers make of the manifests.
/// A file that people have of their own stands for the one that would be made.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    pub files: Vec<File>,
    /// `None` where there are no manifests.
    pub cluster: Option<Cluster>,
    pub diagnostics: Vec<Diagnostic>,
}

pub fn expand(own: &[File]) -> Expanded {
    expand_again(own, &mut Memory::default())
}

pub(super) fn expand_again(own: &[File], memory: &mut Memory) -> Expanded {
    let mut objects = Manifests::default();
    let mut diagnostics = Vec::new();
    let mut any = false;
    for (at, file) in (0..).zip(own) {
        if FileKind::of(&file.name) == FileKind::Manifests {
            any = true;
            let said = manifest::read_again(&file.text, FileId(at), &mut objects, memory);
            diagnostics.extend(said);
        }
    }
    let mut files = own.to_vec();
    if !any {
        return Expanded {
            files,
            cluster: None,
            diagnostics,
        };
    }
    let (cluster, said) = cluster::build(&objects);
    diagnostics.extend(said);
    let made = cluster.files.iter();
    let made = made.filter(|made| own.iter().all(|file| *file.name != *made.name));
    files.extend(made.map(|made| File::new(&made.name, made.sheet.text())));
    Expanded {
        files,
        cluster: Some(cluster),
        diagnostics,
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
        assert_eq!(
            taken.cluster, made.cluster,
            "what the controllers would make"
        );
        let routes = taken.files.iter().filter(|f| *f.name == *route.name);
        assert_eq!(routes.count(), 1);
    }

    #[test]
    fn without_manifests_nothing_is_made() {
        let file = File::new("nodes/n1/ip-route.txt", "");
        assert_eq!(expand(std::slice::from_ref(&file)).files, [file]);
    }
}
