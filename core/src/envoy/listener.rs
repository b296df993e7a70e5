//! Listeners and which of their filter chains takes a connection.
//! Source: `source/common/listener_manager/filter_chain_manager_impl.cc`.

use std::net::IpAddr;

use serde::Serialize;

use super::dice::Dice;
use super::hcm::Hcm;
use super::object::{Log, Object, Read, Refusal};
use crate::net::IpNetwork;
use crate::say;
use crate::text::{Say, Span};
use crate::yaml::Node;

#[derive(Clone, Debug)]
pub struct Listener {
    pub name: String,
    pub span: Span,
    pub address: IpAddr,
    pub port: u16,
    /// Whether it has a socket of its own; one that has not takes connections that another hands over.
    pub binds: bool,
    pub use_original_dst: bool,
    pub inspects_tls: bool,
    pub inspects_http: bool,
    pub chains: Vec<FilterChain>,
    pub default_chain: Option<FilterChain>,
}

#[derive(Clone, Debug)]
pub struct FilterChain {
    pub name: String,
    pub span: Span,
    pub condition: ChainMatch,
    /// How TLS is ended, if it is.
    pub tls: Option<DownstreamTls>,
    pub end: Terminal,
}

#[derive(Clone, Debug, Default)]
pub struct DownstreamTls {
    pub alpn: Vec<String>,
    pub requires_client_certificate: bool,
}

/// The last network filter of a chain.
#[derive(Clone, Debug)]
pub enum Terminal {
    Http(Box<Hcm>),
    Tcp(TcpProxy),
    /// A filter that is not modelled, by its name.
    Other(String),
}

/// `envoy.filters.network.tcp_proxy`.
#[derive(Clone, Debug)]
pub struct TcpProxy {
    /// With their weights.
    pub clusters: Vec<(String, u64)>,
    pub span: Span,
}

/// `envoy.config.listener.v3.FilterChainMatch`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainMatch {
    pub destination_port: Option<u16>,
    pub destinations: Vec<IpNetwork>,
    /// In lower case; `*.a.com` for every name under a.com.
    pub server_names: Vec<String>,
    pub transport: String,
    pub application: Vec<String>,
    pub direct_sources: Vec<IpNetwork>,
    pub source_type: SourceType,
    pub sources: Vec<IpNetwork>,
    pub source_ports: Vec<u16>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceType {
    #[default]
    Any,
    Local,
    External,
}

/// A connection as a listener sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// Who speaks, and from which port; as restored from a PROXY header where there was one.
    pub source: (IpAddr, u16),
    /// Where the client meant to go: the original destination where it was kept.
    pub destination: (IpAddr, u16),
    /// The address at the other end of the socket.
    pub direct_source: IpAddr,
    /// What the client says first, if it speaks TLS.
    pub tls: Option<ClientHello>,
    /// The version of HTTP that it speaks in the clear: `http/1.1`, `h2c`; empty where it is none.
    pub http: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientHello {
    /// Empty: none was sent.
    pub sni: String,
    pub alpn: Vec<String>,
    pub certificate: bool,
}

/// Which chain takes a connection, and why the others did not.
#[derive(Clone, Debug)]
pub struct Acceptance<'l> {
    pub chain: Option<&'l FilterChain>,
    /// Whether it is the default chain, no other having fit.
    pub by_default: bool,
    /// The chains passed over, by their index, each with the first thing that spoke against it.
    pub passed_over: Vec<(usize, ChainMiss)>,
}

/// In the order in which Envoy asks; there is no way back from a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ChainMiss {
    DestinationPort,
    Destination,
    ServerName,
    Transport,
    Application,
    DirectSource,
    SourceType,
    Source,
    SourcePort,
}

