//! AuthorizationPolicy: `ValidateAuthorizationPolicy` of `pkg/config/validation/validation.go`, `pkg/config/security/security.go`.

use std::net::IpAddr;

use super::{Findings, go_bool, sidecar};
use crate::control::istiod::authz::is_template;
use crate::control::istiod::message::Ask;
use crate::control::istiod::object::Object;
use crate::yaml::{Node, Value};

pub(super) fn check(object: &Object, out: &mut Findings) {
    let spec = &object.spec;
    let action = match spec.text("action") {
        "" => "ALLOW",
        action => action,
    };
    if !dry_run(object, action, out) {
        return;
    }
    out.one_of(spec, "action", &["ALLOW", "DENY", "AUDIT", "CUSTOM"]);
    attachment(spec, out);
    let rules = spec.get("rules");
    let provider = spec.get("provider");
    match (action, rules) {
        ("CUSTOM" | "DENY", None) => {
            let reason = format!(
                "{action} action without `rules` is meaningless as it will never be triggered, add an empty rule `{{}}` if you want it be triggered for every request"
            );
            out.error(spec.span, reason);
        }
        ("CUSTOM", Some(rules)) => {
            if provider.is_none_or(|p| p.text("name").is_empty()) {
                out.error(rules.span, "`provider.name` must not be empty");
            }
            spec.each("rules").iter().for_each(|r| custom(r, out));
        }
        _ => {}
    }
    if let Some(provider) = provider.filter(|_| action != "CUSTOM") {
        let reason = format!("`provider` must not be with non CUSTOM action, found {action}");
        out.error(provider.span, reason);
    }
    for (at, rule) in spec.each("rules").iter().enumerate() {
        check_rule(rule, at, action, out);
    }
}

/// The annotation `istio.io/dry-run`. False: nothing else is looked at.
fn dry_run(object: &Object, action: &str, out: &mut Findings) -> bool {
    let Some(value) = object.annotation("istio.io/dry-run") else {
        return true;
    };
    let (namespace, name) = (&object.namespace, &object.name);
    if !matches!(action, "ALLOW" | "DENY") {
        let reason = format!(
            "the annotation istio.io/dry-run currently only supports action ALLOW/DENY, found action {action} in {namespace}/{name}"
        );
        out.error(object.span, reason);
        return false;
    }
    if go_bool(value).is_none() {
        let reason = format!(
            "{namespace}/{name} has annotation istio.io/dry-run with invalid value ({value})"
        );
        out.error(object.span, reason);
        return false;
    }
    true
}

/// The workloads that a policy is for: by their labels, or as what the policy targets.
pub(super) fn attachment(spec: &Node, out: &mut Findings) {
    let selector = spec.get("selector");
    let (one, many) = (spec.get("targetRef"), spec.each("targetRefs"));
    let ways = [selector.is_some(), one.is_some(), !many.is_empty()];
    if ways.iter().filter(|way| **way).count() > 1 {
        let reason = "only one of targetRefs or workloadSelector can be set";
        out.error(spec.span, reason);
    }
    if let Some(selector) = selector {
        let labels = selector.sorted("matchLabels");
        for entry in &labels {
            sidecar::selector_entry(entry, out);
        }
        if labels.is_empty() {
            out.warning(selector.span, "workload selector specified without labels");
        }
    }
    for target in one.into_iter().chain(many) {
        if target.text("name").is_empty() {
            out.error(target.span, "targetRef name must be set");
        }
        if !target.text("namespace").is_empty() {
            let reason =
                "targetRef namespace must not be set; cross namespace referencing is not supported";
            out.error(target.span, reason);
        }
        let (group, kind) = (target.text("group"), target.text("kind"));
        let allowed = match kind {
            "Service" => matches!(group, "" | "core"),
            "ServiceEntry" => group == "networking.istio.io",
            "Gateway" | "GatewayClass" => group == "gateway.networking.k8s.io",
            _ => false,
        };
        if !allowed {
            let reason = format!(
                "targetRef must be to one of Service, ServiceEntry, Gateway, GatewayClass but was {group}/{kind}"
            );
            out.error(target.span, reason);
        }
    }
}

