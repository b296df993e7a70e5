//! What a cluster is built with, as choices of a few words: each is a field of its manifests.

use crate::control::kube_proxy::Version;
use crate::manifest::{Cloud, Plugin, PodRoutes, ProxyMode};
use crate::text::FileId;
use crate::workspace::{FileKind, Run, Workspace};
use crate::yaml::edit;
use crate::yaml::{self, Node};

/// A field that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    Kubernetes,
    ProxyMode,
    Cloud,
    Plugin,
    Routes,
}

impl Choice {
    pub const ALL: [Choice; 5] = [
        Choice::Kubernetes,
        Choice::ProxyMode,
        Choice::Cloud,
        Choice::Plugin,
        Choice::Routes,
    ];

    /// The words that may stand there.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Choice::Kubernetes => Version::ALL.iter().rev().map(|v| v.name()).collect(),
            Choice::ProxyMode => vec!["iptables", "nftables"],
            Choice::Cloud => Cloud::ALL.map(|(name, _)| name).into(),
            Choice::Plugin => Plugin::ALL.map(|(name, _)| name).into(),
            Choice::Routes => PodRoutes::ALL.map(|(name, _)| name).into(),
        }
    }

    /// Of a run's cluster. `None` where the manifests say something that none of the words stands for.
    pub fn now(self, run: &Run) -> Option<&'static str> {
        let cluster = run.cluster.as_ref()?;
        let env = cluster.environment();
        Some(match self {
            Choice::Kubernetes => cluster.version().name(),
            Choice::ProxyMode => match cluster.proxy_mode() {
                ProxyMode::Iptables => "iptables",
                ProxyMode::Nftables => "nftables",
                ProxyMode::Ipvs => return None,
            },
            Choice::Cloud => name(&Cloud::ALL, env.cloud.value)?,
            Choice::Plugin => name(&Plugin::ALL, env.plugin.value)?,
            Choice::Routes => name(&PodRoutes::ALL, env.routes.value)?,
        })
    }

    /// The kind of the object, and the way to the field.
    fn field(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Choice::Kubernetes => ("Environment", &["kubernetes"]),
            Choice::ProxyMode => ("KubeProxyConfiguration", &["mode"]),
            Choice::Cloud => ("Environment", &["loadBalancer", "cloud"]),
            Choice::Plugin => ("Environment", &["pods", "plugin"]),
            Choice::Routes => ("Environment", &["pods", "routes"]),
        }
    }
}

fn name<T: Copy + PartialEq>(all: &[(&'static str, T)], value: T) -> Option<&'static str> {
    all.iter()
        .find(|(_, of)| *of == value)
        .map(|(name, _)| *name)
}

/// The workspace with another word in the field; the object is put before all others where it is missing. `None` without
/// manifests.
pub fn choose(workspace: &Workspace, choice: Choice, word: &str) -> Option<Workspace> {
    let (kind, way) = choice.field();
    let value = match choice {
        Choice::Kubernetes => format!("v{word}.0"),
        _ => word.to_string(),
    };
    let mut changed = workspace.clone();
    let manifests = |name: &str| FileKind::of(name) == FileKind::Manifests;
    for file in changed.files.iter_mut().filter(|f| manifests(&f.name)) {
        let (documents, _) = yaml::read(&file.text, FileId(0));
        let of_kind = |d: &&Node| d.field("kind").and_then(Node::str) == Some(kind);
        if let Some(object) = documents.iter().find(of_kind) {
            file.text = edit::apply(&file.text, vec![set(&file.text, object, way, &value)]).into();
            return Some(changed);
        }
    }
    let file = changed.files.iter_mut().find(|f| manifests(&f.name))?;
    let group = match kind {
        "Environment" => "northsouth/v1",
        _ => "kubeproxy.config.k8s.io/v1alpha1",
    };
    let head = format!(
        "apiVersion: {group}\nkind: {kind}\n{}\n---\n",
        nested(way, &value)
    );
    file.text = format!(
        "{head}{}",
        file.text.strip_prefix("---\n").unwrap_or(&file.text)
    )
    .into();
    Some(changed)
}

/// Goes the way as far as it is there.
fn set(text: &str, object: &Node, way: &[&str], value: &str) -> edit::Edit {
    match way {
        [key, rest @ ..] if !rest.is_empty() => {
            match object.field(key).filter(|n| !n.entries().is_empty()) {
                Some(inner) => set(text, inner, rest, value),
                None => edit::set(text, object, key, &format!("{{{}}}", nested(rest, value))),
            }
        }
        [key, ..] => edit::set(text, object, key, value),
        [] => edit::Edit {
            range: 0..0,
            text: String::new(),
        },
    }
}

fn nested(way: &[&str], value: &str) -> String {
    match way {
        [key] => format!("{key}: {value}"),
        [key, rest @ ..] => format!("{key}: {{{}}}", nested(rest, value)),
        [] => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Severity;
    use crate::trace::Disposition;
    use crate::workspace::{Scenario, run};

    #[test]
    fn every_choice_can_be_made_and_the_request_still_arrives() {
        let start = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        for choice in Choice::ALL {
            for word in choice.words() {
                let changed = choose(&start, choice, word).unwrap();
                let run = run(&changed);
                assert_eq!(choice.now(&run), Some(word));
                let errors = run
                    .diagnostics
                    .iter()
                    .filter(|d| d.severity == Severity::Error);
                assert_eq!(errors.count(), 0, "{choice:?} {word}");
                assert_eq!(
                    run.trace.disposition,
                    Disposition::Delivered,
                    "{choice:?} {word}"
                );
            }
        }
    }

    #[test]
    fn an_object_that_is_missing_is_put_first() {
        let mut start = Scenario::find("policy-cluster")
            .unwrap()
            .workspace()
            .unwrap();
        for file in &mut start.files {
            let from = file.text.find("---\n{apiVersion: v1, kind: Node").unwrap();
            file.text = file.text[from..].into();
        }
        let changed = choose(&start, Choice::Cloud, "metallb-l2").unwrap();
        let text = &changed.file("cluster.yaml").unwrap().text;
        assert!(text.starts_with("apiVersion: northsouth/v1\nkind: Environment\nloadBalancer: {cloud: metallb-l2}\n---\n"), "{text}");
        assert_eq!(Choice::Cloud.now(&run(&changed)), Some("metallb-l2"));
    }
}
