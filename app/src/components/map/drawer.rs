use northsouth::text::Span;
use yew::prelude::*;

use super::boxes::pressed;
use crate::components::{layer_class, outcome_sign};
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::drawer::{Line, Tag};
use crate::view_model::map::geometry::points;
use crate::view_model::map::{CardBox, DrawerBox, Point, Rect};

/// By how much the sign of a line makes room, where the line can be asked.
const ASK: i32 = 14;

/// From the open box to its drawer. Wires run over it.
pub fn funnel(drawer: &DrawerBox) -> Html {
    html! {
        <g class={classes!("drawer", layer_class(drawer.layer))}>
            <polygon class="funnel" points={points(&drawer.funnel)} />
        </g>
    }
}

/// The open place: what stands in it, and what the packet met there.
pub fn drawer(drawer: &DrawerBox, send: &Callback<Event>, words: &Words) -> Html {
    let (rect, title) = (drawer.rect, drawer.title_at());
    html! {
        <g class={classes!("drawer", layer_class(drawer.layer))} role="group" aria-label={drawer.title.clone()}>
            <rect class="ground" x={rect.x.to_string()} y={rect.y.to_string()}
                width={rect.w.to_string()} height={rect.h.to_string()} rx="6" />
            <text class="heading" x={title.x.to_string()} y={title.y.to_string()}>{ &drawer.title }</text>
            { for drawer.links.iter().map(|(link, walked)| html! {
                <polyline class={classes!("wire", walked.then_some("walked"))} points={points(link)} />
            }) }
            { for drawer.cards.iter().map(|card| self::card(card, drawer.tag.is_some(), send, words)) }
            if let Some((rect, tag)) = &drawer.tag {
                { self::tag(*rect, tag) }
            }
        </g>
    }
}

fn card(card: &CardBox, here: bool, send: &Callback<Event>, words: &Words) -> Html {
    let (rect, title) = (card.rect, card.title_at());
    let class = classes!(
        "card",
        card.card.current.then_some("current"),
        (!card.card.reached).then_some("ahead")
    );
    html! {
        <g {class}>
            <rect x={rect.x.to_string()} y={rect.y.to_string()}
                width={rect.w.to_string()} height={rect.h.to_string()} rx="8" />
            <text class="name" x={title.x.to_string()} y={title.y.to_string()}>{ &card.card.title }</text>
            { for card.card.lines.iter().enumerate().map(|(at, line)| {
                self::line(line, (card.line_at(at), card.sign_at(at)), here, send, words)
            }) }
        </g>
    }
}

fn line(
    line: &Line,
    (at, sign_at): (Point, Point),
    here: bool,
    send: &Callback<Event>,
    words: &Words,
) -> Html {
    let asked = line.span.filter(|_| line.can_be_asked(here));
    let sign_at = Point {
        x: sign_at.x - if asked.is_some() { ASK } else { 0 },
        ..sign_at
    };
    let class = classes!(
        "rule",
        CardBox::line_classes(line),
        line.span.map(|_| "written"),
    );
    // By pointer only: the same way leads from the explanation, where keys find it.
    let onclick = line
        .span
        .map(|span| send.reform(move |_: MouseEvent| Event::SpanChosen(span)));
    html! {
        <g {class} {onclick}>
            <text x={at.x.to_string()} y={at.y.to_string()}>{ &line.text }</text>
            if let Some(outcome) = line.outcome {
                <text class="sign" x={sign_at.x.to_string()} y={sign_at.y.to_string()} text-anchor="end"
                    role="img" aria-label={words.outcome(outcome)}>{ outcome_sign(outcome).0 }</text>
            }
            if let Some(span) = asked {
                { why_not(span, &line.text, sign_at.x + 4, sign_at.y, send, words) }
            }
        </g>
    }
}

/// Asks why the packet did not take a line.
fn why_not(span: Span, text: &str, x: i32, y: i32, send: &Callback<Event>, words: &Words) -> Html {
    let onclick = send.reform(move |event: MouseEvent| {
        // Beneath it is the way to the line itself.
        event.stop_propagation();
        Event::WhyNotAsked(Some(span))
    });
    let onkeydown = pressed(send, Event::WhyNotAsked(Some(span)));
    html! {
        <g class="ask" role="button" tabindex="0" aria-label={format!("{} {text}", words.why_not_here)} {onclick} {onkeydown}>
            <title>{ words.why_not_here }</title>
            // As large as a finger needs it, and as a line is high.
            <rect class="hit" x={(x - 4).to_string()} y={(y - 16).to_string()} width="24" height="24" />
            <rect class="shown" x={x.to_string()} y={(y - 12).to_string()} width="16" height="16" rx="4" />
            <text x={(x + 8).to_string()} y={y.to_string()} text-anchor="middle">{ "?" }</text>
        </g>
    }
}

/// The packet's tag: from where, to where.
fn tag(rect: Rect, tag: &Tag) -> Html {
    let line = |text: &str, y: i32, changed: bool| {
        html! {
            <text class={classes!(changed.then_some("changed"))} x={(rect.x + 12).to_string()} y={y.to_string()}>
                { text }
            </text>
        }
    };
    html! {
        <g class="tag">
            <rect x={rect.x.to_string()} y={rect.y.to_string()}
                width={rect.w.to_string()} height={rect.h.to_string()} rx="8" />
            { line(&tag.source, rect.y + 21, tag.source_changed) }
            { line(&format!("→ {}", tag.destination), rect.y + 39, tag.destination_changed) }
        </g>
    }
}
