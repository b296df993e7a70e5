//! Actions as `envoy.config.route.v3.Route` has them, and what Envoy refuses of one.

use std::collections::BTreeMap;

use super::{
    Action, ClusterChoice, Forward, HashOf, HashPolicy, HostRewrite, PathToHost, Redirect, Rewrite,
    Subset, WeightedCluster, subset,
};
use crate::envoy::cors::Cors;
use crate::envoy::header_ops::HeaderOps;
use crate::envoy::matching::read_regex;
use crate::envoy::object::{Object, Read, Refusal};
use crate::envoy::per_filter::PerFilter;
use crate::envoy::regex::Regex;
use crate::envoy::retry::RetryPolicy;
use crate::envoy::route::{PathMatch, RouteMatch};
use crate::envoy::route_config::{Defaults, Mirror};
use crate::envoy::timing::Timing;
use crate::say;
use crate::text::base64;

impl Action {
    pub(in crate::envoy) fn read(
        route: &Object,
        condition: &RouteMatch,
        above: &Defaults,
        filters: &mut PerFilter,
    ) -> Read<Self> {
        route.at_most_one(&[
            "route",
            "redirect",
            "direct_response",
            "filter_action",
            "non_forwarding_action",
        ])?;
        if let Some(object) = route.message("route")? {
            let forward = Forward::read(object, condition, above, filters)?;
            return Ok(Action::Forward(Box::new(forward)));
        }
        if let Some(object) = route.message("redirect")? {
            if object.has("prefix_rewrite") && matches!(condition.path, PathMatch::Template(_)) {
                let why = "Cannot use redirect.prefix_rewrite with path_match_policy";
                return Err(Refusal::new(object.at("prefix_rewrite"), why));
            }
            return Ok(Action::Redirect(Box::new(Redirect::read(object)?)));
        }
        if let Some(object) = route.message("direct_response")? {
            let status = object.u32("status")?.unwrap_or(0);
            let Some(status) = u16::try_from(status)
                .ok()
                .filter(|s| (200..600).contains(s))
            else {
                let why = "value must be inside range [200, 600)";
                return Err(Refusal::field(object.span, "status", why));
            };
            let text = match object.message("body")? {
                None => String::new(),
                Some(body) => read_body(body, above.longest_body)?,
            };
            object.end();
            return Ok(Action::Respond(status, text));
        }
        for name in ["non_forwarding_action", "filter_action"] {
            if route.has(name) {
                let message = say!("envoy/field-not-modelled", field = name);
                route.log.warning(route.at(name), message);
                return Ok(Action::NotModelled(name));
            }
        }
        Err(Refusal::field(route.span, "action", "is required"))
    }
}

impl Redirect {
    fn read(object: Object) -> Read<Self> {
        object.at_most_one(&["https_redirect", "scheme_redirect"])?;
        object.at_most_one(&["path_redirect", "prefix_rewrite", "regex_rewrite"])?;
        let scheme = match object.bool("https_redirect")? {
            true => "https",
            false => object.str("scheme_redirect")?,
        };
        let port = object.u32("port_redirect")?.unwrap_or(0);
        let rewrite = read_rewrite(&object, "prefix_rewrite")?;
        let read = Self {
            scheme: scheme.to_string(),
            host: object.for_header("host_redirect")?.to_string(),
            port: u16::try_from(port).ok().filter(|p| *p != 0),
            path: object.for_header("path_redirect")?.to_string(),
            rewrite,
            strip_query: object.bool("strip_query")?,
            status: object.choice(
                "response_code",
                &[
                    ("MOVED_PERMANENTLY", 301),
                    ("FOUND", 302),
                    ("SEE_OTHER", 303),
                    ("TEMPORARY_REDIRECT", 307),
                    ("PERMANENT_REDIRECT", 308),
                ],
            )?,
        };
        object.end_with(&[])?;
        Ok(read)
    }
}

/// What a direct response says (`envoy.config.core.v3.DataSource`).
fn read_body(body: Object, longest: usize) -> Read<String> {
    let kinds = [
        "inline_string",
        "inline_bytes",
        "filename",
        "environment_variable",
    ];
    body.at_most_one(&kinds)?;
    if !kinds.iter().any(|k| body.has(k)) {
        return Err(Refusal::field(body.span, "specifier", "is required"));
    }
    let text = match body.str("inline_string")? {
        "" => match base64::decode(body.str("inline_bytes")?) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => return Err(Refusal::field(body.span, "inline_bytes", "is not base64")),
        },
        text => text.to_string(),
    };
    if text.len() > longest {
        let size = text.len();
        let why = format!("response body size is {size} bytes; maximum is {longest}");
        return Err(Refusal::new(body.span, why));
    }
    body.end();
    Ok(text)
}

