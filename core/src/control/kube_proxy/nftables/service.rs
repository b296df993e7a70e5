use std::net::IpAddr;

use super::base::local_match;
use super::table::{Chain, Element, Key, Set, SetKind, Table};
use crate::control::kube_proxy::name::hash_and_cut;
use crate::control::kube_proxy::{Endpoint, Field, Origin, ServicePort, Short, View};

/// A port and the names of its chains.
struct Names<'p, 'a> {
    port: &'p ServicePort<'a>,
    at: u32,
    /// What they end in.
    base: String,
}

impl<'p, 'a> Names<'p, 'a> {
    fn new(port: &'p ServicePort<'a>, at: u32) -> Self {
        let meta = &port.service.meta;
        let parts = [
            &*meta.namespace,
            &*meta.name,
            port.protocol(),
            &*port.port.name,
        ];
        Self {
            port,
            at,
            base: hash_and_cut(&parts.join("/")),
        }
    }

    /// For traffic under policy Cluster.
    fn cluster(&self) -> String {
        ["service-", &self.base].concat()
    }

    /// For traffic under policy Local.
    fn local(&self) -> String {
        ["local-", &self.base].concat()
    }

    fn external(&self) -> String {
        ["external-", &self.base].concat()
    }

    fn firewall(&self) -> String {
        ["firewall-", &self.base].concat()
    }

    fn goto_external(&self) -> String {
        ["goto external-", &self.base].concat()
    }

    fn origin(&self, field: Field) -> Origin {
        Origin::port(self.at, field)
    }

    /// Of an endpoint's chain and affinity set, which only Services with session affinity have.
    fn endpoint(&self, endpoint: &Endpoint<'_>) -> String {
        let meta = &self.port.service.meta;
        let ip = endpoint.ip_text().replace(':', ".");
        hash_and_cut(&format!(
            "{}/{}/{}/{}__{ip}/{}",
            meta.namespace,
            meta.name,
            self.port.protocol(),
            self.port.port.name,
            endpoint.port
        ))
    }

    fn key(&self, ip: IpAddr) -> Key {
        Key {
            ip: Some(ip),
            port: Some((self.port.port.protocol, self.port.port.port.value)),
        }
    }

    fn refusal(&self) -> &'static str {
        match self.port.endpoints.any {
            false => "goto reject-chain",
            true => "drop",
        }
    }
}

pub(super) fn fill(table: &mut Table, view: &View<'_>, port: &ServicePort<'_>, at: u32) {
    let names = Names::new(port, at);
    let endpoints = &port.endpoints;
    let none_here = endpoints.local.is_empty();
    let internal = endpoints.any && !(port.internal_local && none_here);
    let external = endpoints.any && !(port.external_local && none_here);
    cluster_ip(table, &names, internal);
    external_addresses(table, &names, external);
    node_port(table, &names, external);
    if endpoints.any && port.externally_accessible() {
        external_chain(table, view, &names, external);
    }
    firewall(table, view, &names);
    for (chain, used, places) in [
        ("service-", port.uses_cluster(), &endpoints.cluster),
        ("local-", port.uses_local(), &endpoints.local),
    ] {
        if used && !places.is_empty() {
            let rules = balance(table.ip(), &names, places);
            table.chains.insert([chain, &names.base].concat(), rules);
        }
    }
    for place in &endpoints.reachable {
        if let Some(endpoint) = endpoints.all.get(*place as usize) {
            reach(table, &names, endpoint, *place);
        }
    }
}

fn put(table: &mut Table, map: &str, origin: Origin, key: Key, verdict: String) {
    let element = Element {
        key,
        comment: None,
        value: Some(verdict),
        origin,
    };
    table.element(map, element);
}

