//! Where a sidecar's app calls. Source: `buildSidecarOutboundListeners` and what it uses in
//! `pilot/pkg/networking/core/listener.go`, `tls.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::OUTBOUND;
use crate::control::istiod::connection_manager::{
    Manager, listener, listener_filters, rds, tcp_proxy,
};
use crate::control::istiod::gateway::destinations;
use crate::control::istiod::host;
use crate::control::istiod::message::{Ask, Message};
use crate::control::istiod::object::Object;
use crate::control::istiod::route::cluster_name;
use crate::control::istiod::service::{Port, Protocol, Resolution, Service};
use crate::control::istiod::sidecar::{Egress, allows_any, egress};
use crate::control::istiod::world::{Proxy, World};
use crate::net::IpNetwork;
use crate::text::Span;
use crate::yaml::Node;

const ANY: &str = "0.0.0.0";

/// Listeners and the names of the route configurations that they ask for.
pub(super) fn outbound(world: &World, proxy: &Proxy) -> (Vec<Node>, Vec<String>) {
    let mut all = Listeners {
        world,
        proxy,
        entries: BTreeMap::new(),
    };
    for egress in egress(world, proxy).into_iter().filter(|e| e.modelled) {
        if egress.port.is_none() {
            // Of ports that were spoken of before nothing more is said.
            all.entries.values_mut().for_each(|e| e.locked = true);
        }
        // Another name of a service has no listeners of its own.
        let services = egress
            .services
            .iter()
            .filter(|s| s.external_name.is_empty());
        for service in services {
            for port in &service.ports {
                if egress.port.is_none_or(|number| number == port.number) {
                    all.of_port(&egress, service, port);
                }
            }
        }
    }
    let any = allows_any(world, proxy);
    let mut names = BTreeSet::new();
    let mut made = Vec::new();
    for ((address, port), entry) in all.entries {
        let routes = entry.chains.iter().filter_map(|c| match &c.end {
            End::Http(routes) => Some(routes.clone()),
            End::Tcp(_) => None,
        });
        names.extend(routes);
        made.push(entry.end(&address, port, world, any));
    }
    (made, names.into_iter().collect())
}

/// By address and port, while services are put on them.
struct Listeners<'w> {
    world: &'w World,
    proxy: &'w Proxy,
    entries: BTreeMap<(String, u16), Entry>,
}

struct Entry {
    /// [`Protocol::Unknown`] where it is told from the bytes.
    protocol: Protocol,
    chains: Vec<Chain>,
    locked: bool,
    /// It has a socket of its own.
    binds: bool,
    span: Span,
}

struct Chain {
    names: Vec<String>,
    /// Where the client meant to go.
    networks: Vec<String>,
    /// Plain HTTP only.
    http: bool,
    end: End,
    span: Span,
}

enum End {
    /// Routes by their name.
    Http(String),
    Tcp(Vec<(String, i64)>),
}

/// A service's port, and where a listener for it is to be.
struct Place<'p, 'w> {
    egress: &'p Egress<'w>,
    service: &'w Service,
    port: &'p Port,
    protocol: Protocol,
    /// Empty: wherever the service is.
    address: String,
    networks: Vec<String>,
}

impl<'w> Listeners<'w> {
    fn of_port(&mut self, egress: &Egress<'w>, service: &'w Service, port: &Port) {
        let bind = egress.bind.as_str();
        let place = |address: &str| Place {
            egress,
            service,
            port,
            protocol: egress.protocol.unwrap_or(port.protocol),
            address: address.to_string(),
            networks: Vec::new(),
        };
        let wildcard = service.addresses.first().is_none_or(|a| a == ANY);
        let headless = service.resolution == Resolution::Passthrough && wildcard;
        if egress.port.is_none() && bind.is_empty() && headless && !port.protocol.is_http() {
            // Of a headless Service each pod has a listener; a ServiceEntry without any has one for all.
            let external = !service.kubernetes && service.selector.is_empty();
            if external && service.called().is_empty() {
                return self.add(place(""));
            }
            let own = |address: &String| {
                let mine = self.proxy.addresses.iter();
                mine.map(ToString::to_string).any(|a| a == *address)
            };
            let pods = service.called().iter();
            let pods = pods.filter(|e| e.ports.contains_key(&port.name));
            let pods = pods
                .map(|e| &e.address)
                .filter(|a| a.parse::<std::net::IpAddr>().is_ok() && !own(a));
            for address in pods.cloned().collect::<Vec<_>>() {
                self.add(place(&address));
            }
            return;
        }
        if bind.is_empty() && service.addresses.len() > 1 && !service.kubernetes {
            for address in &service.addresses {
                self.at(place(""), address);
            }
            return;
        }
        self.add(place(bind));
    }

