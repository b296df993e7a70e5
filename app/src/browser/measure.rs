//! How long an edit takes until it is painted, as a performance measure that anyone can read in the browser's tools.

use std::cell::Cell;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// From the edit's event to the frame that shows it; the wait for the screen's next frame is not counted.
pub const EDIT_TO_PAINT: &str = "northsouth:edit-to-paint";

thread_local! {
    static EDITED_AT: Cell<Option<f64>> = const { Cell::new(None) };
}

/// An edit has begun.
pub fn edited() {
    EDITED_AT.set(Some(super::clock::now()));
}

/// The page shows the edit as soon as the browser paints. Call after the changes are in the document.
pub fn rendered() {
    let Some(start) = EDITED_AT.take() else {
        return;
    };
    let worked = super::clock::now() - start;
    let on_frame = Closure::once_into_js(move || {
        let frame = super::clock::now();
        // A timer set in a frame runs after that frame is painted.
        super::clock::after(0, move || {
            record(start, worked + super::clock::now() - frame);
        })
        .forget();
    });
    if let Some(window) = super::window() {
        let _ = window.request_animation_frame(on_frame.unchecked_ref());
    }
}

fn record(start: f64, duration: f64) {
    let Some(performance) = super::window().and_then(|w| w.performance()) else {
        return;
    };
    // By name: web-sys has measures of a given duration only among its unstable bindings.
    let options = Object::new();
    let _ = Reflect::set(&options, &"start".into(), &start.into());
    let _ = Reflect::set(&options, &"duration".into(), &duration.into());
    let measure = Reflect::get(&performance, &"measure".into());
    if let Some(measure) = measure.ok().and_then(|m| m.dyn_into::<Function>().ok()) {
        let _ = measure.call2(&performance, &EDIT_TO_PAINT.into(), &options);
    }
}
