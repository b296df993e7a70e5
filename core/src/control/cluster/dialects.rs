//! The same Service as every release of kube-proxy programs it.

use super::facts::Facts;
use super::network::NodeNetwork;
use super::node::{host, proxier};
use super::{Cluster, Sheet};
use crate::control::kube_proxy::{Proxier, Version, View, iptables, nftables};
use crate::manifest::{EndpointSlice, Environment, IpFamily, ProxyMode};

/// A release's own words for a Service, of one address family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub version: Version,
    pub mode: ProxyMode,
    pub family: IpFamily,
    /// Only the lines that the Service made, and of iptables the tables around them.
    pub sheet: Sheet,
}

impl Dialect {
    /// Whose language the lines are in.
    pub fn tool(&self) -> &'static str {
        match (self.mode, self.family) {
            (ProxyMode::Nftables, IpFamily::V4) => "nftables",
            (ProxyMode::Nftables, IpFamily::V6) => "nftables ip6",
            (_, IpFamily::V4) => "iptables",
            (_, IpFamily::V6) => "ip6tables",
        }
    }
}

impl Cluster {
    /// A Service, by its place among the objects, on a node, by its place there: on each release in iptables mode, and in
    /// nftables mode on the one whose rules are known, each for every family of the node that the Service has.
    pub fn dialects(&self, service: usize, node: usize) -> Vec<Dialect> {
        let (Some(service), Some(node)) = (
            self.objects.services.get(service),
            self.objects.nodes.get(node),
        ) else {
            return Vec::new();
        };
        let facts = Facts::new(&self.objects, &mut Vec::new());
        let network = NodeNetwork::new(&self.objects, &facts, node);
        let host = host(&facts, &network);
        let slices = self.objects.endpoint_slices.iter();
        let slices: Vec<EndpointSlice> = slices.filter(|s| s.is_of(service)).cloned().collect();
        let iptables = Version::ALL.map(|version| (version, ProxyMode::Iptables));
        let both = iptables
            .into_iter()
            .chain([(Version::V1_36, ProxyMode::Nftables)]);
        let of = |(version, mode), family| {
            let proxier = Proxier {
                version,
                mode,
                ..proxier(&facts, node, &host)
            };
            let view = View::new(std::slice::from_ref(service), &slices, proxier, family);
            Dialect {
                version,
                mode,
                family,
                sheet: own_lines(&view),
            }
        };
        let mut all = Vec::new();
        for dialect in both {
            let families = facts.families(node).map(|family| of(dialect, family));
            let (spoken, silent): (Vec<_>, Vec<_>) =
                families.partition(|d| !d.sheet.text().is_empty());
            match spoken.is_empty() {
                true => all.extend(silent.into_iter().next()),
                false => all.extend(spoken),
            }
        }
        all
    }
}

impl Cluster {
    /// The release that its kube-proxies are of.
    pub fn version(&self) -> Version {
        Facts::new(&self.objects, &mut Vec::new()).version
    }

    /// What the manifests do not say, with defaults for what nobody said.
    pub fn environment(&self) -> Environment {
        Facts::new(&self.objects, &mut Vec::new()).env
    }

    pub fn proxy_mode(&self) -> ProxyMode {
        let given = self.objects.kube_proxy.first().and_then(|c| c.mode);
        given.map_or(ProxyMode::Iptables, |m| m.value)
    }

    /// A node's rules of a family, by its place among the objects, as a release in iptables mode would write them.
    pub fn rules_of(&self, node: usize, version: Version, family: IpFamily) -> Option<String> {
        let node = self.objects.nodes.get(node)?;
        let facts = Facts::new(&self.objects, &mut Vec::new());
        let network = NodeNetwork::new(&self.objects, &facts, node);
        let host = host(&facts, &network);
        let proxier = Proxier {
            version,
            mode: ProxyMode::Iptables,
            ..proxier(&facts, node, &host)
        };
        let (services, slices) = (&self.objects.services, &self.objects.endpoint_slices);
        let view = View::new(services, slices, proxier, family);
        Some(iptables::rules(&view).save(version).into_text())
    }
}

fn own_lines(view: &View<'_>) -> Sheet {
    let lines = match view.proxier.mode {
        ProxyMode::Nftables => nftables::rules(view).listing(),
        _ => iptables::rules(view).save(view.proxier.version),
    };
    let mut sheet = Sheet::default();
    let mut frame = None;
    for (line, origin) in lines.text().lines().zip(lines.origins()) {
        if origin.port.is_some() {
            if let Some(frame) = frame.take() {
                sheet.line(&[], frame);
            }
            sheet.line(&view.spans(*origin), line);
        } else if line.starts_with('*') || opens(line) {
            frame = Some(line);
        }
    }
    sheet
}

/// The head of a chain, set or map of nftables.
fn opens(line: &str) -> bool {
    line.ends_with('{') && !line.starts_with("table")
}
