//! Routes as VirtualServices, one for each host and Gateway. Source: `route_collections.go`.

use super::super::host;
use super::super::message::{Ask, Message, list, string};
use super::super::object::Object;
use super::attach::{Attachment, attachments};
use super::rule::{self, Rules};
use super::{Known, Parent, derived};
use crate::say;
use crate::text::Diagnostic;
use crate::yaml::Node;

pub(super) fn convert(api: &Known, parents: &[Parent], log: &mut Vec<Diagnostic>) -> Vec<Object> {
    let mut made: Vec<(String, Object)> = Vec::new();
    for route in api.of("HTTPRoute").chain(api.of("GRPCRoute")) {
        http(
            api,
            route,
            &attachments(api, parents, route, log),
            log,
            &mut made,
        );
    }
    let mut out = merged(made);
    let connections = api.of("TLSRoute").chain(api.of("TCPRoute"));
    for route in connections.filter(|r| r.kind == "TLSRoute" || api.mesh.alpha_gateway_api) {
        connection(
            api,
            route,
            &attachments(api, parents, route, log),
            log,
            &mut out,
        );
    }
    out
}

/// The rules for the mesh and those for gateways; none where the route is refused.
fn rules(api: &Known, route: &Object, mesh: bool, log: &mut Vec<Diagnostic>) -> Vec<Node> {
    let mut rules = Rules {
        api,
        route,
        granted_only: !mesh,
        complaints: Vec::new(),
    };
    let made = match route.kind {
        "HTTPRoute" | "GRPCRoute" => rules.http(),
        _ => rules.connections(),
    };
    let mut complaints = rules.complaints;
    complaints.dedup();
    let made = made.unwrap_or_else(|reason| {
        complaints.push(reason);
        Vec::new()
    });
    for reason in complaints {
        let (kind, name) = (route.kind, &route.name);
        let message = say!(
            "istio/route-status",
            kind = kind,
            name = name,
            reason = reason
        );
        log.push(Diagnostic::warning(route.span, message));
    }
    made
}

fn virtual_service(
    route: &Object,
    name: String,
    host: &str,
    gateway: &str,
    key: &str,
    rules: Vec<Node>,
) -> Object {
    let spec = Message::new(route.span)
        .strings("hosts", &[host.to_string()])
        .strings("gateways", &[gateway.to_string()])
        .list(key, rules);
    let mut made = derived(route, "VirtualService", name, spec.end());
    let parents = format!("{}/{}.{}", route.kind, route.name, route.namespace);
    made.annotations = vec![("internal.istio.io/parents".into(), parents)];
    made
}

fn http(
    api: &Known,
    route: &Object,
    attached: &[Attachment],
    log: &mut Vec<Diagnostic>,
    out: &mut Vec<(String, Object)>,
) {
    let mut of_mesh: Option<Vec<Node>> = None;
    let mut of_gateways: Option<Vec<Node>> = None;
    for attachment in attached {
        let mesh = attachment.parent.is_none();
        let made = if mesh { &mut of_mesh } else { &mut of_gateways };
        let rules = made.get_or_insert_with(|| rules(api, route, mesh, log));
        let mut rules = rules.clone();
        if rules.is_empty() {
            continue;
        }
        let mut key = attachment.gateway().to_string();
        let mut hosts = hostnames(route);
        if mesh {
            key.clone_from(&route.namespace);
            let port = attachment.reference.number("port");
            if port != 0 {
                rules.iter_mut().for_each(|rule| add_port(rule, port));
                key = format!("{key}/{port}");
            }
            hosts = attachment.mesh_hosts(api, route);
        }
        rule::sort(&mut rules);
        for host in hosts.iter().filter(|h| attachment.isolated(h)) {
            let gateway = attachment.gateway();
            let name = format!("{}~", route.name);
            let made = virtual_service(route, name, host, gateway, "http", rules.clone());
            out.push((format!("{key}/{host}"), made));
        }
    }
}

fn hostnames(route: &Object) -> Vec<String> {
    let hosts = route.spec.texts("hostnames");
    if hosts.is_empty() || route.kind == "TCPRoute" {
        return vec!["*".into()];
    }
    hosts.into_iter().map(str::to_string).collect()
}

