//! How large an element is, and telling when that changes.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, ResizeObserver, ResizeObserverEntry};
use yew::NodeRef;

/// Watches until dropped.
pub struct Watch {
    observer: ResizeObserver,
    _callback: Closure<dyn FnMut(js_sys::Array)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Calls back with width and height in CSS pixels, now and at each change.
pub fn watch(node: &NodeRef, then: impl Fn(u32, u32) + 'static) -> Option<Watch> {
    let element = node.cast::<Element>()?;
    let callback = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
        if let Some(entry) = entries.iter().last() {
            let rect = entry.unchecked_into::<ResizeObserverEntry>().content_rect();
            then(rect.width() as u32, rect.height() as u32);
        }
    });
    let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok()?;
    observer.observe(&element);
    Some(Watch {
        observer,
        _callback: callback,
    })
}
