use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::service::address;
use super::{IpFamily, Meta, Spanned, parse_cidr};
use crate::say;
use crate::text::Span;
use crate::yaml::Fields;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub meta: Meta,
    pub internal_ips: Vec<Spanned<IpAddr>>,
    pub external_ips: Vec<Spanned<IpAddr>>,
    pub pod_cidrs: Vec<Spanned<IpNetwork>>,
    /// `None` where the status does not say.
    pub ready: Option<Spanned<bool>>,
    /// Where it says that nothing has been heard of it for long (`Ready` is `Unknown`).
    pub silent: Option<Span>,
    /// Cordoned.
    pub unschedulable: Option<Span>,
    /// `status.nodeInfo.kubeletVersion`
    pub kubelet: Option<Spanned<Box<str>>>,
}

impl Node {
    /// The first internal address of a family, which is what kube-proxy takes for the node's own.
    pub fn ip(&self, family: IpFamily) -> Option<&Spanned<IpAddr>> {
        self.internal_ips
            .iter()
            .find(|ip| IpFamily::of(ip.value) == family)
    }

    pub fn pod_cidr(&self, family: IpFamily) -> Option<&Spanned<IpNetwork>> {
        self.pod_cidrs
            .iter()
            .find(|net| IpFamily::of_net(net.value) == family)
    }

    pub fn zone(&self) -> Option<&Spanned<Box<str>>> {
        self.meta.labels.get("topology.kubernetes.io/zone")
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Node {
        let mut node = Node {
            meta: Meta::read(&mut fields, false),
            internal_ips: Vec::new(),
            external_ips: Vec::new(),
            pod_cidrs: Vec::new(),
            ready: None,
            silent: None,
            unschedulable: None,
            kubelet: None,
        };
        if let Some(spec) = fields.get("spec").and_then(|s| s.fields()) {
            node.read_spec(spec);
        }
        if let Some(status) = fields.get("status").and_then(|s| s.fields()) {
            node.read_status(status);
        }
        fields.end();
        node
    }

    fn read_spec(&mut self, mut spec: Fields<'_>) {
        let (one, many) = (spec.get("podCIDR"), spec.get("podCIDRs"));
        let all: Vec<_> = match (many, one) {
            (Some(many), _) => many.items().collect(),
            (None, one) => one.into_iter().collect(),
        };
        for cursor in all {
            let Some(text) = cursor.str() else {
                continue;
            };
            match parse_cidr(text) {
                Some(net) => self.pod_cidrs.push(Spanned::new(net, cursor.span())),
                None => cursor.error(say!(
                    "manifest/bad-cidr",
                    path = cursor.path(),
                    found = text
                )),
            }
        }
        self.unschedulable = spec
            .get("unschedulable")
            .filter(|c| c.bool() == Some(true))
            .map(|c| c.span());
        spec.no_matter(&["configSource", "externalID", "providerID", "taints"]);
        spec.end();
    }

    fn read_status(&mut self, mut status: Fields<'_>) {
        if let Some(addresses) = status.get("addresses") {
            for cursor in addresses.items() {
                let Some(mut item) = cursor.fields() else {
                    continue;
                };
                let kind = item.required("type").and_then(|c| c.str());
                let list = match kind {
                    Some("InternalIP") => &mut self.internal_ips,
                    Some("ExternalIP") => &mut self.external_ips,
                    _ => continue,
                };
                let ip = item.required("address").and_then(|c| address(c, c.str()?));
                list.extend(ip);
            }
        }
        if let Some(conditions) = status.get("conditions") {
            for cursor in conditions.items() {
                let field = |key| cursor.node.field(key).and_then(|n| n.str());
                if field("type") == Some("Ready") {
                    let ready = field("status") == Some("True");
                    self.ready = Some(Spanned::new(ready, cursor.span()));
                    self.silent = (field("status") == Some("Unknown")).then(|| cursor.span());
                }
            }
        }
        let version = status
            .get("nodeInfo")
            .and_then(|c| c.fields()?.get("kubeletVersion"));
        self.kubelet = version.and_then(|c| Some(Spanned::new(c.str()?.into(), c.span())));
        status.no_matter(&[
            "allocatable",
            "capacity",
            "config",
            "daemonEndpoints",
            "features",
            "images",
            "phase",
            "runtimeHandlers",
            "volumesAttached",
            "volumesInUse",
        ]);
        status.end();
    }
}
