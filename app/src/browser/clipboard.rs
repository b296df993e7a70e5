//! The visitor's clipboard.

use wasm_bindgen_futures::JsFuture;

/// Puts a text there, and tells whether the browser let it.
pub fn copy(text: String, then: impl FnOnce(bool) + 'static) {
    wasm_bindgen_futures::spawn_local(async move {
        let Some(window) = super::window() else {
            return then(false);
        };
        // Only pages of a secure origin have one.
        let clipboard = js_sys::Reflect::get(&window.navigator(), &"clipboard".into());
        if clipboard.is_ok_and(|c| c.is_undefined()) {
            return then(false);
        }
        let written = window.navigator().clipboard().write_text(&text);
        then(JsFuture::from(written).await.is_ok());
    });
}
