//! Long texts are read ahead of the event that brings them, a stretch at a time: meanwhile the page answers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use northsouth::workspace::Ahead;
use yew::prelude::*;

use crate::browser::{clock, page};
use crate::components::Same;
use crate::state::{Event, State, needs};

/// Milliseconds at a time: a key that is pressed meanwhile waits no longer, and half a frame is left to draw it.
const SLICE: f64 = 12.0;
/// While nobody looks, browsers call back once a second.
const SLICE_HIDDEN: f64 = 500.0;
/// Bytes between two looks at the clock.
const STRETCH: usize = 32 * 1024;
/// So many of a hundred, and it is told.
const TOLD: u8 = 5;

/// Where events go. One that brings a long text waits until that is read; what is about texts waits behind it, and another
/// edit of the same text takes its place.
#[hook]
pub fn use_reading_ahead(state: &Same<State>, dispatch: Callback<Event>) -> Callback<Event> {
    let desk = use_mut_ref(|| Desk {
        state: state.clone(),
        dispatch: dispatch.clone(),
        waiting: VecDeque::new(),
        ahead: None,
        told: 0,
        next: None,
    });
    {
        let mut desk = desk.borrow_mut();
        desk.state = state.clone();
        desk.dispatch = dispatch;
    }
    use_callback((), move |event, ()| {
        let passes = take(&desk, event);
        passes.into_iter().for_each(|(to, event)| to.emit(event));
    })
}

struct Desk {
    state: Same<State>,
    dispatch: Callback<Event>,
    /// In their order; the first is the one that is read for.
    waiting: VecDeque<Event>,
    ahead: Option<Box<Ahead>>,
    told: u8,
    next: Option<Timeout>,
}

/// What is dispatched when the desk is no longer borrowed.
type Out = Vec<(Callback<Event>, Event)>;

fn take(desk: &Rc<RefCell<Desk>>, event: Event) -> Out {
    let mut at = desk.borrow_mut();
    let to = at.dispatch.clone();
    if at.waiting.is_empty() {
        at.ahead = needs::reading(&at.state, &event);
        if at.ahead.is_none() {
            return vec![(to, event)];
        }
        at.waiting.push_back(event);
        at.told = 0;
        wake(desk, &mut at);
        return vec![(to, Event::ReadingOn(Some(0)))];
    }
    if !event.is_about_texts() {
        return vec![(to, event)];
    }
    match at.waiting.back_mut() {
        Some(last) if event.replaces(last) => {
            *last = event;
            if at.waiting.len() == 1 {
                at.ahead = None;
            }
        }
        _ => at.waiting.push_back(event),
    }
    Vec::new()
}

fn wake(desk: &Rc<RefCell<Desk>>, at: &mut Desk) {
    let desk = desk.clone();
    at.next = Some(clock::after(0, move || {
        let out = desk.borrow_mut().go_on();
        out.into_iter().for_each(|(to, event)| to.emit(event));
        let mut at = desk.borrow_mut();
        match at.waiting.is_empty() {
            true => at.next = None,
            false => wake(&desk, &mut at),
        }
    }));
}

impl Desk {
    /// The first event, for which all is read, and where it is the last that there is no more to read.
    fn next(&mut self) -> Out {
        let to = self.dispatch.clone();
        let event = self.waiting.pop_front();
        let last = self.waiting.is_empty().then_some(Event::ReadingOn(None));
        let out = event.into_iter().chain(last);
        out.map(|event| (to.clone(), event)).collect()
    }

    fn go_on(&mut self) -> Out {
        let to = self.dispatch.clone();
        let Some(first) = self.waiting.front() else {
            return Vec::new();
        };
        // As things stand after what was before it.
        let ahead = self.ahead.take();
        let Some(mut ahead) = ahead.or_else(|| needs::reading(&self.state, first)) else {
            return self.next();
        };
        let slice = if page::hidden() { SLICE_HIDDEN } else { SLICE };
        let end = clock::now() + slice;
        while clock::now() < end {
            match ahead.go_on(STRETCH) {
                Ok(ran) => {
                    let mut out = vec![(to.clone(), Event::Ran(ran))];
                    out.extend(self.next());
                    return out;
                }
                Err(more) => ahead = more,
            }
        }
        let percent = ahead.percent();
        self.ahead = Some(ahead);
        if percent < self.told || percent >= self.told.saturating_add(TOLD) {
            self.told = percent;
            return vec![(to, Event::ReadingOn(Some(percent)))];
        }
        Vec::new()
    }
}
