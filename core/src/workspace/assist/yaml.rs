//! Manifests: fields by the kind of the object and the place in it, names that stand in the cluster.

use super::{At, Candidate, docs, fields, plain};
use crate::say;
use crate::workspace::Run;

/// `own` is what a file of this page's own is of, where it is one.
pub(super) fn candidates(run: &Run, at: &At<'_>, own: Option<&str>) -> Vec<Candidate> {
    let (within, part) = flow(at.before).unwrap_or_else(|| {
        let line = at.before.trim_start();
        (Vec::new(), line.trim_start_matches("- "))
    });
    match part.split_once(':') {
        Some((field, _)) => values(run, at, field.trim()),
        None => known(at, &within, own),
    }
}

/// In the braces of a flow mapping: the fields whose values the open braces are, and what stands since the last comma.
pub(super) fn flow(before: &str) -> Option<(Vec<&str>, &str)> {
    let mut open: Vec<(char, &str)> = Vec::new();
    let mut start = 0;
    for (at, c) in before.char_indices() {
        let part = before.get(start..at).unwrap_or_default();
        match c {
            '{' | '[' => {
                let name = part.trim().trim_start_matches("- ").strip_suffix(':');
                open.push((c, name.unwrap_or_default().trim()));
            }
            '}' | ']' => {
                open.pop();
            }
            ',' if !open.is_empty() => {}
            _ => continue,
        }
        start = at + c.len_utf8();
    }
    let (last, _) = open.last()?;
    let names = open.iter().map(|(_, name)| *name).filter(|n| !n.is_empty());
    (*last == '{').then(|| {
        (
            names.collect(),
            before.get(start..).unwrap_or_default().trim_start(),
        )
    })
}

/// The fields of the object that the cursor is in, at its place there, `within` the braces that are open.
fn known(at: &At<'_>, within: &[&str], own: Option<&str>) -> Vec<Candidate> {
    let mut path = path(at);
    path.extend(within.iter().map(|name| (*name).to_string()));
    let (kind, inside) = path
        .split_first()
        .map_or(("", &[][..]), |(k, r)| (k.as_str(), r));
    let joined = inside.join("/");
    let found = match (joined.as_str(), own) {
        ("", Some(own)) => fields::own(own).iter().chain(&[]),
        (inside, Some(own)) => fields::own(&format!("{own}/{inside}")).iter().chain(&[]),
        ("", None) => docs::fields("").iter().chain(docs::fields(kind)),
        ("metadata", None) => docs::fields("metadata").iter().chain(&[]),
        (inside, None) => docs::fields(&format!("{kind}/{inside}")).iter().chain(&[]),
    };
    let all = found.map(|(name, about)| Candidate {
        label: (*name).to_string(),
        about: Some(about()),
    });
    all.collect()
}

/// The kind of the object that the line is in, with `k8s:` before one of the Gateway API, and the fields that lead to the
/// line.
fn path(at: &At<'_>) -> Vec<String> {
    let mut kind = String::new();
    let mut fields = Vec::new();
    // A list's item stands as deep as what follows its dash.
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let mut indent = depth(at.before);
    let document: Vec<&str> = at
        .above
        .lines()
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
    let after = at.below.lines().take_while(|l| !l.starts_with("---"));
    let mut gateway_api = false;
    for line in document.into_iter().rev().chain(after) {
        if let Some(name) = line.strip_prefix("kind:") {
            kind = name.trim().to_string();
        } else if let Some(group) = line.strip_prefix("apiVersion:") {
            gateway_api = group.trim().starts_with("gateway.networking.k8s.io/");
        }
    }
    if gateway_api {
        kind.insert_str(0, "k8s:");
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
            "AuthorizationPolicy",
            "PeerAuthentication",
            "RequestAuthentication",
            "HTTPRoute",
            "GRPCRoute",
            "TLSRoute",
            "TCPRoute",
            "ReferenceGrant",
        ]),
        "forwarding" => plain(&["keep-destination", "rewrite-destination", "full-nat"]),
        "scheduler" => plain(&["round-robin", "weighted", "source-hash"]),
        "gatewayClassName" => plain(&["istio"]),
        "type" => plain(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
        "externalTrafficPolicy" | "internalTrafficPolicy" => plain(&["Cluster", "Local"]),
        "sessionAffinity" => plain(&["None", "ClientIP"]),
        "protocol" => plain(&[
            "TCP", "UDP", "SCTP", "HTTP", "HTTP2", "HTTPS", "GRPC", "TLS",
        ]),
        "mode" => plain(&[
            "SIMPLE",
            "MUTUAL",
            "PASSTHROUGH",
            "ISTIO_MUTUAL",
            "DISABLE",
            "Terminate",
            "Passthrough",
        ]),
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
    let lines = texts.flat_map(|f| f.text.lines());
    for line in lines {
        let line = line.trim_start_matches([' ', '-']);
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        let known = all.iter().any(|c| c.label == value);
        if wanted.contains(&name) && !known && !value.is_empty() && value != at.word {
            all.push(Candidate {
                label: value.to_string(),
                about: Some(say!("assist/value")),
            });
            if all.len() == super::MOST {
                break;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{File, FileId};
    use crate::workspace::assist::Line;
    use crate::workspace::{DEFAULT, Scenario, run};

    #[track_caller]
    fn offers(text: &str, wanted: &str) {
        let offset = text.find('|').unwrap();
        let text = text.replace('|', "");
        let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
        let line = Line {
            start: start as u32,
            text: text[start..].lines().next().unwrap_or(""),
            at: (offset - start) as u32,
        };
        let mut workspace = Scenario::find(DEFAULT).unwrap().workspace().unwrap();
        workspace.files = vec![File::new("manifests/a.yaml", &text)];
        let run = run(&workspace);
        let at = At::new(&run, FileId(0), line).unwrap();
        let found: Vec<_> = candidates(&run, &at, None)
            .into_iter()
            .map(|c| c.label)
            .collect();
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
        offers(
            "kind: VirtualService\nspec:\n  http:\n  - route:\n    - destination: {host: a, sub|",
            "subset",
        );
        offers(
            "kind: Service\nspec:\n  ports: [{port: 80}, {target|",
            "targetPort",
        );
        offers(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec:\n  rules:\n  - back|",
            "backendRefs",
        );
        offers(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nspec:\n  li|",
            "listeners",
        );
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