impl Forward {
    fn read(
        object: Object,
        condition: &RouteMatch,
        above: &Defaults,
        filters: &mut PerFilter,
    ) -> Read<Self> {
        object.at_most_one(&[
            "cluster",
            "cluster_header",
            "weighted_clusters",
            "cluster_specifier_plugin",
        ])?;
        object.at_most_one(&[
            "host_rewrite_literal",
            "auto_host_rewrite",
            "host_rewrite_header",
            "host_rewrite_path_regex",
        ])?;
        let mut rewrite = read_rewrite(&object, "prefix_rewrite")?;
        if let Some(policy) = object.message("path_rewrite_policy")? {
            let config = policy.message_or_empty("typed_config")?;
            let new = config.str("path_template_rewrite")?;
            let PathMatch::Template(template) = &condition.path else {
                let why = "unable to use uri_template path rewrite extension without the path match extension";
                return Err(Refusal::new(policy.span, why));
            };
            let substitution = template
                .substitution(new)
                .map_err(|e| Refusal::new(policy.span, e))?;
            if rewrite.is_some() {
                let why =
                    "Specify only one of prefix_rewrite, regex_rewrite or path_rewrite_policy";
                return Err(Refusal::new(object.span, why));
            }
            rewrite = Some(Rewrite::Template(template.clone(), substitution));
        }
        if !object.str("prefix_rewrite")?.is_empty() {
            if object.has("regex_rewrite") {
                let why =
                    "Specify only one of prefix_rewrite, regex_rewrite or path_rewrite_policy";
                return Err(Refusal::new(object.span, why));
            }
            if matches!(condition.path, PathMatch::Template(_)) {
                let why = "Cannot use prefix_rewrite with matcher extension";
                return Err(Refusal::new(object.span, why));
            }
        }
        let own = Mirror::read_list(&object)?;
        let retry = match object.message("retry_policy")? {
            Some(policy) => RetryPolicy::read(&policy)?,
            None => above.retry.clone().unwrap_or_default(),
        };
        if let Some(cors) = object.message("cors")? {
            filters.cors = Some(Cors::read(&cors)?);
        }
        let mut upgrades = BTreeMap::new();
        for upgrade in object.messages("upgrade_configs")? {
            let name = upgrade.filled("upgrade_type")?;
            let enabled = upgrade.maybe_bool("enabled")?.unwrap_or(true);
            if upgrade.has("connect_config") && !name.eq_ignore_ascii_case("CONNECT") {
                let why = format!("Non-CONNECT upgrade type {name} has ConnectConfig");
                return Err(Refusal::new(upgrade.span, why));
            }
            if upgrades
                .insert(name.to_ascii_lowercase(), enabled)
                .is_some()
            {
                return Err(Refusal::new(
                    upgrade.span,
                    format!("Duplicate upgrade {name}"),
                ));
            }
        }
        object.no_matter(&[
            "priority",
            "rate_limits",
            "include_vh_rate_limits",
            "flush_timeout",
        ]);
        let read = Self {
            cluster: ClusterChoice::read(&object)?,
            not_found_status: object.choice(
                "cluster_not_found_response_code",
                &[
                    ("SERVICE_UNAVAILABLE", 503),
                    ("NOT_FOUND", 404),
                    ("INTERNAL_SERVER_ERROR", 500),
                ],
            )?,
            metadata_match: read_subset(&object)?,
            rewrite,
            host: HostRewrite::read(&object)?,
            append_forwarded_host: object.bool("append_x_forwarded_host")?,
            timing: Timing::read(&object)?,
            retry,
            mirrors: if own.is_empty() {
                above.mirrors.clone()
            } else {
                own
            },
            hash: HashPolicy::read_list(&object)?,
            upgrades,
        };
        object.end_with(&[
            "hedge_policy",
            "internal_redirect_policy",
            "internal_redirect_action",
            "max_internal_redirects",
            "cluster_specifier_plugin",
            "inline_cluster_specifier_plugin",
            "early_data_policy",
            "host_rewrite",
            "path_rewrite",
            "request_body_buffer_limit",
        ])?;
        Ok(read)
    }
}

