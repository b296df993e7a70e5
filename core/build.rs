//! Lists what comes with the program and is not code, for `src/content.rs` to build in.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    if env::var_os("CARGO_FEATURE_CONTENT").is_some() {
        let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
        let content = here.join("../content");
        for (root, below) in [(&content, ""), (&here.join("src/words"), "words/")] {
            println!("cargo::rerun-if-changed={}", root.display());
            look(root, below, &mut files)?;
        }
    }
    files.sort();
    let mut out = String::from("static BUILT_IN: &[Entry] = &[\n");
    for (name, path) in files {
        let _ = writeln!(out, "    ({name:?}, include_str!({path:?})),");
    }
    out.push_str("];\n");
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(to.join("content.rs"), out)
}

fn look(dir: &Path, below: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{below}{name}");
        if path.is_dir() {
            look(&path, &format!("{name}/"), files)?;
        } else if path.extension().is_none_or(|e| e != "rs") {
            files.push((name, path));
        }
    }
    Ok(())
}
