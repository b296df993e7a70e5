//! Who may speak to a workload without mTLS: PeerAuthentication. Source: `ComposePeerAuthentication` of
//! `pilot/pkg/security/authn/policy_applier.go`.

use std::collections::BTreeMap;

use super::message::Ask;
use super::object::{Object, sort_by_age};
use crate::text::Span;
use crate::yaml::Node;

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
pub(super) struct Policies(Vec<Object>);

impl Policies {
    pub(super) fn new(mut objects: Vec<Object>) -> Self {
        sort_by_age(&mut objects);
        Self(objects)
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
        let general = |o: &&Object| !selects(o);
        let of = |ns: &str| self.0.iter().filter(general).find(|o| o.namespace == ns);
        let own = self.0.iter().find(|o| {
            let chosen = o.spec.get("selector").map(|s| s.sorted("matchLabels"));
            let fits =
                |e: &&crate::yaml::Entry| labels.get(&*e.key).map(String::as_str) == e.value.str();
            selects(o)
                && o.namespace == namespace
                && namespace != root
                && chosen.unwrap_or_default().iter().all(fits)
        });
        let mut found = (Mode::Permissive, None);
        let mesh = of(root);
        for level in [mesh, of(namespace).filter(|_| namespace != root), own] {
            let said = level.and_then(|o| o.spec.get("mtls"));
            found = said.and_then(read).unwrap_or(found);
        }
        let ports = own.map(|o| o.spec.sorted("portLevelMtls"));
        let mut ports = ports.unwrap_or_default().into_iter();
        let said = ports.find(|e| e.key.parse() == Ok(port));
        said.and_then(|e| read(&e.value)).unwrap_or(found)
    }
}

/// Whether it is for some workloads.
fn selects(object: &Object) -> bool {
    let selector = object.spec.get("selector");
    selector.is_some_and(|s| !s.sorted("matchLabels").is_empty())
}

fn read(mtls: &Node) -> Option<(Mode, Option<Span>)> {
    let mode = match mtls.text("mode") {
        "STRICT" => Mode::Strict,
        "PERMISSIVE" => Mode::Permissive,
        "DISABLE" => Mode::Disable,
        _ => return None,
    };
    Some((mode, Some(mtls.span)))
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
        let others = "{selector: {matchLabels: {app: b}}, mtls: {mode: STRICT}}";
        check(&[namespace, ("shop", others)], [Disable; 2]);
        check(
            &[namespace, ("shop", "{mtls: {mode: STRICT}}")],
            [Disable; 2],
        );
    }
}
