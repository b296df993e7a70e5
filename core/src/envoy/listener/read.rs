//! Listeners as `envoy.config.listener.v3.Listener` has them, and what Envoy refuses of one.

use std::net::IpAddr;

use super::{
    ChainMatch, DownstreamTls, FilterChain, Listener, NetworkFilter, OriginalSrc, SourceType,
    TcpProxy, Terminal,
};
use crate::envoy::ext_authz::ExtAuthz;
use crate::envoy::hcm::Hcm;
use crate::envoy::object::{Log, Object, Read, Refusal};
use crate::envoy::rbac::Rbac;
use crate::net::IpNetwork;
use crate::say;
use crate::yaml::Node;

/// Network filters that only watch.
const SILENT: [&str; 2] = ["istio.metadata_exchange", "istio.stats"];

impl Listener {
    pub(in crate::envoy) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let name = object.str("name")?.to_string();
        let address = object.message_or_empty("address")?;
        let socket = address.message_or_empty("socket_address")?;
        let ip = socket.str("address")?;
        let Ok(ip) = ip.parse() else {
            return Err(Refusal::new(
                socket.at("address"),
                format!("malformed IP address: {ip}"),
            ));
        };
        let mut listener = Self {
            span: node.span,
            address: ip,
            port: socket.port("port_value")?.unwrap_or(0),
            binds: object.maybe_bool("bind_to_port")?.unwrap_or(true),
            use_original_dst: object.bool("use_original_dst")?,
            transparent: object.maybe_bool("transparent")?.unwrap_or(false),
            original_src: None,
            inspects_tls: false,
            inspects_http: false,
            not_modelled: None,
            chains: Vec::new(),
            default_chain: None,
            name,
        };
        for filter in object.messages("listener_filters")? {
            let name = filter.filled("name")?;
            let config = filter.message_or_empty("typed_config")?;
            let kind = config.str("@type")?.rsplit('.').next().unwrap_or("");
            // Its name may be any; it counts where istiod's configuration here leaves the rest out.
            match (kind, name.rsplit('.').next().unwrap_or("")) {
                ("TlsInspector", _) | ("", "tls_inspector") => listener.inspects_tls = true,
                ("HttpInspector", _) | ("", "http_inspector") => listener.inspects_http = true,
                // It restores the address for the chains to see, and hands nothing over.
                ("OriginalDst", _) | ("", "original_dst") => {}
                ("ProxyProtocol", _) | ("", "proxy_protocol") => {}
                ("OriginalSrc", _) | ("", "original_src") => {
                    listener.original_src = Some(OriginalSrc::read(&config)?);
                }
                _ => {
                    let say = say!("envoy/filter-not-modelled", filter = name);
                    log.warning(filter.span, say);
                    listener.not_modelled = Some((name.to_string(), filter.span));
                }
            }
        }
        for chain in object.messages("filter_chains")? {
            let chain = FilterChain::read(chain)?;
            if let Some(other) = listener
                .chains
                .iter()
                .find(|c| c.condition == chain.condition)
            {
                let why = format!(
                    "error adding listener '{}': filter chain '{}' has the same matching rules defined as '{}'. duplicate matcher",
                    listener.name, chain.name, other.name
                );
                return Err(Refusal::new(chain.span, why));
            }
            let overlaps = |c: &FilterChain| c.condition.same_for_some(&chain.condition);
            if chain.condition.repeats() || listener.chains.iter().any(overlaps) {
                let why = format!(
                    "error adding listener '{}': multiple filter chains with overlapping matching rules are defined",
                    listener.name
                );
                return Err(Refusal::new(chain.span, why));
            }
            listener.chains.push(chain);
        }
        if let Some(chain) = object.message("default_filter_chain")? {
            listener.default_chain = Some(FilterChain::read(chain)?);
        }
        if listener.chains.is_empty() && listener.default_chain.is_none() {
            let why = format!(
                "error adding listener '{}': no filter chains specified",
                listener.name
            );
            return Err(Refusal::new(node.span, why));
        }
        let traffic = [
            "traffic_direction",
            "stat_prefix",
            "per_connection_buffer_limit_bytes",
        ];
        object.no_matter(&traffic);
        object.no_matter(&[
            "listener_filters_timeout",
            "continue_on_listener_filters_timeout",
        ]);
        object.no_matter(&["access_log", "reuse_port", "enable_reuse_port", "metadata"]);
        object.no_matter(&["connection_balance_config", "bypass_overload_manager"]);
        object.no_matter(&[
            "tcp_backlog_size",
            "socket_options",
            "max_connections_to_accept_per_socket_event",
        ]);
        object.end();
        Ok(listener)
    }
}

