//! The pieces of Envoy's listeners that gateways and sidecars share.

use super::authz::Filters;
use super::mesh::{MeshConfig, Normalization};
use super::message::{Message, string};
use crate::text::Span;
use crate::yaml::Node;

const HCM: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP: &str = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";

/// How a connection manager differs from another.
pub(super) struct Manager<'a> {
    pub(super) mesh: &'a MeshConfig,
    /// What lets requests in; outbound listeners have nothing of it.
    pub(super) access: Option<&'a Filters>,
    /// Filters of Istio's own that only watch. The first of them stands before all others.
    pub(super) silent: &'a [&'a str],
    pub(super) server_name: Option<&'a str>,
    pub(super) use_remote_address: bool,
    /// Proxies in front that may say whom a request comes from.
    pub(super) trusted_proxies: i64,
    pub(super) client_cert: Option<&'a str>,
}

impl Manager<'_> {
    /// The network filter; `routes` is `rds` or `routeConfig` with its value.
    pub(super) fn filter(&self, routes: (&str, Node), span: Span) -> Node {
        let (key, routes) = routes;
        let mut out = Message::new(span).str("@type", HCM).node(key, routes);
        if let Some(name) = self.server_name {
            out = out.str("serverName", name);
        }
        if let Some(mode) = self.client_cert {
            out = out.str("forwardClientCertDetails", mode);
        }
        out = out.bool("useRemoteAddress", self.use_remote_address);
        if self.trusted_proxies > 0 {
            out = out.int("xffNumTrustedHops", self.trusted_proxies);
        }
        out = match self.mesh.normalization {
            Normalization::None => out,
            Normalization::Base => out.bool("normalizePath", true),
            Normalization::MergeSlashes | Normalization::DecodeAndMergeSlashes => {
                out.bool("normalizePath", true).bool("mergeSlashes", true)
            }
        };
        let slashes = match self.mesh.normalization {
            Normalization::DecodeAndMergeSlashes => "UNESCAPE_AND_FORWARD",
            _ => "KEEP_UNCHANGED",
        };
        out = out
            .str("pathWithEscapedSlashesAction", slashes)
            .str("streamIdleTimeout", "0s");
        let acting = [
            "envoy.filters.http.fault",
            "envoy.filters.http.cors",
            "envoy.filters.http.router",
        ];
        let named = |name: &&str| Message::new(span).str("name", name).end();
        let (first, rest) = self.silent.split_at(self.silent.len().min(1));
        let mut filters: Vec<Node> = first.iter().map(named).collect();
        if let Some(access) = self.access {
            filters.extend(access.before.iter().chain(&access.http).cloned());
        }
        filters.extend(rest.iter().chain(&acting).map(named));
        filter(
            "envoy.filters.network.http_connection_manager",
            out.list("httpFilters", filters),
        )
    }
}

pub(super) fn rds(name: &str, span: Span) -> (&'static str, Node) {
    ("rds", Message::new(span).str("routeConfigName", name).end())
}

pub(super) fn filter(name: &str, config: Message) -> Node {
    let span = config.clone().end().span;
    Message::new(span)
        .str("name", name)
        .message("typedConfig", config)
        .end()
}

/// A TCP proxy to clusters with weights.
pub(super) fn tcp_proxy(clusters: &[(String, i64)], span: Span) -> Node {
    let mut config = Message::new(span).str("@type", TCP);
    config = match clusters {
        [(name, _)] => config.str("cluster", name),
        many => {
            let clusters = many.iter().map(|(name, weight)| {
                Message::new(span)
                    .str("name", name)
                    .int("weight", *weight)
                    .end()
            });
            config.message(
                "weightedClusters",
                Message::new(span).list("clusters", clusters.collect()),
            )
        }
    };
    filter("envoy.filters.network.tcp_proxy", config)
}

/// The transport socket that ends TLS.
pub(super) fn end_tls(requires_certificate: bool, alpn: &[&str], secret: &str, span: Span) -> Node {
    let alpn = alpn.iter().map(|p| string(p, span)).collect();
    let secrets = vec![Message::new(span).str("name", secret).end()];
    let common = Message::new(span)
        .list("tlsCertificateSdsSecretConfigs", secrets)
        .list("alpnProtocols", alpn);
    let config = Message::new(span)
        .str("@type", TLS)
        .message("commonTlsContext", common)
        .bool("requireClientCertificate", requires_certificate);
    Message::new(span)
        .str("name", "envoy.transport_sockets.tls")
        .message("typedConfig", config)
        .end()
}

/// A listener on an address.
pub(super) fn listener(name: &str, address: &str, port: i64, span: Span) -> Message {
    let socket = Message::new(span)
        .str("address", address)
        .int("portValue", port);
    Message::new(span).str("name", name).message(
        "address",
        Message::new(span).message("socketAddress", socket),
    )
}

pub(super) fn listener_filters(names: &[&str], span: Span) -> Vec<Node> {
    names
        .iter()
        .map(|n| Message::new(span).str("name", n).end())
        .collect()
}
