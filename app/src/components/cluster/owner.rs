use yew::prelude::*;

use super::diff::diff_view;
use crate::components::Props;
use crate::state::{ClusterEvent, Event};
use crate::view_model::cluster::manifests;

/// Whose the open file is: a controller's, or people's own with what the controller would write instead.
#[component]
pub fn Owner(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let shown = use_state_eq(|| None::<usize>);
    let Some(file) = state.run.files.get(state.file) else {
        return html! {};
    };
    let Some(made) = state.run.generated(state.file) else {
        return html! {};
    };
    let who = made.maker;
    let send = |event: ClusterEvent| props.on(Event::Cluster(event));
    if state.file >= state.workspace.files.len() {
        return html! {
            <div class="about owner">
                <span class="tag"><span class="sign" aria-hidden="true">{ "⚙ " }</span>{ who }</span>
                { " " }{ (words.generated)(manifests(&state.run)) }{ " " }
                <button class="link" onclick={send(ClusterEvent::TakenOver(state.file))}>{ words.take_over }</button>
            </div>
        };
    }
    let same = made.is(file);
    let open = !same && *shown == Some(state.file);
    let toggle = {
        let (shown, at) = (shown.setter(), state.file);
        Callback::from(move |_: MouseEvent| shown.set((!open).then_some(at)))
    };
    html! {
        <div class="about owner">
            <span class="tag own"><span class="sign" aria-hidden="true">{ "● " }</span>{ words.yours }</span>
            { " " }{ (if same { words.taken_same } else { words.taken })(who) }{ " " }
            if !same {
                <button class="link" aria-expanded={open.to_string()} onclick={toggle}>{ words.show_diff }</button>{ " " }
            }
            <button class="link" onclick={props.on(Event::FileDeleted(state.file))}>{ (words.give_back)(who) }</button>
            if open {
                { diff_view(made.sheet.text(), &file.text, words) }
            }
        </div>
    }
}
