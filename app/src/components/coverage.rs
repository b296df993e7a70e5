use std::rc::Rc;

use northsouth::text::FileId;
use northsouth::workspace::Covered;
use yew::prelude::*;

use super::Props;
use crate::browser::editor::Covered as Mark;
use crate::browser::events;
use crate::state::{Event, Measured};
use crate::view_model::editor::offset;

/// Which lines a set of probes reaches.
#[component]
pub fn CoveragePanel(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let list = use_state_eq(|| state.probe_list.to_string());
    let oninput = {
        let list = list.setter();
        move |event: InputEvent| list.set(events::value(&event))
    };
    let measure = {
        let (send, list) = (props.send.clone(), list.clone());
        move |_: MouseEvent| send.emit(Event::CoverageMeasured((**list).into()))
    };
    html! {
        <div class="coverage">
            <p class="about">{ words.coverage_about }</p>
            <label class="find">
                <span>{ words.more_probes }</span>
                <textarea class="mono" rows="3" spellcheck="false" placeholder="client tcp 192.168.0.18:31061"
                    value={(*list).clone()} {oninput} />
            </label>
            <p class="buttons"><button class="primary" onclick={measure}>{ words.measure }</button></p>
            if let Some(measured) = &state.measured {
                { result(props, measured) }
            }
        </div>
    }
}

fn result(props: &Props, measured: &Measured) -> Html {
    let words = props.words();
    let state = &props.state;
    let coverage = &measured.coverage;
    let (taken, all) = coverage.score();
    let mut files: Vec<(FileId, Vec<&Covered>)> = Vec::new();
    for line in &coverage.lines {
        let file = line.subject.span.file;
        match files.iter_mut().find(|(f, _)| *f == file) {
            Some((_, lines)) => lines.push(line),
            None => files.push((file, vec![line])),
        }
    }
    html! {
        <>
            if !measured.unread.is_empty() {
                <p class="error" role="alert">{ words.not_probes(&measured.unread) }</p>
            }
            if !Rc::ptr_eq(&measured.run, &state.run) {
                <p role="status">{ words.coverage_stale }</p>
            }
            <p role="status" class="verdict">{ words.covered(taken, all, coverage.probes.len()) }</p>
            { for files.iter().map(|(file, lines)| {
                let name = measured.run.files.get(file.index()).map(|f| f.name.to_string()).unwrap_or_default();
                let reached = lines.iter().filter(|l| !l.taken.is_empty()).count();
                html! {
                    <details>
                        <summary><span class="mono">{ name }</span>{ format!(" {reached} / {}", lines.len()) }</summary>
                        <ul class="subjects">{ for lines.iter().take(300).map(|l| line(props, measured, l)) }</ul>
                    </details>
                }
            }) }
        </>
    }
}

fn line(props: &Props, measured: &Measured, line: &Covered) -> Html {
    let lang = props.state.settings.lang;
    let (sign, class) = sign(line);
    let said = line
        .say(&measured.run, measured.coverage.probes.len())
        .text(lang);
    html! {
        <li {class}><button onclick={props.on(Event::SpanChosen(line.subject.span))}>
            <code>{ measured.run.subject_text(&line.subject).to_string() }</code>
            <span class="said"><span aria-hidden="true">{ sign }</span>{ " " }{ said }</span>
        </button></li>
    }
}

/// The sign beside a line, and its class.
pub fn sign(line: &Covered) -> (&'static str, &'static str) {
    match (line.shadowed_by, line.taken.is_empty(), line.asked) {
        (Some(_), ..) => ("⊘", "shadowed"),
        (None, false, _) => ("✓", "held"),
        (None, true, true) => ("·", "not-tried"),
        (None, true, false) => ("○", "never"),
    }
}

/// The signs beside the lines of the file at hand, while they are of this run.
pub fn marks(props: &Props) -> Vec<Mark> {
    let state = &props.state;
    let Some(measured) = state
        .measured
        .as_ref()
        .filter(|m| Rc::ptr_eq(&m.run, &state.run))
    else {
        return Vec::new();
    };
    let Some(file) = state.run.files.get(state.file) else {
        return Vec::new();
    };
    let lines = &measured.coverage.lines;
    let here = lines
        .iter()
        .filter(|l| l.subject.span.file.index() == state.file);
    let marks = here.map(|line| {
        let (sign, kind) = sign(line);
        let said = line.say(&measured.run, measured.coverage.probes.len());
        Mark {
            from: offset(&file.text, line.subject.span.start),
            sign,
            kind,
            said: said.text(state.settings.lang),
        }
    });
    marks.collect()
}
