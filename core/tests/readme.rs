//! The README says how much was measured; what is measured lies in `conformance/`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The recorded cases of a suite, a file or a folder each.
fn cases(suite: &str) -> usize {
    let entries = fs::read_dir(root().join("conformance").join(suite)).unwrap();
    let names = entries.map(|e| e.unwrap().file_name());
    // Beside the cases: what all of a suite begin with.
    names
        .filter(|name| !["README.md", "before", "frame"].iter().any(|n| name == n))
        .count()
}

#[test]
fn the_readme_counts_what_is_measured() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let hosts = ["kernel", "kernel-semantics", "kernel-nft"].map(cases);
    for said in [
        format!("{} hosts on Linux", hosts.iter().sum::<usize>()),
        format!("{} clusters, line by line", cases("kube-proxy")),
        format!(
            "{} Envoy configurations, {} sets of manifests",
            cases("envoy"),
            cases("istio")
        ),
        format!("{} clusters, 515 probes", cases("cluster")),
    ] {
        assert!(readme.contains(&said), "the README does not say: {said}");
    }
    let scores = root().join("content/how/scores/scores.txt");
    let scores = fs::read_to_string(scores).unwrap();
    assert!(
        scores.contains("cluster/walks: ") && scores.contains(" of 515\n"),
        "so many probes"
    );
}
