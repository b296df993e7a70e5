use yew::prelude::*;

use crate::components::Props;
use crate::state::{Event, Level, Zoom};

/// What the map shows, and how large; and the way back to the packet.
pub fn zoom_bar(
    props: &Props,
    fit: &Callback<MouseEvent>,
    (tall, ontall): (bool, &Callback<MouseEvent>),
) -> Html {
    let words = props.words();
    let zoom = props.state.zoom;
    let by = |percent: u32, name: &'static str, sign: &'static str| {
        html! {
            <button class="icon" aria-label={name} title={name} onclick={props.on(Event::ZoomedBy(percent))}>
                <span aria-hidden="true">{ sign }</span></button>
        }
    };
    html! {
        <div class="zoom" role="group" aria-label={words.zoom}>
            <span class="levels">
                { for Level::ALL.into_iter().map(|level| html! {
                    <button aria-pressed={(level == zoom.level).to_string()}
                        onclick={props.on(Event::Zoomed(Zoom::at(level)))}>{ words.level(level) }</button>
                }) }
            </span>
            { by(80, words.farther, "−") }
            { by(125, words.nearer, "+") }
            <button class="fit" onclick={fit.clone()}>{ words.fit }</button>
            <button class="icon taller" aria-label={words.larger_map} title={words.larger_map} aria-pressed={tall.to_string()}
                onclick={ontall.clone()}><span aria-hidden="true">{ "↕" }</span></button>
            if !props.state.following {
                <button class="follow" onclick={props.on(Event::PacketFollowed)}>
                    <span aria-hidden="true">{ "● " }</span>{ words.follow_packet }</button>
            }
        </div>
    }
}
