use std::rc::Rc;

use northsouth::text::{Diagnostic, Severity};
use northsouth::workspace::FileKind;
use yew::prelude::*;

use super::cluster::{MadePanel, Owner};
use super::code_editor::CodeEditor;
use super::coverage::marks as coverage_marks;
use super::file_tools::FileTools;
use super::machines::Machines;
use super::problems::Problems;
use super::reading::reading_bar;
use super::{Props, Same};
use crate::browser::editor::Locks;
use crate::i18n::course::course;
use crate::state::Event;
use crate::view_model::{editor, explain, files};

/// The texts, as the real tools print them.
pub fn files_pane(props: &Props) -> Html {
    html! { <FilesPane ..props.clone() /> }
}

#[component]
fn FilesPane(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words();
    let texts = (
        Same(state.run.clone()),
        Same(state.workspace.clone()),
        Same(state.pristine.clone()),
    );
    let groups = use_memo(texts, |_| files::groups(state));
    let Some(file) = state.run.files.get(state.file) else {
        return html! {};
    };
    let lang = state.settings.lang;
    let here: Vec<&Diagnostic> = state
        .run
        .diagnostics
        .iter()
        .filter(|d| d.span.file.index() == state.file)
        .collect();
    let lit = explain::lit(state).filter(|span| span.file.index() == state.file);
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
            <Machines base={props.clone()} groups={groups.clone()} />
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
            { reading_bar(props, "about") }
            <Owner ..props.clone() />
            <CodeEditor file={state.file} name={file.name.clone()} text={file.text.clone()}
                label={file.name.to_string()}
                marks={editor::marks(&file.text, &here, lang)}
                lit={lit.map(|span| editor::range(&file.text, span))}
                kin={state.kin.as_ref().map(|kin| kin.stretches(&state.run, state.file)).unwrap_or_default()}
                generated={state.file >= state.workspace.files.len()}
                go_to={state.go_to.map(|(at, wish)| (editor::offset(&file.text, at), wish))}
                breakpoints={state.breakpoints.lines(&file.name)}
                run={Same(state.run.clone())} lang={lang} covered={coverage_marks(props)}
                locks={Rc::new(locks.unwrap_or_default())} {allows}
                send={props.send.clone()} />
            <p class="about keys">{ words.editor_keys }</p>
            <MadePanel ..props.clone() />
            <Problems ..props.clone() />
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

pub(super) fn badges(worst: Option<Severity>, edited: bool) -> Html {
    html! {
        <>
            if edited { <span class="badge edited" aria-hidden="true">{ "●" }</span> }
            if let Some(worst @ (Severity::Error | Severity::Warning)) = worst {
                <span class={classes!("badge", editor::severity(worst))} aria-hidden="true">{ "!" }</span>
            }
        </>
    }
}
