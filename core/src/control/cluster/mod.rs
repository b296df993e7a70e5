//! A whole cluster from its manifests: what every controller does, as the texts that commands on its machines would print.
//!
//! The texts are those that people paste of their own clusters, so generated and pasted ones enter by the same door, and
//! a generated one can be taken over and edited. Each line knows the fields that it comes from.

mod cloud;
mod devices;
mod dialects;
mod facts;
mod kubectl;
mod network;
mod node;
mod pod;
mod sheet;

pub use cloud::{Profile, Source};
pub use dialects::Dialect;
pub use sheet::Sheet;

use std::collections::{BTreeMap, BTreeSet};

use super::mesh::{self, PodProxy};
use super::{api_server, endpoint_slices, workloads};
use crate::manifest::Manifests;
use crate::text::{Diagnostic, File, Span};
use facts::Facts;

/// A text that the cluster makes, by its place in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Such as `nodes/work001/ip-route.txt`.
    pub name: String,
    /// Who writes it on a real cluster; `Northsouth` where nobody does.
    pub maker: &'static str,
    pub sheet: Sheet,
}

impl Generated {
    /// Whether this file is as it was made.
    pub fn is(&self, file: &File) -> bool {
        *self.name == *file.name && *self.sheet.text() == *file.text
    }
}

/// What becomes of some manifests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// With all that the controllers filled in.
    pub objects: Manifests,
    pub files: Vec<Generated>,
    /// The Pods' proxies.
    pub proxies: Vec<PodProxy>,
}

impl Cluster {
    /// The lines that a field made: each with its file and its place there, from 0. A place within a field stands for that
    /// field, the smallest one around it.
    pub fn made_of(&self, place: Span) -> Vec<(usize, usize)> {
        let inside = |a: &Span, b: &Span| a.file == b.file && b.start <= a.start && a.end <= b.end;
        let all = || self.files.iter().flat_map(|f| f.sheet.all_sources());
        let field = match all().any(|source| inside(source, &place)) {
            true => None,
            false => all()
                .filter(|source| inside(&place, source))
                .min_by_key(|source| source.end - source.start),
        };
        let wanted = |source: &Span| match field {
            Some(field) => source == field,
            None => inside(source, &place),
        };
        let mut lines = Vec::new();
        for (at, file) in self.files.iter().enumerate() {
            lines.extend(file.sheet.lines_of(wanted).map(|line| (at, line)));
        }
        lines
    }
}

/// Lets the controllers have their way with the manifests of a cluster.
pub fn build(manifests: &Manifests) -> (Cluster, Vec<Diagnostic>) {
    let mut objects = manifests.clone();
    let mut said = Vec::new();
    let facts = Facts::new(&objects, &mut said);
    said.extend(mesh::deploy(&mut objects));
    said.extend(api_server::admit(&mut objects, facts.services, facts.pods));
    said.extend(workloads::run(&mut objects));
    mesh::inject(&mut objects);
    let (slices, more) = endpoint_slices::make(&objects);
    said.extend(more);
    objects.endpoint_slices.extend(slices);
    cloud::addresses(&mut objects, &facts, &mut said);
    said.extend(slices_without_service(&objects));
    let (proxies, more) = mesh::build(&objects);
    said.extend(more);
    let mut files = Vec::new();
    // Without nodes there is no cluster to make, as where its machines are told by dumps; what the mesh puts into its Pods
    // is made all the same.
    if !objects.nodes.is_empty() {
        kubectl::tables(&objects, &facts, &mut files);
        cloud::files(&objects, &facts, &mut files);
    }
    for node in &objects.nodes {
        node::files(&objects, &facts, node, &mut files, &mut said);
    }
    let mut placed: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in &objects.pods {
        let proxy = proxies.iter().find(|p| p.is_of(pod));
        let node = pod.spec.node_name.as_ref().map_or("", |n| &*n.value);
        let before = placed.entry(node).or_default();
        pod::files(&objects, &facts, pod, proxy, *before, &mut files);
        *before += usize::from(facts::has_network(pod));
    }
    let cluster = Cluster {
        objects,
        files,
        proxies,
    };
    (cluster, said)
}

/// Endpoints that nobody asks for.
fn slices_without_service(objects: &Manifests) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let names = objects.services.iter();
    let names: BTreeSet<_> = names.map(|s| (&s.meta.namespace, &s.meta.name)).collect();
    for slice in &objects.endpoint_slices {
        let Some(service) = &slice.service else {
            continue;
        };
        if !names.contains(&(&slice.meta.namespace, &service.value)) {
            let (slice, name) = (slice.meta.full_name(), &service.value);
            let say = crate::say!(
                "control/slice-without-service",
                slice = slice,
                service = name
            );
            said.push(Diagnostic::warning(service.span, say));
        }
    }
    said
}
