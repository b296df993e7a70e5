//! Files and folders that the visitor drops or chooses, which the text editor's module reads (`app/editor/src/drop.js`).

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, Event};

use super::events::{Listener, listen};

/// Paths and texts, and the paths of those that are no texts or too large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    pub files: Vec<(String, String)>,
    pub left: Vec<String>,
    /// A single file that looks like one that carries a workspace.
    pub carrier: Option<Vec<u8>>,
}

/// Lets the visitor choose files.
pub fn choose() {
    if let (Some(window), Ok(event)) = (super::window(), Event::new("northsouth-choose")) {
        let _ = window.dispatch_event(&event);
    }
}

/// Calls back when files were dropped or chosen, also when that was before.
pub fn listen_to(then: impl Fn(Dropped) + 'static) -> Option<Listener> {
    let window = super::window()?;
    let listener = listen(&window, "northsouth-files", move |event| {
        event.prevent_default();
        let detail = event.dyn_ref::<CustomEvent>().map(CustomEvent::detail);
        then(detail.map(|d| read(&d)).unwrap_or_default());
    });
    if let Ok(event) = Event::new("northsouth-takes-files") {
        let _ = window.dispatch_event(&event);
    }
    Some(listener)
}

fn read(detail: &JsValue) -> Dropped {
    let list = |name: &str| -> Array {
        let list = Reflect::get(detail, &name.into()).ok();
        list.and_then(|l| l.dyn_into().ok()).unwrap_or_default()
    };
    let pair = |pair: JsValue| {
        let pair: Array = pair.dyn_into().ok()?;
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    Dropped {
        files: list("files").iter().filter_map(pair).collect(),
        left: list("left").iter().filter_map(|l| l.as_string()).collect(),
        carrier: Reflect::get(detail, &"carrier".into())
            .ok()
            .and_then(|bytes| bytes.dyn_into::<Uint8Array>().ok())
            .map(|bytes| bytes.to_vec()),
    }
}
