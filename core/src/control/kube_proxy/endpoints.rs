use std::collections::BTreeMap;
use std::net::IpAddr;

use super::services::watched;
use super::version::{Chains, Dialect, Hints};
use super::{AddressText, Proxier, ServicePort};
use crate::manifest::{self, AddressType, EndpointSlice, IpFamily};

/// The endpoints of a Service port.
#[derive(Clone, Debug, Default)]
pub struct Endpoints<'a> {
    /// Ready or not.
    pub all: Vec<Endpoint<'a>>,
    /// Those that traffic policy Cluster uses, and those that Local uses, by their places in `all`.
    pub cluster: Vec<u32>,
    pub local: Vec<u32>,
    /// Both.
    pub reachable: Vec<u32>,
    /// Whether any endpoint can be used from anywhere.
    pub any: bool,
}

#[derive(Clone, Debug)]
pub struct Endpoint<'a> {
    /// `ip:port`, `[ip]:port`
    pub text: AddressText,
    pub ip: IpAddr,
    pub port: u16,
    /// On this node.
    pub local: bool,
    pub ready: bool,
    pub serving: bool,
    pub terminating: bool,
    pub source: &'a manifest::Endpoint,
}

impl Endpoint<'_> {
    /// Both as text, the address without brackets.
    pub fn ip_and_port(&self) -> (&str, &str) {
        let (host, port) = self.text.as_str().rsplit_once(':').unwrap_or_default();
        let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        (inner.unwrap_or(host), port)
    }

    pub fn ip_text(&self) -> &str {
        self.ip_and_port().0
    }
}

/// The slices of a family by namespace and name of their Service, each Service's in the order of their own names.
#[derive(Clone, Debug)]
pub(super) struct Slices<'a>(Vec<((&'a str, &'a str), &'a EndpointSlice)>);

impl<'a> Slices<'a> {
    pub(super) fn new(slices: &'a [EndpointSlice], family: IpFamily, dialect: &Dialect) -> Self {
        let wanted = match family {
            IpFamily::V4 => AddressType::V4,
            IpFamily::V6 => AddressType::V6,
        };
        let watched = slices
            .iter()
            .filter(|s| s.address_type == wanted && watched(&s.meta));
        let mut sorted: Vec<_> = watched
            .filter_map(|s| Some(((&*s.meta.namespace, &*s.service.as_ref()?.value), s)))
            .filter(|((_, service), _)| !service.is_empty())
            .collect();
        match dialect.from_slices {
            true => sorted.sort_by(|a, b| (a.0, &a.1.meta.name).cmp(&(b.0, &b.1.meta.name))),
            false => sorted.sort_by_key(|(service, _)| *service),
        }
        Self(sorted)
    }

    /// How many distinct addresses of each Service are ready on this node.
    pub(super) fn local_ready(&self, node: &str) -> BTreeMap<(&'a str, &'a str), u32> {
        let mut ready = BTreeMap::new();
        for slices in self.0.chunk_by(|a, b| a.0 == b.0) {
            let mut ips: Vec<IpAddr> = slices
                .iter()
                .map(|(_, slice)| slice)
                .filter(|s| s.ports.iter().any(|p| p.port.is_some()))
                .flat_map(|s| &s.endpoints)
                .filter(|e| e.ready && e.node_name.as_deref() == Some(node))
                .filter_map(|e| e.address.map(|a| a.value))
                .collect();
            ips.sort_unstable();
            ips.dedup();
            if let Some((service, _)) = slices.first().filter(|_| !ips.is_empty()) {
                ready.insert(*service, u32::try_from(ips.len()).unwrap_or(u32::MAX));
            }
        }
        ready
    }

    /// Gives each port its endpoints. The ports are in the order of their Services' namespaces and names.
    pub(super) fn spread(&self, ports: &mut [ServicePort<'a>], proxier: &Proxier<'a>) {
        let mut rest = &self.0[..];
        for port in ports {
            let meta = &port.service.meta;
            let key = (&*meta.namespace, &*meta.name);
            let before = rest
                .iter()
                .take_while(|(service, _)| *service < key)
                .count();
            rest = rest.get(before..).unwrap_or_default();
            let count = rest
                .iter()
                .take_while(|(service, _)| *service == key)
                .count();
            let slices = rest.get(..count).unwrap_or_default();
            port.endpoints = Endpoints::new(slices.iter().map(|(_, s)| *s), port, proxier);
        }
    }
}

impl<'a> Endpoints<'a> {
    fn new(
        slices: impl Iterator<Item = &'a EndpointSlice> + Clone,
        port: &ServicePort<'a>,
        proxier: &Proxier<'a>,
    ) -> Self {
        let dialect = proxier.dialect();
        let all = collect(slices, port, &proxier.node.meta.name, dialect);
        let mut endpoints = Endpoints {
            all,
            ..Endpoints::default()
        };
        match dialect.chains {
            Chains::ExtSvl => endpoints.categorize(port, proxier),
            Chains::FwXlb | Chains::FwXlbMarkInSvc => endpoints.filter(port),
        }
        endpoints
    }
}

/// `pkg/proxy/endpointslicecache.go`; before 1.19 the Endpoints object held the ready ones, in its own order.
fn collect<'a>(
    slices: impl Iterator<Item = &'a EndpointSlice> + Clone,
    wanted: &ServicePort<'a>,
    node: &str,
    dialect: &Dialect,
) -> Vec<Endpoint<'a>> {
    let most = slices.clone().map(|s| s.endpoints.len()).sum();
    let mut all = Vec::with_capacity(most);
    for slice in slices {
        let matching = |p: &&manifest::EndpointPort| {
            *p.name == *wanted.port.name && p.protocol == wanted.port.protocol
        };
        for number in slice.ports.iter().filter(matching).filter_map(|p| p.port) {
            for source in &slice.endpoints {
                let Some(address) = source.address else {
                    continue;
                };
                if !dialect.from_slices && !source.ready {
                    continue;
                }
                let (ip, port) = (address.value, number.value);
                all.push(Endpoint {
                    text: AddressText::of(ip, port),
                    ip,
                    port,
                    local: source.node_name.as_deref() == Some(node),
                    ready: source.ready,
                    serving: source.serving,
                    terminating: source.terminating,
                    source,
                });
            }
        }
    }
    if dialect.from_slices {
        all.sort_by_key(|e| e.text);
        let wins = |later: &Endpoint<'_>| match dialect.running_wins {
            true => !later.terminating,
            false => later.local,
        };
        all.dedup_by(|later, kept| {
            let same = later.text == kept.text;
            if same && wins(later) {
                std::mem::swap(later, kept);
            }
            same
        });
    }
    all
}

