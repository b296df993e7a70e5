//! The step at hand, explained: what changed, why, what was passed over, what it means.

mod header;
mod listing;
mod reasons;

use yew::prelude::*;

use super::Props;
use crate::state::Event;
use crate::view_model::explain;

use header::header;
use listing::listing;
use reasons::reasons;

pub fn inspector(props: &Props) -> Html {
    let words = props.words();
    let Some(step) = explain::explanation(&props.state, words) else {
        return html! { <p class="empty">{ words.no_steps }</p> };
    };
    html! {
        <div class="inspector">
            <h2>{ &step.title }</h2>
            <p class="place">{ &step.place }</p>
            { header(&step.header, words) }
            if !step.decided.is_empty() {
                <h3>{ words.why }</h3>
                { reasons(&step.decided, &props.send, words) }
            }
            if !step.passed.is_empty() {
                <h3>{ words.passed_over }</h3>
                { reasons(&step.passed, &props.send, words) }
            }
            if !step.meaning.is_empty() {
                <h3>{ words.what_it_means }</h3>
                <p class="meaning">{ &step.meaning }</p>
            }
            { for step.listings.iter().map(|l| listing(l, &props.send)) }
            if !step.made_by.is_empty() {
                <h3>{ words.made_by }</h3>
                <ul class="origins">
                    { for step.made_by.iter().map(|origin| html! {
                        <li>
                            <button class="link" onclick={props.on(Event::SpanChosen(origin.span))}>{ &origin.text }</button>
                            { " " }<span class="place">{ &origin.place }</span>
                        </li>
                    }) }
                </ul>
            }
        </div>
    }
}
