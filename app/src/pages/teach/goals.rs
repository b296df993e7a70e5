use std::sync::Arc;

use northsouth::exercise::{self, Attempt, Exercise, Finding, Start, with_goal, without_goal};
use northsouth::text::{FileId, Lang, Say};
use northsouth::trace::{Detail, Disposition};
use yew::prelude::*;

use super::own::{Drafts, in_each};
use crate::browser::events;
use crate::i18n::course::course;
use crate::state::course::base;

#[derive(PartialEq, Properties)]
pub struct TableProps {
    pub exercise: Exercise,
    pub drafts: Drafts,
    pub onchange: Callback<Drafts>,
    pub lang: Lang,
}

/// Each goal, whether it holds at the start and after the first solution, and away with it. They are played anew only when
/// the exercise is another.
#[component]
pub fn GoalTable(props: &TableProps) -> Html {
    let TableProps {
        exercise,
        drafts,
        onchange,
        lang,
    } = props;
    let lang = *lang;
    let words = course(lang);
    let played = use_memo(exercise.clone(), |exercise| {
        let start = Start::new(Arc::new(exercise.clone()));
        let judge = |attempt: &Attempt| start.judge(attempt).findings;
        let solved = exercise.solutions.first().map(|s| judge(&s.attempt));
        (judge(&exercise.untouched()), solved)
    });
    let (at_start, solved) = &*played;
    let cell = |finding: Option<&Finding>| match finding {
        None => html! { <td>{ "–" }</td> },
        Some(finding) => html! { <td>{ verdict(finding, lang) }</td> },
    };
    html! {
        <details open=true>
            <summary>{ words.goals }</summary>
            <div class="scroll" tabindex="0" role="group" aria-label={words.goals}><table>
                <thead><tr>
                    <th scope="col">{ words.goal }</th><th scope="col">{ words.at_start }</th>
                    <th scope="col">{ words.after_solution }</th><td />
                </tr></thead>
                <tbody>{ for exercise.goals.iter().enumerate().map(|(at, goal)| {
                    let probes: Vec<_> = goal.probes.iter()
                        .filter_map(|p| exercise.probes.get(*p as usize)).map(|p| p.name.as_str()).collect();
                    let said = goal.say(&probes.join(", ")).text(lang);
                    let (drafts, onchange) = (drafts.clone(), onchange.clone());
                    let onclick = move |_: MouseEvent| onchange.emit(in_each(&drafts, |text| without_goal(text, at)));
                    html! {
                        <tr>
                            <td>{ &said }if goal.hidden { <small>{ " (" }{ words.hidden }{ ")" }</small> }</td>
                            { cell(at_start.get(at)) }
                            { cell(solved.as_ref().and_then(|all| all.get(at))) }
                            <td><button class="icon" aria-label={format!("{}: {said}", words.remove)} {onclick}>
                                <span aria-hidden="true">{ "✕" }</span></button></td>
                        </tr>
                    }
                }) }</tbody>
            </table></div>
        </details>
    }
}

fn verdict(finding: &Finding, lang: Lang) -> Html {
    let words = course(lang);
    let (class, sign, word) = match finding.passed {
        true => ("held", "✓ ", words.holds),
        false => ("failed", "✕ ", words.fails),
    };
    html! {
        <>
            <span {class}><span aria-hidden="true">{ sign }</span>{ word }</span>
            <small>{ " " }{ finding.found.text(lang) }</small>
        </>
    }
}

type Kind = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// What a goal of each kind is told by, besides the kind's own value: keys and examples.
const KINDS: [Kind; 13] = [
    ("status", "200", &[]),
    ("reaches", "web-*", &[]),
    ("answered", "true", &[]),
    ("source", "203.0.113.9", &[("at", "web-*")]),
    ("ends", "delivered", &[]),
    ("avoids", "work002", &[]),
    ("passes", "node nat dnat", &[]),
    ("never", "node filter drop", &[]),
    (
        "value",
        "172.20.1.157",
        &[("at", "node changes:destination"), ("field", "destination")],
    ),
    ("share", "10 %", &[("of", "web-v2*")]),
    ("unchanged", "true", &[]),
    ("edits", "2", &[]),
    (
        "ask",
        "?",
        &[
            ("name", "answer"),
            ("at", "pod delivered"),
            ("field", "source"),
        ],
    ),
];

#[derive(Clone, PartialEq, Properties)]
pub struct PickerProps {
    pub lang: Lang,
    pub drafts: Drafts,
    /// Which of the drafts is shown.
    pub at: usize,
    pub probes: Vec<String>,
    pub onchange: Callback<Drafts>,
}

