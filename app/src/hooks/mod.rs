//! What components share of effects.

mod reading;

pub use reading::use_reading_ahead;

use yew::prelude::*;

use crate::browser::{editor, events, frames, media, page, size};

/// An element's width and height, as they change; `first` until they are known.
#[hook]
pub fn use_size(node: &NodeRef, first: (u32, u32)) -> (u32, u32) {
    let measured = use_state_eq(|| first);
    let set = measured.setter();
    let node = node.clone();
    use_effect_with((), move |()| {
        let watch = size::watch(&node, move |width, height| set.set((width, height)));
        move || drop(watch)
    });
    *measured
}

/// How many frames were painted since this was first drawn, up to `most`. What is large waits for its turn, so that no task
/// takes long and the page answers in between. Where there is no screen nothing waits.
#[hook]
pub fn use_turns(most: usize) -> usize {
    use_growth(0, 1, most)
}

/// How much of something long is drawn: `first`, and with each frame so much more, until it is whole.
#[hook]
pub fn use_growth(first: usize, more: usize, whole: usize) -> usize {
    let has_screen = cfg!(target_arch = "wasm32");
    let drawn = use_state_eq(|| if has_screen { first } else { whole });
    let (set, now) = (drawn.setter(), *drawn);
    use_effect_with((now, now < whole), move |(now, grows)| {
        let next = now + more;
        let waiting = grows.then(|| frames::painted(move || set.set(next)));
        move || drop(waiting)
    });
    now.min(whole)
}

/// Whether a media query holds, as that changes.
#[hook]
pub fn use_media(query: &'static str) -> bool {
    let holds = use_state_eq(|| media::matches(query));
    let set = holds.setter();
    use_effect_with((), move |()| {
        let watch = media::watch(query, move |now| set.set(now));
        move || drop(watch)
    });
    *holds
}

/// Whether the text editor's module has come.
#[hook]
pub fn use_editor() -> bool {
    let ready = use_state_eq(|| false);
    let set = ready.setter();
    use_effect_with((), move |()| {
        set.set(editor::is_ready());
        let watch = editor::when_ready(move |_| set.set(true));
        move || drop(watch)
    });
    *ready
}

/// What hides behind a button, and what the element around both listens to.
pub struct Disclosure {
    pub open: bool,
    /// Of the element around the button and what it shows.
    pub node: NodeRef,
    pub ontoggle: Callback<MouseEvent>,
    pub onkeydown: Callback<KeyboardEvent>,
    pub onfocusout: Callback<FocusEvent>,
    pub close: Callback<()>,
}

/// Shown by its button; hidden by it, by Escape, and when the focus goes elsewhere.
#[hook]
pub fn use_disclosure(button: &'static str) -> Disclosure {
    let open = use_state_eq(|| false);
    let node = use_node_ref();
    let set = open.setter();
    let toggle = {
        let (set, now) = (set.clone(), *open);
        Callback::from(move |_| set.set(!now))
    };
    let close = {
        let set = set.clone();
        Callback::from(move |()| set.set(false))
    };
    let onkeydown = {
        let (close, now) = (close.clone(), *open);
        Callback::from(move |event: KeyboardEvent| {
            if now && event.key() == "Escape" {
                close.emit(());
                page::focus_by_id(button);
            }
        })
    };
    let onfocusout = {
        let node = node.clone();
        Callback::from(move |event: FocusEvent| {
            if events::leaves(&event, &node) {
                set.set(false);
            }
        })
    };
    Disclosure {
        open: *open,
        node,
        ontoggle: toggle,
        onkeydown,
        onfocusout,
        close,
    }
}
