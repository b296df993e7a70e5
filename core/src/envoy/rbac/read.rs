//! `envoy.config.rbac.v3.RBAC`.

use super::{Condition, Effect, Policy, Rbac, Rules, Test};
use crate::envoy::listener::network;
use crate::envoy::matching::{HeaderMatch, StringMatch};
use crate::envoy::metadata::MetadataMatch;
use crate::envoy::object::{Object, Read, Refusal};
use crate::envoy::template::Template;
use crate::say;
use crate::text::Span;
use crate::yaml::Node;

/// What both kinds of conditions are called, and the lists that they can be of.
struct Names {
    all: &'static str,
    any: &'static str,
    list: &'static str,
    not: &'static str,
    /// The `oneof` that one has to be of.
    one: &'static str,
}

const PERMISSIONS: Names = Names {
    all: "and_rules",
    any: "or_rules",
    list: "rules",
    not: "not_rule",
    one: "rule",
};

const PRINCIPALS: Names = Names {
    all: "and_ids",
    any: "or_ids",
    list: "ids",
    not: "not_id",
    one: "identifier",
};

/// Conditions that are not modelled, by their fields.
const NOT_MODELLED: [&str; 5] = [
    "sourced_metadata",
    "filter_state",
    "matcher",
    "custom",
    "mtls_authenticated",
];

impl Rbac {
    pub(in crate::envoy) fn read(config: &Object) -> Read<Self> {
        for field in ["matcher", "shadow_matcher"] {
            if config.has(field) {
                not_modelled(config, field);
            }
        }
        config.no_matter(&["stat_prefix", "enforcement_type", "track_per_rule_stats"]);
        config.no_matter(&["delay_deny"]);
        let by_matcher = |field: &str| config.has(field).then(|| Rules::unknown(config, field));
        let rules = |field: &str| config.message(field)?.map(Rules::read).transpose();
        Ok(Self {
            rules: rules("rules")?.or_else(|| by_matcher("matcher")),
            shadow: rules("shadow_rules")?.or_else(|| by_matcher("shadow_matcher")),
            prefix: config.str("rules_stat_prefix")?.to_string(),
            shadow_prefix: config.str("shadow_rules_stat_prefix")?.to_string(),
            span: config.span,
        })
    }
}

impl Rbac {
    /// Of connections no headers are asked for (`source/extensions/filters/network/rbac/config.cc`).
    pub(in crate::envoy) fn read_network(config: &Object) -> Read<Self> {
        let read = Self::read(config)?;
        let rules = read.rules.iter().chain(&read.shadow);
        let policies = rules.flat_map(|r| &r.policies);
        let found = policies.flat_map(|p| [p.permissions.header(), p.principals.header()]);
        if let Some((name, span)) = found.flatten().next() {
            let why = format!("Found header({name}) rule,not supported by RBAC network filter");
            return Err(Refusal::new(span, why));
        }
        Ok(read)
    }
}

impl Rules {
    fn read(object: Object) -> Read<Self> {
        let action = object.choice(
            "action",
            &[
                ("ALLOW", Effect::Allow),
                ("DENY", Effect::Deny),
                ("LOG", Effect::Log),
            ],
        )?;
        object.no_matter(&["audit_logging_options"]);
        let mut policies = Vec::new();
        if let Some(map) = object.message("policies")? {
            for entry in map.entries() {
                let policy = Object::new(&entry.value, object.log)?;
                policies.push(Policy::read(&entry.key, policy)?);
            }
        }
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        object.end();
        Ok(Self { action, policies })
    }

    /// Rules in a form that is not modelled.
    fn unknown(config: &Object, field: &str) -> Self {
        let one = Condition {
            test: Test::NotModelled(field.to_string()),
            span: config.at(field),
        };
        Self {
            action: Effect::Allow,
            policies: vec![Policy {
                name: field.to_string(),
                permissions: one.clone(),
                principals: one,
                span: config.at(field),
            }],
        }
    }
}

impl Policy {
    fn read(name: &str, object: Object) -> Read<Self> {
        let any = |field: &str, names: &Names| {
            let list = object.list(field)?;
            if list.is_empty() {
                let why = "value must contain at least 1 item(s)";
                return Err(Refusal::field(object.at(field), field, why));
            }
            let all = list.iter();
            let all = all.map(|n| Condition::read(n, names, &object));
            Ok(Condition {
                test: Test::Any(all.collect::<Read<_>>()?),
                span: object.span,
            })
        };
        let mut permissions = any("permissions", &PERMISSIONS)?;
        for field in ["condition", "checked_condition"] {
            if object.has(field) {
                not_modelled(&object, field);
                let unknown = Condition {
                    test: Test::NotModelled(field.to_string()),
                    span: object.at(field),
                };
                permissions = Condition {
                    test: Test::All(vec![permissions, unknown]),
                    span: object.span,
                };
            }
        }
        object.no_matter(&["cel_config"]);
        let read = Self {
            name: name.to_string(),
            permissions,
            principals: any("principals", &PRINCIPALS)?,
            span: object.span,
        };
        object.end();
        Ok(read)
    }
}

