//! What kube-proxy programs, held against `conformance/kube-proxy/`: the rules of the model's kube-proxy are the real one's,
//! byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A part of the corpus: the name of its files, and the folder and ending of the answers.
const PARTS: [(&str, &str, &str); 8] = [
    ("iptables-1.36", "iptables", "rules"),
    ("iptables-1.30", "iptables-v1.30", "rules"),
    ("iptables-1.25", "iptables-v1.25", "rules"),
    ("iptables-1.23", "iptables-v1.23", "rules"),
    ("iptables-1.17", "iptables-v1.17", "rules"),
    ("iptables-1.14", "iptables-v1.14", "rules"),
    ("nftables-1.36", "nftables-state", "nft"),
    ("health", "meta", "json"),
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/kube-proxy")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A case's file, whole: `=3-7` stands for these lines of the part's frame.
fn unpack(packed: &str, frame: &[String]) -> String {
    let mut out = String::new();
    for line in packed.lines() {
        let range = line.strip_prefix('=').and_then(|r| r.split_once('-'));
        match range.and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<usize>().ok()?))) {
            Some((first, last)) => {
                for line in &frame[first - 1..last] {
                    out.push_str(line);
                    out.push('\n');
                }
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// Files of the corpus by case, without their ends.
fn cases() -> BTreeMap<String, Vec<String>> {
    let mut cases = BTreeMap::new();
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        if !path.join("input.yaml").exists() {
            continue;
        }
        let files = std::fs::read_dir(&path).unwrap();
        let name = |p: PathBuf| p.file_name().unwrap().to_str().unwrap().to_string();
        let files = files.map(|f| name(f.unwrap().path())).collect();
        cases.insert(name(path), files);
    }
    cases
}

#[test]
fn rules_are_those_of_kube_proxy() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kube-proxy");
    let _ = std::fs::remove_dir_all(&folder);
    let inputs = folder.join("in/inputs");
    std::fs::create_dir_all(&inputs).unwrap();
    let cases = cases();
    for case in cases.keys() {
        let input = corpus().join(case).join("input.yaml");
        std::fs::copy(input, inputs.join(format!("{case}.yaml"))).unwrap();
    }
    let run = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["conform", "kube-proxy"])
        .args([folder.join("in"), folder.join("out")])
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let mut wrong = Vec::new();
    for (part, answers, end) in PARTS {
        let frame = corpus().join("frame").join(format!("{part}.txt"));
        let frame: Vec<String> = match frame.exists() {
            true => text(&frame).lines().map(String::from).collect(),
            false => Vec::new(),
        };
        let (mut right, mut all) = (0, 0);
        for (case, files) in &cases {
            for file in files {
                // NAME.txt, or NAME.v4.txt and NAME.v6.txt of a dual-stack case.
                let Some(rest) = file.strip_prefix(part) else {
                    continue;
                };
                let family = rest.rsplit_once('.').map_or("", |(family, _)| family);
                let want = unpack(&text(&corpus().join(case).join(file)), &frame);
                let answer = folder.join("out").join(answers);
                let answer = answer.join(format!("{case}{family}.{end}"));
                let have = std::fs::read_to_string(answer).unwrap_or_default();
                all += 1;
                right += usize::from(want == have);
                if want != have {
                    let line = want.lines().zip(have.lines()).find(|(w, h)| w != h);
                    wrong.push(format!("{part} {case}: {line:?}"));
                }
            }
        }
        println!("kube-proxy/{part}: {right} of {all}");
        assert!(all >= 37, "{part}: cases are missing");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