/// What another server is asked about may not be told by who asks.
fn custom(rule: &Node, out: &mut Findings) {
    let reason = |name: &str| format!("{name} is currently not supported with CUSTOM action");
    for source in rule.each("from").iter().filter_map(|f| f.get("source")) {
        for field in [
            "namespaces",
            "notNamespaces",
            "serviceAccounts",
            "notServiceAccounts",
            "trustDomains",
            "notTrustDomains",
            "principals",
            "notPrincipals",
            "requestPrincipals",
            "notRequestPrincipals",
        ] {
            if !source.each(field).is_empty() {
                out.error(source.span, reason(&format!("From.{}", title(field))));
            }
        }
    }
    for when in rule.each("when") {
        let key = when.text("key");
        let identity = [
            "source.namespace",
            "source.serviceAccount",
            "source.trustDomain",
            "source.principal",
        ];
        if identity.contains(&key) || key.starts_with("request.auth.") {
            out.error(when.span, reason(key));
        }
    }
}

fn title(field: &str) -> String {
    let mut letters = field.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Fields of a source whose values have to be something, each with its negation.
const SOURCE: [&str; 7] = [
    "principals",
    "requestPrincipals",
    "namespaces",
    "serviceAccounts",
    "trustDomains",
    "ipBlocks",
    "remoteIpBlocks",
];

const OPERATION: [&str; 4] = ["ports", "methods", "paths", "hosts"];

fn with_negations(fields: &[&str]) -> Vec<String> {
    let both = |field: &&str| [(*field).to_string(), format!("not{}", title(field))];
    fields.iter().flat_map(both).collect()
}

fn check_rule(rule: &Node, at: usize, action: &str, out: &mut Findings) {
    let found = |what: &str| format!("{what}, found at rule {at}");
    let (mut from, mut to, mut tcp_from, mut tcp_to) = (false, false, false, false);
    for (list, field, fields) in [
        ("from", "source", &SOURCE[..]),
        ("to", "operation", &OPERATION[..]),
    ] {
        let each = rule.each(list);
        if let Some(none) = rule.get(list).filter(|_| each.is_empty()) {
            out.error(none.span, found(&format!("`{list}` must not be empty")));
        }
        for item in each {
            let Some(said) = item.get(field) else {
                let reason = format!("`{list}.{field}` must not be nil");
                out.error(item.span, found(&reason));
                continue;
            };
            let fields = with_negations(fields);
            if fields.iter().all(|f| said.each(f).is_empty()) {
                let reason = format!("`{list}.{field}` must not be empty");
                out.error(said.span, found(&reason));
            }
            fields.iter().for_each(|f| values(said, f, out));
            let any = |of: &[&str]| with_negations(of).iter().any(|f| !said.each(f).is_empty());
            if list == "from" {
                from = true;
                if any(&["principals", "namespaces"]) && any(&["serviceAccounts"]) {
                    let reason = "cannot set serviceAccounts with namespaces or principals";
                    out.error(said.span, found(reason));
                }
                tcp_from |= any(&["principals", "ipBlocks", "namespaces", "remoteIpBlocks"])
                    || any(&["serviceAccounts"]);
            } else {
                to = true;
                tcp_to |= any(&["ports"]);
            }
        }
    }
    rule.each("when")
        .iter()
        .for_each(|when| check_when(when, out));
    if action == "DENY" && (from && !to && !tcp_from || to && !tcp_to) {
        let reason = "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; it is recommended to explicitly specify the port";
        out.warning(rule.span, reason);
    }
}

/// The values of a field of a source or an operation.
fn values(said: &Node, field: &str, out: &mut Findings) {
    let kind = field
        .strip_prefix("not")
        .unwrap_or(field)
        .to_ascii_lowercase();
    let name = title(field);
    let all = said.each(field);
    if kind == "serviceaccounts" && all.len() > 16 {
        out.error(said.span, "may not have more than 16 values");
    }
    for node in all {
        let Some(value) = node.str() else {
            // The API server takes nothing but texts here.
            out.error(node.span, format!("{field} must be of type string"));
            continue;
        };
        if value.is_empty() {
            let reason = format!("empty value not allowed, found in {name}");
            out.error(node.span, reason);
            continue;
        }
        let wrong = match kind.as_str() {
            "ipblocks" | "remoteipblocks" => address(value),
            "ports" => port(value),
            "serviceaccounts" => account(value, &name),
            "trustdomains" => trust_domain(value, &name),
            "paths" => template(value, &name),
            _ => None,
        };
        if let Some(reason) = wrong {
            out.error(node.span, reason);
        }
    }
}

fn address(value: &str) -> Option<String> {
    let (ip, length) = match value.split_once('/') {
        Some((ip, length)) => (ip, Some(length)),
        None => (value, None),
    };
    let ip = ip.parse::<IpAddr>().ok();
    let most = ip.map_or(0, |ip| if ip.is_ipv4() { 32 } else { 128 });
    let digits = |l: &str| !l.is_empty() && (l == "0" || !l.starts_with(['0', '+']));
    let fits = |l: &str| digits(l) && l.parse::<u8>().is_ok_and(|n| n <= most);
    match (ip, length) {
        (Some(_), None) => None,
        (Some(_), Some(length)) if fits(length) => None,
        (_, Some(_)) => Some(format!("bad CIDR range ({value})")),
        (None, None) => Some(format!("bad IP address ({value})")),
    }
}

fn port(value: &str) -> Option<String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let fits = digits && value.parse::<u32>().is_ok_and(|p| p <= 65_535);
    (!fits).then(|| format!("bad port ({value})"))
}

