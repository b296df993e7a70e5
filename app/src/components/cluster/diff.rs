use northsouth::text::{Edit, diff, hunks};
use yew::prelude::*;

use crate::i18n::ControlWords;

/// Lines of context around a change, and lines that are shown at most.
const CONTEXT: usize = 1;
const MOST: usize = 400;

/// The lines that went and those that came, with their neighbours.
pub fn diff_view(before: &str, after: &str, words: &ControlWords) -> Html {
    let lines = diff(before, after);
    let hunks = hunks(&lines, CONTEXT);
    let mut rows = Vec::new();
    for (number, hunk) in hunks.into_iter().enumerate() {
        if number > 0 {
            rows.push(html! { <li class="gap" aria-hidden="true">{ "⋯" }</li> });
        }
        for line in lines.get(hunk).unwrap_or_default() {
            let (class, sign, said) = match line.edit {
                Edit::Same => ("", "  ", None),
                Edit::Gone => ("gone", "− ", Some(words.gone)),
                Edit::New => ("new", "+ ", Some(words.come)),
            };
            rows.push(html! {
                <li {class}><span role={said.map(|_| "img")} aria-label={said}>{ sign }</span>{ line.text }</li>
            });
        }
    }
    let more = rows.len().saturating_sub(MOST);
    rows.truncate(MOST);
    html! {
        <ol class="diff" tabindex="0" aria-label={words.changed}>
            { for rows }
            if more > 0 {
                <li class="gap">{ (words.more_lines)(more) }</li>
            }
        </ol>
    }
}
