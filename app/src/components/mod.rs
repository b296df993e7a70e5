//! What is drawn. Components take what they show and where to send events, and decide nothing.

pub mod breakpoints;
pub mod cluster;
pub mod code_editor;
pub mod compare;
pub mod controls;
pub mod coverage;
pub mod fidelity;
pub mod file_tools;
pub mod files;
pub mod hand_in;
pub mod inspector;
pub mod line;
pub mod machines;
pub mod map;
pub mod menu;
pub mod modal;
pub mod notice;
pub mod predict;
pub mod probe;
pub mod problems;
pub mod prose;
pub mod qr;
pub mod question;
pub mod reading;
pub mod scenarios;
pub mod share;
pub mod shortcuts;
pub mod splitter;
pub mod steps;
pub mod tabs;
pub mod task;
pub mod terminal;
pub mod top_bar;
pub mod tour;
pub mod welcome;
pub mod why_not;

#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::rc::Rc;

use yew::prelude::*;

use crate::i18n::Words;
use crate::state::{Event, State};
pub use crate::view_model::drawer::outcome_sign;
pub use crate::view_model::walk::layer_class;

/// What is shared: two are the same when they are one.
#[derive(Debug)]
pub struct Same<T>(pub Rc<T>);

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Same<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Reducible for Same<State> {
    type Action = Event;

    fn reduce(self: Rc<Self>, event: Event) -> Rc<Self> {
        let mut state = State::clone(&self);
        state.after(event);
        Rc::new(Same(Rc::new(state)))
    }
}

/// What most components take.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    pub state: Same<State>,
    pub send: Callback<Event>,
}

impl Props {
    pub fn words(&self) -> &'static Words {
        crate::i18n::words(self.state.settings.lang)
    }

    /// A handler that sends an event of its own.
    pub fn on<E>(&self, event: Event) -> Callback<E> {
        self.send.reform(move |_| event.clone())
    }
}

/// A sentence of the model that stands by itself, with a capital letter where it has one.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
