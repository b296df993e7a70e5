//! Rules and matches that no request reaches. Source: `analyzeUnreachableHTTPRules` and its siblings.

use std::collections::BTreeMap;

use super::Findings;
use crate::control::istiod::analyze::Level;
use crate::control::istiod::message::Ask;
use crate::text::Span;
use crate::yaml::{Node, to_json};

/// The code of a match that no request reaches (`VirtualServiceIneffectiveMatch`).
pub(super) const MATCH: &str = "IST0131";

/// A match on a prefix, in the parts by which one may cover another.
struct Prefix<'n> {
    rule: String,
    name: String,
    prefix: &'n str,
    port: i64,
    method: String,
    authority: String,
    maps: [BTreeMap<&'n str, String>; 3],
    span: Span,
}

pub(super) fn http(rules: &[Node], out: &mut Findings) {
    let mut prefixes: Vec<Prefix> = Vec::new();
    walk(rules, out, |rule, at, condition, n| {
        prefixes.extend(prefix(rule, at, condition, n));
    });
    for (at, earlier) in prefixes.iter().enumerate() {
        for later in prefixes.iter().skip(at + 1) {
            if later.prefix != earlier.prefix && covers(earlier, later) {
                let what = format!(
                    "virtualService rule {} match {} of prefix {} is not used (duplicate/overlapping match in rule {} of prefix {} on {})",
                    later.rule,
                    later.name,
                    later.prefix,
                    earlier.name,
                    earlier.prefix,
                    earlier.rule
                );
                out.told(later.span, Level::Info, MATCH, what);
            }
        }
    }
}

pub(super) fn other(rules: &[Node], out: &mut Findings) {
    walk(rules, out, |_, _, _, _| {});
}

fn walk<'n>(
    rules: &'n [Node],
    out: &mut Findings,
    mut each: impl FnMut(&'n Node, usize, &'n Node, usize),
) {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut empty = false;
    let unused = |rule: &Node, at: usize, why: &str, out: &mut Findings| {
        let reason = format!(
            "virtualService rule {} not used ({why})",
            rule_name(rule, at)
        );
        out.told(rule.span, Level::Warning, "IST0130", reason);
    };
    for (at, rule) in rules.iter().enumerate() {
        let matches = rule.each("match");
        if matches.is_empty() {
            if empty {
                unused(rule, at, "only the last rule can have no matches", out);
            }
            empty = true;
            continue;
        }
        let mut duplicates = 0;
        for (n, condition) in matches.iter().enumerate() {
            if empty {
                unused(rule, at, "route without matches defined before", out);
                continue;
            }
            let mut key: Vec<String> = condition
                .entries()
                .iter()
                .filter(|e| &*e.key != "name")
                .map(|e| format!("{}={}", e.key, to_json(&e.value)))
                .collect();
            key.sort();
            let key = key.join(",");
            if let Some(first) = known.get(&key) {
                let before = rules
                    .get(*first)
                    .map_or(String::new(), |r| rule_name(r, *first));
                let reason = format!(
                    "virtualService rule {} match {} is not used (duplicate/overlapping match in rule {before})",
                    rule_name(rule, at),
                    match_name(condition, n)
                );
                out.told(condition.span, Level::Info, MATCH, reason);
                duplicates += 1;
                continue;
            }
            known.insert(key, at);
            each(rule, at, condition, n);
        }
        if duplicates == matches.len() {
            unused(rule, at, "all matches used by prior rules", out);
        }
    }
}

fn rule_name(rule: &Node, at: usize) -> String {
    match rule.text("name") {
        "" => format!("#{at}"),
        name => format!("{name:?}"),
    }
}

fn match_name(condition: &Node, at: usize) -> String {
    match condition.text("name") {
        "" => format!("#{at}"),
        name => format!("{name:?}"),
    }
}

fn exact_or_prefix(value: &Node) -> String {
    match (value.text("exact"), value.text("prefix")) {
        ("", "") => String::new(),
        ("", prefix) => format!("prefix:{prefix}"),
        (exact, _) => format!("exact:{exact}"),
    }
}

fn prefix<'n>(rule: &Node, at: usize, condition: &'n Node, n: usize) -> Option<Prefix<'n>> {
    let text = condition.get("uri")?.text("prefix");
    if text.is_empty() {
        return None;
    }
    let of = |key: &str| condition.get(key).map(exact_or_prefix).unwrap_or_default();
    let map = |key: &str| {
        let entries = condition.field(key).map_or(&[][..], Node::entries).iter();
        entries
            .map(|e| (&*e.key, exact_or_prefix(&e.value)))
            .collect()
    };
    let method = of("method");
    Some(Prefix {
        rule: rule_name(rule, at),
        name: match_name(condition, n),
        prefix: text,
        port: condition.number("port"),
        method: if method.is_empty() {
            "exact:GET".into()
        } else {
            method
        },
        authority: of("authority"),
        maps: [map("headers"), map("queryParams"), map("withoutHeaders")],
        span: condition.span,
    })
}

fn covers(a: &Prefix, b: &Prefix) -> bool {
    let fits = |x: &str, y: &str| x == y || x.starts_with(y);
    b.prefix.starts_with(a.prefix)
        && a.port == b.port
        && fits(&a.method, &b.method)
        && fits(&a.authority, &b.authority)
        && a.maps.iter().zip(&b.maps).all(|(x, y)| {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| fits(v, w)))
        })
}
