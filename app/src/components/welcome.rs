use yew::prelude::*;

use super::Props;
use crate::state::Event;

/// At the first step: what there is to see, for who comes by.
pub fn welcome(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    if state.cursor > 0 || state.tour.is_some() || state.task.is_some() || state.predict {
        return html! {};
    }
    html! {
        <p class="welcome">
            { words.welcome }{ " " }
            <button class="link" onclick={props.on(Event::TourOpened(0))}>{ words.welcome_tour }</button>
        </p>
    }
}
