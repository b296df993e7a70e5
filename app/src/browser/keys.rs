//! Keys that are pressed outside of any text.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, KeyboardEvent};

use super::events::{Listener, listen};

/// Calls back with each key that is pressed alone or with Shift, where nobody writes and no dialog is open. What it
/// answers with true is not the browser's any more.
pub fn watch(then: impl Fn(&str) -> bool + 'static) -> Option<Listener> {
    let window = super::window()?;
    Some(listen(&window, "keydown", move |event| {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        let modified = key.ctrl_key() || key.meta_key() || key.alt_key() || key.is_composing();
        if !modified && !event.default_prevented() && !is_writing(&event) && then(&key.key()) {
            event.prevent_default();
        }
    }))
}

fn is_writing(event: &Event) -> bool {
    let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    let Some(target) = target else {
        return false;
    };
    if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
        return !matches!(
            input.type_().as_str(),
            "range" | "checkbox" | "radio" | "button"
        );
    }
    let writes = "textarea, select, code-editor, [contenteditable], dialog *";
    target.closest(writes).ok().flatten().is_some()
}
