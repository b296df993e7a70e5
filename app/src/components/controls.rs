use yew::prelude::*;

use super::Props;
use super::line::packets_nav;
use crate::browser::events;
use crate::state::{Event, Speed};

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
            <button class="over" disabled={end} onclick={props.on(Event::ChainStepped)}>{ words.over_chain }</button>
            <p class="where">{ words.step_of(if steps == 0 { 0 } else { state.cursor + 1 }, steps) }
                if let Some(moment) = state.walk.moments.get(state.cursor) {
                    { " · " }{ words.role(moment.role) }
                }
            </p>
            { packets_nav(props) }
            <select aria-label={words.speed} onchange={onspeed}>
                { for Speed::ALL.into_iter().map(|speed| html! {
                    <option value={speed.label()} selected={speed == state.settings.speed}>{ speed.label() }</option>
                }) }
            </select>
        </div>
    }
}