impl ClusterChoice {
    fn read(object: &Object) -> Read<Self> {
        if let Some(weighted) = object.message("weighted_clusters")? {
            let mut clusters = Vec::new();
            let mut total = 0u64;
            for cluster in weighted.messages("clusters")? {
                let Some(weight) = cluster.u32("weight")? else {
                    return Err(Refusal::field(cluster.span, "weight", "value is required"));
                };
                total = total.saturating_add(weight.into());
                let (name, header) = (cluster.str("name")?, cluster.str("cluster_header")?);
                if name.is_empty() == header.is_empty() {
                    let why = match name.is_empty() {
                        true => "At least one of name or cluster_header need to be specified",
                        false => "Only one of name or cluster_header can be specified",
                    };
                    return Err(Refusal::new(cluster.span, why));
                }
                clusters.push(WeightedCluster {
                    name: name.to_string(),
                    header: header.to_ascii_lowercase(),
                    weight: weight.into(),
                    request_headers: HeaderOps::read(
                        &cluster,
                        "request_headers_to_add",
                        "request_headers_to_remove",
                    )?,
                    response_headers: HeaderOps::read(
                        &cluster,
                        "response_headers_to_add",
                        "response_headers_to_remove",
                    )?,
                    host_rewrite: cluster.for_header("host_rewrite_literal")?.to_string(),
                    metadata_match: read_subset(&cluster)?,
                    filters: PerFilter::read(&cluster)?,
                    span: cluster.span,
                });
                cluster.end();
            }
            if clusters.is_empty() {
                let why = "value must contain at least 1 item(s)";
                return Err(Refusal::field(weighted.span, "clusters", why));
            }
            if total == 0 || total > u64::from(u32::MAX) {
                let why = match total {
                    0 => {
                        "Sum of weights in the weighted_cluster must be greater than 0.".to_string()
                    }
                    _ => format!(
                        "The sum of weights of all weighted clusters of route exceeds {}",
                        u32::MAX
                    ),
                };
                return Err(Refusal::new(weighted.span, why));
            }
            weighted.no_matter(&["runtime_key_prefix", "total_weight"]);
            let random_header = weighted.str("header_name")?.to_ascii_lowercase();
            weighted.end();
            return Ok(ClusterChoice::Weighted {
                clusters,
                total,
                random_header,
            });
        }
        let (name, header) = (object.str("cluster")?, object.str("cluster_header")?);
        match (name, header) {
            ("", "") => Err(Refusal::field(
                object.span,
                "cluster_specifier",
                "is required",
            )),
            ("", header) => Ok(ClusterChoice::Header(header.to_ascii_lowercase())),
            (name, _) => Ok(ClusterChoice::Name(name.to_string())),
        }
    }
}

impl HostRewrite {
    fn read(object: &Object) -> Read<Self> {
        let literal = object.for_header("host_rewrite_literal")?;
        let header = object.str("host_rewrite_header")?;
        Ok(if !literal.is_empty() {
            HostRewrite::Literal(literal.to_string())
        } else if !header.is_empty() {
            HostRewrite::Header(header.to_ascii_lowercase())
        } else if let Some(regex) = object.message("host_rewrite_path_regex")? {
            let (regex, substitution) = read_substitution(regex)?;
            HostRewrite::Path(Box::new(PathToHost {
                regex,
                substitution,
            }))
        } else if object.bool("auto_host_rewrite")? {
            HostRewrite::Endpoint
        } else {
            HostRewrite::Keep
        })
    }
}

impl HashPolicy {
    fn read_list(object: &Object) -> Read<Vec<Self>> {
        let mut all = Vec::new();
        for policy in object.messages("hash_policy")? {
            let terminal = policy.bool("terminal")?;
            let properties = policy.message_or_empty("connection_properties")?;
            let of = if let Some(header) = policy.message("header")? {
                let name = header.filled("header_name")?.to_ascii_lowercase();
                let rewrite = header.message("regex_rewrite")?;
                let rewrite = rewrite.map(read_substitution).transpose()?;
                header.end();
                HashOf::Header(name, rewrite.map(|(regex, new)| (Box::new(regex), new)))
            } else if let Some(cookie) = policy.message("cookie")? {
                HashOf::Cookie {
                    name: cookie.filled("name")?.to_string(),
                    ttl: cookie.has("ttl"),
                }
            } else if let Some(query) = policy.message("query_parameter")? {
                HashOf::Query(query.filled("name")?.to_string())
            } else if properties.bool("source_ip")? {
                HashOf::SourceAddress
            } else if policy.has("connection_properties") || policy.has("filter_state") {
                policy.end();
                continue;
            } else {
                return Err(Refusal::field(
                    policy.span,
                    "policy_specifier",
                    "is required",
                ));
            };
            all.push(HashPolicy { of, terminal });
            policy.end();
        }
        Ok(all)
    }
}

fn read_rewrite(object: &Object, prefix: &str) -> Read<Option<Rewrite>> {
    let new = object.for_header(prefix)?;
    let regex = object.message("regex_rewrite")?;
    Ok(match regex {
        Some(rewrite) => {
            let (regex, substitution) = read_substitution(rewrite)?;
            Some(Rewrite::Regex(Box::new(regex), substitution))
        }
        None if !new.is_empty() => Some(Rewrite::Prefix(new.to_string())),
        None => None,
    })
}

fn read_substitution(object: Object) -> Read<(Regex, String)> {
    let Some(pattern) = object.get("pattern") else {
        return Err(Refusal::field(object.span, "pattern", "value is required"));
    };
    let regex = read_regex(pattern, object.log)?;
    let substitution = object.for_header("substitution")?.to_string();
    object.end();
    Ok((regex, substitution))
}

fn read_subset(object: &Object) -> Read<Subset> {
    let metadata = object.message_or_empty("metadata_match")?;
    let filters = metadata.message_or_empty("filter_metadata")?;
    Ok(filters.get("envoy.lb").map(subset).unwrap_or_default())
}
