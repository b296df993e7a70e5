use std::collections::BTreeMap;

use northsouth::insight::{Of, Operation, operations};
use yew::prelude::*;

use crate::browser::events;
use crate::components::{Props, Same};
use crate::state::{ClusterEvent, Event};

/// Things beyond these are found by their name only.
const MOST: usize = 60;
/// So few need no search.
const FEW: usize = 12;

/// Everything that something can happen to, with what.
#[component]
pub fn Life(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let lang = state.settings.lang;
    let wanted = use_state_eq(String::new);
    let all = use_memo(Same(state.run.clone()), |_| {
        operations(&state.workspace, &state.run)
    });
    let mut things: Vec<(Of, Vec<&Operation>)> = Vec::new();
    let mut places = BTreeMap::new();
    for operation in all.iter() {
        let of = operation.of();
        let place = *places.entry(of).or_insert(things.len());
        match things.get_mut(place) {
            Some((_, operations)) => operations.push(operation),
            None => things.push((of, vec![operation])),
        }
    }
    let searched = things.len() > FEW;
    things.retain(|(of, _)| name(*of).contains(wanted.trim()));
    let more = things.len().saturating_sub(MOST);
    let oninput = {
        let wanted = wanted.setter();
        move |event: InputEvent| wanted.set(events::value(&event))
    };
    html! {
        <>
            if searched {
                <label class="search"><span>{ words.find_thing }</span>
                    <input type="search" autocomplete="off" spellcheck="false" value={(*wanted).clone()} {oninput} /></label>
            }
            <ul class="life">
                { for things.iter().take(MOST).map(|(of, operations)| html! {
                    <li>
                        <span class="thing"><span class="kind">{ (words.kind)(*of) }</span>{ " " }{ name(*of) }</span>
                        <span class="acts">
                            { for operations.iter().map(|operation| html! {
                                <button title={operation.say().text(lang)}
                                    onclick={props.on(Event::Cluster(ClusterEvent::Happened((*operation).clone())))}>
                                    { (words.act)(operation) }<span class="visually-hidden">{ " " }{ name(*of) }</span>
                                </button>
                            }) }
                        </span>
                    </li>
                }) }
            </ul>
            if more > 0 {
                <p class="note">{ (words.more_things)(more) }</p>
            }
        </>
    }
}

fn name(of: Of<'_>) -> &str {
    match of {
        Of::Workload(name) | Of::Pod(name) | Of::Node(name) => name,
    }
}
