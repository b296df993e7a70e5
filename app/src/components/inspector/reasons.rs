use northsouth::text::{Outcome, Span};
use yew::prelude::*;

use crate::components::outcome_sign;
use crate::components::prose::quoting;
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::explain::ReasonRow;

/// More than these are behind a fold.
const SHOWN: usize = 6;

pub fn reasons(rows: &[ReasonRow], send: &Callback<Event>, words: &Words) -> Html {
    if rows.is_empty() {
        return html! {};
    }
    let (shown, rest) = rows.split_at(rows.len().min(SHOWN));
    html! {
        <>
            <ul class="reasons">{ for shown.iter().map(|row| top(row, send, words)) }</ul>
            if !rest.is_empty() {
                <details>
                    <summary>{ words.more(rest.len()) }</summary>
                    <ul class="reasons">
                        { for rest.iter().take(200).map(|row| top(row, send, words)) }
                    </ul>
                </details>
            }
        </>
    }
}

/// A way to ask why a line was passed over, and what it would take.
fn ask(row: &ReasonRow, send: &Callback<Event>, words: &Words) -> Html {
    let Some(span) = row.span.filter(|_| row.outcome == Outcome::Failed) else {
        return html! {};
    };
    let onclick = send.reform(move |_: MouseEvent| Event::WhyNotAsked(Some(span)));
    html! { <button class="link ask" {onclick}>{ words.why_not_here }</button> }
}

fn top(row: &ReasonRow, send: &Callback<Event>, words: &Words) -> Html {
    reason(row, ask(row, send, words), send, words)
}

fn reason(row: &ReasonRow, more: Html, send: &Callback<Event>, words: &Words) -> Html {
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
                { quoting(&row.said) }
            </span>
            { " " }{ more }
            if !row.children.is_empty() {
                <ul class="reasons">{ for row.children.iter().map(|child| reason(child, html! {}, send, words)) }</ul>
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
