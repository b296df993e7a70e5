use serde::Serialize;

use super::{Labels, Meta, PodSpec, Spanned};
use crate::say;
use crate::yaml::{Cursor, Fields};

/// What makes Pods of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub kind: WorkloadKind,
    pub meta: Meta,
    /// One where none is given; a DaemonSet has one a node.
    pub replicas: Spanned<u32>,
    pub selector: Selector,
    /// Labels and annotations of its Pods.
    pub template_meta: Meta,
    pub template: PodSpec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum WorkloadKind {
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
}

/// A label selector. Expressions are not modelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub match_labels: Labels,
}

impl Selector {
    pub(super) fn read(cursor: Cursor<'_>) -> Option<Selector> {
        let mut fields = cursor.fields()?;
        let selector = Selector {
            match_labels: Labels::read(fields.get("matchLabels")),
        };
        fields.not_modelled(&["matchExpressions"]);
        fields.end();
        Some(selector)
    }
}

impl Workload {
    pub(super) fn read(mut fields: Fields<'_>, kind: WorkloadKind) -> Workload {
        let meta = Meta::read(&mut fields, true);
        let mut workload = Workload {
            kind,
            replicas: Spanned::new(1, meta.span),
            meta,
            selector: Selector::default(),
            template_meta: Meta::default(),
            template: PodSpec::default(),
        };
        if let Some(mut spec) = fields.required("spec").and_then(|s| s.fields()) {
            if let Some(cursor) = spec.get("replicas")
                && let Some(replicas) = cursor.int_in(0..=i64::from(i32::MAX))
            {
                workload.replicas = Spanned::new(replicas, cursor.span());
            }
            let selector = spec.required("selector");
            if let Some(selector) = selector {
                workload.selector = Selector::read(selector).unwrap_or_default();
            }
            if let Some(mut template) = spec.required("template").and_then(|t| t.fields()) {
                workload.template_meta = Meta::read_template(&mut template);
                if let Some(spec) = template.required("spec").and_then(|s| s.fields()) {
                    workload.template = PodSpec::read(spec);
                }
                template.end();
            }
            let labels = &workload.template_meta.labels;
            if let Some(selector) = selector
                && !workload.selector.match_labels.select(labels)
            {
                selector.error(say!(
                    "manifest/selector-misses-template",
                    path = selector.path()
                ));
            }
        }
        fields.no_matter(&["status"]);
        fields.end();
        workload
    }
}
