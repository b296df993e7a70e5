use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::service::{address, port_number};
use super::{Meta, Protocol, Service, Spanned};
use crate::text::Span;
use crate::yaml::{Cursor, Fields};

/// The label that says whose endpoints a slice holds.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// An EndpointSlice of discovery.k8s.io/v1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSlice {
    pub meta: Meta,
    /// The Service, of the slice's own namespace.
    pub service: Option<Spanned<Box<str>>>,
    pub address_type: AddressType,
    pub ports: Vec<EndpointPort>,
    pub endpoints: Vec<Endpoint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum AddressType {
    V4,
    V6,
    Fqdn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPort {
    /// Empty where it has none.
    pub name: Box<str>,
    /// `None` for all ports, which kube-proxy ignores.
    pub port: Option<Spanned<u16>>,
    pub protocol: Protocol,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The first of its addresses, which is the only one that kube-proxy uses. None where addresses are names.
    pub address: Option<Spanned<IpAddr>>,
    /// The others.
    pub more_addresses: Vec<Spanned<IpAddr>>,
    /// Absent conditions are those of an endpoint that serves.
    pub ready: bool,
    pub serving: bool,
    pub terminating: bool,
    pub node_name: Option<Arc<str>>,
    pub zone: Option<Box<str>>,
    pub zone_hints: Vec<Box<str>>,
    pub node_hints: Vec<Box<str>>,
    /// The Pod behind it.
    pub target: Option<Box<str>>,
    pub span: Span,
}

impl EndpointSlice {
    /// Whether it has endpoints of a Service: by its label.
    pub fn is_of(&self, service: &Service) -> bool {
        let named = self.service.as_ref();
        named.is_some_and(|n| n.value == service.meta.name)
            && self.meta.namespace == service.meta.namespace
    }

    pub(super) fn read(mut fields: Fields<'_>) -> EndpointSlice {
        let meta = Meta::read(&mut fields, true);
        let service = meta.labels.get(SERVICE_NAME).cloned();
        let types = [
            ("IPv4", AddressType::V4),
            ("IPv6", AddressType::V6),
            ("FQDN", AddressType::Fqdn),
        ];
        let address_type = fields
            .required("addressType")
            .and_then(|c| c.one_of(&types))
            .unwrap_or(AddressType::V4);
        let mut slice = EndpointSlice {
            meta,
            service,
            address_type,
            ports: Vec::new(),
            endpoints: Vec::new(),
        };
        if let Some(ports) = fields.get("ports") {
            let ports = ports.items();
            let ports = ports.filter_map(|c| EndpointPort::read(c, Fields::get));
            slice.ports = ports.collect();
        }
        if let Some(endpoints) = fields.get("endpoints") {
            let mut nodes = Names::default();
            slice.endpoints = endpoints
                .items()
                .filter_map(|c| Endpoint::read(c, address_type, &mut nodes))
                .collect();
        }
        fields.end();
        slice
    }
}

impl EndpointPort {
    /// `number` is how its number is asked for.
    pub(super) fn read<'n>(
        cursor: Cursor<'n>,
        number: fn(&mut Fields<'n>, &'static str) -> Option<Cursor<'n>>,
    ) -> Option<EndpointPort> {
        let mut fields = cursor.fields()?;
        let port = EndpointPort {
            name: fields.str("name").unwrap_or_default().into(),
            port: number(&mut fields, "port")
                .and_then(|c| Some(Spanned::new(port_number(c)?, c.span()))),
            protocol: Protocol::read(fields.get("protocol")),
            span: cursor.span(),
        };
        fields.no_matter(&["appProtocol"]);
        fields.end();
        Some(port)
    }
}

impl Endpoint {
    pub fn addresses(&self) -> impl Iterator<Item = &Spanned<IpAddr>> {
        self.address.iter().chain(&self.more_addresses)
    }

    fn read(cursor: Cursor<'_>, kind: AddressType, nodes: &mut Names) -> Option<Endpoint> {
        let mut fields = cursor.fields()?;
        let mut endpoint = Endpoint {
            address: None,
            more_addresses: Vec::new(),
            ready: true,
            serving: true,
            terminating: false,
            node_name: fields.str("nodeName").map(|name| nodes.name(name)),
            zone: fields.str("zone").map(Into::into),
            zone_hints: Vec::new(),
            node_hints: Vec::new(),
            target: None,
            span: cursor.span(),
        };
        if let Some(addresses) = fields.required("addresses")
            && kind != AddressType::Fqdn
        {
            let mut all = addresses.items().filter_map(|c| address(c, c.str()?));
            endpoint.address = all.next();
            endpoint.more_addresses = all.collect();
        }
        if let Some(mut conditions) = fields.get("conditions").and_then(|c| c.fields()) {
            endpoint.ready = conditions.bool("ready").unwrap_or(true);
            endpoint.serving = conditions.bool("serving").unwrap_or(true);
            endpoint.terminating = conditions.bool("terminating").unwrap_or(false);
            conditions.end();
        }
        if let Some(mut hints) = fields.get("hints").and_then(|c| c.fields()) {
            endpoint.zone_hints = names(hints.get("forZones"));
            endpoint.node_hints = names(hints.get("forNodes"));
            hints.end();
        }
        if let Some(target) = fields.get("targetRef") {
            endpoint.target = target
                .node
                .field("name")
                .and_then(|n| n.str())
                .map(Into::into);
        }
        fields.no_matter(&["hostname", "deprecatedTopology"]);
        fields.end();
        Some(endpoint)
    }
}

/// Names that a slice repeats, kept once.
#[derive(Default)]
struct Names(Vec<Arc<str>>);

impl Names {
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().rev().take(16).find(|n| ***n == *name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.0.push(name.clone());
        name
    }
}

/// `[{name: …}, …]`
fn names(list: Option<Cursor<'_>>) -> Vec<Box<str>> {
    let Some(list) = list else {
        return Vec::new();
    };
    list.items()
        .filter_map(|item| Some(item.fields()?.required("name")?.str()?.into()))
        .collect()
}
