//! The files of our own: the client, the load balancer and the VPC, as small YAML.

use std::net::IpAddr;
use std::sync::Arc;

use ipnetwork::IpNetwork;

use crate::load_balancer::{
    Backend, Forwarding, Health, HealthCheck, Listener, LoadBalancer, Scheduler,
};
use crate::net::{Masked, Protocol};
use crate::route::{NextHop, Route, RouteKind, Scope, TableId};
use crate::say;
use crate::text::{Diagnostic, FileId, Span};
use crate::topology::IfaceAddr;
use crate::yaml::{self, Cursor, Fields, Log};

/// `client.yaml`: `name`, `address` with its prefix, `gateway`, and `address6` and `gateway6` of IPv6.
#[derive(Clone, Debug)]
pub struct ClientFile {
    pub name: Arc<str>,
    pub addrs: Vec<IfaceAddr>,
    pub gateways: Vec<IpAddr>,
    pub span: Span,
}

/// `load-balancer.yaml`: where it stands and what it does.
#[derive(Clone, Debug)]
pub struct BalancerFile {
    pub name: Arc<str>,
    /// Towards the clients; of IPv6 `outside6`.
    pub outside: Vec<IfaceAddr>,
    /// Towards the nodes; of IPv6 `inside6`.
    pub inside: Vec<IfaceAddr>,
    pub gateways: Vec<IpAddr>,
    pub balancer: LoadBalancer,
    pub span: Span,
}

/// `vpc.yaml`: the router's address in the nodes' network, of IPv6 `router6`, and its routes.
#[derive(Clone, Debug)]
pub struct VpcFile {
    pub name: Arc<str>,
    pub router: Vec<IfaceAddr>,
    pub routes: Vec<Route>,
}

pub fn client(text: &str, file: FileId) -> (Option<ClientFile>, Vec<Diagnostic>) {
    read(text, file, |fields, span| {
        let name = fields.str("name").unwrap_or("client").into();
        let addrs = interface_addresses(fields, "address", "address6");
        let gateways = gateways(fields);
        Some(ClientFile {
            name,
            addrs: addrs?,
            gateways,
            span,
        })
    })
}

pub fn load_balancer(text: &str, file: FileId) -> (Option<BalancerFile>, Vec<Diagnostic>) {
    read(text, file, |fields, span| {
        let name = fields.str("name").unwrap_or("slb").into();
        let outside = interface_addresses(fields, "outside", "outside6");
        let inside = interface_addresses(fields, "inside", "inside6");
        let gateways = gateways(fields);
        let sources: Vec<_> = inside.iter().flatten().map(|i| i.addr).collect();
        let source = sources.first().copied();
        let forwarding = forwarding(fields, source).unwrap_or(Forwarding::RewriteDestination);
        let listeners = fields
            .required("listeners")
            .map(|l| {
                let read = |l| listener(l, forwarding, &sources);
                l.items().filter_map(read).collect()
            })
            .unwrap_or_default();
        Some(BalancerFile {
            name,
            outside: outside?,
            inside: inside?,
            gateways,
            balancer: LoadBalancer {
                forwarding,
                listeners,
            },
            span,
        })
    })
}

pub fn vpc(text: &str, file: FileId) -> (Option<VpcFile>, Vec<Diagnostic>) {
    read(text, file, |fields, _| {
        let name = fields.str("name").unwrap_or("vpc").into();
        let router = interface_addresses(fields, "router", "router6");
        let routes = fields
            .get("routes")
            .map(|r| r.items().filter_map(route).collect())
            .unwrap_or_default();
        Some(VpcFile {
            name,
            router: router?,
            routes,
        })
    })
}

/// Where the value of `forwarding` stands in a `load-balancer.yaml`, for who wants to write another one there.
pub fn forwarding_span(text: &str) -> Option<std::ops::Range<usize>> {
    let (documents, _) = yaml::read(text, FileId(0));
    let value = documents.first()?.field("forwarding")?;
    Some(value.span.range())
}

