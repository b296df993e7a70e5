//! A sidecar's listeners. Source: `pilot/pkg/networking/core/listener.go`.

mod inbound;
mod outbound;

use super::connection_manager::{listener, tcp_proxy};
use super::message::Message;
use super::sidecar::allows_any;
use super::world::{Proxy, World};
use crate::text::Span;
use crate::yaml::Node;

use inbound::inbound;
pub(super) use inbound::inbound_clusters;
use outbound::outbound;

const OUTBOUND: [&str; 3] = [
    "istio.metadata_exchange",
    "envoy.filters.http.grpc_stats",
    "istio.alpn",
];

/// All listeners, and the names of the route configurations that they ask for.
pub(super) fn listeners(world: &World, proxy: &Proxy) -> (Vec<Node>, Vec<String>) {
    let (mut made, names) = outbound(world, proxy);
    made.push(virtual_outbound(proxy, allows_any(world, proxy)));
    made.extend(inbound(world, proxy));
    (made, names)
}

fn virtual_outbound(proxy: &Proxy, any: bool) -> Node {
    let span = Span::default();
    let chain = |name: &str, cluster: &str, port: Option<i64>| {
        let out = Message::new(span).str("name", name);
        let out = match port {
            Some(port) => out.message(
                "filterChainMatch",
                Message::new(span).int("destinationPort", port),
            ),
            None => out,
        };
        out.list(
            "filters",
            vec![tcp_proxy(&[(cluster.to_string(), 1)], span)],
        )
        .end()
    };
    let rest = if any {
        "PassthroughCluster"
    } else {
        "BlackHoleCluster"
    };
    capturing("virtualOutbound", 15_001, proxy)
        .bool("useOriginalDst", true)
        .list(
            "filterChains",
            vec![
                chain(
                    "virtualOutbound-blackhole",
                    "BlackHoleCluster",
                    Some(15_001),
                ),
                chain("virtualOutbound-catchall-tcp", rest, None),
            ],
        )
        .end()
}

/// A listener that caught connections come to.
fn capturing(name: &str, port: i64, proxy: &Proxy) -> Message {
    let out = listener(name, "0.0.0.0", port, Span::default());
    match proxy.transparent {
        true => out.bool("transparent", true),
        false => out,
    }
}
