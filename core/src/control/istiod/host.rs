//! Host names as Istio compares them. Source: `pkg/config/host/name.go`, `pilot/pkg/model/config.go`.

use std::net::IpAddr;

pub(super) fn is_wildcard(name: &str) -> bool {
    name.starts_with('*')
}

/// Whether some host fits both.
pub(super) fn matches(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (Some(x), Some(y)) if a.len() < b.len() => y.ends_with(x),
        (Some(x), Some(y)) => x.ends_with(y),
        (Some(x), None) => b.ends_with(x),
        (None, Some(y)) => a.ends_with(y),
        (None, None) => a == b,
    }
}

/// Whether every host of `a` fits `b`.
pub(super) fn subset_of(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (Some(_), Some(_)) if a.len() < b.len() => false,
        (Some(x), Some(y)) => x.ends_with(y),
        (Some(_), None) => false,
        (None, Some(y)) => a.ends_with(y),
        (None, None) => a == b,
    }
}

/// The more exact of each pair of which one holds the other.
pub(super) fn intersection(a: &[String], b: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for x in a {
        for y in b {
            let narrower = if subset_of(x, y) {
                x
            } else if subset_of(y, x) {
                y
            } else {
                continue;
            };
            if !all.contains(narrower) {
                all.push(narrower.clone());
            }
        }
    }
    all
}

/// Exact names before wildcards, longer before shorter.
pub(super) fn more_specific(a: &str, b: &str) -> std::cmp::Ordering {
    is_wildcard(a)
        .cmp(&is_wildcard(b))
        .then(b.len().cmp(&a.len()))
        .then(a.cmp(b))
}

/// The name among `names` that fits a host best: itself, or the longest wildcard.
pub(super) fn most_specific<'n>(
    host: &str,
    names: impl Iterator<Item = &'n str>,
) -> Option<&'n str> {
    let needle = host.strip_prefix('*').unwrap_or(host);
    let mut best: Option<&str> = None;
    for name in names {
        if name == host {
            return Some(name);
        }
        let fits = name
            .strip_prefix('*')
            .is_some_and(|suffix| needle.ends_with(suffix));
        if fits && best.is_none_or(|b| more_specific(name, b).is_lt()) {
            best = Some(name);
        }
    }
    best
}

/// A short name is a service of the object's own namespace; a name with a dot is taken as it is.
pub(super) fn resolve(name: &str, namespace: &str, domain: &str) -> String {
    if name.is_empty() || name == "*" || name.contains('.') || name.parse::<IpAddr>().is_ok() {
        return name.to_string();
    }
    format!("{name}.{namespace}.svc.{domain}")
}

/// A reference to a Gateway as `namespace/name`.
pub(super) fn resolve_gateway(name: &str, namespace: &str) -> String {
    if let Some((ns, gateway)) = name.split_once('/') {
        let ns = if ns == "." { namespace } else { ns };
        return format!("{ns}/{gateway}");
    }
    match name.split_once('.') {
        None => format!("{namespace}/{name}"),
        Some((gateway, rest)) => {
            let ns = rest.split('.').next().unwrap_or(rest);
            format!("{ns}/{gateway}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_of_two_hosts_is_served() {
        let names = |s: &str| s.split(' ').map(str::to_string).collect::<Vec<_>>();
        assert_eq!(
            intersection(&names("*.com a.org"), &names("a.com *.org")),
            ["a.com", "a.org"]
        );
        assert_eq!(
            intersection(&names("*.foo.com"), &names("a.example.com")),
            [""; 0]
        );
        assert_eq!(intersection(&names("*"), &names("*.x a")), ["*.x", "a"]);
    }

    #[test]
    fn names_are_resolved_in_the_namespace_of_their_object() {
        assert_eq!(
            resolve("a", "shop", "cluster.local"),
            "a.shop.svc.cluster.local"
        );
        assert_eq!(resolve("a.shop", "x", "cluster.local"), "a.shop");
        assert_eq!(resolve_gateway("gw", "ns"), "ns/gw");
        assert_eq!(resolve_gateway("./gw", "ns"), "ns/gw");
        assert_eq!(
            resolve_gateway("gw.other.svc.cluster.local", "ns"),
            "other/gw"
        );
        assert_eq!(
            most_specific("a.b.c", ["*", "*.c", "*.b.c"].into_iter()),
            Some("*.b.c")
        );
    }
}