/// The first document's fields, and what is to be said of them.
fn read<T>(
    text: &str,
    file: FileId,
    lower: impl FnOnce(&mut Fields<'_>, Span) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    let (documents, mut diagnostics) = yaml::read(text, file);
    let log = Log::default();
    let mut value = None;
    if let Some(document) = documents.first() {
        let cursor = Cursor::new(document, &log);
        if let Some(mut fields) = cursor.fields() {
            value = lower(&mut fields, cursor.span());
            fields.end();
        }
    }
    for further in documents.iter().skip(1) {
        diagnostics.push(Diagnostic::warning(
            further.span,
            say!("texts/one-document"),
        ));
    }
    diagnostics.extend(log.into_inner());
    (value, diagnostics)
}

fn address(cursor: Cursor<'_>) -> Option<IpAddr> {
    cursor.parse(say!("texts/an-address"))
}

fn prefix(cursor: Cursor<'_>) -> Option<IpNetwork> {
    let text = cursor.str()?;
    match text.split_once('/') {
        Some(_) => cursor.parse(say!("texts/a-prefix")),
        None => address(cursor).map(IpNetwork::from),
    }
}

fn interface_address(cursor: Cursor<'_>) -> Option<IfaceAddr> {
    let net = prefix(cursor)?;
    Some(IfaceAddr {
        span: Some(cursor.span()),
        ..IfaceAddr::new(net.ip(), net.prefix())
    })
}

/// An interface's address, and that of IPv6 where it has one.
fn interface_addresses(
    fields: &mut Fields<'_>,
    key: &'static str,
    key6: &'static str,
) -> Option<Vec<IfaceAddr>> {
    let first = fields.required(key).and_then(interface_address);
    let second = fields.get(key6).and_then(interface_address);
    Some([first?].into_iter().chain(second).collect())
}

fn gateways(fields: &mut Fields<'_>) -> Vec<IpAddr> {
    let mut read = |key| fields.get(key).and_then(address);
    [read("gateway"), read("gateway6")]
        .into_iter()
        .flatten()
        .collect()
}

fn forwarding(fields: &mut Fields<'_>, source: Option<IpAddr>) -> Option<Forwarding> {
    let kept = Forwarding::KeepDestination;
    let rewritten = Forwarding::RewriteDestination;
    let full = source.map_or(rewritten, |source| Forwarding::FullNat { source });
    fields.get("forwarding")?.one_of(&[
        ("keep-destination", kept),
        ("rewrite-destination", rewritten),
        ("full-nat", full),
    ])
}

fn port(fields: &mut Fields<'_>, key: &'static str) -> Option<u16> {
    fields.get(key)?.int_in(1..=65535)
}

fn listener(cursor: Cursor<'_>, usual: Forwarding, sources: &[IpAddr]) -> Option<Listener> {
    let mut fields = cursor.fields()?;
    let at = fields.required("address");
    let addr = at.and_then(address);
    let port = fields.required("port").and_then(|p| p.int_in(1..=65535));
    let protocol = fields
        .get("protocol")
        .and_then(|p| p.one_of(&[("TCP", Protocol::TCP), ("UDP", Protocol::UDP)]))
        .unwrap_or(Protocol::TCP);
    let schedulers = Scheduler::ALL.map(|s| (s.name(), s));
    let scheduler = fields
        .get("scheduler")
        .and_then(|s| s.one_of(&schedulers))
        .unwrap_or_default();
    let mut forwarding = forwarding(&mut fields, sources.first().copied());
    if let (Some(at), Some(addr)) = (at, addr)
        && let Forwarding::FullNat { source } = forwarding.unwrap_or(usual)
        && addr.is_ipv6() != source.is_ipv6()
    {
        // The source becomes the balancer's own address of the listener's family.
        let own = sources.iter().find(|s| s.is_ipv6() == addr.is_ipv6());
        let Some(source) = own.copied() else {
            at.error(say!("texts/full-nat-of-family"));
            return None;
        };
        forwarding = Some(Forwarding::FullNat { source });
    }
    let fail_open = fields.bool("failOpen").unwrap_or(false);
    let check = fields.get("healthCheck").and_then(health_check);
    let backends = fields
        .get("backends")
        .map(|b| b.items().filter_map(backend).collect())
        .unwrap_or_default();
    fields.end();
    Some(Listener {
        addr: addr?,
        port: port?,
        protocol,
        forwarding,
        scheduler,
        fail_open,
        check,
        backends,
        span: cursor.span(),
    })
}

fn health_check(cursor: Cursor<'_>) -> Option<HealthCheck> {
    let mut fields = cursor.fields()?;
    let check = HealthCheck {
        port: port(&mut fields, "port"),
        span: cursor.span(),
    };
    fields.not_modelled(&["path", "host", "interval", "timeout", "threshold"]);
    fields.end();
    Some(check)
}

fn backend(cursor: Cursor<'_>) -> Option<Backend> {
    let mut fields = cursor.fields()?;
    let addr = fields.required("address").and_then(address);
    let port = fields.required("port").and_then(|p| p.int_in(1..=65535));
    let name = fields.str("node");
    let weight = fields
        .get("weight")
        .and_then(|w| w.int_in(0..=1000))
        .unwrap_or(100);
    let health = match fields.bool("healthy") {
        Some(true) => Health::Healthy,
        Some(false) => Health::SaidUnhealthy,
        None => Health::Unchecked,
    };
    fields.end();
    let addr = addr?;
    Some(Backend {
        name: name.map_or_else(|| addr.to_string().into(), Arc::from),
        addr,
        port: port?,
        weight,
        health,
        span: cursor.span(),
    })
}

/// `{to: PREFIX, via: ADDRESS}`
fn route(cursor: Cursor<'_>) -> Option<Route> {
    let mut fields = cursor.fields()?;
    let to = fields.required("to").and_then(prefix);
    let via = fields.required("via").and_then(address);
    fields.end();
    let to = to?;
    Some(Route {
        table: TableId::MAIN,
        kind: RouteKind::Unicast,
        dst: Masked::prefix(to.ip(), to.prefix())?,
        tos: 0,
        metric: if to.ip().is_ipv4() { 0 } else { 1024 },
        scope: Scope::Global,
        protocol: None,
        source: None,
        hops: vec![NextHop {
            gateway: Some(via?),
            ..NextHop::default()
        }],
        mtu: None,
        span: Some(cursor.span()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALANCER: &str = "\
name: slb
forwarding: full-nat
outside: 203.0.113.1/24
inside: 192.168.0.100/24
listeners:
- address: 182.92.251.227
  port: 80
  scheduler: weighted
  healthCheck: {port: 31061}
  backends:
  - {node: work001, address: 192.168.0.17, port: 31061, weight: 50}
  - {node: work002, address: 192.168.0.18, port: 31061, healthy: false}
";

    #[test]
    fn a_text_that_is_none_of_it_is_told_without_a_path() {
        for (text, said) in [
            (
                "garbage",
                "the text must be a mapping, and is the string \"garbage\"",
            ),
            ("name: [a]", "name must be a string, and is a list"),
        ] {
            let (_, diagnostics) = client(text, FileId(0));
            let first = diagnostics[0].message.text(crate::text::Lang::En);
            assert_eq!(first, said);
        }
    }

    #[test]
    fn a_load_balancer_has_listeners_and_backends() {
        let (file, diagnostics) = load_balancer(BALANCER, FileId(0));
        assert_eq!(diagnostics, []);
        let file = file.unwrap();
        let source = "192.168.0.100".parse().unwrap();
        assert_eq!(file.balancer.forwarding, Forwarding::FullNat { source });
        let listener = &file.balancer.listeners[0];
        assert_eq!(listener.scheduler, Scheduler::Weighted);
        assert_eq!(listener.check.unwrap().port, Some(31061));
        assert_eq!(listener.backends[0].weight, 50);
        assert_eq!(listener.backends[1].health, Health::SaidUnhealthy);
        assert_eq!(&BALANCER[forwarding_span(BALANCER).unwrap()], "full-nat");
    }

    #[test]
    fn what_a_balancer_has_wrong_is_said_and_the_rest_stands() {
        let text = BALANCER
            .replace("full-nat", "teleport")
            .replace("port: 31061, weight: 50", "port: 99999")
            .replace("scheduler", "schedular");
        let (file, diagnostics) = load_balancer(&text, FileId(0));
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(
            codes,
            ["yaml/not-among", "yaml/out-of-range", "yaml/unknown-field"]
        );
        assert_eq!(file.unwrap().balancer.listeners[0].backends.len(), 1);
    }

    #[test]
    fn a_vpc_has_a_router_and_routes() {
        let text = "router: 192.168.0.253/24\nroutes:\n- {to: 172.20.1.128/25, via: 192.168.0.17}\n- {to: 172.20.2.0/33, via: 192.168.0.18}\n";
        let (file, diagnostics) = vpc(text, FileId(0));
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(codes, ["yaml/bad-form"]);
        assert_eq!(file.unwrap().routes[0].dst.to_string(), "172.20.1.128/25");
    }

    #[test]
    fn a_client_needs_an_address() {
        let (file, diagnostics) = client("gateway: 203.0.113.1\n", FileId(0));
        assert!(file.is_none());
        assert_eq!(diagnostics[0].code(), "yaml/missing");
    }
}
