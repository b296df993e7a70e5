//! Listening to events beyond those that Yew listens to.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{
    AddEventListenerOptions, Element, Event, EventTarget, FocusEvent, HtmlSelectElement,
    HtmlTextAreaElement, Node, PointerEvent,
};
use yew::NodeRef;

/// Listens until dropped.
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback(self.kind, callback);
    }
}

pub fn listen(
    target: &EventTarget,
    kind: &'static str,
    then: impl FnMut(Event) + 'static,
) -> Listener {
    let callback = Closure::<dyn FnMut(Event)>::new(then);
    let options = AddEventListenerOptions::new();
    // These may take from the browser what it would do.
    let takes = matches!(kind, "keydown" | "wheel" | "touchmove" | "northsouth-files");
    options.set_passive(!takes);
    let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
        kind,
        callback.as_ref().unchecked_ref(),
        &options,
    );
    Listener {
        target: target.clone(),
        kind,
        callback,
    }
}

/// Keeps a pointer's events coming to where it went down, wherever it moves.
pub fn capture_pointer(event: &PointerEvent) {
    let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    if let Some(target) = target {
        let _ = target.set_pointer_capture(event.pointer_id());
    }
}

/// Puts a `<select>` back to what says that nothing is chosen.
pub fn unchoose(select: &NodeRef) {
    if let Some(select) = select.cast::<HtmlSelectElement>() {
        select.set_value("");
    }
}

/// Whether the `<details>` that an event came from is open now.
pub fn is_open(event: &Event) -> bool {
    let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    target.is_some_and(|t| t.has_attribute("open"))
}

/// Puts a text into the field that an event came from.
pub fn set_value(event: &Event, text: &str) {
    let area = event
        .target()
        .and_then(|t| t.dyn_into::<HtmlTextAreaElement>().ok());
    if let Some(area) = area {
        area.set_value(text);
    }
}

/// The value of the control that an event came from.
pub fn value(event: &Event) -> String {
    let Some(target) = event.target() else {
        return String::new();
    };
    if let Some(area) = target.dyn_ref::<web_sys::HtmlTextAreaElement>() {
        area.value()
    } else if let Some(select) = target.dyn_ref::<web_sys::HtmlSelectElement>() {
        select.value()
    } else if let Some(input) = target.dyn_ref::<web_sys::HtmlInputElement>() {
        input.value()
    } else {
        String::new()
    }
}

/// Whether the box that an event came from is ticked.
pub fn is_checked(event: &Event) -> bool {
    let input = event
        .target()
        .and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
    input.is_some_and(|input| input.checked())
}

/// Selects all of the field that an event came from, for whoever wants to copy it.
pub fn select_all(event: &Event) {
    let field = event
        .target()
        .and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(field) = field {
        field.select();
    }
}

/// Whether the focus goes out of an element. Where it goes nowhere, it was a click beside all that takes it.
pub fn leaves(event: &FocusEvent, around: &NodeRef) -> bool {
    let to = event
        .related_target()
        .and_then(|t| t.dyn_into::<Node>().ok());
    let around = around.cast::<Node>();
    around.is_some_and(|around| !around.contains(to.as_ref()))
}
