use yew::prelude::*;

use crate::components::layer_class;
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::map::{Frame, PartBox, Reach, Shape};

/// A machine that holds boxes.
pub fn frame(frame: &Frame) -> Html {
    let rect = frame.rect;
    let class = classes!("frame", frame.reached.then_some("been"));
    html! {
        <g {class}>
            <rect x={rect.x.to_string()} y={rect.y.to_string()}
                width={rect.w.to_string()} height={rect.h.to_string()} rx="12" />
            <text class="name" x={(rect.x + 20).to_string()} y={(rect.y + 23).to_string()}>
                { &frame.title }
                <tspan class="mono" dx="10">{ &frame.address }</tspan>
            </text>
            <text class="note" x={(rect.right() - 20).to_string()} y={(rect.y + 23).to_string()} text-anchor="end">
                { &frame.note }
            </text>
        </g>
    }
}

/// What a button of the browser's own does by keys, for one that is drawn.
pub fn pressed(send: &Callback<Event>, event: Event) -> Callback<KeyboardEvent> {
    let send = send.clone();
    Callback::from(move |key: KeyboardEvent| {
        if matches!(key.key().as_str(), "Enter" | " ") {
            key.prevent_default();
            send.emit(event.clone());
        }
    })
}

/// A box, which opens when it is chosen.
pub fn part(part: &PartBox, send: &Callback<Event>, words: &Words) -> Html {
    let open = match part.shape {
        Shape::More => Event::PodsOpened(part.place.host),
        _ => Event::PlaceOpened(part.place.clone()),
    };
    let onclick = send.reform({
        let open = open.clone();
        move |_: MouseEvent| open.clone()
    });
    let onkeydown = pressed(send, open);
    let class = classes!(
        "box",
        layer_class(part.layer),
        match part.shape {
            Shape::Machine => "machine",
            Shape::Part => "part",
            Shape::Port => "port",
            Shape::Pod => "pod",
            Shape::Node => "node",
            Shape::More => "more",
        },
        match part.reach {
            Reach::Ahead => "ahead",
            Reach::Been => "been",
            Reach::Here => "here",
        },
        part.open.then_some("open"),
    );
    // What can be seen comes first, so that who speaks to the page can name what they see.
    let seen: Vec<&str> = std::iter::once(&part.title)
        .chain(&part.lines)
        .map(String::as_str)
        .collect();
    let label = format!("{}, {}", seen.join(" "), part.context);
    let label = match part.reach {
        Reach::Here => words.packet_is_here(&label),
        _ => label,
    };
    let rect = part.rect;
    html! {
        <g {class} role="button" tabindex="0" aria-label={label} aria-expanded={part.open.to_string()} {onclick} {onkeydown}>
            <rect x={rect.x.to_string()} y={rect.y.to_string()}
                width={rect.w.to_string()} height={rect.h.to_string()} rx="8" />
            { text(part) }
        </g>
    }
}

/// Centered in machines and parts, on the left in what holds more text.
fn text(part: &PartBox) -> Html {
    let rect = part.rect;
    let centered = matches!(
        part.shape,
        Shape::Machine | Shape::Part | Shape::Port | Shape::More
    );
    let (x, anchor) = if centered {
        (rect.middle(), "middle")
    } else {
        (rect.x + 12, "start")
    };
    let spacing = 17;
    let lines = part.lines.len() as i32;
    let first = rect.center() + 4 - lines * spacing / 2;
    html! {
        <>
            <text class="title" x={x.to_string()} y={first.to_string()} text-anchor={anchor}>{ &part.title }</text>
            { for part.lines.iter().enumerate().map(|(at, line)| html! {
                <>{ " " }<text class={if at == 0 { "line first" } else { "line" }} x={x.to_string()}
                    y={(first + spacing * (at as i32 + 1)).to_string()} text-anchor={anchor}>{ line }</text></>
            }) }
        </>
    }
}
