//! Files that the visitor chose in a field of the page.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, HtmlInputElement};

/// Reads the files of the field that an event came from, and goes on with their names and texts.
pub fn read(event: &Event, then: impl FnOnce(Vec<(String, String)>) + 'static) {
    let field = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
    let Some(files) = field.and_then(|f| f.files()) else {
        return;
    };
    spawn_local(async move {
        let mut read = Vec::new();
        for at in 0..files.length() {
            if let Some(file) = files.get(at)
                && let Ok(text) = JsFuture::from(file.text()).await
            {
                read.push((file.name(), text.as_string().unwrap_or_default()));
            }
        }
        then(read);
    });
}
