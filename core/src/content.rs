//! What comes with the program and is not code: sentences, scenarios, the tour, lessons. Files, read by their paths:
//! `words/LANGUAGE/AREA.txt` of this crate, and all of the folder `content/`.
//!
//! With the feature `content` they are built in. A page is built without it: it fetches packs (several files in one, made
//! by `scripts/content.mjs`) when they are needed, and hands them to [`add`].

use std::sync::{PoisonError, RwLock};

/// A path and a text.
type Entry = (&'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/content.rs"));

/// What was fetched, by path.
static ADDED: RwLock<Vec<Entry>> = RwLock::new(Vec::new());

/// The text of a file, such as `en/lessons/00-tour.md`. `None`: there is none, or its pack was not fetched yet.
pub fn file(path: &str) -> Option<&'static str> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
    [BUILT_IN, &added].into_iter().find_map(|all| {
        let at = all.binary_search_by(|(p, _)| (*p).cmp(path)).ok()?;
        Some(all.get(at)?.1)
    })
}

/// All files below a folder in the order of their paths, which begin after the folder.
pub fn folder(path: &str) -> Vec<(&'static str, &'static str)> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
    let inside = |p: &'static str| p.strip_prefix(path)?.strip_prefix('/');
    let all = BUILT_IN.iter().chain(added.iter());
    all.filter_map(|(p, text)| Some((inside(p)?, *text)))
        .collect()
}

/// Takes the files of a pack: records of a path, the number of the text's bytes, and the text. Whether it is one; else
/// nothing is taken. Their texts are kept for good.
pub fn add(pack: String) -> bool {
    let Some(files) = read(pack.leak()) else {
        return false;
    };
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    for (path, text) in files {
        if let Err(at) = added.binary_search_by(|(p, _)| (*p).cmp(path)) {
            added.insert(at, (path, text));
        }
    }
    true
}

/// Forgets what was added of a folder; who needs it later adds it again.
pub fn forget(folder: &str) {
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    added.retain(|(path, _)| {
        !path
            .strip_prefix(folder)
            .is_some_and(|p| p.starts_with('/'))
    });
}

fn read(mut rest: &'static str) -> Option<Vec<Entry>> {
    let mut files = Vec::new();
    while !rest.is_empty() {
        let (head, body) = rest.split_once('\n')?;
        let (path, length) = head.rsplit_once(' ')?;
        let text = body.get(..length.parse().ok()?)?;
        rest = body.get(text.len()..)?.strip_prefix('\n')?;
        files.push((path, text));
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_taken_whole_or_not_at_all() {
        assert!(!add("packed/a 5\none\n\n".to_string()));
        assert!(!add("<!doctype html>".to_string()));
        assert_eq!(file("packed/a"), None);
        assert!(add(
            "packed/b c 4\n一\n\npacked/a 0\n\nother 1\nx\n".to_string()
        ));
        assert!(add("packed/a 1\nx\n".to_string()), "the first one stays");
        assert_eq!(file("packed/b c"), Some("一\n"));
        assert_eq!(folder("packed"), [("a", ""), ("b c", "一\n")]);
        assert_eq!(folder("pack"), []);
        forget("packed");
        assert_eq!(file("packed/a"), None);
    }

    #[test]
    #[cfg(feature = "content")]
    fn what_is_built_in_is_found() {
        assert!(file("words/en/host.txt").is_some_and(|t| !t.is_empty()));
        assert!(!folder("en/lessons").is_empty());
        assert_eq!(file("en/lessons"), None);
    }
}