fn account(value: &str, field: &str) -> Option<String> {
    let shape = "expected format 'serviceAccount' or 'namespace/serviceAccount'";
    if value.contains('*') {
        return Some(format!("wildcard not allowed, found in {field}"));
    }
    if value.len() > 320 {
        return Some(format!(
            "value cannot exceed 320 characters, found {value:?} in {field}"
        ));
    }
    let parts: Vec<&str> = value.split('/').collect();
    let whole = matches!(parts[..], [_] | [_, _]) && parts.iter().all(|p| !p.is_empty());
    (!whole).then(|| format!("{shape}, found {value:?} in {field}"))
}

fn trust_domain(value: &str, field: &str) -> Option<String> {
    if value.contains('/') {
        return Some(format!(
            "trust domain must not contain '/', found in {field}: {value:?}"
        ));
    }
    wildcard(value, field)
}

fn wildcard(value: &str, field: &str) -> Option<String> {
    match value.matches('*').count() {
        0 => None,
        1 if value.starts_with('*') || value.ends_with('*') => None,
        1 => Some(format!(
            "wildcard is only allowed at the start or end, found in {field}: {value:?}"
        )),
        _ => Some(format!(
            "at most one wildcard is allowed, found in {field}: {value:?}"
        )),
    }
}

/// `security.CheckValidPathTemplate`
fn template(path: &str, field: &str) -> Option<String> {
    let literal = |c: char| c.is_ascii_alphanumeric() || "-._~%!$&'()+,;:@=".contains(c);
    let inner = path.trim_matches('/');
    let bad = |why: &str| {
        Some(format!(
            "invalid or unsupported path {inner}, found in {field}. {why}"
        ))
    };
    let mut rest = false;
    for piece in inner.split('/') {
        match piece {
            "{*}" | "{**}" if rest => return bad("{**} is not the last operator"),
            "{*}" => continue,
            "{**}" => {
                rest = true;
                continue;
            }
            _ if piece.contains(['{', '}']) => {
                return bad("Contains '{' or '}' beyond a supported path template");
            }
            _ => {}
        }
        if is_template(path) && (piece.is_empty() || !piece.chars().all(literal)) {
            let why = format!("Contains segment {piece} with invalid string literal");
            return bad(&why);
        }
    }
    None
}

fn check_when(when: &Node, out: &mut Findings) {
    let key = when.text("key");
    if key.is_empty() {
        return out.error(when.span, "`key` must not be empty");
    }
    if when.each("values").is_empty() && when.each("notValues").is_empty() {
        let reason = format!("at least one of `values` or `notValues` must be set for key {key}");
        return out.error(when.span, reason);
    }
    for (field, name) in [("values", "value"), ("notValues", "notValue")] {
        let all = when.each(field);
        let wrong = all.iter().find_map(|node| {
            let Value::Str(value) = &node.value else {
                return Some((node.span, format!("{field} must be of type string")));
            };
            let wrong = match &**value {
                "" => Some(format!("empty value not allowed, found in {key}")),
                value => attribute(key, value),
            };
            wrong.map(|why| {
                (
                    node.span,
                    format!("invalid `{name}` for `key` {key}: {why}"),
                )
            })
        });
        let wrong = wrong.or_else(|| {
            let why = known(key)?;
            Some((
                when.span,
                format!("invalid `{name}` for `key` {key}: {why}"),
            ))
        });
        if let Some((span, reason)) = wrong {
            out.error(span, reason);
        }
    }
}

fn attribute(key: &str, value: &str) -> Option<String> {
    match key {
        "source.ip" | "remote.ip" | "destination.ip" => address(value),
        "destination.port" => port(value),
        "source.serviceAccount" => account(value, key),
        "source.trustDomain" => wildcard(value, key),
        _ => None,
    }
}

