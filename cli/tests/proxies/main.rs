//! What the real Envoy and the real istiod did, replayed. `conformance/README.md` says how it was recorded.

mod pack;
mod score;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use score::Score;
use serde_json::Value;

/// Unpacks a corpus, has the model answer it and scores the answers.
fn play(suite: &str) -> Score {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../conformance")
        .join(suite);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(suite);
    let (from, to) = (folder.join("in"), folder.join("out"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&from).unwrap();
    let mut cases: BTreeMap<String, Value> = BTreeMap::new();
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let case = pack::unpack(suite, &std::fs::read_to_string(&path).unwrap());
        std::fs::write(from.join(format!("{name}.json")), case.to_string()).unwrap();
        cases.insert(name, case);
    }
    let done = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["conform", suite])
        .args([&from, &to])
        .status()
        .unwrap();
    assert!(done.success());
    let mut score = Score::default();
    for (name, want) in &cases {
        let text = std::fs::read_to_string(to.join(format!("{name}.json"))).unwrap();
        let have = serde_json::from_str(&text).unwrap();
        score.case(suite, name, want, &have);
    }
    score
}

#[test]
fn requests_go_as_they_went_through_envoy() {
    let score = play("envoy");
    score.hold("envoy", "requests", 937);
    score.hold("envoy", "requests-every-field", 936);
    score.hold("envoy", "refused", 138);
}

#[test]
fn proxies_get_what_istiod_gave_them() {
    let score = play("istio");
    score.hold("istio", "requests", 320);
    score.hold("istio", "requests-every-field", 316);
    score.hold("istio", "validation", 103);
    score.hold("istio", "generated-routes", 105);
}
