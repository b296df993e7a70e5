//! Names as the webhook takes them. Source: `pkg/config/labels`, `pkg/config/validation/agent/validation.go`.

use std::net::IpAddr;

use crate::envoy::{BadRegex, Regex};
use crate::net::IpNetwork;

/// A DNS-1123 label; upper case passes as well.
pub(super) fn is_label(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.chars().next())
        && ends(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// A label that may begin with `*` or `*-`.
fn is_wildcard_label(text: &str) -> bool {
    let rest = text
        .strip_prefix('*')
        .map(|r| r.strip_prefix('-').unwrap_or(r));
    text == "*" || text.len() <= 63 && is_label(rest.unwrap_or(text))
}

fn is_name(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().last())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

pub(super) fn is_label_key(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let prefix_fits = |p: &str| p.len() <= 253 && p.split('.').all(is_label);
    prefix.is_none_or(prefix_fits) && name.len() <= 63 && is_name(name)
}

pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

pub(super) fn subnet(text: &str) -> Result<(), String> {
    let fits = match text.matches('/').count() {
        1 => text.parse::<IpNetwork>().is_ok(),
        _ => is_ip(text),
    };
    match fits {
        true => Ok(()),
        false if text.contains('/') => Err(format!("{text} is not a valid CIDR block")),
        false => Err(format!("{text} is not a valid IP address")),
    }
}

fn length(domain: &str) -> Result<(), String> {
    match domain.len() {
        0 => Err("empty domain name not allowed".into()),
        1..=255 => Ok(()),
        _ => Err(format!("domain name {domain:?} too long (max 255)")),
    }
}

fn labels(domain: &str, rest: &str) -> Result<(), String> {
    let parts: Vec<&str> = rest.split('.').collect();
    let top = parts.last().copied().unwrap_or("");
    if !top.is_empty() && top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "domain name {domain:?} invalid (top level domain {top:?} cannot be all-numeric)"
        ));
    }
    for (at, label) in parts.iter().enumerate() {
        let root = at + 1 == parts.len() && label.is_empty();
        if !root && !is_label(label) {
            return Err(format!(
                "domain name {domain:?} invalid (label {label:?} invalid)"
            ));
        }
    }
    Ok(())
}

pub(super) fn fqdn(domain: &str) -> Result<(), String> {
    length(domain)?;
    labels(domain, domain)
}

/// A domain whose first label may be a wildcard.
pub(super) fn wildcard_domain(domain: &str) -> Result<(), String> {
    length(domain)?;
    let (first, rest) = match domain.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (domain, None),
    };
    if !is_wildcard_label(first) {
        return Err(format!(
            "domain name {domain:?} invalid (label {first:?} invalid)"
        ));
    }
    rest.map_or(Ok(()), |rest| labels(domain, rest))
}

/// `namespace/host`; in a Gateway the namespace may be left out and the host may be an address.
pub(super) fn namespaced_host(host: &str, gateway: bool) -> Result<(), String> {
    let part = |name: &str| {
        if name != "*" && !name.contains('.') && !is_ip(name) {
            return Err("short names (non FQDN) are not allowed".into());
        }
        match wildcard_domain(name) {
            Err(_) if gateway && is_ip(name) => {}
            other => other?,
        }
        match name.contains('*') && name != "*" && !name.starts_with("*.") {
            true => Err(format!("partial wildcard {name:?} not allowed")),
            false => Ok(()),
        }
    };
    let Some((namespace, name)) = host.split_once('/') else {
        return match gateway {
            true => part(host),
            false => Err("host must be of form namespace/dnsName".into()),
        };
    };
    if namespace.is_empty() || name.is_empty() {
        return Err("config namespace and dnsName in host entry cannot be empty".into());
    }
    let special = matches!(namespace, "*" | ".") || !gateway && namespace == "~";
    if !special && !is_label(namespace) {
        let place = if gateway { "gateway" } else { "sidecar" };
        return Err(format!("invalid namespace value {namespace:?} in {place}"));
    }
    part(name)
}

/// What follows `unix://`: a file, or an abstract socket.
pub(super) fn unix_address(text: &str) -> Result<(), String> {
    match text {
        "" => Err("unix address must not be empty".into()),
        _ if text.starts_with('@') => Ok(()),
        _ if text.starts_with('/') && !text.ends_with('/') => Ok(()),
        _ => Err(format!("{text} is not an absolute path to a file")),
    }
}

pub(super) fn regex(text: &str, place: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{place:?}: regex string match should not be empty"));
    }
    if text.len() > 1024 {
        return Err(format!(
            "{place:?}: regex is too large, max length allowed is 1024"
        ));
    }
    match Regex::new(text) {
        Err(BadRegex::Refused(words)) => Err(format!(
            "{place:?}: error parsing regexp: {words}; Istio uses RE2 style regex-based match"
        )),
        _ => Ok(()),
    }
}

/// A header's name as HTTP has it (RFC 9110, 5.6.2).
pub(super) fn header(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("header name cannot be empty".into());
    }
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match name.chars().all(token) {
        true => Ok(()),
        false => Err(format!("header name {name} is not a valid header name")),
    }
}

/// A value with Envoy's `%COMMANDS%` in it.
pub(super) fn header_value(value: &str) -> Result<(), String> {
    if value
        .chars()
        .any(|c| (c < ' ' && c != '\t') || c == '\u{7f}')
    {
        return Err(format!("header value configuration {value} is invalid"));
    }
    let bad = |what: &str| {
        Err(format!(
            "header value configuration: invalid header configuration. {what}"
        ))
    };
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        if after.is_empty() {
            return bad("Un-escaped %");
        }
        if let Some(after) = after.strip_prefix('%') {
            rest = after;
            continue;
        }
        let Some(end) = after.find(['%', '(']) else {
            return bad(&format!("Un-terminated variable expression '{value}'"));
        };
        rest = after.get(end..).unwrap_or("");
        if let Some(inside) = rest.strip_prefix('(') {
            let Some((_, tail)) = inside.split_once(')') else {
                return bad(&format!("Un-terminated variable expression '{value}'"));
            };
            rest = tail.trim_start_matches(' ');
            if !rest.is_empty() && !rest.starts_with('%') {
                return bad("Expecting '%' or whitespace after");
            }
        }
        let Some(tail) = rest.strip_prefix('%') else {
            return bad(&format!("Un-terminated variable expression '{value}'"));
        };
        rest = tail;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_may_begin_with_a_wildcard() {
        assert!(wildcard_domain("*.a.com").is_ok() && wildcard_domain("*").is_ok());
        assert!(wildcard_domain("*-a.com").is_ok() && wildcard_domain("a.com.").is_ok());
        assert!(wildcard_domain("a.*.com").is_err() && wildcard_domain("").is_err());
        assert!(wildcard_domain("a_b.com").is_err() && fqdn("1.2.3.4").is_err());
        assert!(
            namespaced_host("ns/*.a.com", true).is_ok() && namespaced_host("a", false).is_err()
        );
    }

    #[test]
    fn a_percent_sign_begins_a_command() {
        assert!(header_value("a%%b %REQ(:PATH)%").is_ok());
        assert!(header_value("50%").is_err() && header_value("%REQ(a").is_err());
    }
}