/// Routes with the same host and Gateway become one VirtualService, whatever their kinds: the oldest first, of the same age
/// by namespace, then by name (`sortRoutesByCreationTime`).
fn merged(made: Vec<(String, Object)>) -> Vec<Object> {
    let mut by_key: Vec<(String, Vec<Object>)> = Vec::new();
    for (key, object) in made {
        match by_key.iter_mut().find(|(k, _)| *k == key) {
            Some((_, all)) => all.push(object),
            None => by_key.push((key, vec![object])),
        }
    }
    let merge = |key: String, mut all: Vec<Object>| {
        all.sort_by(|a, b| {
            a.by_age(b)
                .then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
        });
        let mut all = all.into_iter();
        let mut base = all.next()?;
        let mut rules = base.spec.each("http").to_vec();
        for other in all {
            rules.extend(other.spec.each("http").iter().cloned());
            let more = other.annotation("internal.istio.io/parents").unwrap_or("");
            if let Some((_, parents)) = base.annotations.first_mut() {
                *parents = format!("{parents},{more}");
            }
        }
        rule::sort(&mut rules);
        set(&mut base.spec, "http", rules);
        base.name = key.replace('/', "~");
        Some(base)
    };
    by_key
        .into_iter()
        .filter_map(|(key, all)| merge(key, all))
        .collect()
}

fn connection(
    api: &Known,
    route: &Object,
    attached: &[Attachment],
    log: &mut Vec<Diagnostic>,
    out: &mut Vec<Object>,
) {
    let tls = route.kind == "TLSRoute";
    let mut count = 0;
    let mut of_mesh: Option<Vec<Node>> = None;
    let mut of_gateways: Option<Vec<Node>> = None;
    for attachment in attached {
        let mesh = attachment.parent.is_none();
        let made = if mesh { &mut of_mesh } else { &mut of_gateways };
        let rules = made.get_or_insert_with(|| rules(api, route, mesh, log));
        let mut rules = rules.clone();
        let mut hosts = hostnames(route);
        let listener = attachment.hostname();
        if mesh {
            hosts = attachment.mesh_hosts(api, route);
            let port = attachment.reference.number("port");
            for rule in &mut rules {
                if tls && sni_hosts(rule) == ["*"] {
                    set_sni_hosts(rule, &hosts);
                }
                if port != 0 {
                    add_port(rule, port);
                }
            }
        } else if tls && !listener.is_empty() {
            let listener = [listener.to_string()];
            hosts = host::intersection(&hosts, &listener);
            for rule in &mut rules {
                let narrower = host::intersection(&sni_hosts(rule), &listener);
                set_sni_hosts(rule, &narrower);
            }
            rules.retain(|r| r.each("match").is_empty() || !sni_hosts(r).is_empty());
        }
        let (key, word) = if tls { ("tls", "tls") } else { ("tcp", "tcp") };
        for host in &hosts {
            let name = format!(
                "{}~{word}~{count}~istio-autogenerated-k8s-gateway",
                route.name
            );
            let mut rules = rules.clone();
            if mesh && tls {
                for rule in &mut rules {
                    let mut names = sni_hosts(rule);
                    if names.len() > 1 {
                        names.retain(|n| host::matches(host, n));
                        set_sni_hosts(rule, &names);
                    }
                }
            }
            out.push(virtual_service(
                route,
                name,
                host,
                attachment.gateway(),
                key,
                rules,
            ));
            count += 1;
        }
    }
}

fn sni_hosts(rule: &Node) -> Vec<String> {
    let first = rule.each("match").first();
    let names = first.map_or_else(Vec::new, |m| m.texts("sniHosts"));
    names.into_iter().map(str::to_string).collect()
}

fn set_sni_hosts(rule: &mut Node, hosts: &[String]) {
    let Some(first) = rule.each("match").first() else {
        return;
    };
    let mut condition = first.clone();
    let span = condition.span;
    let names = hosts.iter().map(|h| string(h, span)).collect();
    set(&mut condition, "sniHosts", names);
    set(rule, "match", vec![condition]);
}

/// Asks for a port too.
fn add_port(rule: &mut Node, port: i64) {
    let (span, mut all) = (rule.span, rule.each("match").to_vec());
    if all.is_empty() {
        all.push(Message::new(span).end());
    }
    for condition in &mut all {
        let mut message = Message::new(condition.span);
        for entry in condition.entries() {
            message = message.node(&entry.key, entry.value.clone());
        }
        *condition = message.int("port", port).end();
    }
    set(rule, "match", all);
}

/// Sets a list of a message.
fn set(node: &mut Node, key: &str, items: Vec<Node>) {
    let span = node.span;
    let mut message = Message::new(span);
    for entry in node.entries() {
        message = message.node(&entry.key, entry.value.clone());
    }
    message.set(key, list(items, span));
    *node = message.end();
}
