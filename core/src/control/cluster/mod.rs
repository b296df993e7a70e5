//! A whole cluster from its manifests: what every controller does, as the texts that commands on its machines would print.
//!
//! The texts are those that people paste of their own clusters, so generated and pasted ones enter by the same door, and
//! a generated one can be taken over and edited. Each line knows the fields that it comes from.

mod cloud;
mod devices;
mod dialects;
mod facts;
mod kubectl;
mod nat;
mod network;
mod node;
mod pod;
mod policy;
mod portmap;
mod sheet;

pub use cloud::{Profile, Source};
pub use dialects::Dialect;
pub use policy::Guarded;
pub use sheet::Sheet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::mesh::{self, PodProxy};
use super::{api_server, endpoint_slices, workloads};
use crate::manifest::{Manifests, Node};
use crate::text::{Diagnostic, File, Later, Pace, Span, Text, at_once};
use facts::Facts;
use network::NodeNetwork;

/// A text that the cluster makes, by its place in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Such as `nodes/work001/ip-route.txt`.
    pub name: String,
    /// Who writes it on a real cluster; `Northsouth` where nobody does.
    pub maker: &'static str,
    /// Made when someone looks: the rules of one node of many are as long as a book.
    pub sheet: Later<Sheet>,
}

impl Generated {
    /// Whether this file is as it was made.
    pub fn is(&self, file: &File) -> bool {
        let text = || Text::made(&self.sheet) == file.text;
        *self.name == *file.name && text()
    }
}

/// What becomes of some manifests.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// With all that the controllers filled in.
    pub objects: Later<Manifests>,
    pub files: Vec<Generated>,
    /// The Pods' proxies.
    pub proxies: Vec<PodProxy>,
    pub guarded: Vec<Guarded>,
}

impl Cluster {
    /// The lines that a field made, of some files: each with its file and its place there, from 0. A place within a field
    /// stands for that field, the smallest one around it.
    pub fn made_of(
        &self,
        place: Span,
        is_wanted: impl Fn(&Generated) -> bool,
    ) -> Vec<(&Generated, usize)> {
        let inside = |a: &Span, b: &Span| a.file == b.file && b.start <= a.start && a.end <= b.end;
        let files: Vec<_> = self.files.iter().filter(|f| is_wanted(f)).collect();
        let all = || files.iter().flat_map(|f| f.sheet.all_sources());
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
        for file in files {
            lines.extend(file.sheet.lines_of(wanted).map(|line| (file, line)));
        }
        lines
    }

    /// How many bytes, about, the rules of a node have that nobody looked at.
    pub fn rules_to_be_made(&self) -> usize {
        let mut files = self.files.iter();
        if files.all(|f| f.maker != "kube-proxy" || f.sheet.is_made()) {
            return 0;
        }
        let endpoints = self.objects.endpoint_slices.iter();
        let endpoints: usize = endpoints.map(|s| s.endpoints.len()).sum();
        400 * self.objects.services.len() + 300 * endpoints
    }

    /// How many lines, about, the files have that nobody looked at.
    pub fn lines_to_be_made(&self) -> usize {
        let rules = 8 * self.objects.services.len();
        let files = self.files.iter().filter(|f| !f.sheet.is_made());
        let lines = files.map(|f| match f.maker {
            "kube-proxy" => rules,
            _ => 4,
        });
        lines.sum()
    }
}

/// What the controllers know when all is decided, for what they write when someone looks.
#[derive(Debug)]
struct Plan {
    objects: Later<Manifests>,
    facts: Facts,
}

impl Plan {
    /// Something of a Pod that is on a node.
    fn of_pod(
        self: &Arc<Self>,
        place: pod::Place,
        make: impl FnOnce(&Plan, &pod::Placed) -> Sheet + Send + Sync + 'static,
    ) -> Later<Sheet> {
        let plan = self.clone();
        Later::new(move || {
            let placed = plan.placed(place);
            placed
                .map(|placed| make(&plan, &placed))
                .unwrap_or_default()
        })
    }

