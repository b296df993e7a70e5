use northsouth::text::Span;
use yew::prelude::*;

use crate::components::outcome_sign;
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::explain::ReasonRow;

/// More than these are behind a fold.
const SHOWN: usize = 6;

pub fn reasons(rows: &[ReasonRow], send: &Callback<Event>, words: &Words) -> Html {
    let (shown, rest) = rows.split_at(rows.len().min(SHOWN));
    html! {
        <>
            <ul class="reasons">{ for shown.iter().map(|row| reason(row, send, words)) }</ul>
            if !rest.is_empty() {
                <details>
                    <summary>{ words.more(rest.len()) }</summary>
                    <ul class="reasons">
                        { for rest.iter().take(200).map(|row| reason(row, send, words)) }
                    </ul>
                </details>
            }
        </>
    }
}

fn reason(row: &ReasonRow, send: &Callback<Event>, words: &Words) -> Html {
    let (sign, class) = outcome_sign(row.outcome);
    html! {
        <li {class}>
            if !row.text.is_empty() {
                { source(&row.text, row.span, send) }
                { " " }
            }
            <span class="said">
                <span role="img" aria-label={words.outcome(row.outcome)}>{ sign }</span>
                { " " }
                if !row.asked.is_empty() {
                    <code>{ &row.asked }</code>{ ": " }
                }
                { &row.said }
            </span>
            if !row.children.is_empty() {
                <ul class="reasons">{ for row.children.iter().map(|child| reason(child, send, words)) }</ul>
            }
        </li>
    }
}

/// A piece of a file, which leads to its place there.
fn source(text: &str, span: Option<Span>, send: &Callback<Event>) -> Html {
    match span {
        None => html! { <code>{ text }</code> },
        Some(span) => {
            let onclick = send.reform(move |_: MouseEvent| Event::SpanChosen(span));
            html! { <button class="source" {onclick}><code>{ text }</code></button> }
        }
    }
}
