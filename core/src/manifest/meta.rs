use std::ops::Deref;

use crate::text::Span;
use crate::yaml::{Cursor, Fields};

/// A value and where it was read; a default has the span of the object that lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Labels, annotations or a selector: by key, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(Box<str>, Spanned<Box<str>>)>);

impl Labels {
    pub fn get(&self, key: &str) -> Option<&Spanned<Box<str>>> {
        let at = self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Spanned<Box<str>>)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// Whether each of these, as a selector, stands in `labels`. The empty selector selects everything.
    pub fn select(&self, labels: &Labels) -> bool {
        self.iter()
            .all(|(key, value)| labels.get(key).is_some_and(|v| v.value == value.value))
    }

    /// Sets one, as an admission webhook does.
    pub fn insert(&mut self, key: &str, value: &str, span: Span) {
        let value = Spanned::new(value.into(), span);
        match self.0.binary_search_by(|(k, _)| (**k).cmp(key)) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (key.into(), value)),
        }
    }

    /// The span of all of them; `None` of none.
    pub fn span(&self) -> Option<Span> {
        self.0.iter().map(|(_, v)| v.span).reduce(|a, b| a.to(b))
    }

    pub(super) fn read(cursor: Option<Cursor<'_>>) -> Self {
        let Some(cursor) = cursor else {
            return Self::default();
        };
        let mut labels: Vec<_> = cursor
            .entries()
            .filter_map(|(entry, value)| {
                let span = entry.key_span.to(value.span());
                Some((entry.key.clone(), Spanned::new(value.str()?.into(), span)))
            })
            .collect();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        Self(labels)
    }
}

impl<K: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut labels: Vec<_> = pairs
            .into_iter()
            .map(|(k, v)| (k.into(), Spanned::new(v.into(), Span::default())))
            .collect();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        labels.dedup_by(|a, b| a.0 == b.0);
        Self(labels)
    }
}

/// An object's metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    pub name: Box<str>,
    /// `default` where none is given; empty for kinds that have none.
    pub namespace: Box<str>,
    pub labels: Labels,
    pub annotations: Labels,
    /// Set once the object is being deleted.
    pub deletion: Option<Span>,
    /// The name of the object that controls this one.
    pub owner: Option<Box<str>>,
    /// The whole object.
    pub span: Span,
    /// Its name.
    pub name_span: Span,
}

impl Meta {
    /// `namespace/name`, or the name alone.
    pub fn full_name(&self) -> String {
        if self.namespace.is_empty() {
            self.name.to_string()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }

    /// Of an object's fields. A missing name is an error and reads as empty.
    pub(super) fn read(fields: &mut Fields<'_>, namespaced: bool) -> Meta {
        let span = fields.cursor.span();
        let mut meta = Meta {
            span,
            name_span: span,
            ..Meta::default()
        };
        let Some(mut from) = fields.required("metadata").and_then(|m| m.fields()) else {
            return meta;
        };
        match from.get("name") {
            Some(name) => {
                meta.name = name.str().unwrap_or_default().into();
                meta.name_span = name.span();
            }
            // What a controller makes may have a prefix only; a pod's template has neither.
            None => match from.str("generateName") {
                Some(prefix) => meta.name = prefix.into(),
                None => drop(from.required("name")),
            },
        }
        meta.read_rest(&mut from, namespaced);
        from.end();
        meta
    }

    /// Of a template, which may lack a name.
    pub(super) fn read_template(fields: &mut Fields<'_>) -> Meta {
        let mut meta = Meta {
            span: fields.cursor.span(),
            ..Meta::default()
        };
        if let Some(mut from) = fields.get("metadata").and_then(|m| m.fields()) {
            from.no_matter(&["name", "generateName"]);
            meta.read_rest(&mut from, false);
            from.end();
        }
        meta
    }

    fn read_rest(&mut self, from: &mut Fields<'_>, namespaced: bool) {
        let namespace = from.str("namespace");
        if namespaced {
            self.namespace = namespace.unwrap_or("default").into();
        }
        self.labels = Labels::read(from.get("labels"));
        self.annotations = Labels::read(from.get("annotations"));
        self.deletion = from.get("deletionTimestamp").map(|c| c.span());
        if let Some(owners) = from.get("ownerReferences") {
            let controller = owners
                .items()
                .find(|o| o.node.field("controller").and_then(|c| c.bool()) == Some(true));
            self.owner = controller
                .and_then(|o| o.node.field("name")?.str())
                .map(Into::into);
        }
        from.no_matter(&[
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "finalizers",
            "generateName",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ]);
    }
}
