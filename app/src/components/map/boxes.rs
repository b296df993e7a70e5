use yew::prelude::*;

use crate::components::layer_class;
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::map::{Frame, PartBox, Point, Reach, Shape};

/// A machine that holds boxes.
pub fn frame(frame: &Frame) -> Html {
    let (rect, title, note) = (frame.rect, frame.title_at(), frame.note_at());
    let class = classes!("frame", frame.reached.then_some("been"));
    html! {
        <g {class}>
            <rect x={rect.x.to_string()} y={rect.y.to_string()}
                width={rect.w.to_string()} height={rect.h.to_string()} rx="12" />
            <text class="name" x={title.x.to_string()} y={title.y.to_string()}>
                { &frame.title }
                <tspan class="mono" dx="10">{ &frame.address }</tspan>
            </text>
            <text class="note" x={note.x.to_string()} y={note.y.to_string()} text-anchor="end">
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
    let class = classes!("box", layer_class(part.layer), part.classes());
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

fn text(part: &PartBox) -> Html {
    let anchor = if part.is_centered() {
        "middle"
    } else {
        "start"
    };
    let line = |class: &'static str, at: Point, text: &String| {
        html! { <text {class} x={at.x.to_string()} y={at.y.to_string()} text-anchor={anchor}>{ text }</text> }
    };
    html! {
        <>
            { line("title", part.title_at(), &part.title) }
            { for part.lines.iter().enumerate().map(|(at, text)| html! {
                <>{ " " }{ line(if at == 0 { "line first" } else { "line" }, part.line_at(at), text) }</>
            }) }
        </>
    }
}
