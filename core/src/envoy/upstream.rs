//! The request as it goes on: host, path, hash. Source: `source/common/router/config_impl.cc`, `shadow_writer_impl.cc`.

use super::action::{Forward, HashOf, HostRewrite};
use super::hash::xxh64;
use super::matching::query;
use super::path::{port_start, without_query};
use super::regex::Regex;
use super::route::RouteMatch;
use crate::net::{Request, Response};
use std::net::IpAddr;

/// `literal` is the weighted cluster's own. What the endpoint's name is used for comes with the endpoint.
pub(super) fn rewrite_host(forward: &Forward, literal: &str, request: &mut Request) {
    if !literal.is_empty() {
        request.authority = literal.to_string();
    }
    let new = match &forward.host {
        HostRewrite::Keep | HostRewrite::Endpoint => return,
        HostRewrite::Literal(host) => host.clone(),
        HostRewrite::Header(name) => request.headers.first(name).unwrap_or("").to_string(),
        HostRewrite::Path(rule) => {
            let path = without_query(&request.path);
            rule.regex.replace_all(path, &rule.substitution)
        }
    };
    set_host(&new, forward.append_forwarded_host, request);
}

/// `Http::Utility::updateAuthority`; nothing where there is no new host.
pub(super) fn set_host(new: &str, append_forwarded_host: bool, request: &mut Request) {
    if new.is_empty() {
        return;
    }
    let old = std::mem::replace(&mut request.authority, new.to_string());
    let headers = &mut request.headers;
    if append_forwarded_host && !old.is_empty() {
        let before = headers
            .all("x-forwarded-host")
            .collect::<Vec<_>>()
            .join(",");
        let last = before.rsplit(',').next().map(str::trim);
        if before.is_empty() {
            headers.set("x-forwarded-host", old.as_str());
        } else if last != Some(old.as_str()) {
            headers.set("x-forwarded-host", format!("{before},{old}"));
        }
    }
    if !old.is_empty() {
        headers.set("x-envoy-original-host", old);
    }
}

pub(super) fn rewrite_path(forward: &Forward, condition: &RouteMatch, request: &mut Request) {
    let Some(rewrite) = &forward.rewrite else {
        return;
    };
    let matched = condition.matched_length(&request.path);
    let new = rewrite.apply(&request.path, matched);
    // A path cannot become empty: then nothing is rewritten.
    if without_query(&new).is_empty() {
        return;
    }
    let old = std::mem::replace(&mut request.path, new);
    request.headers.set("x-envoy-original-path", old);
}

/// The name of a header that is no token (RFC 9110, 5.6.2), which HTTP/1 cannot carry.
pub(super) fn invalid_name(request: &Request) -> Option<String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let mut names = request.headers.iter().map(|(name, _)| name);
    names.find(|n| !n.chars().all(token)).map(str::to_string)
}

/// `a.com:81` becomes `a.com-shadow:81`.
pub(super) fn shadow_host(host: &str) -> String {
    match port_start(host).and_then(|at| host.split_at_checked(at)) {
        Some((name, port)) => format!("{name}-shadow{port}"),
        None => format!("{host}-shadow"),
    }
}

/// The hash that a route's policies make of a request; none where nothing they look at is there.
pub(super) fn hash(forward: &Forward, request: &Request, client: IpAddr) -> Option<u64> {
    let mut hash: Option<u64> = None;
    let one = |value: &str| xxh64(value.as_bytes(), 0);
    for policy in &forward.hash {
        let new = match &policy.of {
            HashOf::Header(name, rewrite) => header_hash(request, name, rewrite.as_ref()),
            HashOf::Cookie { name, .. } => cookie(request, name).map(one),
            HashOf::SourceAddress => Some(one(&client.to_string())),
            HashOf::Query(name) => query(&request.path, name).map(one),
        };
        if let Some(new) = new {
            hash = Some(hash.unwrap_or(0).rotate_left(1) ^ new);
        }
        if policy.terminal && hash.is_some() {
            break;
        }
    }
    hash
}

/// Of all values in the order of the alphabet, each hash the seed of the next.
fn header_hash(
    request: &Request,
    name: &str,
    rewrite: Option<&(Box<Regex>, String)>,
) -> Option<u64> {
    let mut values: Vec<String> = request
        .headers
        .all(name)
        .map(|value| match rewrite {
            Some((regex, new)) => regex.replace_all(value, new),
            None => value.to_string(),
        })
        .collect();
    values.sort_unstable();
    let hash = values
        .iter()
        .fold(0, |seed, value| xxh64(value.as_bytes(), seed));
    (!values.is_empty()).then_some(hash)
}

fn cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut pairs = request.headers.all("cookie").flat_map(|c| c.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value.trim_matches('"'))
    })
}

/// An answer of Envoy's own to a gRPC request: always 200, with the status in gRPC's words (`Grpc::Utility`).
pub(super) fn as_grpc(response: &mut Response) {
    let code = match response.status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    };
    response.status = 200;
    response.headers.set("content-type", "application/grpc");
    response.headers.set("grpc-status", code.to_string());
    if !response.body.is_empty() {
        response
            .headers
            .set("grpc-message", std::mem::take(&mut response.body));
    }
}
