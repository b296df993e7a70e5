use yew::prelude::*;

use super::Props;
use crate::state::{Event, Guess};
use crate::view_model::predict::{Question, question};

/// The step that comes next as a question; once it is answered, whether that was right, and why.
pub fn predict(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let Some(guess) = state.guess else {
        return html! {};
    };
    let Some(asked) = question(state, guess.step, words) else {
        return html! {};
    };
    html! {
        <section class="predict" aria-label={words.predict}>
            <p class="asks" id="asks">{ &asked.asks }</p>
            <ul aria-labelledby="asks">
                { for asked.choices.iter().enumerate().map(|(at, choice)| {
                    let chosen = guess.chosen == Some(at);
                    let shown = guess.chosen.is_some();
                    let class = classes!(
                        (shown && choice.right).then_some("held"),
                        (shown && chosen && !choice.right).then_some("failed"),
                    );
                    html! {
                        <li {class}>
                            <button class="mono" aria-pressed={chosen.to_string()} disabled={shown}
                                onclick={props.on(Event::Guessed(at))}>{ &choice.text }</button>
                            if shown && (chosen || choice.right) {
                                <p><span aria-hidden="true">{ if choice.right { "✓ " } else { "✕ " } }</span>
                                    { &choice.because }</p>
                            }
                        </li>
                    }
                }) }
            </ul>
            <p class="verdict" role="status">{ verdict(&asked, guess, props) }</p>
            if guess.chosen.is_none() {
                <button class="link" onclick={props.on(Event::SteppedForward)}>{ words.show_it }</button>
            }
        </section>
    }
}

fn verdict(asked: &Question, guess: Guess, props: &Props) -> &'static str {
    let words = props.words();
    let chosen = guess.chosen.and_then(|at| asked.choices.get(at));
    match chosen {
        Some(choice) if choice.right => words.guessed_right,
        Some(_) => words.guessed_wrong,
        None => "",
    }
}
