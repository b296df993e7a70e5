use northsouth::insight::{changes, ending};
use yew::prelude::*;

use super::diff::diff_view;
use crate::components::Props;

/// What the last thing that happened changed: the walk, the connection that was there, the generated texts.
pub fn changes_view(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let lang = state.settings.lang;
    let Some((operation, before)) = &state.happened else {
        return html! {};
    };
    let found = changes(before, &state.run);
    let said = |say: Option<northsouth::text::Say>| say.map(|s| s.text(lang)).unwrap_or_default();
    html! {
        <section class="changes" aria-label={words.changed}>
            <h3>{ words.changed }</h3>
            <p role="status"><strong>{ operation.say().text(lang) }</strong></p>
            <dl>
                <dt>{ words.before }</dt>
                <dd>{ said(ending(&before.world, &before.trace)) }</dd>
                <dt>{ words.after }</dt>
                <dd>{ said(ending(&state.run.world, &state.run.trace)) }</dd>
                if let Some(existing) = &found.existing {
                    <dt>{ words.existing }</dt>
                    <dd>{ said(ending(&state.run.world, existing)) }</dd>
                }
            </dl>
            { for found.files.iter().map(|(name, old, new)| html! {
                <details>
                    <summary>{ name }</summary>
                    { diff_view(old, new, words) }
                </details>
            }) }
        </section>
    }
}
