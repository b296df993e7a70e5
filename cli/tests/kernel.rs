//! What real kernels did with packets, replayed. `conformance/README.md` says how it was recorded.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::recording;
use support::score::{self, Score};

/// All recordings of a suite, by name.
fn recordings(suite: &str) -> Vec<(String, Value)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../conformance")
        .join(suite);
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .expect("the recordings stand in the project")
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let id = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).expect("a readable recording");
            let recording = recording::read(&id, &text);
            (id, recording)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn the_measure_accepts_what_was_recorded_and_nothing_else() {
    let (mut same, mut other) = (Score::default(), Score::default());
    for (name, recording) in recordings("kernel-semantics") {
        let result = &recording["result"];
        score::kernel(&mut same, &name, result, result);
        let mut changed = result.clone();
        for packet in changed["packets"].as_array_mut().into_iter().flatten() {
            packet["disposition"] = json!("lost");
        }
        score::kernel(&mut other, &name, result, &changed);
    }
    same.settle("itself", &[]);
    assert!(same.right("outcome") > 300 && other.right("outcome") == 0);
}
