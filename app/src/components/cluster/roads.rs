use northsouth::insight::{Share, Shares, shares};
use northsouth::sim::Fork;
use northsouth::text::Span;
use yew::prelude::*;

use super::link;
use crate::components::Props;

/// Connections that are made for the tally.
const CONNECTIONS: u32 = 100;
/// More roads of one end than these are of no use to a reader.
const ROADS: usize = 24;
/// Addresses that an end sees its peers by.
const PEERS: usize = 6;

/// Everybody who may take a new connection, with chances and a tally.
#[component]
pub fn RoadsPanel(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let lang = state.settings.lang;
    let found = use_memo(
        (state.workspace.clone(), state.run.refused.is_some()),
        |(workspace, _)| shares(workspace, &state.run, CONNECTIONS),
    );
    let Some(found) = &*found else {
        let refused = state.run.refused.as_ref();
        return html! { <p class="empty">{ refused.map(|say| say.text(lang)).unwrap_or_default() }</p> };
    };
    html! {
        <div class="roads inspector">
            <h2>{ words.roads }</h2>
            <p class="meaning">{ words.roads_about }</p>
            { for found.remarks().iter().map(|remark| html! {
                <p class="remark"><span aria-hidden="true">{ "! " }</span>{ remark.text(lang) }</p>
            }) }
            <table>
                <thead>
                    <tr>
                        <th scope="col">{ words.who }</th>
                        <th scope="col" class="number">{ words.chance }</th>
                        <th scope="col" class="number">{ (words.of_connections)(found.connections) }</th>
                    </tr>
                </thead>
                <tbody>{ for found.shares.iter().map(|share| row(share, found, props)) }</tbody>
            </table>
            if !found.through.is_empty() {
                <h3>{ words.through }</h3>
                <ul class="through">
                    { for found.through.iter().map(|(name, chance)| html! {
                        <li>{ name }{ " " }<span class="number">{ chance.to_string() }</span>{ " " }<span class="place">{ chance.percent() }</span></li>
                    }) }
                </ul>
            }
        </div>
    }
}

/// The first of a list, and how many more it has.
fn some(names: &[String]) -> String {
    let shown = names.get(..PEERS).unwrap_or(names).join(", ");
    match names.len().saturating_sub(PEERS) {
        0 => shown,
        more => format!("{shown}, … (+{more})"),
    }
}

fn row(share: &Share, all: &Shares, props: &Props) -> Html {
    let words = props.words().control;
    let lang = props.state.settings.lang;
    let peers: Vec<String> = share.peers.iter().map(|ip| ip.to_string()).collect();
    let bar = (words.bar)(&share.name, share.count, all.connections);
    let (filled, likely) = (
        share.count * 100 / all.connections.max(1),
        share.chance.parts(100),
    );
    html! {
        <>
            <tr>
                <th scope="row">
                    { &share.name }
                    if share.serves() && !peers.is_empty() {
                        <span class="place">{ (words.sees)(&some(&peers)) }</span>
                    }
                    if let Some(trouble) = share.trouble() {
                        <span class="trouble"><span aria-hidden="true">{ "✕ " }</span>{ trouble.text(lang) }</span>
                    }
                </th>
                <td class="number">{ share.chance.to_string() }<span class="place">{ share.chance.percent() }</span></td>
                <td class="number">
                    { share.count }
                    <svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={bar}>
                        <rect class="filled" x="0" y="0" width={filled.to_string()} height="8" />
                        <line class="likely" x1={likely.to_string()} x2={likely.to_string()} y1="0" y2="8" />
                    </svg>
                </td>
            </tr>
            <tr class="forks">
                <td colspan="3">{ forks(share, all, props) }</td>
            </tr>
        </>
    }
}

/// What a coin fell on, and the text that asked, where there is one.
fn fork(fork: &Fork, props: &Props) -> Html {
    let side = fork.side.text(props.state.settings.lang);
    match fork.span == Span::default() {
        true => html! { side },
        false => link(&side, fork.span, props),
    }
}

/// Each road of a share by the places where it forks.
fn forks(share: &Share, all: &Shares, props: &Props) -> Html {
    let words = props.words().control;
    if let Some(span) = share.span {
        return link(words.where_endpoint_is, span, props);
    }
    let roads = share.roads.iter().filter_map(|at| all.roads.get(*at));
    html! {
        if !share.roads.is_empty() {
            <details>
                <summary>{ (words.forks)(share.roads.len()) }</summary>
                <ol>
                    { for roads.take(ROADS).map(|road| html! {
                        <li>
                            <strong>{ road.chance.to_string() }</strong>
                            if road.forks.is_empty() {
                                { ": " }{ words.straight }
                            }
                            <ul>
                                { for road.forks.iter().map(|at| html! {
                                    <li>
                                        { at.chance.to_string() }{ " " }
                                        { fork(at, props) }
                                    </li>
                                }) }
                            </ul>
                        </li>
                    }) }
                </ol>
                if share.roads.len() > ROADS {
                    <p class="note">{ (words.more_roads)(share.roads.len() - ROADS) }</p>
                }
            </details>
        }
    }
}
