use yew::prelude::*;

use super::breakpoints::breakpoints;
use super::fidelity::walk_fidelity;
use super::inspector::inspector;
use super::{Props, layer_class};
use crate::state::Event;
use crate::view_model::explain;

/// All steps as text: what the map shows, for those who read or listen. With `explained`, the step at hand is explained in
/// its place in the list.
pub fn steps(base: &Props, explained: bool) -> Html {
    let state = &base.state;
    let words = base.words();
    let hops = explain::hops(state, words);
    let stops = state.stops();
    html! {
        <div class="steps">
            { walk_fidelity(base) }
            { breakpoints(base) }
            { for hops.iter().map(|hop| html! {
                <section aria-label={hop.heading.clone()}>
                    if let Some(journey) = &hop.journey {
                        <h2>{ journey }</h2>
                    }
                    <h3>{ &hop.name }</h3>
                    <ol start={(hop.first + 1).to_string()}>
                        { for hop.steps.iter().map(|step| {
                            let current = step.at == state.cursor;
                            html! {
                                <li key={step.at} class={classes!("step", layer_class(step.layer), step.minor.then_some("minor"))}>
                                    <button aria-current={current.then_some("step")}
                                        onclick={base.on(Event::StepChosen(step.at))}>
                                        <span class="number">{ step.at + 1 }</span>
                                        <span class="title">
                                            if stops.contains(&step.at) {
                                                <span class="stop" role="img" aria-label={words.breakpoint} title={words.breakpoint}>{ "■ " }</span>
                                            }
                                            { if state.predict && step.at > state.cursor { "…" } else { &*step.title } }
                                        </span>
                                        <span class="part">{ if state.predict && step.at > state.cursor { "" } else { &*step.part } }</span>
                                    </button>
                                    if current && explained {
                                        { inspector(base) }
                                    }
                                </li>
                            }
                        }) }
                    </ol>
                    if let Some(end) = &hop.end {
                        <p class="end">{ end }</p>
                    }
                </section>
            }) }
            if !state.predict {
                <p class="walk-end">{ words.walk_ends(&state.run.trace.ending(&state.run.world).text(state.settings.lang)) }</p>
            }
        </div>
    }
}
