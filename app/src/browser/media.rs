//! What the visitor's device and settings prefer.

use super::events::{Listener, listen};

pub const DARK: &str = "(prefers-color-scheme: dark)";
pub const NARROW: &str = "(max-width: 719.9px)";
pub const MEDIUM: &str = "(max-width: 1179.9px)";

pub fn matches(query: &str) -> bool {
    list(query).is_some_and(|list| list.matches())
}

/// Calls back with the new answer whenever it changes, until dropped.
pub fn watch(query: &str, then: impl Fn(bool) + 'static) -> Option<Listener> {
    let list = list(query)?;
    let asked = list.clone();
    Some(listen(&list, "change", move |_| then(asked.matches())))
}

fn list(query: &str) -> Option<web_sys::MediaQueryList> {
    super::window()?.match_media(query).ok()?
}

/// The languages that the visitor reads, best first.
pub fn languages() -> Vec<String> {
    super::window()
        .map(|w| w.navigator().languages())
        .map(|all| all.iter().filter_map(|l| l.as_string()).collect())
        .unwrap_or_default()
}
