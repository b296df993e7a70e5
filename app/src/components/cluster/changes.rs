use std::sync::Arc;

use northsouth::insight::{changes, ending, way};
use northsouth::text::{Lang, Text};
use northsouth::topology::World;
use northsouth::trace::Trace;
use yew::prelude::*;

use super::diff::diff_view;
use crate::browser::{events, page};
use crate::components::{Props, Same};
use crate::i18n::Words;
use crate::state::{ClusterEvent, Event};

/// What the last thing that happened changed: the walk, the connection that was there, the texts.
#[component]
pub fn Changed(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let lang = state.settings.lang;
    let now = Same(state.run.clone());
    let found = use_memo(now.clone(), |_| {
        let (_, before) = state.happened.as_ref()?;
        Some(changes(before, &state.run))
    });
    use_effect_with(state.happened.is_some().then_some(now), |happened| {
        if happened.is_some() {
            page::reveal(".changes", false);
        }
    });
    let (Some((operation, before)), Some(found)) = (&state.happened, &*found) else {
        return html! {};
    };
    let told = |heading: &str, world: &World, trace: &Trace, old: &[&str]| {
        let end = ending(world, trace).map(|say| say.text(lang));
        html! {
            <>
                <dt>{ heading }</dt>
                <dd>{ end.unwrap_or_default() }{ path(&way(world, trace), old, props.words()) }</dd>
            </>
        }
    };
    let was = way(&before.world, &before.trace);
    html! {
        <section class="changes" aria-label={words.changed}>
            <h3>{ words.changed }</h3>
            <p role="status"><strong>{ operation.say().text(lang) }</strong></p>
            <dl>
                { told(words.before, &before.world, &before.trace, &was) }
                { told(words.after, &state.run.world, &state.run.trace, &was) }
                if let Some(existing) = &found.existing {
                    { told(words.existing, &state.run.world, existing, &was) }
                }
            </dl>
            <p><button class="link" onclick={props.on(Event::Cluster(ClusterEvent::Compared))}>{ words.compare_steps }</button></p>
            { for found.files.iter().map(|(name, before, after)| html! {
                <FileDiff name={name.clone()} before={before.clone()} after={after.clone()} {lang} />
            }) }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct FileDiffProps {
    name: Arc<str>,
    before: Text,
    after: Text,
    lang: Lang,
}

/// A component of its own, so that it is computed once and not with each step; and not before someone looks.
#[component]
fn FileDiff(props: &FileDiffProps) -> Html {
    let words = crate::i18n::words(props.lang).control;
    let open = use_state_eq(|| false);
    let ontoggle = {
        let open = open.setter();
        move |event: yew::Event| open.set(events::is_open(&event))
    };
    html! {
        <details {ontoggle}>
            <summary>{ &*props.name }</summary>
            if *open {
                { diff_view(&props.before, &props.after, words) }
            }
        </details>
    }
}

/// Machines, one after the other; those that are not on the way of before stand out.
fn path(names: &[&str], old: &[&str], words: &Words) -> Html {
    let new = words.control.come;
    html! {
        <span class="way mono">
            { for names.iter().enumerate().map(|(at, name)| html! {
                <>
                    if at > 0 { <span aria-hidden="true">{ " → " }</span> }
                    if old.contains(name) {
                        <span>{ name.to_string() }</span>
                    } else {
                        <strong title={new}>{ name.to_string() }</strong>
                    }
                    { " " }
                </>
            }) }
        </span>
    }
}
