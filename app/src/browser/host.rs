//! The page around an embedded one, which calls it and is told of what happens, by messages. Calls are taken from the
//! parent's window only, and of one origin: the one that the address names, else that of the first call. `docs/embedding.md`
//! is for those who write the other side.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent};

use super::events::{Listener, listen};

/// The form of messages.
const VERSION: f64 = 1.0;

/// What the page around wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    pub name: String,
    pub link: Option<String>,
    pub scenario: Option<String>,
    pub step: Option<f64>,
    pub by: Option<f64>,
    pub lang: Option<String>,
    pub theme: Option<String>,
    id: Option<f64>,
}

/// What it is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    pub link: String,
    /// From 0.
    pub step: usize,
    pub steps: usize,
    pub title: String,
    pub playing: bool,
    /// As the command line names it: `delivered`, `dropped` …
    pub disposition: String,
    pub lang: &'static str,
    pub theme: &'static str,
}

/// The page around, once its origin is known.
#[derive(Clone)]
pub struct Host {
    origin: Rc<RefCell<Option<String>>>,
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.origin, &other.origin)
    }
}

impl Host {
    /// `origin` is the one that the address names.
    pub fn new(origin: Option<String>) -> Self {
        Self {
            origin: Rc::new(RefCell::new(origin)),
        }
    }

    /// Calls back with each call, until dropped.
    pub fn listen(&self, then: impl Fn(Call) + 'static) -> Option<Listener> {
        let window = super::window()?;
        let parent = window.parent().ok()??;
        let known = self.origin.clone();
        Some(listen(&window, "message", move |event: Event| {
            let Some(event) = event.dyn_ref::<MessageEvent>() else {
                return;
            };
            let from_parent = event
                .source()
                .is_some_and(|s| JsValue::from(s) == JsValue::from(parent.clone()));
            let allowed = match &*known.borrow() {
                Some(origin) => *origin == event.origin(),
                None => true,
            };
            let Some(call) = read(&event.data()).filter(|_| from_parent && allowed) else {
                return;
            };
            known.borrow_mut().get_or_insert_with(|| event.origin());
            then(call);
        }))
    }

    /// Tells of an event, with the state.
    pub fn tell(&self, event: &str, told: &Told) {
        let message = message();
        set(&message, "event", event);
        set(&message, "state", object(told));
        self.post(&message);
    }

    /// Answers a call.
    pub fn answer(&self, call: &Call, told: Result<&Told, &str>) {
        let Some(id) = call.id else {
            return;
        };
        let message = message();
        set(&message, "answer", id);
        match told {
            Ok(told) => set(&message, "state", object(told)),
            Err(error) => set(&message, "error", error),
        }
        self.post(&message);
    }

    /// How high the page would like to be, in CSS pixels.
    pub fn tell_height(&self, height: u32) {
        let message = message();
        set(&message, "event", "size");
        set(&message, "height", height);
        self.post(&message);
    }

    fn post(&self, message: &Object) {
        let parent = super::window().and_then(|w| w.parent().ok()?);
        if let (Some(parent), Some(origin)) = (parent, &*self.origin.borrow()) {
            // A page of another origin does not get it, which is no failure.
            let _ = parent.post_message(message, origin);
        }
    }
}

fn message() -> Object {
    let message = Object::new();
    set(&message, "northsouth", VERSION);
    message
}

fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    let _ = Reflect::set(object, &name.into(), &value.into());
}

fn object(told: &Told) -> Object {
    let object = Object::new();
    set(&object, "link", told.link.as_str());
    set(&object, "step", told.step as u32);
    set(&object, "steps", told.steps as u32);
    set(&object, "title", told.title.as_str());
    set(&object, "playing", told.playing);
    set(&object, "disposition", told.disposition.as_str());
    set(&object, "lang", told.lang);
    set(&object, "theme", told.theme);
    object
}

fn read(data: &JsValue) -> Option<Call> {
    if !data.is_object() {
        return None;
    }
    let field = |name: &str| Reflect::get(data, &name.into()).ok();
    let text = |name| field(name)?.as_string();
    let number = |name| field(name)?.as_f64();
    (number("northsouth") == Some(VERSION)).then_some(())?;
    Some(Call {
        name: text("call")?,
        link: text("link"),
        scenario: text("scenario"),
        step: number("step"),
        by: number("by"),
        lang: text("lang"),
        theme: text("theme"),
        id: number("id"),
    })
}
