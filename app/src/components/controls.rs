use yew::prelude::*;

use super::Props;
use super::line::packets_nav;
use crate::browser::events;
use crate::state::{Dialog, Event, Speed};
use crate::view_model::stride::{Stride, Way};

/// Forward, back, play: what moves time.
pub fn controls(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let steps = state.walk.len();
    let start = state.cursor == 0;
    let end = state.at_end();
    let onspeed = props.send.reform(|event: yew::Event| {
        let label = events::value(&event);
        let speed = Speed::ALL.into_iter().find(|s| s.label() == label);
        Event::SpeedChosen(speed.unwrap_or_default())
    });
    let stride = |stride: Stride, name: &'static str| {
        html! {
            <button disabled={end} onclick={props.on(Event::Strode(stride, Way::Forward))}>{ name }</button>
        }
    };
    html! {
        <div class="controls">
            <button class="icon" aria-label={words.replay} title={words.replay} disabled={steps == 0}
                onclick={props.on(Event::Replayed)}><span aria-hidden="true">{ "↺" }</span></button>
            <button class="step-back" disabled={start} onclick={props.on(Event::SteppedBack)}>
                <span aria-hidden="true">{ "◀" }</span>{ words.step_back }</button>
            <button class="play" disabled={steps < 2} onclick={props.on(Event::PlayToggled)}>
                if state.playing {
                    <span aria-hidden="true">{ "❚❚" }</span>{ words.pause }
                } else {
                    <span aria-hidden="true">{ "▶" }</span>{ words.play }
                }
            </button>
            <button disabled={end} onclick={props.on(Event::SteppedForward)}>
                { words.step_forward }<span aria-hidden="true">{ "▶" }</span></button>
            <span class="strides" role="group" aria-label={words.run_to}>
                { stride(Stride::Over, words.over_chain) }
                { stride(Stride::Out, words.step_out) }
                { stride(Stride::Change, words.next_change) }
                { stride(Stride::Machine, words.next_machine) }
                if !state.breakpoints.is_empty() {
                    { stride(Stride::Breakpoint, words.next_breakpoint) }
                }
            </span>
            <p class="where">{ words.step_of(if steps == 0 { 0 } else { state.cursor + 1 }, steps) }
                if let Some(moment) = state.walk.moments.get(state.cursor) {
                    { " · " }{ words.role(moment.role) }
                }
            </p>
            { packets_nav(props) }
            <button class={classes!("predict-switch", state.predict.then_some("pressed"))} aria-pressed={state.predict.to_string()}
                onclick={props.on(Event::PredictSet(!state.predict))}>{ words.predict }</button>
            <select aria-label={words.speed} onchange={onspeed}>
                { for Speed::ALL.into_iter().map(|speed| html! {
                    <option value={speed.label()} selected={speed == state.settings.speed}>{ speed.label() }</option>
                }) }
            </select>
            <button class="icon keys" aria-label={words.shortcuts} title={words.shortcuts}
                onclick={props.on(Event::DialogOpened(Dialog::Shortcuts))}><span aria-hidden="true">{ "?" }</span></button>
        </div>
    }
}
