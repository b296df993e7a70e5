//! `northsouth package`: what a learning platform is given.

use std::path::{Path, PathBuf};
use std::process::Command;

fn package(name: &str, more: &[&str]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    let page = dir.join("dist");
    std::fs::create_dir_all(page.join("content")).unwrap();
    std::fs::write(page.join("index.html"), "").unwrap();
    std::fs::write(page.join("content/a&b.txt"), "").unwrap();
    let out = dir.join("out");
    let status = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["package", "--lang", "en"])
        .args([&page, &out])
        .args(["lesson/05-dnat", "exercise/shadowed-route"])
        .args(more)
        .status()
        .unwrap();
    assert!(status.success());
    out
}

#[test]
fn a_scorm_package_names_its_pages_and_all_files() {
    let out = package("scorm", &["--title", "A & B"]);
    let manifest = std::fs::read_to_string(out.join("imsmanifest.xml")).unwrap();
    for part in [
        "<schemaversion>1.2</schemaversion>",
        "<title>A &amp; B</title>",
        "adlcp:scormtype=\"sco\" href=\"lesson-05-dnat.html\"",
        "adlcp:scormtype=\"sco\" href=\"exercise-shadowed-route.html\"",
        "<file href=\"page/content/a&amp;b.txt\"/>",
        "<file href=\"report.js\"/>",
    ] {
        assert!(manifest.contains(part), "{part}\n{manifest}");
    }
    let sco = std::fs::read_to_string(out.join("lesson-05-dnat.html")).unwrap();
    assert!(
        sco.contains("src=\"page/index.html#lesson=05-dnat\"")
            && sco.contains("data-kind=\"scorm\"")
    );
    assert!(out.join("page/index.html").exists() && out.join("report.js").exists());
}

#[test]
fn an_xapi_package_names_its_activities() {
    let out = package("xapi", &["--xapi"]);
    let tincan = std::fs::read_to_string(out.join("tincan.xml")).unwrap();
    assert!(tincan.contains("<activity id=\"urn:northsouth:exercise:shadowed-route\""));
    assert!(tincan.contains("<launch lang=\"en-US\">lesson-05-dnat.html</launch>"));
    assert!(!out.join("imsmanifest.xml").exists());
}

#[test]
fn what_is_not_there_is_said() {
    let output = Command::new(env!("CARGO_BIN_EXE_northsouth"))
        .args(["package", "--lang", "en", ".", "out", "lesson/99-none"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no lesson `99-none`"));
}