/// A goal as it is put together, played as it is typed.
#[component]
pub fn GoalPicker(props: &PickerProps) -> Html {
    let words = course(props.lang);
    let kind = use_state_eq(|| 0_usize);
    let values = use_state_eq(|| vec![KINDS[0].1.to_string()]);
    let probe = use_state_eq(|| 0_usize);
    let hidden = use_state_eq(|| false);
    let Some((name, _, more)) = KINDS.get(*kind) else {
        return html! {};
    };
    let keys: Vec<&str> = [*name]
        .into_iter()
        .chain(more.iter().map(|(key, _)| *key))
        .collect();
    let mut goal: Vec<(&str, String)> = keys.iter().copied().zip(values.iter().cloned()).collect();
    if *name != "edits" {
        goal.extend(props.probes.get(*probe).map(|p| ("probe", p.clone())));
    }
    if *hidden {
        goal.push(("hidden", "true".to_string()));
    }
    let text = props.drafts.get(props.at).cloned().unwrap_or_default();
    let tried = use_memo((text, goal.clone()), |(text, goal)| tried(text, goal));
    let onkind = {
        let (kind, values) = (kind.setter(), values.setter());
        Callback::from(move |event: Event| {
            let chosen = events::value(&event);
            let at = KINDS
                .iter()
                .position(|(name, ..)| *name == chosen)
                .unwrap_or(0);
            if let Some((_, first, more)) = KINDS.get(at) {
                let examples = [*first]
                    .into_iter()
                    .chain(more.iter().map(|(_, value)| *value));
                values.set(examples.map(str::to_string).collect());
                kind.set(at);
            }
        })
    };
    let onprobe = {
        let (probe, names) = (probe.setter(), props.probes.clone());
        Callback::from(move |event: Event| {
            let chosen = events::value(&event);
            probe.set(names.iter().position(|n| *n == chosen).unwrap_or(0));
        })
    };
    let onadd = {
        let (drafts, onchange) = (props.drafts.clone(), props.onchange.clone());
        let goal: Vec<(&'static str, String)> = goal.clone();
        Callback::from(move |_: MouseEvent| {
            onchange.emit(in_each(&drafts, |text| with_goal(text, &goal)))
        })
    };
    let fixed = matches!(*name, "answered" | "unchanged");
    html! {
        <fieldset class="pick-goal">
            <legend>{ words.add_goal }</legend>
            <p class="row">
                <select aria-label={words.goal_kind} onchange={onkind}>
                    { for KINDS.iter().enumerate().map(|(at, (name, ..))| html! {
                        <option value={*name} selected={at == *kind}>{ (words.goal_name)(name) }</option>
                    }) }
                </select>
                { for keys.iter().enumerate().filter(|_| !fixed).map(|(at, key)| field(key, at, &values)) }
                if *name != "edits" {
                    <label>{ words.probe }{ " " }<select onchange={onprobe}>
                        { for props.probes.iter().enumerate().map(|(at, name)| html! {
                            <option value={name.clone()} selected={at == *probe}>{ name }</option>
                        }) }
                    </select></label>
                }
                <label class="check"><input type="checkbox" checked={*hidden}
                    onchange={let hidden = hidden.clone(); move |_: Event| hidden.set(!*hidden)} />{ words.hidden }</label>
                <button onclick={onadd}>{ words.add }</button>
            </p>
            <p role="status">{ words.at_start }{ ": " }{ match &*tried {
                Ok(finding) => verdict(finding, props.lang),
                Err(why) => html! { <span class="failed">
                    { why.as_ref().map(|why| why.text(props.lang)).unwrap_or_default() }</span> },
            } }</p>
        </fieldset>
    }
}

/// A value of the goal: from a list where there is one, else as it is typed.
fn field(key: &&'static str, at: usize, values: &UseStateHandle<Vec<String>>) -> Html {
    let now = values.get(at).cloned().unwrap_or_default();
    let put = {
        let values = values.clone();
        move |text: String| {
            let mut all = Vec::clone(&values);
            if let Some(slot) = all.get_mut(at) {
                *slot = text;
            }
            values.set(all);
        }
    };
    let list: Vec<String> = match *key {
        "ends" => Disposition::ALL
            .iter()
            .map(|d| d.name().to_string())
            .collect(),
        "field" => Detail::names().split(", ").map(str::to_string).collect(),
        _ => Vec::new(),
    };
    let input = if list.is_empty() {
        let oninput = move |event: InputEvent| put(events::value(&event));
        html! { <input value={now} autocomplete="off" spellcheck="false" {oninput} /> }
    } else {
        let onchange = move |event: Event| put(events::value(&event));
        html! { <select {onchange}>{ for list.into_iter().map(|word| {
            let selected = word == now;
            html! { <option value={word.clone()} {selected}>{ word }</option> }
        }) }</select> }
    };
    html! { <label><code>{ *key }</code>{ " " }{ input }</label> }
}

/// How one more goal of an exercise fares at its start, or what is wrong with it.
fn tried(text: &str, goal: &[(&str, String)]) -> Result<Finding, Option<Say>> {
    let read = |text: &str| exercise::read(text, FileId(0), &base);
    let (before, known) = read(text);
    let (after, said) = read(&with_goal(text, goal));
    let (before, after) = before.zip(after).ok_or(None)?;
    if after.goals.len() <= before.goals.len() {
        let known: Vec<_> = known.into_iter().map(|d| d.message).collect();
        let mut new = said.into_iter().map(|d| d.message);
        return Err(new.rfind(|m| !known.contains(m)));
    }
    let start = Start::new(Arc::new(after));
    let untouched = start.exercise().untouched();
    start.judge(&untouched).findings.pop().ok_or(None)
}
