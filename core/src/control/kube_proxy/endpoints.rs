use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

use super::services::watched;
use super::version::{Chains, Dialect, Hints};
use super::{Proxier, ServicePort};
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
    pub text: String,
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
    /// The address without the port.
    pub fn ip_text(&self) -> &str {
        let host = self.text.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

/// The slices of a family by Service, each Service's in the order of their names.
#[derive(Clone, Debug)]
pub(super) struct Slices<'a> {
    by_service: BTreeMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>,
}

impl<'a> Slices<'a> {
    pub(super) fn new(slices: &'a [EndpointSlice], family: IpFamily, dialect: &Dialect) -> Self {
        let wanted = match family {
            IpFamily::V4 => AddressType::V4,
            IpFamily::V6 => AddressType::V6,
        };
        let mut by_service: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for slice in slices
            .iter()
            .filter(|s| s.address_type == wanted && watched(&s.meta))
        {
            if let Some(service) = slice.service.as_ref().filter(|s| !s.value.is_empty()) {
                let key = (&*slice.meta.namespace, &*service.value);
                by_service.entry(key).or_default().push(slice);
            }
        }
        if dialect.from_slices {
            for slices in by_service.values_mut() {
                slices.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
            }
        }
        Self { by_service }
    }

    /// How many distinct addresses of each Service are ready on this node.
    pub(super) fn local_ready(&self, node: &str) -> BTreeMap<(&'a str, &'a str), u32> {
        let mut ready = BTreeMap::new();
        for (service, slices) in &self.by_service {
            let mut ips: Vec<IpAddr> = slices
                .iter()
                .filter(|s| s.ports.iter().any(|p| p.port.is_some()))
                .flat_map(|s| &s.endpoints)
                .filter(|e| e.ready && e.node_name.as_deref() == Some(node))
                .filter_map(|e| e.addresses.first().map(|a| a.value))
                .collect();
            ips.sort_unstable();
            ips.dedup();
            if !ips.is_empty() {
                ready.insert(*service, u32::try_from(ips.len()).unwrap_or(u32::MAX));
            }
        }
        ready
    }

    /// What a Service port can use.
    pub(super) fn of(&self, port: &ServicePort<'a>, proxier: &Proxier<'a>) -> Endpoints<'a> {
        let meta = &port.service.meta;
        let key = (&*meta.namespace, &*meta.name);
        let Some(slices) = self.by_service.get(&key) else {
            return Endpoints::default();
        };
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
    slices: &[&'a EndpointSlice],
    wanted: &ServicePort<'a>,
    node: &str,
    dialect: &Dialect,
) -> Vec<Endpoint<'a>> {
    let mut all = Vec::new();
    for slice in slices {
        let matching = |p: &&manifest::EndpointPort| {
            *p.name == *wanted.port.name && p.protocol == wanted.port.protocol
        };
        for number in slice.ports.iter().filter(matching).filter_map(|p| p.port) {
            for source in &slice.endpoints {
                let Some(address) = source.addresses.first() else {
                    continue;
                };
                if !dialect.from_slices && !source.ready {
                    continue;
                }
                let (ip, port) = (address.value, number.value);
                let mut text = String::with_capacity(22);
                let _ = match ip {
                    IpAddr::V4(ip) => write!(text, "{ip}:{port}"),
                    IpAddr::V6(ip) => write!(text, "[{ip}]:{port}"),
                };
                all.push(Endpoint {
                    text,
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
        all.sort_by(|a, b| a.text.cmp(&b.text));
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
        (0..)
            .zip(&self.all)
            .filter_map(|(at, e)| keep(e).then_some(at))
            .collect()
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
