use std::rc::Rc;

use northsouth::text::Edit;
use northsouth::trace::How;
use northsouth::workspace::run;
use yew::prelude::*;

use super::{Props, Same};
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::compare::{Row, TextDiff, compared};

/// The run of now beside one that was kept, else beside the scenario as it comes.
#[component]
pub fn Compare(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let kept = state.reference.as_ref();
    let pristine = state.pristine.clone();
    // Computed when somebody looks.
    let before = use_memo(
        (kept.cloned().map(Same), Same(pristine.clone())),
        |_| match kept {
            Some(kept) => kept.clone(),
            None => Rc::new(run(&pristine)),
        },
    );
    let now = (
        Same(Rc::clone(&before)),
        Same(state.run.clone()),
        state.settings.lang,
    );
    let found = use_memo(now, |_| compared(&before, state));
    html! {
        <div class="compare">
            <p class="about">{ match kept {
                Some(_) => words.compared_with_kept,
                None => words.compared_with_pristine,
            } }</p>
            <p class="buttons">
                <button onclick={props.on(Event::ReferenceKept)}>{ words.keep_reference }</button>
                if kept.is_some() {
                    <button class="quiet" onclick={props.on(Event::ReferenceDropped)}>{ words.drop_reference }</button>
                }
            </p>
            <h2>{ words.the_walks }</h2>
            if found.parted {
                <ol class="pairs">{ for found.rows.iter().map(|row| pair(props, row, words)) }</ol>
            } else {
                <p>{ words.walks_same }</p>
            }
            <h2>{ words.the_texts }</h2>
            if found.texts.is_empty() {
                <p>{ words.texts_same }</p>
            }
            { for found.texts.iter().map(|text| difference(text, words)) }
        </div>
    }
}

fn pair(props: &Props, row: &Row, words: &Words) -> Html {
    match row {
        Row::Same(count) => html! { <li class="same">{ words.steps_same(*count) }</li> },
        Row::Step {
            how,
            first,
            host,
            before,
            after,
            at,
        } => {
            let class = match how {
                How::Same => "same",
                How::Changed => "changed",
                How::Gone => "gone",
                How::New => "new",
            };
            let chosen = at.map(|at| props.on(Event::StepChosen(at)));
            html! {
                <li {class} aria-current={first.then_some("true")}>
                    if *first {
                        <p class="parting">{ words.parting_here }</p>
                    }
                    <p class="host">{ host }</p>
                    if let Some(before) = before {
                        <p class="before"><span class="sign" role="img" aria-label={words.was}>{ "−" }</span>{ before }</p>
                    }
                    if let Some(after) = after {
                        <p class="after"><span class="sign" role="img" aria-label={words.is_now}>{ "+" }</span>
                            <button class="link" onclick={chosen}>{ after }</button></p>
                    }
                </li>
            }
        }
    }
}

fn difference(text: &TextDiff, words: &Words) -> Html {
    html! {
        <details class="diff" open=true>
            <summary class="mono">{ &text.name }</summary>
            <div class="lines mono" tabindex="0" role="group" aria-label={text.name.clone()}>
                { for text.lines.iter().map(|(edit, line)| {
                    let (class, sign, label) = match edit {
                        Edit::Same => ("same", " ", ""),
                        Edit::Gone => ("gone", "−", words.was),
                        Edit::New => ("new", "+", words.is_now),
                    };
                    html! {
                        <p {class}>
                            if label.is_empty() {
                                <span class="sign">{ sign }</span>
                            } else {
                                <span class="sign" role="img" aria-label={label}>{ sign }</span>
                            }
                            { line }
                        </p>
                    }
                }) }
                if text.cut { <p class="same">{ "…" }</p> }
            </div>
        </details>
    }
}
