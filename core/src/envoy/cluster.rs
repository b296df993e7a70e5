use std::collections::BTreeSet;
use std::net::IpAddr;

use super::action::{Subset, subset};
use super::listener::ClientHello;
use super::object::{Log, Object, Read, Refusal};
use crate::say;
use crate::text::Span;
use crate::yaml::{Node, Value};

/// `envoy.config.cluster.v3.Cluster` with its endpoints.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub name: String,
    pub span: Span,
    pub discovery: Discovery,
    /// Where endpoints come from if not from the cluster itself: the name of the load assignment.
    pub service_name: String,
    pub policy: Policy,
    /// Percent of hosts that must be healthy, or all are used.
    pub panic_threshold: u64,
    pub locality_weighted: bool,
    pub subsets: Option<Subsets>,
    /// Whether endpoints that fail are ejected.
    pub ejects: bool,
    /// How connections to its endpoints are made: the first whose labels an endpoint's all are, else `tls`.
    pub transports: Vec<Transport>,
    /// None where it is plain text.
    pub tls: Option<ClientHello>,
    /// The address that connections to its endpoints come from.
    pub bind: Option<IpAddr>,
    pub assignment: Assignment,
}

/// `Cluster.TransportSocketMatch`.
#[derive(Clone, Debug)]
pub struct Transport {
    pub labels: Subset,
    /// None where it is plain text.
    pub tls: Option<ClientHello>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    Static,
    StrictDns,
    LogicalDns,
    Eds,
    /// The connection's own destination is the only endpoint.
    OriginalDst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    RoundRobin,
    LeastRequest,
    RingHash(Ring),
    Random,
    Maglev { table: u64 },
}

/// `Cluster.RingHashLbConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The least places.
    pub minimum: u64,
    pub maximum: u64,
    /// MurmurHash2 instead of xxHash.
    pub murmur: bool,
}

/// `envoy.config.endpoint.v3.ClusterLoadAssignment`.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    pub endpoints: Vec<Endpoint>,
    /// Percent by which healthy hosts may be loaded beyond their share.
    pub overprovisioning: u64,
}

#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `address:port`, or the path of a socket or the name of an internal listener.
    pub address: String,
    pub hostname: String,
    pub health: Health,
    pub weight: u64,
    pub metadata: Subset,
    /// `envoy.transport_socket_match` metadata.
    pub transport: Subset,
    /// `region/zone/subzone`.
    pub locality: String,
    pub locality_weight: Option<u64>,
    pub priority: u32,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Healthy,
    Unhealthy,
    Degraded,
}

/// `LbSubsetConfig`.
#[derive(Clone, Debug)]
pub struct Subsets {
    pub fallback: Fallback,
    pub default: Subset,
    pub selectors: Vec<BTreeSet<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    None,
    Any,
    Default,
}

