//! Who may speak to a workload without mTLS: PeerAuthentication. Source: `ComposePeerAuthentication` of
//! `pilot/pkg/security/authn/policy_applier.go`.

use std::collections::BTreeMap;

use super::message::Ask;
use super::object::{Object, sort_by_age};
use crate::text::Span;
use crate::yaml::{Entry, Node};

/// What a sidecar takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// mTLS and clear text.
    Permissive,
    /// mTLS alone.
    Strict,
    /// Clear text alone.
    Disable,
}

/// All PeerAuthentications, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Policies(Vec<Policy>);

#[derive(Clone, Debug)]
struct Policy {
    namespace: String,
    /// Of the workloads that it is for; none where it is for all.
    labels: Vec<(String, String)>,
    said: Option<Said>,
    /// What it has of single ports; of some that they are as the rest.
    ports: BTreeMap<u16, Option<Said>>,
}

/// A mode and the lines that set it.
type Said = (Mode, Span);

impl Policies {
    pub(super) fn new(mut objects: Vec<Object>) -> Self {
        sort_by_age(&mut objects);
        Self(objects.iter().map(Policy::read).collect())
    }

    /// What holds for a port of a workload, or for all that it says nothing of (port 0), and the line that says so. Each
    /// level says something or leaves it to the one above; of one level the oldest object counts.
    pub(super) fn mode(
        &self,
        root: &str,
        namespace: &str,
        labels: &BTreeMap<String, String>,
        port: u16,
    ) -> (Mode, Option<Span>) {
        let own = self.own(root, namespace, labels);
        let of_port = own.and_then(|p| *p.ports.get(&port)?);
        let said = of_port
            .or_else(|| own?.said)
            .or_else(|| self.general(root, namespace));
        said.map_or((Mode::Permissive, None), |(mode, span)| (mode, Some(span)))
    }

    /// Whether a namespace as a whole takes clear text alone, whatever single workloads take (`GetNamespaceMutualTLSMode`).
    pub(super) fn disabled_in(&self, root: &str, namespace: &str) -> bool {
        let said = self.general(root, namespace);
        said.is_some_and(|(mode, _)| mode == Mode::Disable)
    }

    /// What holds where no policy chooses by labels.
    fn general(&self, root: &str, namespace: &str) -> Option<Said> {
        let of = |ns: &str| {
            let mut all = self.0.iter();
            all.find(|p| p.namespace == ns && p.labels.is_empty())?.said
        };
        of(namespace).or_else(|| of(root))
    }

    /// The ports of a workload that something is said of.
    pub(super) fn ports(
        &self,
        root: &str,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> impl Iterator<Item = u16> {
        let own = self.own(root, namespace, labels);
        own.into_iter().flat_map(|p| p.ports.keys().copied())
    }

    /// The policy for a workload by its labels; the root namespace has none such.
    fn own(
        &self,
        root: &str,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> Option<&Policy> {
        let fits = |(key, value): &(String, String)| labels.get(key) == Some(value);
        self.0.iter().find(|p| {
            p.namespace == namespace
                && namespace != root
                && !p.labels.is_empty()
                && p.labels.iter().all(fits)
        })
    }
}

impl Policy {
    fn read(object: &Object) -> Self {
        let spec = &object.spec;
        let selector = spec.get("selector");
        let labels = selector.map(|s| s.sorted("matchLabels"));
        let label = |e: &Entry| (e.key.to_string(), e.value.str().unwrap_or("").to_string());
        let ports = spec.sorted("portLevelMtls").into_iter();
        Self {
            namespace: object.namespace.clone(),
            labels: labels.into_iter().flatten().map(label).collect(),
            said: spec.get("mtls").and_then(read),
            ports: ports
                .filter_map(|e| Some((e.key.parse().ok()?, read(&e.value))))
                .collect(),
        }
    }
}

fn read(mtls: &Node) -> Option<Said> {
    let mode = match mtls.text("mode") {
        "STRICT" => Mode::Strict,
        "PERMISSIVE" => Mode::Permissive,
        "DISABLE" => Mode::Disable,
        _ => return None,
    };
    Some((mode, mtls.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::istiod::world::objects;
    use crate::manifest::Manifests;
    use crate::text::FileId;

    /// `policies`: namespace and spec, one a line. The mode of port 80 and of port 81 of `app: a` in `shop`.
    fn check(policies: &[(&str, &str)], wanted: [Mode; 2]) {
        let mut text = String::new();
        for (at, (namespace, spec)) in policies.iter().enumerate() {
            text.push_str(&format!(
                "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: p{at}, namespace: {namespace}}}\nspec: {spec}\n"
            ));
        }
        let mut manifests = Manifests::default();
        crate::manifest::read(&text, FileId(0), &mut manifests);
        let all = objects(&manifests).into_iter().map(|(o, _)| o).collect();
        let labels = BTreeMap::from([("app".to_string(), "a".to_string())]);
        let policies = Policies::new(all);
        let mode = |port| policies.mode("istio-system", "shop", &labels, port).0;
        assert_eq!([mode(80), mode(81)], wanted);
    }

    #[test]
    fn the_nearest_policy_counts() {
        use Mode::{Disable, Permissive, Strict};
        check(&[], [Permissive; 2]);
        let mesh = ("istio-system", "{mtls: {mode: STRICT}}");
        check(&[mesh], [Strict; 2]);
        let namespace = ("shop", "{mtls: {mode: DISABLE}}");
        check(&[mesh, namespace], [Disable; 2]);
        check(&[mesh, ("shop", "{mtls: {mode: UNSET}}")], [Strict; 2]);
        check(&[mesh, ("other", "{mtls: {mode: DISABLE}}")], [Strict; 2]);
        let own = "{selector: {matchLabels: {app: a}}, mtls: {mode: STRICT}, portLevelMtls: {80: {mode: PERMISSIVE}}}";
        check(&[namespace, ("shop", own)], [Permissive, Strict]);
        let unset = "{selector: {matchLabels: {app: a}}, portLevelMtls: {80: {mode: UNSET}, 81: {mode: STRICT}}}";
        check(&[namespace, ("shop", unset)], [Disable, Strict]);
        let others = "{selector: {matchLabels: {app: b}}, mtls: {mode: STRICT}}";
        check(&[namespace, ("shop", others)], [Disable; 2]);
        check(
            &[namespace, ("shop", "{mtls: {mode: STRICT}}")],
            [Disable; 2],
        );
    }
}
