use northsouth::exercise::Question;
use yew::prelude::*;

use crate::browser::events;
use crate::i18n::course::CourseWords;

#[derive(Clone, PartialEq, Properties)]
pub struct QuestionProps {
    pub name: String,
    pub ask: String,
    pub choices: Vec<String>,
    /// What was answered last.
    pub given: Option<String>,
    pub check: &'static str,
    pub your_answer: &'static str,
    pub onanswer: Callback<String>,
}

impl QuestionProps {
    pub fn of(
        question: &Question,
        given: Option<&str>,
        words: &CourseWords,
        onanswer: Callback<String>,
    ) -> Self {
        Self {
            name: question.name.clone(),
            ask: question.ask.clone(),
            choices: question.choices.clone(),
            given: given.map(str::to_string),
            check: words.check,
            your_answer: words.your_answer,
            onanswer,
        }
    }
}

/// A question with what it takes to answer it: choices, or a field.
#[component]
pub fn QuestionView(props: &QuestionProps) -> Html {
    let typed = use_state_eq(|| props.given.clone().unwrap_or_default());
    let onsubmit = {
        let (typed, answer) = (typed.clone(), props.onanswer.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if !typed.trim().is_empty() {
                answer.emit((*typed).clone());
            }
        })
    };
    let set = typed.setter();
    let oninput = Callback::from(move |event: InputEvent| set.set(events::value(&event)));
    html! {
        <form class="question" {onsubmit}>
            if props.choices.is_empty() {
                <label><span>{ super::prose::inline(&props.ask) }</span>
                    <span class="row">
                        <input autocomplete="off" spellcheck="false" aria-label={props.your_answer}
                            value={(*typed).clone()} {oninput} />
                        <button>{ props.check }</button>
                    </span>
                </label>
            } else {
                <fieldset>
                    <legend>{ super::prose::inline(&props.ask) }</legend>
                    { for props.choices.iter().map(|choice| {
                        let (answer, text) = (props.onanswer.clone(), choice.clone());
                        html! {
                            <label class="choice">
                                <input type="radio" name={props.name.clone()} value={choice.clone()}
                                    checked={props.given.as_ref() == Some(choice)}
                                    onchange={Callback::from(move |_: Event| answer.emit(text.clone()))} />
                                <code>{ choice }</code>
                            </label>
                        }
                    }) }
                </fieldset>
            }
        </form>
    }
}
