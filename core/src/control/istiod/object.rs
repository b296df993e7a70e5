use std::cmp::Ordering;

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
    pub(super) labels: Vec<(String, String)>,
    /// Of its `status`: what each condition is, by its type.
    pub(super) conditions: Vec<(String, String)>,
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
        let texts = |field| {
            let all = meta.sorted(field).into_iter();
            all.map(|e| (e.key.to_string(), e.value.str().unwrap_or("").to_string()))
                .collect()
        };
        let status = other.node.get("status");
        let conditions = status.map_or(&[][..], |s| s.each("conditions")).iter();
        let condition = |c: &Node| (c.text("type").to_string(), c.text("status").to_string());
        let namespace = if other.namespace.is_empty() {
            "default"
        } else {
            &other.namespace
        };
        Some(Self {
            kind,
            name: other.name.to_string(),
            namespace: namespace.to_string(),
            annotations: texts("annotations"),
            labels: texts("labels"),
            conditions: conditions.map(condition).collect(),
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
        value(&self.annotations, key)
    }

    pub(super) fn label(&self, key: &str) -> Option<&str> {
        value(&self.labels, key)
    }

    pub(super) fn condition(&self, kind: &str) -> Option<&str> {
        value(&self.conditions, kind)
    }

    pub(super) fn by_age(&self, other: &Self) -> Ordering {
        let (at, of_other) = (&self.age, &other.age);
        let order = (at.0, &at.1).cmp(&(of_other.0, &of_other.1));
        // Those that don't say when they were made came in the order of the files.
        order.then_with(|| {
            if at.0 {
                at.2.cmp(&of_other.2)
            } else {
                Ordering::Equal
            }
        })
    }
}

fn value<'a>(all: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let found = all.iter().find(|(k, _)| k == key);
    found.map(|(_, v)| v.as_str())
}

/// Oldest first; of the same age by name, then by namespace.
pub(super) fn sort_by_age(objects: &mut [Object]) {
    objects.sort_by(|a, b| {
        a.by_age(b)
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.namespace.cmp(&b.namespace))
    });
}
