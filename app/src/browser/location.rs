//! The page's address: its fragment chooses what the page shows (`pages::route`).

use super::events::{Listener, listen};

/// What follows the `#` of the address, without it.
pub fn fragment() -> String {
    let hash = super::window().and_then(|w| w.location().hash().ok());
    let hash = hash.unwrap_or_default();
    hash.strip_prefix('#').unwrap_or(&hash).to_string()
}

/// Calls back with the new fragment when a link, the visitor or the browser's history changes it, until dropped.
pub fn watch(then: impl Fn(String) + 'static) -> Option<Listener> {
    let window = super::window()?;
    Some(listen(&window, "hashchange", move |_| then(fragment())))
}
