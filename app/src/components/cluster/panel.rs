use northsouth::control::cluster::Profile;
use northsouth::insight::{Choice, Drift, Inventory, drift, inventory, nearest};
use northsouth::text::{Edit, Say};
use yew::prelude::*;

use super::changes::Changed;
use super::life::Life;
use super::link;
use crate::browser::events;
use crate::components::{Props, Same};
use crate::state::{ClusterEvent, Dialog, Event};

/// Chains and other parts of nodes that differ, and lines of each, that are shown.
const CHAINS: usize = 60;
const LINES: usize = 40;

/// What takes long to find out.
struct Found {
    drifts: Vec<Drift>,
    nearest: Option<Say>,
    held: Inventory,
}

/// What the cluster is built with, what happens to it, and where its nodes disagree with its controllers.
#[component]
pub fn ClusterPanel(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let found = use_memo(Same(state.run.clone()), |_| Found {
        drifts: drift(&state.run),
        nearest: nearest(&state.run).map(|(_, say)| say),
        held: inventory(&state.workspace),
    });
    let Some(cluster) = &state.run.cluster else {
        return html! { <p class="empty">{ words.no_manifests }</p> };
    };
    html! {
        <div class="cluster-panel inspector">
            <h2>{ words.cluster }</h2>
            <h3>{ words.built_with }</h3>
            if cluster.objects.nodes.is_empty() {
                <p class="meaning">{ words.no_nodes }</p>
            } else {
                { choices(props) }
                { cloud(props) }
                if !cluster.objects.services.is_empty() {
                    <p class="turn"><button onclick={props.on(Event::DialogOpened(Dialog::Dialects))}>{ words.dialects }</button></p>
                }
            }
            <h3>{ words.life }</h3>
            <p class="meaning">{ words.life_about }</p>
            <Changed ..props.clone() />
            <Life ..props.clone() />
            { drifts(&found, props) }
            <h3>{ words.holds }</h3>
            { holds(&found.held, props) }
            <h3>{ words.sharing }</h3>
            <p class="meaning">{ words.anonymise_about }</p>
            <p class="turn"><button onclick={props.on(Event::Cluster(ClusterEvent::Anonymised))}>{ words.anonymise }</button></p>
        </div>
    }
}

fn choices(props: &Props) -> Html {
    let words = props.words().control;
    html! {
        <form class="choices" onsubmit={Callback::from(|event: SubmitEvent| event.prevent_default())}>
            { for Choice::ALL.into_iter().map(|choice| {
                let now = choice.now(&props.state.run);
                let onchange = props.send.reform(move |event: yew::Event| Event::Cluster(ClusterEvent::Chosen(choice, events::value(&event))));
                html! {
                    <label>
                        <span>{ (words.choice)(choice) }</span>
                        <select {onchange}>
                            { for choice.words().into_iter().map(|word| html! {
                                <option value={word} selected={now == Some(word)}>{ (words.choice_word)(choice, word) }</option>
                            }) }
                        </select>
                    </label>
                }
            }) }
        </form>
    }
}

/// What the chosen cloud's load balancer does, and where that is documented.
fn cloud(props: &Props) -> Html {
    let state = &props.state;
    let Some(cluster) = &state.run.cluster else {
        return html! {};
    };
    let words = props.words().control;
    let profile = Profile::of(cluster.environment().cloud.value);
    html! {
        <>
            <p class="meaning"><strong>{ (words.choice)(Choice::Cloud) }</strong>{ " " }{ profile.about().text(state.settings.lang) }</p>
            if !profile.sources().is_empty() {
                <p class="meaning">{ words.documented }</p>
                <ul>
                    { for profile.sources().iter().map(|source| html! {
                        <li><a href={source.url} target="_blank" rel="noopener noreferrer">{ source.title }</a></li>
                    }) }
                </ul>
            }
        </>
    }
}

/// Where pasted rules differ from what kube-proxy would program.
fn drifts(found: &Found, props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    if found.drifts.is_empty() {
        return html! {};
    }
    html! {
        <>
            <h3>{ words.drift }</h3>
            <p class="meaning">{ words.drift_about }</p>
            if let Some(say) = &found.nearest {
                <p class="remark">{ say.text(state.settings.lang) }</p>
            }
            { for found.drifts.iter().take(CHAINS).map(|drift| html! {
                <>
                    <h4>{ state.run.files.get(drift.file).map(|f| f.name.to_string()) }{ " " }{ &drift.chain }</h4>
                    <ul class="diff">
                        { for drift.lines.iter().take(LINES).map(|line| {
                            let (class, sign) = match line.edit {
                                Edit::Gone => ("gone", "− "),
                                _ => ("new", "+ "),
                            };
                            html! {
                                <li {class}>
                                    <span role="img" aria-label={if line.edit == Edit::Gone { words.missing } else { words.own }}>{ sign }</span>
                                    { &line.text }
                                    if let Some(span) = line.span { { " " }{ link("", span, props) } }
                                </li>
                            }
                        }) }
                        if drift.lines.len() > LINES {
                            <li class="gap">{ (words.more_lines)(drift.lines.len() - LINES) }</li>
                        }
                    </ul>
                </>
            }) }
            if found.drifts.len() > CHAINS {
                <p class="note">{ (words.more_chains)(found.drifts.len() - CHAINS) }</p>
            }
        </>
    }
}

/// What is modelled and what is not, counted.
fn holds(held: &Inventory, props: &Props) -> Html {
    let words = props.words().control;
    let list = |all: &[(String, usize)]| {
        let each: Vec<String> = all
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        each.join(", ")
    };
    html! {
        <>
            <p>{ list(&held.modelled) }</p>
            if !held.passed_over.is_empty() {
                <p class="trouble">{ words.passed_over }{ " " }{ list(&held.passed_over) }</p>
            }
        </>
    }
}
