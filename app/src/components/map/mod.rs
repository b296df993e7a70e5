//! The map as SVG. What is where is `view_model::map`'s.

mod boxes;
mod drawer;

use yew::prelude::*;

use super::Props;
use crate::browser::style;
use crate::hooks::use_size;
use crate::state::Event;
use crate::view_model::explain;
use crate::view_model::map::geometry::points;
use crate::view_model::map::{Map, Sight};

use boxes::{frame, part};
use drawer::{drawer, funnel};

#[component]
pub fn MapView(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let node = use_node_ref();
    let (width, _) = use_size(&node, (690, 0));
    let open = explain::open_place(state);
    let contents = explain::drawer(state, &open, words);
    let sight = Sight {
        world: &state.run.world,
        walk: &state.walk,
        cursor: state.cursor,
        open: &open,
        drawer: &contents,
        words,
    };
    let map = Map::of(&sight, width as i32);
    let packet = use_node_ref();
    {
        let packet = packet.clone();
        use_effect_with(map.packet, move |at| {
            if let Some(at) = at {
                style::move_to(&packet, at.x, at.y);
            }
        });
    }
    let back = state.opened.is_some();
    html! {
        <section class="map" aria-label={words.map}>
            <div class="map-scroll" ref={node} tabindex="0" role="group" aria-label={words.map}>
                <svg width={map.width.to_string()} height={map.height.to_string()}>
                    { for map.frames.iter().map(frame) }
                    if let Some(open) = &map.drawer {
                        { funnel(open) }
                    }
                    { for map.wires.iter().filter(|w| !w.walked).map(|w| html! {
                        <polyline class="wire" points={points(&map.path(w))} />
                    }) }
                    { for map.wires.iter().filter(|w| w.walked).map(|w| html! {
                        <polyline class="wire walked" points={points(&map.path(w))} />
                    }) }
                    if let Some(open) = &map.drawer {
                        { drawer(open, words) }
                    }
                    { for map.boxes.iter().map(|b| part(b, &props.send, words)) }
                    if map.packet.is_some() {
                        <circle ref={packet} class="packet" r="7" />
                    }
                </svg>
            </div>
            if back {
                <button class="back" onclick={props.on(Event::PlaceClosed)}>{ words.back_to_packet }</button>
            }
        </section>
    }
}
