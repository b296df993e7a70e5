//! Lists the scenarios of `content/scenarios/`, so that a folder put there is one more scenario.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let home = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let scenarios = home.join("../content/scenarios");
    // Cargo looks at all that is below it.
    println!("cargo::rerun-if-changed={}", scenarios.display());
    let mut out = "&[\n".to_string();
    for folder in entries(&scenarios)? {
        let Some(name) = folder.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        let mut files = Vec::new();
        walk(&folder, &folder, &mut files)?;
        files.retain(|file| file != "scenario.yaml");
        files.sort_by_key(|file| (rank(file), file.clone()));
        let place = |file: &str| folder.join(file).display().to_string();
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "Scenario {{ name: {name:?}, about: include_str!({:?}), files: &[",
            place("scenario.yaml")
        );
        for file in &files {
            let _ = writeln!(out, "({file:?}, include_str!({:?})),", place(file));
        }
        out.push_str("] },\n");
    }
    out.push_str("]\n");
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(to.join("scenarios.rs"), out)
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let all: io::Result<Vec<_>> = fs::read_dir(dir)?.map(|e| Ok(e?.path())).collect();
    let mut all = all?;
    all.sort();
    Ok(all)
}

/// The names of all files below a folder, with `/` between their parts.
fn walk(dir: &Path, base: &Path, out: &mut Vec<String>) -> io::Result<()> {
    for path in entries(dir)? {
        if path.is_dir() {
            walk(&path, base, out)?;
        } else if let Ok(inside) = path.strip_prefix(base) {
            let parts: Vec<_> = inside.iter().map(|p| p.to_string_lossy()).collect();
            out.push(parts.join("/"));
        }
    }
    Ok(())
}

/// The order in which a reader wants to see them: what concerns all before the nodes and those before the pods; on a machine
/// its rules before its routes before the rest.
fn rank(file: &str) -> (usize, String, usize) {
    const SHARED: [&str; 3] = ["client.yaml", "load-balancer.yaml", "vpc.yaml"];
    const HOST: [&str; 8] = [
        "iptables-save.txt",
        "nft-ruleset.txt",
        "ipset-save.txt",
        "ip-route.txt",
        "ip-rule.txt",
        "brctl-show.txt",
        "ip-addr.txt",
        "sysctl.txt",
    ];
    let place = |all: &[&str], name: &str| all.iter().position(|f| *f == name).unwrap_or(all.len());
    match file.rsplit_once('/') {
        None => (0, String::new(), place(&SHARED, file)),
        Some((folder, name)) => {
            let group = match folder.split('/').next() {
                Some("manifests") => 1,
                Some("nodes") => 2,
                _ => 3,
            };
            (group, folder.to_string(), place(&HOST, name))
        }
    }
}
