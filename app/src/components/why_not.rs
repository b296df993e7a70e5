use northsouth::text::{Lang, Reason};
use northsouth::workspace::{Verdict, nothing_here, why_not};
use yew::prelude::*;

use super::prose::quoting;
use super::{Props, Same, outcome_sign, sentence};
use crate::browser::events;
use crate::state::Event;
use crate::view_model::subjects::{file, offered};

/// So many lines are offered at once.
const OFFERED: usize = 40;

/// Any line that takes packets, asked why it did not take this one.
#[component]
pub fn WhyNotPanel(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let lang = state.settings.lang;
    let subject = state.asked.as_ref().and_then(|a| a.find(&state.run));
    let key = (Same(state.run.clone()), subject.map(|s| s.span));
    let answer = use_memo(key, |_| {
        subject.map(|s| why_not(&state.workspace, &state.run, s))
    });
    let Some(answer) = &*answer else {
        return html! {
            <div class="why-not">
                if state.asked_in_vain {
                    <p role="status">{ words.nothing_asked }</p>
                } else if state.asked.is_some() {
                    <p role="status">{ sentence(&nothing_here().text(lang)) }</p>
                }
                <Choice ..props.clone() />
            </div>
        };
    };
    let file = state.asked.as_ref().map(|a| a.file.to_string());
    let step = match &answer.verdict {
        Verdict::Taken(at) | Verdict::PassedOver(at, _) => state.walk.find(*at),
        Verdict::NotReached(_) => None,
    };
    let reasons: &[Reason] = match &answer.verdict {
        Verdict::Taken(_) => &[],
        Verdict::PassedOver(_, reason) => &reason.children,
        Verdict::NotReached(reasons) => reasons,
    };
    html! {
        <div class="why-not">
            <p class="place">{ file }</p>
            <p><button class="source mono" onclick={props.on(Event::SpanChosen(answer.subject.span))}>
                { state.run.subject_text(&answer.subject).to_string() }</button></p>
            <div role="status">
                <p class="verdict">{ quoting(&sentence(&answer.say().text(lang))) }</p>
            </div>
            if let Some(step) = step {
                <p><button class="link" onclick={props.on(Event::StepChosen(step))}>
                    { words.to_step(step + 1) }</button></p>
            }
            if !reasons.is_empty() {
                <ul class="reasons">{ for reasons.iter().map(|r| reason(props, r, lang)) }</ul>
            }
            if !matches!(answer.verdict, Verdict::Taken(_)) {
                <h2>{ words.what_it_takes }</h2>
                if answer.ways.is_empty() {
                    <p>{ quoting(&sentence(&answer.no_way().text(lang))) }</p>
                }
                <ul class="ways">
                    { for answer.ways.iter().map(|way| html! {
                        <li>
                            <span>{ quoting(&sentence(&way.say(&state.run).text(lang))) }</span>
                            <button onclick={props.on(Event::WayChosen(Box::new(way.clone())))}>{ words.do_it }</button>
                        </li>
                    }) }
                </ul>
            }
            <p><button class="quiet" onclick={props.on(Event::WhyNotAsked(None))}>{ words.ask_another }</button></p>
        </div>
    }
}

fn reason(props: &Props, reason: &Reason, lang: Lang) -> Html {
    let words = props.words();
    let (sign, class) = outcome_sign(reason.outcome);
    html! {
        <li {class}>
            if let Some(span) = reason.span.filter(|_| !reason.text.is_empty()) {
                <button class="source" onclick={props.on(Event::SpanChosen(span))}><code>{ &reason.text }</code></button>
                { " " }
            }
            <span class="said">
                <span role="img" aria-label={words.outcome(reason.outcome)}>{ sign }</span>{ " " }
                { quoting(&reason.say.text(lang)) }
            </span>
            if !reason.children.is_empty() {
                <ul class="reasons">{ for reason.children.iter().map(|c| self::reason(props, c, lang)) }</ul>
            }
        </li>
    }
}

/// The lines that can be asked, by what is typed.
#[component]
fn Choice(props: &Props) -> Html {
    let words = props.words();
    let run = &props.state.run;
    let typed = use_state_eq(String::new);
    let oninput = {
        let typed = typed.setter();
        move |event: InputEvent| typed.set(events::value(&event))
    };
    let all = use_memo(Same(run.clone()), |_| run.subjects());
    let here = props.state.walk.moments.get(props.state.cursor);
    let here = here.map(|m| m.place.host);
    let key = (Same(run.clone()), (*typed).clone(), here);
    let found = use_memo(key, |(run, typed, here)| {
        offered(run, &all, typed, *here, OFFERED)
    });
    html! {
        <>
            <p class="about">{ words.why_not_about }</p>
            <label class="find">
                <span>{ words.find_line }</span>
                <input autocomplete="off" spellcheck="false" placeholder="work001 KUBE-MARK-DROP" value={(*typed).clone()} {oninput} />
            </label>
            <ul class="subjects">
                { for found.iter().map(|s| html! {
                    <li><button onclick={props.on(Event::WhyNotAsked(Some(s.span)))}>
                        <span class="place">{ file(run, s).to_string() }</span>
                        <code>{ run.subject_text(s).to_string() }</code>
                    </button></li>
                }) }
            </ul>
        </>
    }
}
