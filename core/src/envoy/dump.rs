//! What Envoy's administration prints at `/config_dump?include_eds` (`envoy.admin.v3.ConfigDump`), read and written.

use super::config::{Config, Resources};
use crate::say;
use crate::text::{Diagnostic, FileId, Pace, Span, at_once};
use crate::yaml::{self, Entry, Node, Value};

/// A list of a dump, and the way from an entry to its resource.
type List = (&'static str, &'static [&'static str]);

/// Each kind of dump: the lists in it, and the resources' type.
const DUMPS: [(&str, &[List], &str); 4] = [
    (
        "ClustersConfigDump",
        &[
            ("static_clusters", &["cluster"]),
            ("dynamic_active_clusters", &["cluster"]),
        ],
        "envoy.config.cluster.v3.Cluster",
    ),
    (
        "ListenersConfigDump",
        &[
            ("static_listeners", &["listener"]),
            ("dynamic_listeners", &["active_state", "listener"]),
        ],
        "envoy.config.listener.v3.Listener",
    ),
    (
        "RoutesConfigDump",
        &[
            ("static_route_configs", &["route_config"]),
            ("dynamic_route_configs", &["route_config"]),
        ],
        "envoy.config.route.v3.RouteConfiguration",
    ),
    (
        "EndpointsConfigDump",
        &[
            ("static_endpoint_configs", &["endpoint_config"]),
            ("dynamic_endpoint_configs", &["endpoint_config"]),
        ],
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
    ),
];

/// Listeners of Envoy's own housekeeping that Istio configures statically, by their ports.
const HOUSEKEEPING: [i64; 2] = [15_021, 15_090];

/// What a dump says that Envoy runs with.
pub fn read(text: &str, file: FileId) -> (Config, Vec<Diagnostic>) {
    at_once(read_along(text, file, &Pace::AT_ONCE))
}

/// The same, pausing on the way.
pub async fn read_along(text: &str, file: FileId, pace: &Pace) -> (Config, Vec<Diagnostic>) {
    let (documents, mut said) = yaml::read_along(text, file, None, pace).await;
    let mut resources = Resources::default();
    let configs = documents.iter().find_map(|d| d.field("configs"));
    let Some(configs) = configs else {
        let span = Span::new(file, 0, 0);
        said.push(Diagnostic::error(span, say!("envoy/not-a-dump")));
        return (Config::default(), said);
    };
    for config in configs.items() {
        let kind = config.field("@type").and_then(Node::str).unwrap_or("");
        for (at, (name, lists, _)) in DUMPS.iter().enumerate() {
            if kind.rsplit('.').next() != Some(name) {
                continue;
            }
            for (list, way) in *lists {
                let entries = field(config, list).map_or(&[][..], Node::items);
                let found = entries
                    .iter()
                    .filter_map(|e| way.iter().try_fold(e, |node, key| field(node, key)));
                let to = match at {
                    0 => &mut resources.clusters,
                    1 => &mut resources.listeners,
                    2 => &mut resources.routes,
                    _ => &mut resources.endpoints,
                };
                for resource in found {
                    pace.went(resource.span.range().len() / 4).await;
                    if at != 1 || !housekeeping(resource) {
                        to.push(untyped(resource));
                    }
                }
            }
        }
    }
    let (mut config, more) = Config::read_along(&resources, pace).await;
    said.extend(more);
    config.dumped = Some(resources);
    (config, said)
}

/// The dump of an Envoy that runs with these.
pub fn print(resources: &Resources) -> String {
    let mut configs = Vec::new();
    for (at, (name, lists, kind)) in DUMPS.iter().enumerate() {
        let nodes = match at {
            0 => &resources.clusters,
            1 => &resources.listeners,
            2 => &resources.routes,
            _ => &resources.endpoints,
        };
        let Some((list, way)) = lists.last() else {
            continue;
        };
        let entries = nodes.iter().map(|node| {
            let mut entries = vec![entry("@type", text(&format!("type.googleapis.com/{kind}")))];
            entries.extend(node.entries().iter().cloned());
            let resource = map(entries);
            way.iter()
                .rev()
                .fold(resource, |inner, key| map(vec![entry(key, inner)]))
        });
        let list = entry(
            list,
            Node {
                value: Value::Seq(entries.collect()),
                span: Span::default(),
            },
        );
        let kind = text(&format!("type.googleapis.com/envoy.admin.v3.{name}"));
        configs.push(map(vec![entry("@type", kind), list]));
    }
    let configs = Node {
        value: Value::Seq(configs),
        span: Span::default(),
    };
    yaml::to_json(&map(vec![entry("configs", configs)]))
}

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: key.into(),
        key_span: Span::default(),
        value,
    }
}

fn map(entries: Vec<Entry>) -> Node {
    Node {
        value: Value::Map(entries),
        span: Span::default(),
    }
}

fn text(text: &str) -> Node {
    Node {
        value: Value::Str(text.into()),
        span: Span::default(),
    }
}

/// By its name as in the .proto file, or in lowerCamelCase.
fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let mut entries = node.entries().iter();
    let found = entries.find(|e| super::object::same_name(&e.key, name));
    found.map(|e| &e.value)
}

fn untyped(node: &Node) -> Node {
    let entries = node.entries().iter().filter(|e| &*e.key != "@type");
    Node {
        value: Value::Map(entries.cloned().collect()),
        span: node.span,
    }
}

fn housekeeping(listener: &Node) -> bool {
    let port = ["address", "socket_address", "port_value"]
        .iter()
        .try_fold(listener, |node, key| field(node, key));
    port.and_then(Node::int)
        .is_some_and(|p| HOUSEKEEPING.contains(&p))
}
