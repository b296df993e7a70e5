//! `northsouth conform SUITE IN OUT`: answers to a corpus of what the real systems did, in the corpus's own form.

mod kube_proxy;

use std::error::Error;
use std::path::Path;

pub type Done = Result<(), Box<dyn Error>>;

pub fn run(suite: &str, input: &Path, output: &Path) -> Done {
    match suite {
        "kube-proxy" => kube_proxy::run(input, output),
        _ => Err(format!("there is no suite {suite:?}; there is kube-proxy").into()),
    }
}

/// Reads a file, or says which one could not be read.
pub fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// Writes a file in a folder, which is made where it is not there.
pub fn write(folder: &Path, name: &str, text: &str) -> Done {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// The names of the files of a folder that end so, without that end, sorted.
pub fn names(folder: &Path, end: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().and_then(|n| n.strip_suffix(end)) {
            names.push(name.to_string());
        }
    }
    names.sort();
    Ok(names)
}
