use northsouth::text::Lang;
use yew::prelude::*;

use super::breakpoints::breakpoints;
use super::fidelity::walk_fidelity;
use super::inspector::inspector;
use super::{Props, Same, layer_class};
use crate::hooks::use_growth;
use crate::i18n::words;
use crate::state::Event;
use crate::view_model::explain::{self, HopText};

/// So many steps fill a screen; of hundreds the others come with the next frames, so many with each.
const SCREEN: usize = 32;
const MORE: usize = 128;

#[derive(Clone, PartialEq, Properties)]
pub struct StepsProps {
    pub base: Props,
    /// The step at hand is explained in its place in the list.
    pub explained: bool,
}

/// All steps as text: what the map shows, for those who read or listen.
#[component]
pub fn Steps(StepsProps { base, explained }: &StepsProps) -> Html {
    let state = &base.state;
    let words = base.words();
    let lang = state.settings.lang;
    let (run, walk) = (Same(state.run.clone()), Same(state.walk.clone()));
    let told = use_memo((run, walk, lang), |_| Told {
        fidelity: walk_fidelity(base),
        hops: explain::hops(state, words),
    });
    let drawn = use_growth(SCREEN, MORE, state.walk.len());
    // The step at hand is to be seen from the first.
    let drawn = drawn.max(state.cursor + 1);
    let stops = state.stops();
    let hop = |(at, hop): (usize, &HopText)| {
        let end = hop.first + hop.steps.len();
        let here = (hop.first..end).contains(&state.cursor);
        let known = if state.predict { state.cursor + 1 } else { end };
        html! {
            <Hop key={at} of={Same(told.clone())} {at} drawn={drawn.min(end)} known={known.clamp(hop.first, end)}
                cursor={here.then_some(state.cursor)} explained={(here && *explained).then(|| base.clone())}
                stops={stops.iter().copied().filter(|stop| (hop.first..end).contains(stop)).collect::<Vec<_>>()}
                {lang} send={base.send.clone()} />
        }
    };
    let grows = drawn < state.walk.len();
    html! {
        <div class="steps" aria-busy={grows.then_some("true")}>
            { told.fidelity.clone() }
            { breakpoints(base) }
            // In a list of their own, or those there are would be taken for the last of more.
            <>{ for told.hops.iter().enumerate().filter(|(_, hop)| hop.first < drawn).map(hop) }</>
            if !state.predict && !grows {
                <p class="walk-end">{ words.walk_ends(&state.run.trace.ending(&state.run.world).text(lang)) }</p>
            }
        </div>
    }
}

/// What is said of a walk, whatever step is at hand.
struct Told {
    fidelity: Html,
    hops: Vec<HopText>,
}

/// What a hop shows: no more, so that it is drawn again only where that has changed.
#[derive(Clone, PartialEq, Properties)]
struct HopProps {
    of: Same<Told>,
    at: usize,
    /// Steps from here on are not drawn yet.
    drawn: usize,
    /// Steps from here on are for the reader to predict.
    known: usize,
    /// The step at hand, if it is of this hop.
    cursor: Option<usize>,
    /// It is explained.
    explained: Option<Props>,
    /// Steps at which the packet stops.
    stops: Vec<usize>,
    lang: Lang,
    send: Callback<Event>,
}

#[component]
fn Hop(props: &HopProps) -> Html {
    let Some(hop) = props.of.hops.get(props.at) else {
        return html! {};
    };
    let words = words(props.lang);
    html! {
        <section aria-label={hop.heading.clone()}>
            if let Some(journey) = &hop.journey {
                <h2>{ journey }</h2>
            }
            <h3>{ &hop.name }</h3>
            <ol start={(hop.first + 1).to_string()}>
                { for hop.steps.iter().filter(|step| step.at < props.drawn).map(|step| {
                    let current = props.cursor == Some(step.at);
                    let known = step.at < props.known;
                    let (at, send) = (step.at, &props.send);
                    html! {
                        <li key={at} class={classes!("step", layer_class(step.layer), step.minor.then_some("minor"))}>
                            <button aria-current={current.then_some("step")}
                                onclick={send.reform(move |_: MouseEvent| Event::StepChosen(at))}>
                                <span class="number">{ at + 1 }</span>
                                <span class="title">
                                    if props.stops.contains(&at) {
                                        <span class="stop" role="img" aria-label={words.breakpoint} title={words.breakpoint}>{ "■ " }</span>
                                    }
                                    { if known { &*step.title } else { "…" } }
                                </span>
                                <span class="part">{ if known { &*step.part } else { "" } }</span>
                            </button>
                            if let Some(base) = props.explained.as_ref().filter(|_| current) {
                                { inspector(base) }
                            }
                        </li>
                    }
                }) }
            </ol>
            if let Some(end) = &hop.end {
                <p class="end">{ end }</p>
            }
        </section>
    }
}
