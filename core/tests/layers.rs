//! Which way things point in the crate: a folder may use only the folders below it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each folder or file of `src`, with what its code (not its tests) may use.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let base = ["text", "net", "say"];
    let machines = [
        "netfilter",
        "conntrack",
        "route",
        "link",
        "load_balancer",
        "envoy",
    ];
    let with = |more: &[&'static str]| [&base[..], more].concat();
    let world = with(&[&machines[..], &["topology"]].concat());
    let objects = [&world[..], &["yaml", "manifest", "control"]].concat();
    let walked = [&objects[..], &["sim", "trace", "workspace", "content"]].concat();
    BTreeMap::from([
        ("content", vec![]),
        ("text", vec!["content", "say"]),
        ("net", vec!["text", "say"]),
        ("yaml", with(&[])),
        ("manifest", with(&["yaml"])),
        // A rule sees the connection that its packet belongs to.
        ("netfilter", with(&["conntrack"])),
        ("conntrack", with(&["netfilter"])),
        ("route", with(&[])),
        ("link", with(&[])),
        ("load_balancer", with(&[])),
        // Envoy is told what to do in JSON, as a host is in iptables-save.
        ("envoy", with(&["yaml"])),
        ("topology", with(&machines)),
        ("control", [&world[..], &["yaml", "manifest"]].concat()),
        ("trace", world.clone()),
        ("sim", [&world[..], &["trace"]].concat()),
        ("workspace", walked.clone()),
        ("console", walked.clone()),
        ("insight", walked.clone()),
        ("exercise", [&walked[..], &["share"]].concat()),
        ("lesson", [&walked[..], &["exercise"]].concat()),
        ("share", walked),
    ])
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// What a file's code uses of the crate: the words behind `crate::`, also in a `use crate::{a, b}`.
fn used(source: &str) -> Vec<String> {
    let code: String = source
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or("")
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .flat_map(|l| [l, "\n"])
        .collect();
    let word = |s: &str| {
        s.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut all = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            all.push(word(rest));
            continue;
        };
        let (mut depth, mut item) = (1, true);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' if depth == 1 => item = true,
                c if item && !c.is_whitespace() => {
                    all.push(word(&list[at..]));
                    item = false;
                }
                _ => {}
            }
        }
    }
    all
}

#[test]
fn a_folder_uses_only_what_lies_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed = allowed();
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let area = inside
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if area == "lib" {
            continue;
        }
        let Some(below) = allowed.get(area) else {
            wrong.push(format!("{area}: say in this test what it may use"));
            continue;
        };
        for used in used(&std::fs::read_to_string(&file).unwrap()) {
            if used != area && !below.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_list_of_uses_is_read_whole() {
    assert_eq!(
        used("use crate::{net::{A, B}, text};\nfn f() { crate::sim::g() }"),
        ["net", "text", "sim"]
    );
    assert_eq!(used("/// See crate::sim.\nuse crate::net;"), ["net"]);
}