    fn add(&mut self, place: Place<'_, 'w>) {
        let address = place.service.addresses.first();
        let address = address.map_or(ANY, String::as_str);
        self.at(place, address);
    }

    /// `own`: an address of the service.
    fn at(&mut self, mut place: Place<'_, 'w>, own: &str) {
        let protocol = place.protocol;
        if matches!(protocol, Protocol::Udp | Protocol::Hbone) {
            return;
        }
        if place.address.is_empty() {
            place.address = ANY.into();
            if !protocol.is_http() {
                match own.contains('/') {
                    true => place.networks = vec![own.to_string()],
                    false => place.address = own.to_string(),
                }
            }
        }
        let key = (place.address.clone(), place.port.number);
        let known = self.entries.get(&key).map(|e| (e.protocol, e.locked));
        if known.is_some_and(|(_, locked)| locked) {
            return;
        }
        let known = known.map(|(protocol, _)| protocol);
        let settled = known.is_some_and(|known| match protocol {
            Protocol::Unknown => known == Protocol::Unknown,
            _ => protocol.is_http() && known.is_http_or_unknown(),
        });
        if settled {
            return;
        }
        let mut kept = protocol;
        let mut chains = Vec::new();
        if !protocol.is_http() {
            chains = self.tcp(&place, own);
        }
        if protocol.is_http_or_unknown() {
            let sniffed = protocol == Protocol::Unknown || place.address == ANY;
            chains.push(place.http(sniffed));
            if sniffed {
                kept = Protocol::Unknown;
            }
        }
        // Servers that speak first cannot wait for the bytes to be looked at.
        let first = |p: Protocol| matches!(p, Protocol::Mongo | Protocol::Mysql);
        if known.is_some_and(|k| (first(k) || first(protocol)) && k != protocol) {
            return;
        }
        let replaces = known.is_some_and(|k| protocol == Protocol::Unknown && k.is_http());
        match self.entries.get_mut(&key) {
            Some(entry) if !replaces => {
                for chain in chains {
                    if !entry.chains.iter().any(|c| c.conflicts(&chain)) {
                        entry.chains.push(chain);
                    }
                }
                let mixed = entry.protocol.is_http_or_unknown() != protocol.is_http_or_unknown();
                if mixed {
                    entry.protocol = Protocol::Unknown;
                }
            }
            _ => {
                let entry = Entry {
                    protocol: kept,
                    chains,
                    locked: false,
                    binds: place.egress.binds,
                    span: place.port.span,
                };
                self.entries.insert(key, entry);
            }
        }
    }

    /// By the names that VirtualServices ask for, or straight to the service.
    fn tcp(&self, place: &Place<'_, 'w>, own: &str) -> Vec<Chain> {
        let hostname = &place.service.hostname;
        let ours = |vs: &&&Object| {
            let hosts = vs.spec.texts("hosts");
            hosts.iter().any(|h| host::matches(h, hostname))
        };
        let configs = place.egress.virtual_services.iter().filter(ours);
        match place.protocol {
            Protocol::Https | Protocol::Tls => self.tls_chains(place, own, configs),
            _ => self.tcp_chains(place, configs),
        }
    }

