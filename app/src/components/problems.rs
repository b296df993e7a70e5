use northsouth::text::{Diagnostic, Severity};
use yew::prelude::*;

use super::prose::quoting;
use super::{Props, Same};
use crate::state::Event;
use crate::view_model::{editor, files};

const MOST: usize = 100;

/// What is to be said about all files, worst first, each a way to its place.
#[component]
pub fn Problems(props: &Props) -> Html {
    let state = &props.state;
    // Made once a run: it takes long for large files, and is as it was at each step.
    let said = use_memo((Same(state.run.clone()), state.settings.lang), |_| {
        problems(props)
    });
    (*said).clone()
}

fn problems(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let lang = state.settings.lang;
    let mut all: Vec<&Diagnostic> = state.run.diagnostics.iter().collect();
    all.sort_by_key(|d| (d.severity, d.span));
    if all.is_empty() {
        return html! {};
    }
    let errors = all.iter().filter(|d| d.severity == Severity::Error).count();
    let mut places = files::Places::default();
    html! {
        <details class="diagnostics" open={errors > 0}>
            <summary>{ words.problems(errors, all.len() - errors) }</summary>
            <ul>
                { for all.iter().take(MOST).map(|d| {
                    let file = state.run.files.get(d.span.file.index());
                    let place = file.map(|f| {
                        let at = places.find(f, d.span);
                        format!("{}:{}:{}", f.name, at.line, at.column)
                    });
                    html! {
                        <li class={editor::severity(d.severity)}>
                            <button class="link" onclick={props.on(Event::SpanChosen(d.span))}>
                                { place.unwrap_or_default() }
                            </button>
                            <span>{ quoting(&d.message.text(lang)) }</span>
                            if let Some(help) = &d.help {
                                <span class="help">{ quoting(&help.text(lang)) }</span>
                            }
                        </li>
                    }
                }) }
                if all.len() > MOST {
                    <li class="note">{ (words.control.more_remarks)(all.len() - MOST) }</li>
                }
            </ul>
        </details>
    }
}
