use std::collections::BTreeMap;

use northsouth::insight::made_by;
use yew::prelude::*;

use crate::components::Props;
use crate::state::Event;
use crate::view_model::cluster::line_span;
use crate::view_model::explain;

/// Lines that are listed of one file.
const MOST: usize = 30;

/// What the field at the cursor made: lines of generated files, and steps that used them.
#[component]
pub fn MadePanel(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let Some(field) = state.field.filter(|f| usize::from(f.file.0) == state.file) else {
        return html! {};
    };
    let made = made_by(&state.run, field);
    if made.lines.is_empty() {
        return html! {};
    }
    let mut files: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (file, line) in &made.lines {
        files.entry(*file).or_default().push(*line);
    }
    let moments = state.walk.moments.iter().enumerate();
    let used = moments.filter(|(_, m)| {
        let at = m.position;
        made.steps.contains(&(at.journey, at.hop, at.step))
    });
    let steps: Vec<usize> = used.map(|(at, _)| at).collect();
    html! {
        <details class="made" open=true>
            <summary>{ (words.field_made)(made.lines.len(), files.len(), steps.len()) }</summary>
            if !steps.is_empty() {
                <ul class="steps-used">
                    { for steps.iter().take(MOST).map(|at| html! {
                        <li><button class="link" onclick={props.on(Event::StepChosen(*at))}>
                            { (words.step)(at + 1) }{ " " }{ explain::title(state, *at) }
                        </button></li>
                    }) }
                </ul>
            }
            { for files.iter().map(|(file, lines)| html! {
                <>
                    <h4>{ state.run.files.get(*file).map(|f| f.name.to_string()) }</h4>
                    <ol class="listing">
                        { for lines.iter().take(MOST).filter_map(|line| {
                            let (span, text) = line_span(&state.run, *file, *line)?;
                            Some(html! {
                                <li>
                                    <span class="counted">{ line + 1 }</span>
                                    <button class="source" onclick={props.on(Event::SpanChosen(span))}>{ text }</button>
                                </li>
                            })
                        }) }
                        if lines.len() > MOST {
                            <li class="note"><span />{ (words.more_lines)(lines.len() - MOST) }</li>
                        }
                    </ol>
                </>
            }) }
        </details>
    }
}