impl OriginalSrc {
    fn read(config: &Object) -> Read<Self> {
        Ok(Self {
            bind_port: config.bool("bind_port")?,
            mark: config.u32("mark")?.unwrap_or(0),
        })
    }
}

impl ChainMatch {
    /// Whether some connection would fit both in every respect, which Envoy refuses.
    fn same_for_some(&self, other: &ChainMatch) -> bool {
        fn shares<T: PartialEq>(a: &[T], b: &[T]) -> bool {
            a.is_empty() && b.is_empty() || a.iter().any(|x| b.contains(x))
        }
        self.destination_port == other.destination_port
            && shares(&self.destinations, &other.destinations)
            && shares(&self.server_names, &other.server_names)
            && self.transport == other.transport
            && shares(&self.application, &other.application)
            && shares(&self.direct_sources, &other.direct_sources)
            && self.source_type == other.source_type
            && shares(&self.sources, &other.sources)
            && shares(&self.source_ports, &other.source_ports)
    }

    /// Whether it says a thing twice, which counts as two chains that overlap.
    fn repeats(&self) -> bool {
        fn twice<T: PartialEq>(all: &[T]) -> bool {
            all.iter()
                .enumerate()
                .any(|(at, x)| all.iter().skip(at + 1).any(|y| x == y))
        }
        twice(&self.destinations)
            || twice(&self.server_names)
            || twice(&self.application)
            || twice(&self.direct_sources)
            || twice(&self.sources)
            || twice(&self.source_ports)
    }

    fn read(object: Object) -> Read<Self> {
        let server_names = object.strings("server_names")?;
        if server_names
            .iter()
            .any(|n| n.contains('*') && !n.starts_with("*."))
        {
            let why = "partial wildcards are not supported in \"server_names\"";
            return Err(Refusal::new(object.at("server_names"), why));
        }
        let mut source_ports = Vec::new();
        let range = "value must be inside range [1, 65535]";
        for node in object.list("source_ports")? {
            let port = node
                .int()
                .and_then(|p| u16::try_from(p).ok())
                .filter(|p| *p > 0);
            source_ports
                .push(port.ok_or_else(|| Refusal::field(node.span, "source_ports", range))?);
        }
        object.within("destination_port", 1, 65_535)?;
        let read = Self {
            destination_port: object.port("destination_port")?,
            destinations: networks(&object, "prefix_ranges")?,
            server_names: server_names
                .iter()
                .map(|n| n.to_ascii_lowercase())
                .collect(),
            transport: object.str("transport_protocol")?.to_string(),
            application: object.strings("application_protocols")?,
            direct_sources: networks(&object, "direct_source_prefix_ranges")?,
            source_type: object.choice(
                "source_type",
                &[
                    ("ANY", SourceType::Any),
                    ("SAME_IP_OR_LOOPBACK", SourceType::Local),
                    ("EXTERNAL", SourceType::External),
                ],
            )?,
            sources: networks(&object, "source_prefix_ranges")?,
            source_ports,
        };
        if object.has("address_suffix") {
            let why = "contains one or more unimplemented fields: address_suffix";
            return Err(Refusal::new(object.at("address_suffix"), why));
        }
        object.end();
        Ok(read)
    }
}

pub(in crate::envoy) fn networks(object: &Object, field: &str) -> Read<Vec<IpNetwork>> {
    let ranges = object.messages(field)?;
    ranges.iter().map(network).collect()
}