impl ChainMiss {
    pub fn say(self, chain: &FilterChain, connection: &Connection) -> Say {
        let condition = &chain.condition;
        let list = |networks: &[IpNetwork]| {
            networks
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let hello = connection.tls.as_ref();
        match self {
            ChainMiss::DestinationPort => match condition.destination_port {
                Some(wanted) => {
                    say!(
                        "envoy/chain-port",
                        port = connection.destination.1,
                        wanted = wanted
                    )
                }
                None => say!(
                    "envoy/chain-port-less-exact",
                    port = connection.destination.1
                ),
            },
            ChainMiss::Destination => say!(
                "envoy/chain-destination",
                address = connection.destination.0,
                wanted = list(&condition.destinations)
            ),
            ChainMiss::ServerName => {
                match (hello.map(|h| h.sni.as_str()), &condition.server_names[..]) {
                    (_, []) => say!("envoy/chain-name-less-exact"),
                    (None | Some(""), names) => {
                        say!("envoy/chain-no-name", wanted = names.join(", "))
                    }
                    (Some(sni), names) => {
                        say!("envoy/chain-name", sni = sni, wanted = names.join(", "))
                    }
                }
            }
            ChainMiss::Transport => match condition.transport.as_str() {
                "" => say!("envoy/chain-transport-less-exact"),
                "tls" => say!("envoy/chain-wants-tls"),
                other => say!("envoy/chain-wants-transport", wanted = other),
            },
            ChainMiss::Application => {
                say!(
                    "envoy/chain-application",
                    wanted = condition.application.join(", ")
                )
            }
            ChainMiss::DirectSource => say!(
                "envoy/chain-source",
                address = connection.direct_source,
                wanted = list(&condition.direct_sources)
            ),
            ChainMiss::SourceType => say!("envoy/chain-source-type"),
            ChainMiss::Source => say!(
                "envoy/chain-source",
                address = connection.source.0,
                wanted = list(&condition.sources)
            ),
            ChainMiss::SourcePort => say!("envoy/chain-source-port", port = connection.source.1),
        }
    }
}

/// The chains still in question, and those that are not any more.
struct Sieve<'l> {
    left: Vec<(usize, &'l ChainMatch)>,
    passed_over: Vec<(usize, ChainMiss)>,
}

impl<'l> Sieve<'l> {
    /// Keeps the chains of the most exact group that any chain left belongs to: `groups` in the order of preference.
    fn keep<G>(
        &mut self,
        miss: ChainMiss,
        groups: impl IntoIterator<Item = G>,
        member: impl Fn(&ChainMatch, &G) -> bool,
    ) {
        let group = groups
            .into_iter()
            .find(|g| self.left.iter().any(|(_, m)| member(m, g)));
        let passed_over = &mut self.passed_over;
        self.left.retain(|(at, m)| {
            let stays = group.as_ref().is_some_and(|g| member(m, g));
            if !stays {
                passed_over.push((*at, miss));
            }
            stays
        });
    }

    /// The longest prefixes that hold an address; a chain without prefixes has one of length 0.
    fn keep_prefix(
        &mut self,
        miss: ChainMiss,
        address: IpAddr,
        of: impl Fn(&ChainMatch) -> &[IpNetwork],
    ) {
        let longest = |m: &ChainMatch| match of(m) {
            [] => Some(0),
            networks => networks
                .iter()
                .filter(|n| n.contains(address))
                .map(IpNetwork::prefix)
                .max(),
        };
        let best = self.left.iter().filter_map(|(_, m)| longest(m)).max();
        self.keep(miss, best, |m, length| longest(m) == Some(*length));
    }
}

impl Listener {
    pub fn accept(&self, connection: &Connection) -> Acceptance<'_> {
        let chains = self.chains.iter().enumerate();
        let mut sieve = Sieve {
            left: chains.map(|(at, c)| (at, &c.condition)).collect(),
            passed_over: Vec::new(),
        };
        let (address, port) = connection.destination;
        sieve.keep(ChainMiss::DestinationPort, [Some(port), None], |m, p| {
            m.destination_port == *p
        });
        sieve.keep_prefix(ChainMiss::Destination, address, |m| &m.destinations);

        let hello = connection.tls.as_ref().filter(|_| self.inspects_tls);
        let sni = hello
            .map(|h| h.sni.to_ascii_lowercase())
            .unwrap_or_default();
        let mut names = vec![sni.clone()];
        let mut rest = sni.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            if !parent.is_empty() {
                names.push(format!("*.{parent}"));
            }
            rest = parent;
        }
        names.retain(|n| !n.is_empty());
        names.push(String::new());
        sieve.keep(ChainMiss::ServerName, names, |m, name| {
            match name.as_str() {
                "" => m.server_names.is_empty(),
                name => m.server_names.iter().any(|n| n == name),
            }
        });

        let transport = if hello.is_some() { "tls" } else { "raw_buffer" };
        sieve.keep(ChainMiss::Transport, [transport, ""], |m, t| {
            m.transport == *t
        });

        let mut applications = hello.map(|h| h.alpn.clone()).unwrap_or_default();
        if hello.is_none() && self.inspects_http && !connection.http.is_empty() {
            applications.push(connection.http.clone());
        }
        applications.push(String::new());
        sieve.keep(ChainMiss::Application, applications, |m, a| {
            match a.as_str() {
                "" => m.application.is_empty(),
                a => m.application.iter().any(|x| x == a),
            }
        });

