//! What whole clusters did with probes, replayed. `conformance/README.md` says how it was recorded.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};
use support::cluster;
use support::score::Score;

/// Who answered, and what each side saw of it.
const ENDING: [&str; 10] = [
    "outcome",
    "pod",
    "pod_local",
    "pod_peer",
    "lb_backend",
    "gateway_pod",
    "status",
    "location",
    "icmp",
    "errno",
];
const WALK: [&str; 4] = ["walk", "reply", "reply_kind", "upstream"];

fn files(dir: &Path, kind: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = std::fs::read_dir(dir)
        .expect("the recordings stand in the project")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path: &PathBuf| path.extension().is_some_and(|e| e == kind))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("a readable recording");
            (name.into_owned(), text)
        })
        .collect();
    all.sort();
    all
}

fn recordings() -> Vec<(String, Value)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/cluster");
    let before: BTreeMap<String, String> = files(&dir.join("before"), "save").into_iter().collect();
    let all = files(&dir, "txt").into_iter();
    all.map(|(name, text)| (name, cluster::read(&text, &before)))
        .collect()
}

/// Has the program answer the recordings, and counts.
fn played() -> Score {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
    let (cases, answers) = (dir.join("cases"), dir.join("answers"));
    for dir in [&cases, &answers] {
        std::fs::remove_dir_all(dir).ok();
        std::fs::create_dir_all(dir).expect("a place for cases and answers");
    }
    let recordings = recordings();
    for (name, recording) in &recordings {
        let case = json!({ "scenario": recording["scenario"] });
        std::fs::write(cases.join(format!("{name}.json")), case.to_string())
            .expect("a case can be written");
    }
    let done = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["conform", "cluster"])
        .args([&cases, &answers])
        .status()
        .expect("the program runs");
    assert!(done.success());
    let mut score = Score::default();
    for (name, recording) in &recordings {
        let text = std::fs::read_to_string(answers.join(format!("{name}.json")))
            .expect("an answer for each case");
        let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
        count(&mut score, name, &recording["result"], &answer["result"]);
    }
    score
}

/// Each way that a probe went must be among the answer's; a probe that always went one way has no other.
fn count(score: &mut Score, name: &str, want: &Value, have: &Value) {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    for probe in list(&want["probes"]) {
        let answer = list(&have["probes"]);
        let answer = answer.iter().find(|p| p["probe"] == probe["probe"]);
        let (ways, mine) = (
            list(&probe["variants"]),
            answer.map_or_else(Vec::new, |p| list(&p["variants"])),
        );
        let label = format!("{name}#{}", probe["probe"]);
        let walks = [&ENDING[..], &WALK[..]].concat();
        let parts = [
            ("endings", &ENDING[..]),
            ("walks", &walks[..]),
            ("conntrack", &["pod", "lb_backend", "conntrack"][..]),
        ];
        for (part, keys) in parts {
            let same = |w: &Value, m: &Value| alike(&pick(w, keys), &pick(m, keys));
            let missing = ways.iter().find(|w| !mine.iter().any(|m| same(w, m)));
            let other = mine.iter().find(|m| ways.len() == 1 && !same(&ways[0], m));
            let difference = match (missing, other) {
                (Some(way), _) => Some(format!("no way is {}", pick(way, keys))),
                (_, Some(way)) => Some(format!("never seen: {}", pick(way, keys))),
                _ => None,
            };
            score.count(part, &label, difference);
        }
    }
}

fn pick(value: &Value, keys: &[&str]) -> Value {
    let kept = keys.iter().filter(|k| !value[**k].is_null());
    kept.map(|k| (k.to_string(), value[*k].clone()))
        .collect::<Map<_, _>>()
        .into()
}

/// `*` in what was recorded stands for anything, `ADDRESS:*` for any port.
fn alike(want: &Value, have: &Value) -> bool {
    match (want, have) {
        _ if want == have || want == "*" => true,
        (Value::String(a), Value::String(b)) => a
            .strip_suffix('*')
            .is_some_and(|a| a.ends_with(':') && b.starts_with(a)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| alike(v, w)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(v, w)| alike(v, w))
        }
        _ => false,
    }
}

/// Chance chose twice the same where it could have chosen otherwise, so that the recording knows of one way only.
const CHANCE: [(&str, &str); 10] = [
    (
        "endings affinity#3",
        "the node's first choice for the client",
    ),
    ("walks affinity#3", "the same"),
    ("conntrack affinity#3", "the same"),
    ("endings affinity#5", "the node's first choice for the pod"),
    ("walks affinity#5", "the same"),
    ("conntrack affinity#5", "the same"),
    ("endings affinity#6", "the node's first choice for itself"),
    ("walks affinity#6", "the same"),
    ("conntrack affinity#6", "the same"),
    ("walks multi-port#7", "three choices of two refusals"),
];

#[test]
fn what_the_clusters_did_is_answered() {
    played().settle("cluster", &CHANCE);
}

#[test]
fn the_measure_accepts_what_was_recorded_and_nothing_else() {
    let (mut same, mut other) = (Score::default(), Score::default());
    for (name, recording) in recordings() {
        let result = &recording["result"];
        count(&mut same, &name, result, result);
        let mut changed = result.clone();
        for probe in changed["probes"].as_array_mut().into_iter().flatten() {
            for way in probe["variants"].as_array_mut().into_iter().flatten() {
                way["outcome"] = json!("lost");
            }
        }
        count(&mut other, &name, result, &changed);
    }
    same.settle("itself", &[]);
    assert!(same.right("endings") > 500 && other.right("endings") == 0);
}
