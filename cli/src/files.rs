//! A folder of texts as a workspace's files.

use std::fs;
use std::path::Path;

use northsouth::text::File;

/// The file of a folder that has the probe and the seed, as in `content/scenarios/`.
pub const HEAD: &str = "scenario.yaml";

/// All files below a folder by their path in it, in order; names that start with a dot are passed over.
pub fn read(dir: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    walk(dir, "", &mut files)?;
    Ok(files)
}

fn walk(dir: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), String> {
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
        let inside = format!("{prefix}{name}");
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{inside}/"), files)?;
        } else {
            files.push(File::new(&inside, &text(&entry.path())?));
        }
    }
    Ok(())
}

/// A file's text; bytes that are not UTF-8 are replaced.
pub fn text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