        sieve.keep_prefix(ChainMiss::DirectSource, connection.direct_source, |m| {
            &m.direct_sources
        });
        let local = connection.source.0 == address || connection.source.0.is_loopback();
        let kind = if local {
            SourceType::Local
        } else {
            SourceType::External
        };
        sieve.keep(ChainMiss::SourceType, [kind, SourceType::Any], |m, t| {
            m.source_type == *t
        });
        sieve.keep_prefix(ChainMiss::Source, connection.source.0, |m| &m.sources);
        let from = connection.source.1;
        sieve.keep(
            ChainMiss::SourcePort,
            [Some(from), None],
            |m, port| match port {
                Some(port) => m.source_ports.contains(port),
                None => m.source_ports.is_empty(),
            },
        );

        let mut passed_over = sieve.passed_over;
        passed_over.sort_unstable();
        let found = sieve.left.first().and_then(|(at, _)| self.chains.get(*at));
        Acceptance {
            chain: found.or(self.default_chain.as_ref()),
            by_default: found.is_none() && self.default_chain.is_some(),
            passed_over,
        }
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
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
            inspects_tls: false,
            inspects_http: false,
            chains: Vec::new(),
            default_chain: None,
            name,
        };
        for filter in object.messages("listener_filters")? {
            match filter.filled("name")?.rsplit('.').next().unwrap_or("") {
                "tls_inspector" => listener.inspects_tls = true,
                "http_inspector" => listener.inspects_http = true,
                // It restores the address for the chains to see, and hands nothing over.
                "original_dst" => {}
                "proxy_protocol" => {}
                other => log.warning(
                    filter.span,
                    say!("envoy/filter-not-modelled", filter = other),
                ),
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
        object.no_matter(&[
            "connection_balance_config",
            "bypass_overload_manager",
            "transparent",
        ]);
        object.no_matter(&[
            "tcp_backlog_size",
            "socket_options",
            "max_connections_to_accept_per_socket_event",
        ]);
        object.end();
        Ok(listener)
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

pub(super) fn networks(object: &Object, field: &str) -> Read<Vec<IpNetwork>> {
    let mut all = Vec::new();
    for range in object.messages(field)? {
        let address = range.str("address_prefix")?;
        let length = range.u32("prefix_len")?.unwrap_or(0);
        let ip = address.parse::<IpAddr>().ok();
        // A longer prefix than there are bits is as long as there are.
        let bits = ip.map_or(0, |ip| if ip.is_ipv4() { 32 } else { 128 });
        let network =
            ip.and_then(|ip| IpNetwork::new(ip, u8::try_from(length.min(bits)).ok()?).ok());
        let Some(network) = network else {
            let why = format!(
                "invalid ip/mask combo '{address}/{length}' (format is <ip>/<# mask bits>)"
            );
            return Err(Refusal::new(range.span, why));
        };
        all.push(IpNetwork::new(network.network(), network.prefix()).unwrap_or(network));
    }
    Ok(all)
}

impl FilterChain {
    fn read(object: Object) -> Read<Self> {
        let condition = object.message("filter_chain_match")?;
        let mut end = None;
        for filter in object.messages("filters")? {
            let name = filter.str("name")?;
            let config = filter.message_or_empty("typed_config")?;
            let kind = config.str("@type")?.rsplit('.').next().unwrap_or("");
            match kind {
                "HttpConnectionManager" => end = Some(Terminal::Http(Box::new(Hcm::read(config)?))),
                "TcpProxy" => end = Some(Terminal::Tcp(TcpProxy::read(config)?)),
                _ => object.log.warning(
                    filter.span,
                    say!("envoy/filter-not-modelled", filter = name),
                ),
            }
            if end.is_none() && !name.is_empty() {
                end = Some(Terminal::Other(name.to_string()));
            } else if let (Some(Terminal::Other(_)), "HttpConnectionManager" | "TcpProxy") =
                (&end, kind)
            {
                end = None;
            }
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
    /// A cluster, by weight.
    pub fn pick(&self, dice: &mut Dice) -> Option<&str> {
        let weights = self.clusters.iter().map(|(_, w)| *w).collect();
        let name = |at: usize| {
            let cluster = self.clusters.get(at);
            say!("insight/side", name = cluster.map_or("", |(name, _)| name))
        };
        let found = self.clusters.get(dice.side(weights, self.span, name)?);
        found.map(|(name, _)| name.as_str())
    }

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
