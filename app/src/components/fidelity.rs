use northsouth::trace::{Fidelity, depends_on, fidelity};
use yew::prelude::*;

use super::Props;
use crate::view_model::walk::step;

fn sign(how: Fidelity) -> (&'static str, &'static str) {
    match how {
        Fidelity::Exact => ("=", "exact"),
        Fidelity::Approximate => ("≈", "approximate"),
        Fidelity::NotModelled => ("?", "not-modelled"),
    }
}

/// How near the step at hand is to the real thing.
pub fn step_fidelity(props: &Props) -> Html {
    let (state, words) = (&props.state, props.words());
    let lang = state.settings.lang;
    let moment = state.walk.moments.get(state.cursor);
    let Some(step) = moment.and_then(|m| step(&state.run.trace, m.position)) else {
        return html! {};
    };
    let (how, said) = fidelity(step);
    let (sign, class) = sign(how);
    html! {
        <p class={classes!("fidelity", class)}>
            <strong class="badge"><span aria-hidden="true">{ sign }</span>{ " " }{ how.say().text(lang) }</strong>
            { " " }{ said.text(lang) }{ " · " }<a href="./#how">{ words.how_we_know }</a>
        </p>
    }
}

/// What the whole walk depends on that is not exact.
pub fn walk_fidelity(props: &Props) -> Html {
    let (state, words) = (&props.state, props.words());
    let lang = state.settings.lang;
    let found = depends_on(&state.run.trace);
    let worst = found.first().map_or(Fidelity::Exact, |(how, ..)| *how);
    let (mark, class) = sign(worst);
    html! {
        <details class={classes!("fidelity", class)}>
            <summary>
                <strong class="badge"><span aria-hidden="true">{ mark }</span>{ " " }{ worst.say().text(lang) }</strong>
                { " " }{ words.walk_depends(found.len()) }
            </summary>
            <dl>
                { for found.iter().map(|(how, said, count)| html! {
                    <div><dt>{ how.say().text(lang) }{ " · " }{ words.steps_of(*count) }</dt><dd>{ said.text(lang) }</dd></div>
                }) }
            </dl>
            <p><a href="./#how">{ words.how_we_know }</a></p>
        </details>
    }
}