impl Endpoints<'_> {
    /// The places of those that `keep` takes.
    fn places(&self, keep: impl Fn(&Endpoint<'_>) -> bool) -> Vec<u32> {
        let mut places = Vec::with_capacity(self.all.len());
        places.extend(
            (0..)
                .zip(&self.all)
                .filter_map(|(at, e)| keep(e).then_some(at)),
        );
        places
    }

    /// Before 1.24: internal policy Local leaves the node's own, external policy Local beside it keeps all.
    fn filter(&mut self, port: &ServicePort<'_>) {
        let own_only = port.internal_local && !port.external_local;
        self.cluster = self.places(|e| e.ready && (e.local || !own_only));
        self.any = !self.cluster.is_empty();
        if port.external_local {
            self.local = self.places(|e| e.ready && e.local);
        }
        self.reachable = self.cluster.clone();
    }

    /// `pkg/proxy/topology.go`, `CategorizeEndpoints`.
    fn categorize(&mut self, port: &ServicePort<'_>, proxier: &Proxier<'_>) {
        let terminating = proxier.dialect().terminating;
        let drains = |e: &Endpoint<'_>| terminating && e.serving && e.terminating;
        let mut topology = Topology::None;
        if port.uses_cluster() {
            topology = self.topology(port, proxier);
            self.cluster = self.places(|e| e.ready && topology.takes(e));
            if self.cluster.is_empty() {
                self.cluster = self.places(drains);
            }
            self.any = !self.cluster.is_empty();
        }
        if !port.uses_local() {
            self.reachable = self.cluster.clone();
            return;
        }
        self.any |= self.all.iter().any(|e| e.ready || drains(e));
        self.local = self.places(|e| e.local && e.ready);
        let mut drained = false;
        if self.local.is_empty() {
            self.local = self.places(|e| e.local && drains(e));
            drained = !self.local.is_empty();
        }
        self.reachable = if !port.uses_cluster() {
            self.local.clone()
        } else if topology == Topology::None && !drained {
            self.cluster.clone()
        } else {
            let mut both = [&self.cluster[..], &self.local[..]].concat();
            both.sort_unstable();
            both.dedup();
            both
        };
    }

    /// Node hints come before zone hints; each counts only where all that are ready have one, and one is for here.
    fn topology<'t>(&self, port: &ServicePort<'_>, proxier: &Proxier<'t>) -> Topology<'t> {
        let hints = proxier.dialect().hints;
        let annotation = |key| port.service.meta.annotations.get(key).map(|a| &*a.value);
        let old = annotation("service.kubernetes.io/topology-aware-hints");
        let honoured = match hints {
            Hints::Never => false,
            Hints::Auto => matches!(old, Some("Auto" | "auto")),
            Hints::Annotated => {
                let mode = old.or(annotation("service.kubernetes.io/topology-mode"));
                !matches!(mode, None | Some("" | "Disabled" | "disabled"))
            }
            Hints::Always => true,
        };
        if !honoured {
            return Topology::None;
        }
        let count = |topology: Topology<'_>, given: fn(&manifest::Endpoint) -> bool| {
            let mut ready = self.all.iter().filter(|e| e.ready);
            let mut some = false;
            ready.all(|e| {
                some |= topology.takes(e);
                given(e.source)
            }) && some
        };
        let node = Topology::Node(&proxier.node.meta.name);
        if hints == Hints::Always && count(node, |e| !e.node_hints.is_empty()) {
            return node;
        }
        let zone = proxier.node.zone().map(|z| &*z.value);
        let Some(zone) = zone.filter(|z| !z.is_empty()).map(Topology::Zone) else {
            return Topology::None;
        };
        match count(zone, |e| !e.zone_hints.is_empty()) {
            true => zone,
            false => Topology::None,
        }
    }
}

/// Which hints decide.
#[derive(Clone, Copy, PartialEq)]
enum Topology<'t> {
    None,
    Node(&'t str),
    Zone(&'t str),
}

impl Topology<'_> {
    fn takes(&self, endpoint: &Endpoint<'_>) -> bool {
        let hints = endpoint.source;
        match self {
            Topology::None => true,
            Topology::Node(node) => hints.node_hints.iter().any(|n| **n == **node),
            Topology::Zone(zone) => hints.zone_hints.iter().any(|z| **z == **zone),
        }
    }
}