    fn tls_chains<'v>(
        &self,
        place: &Place<'_, 'w>,
        own: &str,
        configs: impl Iterator<Item = &'v &'w Object>,
    ) -> Vec<Chain>
    where
        'w: 'v,
    {
        let number = i64::from(place.port.number);
        let mut networks = place.networks.clone();
        let mut chains: Vec<Chain> = Vec::new();
        let mut seen = BTreeSet::new();
        for rule in configs.flat_map(|vs| vs.spec.each("tls")) {
            let ours = |m: &&Node| self.meant(m, number);
            for condition in rule.each("match").iter().filter(ours) {
                let texts = |key: &str| -> Vec<String> {
                    condition
                        .texts(key)
                        .into_iter()
                        .map(str::to_string)
                        .collect()
                };
                let (names, subnets) = (texts("sniHosts"), texts("destinationSubnets"));
                if !subnets.is_empty() {
                    networks.clone_from(&subnets);
                }
                if seen.insert((names.clone(), subnets)) {
                    chains.push(Chain {
                        names,
                        networks: networks.clone(),
                        http: false,
                        end: End::Tcp(destinations(self.world, self.proxy, rule, number)),
                        span: condition.span,
                    });
                }
            }
        }
        if chains.is_empty() {
            // Where nothing else tells services apart, their names do.
            let own = if own.contains('/') { "" } else { own };
            let by_name =
                !networks.is_empty() || own.is_empty() || own == ANY && place.address == ANY;
            let names = by_name.then(|| place.service.hostname.clone());
            chains.push(place.straight(names.into_iter().collect(), networks));
        }
        chains
    }

    fn tcp_chains<'v>(
        &self,
        place: &Place<'_, 'w>,
        configs: impl Iterator<Item = &'v &'w Object>,
    ) -> Vec<Chain>
    where
        'w: 'v,
    {
        let number = i64::from(place.port.number);
        let mut chains: Vec<Chain> = Vec::new();
        let mut covered = false;
        for rule in configs.flat_map(|vs| vs.spec.each("tcp")) {
            let chain = |networks: Vec<String>| Chain {
                names: Vec::new(),
                networks,
                http: false,
                end: End::Tcp(destinations(self.world, self.proxy, rule, number)),
                span: rule.span,
            };
            let matches = rule.each("match");
            let meant = matches.iter().filter(|m| self.meant(m, number));
            let mut subnets: Vec<String> = Vec::new();
            let mut all = matches.is_empty();
            for condition in meant {
                let own = condition.texts("destinationSubnets");
                if own.is_empty() {
                    all = true;
                    break;
                }
                subnets.extend(own.into_iter().map(str::to_string));
            }
            if all {
                chains.push(chain(place.networks.clone()));
                return chains;
            }
            if !subnets.is_empty() {
                subnets.sort();
                covered |= subnets == place.networks;
                chains.push(chain(subnets));
            }
        }
        if !covered {
            chains.push(place.straight(Vec::new(), place.networks.clone()));
        }
        chains
    }

    /// What of a condition is known before there is a connection (`matchTLS`, `matchTCP`).
    fn meant(&self, condition: &Node, number: i64) -> bool {
        let (port, gateways) = (condition.number("port"), condition.texts("gateways"));
        let labels = condition.sorted("sourceLabels");
        let ours = |k: &str| self.proxy.labels.get(k).map(String::as_str);
        let namespace = condition.text("sourceNamespace");
        (port == 0 || port == number)
            && (gateways.is_empty() || gateways.contains(&"mesh"))
            && labels.iter().all(|e| ours(&e.key) == e.value.str())
            && (namespace.is_empty() || namespace == self.proxy.namespace)
    }
}

impl Place<'_, '_> {
    fn http(&self, sniffed: bool) -> Chain {
        let own = self.protocol == Protocol::Unknown && self.address != ANY;
        let routes = match own {
            true => format!("{}:{}", self.service.hostname, self.port.number),
            false => self.port.number.to_string(),
        };
        Chain {
            names: Vec::new(),
            networks: Vec::new(),
            http: sniffed,
            end: End::Http(routes),
            span: self.port.span,
        }
    }