impl Cluster {
    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let name = object.str("name")?.to_string();
        if name.is_empty() {
            let why = "value length must be at least 1 characters";
            return Err(Refusal::field(node.span, "name", why));
        }
        let eds = object.message_or_empty("eds_cluster_config")?;
        let service_name = match eds.str("service_name")? {
            "" => name.clone(),
            other => other.to_string(),
        };
        let policy = object.str("lb_policy")?;
        let ring = object.message_or_empty("ring_hash_lb_config")?;
        let maglev = object.message_or_empty("maglev_lb_config")?;
        let count =
            |n: Option<i64>, absent: u64| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(absent);
        let (minimum, maximum) = (
            count(ring.int("minimum_ring_size")?, 1024),
            count(ring.int("maximum_ring_size")?, MOST_PLACES),
        );
        let size = maglev.int("table_size")?;
        for (at, field, too_many) in [
            (&ring, "minimum_ring_size", minimum > MOST_PLACES),
            (&ring, "maximum_ring_size", maximum > MOST_PLACES),
        ] {
            if too_many {
                let why = format!("value must be less than or equal to {MOST_PLACES}");
                return Err(Refusal::field(at.at(field), field, &why));
            }
        }
        if minimum > maximum && policy == "RING_HASH" {
            let why =
                format!("ring hash: minimum_ring_size ({minimum}) > maximum_ring_size ({maximum})");
            return Err(Refusal::new(ring.span, why));
        }
        let ring_hash = Policy::RingHash(Ring {
            minimum,
            maximum,
            murmur: ring.choice(
                "hash_function",
                &[("XX_HASH", false), ("MURMUR_HASH_2", true)],
            )?,
        });
        let table = count(size, 65_537);
        if policy == "MAGLEV" && !((2..=5_000_011).contains(&table) && is_prime(table)) {
            let why = "The table size of maglev must be prime number";
            return Err(Refusal::new(maglev.span, why));
        }
        ring.end();
        maglev.end();
        let common = object.message_or_empty("common_lb_config")?;
        let panic = common.message_or_empty("healthy_panic_threshold")?;
        if !panic.has("value")
            || !matches!(panic.get("value").map(|n| &n.value), Some(Value::Float(_)))
        {
            panic.within("value", 0, 100)?;
        }
        common.at_most_one(&["zone_aware_lb_config", "locality_weighted_lb_config"])?;
        object.some_time("connect_timeout")?;
        if let Some(outliers) = object.message("outlier_detection")? {
            for field in ["interval", "base_ejection_time", "max_ejection_time"] {
                outliers.some_time(field)?;
            }
            outliers.within("max_ejection_percent", 0, 100)?;
        }
        if let Some(least) = object.message("least_request_lb_config")? {
            least.within("choice_count", 2, u32::MAX.into())?;
        }
        let threshold = match (common.has("healthy_panic_threshold"), panic.get("value")) {
            (true, None) => 0,
            (true, Some(node)) => node.int().and_then(|n| u64::try_from(n).ok()).unwrap_or(50),
            (false, _) => 50,
        };
        let assignment = match object.get("load_assignment") {
            Some(node) => Assignment::read(node, log)?.1,
            None => Assignment::default(),
        };
        let original = object.str("type")? == "ORIGINAL_DST";
        if original && policy != "CLUSTER_PROVIDED" {
            let found = if policy.is_empty() {
                "ROUND_ROBIN"
            } else {
                policy
            };
            let why = format!(
                "cluster: LB policy {found} is not valid for Cluster type ORIGINAL_DST. Only 'CLUSTER_PROVIDED' is allowed with cluster type 'ORIGINAL_DST'"
            );
            return Err(Refusal::new(node.span, why));
        }
        if !original && policy == "CLUSTER_PROVIDED" && object.has("type") {
            let why = format!(
                "cluster manager: cluster provided LB specified but cluster '{name}' did not provide one. Check cluster documentation."
            );
            return Err(Refusal::new(node.span, why));
        }
        let read = Self {
            span: node.span,
            discovery: object.choice(
                "type",
                &[
                    ("STATIC", Discovery::Static),
                    ("STRICT_DNS", Discovery::StrictDns),
                    ("LOGICAL_DNS", Discovery::LogicalDns),
                    ("EDS", Discovery::Eds),
                    ("ORIGINAL_DST", Discovery::OriginalDst),
                ],
            )?,
            service_name,
            policy: object.choice(
                "lb_policy",
                &[
                    ("ROUND_ROBIN", Policy::RoundRobin),
                    ("LEAST_REQUEST", Policy::LeastRequest),
                    ("RING_HASH", ring_hash),
                    ("RANDOM", Policy::Random),
                    ("", Policy::Random),
                    ("MAGLEV", Policy::Maglev { table }),
                    ("CLUSTER_PROVIDED", Policy::RoundRobin),
                ],
            )?,
            panic_threshold: threshold.min(100),
            locality_weighted: common.has("locality_weighted_lb_config"),
            subsets: object
                .message("lb_subset_config")?
                .map(Subsets::read)
                .transpose()?,
            ejects: object.has("outlier_detection"),
            transports: Transport::read_list(&object)?,
            tls: upstream_tls(&object)?,
            bind: bind(&object)?,
            assignment,
            name,
        };
        if object.has("load_balancing_policy") {
            let at = object.at("load_balancing_policy");
            log.warning(
                at,
                say!("envoy/field-not-modelled", field = "load_balancing_policy"),
            );
        }
        object.no_matter(&[
            "connect_timeout",
            "alt_stat_name",
            "circuit_breakers",
            "metadata",
        ]);
        object.no_matter(&[
            "typed_extension_protocol_options",
            "filters",
            "dns_lookup_family",
        ]);
        object.no_matter(&[
            "dns_refresh_rate",
            "respect_dns_ttl",
            "per_connection_buffer_limit_bytes",
        ]);
        object.no_matter(&["least_request_lb_config", "upstream_connection_options"]);
        object.no_matter(&["dns_jitter", "cluster_type", "http2_protocol_options"]);
        object.end();
        Ok(read)
    }
}

/// Of a ring of hosts.
const MOST_PLACES: u64 = 8 << 20;

