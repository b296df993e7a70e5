//! What real kernels did with packets, replayed. `conformance/README.md` says how it was recorded.

mod support;

use std::path::Path;
use std::process::Command;

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

/// Has the program answer a suite's cases, and counts.
fn played(suite: &str) -> Score {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(suite);
    let (cases, answers) = (dir.join("cases"), dir.join("answers"));
    for dir in [&cases, &answers] {
        std::fs::remove_dir_all(dir).ok();
        std::fs::create_dir_all(dir).expect("a place for cases and answers");
    }
    let recordings = recordings(suite);
    for (name, recording) in &recordings {
        let case = json!({ "case": recording["case"] });
        std::fs::write(cases.join(format!("{name}.json")), case.to_string())
            .expect("a case can be written");
    }
    let done = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["conform", suite])
        .args([&cases, &answers])
        .status()
        .expect("the program runs");
    assert!(done.success());
    let mut score = Score::default();
    for (name, recording) in &recordings {
        let text = std::fs::read_to_string(answers.join(format!("{name}.json")))
            .expect("an answer for each case");
        let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
        score::kernel(&mut score, name, &recording["result"], &answer["result"]);
    }
    score
}

#[test]
fn what_the_kernel_did_is_answered() {
    played("kernel").settle("kernel", &[]);
}

#[test]
fn what_the_kernel_did_by_nftables_is_answered() {
    played("kernel-nft").settle("kernel-nft", &[]);
}

/// Where the packet's own port is taken, the kernel draws one (`nf_nat_l4proto_unique_tuple`, `get_random_u16`): another each
/// time, of which the recordings hold the one of that day. What comes later may take the same source again
/// (`find_appropriate_src`), and sees the entries that are there.
const DRAWN: [(&str, &str); 17] = [
    ("outcome implicit_snat_clash#1", "a drawn port"),
    ("hooks implicit_snat_clash#1", "a drawn port"),
    ("conntrack implicit_snat_clash#1", "a drawn port"),
    ("outcome nat_port_clash#1", "a drawn port"),
    (
        "outcome nat_port_clash#2",
        "a source with the port drawn before",
    ),
    ("outcome nat_port_clash#4", "a drawn port"),
    ("outcome nat_port_clash#6", "a drawn port"),
    ("hooks nat_port_clash#1", "a drawn port"),
    (
        "hooks nat_port_clash#2",
        "a source with the port drawn before",
    ),
    ("hooks nat_port_clash#4", "a drawn port"),
    ("hooks nat_port_clash#6", "a drawn port"),
    ("conntrack nat_port_clash#1", "a drawn port"),
    (
        "conntrack nat_port_clash#2",
        "a source with the port drawn before",
    ),
    (
        "conntrack nat_port_clash#3",
        "the table has ports drawn before",
    ),
    ("conntrack nat_port_clash#4", "a drawn port"),
    (
        "conntrack nat_port_clash#5",
        "the table has ports drawn before",
    ),
    ("conntrack nat_port_clash#6", "a drawn port"),
];

#[test]
fn what_the_small_experiments_showed_is_answered() {
    played("kernel-semantics").settle("kernel-semantics", &DRAWN);
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
