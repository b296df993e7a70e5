use yew::prelude::*;

use crate::state::Event;
use crate::view_model::explain::Listing;

/// A table as the real tool prints it, with the line at work lit.
pub fn listing(listing: &Listing, send: &Callback<Event>) -> Html {
    html! {
        <>
            <h3 class="plain">{ &listing.title }</h3>
            <ol class="listing" tabindex="0" aria-label={listing.title.clone()}>
                { for listing.lines.iter().map(|line| {
                    let class = classes!(line.lit.then_some("lit"), line.note.then_some("note"));
                    let current = line.lit.then_some("true");
                    let counted = (line.counted > 0).then(|| format!("+{}", line.counted));
                    let counted = html! { <span class="counted">{ counted }</span> };
                    match line.span {
                        Some(span) => {
                            let onclick = send.reform(move |_: MouseEvent| Event::SpanChosen(span));
                            html! { <li {class} aria-current={current}>{ counted }<button class="source" {onclick}>{ &line.text }</button></li> }
                        }
                        None => html! { <li {class} aria-current={current}>{ counted }<span>{ &line.text }</span></li> },
                    }
                }) }
            </ol>
        </>
    }
}
