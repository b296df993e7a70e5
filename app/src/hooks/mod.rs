//! What components share of effects.

use yew::prelude::*;

use crate::browser::{editor, media, size};

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

/// Whether a media query holds, as that changes.
#[hook]
pub fn use_media(query: &'static str) -> bool {
    let holds = use_state_eq(|| false);
    let set = holds.setter();
    use_effect_with((), move |()| {
        set.set(media::matches(query));
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