    fn straight(&self, names: Vec<String>, networks: Vec<String>) -> Chain {
        let cluster = cluster_name("", &self.service.hostname, self.port.number.into());
        Chain {
            names,
            networks,
            http: false,
            end: End::Tcp(vec![(cluster, 1)]),
            span: self.port.span,
        }
    }
}

impl Chain {
    fn takes_all(&self) -> bool {
        self.names.is_empty() && self.networks.is_empty() && !self.http
    }

    /// The order is of no matter, nor is what lets everything in.
    fn conflicts(&self, other: &Chain) -> bool {
        let names = |c: &Chain| -> BTreeSet<String> {
            c.names.iter().filter(|n| *n != "*").cloned().collect()
        };
        let networks = |c: &Chain| -> BTreeSet<IpNetwork> { c.networks().collect() };
        self.http == other.http && names(self) == names(other) && networks(self) == networks(other)
    }

    fn networks(&self) -> impl Iterator<Item = IpNetwork> {
        let all = self
            .networks
            .iter()
            .filter_map(|n| n.parse::<IpNetwork>().ok());
        let all = all.filter(|n| !n.ip().is_unspecified());
        all.filter_map(|n| IpNetwork::new(n.network(), n.prefix()).ok())
    }

    fn condition(&self) -> Message {
        let span = self.span;
        let mut out = Message::new(span);
        if self.http {
            out = out
                .str("transportProtocol", "raw_buffer")
                .strings("applicationProtocols", &["http/1.1".into(), "h2c".into()]);
        }
        if !self.names.is_empty() && !self.names.iter().any(|n| n == "*") {
            let mut names = self.names.clone();
            names.sort();
            out = out.strings("serverNames", &names);
        }
        let mut networks: Vec<IpNetwork> = self.networks().collect();
        networks.sort_by_key(ToString::to_string);
        let ranges = networks.iter().map(|n| {
            let range = Message::new(span).str("addressPrefix", n.network().to_string());
            range.int("prefixLen", n.prefix()).end()
        });
        out.some("prefixRanges", ranges.collect())
    }
}

impl Entry {
    fn end(self, address: &str, port: u16, world: &World, any: bool) -> Node {
        let span = self.span;
        let name = format!("{address}_{port}");
        let mut out = listener(&name, address, port.into(), span);
        let mut inspectors = Vec::new();
        if self.chains.iter().any(|c| !c.names.is_empty()) {
            inspectors.push("envoy.filters.listener.tls_inspector");
        }
        if self.chains.iter().any(|c| c.http) {
            inspectors.push("envoy.filters.listener.http_inspector");
        }
        let (mut chains, mut rest) = (Vec::new(), None);
        for chain in self.chains {
            let filter = match &chain.end {
                End::Tcp(clusters) => tcp_proxy(clusters, chain.span),
                End::Http(routes) => {
                    let manager = Manager {
                        mesh: &world.mesh,
                        access: None,
                        trusted_proxies: 0,
                        silent: &OUTBOUND,
                        server_name: None,
                        use_remote_address: false,
                        client_cert: None,
                    };
                    manager.filter(rds(routes, span), span)
                }
            };
            let made = Message::new(chain.span).list("filters", vec![filter]);
            match chain.takes_all() {
                true => rest = Some(made.end()),
                false => chains.push(made.message("filterChainMatch", chain.condition()).end()),
            }
        }
        match rest {
            Some(only) if chains.is_empty() => chains.push(only),
            rest => {
                let rest = rest.unwrap_or_else(|| passthrough(any, span));
                out = out.node("defaultFilterChain", rest);
            }
        }
        out.list("filterChains", chains)
            .some("listenerFilters", listener_filters(&inspectors, span))
            .bool("bindToPort", self.binds)
            .end()
    }
}

fn passthrough(any: bool, span: Span) -> Node {
    let (name, cluster) = match any {
        true => ("PassthroughFilterChain", "PassthroughCluster"),
        false => ("BlackHoleFilterChain", "BlackHoleCluster"),
    };
    let filter = tcp_proxy(&[(cluster.to_string(), 1)], span);
    Message::new(span)
        .str("name", name)
        .list("filters", vec![filter])
        .end()
}