/// Of a map of what has no endpoints: the comment names the Service, as far as nft takes comments: a longer one would fail the
/// whole transaction (kubernetes #139515, `truncateNFTablesComment`).
fn refuse(table: &mut Table, names: &Names<'_, '_>, map: &str, origin: Origin, key: Key) {
    const MOST: usize = 128;
    let name = &names.port.name;
    let comment = name.get(..MOST).unwrap_or(name).to_string();
    let element = Element {
        key,
        comment: Some(comment),
        value: Some(names.refusal().to_string()),
        origin,
    };
    table.element(map, element);
}

fn cluster_ip(table: &mut Table, names: &Names<'_, '_>, internal: bool) {
    let port = names.port;
    let origin = names
        .origin(Field::ClusterIp)
        .and(Field::InternalTrafficPolicy);
    let element = Element {
        key: Key {
            ip: Some(port.cluster_ip),
            port: None,
        },
        comment: None,
        value: None,
        origin,
    };
    table.element("cluster-ips", element);
    let key = names.key(port.cluster_ip);
    if internal {
        let chain = match port.internal_local {
            true => "goto local-",
            false => "goto service-",
        };
        put(
            table,
            "service-ips",
            origin,
            key,
            [chain, &names.base].concat(),
        );
    } else {
        refuse(table, names, "no-endpoint-services", origin, key);
    }
}

fn external_addresses(table: &mut Table, names: &Names<'_, '_>, external: bool) {
    let port = names.port;
    let external_ips = port.external_ips.iter();
    let vips = port.vips.iter();
    let all = external_ips
        .map(|(item, ip)| (Field::ExternalIp(*item), *ip))
        .chain(vips.map(|(item, ip)| (Field::Ingress(*item), *ip)));
    for (field, ip) in all {
        let origin = names.origin(field);
        if port.endpoints.any {
            let verdict = names.goto_external();
            put(table, "service-ips", origin, names.key(ip), verdict);
        }
        if !external {
            let origin = origin.and(Field::ExternalTrafficPolicy);
            refuse(table, names, "no-endpoint-services", origin, names.key(ip));
        }
    }
}

fn node_port(table: &mut Table, names: &Names<'_, '_>, external: bool) {
    let Some(number) = names.port.node_port() else {
        return;
    };
    let origin = names.origin(Field::NodePort);
    let key = Key {
        ip: None,
        port: Some((names.port.port.protocol, number)),
    };
    if names.port.endpoints.any {
        let verdict = names.goto_external();
        put(table, "service-nodeports", origin, key, verdict);
    }
    if !external {
        let origin = origin.and(Field::ExternalTrafficPolicy);
        refuse(table, names, "no-endpoint-nodeports", origin, key);
    }
}

/// Under policy Local, pods and the node itself go to all endpoints, as if their traffic had come by the cluster IP.
fn external_chain(table: &mut Table, view: &View<'_>, names: &Names<'_, '_>, external: bool) {
    let origin = names.origin(Field::ExternalTrafficPolicy);
    let cluster = names.cluster();
    let mark = view.proxier.mark();
    let mut chain = Chain::new(origin);
    let target = if names.port.external_local {
        if let Some(local) = local_match(view, "") {
            let rule = format!("{local} goto {cluster} comment \"short-circuit pod traffic\"");
            chain.rule(origin.and(Field::DetectLocal), rule);
        }
        let node = "fib saddr type local";
        let rule = format!("{node} mark set mark or {mark} comment \"masquerade local traffic\"");
        chain.rule(origin, rule);
        let rule = format!("{node} goto {cluster} comment \"short-circuit local traffic\"");
        chain.rule(origin, rule);
        names.local()
    } else {
        let rule = format!("mark set mark or {mark} comment \"masquerade\"");
        chain.rule(origin, rule);
        cluster
    };
    if external {
        chain.rule(origin, format!("goto {target}"));
    }
    table.chains.insert(names.external(), chain);
}

