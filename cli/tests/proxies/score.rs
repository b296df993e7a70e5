//! How answers are held against recordings.

use std::collections::BTreeMap;

use northsouth::workspace::misses;
use serde_json::{Map, Value, json};

/// How many of each part are right, and which are not.
#[derive(Default)]
pub struct Score {
    parts: BTreeMap<&'static str, (usize, Vec<String>)>,
}

/// What a short answer is: where the request went and what came of it.
const SHORT: [&str; 7] = [
    "status",
    "vhost",
    "route",
    "cluster",
    "filter_chain",
    "flags",
    "conn",
];
const LONG: [&str; 6] = [
    "endpoint",
    "timeout_ms",
    "attempts",
    "mirrors",
    "details",
    "body",
];

/// Keys of routes that change nothing that is modelled.
const NOISE: [&str; 10] = [
    "metadata",
    "decorator",
    "statPrefix",
    "maxGrpcTimeout",
    "retryHostPredicate",
    "hostSelectionRetryMaxAttempts",
    "validateClusters",
    "maxDirectResponseBodySizeBytes",
    "includeRequestAttemptCount",
    "typedPerFilterConfig",
];

impl Score {
    fn count(&mut self, part: &'static str, name: String, right: bool) {
        let (n, wrong) = self.parts.entry(part).or_default();
        match right {
            true => *n += 1,
            false => wrong.push(name),
        }
    }

    pub fn case(&mut self, suite: &str, name: &str, want: &Value, have: &Value) {
        for (at, case) in want["cases"].as_array().unwrap().iter().enumerate() {
            let (seen, mine) = (&case["observed"], &have["cases"][at]["observed"]);
            let loose = loose(seen);
            for (part, full) in [("requests", false), ("requests-every-field", true)] {
                let right = !mine.is_null() && view(seen, &loose, full) == view(mine, &loose, full);
                self.count(part, format!("{name}#{at}"), right);
            }
        }
        if suite == "envoy" {
            let right = want["config_rejected"].is_array() == have["config_rejected"].is_array();
            return self.count("refused", name.into(), right);
        }
        self.count("validation", name.into(), refused(want) == refused(have));
        for (proxy, state) in want["generated"].as_object().unwrap() {
            let right = routes(state) == routes(&have["generated"][proxy]);
            self.count("generated-routes", format!("{name}:{proxy}"), right);
        }
    }

    /// The score may not fall, and only the cases may be wrong that the page names with a reason.
    pub fn hold(&self, suite: &str, part: &str, floor: usize) {
        let (right, wrong) = &self.parts[part];
        println!("{suite}/{part}: {right} of {}", right + wrong.len());
        let known: Vec<_> = misses(suite, part).iter().map(|m| m.name).collect();
        assert_eq!(*wrong, known, "{suite}/{part}");
        assert!(
            *right >= floor,
            "{suite}/{part}: {right} of at least {floor}"
        );
    }
}

/// Fields that chance decides: those that differed between runs, and those counted as a distribution.
fn loose(seen: &Value) -> Vec<String> {
    let keys = |v: &Value| {
        v.as_object()
            .map(|m| m.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let named = seen["unstable"].as_array().into_iter().flatten();
    let mut all: Vec<String> = named.map(|v| v.as_str().unwrap().to_string()).collect();
    for field in ["one_of", "distribution", "distribution_total"] {
        all.extend(keys(&seen[field]));
    }
    if seen["one_of"].is_object() {
        all.push("attempts".into());
    }
    all
}

fn headers(pairs: &Value, only: Option<&str>) -> Value {
    let mut all: Vec<(String, String)> = pairs
        .as_array()
        .into_iter()
        .flatten()
        .map(|p| {
            (
                p[0].as_str().unwrap().to_ascii_lowercase(),
                p[1].to_string(),
            )
        })
        .filter(|(name, _)| only.is_none_or(|o| o == name))
        .collect();
    all.sort();
    json!(all)
}

fn view(seen: &Value, loose: &[String], full: bool) -> Value {
    let mut out = Map::new();
    for key in SHORT {
        out.insert(key.into(), seen[key].clone());
    }
    let upstream = &seen["upstream"];
    let mut up = Map::new();
    for key in ["method", "path", "authority"] {
        up.insert(key.into(), upstream[key].clone());
    }
    out.insert(
        "location".into(),
        headers(&seen["response_headers"], Some("location")),
    );
    if full {
        up.insert("headers".into(), headers(&upstream["headers"], None));
        out.insert(
            "response_headers".into(),
            headers(&seen["response_headers"], None),
        );
        for key in LONG {
            out.insert(key.into(), seen[key].clone());
        }
    }
    for field in loose {
        match field.split_once('.') {
            Some(("upstream", key)) => drop(up.remove(key)),
            _ => drop(out.remove(field)),
        }
    }
    if !loose.iter().any(|f| f == "upstream") {
        out.insert("upstream".into(), up.into());
    }
    out.into()
}

/// The objects that were refused; the words are free.
fn refused(case: &Value) -> Vec<(String, String)> {
    let all = case["validation"].as_array().into_iter().flatten();
    let mut out: Vec<_> = all
        .filter(|v| v["error"].is_string())
        .map(|v| (v["kind"].to_string(), v["name"].to_string()))
        .collect();
    out.sort();
    out
}

/// Virtual hosts by route configuration and name.
fn routes(state: &Value) -> BTreeMap<(String, String), Value> {
    let mut out = BTreeMap::new();
    for config in state["routes"].as_array().into_iter().flatten() {
        for host in config["virtualHosts"].as_array().into_iter().flatten() {
            let key = (config["name"].to_string(), host["name"].to_string());
            out.insert(key, prune(host));
        }
    }
    out
}

fn prune(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(k, v)| !NOISE.contains(&k.as_str()) && !v.is_null());
            kept.map(|(k, v)| (k.clone(), prune(v)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(prune).collect(),
        other => other.clone(),
    }
}
