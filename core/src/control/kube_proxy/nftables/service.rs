use std::net::IpAddr;

use super::base::local_match;
use super::table::{Chain, Element, Set, SetKind, Table};
use crate::control::kube_proxy::name::hash_and_cut;
use crate::control::kube_proxy::{Endpoint, Field, Origin, ServicePort, View};

/// A port and the names of its chains.
struct Names<'p, 'a> {
    port: &'p ServicePort<'a>,
    at: u32,
    cluster: String,
    local: String,
    external: String,
    firewall: String,
}

impl<'p, 'a> Names<'p, 'a> {
    fn new(port: &'p ServicePort<'a>, at: u32) -> Self {
        let meta = &port.service.meta;
        let name = [
            &*meta.namespace,
            &*meta.name,
            port.protocol(),
            &*port.port.name,
        ]
        .join("/");
        let base = hash_and_cut(&name);
        let chain = |prefix: &str| [prefix, &base].concat();
        Self {
            port,
            at,
            cluster: chain("service-"),
            local: chain("local-"),
            external: chain("external-"),
            firewall: chain("firewall-"),
        }
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

    /// `10.96.0.1 . tcp . 80`
    fn key(&self, ip: IpAddr) -> String {
        let number = self.port.port.port.value;
        format!("{ip} . {} . {number}", self.port.protocol())
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
        (&names.cluster, port.uses_cluster(), &endpoints.cluster),
        (&names.local, port.uses_local(), &endpoints.local),
    ] {
        if used && !places.is_empty() {
            balance(table, &names, chain, places);
        }
    }
    for place in &endpoints.reachable {
        if let Some(endpoint) = endpoints.all.get(*place as usize) {
            reach(table, &names, endpoint, *place);
        }
    }
}

fn put(table: &mut Table, map: &str, origin: Origin, key: String, verdict: String) {
    let element = Element {
        key,
        comment: None,
        value: Some(verdict),
        origin,
    };
    table.element(map, element);
}

/// Of a map of what has no endpoints: the comment names the Service.
fn refuse(table: &mut Table, names: &Names<'_, '_>, map: &str, origin: Origin, key: String) {
    let element = Element {
        key,
        comment: Some(names.port.name.clone()),
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
        key: port.cluster_ip.to_string(),
        comment: None,
        value: None,
        origin,
    };
    table.element("cluster-ips", element);
    let key = names.key(port.cluster_ip);
    if internal {
        let chain = match port.internal_local {
            true => &names.local,
            false => &names.cluster,
        };
        put(table, "service-ips", origin, key, format!("goto {chain}"));
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
            let verdict = format!("goto {}", names.external);
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
    let key = format!("{} . {number}", names.port.protocol());
    if names.port.endpoints.any {
        let verdict = format!("goto {}", names.external);
        put(table, "service-nodeports", origin, key.clone(), verdict);
    }
    if !external {
        let origin = origin.and(Field::ExternalTrafficPolicy);
        refuse(table, names, "no-endpoint-nodeports", origin, key);
    }
}

/// Under policy Local, pods and the node itself go to all endpoints, as if their traffic had come by the cluster IP.
fn external_chain(table: &mut Table, view: &View<'_>, names: &Names<'_, '_>, external: bool) {
    let origin = names.origin(Field::ExternalTrafficPolicy);
    let (chain, cluster) = (&names.external, &names.cluster);
    let mark = view.proxier.mark();
    table.chains.insert(
        chain.clone(),
        Chain {
            origin,
            ..Chain::default()
        },
    );
    let target = if names.port.external_local {
        if let Some(local) = local_match(view, "") {
            let rule = format!("{local} goto {cluster} comment \"short-circuit pod traffic\"");
            table.rule(chain, origin.and(Field::DetectLocal), rule);
        }
        let node = "fib saddr type local";
        let rule = format!("{node} mark set mark or {mark} comment \"masquerade local traffic\"");
        table.rule(chain, origin, rule);
        let rule = format!("{node} goto {cluster} comment \"short-circuit local traffic\"");
        table.rule(chain, origin, rule);
        &names.local
    } else {
        let rule = format!("mark set mark or {mark} comment \"masquerade\"");
        table.rule(chain, origin, rule);
        cluster
    };
    if external {
        table.rule(chain, origin, format!("goto {target}"));
    }
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
        let verdict = format!("goto {}", names.firewall);
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
    table.rule(&names.firewall, names.origin(Field::SourceRange(0)), rule);
}

/// One rule that draws an endpoint; with session affinity, first a rule for each endpoint that remembers the source.
fn balance(table: &mut Table, names: &Names<'_, '_>, chain: &str, places: &[u32]) {
    let port = names.port;
    let all = &port.endpoints.all;
    let endpoints = || places.iter().filter_map(|place| all.get(*place as usize));
    let ip = table.ip();
    let count = places.len();
    let origin = names.origin(Field::ClusterIp);
    let mut rule;
    if port.service.session_affinity.is_some() {
        let mut roads = Vec::new();
        for (i, endpoint) in endpoints().enumerate() {
            let name = names.endpoint(endpoint);
            table.rule(
                chain,
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
        for (i, endpoint) in endpoints().enumerate() {
            let comma = if i == 0 { "" } else { " , " };
            let (number, port) = (i.to_string(), endpoint.port.to_string());
            for piece in [comma, &number, " : ", endpoint.ip_text(), " . ", &port] {
                rule.push_str(piece);
            }
        }
        rule.push_str(" }");
    }
    table.rule(chain, origin, rule);
}

/// What an endpoint has of its own.
fn reach(table: &mut Table, names: &Names<'_, '_>, endpoint: &Endpoint<'_>, place: u32) {
    let port = names.port;
    let origin = Origin::endpoint(names.at, place);
    let ip = endpoint.ip_text();
    if endpoint.local {
        let element = Element {
            key: format!("{ip} . {ip} . {} . {}", port.protocol(), endpoint.port),
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
    let chain = format!("endpoint-{name}");
    let update = format!("update @affinity-{name} {{ {} saddr }}", table.ip());
    table.rule(&chain, origin, update);
    let target = format!("meta l4proto {} dnat to {}", port.protocol(), endpoint.text);
    table.rule(&chain, origin, target);
}
