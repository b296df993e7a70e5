//! Should the program fail, the page says so in words that need no program (`index.html`), and the next visit knows.

use super::storage;

const FLAG: &str = "northsouth.failed";

/// Shows the page's notice when the program panics, and leaves word for [`failed_last_time`].
pub fn watch() {
    std::panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        // An embedded page keeps nothing.
        if !super::page::is_embedded() {
            storage::save(FLAG, &message);
        }
        show(&message);
    }));
}

/// Shows the page's notice, with a message for whoever mends it.
pub fn show(message: &str) {
    if let Some(root) = super::root() {
        let _ = root.set_attribute("data-failed", "");
    }
    if let Some(place) = super::document().and_then(|d| d.get_element_by_id("failure-detail")) {
        place.set_text_content(Some(message));
    }
}

/// What the program said when it failed on the last visit, once.
pub fn failed_last_time() -> Option<String> {
    let message = storage::load(FLAG)?;
    storage::forget(FLAG);
    Some(message)
}
