use super::Meta;
use super::endpoint_slice::{Endpoint, EndpointPort};
use super::service::address;
use crate::yaml::{Cursor, Fields};

/// Endpoints of v1, which people write for Services without a selector, as they did before there were EndpointSlices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub meta: Meta,
    pub subsets: Vec<Subset>,
}

/// Addresses that have the same ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset {
    pub endpoints: Vec<Endpoint>,
    pub ports: Vec<EndpointPort>,
}

impl Endpoints {
    pub(super) fn read(mut fields: Fields<'_>) -> Endpoints {
        let meta = Meta::read(&mut fields, true);
        let subsets = fields.get("subsets").map(|list| {
            let subsets = list.items().filter_map(|c| c.fields());
            subsets.map(Subset::read).collect()
        });
        fields.end();
        Endpoints {
            meta,
            subsets: subsets.unwrap_or_default(),
        }
    }
}

impl Subset {
    fn read(mut fields: Fields<'_>) -> Subset {
        let mut endpoints = Vec::new();
        for (key, ready) in [("addresses", true), ("notReadyAddresses", false)] {
            let list = fields.get(key).map(|list| list.items());
            let list = list.into_iter().flatten();
            endpoints.extend(list.filter_map(|c| endpoint(c, ready)));
        }
        let ports = fields.get("ports").map(|list| list.items());
        let ports = ports.into_iter().flatten();
        let ports = ports.filter_map(|c| EndpointPort::read(c, Fields::required));
        let ports = ports.collect();
        fields.end();
        Subset { endpoints, ports }
    }
}

/// As the controller mirrors it (`addressToEndpoint`, `pkg/controller/endpointslicemirroring`): only `ready` is told.
fn endpoint(cursor: Cursor<'_>, ready: bool) -> Option<Endpoint> {
    let mut fields = cursor.fields()?;
    let ip = fields.required("ip").and_then(|c| address(c, c.str()?));
    let target = fields.get("targetRef").and_then(|c| c.node.field("name"));
    let endpoint = Endpoint {
        address: ip,
        more_addresses: Vec::new(),
        ready,
        serving: true,
        terminating: false,
        node_name: fields.str("nodeName").map(Into::into),
        zone: None,
        zone_hints: Vec::new(),
        node_hints: Vec::new(),
        target: target.and_then(|n| n.str()).map(Into::into),
        span: cursor.span(),
    };
    fields.no_matter(&["hostname"]);
    fields.end();
    Some(endpoint)
}
