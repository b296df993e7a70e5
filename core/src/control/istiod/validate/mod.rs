//! What istiod's webhook says of an object: refused with reasons, or let in with warnings. The words are the webhook's own
//! style, so that they can be searched for. Source: `pkg/config/validation/validation.go`.

mod destination_rule;
mod gateway;
mod names;
mod policies;
mod service_entry;
mod sidecar;
mod unreachable;
mod virtual_service;

use super::message::{Ask, nanoseconds};
use super::world::objects;
use crate::manifest::Manifests;
use crate::say;
use crate::text::{Diagnostic, Span};
use crate::yaml::Node;

/// What is said of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub kind: &'static str,
    pub namespace: String,
    pub name: String,
    /// Why it is refused, in one line.
    pub error: Option<String>,
    pub warning: Option<String>,
    /// The same, each reason where it stands.
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub refuses: bool,
    pub span: Span,
    pub reason: String,
}

impl Verdict {
    /// For people: what the webhook would answer.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let all = self.findings.iter().map(|f| {
            let name = format!("{}/{}", self.namespace, self.name);
            if f.refuses {
                let message = say!(
                    "istio/refused",
                    kind = self.kind,
                    name = name,
                    reason = f.reason
                );
                Diagnostic::error(f.span, message)
            } else {
                let message = say!(
                    "istio/warned",
                    kind = self.kind,
                    name = name,
                    reason = f.reason
                );
                Diagnostic::warning(f.span, message)
            }
        });
        all.collect()
    }
}

/// The verdicts on all objects that have one.
pub fn validate(manifests: &Manifests) -> Vec<Verdict> {
    let mut out = Vec::new();
    for (object, gateway_api) in objects(manifests) {
        let mut findings = Findings::default();
        let spec = &object.spec;
        match object.kind {
            "VirtualService" => virtual_service::check(spec, &object.namespace, &mut findings),
            "Gateway" if !gateway_api => gateway::check(spec, &object.name, &mut findings),
            "DestinationRule" => destination_rule::check(spec, &object.namespace, &mut findings),
            "ServiceEntry" => service_entry::check(spec, &object.namespace, &mut findings),
            "Sidecar" => sidecar::check(spec, &object.namespace, &mut findings),
            _ => continue,
        }
        if findings.0.is_empty() {
            continue;
        }
        let joined = |refuses: bool| {
            let all: Vec<&str> = findings
                .0
                .iter()
                .filter(|f| f.refuses == refuses)
                .map(|f| f.reason.as_str())
                .collect();
            match all[..] {
                [] => None,
                [one] => Some(one.to_string()),
                _ => Some(format!("{} errors occurred: {}", all.len(), all.join("; "))),
            }
        };
        out.push(Verdict {
            kind: object.kind,
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            error: joined(true).map(|e| format!("configuration is invalid: {e}")),
            warning: joined(false),
            findings: findings.0,
        });
    }
    out
}

/// What was found in an object so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, span: Span, reason: impl Into<String>) {
        self.0.push(Finding {
            refuses: true,
            span,
            reason: reason.into(),
        });
    }

    fn warning(&mut self, span: Span, reason: impl Into<String>) {
        self.0.push(Finding {
            refuses: false,
            span,
            reason: reason.into(),
        });
    }

    /// An error where there is one.
    fn check(&mut self, span: Span, result: Result<(), String>) {
        if let Err(reason) = result {
            self.error(span, reason);
        }
    }

    fn port(&mut self, span: Span, port: i64) {
        if !(1..=65_535).contains(&port) {
            self.error(
                span,
                format!("port number {port} must be in the range 1..65535"),
            );
        }
    }

    /// A duration field: milliseconds at the finest, and some.
    fn duration(&mut self, object: &Node, key: &str) {
        let Some(node) = object.get(key) else { return };
        let reason = match node.str().and_then(nanoseconds) {
            None => format!("invalid duration in {key}"),
            Some(ns) if ns < 1_000_000 => "duration must be greater than 1ms".into(),
            Some(ns) if ns % 1_000_000 != 0 => {
                "only durations to ms precision are supported".into()
            }
            Some(_) => return,
        };
        self.error(node.span, reason);
    }

    /// One of an enumeration's names, or nothing.
    fn one_of(&mut self, object: &Node, key: &str, names: &[&str]) {
        if let Some(node) = object.get(key)
            && let Some(text) = node.str()
            && !names.contains(&text)
        {
            self.error(node.span, format!("unknown value {text:?} for enum {key}"));
        }
    }

    fn labels(&mut self, object: &Node, key: &str) {
        for entry in object.sorted(key) {
            if !names::is_label_key(&entry.key) {
                self.error(entry.key_span, format!("invalid tag key: {:?}", entry.key));
            }
            let value = entry.value.str().unwrap_or("");
            if !names::is_label_value(value) {
                self.error(entry.value.span, format!("invalid tag value: {value:?}"));
            }
        }
    }

    /// `exportTo`.
    fn export_to(&mut self, spec: &Node, namespace: &str, service_entry: bool, selector: bool) {
        let mut seen: Vec<String> = Vec::new();
        let all = spec.each("exportTo");
        for node in all {
            let said = node.str().unwrap_or("");
            let key = if said == "." { namespace } else { said };
            if seen.iter().any(|s| s == key) {
                let reason = match key == said {
                    true => format!("duplicate entries in exportTo for entry {said}"),
                    false => format!(
                        "duplicate entries in exportTo: . and current namespace {namespace}"
                    ),
                };
                self.error(node.span, reason);
                continue;
            }
            let fits = matches!(key, "*" | "." | "~") || names::is_label(key);
            if fits || service_entry && key == "~" {
                seen.push(key.to_string());
            } else {
                self.error(
                    node.span,
                    format!(
                        "only ., *, ~ or a valid DNS 1123 label is allowed as exportTo entry: {key}"
                    ),
                );
            }
        }
        let span = spec.field("exportTo").map_or(spec.span, |n| n.span);
        if selector && !seen.is_empty() {
            if !seen.iter().any(|s| s == namespace) {
                self.error(span, "destination rule with workload selector cannot have exportTo beyond current namespace");
            } else if seen.len() > 1 {
                self.error(span, "destination rule with workload selector cannot have multiple entries in exportTo");
            }
        }
        let more = all.len() > 1;
        if more && seen.iter().any(|s| s == "*") {
            self.error(
                span,
                "cannot have both public (*) and non-public exportTo values for a resource",
            );
        }
        if more && seen.iter().any(|s| s == "~") {
            self.error(
                span,
                "cannot export service entry to no one (~) and someone",
            );
        }
    }
}
