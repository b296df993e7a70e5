//! `northsouth conform SUITE IN OUT`: answers to a folder of recorded cases, in the recording's own form.

mod cluster;
mod described;
mod envoy;
mod istio;
mod kernel;
mod kube_proxy;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::options::Options;

pub const USAGE: &str = "\
northsouth conform SUITE IN OUT       the model's answers to a folder of recorded cases
  SUITE               cluster, envoy, istio, kernel, kernel-semantics, kernel-nft, kube-proxy
  IN, OUT             the folder of cases, such as conformance/cluster, and one for the answers";

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let [suite, from, to] = Options::new(words).named(["SUITE", "IN", "OUT"], USAGE)?;
    run(suite, from.as_ref(), to.as_ref()).map(|()| ExitCode::SUCCESS)
}

/// Answers every case of `from` and writes the answers under the same names to `to`.
fn run(suite: &str, from: &Path, to: &Path) -> Result<(), String> {
    match suite {
        "cluster" => each_json(from, to, cluster::answer),
        "envoy" => each_json(from, to, envoy::answer),
        "istio" => each_json(from, to, istio::answer),
        "kernel" | "kernel-semantics" | "kernel-nft" => each_json(from, to, kernel::answer),
        "kube-proxy" => kube_proxy::run(from, to),
        other => Err(format!(
            "unknown suite `{other}`: cluster, envoy, istio, kernel, kernel-semantics, kernel-nft, kube-proxy"
        )),
    }
}

/// Writes `answer` of every JSON file of one folder to a file of the same name in the other.
fn each_json(from: &Path, to: &Path, answer: fn(&Value) -> Value) -> Result<(), String> {
    let said = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    fs::create_dir_all(to).map_err(said(to))?;
    for entry in fs::read_dir(from).map_err(said(from))? {
        let path = entry.map_err(said(from))?.path();
        let Some(name) = path
            .file_name()
            .filter(|_| path.extension().is_some_and(|e| e == "json"))
        else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(said(&path))?;
        let case = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let out = to.join(name);
        fs::write(&out, format!("{:#}\n", answer(&case))).map_err(said(&out))?;
    }
    Ok(())
}
