use std::rc::Rc;

use northsouth::text::{Diagnostic, Severity};
use northsouth::workspace::FileKind;
use yew::prelude::*;

use super::Props;
use super::cluster::{MadePanel, Owner};
use super::code_editor::{Assist, CodeEditor};
use super::coverage::marks as coverage_marks;
use super::file_tools::FileTools;
use crate::browser::editor::Locks;
use crate::i18n::course::course;
use crate::state::Event;
use crate::view_model::{editor, explain, files};

/// The texts, as the real tools print them.
pub fn files_pane(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let Some(file) = state.run.files.get(state.file) else {
        return html! {};
    };
    let lang = state.settings.lang;
    let here: Vec<&Diagnostic> = state
        .run
        .diagnostics
        .iter()
        .filter(|d| usize::from(d.span.file.0) == state.file)
        .collect();
    let lit = explain::lit(state).filter(|span| usize::from(span.file.0) == state.file);
    let groups = files::groups(state);
    let open = groups
        .iter()
        .find(|g| g.files.iter().any(|f| f.at == state.file));
    // Of what a controller would write there is more to be said.
    let locks = locks(props);
    let allows = locks.clone().and_then(|_| {
        let (task, name) = (state.task.clone()?, file.name.clone());
        Some(Callback::from(move |text: String| {
            task.allows(&name, &text)
        }))
    });
    let taken = state.run.generated(state.file).is_some();
    let edited = files::is_edited(state, state.file) && !taken;
    html! {
        <section class="files" aria-label={words.files}>
            <nav aria-label={words.machines} class="chips machines">
                { for groups.iter().map(|group| html! {
                    <button aria-pressed={group.files.iter().any(|f| f.at == state.file).to_string()}
                        title={group.name.clone()}
                        onclick={props.on(Event::FileChosen(group.first()))}>
                        { group.label(words) }{ badges(group.worst, group.edited) }
                    </button>
                }) }
            </nav>
            <nav aria-label={words.files} class="chips">
                { for open.iter().flat_map(|g| &g.files).map(|f| html! {
                    <button aria-pressed={(f.at == state.file).to_string()}
                        onclick={props.on(Event::FileChosen(f.at))}>
                        if f.at >= state.workspace.files.len() {
                            <span class="sign" aria-hidden="true">{ "⚙ " }</span>
                        }
                        { &f.label }{ badges(f.worst, f.edited) }
                    </button>
                }) }
            </nav>
            <p class="about">
                { words.printed_by(FileKind::of(&file.name).command()) }
                if edited {
                    { " " }{ words.edited }{ " " }
                    <button class="link" onclick={props.on(Event::FileReset(state.file))}>{ words.reset_file }</button>
                }
                if groups.iter().any(|g| g.edited) {
                    { " " }
                    <button class="link" onclick={props.on(Event::EverythingReset)}>{ words.reset_all }</button>
                }
            </p>
            if let Some(locks) = &locks {
                <p class="about">{ &locks.said }</p>
            }
            <FileTools ..props.clone() />
            <Owner ..props.clone() />
            <CodeEditor file={state.file} name={file.name.clone()} text={file.text.clone()}
                label={file.name.to_string()}
                marks={editor::marks(&file.text, &here, lang)}
                lit={lit.map(|span| editor::range(&file.text, span))}
                kin={state.kin.as_ref().map(|kin| kin.stretches(&state.run, state.file)).unwrap_or_default()}
                generated={state.file >= state.workspace.files.len()}
                go_to={state.go_to.map(|(at, wish)| (editor::offset(&file.text, at), wish))}
                breakpoints={state.breakpoints.lines(&file.name)}
                run={Assist(state.run.clone())} lang={lang} covered={coverage_marks(props)}
                locks={Rc::new(locks.unwrap_or_default())} {allows}
                send={props.send.clone()} />
            <p class="about keys">{ words.editor_keys }</p>
            <MadePanel ..props.clone() />
            { diagnostics(props) }
        </section>
    }
}

/// The lines of the file that the exercise at hand keeps, if there are some.
fn locks(props: &Props) -> Option<Locks> {
    let state = &props.state;
    let task = state.task.as_ref()?;
    let file = state.run.files.get(state.file)?;
    let kept = task.kept(file, state.file < state.workspace.files.len());
    let words = course(state.settings.lang);
    let whole = matches!(&kept[..], [run] if !run.before && !run.after);
    let said = if whole {
        words.file_kept
    } else {
        words.lines_kept
    };
    (!kept.is_empty()).then(|| Locks {
        said: said.to_string(),
        kept,
    })
}

/// What is to be said about all files, worst first, each a way to its place.
fn diagnostics(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let lang = state.settings.lang;
    let mut all: Vec<&Diagnostic> = state.run.diagnostics.iter().collect();
    all.sort_by_key(|d| (d.severity, d.span));
    if all.is_empty() {
        return html! {};
    }
    let errors = all.iter().filter(|d| d.severity == Severity::Error).count();
    html! {
        <details class="diagnostics" open={errors > 0}>
            <summary>{ words.problems(errors, all.len() - errors) }</summary>
            <ul>
                { for all.iter().take(100).map(|d| {
                    let file = state.run.files.get(usize::from(d.span.file.0));
                    let place = file.map(|f| {
                        let at = f.line_column(d.span.start);
                        format!("{}:{}:{}", f.name, at.line, at.column)
                    });
                    html! {
                        <li class={editor::severity(d.severity)}>
                            <button class="link" onclick={props.on(Event::SpanChosen(d.span))}>
                                { place.unwrap_or_default() }
                            </button>
                            <span>{ d.message.text(lang) }</span>
                            if let Some(help) = &d.help {
                                <span class="help">{ help.text(lang) }</span>
                            }
                        </li>
                    }
                }) }
            </ul>
        </details>
    }
}

fn badges(worst: Option<Severity>, edited: bool) -> Html {
    html! {
        <>
            if edited { <span class="badge edited" aria-hidden="true">{ "●" }</span> }
            if let Some(worst @ (Severity::Error | Severity::Warning)) = worst {
                <span class={classes!("badge", editor::severity(worst))} aria-hidden="true">{ "!" }</span>
            }
        </>
    }
}