fn is_prime(n: u64) -> bool {
    n > 1
        && (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
}

impl Cluster {
    /// What a connection to an endpoint begins with; none where it is plain text.
    pub fn hello(&self, endpoint: Option<&Endpoint>) -> Option<&ClientHello> {
        let labels = |e: &Endpoint, t: &Transport| {
            t.labels.iter().all(|(k, v)| e.transport.get(k) == Some(v))
        };
        let fits = |t: &&Transport| endpoint.is_some_and(|e| labels(e, t));
        match self.transports.iter().find(fits) {
            Some(transport) => transport.tls.as_ref(),
            None => self.tls.as_ref(),
        }
    }
}

impl Transport {
    fn read_list(object: &Object) -> Read<Vec<Self>> {
        let mut all = Vec::new();
        for entry in object.messages("transport_socket_matches")? {
            let labels = entry.get("match").map(subset).unwrap_or_default();
            let tls = upstream_tls(&entry)?;
            entry.no_matter(&["name"]);
            entry.end();
            all.push(Self { labels, tls });
        }
        Ok(all)
    }
}

fn bind(object: &Object) -> Read<Option<IpAddr>> {
    let bind = object.message_or_empty("upstream_bind_config")?;
    let source = bind.message_or_empty("source_address")?;
    Ok(source.str("address")?.parse().ok())
}

fn upstream_tls(object: &Object) -> Read<Option<ClientHello>> {
    let Some(socket) = object.message("transport_socket")? else {
        return Ok(None);
    };
    let config = socket.message_or_empty("typed_config")?;
    let kind = config.str("@type")?.rsplit('.').next().unwrap_or("");
    match kind {
        "UpstreamTlsContext" => {
            let common = config.message_or_empty("common_tls_context")?;
            let certificates = ["tls_certificates", "tls_certificate_sds_secret_configs"];
            Ok(Some(ClientHello {
                sni: config.str("sni")?.to_string(),
                alpn: common.strings("alpn_protocols")?,
                certificate: certificates.iter().any(|field| common.has(field)),
                principal: None,
            }))
        }
        "RawBuffer" => Ok(None),
        other => {
            let message = say!("envoy/extension-not-modelled", name = other);
            object.log.warning(socket.span, message);
            Ok(None)
        }
    }
}

impl Subsets {
    fn read(object: Object) -> Read<Self> {
        let mut selectors = Vec::new();
        for selector in object.messages("subset_selectors")? {
            selectors.push(selector.strings("keys")?.into_iter().collect());
            selector.end();
        }
        let read = Self {
            fallback: object.choice(
                "fallback_policy",
                &[
                    ("NO_FALLBACK", Fallback::None),
                    ("ANY_ENDPOINT", Fallback::Any),
                    ("DEFAULT_SUBSET", Fallback::Default),
                ],
            )?,
            default: object.get("default_subset").map(subset).unwrap_or_default(),
            selectors,
        };
        object.end();
        Ok(read)
    }
}

impl Assignment {
    /// With the name of the cluster that it is for.
    pub(super) fn read(node: &Node, log: &Log) -> Read<(String, Self)> {
        let object = Object::new(node, log)?;
        let policy = object.message_or_empty("policy")?;
        let mut assignment = Self {
            endpoints: Vec::new(),
            overprovisioning: policy.u32("overprovisioning_factor")?.unwrap_or(140).into(),
        };
        for group in object.messages("endpoints")? {
            let place = group.message_or_empty("locality")?;
            let places = [
                place.str("region")?,
                place.str("zone")?,
                place.str("sub_zone")?,
            ];
            let locality = places.join("/").trim_end_matches('/').to_string();
            let priority = group.within("priority", 0, 128)?.unwrap_or(0);
            let priority = u32::try_from(priority).unwrap_or(0);
            let weight = group.u32("load_balancing_weight")?;
            for endpoint in group.messages("lb_endpoints")? {
                let mut read = Endpoint::read(endpoint)?;
                read.locality.clone_from(&locality);
                read.priority = priority;
                read.locality_weight = weight.map(u64::from);
                assignment.endpoints.push(read);
            }
            group.end();
        }
        let name = object.str("cluster_name")?.to_string();
        object.no_matter(&["named_endpoints"]);
        object.end();
        Ok((name, assignment))
    }
}

impl Endpoint {
    fn read(object: Object) -> Read<Self> {
        let endpoint = object.message_or_empty("endpoint")?;
        let address = endpoint.message_or_empty("address")?;
        let socket = address.message_or_empty("socket_address")?;
        let internal = address.message_or_empty("envoy_internal_address")?;
        let pipe = address.message_or_empty("pipe")?;
        let address = if address.has("socket_address") {
            let ip = socket.str("address")?;
            let port = socket.port("port_value")?.unwrap_or(0);
            if ip.contains(':') {
                format!("[{ip}]:{port}")
            } else {
                format!("{ip}:{port}")
            }
        } else if address.has("pipe") {
            pipe.str("path")?.to_string()
        } else {
            internal.str("server_listener_name")?.to_string()
        };
        let metadata = object.message_or_empty("metadata")?;
        let filters = metadata.message_or_empty("filter_metadata")?;
        let read = Self {
            address,
            hostname: endpoint.str("hostname")?.to_string(),
            health: object.choice(
                "health_status",
                &[
                    ("UNKNOWN", Health::Healthy),
                    ("HEALTHY", Health::Healthy),
                    ("UNHEALTHY", Health::Unhealthy),
                    ("DRAINING", Health::Unhealthy),
                    ("TIMEOUT", Health::Unhealthy),
                    ("DEGRADED", Health::Degraded),
                ],
            )?,
            weight: object
                .within("load_balancing_weight", 1, u32::MAX.into())?
                .unwrap_or(1),
            metadata: filters.get("envoy.lb").map(subset).unwrap_or_default(),
            transport: filters
                .get("envoy.transport_socket_match")
                .map(subset)
                .unwrap_or_default(),
            locality: String::new(),
            locality_weight: None,
            priority: 0,
            span: object.span,
        };
        object.end();
        Ok(read)
    }
}
