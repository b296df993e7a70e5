//! What `northsouth export` writes, and that it opens again.

use std::path::PathBuf;
use std::process::{Command, Output};

fn northsouth(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_northsouth"));
    command.args(args).env("LANG", "C").env_remove("LC_ALL");
    command.env_remove("LC_MESSAGES").output().unwrap()
}

fn exported(args: &[&str]) -> Vec<u8> {
    let output = northsouth(&[&["export"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!((output.status.code(), &*said), (Some(0), ""), "{args:?}");
    output.stdout
}

fn text(args: &[&str]) -> String {
    String::from_utf8(exported(args)).unwrap()
}

/// In a file of its own, until dropped.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let name = format!("northsouth-export-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_carries_the_workspace_walks_the_same_walk() {
    let probe = ["--probe", "client tcp 192.168.0.17:31061"];
    let walk = northsouth(&["trace", "--all", probe[0], probe[1]]).stdout;
    for form in ["--zip", "--link", "--svg", "--animated"] {
        let bytes = exported(&[form, "-", probe[0], probe[1]]);
        let kept = Kept::new(&form[2..], &bytes);
        let again = northsouth(&["trace", "--all", kept.name()]);
        assert_eq!(again.status.code(), Some(0), "{form}");
        assert_eq!(again.stdout, walk, "{form}");
    }
}

/// The types of a pcapng's blocks, each of which says its length at both ends.
fn blocks(bytes: &[u8]) -> Vec<u32> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut kinds) = (0, Vec::new());
    while at < bytes.len() {
        let length = number(at + 4) as usize;
        assert_eq!(number(at + length - 4) as usize, length);
        kinds.push(number(at));
        at += length;
    }
    kinds
}

#[test]
fn a_capture_has_every_interface_and_every_packet() {
    let kinds = blocks(&exported(&["--pcapng", "-"]));
    let count = |kind: u32| kinds.iter().filter(|k| **k == kind).count();
    // Section Header, Interface Description, Enhanced Packet.
    assert_eq!(kinds[0], 0x0a0d_0d0a);
    assert_eq!(kinds[0], kinds[0].swap_bytes(), "whichever way it is read");
    let (interfaces, packets) = (count(1), count(6));
    assert!(interfaces >= 8 && packets > 40, "{interfaces} {packets}");
    assert_eq!(1 + interfaces + packets, kinds.len());
}

#[test]
fn markdown_and_text_tell_the_walk() {
    let told = text(&["--markdown", "-"]);
    assert!(told.starts_with("`client http GET http://182.92.251.227/`: "));
    assert!(told.contains("```text\n1 request"), "{told}");
    assert!(text(&["--text", "-"]).lines().count() > told.lines().count());
    let chinese = text(&["--markdown", "-", "--lang", "zh-CN"]);
    assert!(chinese.contains("送达"), "{chinese}");
}

#[test]
fn a_picture_shows_the_step_that_was_asked_for() {
    let first = text(&["--svg", "-", "--step", "1", "--theme", "dark"]);
    assert!(first.contains(">step 1 of "), "{first}");
    assert!(!first.contains("prefers-color-scheme"));
    let default = text(&["--svg", "-", "--lang", "zh-CN"]);
    assert!(default.contains("Envoy") && !default.contains(">step "));
    let moving = text(&["--animated", "-"]);
    assert!(moving.contains("@keyframes") && !moving.contains("<script"));
    for (option, value) in [("--step", "0"), ("--step", "9999"), ("--theme", "blue")] {
        let refused = northsouth(&["export", "--svg", "-", option, value]);
        assert_eq!(refused.status.code(), Some(2), "{option} {value}");
    }
}

#[test]
fn a_handout_is_a_document_of_its_own() {
    for (args, has) in [
        (vec!["export", "--handout", "-"], "<figure><svg"),
        (
            vec![
                "lesson",
                "handout",
                concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../content/zh-CN/lessons/05-dnat.md"
                ),
                "--lang",
                "zh-CN",
            ],
            "<h2>答案</h2>",
        ),
    ] {
        let output = northsouth(&args);
        let html = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(
            html.starts_with("<!doctype html>") && html.contains(has),
            "{html}"
        );
        assert!(html.trim_end().ends_with("</html>"));
    }
}
