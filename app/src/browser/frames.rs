//! What waits for the screen.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use super::clock;

/// Calls back when the next frame has been painted, unless this is dropped before. While nobody can see the page there are no
/// frames.
pub struct Painted {
    _wanted: Rc<()>,
}

pub fn painted(then: impl FnOnce() + 'static) -> Painted {
    let wanted = Rc::new(());
    let still = Rc::downgrade(&wanted);
    let on_frame = Closure::once_into_js(move || {
        // A timer set in a frame runs after that frame is painted.
        clock::after(0, move || {
            if still.upgrade().is_some() {
                then();
            }
        })
        .forget();
    });
    if let Some(window) = super::window() {
        let _ = window.request_animation_frame(on_frame.unchecked_ref());
    }
    Painted { _wanted: wanted }
}
