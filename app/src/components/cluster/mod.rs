//! The cluster as a whole: where new connections may go, what its controllers make, how it lives.

mod changes;
mod dialects;
mod diff;
mod life;
mod made;
mod owner;
mod panel;
mod roads;

pub use dialects::Dialects;
pub use made::MadePanel;
pub use owner::Owner;
pub use panel::ClusterPanel;
pub use roads::RoadsPanel;

use northsouth::text::Span;
use yew::prelude::*;

use super::Props;
use crate::state::Event;
use crate::view_model::cluster::place;

/// A way to a place in a file, named by it.
fn link(text: &str, span: Span, props: &Props) -> Html {
    let place = place(&props.state.run, span, props.words());
    let onclick = props.on(Event::SpanChosen(span));
    match text {
        "" => html! { <button class="link" {onclick}>{ place }</button> },
        text => html! {
            <>
                <button class="link" {onclick}>{ text.to_string() }</button>
                { " " }<span class="place">{ place }</span>
            </>
        },
    }
}
