//! Counting answers against recordings, as `N of M` a part.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How many of a suite's questions were answered as the real system did, a part each, and which were not.
#[derive(Default)]
pub struct Score {
    parts: BTreeMap<String, (usize, usize)>,
    missed: Vec<String>,
}

impl Score {
    pub fn count(&mut self, part: &str, label: &str, difference: Option<String>) {
        let (right, all) = self.parts.entry(part.to_string()).or_default();
        *all += 1;
        match difference {
            None => *right += 1,
            Some(difference) => self.missed.push(format!("{part} {label}: {difference}")),
        }
    }

    pub fn right(&self, part: &str) -> usize {
        self.parts.get(part).map_or(0, |(right, _)| *right)
    }

    /// Prints the scores; fails where anything was missed beyond the known ones, or a known one no longer is.
    pub fn settle(&self, suite: &str, known: &[(&str, &str)]) {
        for (part, (right, all)) in &self.parts {
            println!("{suite}/{part}: {right} of {all}");
        }
        let is_known = |m: &str| {
            known
                .iter()
                .any(|(name, _)| m.starts_with(&format!("{name}:")))
        };
        let new: Vec<_> = self.missed.iter().filter(|m| !is_known(m)).collect();
        assert!(
            new.is_empty(),
            "{suite}: {} answers differ from what was recorded:\n{new:#?}",
            new.len()
        );
        let stale: Vec<_> = known
            .iter()
            .filter(|(name, _)| {
                !self
                    .missed
                    .iter()
                    .any(|m| m.starts_with(&format!("{name}:")))
            })
            .collect();
        assert!(
            stale.is_empty(),
            "{suite}: no longer missed, take them off the list: {stale:?}"
        );
    }
}

/// What is compared of a packet's record.
type View = fn(&Value) -> Value;

/// Counts one case of the kernel's: how each packet ended, the rules that acted, the packet at each hook, the connections, and
/// what the host itself sent.
pub fn kernel(score: &mut Score, name: &str, want: &Value, have: &Value) {
    let none = Vec::new();
    let answers = have["packets"].as_array().unwrap_or(&none);
    for (i, p) in want["packets"]
        .as_array()
        .unwrap_or(&none)
        .iter()
        .enumerate()
    {
        if p.get("skipped").is_some() {
            continue;
        }
        let label = format!("{name}#{i}");
        let q = answers
            .iter()
            .find(|q| q["index"] == p["index"])
            .unwrap_or(&Value::Null);
        if let Some(ways) = want.get("alternatives") {
            let ways = ways[i].as_array().unwrap_or(&none);
            let same = |w: &Value| {
                difference(&ending(w), &ending(q), "").is_none()
                    && difference(&route(w), &route(q), "").is_none()
            };
            let missed =
                (!ways.iter().any(same)).then(|| "not among what the kernel did".to_string());
            score.count("one-of", &label, missed);
            continue;
        }
        let parts: [(&str, View); 5] = [
            ("outcome", ending),
            ("path", path),
            ("hooks", hooks),
            ("conntrack", connections),
            ("generated", generated),
        ];
        for (part, view) in parts {
            score.count(part, &label, difference(&view(p), &view(q), ""));
        }
    }
}

fn pick(value: &Value, keys: &[&str]) -> Value {
    let kept = keys.iter().filter(|k| !value[**k].is_null());
    kept.map(|k| (k.to_string(), value[*k].clone()))
        .collect::<Map<_, _>>()
        .into()
}

fn each(value: &Value, view: impl Fn(&Value) -> Value) -> Value {
    value
        .as_array()
        .map(|a| a.iter().map(view).collect())
        .unwrap_or(json!([]))
}

fn ending(p: &Value) -> Value {
    json!({"disposition": p["disposition"], "where": p["where"], "out": each(&p["out"], Value::clone)})
}

fn path(p: &Value) -> Value {
    each(&p["path"], |s| {
        pick(s, &["hook", "table", "chain", "kind", "n", "verdict"])
    })
}

fn route(p: &Value) -> Value {
    each(&p["path"], |s| {
        pick(s, &["hook", "table", "chain", "kind", "n"])
    })
}

fn hooks(p: &Value) -> Value {
    let keys = [
        "hook", "in", "out", "ct", "mark_in", "mark_out", "pkt_in", "pkt_out", "survived",
    ];
    each(&p["hooks"], |h| pick(h, &keys))
}

/// In the order of the original tuples, so that one connection is held against itself.
fn connections(p: &Value) -> Value {
    let mut all = p["conntrack"].as_array().cloned().unwrap_or_default();
    all.sort_by_key(|e| (e["proto"].to_string(), e["orig"].to_string(), e.to_string()));
    Value::Array(all)
}

fn generated(p: &Value) -> Value {
    each(&p["generated"], |g| {
        let mut out = ending(g);
        out["pkt"] = g["pkt"].clone();
        out
    })
}

/// The first difference; `*` in what was recorded stands for anything.
pub fn difference(want: &Value, have: &Value, at: &str) -> Option<String> {
    let differs = || Some(format!("{at}: recorded {want}, answered {have}"));
    match (want, have) {
        _ if want == have || want == "*" => None,
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter()
                .find_map(|k| difference(&want[k], &have[k], &format!("{at}/{k}")))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (x, y))| difference(x, y, &format!("{at}[{i}]"))),
        (Value::Array(a), Value::Array(b)) => {
            let first = a
                .iter()
                .zip(b)
                .enumerate()
                .find_map(|(i, (x, y))| difference(x, y, &format!("{at}[{i}]")));
            first.or_else(|| {
                Some(format!(
                    "{at}: {} recorded, {} answered: {have}",
                    a.len(),
                    b.len()
                ))
            })
        }
        _ => differs(),
    }
}
