//! What istiod's webhook says of an object: refused with reasons, or let in with warnings. The words are the webhook's own
//! style, so that they can be searched for. Source: `pkg/config/validation/validation.go`.

mod authorization;
mod destination_rule;
mod gateway;
mod names;
mod policies;
mod service_entry;
mod sidecar;
mod unreachable;
mod virtual_service;

use super::analyze::Level;
use super::message::{Ask, nanoseconds};
use super::world::objects;
use crate::manifest::Manifests;
use crate::say;
use crate::text::{Diagnostic, FileId, Span};
use crate::yaml::{self, Node};

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
    /// How `istioctl analyze` ranks and names it, where it has a name of its own.
    pub analysis: Option<(Level, &'static str)>,
}

impl Finding {
    /// That nothing reaches what stands there.
    pub fn is_unreachable(&self) -> bool {
        self.analysis
            .is_some_and(|(_, code)| code == unreachable::MATCH)
    }
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
            "WorkloadEntry" => service_entry::workload_entry(spec, &mut findings),
            "AuthorizationPolicy" => authorization::check(&object, &mut findings),
            "RequestAuthentication" => request_authentication(spec, &mut findings),
            "PeerAuthentication" => peer_authentication(spec, &mut findings),
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

/// A truth value as Go's `strconv.ParseBool` reads it.
pub(super) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn request_authentication(spec: &Node, out: &mut Findings) {
    authorization::attachment(spec, out);
    for rule in spec.each("jwtRules") {
        if rule.text("issuer").is_empty() && rule.text("jwksUri").is_empty() {
            out.error(rule.span, "issuer or jwksUri must be non-empty string");
        }
        let uri = rule.text("jwksUri");
        if !uri.is_empty() && !uri.starts_with("http://") && !uri.starts_with("https://") {
            let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
            let reason = format!("URI scheme {scheme:?} is not supported");
            out.error(rule.span, reason);
        }
        for (field, reason) in [
            ("audiences", "audience must be non-empty string"),
            ("fromParams", "location query must be non-empty string"),
            ("fromCookies", "cookie name must be non-empty string"),
        ] {
            let empty = |n: &&Node| n.str() == Some("");
            if let Some(node) = rule.each(field).iter().find(empty) {
                out.error(node.span, reason);
            }
        }
        for header in rule.each("fromHeaders") {
            if header.text("name").is_empty() {
                out.error(header.span, "location header name must be non-empty string");
            }
        }
        for claim in rule.each("outputClaimToHeaders") {
            if claim.text("claim").is_empty() || claim.text("header").is_empty() {
                let reason = "outputClaimToHeaders header and claim value must be non-empty string";
                out.error(claim.span, reason);
            } else if let Err(reason) = names::header(claim.text("header")) {
                out.error(claim.span, reason);
            }
        }
        if let Some(keys) = rule.get("jwks").filter(|n| n.str() != Some("")) {
            let read = yaml::read(keys.str().unwrap_or(""), FileId(0)).0.pop();
            if read.is_none_or(|set| set.entries().is_empty()) {
                out.error(keys.span, "jwks parse error: failed to unmarshal JWK set");
            }
        }
        out.duration(rule, "timeout");
    }
}

fn peer_authentication(spec: &Node, out: &mut Findings) {
    let ports = spec.sorted("portLevelMtls");
    if let Some(none) = spec.get("portLevelMtls").filter(|_| ports.is_empty()) {
        let reason = "spec.portLevelMtls in body should have at least 1 properties";
        out.error(none.span, reason);
    }
    let of_ports = ports.iter().map(|port| &port.value);
    for mtls in spec.get("mtls").into_iter().chain(of_ports) {
        let modes = ["UNSET", "DISABLE", "PERMISSIVE", "STRICT"];
        out.one_of(mtls, "mode", &modes);
    }
    let selector = spec.get("selector");
    let labels = selector
        .map(|s| s.sorted("matchLabels"))
        .unwrap_or_default();
    if let Some(first) = ports.first().filter(|_| labels.is_empty()) {
        let reason = "mesh/namespace peer authentication cannot have port level mTLS";
        out.error(first.key_span, reason);
    }
    for port in ports {
        if !port.key.parse::<u16>().is_ok_and(|p| p > 0) {
            out.error(port.key_span, "port must be in range 1..65535");
        }
    }
    for entry in &labels {
        sidecar::selector_entry(entry, out);
    }
    if let Some(selector) = selector.filter(|_| labels.is_empty()) {
        out.warning(selector.span, "workload selector specified without labels");
    }
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
            analysis: None,
        });
    }

    fn warning(&mut self, span: Span, reason: impl Into<String>) {
        self.0.push(Finding {
            refuses: false,
            span,
            reason: reason.into(),
            analysis: None,
        });
    }

    /// A warning that `istioctl analyze` has a code for.
    fn told(&mut self, span: Span, level: Level, code: &'static str, reason: String) {
        self.0.push(Finding {
            refuses: false,
            span,
            reason,
            analysis: Some((level, code)),
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

#[cfg(test)]
mod tests {
    use crate::manifest::{self, Manifests};
    use crate::text::FileId;

    /// `wanted` is part of why the object is refused; empty where it is let in.
    fn check(kind: &str, spec: &str, wanted: &str) {
        let group = match kind {
            "PeerAuthentication" => "security",
            _ => "networking",
        };
        let text = format!(
            "apiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata: {{name: a, namespace: default}}\nspec: {spec}\n"
        );
        let mut objects = Manifests::default();
        manifest::read(&text, FileId(0), &mut objects);
        let verdicts = super::validate(&objects);
        let error = verdicts.iter().find_map(|v| v.error.clone());
        match error {
            Some(error) => assert!(
                !wanted.is_empty() && error.contains(wanted),
                "{spec}: {error}"
            ),
            None => assert_eq!("", wanted, "{spec}"),
        }
    }

    #[test]
    fn hosts_of_gateways_and_sidecars_are_whole_names() {
        let gateway = |host: &str| {
            format!(
                "{{servers: [{{hosts: ['{host}'], port: {{number: 80, name: h, protocol: HTTP}}}}]}}"
            )
        };
        check("Gateway", &gateway("foo"), "short names");
        check("Gateway", &gateway("*bar.com"), "partial wildcard");
        check("Gateway", &gateway("ns/*.bar.com"), "");
        check("Gateway", &gateway("*"), "");
        check("Gateway", &gateway("1.1.1.1"), "");
        check(
            "Sidecar",
            "{egress: [{hosts: ['test/*a.com']}]}",
            "partial wildcard",
        );
        check("Sidecar", "{egress: [{hosts: ['./*']}]}", "");
    }

    #[test]
    fn claims_of_tokens_are_for_gateways() {
        let service = |gateways: &str| {
            format!(
                "{{hosts: [a.b], gateways: [{gateways}], http: [{{match: [{{headers: {{'@request.auth.claims.x': {{exact: y}}}}}}], route: [{{destination: {{host: c.d}}}}]}}]}}"
            )
        };
        check(
            "VirtualService",
            &service("mesh"),
            "JWT claim based routing",
        );
        check("VirtualService", &service("gw"), "");
    }

    #[test]
    fn sockets_stand_at_whole_paths() {
        let entry = |address: &str, more: &str| {
            format!(
                "{{hosts: [u.l], resolution: STATIC, ports: [{{number: 1, name: a, protocol: HTTP}}{more}], endpoints: [{{address: '{address}'}}]}}"
            )
        };
        check("ServiceEntry", &entry("unix:///p/s", ""), "");
        check(
            "ServiceEntry",
            &entry("unix://./s", ""),
            "not an absolute path",
        );
        let second = ", {number: 2, name: b, protocol: HTTP}";
        check(
            "ServiceEntry",
            &entry("unix:///p/s", second),
            "exactly 1 service port",
        );
        check("WorkloadEntry", "{address: 'a.b:9'}", "not a valid FQDN");
        check("WorkloadEntry", "{address: a.b}", "");
    }

    #[test]
    fn hosts_looked_up_when_asked_for_are_wildcards() {
        let entry = |host: &str, protocol: &str| {
            format!(
                "{{hosts: ['{host}'], resolution: DYNAMIC_DNS, ports: [{{number: 1, name: a, protocol: {protocol}}}]}}"
            )
        };
        check("ServiceEntry", &entry("*.g.com", "HTTP"), "");
        check(
            "ServiceEntry",
            &entry("g.com", "HTTP"),
            "must be wildcarded",
        );
        check(
            "ServiceEntry",
            &entry("*.g.com", "TCP"),
            "protocols are supported",
        );
    }

    #[test]
    fn ports_of_mutual_tls_are_of_selected_workloads() {
        let ports = "portLevelMtls: {80: {mode: DISABLE}}";
        let with = "selector: {matchLabels: {a: b}}";
        check(
            "PeerAuthentication",
            &format!("{{{ports}}}"),
            "cannot have port level mTLS",
        );
        check("PeerAuthentication", &format!("{{{with}, {ports}}}"), "");
        check("PeerAuthentication", "{mtls: {mode: STRICT}}", "");
        let none = "portLevelMtls: {}";
        check(
            "PeerAuthentication",
            &format!("{{{with}, {none}}}"),
            "at least 1 properties",
        );
        let unknown = "portLevelMtls: {80: {mode: DISABLED}}";
        check(
            "PeerAuthentication",
            &format!("{{{with}, {unknown}}}"),
            "unknown value \"DISABLED\" for enum mode",
        );
    }
}
