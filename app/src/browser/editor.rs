//! The text editor: the custom element `<code-editor>` of `app/editor`, which a module of its own defines some time after
//! the first paint.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Object, Reflect};
use northsouth::exercise::Kept;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, Event, HtmlElement};
use yew::NodeRef;

use super::events::{Listener, listen};
pub use crate::view_model::editor::Mark;

/// Said by the editor's module when it is there.
const READY: &str = "northsouth-editor";

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

/// Shows the stretches that belong to the place of the cursor in another text, and brings the first into view.
pub fn set_kin(node: &NodeRef, stretches: &[(u32, u32)]) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let list = Array::new();
        for (from, to) in stretches {
            list.push(&Array::of2(&(*from).into(), &(*to).into()));
        }
        set(&element, "kin", &list);
    }
}

/// Puts the cursor at an offset and the focus into the text.
pub fn go_to(node: &NodeRef, offset: u32) {
    if let Some(element) = node.cast::<HtmlElement>() {
        set(&element, "cursor", &offset.into());
    }
}

/// Lines that stay as they are, and what is said to who tries to change them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Locks {
    pub said: String,
    pub kept: Vec<Kept>,
}

pub fn set_locks(node: &NodeRef, locks: &Locks) {
    let Some(element) = node.cast::<HtmlElement>() else {
        return;
    };
    let list = Array::new();
    for run in &locks.kept {
        list.push(&object(&[
            ("from", run.from.into()),
            ("to", run.to.into()),
            ("before", run.before.into()),
            ("after", run.after.into()),
        ]));
    }
    let said = locks.said.as_str().into();
    let value = object(&[("said", said), ("kept", list.into())]);
    set(&element, "locks", &value);
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

/// Where the cursor is in the text that is open, in UTF-16 units.
pub fn cursor() -> u32 {
    let found = super::document().and_then(|d| d.query_selector("code-editor").ok().flatten());
    let at = found.and_then(|e| Reflect::get(&e, &"cursor".into()).ok());
    at.and_then(|at| at.as_f64()).map_or(0, |at| at as u32)
}

/// What the editor tells: a new text, or that undo or redo or a line's breakpoint was asked for.
pub enum Told {
    Edited(Arc<str>),
    Undo,
    Redo,
    Breakpoint(u32),
    /// The cursor was put somewhere, in UTF-16 units.
    Caret(u32),
}

pub fn listen_to(node: &NodeRef, then: impl Fn(Told) + Clone + 'static) -> Vec<Listener> {
    let Some(element) = node.cast::<HtmlElement>() else {
        return Vec::new();
    };
    let edited = then.clone();
    let undo = then.clone();
    let breakpoint = then.clone();
    let caret = then.clone();
    let detail = |event: &Event| event.dyn_ref::<CustomEvent>().map(CustomEvent::detail);
    // A long text comes in pieces.
    let pieces = Rc::new(RefCell::new(String::new()));
    let all = pieces.clone();
    vec![
        listen(&element, "piece", move |event| {
            let Some(text) = detail(&event).and_then(|d| d.as_string()) else {
                return pieces.borrow_mut().clear();
            };
            pieces.borrow_mut().push_str(&text);
        }),
        listen(&element, "edit", move |event| {
            let whole = detail(&event).and_then(|d| d.as_string());
            let text = whole.unwrap_or_else(|| all.take());
            edited(Told::Edited(text.into()));
        }),
        listen(&element, "breakpoint", move |event| {
            let line = event
                .dyn_ref::<CustomEvent>()
                .and_then(|e| e.detail().as_f64());
            if let Some(line) = line {
                breakpoint(Told::Breakpoint(line as u32));
            }
        }),
        listen(&element, "caret", move |event| {
            let at = event
                .dyn_ref::<CustomEvent>()
                .and_then(|e| e.detail().as_f64());
            if let Some(at) = at {
                caret(Told::Caret(at as u32));
            }
        }),
        listen(&element, "undo", move |_| undo(Told::Undo)),
        listen(&element, "redo", move |_| then(Told::Redo)),
    ]
}

/// A sign beside a line, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// In UTF-16 units.
    pub from: u32,
    pub sign: &'static str,
    pub kind: &'static str,
    pub said: String,
}

pub fn set_coverage(node: &NodeRef, covered: &[Covered]) {
    let Some(element) = node.cast::<HtmlElement>() else {
        return;
    };
    let list = Array::new();
    for line in covered {
        list.push(&object(&[
            ("from", line.from.into()),
            ("sign", line.sign.into()),
            ("kind", line.kind.into()),
            ("said", line.said.as_str().into()),
        ]));
    }
    set(&element, "coverage", &list);
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// What the editor asks of a place in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// How may the word go on?
    Complete,
    /// What does it mean?
    Describe,
    /// Where is written what it names? The page goes there.
    Define,
}

/// A place of its text that it asks of, in UTF-16 units.
pub struct Asked {
    /// Where the line begins.
    pub from: u32,
    pub line: String,
    /// From there.
    pub at: u32,
}

pub enum Answer {
    /// Where in the line the word begins, in UTF-16 units, and words with what they mean.
    Candidates(u32, Vec<(String, String)>),
    Text(String),
    Yes(bool),
}

/// Holds the function that the editor asks, until dropped.
pub struct Answering {
    _ask: Closure<dyn Fn(String, u32, String, u32) -> JsValue>,
}

/// Answers what the editor asks of its text.
pub fn answer(node: &NodeRef, reply: impl Fn(Question, &Asked) -> Answer + 'static) -> Answering {
    let ask = Closure::<dyn Fn(String, u32, String, u32) -> JsValue>::new(
        move |question: String, from: u32, line: String, at: u32| -> JsValue {
            let question = match question.as_str() {
                "complete" => Question::Complete,
                "describe" => Question::Describe,
                _ => Question::Define,
            };
            match reply(question, &Asked { from, line, at }) {
                Answer::Candidates(from, words) => {
                    let options = Array::new();
                    for (label, about) in words {
                        options.push(&object(&[("label", label.into()), ("about", about.into())]));
                    }
                    object(&[("from", from.into()), ("options", options.into())]).into()
                }
                Answer::Text(text) => text.into(),
                Answer::Yes(yes) => yes.into(),
            }
        },
    );
    if let Some(element) = node.cast::<HtmlElement>() {
        set(&element, "ask", ask.as_ref());
    }
    Answering { _ask: ask }
}
