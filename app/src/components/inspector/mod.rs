//! The step at hand, explained: what changed, why, what was passed over, what it means.

mod header;
mod listing;
mod reasons;

use yew::prelude::*;

use super::Props;
use super::fidelity::step_fidelity;
use super::predict::predict;
use crate::state::Event;
use crate::view_model::explain::{self, Origin};

use header::header;
use listing::listing;
use reasons::reasons;

pub fn inspector(props: &Props) -> Html {
    let words = props.words();
    let Some(step) = explain::explanation(&props.state, words) else {
        let refused = props.state.run.refused.as_ref();
        let refused = refused.map(|say| say.text(props.state.settings.lang));
        return html! { <p class="empty">{ refused.unwrap_or_else(|| words.no_steps.to_string()) }</p> };
    };
    html! {
        <div class="inspector">
            { predict(props) }
            <h2>{ &step.title }</h2>
            <p class="place">{ &step.place }</p>
            if !step.meaning.is_empty() {
                <p class="meaning">{ &step.meaning }</p>
            }
            { header(&step.header, words) }
            if step.carries_out.is_some() || !step.decided.is_empty() {
                <h3>{ words.why }</h3>
            }
            if let Some((at, title)) = &step.carries_out {
                <p><button class="link" onclick={props.on(Event::StepChosen(*at))}>{ words.to_step(at + 1) }</button>
                    { " · " }{ title }</p>
            }
            { reasons(&step.decided, &props.send, words) }
            if !step.passed.is_empty() {
                <h3>{ words.passed_over }</h3>
                { reasons(&step.passed, &props.send, words) }
            }
            <>{ for step.listings.iter().map(|l| listing(l, &props.send)) }</>
            { step_fidelity(props) }
            { origins(words.written, step.written.as_slice(), props) }
            { stop_here(props) }
            { origins(words.made_by, &step.made_by, props) }
        </div>
    }
}

/// Whether the packet is to stop at the line that decided.
fn stop_here(props: &Props) -> Html {
    let words = props.words();
    let Some(breakpoint) = explain::breakpoint(&props.state, props.state.cursor) else {
        return html! {};
    };
    let set = props.state.breakpoints.has(&breakpoint);
    html! {
        <p class="stop-here">
            <button aria-pressed={set.to_string()} class={classes!(set.then_some("pressed"))}
                onclick={props.on(Event::BreakpointToggled(breakpoint))}>
                <span class="stop" aria-hidden="true">{ if set { "■ " } else { "□ " } }</span>{ words.breakpoint_here }
            </button>
        </p>
    }
}

fn origins(heading: &str, origins: &[Origin], props: &Props) -> Html {
    if origins.is_empty() {
        return html! {};
    }
    html! {
        <>
            <h3>{ heading }</h3>
            <ul class="origins">
                { for origins.iter().map(|origin| html! {
                    <li>
                        <button class="link" onclick={props.on(Event::SpanChosen(origin.span))}>{ &origin.text }</button>
                        { " " }<span class="place">{ &origin.place }</span>
                    </li>
                }) }
            </ul>
        </>
    }
}
