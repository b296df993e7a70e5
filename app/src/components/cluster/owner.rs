use yew::prelude::*;

use super::diff::diff_view;
use crate::components::Props;
use crate::state::{ClusterEvent, Event};
use crate::view_model::cluster::{counterpart, maker};

/// Whose the open file is: a controller's, or people's own with what the controller would write instead.
#[component]
pub fn Owner(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let shown = use_state_eq(|| None::<usize>);
    let Some(file) = state.run.files.get(state.file) else {
        return html! {};
    };
    let who = maker(&file.name);
    let Some(made) = counterpart(&state.run, state.file) else {
        return html! {};
    };
    let from = state.run.files.iter().find(|f| {
        northsouth::workspace::FileKind::of(&f.name) == northsouth::workspace::FileKind::Manifests
    });
    let from = from.map_or("", |f| &*f.name);
    if state.file >= state.workspace.files.len() {
        return html! { <p class="about owner generated"><span class="sign" aria-hidden="true">{ "⚙ " }</span>{ (words.generated)(who, from) }</p> };
    }
    let open = *shown == Some(state.file);
    let toggle = {
        let (shown, at) = (shown.setter(), state.file);
        Callback::from(move |_: MouseEvent| shown.set((!open).then_some(at)))
    };
    html! {
        <div class="about owner">
            <span class="badge edited" aria-hidden="true">{ "● " }</span>{ (words.taken)(who) }{ " " }
            <button class="link" aria-expanded={open.to_string()} onclick={toggle}>{ words.show_diff }</button>
            { " " }
            <button class="link" onclick={props.on(Event::Cluster(ClusterEvent::GivenBack(state.file)))}>{ (words.give_back)(who) }</button>
            if open {
                { diff_view(made, &file.text, words) }
            }
        </div>
    }
}
