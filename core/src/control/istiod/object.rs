use super::message::Ask;
use crate::manifest::Other;
use crate::text::Span;
use crate::yaml::Node;

/// An object of Istio's or Kubernetes' that istiod reads, as it was written.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) annotations: Vec<(String, String)>,
    /// When it was made: as written, or after all that say so in the order of the files.
    pub(super) age: (bool, String, usize),
    pub(super) spec: Node,
    pub(super) span: Span,
    /// Whose rules for routes apply: an Ingress and an HTTPRoute mean paths by their segments.
    pub(super) semantics: Semantics,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Semantics {
    #[default]
    VirtualService,
    Ingress,
    GatewayApi,
}

impl Object {
    pub(super) fn read(other: &Other, kind: &'static str, at: usize) -> Option<Self> {
        let meta = other.node.field("metadata")?;
        let created = meta.text("creationTimestamp");
        let annotations = meta.sorted("annotations").into_iter();
        let namespace = if other.namespace.is_empty() {
            "default"
        } else {
            &other.namespace
        };
        Some(Self {
            kind,
            name: other.name.to_string(),
            namespace: namespace.to_string(),
            annotations: annotations
                .map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
                .collect(),
            age: (created.is_empty(), created.to_string(), at),
            spec: other.node.get("spec").cloned().unwrap_or_else(|| Node {
                value: crate::yaml::Value::Map(Vec::new()),
                span: other.node.span,
            }),
            span: other.node.span,
            semantics: Semantics::default(),
        })
    }

    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        let mut all = self.annotations.iter();
        all.find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

/// Oldest first; of the same age by name, then by namespace.
pub(super) fn sort_by_age(objects: &mut [Object]) {
    objects.sort_by(|a, b| {
        let (at, bt) = ((a.age.0, &a.age.1), (b.age.0, &b.age.1));
        let order = at.cmp(&bt);
        let order = if a.age.0 {
            order.then(a.age.2.cmp(&b.age.2))
        } else {
            order
        };
        order
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.namespace.cmp(&b.namespace))
    });
}
