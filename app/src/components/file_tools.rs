use std::rc::Rc;

use northsouth::share::{carries, unzip};
use northsouth::text::{File, FileId, Lang, Span};
use northsouth::workspace::{FileKind, gather};
use yew::prelude::*;

use super::Props;
use super::modal::Modal;
use super::share::open_file;
use crate::browser::dropped::{self, Dropped};
use crate::browser::{editor, events, page};
use crate::i18n::Words;
use crate::state::Event;
use crate::view_model::editor::byte;
use crate::view_model::files::home;

/// What is being done with the list of files.
#[derive(Clone, Copy, PartialEq)]
enum Doing {
    New,
    Rename,
}

/// A new file, another path, away with it, files from the disk.
#[component]
pub fn FileTools(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let lang = state.settings.lang;
    let doing = use_state_eq(|| None::<Doing>);
    let path = use_state_eq(String::new);
    let own = state.file < state.workspace.files.len();
    let name = state
        .run
        .files
        .get(state.file)
        .map(|f| f.name.to_string())
        .unwrap_or_default();
    let open = state.task.as_ref().is_none_or(|task| task.is_open(&name));
    // Who asked for the field goes on there, and comes back to where they asked.
    {
        let was = use_mut_ref(|| None::<Doing>);
        use_effect_with(*doing, move |now| {
            let before = was.replace(*now);
            match (before, now) {
                (_, Some(_)) => page::focus_by_id("file-path"),
                (Some(Doing::Rename), None) => page::focus_by_id("file-rename"),
                (Some(Doing::New), None) => page::focus_by_id("file-new"),
                (None, None) => {}
            }
        });
    }
    let start = |what: Doing, text: String| {
        let (doing, path) = (doing.setter(), path.setter());
        move |_: MouseEvent| {
            path.set(text.clone());
            doing.set(Some(what));
        }
    };
    let oninput = {
        let path = path.setter();
        move |event: InputEvent| path.set(events::value(&event))
    };
    let taken = state.run.files.iter().any(|f| *f.name == *path.trim());
    let onsubmit = {
        let (send, doing, path, file) =
            (props.send.clone(), doing.clone(), path.clone(), state.file);
        move |event: SubmitEvent| {
            event.prevent_default();
            let name = path.trim().to_string();
            if name.is_empty() || taken {
                return;
            }
            send.emit(match *doing {
                Some(Doing::Rename) => Event::FileRenamed { file, name },
                _ => Event::FilesAdded(Rc::new([(name, String::new())])),
            });
            doing.set(None);
        }
    };
    // Of the line that the cursor is in.
    let ask = {
        let (send, file) = (props.send.clone(), state.file);
        let text = state.run.files.get(file).map(|f| f.text.clone());
        move |_: MouseEvent| {
            let text = text.as_deref().unwrap_or_default();
            let at = byte(text, editor::cursor()) as usize;
            let start = text
                .get(..at)
                .and_then(|t| t.rfind('\n'))
                .map_or(0, |n| n + 1);
            let span = Span::new(FileId::at(file), start, start);
            send.emit(Event::WhyNotAsked(Some(span)));
        }
    };
    let cancel = doing.setter();
    // The folder of the file at hand is where another of its machine goes.
    let folder = name
        .rsplit_once('/')
        .map(|(f, _)| format!("{f}/"))
        .unwrap_or_default();
    html! {
        <div class="file-tools">
            <button class="link" onclick={ask}>{ words.why_not_line }</button>
            <button id="file-new" class="link" onclick={start(Doing::New, folder)}>{ words.new_file }</button>
            <button class="link" onclick={|_: MouseEvent| dropped::choose()}>{ words.open_files }</button>
            if own && open {
                <button id="file-rename" class="link" onclick={start(Doing::Rename, name)}>{ words.rename_file }</button>
                <button class="link" onclick={props.on(Event::FileDeleted(state.file))}>{ words.delete_file }</button>
            }
            if doing.is_some() {
                <form {onsubmit}>
                    <label><span>{ words.file_path }</span>
                        <input id="file-path" class="mono" autocomplete="off" spellcheck="false" placeholder="nodes/NODE/ip-route.txt"
                            value={(*path).clone()} {oninput} aria-describedby="path-kind" /></label>
                    <p id="path-kind" aria-live="polite">{ if taken { words.path_taken.to_string() } else { kind(&path, words, lang) } }</p>
                    <button class="primary" disabled={taken || path.trim().is_empty()}>{ match *doing {
                        Some(Doing::Rename) => words.rename_file,
                        _ => words.add_it,
                    } }</button>
                    <button type="button" onclick={move |_| cancel.set(None)}>{ words.close }</button>
                </form>
            }
        </div>
    }
}

fn kind(path: &str, words: &Words, lang: Lang) -> String {
    words.path_is(&FileKind::of(path.trim()).title().text(lang))
}

fn pair(file: &File) -> (String, String) {
    (file.name.to_string(), file.text.to_string())
}

/// Of what is dropped, so many files become part of a workspace.
const MOST_FILES: usize = 2000;

/// Files that were dropped on the page, or chosen. One that carries a workspace is opened; under which paths are others taken?
#[component]
pub fn DroppedFiles(props: &Props) -> Html {
    let words = props.words();
    let lang = props.state.settings.lang;
    let found = use_state_eq(|| None::<Dropped>);
    {
        let (found, send) = (found.setter(), props.send.clone());
        use_effect_with(home(&props.state), move |home| {
            let home = home.clone();
            let watch = dropped::listen_to(move |mut dropped| {
                if let Some(bytes) = dropped.carrier.take() {
                    // A zip of dumps carries no workspace.
                    match unzip(&bytes).ok().filter(|files| !carries(files)) {
                        Some(files) => dropped.files.extend(files.iter().map(pair)),
                        None => return open_file(&bytes, &send),
                    }
                }
                let over = dropped.files.split_off(dropped.files.len().min(MOST_FILES));
                dropped.left.extend(over.into_iter().map(|(path, _)| path));
                dropped.files = gather(&dropped.files, &home);
                found.set(Some(dropped));
            });
            move || drop(watch)
        });
    }
    let Some(dropped) = (*found).clone() else {
        return html! {};
    };
    let close = found.setter();
    let take = {
        let (send, files, found) = (props.send.clone(), dropped.files.clone(), found.setter());
        move |_: MouseEvent| {
            send.emit(Event::FilesAdded(files.clone().into()));
            found.set(None);
        }
    };
    html! {
        <Modal id="dropped" title={words.open_files} close={words.close} onclose={move |()| close.set(None)}>
            <p class="about">{ words.dropped_about }</p>
            <ul class="dropped">
                { for dropped.files.iter().enumerate().map(|(at, (path, _))| {
                    let oninput = {
                        let found = found.clone();
                        move |event: InputEvent| {
                            let mut now = (*found).clone().unwrap_or_default();
                            if let Some((path, _)) = now.files.get_mut(at) {
                                *path = events::value(&event);
                            }
                            found.set(Some(now));
                        }
                    };
                    html! {
                        <li>
                            <input class="mono" aria-label={words.file_path} spellcheck="false" value={path.clone()} {oninput} />
                            <span>{ kind(path, words, lang) }</span>
                        </li>
                    }
                }) }
            </ul>
            { for dropped.left.iter().map(|name| html! { <p class="error">{ words.too_large(name) }</p> }) }
            <p class="buttons"><button class="primary" disabled={dropped.files.is_empty()} onclick={take}>
                { words.take_them }</button></p>
        </Modal>
    }
}
