use yew::prelude::*;

use super::Props;
use crate::state::Event;
use crate::view_model::explain;

/// Where the packet stops: each a way to its line.
pub fn breakpoints(props: &Props) -> Html {
    let words = props.words();
    let listed = explain::breakpoints(&props.state);
    if listed.is_empty() {
        return html! {};
    }
    html! {
        <section class="breakpoints" aria-label={words.breakpoints}>
            <h2>{ words.breakpoints }</h2>
            <ul>
                { for listed.into_iter().map(|row| html! {
                    <li>
                        <button class="link mono" onclick={props.on(Event::SpanChosen(row.span))}>{ &row.place }</button>
                        <code>{ &row.text }</code>
                        <span class="said">{ words.stops(row.steps) }</span>
                        <button class="icon" aria-label={words.remove(&row.place)} title={words.remove(&row.place)}
                            onclick={props.on(Event::BreakpointToggled(row.breakpoint.clone()))}>
                            <span aria-hidden="true">{ "✕" }</span></button>
                    </li>
                }) }
            </ul>
        </section>
    }
}
