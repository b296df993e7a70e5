//! The map as SVG. What is where is `view_model::map`'s.

mod boxes;
mod drawer;
mod zoom;

use yew::prelude::*;

use super::Props;
use crate::browser::gestures::{self, Gesture};
use crate::browser::{page, style};
use crate::hooks::{use_size, use_turns};
use crate::state::{Event, Level, Zoom};
use crate::view_model::map::geometry::points;
use crate::view_model::map::{Map, NARROWEST};

use boxes::{frame, part};
use drawer::{drawer, funnel};
use zoom::zoom_bar;

/// The whole way fits into a pane at one of these, in percent.
const FITTING: [u32; 8] = [100, 85, 70, 60, 50, 40, 32, 25];

#[component]
pub fn MapView(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let node = use_node_ref();
    let (width, height) = use_size(&node, (690, 0));
    // When the pane's size is known.
    let drawn = use_turns(1) == 1;
    let zoom = state.zoom.within(width * 100 / NARROWEST as u32);
    let map = drawn.then(|| Map::seen(state, zoom, width));
    let map = map.unwrap_or_default();
    let packet = use_node_ref();
    {
        let packet = packet.clone();
        use_effect_with(map.packet, move |at| {
            if let Some(at) = at {
                style::move_to(&packet, at.x, at.y);
            }
        });
    }
    use_gestures(&node, props);
    // On a small screen it takes more of it when asked to.
    let tall = use_state_eq(|| false);
    let ontall = {
        let (tall, now) = (tall.setter(), *tall);
        Callback::from(move |_: MouseEvent| tall.set(!now))
    };
    {
        // Another width is another map.
        let seen = (state.cursor, state.zoom.level, width, state.opened.clone());
        use_effect_with(
            (state.following, seen, drawn),
            move |(following, (.., opened), _)| {
                if *following || opened.is_some() {
                    // The nearest matters most, so it comes last.
                    page::reveal(".map .box.here", false);
                    page::reveal(".map .drawer[role=group]", false);
                    page::reveal(".map .tag", false);
                    page::reveal(".map .card.current", false);
                }
            },
        );
    }
    let fit = {
        let props = props.clone();
        Callback::from(move |_: MouseEvent| {
            let fits = |scale: &u32| {
                let zoom = Zoom {
                    level: Level::Way,
                    scale: *scale,
                };
                let tall = Map::seen(&props.state, zoom, width).height as u32;
                tall * scale / 100 <= height
            };
            let scale = FITTING.into_iter().find(fits).unwrap_or(FITTING[7]);
            props.send.emit(Event::Zoomed(Zoom {
                level: Level::Way,
                scale,
            }));
        })
    };
    let scaled = |length: i32| (length * zoom.scale as i32 / 100).to_string();
    html! {
        <section class={classes!("map", tall.then_some("tall"))} aria-label={words.map}>
            <div class="map-scroll" ref={node} tabindex="0" role="group" aria-label={words.map}>
                <svg class="drawing" width={scaled(map.width)} height={scaled(map.height)}
                    viewBox={format!("0 0 {} {}", map.width, map.height)}>
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
                    { for map.notes.iter().map(|(at, note)| html! {
                        <text class="note" x={at.x.to_string()} y={at.y.to_string()}>{ note }</text>
                    }) }
                    if let Some(open) = &map.drawer {
                        { drawer(open, &props.send, words) }
                    }
                    { for map.boxes.iter().map(|b| part(b, &props.send, words)) }
                    if map.packet.is_some() {
                        <circle ref={packet} class="packet" r="7" />
                    }
                </svg>
            </div>
            { zoom_bar(props, &fit, (*tall, &ontall)) }
        </section>
    }
}

#[hook]
fn use_gestures(node: &NodeRef, props: &Props) {
    // Listened to once, as a gesture goes on while what it does is drawn.
    let latest = use_mut_ref(|| props.clone());
    let before = std::mem::replace(&mut *latest.borrow_mut(), props.clone());
    let before = before.state.zoom;
    // The point that a zoom by hand is to leave where it is.
    let held = use_mut_ref(|| None::<(i32, i32)>);
    {
        let (node, held) = (node.clone(), held.clone());
        use_effect_with(props.state.zoom, move |zoom| {
            let at = held.borrow_mut().take();
            if let Some(at) = at.filter(|_| before.level == zoom.level) {
                gestures::hold(&node, at, zoom.scale * 100 / before.scale.max(1));
            }
        });
    }
    let node = node.clone();
    use_effect_with((), move |()| {
        let listeners = gestures::watch(&node, move |gesture| {
            let Props { state, send } = latest.borrow().clone();
            match gesture {
                Gesture::Moved if state.following => send.emit(Event::LookedAround),
                Gesture::Moved => {}
                Gesture::Zoomed { percent, at } => {
                    *held.borrow_mut() = Some(at);
                    send.emit(Event::ZoomedBy(percent));
                }
            }
        });
        move || drop(listeners)
    });
}
