use northsouth::exercise::Head;
use northsouth::lesson::{Asked, Part};
use yew::prelude::*;

use super::Props;
use super::prose::{block, prose};
use super::question::{QuestionProps, QuestionView};
use crate::browser::{channel, page};
use crate::i18n::course::course;
use crate::state::course::{TOUR, text};
use crate::state::{Dialog, Event};

/// A stop of the lesson at hand, or of the guided tour. The page shows the step that it tells of.
///
/// `elsewhere`: within another page, the address of ours, where exercises open.
pub fn tour_card(props: &Props, elsewhere: Option<&str>) -> Html {
    let state = &props.state;
    let words = props.words();
    let told = course(state.settings.lang);
    let (Some(at), Some(reading)) = (state.tour, &state.reading) else {
        return html! {};
    };
    let Some(stop) = reading.lesson.stops.get(at) else {
        return html! {};
    };
    let count = reading.lesson.stops.len();
    let tour = reading.name == TOUR;
    let label = if tour {
        words.tour.to_string()
    } else {
        reading.lesson.title.clone()
    };
    let shown = if tour {
        words.tour_of(at + 1, count)
    } else {
        format!("{label} {}", (told.lesson_of)(at + 1, count))
    };
    let onend = props.on(Event::TourClosed);
    // What had the focus is gone with the card.
    let onend = Callback::from(move |event: MouseEvent| {
        onend.emit(event);
        page::focus_by_id("tour-button");
    });
    let (end, last) = if tour {
        (words.end_tour, words.end_tour)
    } else {
        (words.close, told.finish)
    };
    html! {
        <section class="tour" aria-label={label}>
            <p class="count">{ shown }
                if elsewhere.is_none() {
                    if !tour { { presenter(props) } }
                    <button class="icon" aria-label={end} title={end}
                        onclick={onend.clone()}><span aria-hidden="true">{ "✕" }</span></button>
                }
            </p>
            <div aria-live="polite">
                <h2>{ &stop.title }</h2>
                if at == 0 && !tour {
                    { prose(&reading.lesson.about) }
                }
                { for stop.parts.iter().map(|part| match part {
                    Part::Text(text) => block(text),
                    Part::Ask(asked) => question(props, asked),
                }) }
                if state.is_lost(at) {
                    <p class="lost">{ words.tour_lost }</p>
                }
                if at + 1 == count && !tour {
                    { tries(props, elsewhere) }
                }
            </div>
            <p class="turn">
                <button disabled={at == 0} onclick={props.on(Event::TourOpened(at.saturating_sub(1)))}>
                    { words.previous }</button>
                <button onclick={props.on(Event::TourOpened(at))}>{ words.show_again }</button>
                if at + 1 < count {
                    <button id="tour-next" class="primary" onclick={props.on(Event::TourOpened(at + 1))}>{ words.next }</button>
                } else if elsewhere.is_none() {
                    <button class="primary" onclick={onend}>{ last }</button>
                }
            </p>
        </section>
    }
}

fn question(props: &Props, asked: &Asked) -> Html {
    let told = course(props.state.settings.lang);
    let reading = props.state.reading.as_ref();
    let given = reading.and_then(|r| r.given(asked));
    let name = asked.question.name.clone();
    let onanswer = props.send.reform(move |text| Event::Answered {
        name: name.clone(),
        text,
    });
    let verdict = given.map(|given| props.state.is_right(asked, given));
    let question = QuestionProps::of(&asked.question, given, told, onanswer);
    html! {
        <div class="asked">
            <QuestionView key={asked.question.name.clone()} ..question />
            if let Some((right, answers)) = verdict {
                <p class={classes!("verdict", if right { "held" } else { "failed" })}
                    data-verdict={asked.question.name.clone()}>
                    <span aria-hidden="true">{ if right { "✓ " } else { "✕ " } }</span>
                    if right { { told.right } } else { { (told.wrong)(&answers.join(", ")) } }
                    if let Some(why) = &asked.why { { " " }{ super::prose::inline(why) } }
                </p>
            }
        </div>
    }
}

/// What the one who shows a lesson to a room needs.
fn presenter(props: &Props) -> Html {
    let told = course(props.state.settings.lang);
    let on = props.state.presenting;
    let notes = Callback::from(|_: MouseEvent| channel::window("notes"));
    html! {
        <span class="presenter">
            if on {
                <button onclick={notes}>{ told.notes }</button>
                <button onclick={props.on(Event::DialogOpened(Dialog::Qr))}>{ told.qr }</button>
            }
            <button aria-pressed={on.to_string()} onclick={props.on(Event::Presented(!on))}>{ told.present }</button>
        </span>
    }
}

/// The exercises that a lesson ends with.
fn tries(props: &Props, elsewhere: Option<&str>) -> Html {
    let Some(reading) = props
        .state
        .reading
        .as_ref()
        .filter(|r| !r.lesson.exercises.is_empty())
    else {
        return html! {};
    };
    let told = course(props.state.settings.lang);
    html! {
        <><p>{ told.try_exercises }</p>
            <ul class="prose">{ for reading.lesson.exercises.iter().map(|name| {
                let file = format!("{name}.md");
                let head = text("exercises", &file, props.state.settings.lang).and_then(Head::read);
                let title = head.map_or_else(|| name.clone(), |h| h.title);
                let page = elsewhere.unwrap_or_default();
                html! { <li><a href={format!("{page}#/exercise={name}")} target={elsewhere.map(|_| "_blank")}
                    rel={elsewhere.map(|_| "noopener")}>{ title }</a></li> }
            }) }</ul></>
    }
}