/// What is wrong with a key, whatever its values.
fn known(key: &str) -> Option<String> {
    let map = [
        "request.headers",
        "request.auth.claims",
        "experimental.envoy.filters.",
    ];
    if map.iter().any(|m| key.starts_with(m)) {
        let open = key.find('[').filter(|at| *at > 0 && *at + 2 < key.len());
        let whole = open.is_some() && key.ends_with(']');
        return (!whole).then(|| format!("bad key ({key}): should have format a[b]"));
    }
    let plain = [
        "source.ip",
        "remote.ip",
        "source.namespace",
        "source.serviceAccount",
        "source.principal",
        "source.trustDomain",
        "request.auth.principal",
        "request.auth.audiences",
        "request.auth.presenter",
        "destination.ip",
        "destination.port",
        "connection.sni",
    ];
    match key {
        _ if plain.contains(&key) => None,
        "destination.namespace" => Some(format!(
            "attribute {key} is replaced by the metadata.namespace"
        )),
        _ if key.starts_with("destination.labels") => Some(format!(
            "attribute {key} is replaced by the workload selector"
        )),
        "destination.name" | "destination.user" => Some(format!(
            "deprecated attribute {key}: only supported in v1alpha1"
        )),
        _ => Some(format!("unknown attribute: {key}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::control::istiod::validate;
    use crate::manifest::{self, Manifests};
    use crate::text::FileId;

    /// What is said of a policy: errors, and warnings in brackets.
    fn said(spec: &str) -> String {
        let text = format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p}}\nspec: {spec}"
        );
        let mut objects = Manifests::default();
        manifest::read(&text, FileId(0), &mut objects);
        let verdicts = validate(&objects);
        let findings = verdicts.iter().flat_map(|v| &v.findings);
        let all: Vec<String> = findings
            .map(|f| match f.refuses {
                true => f.reason.clone(),
                false => "warned".to_string(),
            })
            .collect();
        all.join("; ")
    }

    #[test]
    fn what_the_webhook_refuses() {
        assert_eq!(said("{}"), "");
        assert!(said("{action: DENY}").starts_with("DENY action without `rules`"));
        assert_eq!(said("{action: DENY, rules: [{}]}"), "");
        let to = |to: &str| said(&format!("{{rules: [{{to: [{{operation: {to}}}]}}]}}"));
        assert_eq!(to("{paths: ['/a/{*}/b', '/c/{**}']}"), "");
        assert!(to("{paths: ['/a/{**}/{*}']}").contains("not the last operator"));
        assert!(to("{paths: ['/a/{b}']}").contains("beyond a supported path template"));
        assert!(to("{paths: ['/a*/{*}']}").contains("invalid string literal"));
        assert_eq!(to("{ports: ['80', '65536']}"), "bad port (65536)");
        assert_eq!(to("{ports: [80]}"), "ports must be of type string");
        assert_eq!(
            to("{}"),
            "`to.operation` must not be empty, found at rule 0"
        );
        let from = |from: &str| said(&format!("{{rules: [{{from: [{{source: {from}}}]}}]}}"));
        assert_eq!(from("{ipBlocks: [10.0.0.0/8, 1.2.3.4, '::1/128']}"), "");
        assert_eq!(
            from("{ipBlocks: [10.0.0.0/33]}"),
            "bad CIDR range (10.0.0.0/33)"
        );
        assert_eq!(from("{notRemoteIpBlocks: [here]}"), "bad IP address (here)");
        assert!(from("{serviceAccounts: [a], namespaces: [b]}").starts_with("cannot set"));
        assert!(from("{serviceAccounts: [a/b/c]}").starts_with("expected format"));
        let when = |key: &str| {
            said(&format!(
                "{{rules: [{{when: [{{key: {key}, values: [a]}}]}}]}}"
            ))
        };
        assert_eq!(when("'request.headers[x]'"), "");
        assert!(when("request.headers").contains("should have format a[b]"));
        assert!(when("source.user").contains("unknown attribute: source.user"));
        let custom =
            "{action: CUSTOM, provider: {name: a}, rules: [{from: [{source: {namespaces: [b]}}]}]}";
        assert!(said(custom).starts_with("From.Namespaces is currently not supported"));
    }

    #[test]
    fn a_deny_of_http_alone_is_warned_of() {
        let deny = |rule: &str| said(&format!("{{action: DENY, rules: [{rule}]}}"));
        assert_eq!(deny("{to: [{operation: {paths: [/a]}}]}"), "warned");
        assert_eq!(
            deny("{to: [{operation: {paths: [/a], ports: ['80']}}]}"),
            ""
        );
        assert_eq!(
            deny("{from: [{source: {requestPrincipals: ['*']}}]}"),
            "warned"
        );
        assert_eq!(deny("{from: [{source: {namespaces: [a]}}]}"), "");
    }
}