impl Condition {
    /// The first header that is asked for.
    fn header(&self) -> Option<(&str, Span)> {
        match &self.test {
            Test::All(all) | Test::Any(all) => all.iter().find_map(Condition::header),
            Test::Not(other) => other.header(),
            Test::Header(header) => Some((&header.name, self.span)),
            _ => None,
        }
    }

    fn read(node: &Node, names: &Names, parent: &Object) -> Read<Self> {
        let log = parent.log;
        let object = Object::new(node, log)?;
        let set = |field: &str| -> Read<Option<Vec<Condition>>> {
            let Some(set) = object.message(field)? else {
                return Ok(None);
            };
            let all = set.list(names.list)?.iter();
            all.map(|n| Condition::read(n, names, &set))
                .collect::<Read<_>>()
                .map(Some)
        };
        let address = |field: &str| {
            let range = object.message(field)?;
            range.map(|range| network(&range)).transpose()
        };
        let test = if let Some(all) = set(names.all)? {
            Test::All(all)
        } else if let Some(any) = set(names.any)? {
            Test::Any(any)
        } else if let Some(not) = object.get(names.not) {
            Test::Not(Box::new(Condition::read(not, names, &object)?))
        } else if let Some(any) = object.maybe_bool("any")? {
            if !any {
                let why = "value must equal true";
                return Err(Refusal::field(object.at("any"), "any", why));
            }
            Test::Always
        } else if let Some(header) = object.get("header") {
            Test::Header(HeaderMatch::read(header, log)?)
        } else if let Some(path) = object.message("url_path")? {
            let Some(text) = path.get("path") else {
                return Err(Refusal::field(path.span, "rule", "is required"));
            };
            Test::Path(StringMatch::read(text, log)?)
        } else if let Some(template) = object.message("uri_template")? {
            let config = template.message_or_empty("typed_config")?;
            template.no_matter(&["name"]);
            let text = config.filled("path_template")?;
            let read = Template::new(text);
            Test::Template(read.map_err(|why| Refusal::new(config.at("path_template"), why))?)
        } else if let Some(network) = address("destination_ip")? {
            Test::Destination(network)
        } else if let Some(port) = object.within("destination_port", 0, 65_535)? {
            let port = u32::try_from(port).unwrap_or(0);
            Test::DestinationPort(port, port + 1)
        } else if let Some(range) = object.message("destination_port_range")? {
            let bound = |field: &str| -> Read<u32> { Ok(range.u32(field)?.unwrap_or(0)) };
            let (start, end) = (bound("start")?, bound("end")?);
            if start >= end {
                let why =
                    format!("range start {start} cannot be greater or equal than range end {end}");
                return Err(Refusal::new(range.span, why));
            }
            Test::DestinationPort(start, end)
        } else if let Some(name) = object.get("requested_server_name") {
            Test::ServerName(StringMatch::read(name, log)?)
        } else if let Some(network) = address("direct_remote_ip")? {
            Test::DirectSource(network)
        } else if let Some(network) = address("source_ip")? {
            Test::Source(network)
        } else if let Some(network) = address("remote_ip")? {
            Test::Client(network)
        } else if let Some(peer) = object.message("authenticated")? {
            let name = peer.get("principal_name");
            Test::Authenticated(name.map(|n| StringMatch::read(n, log)).transpose()?)
        } else if let Some(metadata) = object.get("metadata") {
            Test::Metadata(MetadataMatch::read(metadata, log)?)
        } else if let Some(field) = NOT_MODELLED.into_iter().find(|f| object.has(f)) {
            not_modelled(&object, field);
            Test::NotModelled(field.to_string())
        } else {
            return Err(Refusal::field(node.span, names.one, "is required"));
        };
        object.end();
        Ok(Self {
            test,
            span: node.span,
        })
    }
}

fn not_modelled(object: &Object, field: &str) {
    let say = say!("envoy/condition-not-modelled", field = field);
    object.log.warning(object.at(field), say);
}
