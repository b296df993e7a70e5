use std::collections::BTreeMap;

use northsouth::insight::Origin;
use yew::prelude::*;

use super::link;
use crate::components::Props;
use crate::state::{ClusterEvent, Event};
use crate::view_model::cluster::{Kin, line_spans};
use crate::view_model::explain;

/// Lines that are listed of one file.
const MOST: usize = 30;
/// Files whose lines are listed.
const FILES: usize = 12;

/// What belongs to the cursor's place: lines of generated files that a field made, and steps that used them; or the fields
/// that made a line. In another file: what made the lines that are lit there.
#[component]
pub fn MadePanel(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let Some(kin) = &state.kin else {
        return html! {};
    };
    if kin.place.file.index() != state.file {
        let lit = kin.stretches(&state.run, state.file).len();
        let field = kin.field.as_ref().filter(|_| lit > 0);
        return match field {
            Some(field) => html! {
                <p class="made">{ (words.lit_by)(lit) }{ " " }{ link(&name(field), field.span, props) }</p>
            },
            None => html! {},
        };
    }
    if !kin.origins.is_empty() {
        return html! {
            <details class="made" open=true>
                <summary>{ words.comes_from }</summary>
                <ul class="origins">
                    { for kin.origins.iter().take(MOST).map(|origin| html! { <li>{ link(&name(origin), origin.span, props) }</li> }) }
                    if kin.origins.len() > MOST {
                        <li class="note">{ (words.more_fields)(kin.origins.len() - MOST) }</li>
                    }
                </ul>
            </details>
        };
    }
    made(kin, props)
}

/// `Service web spec.type`
fn name(origin: &Origin) -> String {
    let parts = [origin.object.as_str(), origin.path.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    parts.join(" ")
}

fn made(kin: &Kin, props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let mut files: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (file, line) in &kin.made.lines {
        files.entry(*file).or_default().push(*line);
    }
    let moments = state.walk.moments.iter().enumerate();
    let used = moments.filter(|(_, m)| {
        let at = m.position;
        let at = (at.journey, at.hop, at.step);
        // They are in the trace's order.
        kin.made.steps.binary_search(&at).is_ok()
    });
    let steps: Vec<usize> = used.map(|(at, _)| at).collect();
    let field = kin.field.as_ref().map(name).unwrap_or_default();
    html! {
        <details class="made" open=true>
            <summary>{ (words.field_made)(&field, kin.made.lines.len(), files.len(), steps.len()) }</summary>
            if !steps.is_empty() {
                <ul class="steps-used">
                    { for steps.iter().take(MOST).map(|at| html! {
                        <li><button class="link" onclick={props.on(Event::StepChosen(*at))}>
                            { (words.step)(at + 1) }{ " " }{ explain::title(state, *at) }
                        </button></li>
                    }) }
                    if steps.len() > MOST {
                        <li class="note">{ (words.more_steps)(steps.len() - MOST) }</li>
                    }
                </ul>
            }
            { for files.iter().take(FILES).map(|(file, lines)| html! {
                <>
                    <p class="file mono">{ state.run.files.get(*file).map(|f| f.name.to_string()) }</p>
                    <ol class="listing">
                        { for line_spans(&state.run, *file, lines.get(..MOST).unwrap_or(lines)).into_iter().map(|(line, span, text)| html! {
                            <li>
                                <span class="counted">{ line + 1 }</span>
                                <button class="source" onclick={props.on(Event::SpanChosen(span))}>{ text }</button>
                            </li>
                        }) }
                        if lines.len() > MOST {
                            <li class="note"><span />{ (words.more_lines)(lines.len() - MOST) }</li>
                        }
                    </ol>
                </>
            }) }
            if files.len() > FILES {
                <p class="note">{ (words.more_files)(files.len() - FILES) }</p>
            }
            if kin.made.unseen > 0 {
                <p class="note">
                    { (words.unseen_files)(kin.made.unseen) }{ " " }
                    <button class="link" onclick={props.on(Event::Cluster(ClusterEvent::LookedEverywhere))}>{ words.look_everywhere }</button>
                </p>
            }
        </details>
    }
}
