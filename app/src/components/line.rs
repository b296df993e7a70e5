use yew::prelude::*;

use super::{Props, layer_class};
use crate::browser::events;
use crate::hooks::{use_size, use_turns};
use crate::state::Event;
use crate::view_model::explain;
use crate::view_model::timeline::{Anchor, Label, Timeline, packets};

/// Below and above the line of time, in pixels from the top.
const AXIS: i32 = 30;
const HEIGHT: i32 = 58;

/// A journey's time as a line: a slider over dots, with words above and below.
#[component]
pub fn TimeLine(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let node = use_node_ref();
    let (width, _) = use_size(&node, (1100, 0));
    let drawn = use_turns(3) == 3;
    let names = explain::group_names(&state.run, &state.walk, words);
    let timeline = Timeline::of(&state.walk, state.cursor, &names, width as i32, words);
    let now = timeline.place(state.cursor);
    let percent = |at: i32| format!("{}.{}%", at / 10, at % 10);
    let oninput = props
        .send
        .reform(|event: InputEvent| Event::StepChosen(events::value(&event).parse().unwrap_or(0)));
    let onkeydown = past_the_end(props, &timeline);
    let title = explain::title(state, state.cursor);
    let word = |label: &Label, y: i32, class: &'static str| {
        html! {
            <text class={classes!(class, layer_class(label.layer))} x={percent(label.at)} y={y.to_string()}
                text-anchor={anchor(label.anchor)} onclick={props.on(Event::StepChosen(label.step))}>
                { &label.text }
            </text>
        }
    };
    let stops = state.stops();
    let shown = |label: &&Label| state.is_told(label.step);
    let dense = timeline.dots.len() as u32 * 14 > width;
    html! {
        <div class="line" ref={node}>
            if drawn {
            <svg class="dots" aria-hidden="true" width="100%" height={HEIGHT.to_string()}>
                <line class="ahead" x1="0" x2="100%" y1={AXIS.to_string()} y2={AXIS.to_string()} />
                <line class="been" x1="0" x2={percent(now)} y1={AXIS.to_string()} y2={AXIS.to_string()} />
                { for timeline.dots.iter().enumerate().map(|(at, dot)| {
                    let at = timeline.first + at;
                    let r = match (at == state.cursor, dot.minor, dense) {
                        (true, ..) => "8",
                        (_, true, _) => "2.5",
                        (_, false, true) => "3.5",
                        (_, false, false) => "5",
                    };
                    let class = classes!(
                        "dot",
                        layer_class(dot.layer),
                        (at < state.cursor).then_some("passed"),
                        (at == state.cursor).then_some("now"),
                        (dot.changed && state.is_told(at)).then_some("changed"),
                    );
                    html! { <circle {class} cx={percent(dot.at)} cy={AXIS.to_string()} {r} /> }
                }) }
                { for stops.iter().filter(|at| (timeline.first..timeline.end).contains(*at)).map(|at| html! {
                    <rect class="stop" x={percent(timeline.place(*at))} y={(AXIS - 14).to_string()} width="7" height="7"
                        transform="translate(-3.5 0)" />
                }) }
                { for timeline.groups.iter().filter(shown).map(|label| word(label, 12, "group")) }
                { for timeline.changes.iter().filter(shown).map(|label| word(label, 54, "change")) }
            </svg>
            }
            <input type="range" step="1" min={timeline.first.to_string()}
                max={timeline.end.saturating_sub(1).max(timeline.first).to_string()}
                value={state.cursor.to_string()} aria-label={words.timeline}
                aria-valuetext={format!("{} · {title}", words.step_of(state.cursor + 1, state.walk.len()))}
                {oninput} {onkeydown} disabled={state.walk.len() < 2} />
        </div>
    }
}

/// The slider is of one journey; its keys go on to the next one and back to the one before.
fn past_the_end(props: &Props, timeline: &Timeline) -> Callback<KeyboardEvent> {
    let send = props.send.clone();
    let cursor = props.state.cursor;
    let (first, last) = (timeline.first, timeline.end.saturating_sub(1));
    Callback::from(move |event: KeyboardEvent| {
        let told = match event.key().as_str() {
            "ArrowRight" | "ArrowUp" if cursor == last => Event::SteppedForward,
            "ArrowLeft" | "ArrowDown" if cursor == first => Event::SteppedBack,
            _ => return,
        };
        event.prevent_default();
        send.emit(told);
    })
}

/// The packets of the conversation, each a way to its journey.
pub fn packets_nav(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let packets = packets(&state.walk, &state.run, words);
    let here = state
        .walk
        .moments
        .get(state.cursor)
        .map(|m| m.position.journey);
    html! {
        <nav class={classes!("packets", (packets.len() > 6).then_some("many"))} aria-label={words.packets}>
            { for packets.iter().filter(|packet| state.is_told(packet.first)).map(|packet| html! {
                <>
                if let Some(between) = &packet.between {
                    <span class="between">{ between }</span>
                }
                <button aria-label={packet.label.clone()} title={packet.label.clone()}
                    aria-current={(Some(packet.journey) == here).then_some("true")}
                    onclick={props.on(Event::StepChosen(packet.first))}>{ &packet.text }</button>
                </>
            }) }
        </nav>
    }
}

fn anchor(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    }
}
