use northsouth::exercise::{Editable, Finding, Goal, Lines, Wanted};
use yew::prelude::*;

use super::Props;
use super::hand_in::HandInBox;
use super::prose::{prose, quoting};
use super::question::{QuestionProps, QuestionView};
use crate::i18n::course::{CourseWords, course};
use crate::state::{Event, Task};

/// The exercise at hand: what one sees, what must hold, hints, what it is worth.
pub fn task_card(props: &Props) -> Html {
    let state = &props.state;
    let Some(task) = &state.task else {
        return html! {};
    };
    let words = course(state.settings.lang);
    let exercise = &task.exercise;
    let score = &task.judgement.score;
    let about = format!(
        "{} · {} · {}",
        words.exercise,
        (words.kind)(exercise.kind),
        (words.level)(exercise.level)
    );
    html! {
        <section class="tour task" aria-label={words.exercise}>
            <p class="count"><span>{ about }</span><a href="#/course">{ words.to_course }</a></p>
            <h2>{ &exercise.title }</h2>
            { prose(&exercise.symptom) }
            { editable(&exercise.editable, words) }
            { questions(props, task, words) }
            { goals(props, task, words) }
            { for task.judgement.locked.iter().map(|locked| html! {
                <p class="verdict failed"><span aria-hidden="true">{ "✕ " }</span>{ (words.locked)(&locked.file, locked.line) }</p>
            }) }
            // Whoever predicts is not told by the count of goals either.
            <p class="score" role="status">
                if !task.is_veiled() {
                    if score.solved { <strong class="held">{ "✓ " }{ words.solved }</strong>{ " " } }
                    { (words.score)(score) }
                }
            </p>
            { hints(props, task, words) }
            if score.solved && !task.is_veiled() {
                <details open={true}><summary>{ words.solution }</summary>
                    { for exercise.solutions.iter().map(|s| prose(&s.text)) }
                    if !exercise.sources.is_empty() {
                        <p>{ words.sources }{ for exercise.sources.iter().map(|s| html! {
                            <>{ " " }<a href={source(s)} target="_blank" rel="noreferrer">{ s }</a></>
                        }) }</p>
                    }
                </details>
            }
            <p class="turn">
                <button onclick={props.on(Event::EverythingReset)}>{ words.reset }</button>
                <HandInBox ..props.clone() />
            </p>
        </section>
    }
}

/// A citation as an address; one that is none leads nowhere.
fn source(text: &str) -> Option<String> {
    text.starts_with("https://").then(|| text.to_string())
}

fn editable(all: &[Editable], words: &CourseWords) -> Html {
    if all.is_empty() {
        return html! { <p class="editable">{ words.nothing_editable }</p> };
    }
    html! {
        <p class="editable">{ words.editable }
            { for all.iter().map(|e| html! {
                <>{ " " }<code>{ &e.file }</code>{ match &e.lines {
                    Lines::All => String::new(),
                    Lines::Range(a, b) => format!(" ({})", (words.lines)(*a, *b)),
                    Lines::With(text) => format!(" ({})", (words.lines_with)(text)),
                } }</>
            }) }
        </p>
    }
}

fn questions(props: &Props, task: &Task, words: &CourseWords) -> Html {
    let questions: Vec<_> = task.exercise.questions().collect();
    if questions.is_empty() {
        return html! {};
    }
    html! {
        <>
            { for questions.into_iter().map(|question| {
                let name = question.name.clone();
                let onanswer = props.send.reform(move |text| Event::Answered { name: name.clone(), text });
                let asked = QuestionProps::of(question, task.given(&question.name), words, onanswer);
                html! { <QuestionView key={question.name.clone()} ..asked /> }
            }) }
            if task.is_veiled() {
                <p>{ words.predict_first }{ " " }
                    <button onclick={props.on(Event::Predicted)}
                        disabled={task.exercise.questions().any(|q| task.given(&q.name).is_none())}>
                        { words.show_it }</button></p>
            }
        </>
    }
}

fn goals(props: &Props, task: &Task, words: &CourseWords) -> Html {
    let judged = || task.exercise.goals.iter().zip(&task.judgement.findings);
    let open_hold = judged().all(|(goal, finding)| goal.hidden || finding.passed);
    // Whether a prediction is right is told with the walk.
    let shown = |goal: &Goal| !(task.is_veiled() && matches!(goal.wanted, Wanted::Asked(_)));
    html! {
        <>
            <h3>{ words.goals }</h3>
            <ol class="goals">
                { for judged().enumerate().filter(|(_, (goal, _))| shown(goal)).map(|(at, (goal, finding))| {
                    goal_line(props, task, words, at, goal, finding, open_hold)
                }) }
            </ol>
        </>
    }
}

fn goal_line(
    props: &Props,
    task: &Task,
    words: &CourseWords,
    at: usize,
    goal: &Goal,
    finding: &Finding,
    open_hold: bool,
) -> Html {
    let lang = props.state.settings.lang;
    if goal.hidden && !open_hold {
        return html! { <li key={at} class="not-tried"><span aria-hidden="true">{ "· " }</span>{ words.hidden_goal }</li> };
    }
    let probes = goal
        .probes
        .iter()
        .filter_map(|p| task.exercise.probes.get(*p as usize));
    let probes: Vec<_> = probes.map(|p| p.probe.to_string()).collect();
    let (sign, class, said) = match finding.passed {
        true => ("✓", "held", words.holds),
        false => ("✕", "failed", words.fails),
    };
    let show = finding.probe.is_some() && !task.is_veiled();
    html! {
        <li key={at} class={class}>
            <span aria-hidden="true">{ sign }{ " " }</span><span class="visually-hidden">{ said }{ ": " }</span>
            <span>{ quoting(&goal.say(&probes.join(", ")).text(lang)) }</span>
            if !finding.passed { <span class="found">{ quoting(&finding.found.text(lang)) }</span> }
            if show && !finding.passed {
                <button class="link" onclick={props.on(Event::GoalShown(at))}>{ words.show_walk }</button>
            }
        </li>
    }
}

fn hints(props: &Props, task: &Task, words: &CourseWords) -> Html {
    let open = task.hints as usize;
    html! {
        <>
            { for task.exercise.hints.iter().take(open).enumerate().map(|(at, hint)| html! {
                <div class="hint"><h3>{ (words.hint)(at + 1) }</h3>{ prose(hint) }</div>
            }) }
            if open < task.exercise.hints.len() {
                <p><button onclick={props.on(Event::HintOpened)}>{ (words.open_hint)(task.hints + 1) }</button></p>
            }
        </>
    }
}
