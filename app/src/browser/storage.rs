//! What the browser keeps for the next visit. A browser that keeps nothing is no error.

fn storage() -> Option<web_sys::Storage> {
    super::window()?.local_storage().ok()?
}

pub fn load(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Whether it was kept: a full or forbidden storage keeps nothing.
pub fn save(key: &str, value: &str) -> bool {
    storage().is_some_and(|s| s.set_item(key, value).is_ok())
}

pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        // Nothing depends on it being gone.
        let _ = storage.remove_item(key);
    }
}