    /// What takes long to write of a node.
    fn of_node_along<W>(
        self: &Arc<Self>,
        network: &Later<NodeNetwork>,
        write: impl Fn(Arc<Plan>, Later<NodeNetwork>, Pace) -> W + Send + Sync + 'static,
    ) -> Later<Sheet>
    where
        W: Future<Output = Option<Sheet>> + 'static,
    {
        let (plan, network) = (self.clone(), network.clone());
        Later::along(move |pace| {
            let sheet = write(plan.clone(), network.clone(), pace);
            Box::pin(async move { sheet.await.unwrap_or_default() })
        })
    }

    /// Something of a node, by its place among the objects.
    fn of_node<T: Default>(
        self: &Arc<Self>,
        at: usize,
        make: impl FnOnce(&Plan, &Node) -> T + Send + Sync + 'static,
    ) -> Later<T> {
        let plan = self.clone();
        Later::new(move || {
            let node = plan.objects.nodes.get(at);
            node.map(|node| make(&plan, node)).unwrap_or_default()
        })
    }
}

/// Lets the controllers have their way with the manifests of a cluster.
pub fn build(manifests: Manifests) -> (Cluster, Vec<Diagnostic>) {
    at_once(build_along(manifests, &Pace::AT_ONCE))
}

/// What one controller may take, where it can pause before it only.
const STAGE: usize = 1 << 20;
/// What the files of a Pod take, in bytes that could be read meanwhile.
const POD: usize = 128;

/// The same, pausing on the way.
pub async fn build_along(manifests: Manifests, pace: &Pace) -> (Cluster, Vec<Diagnostic>) {
    let mut objects = manifests;
    let mut said = Vec::new();
    let facts = Facts::new(&objects, &mut said);
    said.extend(mesh::deploy(&mut objects));
    said.extend(api_server::admit(&mut objects, facts.services, facts.pods));
    pace.went(STAGE).await;
    said.extend(workloads::run(&mut objects));
    mesh::inject(&mut objects);
    pace.went(STAGE).await;
    let (slices, more) = endpoint_slices::make(&objects);
    said.extend(more);
    objects.endpoint_slices.extend(slices);
    pace.went(STAGE).await;
    cloud::addresses(&mut objects, &facts, &mut said);
    said.extend(slices_without_service(&objects));
    said.extend(policy::say(&objects, &facts));
    let guarded = policy::guarded(&objects, &facts);
    pace.went(STAGE).await;
    let (proxies, more) = mesh::build(&objects, pace).await;
    said.extend(more);
    let plan = Arc::new(Plan {
        objects: objects.into(),
        facts,
    });
    let (objects, facts) = (&*plan.objects, &plan.facts);
    let mut files = Vec::new();
    // Without nodes there is no cluster to make, as where its machines are told by dumps; what the mesh puts into its Pods
    // is made all the same.
    pace.went(STAGE).await;
    if !objects.nodes.is_empty() {
        kubectl::tables(objects, facts, &mut files);
        cloud::files(objects, facts, &mut files);
    }
    for at in 0..objects.nodes.len() {
        node::files(&plan, at, &mut files, &mut said);
    }
    let of_pods = proxies.iter().map(|p| ((&*p.namespace, &*p.pod), p));
    let of_pods: BTreeMap<_, _> = of_pods.collect();
    // Each with its place among the objects, and how many Pods it has so far.
    let nodes = objects.nodes.iter().enumerate().rev();
    let mut nodes: BTreeMap<&str, (usize, usize)> =
        nodes.map(|(at, n)| (&*n.meta.name, (at, 0))).collect();
    for (at, pod) in objects.pods.iter().enumerate() {
        pace.went(POD).await;
        let proxy = of_pods.get(&(&*pod.meta.namespace, &*pod.meta.name));
        let name = pod.spec.node_name.as_ref().map_or("", |n| &*n.value);
        let place = nodes.get_mut(name).map(|(node, before)| {
            let place = pod::Place {
                pod: at,
                node: *node,
                before: *before,
            };
            *before += usize::from(facts::has_network(pod));
            place
        });
        pod::files(&plan, pod, place, proxy.copied(), &mut files);
    }
    let cluster = Cluster {
        objects: plan.objects.clone(),
        files,
        proxies,
        guarded,
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
