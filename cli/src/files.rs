//! A folder of texts as a workspace's files.

use std::fs;
use std::path::{Path, PathBuf};

use northsouth::text::File;

/// The file of a folder that has the probe and the seed, as in `content/scenarios/`.
pub const HEAD: &str = "scenario.yaml";

/// All files below a folder by their path in it, in order; names that start with a dot are passed over.
pub fn read(dir: &Path) -> Result<Vec<File>, String> {
    let read = |(name, path): (String, PathBuf)| Ok(File::new(&name, &text(&path)?));
    paths(dir)?.into_iter().map(read).collect()
}

/// The same, and where each file is.
pub fn paths(dir: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let mut found = Vec::new();
    walk(dir, "", &mut found)?;
    Ok(found)
}

fn walk(dir: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> Result<(), String> {
    let said = |e: std::io::Error| format!("{}: {e}", dir.display());
    let mut entries = fs::read_dir(dir)
        .map_err(said)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(said)?;
    entries.sort_by_key(|e| e.file_name());
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let (path, inside) = (entry.path(), format!("{prefix}{name}"));
        let link = entry.file_type().map_err(said)?.is_symlink();
        if path.is_file() {
            found.push((inside, path));
        } else if path.is_dir() && !link {
            walk(&path, &format!("{inside}/"), found)?;
        } else {
            // A link may lead to a folder around it or to a whole disk, and a pipe may never end.
            let why = match (path.is_dir(), link) {
                (true, _) => "a link to a folder",
                (false, true) => "a link to no file",
                (false, false) => "no file",
            };
            pass_over(&path, why);
        }
    }
    Ok(())
}

/// Says that something among what was given is left out.
pub fn pass_over(path: &Path, why: &str) {
    eprintln!("{}: passed over: {why}", path.display());
}

pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// A file's text; bytes that are not UTF-8 are replaced.
pub fn text(path: &Path) -> Result<String, String> {
    Ok(String::from_utf8_lossy(&bytes(path)?).into_owned())
}
