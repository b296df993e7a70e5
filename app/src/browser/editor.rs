//! The text editor: the custom element `<code-editor>` of `app/editor`, which a module of its own defines some time after
//! the first paint.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, Event, HtmlElement};
use yew::NodeRef;

use super::events::{Listener, listen};

/// Said by the editor's module when it is there.
const READY: &str = "northsouth-editor";

/// A stretch of text to be marked, in UTF-16 units, with what is to be said below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub from: u32,
    pub to: u32,
    pub severity: &'static str,
    pub message: String,
    pub help: String,
}

pub fn is_ready() -> bool {
    super::root().is_some_and(|root| root.has_attribute("data-editor"))
}

/// Calls back when the editor's module has come.
pub fn when_ready(then: impl FnMut(Event) + 'static) -> Option<Listener> {
    let window = super::window()?;
    Some(listen(&window, READY, then))
}

fn set(element: &HtmlElement, name: &str, value: &JsValue) {
    let _ = Reflect::set(element, &name.into(), value);
}

/// Opens a text. `kind` names its format for highlighting.
pub fn open(node: &NodeRef, name: &str, kind: &str, label: &str) {
    if let Some(element) = node.cast::<HtmlElement>() {
        set(&element, "kind", &kind.into());
        set(&element, "label", &label.into());
        set(&element, "name", &name.into());
    }
}

pub fn set_text(node: &NodeRef, text: &str) {
    if let Some(element) = node.cast::<HtmlElement>() {
        set(&element, "value", &text.into());
    }
}

pub fn set_marks(node: &NodeRef, marks: &[Mark]) {
    let Some(element) = node.cast::<HtmlElement>() else {
        return;
    };
    let list = Array::new();
    for mark in marks {
        let object = Object::new();
        for (key, value) in [
            ("from", JsValue::from(mark.from)),
            ("to", JsValue::from(mark.to)),
            ("severity", JsValue::from(mark.severity)),
            ("message", JsValue::from(mark.message.as_str())),
            ("help", JsValue::from(mark.help.as_str())),
        ] {
            let _ = Reflect::set(&object, &key.into(), &value);
        }
        list.push(&object);
    }
    set(&element, "marks", &list);
}

/// Lights the lines of a stretch, and brings them into view.
pub fn set_lit(node: &NodeRef, lit: Option<(u32, u32)>) {
    let Some(element) = node.cast::<HtmlElement>() else {
        return;
    };
    let value = match lit {
        Some((from, to)) => Array::of2(&from.into(), &to.into()).into(),
        None => JsValue::NULL,
    };
    set(&element, "lit", &value);
}

/// Puts the cursor at an offset and the focus into the text.
pub fn go_to(node: &NodeRef, offset: u32) {
    if let Some(element) = node.cast::<HtmlElement>() {
        set(&element, "cursor", &offset.into());
    }
}

/// Shows which lines, from 1, have a breakpoint.
pub fn set_breakpoints(node: &NodeRef, lines: &[u32]) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let list = Array::new();
        for line in lines {
            list.push(&JsValue::from(*line));
        }
        set(&element, "breakpoints", &list);
    }
}

/// What the editor tells: a new text, or that undo or redo or a line's breakpoint was asked for.
pub enum Told {
    Edited(String),
    Undo,
    Redo,
    Breakpoint(u32),
}

pub fn listen_to(node: &NodeRef, then: impl Fn(Told) + Clone + 'static) -> Vec<Listener> {
    let Some(element) = node.cast::<HtmlElement>() else {
        return Vec::new();
    };
    let edited = then.clone();
    let undo = then.clone();
    let breakpoint = then.clone();
    vec![
        listen(&element, "edit", move |event| {
            if let Some(text) = event
                .dyn_ref::<CustomEvent>()
                .and_then(|e| e.detail().as_string())
            {
                edited(Told::Edited(text));
            }
        }),
        listen(&element, "breakpoint", move |event| {
            let line = event
                .dyn_ref::<CustomEvent>()
                .and_then(|e| e.detail().as_f64());
            if let Some(line) = line {
                breakpoint(Told::Breakpoint(line as u32));
            }
        }),
        listen(&element, "undo", move |_| undo(Told::Undo)),
        listen(&element, "redo", move |_| then(Told::Redo)),
    ]
}
