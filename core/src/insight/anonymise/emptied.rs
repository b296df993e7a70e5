//! What is left out of manifests that are shown to others.

use crate::text::FileId;
use crate::yaml::edit::{self, Edit};
use crate::yaml::{self, Node, Value};

/// Fields that decide nothing here and may tell much.
const TELLING: [&str; 11] = [
    "managedFields",
    "env",
    "envFrom",
    "args",
    "command",
    "image",
    "imageID",
    "images",
    "containerStatuses",
    "initContainerStatuses",
    "volumes",
];

/// Annotations that istiod, its injector and kube-proxy read.
fn meant(annotations: &Node) -> String {
    let read = |key: &str| key.contains("istio.io/") || key.starts_with("service.kubernetes.io/");
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n"))
    };
    let kept = annotations.entries().iter().filter(|e| read(&e.key));
    let kept: Vec<String> = kept
        .filter_map(|e| Some(format!("{}: {}", quoted(&e.key), quoted(e.value.str()?))))
        .collect();
    format!("{{{}}}", kept.join(", "))
}

pub(super) fn emptied(text: &str) -> String {
    let (documents, _) = yaml::read(text, FileId(0));
    let mut edits = Vec::new();
    for document in &documents {
        empty(text, document, &mut edits);
    }
    edit::apply(text, edits)
}

fn empty(text: &str, node: &Node, edits: &mut Vec<Edit>) {
    match &node.value {
        Value::Map(entries) => {
            let secret = node.field("kind").and_then(Node::str) == Some("Secret");
            for entry in entries {
                let nothing = match &entry.value.value {
                    Value::Map(_) => "{}",
                    Value::Seq(_) => "[]",
                    _ => "\"\"",
                };
                // A proxy's arguments say what kind it is.
                let proxy = node.field("name").and_then(Node::str) == Some("istio-proxy");
                if proxy && &*entry.key == "args" {
                    continue;
                }
                if &*entry.key == "annotations" {
                    edits.push(edit::set(text, node, &entry.key, &meant(&entry.value)));
                } else if TELLING.contains(&&*entry.key)
                    || secret && matches!(&*entry.key, "data" | "stringData")
                {
                    edits.push(edit::set(text, node, &entry.key, nothing));
                } else {
                    empty(text, &entry.value, edits);
                }
            }
        }
        Value::Seq(items) => items.iter().for_each(|item| empty(text, item, edits)),
        _ => {}
    }
}
