use yew::prelude::*;

use super::Props;
use crate::state::Event;
use crate::tour;

/// A paragraph of the guided tour. The page shows the step that it tells of.
pub fn tour_card(props: &Props) -> Html {
    let words = props.words();
    let Some(at) = props.state.tour else {
        return html! {};
    };
    let Some(stop) = tour::STOPS.get(at) else {
        return html! {};
    };
    let text = stop.text(props.state.settings.lang);
    let count = tour::STOPS.len();
    let lost = stop.find(&props.state.run, &props.state.walk).is_none();
    html! {
        <section class="tour" aria-label={words.tour}>
            <p class="count">{ words.tour_of(at + 1, count) }
                <button class="icon" aria-label={words.end_tour} title={words.end_tour}
                    onclick={props.on(Event::TourClosed)}><span aria-hidden="true">{ "✕" }</span></button>
            </p>
            <div aria-live="polite">
                <h2>{ text.title }</h2>
                { for text.paragraphs().map(paragraph) }
                if lost {
                    <p class="lost">{ words.tour_lost }</p>
                }
            </div>
            <p class="turn">
                <button disabled={at == 0} onclick={props.on(Event::TourOpened(at.saturating_sub(1)))}>
                    { words.previous }</button>
                <button onclick={props.on(Event::TourOpened(at))}>{ words.show_again }</button>
                if at + 1 < count {
                    <button class="primary" onclick={props.on(Event::TourOpened(at + 1))}>{ words.next }</button>
                } else {
                    <button class="primary" onclick={props.on(Event::TourClosed)}>{ words.end_tour }</button>
                }
            </p>
        </section>
    }
}

/// Text with `code` and **strong** in it.
fn paragraph(text: &str) -> Html {
    html! {
        <p>{ for tour::pieces(text).map(|piece| match piece {
            tour::Piece::Plain(text) => html! { text },
            tour::Piece::Code(text) => html! { <code>{ text }</code> },
            tour::Piece::Strong(text) => html! { <strong>{ text }</strong> },
        }) }</p>
    }
}
