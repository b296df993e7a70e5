use northsouth::trace::Layer;
use yew::prelude::*;

use super::{Props, layer_class};
use crate::state::Event;
use crate::view_model::explain;

/// The map for a small screen: the machines on the packet's way beside each other, and where the packet is.
pub fn strip(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let hops = explain::hops(state, words);
    let Some(here) = hops.iter().rposition(|h| h.first <= state.cursor) else {
        return html! {};
    };
    let journey = hops[here].journey_at;
    let stops: Vec<_> = hops.iter().filter(|h| h.journey_at == journey).collect();
    let tag = explain::tag(state);
    html! {
        <section class="strip" aria-label={words.map}>
            <ol>
                { for stops.iter().map(|hop| {
                    let current = hop.first == hops[here].first;
                    let class = classes!(
                        layer_class(hop.steps.first().map_or(Layer::Endpoint, |s| s.layer)),
                        current.then_some("here"),
                        (hop.first < hops[here].first).then_some("been"),
                    );
                    html! {
                        <li {class}>
                            <button aria-current={current.then_some("true")}
                                onclick={props.on(Event::StepChosen(hop.first))}>{ &hop.short }</button>
                        </li>
                    }
                }) }
            </ol>
            if let Some(tag) = tag {
                <p class="tag">
                    <span class={classes!(tag.source_changed.then_some("changed"))}>{ &tag.source }</span>
                    { " → " }
                    <span class={classes!(tag.destination_changed.then_some("changed"))}>{ &tag.destination }</span>
                </p>
            }
        </section>
    }
}
