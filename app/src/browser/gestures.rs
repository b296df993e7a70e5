//! Moving and zooming a drawing that is larger than its pane: by wheel, by dragging, by two fingers. The pane scrolls by
//! itself for keys and for one finger.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, PointerEvent, TouchEvent, WheelEvent};
use yew::NodeRef;

use super::events::{Listener, listen};

#[derive(Clone, Copy, Debug)]
pub enum Gesture {
    /// The viewer looks elsewhere.
    Moved,
    /// By a factor in percent, around a point of the pane.
    Zoomed { percent: u32, at: (i32, i32) },
}

/// A drag begins beyond so many pixels.
const SLACK: i32 = 4;
/// Two fingers zoom in steps of so many percent.
const PINCH_STEP: f64 = 0.04;

/// Where a drag began: the pointer, and where the pane was scrolled to.
struct Drag {
    from: (i32, i32),
    scrolled: (i32, i32),
    moving: bool,
}

pub fn watch(node: &NodeRef, then: impl Fn(Gesture) + 'static) -> Vec<Listener> {
    let Some(pane) = node.cast::<Element>() else {
        return Vec::new();
    };
    let then = Rc::new(then);
    let mut listeners = vec![wheel(&pane, then.clone())];
    listeners.extend(drag(&pane, then.clone()));
    listeners.extend(pinch(&pane, then));
    listeners
}

type Then = Rc<dyn Fn(Gesture)>;

fn wheel(pane: &Element, then: Then) -> Listener {
    let own = pane.clone();
    listen(pane, "wheel", move |event| {
        let Some(wheel) = event.dyn_ref::<WheelEvent>() else {
            return;
        };
        // A touchpad's pinch comes as a wheel with Ctrl.
        if wheel.ctrl_key() || wheel.meta_key() {
            event.prevent_default();
            let percent = 100.0 * (-wheel.delta_y() / 400.0).exp();
            then(Gesture::Zoomed {
                percent: percent.clamp(80.0, 125.0).round() as u32,
                at: within(&own, wheel.client_x(), wheel.client_y()),
            });
        } else if scrolls(&own) {
            then(Gesture::Moved);
        }
    })
}

fn drag(pane: &Element, then: Then) -> [Listener; 4] {
    let drag: Rc<RefCell<Option<Drag>>> = Rc::default();
    let (down, moved, own) = (drag.clone(), drag.clone(), pane.clone());
    let begins = move |event: Event| {
        let Some(pointer) = event.dyn_ref::<PointerEvent>() else {
            return;
        };
        if pointer.pointer_type() != "touch" && pointer.button() == 0 {
            *down.borrow_mut() = Some(Drag {
                from: (pointer.client_x(), pointer.client_y()),
                scrolled: (own.scroll_left(), own.scroll_top()),
                moving: false,
            });
        }
    };
    let own = pane.clone();
    let moves = move |event: Event| {
        let mut drag = moved.borrow_mut();
        let (Some(pointer), Some(drag)) = (event.dyn_ref::<PointerEvent>(), drag.as_mut()) else {
            return;
        };
        let by = (
            pointer.client_x() - drag.from.0,
            pointer.client_y() - drag.from.1,
        );
        if !drag.moving && by.0.abs().max(by.1.abs()) > SLACK {
            drag.moving = true;
            // What lies under the pointer is not chosen by this.
            let _ = own.set_pointer_capture(pointer.pointer_id());
            then(Gesture::Moved);
        }
        if drag.moving {
            own.set_scroll_left(drag.scrolled.0 - by.0);
            own.set_scroll_top(drag.scrolled.1 - by.1);
        }
    };
    let end = |drag: Rc<RefCell<Option<Drag>>>| move |_: Event| *drag.borrow_mut() = None;
    [
        listen(pane, "pointerdown", begins),
        listen(pane, "pointermove", moves),
        listen(pane, "pointerup", end(drag.clone())),
        listen(pane, "pointercancel", end(drag)),
    ]
}

fn pinch(pane: &Element, then: Then) -> [Listener; 2] {
    let apart: Rc<Cell<Option<f64>>> = Rc::default();
    let (started, own) = (apart.clone(), pane.clone());
    let begins = move |event: Event| started.set(fingers(&event).map(|(apart, _)| apart));
    let moved = then.clone();
    let moves = move |event: Event| {
        let Some((now, at)) = fingers(&event) else {
            moved(Gesture::Moved);
            return;
        };
        event.prevent_default();
        let ratio = now / apart.get().unwrap_or(now).max(1.0);
        if (ratio - 1.0).abs() > PINCH_STEP {
            apart.set(Some(now));
            then(Gesture::Zoomed {
                percent: (ratio * 100.0).round() as u32,
                at: within(&own, at.0, at.1),
            });
        }
    };
    [
        listen(pane, "touchstart", begins),
        listen(pane, "touchmove", moves),
    ]
}

/// How far two fingers are apart, and the point between them.
fn fingers(event: &Event) -> Option<(f64, (i32, i32))> {
    let touches = event.dyn_ref::<TouchEvent>()?.touches();
    let (a, b) = (touches.get(0)?, touches.get(1)?);
    let (x, y) = (
        f64::from(a.client_x() - b.client_x()),
        f64::from(a.client_y() - b.client_y()),
    );
    let middle = (
        (a.client_x() + b.client_x()) / 2,
        (a.client_y() + b.client_y()) / 2,
    );
    Some((x.hypot(y), middle))
}

fn within(pane: &Element, x: i32, y: i32) -> (i32, i32) {
    let rect = pane.get_bounding_client_rect();
    (x - rect.left() as i32, y - rect.top() as i32)
}

fn scrolls(pane: &Element) -> bool {
    pane.scroll_height() > pane.client_height() || pane.scroll_width() > pane.client_width()
}

/// After a zoom by a factor in percent: what was at a point of the pane is there again.
pub fn hold(node: &NodeRef, at: (i32, i32), percent: u32) {
    if let Some(pane) = node.cast::<Element>() {
        let held = |scrolled: i32, at: i32| {
            let there = i64::from(scrolled + at) * i64::from(percent) / 100;
            i32::try_from(there).unwrap_or(i32::MAX) - at
        };
        pane.set_scroll_left(held(pane.scroll_left(), at.0));
        pane.set_scroll_top(held(pane.scroll_top(), at.1));
    }
}
