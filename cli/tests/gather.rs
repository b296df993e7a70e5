//! `northsouth gather` over folders as they are found on disks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("report")).unwrap();
    dir
}

fn gather(dir: &Path, lang: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["gather", "--lang", lang, "report", "out"])
        .current_dir(dir)
        .output()
        .unwrap()
}

const ROUTES: &str = "$ ip route\ndefault via 10.0.0.1 dev eth0\n";

#[test]
fn what_is_no_text_is_passed_over_and_named() {
    let dir = folder("gather-binary");
    fs::write(dir.join("report/routes.txt"), ROUTES).unwrap();
    fs::write(dir.join("report/core"), b"\x7fELF\0\0").unwrap();
    let output = gather(&dir, "zh-CN");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "report/core: passed over: no text\n");
    let listed = String::from_utf8(output.stdout).unwrap();
    let (path, title) = listed.trim_end().split_once(": ").unwrap();
    assert_eq!(path, "nodes/report/ip-route.txt");
    assert!(!title.is_ascii(), "{title}");
    let sorted = fs::read_to_string(dir.join("out").join(path)).unwrap();
    assert_eq!(sorted, "default via 10.0.0.1 dev eth0\n");
}

#[test]
fn a_folder_that_holds_something_keeps_it() {
    let dir = folder("gather-again");
    fs::write(dir.join("report/routes.txt"), ROUTES).unwrap();
    fs::create_dir_all(dir.join("out/nodes/node1")).unwrap();
    let own = dir.join("out/nodes/node1/ip-route.txt");
    fs::write(&own, "mine").unwrap();
    let output = gather(&dir, "en");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "out: there is something in it\n");
    assert_eq!(fs::read_to_string(own).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_neither_end_nor_hold_it() {
    use std::os::unix::fs::symlink;

    let dir = folder("gather-links");
    let report = dir.join("report");
    fs::write(dir.join("routes.txt"), ROUTES).unwrap();
    symlink("../routes.txt", report.join("linked.txt")).unwrap();
    symlink("nowhere", report.join("dangling")).unwrap();
    symlink("..", report.join("parent")).unwrap();
    let made = Command::new("mkfifo").arg(report.join("pipe")).status();
    assert!(made.unwrap().success());
    let output = gather(&dir, "en");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "\
report/dangling: passed over: a link to no file
report/parent: passed over: a link to a folder
report/pipe: passed over: no file
";
    assert_eq!(said, expected);
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(
        listed.starts_with("nodes/report/ip-route.txt: "),
        "{listed}"
    );
}
