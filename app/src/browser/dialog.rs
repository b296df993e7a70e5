//! Dialogs over the page, by the browser's own `<dialog>`: it keeps the focus inside, closes by Escape and gives the focus
//! back to where it was.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement, MouseEvent};
use yew::NodeRef;

use super::events::{Listener, listen};

/// Opens it, and calls back when it was closed, by Escape or by a click beside it.
pub fn open(node: &NodeRef, mut closed: impl FnMut() + 'static) -> Vec<Listener> {
    let Some(dialog) = node.cast::<HtmlDialogElement>() else {
        return Vec::new();
    };
    // It is open already where that fails.
    let _ = dialog.show_modal();
    let beside = dialog.clone();
    vec![
        listen(&dialog, "close", move |_| closed()),
        listen(&dialog, "click", move |event: Event| {
            let mouse = event.dyn_ref::<MouseEvent>();
            if mouse.is_some_and(|mouse| is_beside(&beside, mouse)) {
                beside.close();
            }
        }),
    ]
}

/// A click on the backdrop is one on the dialog itself, outside of its box. One that the keyboard made is nowhere.
fn is_beside(dialog: &HtmlDialogElement, mouse: &MouseEvent) -> bool {
    let box_ = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(mouse.client_x()), f64::from(mouse.client_y()));
    let target = mouse.target();
    let on_it = target.is_some_and(|t| t.dyn_ref::<HtmlDialogElement>() == Some(dialog));
    let inside =
        (box_.left()..=box_.right()).contains(&x) && (box_.top()..=box_.bottom()).contains(&y);
    on_it && mouse.detail() > 0 && !inside
}

pub fn close(node: &NodeRef) {
    if let Some(dialog) = node.cast::<HtmlDialogElement>() {
        dialog.close();
    }
}