/// Whether or not there are endpoints.
fn firewall(table: &mut Table, view: &View<'_>, names: &Names<'_, '_>) {
    let port = names.port;
    if port.vips.is_empty() || port.source_ranges.is_empty() {
        return;
    }
    for (item, ip) in &port.vips {
        let origin = names
            .origin(Field::Ingress(*item))
            .and(Field::SourceRange(0));
        let verdict = ["goto firewall-", &names.base].concat();
        put(table, "firewall-ips", origin, names.key(*ip), verdict);
    }
    let node_ip = view.proxier.node_ip(view.family);
    let ranges = port.source_ranges.iter();
    let mut sources: Vec<String> = ranges.map(|(_, r)| r.net.to_string()).collect();
    // A node that has the load balancer's address as its own sends from it.
    if port
        .source_ranges
        .iter()
        .any(|(_, r)| r.net.contains(node_ip))
    {
        sources.extend(port.vips.iter().map(|(_, ip)| ip.to_string()));
    }
    let rule = format!("{} saddr != {{ {} }} drop", table.ip(), sources.join(" , "));
    let origin = names.origin(Field::SourceRange(0));
    let mut chain = Chain::new(origin);
    chain.rule(origin, rule);
    table.chains.insert(names.firewall(), chain);
}

/// One rule that draws an endpoint; with session affinity, first a rule for each endpoint that remembers the source.
fn balance(ip: &str, names: &Names<'_, '_>, places: &[u32]) -> Chain {
    let port = names.port;
    let all = &port.endpoints.all;
    let endpoints = || places.iter().filter_map(|place| all.get(*place as usize));
    let count = places.len();
    let origin = names.origin(Field::ClusterIp);
    let mut chain = Chain::new(origin);
    let mut rule;
    if port.service.session_affinity.is_some() {
        let mut roads = Vec::new();
        for (i, endpoint) in endpoints().enumerate() {
            let name = names.endpoint(endpoint);
            chain.rule(
                origin.and(Field::SessionAffinity),
                format!("{ip} saddr @affinity-{name} goto endpoint-{name}"),
            );
            roads.push(format!("{i} : goto endpoint-{name}"));
        }
        rule = format!("numgen random mod {count} vmap {{ {} }}", roads.join(" , "));
    } else {
        rule = format!(
            "meta l4proto {} dnat {ip} addr . port to numgen random mod {count} map {{ ",
            port.protocol()
        );
        rule.reserve(32 * count);
        for (i, endpoint) in (0u16..).zip(endpoints()) {
            let mut number = Short::<5>::new();
            number.push_number(i);
            let comma = if i == 0 { "" } else { " , " };
            let (ip, port) = endpoint.ip_and_port();
            for piece in [comma, number.as_str(), " : ", ip, " . ", port] {
                rule.push_str(piece);
            }
        }
        rule.push_str(" }");
    }
    chain.rule(origin, rule);
    chain
}

/// What an endpoint has of its own.
fn reach(table: &mut Table, names: &Names<'_, '_>, endpoint: &Endpoint<'_>, place: u32) {
    let port = names.port;
    let origin = Origin::endpoint(names.at, place);
    if endpoint.local {
        let element = Element {
            key: Key {
                ip: Some(endpoint.ip),
                port: Some((port.port.protocol, endpoint.port)),
            },
            comment: None,
            value: None,
            origin,
        };
        table.element("hairpin-connections", element);
    }
    let Some(affinity) = &port.service.session_affinity else {
        return;
    };
    let name = names.endpoint(endpoint);
    let origin = origin.and(Field::SessionAffinity);
    let set = Set {
        options: vec![
            "flags dynamic,timeout".to_string(),
            format!("timeout {}s", affinity.value),
        ],
        origin,
        ..Set::new(SetKind::Address, "")
    };
    table.sets.insert(format!("affinity-{name}"), set);
    let mut chain = Chain::new(origin);
    let update = format!("update @affinity-{name} {{ {} saddr }}", table.ip());
    chain.rule(origin, update);
    let target = format!("meta l4proto {} dnat to {}", port.protocol(), endpoint.text);
    chain.rule(origin, target);
    table.chains.insert(format!("endpoint-{name}"), chain);
}