/// `envoy.config.core.v3.CidrRange`.
pub(in crate::envoy) fn network(range: &Object) -> Read<IpNetwork> {
    let address = range.str("address_prefix")?;
    let length = range.u32("prefix_len")?.unwrap_or(0);
    let ip = address.parse::<IpAddr>().ok();
    // A longer prefix than there are bits is as long as there are.
    let bits = ip.map_or(0, |ip| if ip.is_ipv4() { 32 } else { 128 });
    let network = ip.and_then(|ip| IpNetwork::new(ip, u8::try_from(length.min(bits)).ok()?).ok());
    let Some(network) = network else {
        let why =
            format!("invalid ip/mask combo '{address}/{length}' (format is <ip>/<# mask bits>)");
        return Err(Refusal::new(range.span, why));
    };
    Ok(IpNetwork::new(network.network(), network.prefix()).unwrap_or(network))
}

impl FilterChain {
    fn read(object: Object) -> Read<Self> {
        let condition = object.message("filter_chain_match")?;
        let mut end = None;
        let mut filters = Vec::new();
        for filter in object.messages("filters")? {
            let name = filter.str("name")?;
            let config = filter.message_or_empty("typed_config")?;
            let kind = config.str("@type")?.rsplit('.').next().unwrap_or("");
            match kind {
                "HttpConnectionManager" => end = Some(Terminal::Http(Box::new(Hcm::read(config)?))),
                "RBAC" => {
                    filters.push(NetworkFilter::Rbac(Rbac::read_network(&config)?));
                    config.end();
                    continue;
                }
                "ExtAuthz" => {
                    filters.push(NetworkFilter::ExtAuthz(ExtAuthz::read(name, config)?));
                    continue;
                }
                "TcpProxy" => end = Some(Terminal::Tcp(TcpProxy::read(config)?)),
                _ if SILENT.contains(&name) => {}
                _ => {
                    let say = say!("envoy/filter-not-modelled", filter = name);
                    object.log.warning(filter.span, say);
                    filters.push(NetworkFilter::NotModelled(name.to_string(), filter.span));
                }
            }
        }
        if end.is_none()
            && let Some(NetworkFilter::NotModelled(name, _)) = filters.last()
        {
            end = Some(Terminal::Other(name.clone()));
            filters.pop();
        }
        let tls = match object.message("transport_socket")? {
            None => None,
            Some(socket) => DownstreamTls::read(socket)?,
        };
        let read = Self {
            name: object.str("name")?.to_string(),
            span: object.span,
            condition: condition
                .map(ChainMatch::read)
                .transpose()?
                .unwrap_or_default(),
            filters,
            tls,
            end: end.unwrap_or(Terminal::Other(String::new())),
        };
        object.no_matter(&["metadata", "transport_socket_connect_timeout"]);
        object.end();
        Ok(read)
    }
}

impl DownstreamTls {
    fn read(socket: Object) -> Read<Option<Self>> {
        let config = socket.message_or_empty("typed_config")?;
        let kind = config.str("@type")?.rsplit('.').next().unwrap_or("");
        if kind != "DownstreamTlsContext" {
            if kind != "RawBuffer" {
                socket.log.warning(
                    socket.span,
                    say!("envoy/extension-not-modelled", name = kind),
                );
            }
            return Ok(None);
        }
        let common = config.message_or_empty("common_tls_context")?;
        Ok(Some(Self {
            alpn: common.strings("alpn_protocols")?,
            requires_client_certificate: config.bool("require_client_certificate")?,
        }))
    }
}

impl TcpProxy {
    fn read(config: Object) -> Read<Self> {
        let mut clusters = Vec::new();
        if let Some(weighted) = config.message("weighted_clusters")? {
            for cluster in weighted.messages("clusters")? {
                let weight = cluster.u32("weight")?.unwrap_or(0);
                if weight == 0 {
                    let why = "value must be greater than or equal to 1";
                    return Err(Refusal::field(cluster.span, "weight", why));
                }
                clusters.push((cluster.str("name")?.to_string(), weight.into()));
            }
        } else {
            clusters.push((config.str("cluster")?.to_string(), 1));
        }
        Ok(Self {
            clusters,
            span: config.span,
        })
    }
}
