//! Manifests: fields by the kind of the object and the place in it, names that stand in the cluster.

use super::{At, Candidate, docs, plain};
use crate::say;
use crate::workspace::Run;

pub(super) fn candidates(run: &Run, at: &At<'_>) -> Vec<Candidate> {
    match at
        .before
        .trim_start()
        .trim_start_matches("- ")
        .split_once(':')
    {
        Some((field, _)) => values(run, at, field.trim()),
        None => fields(at),
    }
}

/// The fields of the object that the cursor is in, at its place there.
fn fields(at: &At<'_>) -> Vec<Candidate> {
    let path = path(at);
    let (kind, inside) = path
        .split_first()
        .map_or(("", &[][..]), |(k, r)| (k.as_str(), r));
    let joined = inside.join("/");
    let found = match (joined.as_str(), kind) {
        ("", _) => docs::fields("").iter().chain(docs::fields(kind)),
        ("metadata", _) => docs::fields("metadata").iter().chain(&[]),
        (inside, kind) => docs::fields(&format!("{kind}/{inside}")).iter().chain(&[]),
    };
    let all = found.map(|(name, about)| Candidate {
        label: (*name).to_string(),
        about: Some(about()),
    });
    all.collect()
}

/// The kind of the object that the line is in, and the fields that lead to the line.
fn path(at: &At<'_>) -> Vec<String> {
    let mut kind = String::new();
    let mut fields = Vec::new();
    // A list's item stands as deep as what follows its dash.
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let mut indent = depth(at.before);
    let document: Vec<&str> = at
        .lines_before()
        .rev()
        .take_while(|l| !l.starts_with("---"))
        .collect();
    for line in &document {
        let text = line.trim_start_matches([' ', '-']);
        let Some((name, value)) = text.split_once(':') else {
            continue;
        };
        // A list may stand as deep as the field that holds it.
        let item = at.before.trim_start().starts_with('-') && fields.is_empty();
        let own = depth(line) < indent
            || item && depth(line) + 2 == indent && !line.trim_start().starts_with('-');
        if own && value.trim().is_empty() {
            indent = line.len() - line.trim_start().len();
            if line.trim_start().starts_with('-') {
                indent += 2;
            }
            fields.push(name.trim().to_string());
        }
    }
    let after = at.text.get(at.line_start..).unwrap_or("").lines();
    let after = after.take_while(|l| !l.starts_with("---"));
    for line in document.into_iter().rev().chain(after) {
        if let Some(name) = line.strip_prefix("kind:") {
            kind = name.trim().to_string();
            break;
        }
    }
    fields.push(kind);
    fields.reverse();
    fields
}

/// What a field may hold.
fn values(run: &Run, at: &At<'_>, field: &str) -> Vec<Candidate> {
    let fixed = match field {
        "kind" => plain(&[
            "Service",
            "EndpointSlice",
            "Pod",
            "Node",
            "Gateway",
            "VirtualService",
            "DestinationRule",
            "ServiceEntry",
            "Sidecar",
            "HTTPRoute",
        ]),
        "type" => plain(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
        "externalTrafficPolicy" | "internalTrafficPolicy" => plain(&["Cluster", "Local"]),
        "sessionAffinity" => plain(&["None", "ClientIP"]),
        "protocol" => plain(&[
            "TCP", "UDP", "SCTP", "HTTP", "HTTP2", "HTTPS", "GRPC", "TLS",
        ]),
        "mode" => plain(&["SIMPLE", "MUTUAL", "PASSTHROUGH", "ISTIO_MUTUAL", "DISABLE"]),
        "addressType" => plain(&["IPv4", "IPv6"]),
        _ => Vec::new(),
    };
    if !fixed.is_empty() {
        return fixed;
    }
    // Names that the same field has elsewhere, and for references the names of what they refer to.
    let wanted: &[&str] = match field {
        "host" | "hosts" => &["name", "host"],
        "subset" => &["name", "subset"],
        _ => &[field],
    };
    let mut all: Vec<Candidate> = Vec::new();
    let texts = run.files.iter().filter(|f| f.name.ends_with(".yaml"));
    let lines = texts.flat_map(|f| f.text.lines()).chain(at.text.lines());
    for line in lines {
        let line = line.trim_start_matches([' ', '-']);
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        let known = all.iter().any(|c| c.label == value);
        if wanted.contains(&name)
            && !known
            && !value.is_empty()
            && value != at.word
            && all.len() < super::MOST
        {
            all.push(Candidate {
                label: value.to_string(),
                about: Some(say!("assist/value")),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{DEFAULT, Scenario, run};

    #[track_caller]
    fn offers(text: &str, wanted: &str) {
        let run = run(&Scenario::find(DEFAULT).unwrap().workspace().unwrap());
        let offset = text.find('|').unwrap();
        let text = text.replace('|', "");
        let at = At::new(&text, offset as u32).unwrap();
        let found: Vec<_> = candidates(&run, &at).into_iter().map(|c| c.label).collect();
        assert!(
            found.iter().any(|f| f == wanted),
            "{wanted} is not in {found:?}"
        );
    }

    #[test]
    fn fields_are_those_of_the_place() {
        offers(
            "kind: Service\nspec:\n  externalT|",
            "externalTrafficPolicy",
        );
        offers(
            "kind: Service\nspec:\n  ports:\n  - name: http\n    target|",
            "targetPort",
        );
        offers("kind: Service\nspec:\n  ports:\n  - |", "nodePort");
        offers(
            "kind: Service\nspec:\n  ports:\n  - port: 80\n  |",
            "selector",
        );
        offers(
            "kind: VirtualService\nspec:\n  http:\n  - match:\n    - uri:\n        prefix: /\n    re|",
            "rewrite",
        );
        offers(
            "kind: VirtualService\nspec:\n  http:\n    - route:\n        - destination:\n            sub|",
            "subset",
        );
        offers("spec:\n  |\nkind: Gateway\n", "servers");
        offers("me|", "metadata");
    }

    #[test]
    fn values_are_those_of_the_field() {
        offers("kind: Service\nspec:\n  externalTrafficPolicy: |", "Local");
        offers(
            "kind: DestinationRule\nspec:\n  subsets:\n  - name: v1\n---\nkind: VirtualService\nspec:\n  http:\n  - route:\n    - destination:\n        subset: |",
            "v1",
        );
    }
}
